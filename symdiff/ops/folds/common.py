"""What the folds share: registering one, and small questions about nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symdiff.ir import types
from symdiff.ir.build import current
from symdiff.ir.node import FOLDS, Node, Number
from symdiff.ops.arithmetic import negative
from symdiff.ops.elementwise import where
from symdiff.ops.row import Row
from symdiff.ops.shaping import (
    broadcast_to,
    fit_like,
    shape_of,
)

Fold = Callable[..., Node | None]
Build = Callable[[Node], Node]


def fold(row: Row) -> Callable[[Fold], Fold]:
    def add_fold(function: Fold) -> Fold:
        FOLDS[row.name] = function
        return function

    return add_fold


def is_const(node: Node, value: Number | None = None) -> bool:
    return node.is_const and (value is None or node.value == value)


def is_scalar(node: Node) -> bool:
    return node.type.dims == ()


def same_type(a: types.Type, b: types.Type) -> bool:
    """Equal kind, dtype and resolved dims: one may stand for the other."""
    sizes = current().sizes
    return (
        a.kind == b.kind
        and a.dtype == b.dtype
        and a.dims is not None
        and b.dims is not None
        and sizes.resolve(a.dims) == sizes.resolve(b.dims)
    )


def first_of(*folds: Fold) -> Fold:
    """The first of several folds that applies."""

    def attempt(*operands: Node) -> Node | None:
        return next((result for one in folds if (result := one(*operands)) is not None), None)

    return attempt


def computed(function: Callable[[Any, Any], Any]) -> Callable[[Node, Node], Node | None]:
    """Constant folding with Python's own arithmetic; what Python refuses stays a node."""

    def compute(a: Node, b: Node) -> Node | None:
        if not (a.is_const and b.is_const):
            return None
        try:
            return current().const(function(a.value, b.value))
        except (ArithmeticError, ValueError):
            return None

    return compute


def negated(node: Node) -> Node | None:
    """What a derived minus sign stands before."""
    return node.args[0] if node.op is negative and not node.primal else None


def shaped_as(node: Node) -> Node:
    """A value of the same shape: arithmetic with constants and unary functions keep shapes."""
    while True:
        if node.op is fit_like and not node.primal:
            node = node.args[1]
        elif node.op is broadcast_to and node.args[1].op is shape_of:
            node = node.args[1].args[0]
        elif isinstance(node.op, Row) and node.op.kind == "elementwise":
            operands = [arg for arg in node.args if arg.type.dims != ()]
            if len(operands) != 1:
                return node
            node = operands[0]
        else:
            return node


def is_weak(g: Node) -> bool:
    """A Python number, perhaps spread over an array that does not exist yet: it takes any dtype."""
    if g.type.kind == "number":
        return True
    if g.primal:
        return False
    return (g.op is broadcast_to and is_weak(g.args[0])) or (g.op is where and all(map(is_weak, g.args[1:])))
