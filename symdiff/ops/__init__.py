"""Every fact about every operation, once: type, derivative, spelling on each backend.

`ops.folds` is loaded by those who derive code: a warm start does not need it.
"""

from symdiff.ops import (
    arithmetic,
    axes,
    creation,
    curves,
    differences,
    effects,
    einsum,
    elementwise,
    factorizations,
    finding,
    grids,
    indexing,
    joining,
    least_squares,
    linalg,
    nans,
    norms,
    parts,
    piecewise,
    places,
    polynomials,
    products,
    python_math,
    qr,
    quantiles,
    reductions,
    rounding,
    selecting,
    shaping,
    stable,
    stacks,
    statistics,
    ufunc_methods,
    updates,
    windows,
)  # fmt: skip

__all__ = [
    "arithmetic", "axes", "creation", "curves", "differences", "effects", "einsum", "elementwise",
    "factorizations", "finding", "grids", "indexing", "joining", "least_squares", "linalg", "nans", "norms",
    "parts", "piecewise", "places", "polynomials", "products", "python_math", "qr", "quantiles",
    "reductions", "rounding", "selecting", "shaping", "stable",
    "stacks", "statistics", "ufunc_methods", "updates",
    "windows",
]  # fmt: skip
