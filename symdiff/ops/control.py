"""Operations that are no function of NumPy (closures, writes into parameters), and which memory is shared."""

from __future__ import annotations

from typing import Any

from symdiff.ir.node import Node, Op, Region
from symdiff.ir.types import Type, tuple_of
from symdiff.ops.row import Row


def _infer_closure(*, regions: tuple[Region, ...], **_: Any) -> Type:
    return tuple_of(result.type for result in regions[0].results)


# A function of the region's parameters, closing over outer values: the pullback of `vjp`.
closure = Op("closure", _infer_closure)

# `store(target, value)` writes a value into the array of a parameter; its own value is that array from there
# on.  It is kept although nothing reads it, and what it overwrites must have been read before.
store = Op("store", lambda target, value: target.type, pure=False, effect=True)


def is_view(node: Node) -> bool:
    """Whether the value may share memory with its first operand."""
    return isinstance(node.op, Row) and (node.op.view or node.op.name == "fit_like")


def root(node: Node) -> Node:
    """The value whose memory this one may share."""
    while is_view(node):
        node = node.args[0]
    return node
