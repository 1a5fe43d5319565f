"""QR factorizations, of tall and of wide matrices.

A wide matrix is split behind its first k columns, which have a square R of their own; a tall one has no rest.
Enters: matrices of full rank.  Leaves: the row of `np.linalg.qr`.  Invariant: signs and phases of the columns
of Q, which are LAPACK's choice, have no part in a derivative.

Source: Walter and Lehmann 2010, "Algorithmic differentiation of linear algebra functions".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symdiff.errors import UnsupportedError
from symdiff.ir import types
from symdiff.ir.build import current
from symdiff.ir.control import values_of
from symdiff.ir.node import Node
from symdiff.ir.types import Type
from symdiff.ops import infer
from symdiff.ops.factorizations import adjoint, half_of, least, matrix_dims, total_of
from symdiff.ops.indexing import along
from symdiff.ops.joining import concatenate
from symdiff.ops.linalg import floating, several, solve
from symdiff.ops.lowering import known_rank
from symdiff.ops.piecewise import conjugated
from symdiff.ops.products import swapped
from symdiff.ops.row import Row, custom
from symdiff.ops.shaping import length, reshape, shape_of


def _infer_qr(x: Node, mode: str = "reduced") -> Type:
    if mode not in ("reduced", "r"):
        raise UnsupportedError(f"np.linalg.qr with mode={mode!r} is not supported.", "mode='reduced'")
    dims, dtype = matrix_dims(x, "np.linalg.qr"), floating(infer.numpy_dtype(x))
    if dims is None:
        parts = [types.array(dtype), types.array(dtype)]
    else:
        *batch, m, n = dims
        k = least(m, n)
        parts = [types.array(dtype, (*batch, m, k)), types.array(dtype, (*batch, k, n))]
    return types.tuple_of(parts) if mode == "reduced" else parts[1]


def _is_tall(q: Node, r: Node) -> bool:
    """Whether r is known to be square."""
    dims = current().sizes.resolve(r.type.dims)
    return dims is not None and dims[-1] == dims[-2]


def _over(x: Node, r: Node) -> Node:
    """x @ inv(r)^H"""
    return adjoint(solve(r, adjoint(x)))


def _qr_vjp(g: Any, y: Any, x: Node, mode: str = "reduced") -> tuple[Node]:
    """The first k columns are those of a square R; the others, Y, are Q times the rest of R."""
    gq, gr = (None, g) if isinstance(y, Node) else g
    q, r = values_of(qr(x)) if isinstance(y, Node) else y
    if _is_tall(q, r):
        return (conjugated(_qr_back(gq, gr, q, r)),)
    last = known_rank(x, "np.linalg.qr") - 1
    k = length(q, axis=last)
    square, bar_q, bar_rest = along(r, last, None, k), gq, None
    if gr is not None:
        bar_rest = conjugated(along(gr, last, k, None))
        part = conjugated(along(x, last, k, None) @ adjoint(bar_rest))
        bar_q = part if gq is None else gq + part
    first = _qr_back(bar_q, None if gr is None else along(gr, last, None, k), q, square)
    rest = q @ bar_rest if bar_rest is not None else 0 * along(x, last, k, None)
    return (reshape(conjugated(concatenate(first, rest, axis=last)), shape_of(x)),)


def _qr_back(gq: Node | None, gr: Node | None, q: Node, r: Node) -> Node:
    """Where R is square."""
    parts = [
        None if gr is None else conjugated(gr) @ adjoint(r),
        None if gq is None else -(adjoint(q) @ conjugated(gq)),
    ]
    inner = half_of(total_of(parts), upper=True)  # type: ignore[arg-type]
    change = q @ (inner + adjoint(inner))
    return _over(change if gq is None else conjugated(gq) + change, r)


def _qr_jvp(tangents: tuple[Node], y: Any, x: Node, mode: str = "reduced") -> Any:
    (t,) = tangents
    q, r = values_of(qr(x)) if isinstance(y, Node) else y
    if _is_tall(q, r):
        tq, tr = _qr_forward(t, q, r)
    else:
        last = known_rank(x, "np.linalg.qr") - 1
        k = length(q, axis=last)
        tq, first = _qr_forward(along(t, last, None, k), q, along(r, last, None, k))
        rest = adjoint(tq) @ along(x, last, k, None) + adjoint(q) @ along(t, last, k, None)
        tr = reshape(concatenate(first, rest, axis=last), shape_of(r))
    return tr if isinstance(y, Node) else (tq, tr)


def _qr_forward(t: Node, q: Node, r: Node) -> tuple[Node, Node]:
    scaled = swapped(solve(swapped(r), swapped(t)))  # t @ inv(r)
    inner = adjoint(q) @ scaled
    upper = half_of(inner + adjoint(inner), upper=True)
    # What is left of the lower triangle, and its adjoint, turn Q.
    return scaled - q @ upper, upper @ r


qr: Row = custom(
    np.linalg.qr,
    "x, mode='reduced'",
    _infer_qr,
    _qr_vjp,
    _qr_jvp,
    name="linalg.qr",
    lower=several("QRResult"),
)
