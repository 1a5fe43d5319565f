"""SymPy on islands, on a leash.

Enters: a program.  Leaves: an equal one with cheaper arithmetic, or the same.  Invariant: only code that
symdiff derived is rewritten; a rewrite is taken only if the cost model of the whole program says cheaper
**and** a numeric probe agrees (see `probe`).

An island is the arithmetic (`+ - * /`, integer powers) around one derived root; what else it reads is a
leaf: an opaque real symbol.  It ends at values that several read, or goes on through those, or through
the user's own arithmetic as well: not to rewrite that, but to find forms in which its values are used
again.  Its leaves may stand in other regions than the root: what is rewritten in a loop's body reads what is
visible there.  A fixed list of forms is tried, never SymPy's general simplification: on whole gradients it
does not return, and it turns the sigmoid into a form that is NaN at 800.

The budget is counted in operations, not in seconds, so that what comes out does not depend on the machine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator
from itertools import combinations, product

from symdiff.ir.build import Builder
from symdiff.ir.node import Function, Node
from symdiff.ops.arithmetic import add, divide, multiply, negative, power, subtract
from symdiff.ops.elementwise import sqrt
from symdiff.records import dataclass, field
from symdiff.simplify.cost import Live
from symdiff.simplify.forms import Expression, forms, rational
from symdiff.simplify.linear import factors
from symdiff.simplify.probe import agrees
from symdiff.simplify.rebuild import replaced
from symdiff.simplify.scopes import Scopes
from symdiff.simplify.writing import Writer

ARITHMETIC = {add, subtract, multiply, divide, negative, power}
LARGEST = 20  # operations in an island
MOST_LEAVES = 7
BUDGET = 100  # operations in all islands of a function
LEAST = 1e-6  # the saving worth a rewrite


@dataclass(slots=True)
class Island:
    """One root with its leaves, in program order."""

    root: Node
    leaves: list[Node] = field(default_factory=list)
    operations: int = 0


@dataclass(slots=True)
class Place:
    """A program, what is live in it, and the builder of the region that is being rewritten."""

    scopes: Scopes
    live: Live
    builder: Builder


def simplify_islands(function: Function) -> Function:
    """The best form of every island, from the end of the program to its beginning."""
    roots = _roots(function)
    if not roots:
        return function
    spent = 0
    instead: dict[Node, Node] = {}
    scopes, live = Scopes(function), Live(function)
    for root in roots:
        if root not in live:
            continue
        place = Place(scopes, live, scopes.builder(scopes.home[root]))
        best: tuple[float, Node] | None = None
        for island in _islands(root, place):
            spent += island.operations
            if spent > BUDGET:
                return replaced(function, instead) if instead else function
            best = max(filter(None, (best, _improved(island, place))), key=lambda pair: pair[0], default=None)
        if best is not None:
            instead[root] = best[1]
            live.replace(root, best[1])
    return replaced(function, instead) if instead else function


def _roots(function: Function) -> list[Node]:
    """Derived arithmetic that is read by something else than arithmetic, or by several; the last first."""
    nodes = list(function.nodes())
    inner: set[Node] = set()  # read once, by derived arithmetic
    read: set[Node] = set()
    for node in nodes:
        arithmetic = not node.primal and is_arithmetic(node)
        for arg in node.args:
            (inner.discard if arg in read or not arithmetic else inner.add)(arg)
            read.add(arg)
        for region in node.regions:
            inner.difference_update(region.results)
            read.update(region.results)
    inner.difference_update(function.results)
    arithmetic_nodes = (node for node in reversed(nodes) if not node.primal and is_arithmetic(node))
    return [node for node in arithmetic_nodes if node not in inner]


def is_arithmetic(node: Node) -> bool:
    if node.op not in ARITHMETIC or not node.type.dtype.startswith("float"):
        return False
    return node.op is not power or (node.args[1].is_const and isinstance(node.args[1].value, int))


def _islands(root: Node, place: Place) -> Iterator[Island]:
    """The islands around a root that may gain: ever larger ones."""
    seen: list[list[Node]] = []
    for shared, primal in ((False, 0), (True, 0), (False, 1), (True, LARGEST)):
        island = _island(root, place, shared, primal)
        if island is not None and island.leaves not in seen:
            seen.append(island.leaves)
            if promising(island) or _reuses(island, place):
                yield island


def _island(root: Node, place: Place, shared: bool, primal: int) -> Island | None:
    """shared: go on through derived values that several read.  primal: layers of the user's arithmetic."""
    opened: dict[Node, None] = {}
    pending = [(root, primal)]
    while pending:
        node, layers = pending.pop()
        if node in opened or not is_arithmetic(node):
            continue
        if node is root or (layers > 0 if node.primal else shared or place.live.uses[node] == 1):
            opened[node] = None
            pending += [(arg, layers - node.primal) for arg in node.args]
        if len(opened) > 2 * LARGEST:
            return None
    if primal:
        _close(root, opened, place)
    leaves = dict.fromkeys(arg for node in opened for arg in node.args if arg not in opened)
    island = Island(root, [leaf for leaf in leaves if not (leaf.is_const and rational(leaf) is not None)])
    island.operations = len(opened)
    island.leaves.sort(key=lambda leaf: place.scopes.order.get(leaf, -1))
    return None if len(opened) > LARGEST or len(island.leaves) > MOST_LEAVES else island


