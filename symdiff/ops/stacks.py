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
from symdiff.ir.control import ITEM, item_of
from symdiff.ir.node import Node, Op
from symdiff.ir.types import Type
from symdiff.ops.reductions import add_reduce
from symdiff.ops.row import row
from symdiff.ops.shaping import astype, broadcast_to, zeros_like


def _item(stack: Node) -> Type:
    if stack.type.kind != "stack":
        raise IRError(f"{stack.type} is no stack.")
    return stack.type.items[0]


def _infer_push(stack: Node, value: Node) -> Type:
    return types.stack_of(current().sizes.join(_item(stack), value.type))


def _infer_listed(*items: Node) -> Type:
    found = types.UNDEFINED
    for item in items:
        found = current().sizes.join(found, item.type)
    return types.stack_of(found)


def pushed(stack: Node, value: Node) -> Node:
    """The stack with one more item."""
    return push(stack, value)


def _transposed_set(g: Node, i: int, stack: Node, value: Node, index: Node) -> Node | None:
    """The list lost its item, the value has what stands there."""
    if i > 1:
        return None
    there = stack_item(g, index)  # read before it is overwritten
    return there if i else set_item(g, _zero_instead(g, stack, value, index), index)


def _zero_instead(g: Node, stack: Node, value: Node, index: Node) -> Node | float:
    """Zero, as large as the item that a value replaces."""
    dims, sizes = stack.type.items[0].dims, current().sizes
    if dims == () == value.type.dims:
        return 0.0
    same = dims is not None and sizes.resolve(dims) == sizes.resolve(value.type.dims)
    return zeros_like(stack_item(g if same else stack, index))


def _total(stack: Node) -> Node:
    return add_reduce(stacked(stack), axis=0)


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
pop = _opaque("pop", lambda stack: types.tuple_of([stack.type, item_of(stack.type)]), "stack")
# `[np.zeros_like(item) for item in stack]`.
stack_of_zeros: Op = row(
    "constant",
    None,
    "stack",
    lambda stack: stack.type,
    name="stack_of_zeros",
    spelling="stack_of_zeros",
)
# A stack with `g` added to one item: in the generated code `stack[index] = stack[index] + g`.
add_to_item: Op = _opaque("add_to_item", lambda stack, g, index: stack.type, "stack, g, index")
# A stack with another item in one place: `stack[index] = value`.
set_item: Op = _opaque(
    "set_item",
    lambda stack, value, index: _infer_push(stack, value),
    "stack, value, index",
    transpose=_transposed_set,
)
# `[a, b]`.
listed: Op = _opaque("listed", _infer_listed, "*items", transpose=lambda g, i, *items: stack_item(g, i))
# `a + b`, and the parts of its cotangent: `g[: len(a)]`, `g[len(a) :]`.
chained: Op = _opaque(
    "chained",
    lambda a, b: current().sizes.join(a.type, b.type),
    "a, b",
    transpose=lambda g, i, a, b: rest_of(g, a) if i else first_of(g, a),
)
first_of: Op = _opaque("first_of", lambda g, a: a.type, "g, a")
rest_of: Op = _opaque("rest_of", lambda g, a: g.type, "g, a")
# `[value] * count`.
repeated: Op = _opaque(
    "repeated",
    lambda value, count: types.stack_of(value.type),
    "value, count",
    # One more item, for a list of none has no shape.
    transpose=lambda g, i, value, count: _total(push(g, zeros_like(value))) if i == 0 else None,
)
# `[a + b for a, b in zip(...)]`.
sum_of_stacks = _opaque("sum_of_stacks", lambda a, b: current().sizes.join(a.type, b.type), "a, b")


# `list(g)` along an axis: the cotangent of `np.stack`.
def _infer_unstacked(g: Node, axis: int = 0, depth: int = 1) -> Type:
    dims = g.type.dims
    place = 0 if dims is None else axis % len(dims)
    item = types.array(g.type.dtype, None if dims is None else (*dims[:place], *dims[place + 1 :]))
    for _ in range(1, depth):
        item = types.stack_of(item.with_dims(None if item.dims is None else item.dims[1:]))
    return types.stack_of(item)


