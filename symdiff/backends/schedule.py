"""Which values become statements, in which order, and which of them reuse a dead array.

Enters: a region.  Leaves: a `Plan`: the statements in order, each assigning, augmenting or writing in
place. Invariant: every value is computed at most once; an array is overwritten only where this region
made it, nothing reads it (or a view of it) later, and it does not leave the function under another name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from symdiff.ir.liveness import live
from symdiff.ir.node import Node, Region
from symdiff.ir.types import Sizes
from symdiff.ops.control import is_view, root, store

# Never worth a name: they cost nothing, and read best where they are used.
_TRIVIAL = {"const", "shape", "size", "length", "make_shape", "transpose", "expand_dims", "to_float"}
# Functional inside, in place outside.
_WRITES = {"scatter", "add_at"}
_AUGMENTED = {"add", "subtract", "multiply", "divide"}
_DEEPEST = 8
_PILE = 6


@dataclass(slots=True)
class Statement:
    """`node` is computed here; `reuses` is the dead value whose array it overwrites, `frees` are dead after
    it."""

    node: Node
    reuses: Node | None = None
    frees: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class Plan:
    statements: list[Statement] = field(default_factory=list)
    regions: dict[Node, Plan] = field(default_factory=dict)


def _uses(nodes: Iterable[Node], region: Region) -> dict[Node, int]:
    uses: dict[Node, int] = {}
    for node in nodes:
        for arg in node.args:
            uses[arg] = uses.get(arg, 0) + 1
        for inner in node.regions:
            for arg in [*(arg for item in live(inner) for arg in item.args), *inner.results]:
                uses[arg] = uses.get(arg, 0) + 2  # computed before the inner function, not in it
    for result in region.results:
        uses[result] = uses.get(result, 0) + 1
    return uses


def plan(region: Region, sizes: Sizes, forced: Iterable[Node] = ()) -> Plan:
    """The statements of a region; nodes of `forced` get one although they could be part of an expression."""
    nodes = live(region)
    uses = _uses(nodes, region)
    stated = set(forced)
    depth: dict[Node, int] = {}
    for node in nodes:
        inner = max((depth.get(arg, 0) for arg in node.args), default=0) + 1
        if node in stated or _is_stated(node, uses, region.results) or inner > _DEEPEST:
            stated.add(node)
            inner = 0
        depth[node] = inner
    _settle(nodes, stated, region.results)
    made = Plan([Statement(node) for node in nodes if node in stated])
    for node in nodes:
        if node.regions:
            made.regions[node] = plan(node.regions[0], sizes, forced)
    _reuse(made, region, sizes)
    return made


def _is_stated(node: Node, uses: dict[Node, int], results: tuple[Node, ...]) -> bool:
    if node.op.name in _TRIVIAL:
        return False
    if node in results and node.primal:
        return True
    return (
        bool(node.name)
        or uses.get(node, 0) > 1
        or node.op.name in _WRITES
        or bool(node.regions)
        or not node.op.pure
    )


def _settle(nodes: list[Node], stated: set[Node], results: tuple[Node, ...]) -> None:
    """State what would otherwise, as part of a later expression, read an array after it was overwritten."""
    order = {node: position for position, node in enumerate(nodes)}
    writes = [(order[node], node.args[0]) for node in nodes if node.op is store]
    if not writes:
        return
    pending = [(arg, order[node]) for node in nodes if node in stated for arg in node.args]
    pending += [(result, len(nodes)) for result in results]
    while pending:
        node, position = pending.pop()  # a value, and where it would be computed
        if node in stated or node.op.name in ("param", "const", "shape", "size", "length"):
            continue
        overwritten = {target for write, target in writes if order[node] < write < position}
        if any(root(arg) in overwritten for arg in node.args):
            stated.add(node)
            position = order[node]
        pending += [(arg, position) for arg in node.args]


def reads(node: Node, stated: set[Node]) -> Iterator[Node]:
    """The named values that the statement of `node` reads, once per occurrence in an expression."""
    pending = list(node.args)
    pending += [arg for inner in node.regions for item in live(inner) for arg in item.args]
    pending += [result for inner in node.regions for result in inner.results]
    seen: set[Node] = set()  # an inner function may reach an outer value on exponentially many paths
    while pending:
        arg = pending.pop()
        if arg in stated or arg.op.name == "param":
            yield arg
        elif arg not in seen:
            seen.add(arg)
            pending += arg.args


def _reuse(made: Plan, region: Region, sizes: Sizes) -> None:
    """Let results overwrite dead operands, and free other dead arrays where many pile up."""
    stated = {statement.node for statement in made.statements}
    occurrences = [list(reads(statement.node, stated)) for statement in made.statements]
    last = _last_reads(made, region, stated, occurrences)
    owned = {
        node
        for node in stated
        if not is_view(node) and not node.regions and node.op.name != "param" and node.op is not store
    }
    for position, statement in enumerate(made.statements):
        node = statement.node
        for candidate in _candidates(node):
            memory = root(candidate)
            if (
                candidate in owned
                and memory is candidate
                and last.get(memory) == position
                and sum(root(value) is memory for value in occurrences[position]) == 1
                and _fits(candidate, node, sizes)
                and (node.op.name in _WRITES or _reads_well(candidate, node))
            ):
                statement.reuses = candidate
                break
    _free(made, owned, last, sizes)


def _last_reads(
    made: Plan, region: Region, stated: set[Node], occurrences: list[list[Node]]
) -> dict[Node, int]:
    """By memory: the position of the last statement that reads it; the end for what leaves."""
    end = len(made.statements)
    last: dict[Node, int] = {}
    for position, (statement, found) in enumerate(zip(made.statements, occurrences, strict=True)):
        for value in found:  # an inner function reads when it is called: not before the end
            last[root(value)] = max(last.get(root(value), 0), end if statement.node.regions else position)
    pending = list(region.results)
    while pending:
        value = pending.pop()
        last[root(value)] = end
        if value not in stated:
            pending += value.args
    return last


def _free(made: Plan, owned: set[Node], last: dict[Node, int], sizes: Sizes) -> None:
    """`del` dead arrays before more of their shape are made: a fresh large array costs its page faults, 1.3
    times the computing on a formula of 10^6 points.  Only where at least _PILE of one shape would pile
    up."""
    if made.regions:
        return
    shapes: dict[Node, object] = {
        s.node: sizes.resolve(s.node.type.dims) for s in made.statements if s.node.type.dims
    }
    viewed = {root(s.node) for s in made.statements if is_view(s.node)}
    reused = {s.reuses for s in made.statements}
    deaths: dict[object, list[tuple[int, Node]]] = {}
    for node, shape in shapes.items():
        later = any(shapes.get(s.node) == shape for s in made.statements[last.get(node, 0) + 1 :])
        if node in owned and node not in viewed and node not in reused and node in last and later:
            deaths.setdefault(shape, []).append((last[node], node))
    for dead in deaths.values():
        if len(dead) >= _PILE:
            for position, node in dead:
                made.statements[position].frees.append(node)


def _candidates(node: Node) -> tuple[Node, ...]:
    """Operands whose array the result could overwrite."""
    if node.op.name == "add_at":
        return node.args[:1]
    if node.op.name in _AUGMENTED:
        return node.args if node.op.commutative else node.args[:1]
    return ()


def _fits(old: Node, new: Node, sizes: Sizes) -> bool:
    return (
        old.type.kind == new.type.kind == "array"
        and bool(old.type.dims)
        and new.type.dims is not None
        and sizes.resolve(old.type.dims) == sizes.resolve(new.type.dims)
        and old.type.dtype == new.type.dtype != ""
    )


def _reads_well(old: Node, new: Node) -> bool:
    """One name must be able to stand for both values."""
    return not old.primal and (not new.name or not old.name or old.name == new.name)
