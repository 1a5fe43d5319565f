"""Pseudo-inverses and least squares: rules for matrices whose rank does not change.

Source: Golub and Pereyra 1973, "The differentiation of pseudo-inverses and nonlinear least squares problems
whose variables separate".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symdiff.ir import types
from symdiff.ir.build import current
from symdiff.ir.control import values_of
from symdiff.ir.node import Node
from symdiff.ir.types import Type
from symdiff.ops import infer
from symdiff.ops.axes import diagonal
from symdiff.ops.factorizations import adjoint, columns, least, thin_svd
from symdiff.ops.indexing import along, scatter
from symdiff.ops.linalg import floating
from symdiff.ops.lowering import bind, known_rank
from symdiff.ops.piecewise import conjugated
from symdiff.ops.products import swapped
from symdiff.ops.reductions import add_reduce
from symdiff.ops.row import Row, constant, custom
from symdiff.ops.shaping import expand_dims, length, make_shape, real, real_dtype, squeeze


def _infer_pinv(x: Node, *_: Node, **__: Any) -> Type:
    dims = x.type.dims
    return types.array(
        floating(infer.numpy_dtype(x)), None if dims is None else (*dims[:-2], dims[-1], dims[-2])
    )


def _pulled(g: Node, y: Node, x: Node) -> Node:
    """The change of y = pinv(x) is -y dx y, and what moves its range and its kernel."""
    bar, h = conjugated(g), adjoint(y)
    range_part = h @ y @ adjoint(bar)
    kernel_part = adjoint(bar) @ y @ h
    back = -(h @ bar @ h) + (range_part - (range_part @ y) @ x) + (kernel_part - x @ (y @ kernel_part))
    return conjugated(back)


def _pushed(t: Node, y: Node, x: Node) -> Node:
    h, back = adjoint(y), adjoint(t)
    onto, beside = y @ h @ back, back @ h @ y
    return -(y @ t @ y) + (onto - onto @ x @ y) + (beside - y @ x @ beside)


pinv: Row = custom(
    np.linalg.pinv,
    "x, rcond=None, hermitian=False, rtol=None",
    _infer_pinv,
    lambda g, y, x, **_: (_pulled(g, y, x),),
    lambda tangents, y, x, **_: _pushed(tangents[0], y, x),
    name="linalg.pinv",
)


def _infer_lstsq(a: Node, b: Node, rcond: Any = None) -> Type:
    left, right = a.type.dims, b.type.dims
    dtype = floating(infer.numpy_dtype_of_all((a, b)))
    rank = types.array("int32", ())
    if left is None or right is None:
        kind = types.array(dtype)
        return types.tuple_of([kind, types.array(real_dtype(dtype)), rank, types.array(real_dtype(dtype))])
    current().sizes.unify(left[0], right[0])
    residuals = types.array(real_dtype(dtype), (current().sizes.fresh(),))
    values = types.array(real_dtype(dtype), (least(left[0], left[1]),))
    return types.tuple_of([types.array(dtype, (left[1], *right[1:])), residuals, rank, values])


def _as_columns(x: Node) -> Node:
    return expand_dims(x, axis=-1) if known_rank(x, "np.linalg.lstsq") == 1 else x


def _lstsq_vjp(
    g: Sequence[Node | None], y: Sequence[Node], a: Node, b: Node, rcond: Any = None
) -> tuple[Node | None, Node | None]:
    """The solution is pinv(a) @ b.  Residuals are those of an optimum: they do not feel it move.  There are
    none where NumPy computes none, for want of rank or of rows."""
    gx, gr, _, gs = g
    x = _as_columns(y[0])
    parts: list[tuple[Node, Node | None]] = []
    if gx is not None:
        side, inverse = _as_columns(gx), pinv(a)
        pulled = _pulled(side @ swapped(_as_columns(b)), inverse, a)
        parts.append((pulled, swapped(inverse) @ side))
    if gr is not None:
        rest = _as_columns(b) - a @ x
        place = ("slice", None, ("arg", 0), None)
        each = scatter(gr, make_shape(length(x, axis=1)), length(y[1], axis=0), index=(place,))
        back = 2 * conjugated(rest) * each
        parts.append((-(back @ swapped(x)), back))
    if gs is not None:
        u, _, vh = thin_svd(a)
        parts.append((conjugated(u * columns(gs) @ vh), None))
    to_a = [one for one, _ in parts]
    to_b = [other for _, other in parts if other is not None]
    vector = known_rank(b, "np.linalg.lstsq") == 1
    whole = sum(to_b[1:], to_b[0]) if to_b else None
    return (
        sum(to_a[1:], to_a[0]) if to_a else None,
        squeeze(whole, axis=-1) if whole is not None and vector else whole,
    )


def _lstsq_jvp(
    tangents: Sequence[Node | None], y: Sequence[Node], a: Node, b: Node, rcond: Any = None
) -> tuple[Node | None, ...]:
    ta, tb = tangents
    x, inverse = _as_columns(y[0]), pinv(a)
    rest = _as_columns(b) - a @ x
    solution, change, values = [], [], None
    if ta is not None:
        u, _, vh = thin_svd(a)
        values = real(diagonal(adjoint(u) @ ta @ adjoint(vh), axis1=-2, axis2=-1))
        solution.append(_pushed(ta, inverse, a) @ b)
        change.append(-(ta @ x))
    if tb is not None:
        solution.append(inverse @ tb)
        change.append(_as_columns(tb))
    residuals = 2 * add_reduce(real(conjugated(rest) * sum(change[1:], change[0])), axis=0)
    shown = along(residuals, 0, None, length(y[1], axis=0))
    return sum(solution[1:], solution[0]), shown, None, values


def _lstsq(row: Row, a: Any, b: Any, rcond: Any = None) -> tuple[Node, ...]:
    return values_of(bind(row, a, b, rcond=rcond))


lstsq: Row = custom(
    np.linalg.lstsq, "a, b, rcond=None", _infer_lstsq, _lstsq_vjp, _lstsq_jvp, name="linalg.lstsq",
    lower=_lstsq,
)  # fmt: skip


def _infer_matrix_rank(x: Node, *_: Node, **__: Any) -> Type:
    dims = x.type.dims
    return types.array("int64", None if dims is None else dims[:-2] if len(dims) > 1 else ())


matrix_rank = constant(
    np.linalg.matrix_rank,
    "x, tol=None, hermitian=False, rtol=None",
    _infer_matrix_rank,
    name="linalg.matrix_rank",
)
