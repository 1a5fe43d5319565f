"""scipy.signal: convolutions and correlations of vectors are NumPy's, by another algorithm."""

from __future__ import annotations

from typing import Any

import scipy.signal as functions

from symdiff.errors import ShapeError
from symdiff.ir.node import Node
from symdiff.ir.types import Type
from symdiff.ops import curves
from symdiff.ops.arithmetic import floor_divide
from symdiff.ops.indexing import along
from symdiff.ops.lowering import known_rank
from symdiff.ops.row import Row, composite
from symdiff.ops.shaping import length


def _of_vectors(name: str, plain: Row, text: str) -> None:
    """A function that computes what one of NumPy does, with `mode="full"` by default."""

    def checked(a: Node, v: Node) -> None:
        if known_rank(a, f"scipy.signal.{name}") != 1 or known_rank(v, f"scipy.signal.{name}") != 1:
            raise ShapeError(f"scipy.signal.{name} is supported for vectors.", "a loop over rows")

    def definition(a: Node, v: Node, mode: str = "full", **_: Any) -> Node:
        checked(a, v)
        if mode != "same":
            return plain(a, v, **({} if mode == plain.defaults["mode"] else {"mode": mode}))
        # The middle, as long as the first operand; NumPy's is as long as the longer one.
        n, m = length(a, axis=0), length(v, axis=0)
        start = floor_divide(m - 1, 2)
        return along(
            plain(a, v, **({} if plain.defaults["mode"] == "full" else {"mode": "full"})), 0, start, start + n
        )

    def inferred(a: Node, v: Node, mode: str = "full", **_: Any) -> Type:
        checked(a, v)
        made = plain.infer(a, v, mode="full" if mode == "same" else mode)
        return made.with_dims(a.type.dims) if mode == "same" else made

    composite(
        getattr(functions, name), text, inferred, definition, name=f"signal.{name}",
        spelling=f"scipy.signal.{name}",
    )  # fmt: skip


_of_vectors("convolve", curves.convolve, "a, v, mode='full', method='auto'")
_of_vectors("fftconvolve", curves.convolve, "a, v, mode='full', axes=None")
_of_vectors("oaconvolve", curves.convolve, "a, v, mode='full', axes=None")
_of_vectors("correlate", curves.correlate, "a, v, mode='full', method='auto'")
