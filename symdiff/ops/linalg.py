"""numpy.linalg.  Formulas: Giles 2008, "Collected matrix derivative results for forward and reverse mode"."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from symdiff.errors import UnsupportedError
from symdiff.ir import types
from symdiff.ir.build import current
from symdiff.ir.node import Node
from symdiff.ir.types import Dims, Type
from symdiff.ops import infer
from symdiff.ops.axes import tril
from symdiff.ops.elementwise import nonzero
from symdiff.ops.lowering import known_rank, literal, sugar, to_node
from symdiff.ops.piecewise import absolute, conjugated, sign
from symdiff.ops.products import swapped
from symdiff.ops.reductions import add_reduce, given, nonlinear, ties
from symdiff.ops.row import Row, constant, custom
from symdiff.ops.shaping import expand_dims, real_dtype, squeeze


def _floating(dtype: str) -> str:
    """What LAPACK works in."""
    return dtype if not dtype or dtype.startswith(("float", "complex")) else "float64"


def _infer_norm(x: Node, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Type:
    dtype = real_dtype(_floating(infer.numpy_dtype(x)))
    return types.array(dtype, infer.reduced_dims(x.type.dims, axis, keepdims))


def _norm_slope(x: Node, y: Node, axis: Any, ord: Any = None) -> Node:
    """The 2-norm's slope is x / y, 0 where y is 0; the other norms are made of |x|."""
    axes = axis if isinstance(axis, tuple) else None if axis is None else (axis,)
    vector = len(axes) == 1 if axes is not None else ord is not None and known_rank(x, "np.linalg.norm") == 1
    if ord in (None, "fro") or (ord == 2 and vector):
        return conjugated(x) / nonzero(y)
    if vector and ord in (math.inf, -math.inf):
        return sign(x) * ties(absolute(x), y, axis)
    if vector and ord == 1:
        return sign(x)
    if vector and ord == 0:
        return 0 * x
    if vector and isinstance(ord, int | float):
        return sign(x) * (absolute(x) / nonzero(y)) ** (ord - 1)
    if not vector and ord in (1, -1, math.inf, -math.inf):
        rows, columns = axes if axes is not None else (-2, -1)
        inner, outer = (rows, columns) if abs(ord) == 1 else (columns, rows)
        sums = add_reduce(absolute(x), axis=inner, keepdims=True)
        return sign(x) * ties(sums, y, outer)
    raise UnsupportedError(
        f"The matrix norm with ord={ord!r} has no derivative rule.", "ord=None, 1 or np.inf"
    )


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
    x = to_node(x)
    if ord == 2:
        return _norm_given(norm, x, None, axis, keepdims)
    if axis is None and known_rank(x, "np.linalg.vector_norm") != 1:
        raise UnsupportedError(
            "np.linalg.vector_norm of a matrix without axis is not supported.", "np.ravel it"
        )
    return _norm_given(norm, x, ord, axis, keepdims)


def _square(x: Node) -> Dims | None:
    if x.type.dims is not None:
        current().sizes.unify(x.type.dims[-1], x.type.dims[-2])
    return x.type.dims


def _infer_square(x: Node) -> Type:
    return types.array(_floating(infer.numpy_dtype(x)), _square(x))


def _infer_stacked(x: Node) -> Type:
    dims = _square(x)
    return types.array(_floating(infer.numpy_dtype(x)), None if dims is None else dims[:-2])


inv = custom(
    np.linalg.inv,
    "x",
    _infer_square,
    lambda g, y, x: (-(swapped(y) @ g @ swapped(y)),),
    lambda tangents, y, x: -(y @ tangents[0] @ y),
    name="linalg.inv",
)


def _per_matrix(g: Node) -> Node:
    return g if g.type.dims == () else expand_dims(g, axis=(-2, -1))


