"""Staged lists: Python lists whose length only run time knows.

Enters: a list to which a loop or a branch appends, and what the function does with it.  Leaves: operations on
its stack.  Invariant: a staged list is one object, whoever refers to it; an array on it must not be written
into any more, through whatever name, for the stack holds the value and not the reference.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symdiff.errors import UnsupportedError, UserError
from symdiff.frontend import arrays
from symdiff.frontend.frame import Context, Frame
from symdiff.frontend.heap import shows_rows
from symdiff.frontend.merge import is_leaf
from symdiff.frontend.state import fill, taken
from symdiff.frontend.values import Lazily, StagedList, kind_name
from symdiff.ir.control import ITEM
from symdiff.ir.node import Node
from symdiff.ops.indexing import index as row
from symdiff.ops.row import REGISTRY
from symdiff.ops.stacks import (
    as_array,
    chained,
    concatenated,
    listed,
    new_stack,
    pop,
    push,
    repeated,
    set_item,
    stack_item,
    stacked,
    unstacked,
)


def stage_list(frame: Frame, container: list[Any]) -> StagedList:
    """Make a list a staged one, for everything that refers to it."""
    context = frame.context
    made = StagedList(new_stack())
    for item in container:
        append(context, made, item)
    state = taken(context, frame)
    for scope, names in state.scopes.values():
        for name in [name for name, value in names.items() if value is container]:
            context.builder.named(made.stack, name.lstrip("."))
        scope.names = {name: _replaced(value, container, made) for name, value in names.items()}
    for owner, content in state.contents.values():
        if owner is not container:
            fill(owner, {key: _replaced(value, container, made) for key, value in content.items()})
    return made


def _replaced(value: Any, old: list[Any], new: StagedList) -> Any:
    if value is old:
        return new
    if isinstance(value, tuple) and any(part is old or isinstance(part, tuple) for part in value):
        return tuple.__new__(type(value), [_replaced(part, old, new) for part in value])
    return value


def append(context: Context, target: StagedList, value: Any) -> None:
    """`target.append(value)`."""
    if isinstance(value, StagedList):
        target.stack = push(target.stack, value.stack)
        return
    if not is_leaf(value):
        raise UnsupportedError(
            f"A list to which a loop or branch appends gets a {kind_name(value)}.",
            "a list of arrays or numbers for each part",
        )
    node = arrays.operand(value)
    _hold(context, target, push(target.stack, node), node)


def _hold(context: Context, target: StagedList, stack: Node, value: Node) -> None:
    """The list is now this stack, with one more item on it."""
    heap = context.heap
    held = dict(heap.uncertain.get(target.stack, {}))
    if value.type.kind == "array" and heap.layout.scalar(value) is not True:
        storage = heap.storage(value)
        held[storage] = heap.values.get(storage, storage)
        held |= heap.uncertain.get(value, {})
    context.builder.named(stack, target.stack.name)
    target.stack = stack
    if held:
        heap.uncertain[stack] = held


def replace_item(context: Context, target: StagedList, index: Any, value: Any) -> None:
    """`target[index] = value`."""
    stack = target.stack
    place = arrays.operand(index)
    if not is_leaf(value) or (place.type.kind, place.type.dtype) != ("number", "int"):
        raise UnsupportedError(
            "An item of a list whose length is known only at run time is set to what is no number and no "
            "array, or at what is no int.",
            "an array instead of the list",
        )
    node = arrays.operand(value)
    if stack.type.items[0].kind not in ("number", "array"):
        raise UnsupportedError(
            "An item of a list of lists, whose length is known only at run time, is set.",
            "an array instead of the list",
        )
    _hold(context, target, set_item(stack, node, place), node)


def repeat(value: Any, count: Node) -> StagedList:
    """`[value] * count`."""
    if not is_leaf(value):
        raise UnsupportedError(
            f"A {kind_name(value)} is repeated as often as only run time knows.",
            "a list of numbers",
        )
    node = arrays.operand(value)
    if node.type.kind == "array" and node.type.dims != ():
        raise UnsupportedError(
            "An array is repeated as often as only run time knows.", "np.tile, or a list comprehension"
        )
    return StagedList(repeated(node, count))


def rows_of(context: Context, array: Node) -> StagedList:
    """`list(array)`: its rows are views (see `item`)."""
    made = StagedList(new_stack())
    _hold(context, made, unstacked(array), array)
    return made


def item(context: Context, target: StagedList, index: Any) -> Any:
    """`target[index]`; it must not be written into, but where the list still is that of the rows of an array:
    then it is a row."""
    stack, place = target.stack, arrays.operand(index)
    if shows_rows(stack) and (place.type.kind, place.type.dtype) == ("number", "int"):
        entry = ("int", place.value) if place.is_const else ("arg", 0)
        return arrays.apply(row, [stack.args[0], *([] if place.is_const else [place])], index=(entry,))
    return _kept(context, stack_item(stack, place), stack)


def _kept(context: Context, found: Node, stack: Node) -> Any:
    """An item of a list: it may be any of the arrays that the list holds."""
    if found.type.kind == "stack":
        inner = StagedList(found)
        context.unclear[id(inner)] = inner
        return inner
    if found.type.kind == "array" and found.type.dims != ():
        heap = context.heap
        heap.doubt(found, [found])
        heap.uncertain[found] = {**heap.uncertain[found], **heap.uncertain.get(stack, {})}
    return found


def _append(frame: Frame, target: StagedList, args: list[Any]) -> None:
    append(frame.context, target, *args)


def _extend(frame: Frame, target: StagedList, args: list[Any]) -> None:
    extend(frame, target, args[0])


def extend(frame: Frame, target: StagedList, values: Any) -> None:
    """`target += values`."""
    if isinstance(values, Lazily):
        values = values.listed()
    if isinstance(values, Node) and values.type.dims:
        values = rows_of(frame.context, values)
    if isinstance(values, StagedList):
        heap = frame.context.heap
        held = {**heap.uncertain.get(target.stack, {}), **heap.uncertain.get(values.stack, {})}
        target.stack = chained(target.stack, values.stack)
        if held:
            heap.uncertain[target.stack] = held
        return
    if not isinstance(values, list | tuple):
        raise UnsupportedError(
            f"A list whose length is known only at run time is extended by a {kind_name(values)}.",
            "a loop that appends",
        )
    for value in list(values):
        append(frame.context, target, value)


def extended(frame: Frame, left: Any, right: Any) -> StagedList:
    """`left + right`, of which one is a staged list."""
    made = StagedList(left.stack) if isinstance(left, StagedList) else _of_items(frame.context, left)
    extend(frame, made, right if isinstance(right, StagedList) else list(right))
    return made


def _of_items(context: Context, values: list[Any]) -> StagedList:
    made = StagedList(new_stack())
    for value in values:
        append(context, made, value)
    if all(not isinstance(value, StagedList) for value in values) and values:
        held = context.heap.uncertain.get(made.stack)
        made.stack = listed(*map(arrays.operand, values))
        if held is not None:
            context.heap.uncertain[made.stack] = held
    return made


def _pop(frame: Frame, target: StagedList, args: list[Any]) -> Any:
    if args and not (type(args[0]) is int and args[0] == -1):
        raise UnsupportedError("Only the last item of such a list can be popped.", "`.pop()`")
    heap = frame.context.heap
    both = pop(target.stack)
    rest, last = ITEM(both, index=0), ITEM(both, index=1)
    if target.stack in heap.uncertain:
        heap.uncertain[rest] = heap.uncertain[target.stack]
    target.stack = rest
    return _kept(frame.context, last, rest)


def _clear(frame: Frame, target: StagedList, args: list[Any]) -> None:
    target.stack = new_stack()


def _copy(frame: Frame, target: StagedList, args: list[Any]) -> StagedList:
    return StagedList(target.stack)


_METHODS: dict[str, Callable[[Frame, StagedList, list[Any]], Any]] = {
    "append": _append, "extend": _extend, "pop": _pop, "clear": _clear, "copy": _copy,
}  # fmt: skip


def call_list_method(frame: Frame, target: StagedList, name: str, args: list[Any]) -> Any:
    """`target.name(*args)`."""
    handler = _METHODS.get(name)
    if handler is None:
        if not hasattr(list, name):
            raise UserError(f"AttributeError: 'list' object has no attribute '{name}'")
        raise UnsupportedError(
            f"`.{name}` of a list whose length is known only at run time is not supported.",
            "`append`, `pop()` and indices, or np.array(...) of it",
        )
    if name != "copy":
        frame.context.check_own(target)
    return handler(frame, target, args)


# Arrays of staged lists


def join_list(name: str, args: list[Any], kwargs: dict[str, Any]) -> Node | None:
    """What a NumPy function that joins arrays makes of a staged list; None for any other function."""
    if name not in _JOINING:
        return None
    stack = args[0].stack
    given = dict(kwargs)
    axis = arrays.static_int(args[1] if len(args) > 1 else given.pop("axis", 0), "an axis")
    dtype = given.pop("dtype", None)
    if given or (len(args) > 1 and name not in ("stack", "concatenate")):
        raise UnsupportedError(f"np.{name} of a list takes no more arguments here.", f"np.{name}(list)")
    item = stack.type.items[0]
    if item.kind == "stack" and name not in ("array", "asarray"):
        raise UnsupportedError("An array of lists whose lengths are known only at run time.", "append arrays")
    made = _joined(name, stack, axis, item.rank)
    return made if dtype is None else arrays.apply(REGISTRY["astype"], [made], dtype=arrays.dtype_name(dtype))


_JOINING = ("array", "asarray", "stack", "concatenate", "vstack", "row_stack", "hstack", "column_stack")


def _joined(name: str, stack: Node, axis: int, rank: int | None) -> Node:
    if name in ("array", "asarray"):
        return arrays.apply(as_array, [stack])
    if name == "stack":
        return arrays.apply(stacked, [stack], axis=axis)
    if name == "concatenate":
        return arrays.apply(concatenated, [stack], axis=axis)
    if rank is None:
        raise UnsupportedError(f"np.{name} of arrays whose rank is not known.", "np.stack or np.concatenate")
    if name == "hstack":
        return (
            arrays.apply(concatenated, [stack], axis=min(rank - 1, 1))
            if rank
            else arrays.apply(as_array, [stack])
        )
    if name == "column_stack":
        return (
            arrays.apply(stacked, [stack], axis=1)
            if rank == 1
            else arrays.apply(concatenated, [stack], axis=1)
        )
    if rank >= 2:
        return arrays.apply(concatenated, [stack], axis=0)
    made = arrays.apply(stacked, [stack], axis=0) if rank else arrays.apply(as_array, [stack])
    return made if rank else arrays.apply(REGISTRY["expand_dims"], [made], axis=(1,))
