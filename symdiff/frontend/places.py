"""Where a write goes.

Enters: an array as the evaluator knows it, and an index.  Leaves: a `Place`: the array that owns the memory,
the views in between and the index, as `ops.updates.update` takes them.  Invariant: what NumPy would not write
into, or perhaps not, is an error here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symdiff.errors import UnsupportedError, UserError
from symdiff.frontend.frame import Context
from symdiff.frontend.memory import READ_ONLY, UNCLEAR
from symdiff.ir.build import current
from symdiff.ir.node import Node
from symdiff.ops.indexing import FULL, Index
from symdiff.ops.row import Row
from symdiff.ops.shaping import length, make_shape
from symdiff.ops.updates import View
from symdiff.records import dataclass

WHOLE: Index = (("ellipsis",),)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Place:
    """`base<view>[index]`; the operands of the steps and of the index are values, not references."""

    base: Node
    view: View
    index: Index
    operands: tuple[Node, ...]


def place_of(
    context: Context, target: Node, index: Index, operands: Sequence[Node], base: Node | None = None
) -> Place:
    """The place that `target[index]` means.  Raises SymdiffError where it cannot be written into.

    base: the view of the array in which to name the place; None means the array itself.
    """
    heap = context.heap
    storage = heap.storage(target)
    _check_writable(context, target, storage)
    used: list[Node] = []
    steps: list[tuple[Any, ...]] = []
    for one in reversed(heap.path(target)):
        sharing = heap.sharing(one)
        if sharing is READ_ONLY:
            raise UserError(
                "ValueError: assignment destination is read-only",
                f"`.copy()` of what np.{one.op.name} gives, or a write into the array itself",
            )
        if sharing is UNCLEAR:
            raise UnsupportedError(
                f"Only at run time does NumPy know whether np.{one.op.name} gave a view or a copy here.",
                "`.copy()` before the write, or a write into the array itself",
            )
        steps, used = ([], []) if one is base else (steps + _steps(one, used), used)
    index = _renumbered(index, len(used))
    used += [heap.latest(operand) for operand in operands]
    view, index = _shortened(tuple(steps), index, used)
    return Place(storage if base is None else base, view, index, tuple(used))


def _check_writable(context: Context, target: Node, storage: Node) -> None:
    heap = context.heap
    shown = f"`{target.name or storage.name}`" if target.name or storage.name else "the array"
    if target.type.kind == "number":
        raise UserError(f"TypeError: '{target.type.dtype}' object does not support item assignment")
    if heap.layout.scalar(storage) is True or (target is not storage and heap.layout.scalar(target) is True):
        raise UserError(
            f"TypeError: 'numpy.{target.type.dtype or 'generic'}' object does not support item assignment",
            "a new value: a NumPy scalar cannot change",
        )
    parameter = storage.attr("parameter") if storage.op.name == "param" else None
    if any(capture.name == parameter for capture in context.inputs):
        raise UnsupportedError(
            f"The function writes into {shown}, an array that exists outside it.",
            f"`{parameter}.copy()` inside the function, or pass it as an argument",
        )
    if storage in heap.uncertain or target in heap.uncertain:
        heap.refused.append(storage if storage in heap.uncertain else target)
        raise UnsupportedError(
            f"Only at run time is it known which array {shown} is, and so which one is written into.",
            "`.copy()` where it gets its value, or a write in each branch",
        )
    if storage in heap.frozen:
        raise heap.frozen[storage]
    if storage.op.name == "stack_item":
        raise UnsupportedError(
            "A write into an item of a list that grows in a loop is not supported.", "an array of known shape"
        )


def _renumbered(index: Index, offset: int) -> Index:
    """The index with its operands counted from `offset` on."""

    def moved(part: Any) -> Any:
        staged = isinstance(part, tuple) and len(part) == 2 and part[0] == "arg"
        return ("arg", part[1] + offset) if staged else part

    return tuple(moved(entry) if entry[0] == "arg" else (entry[0], *map(moved, entry[1:])) for entry in index)


def _shortened(view: View, index: Index, operands: Sequence[Node]) -> tuple[View, Index]:
    """`A[i][j]` as `A[i, j]`, and `A[i][...]` as `A[i]`."""
    while view and view[-1][0] == "index":
        step = view[-1][1]
        if index in (WHOLE, ()):
            view, index = view[:-1], step
        elif all(_is_integer(entry, operands) for entry in step) and not _is_advanced(index, operands):
            view, index = view[:-1], (*step, *index)
        else:
            break
    return view, index


def _is_integer(entry: tuple[Any, ...], operands: Sequence[Node]) -> bool:
    return entry[0] == "int" or bool(entry[0] == "arg" and operands[entry[1]].type.dims == ())


def _is_advanced(index: Index, operands: Sequence[Node]) -> bool:
    return not all(entry[0] != "arg" or _is_integer(entry, operands) for entry in index)


# Views as steps


def _steps(view: Node, operands: list[Node]) -> list[tuple[Any, ...]]:
    """The steps of one view; what is staged in them is appended to `operands`."""
    name = view.op.name
    if name == "index":
        spec = _renumbered(view.attr("index"), len(operands))
        operands += view.args[1:]
        return [("index", spec)]
    make = _STEPS.get(name)
    if make is None:
        raise UnsupportedError(
            f"A write through np.{name} is not supported.", "a write into the array itself"
        )
    return make(view, operands)


def _rank(node: Node) -> int:
    if node.type.rank is None:
        raise UnsupportedError(
            "A write through this view needs the number of dimensions of the array.",
            "ask for the source with arguments: source_for(*args)",
        )
    return node.type.rank


def _positive(axis: Any, rank: int) -> Sequence[int]:
    return [one % rank for one in (axis if isinstance(axis, tuple) else (axis,))]


def _transposed(view: Node, operands: list[Node]) -> list[tuple[Any, ...]]:
    """Any order of axes, asked of NumPy itself by means of an array whose lengths tell its axes."""
    if view.op.name == "transpose" and view.attr("axes") is None:
        return [("transpose", None)]
    assert isinstance(view.op, Row)
    lengths = range(2, _rank(view.args[0]) + 2)
    moved = view.op.targets[0](np.broadcast_to(0.0, tuple(lengths)), **view.attributes)
    return [("transpose", tuple(one - 2 for one in moved.shape))]


def _flipped(view: Node, operands: list[Node]) -> list[tuple[Any, ...]]:
    rank = _rank(view)
    axis = {"fliplr": 1, "flipud": 0}.get(view.op.name, view.attr("axis"))
    axes = range(rank) if axis is None else _positive(axis, rank)
    last = max(axes, default=-1)
    return [("index", tuple(_BACKWARDS if i in axes else FULL for i in range(last + 1)))]


_BACKWARDS = ("slice", None, None, -1)


def _expanded(view: Node, operands: list[Node]) -> list[tuple[Any, ...]]:
    rank, axis = _rank(view), view.attr("axis")
    axes = _positive(axis, rank)
    return [("index", tuple(("new",) if i in axes else FULL for i in range(rank)))]


def _raised(view: Node, operands: list[Node]) -> list[tuple[Any, ...]]:
    """np.atleast_1d and its kin: where they put the axes that they add."""
    wanted, have = int(view.op.name[8]), _rank(view.args[0])
    entries: dict[tuple[int, int], Index] = {
        (2, 1): (("new",), FULL),
        (3, 1): (("new",), FULL, ("new",)),
        (3, 2): (FULL, FULL, ("new",)),
    }
    if have == 0:
        return [("index", (("new",),) * wanted)]
    return [("index", entries[wanted, have])] if wanted > have else []


def _squeezed(view: Node, operands: list[Node]) -> list[tuple[Any, ...]]:
    source = view.args[0]
    rank, axis = _rank(source), view.attr("axis")
    dims = current().sizes.resolve(source.type.dims) or ()
    axes: Sequence[int] = [i for i, dim in enumerate(dims) if dim == 1]
    if axis is not None:
        axes = _positive(axis, rank)
    elif _rank(view) != rank - len(axes):
        raise UnsupportedError(
            "Which axes np.squeeze removes is known only at run time.", "np.squeeze(x, axis=...)"
        )
    if not axes:
        return []
    entries: list[tuple[Any, ...]] = [("int", 0) if i in axes else FULL for i in range(rank)]
    return [("index", (*entries, ("ellipsis",)) if len(axes) == rank else tuple(entries))]


def _reshaped(view: Node, operands: list[Node]) -> list[tuple[Any, ...]]:
    shape = view.args[1]
    lengths: list[Any] = []
    if shape.op is make_shape:
        sizes: Sequence[Node] = shape.args
    else:
        sizes = [length(view, axis=i) for i in range(_rank(view))]
    for size in sizes:
        if size.is_const:
            lengths.append(size.value)
        else:
            operands.append(size)
            lengths.append(("arg", len(operands) - 1))
    return [("reshape", tuple(lengths))]


def _ordered(view: Node, operands: list[Node]) -> list[tuple[Any, ...]]:
    """np.ascontiguousarray of what is contiguous is the array itself, with one axis at least."""
    return [("index", (("new",),))] if _rank(view.args[0]) == 0 else []


def _real(view: Node, operands: list[Node]) -> list[tuple[Any, ...]]:
    return [] if view.args[0].type.dtype[:1] in ("f", "i", "u", "b", "l") else [(view.op.name,)]


_STEPS: dict[str, Callable[[Node, list[Node]], list[tuple[Any, ...]]]] = {
    **dict.fromkeys(["transpose", "swapaxes", "moveaxis", "matrix_transpose"], _transposed),
    **dict.fromkeys(["flip", "fliplr", "flipud"], _flipped),
    **dict.fromkeys(["atleast_1d", "atleast_2d", "atleast_3d"], _raised),
    **dict.fromkeys(["ascontiguousarray", "asfortranarray"], _ordered),
    **dict.fromkeys(["real", "imag"], _real),
    "expand_dims": _expanded,
    "squeeze": _squeezed,
    "reshape": _reshaped,
    "stop_gradient": lambda view, operands: [],
    "ravel": lambda view, operands: [("reshape", (-1,))],
}
