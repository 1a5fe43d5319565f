"""Reading and writing places of a batch.

Enters: an index of items, whose arrays may themselves be batched.  Leaves: the index of the batch: a full
slice in front, or `arange` where every item of the batch has places of its own.  Invariant: axes that NumPy
moves (arrays that stand apart in an index stand in front of the result) are moved back behind the batch's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from symdiff.autodiff.batching_operands import (
    Call,
    Operand,
    Refused,
    aligned,
    lengths,
    shaped,
    sizes_of,
    whole,
)
from symdiff.ir.node import Node
from symdiff.ops.axes import moveaxis
from symdiff.ops.creation import arange
from symdiff.ops.indexing import FULL, Index, _advanced, _infer_index, _separated, add_at, index, scatter
from symdiff.ops.shaping import expand_dims, zeros
from symdiff.ops.updates import update


class _Places:
    """An index of the batch.

    operands, entries: the index.  front: axes of the place that stand in front of the batch's.  behind: how
    many axes stand right behind the batch's that belong at `home`.
    """

    def __init__(self, call: Call, operands: Sequence[Operand], spec: Index, base: Node, whole_base: bool):
        given = tuple(one for one in call.node.args[-len(operands) :]) if operands else ()
        self.rank = len(_infer_index(base, *given, index=spec).dims or ())
        fancy = any(_advanced(entry, given) for entry in spec)
        self.front, self.behind, self.home = 0, 0, 0
        if not any(one.batched for one in operands):
            self.operands = [one.node for one in operands]
            self.entries: Index = (FULL, *spec)
            if fancy and _separated(spec):
                self.front = self._common(given, spec)
            return
        self._check(operands, spec, given)
        common = self._common(given, spec)
        self.operands = [
            aligned(one, common) if k in self._selectors(spec) else one.node for k, one in enumerate(operands)
        ]
        if not whole_base:
            raise Refused
        places = arange(call.count)
        self.operands.append(expand_dims(places, axis=tuple(range(1, common + 1))) if common else places)
        self.entries = (("arg", len(operands)), *spec)
        if fancy and not _separated(spec):
            self.behind, self.home = common, self._first(base, given, spec)

    def _check(self, operands: Sequence[Operand], spec: Index, given: Sequence[Node]) -> None:
        """Raises `Refused` where items would be of different lengths."""
        selectors = self._selectors(spec)
        for k, one in enumerate(operands):
            if one.type.dtype == "bool" or (one.batched and k not in selectors):
                raise Refused

    @staticmethod
    def _selectors(spec: Index) -> set[int]:
        return {entry[1] for entry in spec if entry[0] == "arg"}

    @staticmethod
    def _common(given: tuple[Node, ...], spec: Index) -> int:
        """How many axes the arrays of an index have together."""
        ranks = [0]
        for entry in spec:
            if entry[0] == "arg":
                one = given[entry[1]].type
                ranks.append(1 if one.dtype == "bool" else one.rank or 0)
        return max(ranks)

    @staticmethod
    def _first(base: Node, given: tuple[Node, ...], spec: Index) -> int:
        """Where in the place the axes of the arrays stand."""
        place = 0
        used = sum(entry[0] in ("int", "slice", "arg") for entry in spec)
        for entry in spec:
            if entry[0] in ("int", "arg"):
                break
            place += (base.type.rank or 0) - used if entry[0] == "ellipsis" else 1
        return place

    def read(self, made: Node) -> Node:
        """What was read, in the order of axes that the items have."""
        if self.front:
            return moveaxis(made, source=self.front, destination=0)
        if self.behind and self.home:
            axes = range(1, self.behind + 1)
            return moveaxis(made, source=tuple(axes), destination=tuple(i + self.home for i in axes))
        return made

    def written(self, value: Operand) -> Node:
        """A value for the place, in the order of axes that the place has."""
        made = aligned(value, self.rank)
        if not value.batched:
            if not (self.front or (self.behind and self.home)):
                return made
            made = (
                expand_dims(made, axis=tuple(range(self.rank - value.rank)))
                if value.rank < self.rank
                else made
            )
            made = expand_dims(made, axis=0)
        if self.front:
            return moveaxis(made, source=0, destination=self.front)
        if self.behind and self.home:
            axes = range(1, self.behind + 1)
            return moveaxis(made, source=tuple(i + self.home for i in axes), destination=tuple(axes))
        return made


def _index(call: Call) -> Node | None:
    x, *operands = call.args
    spec = call.node.attr("index", ())
    if any(one.batched for one in operands) and not x.batched:
        return _read_by_item(call, x, operands, spec)
    places = _Places(call, operands, spec, call.node.args[0], True)
    return places.read(index(x.node, *places.operands, index=places.entries))


def _read_by_item(call: Call, x: Operand, operands: Sequence[Operand], spec: Index) -> Node | None:
    """One array read at places of every item: as if it were there for each, without a copy."""
    entries = [entry for entry in spec if entry[0] != "ellipsis"]
    simple = len(entries) == 1 and entries[0][0] == "arg" and spec[0][0] == "arg"
    if simple and operands[0].type.dtype != "bool":
        return index(x.node, operands[0].node, index=spec)
    spread = Operand(whole(x, call.count), True, x.type)
    places = _Places(call, operands, spec, call.node.args[0], True)
    return places.read(index(spread.node, *places.operands, index=places.entries))


def _scatter(call: Call) -> Node:
    g, shape, *operands = call.args
    with call.builder.apart():
        base = zeros(call.node.args[1])
    places = _Places(call, operands, call.node.attr("index"), base, True)
    target = shaped(call.count, sizes_of(shape.node))
    value = g if g.batched else Operand(whole(g, call.count), True, g.type)
    return scatter(places.written(value), target, *places.operands, index=places.entries)


def _add_at(call: Call) -> Node:
    total, g, *operands = call.args
    places = _Places(call, operands, call.node.attr("index"), call.node.args[0], True)
    base = whole(total, call.count, own=True)
    return add_at(base, places.written(g), *places.operands, index=places.entries)


def _update(call: Call) -> Node | None:
    base, value, *operands = call.args
    spec, view = call.node.attr("index", ()), call.node.attr("view", ())
    steps = []
    rank = base.rank
    for step in view:
        kind, *data = step
        if kind in ("real", "imag"):
            steps.append(step)
        elif kind == "transpose":
            axes = tuple(reversed(range(rank))) if data[0] is None else tuple(axis % rank for axis in data[0])
            steps.append(("transpose", (0, *(axis + 1 for axis in axes))))
        else:
            return None
    places = _Places(call, operands, spec, _viewed(call, view), True)
    made = whole(base, call.count, own=True)
    return update(made, places.written(value), *places.operands, index=places.entries, view=tuple(steps))


def _viewed(call: Call, view: Sequence[tuple[object, ...]]) -> Node:
    """The array that is indexed, for its type."""
    from symdiff.ops.updates import at

    base, _, *operands = call.node.args
    if not view:
        return base
    with call.builder.apart():
        return at(base, operands, (("ellipsis",),), tuple(view))


PLACES: dict[str, Callable[[Call], Node | None]] = {
    "index": _index,
    "scatter": _scatter,
    "add_at": _add_at,
    "update": _update,
}
_ = lengths
