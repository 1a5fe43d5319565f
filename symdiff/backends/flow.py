"""Statements, loops and branches as lines of Python.

Enters: the blocks of a `Schedule`, with the names of its webs. Leaves: lines, each with the node that it
computes. Invariant: what goes from one block to another goes by assignments that take place at once (`a, b =
b, a`), of which those within one web are not written; no branch is empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from symdiff.backends.assignments import Move, in_order
from symdiff.backends.choice import CONTROL, LOOPS
from symdiff.backends.expressions import Expressions
from symdiff.backends.iteration import elements_of
from symdiff.backends.lifetimes import handed_on, measured_in_head
from symdiff.backends.lines import Line, has_code, indented, is_one_if, printable, same_code
from symdiff.backends.memory import Memory
from symdiff.backends.schedule import Block, Cell, Schedule, Statement
from symdiff.backends.sites import shares
from symdiff.backends.writes import SYMBOLS, Writes
from symdiff.ir.control import FOR, IF, UNDEFINED, carried_of
from symdiff.ir.node import Node

WIDTH = 100
_HEADS = ("if ", "if(", "elif ", "for ", "while ", "while(")


class Flow:
    """Prints the blocks of one function; `closure` prints inner functions."""

    def __init__(
        self,
        schedule: Schedule,
        memory: Memory,
        expressions: Expressions,
        names: dict[Node, str],
        nothing: set[Cell],
    ):
        self.schedule = schedule
        self.memory = memory
        self.expressions = expressions
        self.names = names
        self.nothing = nothing
        self.writes = Writes(schedule, memory, expressions, names)
        self._commented: tuple[Any, ...] = ()

    def block(self, block: Block, elements: int = 0) -> Iterator[Line]:
        """The statements of a block, without the first ones where the loop's head makes these."""
        for statement in block.statements[elements:]:
            yield from self.commented(statement)

    def commented(self, statement: Statement) -> Iterator[Line]:
        """A statement, under the user's line that it comes from."""
        node, span = statement.node, statement.node.span
        before = [(line, node) for line in self._entering(statement)]
        key = None if span is None else (span.file, span.line, span.text)
        if span is not None and node.op in CONTROL and not span.text.strip().startswith(_HEADS):
            key = None
        if span is None or key is None or key == self._commented:
            yield from before
            yield from self._statement(statement)
            return
        commented, self._commented = self._commented, key
        lines = list(self._statement(statement))
        text = printable(span.text.strip().partition("\n")[0] if node.regions else span.text.strip())
        yield from before
        if lines and text and not text.isidentifier() and not (node.primal and same_code(lines[0][0], text)):
            yield f"# {text if len(text) < WIDTH - 6 else text[: WIDTH - 9] + '...'}", None
        elif text.isidentifier() and not node.regions:  # the line above still stands
            self._commented = commented
        yield from lines

    def _statement(self, statement: Statement) -> Iterator[Line]:
        node = statement.node
        if node.op in LOOPS:
            yield from self._loop(statement)
        elif node.op is IF:
            yield from self._if(statement)
        elif node.regions:
            yield from self.closure(statement)
        else:
            yield from ((line, node) for line in self._operation(statement))
            if statement.frees:
                yield f"del {', '.join(self.names[cell.node] for cell in statement.frees)}", None

    def closure(self, statement: Statement) -> Iterator[Line]:
        raise NotImplementedError

    def _operation(self, statement: Statement) -> Iterator[str]:
        node = statement.node
        written = self.writes.lines(statement)
        if written is not None:
            yield from written
            return
        if node.op.name == "perform":
            yield self._effect(node)
            return
        if statement.cells:  # a call of several results
            own = any("_" in (one.name, one.attr("parameter")) for one in self.names)  # the user's name
            spare = ("__" if "__" not in self.names.values() else "___") if own else "_"
            targets = [self.names[cell.node] if cell is not None else spare for cell in statement.cells]
            yield f"{', '.join(targets)} = {self.expressions.expand(node)[0]}"
            return
        name, old = self.names[node], self.memory.reuses.get(statement)
        if old is not None and node.op.name == "copy":  # of an array that is ours and dead: its new name
            if self.expressions.text(old) != name:
                yield f"{name} = {self.expressions.text(old)}"
        elif old is not None and self.names.get(self.schedule.resolved(old)) == name:
            a, b = node.args
            yield f"{name} {SYMBOLS[node.op.name]}= {self.expressions.text(b if a is old else a)}"
        elif node in self.memory.views:
            text = self.expressions.expand(node)
            yield f"{name} = {self.expressions.copy_of(node, *text, primal=node.primal)}"
        else:
            yield self._augmented(statement, name) or f"{name} = {self.expressions.expand(node)[0]}"

    def _augmented(self, statement: Statement, name: str) -> str | None:
        """`s += x` for a number that takes the place of the old one, where the user wrote so or nobody
        did."""
        node = statement.node
        old = self.memory.numbers.get(statement)
        if old is None or self.names.get(self.schedule.resolved(old)) != name:
            return None
        if node.primal and (node.span is None or f"{SYMBOLS[node.op.name]}=" not in node.span.text):
            return None
        a, b = node.args
        return f"{name} {SYMBOLS[node.op.name]}= {self.expressions.text(b if a is old else a)}"

    def _effect(self, node: Node) -> str:
        return str(node.attr("text")).format(*map(self.expressions.text, node.args))

    # Assignments between blocks

    def _moves(
        self,
        pairs: Iterable[tuple[Cell | None, Node]],
        copied: frozenset[int] = frozenset(),
        primal: bool = False,
    ) -> list[str]:
        moves = []
        for k, (cell, source) in enumerate(pairs):
            source = self.schedule.resolved(source)
            if cell is None:
                continue
            target = self.names[cell.node]
            copies = k in copied and (source in self.names or shares(source))
            if source.op is UNDEFINED:
                if cell in self.nothing:
                    moves.append(Move(target, "None", frozenset()))
            elif copies or self.names.get(source) != target:
                text = self.expressions.copied(source, primal) if copies else self.expressions.text(source)
                reads = frozenset(self.names[leaf.node] for leaf, _ in self.schedule.leaves([source]))
                moves.append(Move(target, text, reads))
        return in_order(moves)

    def _entering(self, statement: Statement) -> list[str]:
        """The initial values of a loop."""
        if statement.node.op not in LOOPS:
            return []
        count = len(statement.cells)
        copied = frozenset(k for k in range(count) if (statement, k) in self.memory.entries)
        pairs = zip(statement.cells, carried_of(statement.node), strict=True)
        return self._moves(pairs, copied, statement.node.primal)

    def _leaving(self, block: Block) -> list[str]:
        """What a loop's body or a branch hands on at its end."""
        owner = block.owner
        assert owner is not None
        return self._moves(zip(owner.cells, block.region.results, strict=False))

    # Branches

    def _if(self, statement: Statement, tails: tuple[list[str], list[str]] = ([], [])) -> Iterator[Line]:
        """An `if` whose branches end with further lines."""
        node = statement.node
        parts = []
        for block, tail in zip(statement.blocks, tails, strict=True):
            commented = self._commented
            lines = [*self.block(block), *((line, node) for line in [*self._leaving(block), *tail])]
            parts.append(lines if has_code(lines) else [])
            if not parts[-1]:
                self._commented = commented
        then, otherwise = parts
        condition = self.expressions.text(node.args[0])
        if then:
            yield f"if {condition}:", node
            yield from indented(then)
        elif otherwise:
            yield f"if {_negated(condition)}:", node
            yield from indented(otherwise)
            return
        if not otherwise:
            return
        if is_one_if(otherwise):
            first = next(k for k, (line, _) in enumerate(otherwise) if not line.startswith("#"))
            yield f"el{otherwise[first][0]}", otherwise[first][1]
            yield from otherwise[first + 1 :]
        else:
            yield "else:", None
            yield from indented(otherwise)

    # Loops

    def _loop(self, statement: Statement) -> Iterator[Line]:
        node = statement.node
        before: list[Line] = []
        elements = 0
        if node.op is FOR:
            found = elements_of(self.schedule, self.memory, statement)
            elements = len(found)
            head = self._over_elements(statement, found) if found else self._over_range(statement)
        else:
            condition = statement.blocks[0]
            before = list(self.block(condition))
            tested = self.expressions.text(condition.region.results[0])
            head = f"while {tested}:"
            if before:
                head = "while True:"
                before += [(f"if {_negated(tested)}:", None), ("    break", None)]
        body = [*before, *self._body(statement, elements)]
        if not has_code(body):
            if node.op is FOR and not self._hands_on_target(statement, elements):
                return
            body.append(("pass", None))
        yield head, node
        yield from indented(body)

    def _hands_on_target(self, statement: Statement, elements: int) -> bool:
        """Whether the head of a `for` itself sets what is read after the loop: its counter, or an element."""
        counter = statement.counter
        targets = [one.node for one in statement.blocks[-1].statements[:elements]]
        targets += [counter.node] if counter is not None else []
        set_there = {self.names.get(target) for target in targets}
        return any(cell is not None and self.names[cell.node] in set_there for cell in statement.cells)

    def _body(self, statement: Statement, elements: int) -> Iterator[Line]:
        """The body of a loop, to the next values and the break."""
        node, block = statement.node, statement.blocks[-1]
        breaks = bool(node.attr("breaks"))
        stop = self.schedule.resolved(block.region.results[-1]) if breaks else None
        last = block.statements[-1] if block.statements else None
        if last is not None and stop is not None and self._decides(last, stop, statement):
            for other in block.statements[elements:-1]:
                yield from self.commented(other)
            moves = self._leaving(block)
            yield from self._breaking(last, stop, moves)
            yield from ((line, node) for line in moves)
            return
        if statement.flag is not None and stop is not None:
            yield f"{self.names[statement.flag.node]} = {self.names[stop]}", None
            stop = statement.flag.node
        yield from self.block(block, elements)
        yield from ((line, node) for line in self._leaving(block))
        if stop is None or (stop.is_const and not stop.value):
            return
        if stop.is_const:
            yield "break", None
        else:
            yield f"if {self._tested(statement, stop)}:", node
            yield "    break", None

    def _tested(self, statement: Statement, stop: Node) -> str:
        """What ends a loop, after the next values were assigned."""
        return self._where(handed_on(self.schedule, statement), [stop])[0]

    def _where(self, instead: dict[Cell, Cell], roots: list[Node]) -> list[str]:
        """Expressions that read other variables in the place of some."""
        names = dict(self.names)
        for node in self.schedule.reached(roots):
            other = instead.get(self.schedule.cells[node])
            if other is not None:
                names[node] = self.names[other.node]
        plain, self.expressions.names = self.expressions.names, names
        texts = [self.expressions.text(root) for root in roots]
        self.expressions.names = plain
        return texts

    def _decides(self, statement: Statement, stop: Node, loop: Statement) -> bool:
        """Whether an `if` at the end of a body does no more with the flag that ends the loop than set it."""
        cell = self.schedule.cells.get(stop)
        if statement.node.op is not IF or cell is None or cell not in statement.cells:
            return False
        if any(self.schedule.cell(value) is cell for value in loop.blocks[-1].region.results[:-1]):
            return False
        found = []
        for block in statement.blocks:
            value = self.schedule.resolved(block.region.results[cell.index])
            inner = block.statements[-1] if block.statements else None
            nested = inner is not None and not value.is_const and self._decides_inside(inner, value, block)
            if not value.is_const and not nested:
                return False
            found.append(value)
        return any(value.is_const and value.value for value in found) or any(
            not value.is_const for value in found
        )

    def _decides_inside(self, statement: Statement, stop: Node, around: Block) -> bool:
        cell = self.schedule.cells.get(stop)
        if statement.node.op is not IF or cell is None or cell not in statement.cells:
            return False
        values = [self.schedule.resolved(block.region.results[cell.index]) for block in statement.blocks]
        assert around.owner is not None
        handed = [one for one in around.region.results if self.schedule.cell(one) is cell]
        return len(handed) == 1 and all(value.is_const for value in values)

    def _breaking(self, statement: Statement, stop: Node, moves: list[str]) -> Iterator[Line]:
        """An `if` with `break` where the flag is set; what follows a branch that breaks is not indented."""
        node = statement.node
        flag = self.schedule.cells[stop]
        span = node.span
        parts, breaks = [], []
        for block in statement.blocks:
            value = self.schedule.resolved(block.region.results[flag.index])
            ends = value.is_const and bool(value.value)
            lines: list[Line] = []
            inner = None if value.is_const else block.statements[-1]
            for other in block.statements:
                if other is not inner:
                    lines += self.commented(other)
            pairs = [
                (None if k == flag.index else cell, result)
                for k, (cell, result) in enumerate(zip(statement.cells, block.region.results, strict=True))
            ]
            leaving: list[Line] = [(line, node) for line in self._moves(pairs)]
            if inner is not None:
                lines += self._breaking(inner, value, [line for line, _ in leaving] + moves)
            lines += leaving
            if ends:
                lines += [*((line, node) for line in moves), ("break", None)]
            parts.append(lines if has_code(lines) else [])
            breaks.append(ends)
        condition = self.expressions.text(node.args[0])
        if breaks[1] and not breaks[0]:
            condition = _negated(condition)
            parts.reverse()
            breaks.reverse()
        key = None if span is None else (span.file, span.line, span.text)
        if span is not None and key != self._commented and span.text.strip().startswith(_HEADS):
            self._commented = span.file, span.line, span.text
            text = printable(span.text.strip().partition("\n")[0])
            if text and not (node.primal and same_code(f"if {condition}:", text)):
                yield f"# {text[: WIDTH - 6]}", None
        if not parts[0]:
            if parts[1]:
                yield f"if {_negated(condition)}:", node
                yield from indented(parts[1])
            return
        yield f"if {condition}:", node
        yield from indented(parts[0])
        if breaks[0]:
            yield from parts[1]
        elif parts[1]:
            yield "else:", None
            yield from indented(parts[1])

    def _over_elements(self, statement: Statement, found: list[Statement]) -> str:
        """`for v in x:`, `for v, w in zip(x, y, strict=True):`, `for i, v in enumerate(x):`."""
        targets = ", ".join(self.names[one.node] for one in found)
        arrays = [self.expressions.text(one.node.args[0]) for one in found]
        text = arrays[0] if len(found) == 1 else f"zip({', '.join(arrays)}, strict=True)"
        if statement.node.attr("reverse"):
            text = f"reversed({text})"
        assert statement.counter is not None
        if self.schedule.uses(statement.counter) > len(found):
            targets = f"({targets})" if len(found) > 1 else targets
            return f"for {self.names[statement.counter.node]}, {targets} in enumerate({text}):"
        return f"for {targets} in {text}:"

    def _over_range(self, statement: Statement) -> str:
        start, stop, step = map(self.schedule.resolved, statement.node.args[:3])
        bounds = (
            [stop]
            if _is(start, 0) and _is(step, 1)
            else [start, stop]
            if _is(step, 1)
            else [start, stop, step]
        )
        entered = measured_in_head(self.schedule, statement)
        inside = ", ".join(self._where(entered, bounds))
        text = f"range({inside})"
        counter = self.names[statement.node.regions[0].params[0]]
        return f"for {counter} in {f'reversed({text})' if statement.node.attr('reverse') else text}:"


def _negated(condition: str) -> str:
    return f"not {condition}"


def _is(node: Node, value: int) -> bool:
    return node.is_const and type(node.value) is int and node.value == value
