"""What values are called that the user did not name.

Enters: a schedule with its webs.  Leaves: for a web the name that it wishes for.  Invariant: a wish says what
the value is (`sin_x`, `x_part`, `y_0`), what is done with it (`x_bar_term`, `A_factor`), or that it is a
cotangent (`g`); a list is the plural of what is in it, and what comes out of it is called as it was before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from symdiff.backends.choice import CONTROL
from symdiff.backends.schedule import Cell, Schedule, sources
from symdiff.backends.webs import Web, Webs
from symdiff.ir.build import plural
from symdiff.ir.node import Function, Node
from symdiff.ops.row import Row
from symdiff.records import dataclass

_COUNTERS = "ijklmn"
# What the result of an operation on unnamed operands is called.
_NOUNS = {
    "subtract": "difference",
    "multiply": "product",
    "divide": "ratio",
    "sum": "total",
    "max": "largest",
    "min": "smallest",
    "sqrt": "root",
    "absolute": "magnitude",
    "solve": "solution",
}
_ROLES = {"add": "term", "subtract": "term", "negative": "term", "multiply": "factor", "matmul": "factor"}
_SUMS = ("add", "subtract", "negative")
# What changes no more than the shape or the type, and is not seen as a step of its own.
_TRANSPARENT = ("expand_dims", "transpose", "to_float", "astype", "fit_like")


@dataclass(frozen=True, slots=True)
class _Use:
    """Who reads a value first.

    role: what the operation does with it.  summand: whether nothing but sums is between them.
    """

    reader: Node | None
    name: str
    role: str
    summand: bool


class Wishes:
    """The wishes of one function."""

    def __init__(self, function: Function, schedule: Schedule, webs: Webs):
        self.function, self.schedule, self.webs = function, schedule, webs
        self._lists: dict[Node, Cell] = {}  # by what comes out of a list, the list
        self._pushed: dict[Web, Node] = {}  # by list, what is put into it, where that is called alike
        self._uses: dict[Cell, _Use] = {}
        self._cotangents: set[Cell] = set()
        pushed: dict[Web, list[Node]] = {}
        for statement in schedule.statements:
            node = statement.node
            base = schedule.cell(node.args[0]) if node.op.name in ("push", "pop") else None
            if node.op.name == "push":
                pushed.setdefault(webs.of[schedule.cells[node]], []).append(schedule.resolved(node.args[1]))
            elif base is not None and statement.cells[1] is not None:
                self._lists[statement.cells[1].node] = base
        self._pushed = {
            web: items[0] for web, items in pushed.items() if len({one.name for one in items}) == 1
        }
        self._read()

    def of(self, web: Web) -> str:
        cells = sorted(web.cells, key=lambda cell: cell.given[0])
        if not any(cell.kind in ("carried", "branch", "counter") for cell in cells):
            members = [cell.node for cell in cells]
            named = next((member.name for member in reversed(members) if member.name), "")
            return named or self.value(members[-1])
        named = next((cell.name for cell in cells if cell.name), "")
        if all(cell.kind == "counter" for cell in cells) and named in ("", "_"):
            return _COUNTERS[min(cells[0].depth, len(_COUNTERS)) - 1]
        if named:
            return named
        if cells[0].node.type.kind == "stack":
            return self._list(web)
        values = [cell.node for cell in cells if cell.kind == "value"]
        if values:
            return self.value(values[-1])
        kind = cells[0].node.type
        if kind.dtype == "bool" and kind.dims == ():
            return "done"
        return self._letter(cells[0].node)

    def value(self, node: Node) -> str:
        """A name for one value."""
        gradient_alone = self.function.name.endswith("_grad") and not self.function.name.endswith(
            "_value_and_grad"
        )
        if node is self.function.results[0] and node.primal and not gradient_alone:
            return "value"
        if node.regions:
            return "pullback"
        cell = self.schedule.cells.get(node)
        if node.type.kind == "stack":
            return self._list(self.webs.of[cell]) if cell is not None else "saved"
        if node in self._lists:
            return self._popped(node)
        return self._what(node) or self._use(node) or self._letter(node)

    def _list(self, web: Web) -> str:
        pushed = self._pushed.get(web)
        what = "" if pushed is None else self._item(web, pushed)
        return plural(what) if what else "saved"

    def _item(self, web: Web, pushed: Node) -> str:
        """What is called alike before it is put into a list and after it was taken out."""
        what = pushed.name or self._what(pushed) or self._use(pushed)
        if what:
            return what
        for item, base in self._lists.items():
            use = self._uses.get(self.schedule.cells[item])
            if self.webs.of[base] is web and use is not None and use.role:
                return use.role
        return ""

    def _popped(self, node: Node) -> str:
        base = self._lists[node]
        pushed = self._pushed.get(self.webs.of[base])
        if pushed is not None:
            return self._item(self.webs.of[base], pushed) or self._letter(node)
        several = re.fullmatch(r"(\w\w+)s(_bar)?", base.name)
        return several[1] + (several[2] or "") if several else self._letter(node)

    def _what(self, node: Node) -> str:
        """What a value is, by the operation that it comes from."""
        if node.type.dtype == "bool":
            return "mask" if node.type.dims != () else "condition"
        operand = node.args[0].name if node.args else ""
        word = node.op.name.rpartition(".")[2]
        if operand and word == "index":
            return _element(operand, node.attr("index"))
        row = node.op if isinstance(node.op, Row) and not node.op.symbol else None
        if operand and row is not None and len(node.args) == 1:
            return f"{word}_{operand}"
        called = row is not None and (len(node.args) == 2 or row.kind == "elementwise")
        if node.primal and (word in _NOUNS or called):
            return _NOUNS.get(word, word)
        return ""

    def _letter(self, node: Node) -> str:
        if node.primal:
            return "s" if node.type.dims == () else "t"
        cell = self.schedule.cells.get(node)
        return "scale" if node.type.dims == () and cell not in self._cotangents else "g"

    # What is done with a value

    def _use(self, node: Node) -> str:
        """After what it is used for: a first part of it, one of its terms, one of its factors."""
        cell = self.schedule.cells.get(node)
        use = self._uses.get(cell) if cell is not None else None
        first = self._first_part(node)
        if first or use is None or not (use.name and use.role):
            return first
        derived = use.name.endswith("_bar")
        fits = use.summand and node.type.dims == () if derived else node.primal
        return f"{use.name}_{use.role}" if fits and not (node.primal and derived) else ""

    def _first_part(self, node: Node) -> str:
        """`x_bar` for what is added to `x_bar` before the rest is."""
        cell = self.schedule.cells.get(node)
        use = self._uses.get(cell) if cell is not None else None
        if cell is None or not cell.depth or use is None or not use.summand:
            return ""
        name = use.name or (self._first_part(use.reader) if use.reader is not None else "")
        return name if name and self._adds_to(node, name) else ""

    def _adds_to(self, node: Node, name: str) -> bool:
        """Whether a value is a sum that begins with what is called so."""
        return any(self._called(cell) == name and use.summand for cell, use in self._operands(node, None, ""))

    def _read(self) -> None:
        """Find who reads each value first, and which values are cotangents."""
        for statement in self.schedule.statements:
            node = statement.node
            if node.op in CONTROL or node.regions:
                for cell in statement.cells:
                    if cell is not None and not cell.primal and cell.node.type.kind == "array":
                        self._cotangents.add(cell)
                continue
            cell = self.schedule.cells.get(node)
            if node.op.name in ("update", "add_at"):
                base = self.schedule.cell(node.args[0])
                name = node.name or (self._called(base) if base is not None else "")
                self._note(node.args[1], node, name, "term" if node.op.name == "add_at" else "")
            elif node.op.name not in ("push", "pop", "set_item", "add_to_item") and cell is not None:
                for read, use in self._operands(node, node, node.name or self._called(cell)):
                    self._uses.setdefault(read, use)
            if cell is not None and not node.primal and self._is_cotangent(cell, node):
                self._cotangents.add(cell)
        for statement in self.schedule.statements:
            if statement.node.op in CONTROL:
                for cell, _, source in sources(statement):
                    self._note(source, None, cell.name)

    def _called(self, cell: Cell) -> str:
        """The name of the variable, where one of the values in it has a name."""
        return cell.name or next((one.name for one in self.webs.of[cell].cells if one.name), "")

    def _is_cotangent(self, cell: Cell, node: Node) -> bool:
        read = (other for other, light in self.schedule.leaves(node.args) if not light)
        return cell.name.endswith("_bar") or any(other in self._cotangents for other in read)

    def _note(self, source: Node, reader: Node | None, name: str, role: str = "") -> None:
        """An expression is handed on to what is called so."""
        source = self.schedule.resolved(source)
        cell = self.schedule.cells.get(source)
        if cell is not None:
            self._uses.setdefault(cell, _Use(reader, name, role, True))
        else:
            for read, use in self._operands(source, reader, name):
                self._uses.setdefault(read, use)

    def _operands(
        self, node: Node, reader: Node | None, name: str, role: str = "", summand: bool = True
    ) -> Iterator[tuple[Cell, _Use]]:
        """The values with a variable that an operation reads, and what is done with them."""
        op = node.op.name
        for k, arg in enumerate(node.args):
            arg = self.schedule.resolved(arg)
            done = "divisor" if op == "divide" and k else _ROLES.get(op, "factor" if op == "divide" else "")
            if op in _TRANSPARENT:
                done = role
            still = summand and (op in _SUMS or op in _TRANSPARENT)
            cell = self.schedule.cells.get(arg)
            if cell is not None:
                yield cell, _Use(reader, name, done, still)
            else:
                yield from self._operands(arg, reader, name, done, still)


def _element(array: str, index: tuple[tuple[object, ...], ...]) -> str:
    """`x_0` for `x[0]`, `x_part` for others."""
    numbers = [entry[1] for entry in index if entry[0] == "int"]
    plain = len(numbers) == len(index) == 1 and isinstance(numbers[0], int) and numbers[0] >= 0
    return f"{array}_{numbers[0]}" if plain else f"{array}_part"
