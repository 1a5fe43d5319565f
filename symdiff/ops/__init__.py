"""Every fact about every operation, once: type, derivative, spelling on each backend.

`ops.folds` is loaded by those who derive code: a warm start does not need it.
"""

from symdiff.ops import (
    arithmetic,
    axes,
    creation,
    effects,
    einsum,
    elementwise,
    indexing,
    joining,
    linalg,
    piecewise,
    products,
    python_math,
    reductions,
    rounding,
    shaping,
    stacks,
    updates,
)  # fmt: skip

__all__ = [
    "arithmetic", "axes", "creation", "effects", "einsum", "elementwise", "indexing", "joining", "linalg",
    "piecewise", "products", "python_math", "reductions", "rounding", "shaping",
    "stacks", "updates",
]  # fmt: skip
