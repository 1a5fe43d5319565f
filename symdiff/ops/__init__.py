"""Every fact about every operation, once: type, derivative, spelling on each backend."""

from symdiff.ops import arithmetic, elementwise, folds, indexing, products, reductions, shaping

__all__ = ["arithmetic", "elementwise", "folds", "indexing", "products", "reductions", "shaping"]
