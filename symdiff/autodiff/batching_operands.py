"""Operands of a batched operation, and how they meet.

Enters: values that have the batch's axis in front, or not.  Leaves: views of them that broadcast as their
items do.  Invariant: alignment moves no element; only `whole` makes an axis, and with `own` memory for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symdiff.ir.build import Builder, current
from symdiff.ir.node import Node
from symdiff.ir.types import Type
from symdiff.ops import infer
from symdiff.ops.shaping import (
    broadcast_to,
    copy,
    expand_dims,
    full,
    length,
    make_shape,
    shape_of,
    zeros,
    zeros_like,
)


class Refused(Exception):
    """A program cannot be batched as it stands."""


@dataclass(frozen=True, slots=True)
class Operand:
    """A value in the new program, whether it is batched, and the type of one item."""

    node: Node
    batched: bool
    type: Type

    @property
    def rank(self) -> int:
        """The number of axes of an item."""
        if self.type.rank is None:
            raise Refused
        return self.type.rank


@dataclass(frozen=True, slots=True)
class Call:
    """One operation of the program and its operands in the new one.  count: how many items there are."""

    builder: Builder
    node: Node
    args: tuple[Operand, ...]
    count: Node

    @property
    def nodes(self) -> list[Node]:
        return [one.node for one in self.args]

    def again(self, *operands: Node, **attrs: object) -> Node:
        """The operation itself on other operands, with some attributes changed; None takes one away."""
        merged = {**self.node.attributes, **attrs}
        return self.builder.emit(self.node.op, operands, {k: v for k, v in merged.items() if v is not None})


def aligned(one: Operand, rank: int) -> Node:
    """Axes of length 1 behind the batch's, so that items broadcast as arrays of `rank` axes do."""
    if not one.batched or one.rank >= rank:
        return one.node
    return expand_dims(one.node, axis=tuple(range(1, rank - one.rank + 1)))


def lengths(one: Operand) -> list[Node]:
    """The lengths of an item."""
    dims = current().sizes.resolve(one.type.dims) or ()
    return [
        current().const(dim) if isinstance(dim, int) else length(one.node, axis=i + one.batched)
        for i, dim in enumerate(dims)
    ]


def sizes_of(shape: Node) -> list[Node]:
    """The lengths that a shape holds."""
    if shape.op is make_shape:
        return list(shape.args)
    if shape.op is shape_of:
        return lengths(Operand(shape.args[0], False, shape.args[0].type))
    raise Refused


def shaped(count: Node, sizes: Sequence[Node]) -> Node:
    return make_shape(count, *sizes)


def whole(one: Operand, count: Node, own: bool = False) -> Node:
    """A value with the batch's axis.  own: in memory that may be written into."""
    if one.batched:
        return one.node
    node = one.node
    like = node.args[0] if node.op is zeros_like and not one.batched else node
    shape = shaped(count, lengths(Operand(like, False, one.type)))
    dtype = infer.numpy_dtype_of(one.type)
    given = {} if dtype in ("", "float64") else {"dtype": dtype}
    if (own and node.op in (zeros, zeros_like)) or (node.is_const and node.value == 0):
        return zeros(shape, **given)
    if one.type.dims == ():
        weak = node.type.kind == "number" and not (node.is_const and isinstance(node.value, float))
        return full(shape, node, **({"dtype": dtype} if weak and dtype else given))
    made = broadcast_to(one.node, shape)
    return copy(made) if own else made
