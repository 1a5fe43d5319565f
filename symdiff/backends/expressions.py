"""One precedence-aware expression printer for Python.

Enters: a node and the names of the values that have one.  Leaves: an expression with no parenthesis that
Python does not need.  Invariant: what is printed evaluates in the order and association of the graph.
"""

from __future__ import annotations

import builtins
import math
import re
from collections.abc import Callable, Container, Mapping
from dataclasses import replace
from typing import Any

from symdiff.ir.node import Node
from symdiff.ops.control import is_permuted
from symdiff.ops.row import Row

ATOM, POWER, UNARY, PRODUCT, SUM = 20, 14, 13, 12, 11
NOT = 5
_BINARY = {
    "**": POWER, "*": PRODUCT, "/": PRODUCT, "@": PRODUCT, "//": PRODUCT, "%": PRODUCT, "+": SUM, "-": SUM,
    "<<": 10, ">>": 10, "&": 9, "^": 8, "|": 7, "<": 6, "<=": 6, ">": 6, ">=": 6, "==": 6, "!=": 6,
}  # fmt: skip
Text = tuple[str, int]
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
        text, precedence = self._named(node)
        return text if precedence >= least else f"({text})"

    def is_array(self, node: Node) -> bool:
        """Whether a value has the attributes of an array for certain."""
        return node.type.kind == "array" and self.same.get(node, node) not in self.numbers

    def _may_be_number(self, node: Node) -> bool:
        return node.type.kind == "array" and not self.is_array(node)

    def copied(self, node: Node, primal: bool = False) -> str:
        """A copy of an array, or of what may be a number; primal: the user's code goes on with it."""
        return self.copy_of(node, *self._named(node), primal=primal)

    def copy_of(self, node: Node, text: str, precedence: int, primal: bool) -> str:
        """A copy of a value that is written as `text`; the user's code finds the axes in the order in memory
        that they had, since the last bits of sums depend on it."""
        if self._may_be_number(node):
            return f"np.copy({text})[()]"
        if primal and node.type.kind == "array" and is_permuted(node, arguments=True):
            return f"np.copy({text})"
        return f"{text if precedence >= ATOM else f'({text})'}.copy()"

    def _named(self, node: Node) -> Text:
        node = self.same.get(node, node)
        name = self.names.get(node)
        return (name, ATOM) if name is not None else self.expand(node)

    def expand(self, node: Node) -> Text:
        """The operation of `node` itself, whether or not it has a name."""
        special = _SPECIAL.get(node.op.name)
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


def dtype(name: str) -> str:
    return {"bool": "bool", "str": "str"}.get(name, f"np.{name}")


def constant(value: Any) -> Text:
    if isinstance(value, bool | int):
        return repr(value), ATOM if value >= 0 else UNARY
    if isinstance(value, complex):
        return _complex(value), ATOM
    if math.isnan(value):
        return "np.nan", ATOM
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    special = {math.pi: "np.pi", math.e: "np.e", math.inf: "np.inf"}.get(abs(value))
    return sign + (special or repr(abs(value))), UNARY if sign else ATOM


def _complex(value: complex) -> str:
    """`(1+2j)`, or a call where that would lose the sign of a zero or name no number."""
    parts = (value.real, value.imag)
    if all(math.isfinite(part) and (part or math.copysign(1, part) > 0) for part in parts):
        text = repr(value)
        return text if text.startswith("(") else f"({text})"
    return f"complex({', '.join(constant(part)[0] for part in parts)})"


def _shape(self: Expressions, node: Node) -> Text:
    x = node.args[0]
    if self.is_array(x):
        return f"{self.text(x, ATOM)}.shape", ATOM
    return f"np.shape({self.text(x)})", ATOM


def _size(self: Expressions, node: Node) -> Text:
    if self.is_array(node.args[0]):
        return f"{self.text(node.args[0], ATOM)}.size", ATOM
    return f"np.size({self.text(node.args[0])})", ATOM


