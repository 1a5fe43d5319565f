"""What an int is at least: whether a loop certainly runs.

Enters: ints and staged ints.  Leaves: a number that they never go below, None where none is known.
Invariant: lengths of arguments that are named by a symbol are at least 2 (see `ir.types`).
"""

from __future__ import annotations

from collections.abc import Mapping

from symdiff.ir.build import current
from symdiff.ir.node import Node

Known = Mapping[Node, int]
Bound = int | Node
_DEEPEST = 16


def least(value: Bound, known: Known, depth: int = 0) -> int | None:
    """known: of the counters of the loops around."""
    if isinstance(value, int):
        return int(value)
    if value.is_const:
        return value.value if type(value.value) is int else None
    if value in known:
        return known[value]
    if value.op.name == "length":
        return _of_length(value)
    if value.op.name == "stack_length":
        return 0
    if depth > _DEEPEST or len(value.args) != 2 or value.type.kind != "number":
        return None
    a, b = (least(arg, known, depth + 1) for arg in value.args)
    if a is None or b is None:
        return None
    constant = value.args[1].is_const
    match value.op.name:
        case "add":
            return a + b
        case "subtract":
            return a - b if constant else None
        case "multiply":
            return a * b if a >= 0 and b >= 0 else None
        case "floor_divide":
            return a // b if constant and b > 0 else None
        case "builtins.max":
            return max(a, b)
        case "builtins.min":
            return min(a, b)
        case _:
            return None


def _of_length(node: Node) -> int:
    dims = node.args[0].type.dims
    if dims is None:
        return 0
    dim = current().sizes.find(dims[node.attr("axis", 0)])
    if isinstance(dim, int):
        return dim
    return 0 if dim.name.startswith("?") else max(2 - dim.less, 0)


def runs(start: Bound, stop: Bound, step: Bound, known: Known) -> bool:
    """Whether a range certainly has an item."""
    if not isinstance(step, int) or step == 0:
        return False
    first, last = (start, stop) if step > 0 else (stop, start)
    low = least(last, known)
    start_at = first.value if isinstance(first, Node) and first.is_const else first
    return isinstance(start_at, int) and low is not None and low > start_at


def least_of(start: Bound, stop: Bound, step: Bound, known: Known) -> int | None:
    """What a counter that goes through a range is at least."""
    if not isinstance(step, int) or step == 0:
        return None
    if step > 0:
        return least(start, known)
    low = least(stop, known)
    return None if low is None else low + 1
