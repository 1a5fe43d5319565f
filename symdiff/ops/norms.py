"""Norms of vectors and matrices, and condition numbers: the minimum-norm subgradient at kinks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from symdiff.errors import UnsupportedError
from symdiff.ir import types
from symdiff.ir.node import Node
from symdiff.ir.types import Type
from symdiff.ops import infer
from symdiff.ops.arithmetic import greater
from symdiff.ops.axes import moveaxis
from symdiff.ops.elementwise import nonzero
from symdiff.ops.factorizations import columns, svdvals, thin_svd
from symdiff.ops.indexing import pick
from symdiff.ops.linalg import floating, inv
from symdiff.ops.lowering import known_rank, literal, sugar, to_node
from symdiff.ops.piecewise import absolute, conjugated, direction
from symdiff.ops.reductions import add_reduce, given, nonlinear, ties
from symdiff.ops.row import Row, composite
from symdiff.ops.shaping import expand_dims, make_shape, real_dtype, reshape


def _infer_norm(x: Node, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Type:
    dtype = real_dtype(floating(infer.numpy_dtype(x)))
    return types.array(dtype, infer.reduced_dims(x.type.dims, axis, keepdims))


def _norm_slope(x: Node, y: Node, axis: Any, ord: Any = None) -> Node:
    """The 2-norm's slope is x / y, 0 where y is 0; the other norms are made of |x| or of singular values."""
    axes = axis if isinstance(axis, tuple) else None if axis is None else (axis,)
    vector = len(axes) == 1 if axes is not None else ord is not None and known_rank(x, "np.linalg.norm") == 1
    if ord in (None, "fro") or (ord == 2 and vector):
        return conjugated(x) / nonzero(y)
    if vector:
        return _vector_slope(x, y, axis, ord)
    if ord in (1, -1, math.inf, -math.inf):
        rows, columns = axes if axes is not None else (-2, -1)
        inner, outer = (rows, columns) if abs(ord) == 1 else (columns, rows)
        sums = add_reduce(absolute(x), axis=inner, keepdims=True)
        return conjugated(direction(x)) * ties(sums, y, outer)
    if ord in (2, -2, "nuc"):
        return _spectral_slope(x, axes or (-2, -1), ord)
    raise UnsupportedError(f"The matrix norm with ord={ord!r} has no derivative rule.", "ord=None")


def _vector_slope(x: Node, y: Node, axis: Any, ord: Any) -> Node:
    slope = conjugated(direction(x))
    if ord in (math.inf, -math.inf):
        return slope * ties(absolute(x), y, axis)
    if ord == 1:
        return slope
    if ord == 0:
        return 0 * x
    scaled: Node = slope * (absolute(x) / nonzero(y)) ** (ord - 1)
    return scaled


def _spectral_slope(x: Node, axes: tuple[int, int], ord: Any) -> Node:
    """u v^H of the largest singular value, of the smallest, of all that are not 0; ties share equally."""
    last = axes == (-2, -1) or (x.type.rank == 2 and axes == (0, 1))
    u, s, vh = thin_svd(x if last else moveaxis(x, source=axes, destination=(-2, -1)))
    if ord == "nuc":
        share = greater(s, 0)
    else:
        share = ties(s, expand_dims(pick(s, -1, 0 if ord == 2 else -1), axis=-1), -1)
    slope = conjugated(u * columns(share) @ vh)
    return slope if last else moveaxis(slope, source=(-2, -1), destination=axes)


def _norm_given(row: Row, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Node:
    return row(to_node(x), **given(ord=literal("ord", ord), axis=literal("axis", axis), keepdims=keepdims))


norm = nonlinear(
    np.linalg.norm,
    "x, ord=None, axis=None, keepdims=False",
    _norm_slope,
    infer=_infer_norm,
    name="linalg.norm",
    lower=_norm_given,
)


def _vector_norm(x: Any, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Node:
    """Over several axes, or of a whole array, that of the elements in a row."""
    x, axis, ord = to_node(x), literal("axis", axis), literal("ord", ord)
    if ord == 2 and not isinstance(axis, tuple):
        return _norm_given(norm, x, None, axis, keepdims)
    rank = known_rank(x, "np.linalg.vector_norm")
    if axis is None and rank != 1 and not keepdims:
        return _norm_given(norm, reshape(x, make_shape(-1)), ord)
    if isinstance(axis, tuple) and len(axis) != 1:
        raise UnsupportedError("np.linalg.vector_norm over several axes is not supported.", "np.reshape")
    if axis is None and rank != 1:
        raise UnsupportedError("np.linalg.vector_norm with keepdims and no axis is not supported.", "axis=0")
    return _norm_given(norm, x, ord, axis, keepdims)


sugar(np.linalg.vector_norm, _vector_norm, name="linalg.vector_norm")
sugar(
    np.linalg.matrix_norm,
    lambda x, *, keepdims=False, ord="fro": _norm_given(norm, x, ord, (-2, -1), keepdims),
    name="linalg.matrix_norm",
)


def _infer_cond(x: Node, p: Any = None) -> Type:
    dims = x.type.dims
    dtype = real_dtype(floating(infer.numpy_dtype(x)))
    return types.array(dtype, None if dims is None else dims[:-2])


def _cond(x: Node, p: Any = None) -> Node:
    """The ratio of the extreme singular values, or the product of the norms of the matrix and its inverse."""
    if p in (None, 2, -2):
        s = svdvals(x)
        first, last = pick(s, -1, 0), pick(s, -1, -1)
        return last / first if p == -2 else first / last
    return norm(x, ord=p, axis=(-2, -1)) * norm(inv(x), ord=p, axis=(-2, -1))


cond = composite(np.linalg.cond, "x, p=None", _infer_cond, _cond, name="linalg.cond")
