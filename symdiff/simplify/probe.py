"""The numeric probe: whether a rewrite computes the same numbers.

Enters: two roots over the same leaves.  Leaves: a verdict.  Invariant: at every point where the old expression
is finite the new one is as accurate, measured against exact rational arithmetic (error at most twice the old
one's or 4 ulp of the condition); a pole stays a pole; NaN in a leaf stays NaN.  Where the old expression is NaN
although no leaf is (0/0, inf - inf), any value is an improvement.

Points: random ones of several magnitudes, and 0, +-tiny, +-800, +-huge, inf, NaN, one leaf at a time and together.
A leaf is sampled from what it can be: sizes are positive integers, and a determinant is finite and not 0, because
its derivative stands beside an inverse that does not exist otherwise.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from symdiff.ir.node import Node

SPECIAL = (
    0.0, -0.0, 1.0, -1.0, 5e-324, -5e-324, 1e-300, -1e-300, 1e300, -1e300, 800.0, -800.0,
    math.inf, -math.inf, math.nan,
)  # fmt: skip
RANDOM = 24
ULP = 2.0**-52
Point = Mapping[Node, float]


def agrees(old: Node, new: Node, leaves: Sequence[Node]) -> bool:
    """Whether `new` may stand for `old`; both are arithmetic over the leaves."""
    return all(_same_at(old, new, point) for point in _points([leaf for leaf in leaves if not leaf.is_const]))


def _points(leaves: Sequence[Node]) -> Iterator[Point]:
    generator = random.Random(20)
    for k in range(RANDOM):
        scale = (1.0, 1e-3, 30.0)[k % 3]
        yield _completed({leaf: _possible(leaf, generator.uniform(-1, 1) * scale) for leaf in leaves})
        # Probabilities, counts, norms: between 0 and 1.
        yield _completed({leaf: _possible(leaf, generator.random()) for leaf in leaves})
    base = {leaf: _possible(leaf, generator.uniform(0.5, 1.5)) for leaf in leaves}
    for value in SPECIAL:
        yield _completed({leaf: _possible(leaf, value) for leaf in leaves})
        for leaf in leaves:
            yield _completed({**base, leaf: _possible(leaf, value)})
    for leaf in leaves:
        if leaf.op.name == "sqrt":
            yield {**_completed(base), leaf: math.nan, leaf.args[0]: -1.0}


def _possible(leaf: Node, value: float) -> float:
    """The value, or one near it that the leaf can have."""
    name = leaf.op.name
    if name in ("size", "length"):
        return float(max(1, round(min(abs(value), 1e6)))) if value == value else 1.0
    if name == "linalg.det" or name == "det":
        return value if math.isfinite(value) and abs(value) > 1e-100 else 1.0
    return value


def _completed(point: dict[Node, float]) -> Point:
    """With the radicands of the square roots, which rewrites may read as well."""
    for leaf, value in list(point.items()):
        if leaf.op.name == "sqrt":
            point[leaf] = abs(value)
            point.setdefault(leaf.args[0], value * value)
    return point


def _same_at(old: Node, new: Node, point: Point) -> bool:
    a, b = _Floats(point).value(old), _Floats(point).value(new)
    if any(math.isnan(value) for value in point.values()):
        return math.isnan(b) or not math.isnan(a)
    if math.isnan(a) or a == b:
        return True
    exact = _exact(old, point)
    if math.isinf(a):
        return b == a or exact is not None  # an overflow on the way may be avoided, a pole may not
    if not math.isfinite(b):
        return False
    if exact is None:
        return math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-300)
    scale = min(_Magnitudes(point).value(old), _Magnitudes(point).value(new))
    error, allowed = abs(Fraction(b) - exact), 2 * abs(Fraction(a) - exact)
    return error <= allowed or not math.isfinite(scale) or error <= max(4 * ULP * scale, 1e-307)


class _Floats:
    """Evaluates an expression at a point, each node once, with IEEE results instead of exceptions."""

    def __init__(self, point: Point):
        self.known = dict(point)

    def value(self, node: Node) -> float:
        if node not in self.known:
            self.known[node] = self.constant(node) if node.is_const else self.operation(node)
        return self.known[node]

    def constant(self, node: Node) -> float:
        return float(node.value.real)

    def operation(self, node: Node) -> float:
        return apply(node.op.name, [self.value(arg) for arg in node.args])


class _Magnitudes(_Floats):
    """The value with every sum taken of absolute values: what rounding errors are relative to."""

    def __init__(self, point: Point):
        super().__init__({node: abs(value) for node, value in point.items()})

    def constant(self, node: Node) -> float:
        return abs(float(node.value.real))

    def operation(self, node: Node) -> float:
        args = [self.value(arg) for arg in node.args]
        if node.op.name == "power":
            return apply("power", [args[0], float(node.args[1].value.real)])
        return args[0] if len(args) == 1 else apply({"subtract": "add"}.get(node.op.name, node.op.name), args)


def apply(name: str, args: list[float]) -> float:
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


def _exact(node: Node, point: Point) -> Fraction | None:
    """The exact value; None where it is undefined, infinite or beyond the range of floats."""
    known: dict[Node, Fraction] = {}

    def value(n: Node) -> Fraction:
        if n not in known:
            if n in point:
                known[n] = Fraction(point[n])
            elif n.is_const:
                known[n] = Fraction(n.value)  # type: ignore[arg-type]
            else:
                known[n] = _EXACT[n.op.name](*map(value, n.args))
        return known[n]

    try:
        result = value(node)
    except (ZeroDivisionError, OverflowError, ValueError):
        return None
    return result if abs(result) < 1 << 1020 else None


_EXACT = {
    "negative": lambda a: -a,
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "power": lambda a, b: a ** int(b),
}
