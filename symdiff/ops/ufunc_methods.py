"""Methods of ufuncs: `np.add.reduce`, `np.multiply.accumulate`, `np.subtract.outer`.

They reduce along the first axis unless they are told otherwise.  `np.add.at` writes: `frontend.writers`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symdiff.errors import UnsupportedError
from symdiff.ir import types
from symdiff.ir.node import Node
from symdiff.ir.types import Type
from symdiff.ops import infer
from symdiff.ops.elementwise import exp, exp2, nonzero
from symdiff.ops.lowering import bind, known_rank, literal, sugar, to_node
from symdiff.ops.reductions import (
    add_reduce,
    all_reduce,
    any_reduce,
    cumprod,
    cumsum,
    given,
    max_reduce,
    min_reduce,
    nonlinear,
    prod,
)
from symdiff.ops.row import Row, row_of
from symdiff.ops.shaping import expand_dims


def _plain(what: str, options: dict[str, Any]) -> None:
    for name, value in options.items():
        if value is not None and not (name == "where" and value is True):
            raise UnsupportedError(f"`{name}` of {what} is not supported.", "leave it out")


def _reducing(row: Row, what: str) -> Callable[..., Node]:
    def lowered(
        array: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False, **options: Any
    ) -> Node:
        _plain(what, {"out": out, **options})
        return bind(row, array, **given(axis=axis, dtype=dtype, keepdims=keepdims))

    return lowered


def _accumulating(row: Row, what: str) -> Callable[..., Node]:
    def lowered(array: Any, axis: Any = 0, dtype: Any = None, out: Any = None) -> Node:
        _plain(what, {"out": out})
        x = to_node(array)
        return bind(row, x, axis=literal("axis", axis), **given(dtype=dtype))

    return lowered


for _ufunc, _row in (
    (np.add, add_reduce), (np.multiply, prod), (np.maximum, max_reduce), (np.minimum, min_reduce),
    (np.logical_and, all_reduce), (np.logical_or, any_reduce),
):  # fmt: skip
    _name = f"{_ufunc.__name__}.reduce"
    sugar(_ufunc.reduce, _reducing(_row, f"np.{_name}"), name=_name)
for _ufunc, _row in ((np.add, cumsum), (np.multiply, cumprod)):
    _name = f"{_ufunc.__name__}.accumulate"
    sugar(_ufunc.accumulate, _accumulating(_row, f"np.{_name}"), name=_name)


def _outer(row: Row, what: str) -> Callable[..., Node]:
    """Every element of the first operand with every one of the second."""

    def lowered(a: Any, b: Any, **options: Any) -> Node:
        _plain(what, options)
        a, b = to_node(a), to_node(b)
        left, right = known_rank(a, what), known_rank(b, what)
        return row(expand_dims(a, axis=tuple(range(left, left + right))) if right else a, b)

    return lowered


for _binary in (
    np.add, np.subtract, np.multiply, np.divide, np.power, np.maximum, np.minimum, np.hypot, np.arctan2,
    np.logaddexp, np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal,
    np.floor_divide, np.remainder, np.fmax, np.fmin, np.copysign,
):  # fmt: skip
    _name = f"{_binary.__name__}.outer"
    _found = row_of(_binary)
    assert _found is not None
    sugar(_binary.outer, _outer(_found, f"np.{_name}"), name=_name)


def _folded(ufunc: np.ufunc, slope: Callable[..., Node], **facts: Any) -> Row:
    """The reduction of a ufunc that no other function of NumPy is, from its slope."""

    def infer_folded(x: Node, axis: Any, keepdims: bool = False) -> Type:
        return types.array(infer.dtype_of(ufunc, x, x), infer.reduced_dims(x.type.dims, axis, keepdims))

    name = f"{ufunc.__name__}.reduce"

    def lower(
        row: Row,
        array: Any,
        axis: Any = 0,
        dtype: Any = None,
        out: Any = None,
        keepdims: bool = False,
        **options: Any,
    ) -> Node:
        _plain(f"np.{name}", {"dtype": dtype, "out": out, **options})
        return row(to_node(array), axis=literal("axis", axis), **given(keepdims=keepdims))

    return nonlinear(
        ufunc.reduce,
        "x, axis=..., keepdims=False",
        slope,
        name=name,
        infer=infer_folded,
        lower=lower,
        **facts,
    )


logaddexp_reduce = _folded(np.logaddexp, lambda x, y, axis: exp(x - y), domain=(-2, 2))
logaddexp2_reduce = _folded(np.logaddexp2, lambda x, y, axis: exp2(x - y), domain=(-2, 2))
hypot_reduce = _folded(np.hypot, lambda x, y, axis: x / nonzero(y))
