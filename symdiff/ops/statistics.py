"""Counts and descriptions of data: histograms, covariances.

Which bin a value falls into has no derivative: counts are linear in their weights and constant in the rest.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symdiff.errors import DtypeError, ShapeError, UnsupportedError
from symdiff.ir import types
from symdiff.ir.build import current
from symdiff.ir.node import Node
from symdiff.ir.types import Dim, Type
from symdiff.ops import infer
from symdiff.ops.arithmetic import equal, greater_equal, less, less_equal
from symdiff.ops.axes import atleast_2d, diag, diff
from symdiff.ops.creation import arange, linspace
from symdiff.ops.elementwise import logical_and, sqrt, where
from symdiff.ops.indexing import pick, take
from symdiff.ops.joining import concatenate
from symdiff.ops.lowering import bind, known_rank, literal, sugar, to_node, with_options
from symdiff.ops.piecewise import conjugated, minimum
from symdiff.ops.products import swapped
from symdiff.ops.reductions import add_reduce, given, max_reduce, mean, min_reduce
from symdiff.ops.rounding import searchsorted
from symdiff.ops.row import Row, composite, constant, linear
from symdiff.ops.shaping import (
    astype,
    expand_dims,
    length,
    real,
    squeeze,
)

# Bins


def _equal_shapes(a: Node, b: Node) -> None:
    """What NumPy demands of values and their weights."""
    if a.type.dims is not None and b.type.dims is not None:
        if len(a.type.dims) != len(b.type.dims):
            raise ShapeError("The weights have another shape than the values.")
        for one, other in zip(a.type.dims, b.type.dims, strict=True):
            current().sizes.unify(one, other)


def _infer_bincount(x: Node, *options: Node, names: tuple[str, ...] = ()) -> Type:
    for name, value in (("x", x), *zip(names, options, strict=True)):
        kinds = "biuf" if name == "weights" else "biu"
        if (dtype := infer.numpy_dtype(value)) and np.dtype(dtype).kind not in kinds:
            raise DtypeError(f"`{name}` of np.bincount cannot be {dtype}.", ".astype(int)")
        if name == "weights":
            _equal_shapes(x, value)
    return types.array("float64" if "weights" in names else "int64", (current().sizes.fresh(),))


def _bincount_transpose(g: Node, i: int, x: Node, *options: Node, names: tuple[str, ...] = ()) -> Node | None:
    return take(g, x, 0) if i and names[i - 1] == "weights" else None


def _bincount(row: Row, x: Any, weights: Any = None, minlength: Any = 0) -> Node:
    absent = not isinstance(minlength, Node) and minlength == 0
    return with_options(row, to_node(x), weights=weights, minlength=None if absent else minlength)


bincount: Row = linear(
    np.bincount,
    "x, *options, names=()",
    _infer_bincount,
    transpose=_bincount_transpose,
    lower=_bincount,
)
digitize = constant(
    np.digitize, "x, bins, right=False", lambda x, bins, right=False: types.array("int64", x.type.dims)
)


def _is_count(bins: Node) -> bool:
    """Whether the bins of a histogram are given by their number, not by their edges."""
    return bins.type.kind == "number" or known_rank(bins, "np.histogram") == 0


def _infer_edges(a: Node, bins: Node, range: Any = None) -> Type:
    dtype = infer.promoted(a, current().const(0.0)) if range else infer.numpy_dtype(a)
    if dtype and np.dtype(dtype).kind not in "fc":
        dtype = "float64"
    count = infer.size_of(bins)
    return types.array(dtype, (count + 1 if isinstance(count, int) else current().sizes.fresh(),))


def _edges(a: Node, bins: Node, range: Any = None) -> Node:
    """Equal steps from the least to the greatest value, or 0.5 to each side of a single one."""
    if range is not None:
        low, high = (current().const(float(bound)) for bound in range)
    else:
        low, high = min_reduce(a), max_reduce(a)
    half = 0.5 * equal(low, high)
    way = arange(bins + 1) / bins
    return (low - half) * (1 - way) + (high + half) * way


histogram_bin_edges: Row = composite(np.histogram_bin_edges, "a, bins, range=None", _infer_edges, _edges)


def _infer_counts(
    a: Node, bins: Node, *weights: Node, range: Any = None, names: tuple[str, ...] = ()
) -> Type:
    dtype = infer.numpy_dtype(weights[0]) if weights else "int64"
    if weights:
        _equal_shapes(a, weights[0])
    if _is_count(bins):
        return types.array(dtype, (infer.size_of(bins),))
    assert bins.type.dims is not None
    return types.array(dtype, (current().sizes.less(bins.type.dims[0], 1),))


def _counts_transpose(
    g: Node, i: int, a: Node, bins: Node, *weights: Node, range: Any = None, names: tuple[str, ...] = ()
) -> Node | None:
    """Every weight has the cotangent of its value's bin; the last bin holds its right edge too."""
    if i < 2:
        return None
    if _is_count(bins) and range is None and infer.numpy_dtype(a) == "float64":
        return take(g, _equal_bin(a, bins), 0)
    edges = histogram_bin_edges(a, bins, **given(range=range)) if _is_count(bins) else bins
    place = minimum(searchsorted(edges, a, side="right") - 1, length(edges, axis=0) - 2)
    inside = logical_and(greater_equal(a, pick(edges, 0, 0)), less_equal(a, pick(edges, 0, -1)))
    return where(inside, take(g, place, 0), 0)


