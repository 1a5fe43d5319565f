"""Which values still stand in an array when the loop that fills it has ended.

Enters: a forward value that is read from an array, or written into one, inside a loop.  Leaves: the loop
and the place where its final array holds the value; nothing where a later write may reach the
place.  Invariant: `y[i - 1]` that is read before `y[i]` is written is found in the final `y`, `x[i]` that
is read before `x[i]` is written is not; nor is `x[i:]`, but `x[:i]` is.

The proof looks for one axis on which the read stands below every index that this iteration of the outermost
loop and all after it write to (above, where the loop runs down).  Indices, and the ends of slices, are
counters of loops plus constants; those that may be negative count from the end and prove nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from symdiff.autodiff.activity import LOOPS, item_of
from symdiff.autodiff.memory import Homes
from symdiff.ir.control import FOR, carried_of
from symdiff.ir.node import Node, Region
from symdiff.records import dataclass

Storage = tuple[Node, int]


@dataclass(frozen=True, eq=False, slots=True)
class Place:
    """Where a value stands: in the `index`-th carried value that a loop ends with."""

    loop: Node
    index: int
    operands: tuple[Node, ...]
    spec: tuple[tuple[Any, ...], ...]


class Edge(NamedTuple):
    """The least or the greatest index on an axis: a number plus a constant.  A slice ends before its stop."""

    number: Node | int
    offset: int = 0


class Axis(NamedTuple):
    """The indices on an axis; an edge is None where the array's own end is the edge."""

    least: Edge | None
    greatest: Edge | None
    single: bool


class Bound(NamedTuple):
    """A number, or the counter of the outermost loop plus a number."""

    relative: bool
    offset: int


class Places:
    def __init__(self, homes: Homes):
        self.homes = homes
        self._found: dict[Node, Place | None] = {}
        self._writes: dict[Storage, list[Node]] = {}
        self._storages: dict[Node, Storage | None] = {}

    def of(self, value: Node) -> Place | None:
        """Where a value stands in the end."""
        if value not in self._found:
            self._found[value] = self._find(value)
        return self._found[value]

    def _find(self, value: Node) -> Place | None:
        if value.op.name == "index" and value.args[0] in self.homes.region:
            return self._proved(value.args[0], value.args[1:], value.attr("index"), None)
        for write in self.homes.users(value):
            fits = write.op.name == "update" and write.args[1] is value and not write.attr("view", ())
            if (
                fits
                and not self._is_repeated(write)
                and (_fills(write, value) or _is_read_there(write, value))
            ):
                return self._proved(write, write.args[2:], write.attr("index", ()), write)
        return None

    def _proved(self, array: Node, operands: tuple[Node, ...], spec: Any, own: Node | None) -> Place | None:
        storage = self.storage(array)
        if storage is None or self.homes.is_overwritten_later(*storage):
            return None
        place = Place(*storage, operands, spec)
        if not self._is_plain(storage) or not all(
            self._is_kept(place, w, w is own) for w in self._writes[storage]
        ):
            return None
        return place

    def _is_plain(self, storage: Storage) -> bool:
        """Whether a loop only writes into the array that it carries; notes the writes."""
        loop, k = storage
        if storage not in self._writes:
            inside = list(_below(loop.regions[-1]))
            self._writes[storage] = [
                n for n in inside if n.op.name == "update" and self.storage(n) == storage
            ]
        stays = self.storage(loop.regions[-1].results[k]) == storage
        plain = not any(write.attr("view", ()) for write in self._writes[storage])
        return stays and plain and loop.op is FOR and loop.args[2].is_const

    def storage(self, node: Node) -> Storage | None:
        """The outermost loop and the carried value whose memory an array is a version of."""
        if node not in self._storages:
            self._storages[node] = None  # until it is known
            self._storages[node] = self._storage(node)
        return self._storages[node]

    def _storage(self, node: Node) -> Storage | None:
        owner, k = item_of(node)
        if node.op.name == "update":
            return self.storage(node.args[0])
        if node in self.homes.carried:
            loop, k = self.homes.carried[node]
            if k < 0:
                return None
            return (loop, k) if loop not in self.homes.region else self.storage(carried_of(loop)[k])
        if owner.op.name in LOOPS and owner in self.homes.region:
            first = self.storage(carried_of(owner)[k])
            return first if first == self.storage(owner.regions[-1].results[k]) else None
        if owner.op.name == "if" and owner in self.homes.region:
            one, other = (self.storage(region.results[k]) for region in owner.regions)
            return one if one == other else None
        return None

    def _is_repeated(self, write: Node) -> bool:
        """Whether a write may run more than once in an iteration of the outermost loop."""
        around = [node for node in self.homes.around(self.homes.region.get(write)) if node.op.name in LOOPS]
        return len(around) != 1

    def _is_kept(self, place: Place, write: Node, own: bool) -> bool:
        """Whether a write leaves a place alone from the iteration on in which it is read; own: in which it is
        written by this very write."""
        loop = place.loop
        down = bool(loop.attr("reverse")) != (loop.args[2].value.real < 0)
        pairs = zip(
            _axes(place.spec, place.operands), _axes(write.attr("index", ()), write.args[2:]), strict=False
        )
        for read, into in pairs:
            edge, end = (read.least, into.greatest) if down else (read.greatest, into.least)
            if edge is None or end is None or not self._is_positive(edge, loop):
                continue
            slack = 1 if own else 0
            if down:
                low, high = self._low(edge, loop), self._high(end, loop)
                if self._is_positive(end, loop) and _is_below(high, low, slack):
                    return True
            elif _is_below(self._high(edge, loop), self._low(end, loop), slack):
                return True
        return False

    def _is_positive(self, edge: Edge, loop: Node) -> bool:
        """Whether the number that is written there never counts from the end."""
        low = self._bound(edge.number, loop, False)
        if low is not None and low.relative:
            least = self._least(loop)
            return least is not None and least + low.offset >= 0
        return low is not None and low.offset >= 0

    def _least(self, loop: Node) -> int | None:
        """The least number that a counter takes."""
        start, stop, step = loop.args[:3]
        if step.value.real > 0:
            return int(start.value.real) if start.is_const else None
        return int(stop.value.real) + 1 if stop.is_const else None

    def _low(self, edge: Edge, loop: Node) -> Bound | None:
        return _moved(self._bound(edge.number, loop, False), edge.offset)

    def _high(self, edge: Edge, loop: Node) -> Bound | None:
        return _moved(self._bound(edge.number, loop, True), edge.offset)

    def _bound(self, index: Node | int, outermost: Node, high: bool) -> Bound | None:
        """What an index is at least, or at most, in an iteration of the outermost loop."""
        if isinstance(index, int):
            return Bound(False, index)
        base, offset = _affine(index)
        if base is None:
            return Bound(False, offset)
        loop, k = self.homes.carried.get(base, (None, 0))
        if loop is None or k >= 0:
            return None
        if loop is outermost:
            return Bound(True, offset)
        start, stop, step = loop.args[:3]
        if not step.is_const:
            return None
        up = step.value.real > 0
        end, extra = (start, 0) if up is not high else (stop, -1 if up else 1)
        return _moved(self._bound(end, outermost, high), extra + offset)


