"""Reading and writing elements.

An index is the attribute `index`: a tuple of entries ("int", i), ("slice", start, stop, step), ("new",),
("ellipsis",) and ("arg", k), where any number inside an entry may itself be ("arg", k): the k-th operand
after the array(s).  `scatter` and `add_at` are functional; the backends write in place.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symdiff.errors import ShapeError, UnsupportedError
from symdiff.ir import types
from symdiff.ir.build import current
from symdiff.ir.node import Node
from symdiff.ir.types import Dim, Dims, Type
from symdiff.ops import infer
from symdiff.ops.lowering import known_rank, literal, sugar, to_node
from symdiff.ops.row import REGISTRY, Row, linear
from symdiff.ops.shaping import expand_dims, length, make_shape, reshape, shape_of

Index = tuple[tuple[Any, ...], ...]


def _sliced(dim: Dim, start: Any, stop: Any, step: Any, operands: tuple[Node, ...]) -> Dim:
    """The length of `dim[start:stop:step]`: exact for known lengths and for constants cut off the ends."""
    sizes = current().sizes
    dim = sizes.find(dim)
    stop_given = stop
    if isinstance(stop, tuple):
        stop = _from_end(operands[stop[1]], dim)
    if any(isinstance(part, tuple) for part in (start, stop, step)):
        bounds = [
            operands[part[1]] if isinstance(part, tuple) and part[0] == "arg" else part
            for part in (start, stop_given, step)
        ]
        return sizes.length_of((dim, *bounds))
    if isinstance(dim, int):
        return len(range(dim)[slice(start, stop, step)])
    if step in (None, 1, -1) and start is None and stop is None:
        return dim
    if step in (None, 1) and (start is None or start >= 0) and (stop is None or stop < 0):
        return sizes.less(dim, (start or 0) - (stop or 0))
    return sizes.fresh()


def _from_end(stop: Node, dim: Dim) -> Any:
    """A stop that is computed from the length itself, `n - 2`, as the negative number that means the same."""
    offset, node = 0, stop
    while (
        node.op.name in ("add", "subtract") and node.args[1].is_const and isinstance(node.args[1].value, int)
    ):
        offset += node.args[1].value if node.op.name == "add" else -node.args[1].value
        node = node.args[0]
    if offset < 0 and not node.is_const and current().sizes.find(infer.size_of(node)) == dim:
        return offset
    return ("unknown",)


def _consumed(entry: tuple[Any, ...], operands: tuple[Node, ...]) -> int:
    """How many axes of the array an entry of the index speaks for."""
    if entry[0] == "arg":
        mask = operands[entry[1]].type
        return 1 if mask.dtype != "bool" else len(mask.dims or ())
    return int(entry[0] in ("int", "slice"))


def _advanced(entry: tuple[Any, ...], operands: tuple[Node, ...]) -> bool:
    if entry[0] != "arg":
        return False
    selector: Type = operands[entry[1]].type
    return selector.dims != () or selector.dtype == "bool"


def _infer_index(x: Node, *operands: Node, index: Index = ()) -> Type:
    """NumPy's rule: the common shape of integer arrays stands in the place of the first one, or in front
    where a slice, None or ellipsis separates them; a boolean array counts as its `nonzero()`."""
    dtype = infer.numpy_dtype(x)
    dims = x.type.dims
    fancy = any(_advanced(entry, operands) for entry in index)
    selectors = [operands[entry[1]].type for entry in index if entry[0] == "arg"]
    if dims is None or any(one.dims is None or not one.dtype for one in selectors):
        return types.array(dtype)
    result: list[Dim] = []
    axis = 0
    rest = len(dims) - sum(_consumed(entry, operands) for entry in index)
    if rest < 0:
        raise ShapeError(f"{len(dims) - rest} indices are given for an array of {len(dims)} dimensions.")
    chosen: list[Dims | None] = []
    places: list[int] = []  # in the result, where arrays stand
    for entry in index:
        if entry[0] == "ellipsis":
            result += dims[axis : axis + rest]
            axis, rest = axis + rest, 0
        elif entry[0] == "new":
            result.append(1)
        elif entry[0] == "slice":
            _, start, stop, step = entry
            result.append(_sliced(dims[axis], start, stop, step, operands))
            axis += 1
        else:
            if fancy:
                places.append(len(result))
                chosen.append(_selected(entry, operands))
            axis += _consumed(entry, operands)
    result += dims[axis:]
    if fancy:
        separate = _separated(index)
        common = current().sizes.broadcast(chosen)
        assert common is not None
        at = 0 if separate else places[0]
        result[at:at] = common
    return types.array(dtype, tuple(result))


def _selected(entry: tuple[Any, ...], operands: tuple[Node, ...]) -> Dims:
    """The shape that an integer or boolean array contributes to the common shape of an index."""
    if entry[0] == "int":
        return ()
    selector = operands[entry[1]].type
    assert selector.dims is not None
    dims: Dims = selector.dims
    return (current().sizes.length_of(operands[entry[1]]),) if selector.dtype == "bool" else dims


def _separated(index: Index) -> bool:
    """Whether something stands between the integers and arrays of an index."""
    kinds = ["array" if entry[0] in ("int", "arg") else "other" for entry in index]
    first, last = kinds.index("array"), len(kinds) - kinds[::-1].index("array")
    return "other" in kinds[first:last]


def _infer_scatter(g: Node, shape: Node, *operands: Node, index: Index) -> Type:
    return types.array(infer.numpy_dtype(g), shape.type.dims)


def _infer_add_at(total: Node, g: Node, *operands: Node, index: Index) -> Type:
    place = _infer_index(total, *operands, index=index)
    current().sizes.broadcast([place.dims, g.type.dims])
    return infer.like(total)


index: Row = linear(
    None,
    "x, *operands, index=()",
    _infer_index,
    name="index",
    view=True,
    transpose=lambda g, i, x, *operands, index: (
        scatter(g, shape_of(x), *operands, index=index) if i == 0 else None
    ),
)
# Zeros of a shape, with `g` added at the index.
scatter: Row = linear(
    None,
    "g, shape, *operands, index=()",
    _infer_scatter,
    name="scatter",
    transpose=lambda h, i, g, shape, *operands, index: _read(h, *operands, spec=index) if i == 0 else None,
)
# `total` with `g` added at the index (`np.add.at`: repeated indices add up).
add_at: Row = linear(
    None,
    "total, g, *operands, index=()",
    _infer_add_at,
    name="add_at",
    transpose=lambda h, i, total, g, *operands, index: (
        (h, _read(h, *operands, spec=index))[i] if i < 2 else None
    ),
)


def _read(h: Node, *operands: Node, spec: Index) -> Node:
    return index(h, *operands, index=spec)


FULL = ("slice", None, None, None)


def at_axis(axis: int, *entries: tuple[Any, ...]) -> Index:
    """An index that does something to one axis alone."""
    if axis >= 0:
        return (*(FULL,) * axis, *entries)
    return (("ellipsis",), *entries, *(FULL,) * (-axis - 1))


def along(x: Node, axis: int, start: Any, stop: Any) -> Node:
    """`x[start:stop]` along an axis; the bounds are ints, integer nodes or None."""
    operands: list[Node] = []

    def bound(part: Any) -> Any:
        if isinstance(part, Node) and part.is_const:
            return part.value
        if isinstance(part, Node):
            operands.append(part)
            return ("arg", len(operands) - 1)
        return part

    spec = at_axis(axis, ("slice", bound(start), bound(stop), None))
    return index(x, *operands, index=spec)


def pick(x: Node, axis: int, place: int) -> Node:
    """`x[place]` along an axis."""
    return index(x, index=at_axis(axis, ("int", place)))


def take(x: Node, indices: Node, axis: int) -> Node:
    """`np.take`: the index replaces one axis."""
    if indices.is_const:
        return pick(x, axis, int(indices.value.real))
    return index(x, indices, index=at_axis(axis, ("arg", 0)))


def _take(x: Any, indices: Any, axis: Any = None, mode: str = "raise") -> Node:
    x, places = to_node(x), to_node(indices)
    if axis is None:
        x, axis = reshape(x, make_shape(-1)), 0
    axis = literal("axis", axis)
    if mode != "raise":
        places = _inside(places, length(x, axis=axis % known_rank(x, "np.take")), mode)
    return take(x, places, axis)


def _inside(places: Node, count: Node, mode: str) -> Node:
    """Indices within a length, as `mode` says."""
    if mode == "wrap":
        return REGISTRY["remainder"](places, count)
    if mode == "clip":
        return REGISTRY["minimum"](REGISTRY["maximum"](places, 0), count - 1)
    raise UnsupportedError(f"np.take with mode={mode!r} is not supported.", "mode='clip' or mode='wrap'")


def _take_along_axis(x: Any, indices: Any, axis: Any = -1) -> Node:
    """Every other axis is read at its own place."""
    x, indices, axis = to_node(x), to_node(indices), literal("axis", axis)
    if axis is None:
        return take(reshape(x, make_shape(-1)), indices, 0)
    operands = along_axis(x, indices, axis)
    return index(x, *operands, index=tuple(("arg", i) for i in range(len(operands))))


def along_axis(x: Node, indices: Node, axis: int) -> list[Node]:
    """By axis, the places that indices along one of them stand for."""
    from symdiff.ops.creation import arange

    rank = known_rank(x, "np.take_along_axis")
    operands = []
    for i in range(rank):
        others = tuple(k for k in range(rank) if k != i)
        places = indices if i == axis % rank else arange(length(x, axis=i))
        operands.append(expand_dims(places, axis=others) if i != axis % rank and others else places)
    return operands


take_row = sugar(np.take, _take)
sugar(np.take_along_axis, _take_along_axis)
