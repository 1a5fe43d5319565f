"""Random numbers: constants of the derivative, drawn once each time the program runs.

Imported by `row_of` when a function of numpy.random is looked up: NumPy loads that module (10 ms) only when
it is used.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symdiff.ir import types
from symdiff.ir.node import Node
from symdiff.ir.types import Type
from symdiff.ops import infer
from symdiff.ops.lowering import to_node, to_shape
from symdiff.ops.row import Row, constant


def _random(name: str, text: str, dims: Any, **facts: Any) -> Row:
    """A drawing from NumPy's global generator: a new constant every time."""
    return constant(getattr(np.random, name), text, dims, name=f"random.{name}", pure=False, **facts)


def _floats(*operands: Node) -> Type:
    """float64 of the shape that comes last, or of the parameters' broadcast shape."""
    if operands and operands[-1].type.kind == "shape":
        return types.array("float64", operands[-1].type.dims)
    return types.array("float64", infer.broadcast(*operands))


_PARAMETERS = {"random.uniform": ("low", "high"), "random.normal": ("loc", "scale")}


def _sized(row: Row, *args: Any, size: Any = None, **names: Any) -> Node:
    """`normal(loc, scale, size)`: defaults made explicit, a size of None absent."""
    keys = _PARAMETERS.get(row.name, ())
    values = dict(zip((*keys, "size"), args, strict=False)) | names
    size = values.pop("size", size)
    defaults = (0.0, 1.0) if keys else ()
    operands = [to_node(values.get(key, value)) for key, value in zip(keys, defaults, strict=True)]
    return row(*operands, *([] if size is None else [to_shape(size)]))


rand = _random("rand", "*sizes", lambda *sizes: types.array("float64", tuple(map(infer.size_of, sizes))))
randn = _random("randn", "*sizes", lambda *sizes: types.array("float64", tuple(map(infer.size_of, sizes))))
for _name in ("random", "random_sample", "standard_normal", "normal", "uniform"):
    _random(_name, "*operands", _floats, lower=_sized)
