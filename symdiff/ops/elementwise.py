"""Elementwise functions that are smooth: one partial per operand, in its stable form.

`x, a, b` are the operands, `y` the result.  Where a formula is not the textbook's, the reason
stands beside it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from symdiff.ir import types
from symdiff.ir.node import OPERATORS, Node
from symdiff.ops import infer
from symdiff.ops.row import Row, row


def elementwise(function: np.ufunc, *partials: Callable[..., Any] | None, **facts: Any) -> Row:
    """A NumPy ufunc with one partial per operand; without partials it is piecewise constant."""
    text = facts.pop("text", "x" if function.nin == 1 else "a, b")
    kind = "elementwise" if partials else "constant"
    return row(kind, function, text, infer.of_ufunc(function), partials=partials, **facts)  # type: ignore[arg-type]


def is_complex(x: Node) -> bool:
    return x.type.dtype.startswith("complex")


LN2, LN10, DEGREE = math.log(2), math.log(10), math.pi / 180
UNIT = (-0.9, 0.9)

exp: Row = elementwise(np.exp, lambda x, y: y, domain=(-2, 2))
exp2: Row = elementwise(np.exp2, lambda x, y: LN2 * y, domain=(-2, 2))
# y + 1 loses all digits far left.
expm1: Row = elementwise(np.expm1, lambda x, y: exp(x), domain=(-2, 2))
log: Row = elementwise(np.log, lambda x, y: 1 / x)
log2: Row = elementwise(np.log2, lambda x, y: 1 / LN2 / x)
log10: Row = elementwise(np.log10, lambda x, y: 1 / LN10 / x)
log1p: Row = elementwise(np.log1p, lambda x, y: 1 / (1 + x))
sqrt: Row = elementwise(np.sqrt, lambda x, y: 0.5 / y)
# y / (3 * x) is NaN at 0, where the derivative is infinite.
cbrt: Row = elementwise(np.cbrt, lambda x, y: 1 / (3 * y**2))
square: Row = elementwise(np.square, lambda x, y: 2 * x, domain=(-2, 2))
reciprocal: Row = elementwise(np.reciprocal, lambda x, y: -(y**2))

sin: Row = elementwise(np.sin, lambda x, y: cos(x), domain=(-3, 3))
cos: Row = elementwise(np.cos, lambda x, y: -sin(x), domain=(-3, 3))
tan: Row = elementwise(np.tan, lambda x, y: 1 + y**2, domain=(-1.4, 1.4))
# 1 - x*x cancels near 1; the factors do not.
arcsin: Row = elementwise(np.arcsin, lambda x, y: 1 / sqrt((1 - x) * (1 + x)), domain=UNIT)
arccos: Row = elementwise(np.arccos, lambda x, y: -1 / sqrt((1 - x) * (1 + x)), domain=UNIT)
arctan: Row = elementwise(np.arctan, lambda x, y: 1 / (1 + x**2), domain=(-3, 3))
sinh: Row = elementwise(np.sinh, lambda x, y: cosh(x), domain=(-2, 2))
cosh: Row = elementwise(np.cosh, lambda x, y: sinh(x), domain=(-2, 2))
# 1 - y*y is exactly 0 at x = 19, where the derivative is 1.3e-16.
tanh: Row = elementwise(np.tanh, lambda x, y: 1 / cosh(x) ** 2, domain=(-3, 3))
# 1 + x*x overflows; complex numbers have no hypot.
arcsinh: Row = elementwise(
    np.arcsinh, lambda x, y: 1 / (sqrt(1 + x**2) if is_complex(x) else hypot(1, x)), domain=(-3, 3)
)
arccosh: Row = elementwise(np.arccosh, lambda x, y: 1 / (sqrt(x - 1) * sqrt(x + 1)), domain=(1.2, 3))
arctanh: Row = elementwise(np.arctanh, lambda x, y: 1 / ((1 - x) * (1 + x)), domain=UNIT)

deg2rad: Row = elementwise(np.deg2rad, lambda x, y: DEGREE, domain=(-90, 90))
radians: Row = elementwise(np.radians, lambda x, y: DEGREE, domain=(-90, 90))
rad2deg: Row = elementwise(np.rad2deg, lambda x, y: 1 / DEGREE, domain=(-3, 3))
degrees: Row = elementwise(np.degrees, lambda x, y: 1 / DEGREE, domain=(-3, 3))

# exp(a - y) never overflows and needs no second exponential.
logaddexp: Row = elementwise(
    np.logaddexp, lambda a, b, y: exp(a - y), lambda a, b, y: exp(b - y), commutative=True, domain=(-2, 2)
)
logaddexp2: Row = elementwise(
    np.logaddexp2, lambda a, b, y: exp2(a - y), lambda a, b, y: exp2(b - y), commutative=True, domain=(-2, 2)
)

logical_not: Row = elementwise(np.logical_not)
logical_or: Row = elementwise(np.logical_or, commutative=True)
logical_and: Row = elementwise(np.logical_and, commutative=True)
logical_xor: Row = elementwise(np.logical_xor, commutative=True)
isnan: Row = elementwise(np.isnan)
isinf: Row = elementwise(np.isinf)
isfinite: Row = elementwise(np.isfinite)
signbit: Row = elementwise(np.signbit)
floor: Row = elementwise(np.floor)
ceil: Row = elementwise(np.ceil)
trunc: Row = elementwise(np.trunc)
rint: Row = elementwise(np.rint)
spacing: Row = elementwise(np.spacing)
nextafter: Row = elementwise(np.nextafter)
left_shift: Row = elementwise(np.left_shift)
right_shift: Row = elementwise(np.right_shift)


def _infer_where(condition: Node, a: Node, b: Node) -> types.Type:
    return types.array(infer.promoted(a, b), infer.broadcast(condition, a, b))


where: Row = row(
    "elementwise",
    np.where,
    "condition, a, b",
    _infer_where,
    # Masks: `ops.folds` moves them to the end of a product, so that nothing leaks from the branch not taken.
    partials=(
        None,
        lambda condition, a, b, y: where(condition, 1, 0),
        lambda condition, a, b, y: where(condition, 0, 1),
    ),
    domain=(-2, 2),
)


def nonzero(x: Node) -> Node:
    """`x` with 1 in the place of 0: a divisor where the quotient is 0 at 0."""
    return where(OPERATORS["equal"](x, 0), 1, x)


# 0 at the origin, the minimum-norm element of the unit disc.
hypot: Row = elementwise(
    np.hypot, lambda a, b, y: a / nonzero(y), lambda a, b, y: b / nonzero(y), commutative=True, domain=(-2, 2)
)
