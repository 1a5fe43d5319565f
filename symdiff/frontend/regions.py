"""Regions that are evaluated one after the other from the same state, and what they leave.

Enters: what to evaluate in each region.  Leaves: the `Side`s; the places that differ between them; and, where
only run time knows which array a name refers to, doubts in the heap (`Heap.doubt`).  Invariant: after a side
was evaluated the state is what it was before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from keyword import iskeyword
from typing import Any

from symdiff.errors import SymdiffError
from symdiff.frontend.frame import Context, Frame, Scope
from symdiff.frontend.merge import Merge, Nodes, Pending, Plan
from symdiff.frontend.state import ABSENT, State, fill, leaves_of, restore, taken
from symdiff.frontend.values import POISON, Raised, Silent, StagedList
from symdiff.ir.build import OpenRegion
from symdiff.ir.node import Node, Region
from symdiff.records import dataclass

Names = frozenset[str]
Key = tuple[str, int, str]
RAISES = object()
"""What a side gives that raises: it never comes to its end."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Place:
    """See `state`."""

    kind: str
    owner: Any
    name: str = ""

    @property
    def key(self) -> Key:
        return self.kind, id(self.owner), self.name

    def value(self, state: State) -> Any:
        """What a state holds in this place; of a container its contents."""
        if self.kind == "name":
            return state.name(self.owner, self.name)
        if self.kind == "content":
            return state.content(self.owner)
        return state.values.get(self.owner, self.owner)

    def set(self, context: Context, value: Any) -> None:
        if self.kind == "content":
            fill(self.owner, value)
        elif self.kind == "heap":
            context.heap.hold(self.owner, value)
        elif value is ABSENT:
            self.owner.names.pop(self.name, None)
        else:
            self.owner.names[self.name] = value


@dataclass(slots=True, eq=False, repr=False)
class Side:
    """A region that was evaluated: its state at the end, and what the evaluation gave."""

    opened: OpenRegion
    state: State
    given: Any

    @property
    def raises(self) -> bool:
        return self.given is RAISES


def evaluated(frame: Frame, before: State, opened: OpenRegion | None, run: Callable[[], Any]) -> Side:
    """Evaluate something in a region of its own, or at the end of one that was closed."""
    context, builder = frame.context, frame.context.builder
    try:
        if opened is None:
            with builder.region() as opened:
                given = guarded(frame, run)
        else:
            with builder.resumed(opened):
                given = guarded(frame, run)
        return Side(opened, taken(context, frame, before), given)
    finally:
        restore(context, before)


def guarded(frame: Frame, run: Callable[[], Any]) -> Any:
    """What an evaluation gives; its problems are reported, so that the other side is evaluated as well."""
    try:
        return run()
    except Raised:
        return RAISES
    except SymdiffError as error:
        frame.context.report(error)
    except Silent:
        pass
    return POISON


@dataclass(slots=True, eq=False, repr=False)
class Mark:
    """What an attempt may add to besides the state, to go back to."""

    problems: int
    lengths: int
    calls: int

    @classmethod
    def of(cls, context: Context) -> Mark:
        return cls(len(context.problems), len(context.lengths), context.calls)

    def reset(self, context: Context) -> None:
        del context.problems[self.problems :], context.lengths[self.lengths :]
        context.calls = self.calls


# Places


def own_scope(frame: Frame) -> Scope:
    """The scope of the function that a frame evaluates."""
    scope = frame.scope
    while scope.comprehension and scope.parent is not None:
        scope = scope.parent
    return scope


def is_dead(frame: Frame, place: Place, live: Names | None) -> bool:
    """Whether nothing reads a name before it is set again."""
    if live is None or place.kind != "name" or place.owner is not own_scope(frame):
        return False
    if not place.name.startswith("_"):
        return place.name not in live
    return place.name not in (map(frame.mangle, live) if frame.owner else live)


def differing(
    states: Sequence[State], base: State, others: Sequence[State], inside: set[Node]
) -> Iterator[Place]:
    """The places in which one of the others holds something else than the base.

    states: all of them; the first knows every scope and container.  inside: storages that are left out.
    A function has many names and a branch changes few: what is the same costs no more than a look.
    """
    first = states[0]
    for key, (scope, _) in first.scopes.items():
        names = [state.scopes[key][1] for state in states]
        held = base.scopes[key][1]
        changed = {name for other in others for name in _unequal(held, other.scopes[key][1])}
        yield from (Place("name", scope, name) for name in _ordered(changed, names))
    for container, _ in first.contents.values():
        place = Place("content", container)
        if not all(is_same(place, place.value(base), place.value(other)) for other in others):
            yield place
    moved = {storage for other in others for storage in _unequal(base.values, other.values)}
    for storage in _ordered(moved, [state.values for state in states]):
        place = Place("heap", storage)
        if storage not in inside and any(place.value(base) is not place.value(other) for other in others):
            yield place


