"""Functions whose derivative is zero or that only reorder: rounding, comparing, sorting, complex parts."""

from __future__ import annotations

from typing import Any

import numpy as np

from symdiff.ir import types
from symdiff.ir.node import Node
from symdiff.ir.types import Type
from symdiff.ops import infer
from symdiff.ops.elementwise import where
from symdiff.ops.indexing import _take_along_axis
from symdiff.ops.lowering import arrays, sugar
from symdiff.ops.piecewise import arctan2
from symdiff.ops.row import Row, composite, constant, linear
from symdiff.ops.shaping import fit_like, imag, make_shape, real, reshape


def _always(dtype: str) -> Any:
    def infer_elementwise(*operands: Node, **_: Any) -> Type:
        return types.array(dtype, infer.broadcast(*operands))

    return infer_elementwise


def _single(dtype: str) -> Any:
    def infer_single(*_: Node, **__: Any) -> Type:
        return types.array(dtype, ())

    return infer_single


round_row = constant(np.round, "x, decimals=0", infer.like, method="round", also=(np.around, round))
fix = constant(np.fix, "x", infer.like)
isclose = constant(np.isclose, "a, b, rtol=1e-05, atol=1e-08, equal_nan=False", _always("bool"))
allclose = constant(np.allclose, "a, b, rtol=1e-05, atol=1e-08, equal_nan=False", _single("bool"))
array_equal = constant(np.array_equal, "a, b", _single("bool"))
iscomplex = constant(np.iscomplex, "x", _always("bool"))
isreal = constant(np.isreal, "x", _always("bool"))


def _infer_places(x: Node, axis: Any = -1) -> Type:
    if axis is None:
        return types.array("int64", None if x.type.dims is None else (infer.product(x.type.dims),))
    return types.array("int64", x.type.dims)


def _infer_sorted(x: Node, axis: Any = -1) -> Type:
    return types.array(infer.numpy_dtype(x), _infer_places(x, axis).dims)


def _sorted(x: Node, axis: Any = -1) -> Node:
    if axis is None:
        x, axis = reshape(x, make_shape(-1)), -1
    return _take_along_axis(x, argsort(x, **({} if axis == -1 else {"axis": axis})), axis)


argsort = constant(np.argsort, "x, axis=-1", _infer_places, method="argsort")
sort = composite(np.sort, "x, axis=-1", _infer_sorted, _sorted)
searchsorted = constant(
    np.searchsorted, "x, v, side='left'", lambda x, v, side="left": types.array("int64", v.type.dims)
)


_NUMBERS = {"b": "bool", "i": "int", "u": "int", "f": "float", "c": "complex"}


def _infer_item(x: Node) -> Type:
    """The Python number that an array of one element holds."""
    dtype = infer.numpy_dtype(x)
    return types.number(_NUMBERS[np.dtype(dtype).kind] if dtype else "")


item = linear(np.ndarray.item, "x", _infer_item, lambda g, x: fit_like(g, x), method="item")


def _angle(x: Node, deg: bool = False) -> Node:
    phase = arctan2(imag(x), real(x))
    return phase * (180 / np.pi) if deg else phase


angle = composite(np.angle, "x, deg=False", infer.of_definition(_angle), _angle, domain=(-2, 2))


def _select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    result = default
    for condition, choice in zip(reversed(arrays(condlist)), reversed(arrays(choicelist)), strict=True):
        result = where(condition, choice, result)
    return result


sugar(np.select, _select)

# x * 2**n, exactly.
ldexp: Row = linear(np.ldexp, "x, n", infer.of_ufunc(np.ldexp), lambda g, x, n: ldexp(g, n), None)
