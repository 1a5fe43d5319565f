"""The few helpers that generated code calls where types were not known.  Imports NumPy only."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np


def fit_like(g: Any, x: Any) -> Any:
    """The cotangent `g` of a value broadcast from `x`: summed to the shape of `x`, in the dtype of `x`.

    g: array or scalar whose shape `x` broadcasts to, or which broadcasts to the shape of `x`.
    """
    shape = np.shape(x)
    g = np.asarray(g)
    lead = g.ndim - len(shape)
    if lead > 0:
        g = g.sum(axis=tuple(range(lead)))
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
    return g.astype(dtype) if g.dtype != dtype and dtype.kind in "fc" else g[()]


def rebuild(original: Any, **fields: Any) -> Any:
    """A shallow copy of an object with some attributes replaced."""
    made = copy.copy(original)
    for name, value in fields.items():
        object.__setattr__(made, name, value)
    return made
