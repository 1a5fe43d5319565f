"""Which values become statements, in which order and in which blocks, and which become parts of expressions.

Enters: a function.  Leaves: a `Schedule`: a tree of `Block`s of `Statement`s with positions, and the `Cell`s,
the values that need a variable.  Invariant: every value is computed at most once, in the user's order; what
stands in an expression is read once, in the block that computes it; fresh constants that are written into are
made anew for everyone who does.

A cell is one value, or the one thing that changes: what a loop carries (initial, parameter, next and final
value), or the result of an `if`.  `backends.webs` lets cells share variables, `backends.memory` says which
share memory.

Positions count statements in program order; one statement has four points, 4 * position plus

    0  the written operand is read    1  the written value is there
    2  everything else is read        3  the value is there
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Literal

from symdiff.backends.choice import LOOPS, SHAPES, STATED, Choice
from symdiff.ir.control import IF, WHILE, carried_of, carried_params
from symdiff.ir.node import Function, Node, Region
from symdiff.ops.control import store
from symdiff.records import dataclass, field

BlockKind = Literal["function", "closure", "then", "otherwise", "body", "condition"]
CellKind = Literal["value", "argument", "counter", "carried", "branch"]


@dataclass(slots=True, eq=False, repr=False)
class Block:
    """Statements of one region; `start` and `end` are positions around them; results are read at `end`."""

    kind: BlockKind
    region: Region
    owner: Statement | None
    depth: int = 0  # how many loops and branches there are around it
    statements: list[Statement] = field(default_factory=list)
    start: int = 0
    end: int = 0


@dataclass(slots=True, eq=False, repr=False)
class Statement:
    """`node` is computed here.

    head: where the bounds or the condition of a loop are read, after the initial values were assigned. stop:
    where a loop reads whether it breaks, after the next values were assigned. flag: holds that where it is a
    value that the loop carries, which is assigned anew before. cells: of a control node, by index of its
    result; None for results that nobody reads.
    """

    node: Node
    block: Block
    position: int
    head: int = 0
    stop: int = 0
    end: int = 0
    blocks: list[Block] = field(default_factory=list)
    cells: list[Cell | None] = field(default_factory=list)
    counter: Cell | None = None
    flag: Cell | None = None
    frees: list[Cell] = field(default_factory=list)


@dataclass(slots=True, eq=False, repr=False)
class Cell:
    """A variable to be.

    node: the value, or the parameter of a loop.  homes: by block, the point from which a read finds it
    there.  given: the points where it is assigned, with those until which it lives in any case.
    """

    node: Node
    kind: CellKind
    statement: Statement | None
    index: int = 0
    homes: dict[Block, int] = field(default_factory=dict)
    given: list[tuple[int, int]] = field(default_factory=list)
    name: str = ""
    primal: bool = True
    depth: int = 0


class Schedule:
    """The statements of a function; values of `forced` get one although they could be part of an expression,
    those of `inlined` none; those of `last` stand at the ends of their blocks."""

    def __init__(
        self,
        function: Function,
        forced: Iterable[Node] = (),
        inlined: Iterable[Node] = (),
        last: Collection[Node] = (),
    ):
        self.function = function
        self._last = last
        self.same: dict[Node, Node] = {}  # results of blocks, which are written inline
        self.cells: dict[Node, Cell] = {}
        self.statements: list[Statement] = []
        self.blocks: list[Block] = []
        chosen = Choice(function, self.same, set(forced), set(inlined))
        self.kept, self.stated = chosen.kept, chosen.stated
        self.needed = chosen.needed
        self._position = 0
        self._counts: dict[Cell, int] = {}
        self.top = self._block("function", function.body, None, 0)
        self.end = self._next()

    @property
    def flows(self) -> bool:
        """Whether there is more than straight-line code and closures."""
        return any(block.depth for block in self.blocks)

    def resolved(self, node: Node) -> Node:
        return self.same.get(node, node)

    def cell(self, node: Node) -> Cell | None:
        return self.cells.get(self.same.get(node, node))

    def reached(self, roots: Iterable[Node]) -> list[Node]:
        """The values with a variable that an expression reads."""
        found, pending = [], list(roots)
        while pending:
            node = self.resolved(pending.pop())
            if node in self.cells:
                found.append(node)
            else:
                pending += node.args
        return found

    def leaves(self, roots: Iterable[Node]) -> Iterator[tuple[Cell, bool]]:
        """The cells that an expression reads, once per occurrence, and whether it reads their shape alone."""
        pending = [(node, False) for node in roots]
        while pending:
            node, light = pending.pop()
            node = self.same.get(node, node)
            cell = self.cells.get(node)
            if cell is not None:
                yield cell, light
            else:
                light = light or node.op.name in SHAPES
                first = node.args[:1]
                pending += [
                    (arg, light or (node.op.name == "fit_like" and (arg,) != first)) for arg in node.args
                ]

    def uses(self, cell: Cell) -> int:
        """How often a cell is read, by statements and at the ends of blocks."""
        if not self._counts:
            roots = [statement.node.args for statement in self.statements]
            roots += [block.region.results for block in self.blocks]
            for values in roots:
                for read, _ in self.leaves(values):
                    self._counts[read] = self._counts.get(read, 0) + 1
        return self._counts.get(cell, 0)

    def _next(self) -> int:
        self._position += 1
        return self._position

    def _block(self, kind: BlockKind, region: Region, owner: Statement | None, depth: int) -> Block:
        block = Block(kind, region, owner, depth, start=self._next())
        self.blocks.append(block)
        if kind in ("function", "closure"):
            for param in region.params:
                self._value(param, "argument", block, 4 * block.start)
        for node in sorted(self.kept[region], key=self._last.__contains__):
            if node in self.stated:
                self._statement(node, block)
        block.end = self._next()
        return block

    def _value(
        self, node: Node, kind: CellKind, block: Block, point: int, statement: Statement | None = None
    ) -> Cell:
        cell = Cell(
            node, kind, statement, 0, {block: point}, [(point, point)], node.name, node.primal, block.depth
        )
        self.cells[node] = cell
        return cell

    def _statement(self, node: Node, block: Block) -> None:
        statement = Statement(node, block, self._next())
        block.statements.append(statement)
        self.statements.append(statement)
        statement.end = statement.position
        if node.op in LOOPS:
            self._loop(statement)
        elif node.op is IF:
            self._branches(statement)
        elif node.regions:
            self._value(node, "value", block, 4 * statement.position + 3, statement)
            statement.blocks = [self._block("closure", node.regions[0], statement, block.depth)]
            statement.end = self._next()
        elif node.op.name == "pop":
            for k, point in enumerate((1, 3)):
                item = self.needed.get((node, k))
                cell = None
                if item is not None:
                    cell = self._value(item, "value", block, 4 * statement.position + point, statement)
                    cell.index = k
                statement.cells.append(cell)
        elif node.type.kind == "tuple":  # a call of several results
            for k in range(len(node.type.items)):
                item = self.needed.get((node, k))
                cell = None
                if item is not None:
                    cell = self._value(item, "value", block, 4 * statement.position + 3, statement)
                    cell.index = k
                statement.cells.append(cell)
        elif node.op is store:
            self.cells[node] = self.cells[self.resolved(node.args[0])]
        elif not node.op.effect:
            early = node.op.name in STATED
            self._value(node, "value", block, 4 * statement.position + (1 if early else 3), statement)

    def _results(self, statement: Statement, kind: CellKind) -> list[Cell | None]:
        """A cell for each result of a control node."""
        node = statement.node
        several = node.type.kind == "tuple"
        for k in range(len(node.type.items) if several else 1):
            value = self.needed.get((node, k))
            params = [carried_params(node, region)[k] for region in node.regions] if node.op in LOOPS else []
            shown = next(iter(params), value)
            if shown is None:
                statement.cells.append(None)
                continue
            named = [one for one in (*params, value) if one is not None and one.name]
            name, primal = (named[0].name, named[0].primal) if named else ("", shown.primal)
            cell = Cell(shown, kind, statement, k, name=name, primal=primal, depth=statement.block.depth)
            self.cells.update(dict.fromkeys(params, cell))
            if value is not None:
                self.cells[value] = cell
            statement.cells.append(cell)
        return statement.cells

    def _loop(self, statement: Statement) -> None:
        node, block = statement.node, statement.block
        cells = [cell for cell in self._results(statement, "carried") if cell is not None]
        statement.head = self._next()
        body = node.regions[-1]
        if node.op is WHILE:
            statement.blocks.append(self._block("condition", node.regions[0], statement, block.depth + 1))
            start = 4 * statement.blocks[0].start
            tested = 4 * statement.blocks[0].end + 3
        else:
            tested = 4 * statement.head + 3
            start = 4 * self._next()
            counter = Cell(body.params[0], "counter", statement, given=[(start, start)])
            counter.name, counter.primal, counter.depth = (
                counter.node.name,
                counter.node.primal,
                block.depth + 1,
            )
            statement.counter = self.cells[body.params[0]] = counter
        statement.blocks.append(self._block("body", body, statement, block.depth + 1))
        if statement.counter is not None:
            statement.counter.homes[statement.blocks[-1]] = start
        if node.attr("breaks") and self.resolved(body.results[-1]) in carried_params(node, body):
            inner = statement.blocks[-1]
            stand_in = Node(body.results[-1].op, (), (), body.results[-1].type, name="stop", primal=False)
            statement.flag = self._value(stand_in, "value", inner, 4 * inner.start + 3)
        statement.stop, statement.end = self._next(), self._next()
        end = 4 * statement.end + 3
        for cell in cells:
            cell.homes = {block: end, **dict.fromkeys(statement.blocks, start)}
            cell.given = [(4 * statement.position + 3, tested), (4 * statement.blocks[-1].end + 3, end)]

    def _branches(self, statement: Statement) -> None:
        node, block = statement.node, statement.block
        cells = [cell for cell in self._results(statement, "branch") if cell is not None]
        for kind, region in zip(("then", "otherwise"), node.regions, strict=True):
            made = self._block("then" if kind == "then" else "otherwise", region, statement, block.depth + 1)
            statement.blocks.append(made)
        statement.end = statement.blocks[1].end
        for cell in cells:
            cell.homes = {block: 4 * statement.end + 3}
            cell.given = [(4 * inner.end + 3, 4 * inner.end + 3) for inner in statement.blocks]


def sources(statement: Statement) -> Iterable[tuple[Cell, Block | None, Node]]:
    """What is assigned to the cells of a control node, and at the end of which block; None before a loop."""
    node = statement.node
    for k, cell in enumerate(statement.cells):
        if cell is None:
            continue
        if node.op in LOOPS:
            yield cell, None, carried_of(node)[k]
            yield cell, statement.blocks[-1], node.regions[-1].results[k]
        elif node.op is IF:
            yield from ((cell, block, block.region.results[k]) for block in statement.blocks)
