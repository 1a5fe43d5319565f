"""Joining arrays and taking them apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symdiff.errors import ShapeError, UnsupportedError
from symdiff.ir import types
from symdiff.ir.build import current
from symdiff.ir.node import Node
from symdiff.ir.types import Dim, Type
from symdiff.ops import infer
from symdiff.ops.arithmetic import floor_divide, remainder
from symdiff.ops.axes import atleast_1d, atleast_2d, atleast_3d, moveaxis
from symdiff.ops.indexing import along, pick
from symdiff.ops.lowering import arrays, known_rank, literal, sugar, to_node
from symdiff.ops.row import REGISTRY, Row, composite, linear
from symdiff.ops.shaping import expand_dims, length, make_shape, reshape, shape_of


def _total(lengths: list[Dim]) -> Dim:
    found = [current().sizes.find(dim) for dim in lengths]
    if len(found) == 1:
        return found[0]
    return (
        sum(dim for dim in found if isinstance(dim, int))
        if all(isinstance(dim, int) for dim in found)
        else current().sizes.fresh()
    )


def _infer_concatenate(*items: Node, axis: int | None = 0) -> Type:
    dtype = infer.numpy_dtype_of_all(items)
    shapes = [item.type.dims for item in items]
    known = [dims for dims in shapes if dims is not None]
    if axis is None:
        if len(known) < len(shapes):
            return types.array(dtype, (current().sizes.fresh(),))
        return types.array(dtype, (_total([infer.product(dims) for dims in known]),))
    if len(known) < len(shapes):
        return types.array(dtype)
    rank = len(known[0])
    if any(len(dims) != rank for dims in known):
        raise ShapeError("Arrays of different dimensions cannot be concatenated.", "np.reshape one of them")
    (place,) = infer.normalized_axes(axis, rank)
    dims = list(known[0])
    for other in known[1:]:
        for i in range(rank):
            if i != place:
                dims[i] = current().sizes.unify(dims[i], other[i])
    dims[place] = _total([other[place] for other in known])
    return types.array(dtype, tuple(dims))


def _part(g: Node, i: int, *items: Node, axis: int | None = 0) -> Node:
    """The stretch of `g` that came from the i-th array."""
    where = 0 if axis is None else axis

    def extent(item: Node) -> Node:
        from symdiff.ops.shaping import size

        return size(item) if axis is None else length(item, axis=axis)

    start: Any = None
    for item in items[:i]:
        start = extent(item) if start is None else start + extent(item)
    stop = None
    if i < len(items) - 1:
        stop = extent(items[i]) if start is None else start + extent(items[i])
    part = along(g, where, start, stop)
    return reshape(part, shape_of(items[i])) if axis is None else part


def _joined(row: Row, items: Any, axis: Any = 0, dtype: Any = None) -> Node:
    if dtype is not None:
        raise UnsupportedError(f"{row.spelling} with dtype is not supported.", ".astype(...) of the result")
    place = literal("axis", axis)
    if _is_whole(items):
        return _joined_whole(items, place) if row.name == "concatenate" else _moved(items, 0, place)
    return row(*arrays(items), **({} if place == 0 else {"axis": place}))


def _is_whole(items: Any) -> bool:
    """Whether an array, whose length nobody knows, stands for the list of its items."""
    dims = items.type.dims if isinstance(items, Node) else None
    return bool(dims) and not isinstance((current().sizes.resolve(dims) or ())[0], int)


def _joined_whole(x: Node, axis: int | None) -> Node:
    """The items of an array joined along an axis of theirs: the first axis beside it, and both as one."""
    if axis is None:
        return reshape(x, make_shape(-1))
    (place,) = infer.normalized_axes(axis, known_rank(x, "np.concatenate") - 1)
    x = _moved(x, 0, place)
    lengths = [length(x, axis=i) for i in range(known_rank(x, "np.concatenate"))]
    return reshape(
        x, make_shape(*lengths[:place], lengths[place] * lengths[place + 1], *lengths[place + 2 :])
    )


def _moved(x: Node, source: int, destination: int) -> Node:
    return x if source == destination else moveaxis(x, source=source, destination=destination)


concatenate: Row = linear(
    np.concatenate, "*items, axis=0", _infer_concatenate, transpose=_part, lower=_joined
)


def _infer_stack(*items: Node, axis: int = 0) -> Type:
    shapes = [item.type.dims for item in items]
    dtype = infer.numpy_dtype_of_all(items)
    if any(dims is None for dims in shapes):
        return types.array(dtype)
    first, *rest = [dims for dims in shapes if dims is not None]
    dims = list(first)
    for other in rest:
        if len(other) != len(dims):
            raise ShapeError("Arrays of different dimensions cannot be stacked.", "np.reshape one of them")
        dims = [current().sizes.unify(a, b) for a, b in zip(dims, other, strict=True)]
    (place,) = infer.normalized_axes(axis, len(dims) + 1)
    return types.array(dtype, (*dims[:place], len(items), *dims[place:]))


stack: Row = linear(
    np.stack,
    "*items, axis=0",
    _infer_stack,
    transpose=lambda g, i, *items, axis=0: pick(g, axis, i),
    lower=_joined,
)


def _listed(function: Any, definition: Callable[..., Node], whole: Callable[[Node], Node]) -> Row:
    """A function of one list of arrays, by its definition; whole: of an array that stands for the list."""
    return composite(
        function,
        "*items",
        infer.of_definition(definition),
        definition,
        lower=lambda row, items: whole(items) if _is_whole(items) else row(*arrays(items)),
    )


def joined_by(row: Row, items: Any) -> Node:
    """A row of this file for the user's list of arrays."""
    assert row.lower is not None
    made: Node = row.lower(row, items)
    return made


