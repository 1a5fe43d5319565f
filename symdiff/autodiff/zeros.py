"""Cotangents that are zero, where one must be there: where a loop or a branch adds to it.

Enters: a forward value.  Leaves: a zero in its shape and dtype.  Invariant: no value is kept or computed only
to be measured where an argument, or what an array was made from, has the same shape.
"""

from __future__ import annotations

from symdiff.autodiff.memory import Homes
from symdiff.ir.build import Builder
from symdiff.ir.node import Node
from symdiff.ops import infer
from symdiff.ops.shaping import zeros, zeros_like
from symdiff.ops.stacks import stack_of_zeros


def zero_of(builder: Builder, homes: Homes, node: Node) -> Node:
    """The zero cotangent of a value."""
    if node.type.kind == "stack":
        return stack_of_zeros(node)
    if node.type.dims == ():
        return builder.const(0.0)
    dims, dtype = builder.sizes.resolve(node.type.dims), infer.numpy_dtype(node)
    for param in builder.params:
        alike = param.type.kind == "array" and builder.sizes.resolve(param.type.dims) == dims
        if alike and dims is not None and param.type.dtype == dtype and dtype:
            return zeros_like(param)
    shape = homes.shape_source(node)
    if shape is not None:
        return zeros(shape, **({} if dtype in ("", "float64") else {"dtype": dtype}))
    first = homes.origin(node)
    return zeros_like(first if first.type.dtype == node.type.dtype else node)
