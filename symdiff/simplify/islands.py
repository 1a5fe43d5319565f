"""SymPy on islands, on a leash.

Enters: a program.  Leaves: an equal one with cheaper arithmetic, or the same.  Invariant: only code that symdiff
derived is rewritten; a rewrite is taken only if the cost model of the whole program says cheaper **and** a
numeric probe agrees (see `probe`).

An island is a maximal tree of derived arithmetic (`+ - * /`, integer powers) around one root; what else it reads
is a leaf: an opaque real symbol.  A fixed list of rewrites is tried, never `simplify`: on whole gradients it does
not return, and it turns the sigmoid into a form that is NaN at 800.  Symbols have generated names, and nothing is
ever made from a string, since SymPy evaluates strings as code.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from symdiff.ir.build import Builder
from symdiff.ir.node import Function, Node
from symdiff.ops.arithmetic import add, divide, multiply, negative, power, subtract
from symdiff.simplify.cost import cost, live_nodes
from symdiff.simplify.probe import agrees
from symdiff.simplify.rebuild import rebuilt

if TYPE_CHECKING:
    import sympy

ARITHMETIC = {add, subtract, multiply, divide, negative, power}
LARGEST = 24  # operations in an island
MOST_LEAVES = 8
SECONDS = 0.25  # for one function; a single rewrite of an island of this size takes milliseconds


@dataclass(slots=True)
class Island:
    """One root with its leaves; `expanded` says whether the user's own arithmetic was opened as well."""

    root: Node
    leaves: list[Node] = field(default_factory=list)
    operations: int = 0
    expanded: bool = False


def simplify_islands(function: Function) -> Function:
    """Try the fixed rewrites on every island, largest result first taken."""
    function = without_dead(function)
    deadline = time.perf_counter() + SECONDS
    for root in _roots(function):
        if time.perf_counter() > deadline:
            break
        if root in set(function.nodes()):
            function = _improved(function, root)
    return function


def without_dead(function: Function) -> Function:
    kept = set(live_nodes(function.body))
    body = tuple(node for node in function.body.body if node in kept)
    return replace(function, body=replace(function.body, body=body))


def _is_arithmetic(node: Node) -> bool:
    if node.op not in ARITHMETIC or not node.type.dtype.startswith(("float", "int")):
        return False
    return node.op is not power or (node.args[1].is_const and isinstance(node.args[1].value, int))


def _uses(function: Function) -> dict[Node, list[Node]]:
    uses: dict[Node, list[Node]] = {}
    for node in function.nodes():
        for arg in node.args:
            uses.setdefault(arg, []).append(node)
    return uses


def _roots(function: Function) -> list[Node]:
    """Derived arithmetic that is read by something else, or by several."""
    uses = _uses(function)
    return [
        node
        for node in function.body.body
        if not node.primal
        and _is_arithmetic(node)
        and (len(uses.get(node, [])) != 1 or uses[node][0].primal or not _is_arithmetic(uses[node][0]))
    ]


def _island(root: Node, uses: dict[Node, list[Node]], expanded: bool) -> Island:
    island = Island(root, expanded=expanded)
    seen: set[Node] = set()
    pending = [root]
    while pending:
        node = pending.pop()
        if node in seen:
            continue
        seen.add(node)
        if node.is_const and _rational(node) is not None:
            continue
        inside = _is_arithmetic(node) and (
            node is root or (not node.primal and len(uses.get(node, [])) == 1) or (expanded and node.primal)
        )
        if inside:
            island.operations += 1
            pending += node.args
        else:
            island.leaves.append(node)
    island.leaves.sort(key=lambda leaf: (leaf.type.dims != (), leaf.op.name, leaf.name))
    return island


def _improved(function: Function, root: Node) -> Function:
    uses = _uses(function)
    best, least = function, cost(function)
    for expanded in (False, True):
        island = _island(root, uses, expanded)
        if not 2 <= island.operations <= LARGEST or len(island.leaves) > MOST_LEAVES:
            continue
        if expanded and not any(node.primal for node in _inside(island)):
            continue
        for candidate in _candidates(island):
            changed = _replaced(function, island, candidate)
            if changed is None:
                continue
            total = cost(changed)
            if total < least - 1e-9 and agrees(island.root, changed.info["replacement"], island.leaves):
                best, least = changed, total
    info = {key: value for key, value in best.info.items() if key != "replacement"}
    return without_dead(replace(best, info=info))


def _inside(island: Island) -> Iterator[Node]:
    leaves = set(island.leaves)
    pending = [island.root]
    while pending:
        node = pending.pop()
        if node not in leaves and not node.is_const:
            yield node
            pending += node.args


def _rational(node: Node) -> Fraction | None:
    """A constant that SymPy may compute with exactly: a small integer or dyadic fraction."""
    value = node.value
    if isinstance(value, bool | complex) or value != value or abs(value) > 1e9:
        return None
    fraction = Fraction(value)
    return fraction if fraction.denominator <= 16 else None


def _candidates(island: Island) -> Iterator[Callable[[dict[Any, Node]], Node]]:
    """The island's expression in each form of the fixed list, as builders of nodes."""
    import sympy

    symbols = {leaf: sympy.Symbol(f"s{i}", real=True) for i, leaf in enumerate(island.leaves)}
    expression = _expression(island.root, symbols, {})
    back = {symbol: leaf for leaf, symbol in symbols.items()}
    forms = [lambda e: e, sympy.factor_terms, sympy.cancel]
    if not island.expanded:
        forms.append(sympy.factor)
    seen = []
    for form in forms:
        made = form(expression)
        for variant in [made, *_apart(made, island)]:
            if variant not in seen and variant.is_finite is not False:
                seen.append(variant)
                yield lambda order, variant=variant: _node(variant, back, order)  # type: ignore[misc]


