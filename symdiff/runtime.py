"""The few helpers that generated code calls where types were not known.  Imports NumPy only."""

from __future__ import annotations

from typing import Any

import numpy as np


def fit_like(g: Any, x: Any) -> Any:
    """The cotangent `g` of a value broadcast from `x`: summed to the shape of `x`, in the dtype of `x`.

    g: array or scalar whose shape `x` broadcasts to, or which broadcasts to the shape of `x`.  An array
    that is returned is a fresh one: it may be a gradient as it leaves.
    """
    shape = np.shape(x)
    given = g = np.asarray(g)
    lead = g.ndim - len(shape)
    if lead > 0:
        g = g.sum(axis=tuple(range(lead)))
    elif lead < 0:
        g = g[(None,) * -lead]
    stretched = tuple(
        i for i, (have, want) in enumerate(zip(g.shape, shape, strict=False)) if want == 1 != have
    )
    if stretched:
        g = g.sum(axis=stretched, keepdims=True)
    if g.shape != shape:
        g = np.broadcast_to(g, shape)
    if isinstance(x, float):
        return float(g.real)
    dtype = x.dtype if isinstance(x, np.ndarray | np.generic) else np.asarray(x).dtype
    if g.dtype.kind == "c" and dtype.kind != "c":
        g = g.real
    if g.dtype != dtype and dtype.kind in "fc":
        return g.astype(dtype)
    return g.copy() if g.ndim and (g is given or g.base is not None) else g[()]


def matmul_left(g: Any, a: Any, b: Any) -> Any:
    """The cotangent of `a` in `a @ b`, up to the sum over broadcast axes."""
    if b.ndim == 1:
        return g * b if a.ndim == 1 else g[..., None] * b
    if a.ndim == 1:
        return (b @ g[..., None])[..., 0]
    return g @ b.swapaxes(-1, -2)


def matmul_right(g: Any, a: Any, b: Any) -> Any:
    """The cotangent of `b` in `a @ b`, up to the sum over broadcast axes."""
    if a.ndim == 1:
        return g * a if b.ndim == 1 else a[:, None] * g[..., None, :]
    if b.ndim == 1:
        return (a.swapaxes(-1, -2) @ g[..., None])[..., 0]
    return a.swapaxes(-1, -2) @ g
