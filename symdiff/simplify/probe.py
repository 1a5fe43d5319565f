"""The numeric probe: whether a rewrite computes the same numbers.

Enters: two roots over the same leaves.  Leaves: a verdict.  Invariant: at every point where the old expression
is finite the new one is as accurate, measured against exact rational arithmetic (error at most twice the old
one's or 4 ulp of the value); a pole stays a pole; NaN in a leaf stays NaN.  Where the old expression is NaN
although no leaf is (0/0, inf - inf), any value is an improvement.

Points: random ones of several magnitudes, and 0, +-tiny, +-800, inf, NaN, one leaf at a time and together.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from fractions import Fraction

from symdiff.ir.node import Node

SPECIAL = (0.0, 1.0, -1.0, 1e-300, -1e-300, 800.0, -800.0, math.inf, -math.inf, math.nan)
RANDOM = 24
ULP = 2.0**-52


def agrees(old: Node, new: Node, leaves: Sequence[Node]) -> bool:
    return all(_same_at(old, new, point) for point in _points(leaves))


def _points(leaves: Sequence[Node]) -> Iterator[dict[Node, float]]:
    generator = random.Random(20)
    for k in range(RANDOM):
        scale = (1.0, 1e-3, 30.0)[k % 3]
        yield {leaf: generator.uniform(-1, 1) * scale for leaf in leaves}
        yield {leaf: generator.random() for leaf in leaves}  # probabilities, counts, norms: between 0 and 1
    base = {leaf: generator.uniform(0.5, 1.5) for leaf in leaves}
    for value in SPECIAL:
        yield dict.fromkeys(leaves, value)
        for leaf in leaves:
            yield {**base, leaf: value}


def _same_at(old: Node, new: Node, point: dict[Node, float]) -> bool:
    a, b = _float(old, dict(point)), _float(new, dict(point))
    if any(math.isnan(value) for value in point.values()):
        return math.isnan(b) or not math.isnan(a)
    if math.isnan(a):
        return True
    if math.isinf(a):
        return b == a or _overflows(old, point)
    if not math.isfinite(b):
        return False
    exact = _exact(old, point)
    if exact is None:
        return math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-300)
    truth = float(exact)
    if not math.isfinite(truth):
        return True
    scale = min(_magnitude(old, dict(point)), _magnitude(new, dict(point)))
    return abs(b - truth) <= max(2 * abs(a - truth), 4 * ULP * abs(truth), 4 * ULP * scale, 1e-307)


def _magnitude(node: Node, known: dict[Node, float]) -> float:
    """The value with every sum taken of absolute values: what rounding errors are relative to."""
    if node in known:
        return abs(known[node])
    if node.is_const:
        return abs(float(node.value.real))
    args = [_magnitude(arg, known) for arg in node.args]
    name = {"subtract": "add", "negative": "add"}.get(node.op.name, node.op.name)
    result = args[0] if len(args) == 1 else _apply(name, args)
    known[node] = result
    return result


def _overflows(old: Node, point: dict[Node, float]) -> bool:
    """Whether the infinity is an overflow on the way, not a pole."""
    exact = _exact(old, point)
    return exact is not None


def _float(node: Node, known: dict[Node, float]) -> float:
    if node in known:
        return known[node]
    if node.is_const:
        return float(node.value.real)
    args = [_float(arg, known) for arg in node.args]
    known[node] = result = _apply(node.op.name, args)
    return result


def _apply(name: str, args: list[float]) -> float:
    """One operation with IEEE results instead of Python's exceptions."""
    a, b = args[0], args[-1]
    if name == "negative":
        return -a
    if name == "add":
        return a + b
    if name == "subtract":
        return a - b
    if name == "multiply":
        return a * b
    if name == "divide":
        if b == 0:
            return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1, b)
        return a / b
    assert name == "power", name
    try:
        return float(a**b)
    except OverflowError:
        return math.inf if a > 0 or b % 2 == 0 else -math.inf
    except ZeroDivisionError:
        return math.inf if b % 2 == 0 else math.copysign(math.inf, a)


def _exact(node: Node, point: dict[Node, float]) -> Fraction | None:
    """The exact value, None where it is undefined or not rational."""
    known: dict[Node, Fraction] = {}

    def value(n: Node) -> Fraction:
        if n in known:
            return known[n]
        if n in point:
            result = Fraction(point[n])
        elif n.is_const:
            result = Fraction(n.value)  # type: ignore[arg-type]
        else:
            args = [value(arg) for arg in n.args]
            result = _OPERATIONS[n.op.name](*args)
        known[n] = result
        return result

    try:
        return value(node)
    except (ZeroDivisionError, OverflowError, ValueError):
        return None


_OPERATIONS = {
    "negative": lambda a: -a,
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "power": lambda a, b: a ** int(b),
}
