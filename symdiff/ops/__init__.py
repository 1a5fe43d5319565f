"""Every fact about every operation, once: type, derivative, spelling on each backend.

`ops.folds` is loaded by those who derive code: a warm start does not need it.
"""

from symdiff.ops import (
    arithmetic,
    axes,
    creation,
    curves,
    effects,
    einsum,
    elementwise,
    finding,
    grids,
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
    statistics,
    updates,
)  # fmt: skip

__all__ = [
    "arithmetic", "axes", "creation", "curves", "effects", "einsum", "elementwise", "finding", "grids",
    "indexing", "joining", "linalg", "piecewise", "products", "python_math", "reductions", "rounding",
    "shaping", "stacks", "statistics", "updates",
]  # fmt: skip
