"""One precedence-aware expression printer for Python.

Enters: a node and the names of the values that have one.  Leaves: an expression with no parenthesis that
Python does not need.  Invariant: what is printed evaluates in the order and association of the graph.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Container, Mapping
from dataclasses import replace
from typing import Any

from symdiff.backends.literals import ATOM, POWER, PRODUCT, SUM, UNARY, Text, constant, dtype
from symdiff.backends.spellings import SPELLINGS
from symdiff.ir.node import Node
from symdiff.ops.control import is_permuted
from symdiff.ops.row import Row

_BINARY = {
    "**": POWER, "*": PRODUCT, "/": PRODUCT, "@": PRODUCT, "//": PRODUCT, "%": PRODUCT, "+": SUM, "-": SUM,
    "<<": 10, ">>": 10, "&": 9, "^": 8, "|": 7, "<": 6, "<=": 6, ">": 6, ">=": 6, "==": 6, "!=": 6,
}  # fmt: skip
_FILLED = {"zeros", "ones", "empty", "full"}
_LIKE = {"zeros_like", "ones_like", "full_like"}
# Operands that formatters set close to `**` and to the colon of a slice.
_SIMPLE = re.compile(r"-?[\w.]+")


class Expressions:
    """Prints nodes; `names` holds the materialised ones, `same` what stands for others, `imports` and
    `helpers` (of the runtime) collect what the text needs.  numbers: what has no array's attributes although
    its type is one's (see `ops.numbers`)."""

    def __init__(
        self,
        names: Mapping[Node, str],
        same: Mapping[Node, Node] | None = None,
        numbers: Container[Node] = frozenset(),
    ):
        self.names = names
        self.same = same or {}
        self.numbers = numbers
        self.imports: set[str] = set()
        self.helpers: set[str] = set()

    def text(self, node: Node, least: int = 0) -> str:
        """The expression, in parentheses if its precedence is below `least`."""
        text, precedence = self.named(node)
        return text if precedence >= least else f"({text})"

    def is_array(self, node: Node) -> bool:
        """Whether a value has the attributes of an array for certain."""
        return node.type.kind == "array" and self.same.get(node, node) not in self.numbers

    def _may_be_number(self, node: Node) -> bool:
        return node.type.kind == "array" and not self.is_array(node)

    def copied(self, node: Node, primal: bool = False) -> str:
        """A copy of an array, or of what may be a number; primal: the user's code goes on with it."""
        return self.copy_of(node, *self.named(node), primal=primal)

    def copy_of(self, node: Node, text: str, precedence: int, primal: bool) -> str:
        """A copy of a value that is written as `text`; the user's code finds the axes in the order in memory
        that they had, since the last bits of sums depend on it."""
        if self._may_be_number(node):
            return f"np.copy({text})[()]"
        if primal and node.type.kind == "array" and is_permuted(node, arguments=True):
            return f"np.copy({text})"
        return f"{text if precedence >= ATOM else f'({text})'}.copy()"

    def named(self, node: Node) -> Text:
        node = self.same.get(node, node)
        name = self.names.get(node)
        return (name, ATOM) if name is not None else self.expand(node)

    def expand(self, node: Node) -> Text:
        """The operation of `node` itself, whether or not it has a name."""
        special = SPELLINGS.get(node.op.name)
        if special is not None:
            return special(self, node)
        row = node.op
        assert isinstance(row, Row), row
        if row.symbol and len(node.args) == 2:
            return self.infix(row.symbol, *(node.args if node.primal else self._plainly(*node.args)))
        if row.symbol:
            operand = self.text(node.args[0], UNARY)
            doubled = operand.startswith(row.symbol) and row.symbol in "+-"  # `--x` reads as C's decrement
            return f"{row.symbol}({operand})" if doubled else f"{row.symbol}{operand}", UNARY
        return self.call(row, node)

    def _plainly(self, a: Node, b: Node) -> tuple[Node, Node]:
        """`2 * x` for a derived `2.0 * x` of an array of floats: these are one to NumPy."""
        return (self._whole(a, b), self._whole(b, a))

    def _whole(self, number: Node, other: Node) -> Node:
        floats = (other.type.dtype or "").startswith(("float", "complex"))
        if not number.is_const or type(number.value) is not float or not floats or not self.is_array(other):
            return number
        whole = number.value.is_integer() and 0 < abs(number.value) < 2**24
        return replace(number, attrs=(("value", int(number.value)),)) if whole else number

    def infix(self, symbol: str, a: Node, b: Node) -> Text:
        precedence = _BINARY[symbol]
        if symbol == "**":
            base, exponent = self.text(a, POWER + 1), self.text(b, UNARY)
            gap = "" if _SIMPLE.fullmatch(base) and _SIMPLE.fullmatch(exponent) else " "
            return f"{base}{gap}**{gap}{exponent}", POWER
        comparison = 1 if precedence == 6 else 0
        return f"{self.text(a, precedence + comparison)} {symbol} {self.text(b, precedence + 1)}", precedence

    def without_minus(self, node: Node) -> str | None:
        """`2 * x` for a derived `-2 * x`, `2 * c * x` for `-2 * c * x`; None for what has no minus."""
        if node.primal or node.op.name != "multiply" or node in self.names:
            return None
        first, second = self._plainly(*node.args)
        if first.is_const:
            factor = first.value
            if isinstance(factor, complex) or not factor < 0:
                return None
            positive: str | None = constant(-factor)[0]
        else:
            positive = self.without_minus(first)
        return None if positive is None else f"{positive} * {self.text(second, PRODUCT + 1)}"

    def call(self, row: Row, node: Node) -> Text:
        """`x.f(key=value)` where arrays have such a method, else `np.f(x, key=value)`."""
        keywords = self.keywords(row, node)
        untyped = row.name in _LIKE and not node.primal and node.attr("dtype") is None
        if untyped and self._may_be_number(node.args[0]):
            keywords.append(f"dtype={dtype(node.type.dtype or 'float64')}")  # which may be an int
        if row.name == "copy" and not node.primal and node.args[0].type.dims is None:  # or a number
            self.helpers.add("fresh")
            return f"fresh({self.text(node.args[0])})", ATOM
        if row.name == "copy" and node.attr("order") == "K":
            return f"np.copy({self.text(node.args[0])})", ATOM
        if row.method and self.is_array(node.args[0]):  # 1 µs faster than the function
            first, *rest = node.args
            inside = ", ".join([*map(self.text, rest), *keywords])
            return f"{self.text(first, ATOM)}.{row.method}({inside})", ATOM
        operands = [self.text(arg) for arg in node.args]
        if row.name == "item":  # which is a method alone
            return f"np.asarray({operands[0]}).item()", ATOM
        names = node.attr("names", ())
        for i, name in enumerate(names, len(operands) - len(names)):
            operands[i] = f"{name}={operands[i]}"
        if row.name in _FILLED and node.args[0].op.name == "make_shape" and len(node.args[0].args) == 1:
            operands[0] = self.text(node.args[0].args[0])  # np.zeros(n), not np.zeros((n,))
        return f"{self.function(row)}({', '.join([*operands, *keywords])})", ATOM

    def function(self, row: Row) -> str:
        spelling = row.spelling
        root, dot, _ = spelling.partition(".")
        if dot and root != "np":
            self.imports.add(f"import {root}")
        if not dot and not hasattr(builtins, spelling):
            self.helpers.add(spelling)
        return spelling

    def keywords(self, row: Row, node: Node) -> list[str]:
        """The attributes that differ from their defaults; those that must be given stand first, without
        names."""
        defaults = row.defaults
        required = [self.literal(key, node.attr(key)) for key, value in defaults.items() if value is ...]
        return required + [
            f"{key}={self.literal(key, value)}"
            for key, value in node.attrs
            if defaults.get(key, ()) is not ...
            and key != "names"
            and (key not in defaults or repr(defaults[key]) != repr(value))
        ]

    def literal(self, key: str, value: Any) -> str:
        if key == "dtype" and isinstance(value, str):
            return dtype(value)
        if isinstance(value, float | complex) and not isinstance(value, bool):
            return constant(value)[0]
        if isinstance(value, tuple):
            inside = ", ".join(self.literal("", item) for item in value)
            return f"({inside},)" if len(value) == 1 else f"({inside})"
        return repr(value)

    def bracket(self, index: Any, operands: tuple[Node, ...]) -> str:
        """The inside of a subscript."""

        def number(part: Any) -> str:
            if part is None:
                return ""
            return self.text(operands[part[1]]) if isinstance(part, tuple) else repr(part)

        def entry(spec: Any) -> str:
            if spec[0] == "slice":
                start, stop, step = map(number, spec[1:])
                if all(_SIMPLE.fullmatch(part) or not part for part in (start, stop, step)):
                    return f"{start}:{stop}" + (f":{step}" if step else "")
                return f"{start} : {stop}".strip() + (f" : {step}" if step else "")
            if spec[0] == "arg":
                return self.text(operands[spec[1]])
            return {"new": "None", "ellipsis": "..."}.get(spec[0]) or repr(spec[1])

        return ", ".join(map(entry, index)) or "()"

    def key(self, index: Any, operands: tuple[Node, ...]) -> str:
        """The index as a value, for `np.add.at`: slices are written out."""

        def entry(spec: Any) -> str:
            if spec[0] != "slice":
                return self.bracket((spec,), operands)
            parts = [
                "None" if part is None else self.bracket((_number_entry(part),), operands)
                for part in spec[1:]
            ]
            return "slice(None)" if parts == ["None"] * 3 else f"slice({', '.join(parts)})"

        inside = ", ".join(map(entry, index))
        return inside if len(index) == 1 else f"({inside})"


def _number_entry(part: Any) -> Any:
    return part if isinstance(part, tuple) else ("int", part)
