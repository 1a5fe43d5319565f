"""Elementwise gradients: of a function that computes every element of its result from one place.

Enters: a function of arrays.  Leaves: the function of the sum of its result.  Invariant: the gradient of the
sum is, at every place, the derivative of the element there, where an element depends on its own place alone;
else it is the sum over all elements, as the caller is told.
"""

from __future__ import annotations

from dataclasses import replace

from symdiff.autodiff.activity import differentiable
from symdiff.errors import NonScalarError
from symdiff.ir.node import LEAF, Function
from symdiff.ops.reductions import add_reduce


def summed(function: Function) -> Function:
    """The sum of the one result of a function.  Raises NonScalarError for several."""
    output = function.results[0] if function.results else None
    if function.tree.kind != "leaf" or output is None or not differentiable(output.type):
        raise NonScalarError(
            f"{function.name} does not return one array of floats; its elementwise gradient needs one.",
            "return one array, or use vjp",
            span=next((result.span for result in function.results if result.span is not None), None),
        )
    if output.type.dims == ():
        return function
    with function.open() as builder:
        total = add_reduce(output)
        body = replace(function.body, body=builder.body, results=(total,))
    return replace(function, body=body, tree=LEAF)