def _length(self: Expressions, node: Node) -> Text:
    if node.args[0].type.rank == 1 and not self.is_array(node.args[0]):  # of a number 1
        return _size(self, node)
    return f"{_shape(self, node)[0]}[{node.attr('axis', 0)}]", ATOM


def _make_shape(self: Expressions, node: Node) -> Text:
    items = ", ".join(self.text(arg) for arg in node.args)
    return f"({items},)" if len(node.args) == 1 else f"({items})", ATOM


def _transpose(self: Expressions, node: Node) -> Text:
    if not self.is_array(node.args[0]):
        row = node.op
        assert isinstance(row, Row)
        return self.call(row, node)
    x = self.text(node.args[0], ATOM)
    axes = node.attr("axes")
    return (f"{x}.T" if axes is None else f"{x}.transpose({', '.join(map(str, axes))})"), ATOM


def _index(self: Expressions, node: Node) -> Text:
    return f"{self.text(node.args[0], ATOM)}[{self.bracket(node.attr('index'), node.args[1:])}]", ATOM


def _astype(self: Expressions, node: Node) -> Text:
    if not self.is_array(node.args[0]):
        if node.args[0].type.dims != () and node.args[0].type.kind == "array":
            return f"np.asarray({self.text(node.args[0])}).astype({dtype(node.attr('dtype'))})", ATOM
        return f"{dtype(node.attr('dtype'))}({self.text(node.args[0])})", ATOM
    return f"{self.text(node.args[0], ATOM)}.astype({dtype(node.attr('dtype'))})", ATOM


def _reshape(self: Expressions, node: Node) -> Text:
    x, shape = node.args
    inside = self.text(shape)
    if shape.op.name == "make_shape" and shape not in self.names:
        inside = ", ".join(self.text(arg) for arg in shape.args) or "()"
    order = node.attr("order", "C")
    inside += f", order={order!r}" if order != "C" else ""
    if not self.is_array(x):
        order = f", order={order!r}" if order != "C" else ""
        return f"np.reshape({self.text(x)}, {self.text(shape)}{order})", ATOM
    return f"{self.text(x, ATOM)}.reshape({inside})", ATOM


def _expand_dims(self: Expressions, node: Node) -> Text:
    x, axis, rank = node.args[0], node.attr("axis"), node.args[0].type.rank
    if rank is None or not self.is_array(x):
        return f"np.expand_dims({self.text(x)}, {axis!r})", ATOM
    axes = axis if isinstance(axis, tuple) else (axis,)
    new = {one % (rank + len(axes)) for one in axes}
    marks = ["None" if i in new else ":" for i in range(rank + len(axes))]
    while marks[-1] == ":":
        marks.pop()
    return f"{self.text(x, ATOM)}[{', '.join(marks)}]", ATOM


def _array(self: Expressions, node: Node) -> Text:
    """`np.array` of a nested list."""
    items = [self.text(arg) for arg in node.args]
    for length in reversed(node.attr("shape", ())[1:]):
        items = [f"[{', '.join(items[i : i + length])}]" for i in range(0, len(items), length)]
    text = f"[{', '.join(items)}]" if node.attr("shape", ()) else items[0]
    kind = node.attr("dtype")
    return f"np.array({text}{f', dtype={dtype(kind)}' if kind else ''})", ATOM


def _einsum(self: Expressions, node: Node) -> Text:
    operands = ", ".join(self.text(arg) for arg in node.args)
    return f"np.einsum({node.attr('subscripts')!r}, {operands})", ATOM


def _counts(self: Expressions, node: Node) -> Text:
    row = node.op
    assert isinstance(row, Row)
    return f"{self.call(row, node)[0]}[0]", ATOM


def _cho_solve(self: Expressions, node: Node) -> Text:
    row, (c, b) = node.op, node.args
    assert isinstance(row, Row)
    factor = f"({self.text(c)}, {node.attr('lower', False)})"
    return f"{self.function(row)}({factor}, {self.text(b)})", ATOM


def _matrix_transpose(self: Expressions, node: Node) -> Text:
    return f"{self.text(node.args[0], ATOM)}.mT", ATOM


