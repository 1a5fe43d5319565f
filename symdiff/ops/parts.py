"""Numbers taken apart: whole and fraction, mantissa and exponent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from symdiff.ir import types
from symdiff.ir.node import Node
from symdiff.ir.types import Type
from symdiff.ops import infer
from symdiff.ops.linalg import several
from symdiff.ops.rounding import ldexp
from symdiff.ops.row import custom

Parts = Sequence[Node | None]


def _infer_modf(x: Node) -> Type:
    part = types.array(infer.dtype_of(np.modf, x), x.type.dims)
    return types.tuple_of([part, part])


def _infer_frexp(x: Node) -> Type:
    mantissa = types.array(infer.dtype_of(np.frexp, x), x.type.dims)
    return types.tuple_of([mantissa, types.array("int32", x.type.dims)])


modf = custom(
    np.modf,
    "x",
    _infer_modf,
    lambda g, y, x: (g[0],),
    lambda tangents, y, x: (tangents[0], 0 * tangents[0]),
    lower=several(""),
)
# The mantissa is the number times a power of 2, which changes in steps.
frexp = custom(
    np.frexp,
    "x",
    _infer_frexp,
    lambda g, y, x: (None if g[0] is None else ldexp(g[0], -y[1]),),
    lambda tangents, y, x: (ldexp(tangents[0], -y[1]), 0 * tangents[0]),
    lower=several(""),
)
