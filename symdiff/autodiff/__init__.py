"""IR to derivative IR."""

from symdiff.ops import folds

__all__ = ["folds"]  # registered before any derived code is built
