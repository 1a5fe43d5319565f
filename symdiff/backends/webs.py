"""Which values share a variable.

Enters: a `Schedule` with `Lifetimes` and `Memory`.  Leaves: for every cell its `Web`, one variable of the
generated function.  Invariant: of the cells of a web no two are alive at the same point, so that where one is
read, the variable holds it; what this leaves apart is connected by assignments (`backends.flow`).

Cells are joined where that saves a statement: a written value with what it is written into, the next value of
a loop with what the loop carries, the results of the branches with the result of the `if`; the innermost
first. Values that the user gave two names keep both.
"""

from __future__ import annotations

import re
from bisect import insort
from collections.abc import Iterator

from symdiff.backends.choice import CONTROL, LOOPS, SHAPES, WRITES
from symdiff.backends.lifetimes import Lifetimes, Stretches, overlap
from symdiff.backends.memory import Memory
from symdiff.backends.schedule import Block, Cell, Schedule, Statement, sources
from symdiff.ir.control import UNDEFINED
from symdiff.ir.node import Node
from symdiff.records import dataclass


@dataclass(slots=True, eq=False, repr=False)
class Web:
    """Cells that share a variable, in program order, where they live, and what the user calls them."""

    cells: list[Cell]
    stretches: Stretches
    called: set[str]
    name: str = ""
    argument: bool = False

    @property
    def first(self) -> int:
        return self.stretches[0][0]

    @property
    def flows(self) -> bool:
        """Whether a loop or a branch assigns it."""
        return any(cell.depth or cell.kind in ("carried", "branch", "counter") for cell in self.cells)


class Webs:
    """`of`: by cell, its web."""

    def __init__(self, schedule: Schedule, lifetimes: Lifetimes, memory: Memory):
        self.schedule = schedule
        self.of: dict[Cell, Web] = {}
        for cell in dict.fromkeys(schedule.cells.values()):
            called = {base_name(cell.name)} if cell.name and cell.primal else set()
            web = Web([cell], list(lifetimes.names[cell]), called, argument=cell.kind == "argument")
            self.of[cell] = web
        for cell, other, firm in self._pairs(memory):
            self._join(cell, other, firm)

    def web(self, cell: Cell) -> Web:
        return self.of[cell]

    def all(self) -> list[Web]:
        """Every web once, in the order of their first cells."""
        return list(dict.fromkeys(self.of[cell] for cell in self.schedule.cells.values()))

    def scopes(self) -> dict[Block, list[Web]]:
        """The webs of each function, the outermost first, in the order of their first cells."""
        found: dict[Block, list[Web]] = {
            block: [] for block in self.schedule.blocks if block.kind in ("function", "closure")
        }
        for web in sorted(self.all(), key=lambda web: web.first):
            block = self._block(web.cells[0])
            while block not in found:
                assert block.owner is not None
                block = block.owner.block
            found[block].append(web)
        return found

    def _block(self, cell: Cell) -> Block:
        return next(iter(cell.homes))

    def handed_on(self) -> set[Node]:
        """Values that a loop's body computes only to hand them on, in variables of their own."""
        read: dict[Cell, int] = {}
        found: dict[Cell, Node] = {}
        for statement in self.schedule.statements:
            for cell, block, source in sources(statement) if statement.node.op in LOOPS else ():
                other = self.schedule.cell(source)
                if block is None or other is None or other.kind != "value" or other.statement is None:
                    continue
                read[other] = read.get(other, 0) + 1
                apart = self.of[other] is not self.of[cell] and other.homes.keys() == {block}
                if apart and not other.name and is_movable(other.statement):
                    found[other] = other.node
        return {node for cell, node in found.items() if read[cell] == self.schedule.uses(cell) == 1}

    def _pairs(self, memory: Memory) -> Iterator[tuple[Cell, Cell, bool]]:
        """What would better share a variable, the most important first; and whether by whatever name."""
        schedule, cells = self.schedule, self.schedule.cells
        for statement, old in memory.reuses.items():
            known = schedule.cell(old)
            assert known is not None
            yield cells[statement.node], known, True
        for statement in schedule.statements:
            if statement.node.op.name in WRITES and not (
                statement.node.op.name == "add_at" and statement in memory.copies
            ):
                made = statement.cells[0] if statement.node.op.name == "pop" else cells.get(statement.node)
                base = schedule.cell(statement.node.args[0])
                if made is not None and base is not None and not _is_another_quantity(made, base):
                    yield made, base, statement.node.op.name == "add_at"
        controls = [one for one in schedule.statements if one.cells and one.node.regions]
        controls.sort(key=lambda one: -one.block.depth)
        for entering in (False, True):
            for statement in controls:
                for cell, block, source in sources(statement):
                    other = schedule.cell(source)
                    if (block is None) is entering and other is not None:
                        yield cell, other, False

    @staticmethod
    def _argument_fits(one: Web, other: Web) -> bool:
        """Whether another value may be called like this argument."""
        return not one.argument or (
            one.called >= other.called and (one.called == other.called or len(other.cells) == 1)
        )

    def _join(self, cell: Cell, other: Cell, firm: bool) -> bool:
        one, two = self.of[cell], self.of[other]
        if one is two:
            return True
        if not firm and len(one.called | two.called) > 1:
            return False
        if (
            (one.argument and two.argument)
            or not self._argument_fits(one, two)
            or not self._argument_fits(two, one)
        ):
            return False
        if overlap(one.stretches, two.stretches):
            return False
        if len(one.cells) < len(two.cells):
            one, two = two, one
        one.cells += two.cells
        one.stretches = _both(one.stretches, two.stretches)
        one.called |= two.called
        one.argument |= two.argument
        for moved in two.cells:
            self.of[moved] = one
        return True


