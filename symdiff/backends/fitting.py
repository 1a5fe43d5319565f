"""Whether a value can be kept in the array of another: its form and its name, not who else reads that array.

Enters: two values, or a write and the sites of what it writes into.  Leaves: yes or no.  Invariant: yes means
that NumPy computes into the array what it would compute anew: the same shape, dtype and order.
"""

from __future__ import annotations

from symdiff.backends.sites import Alias, Made, shares
from symdiff.ir.node import Node
from symdiff.ir.types import Sizes, may_be_one
from symdiff.ops.row import Row


def fits(sizes: Sizes, old: Node, new: Node) -> bool:
    """Whether the result has the shape of the operand; only an axis of length 1 is ever stretched."""
    before, after = sizes.resolve(old.type.dims) or (), sizes.resolve(new.type.dims)
    return (
        old.type.kind == new.type.kind == "array"
        and bool(before)
        and after is not None
        and len(before) == len(after)
        and all(a == b or (a != 1 and not may_be_one(a)) for a, b in zip(before, after, strict=True))
        and old.type.dtype == new.type.dtype != ""
    )


def reads_well(old: Node, new: Node) -> bool:
    """One name must be able to stand for both values."""
    return not old.primal and (not new.name or not old.name or old.name == new.name)


def is_computed(sizes: Sizes, value: Node, written: Node) -> bool:
    """Whether an expression makes an array that fits, of which no one else knows."""
    elementwise = isinstance(value.op, Row) and value.op.kind == "elementwise"
    return elementwise and not shares(value) and fits(sizes, value, written)


def is_writable(node: Node, base: Alias) -> bool:
    """Whether what is written into is known to be an array that can be: not a number of NumPy's, and in
    C's order where the write counts on it."""
    if node.op.name != "update":
        return True
    reshapes = any(step[0] == "reshape" for step in node.attr("view", ()))
    if node.type.dims and not reshapes:
        return True
    return all(isinstance(who, Made) and who.plain for who, _ in base.own)
