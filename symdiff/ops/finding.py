"""Where something holds: the places that a condition chooses, as integer arrays of a length that only run
time knows, and `np.ix_`.

As an index, the places of a mask mean what the mask itself means; `frontend.subscripts` writes it so.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symdiff.errors import ShapeError, UnsupportedError
from symdiff.ir import types
from symdiff.ir.build import current
from symdiff.ir.node import Node
from symdiff.ir.types import Type
from symdiff.ops.arithmetic import not_equal
from symdiff.ops.lowering import known_rank, sugar, to_node
from symdiff.ops.row import Row, constant
from symdiff.ops.shaping import expand_dims, make_shape, reshape


def _infer_nonzero(mask: Node, axis: int = 0) -> Type:
    # The same symbol as that of an array which the mask is the index of.
    return types.array("int64", (current().sizes.length_of(mask),))


def _nonzero(row: Row, x: Any) -> tuple[Node, ...]:
    """By axis, the indices of what is not zero."""
    mask = _mask(x)
    rank = known_rank(mask, row.spelling)
    if rank == 0:
        raise ShapeError("A value without axes has no places.", "np.atleast_1d of it")
    return tuple(row(mask, **({"axis": axis} if axis else {})) for axis in range(rank))


def _mask(x: Any) -> Node:
    x = to_node(x)
    return x if x.type.dtype == "bool" else not_equal(x, 0)


# `np.nonzero(mask)[axis]`.
nonzero: Row = constant(np.nonzero, "mask, axis=0", _infer_nonzero, lower=_nonzero)


def _flatnonzero(a: Any) -> Node:
    return nonzero(reshape(_mask(a), make_shape(-1)))


sugar(np.flatnonzero, _flatnonzero)


def _ix(*lists: Any) -> tuple[Node, ...]:
    """Each list of indices along its own axis; a mask counts as its places."""
    found = []
    for i, one in enumerate(lists):
        vector = to_node(list(one) if isinstance(one, range) else one)
        if known_rank(vector, "np.ix_") != 1:
            raise ShapeError("np.ix_ takes vectors of indices.", "np.ravel of each of them")
        if vector.type.dtype == "bool":
            vector = nonzero(vector)
        elif not vector.type.dtype.startswith(("int", "uint")):
            raise UnsupportedError("np.ix_ takes integers or truth values.", "`.astype(int)`")
        others = tuple(k for k in range(len(lists)) if k != i)
        found.append(expand_dims(vector, axis=others) if others else vector)
    return tuple(found)


sugar(np.ix_, _ix)
