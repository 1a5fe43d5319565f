"""How one operation pushes tangents.

Enters: an operation that stands in the program, and tangents of its operands.  Leaves: derived code that
computes the tangent of its value, from the row alone.  Invariant: a tangent that is zero by the rules is no
entry; every other one has the shape and dtype of its value, and is real where that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symdiff.autodiff.activity import differentiable
from symdiff.errors import UnsupportedError
from symdiff.ir import types
from symdiff.ir.build import Builder
from symdiff.ir.control import ITEM, UNDEFINED, values_of
from symdiff.ir.node import Node
from symdiff.ir.types import Size, Type
from symdiff.ops import infer
from symdiff.ops.row import Row, row_for
from symdiff.ops.shaping import astype, broadcast_to, full_like, real, shape_of, zeros, zeros_like
from symdiff.ops.stacks import new_stack, stack_of_zeros

Tangents = dict[Node, Node]


def tangent_type(type: Type) -> Type:
    """The type of a tangent that control flow hands on: that of the value, where a number may be an array
    without axes."""
    if type.kind == "number":
        return types.array(infer.numpy_dtype_of(type), ())
    return replace(type, items=tuple(map(tangent_type, type.items))) if type.items else type


class Pushing:
    """Tangents by value, and the rules that push them.

    done: the values that were pushed, whether or not they have a tangent.  pushing: whether tangents are
    needed here at all.
    """

    def __init__(self, builder: Builder, tangents: Tangents):
        self.builder = builder
        self.tangents = tangents
        self.done: set[Node] = set(tangents)
        self.pushing = True

    def push(self, node: Node) -> None:
        """Give a value its tangent, if it has one."""
        self.done.add(node)
        given = [self.tangents.get(arg) for arg in node.args]
        if not self.pushing or all(tangent is None for tangent in given):
            return
        row = row_for(node)
        if node.op is ITEM:
            tangent: Node | None = self.builder.typed(ITEM, (given[0],), node.attributes, node.type)  # type: ignore[arg-type]
        elif row is None or row.kind == "constant" or not (differentiable(node.type) or _is_several(node)):
            return
        elif _is_several(node) and row.jvp is not None:
            self._several(row, node, given)
            return
        else:
            tangent = self._pushed(row, node, given)
        if tangent is not None and not (tangent.is_const and tangent.value == 0):
            self.tangents[node] = tangent = self._fitted(tangent, node)
            self.label(tangent, node)

    def label(self, tangent: Node, value: Node) -> None:
        """Name a tangent after its value; the first name stays."""
        if value.name:
            self.builder.label(tangent, f"{value.name}_dot")

    def whole(self, value: Node) -> Node:
        """The tangent of a value as one that control flow can hand on: solid, zeros where there is none."""
        tangent = self.tangents.get(value)
        return self.zero(value) if tangent is None else self.solid(tangent, value)

    def zero(self, value: Node) -> Node:
        """A zero tangent, where one must be there."""
        if value.type.kind == "undefined":
            return UNDEFINED()
        if value.type.kind == "stack":
            return new_stack() if value.op is new_stack else stack_of_zeros(value)
        if value.type.dims == ():
            return self.builder.const(0.0)
        if value.op in (zeros, zeros_like) and differentiable(value.type):
            return value
        return zeros_like(value, **({} if differentiable(value.type) else {"dtype": "float64"}))

    def solid(self, tangent: Node, value: Node) -> Node:
        """A tangent as an array of its own shape."""
        spread = tangent.op is broadcast_to and not tangent.primal and tangent.args[0].type.dims == ()
        if spread and value.type.dims != ():
            return full_like(value, tangent.args[0])
        return tangent

    def _pushed(self, row: Row, node: Node, given: Sequence[Node | None]) -> Node | None:
        """The tangent of a value by its row."""
        args, attrs = node.args, node.attributes
        if row.jvp is not None:
            made: Node | None = row.jvp(tuple(given), node, *args, **attrs)
            return made
        if row.kind == "elementwise":
            return self._sum([self._scaled(row, i, node, given[i]) for i in range(len(args))])
        if row.kind == "linear":
            return self._linear(row, node, given)
        if row.kind == "multilinear":
            parts = [
                row(*args[:i], tangent, *args[i + 1 :], **attrs)
                for i, tangent in enumerate(given)
                if tangent is not None and self._is_linear(row, node, i)
            ]
            return self._sum(parts)
        if row.definition is not None:
            return self._through(self.builder.lift(row.definition(*args, **attrs)))
        raise UnsupportedError(f"{row.spelling} has no rule for forward mode.", span=node.span)

    def _several(self, row: Row, node: Node, given: Sequence[Node | None]) -> None:
        """Give each result of an operation of several its tangent."""
        assert row.jvp is not None
        values = values_of(node)
        made = row.jvp(tuple(given), values, *node.args, **node.attributes)
        for value, tangent in zip(values, made, strict=True):
            self.done.add(value)
            if tangent is not None and differentiable(value.type):
                self.tangents[value] = self._fitted(tangent, value)

    def _sum(self, parts: Sequence[Node | None]) -> Node | None:
        total = None
        for part in parts:
            if part is not None:
                total = part if total is None else total + part
        return total

    def _scaled(self, row: Row, i: int, node: Node, tangent: Node | None) -> Node | None:
        rule = row.partials[i]
        if rule is None or tangent is None:
            return None
        partial = self.builder.lift(rule(*node.args, node))
        return None if partial.is_const and partial.value == 0 else tangent * partial

    def _linear(self, row: Row, node: Node, given: Sequence[Node | None]) -> Node | None:
        """The operation itself on tangents; operands in which it is not linear stay as they are."""
        operands: list[Node] = []
        reached = False
        for i, (arg, tangent) in enumerate(zip(node.args, given, strict=True)):
            if not self._is_linear(row, node, i):
                operands.append(arg)
                continue
            reached |= tangent is not None
            operands.append(self.whole(arg))
        return row(*operands, **node.attributes) if reached else None

    def _is_linear(self, row: Row, node: Node, i: int) -> bool:
        """Whether an operation is linear in an operand: whether that has a cotangent."""
        if row.transposes:
            return row.transposes[i] is not None
        if row.transpose is None:
            return differentiable(node.args[i].type) or node.args[i] in self.tangents
        with self.builder.apart():
            g = self.builder.param(node.type)
            return row.transpose(g, i, *node.args, **node.attributes) is not None

    def _through(self, output: Node) -> Node | None:
        """The tangent of a composite: that of its definition, written out."""
        pending: dict[Node, None] = {}

        def visit(node: Node) -> None:
            if node not in self.done and node not in pending:
                for arg in node.args:
                    visit(arg)
                pending[node] = None

        visit(output)
        for node in pending:
            self.push(node)
        return self.tangents.get(output)

    def _fitted(self, tangent: Node, value: Node) -> Node:
        """A tangent in the shape and dtype of its value."""
        if value.type.kind not in ("array", "number"):
            return tangent
        have, want = infer.numpy_dtype(tangent), infer.numpy_dtype(value)
        if have.startswith("complex") and want and not want.startswith("complex"):
            tangent = real(tangent)
            have = infer.numpy_dtype(tangent)
        if have and want and have != want and tangent.type.kind == value.type.kind == "array":
            tangent = astype(tangent, dtype=want)
        sizes = self.builder.sizes
        self._equate(tangent, value)
        dims, wanted = sizes.resolve(tangent.type.dims), sizes.resolve(value.type.dims)
        if wanted == () or (dims == wanted is not None) or (wanted is None and self._covers(tangent, value)):
            return tangent
        return broadcast_to(tangent, shape_of(value))

    def _equate(self, tangent: Node, value: Node) -> None:
        """Record that what no broadcast came into has the lengths of its value: one operation made both, on
        operands of the same lengths."""
        row, sizes = row_for(value), self.builder.sizes
        dims, wanted = sizes.resolve(tangent.type.dims), sizes.resolve(value.type.dims)
        if row is None or row.kind != "linear" or dims is None or wanted is None or tangent.op is not row:
            return
        for dim, want in zip(dims, wanted, strict=True):
            if isinstance(dim, Size) and dim.name.startswith("?") and not dim.less and dim != want:
                sizes.unify(dim, want)

    def _covers(self, tangent: Node, value: Node) -> bool:
        """Whether a tangent of unknown rank has the shape of its value in any case: because it is computed
        from the same operands, element by element, or is no sum of such."""
        row = row_for(value)
        if row is None or row.kind != "elementwise":
            return True
        met: set[Node] = set()
        pending = [tangent]
        while pending:
            node = pending.pop()
            inner = row_for(node)
            if node not in met:
                met.add(node)
                pending += node.args if inner is not None and inner.kind == "elementwise" else ()
        return all(
            arg.type.dims == () or arg in met or self.tangents.get(arg) in met or value in met
            for arg in value.args
        )


def _is_several(node: Node) -> bool:
    return node.type.kind == "tuple"