det = custom(
    np.linalg.det,
    "x",
    _infer_stacked,
    lambda g, y, x: (_per_matrix(g * y) * swapped(inv(x)),),
    lambda tangents, y, x: y * add_reduce(swapped(inv(x)) * tangents[0], axis=(-2, -1)),
    name="linalg.det",
)
# The two results of np.linalg.slogdet.
logabsdet = custom(
    None,
    "x",
    lambda x: types.array(real_dtype(_infer_stacked(x).dtype), _infer_stacked(x).dims),
    lambda g, y, x: (_per_matrix(g) * swapped(inv(x)),),
    lambda tangents, y, x: add_reduce(swapped(inv(x)) * tangents[0], axis=(-2, -1)),
    name="linalg.slogdet.logabsdet",
)
slogdet_sign = constant(None, "x", _infer_stacked, name="linalg.slogdet.sign")


sugar(np.linalg.vector_norm, _vector_norm, name="linalg.vector_norm")
sugar(
    np.linalg.matrix_norm,
    lambda x, *, keepdims=False, ord="fro": _norm_given(norm, x, ord, (-2, -1), keepdims),
    name="linalg.matrix_norm",
)
sugar(np.linalg.slogdet, lambda x: (slogdet_sign(to_node(x)), logabsdet(to_node(x))), name="linalg.slogdet")


def _infer_solve(a: Node, b: Node) -> Type:
    dtype = infer.numpy_dtype_of_all((a, b))
    left, right = _square(a), b.type.dims
    if left is None or right is None:
        return types.array(_floating(dtype))
    vector = len(right) == 1
    current().sizes.unify(left[-1], right[-1 if vector else -2])
    batch = current().sizes.broadcast([left[:-2], () if vector else right[:-2]])
    assert batch is not None
    return types.array(_floating(dtype), (*batch, *(right[-1:] if vector else right[-2:])))


def _solve_vjp(g: Node, y: Node, a: Node, b: Node) -> tuple[Node, Node]:
    if known_rank(b, "np.linalg.solve") == 1:
        if known_rank(a, "np.linalg.solve") == 2:
            back = solve(swapped(a), g)
        else:
            back = squeeze(solve(swapped(a), expand_dims(g, axis=-1)), axis=-1)
        return -(expand_dims(back, axis=-1) * expand_dims(y, axis=-2)), back
    back = solve(swapped(a), g)
    return -(back @ swapped(y)), back


def _solve_jvp(tangents: tuple[Node | None, Node | None], y: Node, a: Node, b: Node) -> Node:
    ta, tb = tangents
    if known_rank(b, "np.linalg.solve") == 1 and known_rank(a, "np.linalg.solve") > 2 and ta is not None:
        column = -(ta @ expand_dims(y, axis=-1))
        both = column if tb is None else expand_dims(tb, axis=-1) + column
        return squeeze(solve(a, both), axis=-1)
    change = tb if ta is None else -(ta @ y) if tb is None else tb - ta @ y
    assert change is not None
    return solve(a, change)


solve = custom(np.linalg.solve, "a, b", _infer_solve, _solve_vjp, _solve_jvp, name="linalg.solve")


def _half(x: Node) -> Node:
    """The lower triangle, the diagonal halved."""
    return tril(x) - 0.5 * (tril(x) - tril(x, k=-1))


def _cholesky_vjp(g: Node, y: Node, x: Node) -> tuple[Node]:
    # Murray 2016, "Differentiation of the Cholesky decomposition".  NumPy reads the lower triangle alone.
    inner = solve(swapped(y), _half(swapped(y) @ g))
    back = swapped(solve(swapped(y), swapped(inner)))
    return (_half(back + swapped(back)),)


def _cholesky_jvp(tangents: tuple[Node], y: Node, x: Node) -> Node:
    lower = tangents[0]
    change = tril(lower) + swapped(tril(lower, k=-1))
    inner = solve(y, swapped(solve(y, swapped(change))))
    return y @ _half(inner)


cholesky = custom(
    np.linalg.cholesky, "x", _infer_square, _cholesky_vjp, _cholesky_jvp, name="linalg.cholesky"
)
