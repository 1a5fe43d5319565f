"""Reductions and running totals of what is a number: NaN counts as absent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symdiff.ir.node import Node
from symdiff.ops import infer
from symdiff.ops.elementwise import isnan, logical_not, nonzero, where
from symdiff.ops.piecewise import conjugated
from symdiff.ops.reductions import (
    _corrected,
    _infer_extremum,
    _infer_running,
    add_reduce,
    cumprod,
    cumsum,
    given,
    nanmean,
    nonlinear,
    prod,
    ties,
)  # fmt: skip
from symdiff.ops.row import Row, composite, constant

_TEXT = "x, axis=None, keepdims=False"
nanmax = nonlinear(np.nanmax, _TEXT, ties, infer=_infer_extremum, domain=(-2, 2))
nanmin = nonlinear(np.nanmin, _TEXT, ties, infer=_infer_extremum, domain=(-2, 2))


def _filled(row: Row, fill: int) -> Callable[..., Node]:
    """The function `row` of the numbers, with what changes nothing in the place of NaN."""
    return lambda x, **attrs: row(where(isnan(x), fill, x), **attrs)


_PRODUCT = "x, axis=None, dtype=None, keepdims=False"
_RUNNING = "x, axis=None, dtype=None"
nanprod: Row = composite(np.nanprod, _PRODUCT, infer.of_reduction(np.prod), _filled(prod, 1), domain=(0.5, 2))
nancumsum: Row = composite(np.nancumsum, _RUNNING, _infer_running(np.sum), _filled(cumsum, 0))
nancumprod: Row = composite(
    np.nancumprod, _RUNNING, _infer_running(np.prod), _filled(cumprod, 1), domain=(0.5, 2)
)


def _deviation(x: Node, axis: Any) -> Node:
    return conjugated(where(isnan(x), 0, x - nanmean(x, **given(axis=axis, keepdims=axis is not None))))


def _freedom(x: Node, axis: Any, ddof: Any) -> Node:
    count = add_reduce(logical_not(isnan(x)), **given(axis=axis, keepdims=axis is not None))
    return count - ddof if ddof else count


def _nanvar_slope(x: Node, y: Node, axis: Any, ddof: Any = 0, dtype: Any = None) -> Node:
    return 2 / _freedom(x, axis, ddof) * _deviation(x, axis)


def _nanstd_slope(x: Node, y: Node, axis: Any, ddof: Any = 0, dtype: Any = None) -> Node:
    return _deviation(x, axis) / (_freedom(x, axis, ddof) * nonzero(y))


_SPREAD = "x, axis=None, dtype=None, ddof=0, keepdims=False"
nanvar = nonlinear(np.nanvar, _SPREAD, _nanvar_slope, infer=infer.of_reduction(np.var), lower=_corrected)
nanstd = nonlinear(np.nanstd, _SPREAD, _nanstd_slope, infer=infer.of_reduction(np.std), lower=_corrected)

nanargmax = constant(np.nanargmax, _TEXT, infer.of_reduction(np.nanargmax))
nanargmin = constant(np.nanargmin, _TEXT, infer.of_reduction(np.nanargmin))
