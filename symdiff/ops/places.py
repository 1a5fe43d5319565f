"""What depends on shapes and integers alone: places in triangles, what is stretched and joined.

And spacings by ratio.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symdiff.errors import DtypeError, ShapeError, UnsupportedError
from symdiff.ir import types
from symdiff.ir.build import current
from symdiff.ir.node import Node
from symdiff.ir.types import Type
from symdiff.ops import infer
from symdiff.ops.arithmetic import remainder
from symdiff.ops.creation import arange, linspace, tri
from symdiff.ops.elementwise import elementwise, logical_not
from symdiff.ops.finding import nonzero
from symdiff.ops.indexing import take
from symdiff.ops.joining import concatenate, joined_by, vstack
from symdiff.ops.lowering import bind, known_rank, literal, sugar, to_node
from symdiff.ops.products import flat
from symdiff.ops.row import Row, composite, constant
from symdiff.ops.shaping import broadcast_to, copy, expand_dims, length, make_shape, reshape, size

# What is known of an array while compiling

sugar(np.ndim, lambda a: known_rank(to_node(a), "np.ndim"))


def _is_complex(x: Any) -> bool:
    dtype = infer.numpy_dtype(to_node(x))
    if not dtype:
        raise UnsupportedError(
            "Whether the array is complex is not known.", "source_for with example arguments"
        )
    return dtype.startswith("complex")


sugar(np.iscomplexobj, _is_complex)
sugar(np.isrealobj, lambda x: not _is_complex(x))

# Places of elements


def _triangle(n: Any, k: Any = 0, m: Any = None, upper: bool = False) -> Any:
    """By rows and columns, the places on and below a diagonal, or on and above it."""
    sizes = [to_node(n)] if m is None else [to_node(n), to_node(m)]
    k = literal("k", k) - upper
    mask = tri(*sizes, dtype="bool", **({"k": k} if k else {}))
    return _nonzero(logical_not(mask) if upper else mask)


def _nonzero(mask: Node) -> Any:
    assert nonzero.lower is not None
    return nonzero.lower(nonzero, mask)


def _triangle_of(arr: Any, k: Any = 0, upper: bool = False) -> Any:
    x = to_node(arr)
    return _triangle(length(x, axis=0), k, length(x, axis=1), upper)


sugar(np.tril_indices, _triangle)
sugar(np.triu_indices, lambda n, k=0, m=None: _triangle(n, k, m, upper=True))
sugar(np.tril_indices_from, _triangle_of)
sugar(np.triu_indices_from, lambda arr, k=0: _triangle_of(arr, k, upper=True))
sugar(np.diag_indices, lambda n, ndim=2: (arange(to_node(n)),) * literal("ndim", ndim))
sugar(
    np.diag_indices_from,
    lambda arr: (arange(length(to_node(arr), axis=0)),) * known_rank(to_node(arr), "np.diag_indices_from"),
)


# Arrays stretched and joined


def _broadcast_arrays(*args: Any, subok: bool = False) -> tuple[Node, ...]:
    """Each stretched to the common shape, whose lengths come from operands that have them."""
    operands, sizes = [to_node(arg) for arg in args], current().sizes
    common = sizes.resolve(infer.broadcast(*operands))
    if common is None:
        raise UnsupportedError("np.broadcast_arrays needs to know the ranks.", "np.broadcast_to")
    lengths = [_source(operands, i - len(common), dim) for i, dim in enumerate(common)]
    shape = make_shape(*lengths)
    return tuple(x if sizes.resolve(x.type.dims) == common else broadcast_to(x, shape) for x in operands)


def _source(operands: list[Node], axis: int, dim: Any) -> Any:
    if isinstance(dim, int):
        return dim
    for x in operands:
        dims = current().sizes.resolve(x.type.dims)
        if dims is not None and len(dims) >= -axis and dims[axis] == dim:
            return length(x, axis=len(dims) + axis)
    raise UnsupportedError("np.broadcast_arrays needs lengths that are known or not 1.", "np.broadcast_to")


sugar(np.broadcast_arrays, _broadcast_arrays)


def _block(values: Any) -> Node:
    """Nested lists of arrays, the innermost joined along the last axis."""
    depth, leaves = _depth(values), _leaves(values)
    rank = max(depth, *(known_rank(leaf, "np.block") for leaf in leaves))

    def made(value: Any, level: int) -> Node:
        if not isinstance(value, list):
            x = to_node(value)
            missing = rank - known_rank(x, "np.block")
            return expand_dims(x, axis=tuple(range(missing))) if missing else x
        parts = [made(item, level + 1) for item in value]
        return concatenate(*parts, **({"axis": rank - depth + level} if rank - depth + level else {}))

    found = made(values, 0)
    return found if isinstance(values, list) else copy(found)


def _depth(value: Any) -> int:
    if not isinstance(value, list):
        return 0
    found = {_depth(item) for item in value}
    if len(found) != 1:
        raise ShapeError("The lists of np.block are nested to different depths.")
    return 1 + found.pop()


def _leaves(value: Any) -> list[Node]:
    if not isinstance(value, list):
        return [to_node(value)]
    return [leaf for item in value for leaf in _leaves(item)]


sugar(np.block, _block)
sugar(getattr(np, "row_stack", None), lambda tup: joined_by(vstack, tup), name="row_stack")  # deprecated


def _resize(x: Node, shape: Node) -> Node:
    """The elements in order, again from the first where there are too few."""
    places = remainder(arange(_product(shape)), size(x))
    return reshape(take(x if x.type.rank == 1 else flat(x), places, 0), shape)


def _product(shape: Node) -> Node:
    if shape.op is not make_shape:
        raise UnsupportedError("np.resize needs a shape of known rank.", "a tuple of ints")
    total = current().const(1)
    for count in shape.args:
        total = total * count
    return total


resize: Row = composite(
    np.resize, "x, shape", lambda x, shape: types.array(infer.numpy_dtype(x), shape.type.dims), _resize
)

# Spacings by ratio


def _infer_spaced(start: Node, stop: Node, num: int = 50, dtype: str | None = None, **_: Any) -> Type:
    inner, base = infer.broadcast(start, stop), infer.promoted(start, stop, current().const(1.0))
    return types.array(dtype or base, None if inner is None else (num, *inner))


def _infer_geometric(start: Node, stop: Node, dtype: str = "float64", **attrs: Any) -> Type:
    """NumPy computes in double precision whatever the ends are."""
    return _infer_spaced(start, stop, dtype=dtype, **attrs)


def _logspace(start: Node, stop: Node, num: int = 50, base: float = 10.0, **attrs: Any) -> Node:
    return current().const(base) ** linspace(start, stop, **attrs, **({} if num == 50 else {"num": num}))


def _geomspace(start: Node, stop: Node, num: int = 50, endpoint: bool = True, dtype: Any = "float64") -> Node:
    if infer.promoted(start, stop).startswith("complex"):
        raise DtypeError(
            "np.geomspace of complex numbers has no derivative rule.", "np.exp(np.linspace(...))"
        )
    way = linspace(0, 1, **({} if num == 50 else {"num": num}), **({} if endpoint else {"endpoint": False}))
    rank = max(known_rank(start, "np.geomspace"), known_rank(stop, "np.geomspace"))
    return start * (stop / start) ** (expand_dims(way, axis=tuple(range(1, rank + 1))) if rank else way)


def _logspace_call(
    row: Row, start: Any, stop: Any, num: Any = 50, endpoint: Any = True, base: Any = 10.0, dtype: Any = None
) -> Node:
    if isinstance(base, Node) and not base.is_const:
        return to_node(base) ** bind(linspace, start, stop, num, endpoint)
    return bind(row, start, stop, num, endpoint, float(literal("base", base)), dtype)


logspace: Row = composite(
    np.logspace, "start, stop, num=50, endpoint=True, base=10.0, dtype=None", _infer_spaced, _logspace,
    lower=_logspace_call,
)  # fmt: skip
geomspace: Row = composite(
    np.geomspace, "start, stop, num=50, endpoint=True, dtype='float64'", _infer_geometric, _geomspace
)

# Integers and truth values


def _elementwise(dtype: str) -> Any:
    return lambda *operands, **_: types.array(dtype, infer.broadcast(*operands))


for _function in (np.isposinf, np.isneginf):
    constant(_function, "x", _elementwise("bool"))
for _ufunc in (np.gcd, np.lcm, getattr(np, "bitwise_count", None)):
    if _ufunc is not None:
        elementwise(_ufunc)


def _infer_argpartition(x: Node, kth: Any, axis: int | None = -1) -> Type:
    return types.array("int64", x.type.dims if axis is not None else (current().sizes.fresh(),))


isin: Row = constant(
    np.isin,
    "x, values, assume_unique=False, invert=False",
    lambda x, values, **_: types.array("bool", x.type.dims),
)
array_equiv: Row = constant(np.array_equiv, "a, b", lambda a, b: types.array("bool", ()))
argpartition: Row = constant(np.argpartition, "x, kth=..., axis=-1", _infer_argpartition)
argwhere: Row = constant(
    np.argwhere, "x",
    lambda x: types.array("int64", (current().sizes.length_of(x), known_rank(x, "np.argwhere"))),
)  # fmt: skip
