"""A choice by the item of a batch: `where` between what both branches give.

Enters: an `if` whose condition is batched, with the results of both branches.  Leaves: the chosen results.
Invariant: branches are computed for all items only where that can neither fail nor be seen.
"""

from __future__ import annotations

from collections.abc import Sequence

from symdiff.autodiff.batching_operands import Operand, Refused, aligned, whole
from symdiff.ir.build import Builder
from symdiff.ir.node import Node
from symdiff.ir.types import Type
from symdiff.ops import infer
from symdiff.ops.elementwise import where
from symdiff.ops.row import row_for
from symdiff.ops.shaping import astype


def check(node: Node) -> None:
    """Raises `Refused` where a branch that is not taken must not be computed."""
    for region in node.regions:
        for one in region.body:
            row = row_for(one)
            free = one.is_const or (row is not None and one.op.pure and not one.op.effect)
            places = one.op.name in ("index", "scatter", "add_at", "update") and len(one.args) > 2
            if (
                not free
                or places
                or one.regions
                or one.type.kind in ("stack", "tuple")
                or "linalg" in one.op.name
            ):
                raise Refused


def selected(
    builder: Builder, node: Node, condition: Operand, ways: Sequence[Operand], type: Type, count: Node
) -> Node:
    """One result, chosen item by item."""
    check(node)
    first, second = ways
    for one, other in ((first, second), (second, first)):
        if one.type.kind == "undefined":
            return whole(other, count)
    rank = first.rank
    if first.type.kind not in ("array", "number") or second.type.kind not in ("array", "number"):
        raise Refused
    if rank != second.rank or type.dims is None:
        raise Refused
    made = where(aligned(condition, rank), whole(first, count), whole(second, count))
    have, want = infer.numpy_dtype(made), infer.numpy_dtype_of(type)
    return astype(made, dtype=want) if have and want and have != want else made
