"""Stacks: Python lists whose length is known at run time alone.

What a loop appends, for the user or for its reverse sweep.  `push` and `pop` are functional, and in the
generated code the `append` and `pop` of one list.  The cotangent of a stack is a stack of its items'
cotangents, of the same length.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symdiff.errors import IRError
from symdiff.ir import types
from symdiff.ir.build import current
from symdiff.ir.control import ITEM
from symdiff.ir.node import Node, Op
from symdiff.ir.types import Type
from symdiff.ops.row import row


def _item(stack: Node) -> Type:
    if stack.type.kind != "stack":
        raise IRError(f"{stack.type} is no stack.")
    return stack.type.items[0]


def _infer_push(stack: Node, value: Node) -> Type:
    return types.stack_of(current().sizes.join(_item(stack), value.type))


def pushed(stack: Node, value: Node) -> Node:
    """The stack with one more item."""
    return push(stack, value)


def popped(stack: Node) -> tuple[Node, Node]:
    """The stack without its last item, and that item."""
    both = pop(stack)
    return ITEM(both, index=0), ITEM(both, index=1)


def _opaque(name: str, infer: Callable[..., Type], text: str, **facts: Any) -> Op:
    return row("linear", None, text, infer, name=name, spelling=name, **facts)


new_stack = _opaque("new_stack", lambda: types.stack_of(types.UNDEFINED), "")
push = _opaque(
    "push",
    _infer_push,
    "stack, value",
    transpose=lambda g, i, stack, value: popped(g)[i],
)
pop = _opaque("pop", lambda stack: types.tuple_of([stack.type, _item(stack)]), "stack")
# `[np.zeros_like(item) for item in stack]`.
stack_of_zeros: Op = row(
    "constant",
    None,
    "stack",
    lambda stack: stack.type,
    name="stack_of_zeros",
    spelling="stack_of_zeros",
)
# A stack with `g` added to one item.
add_to_item: Op = _opaque("add_to_item", lambda stack, g, index: stack.type, "stack, g, index")
# `[a + b for a, b in zip(...)]`.
sum_of_stacks = _opaque("sum_of_stacks", lambda a, b: a.type, "a, b")


# Read-only access: `stack[index]`, `len(stack)`.
stack_item = _opaque(
    "stack_item",
    lambda stack, index: _item(stack),
    "stack, index",
    transpose=lambda g, i, stack, index: add_to_item(stack_of_zeros(stack), g, index) if i == 0 else None,
)


def add_stacks(total: Node, part: Node) -> Node:
    """The sum of two cotangents of one stack."""
    for one, other in ((total, part), (part, total)):
        if other.op is add_to_item and other.args[0].op is stack_of_zeros:
            return add_to_item(one, *other.args[1:])
    return sum_of_stacks(total, part)


stack_length = row(
    "constant",
    None,
    "stack",
    lambda stack: types.number("int"),
    name="stack_length",
    spelling="len",
)
