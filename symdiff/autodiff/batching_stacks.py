"""Lists of batched items.

Enters: an operation on a list whose items are batched, or that takes a batched item.  Leaves: the same on the
list for the whole batch.  Invariant: all items of a list are batched, or none.
"""

from __future__ import annotations

from collections.abc import Callable

from symdiff.autodiff.batching_operands import Call, Operand, Refused, whole
from symdiff.ir.node import Node
from symdiff.ops.stacks import stacked


def _is_empty(one: Operand) -> bool:
    return one.type.kind == "stack" and one.type.items[0].kind == "undefined"


def _list(call: Call, one: Operand) -> Node:
    """A list of batched items."""
    if not one.batched and not _is_empty(one):
        raise Refused
    return one.node


def _place(call: Call, one: Operand) -> Node:
    if one.batched:
        raise Refused  # every item of the batch has a place of its own
    return one.node


def _push(call: Call) -> Node:
    stack, value, *place = call.args
    item = value.node if value.type.kind == "stack" and value.batched else None
    if value.type.kind == "stack" and item is None:
        raise Refused
    return call.again(
        _list(call, stack),
        whole(value, call.count, own=True) if item is None else item,
        *(_place(call, one) for one in place),
    )


def _reading(call: Call) -> Node:
    """What reads a list at places that are the same for all items of the batch."""
    stack, *places = call.args
    return call.again(_list(call, stack), *(_place(call, one) for one in places))


def _lists(call: Call) -> Node:
    return call.again(*(_list(call, one) for one in call.args))


def _listed(call: Call) -> Node:
    if any(one.type.kind == "stack" and not one.batched for one in call.args):
        raise Refused
    return call.again(
        *(one.node if one.type.kind == "stack" else whole(one, call.count, own=True) for one in call.args)
    )


def _repeated(call: Call) -> Node:
    value, count = call.args
    return call.again(value.node, _place(call, count))


def _measured(call: Call) -> Node:
    """The first operand alone holds values, the second a length."""
    return call.again(_list(call, call.args[0]), call.args[1].node)


def _along(call: Call) -> Node:
    """An array of a list, or the list of an array, along an axis."""
    if call.node.attr("depth", 1) != 1:
        raise Refused
    axis = call.node.attr("axis", 0)
    return call.again(call.args[0].node, axis=axis + 1 if axis >= 0 else axis)


def _as_array(call: Call) -> Node:
    (stack,) = call.args
    if stack.type.items[0].kind == "stack":
        raise Refused
    return stacked(stack.node, axis=1)


def _split_like(call: Call) -> Node:
    g, stack = call.args
    if not (g.batched and stack.batched):
        raise Refused
    axis = call.node.attr("axis", 0)
    return call.again(g.node, stack.node, axis=axis + 1 if axis >= 0 else axis)


def _length(call: Call) -> Operand:
    return Operand(call.again(call.args[0].node), False, call.node.type)


STACKS: dict[str, Callable[[Call], Node | Operand | None]] = {
    "push": _push,
    "add_to_item": _push,
    "set_item": _push,
    "pop": _reading,
    "stack_item": _reading,
    "stack_of_zeros": _lists,
    "chained": _lists,
    "sum_of_stacks": _lists,
    "listed": _listed,
    "repeated": _repeated,
    "first_of": _measured,
    "rest_of": _measured,
    "stacked": _along,
    "unstacked": _along,
    "concatenated": _along,
    "as_array": _as_array,
    "split_like": _split_like,
    "stack_length": _length,
}
