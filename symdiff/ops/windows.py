"""Windows, and the Bessel function that one of them is made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from symdiff.errors import DtypeError, UnsupportedError
from symdiff.ir import types
from symdiff.ir.node import Node
from symdiff.ir.types import Type
from symdiff.ops import infer
from symdiff.ops.creation import arange
from symdiff.ops.elementwise import sqrt
from symdiff.ops.row import Row, composite, constant, row


def _infer_window(n: Node, *_: Node) -> Type:
    return types.array("float64", (infer.size_of(n),))


for _window in (np.bartlett, np.blackman, np.hamming, np.hanning):
    constant(_window, "n", _infer_window)


def _infer_i0(x: Node) -> Type:
    dtype = infer.numpy_dtype(x)
    if dtype.startswith("complex"):
        raise DtypeError("np.i0 takes real numbers.", "scipy.special.iv(0, z)")
    wide = dtype if not dtype or np.dtype(dtype).kind == "f" else "float64"
    return types.array(wide, x.type.dims)


def _i1(x: Node, y: Node) -> Any:
    """NumPy has no other Bessel function than this one."""
    try:
        from symdiff.ops.scipy.bessel import i1
    except ImportError:
        raise UnsupportedError("The derivative of np.i0 is scipy.special.i1.", "install SciPy") from None
    return i1(x)


i0: Row = row("elementwise", np.i0, "x", _infer_i0, partials=(_i1,), domain=(-2, 2))


def _kaiser(n: Node, beta: Node) -> Node:
    half = (n - 1) / 2.0
    return i0(beta * sqrt(1 - ((arange(n) - half) / half) ** 2)) / i0(beta)


kaiser = composite(np.kaiser, "n, beta", _infer_window, _kaiser)