def _equal_bin(a: Node, bins: Node) -> Node:
    """The bin of every value where all bins are equal and all values lie in them.

    As `np.histogram` finds it, in less than a quarter of the time of a binary search: by proportion, which
    rounding puts into the bin beside at most, and from there by the edges.
    """
    edges = histogram_bin_edges(a, bins)
    first, last = pick(edges, 0, 0), pick(edges, 0, -1)
    near = minimum(astype((a - first) / (last - first) * bins, dtype="int64"), bins - 1)
    near = near - less(a, take(edges, near, 0))
    return minimum(near + greater_equal(a, take(edges, near + 1, 0)), bins - 1)


def first_of_histogram(a: Any, bins: Any, weights: Any = None, range: Any = None) -> Any:
    return np.histogram(a, bins, range, weights=weights)[0]


def _counts(row: Row, a: Any, bins: Any, weights: Any = None, range: Any = None) -> Node:
    attrs = {} if range is None else {"range": literal("range", range)}
    return with_options(row, to_node(a), to_node(bins), weights=weights, **attrs)


# `np.histogram(...)[0]`.
counts: Row = linear(
    first_of_histogram,
    "a, bins, *weights, range=None, names=()",
    _infer_counts,
    transpose=_counts_transpose,
    name="histogram.counts",
    spelling="np.histogram",
    lower=_counts,
)


def _histogram(a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    if isinstance(bins, str):
        raise UnsupportedError("np.histogram with a named rule for bins is not supported.", "their number")
    a, bins = to_node(a), to_node(bins)
    attrs = {}
    if not _is_count(bins):
        edges = bins
    elif range is not None and any(isinstance(bound, Node) for bound in range):
        low, high = map(to_node, range)
        bins = edges = linspace(low, high, num=literal("bins", bins) + 1)
    else:
        attrs = given(range=range)
        edges = bind(histogram_bin_edges, a, bins, **attrs)
    found = _counts(counts, a, bins, weights, **attrs)
    if density:
        found = found / astype(diff(edges), dtype="float64") / add_reduce(found)
    return found, edges


sugar(np.histogram, _histogram)

# Covariances


def _doubled(x: Node) -> Node:
    """At least in double precision."""
    dtype = infer.numpy_dtype(x)
    wide = np.result_type(dtype, np.float64).name if dtype else ""
    return x if dtype == wide else astype(x, dtype=wide)


def _variables(x: Node, rowvar: bool) -> Node:
    """Variables by rows, observations by columns."""
    rank = known_rank(x, "np.cov")
    x = _doubled(x if rank == 2 else atleast_2d(x))
    if rowvar or rank < 2:
        return x
    assert x.type.dims is not None
    first = current().sizes.find(x.type.dims[0])
    if first == 1 or types.may_be_one(first):
        raise UnsupportedError("np.cov of a single observation with rowvar=False.", "np.cov(x.T)")
    return swapped(x)


def _cov(*arrays: Node, rowvar: bool = True, bias: bool = False, ddof: int | None = None) -> Node:
    parts = [_variables(x, rowvar) for x in arrays]
    x = parts[0] if len(parts) == 1 else concatenate(*parts)
    freedom = length(x, axis=1) - (int(not bias) if ddof is None else ddof)
    away = x - mean(x, axis=1, keepdims=True)
    made = away @ conjugated(swapped(away)) / freedom
    return made if len(parts) > 1 or not _may_be_single(x) else squeeze(made)


def _may_be_single(x: Node) -> bool:
    assert x.type.dims is not None
    dim: Dim = current().sizes.find(x.type.dims[0])
    return dim == 1 or types.may_be_one(dim)


def _corrcoef(*arrays: Node, rowvar: bool = True) -> Node:
    made = _cov(*arrays, rowvar=rowvar)
    if known_rank(made, "np.corrcoef") == 0:
        return made / made
    spread = sqrt(real(diag(made)))
    return made / expand_dims(spread, axis=1) / spread


def _pair(row: Row, x: Any, y: Any = None, rowvar: Any = True, *rest: Any, **options: Any) -> Node:
    options |= dict(zip(("bias", "ddof", "fweights", "aweights"), rest, strict=False))
    kept = {name: value for name, value in options.items() if value is not None}
    return bind(row, x, *([] if y is None else [y]), rowvar=bool(literal("rowvar", rowvar)), **kept)


cov: Row = composite(
    np.cov,
    "*arrays, rowvar=True, bias=False, ddof=None",
    infer.of_definition(_cov),
    _cov,
    lower=lambda row, m, *rest, **options: _pair(row, m, *rest, **options),
)
corrcoef: Row = composite(
    np.corrcoef, "*arrays, rowvar=True", infer.of_definition(_corrcoef), _corrcoef, lower=_pair
)
