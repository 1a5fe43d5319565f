"""An island as a SymPy expression, and the forms it is tried in.

Enters: the root of an island and its leaves.  Leaves: equal SymPy expressions, and the leaf behind each
symbol. Invariant: the list of forms is fixed and each is polynomial work on a small expression; nothing
is made from a string, since SymPy evaluates strings as code; the order of results depends on the program
alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from math import comb
from typing import TYPE_CHECKING

from symdiff.ir.node import Node

if TYPE_CHECKING:
    import sympy

MOST_TERMS = 40  # of a form, where expanding it would otherwise explode
MOST_PARTS = 4  # terms over a sum that are taken apart


def rational(node: Node) -> Fraction | None:
    """A constant that SymPy may compute with exactly: a small integer or dyadic fraction."""
    value = node.value
    if isinstance(value, bool | complex) or value != value or abs(value) > 1e9:
        return None
    fraction = Fraction(value)
    return fraction if fraction.denominator <= 16 else None


class Expression:
    """The island under `root` with an opaque symbol for each leaf."""

    def __init__(self, root: Node, leaves: Iterable[Node]):
        import sympy

        # Two digits: SymPy sorts symbols by name, and so by their place in the program.
        self.symbols = {leaf: sympy.Symbol(f"s{i:02}") for i, leaf in enumerate(leaves)}
        self._done: dict[Node, sympy.Expr] = dict(self.symbols)
        self.original = self._convert(root)

    def _convert(self, node: Node) -> sympy.Expr:
        if node not in self._done:
            self._done[node] = self._operation(node)
        return self._done[node]

    def _operation(self, node: Node) -> sympy.Expr:
        import sympy

        if node.is_const:
            fraction = rational(node)
            assert fraction is not None
            return sympy.Rational(fraction.numerator, fraction.denominator)
        args = [self._convert(arg) for arg in node.args]
        match node.op.name:
            case "add":
                return sympy.Add(*args)
            case "subtract":
                return sympy.Add(args[0], sympy.Mul(-1, args[1]))
            case "multiply":
                return sympy.Mul(*args)
            case "divide":
                return sympy.Mul(args[0], sympy.Pow(args[1], -1))
            case "negative":
                return sympy.Mul(-1, args[0])
        return sympy.Pow(*args)


@lru_cache(maxsize=512)
def forms(expression: sympy.Expr) -> tuple[sympy.Expr, ...]:
    """The expression in every form of the list, without repetition."""
    from sympy import nan, zoo

    return tuple(form for form in dict.fromkeys(_forms(expression)) if not form.has(zoo, nan))


def _forms(original: sympy.Expr) -> Iterator[sympy.Expr]:
    """As it is, common factors taken out, one fraction, cancelled, collected, and partial fractions."""
    import sympy

    yield original
    yield _with_common_factors(original)
    yield from _collected(original, sympy.Integer(1))
    together = sympy.together(original)
    yield together
    numerator, denominator = sympy.fraction(together)
    bound = _terms(numerator)
    if bound * _terms(denominator) > MOST_TERMS:
        return
    expanded = sympy.expand(numerator)
    if _terms(expanded) < bound:  # something cancels
        numerator, denominator = sympy.fraction(sympy.cancel(expanded / denominator))
        numerator, denominator = _with_common_factors(numerator), _with_common_factors(denominator)
        yield numerator / denominator
        yield from _collected(numerator, denominator)
    if 1 < _terms(numerator) <= MOST_PARTS:
        yield from _apart(numerator, denominator)


def _with_common_factors(expression: sympy.Expr) -> sympy.Expr:
    from sympy.core.exprtools import gcd_terms

    return gcd_terms(expression, isprimitive=True, clear=False, fraction=False)


def _sorted(symbols: Iterable[sympy.Symbol]) -> list[sympy.Symbol]:
    return sorted(symbols, key=lambda symbol: symbol.name)


def _collected(numerator: sympy.Expr, denominator: sympy.Expr) -> Iterator[sympy.Expr]:
    """The numerator's terms gathered by each symbol that is a factor of several."""
    import sympy

    for total in sympy.Mul.make_args(numerator):
        if not total.is_Add or len(total.args) < 3:
            continue
        for symbol in _sorted(total.free_symbols):
            inside = [term for term in total.args if symbol in sympy.Mul.make_args(term)]
            if 1 < len(inside) < len(total.args):
                outside = [term for term in total.args if term not in inside]
                gathered = symbol * sympy.Add(*(term / symbol for term in inside))
                yield numerator.xreplace({total: sympy.Add(gathered, *outside)}) / denominator


def _apart(numerator: sympy.Expr, denominator: sympy.Expr) -> Iterator[sympy.Expr]:
    """Partial fractions in the symbol of a denominator: `(t*y + y - 1)/(t + 1)` is `y - 1/(t + 1)`."""
    import sympy

    sums = [factor for factor in sympy.Mul.make_args(denominator) if not _is_monomial(factor)]
    if len(sums) != 1 or not sums[0].is_Add or len(sums[0].free_symbols) != 1:
        return
    factors = [*sympy.Mul.make_args(numerator), *(1 / f for f in sympy.Mul.make_args(denominator))]
    outside = [f for f in factors if _is_monomial(f) and not f.free_symbols <= sums[0].free_symbols]
    scale = sympy.Mul(*outside)
    (symbol,) = sums[0].free_symbols
    yield scale * sympy.apart(numerator / denominator / scale, symbol)


def _is_monomial(factor: sympy.Expr) -> bool:
    """A symbol or a power of one, or a number."""
    return bool(factor.is_Number or factor.is_Symbol or (factor.is_Pow and factor.base.is_Symbol))


def _terms(expression: sympy.Expr) -> int:
    """An upper bound of the number of terms after expansion."""
    if expression.is_Add:
        return sum(map(_terms, expression.args))
    if expression.is_Mul:
        total = 1
        for factor in expression.args:
            total *= _terms(factor)
        return total
    if expression.is_Pow and expression.exp.is_Integer:
        terms, power = _terms(expression.base), min(abs(int(expression.exp)), 8)
        return comb(terms + power - 1, power)
    return 1
