"""Arrays made of places: grids, index grids, triangles of ones, powers; and what is written with a subscript.

`np.mgrid[...]`, `np.ogrid[...]`, `np.r_[...]` and `np.c_[...]` are rows that are called with the index.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symdiff.errors import ShapeError, UnsupportedError, UserError
from symdiff.ir import types
from symdiff.ir.node import Node
from symdiff.ir.types import Type
from symdiff.ops import infer
from symdiff.ops.axes import flip
from symdiff.ops.creation import arange, linspace
from symdiff.ops.joining import concatenate, stack
from symdiff.ops.lowering import bind, known_rank, literal, nested, sugar, to_node, to_shape
from symdiff.ops.row import Row, composite, constant
from symdiff.ops.shaping import astype, broadcast_to, expand_dims, length, make_shape


def _infer_indices(shape: Node, dtype: str | None = None) -> Type:
    dims = shape.type.dims
    return types.array(dtype or "int64", None if dims is None else (len(dims), *dims))


def _indices(
    row: Row, shape: Any = None, dtype: Any = None, sparse: Any = False, dimensions: Any = None
) -> Any:
    shape = to_shape(dimensions if shape is None else shape)
    attrs = {} if dtype is None or literal("dtype", dtype) == "int64" else {"dtype": literal("dtype", dtype)}
    if not literal("sparse", sparse):
        return row(shape, **attrs)
    if shape.op is not make_shape:
        raise UnsupportedError("np.indices with sparse=True needs a known number of axes.", "sparse=False")
    return _open([arange(size, **attrs) for size in shape.args])


indices: Row = constant(np.indices, "shape, dtype=None", _infer_indices, lower=_indices)


def _open(axes: Sequence[Node]) -> tuple[Node, ...]:
    """Each vector along its own axis."""
    rank = len(axes)
    return tuple(
        expand_dims(x, axis=tuple(k for k in range(rank) if k != i)) if rank > 1 else x
        for i, x in enumerate(axes)
    )


def _vander(x: Node, N: int | None = None, increasing: bool = False) -> Node:
    """Powers of a vector, by columns."""
    if known_rank(x, "np.vander") != 1:
        raise ShapeError("np.vander takes a vector.")
    powers = arange(length(x, axis=0) if N is None else N)
    return expand_dims(x, axis=1) ** (powers if increasing else flip(powers))


def _infer_vander(x: Node, N: int | None = None, increasing: bool = False) -> Type:
    dims = infer.of_definition(_vander)(x, N, increasing).dims
    dtype = infer.numpy_dtype(x)
    return types.array(np.result_type(dtype, np.int64).name if dtype else "", dims)


vander: Row = composite(np.vander, "x, N=None, increasing=False", _infer_vander, _vander)


# Subscripts

Bounds = tuple[Any, Any, Any]


def _bounds(key: Any) -> list[Bounds]:
    """(start, stop, step) of the slices of a subscript."""
    found = []
    for part in key if isinstance(key, tuple) else (key,):
        if not isinstance(part, slice) or part.stop is None:
            raise UserError("TypeError: a grid is made of slices that have an end")
        step = 1 if part.step is None else part.step
        if isinstance(step, Node) and step.type.dtype.startswith("complex"):
            step = literal("step", step)
        found.append((0 if part.start is None else part.start, part.stop, step))
    return found


def _is_int(value: Any) -> bool:
    if isinstance(value, Node):
        return bool(value.type.dtype) and np.dtype(value.type.dtype).kind in "iu"
    return isinstance(value, int | np.integer)


def _is(value: Any, number: int) -> bool:
    return isinstance(value, int) and value == number


def _axis(start: Any, stop: Any, step: Any) -> Node:
    """One vector of a grid.  An imaginary step is a number of elements, the last of which is the end."""
    if isinstance(step, complex):
        count = int(abs(step))
        reach = stop if _is(start, 0) else stop - start
        way: Node = arange(count, dtype="float64") * (reach / float(count - 1) if count > 1 else 1)
        if not _is(start, 0):
            way = way - -start if isinstance(start, int | float) and start < 0 else way + start
        return way
    bounds = [stop] if _is(start, 0) and _is(step, 1) else [start, stop, *([] if _is(step, 1) else [step])]
    return bind(arange, *bounds)


def _axes(key: Any) -> list[Node]:
    """The vectors of a grid, in one dtype."""
    bounds = _bounds(key)
    axes = [_axis(*one) for one in bounds]
    dtype = infer.numpy_dtype_of_all(axes)
    return [one if one.type.dtype == dtype else astype(one, dtype=dtype) for one in axes]


def _mgrid(key: Any) -> Node:
    axes = _axes(key)
    if not isinstance(key, tuple):
        return axes[0]
    if all(one.op is arange and len(one.args) == 1 and one.type.dtype == "int64" for one in axes):
        return indices(make_shape(*(one.args[0] for one in axes)))
    shape = make_shape(*(length(one, axis=0) for one in axes))
    return stack(*(broadcast_to(one, shape) for one in _open(axes)))


def _ogrid(key: Any) -> Any:
    axes = _axes(key)
    return _open(axes) if isinstance(key, tuple) else axes[0]


def _range(part: slice) -> Node:
    ((start, stop, step),) = _bounds(part)
    if isinstance(step, complex):
        return bind(linspace, start, stop, num=int(abs(step)))
    return _axis(start, stop, step)


def _items(key: Any) -> list[Node]:
    """What `np.r_` and `np.c_` join, in its common dtype; numbers do not promote."""
    items = []
    for part in key if isinstance(key, tuple) else (key,):
        if isinstance(part, str):
            raise UnsupportedError("np.r_ and np.c_ with a string are not supported.", "np.concatenate")
        items.append(_range(part) if isinstance(part, slice) else to_node(part))
    dtype = infer.promoted(*items)
    return [x if not dtype or infer.numpy_dtype(x) == dtype else astype(x, dtype=dtype) for x in items]


def _r(key: Any) -> Node:
    items = _items(key)
    return concatenate(*(nested([x]) if known_rank(x, "np.r_") == 0 else x for x in items))


def _c(key: Any) -> Node:
    columns = []
    for x in _items(key):
        rank = known_rank(x, "np.c_")
        columns.append(nested([[x]]) if rank == 0 else expand_dims(x, axis=1) if rank == 1 else x)
    return concatenate(*columns, axis=-1)


for _object, _name, _lower in (
    (np.mgrid, "mgrid", _mgrid), (np.ogrid, "ogrid", _ogrid), (np.r_, "r_", _r), (np.c_, "c_", _c)
):  # fmt: skip
    sugar(_object, _lower, name=_name)


def _nditer(*_: Any, **__: Any) -> Node:
    raise UnsupportedError(
        "np.nditer is not supported.", "a loop over np.ndindex(x.shape), or array operations"
    )


sugar(np.nditer, _nditer, spelling="nditer")
