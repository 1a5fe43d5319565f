"""Shapes: asking for them, and moving elements without computing.

Sizes in derived code are taken from a parameter that has them wherever there is one, so that no value is
computed only to be measured.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symdiff.errors import UnsupportedError
from symdiff.ir import types
from symdiff.ir.build import current
from symdiff.ir.node import Node
from symdiff.ir.types import Dims, Type
from symdiff.ops import infer
from symdiff.ops.lowering import to_node
from symdiff.ops.row import Row, constant, linear

shape_of = constant(
    None, "x", lambda x: types.shape(x.type.dims), name="shape", also=(np.shape,), spelling="np.shape"
)
size = constant(None, "x", lambda x: types.number("int"), name="size", also=(np.size,), spelling="np.size")
length = constant(None, "x, axis=0", lambda x, axis: types.number("int"), name="length", spelling="len")
# A tuple of ints as a shape: `shape(n, -1)`.
make_shape = constant(
    None, "*sizes", lambda *sizes: types.shape(tuple(map(infer.size_of, sizes))), name="make_shape"
)


def _infer_to_shape(x: Node, shape: Node) -> Type:
    return types.array(infer.numpy_dtype(x), shape.type.dims)


broadcast_to: Row = linear(
    np.broadcast_to, "x, shape", _infer_to_shape, lambda g, x, shape: fit_like(g, x), None, view=True
)


def _infer_reshape(x: Node, shape: Node, order: str = "C") -> Type:
    dims = shape.type.dims
    if dims is None:
        return types.array(infer.numpy_dtype(x))
    if shape.op is make_shape:
        free = [i for i, arg in enumerate(shape.args) if arg.is_const and arg.value == -1]
        if current().primal and x.type.dims is not None:
            fixed = tuple(dim for i, dim in enumerate(dims) if i not in free)
            current().sizes.reshapes.append((x.type.dims, fixed, bool(free)))
        if len(free) == 1 and x.type.dims is not None:
            dims = _complete(x.type.dims, dims, free[0])
    return types.array(infer.numpy_dtype(x), dims)


def _complete(source: Dims, dims: Dims, free: int) -> Dims:
    """The length of the -1 axis where it follows from the others."""
    sizes = current().sizes
    rest = [sizes.find(dim) for dim in source]
    for i, dim in enumerate(dims):
        found = sizes.find(dim)
        if i != free and found in rest:
            rest.remove(found)
        elif i != free and found != 1:
            return dims
    return tuple(infer.product(tuple(rest)) if i == free else dim for i, dim in enumerate(dims))


reshape: Row = linear(
    np.reshape,
    "x, shape, order='C'",
    _infer_reshape,
    lambda g, x, shape, order="C": reshape(g, shape_of(x), **({"order": order} if order != "C" else {})),
    None,
    method="reshape",
    view=True,
)


def _infer_transpose(x: Node, axes: Any = None) -> Type:
    dims = x.type.dims
    if dims is None:
        return types.array(infer.numpy_dtype(x))
    order = tuple(reversed(range(len(dims)))) if axes is None else tuple(axis % len(dims) for axis in axes)
    return types.array(infer.numpy_dtype(x), tuple(dims[axis] for axis in order))


def _inverse(axes: Any, rank: int | None) -> Any:
    if axes is None:
        return {}
    positive = [axis % len(axes) for axis in axes]
    return {"axes": tuple(positive.index(i) for i in range(len(axes)))}


transpose: Row = linear(
    np.transpose,
    "x, axes=None",
    _infer_transpose,
    lambda g, x, axes=None: transpose(g, **_inverse(axes, x.type.rank)),
    method="transpose",
    view=True,
)


def _infer_expand(x: Node, axis: Any) -> Type:
    if x.type.dims is None:
        return types.array(infer.numpy_dtype(x))
    axes = axis if isinstance(axis, tuple) else (axis,)
    rank = len(x.type.dims) + len(axes)
    new = {one % rank for one in axes}
    rest = iter(x.type.dims)
    return types.array(infer.numpy_dtype(x), tuple(1 if i in new else next(rest) for i in range(rank)))


expand_dims: Row = linear(
    np.expand_dims, "x, axis=...", _infer_expand, lambda g, x, axis: reshape(g, shape_of(x)), view=True
)


def _infer_swapaxes(x: Node, axis1: int, axis2: int) -> Type:
    if x.type.dims is None:
        return types.array(infer.numpy_dtype(x))
    dims = list(x.type.dims)
    infer.normalized_axes((axis1, axis2), len(dims))
    dims[axis1], dims[axis2] = dims[axis2], dims[axis1]
    return types.array(infer.numpy_dtype(x), tuple(dims))


swapaxes: Row = linear(
    np.swapaxes,
    "x, axis1=..., axis2=...",
    _infer_swapaxes,
    lambda g, x, **axes: swapaxes(g, **axes),
    view=True,
)


def _infer_squeeze(x: Node, axis: Any = None) -> Type:
    dims = current().sizes.resolve(x.type.dims)
    if dims is None or (axis is None and any(map(types.may_be_one, dims))):
        return types.array(infer.numpy_dtype(x))
    axes = (
        [i for i, dim in enumerate(dims) if dim == 1]
        if axis is None
        else infer.normalized_axes(axis, len(dims))
    )
    for one in axes:
        current().sizes.unify(dims[one], 1)
    return types.array(infer.numpy_dtype(x), tuple(dim for i, dim in enumerate(dims) if i not in axes))


squeeze: Row = linear(
    np.squeeze,
    "x, axis=None",
    _infer_squeeze,
    lambda g, x, axis=None: reshape(g, shape_of(x)),
    method="squeeze",
    view=True,
)


# The cotangent of a value that was broadcast and promoted from `x`: summed to its shape, cast to its dtype.
# Types delete it (see `ops.folds`); what is left calls the runtime helper.
fit_like: Row = linear(
    None,
    "g, x",
    lambda g, x: types.array(infer.numpy_dtype(x), x.type.dims),
    lambda h, g, x: fit_like(broadcast_to(h, shape_of(g)), g),
    None,
    name="fit_like",
    spelling="fit_like",
)


def _infer_astype(x: Node, dtype: str) -> Type:
    return types.array(dtype, x.type.dims)


astype: Row = linear(
    getattr(np, "astype", None),
    "x, dtype=...",
    _infer_astype,
    lambda g, x, dtype: fit_like(g, x),
    name="astype",
    method="astype",
)


def _infer_part(x: Node) -> Type:
    """Of a Python number NumPy reads the attribute, which is a Python number."""
    if x.type.kind == "number":
        return types.number({"complex": "float", "bool": "int"}.get(x.type.dtype, x.type.dtype))
    return types.array(real_dtype(infer.numpy_dtype(x)), x.type.dims)


real: Row = linear(
    np.real,
    "x",
    _infer_part,
    lambda g, x: g,
    view=True,
)
imag: Row = linear(
    np.imag,
    "x",
    _infer_part,
    lambda g, x: -1j * g,
    view=True,
)


def real_dtype(dtype: str) -> str:
    return str(np.empty(0, dtype).real.dtype) if dtype else ""


def _infer_full(shape: Node, value: Node, dtype: str | None = None) -> Type:
    return types.array(dtype or infer.numpy_dtype(value), shape.type.dims)


def _infer_fresh(shape: Node, dtype: str | None = None) -> Type:
    return types.array(dtype or "float64", shape.type.dims)


def _infer_like(x: Node, *_: Node, dtype: str | None = None) -> Type:
    return types.array(dtype or infer.numpy_dtype(x), x.type.dims)


full: Row = linear(
    np.full,
    "shape, fill_value, dtype=None",
    _infer_full,
    None,
    lambda g, shape, value, dtype=None: fit_like(g, value),
)
zeros = constant(np.zeros, "shape, dtype=None", _infer_fresh)
ones = constant(np.ones, "shape, dtype=None", _infer_fresh)
zeros_like = constant(np.zeros_like, "x, dtype=None", _infer_like)
ones_like = constant(np.ones_like, "x, dtype=None", _infer_like)
full_like: Row = linear(
    np.full_like,
    "x, fill_value, dtype=None",
    _infer_like,
    None,
    lambda g, x, value, dtype=None: fit_like(g, value),
)


def _copied(row: Row, a: Any, order: str = "K") -> Node:
    """`np.copy` keeps the order of axes in memory, on which the last bits of sums depend; `.copy()` does
    not."""
    if order not in ("C", "K"):
        raise UnsupportedError(f"np.copy with order={order!r} is not supported.", "np.asfortranarray")
    return row(to_node(a), **({} if order == "C" else {"order": order}))


# A fresh C-contiguous array: what leaves a derivative must not share memory with what came in.
copy: Row = linear(
    np.copy, "x, order='C'", infer.like, lambda g, x, order="C": g, method="copy", lower=_copied
)
# A Python float, as gradients of Python floats leave.
to_float: Row = linear(
    None,
    "x",
    lambda x: types.number("float"),
    lambda g, x: g,
    name="to_float",
    also=(float,),
    spelling="float",
)
conjugate: Row = linear(
    np.conjugate, "x", infer.of_ufunc(np.conjugate), lambda g, x: conjugate(g), also=(np.conj,)
)
