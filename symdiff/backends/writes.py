"""Statements that write into arrays and lists.

Enters: a statement whose operation is functional inside (`update`, `add_at`, `scatter`, `push`, `pop`,
`set_item`, `add_to_item`, `store`). Leaves: the lines that write in place, after a copy where
`backends.memory` says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from symdiff.backends.expressions import Expressions
from symdiff.backends.literals import ATOM, PRODUCT
from symdiff.backends.memory import Memory
from symdiff.backends.schedule import Schedule, Statement
from symdiff.backends.untouched import untouched
from symdiff.ir.node import Node
from symdiff.ops.control import root

SYMBOLS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}
Step = tuple[Any, ...]


class Writes:
    """Prints the statements of one function."""

    def __init__(self, schedule: Schedule, memory: Memory, expressions: Expressions, names: dict[Node, str]):
        self.schedule = schedule
        self.memory = memory
        self.expressions = expressions
        self.names = names
        self._written: dict[Node, list[Any]] = {}  # by array made of zeros: the indices written so far
        self._untouched = untouched(schedule)
        self.folded: set[Node] = set()  # values with a name that nothing is left to read: `u` in `A[i] += w`

    def lines(self, statement: Statement) -> Iterator[str] | None:
        """The lines of a write; None for other operations."""
        made = {
            "scatter": self._scatter,
            "add_at": self._add_at,
            "update": self._update,
            "push": self._push,
            "set_item": self._set_item,
            "add_to_item": self._add_to_item,
            "pop": self._pop,
            "store": self._store,
        }.get(statement.node.op.name)
        return None if made is None else made(statement)

    def _ready(self, statement: Statement, name: str) -> Iterator[str]:
        """What makes `name` the array or list that is written into."""
        base = self.schedule.resolved(statement.node.args[0])
        if statement not in self.memory.copies:
            if self.names.get(base) != name:
                yield f"{name} = {self.expressions.text(base)}"
        elif base.type.kind != "stack" and not statement.node.type.dims:
            yield f"{name} = np.array({self.expressions.text(base)})"
        else:
            yield f"{name} = {self.expressions.copied(base, statement.node.primal)}"

    def _push(self, statement: Statement) -> Iterator[str]:
        name = self.names[statement.node]
        yield from self._ready(statement, name)
        item = statement.node.args[1]
        if statement in self.memory.pushes:
            yield f"{name}.append({self.expressions.copied(item)})"
        else:
            yield f"{name}.append({self.expressions.text(item)})"

    def _set_item(self, statement: Statement) -> Iterator[str]:
        name = self.names[statement.node]
        yield from self._ready(statement, name)
        _, item, index = statement.node.args
        value = self.expressions.text(item)
        if statement in self.memory.pushes:
            value = self.expressions.copied(item)
        yield f"{name}[{self.expressions.text(index)}] = {value}"

    def _add_to_item(self, statement: Statement) -> Iterator[str]:
        """Not `+=`: the item itself may be memory of others."""
        name = self.names[statement.node]
        yield from self._ready(statement, name)
        _, part, index = statement.node.args
        place = f"{name}[{self.expressions.text(index)}]"
        if part.type.kind == "stack":
            self.expressions.helpers.add("sum_of_stacks")
            yield f"{place} = sum_of_stacks({place}, {self.expressions.text(part)})"
        else:
            yield f"{place} = {place} + {self.expressions.text(part, PRODUCT)}"

    def _pop(self, statement: Statement) -> Iterator[str]:
        rest, item = statement.cells
        target = f"{self.names[item.node]} = " if item is not None else ""
        if rest is None:
            if item is not None:
                yield f"{target}{self.expressions.text(statement.node.args[0], ATOM)}[-1]"
            return
        name = self.names[rest.node]
        yield from self._ready(statement, name)
        yield f"{target}{name}.pop()"

    def _update(self, statement: Statement) -> Iterator[str]:
        node, name = statement.node, self.names[statement.node]
        yield from self._ready(statement, name)
        base, value, *operands = node.args
        steps: list[Step] = [*node.attr("view", ()), ("index", node.attr("index"))]
        augmented = self._augmented(base, value, operands, steps, node)
        place = self._place(name, steps, operands, augmented is not None)
        if augmented is None:
            yield f"{place} = {self.expressions.text(value)}"
        else:
            symbol, operand = augmented
            yield f"{place} {symbol}= {self.expressions.text(operand)}"

    def _place(self, name: str, steps: list[Step], operands: Sequence[Node], augmented: bool) -> str:
        """`A[i]`, `A.T[0]`, `A[i][2:]`: what is written into."""
        text = name
        whole = steps[-1][1] == (("ellipsis",),)
        last = len(steps) - 1
        if whole and (steps[-2][0] == "index" if last else augmented):
            last -= 1  # `A += w`, `A[i] = v`, but `A.T[...] += w`: an attribute cannot be assigned
        for kind, *data in steps[: last + 1]:
            if kind == "index":
                text += f"[{self.expressions.bracket(data[0], tuple(operands))}]"
            elif kind == "reshape":
                lengths = [
                    self.expressions.text(operands[n[1]]) if isinstance(n, tuple) else repr(n)
                    for n in data[0]
                ]
                text += f".reshape({', '.join(lengths)})"
            elif kind == "transpose":
                text += ".T" if data[0] is None else f".transpose({', '.join(map(str, data[0]))})"
            else:
                text += f".{kind}"
        return text

    def _augmented(
        self, base: Node, value: Node, operands: Sequence[Node], steps: list[Step], node: Node
    ) -> tuple[str, Node] | None:
        """Symbol and operand of `place += operand`, where the value is that of the place with something
        added."""
        value = self.schedule.resolved(value)
        if value in self.names or value.op.name not in SYMBOLS or not _same_kind(value, node):
            return None
        a, b = value.args
        for first, other in ((a, b), (b, a)) if value.op.commutative else ((a, b),):
            if self._reads(first, base, operands, steps):
                return SYMBOLS[value.op.name], other
        return None

    def _reads(self, read: Node, base: Node, operands: Sequence[Node], steps: list[Step]) -> bool:
        """Whether a value is what stands at this place."""
        resolved, folded = self.schedule.resolved, set[Node]()
        for k in range(len(steps) - 1, -1, -1):
            kind, *data = steps[k]
            read = resolved(read)
            if kind == "index" and data[0] == (("ellipsis",),) and not _is_read(read, data[0]):
                continue
            gathered = any(one.type.dims != () for one in operands)  # which is not done a second time
            if gathered and read in self.names:
                return False
            if not _matches(read, kind, data, [resolved(one) for one in operands], resolved):
                return False
            cell = self.schedule.cell(read)
            if cell is not None and self.schedule.uses(cell) == 1:
                folded.add(read)
            read = read.args[0]
        if resolved(read) is not resolved(base) or self.names.get(resolved(base)) is None:
            return False
        self.folded |= folded
        return True

    def _scatter(self, statement: Statement) -> Iterator[str]:
        node, name = statement.node, self.names[statement.node]
        value, shape, *operands = node.args
        if shape.op.name == "shape" and shape.args[0].type.dtype == node.type.dtype:
            yield f"{name} = np.zeros_like({self.expressions.text(shape.args[0])})"
        else:
            suffix = "" if node.type.dtype in ("float64", "") else f", np.{node.type.dtype}"
            yield f"{name} = np.zeros({self.expressions.text(shape)}{suffix})"
        self._written[node] = [node.attr("index")]
        yield self._write(name, node, value, tuple(operands), "=")

    def _add_at(self, statement: Statement) -> Iterator[str]:
        node, name = statement.node, self.names[statement.node]
        total, value, *operands = node.args
        yield from self._ready(statement, name)
        index, before = node.attr("index"), None
        if statement not in self.memory.copies:
            before = self._written.get(self.schedule.resolved(total))
        first = node in self._untouched or (
            before is not None and all(_is_elsewhere(index, one) for one in before)
        )
        if before is not None:
            before.append(index)
            self._written[node] = before
        yield self._write(name, node, value, tuple(operands), "=" if first else "+=")

    def _store(self, statement: Statement) -> Iterator[str]:
        """A write into a parameter: `W -= step`, `v *= m` and `v += g`, or `W[...] = value`."""
        name = self.names[statement.node]
        target, value = statement.node.args
        steps = self._augmentations(target, value)
        if steps is None:
            yield f"{name}[...] = {self.expressions.text(value)}"
        else:
            yield from (f"{name} {symbol}= {self.expressions.text(operand)}" for symbol, operand in steps)

    def _augmentations(self, target: Node, value: Node) -> list[tuple[str, Node]] | None:
        """The steps that turn `target` into `value` in place, where it is made of arithmetic on `target`."""
        if value is target:
            return []
        if value in self.names or value.op.name not in SYMBOLS or value.type.dtype != target.type.dtype:
            return None
        a, b = value.args
        for first, other in ((a, b), (b, a)) if value.op.commutative else ((a, b),):
            named = (cell.node for cell, _ in self.schedule.leaves([other]))
            if all(root(read) is not target for read in named):
                steps = self._augmentations(target, first)
                if steps is not None:
                    return [*steps, (SYMBOLS[value.op.name], other)]
        return None

    def _write(self, name: str, node: Node, value: Node, operands: tuple[Node, ...], symbol: str) -> str:
        index = node.attr("index")
        inside = self.expressions.bracket(index, operands)
        if _may_repeat(index, operands):
            key = self.expressions.key(index, operands)
            return f"np.add.at({name}, {key}, {self.expressions.text(value)})"
        if symbol == "+=" and value.op.name == "negative" and not value.primal and value not in self.names:
            return f"{name}[{inside}] -= {self.expressions.text(value.args[0])}"
        if symbol == "+=" and value not in self.names:
            positive = self.expressions.without_minus(value)
            if positive is not None:
                return f"{name}[{inside}] -= {positive}"
        return f"{name}[{inside}] {symbol} {self._with_sign_inside(value) or self.expressions.text(value)}"

    def _with_sign_inside(self, value: Node) -> str | None:
        """`-c * x` for `-(c * x)`: the sign of the number costs nothing."""
        if value.op.name != "negative" or value.primal or value in self.names:
            return None
        product = self.schedule.resolved(value.args[0])
        if product.op.name not in ("multiply", "divide") or product in self.names:
            return None
        factor = product.args[0]
        if factor.is_const or factor.type.dims != () or value.type.dims == ():
            return None
        return f"-{self.expressions.text(product, PRODUCT)}"


def _is_read(node: Node, entries: Any) -> bool:
    return node.op.name == "index" and node.attr("index") == entries


def _same_kind(value: Node, written: Node) -> bool:
    """Whether NumPy casts the result of an augmented assignment as it does when it is assigned."""
    one, other = value.type.dtype, written.type.dtype
    return bool(one) and (
        one == other
        or (
            all(kind.startswith(("float", "complex")) for kind in (one, other))
            and one.startswith("complex") <= other.startswith("complex")
        )
    )


def _matches(read: Node, kind: str, data: list[Any], operands: list[Node], resolved: Any) -> bool:
    """Whether an operation is this step of a view."""
    if kind == "index":
        used: list[Node] = []
        entries = _renumbered(data[0], operands, used)
        given = [resolved(arg) for arg in read.args[1:]]
        return _is_read(read, entries) and [id(one) for one in given] == [id(one) for one in used]
    if kind == "transpose":
        return read.op.name == "transpose" and read.attr("axes") == data[0]
    if kind == "reshape":
        return (
            read.op.name == "reshape"
            and read.args[1].op.name == "make_shape"
            and [_length(arg) for arg in read.args[1].args]
            == [id(operands[n[1]]) if isinstance(n, tuple) else n for n in data[0]]
        )
    return read.op.name == kind


def _length(node: Node) -> Any:
    return node.value if node.is_const else id(node)


def _renumbered(entries: Any, operands: list[Node], used: list[Node]) -> Any:
    """The index that counts the operands it needs alone, which go to `used`."""

    def part(one: Any) -> Any:
        if not (isinstance(one, tuple) and len(one) == 2 and one[0] == "arg"):
            return one
        used.append(operands[one[1]])
        return ("arg", len(used) - 1)

    return tuple(part(entry) if entry[0] == "arg" else (entry[0], *map(part, entry[1:])) for entry in entries)


def _is_elsewhere(index: Any, other: Any) -> bool:
    """Whether two indices name different elements for certain: two ints from the same end that differ."""
    return any(
        a[0] == b[0] == "int" and a[1] != b[1] and (a[1] < 0) == (b[1] < 0)
        for a, b in zip(index, other, strict=False)
    ) and all(entry[0] in ("int", "slice") for entry in (*index, *other))


def _may_repeat(index: Any, operands: tuple[Node, ...]) -> bool:
    """Whether an index may name one element twice: then `+=` would drop a contribution."""
    arrays = [
        operands[entry[1]] for entry in index if entry[0] == "arg" and operands[entry[1]].type.dims != ()
    ]
    return bool(arrays) and not any(
        array.op.name == "arange" or array.type.dtype == "bool" for array in arrays
    )
