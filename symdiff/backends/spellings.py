"""Operations that are neither written as an operator nor as a call of their function: `x.shape`, `x[i]`.

Enters: a printer and a node of such an operation.  Leaves: its expression, with its precedence.  Invariant:
operands are printed by the printer, under the precedence that their place asks for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from symdiff.backends.literals import ATOM, NOT, PRODUCT, Text, constant, dtype
from symdiff.ir.node import Node
from symdiff.ops.row import Row

if TYPE_CHECKING:
    from symdiff.backends.expressions import Expressions


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


SPELLINGS: dict[str, Callable[[Expressions, Node], Text]] = {
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
    "stop_gradient": lambda self, node: self.named(node.args[0]),
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
