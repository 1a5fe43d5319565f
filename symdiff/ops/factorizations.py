"""Factorizations: eigenvalues, singular values, Cholesky; those of several results are tuples.

A rule divides by differences of eigenvalues (of squares of singular values).  Where two of them are equal the
vectors that belong to them are determined up to a rotation.  A loss of the eigenvalues alone has its gradient
there too, and so has one of other vectors; one that reads the vectors themselves has inf or NaN: whether it
has a derivative there (`v @ np.diag(f(w)) @ v.T` has, see scipy.linalg.expm) cannot be seen from its
cotangents.  Signs and phases of vectors, which are LAPACK's choice, have no part in a derivative.

NumPy reads one triangle of a symmetric matrix: the gradient is that of this triangle, the other is zero.

Sources: Giles 2008, "Collected matrix derivative results for forward and reverse mode"; Murray 2016,
"Differentiation of the Cholesky decomposition"; Townsend 2016, "Differentiating the singular value
decomposition".

In the rules `g` pairs with a change without conjugation; `_bar` turns it into the cotangent of the papers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symdiff.errors import UnsupportedError
from symdiff.ir import types
from symdiff.ir.build import current
from symdiff.ir.control import values_of
from symdiff.ir.node import Node
from symdiff.ir.types import Dim, Dims, Type
from symdiff.ops import infer
from symdiff.ops.arithmetic import equal
from symdiff.ops.axes import diagonal, tril, triu
from symdiff.ops.creation import eye
from symdiff.ops.elementwise import is_complex, where
from symdiff.ops.linalg import floating, infer_square, several, solve, square_dims
from symdiff.ops.lowering import known_rank
from symdiff.ops.piecewise import conjugated
from symdiff.ops.products import swapped
from symdiff.ops.reductions import add_reduce
from symdiff.ops.row import Row, custom
from symdiff.ops.shaping import conjugate, expand_dims, length, real, real_dtype

Cotangents = Sequence[Node | None]


def adjoint(x: Node) -> Node:
    return swapped(conjugated(x))


def columns(w: Node) -> Node:
    """A factor for each column of a matrix."""
    return expand_dims(w, axis=-2)


def rows(w: Node) -> Node:
    """A factor for each row of a matrix."""
    return expand_dims(w, axis=-1)


def _diagonal_of(x: Node) -> Node:
    return diagonal(x, axis1=-2, axis2=-1)


def as_diagonal(w: Node) -> Node:
    """The diagonal matrix of a vector, of each vector of a stack."""
    return rows(w) * eye(length(w, axis=known_rank(w, "This operation") - 1))


def quotient(a: Node, b: Node) -> Node:
    """a / b, 0 where a is 0."""
    zero = equal(a, 0)
    return where(zero, 0, a / where(zero, 1, b))


def _apart(x: Node, gaps: Node) -> Node:
    """x / gaps without the diagonal: what turns vectors into each other, not into themselves."""
    return quotient(x * (1 - eye(length(x, axis=known_rank(x, "This operation") - 1))), gaps)


def _gaps(w: Node) -> Node:
    """w[j] - w[i]."""
    return columns(w) - rows(w)


def total_of(parts: Sequence[Node | None]) -> Node | None:
    found = [part for part in parts if part is not None]
    return None if not found else sum(found[1:], found[0])


def _real(x: Node) -> Node:
    return real(x) if is_complex(x) else x


def half_of(x: Node, upper: bool = False) -> Node:
    """One triangle, the diagonal halved."""
    if upper:
        return triu(x) - 0.5 * (triu(x) - triu(x, k=1))
    return tril(x) - 0.5 * (tril(x) - tril(x, k=-1))


def _read(x: Node, upper: bool = False) -> Node:
    """The Hermitian matrix of which one triangle is read."""
    half = half_of(x, upper)
    return half + adjoint(half)


def _to_read(back: Node, upper: bool = False) -> Node:
    """What a cotangent of a Hermitian matrix is for the triangle that is read."""
    return half_of(back + adjoint(back), upper)


# Cholesky


def _cholesky_vjp(g: Node, y: Node, x: Node, upper: bool = False) -> tuple[Node]:
    factor, bar = (adjoint(y), adjoint(conjugated(g))) if upper else (y, conjugated(g))
    inner = solve(adjoint(factor), half_of(adjoint(factor) @ bar))
    back = adjoint(solve(adjoint(factor), adjoint(inner)))
    return (conjugated(_to_read(back, upper)),)


def _cholesky_jvp(tangents: tuple[Node], y: Node, x: Node, upper: bool = False) -> Node:
    factor = adjoint(y) if upper else y
    inner = solve(factor, adjoint(solve(factor, _read(tangents[0], upper))))
    change = factor @ half_of(inner)
    return adjoint(change) if upper else change


cholesky = custom(
    np.linalg.cholesky,
    "x, upper=False",
    lambda x, upper=False: infer_square(x),
    _cholesky_vjp,
    _cholesky_jvp,
    name="linalg.cholesky",
)


# Hermitian matrices


def _infer_eigvalsh(x: Node, UPLO: str = "L") -> Type:
    dims = square_dims(x)
    return types.array(real_dtype(floating(infer.numpy_dtype(x))), None if dims is None else dims[:-1])


def _infer_eigh(x: Node, UPLO: str = "L") -> Type:
    return types.tuple_of([_infer_eigvalsh(x), infer_square(x)])


def _eigh_vjp(g: Cotangents, y: Sequence[Node], x: Node, UPLO: str = "L") -> tuple[Node | None]:
    (gw, gv), (w, v) = g, y
    if gv is None:
        assert gw is not None
        back = (v * columns(gw)) @ adjoint(v)
        triangle = triu if UPLO in "Uu" else tril
        return (conjugated(triangle(back) + triangle(back, k=1 if UPLO in "Uu" else -1)),)
    inner = _apart(adjoint(v) @ conjugated(gv), _gaps(w))
    back = v @ (inner if gw is None else inner + as_diagonal(gw)) @ adjoint(v)
    return (conjugated(_to_read(back, UPLO in "Uu")),)


def _eigh_jvp(tangents: tuple[Node], y: Sequence[Node], x: Node, UPLO: str = "L") -> tuple[Node, Node]:
    w, v = y
    change = adjoint(v) @ _read(tangents[0], UPLO in "Uu") @ v
    return _real(_diagonal_of(change)), v @ _apart(change, _gaps(w))


def _given(UPLO: str) -> dict[str, str]:
    return {} if UPLO == "L" else {"UPLO": UPLO}


eigh: Row = custom(
    np.linalg.eigh, "x, UPLO='L'", _infer_eigh, _eigh_vjp, _eigh_jvp, name="linalg.eigh",
    lower=several("EighResult"),
)  # fmt: skip
eigvalsh = custom(
    np.linalg.eigvalsh,
    "x, UPLO='L'",
    _infer_eigvalsh,
    lambda g, y, x, UPLO="L": _eigh_vjp((g, None), values_of(eigh(x, **_given(UPLO))), x, UPLO),
    lambda tangents, y, x, UPLO="L": _eigh_jvp(tangents, values_of(eigh(x, **_given(UPLO))), x, UPLO)[0],
    name="linalg.eigvalsh",
)


# Square matrices


def _complex_dtype(x: Node) -> str:
    """Of eigenvalues.  Real matrices that happen to have real ones alone give real arrays, which what is
    computed with complex numbers takes as well; what is computed with real ones would be wrong for others."""
    dtype = floating(infer.numpy_dtype(x))
    return wider(dtype) if dtype else ""


def wider(dtype: str) -> str:
    """The complex dtype of the same precision."""
    return str(np.result_type(dtype, np.complex64))


def _infer_eigvals(x: Node) -> Type:
    dims = square_dims(x)
    return types.array(_complex_dtype(x), None if dims is None else dims[:-1])


def _infer_eig(x: Node) -> Type:
    return types.tuple_of([_infer_eigvals(x), types.array(_complex_dtype(x), square_dims(x))])


def _eig_vjp(g: Cotangents, y: Sequence[Node], x: Node) -> tuple[Node]:
    """The columns of v have length 1: a change along a column has no part."""
    (gw, gv), (w, v) = g, y
    across = swapped(v)
    if gv is None:
        assert gw is not None
        return (solve(across, rows(gw) * across),)
    along_columns = columns(real(_diagonal_of(across @ gv)))
    inner = _apart(across @ (gv - conjugate(v) * along_columns), _gaps(w))
    return (solve(across, (inner if gw is None else inner + as_diagonal(gw)) @ across),)


def _eig_jvp(tangents: tuple[Node], y: Sequence[Node], x: Node) -> tuple[Node, Node]:
    w, v = y
    change = solve(v, tangents[0] @ v)
    turned = v @ _apart(change, _gaps(w))
    lengths = add_reduce(real(conjugate(v) * turned), axis=-2, keepdims=True)
    return _diagonal_of(change), turned - v * lengths


eig: Row = custom(
    np.linalg.eig, "x", _infer_eig, _eig_vjp, _eig_jvp, name="linalg.eig", lower=several("EigResult")
)
eigvals = custom(
    np.linalg.eigvals,
    "x",
    _infer_eigvals,
    lambda g, y, x: _eig_vjp((g, None), values_of(eig(x)), x),
    lambda tangents, y, x: _eig_jvp(tangents, values_of(eig(x)), x)[0],
    name="linalg.eigvals",
)


# Singular values


def least(a: Dim, b: Dim) -> Dim:
    """The smaller of two lengths."""
    a, b = current().sizes.find(a), current().sizes.find(b)
    if a == b or a == 1 or b == 1:
        return 1 if 1 in (a, b) else a
    return min(a, b) if isinstance(a, int) and isinstance(b, int) else current().sizes.fresh()


def matrix_dims(x: Node, what: str) -> Dims | None:
    if x.type.rank is not None and x.type.rank < 2:
        raise UnsupportedError(f"{what} takes matrices.")
    return x.type.dims


def _infer_svd(x: Node, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Type:
    dims, dtype = matrix_dims(x, "np.linalg.svd"), floating(infer.numpy_dtype(x))
    if dims is None:
        parts = [types.array(dtype), types.array(real_dtype(dtype)), types.array(dtype)]
    else:
        *batch, m, n = dims
        k = least(m, n)
        left, right = (m, m) if full_matrices else (m, k), (n, n) if full_matrices else (k, n)
        parts = [
            types.array(dtype, (*batch, *left)),
            types.array(real_dtype(dtype), (*batch, k)),
            types.array(dtype, (*batch, *right)),
        ]
    return types.tuple_of(parts) if compute_uv else parts[1]


def thin_svd(x: Node) -> tuple[Node, ...]:
    return values_of(svd(x, full_matrices=False))


def _svd_vjp(g: Any, y: Any, x: Node, **attrs: Any) -> tuple[Node]:
    _check_svd(x, attrs, isinstance(y, Node) or (g[0] is None and g[2] is None))
    gu, gs, gvh = (None, g, None) if isinstance(y, Node) else g
    u, s, vh = thin_svd(x) if isinstance(y, Node) or (gu is None and gvh is None) else y
    if gu is None and gvh is None:
        return (conjugated(u * columns(gs) @ vh),)
    squares = (columns(s) - rows(s)) * (columns(s) + rows(s))
    middle: list[Node | None] = [None if gs is None else as_diagonal(gs)]
    outside: list[Node | None] = []
    if gu is not None:
        bar = conjugated(gu)
        inner = adjoint(u) @ bar
        part = _apart(inner, squares)
        middle.append((part + adjoint(part)) * columns(s))
        if is_complex(x):
            phases = _diagonal_of(inner)
            middle.append(as_diagonal(quotient(0.5 * (phases - conjugate(phases)), s)))
        outside.append(quotient(bar - u @ inner, columns(s)) @ vh)
    if gvh is not None:
        bar = swapped(gvh)
        inner = vh @ bar
        part = _apart(inner, squares)
        middle.append(rows(s) * (part + adjoint(part)))
        outside.append(u @ quotient(adjoint(bar) - adjoint(inner) @ vh, rows(s)))
    total = total_of([u @ total_of(middle) @ vh, *outside])  # type: ignore[operator]
    assert total is not None
    return (conjugated(total),)


def _svd_jvp(tangents: tuple[Node], y: Any, x: Node, **attrs: Any) -> Any:
    _check_svd(x, attrs, isinstance(y, Node))
    (t,) = tangents
    u, s, vh = thin_svd(x) if isinstance(y, Node) else y
    v = adjoint(vh)
    change = adjoint(u) @ t @ v
    ts = _real(_diagonal_of(change))
    if isinstance(y, Node):
        return ts
    squares = (columns(s) - rows(s)) * (columns(s) + rows(s))
    scaled = change * columns(s)
    turned = _apart(scaled + adjoint(scaled), squares)
    if is_complex(x):
        phases = _diagonal_of(change)
        turned = turned + as_diagonal(quotient(0.5 * (phases - conjugate(phases)), s))
    tu = u @ turned + quotient(t @ v - u @ change, columns(s))
    scaled = rows(s) * change
    back = adjoint(t) @ u
    tv = v @ _apart(scaled + adjoint(scaled), squares) + quotient(back - v @ (vh @ back), columns(s))
    return tu, ts, adjoint(tv)


def _check_svd(x: Node, attrs: dict[str, Any], values_alone: bool) -> None:
    """The vectors that complete a basis have no derivative of their own."""
    dims = current().sizes.resolve(x.type.dims)
    if attrs.get("hermitian"):
        raise UnsupportedError("np.linalg.svd with hermitian=True has no derivative rule.", "np.linalg.eigh")
    if not values_alone:
        known_rank(x, "np.linalg.svd")
    if attrs.get("full_matrices", True) and not values_alone and (dims is None or dims[-1] != dims[-2]):
        raise UnsupportedError(
            "np.linalg.svd has no derivative rule for the vectors that full matrices add.",
            "np.linalg.svd(x, full_matrices=False)",
        )


_SVD = "x, full_matrices=True, compute_uv=True, hermitian=False"
svd: Row = custom(
    np.linalg.svd, _SVD, _infer_svd, _svd_vjp, _svd_jvp, name="linalg.svd", lower=several("SVDResult")
)
svdvals: Row = custom(
    np.linalg.svdvals,
    "x",
    lambda x: _infer_svd(x, compute_uv=False),
    lambda g, y, x: _svd_vjp(g, y, x),
    lambda tangents, y, x: _svd_jvp(tangents, y, x),
    name="linalg.svdvals",
)