def _is_another_quantity(made: Cell, base: Cell) -> bool:
    """Whether a derivative begins as one of the user's arrays, whose name would say that it still is."""
    return made.node.type.kind == "array" and base.primal and not made.primal


def _both(one: Stretches, other: Stretches) -> Stretches:
    large, small = (one, other) if len(one) >= len(other) else (other, one)
    for stretch in small:
        insort(large, stretch)
    return large


def is_movable(statement: Statement) -> bool:
    """Whether an operation may as well be computed at the end of its block: nothing is written in between."""
    node, block = statement.node, statement.block
    if not node.op.pure or node.regions or node.op.name in ("scatter", *WRITES):
        return False
    if all(arg.type.kind == "number" or arg.type.dims == () for arg in node.args):
        return True
    later = block.statements[block.statements.index(statement) + 1 :]
    return not any(one.node.regions or one.node.op.effect or one.node.op.name in WRITES for one in later)


def needs_nothing(schedule: Schedule, webs: Webs) -> set[Cell]:
    """The cells that have to be None where they are undefined: another variable is assigned from theirs, or
    the way back measures them where nothing was added to their cotangent, which nobody reads there."""
    edges = [
        edge
        for statement in schedule.statements
        if statement.node.op in CONTROL
        for edge in sources(statement)
    ]
    unset = {webs.of[cell] for cell, _, source in edges if schedule.resolved(source).op is UNDEFINED}
    needed: set[Web] = set()
    while True:
        more = set()
        for cell, _, source in edges:
            other = schedule.cell(source)
            if other is not None and webs.of[other] in unset and webs.of[other] is not webs.of[cell]:
                needed.add(webs.of[other])
                more.add(webs.of[cell])
        if more <= unset:
            break
        unset |= more
    for statement in schedule.statements:
        if statement.node.op.name in ("push", "stack_item"):
            needed.update(
                webs.of[cell] for cell, _ in schedule.leaves(statement.node.args) if webs.of[cell] in unset
            )
    needed.update(webs.of[cell] for cell in _measured(schedule) if webs.of[cell] in unset)
    return {cell for cell, web in webs.of.items() if web in needed}


def _measured(schedule: Schedule) -> Iterator[Cell]:
    """The cells that derived code reads for their shape alone."""
    for statement in schedule.statements:
        whole = statement.node.op.name in SHAPES
        if not statement.node.primal:
            yield from (cell for cell, light in schedule.leaves(statement.node.args) if whole or light)
    for block in schedule.blocks:
        yield from (cell for cell, light in schedule.leaves(block.region.results) if light)


def base_name(name: str) -> str:
    """The user's name of a value that was given a number to tell it from others."""
    return re.sub(r"(?<=^.)\d+$|(?<=..)_\d+$", "", name)
