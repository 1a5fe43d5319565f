"""Arrays made from numbers: constants of the derivative, except in the numbers they are filled with."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from symdiff.errors import UnsupportedError
from symdiff.ir import types
from symdiff.ir.build import current
from symdiff.ir.node import Node
from symdiff.ir.types import Dim, Type
from symdiff.ops import infer
from symdiff.ops.lowering import bind, known_rank, literal, nested, sugar, to_node
from symdiff.ops.reductions import add_reduce
from symdiff.ops.row import Row, constant, linear
from symdiff.ops.shaping import astype, broadcast_to, copy, expand_dims, length, make_shape, reshape, shape_of


def _infer_array(*items: Node, shape: tuple[int, ...] = (), dtype: str | None = None) -> Type:
    return types.array(
        dtype or (infer.numpy_dtype_of_all(items) if items else "float64"),
        None if (inner := infer.broadcast(*items)) is None else (*shape, *inner),
    )


def _array_transpose(g: Node, i: int, *items: Node, shape: tuple[int, ...] = (), dtype: Any = None) -> Node:
    from symdiff.ops.indexing import index

    place = np.unravel_index(i, shape)
    return index(g, index=tuple(("int", int(k)) for k in place)) if shape else g


def _array(row: Row, value: Any, dtype: Any = None, **options: Any) -> Node:
    """`np.array` and its kin: of an array a copy, of a nested list one node."""
    attrs = {} if dtype is None else {"dtype": literal("dtype", dtype)}
    if options.pop("order", None) not in (None, "C", "K") or any(options.pop("ndmin", 0) for _ in "1"):
        raise UnsupportedError("np.array with order or ndmin is not supported.", "reshape the result")
    if isinstance(value, list | tuple):
        return nested(value, **attrs)
    if not options.pop("copy", True):
        return _asarray(value, dtype)
    value = to_node(value)
    if value.type.kind != "array":
        return row(value, shape=(), **attrs)
    return astype(value, **attrs) if attrs and attrs["dtype"] != value.type.dtype else copy(value, order="K")


def _asarray(value: Any, dtype: Any = None, **options: Any) -> Node:
    """No copy where nothing changes."""
    if not isinstance(value, Node) or value.type.kind != "array":
        return _array(array, value, dtype, **options)
    wanted = None if dtype is None else literal("dtype", dtype)
    return value if wanted is None or wanted == value.type.dtype else astype(value, dtype=wanted)


# `np.array` of a nested list of `shape`, whose leaves are the operands.
array = linear(
    np.array, "*items, shape=(), dtype=None", _infer_array, transpose=_array_transpose, lower=_array
)
for _function in (np.asarray, np.asanyarray):
    sugar(_function, _asarray)


def _infer_ordered(x: Node) -> Type:
    dims = x.type.dims
    return types.array(infer.numpy_dtype(x), (1,) if dims == () else dims)


def _ordered(row: Row, value: Any, dtype: Any = None) -> Node:
    return row(_asarray(value, dtype))


def _ordering(function: Any) -> Row:
    """The order in memory decides the order in which sums are taken, and so their last bits."""
    return linear(
        function, "x", _infer_ordered, lambda g, x: reshape(g, shape_of(x)), view=True, lower=_ordered
    )


ascontiguousarray = _ordering(np.ascontiguousarray)
asfortranarray = _ordering(np.asfortranarray)


def _cast(name: str) -> Any:
    return lambda value=0.0: astype(to_node(value), dtype=name)


for _name in (
    "float16", "float32", "float64", "longdouble", "complex64", "complex128", "int8", "int16", "int32",
    "int64", "uint8", "uint16", "uint32", "uint64", "bool_",
):  # fmt: skip
    sugar(getattr(np, _name), _cast(np.dtype(getattr(np, _name)).name), name=_name)


def _infer_empty(shape: Node, dtype: str | None = None) -> Type:
    return types.array(dtype or "float64", shape.type.dims)


empty = constant(np.empty, "shape, dtype=None", _infer_empty, pure=False)
empty_like = constant(
    np.empty_like,
    "x, dtype=None",
    lambda x, dtype=None: types.array(dtype or infer.numpy_dtype(x), x.type.dims),
    pure=False,
)


def _ndarray(shape: Any, dtype: Any = None, *layout: Any, **named: Any) -> Node:
    if layout or named:
        raise UnsupportedError(
            "np.ndarray with a buffer, strides or an order is not supported.", "np.empty(shape, dtype)"
        )
    return bind(empty, shape, dtype=dtype)


sugar(np.ndarray, _ndarray)


def _steps(*bounds: Node) -> Dim:
    """The length of an arange where it is plain."""
    if all(bound.is_const for bound in bounds):
        return len(np.arange(*[cast(Any, bound.value) for bound in bounds]))
    last = bounds[1] if len(bounds) == 2 and bounds[0].is_const and bounds[0].value == 0 else bounds[0]
    if len(bounds) == 1 or last is bounds[1]:
        return infer.size_of(last) if last.type.dtype == "int" else current().sizes.fresh()
    return current().sizes.fresh()


def _infer_arange(*bounds: Node, dtype: str | None = None) -> Type:
    return types.array(dtype or infer.numpy_dtype_of_all(bounds), (_steps(*bounds),))


def _arange_transpose(g: Node, i: int, *bounds: Node, dtype: Any = None) -> Node | None:
    """start + k * step: the stop only counts elements."""
    if len(bounds) == 1 or i == 1:
        return None
    return add_reduce(g) if i == 0 else add_reduce(g * arange(length(g, axis=0)))


def _arange_jvp(tangents: tuple[Node | None, ...], y: Node, *bounds: Node, dtype: Any = None) -> Node | None:
    start, step = tangents[0] if len(bounds) > 1 else None, tangents[2] if len(bounds) > 2 else None
    way = None if step is None else step * arange(length(y, axis=0))
    return start if way is None else way if start is None else start + way


def _arange(row: Row, *bounds: Any, dtype: Any = None, **names: Any) -> Node:
    given = [*bounds, *(names[key] for key in ("start", "stop", "step") if key in names)]
    if names.keys() == {"step"} and len(bounds) == 1:
        given = [0, bounds[0], names["step"]]
    return bind(row, *given, dtype=dtype)


arange = linear(
    np.arange,
    "*bounds, dtype=None",
    _infer_arange,
    transpose=_arange_transpose,
    jvp=_arange_jvp,
    lower=_arange,
)


def _weights(start: Node, stop: Node, num: int, endpoint: bool) -> Node:
    """How much of the way each element has gone, along the first axis."""
    way = linspace(0, 1, **({"num": num} if num != 50 else {}), **({} if endpoint else {"endpoint": False}))
    rank = max(known_rank(start, "np.linspace"), known_rank(stop, "np.linspace"))
    return expand_dims(way, axis=tuple(range(1, rank + 1))) if rank else way


def _infer_linspace(
    start: Node, stop: Node, num: int = 50, endpoint: bool = True, dtype: str | None = None
) -> Type:
    inner = infer.broadcast(start, stop)
    base = infer.promoted(start, stop, current().const(1.0))
    return types.array(dtype or base, None if inner is None else (num, *inner))


linspace = linear(
    np.linspace,
    "start, stop, num=50, endpoint=True, dtype=None",
    _infer_linspace,
    lambda g, start, stop, num=50, endpoint=True, dtype=None: add_reduce(
        g * (1 - _weights(start, stop, num, endpoint)), axis=0
    ),
    lambda g, start, stop, num=50, endpoint=True, dtype=None: add_reduce(
        g * _weights(start, stop, num, endpoint), axis=0
    ),
)


def _infer_eye(*sizes: Node, k: int = 0, dtype: str | None = None) -> Type:
    rows, columns = infer.size_of(sizes[0]), infer.size_of(sizes[-1])
    return types.array(dtype or "float64", (rows, rows if len(sizes) == 1 else columns))


def _eye(row: Row, n: Any, *rest: Any, **names: Any) -> Node:
    values = {**dict(zip(("M", "k", "dtype"), rest, strict=False)), **names}
    columns = values.pop("M", None)
    return bind(row, n, *([] if columns is None else [columns]), **values)


eye = constant(np.eye, "*sizes, k=0, dtype=None", _infer_eye, lower=_eye)
identity = constant(np.identity, "n, dtype=None", _infer_eye)
# Ones on and below the k-th diagonal.
tri = constant(np.tri, "*sizes, k=0, dtype=None", _infer_eye, lower=_eye)


def _meshgrid(*axes: Any, indexing: str = "xy", sparse: bool = False) -> tuple[Node, ...]:
    """Each vector along its own axis, stretched over the others."""
    vectors = [reshape(to_node(axis), make_shape(-1)) for axis in axes]
    places = [i + 1 - 2 * i if i < 2 and indexing == "xy" and len(axes) > 1 else i for i in range(len(axes))]
    lengths = {place: length(x, axis=0) for place, x in zip(places, vectors, strict=True)}
    shape = make_shape(*(lengths[i] for i in range(len(axes))))
    laid = []
    for place, x in zip(places, vectors, strict=True):
        others = tuple(i for i in range(len(axes)) if i != place)
        wide = expand_dims(x, axis=others) if others else x
        laid.append(wide if sparse else copy(broadcast_to(wide, shape)))
    return tuple(laid)


sugar(np.meshgrid, _meshgrid)
