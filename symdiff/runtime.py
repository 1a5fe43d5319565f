"""The few helpers that generated code calls where types were not known.  Imports NumPy only.

Lists stand for what a loop appended; the cotangent of a list is a list of its items' cotangents, each of them
an array, a number, or again such a list.  No helper changes its arguments.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def fit_like(g: Any, x: Any) -> Any:
    """The cotangent `g` of a value broadcast from `x`: summed to the shape of `x`, in the dtype of `x`.

    g: array or scalar whose shape `x` broadcasts to, or which broadcasts to the shape of `x`.  Where there is
    nothing to do, `g` itself is returned.
    """
    arrays = isinstance(g, np.ndarray) and isinstance(x, np.ndarray)
    if arrays and g.shape == x.shape != () and g.dtype == x.dtype:
        return g
    shape = np.shape(x)
    g = np.asarray(g)
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
    if isinstance(x, float) and not isinstance(x, np.generic):
        return float(g.real)
    dtype = x.dtype if isinstance(x, np.ndarray | np.generic) else np.asarray(x).dtype
    if g.dtype.kind == "c" and dtype.kind != "c":
        g = g.real
    if g.dtype != dtype and dtype.kind in "fc":
        return g.astype(dtype)
    return g[()]


def fresh(x: Any) -> Any:
    """`x` in memory of its own: a copy of an array, a number as it is."""
    return x.copy() if isinstance(x, np.ndarray) else x


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


def stack_of_zeros(items: list[Any]) -> list[Any]:
    """The cotangent of a list that nothing depends on: for every item zeros of its shape.

    Items that are no floating-point arrays have cotangents in double precision.
    """
    return [_zeros(item) for item in items]


def _zeros(item: Any) -> Any:
    if isinstance(item, list):
        return stack_of_zeros(item)
    if not isinstance(item, np.ndarray | np.generic):
        return 0j if isinstance(item, complex) else 0.0
    return np.zeros(item.shape, item.dtype if item.dtype.kind in "fc" else float)[()]


def sum_of_stacks(a: list[Any], b: list[Any]) -> list[Any]:
    """The sum of two cotangents of one list."""
    return [sum_of_stacks(x, y) if isinstance(x, list) else x + y for x, y in zip(a, b, strict=True)]


def split_like(g: Any, items: list[Any], axis: int = 0) -> list[Any]:
    """The cotangents of the items of a list from that of `np.concatenate(items, axis)`: views of `g`."""
    ends = np.cumsum([item.shape[axis] for item in items])
    return np.split(g, ends[:-1], axis)