def _moved(bound: Bound | None, offset: int) -> Bound | None:
    return None if bound is None else Bound(bound.relative, bound.offset + offset)


def _is_below(one: Bound | None, other: Bound | None, slack: int) -> bool:
    """Whether a bound stays below another, `slack` iterations further on."""
    if one is None or other is None or one.relative != other.relative:
        return False
    return one.offset < other.offset + (slack if one.relative else 0)


def _affine(node: Node) -> tuple[Node | None, int]:
    """An index as a value plus a constant."""
    offset = 0
    while node.op.name in ("add", "subtract"):
        a, b = node.args
        if b.is_const and isinstance(b.value, int):
            offset += b.value if node.op.name == "add" else -b.value
            node = a
        elif a.is_const and isinstance(a.value, int) and node.op.name == "add":
            offset, node = offset + a.value, b
        else:
            return node, offset
    if node.is_const and isinstance(node.value, int):
        return None, offset + node.value
    return node, offset


def _axes(spec: Any, operands: tuple[Node, ...]) -> Iterator[Axis]:
    """The indices by axis from the front; ends where something else than an index or a slice stands."""
    for entry in spec:
        if entry[0] == "slice" and entry[3] in (None, 1):
            start, stop = (_value(part, operands) for part in entry[1:3])
            least = Edge(0) if start is None else Edge(start)
            yield Axis(least, None if stop is None else Edge(stop, -1), False)
        elif entry[0] == "slice":
            yield Axis(None, None, False)
        elif entry[0] in ("int", "arg"):
            one = _value(entry[1] if entry[0] == "int" else entry, operands)
            if not isinstance(one, int) and (one is None or one.type.dims != () or one.type.dtype == "bool"):
                return
            yield Axis(Edge(one), Edge(one), True)
        else:
            return


def _value(part: Any, operands: tuple[Node, ...]) -> Node | int | None:
    """What an index says: a number, or one that is computed."""
    return operands[part[1]] if isinstance(part, tuple) else part


def _fills(write: Node, value: Node) -> bool:
    """Whether a value is as large as the place and of the array's dtype, so that it is found there again."""
    if value.type.kind == "number" or value.type.dtype != write.type.dtype or value.type.dims is None:
        return False
    singles = list(_axes(write.attr("index", ()), write.args[2:]))
    whole = len(singles) == len(write.attr("index", ())) and all(one.single for one in singles)
    dims = write.type.dims
    return whole and dims is not None and value.type.dims == dims[len(singles) :]


def _is_read_there(write: Node, value: Node) -> bool:
    """Whether a value has the shape of what it is computed from, which was read at the same place."""
    spec, operands = write.attr("index", ()), write.args[2:]
    if value.type.dtype != write.type.dtype or value.type.dims is None:
        return False
    return any(
        arg.op.name == "index"
        and arg.args[1:] == operands
        and arg.attr("index") == spec
        and arg.type.dims == value.type.dims
        and arg.args[0].type.dims == write.type.dims
        for arg in value.args
    )


def _below(region: Region) -> Iterator[Node]:
    for node in region.body:
        yield node
        for inner in node.regions:
            yield from _below(inner)
