"""Moving elements without computing: linear, and each the inverse of its transpose or nearly so."""

from __future__ import annotations

from typing import Any

import numpy as np

from symdiff.errors import ShapeError, UnsupportedError
from symdiff.ir import types
from symdiff.ir.build import current
from symdiff.ir.node import Node
from symdiff.ir.types import Dims, Type
from symdiff.ops import infer
from symdiff.ops.creation import arange
from symdiff.ops.indexing import along, at_axis, scatter, take
from symdiff.ops.lowering import bind, known_rank, literal, sugar, to_node, to_shape
from symdiff.ops.reductions import add_reduce
from symdiff.ops.row import Row, composite, linear
from symdiff.ops.shaping import (
    broadcast_to,
    length,
    make_shape,
    reshape,
    shape_of,
    size,
)  # fmt: skip


def _arrange(x: Node, order: Any) -> Type:
    """The type of `x` with its axes in the order that `order(rank)` says."""
    dims = x.type.dims
    if dims is None:
        return types.array(infer.numpy_dtype(x))
    return types.array(infer.numpy_dtype(x), tuple(dims[i] for i in order(len(dims))))


def _moved(rank: int, source: Any, destination: Any) -> list[int]:
    """The order of axes after `np.moveaxis`."""
    pairs = (
        [(source, destination)] if isinstance(source, int) else list(zip(source, destination, strict=True))
    )
    moves = {infer.normalized_axes(to, rank)[0]: infer.normalized_axes(axis, rank)[0] for axis, to in pairs}
    rest = iter(axis for axis in range(rank) if axis not in moves.values())
    return [moves[i] if i in moves else next(rest) for i in range(rank)]


moveaxis: Row = linear(
    np.moveaxis,
    "x, source=..., destination=...",
    lambda x, source, destination: _arrange(x, lambda rank: _moved(rank, source, destination)),
    lambda g, x, source, destination: moveaxis(g, source=destination, destination=source),
    view=True,
)
matrix_transpose: Row = linear(
    np.matrix_transpose,
    "x",
    lambda x: _arrange(x, lambda rank: [*range(rank - 2), rank - 1, rank - 2]),
    lambda g, x: matrix_transpose(g),
    view=True,
    also=(np.linalg.matrix_transpose,),
)


def _rollaxis(x: Any, axis: Any, start: Any = 0) -> Node:
    x, axis, start = to_node(x), literal("axis", axis), literal("start", start)
    rank = known_rank(x, "np.rollaxis")
    axis, start = axis % rank, start + rank if start < 0 else start
    return moveaxis(x, source=axis, destination=start - (start > axis))


sugar(np.rollaxis, _rollaxis)

flip: Row = linear(np.flip, "x, axis=None", infer.like, lambda g, x, **attrs: flip(g, **attrs), view=True)
fliplr: Row = linear(np.fliplr, "x", infer.like, lambda g, x: fliplr(g), view=True)
flipud: Row = linear(np.flipud, "x", infer.like, lambda g, x: flipud(g), view=True)
rot90: Row = linear(
    np.rot90,
    "x, k=1, axes=(0, 1)",
    lambda x, k=1, axes=(0, 1): _arrange(x, lambda rank: swap(rank, *axes) if k % 2 else list(range(rank))),
    lambda g, x, k=1, **attrs: rot90(g, k=-k, **attrs),
    view=True,
)


def swap(rank: int, axis1: int, axis2: int) -> list[int]:
    order = list(range(rank))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return order


def _back(shift: Node) -> Node:
    return make_shape(*(-one for one in shift.args)) if shift.op is make_shape else -shift


def _roll(row: Row, x: Any, shift: Any, axis: Any = None) -> Node:
    amount = to_shape(shift) if isinstance(shift, list | tuple) else to_node(shift)
    return row(to_node(x), amount, **({} if axis is None else {"axis": literal("axis", axis)}))


roll: Row = linear(
    np.roll,
    "x, shift, axis=None",
    infer.like,
    lambda g, x, shift, **attrs: roll(g, _back(shift), **attrs),
    None,
    lower=_roll,
)


def _infer_triangle(x: Node, k: int = 0) -> Type:
    if x.type.rank == 1:
        raise UnsupportedError("A triangle of a vector is not supported.", "np.tril of a matrix")
    return infer.like(x)


tril: Row = linear(np.tril, "x, k=0", _infer_triangle, lambda g, x, **attrs: tril(g, **attrs))
triu: Row = linear(np.triu, "x, k=0", _infer_triangle, lambda g, x, **attrs: triu(g, **attrs))


def _diagonal_dims(dims: Dims, offset: int, axis1: int, axis2: int) -> Dims:
    axes = infer.normalized_axes((axis1, axis2), len(dims))
    rows, columns = (current().sizes.find(dims[axis % len(dims)]) for axis in (axis1, axis2))
    rest = tuple(dim for i, dim in enumerate(dims) if i not in axes)
    if isinstance(rows, int) and isinstance(columns, int):
        return (*rest, max(min(rows + min(offset, 0), columns - max(offset, 0)), 0))
    return (*rest, rows if rows == columns and offset == 0 else current().sizes.fresh())


