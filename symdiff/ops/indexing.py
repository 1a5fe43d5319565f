"""Reading and writing elements.

An index is the attribute `index`: a tuple of entries ("int", i), ("slice", start, stop, step), ("new",),
("ellipsis",) and ("arg", k), where any number inside an entry may itself be ("arg", k): the k-th operand after
the array(s).  `scatter` and `add_at` are functional; the backends write in place.
"""

from __future__ import annotations

from typing import Any

from symdiff.ir import types
from symdiff.ir.build import current
from symdiff.ir.node import Node
from symdiff.ir.types import Dim, Type
from symdiff.ops import infer
from symdiff.ops.row import linear
from symdiff.ops.shaping import shape_of

Index = tuple[tuple[Any, ...], ...]


def _sliced(dim: Dim, start: Any, stop: Any, step: Any) -> Dim:
    """The length of `dim[start:stop:step]`: exact for known lengths and for cutting a constant off the ends."""
    sizes = current().sizes
    dim = sizes.find(dim)
    if any(isinstance(part, tuple) for part in (start, stop, step)):
        return sizes.fresh()
    if isinstance(dim, int):
        return len(range(dim)[slice(start, stop, step)])
    if step in (None, 1, -1) and start is None and stop is None:
        return dim
    if step in (None, 1) and (start is None or start >= 0) and (stop is None or stop < 0):
        return sizes.less(dim, (start or 0) - (stop or 0))
    return sizes.fresh()


def _infer_index(x: Node, *operands: Node, index: Index) -> Type:
    dtype = infer.numpy_dtype(x)
    dims = x.type.dims
    arrays = [
        operands[entry[1]] for entry in index if entry[0] == "arg" and operands[entry[1]].type.dims != ()
    ]
    if dims is None or arrays:
        return types.array(dtype)
    used = sum(entry[0] in ("int", "slice", "arg") for entry in index)
    result: list[Dim] = []
    axis = 0
    for entry in index:
        if entry[0] == "ellipsis":
            result += dims[axis : axis + len(dims) - used]
            axis += len(dims) - used
        elif entry[0] == "new":
            result.append(1)
        else:
            if entry[0] == "slice":
                result.append(_sliced(dims[axis], *entry[1:]))
            axis += 1
    return types.array(dtype, (*result, *dims[axis:]))


def _infer_scatter(g: Node, shape: Node, *operands: Node, index: Index) -> Type:
    return types.array(infer.numpy_dtype(g), shape.type.dims)


index = linear(
    None,
    "x, *operands, index=()",
    _infer_index,
    name="index",
    view=True,
    transpose=lambda g, i, x, *operands, index: (
        scatter(g, shape_of(x), *operands, index=index) if i == 0 else None
    ),
)
# Zeros of a shape, with `g` added at the index.
scatter = linear(
    None,
    "g, shape, *operands, index=()",
    _infer_scatter,
    name="scatter",
    transpose=lambda h, i, g, shape, *operands, index: _read(h, *operands, spec=index) if i == 0 else None,
)
# `total` with `g` added at the index (`np.add.at`: repeated indices add up).
add_at = linear(
    None,
    "total, g, *operands, index=()",
    lambda total, g, *operands, index: infer.like(total),
    name="add_at",
    transpose=lambda h, i, total, g, *operands, index: (
        (h, _read(h, *operands, spec=index))[i] if i < 2 else None
    ),
)


def _read(h: Node, *operands: Node, spec: Index) -> Node:
    return index(h, *operands, index=spec)
