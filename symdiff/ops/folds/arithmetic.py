"""Folds of arithmetic: constants, identities, signs outwards, scalars together, broadcasts absorbed."""

from __future__ import annotations

import operator
from functools import partial

from symdiff.ir.build import current
from symdiff.ir.node import Node
from symdiff.ir.types import Type
from symdiff.ops.arithmetic import add, divide, multiply, negative, power, subtract
from symdiff.ops.elementwise import where
from symdiff.ops.folds.common import (
    Build,
    computed,
    first_of,
    fold,
    is_const,
    is_scalar,
    negated,
    same_type,
    shaped_as,
)
from symdiff.ops.folds.masks import mask_last, mask_of, masked, unmasked
from symdiff.ops.indexing import add_at, scatter
from symdiff.ops.row import Row
from symdiff.ops.shaping import (
    broadcast_to,
    expand_dims,
)


def _positive_part(node: Node) -> Node | None:
    """What is subtracted where a derived term is added: `x` of `-x`, `2 * x` of `-2 * x`, 3 of -3."""
    if node.is_const and not isinstance(node.value, complex) and node.value < 0:
        return -node
    if not node.primal and node.op in (multiply, divide) and node.args[0].is_const:
        factor = node.args[0].value
        if not isinstance(factor, complex) and factor < 0:
            return -node
    return negated(node)


def _absorbed(op: Row, a: Node, b: Node) -> Node | None:
    """`op` without a broadcast that the other operand's shape implies, or with the broadcast outside."""
    result = op.infer(a, b)
    choices: tuple[tuple[Node, Node, Build], ...] = (
        (a, b, lambda inner: op(inner, b)),
        (b, a, lambda inner: op(a, inner)),
    )
    for first, second, build in choices:
        if first.op.name != "broadcast_to" or first.primal:
            continue
        inner = first.args[0]
        absorbed = op.infer(*((inner, second) if first is a else (second, inner)))
        if inner.type.kind == "number":  # weak: the dtype is that of the other operand
            absorbed = absorbed.with_dtype(result.dtype)
        if same_type(result, absorbed) or (is_scalar(inner) and shaped_as(first) is shaped_as(second)):
            return build(inner)
        if second.type.dims == () and inner.type.dims is not None:
            return broadcast_to(build(inner), first.args[1])
    return None


@fold(add)
def _add(a: Node, b: Node) -> Node | None:
    if a is b and not a.is_const:
        return 2 * a
    for first, second in ((a, b), (b, a)):
        if is_const(first, 0) and same_type(add.infer(a, b), second.type):
            return second
        inner = _positive_part(second)
        if inner is not None:
            return first - inner
    if b.op is scatter and a.op is scatter and _positive_part(a.args[0]) is not None:
        a, b = b, a  # what is subtracted comes last: `x_bar[:-1] -= g`
    if b.op is scatter and not b.primal:
        return _into(a, b)
    if a.op is scatter and not a.primal:
        return _into(b, a)
    for nothing, other in ((a, b), (b, a)):
        if nothing.op.name == "zeros_like" and not nothing.primal and same_type(nothing.type, other.type):
            return other
    shared = _with_common_factor(a, b)
    if shared is not None:
        return shared
    left, right = mask_of(a), mask_of(b)
    if left is not None and right is not None and a.op is b.op is where and left[0] is right[0]:
        if left == right:
            return masked(*left, unmasked(a) + unmasked(b))
        return where(left[0], unmasked(a if left[1] else b), unmasked(b if left[1] else a))
    return first_of(computed(operator.add), partial(_absorbed, add))(a, b)


def _with_common_factor(a: Node, b: Node) -> Node | None:
    """One product of matrices for two with a common factor: what goes back through `x @ x.T` is
    `(g + g.T) @ x`."""
    if a.op.name != "matmul" or b.op is not a.op or a.primal or b.primal:
        return None
    if any(arg.type.rank != 2 for arg in (*a.args, *b.args)):
        return None
    (one, right), (other, last) = a.args, b.args
    if right is last and same_type(one.type, other.type):
        return a.op(one + other, right)
    if one is other and same_type(right.type, last.type):
        return a.op(one, right + last)
    return None


