"""Elements chosen, left out, put in and put in order: each element of the result is one of an operand."""

from __future__ import annotations

from typing import Any

import numpy as np

from symdiff.errors import ShapeError, UnsupportedError
from symdiff.ir import types
from symdiff.ir.build import current
from symdiff.ir.node import Node
from symdiff.ir.types import Dim, Type
from symdiff.ops import infer
from symdiff.ops.arithmetic import equal, not_equal, remainder
from symdiff.ops.axes import moveaxis
from symdiff.ops.creation import arange
from symdiff.ops.elementwise import where
from symdiff.ops.finding import nonzero
from symdiff.ops.indexing import _take_along_axis, along, at_axis, index, scatter, take
from symdiff.ops.joining import concatenate
from symdiff.ops.lowering import arrays, known_rank, literal, to_node
from symdiff.ops.piecewise import maximum, minimum
from symdiff.ops.products import flat
from symdiff.ops.rounding import argsort
from symdiff.ops.row import Row, composite, custom, linear
from symdiff.ops.shaping import (
    astype,
    broadcast_to,
    expand_dims,
    length,
    make_shape,
    ones,
    reshape,
    shape_of,
    size,
)
from symdiff.ops.updates import update

# Of several arrays the element that an index names


def _infer_choose(a: Node, *choices: Node, mode: str = "raise") -> Type:
    return types.array(infer.promoted(*choices), infer.broadcast(a, *choices))


def _choice_transpose(g: Node, i: int, a: Node, *choices: Node, mode: str = "raise") -> Node | None:
    if i == 0:
        return None
    if mode != "raise":
        last = len(choices) - 1
        a = remainder(a, last + 1) if mode == "wrap" else minimum(maximum(a, 0), last)
    return where(equal(a, i - 1), g, 0)


def _choose(row: Row, a: Any, choices: Any, mode: Any = "raise") -> Node:
    return row(to_node(a), *arrays(choices), **({} if mode == "raise" else {"mode": literal("mode", mode)}))


choose: Row = linear(
    np.choose, "a, *choices, mode='raise'", _infer_choose, transpose=_choice_transpose, lower=_choose
)


# What a condition keeps


def _mask(condition: Node) -> Node:
    return condition if condition.type.dtype == "bool" else not_equal(condition, 0)


def _chosen(condition: Node, dim: Dim) -> Node:
    """A vector of conditions as an index: the mask itself, or its places where it may be shorter."""
    assert condition.type.dims is not None
    same = current().sizes.find(condition.type.dims[0]) == current().sizes.find(dim)
    return _mask(condition) if same else nonzero(_mask(condition))


def _infer_compress(condition: Node, x: Node, axis: int | None = None) -> Type:
    if known_rank(condition, "np.compress") != 1:
        raise ShapeError("The condition of np.compress is a vector.", "np.ravel of it")
    dims: Any = (current().sizes.length_of(_mask(condition)),)
    if axis is not None and x.type.dims is not None:
        (place,) = infer.normalized_axes(axis, len(x.type.dims))
        dims = (*x.type.dims[:place], *dims, *x.type.dims[place + 1 :])
    return types.array(infer.numpy_dtype(x), None if axis is not None and x.type.dims is None else dims)


def _compress_transpose(g: Node, condition: Node, x: Node, axis: int | None = None) -> Node:
    rank = known_rank(x, "np.compress")
    if axis is None and rank != 1:
        flat_one = scatter(g, make_shape(size(x)), nonzero(_mask(condition)), index=(("arg", 0),))
        return reshape(flat_one, shape_of(x))
    assert x.type.dims is not None
    place = _chosen(condition, x.type.dims[axis or 0])
    return scatter(g, shape_of(x), place, index=at_axis(axis or 0, ("arg", 0)))


compress: Row = linear(np.compress, "condition, x, axis=None", _infer_compress, None, _compress_transpose)


def _extract_transpose(g: Node, condition: Node, x: Node) -> Node:
    sizes = current().sizes
    if sizes.resolve(condition.type.dims) == sizes.resolve(x.type.dims) is not None:
        return scatter(g, shape_of(x), _mask(condition), index=(("arg", 0),))
    places = nonzero(_mask(flat(condition)))
    return reshape(scatter(g, make_shape(size(x)), places, index=(("arg", 0),)), shape_of(x))


extract: Row = linear(
    np.extract,
    "condition, x",
    lambda condition, x: types.array(infer.numpy_dtype(x), (current().sizes.length_of(_mask(condition)),)),
    None,
    _extract_transpose,
)


# What is left when some are deleted


def _infer_delete(x: Node, obj: Node, axis: int | None = None) -> Type:
    dims = x.type.dims
    if dims is not None and axis is None:
        dims = (infer.product(dims),)
    if dims is None:
        return types.array(infer.numpy_dtype(x))
    (place,) = infer.normalized_axes(axis or 0, len(dims))
    single = obj.type.dims == () and obj.type.dtype != "bool"
    after = current().sizes.less(dims[place], 1) if single else current().sizes.fresh()
    return types.array(infer.numpy_dtype(x), (*dims[:place], after, *dims[place + 1 :]))


def _delete_transpose(g: Node, x: Node, obj: Node, axis: int | None = None) -> Node:
    """Zeros where something was deleted."""
    if obj.is_const and int(obj.value.real) >= 0 and (axis is not None or x.type.rank == 1):
        return insert(g, obj, current().const(0.0), **({} if axis is None else {"axis": axis}))
    count = size(x) if axis is None else length(x, axis=axis % known_rank(x, "np.delete"))
    entry = ("int", int(obj.value.real)) if obj.is_const else ("arg", 0)
    keep = update(
        ones(make_shape(count), dtype="bool"), False, *([] if obj.is_const else [obj]), index=(entry,)
    )
    if axis is None and x.type.rank != 1:
        return reshape(scatter(g, make_shape(count), keep, index=(("arg", 0),)), shape_of(x))
    return scatter(g, shape_of(x), keep, index=at_axis(axis or 0, ("arg", 0)))