def _with_axes(x: Node, *places: int) -> Node:
    """With axes of length 1 in these places."""
    return expand_dims(x, axis=places)


def _vertical_whole(x: Node) -> Node:
    places = {1: (1, 2), 2: (1,)}.get(known_rank(x, "np.vstack"))
    return _joined_whole(x if places is None else _with_axes(x, *places), 0)


def _horizontal_whole(x: Node) -> Node:
    rank = known_rank(x, "np.hstack")
    return _joined_whole(_with_axes(x, 1) if rank == 1 else x, 0 if rank < 3 else 1)


def _deep_whole(x: Node) -> Node:
    places = {1: (1, 2, 3), 2: (1, 3), 3: (3,)}.get(known_rank(x, "np.dstack"))
    return _joined_whole(x if places is None else _with_axes(x, *places), 2)


def _columns_whole(x: Node) -> Node:
    places = {1: (1, 2), 2: (2,)}.get(known_rank(x, "np.column_stack"))
    return _joined_whole(x if places is None else _with_axes(x, *places), 1)


def _columns(*items: Node) -> Node:
    wide = [expand_dims(x, axis=1) if known_rank(x, "np.column_stack") == 1 else atleast_2d(x) for x in items]
    return concatenate(*wide, axis=1)


def _horizontal(*items: Node) -> Node:
    axis = {} if known_rank(items[0], "np.hstack") < 2 else {"axis": 1}
    return concatenate(*map(atleast_1d, items), **axis)


vstack = _listed(np.vstack, lambda *items: concatenate(*map(atleast_2d, items)), _vertical_whole)
hstack = _listed(np.hstack, _horizontal, _horizontal_whole)
dstack = _listed(np.dstack, lambda *items: concatenate(*map(atleast_3d, items), axis=2), _deep_whole)
column_stack = _listed(np.column_stack, _columns, _columns_whole)


def _append(x: Any, values: Any, axis: Any = None) -> Node:
    if axis is None:
        return concatenate(*(reshape(to_node(part), make_shape(-1)) for part in (x, values)))
    return _joined(concatenate, [x, values], axis)


def _cut(x: Any, sections: Any, axis: Any, even: bool) -> list[Node]:
    """Pieces by a number of sections, for which the length must be known or divisible, or by places."""
    x, axis = to_node(x), literal("axis", axis)
    if isinstance(sections, list | tuple | np.ndarray):
        places: list[Any] = [place if isinstance(place, Node) else int(place) for place in sections]
    else:
        count = int(literal("indices_or_sections", sections))
        dims = current().sizes.resolve(x.type.dims)
        total = None if dims is None else dims[axis]
        if isinstance(total, int):
            if even and total % count:
                raise ShapeError(
                    f"np.split cannot cut {total} elements into {count} equal parts.", "np.array_split"
                )
            lengths = [total // count + (i < total % count) for i in range(count)]
            places = np.cumsum(lengths)[:-1].tolist()
        elif even:
            size = length(x, axis=axis)
            part = floor_divide(size, count)
            places = [part if i == 1 else i * part for i in range(1, count)]
            if total is not None:
                current().sizes.reshapes.append(((total,), (count,), True))
        else:  # the first `rest` pieces are longer by one
            size = length(x, axis=axis)
            short, rest = floor_divide(size, count), remainder(size, count)
            places = [i * short + REGISTRY["builtins.min"](i, rest) for i in range(1, count)]
    bounds = zip([None, *places], [*places, None], strict=True)
    pieces = [along(x, axis, start, stop) for start, stop in bounds]
    extents = [None if piece.type.dims is None else piece.type.dims[axis] for piece in pieces]
    if (
        even
        and places
        and isinstance(places[0], Node)
        and not isinstance(sections, list | tuple | np.ndarray)
    ):
        for one in extents[1:]:
            if one is not None and extents[0] is not None:
                current().sizes.unify(extents[0], one)
    return pieces


def _splitting(axis: int, even: bool = True) -> Callable[..., list[Node]]:
    def lowered(x: Any, indices_or_sections: Any, axis: Any = axis) -> list[Node]:
        return _cut(x, indices_or_sections, axis, even)

    return lowered


def _hsplit(x: Any, indices_or_sections: Any) -> list[Node]:
    x = to_node(x)
    return _cut(x, indices_or_sections, 0 if known_rank(x, "np.hsplit") == 1 else 1, True)


def _unstack(x: Any, *, axis: Any = 0) -> tuple[Node, ...]:
    x, axis = to_node(x), literal("axis", axis)
    dims = current().sizes.resolve(x.type.dims)
    if dims is None or not isinstance(dims[axis], int):
        raise UnsupportedError("np.unstack needs a known length.", "a loop over indices")
    return tuple(pick(x, axis, i) for i in range(dims[axis]))


sugar(np.append, _append)
sugar(np.split, _splitting(0))
sugar(np.array_split, _splitting(0, even=False))
sugar(np.vsplit, _splitting(0))
sugar(np.dsplit, _splitting(2))
sugar(np.hsplit, _hsplit)
sugar(getattr(np, "unstack", None), _unstack)