def _into(total: Node, part: Node) -> Node | None:
    """Add a cotangent that lives at an index to one of full shape: O(size of the index)."""
    if not same_type(total.type, part.type):
        return None
    value, _, *where = part.args
    return add_at(total, value, *where, **part.attributes)


@fold(subtract)
def _subtract(a: Node, b: Node) -> Node | None:
    if is_const(b, 0) and same_type(subtract.infer(a, b), a.type):
        return a
    if is_const(a, 0) and same_type(subtract.infer(a, b), b.type):
        return -b
    inner = negated(b)
    if inner is not None:
        return a + inner
    if b.op is scatter and not b.primal:
        value, *rest = b.args
        return _into(a, scatter(-value, *rest, **b.attributes))
    return first_of(computed(operator.sub), partial(_absorbed, subtract))(a, b)


def _regrouped(scalar: Node, product: Node) -> Node | None:
    """A scalar times a derived product with a scalar factor: the scalars first, so that one array operation
    is left."""
    if not is_scalar(scalar) or product.primal:
        return None
    if product.op is expand_dims:
        inner = _regrouped(scalar, product.args[0])
        return None if inner is None else expand_dims(inner, **product.attributes)
    if product.op not in (multiply, divide):
        return None
    a, b = product.args
    if is_scalar(a) and (not is_scalar(b) or (scalar.is_const and a.is_const)):
        return product.op(scalar * a, b)
    if is_scalar(b) and not is_scalar(a):
        return (scalar / b if product.op is divide else scalar * b) * a
    return None


def _is_like(result: Type, operand: Type) -> bool:
    """Whether arithmetic with a constant leaves kind and dtype; the shape it leaves in any case."""
    return result.kind == operand.kind and result.dtype == operand.dtype


@fold(multiply)
def _multiply(a: Node, b: Node) -> Node | None:
    for first, second in ((a, b), (b, a)):
        if is_const(first, 1) and (_is_like(multiply.infer(a, b), second.type) or not second.type.dtype):
            return second
        if is_const(first, -1) and same_type(multiply.infer(a, b), second.type):
            return -second
        inner = negated(first)
        if inner is not None:
            return -(inner * second)
        regrouped = _regrouped(first, second)
        if regrouped is not None:
            return regrouped
        if first.op is divide and not first.primal and is_const(first.args[0], 1) and not is_const(second):
            return second / first.args[1]
    if b.is_const and not a.is_const:
        return b * a
    if b.op is multiply and not b.primal and b.args[0].is_const and not a.is_const:
        return (b.args[0] * a) * b.args[1]
    return first_of(computed(operator.mul), partial(mask_last, multiply), partial(_absorbed, multiply))(a, b)


@fold(divide)
def _divide(a: Node, b: Node) -> Node | None:
    if is_const(b, 1) and same_type(divide.infer(a, b), a.type):
        return a
    choices: tuple[tuple[Node, Build], ...] = ((a, lambda inner: inner / b), (b, lambda inner: a / inner))
    for first, build in choices:
        inner = negated(first)
        if inner is not None:
            return -build(inner)
    if (
        is_scalar(b)
        and a.op is multiply
        and not a.primal
        and is_scalar(a.args[0])
        and not is_scalar(a.args[1])
    ):
        return (a.args[0] / b) * a.args[1]
    return first_of(computed(operator.truediv), partial(mask_last, divide), partial(_absorbed, divide))(a, b)


@fold(power)
def _power(a: Node, b: Node) -> Node | None:
    if is_const(b, 1) and (same_type(power.infer(a, b), a.type) or not a.type.dtype):
        return a
    return computed(operator.pow)(a, b)


@fold(negative)
def _negative(x: Node) -> Node | None:
    if x.is_const:
        return current().const(-x.value)
    if x.primal:
        return None
    if x.op is negative:
        return x.args[0]
    if x.op is subtract:
        return x.args[1] - x.args[0]
    if x.op in (multiply, divide) and x.args[0].is_const:
        return x.op(-x.args[0], x.args[1])
    if x.op.name == "broadcast_to":
        return broadcast_to(-x.args[0], x.args[1])
    mask = mask_of(x)
    if mask is not None and x.op.name == "where":
        return masked(*mask, -unmasked(x))
    return None