def _infer_diagonal(x: Node, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Type:
    dims = x.type.dims
    return types.array(
        infer.numpy_dtype(x), None if dims is None else _diagonal_dims(dims, offset, axis1, axis2)
    )


def _diagonal_transpose(g: Node, x: Node, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Node:
    """Zeros with `g` on the diagonal of the two axes."""
    rank = known_rank(x, "np.diagonal")
    plain = rank == 2 and (axis1 % 2, axis2 % 2) == (0, 1)
    target = x if plain else moveaxis(x, source=(axis1, axis2), destination=(-2, -1))
    places = arange(length(g, axis=rank - 2))
    rows, columns = places - min(offset, 0), places + max(offset, 0)
    index = (*([("ellipsis",)] if rank > 2 else []), ("arg", 0), ("arg", 1))
    made = scatter(g, shape_of(target), rows, columns, index=index)
    return made if plain else moveaxis(made, source=(-2, -1), destination=(axis1, axis2))


diagonal: Row = linear(
    np.diagonal,
    "x, offset=0, axis1=0, axis2=1",
    _infer_diagonal,
    _diagonal_transpose,
    method="diagonal",
    view=True,
)
sugar(
    np.linalg.diagonal,
    lambda x, offset=0: bind(diagonal, x, offset=offset, axis1=-2, axis2=-1),
    name="linalg.diagonal",
)


def _infer_diag(x: Node, k: int = 0) -> Type:
    dims = x.type.dims
    if dims is None:
        return types.array(infer.numpy_dtype(x))
    if len(dims) == 2:
        return _infer_diagonal(x, k)
    if len(dims) != 1:
        raise ShapeError("np.diag takes a vector or a matrix.")
    side = current().sizes.find(dims[0])
    side = side + abs(k) if isinstance(side, int) else side if k == 0 else current().sizes.fresh()
    return types.array(infer.numpy_dtype(x), (side, side))


diag: Row = linear(
    np.diag,
    "x, k=0",
    _infer_diag,
    lambda g, x, k=0: (
        diagonal(g, **({"offset": k} if k else {}))
        if known_rank(x, "np.diag") == 1
        else _diagonal_transpose(g, x, k)
    ),
    view=True,
)
sugar(np.diagflat, lambda x, k=0: bind(diag, reshape(to_node(x), make_shape(-1)), k=k))


def _tiled(x: Node, reps: Any) -> Node:
    """Each axis becomes a pair (copies, length), the first of which is a broadcast."""
    rank = known_rank(x, "np.tile")
    reps = reps if isinstance(reps, tuple) else (reps,)
    wide = max(rank, len(reps))
    reps = (*(1,) * (wide - len(reps)), *reps)
    lengths = [1 if i < wide - rank else length(x, axis=i - wide + rank) for i in range(wide)]
    pairs = [part for rep, size in zip(reps, lengths, strict=True) for part in (rep, size)]
    single = [part for size in lengths for part in (1, size)]
    stretched = broadcast_to(reshape(x, make_shape(*single)), make_shape(*pairs))
    return reshape(stretched, make_shape(*(rep * size for rep, size in zip(reps, lengths, strict=True))))


tile: Row = composite(np.tile, "x, reps=...", infer.of_definition(_tiled), _tiled)


def _infer_repeat(x: Node, repeats: Node, axis: int | None = None) -> Type:
    dims = x.type.dims if axis is not None else _flat_dims(x)
    if dims is None:
        return types.array(infer.numpy_dtype(x))
    (place,) = infer.normalized_axes(axis or 0, len(dims))
    before = current().sizes.find(dims[place])
    count = infer.size_of(repeats) if repeats.type.dims == () else None
    after = before if count == 1 else current().sizes.fresh()
    if isinstance(before, int) and isinstance(count, int):
        after = before * count
    return types.array(infer.numpy_dtype(x), (*dims[:place], after, *dims[place + 1 :]))


def _repeat_transpose(g: Node, x: Node, repeats: Node, axis: int | None = None) -> Node:
    """The sum over the copies of each element, which stand side by side."""
    if known_rank(repeats, "np.repeat"):
        counted = size(x) if axis is None else length(x, axis=axis)
        target = make_shape(counted) if axis is None else shape_of(x)
        made = scatter(g, target, repeat(arange(counted), repeats), index=at_axis(axis or 0, ("arg", 0)))
        return reshape(made, shape_of(x)) if axis is None else made
    if axis is None:
        return reshape(add_reduce(reshape(g, make_shape(size(x), repeats)), axis=1), shape_of(x))
    rank = known_rank(x, "np.repeat")
    lengths = [length(x, axis=i) for i in range(rank)]
    place = axis % rank + 1
    return add_reduce(reshape(g, make_shape(*lengths[:place], repeats, *lengths[place:])), axis=place)


def _repeat(row: Row, x: Any, repeats: Any, axis: Any = None) -> Node:
    attrs = {} if axis is None else {"axis": literal("axis", axis)}
    if isinstance(repeats, list | tuple) and len(repeats) == 1:
        repeats = repeats[0]
    if isinstance(repeats, list | tuple) and all(isinstance(count, int) for count in repeats):
        places = [place for place, count in enumerate(repeats) for _ in range(count)]
        x = to_node(x)
        return take(reshape(x, make_shape(-1)) if axis is None else x, to_node(places), attrs.get("axis", 0))
    return row(to_node(x), to_node(repeats), **attrs)


repeat: Row = linear(
    np.repeat,
    "x, repeats, axis=None",
    _infer_repeat,
    _repeat_transpose,
    None,
    lower=_repeat,
    method="repeat",
)


def pad_widths(width: Any, rank: int) -> tuple[tuple[int, int], ...]:
    """`pad_width` for every axis, as `np.pad` broadcasts it."""
    pairs = np.broadcast_to(np.asarray(width), (rank, 2)).tolist()
    return tuple((before, after) for before, after in pairs)


def _infer_pad(x: Node, pad_width: Any, mode: str = "constant", constant_values: Any = 0) -> Type:
    dims = current().sizes.resolve(x.type.dims)
    if dims is None:
        return types.array(infer.numpy_dtype(x))
    padded = tuple(
        dim if before == after == 0
        else dim + before + after if isinstance(dim, int)
        else current().sizes.fresh()
        for dim, (before, after) in zip(dims, pad_widths(pad_width, len(dims)), strict=True)
    )  # fmt: skip
    return types.array(infer.numpy_dtype(x), padded)


def _unpadded(g: Node, x: Node, pad_width: Any, mode: str = "constant", constant_values: Any = 0) -> Node:
    for axis, (before, after) in enumerate(pad_widths(pad_width, known_rank(x, "np.pad"))):
        if before or after:
            g = along(g, axis, before or None, -after if after else None)
    return g


def _pad(row: Row, x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = 0) -> Node:
    """Modes that repeat elements read them through an index that is padded in the same way."""
    x = to_node(x)
    width, fill = literal("pad_width", pad_width), literal("constant_values", constant_values)
    if mode == "constant":
        return row(x, pad_width=width, **({"constant_values": fill} if fill != 0 else {}))
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        raise UnsupportedError(f"np.pad with mode={mode!r} is not supported.", "mode='constant' or 'edge'")
    for axis, pair in enumerate(pad_widths(width, known_rank(x, "np.pad"))):
        if any(pair):
            x = take(x, _padded_places(length(x, axis=axis), pad_width=(pair,), mode=mode), axis)
    padded: Node = x
    return padded


def _pad_jvp(tangents: tuple[Node], y: Node, x: Node, pad_width: Any, **_: Any) -> Node:
    """The values beside the array do not change."""
    return pad(tangents[0], pad_width=pad_width)


pad: Row = linear(
    np.pad,
    "x, pad_width=..., mode='constant', constant_values=0",
    _infer_pad,
    _unpadded,
    jvp=_pad_jvp,
    lower=_pad,
)


def _padded_places(size: Node, **attrs: Any) -> Node:
    places: Node = pad(arange(size), **attrs)
    return places


def _atleast(rank: int) -> Any:
    def infer_atleast(x: Node) -> Type:
        dims = x.type.dims
        if dims is None or len(dims) >= rank:
            return types.array(infer.numpy_dtype(x), dims)
        if rank == 3 and len(dims):
            return types.array(infer.numpy_dtype(x), (1, *dims, 1) if len(dims) == 1 else (*dims, 1))
        return types.array(infer.numpy_dtype(x), (*(1,) * (rank - len(dims)), *dims))

    def lower(row: Row, *items: Any) -> Any:
        made = tuple(row(to_node(item)) for item in items)
        return made[0] if len(made) == 1 else made

    function = (np.atleast_1d, np.atleast_2d, np.atleast_3d)[rank - 1]
    return linear(function, "x", infer_atleast, lambda g, x: reshape(g, shape_of(x)), lower=lower, view=True)


atleast_1d, atleast_2d, atleast_3d = map(_atleast, (1, 2, 3))


def _diff(x: Node, n: int = 1, axis: int = -1) -> Node:
    for _ in range(n):
        x = along(x, axis, 1, None) - along(x, axis, None, -1)
    return x


diff: Row = composite(np.diff, "x, n=1, axis=-1", infer.of_definition(_diff), _diff)
ravel: Row = linear(
    np.ravel,
    "x, order='C'",
    lambda x, order="C": types.array(infer.numpy_dtype(x), _flat_dims(x)),
    lambda g, x, **attrs: reshape(g, shape_of(x), **attrs),
    method="ravel",
    view=True,
)


def _flat_dims(x: Node) -> Dims:
    return (current().sizes.fresh() if x.type.dims is None else infer.product(x.type.dims),)