def _as_items(g: Node, stack: Node) -> Node:
    """A cotangent in the dtype of a stack's items: the seed of a gradient is the int 1."""
    item = stack.type
    while item.kind == "stack":
        item = item.items[0]
    dtype = _DTYPES.get(item.dtype, item.dtype)
    if not dtype.startswith(("float", "complex", "longdouble")) or g.type.dtype in ("", dtype):
        return g
    if g.op is broadcast_to and g.args[0].is_const and dtype == "float64":
        return broadcast_to(current().const(float(g.args[0].value.real)), g.args[1])
    return astype(g, dtype=dtype)


def _depth(stack: Type) -> int:
    """How many lists are inside each other."""
    return 1 + _depth(stack.items[0]) if stack.kind == "stack" else 0


def _infer_stacked(stack: Node, axis: int = 0) -> Type:
    """`np.stack` of arrays of one shape, `np.array` of numbers."""
    _item(stack)
    return _stacked_type(stack.type, axis)


def _stacked_type(stack: Type, axis: int = 0) -> Type:
    item = stack.items[0]
    if item.kind == "undefined":
        return types.array("float64", (current().sizes.fresh(),))
    dtype = _DTYPES.get(item.dtype, item.dtype) if item.kind == "number" else item.dtype
    if item.kind == "stack":
        inner = _stacked_type(item)
        return types.array(
            inner.dtype, None if inner.dims is None else (current().sizes.fresh(), *inner.dims)
        )
    if item.kind not in ("array", "number"):
        return types.array("")
    if item.dims is None:
        return types.array(dtype)
    place = axis % (len(item.dims) + 1)
    return types.array(dtype, (*item.dims[:place], current().sizes.fresh(), *item.dims[place:]))


def _infer_concatenated(stack: Node, axis: int = 0) -> Type:
    item = _item(stack)
    if item.kind != "array" or not item.dims:
        return types.array(item.dtype if item.kind == "array" else "")
    place = axis % len(item.dims)
    return types.array(item.dtype, (*item.dims[:place], current().sizes.fresh(), *item.dims[place + 1 :]))


_DTYPES = {"bool": "bool", "int": "int64", "float": "float64", "complex": "complex128"}

# `np.stack(list, axis)`, `np.array(list)` and `np.concatenate(list, axis)`.
stacked: Op = row(
    "linear", None, "stack, axis=0", _infer_stacked, name="stacked", spelling="np.stack",
    transpose=lambda g, i, stack, axis=0: unstacked(_as_items(g, stack), axis=axis),
)  # fmt: skip
as_array: Op = row(
    "linear", None, "stack", _infer_stacked, name="as_array", spelling="np.array",
    transpose=lambda g, i, stack: unstacked(_as_items(g, stack), depth=_depth(stack.type)),
)  # fmt: skip
unstacked: Op = row(
    "linear", None, "g, axis=0, depth=1", _infer_unstacked, name="unstacked", spelling="list",
    transpose=lambda h, i, g, axis=0, depth=1: stacked(h, axis=axis) if depth == 1 else as_array(h),
)  # fmt: skip
concatenated: Op = row(
    "linear", None, "stack, axis=0", _infer_concatenated, name="concatenated", spelling="np.concatenate",
    transpose=lambda g, i, stack, axis=0: split_like(g, stack, axis=axis) if i == 0 else None,
)  # fmt: skip
# The parts of `g` along an axis, as long as the items of a stack.
split_like: Op = row(
    "linear", None, "g, stack, axis=0", lambda g, stack, axis=0: stack.type, name="split_like",
    spelling="split_like",
    transpose=lambda h, i, g, stack, axis=0: concatenated(h, axis=axis) if i == 0 else None,
)  # fmt: skip


# Read-only access: `stack[index]`, `len(stack)`.
stack_item: Op = _opaque(
    "stack_item",
    lambda stack, index: item_of(stack.type),
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
