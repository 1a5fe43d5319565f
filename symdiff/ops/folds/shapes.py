"""Folds of shapes: sizes from a parameter that has them, broadcasts, reshapes, transposes, sums of them."""

from __future__ import annotations

from typing import Any

from symdiff.ir import types
from symdiff.ir.build import current
from symdiff.ir.node import Node
from symdiff.ops import infer
from symdiff.ops.folds.common import fold, is_scalar, is_weak, negated, shaped_as
from symdiff.ops.indexing import scatter
from symdiff.ops.linalg import inv
from symdiff.ops.products import matmul
from symdiff.ops.reductions import add_reduce
from symdiff.ops.shaping import (
    broadcast_to,
    copy,
    expand_dims,
    length,
    reshape,
    shape_of,
    size,
    to_float,
    transpose,
)


def _measured(x: Node) -> Node | None:
    """Another value of the same shape that is there anyway: a parameter, or what `x` is computed from."""
    builder = current()
    if x in builder.params:
        return None
    dims = builder.sizes.resolve(x.type.dims)
    for param in builder.params:
        if dims is not None and param.type.kind == "array" and builder.sizes.resolve(param.type.dims) == dims:
            return param
    source = shaped_as(x)
    return source if source is not x and source.type.kind == "array" else None


@fold(shape_of)
def _shape(x: Node) -> Node | None:
    other = _measured(x)
    return None if other is None else shape_of(other)


@fold(size)
def _size(x: Node) -> Node | None:
    builder = current()
    if x.type.dims is not None:
        total = infer.product(x.type.dims)
        if isinstance(total, int):
            return builder.const(total)
        along = [i for i, dim in enumerate(x.type.dims) if builder.sizes.find(dim) == total]
        if len(along) == 1 and _measured(x) is None:
            return length(x, axis=along[0]) if x not in builder.params else None
    other = _measured(x)
    return None if other is None else size(other)


@fold(length)
def _length(x: Node, axis: int) -> Node | None:
    builder = current()
    if x.type.dims is None:
        return None
    dim = builder.sizes.find(x.type.dims[axis])
    if isinstance(dim, int):
        return builder.const(dim)
    if x in builder.params:
        return None
    for param in builder.params:
        for i, other in enumerate(param.type.dims or ()):
            if param.type.kind == "array" and builder.sizes.find(other) == dim:
                return length(param, axis=i)
    return None


@fold(broadcast_to)
def _broadcast_to(x: Node, shape: Node) -> Node | None:
    sizes = current().sizes
    scalar = _spread_scalar(x)
    if scalar is not None:
        return broadcast_to(scalar, shape)
    if x.type.dims is not None and shape.type.dims is not None and x.type.kind == "array":
        if sizes.resolve(x.type.dims) == sizes.resolve(shape.type.dims):
            return x
        if x.op is broadcast_to and not x.primal:
            return broadcast_to(x.args[0], shape)
    return None


def _spread_scalar(x: Node) -> Node | None:
    """The scalar that fills an array that was only broadcast and reshaped."""
    source = x
    while source.op in (expand_dims, reshape, broadcast_to) and not source.primal:
        source = source.args[0]
    return source if source is not x and source.type.dims == () else None


@fold(reshape)
def _reshape(x: Node, shape: Node, order: str = "C") -> Node | None:
    sizes = current().sizes
    if x.type.dims is None or shape.type.dims is None or order != "C":
        return None
    have, want = sizes.resolve(x.type.dims), sizes.resolve(shape.type.dims)
    if have == want:
        return x
    inner = negated(x)
    if inner is not None:
        return -reshape(inner, shape)
    if x.primal:
        return None
    scalar = _spread_scalar(x)
    if scalar is not None:
        return broadcast_to(scalar, shape)
    if x.op is expand_dims or (x.op is reshape and x.attr("order", "C") == "C"):
        return reshape(x.args[0], shape)
    if x.op is add_reduce and x.attr("keepdims") and x.attr("dtype") is None:
        dropped = add_reduce(x.args[0], **_given(x.attr("axis"), False))
        return dropped if sizes.resolve(dropped.type.dims) == want else None
    return None


@fold(transpose)
def _transpose(x: Node, axes: Any = None) -> Node | None:
    if axes is not None:
        return None
    if x.type.rank is not None and x.type.rank < 2:
        return x
    if x.op is transpose and x.attr("axes") is None:
        return x.args[0]
    if x.op is matmul and not x.primal and x.args[0].type.rank == x.args[1].type.rank == 2:
        return transpose(x.args[1]) @ transpose(x.args[0])
    return None


@fold(copy)
def _copy(x: Node, order: str = "C") -> Node | None:
    """The transpose of an inverse, contiguous: the inverse of the transpose."""
    if x.op is transpose and x.args[0].op is inv and not x.args[0].primal and x.attr("axes") is None:
        return inv(transpose(x.args[0].args[0]))
    return None


@fold(add_reduce)
def _sum(x: Node, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Node | None:
    inner = negated(x)
    if inner is not None and dtype is None:
        return -add_reduce(inner, **_given(axis=axis, keepdims=keepdims))
    if (axis, dtype, keepdims) == (None, None, False) and x.op is broadcast_to and is_scalar(x.args[0]):
        return x.args[0] * size(x)
    return None


def _given(axis: Any, keepdims: bool) -> dict[str, Any]:
    return {**({} if axis is None else {"axis": axis}), **({"keepdims": True} if keepdims else {})}


@fold(to_float)
def _to_float(x: Node) -> Node | None:
    if x.is_const and not isinstance(x.value, complex):
        return current().const(float(x.value))
    return x if x.type.kind == "number" and x.type.dtype == "float" else None


@fold(scatter)
def _scatter(g: Node, shape: Node, *operands: Node, index: Any) -> Node | None:
    """Zeros everywhere but at an index that is everywhere: only axes of length 1 went in or out."""
    if _is_everywhere(index, shape.type.dims):
        return reshape(g, shape)
    if is_weak(g) and infer.numpy_dtype(g).startswith("int"):
        return scatter(_as_float(g), shape, *operands, index=index)
    return None


def _is_everywhere(index: Any, dims: types.Dims | None) -> bool:
    axis: int | None = 0
    for entry in index:
        if entry[0] == "int":
            single = axis is not None and dims is not None and current().sizes.find(dims[axis]) == 1
            if not single or entry[1] not in (0, -1):
                return False
        elif entry[0] == "ellipsis":
            axis = None
        elif entry[0] != "new" and entry != ("slice", None, None, None):
            return False
        if axis is not None and entry[0] in ("int", "slice"):
            axis += 1
    return True


def _as_float(g: Node) -> Node:
    """A weak integer, perhaps spread over an array, as a float."""
    if g.is_const:
        return current().const(float(g.value.real))
    if g.op is broadcast_to:
        return broadcast_to(_as_float(g.args[0]), g.args[1])
    return 1.0 * g
