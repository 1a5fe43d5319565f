"""Functions of sampled curves: interpolation, differences, the trapezoidal rule, convolution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symdiff.errors import ShapeError, UnsupportedError
from symdiff.ir import types
from symdiff.ir.build import current
from symdiff.ir.node import Node
from symdiff.ir.types import Dim, Type
from symdiff.ops import infer
from symdiff.ops.arithmetic import floor_divide, greater, greater_equal, less, less_equal, remainder
from symdiff.ops.axes import diff, flip
from symdiff.ops.elementwise import logical_and, where
from symdiff.ops.indexing import along, at_axis, pick, scatter, take
from symdiff.ops.joining import concatenate
from symdiff.ops.lowering import known_rank, literal, to_node, with_options
from symdiff.ops.piecewise import maximum, minimum
from symdiff.ops.reductions import add_reduce
from symdiff.ops.rounding import argsort, searchsorted
from symdiff.ops.row import REGISTRY, Row, composite, multilinear
from symdiff.ops.shaping import conjugate, expand_dims, length, make_shape, shape_of

# Interpolation


def _infer_interp(x: Node, xp: Node, fp: Node) -> Type:
    dtype = infer.numpy_dtype(fp)
    wide = np.result_type(dtype, np.float64).name if dtype else ""
    return types.array("complex128" if wide.startswith("complex") else wide and "float64", x.type.dims)


def _interp(x: Node, xp: Node, fp: Node) -> Node:
    """On the line through the two neighbours; beyond the ends the nearest value, with slope 0.

    At a knot the slope is that of the line to its right, at the last knot of the line to its left.
    """
    low = maximum(minimum(searchsorted(xp, x, side="right") - 1, length(xp, axis=0) - 2), 0)
    left, right = take(xp, low, 0), take(xp, low + 1, 0)
    before, after = take(fp, low, 0), take(fp, low + 1, 0)
    inside = logical_and(greater_equal(x, pick(xp, 0, 0)), less_equal(x, pick(xp, 0, -1)))
    way = where(inside, (x - left) / (right - left), greater(x, left))
    return before + way * (after - before)


def _interp_call(
    row: Row, x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Node:
    x, xp, fp = map(to_node, (x, xp, fp))
    if period is not None:
        return row(*_wound(x, xp, fp, to_node(period)))
    made = row(x, xp, fp)
    if left is not None:
        made = where(less(x, pick(xp, 0, 0)), to_node(left), made)
    if right is not None:
        made = where(greater(x, pick(xp, 0, -1)), to_node(right), made)
    return made


def _wound(x: Node, xp: Node, fp: Node, period: Node) -> tuple[Node, Node, Node]:
    """All places in one period, and its last and first knot once more on the other side."""
    period = REGISTRY["absolute"](period)
    x, xp = remainder(x, period), remainder(xp, period)
    order = argsort(xp)
    xp, fp = take(xp, order, 0), take(fp, order, 0)
    ends = (along(xp, 0, -1, None) - period, along(xp, 0, 0, 1) + period)
    return x, concatenate(ends[0], xp, ends[1]), concatenate(along(fp, 0, -1, None), fp, along(fp, 0, 0, 1))


interp: Row = composite(np.interp, "x, xp, fp", _infer_interp, _interp, lower=_interp_call)

# Differences


def _floating(dtype: str) -> str:
    return dtype if not dtype or np.dtype(dtype).kind in "fc" else "float64"


def _infer_gradient(f: Node, *spacing: Node, axis: int | None = None, edge_order: int = 1) -> Type:
    if spacing and spacing[0].type.rank == 1 and f.type.dims is not None:
        assert spacing[0].type.dims is not None
        current().sizes.unify(f.type.dims[axis or 0], spacing[0].type.dims[0])
    return types.array(_floating(infer.numpy_dtype(f)), f.type.dims)


def _gradient(f: Node, *spacing: Node, axis: int | None = None, edge_order: int = 1) -> Node:
    """Central differences, of `edge_order` at the ends; one spacing, or the places of the samples."""
    axis = axis or 0
    if not spacing or known_rank(spacing[0], "np.gradient") == 0:
        step = spacing[0] if spacing else current().const(1.0)
        inner = (along(f, axis, 2, None) - along(f, axis, None, -2)) / (2.0 * step)
        return _with_ends(f, inner, (step, step), (step, step), axis, edge_order)
    steps = diff(spacing[0])
    begin, end = (pick(steps, 0, 0), pick(steps, 0, 1)), (pick(steps, 0, -2), pick(steps, 0, -1))
    others = tuple(i for i in range(known_rank(f, "np.gradient")) if i != axis)
    steps = expand_dims(steps, axis=others) if others else steps
    h, k = along(steps, axis, None, -1), along(steps, axis, 1, None)
    a, b, c = along(f, axis, None, -2), along(f, axis, 1, -1), along(f, axis, 2, None)
    return _with_ends(f, _slope((a, b, c), h, k, (-k, k - h, h)), begin, end, axis, edge_order)


def _with_ends(
    f: Node, inner: Node, begin: tuple[Node, Node], end: tuple[Node, Node], axis: int, edge_order: int
) -> Node:
    """The slopes inside and at the two ends, from the steps beside them."""
    (h, k), (p, q) = begin, end
    if edge_order == 1:
        first = (pick(f, axis, 1) - pick(f, axis, 0)) / h
        last = (pick(f, axis, -1) - pick(f, axis, -2)) / q
    elif edge_order == 2:
        first = _slope([pick(f, axis, i) for i in (0, 1, 2)], h, k, (-2 * h - k, h + k, -h))
        last = _slope([pick(f, axis, i) for i in (-3, -2, -1)], p, q, (q, -p - q, p + 2 * q))
    else:
        raise UnsupportedError("np.gradient with edge_order above 2 is not supported.", "edge_order=2")
    parts = ((inner, ("slice", 1, -1, None)), (first, ("int", 0)), (last, ("int", -1)))
    one, two, three = (scatter(part, shape_of(f), index=at_axis(axis, place)) for part, place in parts)
    return one + two + three


def _slope(f: Sequence[Node], h: Node, k: Node, weights: tuple[Node, Node, Node]) -> Node:
    """The slope of the parabola through three neighbours, `h` and `k` apart."""
    a, b, c = f
    p, q, r = weights
    return a * (p / (h * (h + k))) + b * (q / (h * k)) + c * (r / (k * (h + k)))


def _gradient_call(row: Row, f: Any, *spacing: Any, axis: Any = None, edge_order: Any = 1) -> Any:
    """One node for each axis."""
    f, axis = to_node(f), literal("axis", axis)
    rank = known_rank(f, "np.gradient")
    axes = tuple(range(rank)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    steps = [to_node(step) for step in spacing]
    if len(steps) not in (0, 1, len(axes)):
        raise ShapeError(f"np.gradient is given {len(steps)} spacings for {len(axes)} axes.")
    steps = steps * len(axes) if len(steps) == 1 else steps
    options = (
        {} if literal("edge_order", edge_order) == 1 else {"edge_order": literal("edge_order", edge_order)}
    )
    found = tuple(
        row(f, *steps[i : i + 1], **({"axis": one % rank} if rank > 1 else {}), **options)
        for i, one in enumerate(axes)
    )
    return found[0] if len(found) == 1 else found


gradient: Row = composite(
    np.gradient, "f, *spacing, axis=None, edge_order=1", _infer_gradient, _gradient, lower=_gradient_call
)


def _trapezoid(y: Node, *options: Node, names: tuple[str, ...] = (), axis: int = -1) -> Node:
    """The mean of each two neighbours, times the distance between them, summed."""
    step = options[0] if options else current().const(1.0)
    if names == ("x",):
        rank = known_rank(y, "np.trapezoid")
        if known_rank(step, "np.trapezoid") == 1:
            others = tuple(i for i in range(rank) if i != axis % rank)
            step = expand_dims(diff(step), axis=others) if others else diff(step)
        else:
            step = diff(step, axis=axis)
    return add_reduce(step * (along(y, axis, 1, None) + along(y, axis, None, -1)) / 2.0, axis=axis)


def _infer_trapezoid(y: Node, *options: Node, names: tuple[str, ...] = (), axis: int = -1) -> Type:
    if names == ("x",) and options[0].type.rank == 1 and y.type.dims:
        assert options[0].type.dims is not None
        current().sizes.unify(y.type.dims[axis], options[0].type.dims[0])
    return infer.of_definition(_trapezoid)(y, *options, names=names, axis=axis)


def _trapezoid_call(row: Row, y: Any, x: Any = None, dx: Any = 1.0, axis: Any = -1) -> Node:
    axis = literal("axis", axis)
    step = None if x is not None or (isinstance(dx, float) and dx == 1.0) else dx
    return with_options(row, to_node(y), x=x, dx=step, **({} if axis == -1 else {"axis": axis}))


trapezoid: Row = composite(
    np.trapezoid,
    "y, *options, names=(), axis=-1",
    _infer_trapezoid,
    _trapezoid,
    also=[np.trapz] if hasattr(np, "trapz") else [],  # until NumPy 2.4
    lower=_trapezoid_call,
)

# Convolution


def _overlap(n: Dim, m: Dim, mode: str) -> Dim:
    """The length of a convolution of vectors of these lengths."""
    sizes = current().sizes
    n, m = sizes.find(n), sizes.find(m)
    if isinstance(n, int) and isinstance(m, int):
        return {"full": n + m - 1, "same": max(n, m), "valid": max(n, m) - min(n, m) + 1}[mode]
    if m == 1 or (n == m and mode == "same"):
        return n
    return 1 if n == m and mode == "valid" else sizes.fresh()


def _infer_convolve(a: Node, v: Node, mode: str = "full") -> Type:
    dtype = infer.numpy_dtype_of_all((a, v))
    return types.array(dtype, tuple([_overlap(_length(a), _length(v), mode)]))


def _infer_correlate(a: Node, v: Node, mode: str = "valid") -> Type:
    return _infer_convolve(a, v, mode)


def _length(x: Node) -> Dim:
    if known_rank(x, "np.convolve") != 1:
        raise ShapeError("np.convolve takes vectors.", "np.ravel, or a loop over rows")
    assert x.type.dims is not None
    return x.type.dims[0]


def _whole(g: Node, a: Node, v: Node, mode: str) -> Node:
    """The cotangent of the whole convolution, of which `mode` keeps the middle."""
    if mode == "full":
        return g
    n, m = length(a, axis=0), length(v, axis=0)
    cut = REGISTRY["builtins.min"](n, m) - 1
    start = floor_divide(cut, 2) if mode == "same" else cut
    place = ("slice", ("arg", 0), ("arg", 1), None)
    return scatter(g, make_shape(n + m - 1), start, start + length(g, axis=0), index=(place,))


# A convolution with the other operand reversed, of the cotangent.
convolve: Row = multilinear(
    np.convolve,
    "a, v, mode='full'",
    _infer_convolve,
    lambda g, a, v, mode="full": convolve(_whole(g, a, v, mode), flip(v), mode="valid"),
    lambda g, a, v, mode="full": convolve(_whole(g, a, v, mode), flip(a), mode="valid"),
)


def _correlate(a: Node, v: Node, mode: str = "valid") -> Node:
    """A convolution with `conj(v)` reversed.

    Where `v` is the longer one and the other's length is even, "same" keeps another middle than np.convolve.
    """
    if mode != "same":
        return convolve(a, flip(conjugate(v)), **({} if mode == "full" else {"mode": mode}))
    n, m = length(a, axis=0), length(v, axis=0)
    least = REGISTRY["builtins.min"]
    shorter = least(n, m)
    start = floor_divide(shorter - 1 + least(m - shorter, 1), 2)
    return along(convolve(a, flip(conjugate(v))), 0, start, start + (n + m - shorter))


correlate: Row = composite(np.correlate, "a, v, mode='valid'", _infer_correlate, _correlate)
