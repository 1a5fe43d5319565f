"""Which values become statements, in which order, and which of them reuse a dead array.

Enters: a region.  Leaves: a `Plan`: the statements in order, each assigning, augmenting or writing in place.
Invariant: every value is computed at most once; an array is overwritten only where this region made it, nothing
reads it (or a view of it) later, and it does not leave the function under another name.
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


@dataclass(slots=True)
class Statement:
    """`node` is computed here; `reuses` is the dead value whose array it overwrites."""

    node: Node
    reuses: Node | None = None


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
        bool(node.name) or uses.get(node, 0) > 1 or node.op.name in _WRITES or bool(node.regions) or not node.op.pure
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
    """The named values that the statement of `node` reads, once per occurrence."""
    pending = list(node.args)
    pending += [arg for inner in node.regions for item in live(inner) for arg in item.args]
    pending += [result for inner in node.regions for result in inner.results]
    while pending:
        arg = pending.pop()
        if arg in stated or arg.op.name == "param":
            yield arg
        else:
            pending += arg.args


def _reuse(made: Plan, region: Region, sizes: Sizes) -> None:
    stated = {statement.node for statement in made.statements}
    end = len(made.statements)
    last: dict[Node, int] = {}
    occurrences: list[list[Node]] = []
    for position, statement in enumerate(made.statements):
        found = list(reads(statement.node, stated))
        occurrences.append(found)
        for value in found:  # an inner function reads when it is called: not before the end
            last[root(value)] = max(last.get(root(value), 0), end if statement.node.regions else position)
    for result in region.results:
        pending = [result]
        while pending:
            value = pending.pop()
            last[root(value)] = end
            if value not in stated:
                pending += value.args
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
