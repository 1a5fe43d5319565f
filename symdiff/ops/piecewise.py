"""Elementwise functions with kinks: partials exact also where two formulas meet.

The rule is the minimum-norm subgradient; ties of maxima and minima share equally.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from symdiff.errors import DtypeError, UnsupportedError
from symdiff.ir import types
from symdiff.ir.node import Node
from symdiff.ops import infer
from symdiff.ops.arithmetic import equal, floor_divide, greater, less, power_base, power_exponent, remainder
from symdiff.ops.elementwise import (
    cos,
    elementwise,
    hypot,
    is_complex,
    isfinite,
    isnan,
    nonzero,
    trunc,
    where,
)
from symdiff.ops.lowering import bind, sugar, to_node
from symdiff.ops.row import Row, custom, row
from symdiff.ops.shaping import conjugate


def conjugated(x: Node) -> Node:
    """`np.conjugate(x)` where `x` is complex; an unknown dtype is taken for a real one."""
    return conjugate(x) if is_complex(x) else x


def _sign(made: Row, x: Any) -> Node:
    x = to_node(x)
    return phase(x) if is_complex(x) else made(x)


def _flat(x: Node, y: Node) -> int:
    if is_complex(x):
        raise DtypeError("The sign of a complex number has no derivative here.", "z / np.abs(z)")
    return 0


sign: Row = elementwise(np.sign, _flat, domain=(-2, 2), lower=_sign)


def direction(x: Node) -> Node:
    """The number by whose conjugate a change of x is multiplied in that of its length: `np.sign(x)`."""
    return phase(x) if is_complex(x) else sign(x)


def _across(x: Node) -> Node:
    """What a change across the direction of x is divided by: twice the length, 1 where there is none."""
    return 2 * nonzero(absolute(x))


def _phase(z: Any) -> Any:
    return np.sign(z)


# z / |z|, which turns with z: of w = sign(z) the change is (dz - w Re(conj(w) dz)) / |z|, and 0 at 0.
phase: Row = custom(
    _phase,
    "x",
    infer.of_ufunc(np.sign),
    lambda g, y, x: ((g * (y * conjugate(y)) - conjugate(g * y**2)) / _across(x),),
    lambda tangents, y, x: (tangents[0] * (y * conjugate(y)) - y**2 * conjugate(tangents[0])) / _across(x),
    name="phase",
    spelling="np.sign",
)
# For complex z, d|z| = Re(conj(sign(z)) dz).
absolute: Row = elementwise(
    np.absolute,
    lambda x, y: conjugated(direction(x)),
    spelling="np.abs",
    domain=(-2, 2),
)
fabs: Row = elementwise(np.fabs, lambda x, y: sign(x), domain=(-2, 2))


def _finite(x: Node) -> bool:
    return x.is_const and isinstance(x.value, int | float) and math.isfinite(x.value)


def above(a: Node, b: Node) -> Node:
    """1 where a > b, 0.5 where they are equal, 0 elsewhere.

    Beside a constant this is half of 1 + sign(a - b): of the forms exact at ties the fastest, and it keeps
    the dtype; otherwise a - b may be inf - inf.  Complex numbers are in lexicographic order.
    """
    if is_complex(a) or is_complex(b):
        return greater(a, b) + 0.5 * equal(a, b)
    if _finite(b):
        return 0.5 + 0.5 * sign(a - b if b.value else a)
    if _finite(a):
        return 0.5 - 0.5 * sign(b - a if a.value else b)
    return greater(a, b) + 0.5 * equal(a, b)


maximum: Row = elementwise(
    np.maximum, lambda a, b, y: above(a, b), lambda a, b, y: above(b, a), commutative=True, domain=(-2, 2)
)
minimum: Row = elementwise(
    np.minimum, lambda a, b, y: above(b, a), lambda a, b, y: above(a, b), commutative=True, domain=(-2, 2)
)
# These return the other operand where one is NaN.
fmax: Row = elementwise(
    np.fmax, lambda a, b, y: above(a, b) + isnan(b), lambda a, b, y: above(b, a) + isnan(a), domain=(-2, 2)
)
fmin: Row = elementwise(
    np.fmin, lambda a, b, y: above(b, a) + isnan(b), lambda a, b, y: above(a, b) + isnan(a), domain=(-2, 2)
)


def _clip(made: Row, x: Any, *bounds: Any, **names: Any) -> Node:
    """`np.clip` under all its names for the bounds; a bound of None is absent."""
    given = dict(zip(("lo", "hi"), bounds, strict=False))
    for name, value in names.items():
        given[{"a_min": "lo", "min": "lo", "a_max": "hi", "max": "hi"}.get(name, name)] = value
    lo, hi = given.pop("lo", None), given.pop("hi", None)
    if given or (lo is not None and hi is not None):
        return bind(made, x, lo, hi, **given)
    if lo is not None:
        return maximum(to_node(x), to_node(lo))
    return to_node(x) if hi is None else minimum(to_node(x), to_node(hi))


def _infer_clip(x: Node, lo: Node, hi: Node) -> types.Type:
    return types.array(infer.promoted(x, lo, hi), infer.broadcast(x, lo, hi))


# minimum(maximum(x, lo), hi)
clip: Row = row(
    "elementwise",
    np.clip,
    "x, lo, hi",
    _infer_clip,
    partials=(
        lambda x, lo, hi, y: above(x, lo) * above(hi, x),
        lambda x, lo, hi, y: above(lo, x) * above(hi, lo),
        lambda x, lo, hi, y: above(maximum(x, lo), hi),
    ),
    method="clip",
    lower=_clip,
)


def _per_square(x: Node, a: Node, b: Node) -> Node:
    """x / (a*a + b*b) without overflow or underflow of the squares, 0 at the origin."""
    radius = nonzero(hypot(a, b))
    return x / radius / radius


arctan2: Row = elementwise(
    np.arctan2, lambda a, b, y: _per_square(b, a, b), lambda a, b, y: -_per_square(a, a, b), domain=(-2, 2)
)
copysign: Row = elementwise(np.copysign, lambda a, b, y: sign(a) * copysign(1, b), None, domain=(-2, 2))
# A step: it depends on its value at the step alone.
heaviside: Row = elementwise(np.heaviside, None, lambda a, b, y: equal(a, 0), domain=(-2, 2))
fmod: Row = elementwise(np.fmod, lambda a, b, y: 1, lambda a, b, y: -trunc(a / b))
float_power: Row = elementwise(np.float_power, power_base, power_exponent)


def _sinc_slope(x: Node, y: Node) -> Node:
    """(cos(pi x) - sinc(x)) / x, and its Taylor series near 0, where that cancels: exact to 1e-13."""
    near = less(absolute(x), 0.03)
    s = (math.pi * where(near, x, 0)) ** 2
    series = s * (1 / 30 - s * (1 / 840 - s * (1 / 45360))) - 1 / 3
    away = where(near, 1, x)
    return where(near, math.pi**2 * x * series, (cos(math.pi * away) - y) / away)


sinc: Row = row("elementwise", np.sinc, "x", infer.of_ufunc(np.sin), partials=(_sinc_slope,), domain=(-2, 2))


def _nan_to_num(row: Row, x: Any, copy: Any = True, *fills: Any, **named: Any) -> Node:
    if copy is not True:
        raise UnsupportedError("np.nan_to_num with copy=False writes into its array.", "x = np.nan_to_num(x)")
    values = dict(zip(("nan", "posinf", "neginf"), fills, strict=False)) | named
    return bind(row, x, **{name: value for name, value in values.items() if value is not None})


nan_to_num: Row = row(
    "elementwise",
    np.nan_to_num,
    "x, nan=0.0, posinf=None, neginf=None",
    infer.like,
    partials=(lambda x, y: isfinite(x),),
    lower=_nan_to_num,
    domain=(-2, 2),
)

sugar(np.divmod, lambda a, b: (floor_divide(a, b), remainder(a, b)), also=(divmod,))
