"""numpy.linalg.  Formulas: Giles 2008, "Collected matrix derivative results for forward and reverse mode"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symdiff.errors import UnsupportedError
from symdiff.ir import types
from symdiff.ir.build import current
from symdiff.ir.control import values_of
from symdiff.ir.node import Node
from symdiff.ir.types import Dims, Type
from symdiff.ops import infer
from symdiff.ops.elementwise import is_complex
from symdiff.ops.lowering import bind, known_rank
from symdiff.ops.products import swapped
from symdiff.ops.reductions import add_reduce
from symdiff.ops.row import Row, composite, custom
from symdiff.ops.shaping import (
    expand_dims,
    imag,
    length,
    make_shape,
    real,
    real_dtype,
    reshape,
    squeeze,
    transpose,
)  # fmt: skip

_RESULTS = getattr(np.linalg, "_linalg", None)


def several(result: str) -> Any:
    """Lowering of an operation of several results, as NumPy's named tuple of them."""

    def lower(row: Row, *args: Any, **kwargs: Any) -> Any:
        made = bind(row, *args, **kwargs)
        if made.type.kind != "tuple":
            return made
        cls = getattr(_RESULTS, result, None)
        return values_of(made) if cls is None else cls(*values_of(made))

    return lower


def floating(dtype: str) -> str:
    """What LAPACK works in."""
    return dtype if not dtype or dtype.startswith(("float", "complex")) else "float64"


def square_dims(x: Node) -> Dims | None:
    if x.type.dims is not None:
        current().sizes.unify(x.type.dims[-1], x.type.dims[-2])
    return x.type.dims


def infer_square(x: Node) -> Type:
    return types.array(floating(infer.numpy_dtype(x)), square_dims(x))


def _infer_stacked(x: Node) -> Type:
    dims = square_dims(x)
    return types.array(floating(infer.numpy_dtype(x)), None if dims is None else dims[:-2])


inv = custom(
    np.linalg.inv,
    "x",
    infer_square,
    lambda g, y, x: (-(swapped(y) @ g @ swapped(y)),),
    lambda tangents, y, x: -(y @ tangents[0] @ y),
    name="linalg.inv",
)


def per_matrix(g: Node) -> Node:
    return g if g.type.dims == () else expand_dims(g, axis=(-2, -1))


det = custom(
    np.linalg.det,
    "x",
    _infer_stacked,
    lambda g, y, x: (per_matrix(g * y) * swapped(inv(x)),),
    lambda tangents, y, x: y * add_reduce(swapped(inv(x)) * tangents[0], axis=(-2, -1)),
    name="linalg.det",
)


def _infer_slogdet(x: Node) -> Type:
    stacked = _infer_stacked(x)
    return types.tuple_of([stacked, types.array(real_dtype(stacked.dtype), stacked.dims)])


def _slogdet_vjp(g: Sequence[Node | None], y: Sequence[Node], x: Node) -> tuple[Node | None]:
    """The sign of a complex determinant turns, that of a real one does not."""
    scale = g[1]
    if g[0] is not None and is_complex(x):
        turn = 1j * imag(g[0] * y[0])
        scale = turn if scale is None else scale + turn
    return (None if scale is None else per_matrix(scale) * swapped(inv(x)),)


def _slogdet_jvp(tangents: tuple[Node], y: Sequence[Node], x: Node) -> tuple[Node, Node]:
    change = add_reduce(swapped(inv(x)) * tangents[0], axis=(-2, -1))
    if not is_complex(x):
        return 0 * change, change
    return y[0] * (1j * imag(change)), real(change)


slogdet = custom(
    np.linalg.slogdet, "x", _infer_slogdet, _slogdet_vjp, _slogdet_jvp, name="linalg.slogdet",
    lower=several("SlogdetResult"),
)  # fmt: skip


def _infer_solve(a: Node, b: Node) -> Type:
    dtype = infer.numpy_dtype_of_all((a, b))
    left, right = square_dims(a), b.type.dims
    if left is None or right is None:
        return types.array(floating(dtype))
    vector = len(right) == 1
    current().sizes.unify(left[-1], right[-1 if vector else -2])
    batch = current().sizes.broadcast([left[:-2], () if vector else right[:-2]])
    assert batch is not None
    return types.array(floating(dtype), (*batch, *(right[-1:] if vector else right[-2:])))


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


# Tensors as matrices


def _product(x: Node, first: int, last: int | None = None) -> Node:
    total = current().const(1)
    for axis in range(first, known_rank(x, "A tensor equation") if last is None else last):
        total = total * length(x, axis=axis)
    return total


def _sizes(x: Node, first: int, last: int | None = None) -> list[Node]:
    rank = known_rank(x, "A tensor equation")
    return [length(x, axis=axis) for axis in range(first, rank if last is None else last)]


def _tensorsolve(a: Node, b: Node, axes: Any = None) -> Node:
    rank = known_rank(a, "np.linalg.tensorsolve")
    if axes is not None:
        last = [axis % rank for axis in axes]
        a = transpose(a, axes=(*(i for i in range(rank) if i not in last), *last))
    kept = known_rank(b, "np.linalg.tensorsolve")
    side = _product(a, kept)
    flat = solve(reshape(a, make_shape(side, side)), reshape(b, make_shape(-1)))
    return reshape(flat, make_shape(*_sizes(a, kept)))


def _tensorinv(x: Node, ind: int = 2) -> Node:
    if ind < 1:
        raise UnsupportedError("np.linalg.tensorinv takes a positive ind.", "ind=1")
    matrix = reshape(x, make_shape(_product(x, 0, ind), -1))
    return reshape(inv(matrix), make_shape(*_sizes(x, ind), *_sizes(x, 0, ind)))


tensorsolve = composite(
    np.linalg.tensorsolve, "a, b, axes=None", infer.of_definition(_tensorsolve), _tensorsolve,
    name="linalg.tensorsolve",
)  # fmt: skip
tensorinv = composite(
    np.linalg.tensorinv, "x, ind=2", infer.of_definition(_tensorinv), _tensorinv, name="linalg.tensorinv"
)