def _delete(row: Row, arr: Any, obj: Any, axis: Any = None) -> Node:
    x, axis = to_node(arr), literal("axis", axis)
    if isinstance(obj, slice):
        count = size(x) if axis is None else length(x, axis=axis % known_rank(x, "np.delete"))
        obj = _sliced(count, obj)
    if isinstance(obj, list | tuple) and not obj:
        raise UnsupportedError("np.delete of nothing is not supported.", "the array itself")
    return row(x, to_node(obj), **({} if axis is None else {"axis": axis}))


def _sliced(count: Node, part: slice) -> Node:
    """The places of a slice."""
    operands = [one for one in (part.start, part.stop, part.step) if isinstance(one, Node)]
    numbers = iter(range(len(operands)))
    bounds = [
        ("arg", next(numbers)) if isinstance(one, Node) else one for one in (part.start, part.stop, part.step)
    ]
    return index(arange(count), *operands, index=(("slice", *bounds),))


delete: Row = linear(np.delete, "x, obj, axis=None", _infer_delete, _delete_transpose, None, lower=_delete)


# What is inserted


def _insert(x: Node, obj: Node, values: Node, axis: int | None = None) -> Node:
    """The array and the values behind each other, in the order that the places give them."""
    if axis is None:
        x, axis = (x if x.type.rank == 1 else flat(x)), 0
    rank, depth = known_rank(x, "np.insert"), known_rank(values, "np.insert")
    axis = axis % rank
    along_axis = {"axis": axis} if axis else {}
    single = known_rank(obj, "np.insert") == 0
    if depth < rank:
        values = expand_dims(values, axis=tuple(range(rank - depth)))
    if single and axis:  # their first axis is the one along which they stand
        values = moveaxis(values, source=0, destination=axis)
    added = length(values if single or _is_one(obj) else obj, axis=axis if single or _is_one(obj) else 0)
    lengths = [added if i == axis else length(x, axis=i) for i in range(rank)]
    values = broadcast_to(values, make_shape(*lengths))
    if infer.numpy_dtype(x) != infer.numpy_dtype(values):
        values = astype(values, dtype=infer.numpy_dtype(x))
    if single:
        before, after = along(x, axis, None, obj), along(x, axis, obj, None)
        return concatenate(before, values, after, **along_axis)
    count = length(x, axis=axis)
    order = insert(arange(count), obj, arange(count, count + added))
    return take(concatenate(x, values, **along_axis), order, axis)


def _is_one(obj: Node) -> bool:
    assert obj.type.dims is not None
    return current().sizes.find(obj.type.dims[0]) == 1


def _infer_insert(x: Node, obj: Node, values: Node, axis: int | None = None) -> Type:
    if obj.type.dtype == "bool" or known_rank(obj, "np.insert") > 1:
        raise UnsupportedError("The places of np.insert are integers.", "np.flatnonzero of the mask")
    if x.type.rank == 1 and obj.type.rank == 1 and infer.numpy_dtype(x) == "int64" and values.op is arange:
        return types.array("int64", (current().sizes.fresh(),))
    return types.array(infer.numpy_dtype(x), infer.of_definition(_insert)(x, obj, values, axis).dims)


def _insert_call(row: Row, arr: Any, obj: Any, values: Any, axis: Any = None) -> Node:
    if isinstance(obj, slice):
        raise UnsupportedError("np.insert at a slice is not supported.", "the list of its places")
    options = {} if axis is None else {"axis": literal("axis", axis)}
    return row(to_node(arr), to_node(obj), to_node(values), **options)


insert: Row = composite(np.insert, "x, obj, values, axis=None", _infer_insert, _insert, lower=_insert_call)

# What is put in order


def _infer_partition(x: Node, kth: Any, axis: int | None = -1) -> Type:
    dims = x.type.dims
    if axis is None:
        dims = (current().sizes.fresh() if dims is None else infer.product(dims),)
    return types.array(infer.numpy_dtype(x), dims)


def _line(x: Node, axis: int | None) -> tuple[Node, dict[str, int]]:
    """What stands in a line, and the axis as an attribute of `np.argsort`."""
    if axis is None:
        return x if x.type.rank == 1 else flat(x), {}
    return x, {} if axis in (-1, known_rank(x, "np.partition") - 1) else {"axis": axis}


def _moved(t: Node, source: Node, target: Node, attrs: dict[str, int]) -> Node:
    """`t` in the order in which `source` stands in `target`: the values tell which element went where, for
    `np.argpartition` may order the others differently."""
    axis = attrs.get("axis", -1)
    sorted_ones = _take_along_axis(t, argsort(source, **attrs), axis)
    return _take_along_axis(sorted_ones, argsort(argsort(target, **attrs), **attrs), axis)


def _partition_vjp(g: Node, y: Node, x: Node, kth: Any, axis: int | None = -1) -> tuple[Node]:
    line, attrs = _line(x, axis)
    moved = _moved(g, y, line, attrs)
    return (moved if line is x else reshape(moved, shape_of(x)),)


def _partition_jvp(tangents: tuple[Node], y: Node, x: Node, kth: Any, axis: int | None = -1) -> Node:
    line, attrs = _line(x, axis)
    t = tangents[0] if line is x else flat(tangents[0])
    return _moved(t, line, y, attrs)


partition: Row = custom(np.partition, "x, kth=..., axis=-1", _infer_partition, _partition_vjp, _partition_jvp)
