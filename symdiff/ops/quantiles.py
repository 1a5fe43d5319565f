"""Medians and quantiles, of all values or of the numbers among them: between neighbours in the order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symdiff.errors import UnsupportedError
from symdiff.ir import types
from symdiff.ir.node import Node
from symdiff.ir.types import Type
from symdiff.ops import infer
from symdiff.ops.arithmetic import equal, floor_divide
from symdiff.ops.axes import moveaxis
from symdiff.ops.elementwise import ceil, floor, isnan, logical_not, rint
from symdiff.ops.indexing import _take_along_axis, index, take
from symdiff.ops.lowering import known_rank
from symdiff.ops.piecewise import maximum, minimum
from symdiff.ops.reductions import add_reduce
from symdiff.ops.rounding import sort
from symdiff.ops.row import Row, composite
from symdiff.ops.shaping import astype, expand_dims, length, make_shape, reshape


def _ordered(x: Node, axis: Any, what: str) -> Node:
    """The values in ascending order along the first axis; all of them where `axis` is None."""
    if isinstance(axis, tuple):
        axes = infer.normalized_axes(axis, known_rank(x, what))
        last = moveaxis(x, source=axes, destination=tuple(range(-len(axes), 0)))
        others = [length(x, axis=i) for i in range(known_rank(x, what)) if i not in axes]
        x, axis = reshape(last, make_shape(*others, -1)), -1
    if axis is None:
        return sort(x if x.type.rank == 1 else reshape(x, make_shape(-1)))
    rank = known_rank(x, what)
    ordered = sort(x, **({} if axis in (-1, rank - 1) else {"axis": axis}))
    return ordered if axis % rank == 0 else moveaxis(ordered, source=axis, destination=0)


def _kept(y: Node, x: Node, axis: Any, keepdims: bool, extra: int, what: str) -> Node:
    """The reduced axes as axes of length 1, behind `extra` others."""
    if not keepdims:
        return y
    rank = known_rank(x, what)
    return expand_dims(y, axis=tuple(extra + one for one in infer.normalized_axes(axis, rank)))


def _median(x: Node, axis: Any = None, keepdims: bool = False) -> Node:
    """The middle value, or the mean of the two."""
    ordered = _ordered(x, axis, "np.median")
    count = length(ordered, axis=0)
    low, high = (
        index(ordered, place, index=(("arg", 0),))
        for place in (floor_divide(count - 1, 2), floor_divide(count, 2))
    )
    return _kept(0.5 * (low + high), x, axis, keepdims, 0, "np.median")


# The place of a quantile in the order of n values, counted from 0, by the name of its definition: Hyndman and
# Fan, "Sample quantiles in statistical packages", 1996, and NumPy's own.
_PLACES: dict[str, Callable[[Node, Node], Node]] = {
    "linear": lambda q, n: q * (n - 1),
    "interpolated_inverted_cdf": lambda q, n: q * n - 1,
    "hazen": lambda q, n: q * n - 0.5,
    "weibull": lambda q, n: q * (n + 1) - 1,
    "median_unbiased": lambda q, n: q * n + (q + 1) / 3 - 1,
    "normal_unbiased": lambda q, n: q * n + (q / 4 + 3 / 8) - 1,
    "lower": lambda q, n: floor(q * (n - 1)),
    "higher": lambda q, n: ceil(q * (n - 1)),
    "nearest": lambda q, n: rint(q * (n - 1)),
    "midpoint": lambda q, n: 0.5 * (floor(q * (n - 1)) + ceil(q * (n - 1))),
}


def _place(q: Node, n: Node, method: str) -> Node:
    if method not in _PLACES:
        raise UnsupportedError(f"np.quantile with method={method!r} is not supported.", "method='linear'")
    found = _PLACES[method](q, n)
    outside = method in ("interpolated_inverted_cdf", "hazen", "weibull") or method.endswith("unbiased")
    return maximum(minimum(found, n - 1), 0) if outside else found


def _quantile(x: Node, q: Node, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Node:
    """On the line between the two neighbours of the place in the order."""
    ordered = _ordered(x, axis, "np.quantile")
    last = length(ordered, axis=0) - 1
    way = _place(q, last + 1, method) if method != "linear" else q * last
    low = astype(maximum(minimum(floor(way), last - 1), 0), dtype="int64")
    rest = way - low
    rank, extra = known_rank(ordered, "np.quantile"), known_rank(q, "np.quantile")
    if rank > 1 and extra:
        rest = expand_dims(rest, axis=tuple(range(extra, extra + rank - 1)))
    before, after = take(ordered, low, 0), take(ordered, minimum(low + 1, last), 0)
    return _kept(before + rest * (after - before), x, axis, keepdims, extra, "np.quantile")


def _percentile(x: Node, q: Node, **attrs: Any) -> Node:
    return _quantile(x, q / 100, **attrs)


# Of what is a number: NaN is the greatest in the order, so that the numbers of each slice stand before


def _nanmedian(x: Node, axis: Any = None, keepdims: bool = False) -> Node:
    ordered = _ordered(x, axis, "np.nanmedian")
    count = add_reduce(logical_not(isnan(ordered)), axis=0, keepdims=True)
    low, high = (
        index(_take_along_axis(ordered, maximum(place, 0), 0), index=(("int", 0),))
        for place in (floor_divide(count - 1, 2), floor_divide(count, 2) - equal(count, 0))
    )
    return _kept(0.5 * (low + high), x, axis, keepdims, 0, "np.nanmedian")


def _nanquantile(x: Node, q: Node, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Node:
    ordered = _ordered(x, axis, "np.nanquantile")
    rank, extra = known_rank(ordered, "np.nanquantile"), known_rank(q, "np.nanquantile")
    if extra > 1:
        raise UnsupportedError("np.nanquantile for a matrix of q is not supported.", "q.ravel()")
    count = add_reduce(logical_not(isnan(ordered)), axis=0)
    if extra and rank > 1:
        q = expand_dims(q, axis=tuple(range(1, rank)))
    last = maximum(count - 1, 0)  # of NaN alone the first, which is NaN
    way = _place(q, last + 1, method)
    low = astype(maximum(minimum(floor(way), last - 1), 0), dtype="int64")
    rest = way - low
    places = (low, minimum(low + 1, last))
    if rank == 1:
        before, after = (take(ordered, place, 0) for place in places)
    else:
        rows = [place if extra else expand_dims(place, axis=0) for place in places]
        before, after = (_take_along_axis(ordered, row, 0) for row in rows)
        if not extra:
            before, after = (index(part, index=(("int", 0),)) for part in (before, after))
    return _kept(before + rest * (after - before), x, axis, keepdims, extra, "np.nanquantile")


def _nanpercentile(x: Node, q: Node, **attrs: Any) -> Node:
    return _nanquantile(x, q / 100, **attrs)


def _infer_quantile(x: Node, q: Node, **attrs: Any) -> Type:
    """A Python number as `q` does not promote."""
    dtype = infer.numpy_dtype(x)
    if dtype and np.dtype(dtype).kind != "f":
        dtype = "float64"
    if dtype and q.type.kind != "number":
        dtype = np.result_type(dtype, q.type.dtype).name if q.type.dtype else ""
    return types.array(dtype, infer.of_definition(_quantile)(x, q, **attrs).dims)


_TEXT = "x, q, axis=None, method='linear', keepdims=False"
_MEDIAN = "x, axis=None, keepdims=False"
median: Row = composite(np.median, _MEDIAN, infer.of_definition(_median), _median)
quantile: Row = composite(np.quantile, _TEXT, _infer_quantile, _quantile)
percentile: Row = composite(np.percentile, _TEXT, _infer_quantile, _percentile)
nanmedian: Row = composite(np.nanmedian, _MEDIAN, infer.of_definition(_median), _nanmedian)
nanquantile: Row = composite(np.nanquantile, _TEXT, _infer_quantile, _nanquantile)
nanpercentile: Row = composite(np.nanpercentile, _TEXT, _infer_quantile, _nanpercentile)