def _unequal(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> Iterator[Any]:
    """The keys of what is not the same in two dicts."""
    if len(one) != len(other) or one.keys() != other.keys():
        yield from one.keys() ^ other.keys()
    get = other.get
    yield from [key for key, value in one.items() if get(key, value) is not value]


def _ordered(keys: set[Any], several: Sequence[Mapping[Any, Any]]) -> list[Any]:
    """The keys in the order in which the dicts have them, one after the other."""
    if len(keys) < 2:
        return list(keys)
    return list(dict.fromkeys(key for one in several for key in [k for k in one if k in keys]))


def is_same(place: Place, a: Any, b: Any) -> bool:
    """Whether a place holds the same on both sides."""
    if place.kind != "content" or a is None or b is None:
        return a is b
    return list(a) == list(b) and all(a[key] is b[key] for key in a)


def nodes_of(*regions: Region) -> set[Node]:
    """All nodes that regions own."""
    found: set[Node] = set()
    pending = list(regions)
    while pending:
        region = pending.pop()
        found.update(region.params, region.body)
        pending += [inner for node in region.body for inner in node.regions]
    return found


# Doubts


def partners(
    frame: Frame, state: State, changed: set[Key], live: Names | None, leaves: Sequence[Any]
) -> list[list[Node | int]]:
    """By leaf: which other references share its memory on this side: nodes, and the numbers of other leaves.

    changed: the places whose values the leaves are.  Arguments are always shared: with the caller.
    """
    context = frame.context
    found: dict[Node, list[Node | int]] = {}
    for k, leaf in enumerate(leaves):
        for storage in storages(context, leaf):
            found.setdefault(storage, []).append(k)
    for node in _references(frame, state, changed, live) if found else ():
        for storage in storages(context, node):
            if storage in found:
                found[storage].append(node)
    shared: list[list[Node | int]] = []
    for k, leaf in enumerate(leaves):
        mine: list[Node | int] = []
        for storage in storages(context, leaf):
            mine += [other for other in found[storage] if other is not k]
            if storage.op.name == "param" and storage.attr("parameter") is not None:
                mine.append(storage)
        shared.append(mine)
    return shared


def storages(context: Context, value: Any) -> list[Node]:
    """The memory that a value may share, where it is an array or a list of arrays."""
    if isinstance(value, Pending):
        return list(dict.fromkeys(one for item in value.items for one in storages(context, item)))
    if not isinstance(value, Node) or value.type.kind not in ("array", "stack"):
        return []
    heap = context.heap
    found: dict[Node, None] = {}
    pending = [value]
    while pending:
        node = pending.pop()
        if node.type.kind == "array":
            storage = heap.storage(node)
            if heap.layout.scalar(storage) is True or storage in found:
                continue
            found[storage] = None
            node = storage
        pending += [other for other in heap.uncertain.get(node, ()) if other not in found]
    return list(found)


def _references(frame: Frame, state: State, changed: set[Key], live: Names | None) -> Iterator[Node]:
    """The references in all other places."""
    context, own = frame.context, own_scope(frame)
    yield from context.heap.pinned
    for scope, names in state.scopes.values():
        kept: Iterable[str] = names
        if live is not None and scope is own:
            read = set(map(frame.mangle, live))
            kept = [name for name in names if name in read]
        for name in kept:
            if ("name", id(scope), name) not in changed:
                yield from _direct(context, names[name])
    for container, content in state.contents.values():
        if ("content", id(container), "") not in changed:
            for value in content.values():
                yield from _direct(context, value)


def _direct(context: Context, value: Any) -> Iterator[Node]:
    if isinstance(value, Node):
        yield value
    elif isinstance(value, tuple) or id(value) in context.foreign:
        yield from leaves_of(context, value, set())


def doubt(context: Context, results: Sequence[Node], shared: Sequence[list[Node | int]]) -> None:
    """Mark results that may be the memory of something else."""
    for node, others in zip(results, shared, strict=True):
        references = [results[other] if isinstance(other, int) else other for other in others]
        references = [other for other in references if other is not node]
        if references and node.type.kind in ("array", "stack"):
            context.heap.doubt(node, references)


def doubt_containers(frame: Frame, merge: Merge, states: Sequence[State]) -> None:
    """Mark containers that stand for one of two of which one has another name."""
    context = frame.context
    for made, originals in merge.containers:
        for original, state in zip(originals, states, strict=False):
            if id(original) in context.foreign or _holders(state, original) > 1:
                context.unclear[id(made)] = made


def _holders(state: State, container: Any) -> int:
    """How many places refer to a container."""
    values = [value for _, names in state.scopes.values() for value in names.values()]
    values += [value for _, content in state.contents.values() for value in content.values()]
    values += [part for value in values if isinstance(value, tuple) for part in value]
    return sum(1 for value in values if value is container)


# Merging places


def plan_of(merge: Merge, place: Place, a: Any, b: Any) -> Plan:
    """How to put together what a place holds on two sides."""
    if place.kind == "heap":
        return Plan("leaf", merge.leaf(a, b))
    if place.kind == "content":
        return merge.content(a, b, place.owner)
    return merge.plan(a, b)


def put(frame: Frame, merge: Merge, place: Place, plan: Plan, nodes: Nodes) -> None:
    """Set a place to the value that nodes make of its plan; the nodes get the names of the places."""
    name_leaves(frame, place, plan, nodes)
    built = merge.build_content if plan.kind == "content" else merge.build
    place.set(frame.context, built(plan, nodes))


def name_leaves(frame: Frame, place: Place, plan: Plan, nodes: Nodes) -> None:
    name = place.owner.name if place.kind == "heap" else place.name.lstrip(".")
    if place.kind == "content" and isinstance(place.owner, StagedList):
        name, plan = place.owner.stack.name, plan.parts[0]
    pending = [(plan, name)]
    while pending:
        one, name = pending.pop()
        if one.kind in ("leaf", "late", "list") and name and isinstance(nodes[one.value], Node):
            frame.context.builder.named(nodes[one.value], name)
        for key, part in zip(one.keys or [""] * len(one.parts), one.parts, strict=True):
            known = isinstance(key, str) and key.isidentifier() and not iskeyword(key)
            pending.append((part, key if known else name))
