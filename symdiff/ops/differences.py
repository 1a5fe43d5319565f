"""Differences of neighbours with ends of one's own, and phases without jumps."""

from __future__ import annotations

from typing import Any

import numpy as np

from symdiff.errors import DtypeError
from symdiff.ir import types
from symdiff.ir.build import current
from symdiff.ir.node import Node
from symdiff.ir.types import Type
from symdiff.ops import infer
from symdiff.ops.axes import diff
from symdiff.ops.joining import concatenate
from symdiff.ops.lowering import to_node, with_options
from symdiff.ops.products import flat
from symdiff.ops.row import Row, composite, custom
from symdiff.ops.shaping import astype


def _flat(x: Node) -> Node:
    return x if x.type.rank == 1 else flat(x)


def _ediff1d(x: Node, *ends: Node, names: tuple[str, ...] = ()) -> Node:
    """The differences of all elements in order, between what is given for the two ends."""
    given = dict(zip(names, map(_flat, ends), strict=True))
    parts = (given.get("to_begin"), diff(_flat(x)), given.get("to_end"))
    items = [part for part in parts if part is not None]
    joined = concatenate(*items) if len(items) > 1 else items[0]
    dtype = infer.numpy_dtype(x)
    return joined if joined.type.dtype == dtype or not dtype else astype(joined, dtype=dtype)


def _infer_ediff1d(x: Node, *ends: Node, names: tuple[str, ...] = ()) -> Type:
    dtype = infer.numpy_dtype(x)
    for name, end in zip(names, ends, strict=True):
        have = infer.numpy_dtype(end)
        weak = end.type.kind == "number" and dtype and np.dtype(dtype).kind in "fc"
        if dtype and have and not weak and not np.can_cast(have, dtype, "same_kind"):
            raise DtypeError(f"`{name}` of np.ediff1d cannot be {have} beside {dtype}.", ".astype(...)")
    return types.array(dtype, infer.of_definition(_ediff1d)(x, *ends, names=names).dims)


def _ediff1d_call(row: Row, ary: Any, to_end: Any = None, to_begin: Any = None) -> Node:
    return with_options(row, to_node(ary), to_end=to_end, to_begin=to_begin)


ediff1d: Row = composite(np.ediff1d, "x, *ends, names=()", _infer_ediff1d, _ediff1d, lower=_ediff1d_call)


def _infer_unwrap(x: Node, discont: Any = None, axis: int = -1, period: float = 2 * np.pi) -> Type:
    wide = infer.promoted(x, current().const(period))
    if wide.startswith("complex"):
        raise DtypeError("np.unwrap takes real numbers.", "np.unwrap(np.angle(z))")
    return types.array(wide, x.type.dims)


# The phase and a multiple of the period.
unwrap: Row = custom(
    np.unwrap,
    f"x, discont=None, axis=-1, period={2 * np.pi!r}",
    _infer_unwrap,
    lambda g, y, x, **attrs: (g,),
    lambda tangents, y, x, **attrs: tangents[0],
    domain=(-9, 9),
)