def _apart(expression: sympy.Expr, island: Island) -> list[sympy.Expr]:
    """Partial fractions in the one symbol of a denominator: `(t*y + y - 1)/(t + 1)` is `y - 1/(t + 1)`."""
    import sympy

    denominator = sympy.denom(expression)
    if not island.expanded or len(denominator.free_symbols) != 1:
        return []
    apart = sympy.apart(expression, next(iter(denominator.free_symbols)))
    return [apart, sympy.factor_terms(apart)]


def _expression(node: Node, symbols: dict[Node, sympy.Symbol], done: dict[Node, sympy.Expr]) -> sympy.Expr:
    import sympy

    if node in symbols:
        return symbols[node]
    if node in done:
        return done[node]
    if node.is_const:
        fraction = _rational(node)
        assert fraction is not None
        return sympy.Rational(fraction.numerator, fraction.denominator)
    args = [_expression(arg, symbols, done) for arg in node.args]
    made = {
        "add": lambda: sympy.Add(*args),
        "subtract": lambda: sympy.Add(args[0], sympy.Mul(-1, args[1])),
        "multiply": lambda: sympy.Mul(*args),
        "divide": lambda: sympy.Mul(args[0], sympy.Pow(args[1], -1)),
        "negative": lambda: sympy.Mul(-1, args[0]),
        "power": lambda: sympy.Pow(*args),
    }[node.op.name]()
    done[node] = made
    return made


def _node(expression: sympy.Expr, back: dict[Any, Node], order: dict[Any, Node]) -> Node:
    """A SymPy expression as nodes, in the order of the program's values, scalars first."""
    from symdiff.ir.build import current

    builder = current()

    def build(e: Any) -> Node:
        if e.is_Symbol:
            return back[e]
        if e.is_Integer:
            return builder.const(int(e))
        if e.is_Rational:
            return builder.const(float(e)) if e.q in (2, 4, 8, 16) else builder.const(int(e.p)) / int(e.q)
        if e.is_Add:
            return total(e)
        if e.is_Mul:
            return product(e)
        if e.is_Pow and e.exp.is_Integer:
            if e.exp < 0:
                return builder.const(1) / build(e.base**-e.exp)
            return build(e.base) ** int(e.exp)
        raise ValueError(f"no operation for {type(e).__name__}")

    def rank(e: Any) -> tuple[int, int]:
        leaves = [position[symbol] for symbol in e.free_symbols]
        scalar = all(back[symbol].type.dims == () for symbol in e.free_symbols)
        return (0 if scalar else 1), min(leaves, default=-1)

    def negative_term(e: Any) -> bool:
        return bool(e.as_coeff_Mul()[0].is_negative)

    def total(e: Any) -> Node:
        terms = sorted(e.args, key=lambda term: (negative_term(term), rank(term)[1]))
        result = build(terms[0])
        for term in terms[1:]:
            result = result - build(-term) if negative_term(term) else result + build(term)
        return result

    def product(e: Any) -> Node:
        coefficient, rest = e.as_coeff_Mul()
        if coefficient.is_negative:
            return -build(-e)
        above, below = [], []
        for factor in sorted(rest.args if rest.is_Mul else [rest], key=rank):
            if factor.is_Pow and factor.exp.is_Integer and factor.exp < 0:
                below.append(factor.base**-factor.exp)
            else:
                above.append(factor)
        numbers = [coefficient.p] if coefficient.p != 1 or not above else []
        if coefficient.q in (2, 4, 8, 16):
            numbers = [coefficient]
        elif coefficient.q != 1:
            below.insert(0, _integer(coefficient.q))
        scalars = [build(x) if not isinstance(x, int) else builder.const(x) for x in numbers]
        scalars += [build(x) for x in above if rank(x)[0] == 0]
        arrays = [build(x) for x in above if rank(x)[0] == 1]
        under_scalars = [build(x) for x in below if rank(x)[0] == 0]
        under = [build(x) for x in below if rank(x)[0] == 1]
        scale = _product(scalars)
        if under_scalars:
            scale = (scale if scale is not None else builder.const(1)) / _all(under_scalars)
        top = _product([*([scale] if scale is not None else []), *arrays])
        if not under:
            assert top is not None
            return top
        return (top if top is not None else builder.const(1)) / _all(under)

    position = {symbol: order.get(leaf, 0) for symbol, leaf in back.items()}
    return build(expression)


def _integer(value: int) -> Any:
    import sympy

    return sympy.Integer(value)


def _product(nodes: list[Node]) -> Node | None:
    result: Node | None = None
    for node in nodes:
        result = node if result is None else result * node
    return result


def _all(nodes: list[Node]) -> Node:
    made = _product(nodes)
    assert made is not None
    return made


def _replaced(
    function: Function, island: Island, build: Callable[[dict[Any, Node]], Node]
) -> Function | None:
    """The program with the island's root computed by `build`; None where that is no change."""
    order = {node: i for i, node in enumerate(function.nodes())}

    def swap(node: Node, builder: Builder) -> Node | None:
        if node is not island.root:
            return None
        made = build(order)
        return made if made is not node else None

    return rebuilt(function, swap)
