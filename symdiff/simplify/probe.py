"""The numeric probe: whether a rewrite computes the same numbers.

Enters: two roots over the same leaves.  Leaves: a verdict.  Invariant: at every point where the old
expression is finite the new one is as accurate, measured against exact rational arithmetic (error at most
twice the old one's or 4 ulp of the condition); a pole stays a pole; NaN in a leaf stays NaN.  Where the
old expression is NaN although no leaf is (0/0, inf - inf), any value is an improvement.

Points: random ones of several magnitudes, and 0, +-tiny, +-800, +-huge, inf, NaN, one leaf at a time and
together.  A leaf is sampled from what it can be: sizes are positive integers; a determinant is finite and
not 0, because its derivative stands beside an inverse that does not exist otherwise; where one leaf is
computed from another, NaN in the one is NaN in both.
"""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from symdiff.ir.node import Node

SPECIAL = (
    0.0, -0.0, 1.0, -1.0, 5e-324, -5e-324, 1e-300, -1e-300, 1e300, -1e300, 800.0, -800.0,
    math.inf, -math.inf, math.nan,
)  # fmt: skip
RANDOM = 24
NEAR = 200  # values around a leaf that are looked at
ULP = 2.0**-52
# NaN in, NaN out.
STRICT = {
    "add", "subtract", "multiply", "divide", "negative", "exp", "log", "sqrt", "sin", "cos", "tanh", "sum",
    "mean", "matmul",
}  # fmt: skip
Floats = Any  # an array of float64, one entry per point
Point = dict[Node, float]


def agrees(old: Node, new: Node, leaves: Sequence[Node]) -> bool:
    """Whether `new` may stand for `old`; both are arithmetic over the leaves."""
    points = list(_points([leaf for leaf in leaves if not leaf.is_const]))
    columns = {leaf: np.array([point[leaf] for point in points]) for leaf in points[0]}
    with np.errstate(all="ignore"):
        a, b = value(old, columns), value(new, columns)
        bad_leaf = np.any([np.isnan(column) for column in columns.values()], axis=0)
        if np.any(bad_leaf & np.isnan(a) & ~np.isnan(b)):
            return False
        # One ulp of the condition apart: the error of the new is at most twice that of the old, or two ulp.
        scale = np.minimum(magnitude(old, columns), magnitude(new, columns))
        close = (a == b) | (np.isfinite(a) & np.isfinite(b) & (abs(a - b) <= ULP * scale))
        doubtful = np.flatnonzero(~(bad_leaf | np.isnan(a) | close))
    return all(_agrees_at(old, points[k], float(a[k]), float(b[k]), float(scale[k])) for k in doubtful)


def _agrees_at(old: Node, point: Point, a: float, b: float, scale: float) -> bool:
    """The verdict by exact arithmetic; `a` is the old value and not NaN, `b` the new one."""
    exact = _exact(old, point)
    if math.isinf(a):
        return exact is not None  # an overflow on the way may be avoided, a pole may not
    if not math.isfinite(b):
        return False
    if exact is None:
        return math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-300)
    error, allowed = abs(Fraction(b) - exact), 2 * abs(Fraction(a) - exact)
    return error <= allowed or not math.isfinite(scale) or error <= max(4 * ULP * scale, 1e-307)


def _points(leaves: Sequence[Node]) -> Iterator[Point]:
    generator = random.Random(20)
    for k in range(RANDOM):
        scale = (1.0, 1e-3, 30.0)[k % 3]
        yield _completed({leaf: _possible(leaf, generator.uniform(-1, 1) * scale) for leaf in leaves})
        # Probabilities, counts, norms: between 0 and 1.
        yield _completed({leaf: _possible(leaf, generator.random()) for leaf in leaves})
    base = {leaf: _possible(leaf, generator.uniform(0.5, 1.5)) for leaf in leaves}
    readers = {leaf: [other for other in leaves if leaf in _strict_operands(other)] for leaf in leaves}
    for special in SPECIAL:
        yield _completed({leaf: _possible(leaf, special) for leaf in leaves})
        for leaf in leaves:
            also = dict.fromkeys(readers[leaf], special) if math.isnan(special) else {}
            yield _completed({**base, leaf: _possible(leaf, special), **also})
    for leaf in leaves:
        if leaf.op.name == "sqrt":
            yield {**_completed(base), leaf: math.nan, leaf.args[0]: -1.0}


def _strict_operands(leaf: Node) -> set[Node]:
    """The values that make this leaf NaN wherever they are: the nearest of them."""
    found: set[Node] = set()
    pending = deque([leaf])
    while pending and len(found) < NEAR:
        node = pending.popleft()
        if node.op.name in STRICT:
            new = [arg for arg in node.args if arg not in found]
            found.update(new)
            pending += new
    return found


def _possible(leaf: Node, wish: float) -> float:
    """The value, or one near it that the leaf can have."""
    name = leaf.op.name
    if name in ("size", "length"):
        return 1.0 if math.isnan(wish) else float(max(1, round(min(abs(wish), 1e6))))
    if name in ("linalg.det", "det"):
        return wish if math.isfinite(wish) and abs(wish) > 1e-100 else 1.0
    return wish


def _completed(point: Point) -> Point:
    """With the radicands of the square roots, which rewrites may read as well."""
    made = dict(point)
    for leaf, root in point.items():
        if leaf.op.name == "sqrt":
            made[leaf] = abs(root)
            made.setdefault(leaf.args[0], root * root)
    return made


def value(node: Node, columns: dict[Node, Floats]) -> Floats:
    """The expression at every point, in floats."""
    known = dict(columns)

    def at(n: Node) -> Floats:
        if n not in known:
            known[n] = float(n.value.real) if n.is_const else _FLOAT[n.op.name](*map(at, n.args))
        return known[n]

    return at(node)


def magnitude(node: Node, columns: dict[Node, Floats]) -> Floats:
    """The expression with every sum taken of absolute values: what rounding errors are relative to."""
    known = {leaf: abs(column) for leaf, column in columns.items()}

    def at(n: Node) -> Floats:
        if n in known:
            return known[n]
        if n.is_const:
            return abs(float(n.value.real))
        if n.op.name == "power" and n.args[1].is_const:
            known[n] = np.power(at(n.args[0]), float(n.args[1].value.real))
        elif n.op.name == "power":
            known[n] = abs(value(n, columns))
        else:
            known[n] = _SIZE.get(n.op.name, _FLOAT[n.op.name])(*map(at, n.args))
        return known[n]

    return at(node)


_FLOAT: dict[str, Callable[..., Floats]] = {
    "negative": np.negative,
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "power": np.power,
}
_SIZE: dict[str, Callable[..., Floats]] = {"subtract": np.add, "negative": np.positive}


def _exact(node: Node, point: Point) -> Fraction | None:
    """The exact value; None where it is undefined, infinite or beyond the range of floats."""
    known: dict[Node, Fraction] = {}

    def at(n: Node) -> Fraction:
        if n not in known:
            if n in point:
                known[n] = Fraction(point[n])
            elif n.is_const:
                known[n] = Fraction(n.value)  # type: ignore[arg-type]
            else:
                known[n] = _EXACT[n.op.name](*map(at, n.args))
        return known[n]

    try:
        result = at(node)
    except (ZeroDivisionError, OverflowError, ValueError):
        return None
    return result if abs(result) < 1 << 1020 else None


_EXACT: dict[str, Callable[..., Fraction]] = {
    "negative": lambda a: -a,
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "power": lambda a, b: a ** int(b),
}
