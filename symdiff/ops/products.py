"""Products of matrices and tensors: linear in each operand.

The transpose of a product is a product, always one that BLAS can do where there is one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symdiff.errors import ShapeError, UnsupportedError
from symdiff.ir import types
from symdiff.ir.build import current
from symdiff.ir.node import OPERATORS, Node
from symdiff.ir.types import Type
from symdiff.ops import infer
from symdiff.ops.axes import matrix_transpose, moveaxis
from symdiff.ops.creation import eye
from symdiff.ops.lowering import arrays, bind, known_rank, literal, sugar, to_node
from symdiff.ops.reductions import add_reduce
from symdiff.ops.row import REGISTRY, Row, composite, linear, multilinear
from symdiff.ops.shaping import (
    conjugate,
    expand_dims,
    fit_like,
    length,
    make_shape,
    reshape,
    shape_of,
    squeeze,
    transpose,
)  # fmt: skip


def _infer_matmul(a: Node, b: Node) -> Type:
    dtype = infer.dtype_of(np.matmul, a, b)
    left, right = a.type.dims, b.type.dims
    if left == () or right == ():
        raise ShapeError("The matrix product needs arrays of at least one dimension.", "a * b")
    if left is None or right is None:
        return types.array(dtype)
    sizes = current().sizes
    sizes.unify(left[-1], right[-2 if len(right) > 1 else 0])
    batch = sizes.broadcast([left[:-2], right[:-2]])
    assert batch is not None
    return types.array(dtype, (*batch, *left[-2:-1], *(right[-1:] if len(right) > 1 else ())))


def swapped(x: Node) -> Node:
    """The last two axes exchanged."""
    return transpose(x) if x.type.rank == 2 else matrix_transpose(x)


def axes_of(*, first: int, last: int) -> tuple[int, ...]:
    return tuple(range(first, last))


def _matmul_left(g: Node, a: Node, b: Node) -> Node:
    if a.type.rank is None or b.type.rank is None:
        return matmul_left(g, a, b)
    if b.type.rank == 1:
        return expand_dims(g, axis=-1) * b if a.type.rank != 1 else g * b
    if a.type.rank == 1:
        return b @ g if b.type.rank == 2 else squeeze(b @ expand_dims(g, axis=-1), axis=-1)
    return g @ swapped(b)


def _matmul_right(g: Node, a: Node, b: Node) -> Node:
    rank = a.type.rank
    if rank is None or b.type.rank is None:
        return matmul_right(g, a, b)
    if rank == 1:
        return expand_dims(a, axis=-1) * expand_dims(g, axis=-2) if b.type.rank != 1 else g * a
    if rank > 2 and b.type.rank <= 2:  # one product instead of a stack of them that is then summed
        axes = axes_of(first=0, last=rank - 1)
        return tensordot(a, g, axes=(axes, axes))
    return swapped(a) @ g


matmul: Row = multilinear(
    np.matmul, "a, b", _infer_matmul, _matmul_left, _matmul_right, symbol="@", also=(np.linalg.matmul,)
)
OPERATORS["matmul"] = matmul

# What is left of the two transposes where a rank is unknown; they are each other's transposes.
matmul_left: Row = multilinear(
    None,
    "g, a, b",
    lambda g, a, b: types.array(infer.dtype_of(np.matmul, g, b), a.type.dims),
    lambda h, g, a, b: h @ b,
    None,
    lambda h, g, a, b: _matmul_right(g, h, b),
    name="matmul_left",
    spelling="matmul_left",
)
matmul_right: Row = multilinear(
    None,
    "g, a, b",
    lambda g, a, b: types.array(infer.dtype_of(np.matmul, g, a), b.type.dims),
    lambda h, g, a, b: a @ h,
    lambda h, g, a, b: _matmul_left(g, a, h),
    None,
    name="matmul_right",
    spelling="matmul_right",
)


def _infer_dot(a: Node, b: Node) -> Type:
    left, right = a.type.dims, b.type.dims
    dtype = infer.numpy_dtype_of_all((a, b))
    if left is None or right is None:
        return types.array(dtype)
    if not left or not right:
        return types.array(dtype, (*left, *right))
    current().sizes.unify(left[-1], right[-2 if len(right) > 1 else 0])
    return types.array(dtype, (*left[:-1], *right[:-2], *(right[-1:] if len(right) > 1 else ())))


def _dot_left(g: Node, a: Node, b: Node) -> Node:
    left, right = known_rank(a, "np.dot"), known_rank(b, "np.dot")
    if left == 0:
        return add_reduce(g * b)
    if right < 2:
        return expand_dims(g, axis=-1) * b if right == 1 and left > 1 else g * b
    if right == 2:
        return g @ transpose(b) if left > 1 else b @ g
    axes = axes_of(first=left - 1, last=left + right - 2)
    return tensordot(g, b, axes=(axes, (*range(right - 2), right - 1)))


def _dot_right(g: Node, a: Node, b: Node) -> Node:
    left, right = known_rank(a, "np.dot"), known_rank(b, "np.dot")
    if right == 0:
        return add_reduce(g * a)
    if left == 0 or (left == 1 and right == 1):
        return g * a
    if left <= 2 and right <= 2:
        return _matmul_right(g, a, b)
    axes = axes_of(first=0, last=left - 1)
    product = tensordot(a, g, axes=(axes, axes))
    return product if right <= 2 else moveaxis(product, source=0, destination=-2)


dot: Row = multilinear(np.dot, "a, b", _infer_dot, _dot_left, _dot_right, method="dot", ranked=True)


def _contraction(axes: Any, left: int, right: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The axes of a tensordot as two tuples of non-negative ints."""
    if isinstance(axes, int):
        return axes_of(first=left - axes, last=left), axes_of(first=0, last=axes)
    one, two = (part if isinstance(part, tuple) else (part,) for part in axes)
    for part, rank in ((one, left), (two, right)):
        infer.normalized_axes(part, rank)  # raises where there is no such axis
    return tuple(axis % left for axis in one), tuple(axis % right for axis in two)


