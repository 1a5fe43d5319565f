"""Masks: cotangents that live where a branch was taken.

`where(c, g, 0) * p` becomes `where(c, g * p, 0)`: a partial that is NaN or infinite where the branch was not
taken never meets a zero.
"""

from __future__ import annotations

from functools import reduce

from symdiff.ir.build import current
from symdiff.ir.node import Node, Number
from symdiff.ops import infer
from symdiff.ops.arithmetic import add, divide, multiply, negative, subtract
from symdiff.ops.elementwise import logical_not, logical_or, where
from symdiff.ops.folds.common import Build, fold, is_const
from symdiff.ops.reductions import add_reduce, any_reduce
from symdiff.ops.row import Row
from symdiff.ops.shaping import astype, broadcast_to
from symdiff.ops.updates import update


def mask_of(node: Node) -> tuple[Node, bool] | None:
    """The condition outside of which a derived cotangent is zero: `(c, True)` for `where(c, g, 0)`,
    `(c, False)` for `where(c, 0, g)`; sums of masked cotangents carry both."""
    found: list[tuple[Node, bool]] = []
    pending = [node]
    while pending:
        one = pending.pop()
        if not one.primal and one.op in (add, subtract, negative):
            pending += one.args  # the latest term first: one without a mask ends it
            continue
        mask = _mask(one)
        if mask is None:
            return None
        if mask not in found:
            found.append(mask)
    return reduce(lambda left, right: (_either(left, right), True), reversed(found))


def _mask(node: Node) -> tuple[Node, bool] | None:
    if node.primal or node.op.name != "where":
        return None
    condition, a, b = node.args
    return (condition, True) if is_const(b, 0) else (condition, False) if is_const(a, 0) else None


def _either(left: tuple[Node, bool], right: tuple[Node, bool]) -> Node:
    a, b = (c if positive else logical_not(c) for c, positive in (left, right))
    return logical_or(a, b)


def masked(condition: Node, positive: bool, x: Node | Number) -> Node:
    return where(condition, x, 0) if positive else where(condition, 0, x)


def unmasked(node: Node) -> Node:
    """The value under a mask where the mask is the outermost operation."""
    if node.op.name == "where":
        return node.args[2] if is_const(node.args[1], 0) else node.args[1]
    return node


def mask_last(op: Row, a: Node, b: Node) -> Node | None:
    """A product or quotient of a masked cotangent, masked after it is taken."""
    for masked_one in (a, b) if op is multiply else (a,):
        mask = mask_of(masked_one)
        if mask is not None and masked_one.op is where:
            inner = unmasked(masked_one)
            return masked(*mask, op(inner, b) if masked_one is a else op(a, inner))
        if mask is not None:
            return masked(*mask, current().unfolded(op, a, b))
        mask = _summed_mask(masked_one)
        if mask is not None and (op is divide or _may_be_infinite(b if masked_one is a else a)):
            return masked(*mask, current().unfolded(op, a, b))
        found = _zeroed_last(op, a, b, masked_one)
        if found is not None:
            return found
    return None


def _zeroed_last(op: Row, a: Node, b: Node, cotangent: Node) -> Node | None:
    """The same of a cotangent that was set to zero where the function wrote into `x[mask]`."""
    other = b if cotangent is a else a
    if not (op is divide or _may_be_infinite(other)):
        return None
    zeroed = _zeroed(cotangent)
    if zeroed is None:
        return None
    if zeroed is cotangent:
        a, b = (zeroed.args[0], b) if cotangent is a else (a, zeroed.args[0])
    result = current().unfolded(op, a, b)
    if result.type.dims != zeroed.type.dims or result.type.dtype != zeroed.type.dtype:
        return None
    return update(result, 0.0, *zeroed.args[2:], **zeroed.attributes)


def _zeroed(node: Node) -> Node | None:
    """The write of zeros that a cotangent, or a factor of it, is."""
    pending = [node]
    while pending:
        one = pending.pop()
        if one.primal or one.type.dims != node.type.dims:
            continue
        if one.op in (multiply, divide, negative):
            pending += one.args[: 1 if one.op is divide else 2]
        elif one.op is update and is_const(one.args[1], 0) and not one.attr("view", ()):
            operands = one.args[2:]
            if len(operands) == 1 and operands[0].type.dtype == "bool" and operands[0].type.dims != ():
                return one
    return None


def _summed_mask(node: Node) -> tuple[Node, bool] | None:
    """The condition outside of which a sum of a masked cotangent is zero: nothing was taken on its axes."""
    if node.op is astype and not node.primal:
        node = node.args[0]
    if node.op is not add_reduce or node.primal or node.args[0].op is not where:
        return None
    mask = mask_of(node.args[0])
    if mask is None:
        return None
    condition, positive = mask
    summed, cond = node.args[0].type.dims, condition.type.dims
    if cond == ():
        return mask
    if summed is None or cond is None or len(summed) != len(cond):
        return None
    taken = condition if positive else logical_not(condition)
    return any_reduce(taken, **node.attributes), True


def _may_be_infinite(node: Node) -> bool:
    """Whether a partial may be infinite or NaN where its operand is finite: quotients, powers, logarithms."""
    finite = (
        "param",
        "const",
        "size",
        "length",
        "add",
        "subtract",
        "multiply",
        "negative",
        "sin",
        "cos",
        "tanh",
    )
    return node.op.name not in finite


@fold(where)
def _where(condition: Node, a: Node, b: Node) -> Node | None:
    """A branch that was only broadcast to the shape that the others have."""
    dims = current().sizes.resolve(infer.broadcast(condition, a, b))
    choices: tuple[tuple[Node, Build], ...] = (
        (a, lambda inner: where(condition, inner, b)),
        (b, lambda inner: where(condition, a, inner)),
    )
    for first, build in choices:
        if first.op is broadcast_to and not first.primal:
            inner = first.args[0]
            rest = [condition, b if first is a else a, inner]
            if dims is not None and current().sizes.resolve(infer.broadcast(*rest)) == dims:
                return build(inner)
    return None