def _close(root: Node, opened: dict[Node, None], place: Place) -> None:
    """Close the user's operations again that share nothing with the rest of the island: what is read through
    them alone cannot cancel outside."""
    inward = sorted(opened, key=lambda node: -place.scopes.order[node])
    readers: dict[Node, set[Node]] = {}
    for node in inward:
        for arg in node.args:
            readers.setdefault(arg, set()).add(node)
    for node in inward:
        if node is root or not node.primal or node not in opened:
            continue
        inside, pending = {node}, [node]
        while pending:
            for arg in pending.pop().args:
                if arg in opened and arg not in inside:
                    inside.add(arg)
                    pending.append(arg)
        read = {arg for one in inside for arg in one.args if not arg.is_const} | (inside - {node})
        if all(readers[value] <= inside for value in read):
            for one in inside:
                del opened[one]


def promising(island: Island) -> bool:
    """Whether algebra can find anything: not where every leaf is read once, with one coefficient at most."""
    reads, coefficients = Counter[Node](), 0
    pending = [island.root]
    leaves = set(island.leaves)
    while pending and len(pending) < 4 * LARGEST:
        node = pending.pop()
        if node in leaves:
            reads[node] += 1
        elif not node.is_const:
            pending += node.args[:1] if node.op is power else node.args
        elif abs(node.value) != 1:
            coefficients += 1
        if coefficients > 1 or reads[node] > 1:
            return island.operations > 1
    return False


def _reuses(island: Island, place: Place) -> bool:
    """Whether two factors of the root are multiplied or divided elsewhere in the program."""
    with place.builder as builder:
        above, below, _ = factors(island.root)
        pairs = [builder.existing(divide, pair) for pair in product(above, below)]
        pairs += [
            builder.existing(multiply, pair) for part in (above, below) for pair in combinations(part, 2)
        ]
    inside = set(_opened(island.root, set(island.leaves)))
    return any(made in place.live and made not in inside for made in pairs if made is not None)


def _improved(island: Island, place: Place) -> tuple[float, Node] | None:
    """The form that saves most and agrees numerically, with what it saves."""
    found: list[tuple[float, Node]] = []
    expression = Expression(island.root, island.leaves)
    values = {symbol: leaf for leaf, symbol in expression.symbols.items()}
    with place.builder as builder:
        builder.span = island.root.span
        writer = Writer(builder, values, place.live.__contains__)
        for form in forms(expression.original):
            new = writer.node(form)
            if new is island.root or any(new is one for _, one in found):
                continue
            saving = place.live.saving(island.root, new)
            fits = saving > LEAST and place.scopes.fits(new, island.root)
            if fits and _may_replace(island, new, form.free_symbols, place):
                found.append((saving, new))
    found.sort(key=lambda pair: -pair[0])
    return next((pair for pair in found if _agrees(island, pair[1])), None)


def _agrees(island: Island, new: Node) -> bool:
    """The probe; where a fold has looked into a leaf, over what that leaf is made of."""
    leaves = island.leaves
    for _ in range(3):
        radicands = {leaf.args[0] for leaf in leaves if leaf.op is sqrt}
        if all(node.op in ARITHMETIC for node in _opened(new, radicands.union(leaves))):
            return agrees(island.root, new, leaves)
        opened = (leaf.args if leaf.op in ARITHMETIC else (leaf,) for leaf in leaves)
        leaves = list(dict.fromkeys(arg for args in opened for arg in args if not arg.is_const))
    return False


def _may_replace(island: Island, new: Node, symbols: set[object], place: Place) -> bool:
    """Whether the new value has the type of the old one, and no integer array is computed with on the way."""
    old, sizes = island.root.type, place.builder.sizes
    if (old.kind, old.dtype) != (new.type.kind, new.type.dtype):
        return False
    if old.dims is None or new.type.dims is None:
        arrays = sum(leaf.type.kind == "array" for leaf in island.leaves)
        same = old.dims is new.type.dims and len(symbols) >= arrays and is_arithmetic(new) and not new.primal
    else:
        same = sizes.resolve(old.dims) == sizes.resolve(new.type.dims)
    return same and not any(
        node.type.kind == "array" and not node.type.dtype.startswith("float")
        for node in _opened(new, place.scopes.order)
    )


def _opened(root: Node, closed: Container[Node]) -> Iterator[Node]:
    pending = [root]
    while pending:
        node = pending.pop()
        if node not in closed and not node.is_const:
            yield node
            pending += node.args