def _free(rank: int, axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(axis for axis in range(rank) if axis not in axes)


def _infer_tensordot(a: Node, b: Node, axes: Any = 2) -> Type:
    left, right = a.type.dims, b.type.dims
    dtype = infer.numpy_dtype_of_all((a, b))
    if left is None or right is None:
        return types.array(dtype)
    one, two = _contraction(axes, len(left), len(right))
    for i, k in zip(one, two, strict=True):
        current().sizes.unify(left[i], right[k])
    dims = [left[i] for i in _free(len(left), one)] + [right[k] for k in _free(len(right), two)]
    return types.array(dtype, tuple(dims))


def _arranged(x: Node, places: tuple[int, ...]) -> Node:
    """The axes of `x` moved to the given places."""
    if places == tuple(range(len(places))):
        return x
    if len(places) == 2:
        return transpose(x)
    return transpose(x, axes=tuple(places.index(i) for i in range(len(places))))


def _tensordot_left(g: Node, a: Node, b: Node, axes: Any = 2) -> Node:
    left, right = known_rank(a, "np.tensordot"), known_rank(b, "np.tensordot")
    one, two = _contraction(axes, left, right)
    free, other = _free(left, one), _free(right, two)
    product = tensordot(g, b, axes=(axes_of(first=len(free), last=len(free) + len(other)), other))
    # What remains of b are its contracted axes in ascending order.
    return _arranged(product, (*free, *(one[two.index(k)] for k in sorted(two))))


def _tensordot_right(g: Node, a: Node, b: Node, axes: Any = 2) -> Node:
    left, right = known_rank(a, "np.tensordot"), known_rank(b, "np.tensordot")
    one, two = _contraction(axes, left, right)
    free, other = _free(left, one), _free(right, two)
    product = tensordot(a, g, axes=(free, axes_of(first=0, last=len(free))))
    return _arranged(product, (*(two[one.index(i)] for i in sorted(one)), *other))


tensordot: Row = multilinear(
    np.tensordot,
    "a, b, axes=2",
    _infer_tensordot,
    _tensordot_left,
    _tensordot_right,
    also=(np.linalg.tensordot,),
    ranked=True,
)


def flat(x: Node) -> Node:
    return reshape(x, make_shape(-1))


def _infer_outer(a: Node, b: Node) -> Type:
    dims = None
    if a.type.dims is not None and b.type.dims is not None:
        dims = (infer.product(a.type.dims), infer.product(b.type.dims))
    return types.array(infer.numpy_dtype_of_all((a, b)), dims)


outer: Row = multilinear(
    np.outer,
    "a, b",
    _infer_outer,
    lambda g, a, b: reshape(g @ flat(b), shape_of(a)),
    lambda g, a, b: reshape(flat(a) @ g, shape_of(b)),
    also=(np.linalg.outer,),
)


def _inner(a: Node, b: Node) -> Node:
    if known_rank(a, "np.inner") == 0 or known_rank(b, "np.inner") == 0:
        return a * b
    if a.type.rank == 1 and b.type.rank == 1:
        return a @ b
    return tensordot(a, b, axes=((-1,), (-1,)))


def _vecdot(a: Node, b: Node, axis: int = -1) -> Node:
    return add_reduce(conjugate(a) * b, axis=axis)


def _kron(a: Node, b: Node) -> Node:
    left, right = known_rank(a, "np.kron"), known_rank(b, "np.kron")
    rank = max(left, right)
    wide = expand_dims(a, axis=tuple(range(rank - left))) if left < rank else a
    other = expand_dims(b, axis=tuple(range(rank - right))) if right < rank else b
    if rank == 0:
        return a * b
    product = expand_dims(wide, axis=tuple(range(1, 2 * rank, 2))) * expand_dims(
        other, axis=tuple(range(0, 2 * rank, 2))
    )
    return reshape(product, make_shape(*(length(wide, axis=i) * length(other, axis=i) for i in range(rank))))


def _defined(function: Any, text: str, definition: Any, **facts: Any) -> Row:
    return composite(function, text, infer.of_definition(definition), definition, **facts)


inner = _defined(np.inner, "a, b", _inner, ranked=True)
vdot = _defined(np.vdot, "a, b", lambda a, b: flat(conjugate(a)) @ flat(b))
vecdot = _defined(np.vecdot, "a, b, axis=-1", _vecdot, also=(np.linalg.vecdot,))
kron = _defined(np.kron, "a, b", _kron, ranked=True)
if hasattr(np, "matvec"):  # NumPy 2.2
    _defined(np.matvec, "a, b", lambda a, b: squeeze(a @ expand_dims(b, axis=-1), axis=-1))
    _defined(np.vecmat, "a, b", lambda a, b: squeeze(expand_dims(conjugate(a), axis=-2) @ b, axis=-2))


def _infer_cross(a: Node, b: Node, axis: int = -1) -> Type:
    for x in (a, b):
        if x.type.dims is not None and current().sizes.find(x.type.dims[axis]) == 2:
            raise UnsupportedError(
                "np.cross of vectors of two elements is not supported.", "a[0]*b[1] - a[1]*b[0]"
            )
    return types.array(infer.numpy_dtype_of_all((a, b)), infer.broadcast(a, b))


def _cross(
    made: Row, a: Any, b: Any, axisa: Any = -1, axisb: Any = -1, axisc: Any = -1, axis: Any = None
) -> Node:
    """The vectors stand along an axis of each; one for all is an attribute, others are moved to the end."""
    given = [literal("axis", one) for one in ((axis,) * 3 if axis is not None else (axisa, axisb, axisc))]
    a, b = to_node(a), to_node(b)
    ranks = {known_rank(x, "np.cross") for x in (a, b)}
    if len({*given}) == 1 and (given[0] == -1 or len(ranks) == 1):
        return made(a, b, **({} if given[0] == -1 else {"axis": given[0]}))
    left, right = (
        x if one == -1 else moveaxis(x, source=one, destination=-1)
        for x, one in zip((a, b), given, strict=False)
    )
    result = made(left, right)
    return result if given[2] == -1 else moveaxis(result, source=-1, destination=given[2])


cross: Row = multilinear(
    np.cross,
    "a, b, axis=-1",
    _infer_cross,
    lambda g, a, b, axis=-1: cross(b, g, **({} if axis == -1 else {"axis": axis})),
    lambda g, a, b, axis=-1: cross(g, a, **({} if axis == -1 else {"axis": axis})),
    also=(np.linalg.cross,),
    lower=_cross,
)


def _infer_trace(x: Node, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Type:
    dims = x.type.dims
    dtype = infer.of_reduction(np.sum)(x).dtype
    if dims is None:
        return types.array(dtype)
    axes = infer.normalized_axes((axis1, axis2), len(dims))
    return types.array(dtype, tuple(dim for i, dim in enumerate(dims) if i not in axes))


def _trace_transpose(g: Node, x: Node, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Node:
    """`g` times the identity, put on the two axes."""
    rank = known_rank(x, "np.trace")
    rows, columns = length(x, axis=axis1 % rank), length(x, axis=axis2 % rank)
    ones = eye(rows, columns, **({"k": offset} if offset else {}))
    if rank == 2:
        return g * (ones if axis1 % 2 == 0 else transpose(ones))
    product = expand_dims(g, axis=(-2, -1)) * ones
    return moveaxis(product, source=(-2, -1), destination=(axis1, axis2))


trace: Row = linear(np.trace, "x, offset=0, axis1=0, axis2=1", _infer_trace, _trace_transpose, method="trace")
sugar(
    np.linalg.trace,
    lambda x, offset=0: bind(trace, x, offset=offset, axis1=-2, axis2=-1),
    name="linalg.trace",
)


def _multi_dot(*operands: Node) -> Node:
    first, *rest = operands
    for operand in rest:
        first = first @ operand
    return first


def _matrix_power(x: Node, n: int) -> Node:
    """By repeated squaring."""
    base, power = (REGISTRY["linalg.inv"](x), -n) if n < 0 else (x, n)
    result = None
    while power:
        if power % 2:
            result = base if result is None else result @ base
        power //= 2
        base = base @ base if power else base
    if result is None:
        result = fit_like(eye(length(x, axis=known_rank(x, "np.linalg.matrix_power") - 1)), x)
    return result


multi_dot = _defined(
    np.linalg.multi_dot,
    "*operands",
    _multi_dot,
    name="linalg.multi_dot",
    lower=lambda row, operands: row(*arrays(operands)),
)
matrix_power = _defined(
    np.linalg.matrix_power, "x, n=...", _matrix_power, name="linalg.matrix_power", view=True
)
