"""A SymPy expression written as nodes, the way an expert writes it.

Enters: an expression over symbols that stand for nodes.  Leaves: a node.  Invariant: only `+ - * /` and
integer powers are written; scalars are gathered first, so that arrays are touched last; where a sum,
product or quotient of two parts exists in the program, it is used; the order of terms and factors is that
of the program.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations
from typing import TYPE_CHECKING, Any

from symdiff.ir.build import Builder
from symdiff.ir.node import Node
from symdiff.ops.arithmetic import add, divide, multiply, subtract
from symdiff.ops.elementwise import sqrt
from symdiff.ops.row import Row
from symdiff.simplify.cost import width

if TYPE_CHECKING:
    import sympy


class Writer:
    """Writes expressions into the open builder; `live` says which existing nodes cost nothing."""

    def __init__(self, builder: Builder, values: Mapping[sympy.Symbol, Node], live: Callable[[Node], bool]):
        self.builder = builder
        self.values = values
        self.live = live
        self.place = {symbol: i for i, symbol in enumerate(values)}
        self._written: dict[Any, Node] = {}

    def node(self, e: sympy.Expr) -> Node:
        if e not in self._written:
            self._written[e] = self._write(e)
        return self._written[e]

    def _write(self, e: sympy.Expr) -> Node:
        if e.is_Symbol:
            return self.values[e]
        if e.is_Integer:
            return self.builder.const(int(e))
        if e.is_Rational:
            return self._number(e.p, e.q)
        if e.is_Add:
            return self._sum(e)
        if e.is_Mul:
            return self._product(e)
        exponent = int(e.exp)
        if exponent < 0:
            return self.builder.const(1) / self.node(e.base**-exponent)
        base = self.node(e.base)
        if base.op is sqrt and exponent > 1:
            squares = self._power(base.args[0], exponent // 2)
            return squares * base if exponent % 2 else squares
        return self._power(base, exponent)

    def _power(self, base: Node, exponent: int) -> Node:
        return base if exponent == 1 else base**exponent

    def _number(self, above: int, below: int) -> Node:
        if below in (2, 4, 8, 16):
            return self.builder.const(above / below)
        return self.builder.const(int(above)) / int(below)

    def _first(self, e: sympy.Expr) -> int:
        """The place in the program of the first value in `e`."""
        if e.is_Symbol:
            return self.place[e]
        return min((self._first(arg) for arg in e.args if not arg.is_Number), default=-1)

    def _sum(self, e: sympy.Expr) -> Node:
        """Positive terms first; a pair whose sum or difference exists is one term."""
        terms = sorted(e.args, key=self._first)
        plus = [self.node(term) for term in terms if not _is_negative(term)]
        minus = [self.node(-term) for term in terms if _is_negative(term)]
        self._merge(subtract, plus, minus, into=plus)
        self._merge(add, plus, plus, into=plus)
        self._merge(add, minus, minus, into=minus)
        total = plus.pop(0) if plus else -minus.pop(0)
        for node in plus:
            total = total + node
        for node in minus:
            total = total - node
        return total

    def _product(self, e: sympy.Expr) -> Node:
        """`scalars * smaller arrays * arrays`, each divided at its own size."""
        coefficient, rest = e.as_coeff_Mul()
        above, below = self._factors(rest)
        for i, factor in enumerate(above):
            if factor.is_Add and (_all_negative(factor) or (coefficient.is_negative and _flips(factor))):
                above[i], coefficient = -factor, -coefficient
        up, down = [self.node(f) for f in above], [self.node(f) for f in below]
        numerator, denominator = int(coefficient.p), int(coefficient.q)
        if denominator in (2, 4, 8, 16):
            numerator, denominator = numerator / denominator, 1  # type: ignore[assignment]
        minus = numerator == -1 and not any(width(node) < max(map(width, up), default=0) for node in down)
        if numerator != 1 and not minus:
            up.insert(0, self.builder.const(numerator))
        if denominator != 1:
            down.insert(0, self.builder.const(denominator))
        self._merge(divide, up, down, into=up)
        self._merge(multiply, up, up, into=up)
        self._merge(multiply, down, down, into=down)
        quotient = self._quotient(up, down)
        return -quotient if minus else quotient

    def _factors(self, product: sympy.Expr) -> tuple[list[sympy.Expr], list[sympy.Expr]]:
        """The factors above and below the line, in the program's order."""
        above, below = [], []
        for factor in sorted(product.args if product.is_Mul else [product], key=self._first):
            if factor.is_Pow and factor.exp.is_Integer and factor.exp < 0:
                below.append(factor.base**-factor.exp)
            elif factor != 1:
                above.append(factor)
        return above, below

    def _quotient(self, up: list[Node], down: list[Node]) -> Node:
        """Everything is done at the smallest size: numbers before rows before matrices."""
        total: Node | None = None
        pending: Node | None = None  # divisors that wait for something to divide
        for size in sorted({width(node) for node in (*up, *down)}):
            for node in up:
                if width(node) == size:
                    total = node if total is None else total * node
            for node in down:
                if width(node) == size:
                    pending = node if pending is None else pending * node
            if total is not None and pending is not None:
                total, pending = total / pending, None
        if total is None:
            total = self.builder.const(1)
        return total if pending is None else total / pending

    def _merge(self, op: Row, left: list[Node], right: list[Node], into: list[Node]) -> None:
        """Replace a pair by its sum, product or quotient while the program has one."""
        while True:
            found = next(self._existing(op, left, right), None)
            if found is None:
                return
            made, a, b = found
            at = left.index(a)
            left.remove(a)
            right.remove(b)
            into.insert(min(at, len(into)), made)

    def _existing(self, op: Row, left: list[Node], right: list[Node]) -> Any:
        pairs = combinations(left, 2) if left is right else ((a, b) for a in left for b in right)
        for a, b in pairs:
            made = self.builder.existing(op, (a, b))
            if made is not None and self.live(made):
                yield made, a, b


def _is_negative(term: sympy.Expr) -> bool:
    return bool(term.as_coeff_Mul()[0].is_negative)


def _all_negative(total: sympy.Expr) -> bool:
    return all(map(_is_negative, total.args))


def _flips(total: sympy.Expr) -> bool:
    """Whether the sum reads as well with all its signs turned."""
    return any(map(_is_negative, total.args))
