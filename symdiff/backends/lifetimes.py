"""When every value is still read: the stretches of a schedule where its variable, or its memory, must not
change.

Enters: a `Schedule`. Leaves: for every cell the stretches where it is alive, as closed intervals of points,
sorted and apart. Invariant: at a point outside of them, no way from there reads the value before it is
assigned anew.

A value that a loop only reads is alive throughout the loop; what a branch reads is alive in that branch and
not in the other; what an inner function closes over is alive to the end, for it may be called again. Reading
the shape of an array keeps its variable alive, but not its memory: writing changes no shape.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from symdiff.backends.choice import WRITES
from symdiff.backends.schedule import Block, Cell, Schedule, Statement
from symdiff.ir.control import FOR, IF, WHILE, carried_of
from symdiff.ir.node import Node

Stretches = list[tuple[int, int]]


class Lifetimes:
    """`names` and `memory`: by cell, where its variable and where its memory is needed."""

    def __init__(self, schedule: Schedule, always: Iterable[Cell] = ()):
        self.schedule = schedule
        self.end = 4 * schedule.end + 3
        self._found: tuple[dict[Cell, Stretches], dict[Cell, Stretches]] = ({}, {})
        self._reached: dict[tuple[Cell, Block, bool], int] = {}
        for cell in dict.fromkeys(schedule.cells.values()):
            for found in self._found:
                found[cell] = list(cell.given)
        for statement in schedule.statements:
            self._statement(statement)
        for block in schedule.blocks:
            self._results(block)
        for cell in always:
            self._use(cell, schedule.top, self.end, False)
        self.names, self.memory = (
            {cell: merged(all_) for cell, all_ in found.items()} for found in self._found
        )

    def last(self, cell: Cell) -> int:
        return self.memory[cell][-1][1]

    def _read(self, roots: Iterable[Node], block: Block, point: int) -> None:
        for cell, light in self.schedule.leaves(roots):
            self._use(cell, block, point, light)

    def _statement(self, statement: Statement) -> None:
        node, block, point = statement.node, statement.block, 4 * statement.position
        if node.op is FOR:
            self._read(carried_of(node), block, point + 2)
            entered = measured_in_head(self.schedule, statement)
            for cell, light in self.schedule.leaves(node.args[:3]):
                if cell not in entered:
                    self._use(cell, block, 4 * statement.head + 2, light)
        elif node.op in (WHILE, IF):
            self._read(node.args, block, point + 2)
        elif node.op.name in WRITES:
            self._read(node.args[:1], block, point)
            base = self.schedule.cell(node.args[0])
            for cell, light in self.schedule.leaves(node.args[1:]):
                self._use(cell, block, point if cell is base else point + 2, light)
        else:
            self._read(node.args, block, point + 2)

    def _results(self, block: Block) -> None:
        point, owner, results = 4 * block.end + 2, block.owner, block.region.results
        if owner is None or block.kind in ("closure", "condition"):
            self._read(results, block, point)
            return
        pairs = zip(owner.cells, results, strict=False)
        self._read([result for cell, result in pairs if cell is not None], block, point)
        if block.kind == "body" and owner.flag is not None:
            self._read(results[-1:], block, 4 * block.start + 2)
            self._use(owner.flag, block, 4 * owner.stop + 2, False)
        elif block.kind == "body" and owner.node.attr("breaks"):
            handed = handed_on(self.schedule, owner)
            for cell, light in self.schedule.leaves(results[-1:]):
                self._use(cell, block, point if cell in handed else 4 * owner.stop + 2, light)

    def _use(self, cell: Cell, block: Block, point: int, light: bool) -> None:
        """Reading `cell` at `point`, in this block."""
        while True:
            key = (cell, block, light)
            if self._reached.get(key, -1) >= point:
                return
            self._reached[key] = point
            home = cell.homes.get(block)
            if home is not None:
                self._add(cell, home, point, light)
                return
            owner = block.owner
            assert owner is not None, cell.node
            if block.kind in ("body", "condition"):
                point = 4 * owner.end + 3
            elif block.kind == "closure":
                point = self.end
            else:
                self._add(cell, 4 * block.start, point, light)
                point = 4 * owner.position + 2
            block = owner.block

    def _add(self, cell: Cell, start: int, end: int, light: bool) -> None:
        for found in self._found[: 1 if light else 2]:
            found[cell].append((start, end))


def handed_on(schedule: Schedule, loop: Statement) -> dict[Cell, Cell]:
    """The next values of a loop, by what carries them: where this was assigned, it may be read instead."""
    found: dict[Cell, Cell] = {}
    for carried, result in zip(loop.cells, loop.blocks[-1].region.results, strict=False):
        cell = schedule.cell(result)
        if carried is not None and cell is not None:
            found.setdefault(cell, carried)
    return found


def measured_in_head(schedule: Schedule, loop: Statement) -> dict[Cell, Cell]:
    """Arrays that the head of a loop measures, by what carries them on: this has their shape, and is read
    instead."""
    found: dict[Cell, Cell] = {}
    resolve = schedule.function.sizes.resolve
    for carried, initial in zip(loop.cells, carried_of(loop.node), strict=False):
        cell = schedule.cell(initial)
        if carried is None or cell is None or initial.type.kind != "array" or initial.type.dims is None:
            continue
        if resolve(carried.node.type.dims) == resolve(initial.type.dims):
            found.setdefault(cell, carried)
    heavy = {cell for cell, light in schedule.leaves(loop.node.args[:3]) if not light}
    return {cell: carried for cell, carried in found.items() if cell not in heavy}


def merged(stretches: Iterable[tuple[int, int]]) -> Stretches:
    made: Stretches = []
    for start, end in sorted(stretches):
        if made and start <= made[-1][1] + 1:
            made[-1] = made[-1][0], max(end, made[-1][1])
        else:
            made.append((start, end))
    return made


def alive(stretches: Stretches, point: int) -> bool:
    place = bisect_right(stretches, (point, 1 << 60)) - 1
    return place >= 0 and stretches[place][1] >= point


def overlap(one: Stretches, other: Stretches) -> bool:
    """Whether two sets of stretches have a point in common."""
    if len(one) > len(other):
        one, other = other, one
    for start, end in one:
        place = bisect_right(other, (end, 1 << 60)) - 1
        if place >= 0 and other[place][1] >= start:
            return True
    return False
