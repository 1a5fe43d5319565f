"""Reductions and running totals: `axis` as an int, a tuple or None, `keepdims`, `dtype` where NumPy has it.

A reduction that is not linear is a `custom` row made of one function, its slope: the derivative of the result
with respect to each element, in the shape of `x`.  Both modes follow from it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symdiff.ir import types
from symdiff.ir.build import current
from symdiff.ir.node import Node
from symdiff.ops import infer
from symdiff.ops.arithmetic import equal
from symdiff.ops.elementwise import isnan, logical_and, logical_not, nonzero, where
from symdiff.ops.lowering import bind, known_rank, literal, sugar, to_node
from symdiff.ops.piecewise import conjugated
from symdiff.ops.row import Row, composite, constant, custom, linear
from symdiff.ops.shaping import broadcast_to, expand_dims, full_like, length, reshape, shape_of, size


def spread(g: Node, x: Node, axis: Any, keepdims: bool) -> Node:
    """The cotangent of a reduction, back in the shape of `x`: the reduced axes return as broadcasts."""
    return broadcast_to(kept(g, axis, keepdims), shape_of(x))


def kept(y: Node, axis: Any, keepdims: bool) -> Node:
    """A reduced value as one that broadcasts against what was reduced."""
    return y if axis is None or keepdims or y.type.dims == () else expand_dims(y, axis=axis)


def count(x: Node, axis: Any) -> Node:
    """How many elements a reduction over `axis` takes together; 1 where there are known to be none, since
    what is divided by it then is an empty array."""
    total = current().const(1)
    if axis is None:
        total = size(x)
    for one in () if axis is None else axis if isinstance(axis, tuple) else (axis,):
        total = total * length(x, axis=one)
    return current().const(1) if total.is_const and total.value == 0 else total


def nonlinear(function: Any, text: str, slope: Callable[..., Node], **facts: Any) -> Row:
    """A reduction from its `slope(x, y, axis, **attrs)`, where `y` still broadcasts against `x`."""

    def sloped(x: Node, y: Node, axis: Any, keepdims: bool, attrs: dict[str, Any]) -> Node:
        return slope(x, kept(y, axis, keepdims), axis=axis, **attrs)

    def vjp(g: Node, y: Node, x: Node, axis: Any = None, keepdims: bool = False, **attrs: Any) -> tuple[Node]:
        return (kept(g, axis, keepdims) * sloped(x, y, axis, keepdims, attrs),)

    def jvp(
        tangents: tuple[Node], y: Node, x: Node, axis: Any = None, keepdims: bool = False, **attrs: Any
    ) -> Node:
        product = sloped(x, y, axis, keepdims, attrs) * tangents[0]
        return add_reduce(product, **given(axis=axis, keepdims=keepdims))

    infer_with = facts.pop("infer", None) or infer.of_reduction(function)
    return custom(function, text, infer_with, vjp, jvp, **facts)


def given(**attrs: Any) -> dict[str, Any]:
    """Attributes that differ from their usual defaults."""
    return {key: value for key, value in attrs.items() if value is not None and value is not False}


_TEXT = "x, axis=None, keepdims=False"
_TYPED = "x, axis=None, dtype=None, keepdims=False"

add_reduce: Row = linear(
    np.sum,
    _TYPED,
    infer.of_reduction(np.sum),
    lambda g, x, axis=None, dtype=None, keepdims=False: spread(g, x, axis, keepdims),
    method="sum",
)
mean: Row = linear(
    np.mean,
    _TYPED,
    infer.of_reduction(np.mean),
    lambda g, x, axis=None, dtype=None, keepdims=False: spread(g / count(x, axis), x, axis, keepdims),
    method="mean",
)


def ties(x: Node, y: Node, axis: Any) -> Node:
    """An equal share for every element that equals the extremum."""
    mask = equal(x, y)
    return mask / add_reduce(mask, axis=axis, keepdims=True) if axis is not None else mask / add_reduce(mask)


def _infer_extremum(x: Node, axis: Any = None, keepdims: bool = False) -> types.Type:
    return types.array(infer.numpy_dtype(x), infer.reduced_dims(x.type.dims, axis, keepdims))


max_reduce = nonlinear(
    np.max, _TEXT, ties, name="max", infer=_infer_extremum, also=(np.amax,), method="max", domain=(-2, 2)
)
min_reduce = nonlinear(
    np.min, _TEXT, ties, name="min", infer=_infer_extremum, also=(np.amin,), method="min", domain=(-2, 2)
)


def _others(x: Node, y: Node, axis: Any, dtype: Any = None) -> Node:
    """The product of the other elements: y / x, and at the only zero the product of all others."""
    zero = equal(x, 0)
    rest = prod(where(zero, 1, x), **given(axis=axis, keepdims=axis is not None))
    single = equal(add_reduce(zero, **given(axis=axis, keepdims=axis is not None)), 1)
    return where(zero, rest * single, y / where(zero, 1, x))


prod = nonlinear(np.prod, _TYPED, _others, method="prod", domain=(0.5, 2))


def _deviation(x: Node, axis: Any) -> Node:
    """Of complex numbers conjugated: the variance is the mean of |x - mean(x)|**2."""
    return conjugated(x - mean(x, **given(axis=axis, keepdims=axis is not None)))


def _freedom(x: Node, axis: Any, ddof: Any) -> Node:
    return count(x, axis) - ddof if ddof else count(x, axis)


def _var_slope(x: Node, y: Node, axis: Any, ddof: Any = 0, dtype: Any = None) -> Node:
    # The mean's own derivative drops out, because deviations add up to zero.
    return 2 / _freedom(x, axis, ddof) * _deviation(x, axis)


def _std_slope(x: Node, y: Node, axis: Any, ddof: Any = 0, dtype: Any = None) -> Node:
    return _deviation(x, axis) / (_freedom(x, axis, ddof) * nonzero(y))


def _corrected(row: Row, *args: Any, correction: Any = None, **kwargs: Any) -> Node:
    """The array API's name for `ddof`."""
    return bind(row, *args, **kwargs, **({} if correction is None else {"ddof": correction}))


