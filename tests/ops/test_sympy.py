"""Partials of elementwise rows against `sympy.diff` of the same function, at 40 digits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy
from ops.evaluate import evaluate
from ops.samples import Draw, Sample, args

from symdiff.ops.row import REGISTRY

s = sympy
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": s.exp,
    "exp2": lambda x: 2**x,
    "expm1": lambda x: s.exp(x) - 1,
    "log": s.log,
    "log2": lambda x: s.log(x) / s.log(2),
    "log10": lambda x: s.log(x) / s.log(10),
    "log1p": lambda x: s.log(1 + x),
    "sqrt": s.sqrt,
    "cbrt": s.cbrt,
    "square": lambda x: x**2,
    "reciprocal": lambda x: 1 / x,
    "sin": s.sin,
    "cos": s.cos,
    "tan": s.tan,
    "arcsin": s.asin,
    "arccos": s.acos,
    "arctan": s.atan,
    "sinh": s.sinh,
    "cosh": s.cosh,
    "tanh": s.tanh,
    "arcsinh": s.asinh,
    "arccosh": s.acosh,
    "arctanh": s.atanh,
    "deg2rad": lambda x: x * s.pi / 180,
    "radians": lambda x: x * s.pi / 180,
    "rad2deg": lambda x: x * 180 / s.pi,
    "degrees": lambda x: x * 180 / s.pi,
    "absolute": s.Abs,
    "fabs": s.Abs,
    "positive": lambda x: x,
    "negative": lambda x: -x,
    "nan_to_num": lambda x: x,
    "i0": lambda x: s.besseli(0, x),
    "sinc": lambda x: s.sin(s.pi * x) / (s.pi * x),
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "power": lambda a, b: a**b,
    "float_power": lambda a, b: a**b,
    "hypot": lambda a, b: s.sqrt(a**2 + b**2),
    "arctan2": s.atan2,
    "logaddexp": lambda a, b: s.log(s.exp(a) + s.exp(b)),
    "maximum": s.Max,
    "minimum": s.Min,
    "fmax": s.Max,
    "logaddexp2": lambda a, b: s.log(2**a + 2**b) / s.log(2),
    "fmin": s.Min,
    "copysign": lambda a, b: s.Abs(a) * s.sign(b),
    "heaviside": lambda a, b: s.Heaviside(a),
    "sign": s.sign,
    "math.erf": s.erf,
    "math.erfc": s.erfc,
}
# sympy does not differentiate a floor.
ELSEWHERE = {"where", "clip", "remainder", "fmod"}


def test_every_elementwise_row_is_compared() -> None:
    rows = {
        r.name
        for r in REGISTRY.values()
        if r.kind == "elementwise" and not r.name.startswith(("math.", "builtins.", "special."))
    }
    assert rows - ELSEWHERE <= FUNCTIONS.keys()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_partials(name: str) -> None:
    row = REGISTRY[name]
    symbols = sympy.symbols("a b", real=True)[: len(row.operands)]
    draw = Draw(*row.domain)
    expression = FUNCTIONS[name](*symbols)
    partials = [sympy.diff(expression, symbol) for symbol in symbols]
    for _ in range(4):
        point = [float(draw()) for _ in symbols]
        if name.startswith("math."):
            one = Sample(row, lambda r, point=point: args(*map(_number, point)))
            seed: Any = 1.0
        else:
            one = Sample(row, lambda r, point=point: args(*map(np.asarray, point)))
            seed = np.float64(1)
        parts = iter(evaluate(one.pulled_back(one.function, [0]), *one.values, seed))
        have = [float(next(parts)) if reached else 0.0 for reached in one.reached]
        at = dict(zip(symbols, map(sympy.Float, point), strict=True))
        want = [float(partial.subs(at).doit().evalf(30)) for partial in partials]
        np.testing.assert_allclose(have, want, rtol=1e-12, atol=1e-15)


def _number(value: float) -> Any:
    from ops.samples import Staged

    return Staged(value)
