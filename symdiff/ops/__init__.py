"""Every fact about every operation, once: type, derivative, spelling on each backend."""

from symdiff.ops import (
    arithmetic,
    axes,
    creation,
    einsum,
    elementwise,
    folds,
    indexing,
    joining,
    linalg,
    piecewise,
    products,
    python_math,
    reductions,
    rounding,
    shaping,
)  # fmt: skip

__all__ = [
    "arithmetic", "axes", "creation", "einsum", "elementwise", "folds", "indexing", "joining", "linalg",
    "piecewise", "products", "python_math", "reductions", "rounding", "shaping",
]  # fmt: skip