_SPREAD = "x, axis=None, dtype=None, ddof=0, keepdims=False"
var = nonlinear(np.var, _SPREAD, _var_slope, method="var", lower=_corrected)
std = nonlinear(np.std, _SPREAD, _std_slope, method="std", lower=_corrected)


def _ptp(x: Node, axis: Any = None, keepdims: bool = False) -> Node:
    attrs = given(axis=axis, keepdims=keepdims)
    return max_reduce(x, **attrs) - min_reduce(x, **attrs)


def _composite(function: Any, text: str, definition: Callable[..., Node], **facts: Any) -> Row:
    return composite(function, text, infer.of_definition(definition), definition, **facts)


def _without_nan(reduce: Row) -> Callable[..., Node]:
    return lambda x, axis=None, keepdims=False: reduce(
        where(isnan(x), 0, x), **given(axis=axis, keepdims=keepdims)
    )


def _nanmean(x: Node, axis: Any = None, keepdims: bool = False) -> Node:
    attrs = given(axis=axis, keepdims=keepdims)
    return add_reduce(where(isnan(x), 0, x), **attrs) / add_reduce(logical_not(isnan(x)), **attrs)


ptp = _composite(np.ptp, _TEXT, _ptp, domain=(-2, 2))
nansum = _composite(np.nansum, _TEXT, _without_nan(add_reduce))
nanmean: Row = composite(np.nanmean, _TEXT, infer.of_reduction(np.nanmean), _nanmean)


def _average(
    x: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False
) -> Any:
    x, attrs = to_node(x), given(axis=literal("axis", axis), keepdims=keepdims)
    if weights is None:
        plain = mean(x, **attrs)
        return (plain, full_like(plain, count(x, literal("axis", axis)))) if returned else plain
    weights = to_node(weights)
    if axis is not None and weights.type.rank == 1 and known_rank(x, "np.average") > 1:
        rank, one = known_rank(x, "np.average"), literal("axis", axis)
        others = tuple(i for i in range(rank) if i != one % rank)
        weights = expand_dims(weights, axis=others)
    total = add_reduce(broadcast_to(weights, shape_of(x)), **attrs)
    found = add_reduce(x * weights, **attrs) / total
    return (found, total) if returned else found