def _sequence(self: Expressions, node: Node) -> Text:
    """A function of a list of arrays: `np.concatenate([a, b], axis=0)`."""
    row = node.op
    assert isinstance(row, Row)
    items = f"[{', '.join(self.text(arg) for arg in node.args)}]"
    return f"{row.spelling}({', '.join([items, *self.keywords(row, node)])})", ATOM


def _choose(self: Expressions, node: Node) -> Text:
    places, *choices = map(self.text, node.args)
    row = node.op
    assert isinstance(row, Row)
    inside = [places, f"[{', '.join(choices)}]", *self.keywords(row, node)]
    return f"np.choose({', '.join(inside)})", ATOM


def _stack_item(self: Expressions, node: Node) -> Text:
    stack, index = node.args
    return f"{self.text(stack, ATOM)}[{self.text(index)}]", ATOM


def _nonzero(self: Expressions, node: Node) -> Text:
    return f"np.nonzero({self.text(node.args[0])})[{node.attr('axis', 0)}]", ATOM


def _unstacked(self: Expressions, node: Node) -> Text:
    """`list(g)`, in lists of lists `[list(part) for part in g]`."""
    g, axis, depth = self.text(node.args[0]), node.attr("axis", 0), node.attr("depth", 1)
    if axis:
        g = f"np.moveaxis({g}, {axis}, 0)"
    if depth == 1:
        return f"list({g})", ATOM
    text = "list(part)"
    for _ in range(depth - 2):
        text = f"[{text} for part in part]"
    return f"[{text} for part in {g}]", ATOM


def _repeated(self: Expressions, node: Node) -> Text:
    value, count = node.args
    return f"[{self.text(value)}] * {self.text(count, PRODUCT + 1)}", PRODUCT


def _listed(self: Expressions, node: Node) -> Text:
    return f"[{', '.join(map(self.text, node.args))}]", ATOM


def _chained(self: Expressions, node: Node) -> Text:
    return self.infix("+", *node.args)


def _some_of(self: Expressions, node: Node) -> Text:
    g, a = self.text(node.args[0], ATOM), self.text(node.args[1])
    return f"{g}[: len({a})]" if node.op.name == "first_of" else f"{g}[len({a}) :]", ATOM


def _not(self: Expressions, node: Node) -> Text:
    return f"not {self.text(node.args[0], NOT)}", NOT


def _call(self: Expressions, node: Node) -> Text:
    inside = ", ".join(map(self.text, node.args))
    return f"{node.attr('function')}({inside})", ATOM


def _pull(self: Expressions, node: Node) -> Text:
    pullback, *cotangents = node.args
    inside = ", ".join(map(self.text, cotangents))
    return f"{self.text(pullback)}({f'({inside})' if len(cotangents) > 1 else inside})", ATOM


_SPECIAL: dict[str, Callable[[Expressions, Node], Text]] = {
    "call": _call,
    "call_vjp": _call,
    "pull": _pull,
    "new_stack": lambda self, node: ("[]", ATOM),
    "stack_item": _stack_item,
    "nonzero": _nonzero,
    "choose": _choose,
    "unstacked": _unstacked,
    "repeated": _repeated,
    "listed": _listed,
    "chained": _chained,
    "first_of": _some_of,
    "rest_of": _some_of,
    "not": _not,
    "undefined": lambda self, node: ("None", ATOM),
    "const": lambda self, node: constant(node.value),
    "stop_gradient": lambda self, node: self._named(node.args[0]),
    "shape": _shape,
    "size": _size,
    "length": _length,
    "make_shape": _make_shape,
    "transpose": _transpose,
    "index": _index,
    "astype": _astype,
    "reshape": _reshape,
    "expand_dims": _expand_dims,
    "array": _array,
    "einsum": _einsum,
    "linalg.multi_dot": _sequence,
    **dict.fromkeys(("histogram.counts", "scipy.linalg.cho_factor"), _counts),
    "scipy.linalg.cho_solve": _cho_solve,
    "matrix_transpose": _matrix_transpose,
    **dict.fromkeys(("concatenate", "stack", "vstack", "hstack", "dstack", "column_stack"), _sequence),
}
