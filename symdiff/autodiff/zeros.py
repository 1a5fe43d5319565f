"""Cotangents that are zero, where one must be there: where a loop or a branch adds to it.

Enters: a forward value.  Leaves: a zero in its shape and dtype.  Invariant: no value is kept or computed only
to be measured where an argument, or what an array was made from, has the same shape.
"""

from __future__ import annotations

from symdiff.autodiff.memory import Homes
from symdiff.ir.build import Builder
from symdiff.ir.node import Node
from symdiff.ops import infer
from symdiff.ops.shaping import (
    astype,
    broadcast_to,
    fit_like,
    full_like,
    ones_like,
    to_float,
    zeros,
    zeros_like,
)
from symdiff.ops.stacks import stack_of_zeros


def zero_of(builder: Builder, homes: Homes, node: Node) -> Node:
    """The zero cotangent of a value."""
    if node.type.kind == "stack":
        return stack_of_zeros(node)
    if node.type.dims == ():
        return builder.const(0.0)
    dtype = infer.numpy_dtype(node)
    shape = homes.shape_source(node)
    if shape is not None and _argument_like(builder, node) is None:
        return zeros(shape, **({} if dtype in ("", "float64") else {"dtype": dtype}))
    return zeros_like(_alike(builder, homes, node))


def solid(builder: Builder, homes: Homes, g: Node, node: Node) -> Node:
    """A cotangent as an array of its own shape and dtype: what a loop or a branch can hand on."""
    if node.type.kind == "stack":
        return g
    if node.type.dims == ():  # which may leave as it is: a float, also where no iteration adds to it
        return to_float(g) if g.type.kind == "number" and g.type.dtype in ("int", "bool") else g
    if g.type.kind == "number" or (g.op is broadcast_to and not g.primal and g.args[0].type.dims == ()):
        scalar = g.args[0] if g.op is broadcast_to else g
        like = _alike(builder, homes, node)
        return ones_like(like) if scalar.is_const and scalar.value == 1 else full_like(like, scalar)
    if g.type.dtype and node.type.dtype and g.type.dtype != node.type.dtype:
        return astype(g, dtype=node.type.dtype)
    return _in_floats(builder, g)


def _in_floats(builder: Builder, g: Node) -> Node:
    """A number that is spread over an array and fitted, as a float: perhaps there is nothing to fit."""
    spread = g.args[0] if g.op is fit_like and not g.primal else g
    if spread is g or spread.op is not broadcast_to or not spread.args[0].is_const:
        return g
    value = spread.args[0].value
    if type(value) is not int:
        return g
    return fit_like(broadcast_to(builder.const(float(value)), spread.args[1]), g.args[1])


def _argument_like(builder: Builder, node: Node) -> Node | None:
    """An argument of the same shape and dtype: the value itself where it is one."""
    if node in builder.params:
        return node
    dims, dtype = builder.sizes.resolve(node.type.dims), infer.numpy_dtype(node)
    for param in builder.params:
        alike = param.type.kind == "array" and builder.sizes.resolve(param.type.dims) == dims
        if alike and dims is not None and param.type.dtype == dtype and dtype:
            return param
    return None


def _alike(builder: Builder, homes: Homes, node: Node) -> Node:
    """A value of the same shape and dtype that is there anyway, where one is known."""
    param = _argument_like(builder, node)
    if param is not None:
        return param
    first = homes.origin(node)
    return first if first.type.dtype == node.type.dtype else node
