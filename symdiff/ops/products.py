"""Products of matrices and tensors: linear in each operand."""

from __future__ import annotations

import numpy as np

from symdiff.ir import types
from symdiff.ir.build import current
from symdiff.ir.node import OPERATORS, Node
from symdiff.ir.types import Type
from symdiff.ops import infer
from symdiff.ops.row import multilinear
from symdiff.ops.shaping import expand_dims, fit_like, transpose


def _infer_matmul(a: Node, b: Node) -> Type:
    dtype = infer.dtype_of(np.matmul, a, b)
    left, right = a.type.dims, b.type.dims
    if left is None or right is None:
        return types.array(dtype)
    sizes = current().sizes
    sizes.unify(left[-1], right[-2 if len(right) > 1 else 0])
    batch = sizes.broadcast([left[:-2], right[:-2]])
    assert batch is not None
    return types.array(dtype, (*batch, *left[-2:-1], *(right[-1:] if len(right) > 1 else ())))


def swapped(x: Node) -> Node:
    """The last two axes exchanged."""
    rank = x.type.rank
    if rank == 2:
        return transpose(x)
    assert rank is not None
    return transpose(x, axes=(*range(rank - 2), rank - 1, rank - 2))


def _matmul_left(g: Node, a: Node, b: Node) -> Node:
    if b.type.rank == 1:
        return expand_dims(g, axis=-1) * b if a.type.rank != 1 else g * b
    if a.type.rank == 1:
        return fit_like(b @ expand_dims(g, axis=-1), expand_dims(a, axis=-1)) if b.type.rank != 2 else b @ g
    return fit_like(g @ swapped(b), a)


def _matmul_right(g: Node, a: Node, b: Node) -> Node:
    if a.type.rank == 1:
        return expand_dims(a, axis=-1) * expand_dims(g, axis=-2) if b.type.rank != 1 else g * a
    if b.type.rank == 1:
        return transpose(a) @ g
    return fit_like(swapped(a) @ g, b)


matmul = multilinear(np.matmul, "a, b", _infer_matmul, _matmul_left, _matmul_right, symbol="@")
OPERATORS["matmul"] = matmul
