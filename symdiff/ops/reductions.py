"""Reductions: `axis` as an int, a tuple or None, `keepdims`, `dtype` where NumPy has it."""

from __future__ import annotations

from typing import Any

import numpy as np

from symdiff.ir.build import current
from symdiff.ir.node import Node
from symdiff.ops import infer
from symdiff.ops.row import linear
from symdiff.ops.shaping import broadcast_to, expand_dims, length, shape_of, size


def spread(g: Node, x: Node, axis: Any, keepdims: bool) -> Node:
    """The cotangent of a reduction, back in the shape of `x`: the reduced axes return as broadcasts."""
    if axis is not None and not keepdims:
        g = expand_dims(g, axis=_from_front(axis, x))
    return broadcast_to(g, shape_of(x))


def _from_front(axis: Any, x: Node) -> Any:
    """Axes of the operand as axes of the expanded result (negative ones mean the same in both)."""
    return axis


def count(x: Node, axis: Any) -> Node:
    """How many elements a reduction over `axis` takes together."""
    if axis is None:
        return size(x)
    axes = axis if isinstance(axis, tuple) else (axis,)
    total = current().const(1)
    for one in axes:
        total = total * length(x, axis=one)
    return total


_TEXT = "x, axis=None, dtype=None, keepdims=False"

add_reduce = linear(
    np.sum,
    _TEXT,
    infer.of_reduction(np.sum),
    lambda g, x, axis=None, dtype=None, keepdims=False: spread(g, x, axis, keepdims),
    method="sum",
)
mean = linear(
    np.mean,
    _TEXT,
    infer.of_reduction(np.mean),
    lambda g, x, axis=None, dtype=None, keepdims=False: spread(g / count(x, axis), x, axis, keepdims),
    method="mean",
)
