"""Polynomials as vectors of coefficients, the highest power first.

All are linear in the coefficients; `np.polyval` also in nothing else but its place.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symdiff.errors import ShapeError, UnsupportedError
from symdiff.ir import types
from symdiff.ir.build import current
from symdiff.ir.node import Node
from symdiff.ir.types import Dim, Type
from symdiff.ops import infer
from symdiff.ops.axes import flip
from symdiff.ops.creation import arange
from symdiff.ops.curves import convolve
from symdiff.ops.elementwise import sqrt
from symdiff.ops.grids import vander
from symdiff.ops.indexing import along, scatter
from symdiff.ops.joining import concatenate
from symdiff.ops.lowering import known_rank, literal, to_node
from symdiff.ops.products import flat, swapped
from symdiff.ops.reductions import add_reduce
from symdiff.ops.row import REGISTRY, Row, composite, custom, linear, multilinear
from symdiff.ops.shaping import expand_dims, length, make_shape, reshape, zeros


def _count(p: Node, what: str) -> Dim:
    """The number of coefficients."""
    if known_rank(p, what) != 1:
        raise ShapeError(f"{what} takes vectors of coefficients.", "np.atleast_1d, or a loop over rows")
    assert p.type.dims is not None
    return current().sizes.find(p.type.dims[0])


# Evaluation


def _infer_polyval(p: Node, x: Node) -> Type:
    _count(p, "np.polyval")
    return types.array(infer.numpy_dtype_of_all((p, x)), x.type.dims)


def _powers(p: Node, x: Node) -> Node:
    """The powers of `x` that the coefficients stand for, along a last axis."""
    powers = flip(arange(length(p, axis=0)))
    return expand_dims(x, axis=-1) ** powers if known_rank(x, "np.polyval") else x**powers


def _polyval_vjp(g: Node, y: Node, p: Node, x: Node) -> tuple[Node, Node]:
    if known_rank(x, "np.polyval") < 2:
        return g @ _powers(p, x) if x.type.rank else g * _powers(p, x), g * polyval(polyder(p), x)
    return flat(g) @ _powers(p, flat(x)), g * polyval(polyder(p), x)


def _polyval_jvp(tangents: tuple[Node | None, Node | None], y: Node, p: Node, x: Node) -> Node:
    change, move = tangents
    parts = [] if change is None else [polyval(change, x)]
    if move is not None:
        parts.append(move * polyval(polyder(p), x))
    return parts[0] if len(parts) == 1 else parts[0] + parts[1]


polyval: Row = custom(np.polyval, "p, x", _infer_polyval, _polyval_vjp, _polyval_jvp)


# Derivatives and integrals


def _order(m: Any) -> int:
    if not isinstance(m, int) or m < 0:
        raise UnsupportedError("The order of a derivative of a polynomial is a number.", "m=2")
    return m


def _polyder(p: Node, m: int = 1) -> Node:
    for _ in range(_order(m)):
        p = along(p, 0, None, -1) * arange(length(p, axis=0) - 1, 0, -1)
    return p


def _infer_polyder(p: Node, m: int = 1) -> Type:
    dtype = infer.numpy_dtype(p)
    dims = (current().sizes.less(_count(p, "np.polyder"), _order(m)),)
    return types.array(np.result_type(dtype, np.int64).name if m and dtype else dtype, dims)


def _polyder_call(row: Row, p: Any, m: Any = 1) -> Node:
    m = _order(literal("m", m))
    return row(to_node(p), **({} if m == 1 else {"m": m})) if m else to_node(p)


polyder: Row = composite(np.polyder, "p, m=1", _infer_polyder, _polyder, lower=_polyder_call)


def _polyint(p: Node, *k: Node, m: int = 1, names: tuple[str, ...] = ()) -> Node:
    """Each step divides by the new powers; its constant is 0 or the next of `k`."""
    for i in range(_order(m)):
        if not k:
            constant = zeros(make_shape(1))
        elif k[0].type.rank == 0 or k[0].type.kind == "number":
            constant = reshape(k[0], make_shape(1))
        else:
            constant = along(
                k[0], 0, *((i, i + 1) if current().sizes.find(_count(k[0], "np.polyint")) != 1 else (0, 1))
            )
        p = concatenate(p / arange(length(p, axis=0), 0, -1), constant)
    return p


def _infer_polyint(p: Node, *k: Node, m: int = 1, names: tuple[str, ...] = ()) -> Type:
    count = _count(p, "np.polyint")
    made = infer.of_definition(_polyint)(p, *k, m=m, names=names)
    return types.array(made.dtype, (count + m if isinstance(count, int) else current().sizes.fresh(),))


def _polyint_call(row: Row, p: Any, m: Any = 1, k: Any = None) -> Node:
    constants, m = [] if k is None else [to_node(k)], _order(literal("m", m))
    if m == 0:
        return to_node(p)
    attrs = {} if m == 1 else {"m": m}
    return row(to_node(p), *constants, **attrs, **({"names": ("k",)} if constants else {}))


polyint: Row = composite(np.polyint, "p, *k, m=1, names=()", _infer_polyint, _polyint, lower=_polyint_call)


# Sums and products


def _infer_sum(a: Node, b: Node) -> Type:
    n, m = _count(a, "np.polyadd"), _count(b, "np.polyadd")
    both = isinstance(n, int) and isinstance(m, int)
    dim = max(n, m) if both else n if n == m or m == 1 else m if n == 1 else current().sizes.fresh()  # type: ignore[type-var]
    return types.array(infer.promoted(a, b), (dim,))


def _tail(g: Node, p: Node) -> Node:
    """What of `g` belongs to the powers that `p` has."""
    _count(p, "np.polyadd")
    return along(g, 0, length(g, axis=0) - length(p, axis=0), None)


def _vectors(row: Row, a1: Any, a2: Any) -> Node:
    """A number is a polynomial of degree 0."""
    a, b = (to_node(one) for one in (a1, a2))
    return row(*(reshape(one, make_shape(1)) if one.type.rank == 0 else one for one in (a, b)))


polyadd: Row = linear(
    np.polyadd, "a, b", _infer_sum, lambda g, a, b: _tail(g, a), lambda g, a, b: _tail(g, b), lower=_vectors
)
polysub: Row = linear(
    np.polysub, "a, b", _infer_sum, lambda g, a, b: _tail(g, a), lambda g, a, b: -_tail(g, b), lower=_vectors
)


def _infer_polymul(a: Node, b: Node) -> Type:
    """NumPy leaves out coefficients that are 0 in front, and so the length is that of the run."""
    _count(a, "np.polymul"), _count(b, "np.polymul")
    return types.array(infer.numpy_dtype_of_all((a, b)), (current().sizes.fresh(),))


def _whole(g: Node, a: Node, b: Node) -> Node:
    """The cotangent of all coefficients of a product, of which the result has the last."""
    total = length(a, axis=0) + length(b, axis=0) - 1
    return scatter(
        g, make_shape(total), total - length(g, axis=0), index=(("slice", ("arg", 0), None, None),)
    )


# A convolution with the other operand reversed, of the cotangent.
polymul: Row = multilinear(
    np.polymul, "a, b", _infer_polymul,
    lambda g, a, b: convolve(_whole(g, a, b), flip(b), mode="valid"),
    lambda g, a, b: convolve(_whole(g, a, b), flip(a), mode="valid"),
    lower=_vectors,
)  # fmt: skip


# Fitting


def _fitted(x: Node, y: Node, deg: Node, *w: Node, names: tuple[str, ...] = ()) -> Node:
    """The normal equations of the powers of `x`, each scaled to length 1, as NumPy scales them."""
    powers = vander(x, N=_degree(deg) + 1)
    rank = known_rank(y, "np.polyfit")
    if w:
        powers = expand_dims(w[0], axis=1) * powers
        y = (expand_dims(w[0], axis=1) if rank > 1 else w[0]) * y
    scale = sqrt(add_reduce(powers * powers, axis=0))
    unit = powers / scale
    found = REGISTRY["linalg.solve"](swapped(unit) @ unit, swapped(unit) @ y)
    return found / (expand_dims(scale, axis=1) if rank > 1 else scale)


def _degree(deg: Node) -> int:
    return int(deg.value.real)


def _infer_polyfit(x: Node, y: Node, deg: Node, *w: Node, names: tuple[str, ...] = ()) -> Type:
    _count(x, "np.polyfit")
    dtype = infer.numpy_dtype_of_all((x, y, *w))
    dims = y.type.dims
    if dims is None:
        raise UnsupportedError("np.polyfit needs to know how many dimensions its operands have.")
    for one in (y, *w):
        assert one.type.dims is not None
        assert x.type.dims is not None
        current().sizes.unify(one.type.dims[0], x.type.dims[0])
    wide = np.result_type(dtype, np.float64).name if dtype else ""
    return types.array(wide, (_degree(deg) + 1, *dims[1:]))


def _polyfit_call(
    row: Row, x: Any, y: Any, deg: Any, rcond: Any = None, full: Any = False, w: Any = None, cov: Any = False
) -> Node:
    if full or cov or rcond is not None:
        raise UnsupportedError("np.polyfit with full, cov or rcond is not supported.", "its coefficients")
    deg = literal("deg", deg)
    if not isinstance(deg, int):
        raise UnsupportedError("np.polyfit with a list of degrees is not supported.", "deg=2")
    weights = [] if w is None else [to_node(w)]
    return row(to_node(x), to_node(y), to_node(deg), *weights, **({"names": ("w",)} if weights else {}))


polyfit: Row = composite(np.polyfit, "x, y, deg, *w, names=()", _infer_polyfit, _fitted, lower=_polyfit_call)
