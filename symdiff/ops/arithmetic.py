"""Python's operators on numbers and arrays."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from symdiff.ir.node import OPERATORS, Node
from symdiff.ops import infer
from symdiff.ops.elementwise import log, where
from symdiff.ops.row import Row, register


def _operator(
    text: str,
    function: np.ufunc,
    symbol: str,
    *partials: Callable[..., Any] | None,
    number: Callable[..., str] = infer.widest,
    also: tuple[Any, ...] = (),
    commutative: bool = False,
) -> Row:
    """A Python operator on the operands in `text`; the ufunc of the same meaning lowers to it too."""
    made = register(
        Row(
            name=function.__name__,
            infer=infer.of_operator(function, number),
            commutative=commutative,
            kind="elementwise" if partials else "constant",
            text=text,
            targets=(function, *also),
            partials=partials,
            spelling=f"np.{function.__name__}",
            symbol=symbol,
        )
    )
    OPERATORS[made.name] = made
    return made


binary = partial(_operator, "a, b")
unary = partial(_operator, "x")


def power_base(a: Node, b: Node, y: Node) -> Any:
    """d(a**b)/da, finite wherever the derivative is: exact for constant exponents, 0 where b is 0."""
    if b.is_const:
        exponent = b.value
        return exponent if exponent in (0, 1) else exponent * a ** (exponent - 1)
    return b * a ** where(equal(b, 0), 1, b - 1)


def power_exponent(a: Node, b: Node, y: Node) -> Node:
    """d(a**b)/db = y log a; where a is 0 that is 0, except NaN at 0**0, where there is no derivative."""
    if a.is_const and isinstance(a.value, int | float) and a.value > 0:
        return math.log(a.value) * y
    return y * log(where(equal(a, 0), b / b, a))


add = binary(np.add, "+", lambda a, b, y: 1, lambda a, b, y: 1, also=(operator.add,), commutative=True)
subtract = binary(np.subtract, "-", lambda a, b, y: 1, lambda a, b, y: -1, also=(operator.sub,))
multiply = binary(
    np.multiply, "*", lambda a, b, y: b, lambda a, b, y: a, also=(operator.mul,), commutative=True
)
divide = binary(
    np.divide,
    "/",
    lambda a, b, y: 1 / b,
    lambda a, b, y: -y / b,
    number=infer.at_least_float,
    also=(operator.truediv,),
)
power = binary(np.power, "**", power_base, power_exponent, also=(operator.pow, pow))
floor_divide = binary(np.floor_divide, "//", also=(operator.floordiv,))
remainder = binary(
    np.remainder, "%", lambda a, b, y: 1, lambda a, b, y: -floor_divide(a, b), also=(operator.mod,)
)

equal = binary(np.equal, "==", number=infer.always_bool, also=(operator.eq,), commutative=True)
not_equal = binary(np.not_equal, "!=", number=infer.always_bool, also=(operator.ne,), commutative=True)
less = binary(np.less, "<", number=infer.always_bool, also=(operator.lt,))
less_equal = binary(np.less_equal, "<=", number=infer.always_bool, also=(operator.le,))
greater = binary(np.greater, ">", number=infer.always_bool, also=(operator.gt,))
greater_equal = binary(np.greater_equal, ">=", number=infer.always_bool, also=(operator.ge,))

bitwise_and = binary(np.bitwise_and, "&", also=(operator.and_,), commutative=True)
bitwise_or = binary(np.bitwise_or, "|", also=(operator.or_,), commutative=True)
bitwise_xor = binary(np.bitwise_xor, "^", also=(operator.xor,), commutative=True)


negative = unary(np.negative, "-", lambda x, y: -1, also=(operator.neg,))
positive = unary(np.positive, "+", lambda x, y: 1, also=(operator.pos,))
invert = unary(np.invert, "~", also=(operator.invert,))