sugar(np.average, _average)

any_reduce = constant(np.any, _TEXT, infer.of_reduction(np.any), method="any")
all_reduce = constant(np.all, _TEXT, infer.of_reduction(np.all), method="all")
argmax = constant(np.argmax, _TEXT, infer.of_reduction(np.argmax), method="argmax")
argmin = constant(np.argmin, _TEXT, infer.of_reduction(np.argmin), method="argmin")
count_nonzero = constant(np.count_nonzero, _TEXT, infer.of_reduction(np.count_nonzero))


def _infer_running(function: Callable[..., Any]) -> Callable[..., types.Type]:
    def infer_running(x: Node, axis: Any = None, dtype: str | None = None) -> types.Type:
        dtype = infer.of_reduction(function)(x, dtype=dtype).dtype
        dims = x.type.dims
        if axis is None:
            return types.array(dtype, (current().sizes.fresh(),) if dims is None else (infer.product(dims),))
        if dims is not None:
            infer.normalized_axes(axis, len(dims))
        return types.array(dtype, dims)

    return infer_running


def _totals_from_end(g: Node, axis: Any) -> Node:
    """Sums of `g` from each place to the end."""
    from symdiff.ops.axes import flip

    along = given(axis=axis)
    return flip(cumsum(flip(g, **along), **along), **along)


cumsum: Row = linear(
    np.cumsum,
    "x, axis=None, dtype=None",
    _infer_running(np.sum),
    lambda g, x, axis=None, dtype=None: reshape(_totals_from_end(g, axis), shape_of(x)),
    method="cumsum",
)


def _first_zero(x: Node, axis: Any) -> Node:
    zero = equal(x, 0)
    return logical_and(zero, equal(cumsum(zero, **given(axis=axis)), 1))


def _flat(x: Node, axis: Any) -> Node:
    from symdiff.ops.shaping import make_shape

    return reshape(x, make_shape(-1)) if axis is None else x


def _cumprod_vjp(g: Node, y: Node, x: Node, axis: Any = None, dtype: Any = None) -> tuple[Node]:
    """Sums of g*y from each place on, over x; at the first zero the products are those without it, and behind
    it all of them are 0."""
    z = _flat(x, axis)
    first = _first_zero(z, axis)
    without = cumprod(where(first, 1, z), **given(axis=axis))
    rest = _totals_from_end(g * y, axis) / where(equal(z, 0), 1, z)
    return (reshape(where(first, _totals_from_end(g * without, axis), rest), shape_of(x)),)


def _cumprod_jvp(tangents: tuple[Node], y: Node, x: Node, axis: Any = None, dtype: Any = None) -> Node:
    z, t = _flat(x, axis), _flat(tangents[0], axis)
    first = _first_zero(z, axis)
    without = cumprod(where(first, 1, z), **given(axis=axis))
    along = given(axis=axis)
    relative = where(equal(z, 0), 0, t / where(equal(z, 0), 1, z))
    return y * cumsum(relative, **along) + without * cumsum(where(first, t, 0), **along)


cumprod: Row = custom(
    np.cumprod,
    "x, axis=None, dtype=None",
    _infer_running(np.prod),
    _cumprod_vjp,
    _cumprod_jvp,
    method="cumprod",
    domain=(0.5, 2),
)


def _cumulative(row: Row) -> Callable[..., Node]:
    def lowered(x: Any, *, axis: Any = None, dtype: Any = None) -> Node:
        x = to_node(x)
        axis = 0 if axis is None and known_rank(x, "np.cumulative_sum") == 1 else axis
        return bind(row, x, axis=axis, dtype=dtype)

    return lowered


# NumPy 2.1
sugar(getattr(np, "cumulative_sum", None), _cumulative(cumsum))
sugar(getattr(np, "cumulative_prod", None), _cumulative(cumprod))
