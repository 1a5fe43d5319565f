"""Folds of writes: what a cotangent is behind the writes that it went back through.

Enters: reads, writes and sums at the same place of one derived array.  Leaves: one of them, or none, so that
`A[i] += v` goes back as `v_bar = A_bar[i]`, `A[i] *= v` as `A_bar[i] *= v` and `A[i] = v` as a read and
`A_bar[i] = 0.0`.  Invariant: places are the same only where index and operands are, and what is read back is
what was written only where no place is named twice.
"""

from __future__ import annotations

from typing import Any

from symdiff.ir.build import current
from symdiff.ir.node import Node
from symdiff.ops import infer
from symdiff.ops.arithmetic import add
from symdiff.ops.folds.common import fold, is_const, same_type
from symdiff.ops.indexing import add_at, index
from symdiff.ops.shaping import broadcast_to, zeros, zeros_like
from symdiff.ops.updates import update

_ZEROS = (zeros, zeros_like)
_read = index


def _is_unique(operands: tuple[Node, ...], spec: Any) -> bool:
    """Whether an index names no place twice."""
    chosen = [operands[entry[1]].type for entry in spec if entry[0] == "arg"]
    return all(one.dtype == "bool" or one.dims == () for one in chosen)


def _is_update_at(node: Node, operands: tuple[Node, ...], spec: Any) -> bool:
    """Whether a derived array is what a write into this place left, and no place of it is named twice."""
    return (
        node.op is update
        and not node.primal
        and not node.attr("view", ())
        and node.args[2:] == operands
        and node.attr("index", ()) == spec
        and _is_unique(operands, spec)
    )


def _is_read(node: Node, of: Node, operands: tuple[Node, ...], spec: Any) -> bool:
    """Whether a value is what stands at a place."""
    return node.op is index and node.args == (of, *operands) and node.attr("index", ()) == spec


def _is_all(x: Node, spec: Any) -> bool:
    """Whether an index names every place of an array: `x[:]` or `x[...]`."""
    return bool(spec) and all(entry in _ALL for entry in spec)


_ALL = (("ellipsis",), ("slice", None, None, None))


@fold(index)
def _index(x: Node, *operands: Node, index: Any = ()) -> Node | None:
    if x.primal:
        return None
    if _is_all(x, index):
        return x
    scalar = _place(x, operands, index).dims == ()
    if x.op in _ZEROS and scalar:
        return current().const(0.0)
    if x.op is broadcast_to and scalar and x.args[0].type.dims == ():
        return x.args[0]
    if _is_update_at(x, operands, index):
        value = x.args[1]
        if value.is_const and scalar:
            return value
        return value if same_type(value.type, _place(x, operands, index)) else None
    if _is_sum_at(x, operands, index):
        # What went back through a write is read and then set to zero, which leaves out the sum: without this
        # both arrays would be needed, the one with the sum and the one without.
        total, g = x.args[:2]
        if g.is_const or same_type(g.type, _place(x, operands, index)):
            return _read(total, *operands, index=index) + g
    return None


def _is_sum_at(node: Node, operands: tuple[Node, ...], spec: Any) -> bool:
    """Whether a derived array has this place added to, and no place of it is named twice."""
    same = node.args[2:] == operands and node.attr("index", ()) == spec
    return node.op is add_at and not node.primal and same and _is_unique(operands, spec)


def _place(x: Node, operands: tuple[Node, ...], spec: Any) -> Any:
    return index.infer(x, *operands, index=spec)


@fold(update)
def _update(base: Node, value: Node, *operands: Node, index: Any = (), view: Any = ()) -> Node | None:
    if base.primal:
        return None
    if base.op in _ZEROS and is_const(value, 0):
        return base
    if view:
        return None
    if _is_all(base, index) and is_const(value, 0):
        return current().const(0.0) if base.type.dims == () else zeros_like(base)
    rewritten = base.op in (update, add_at) and not base.attr("view", ())
    if rewritten and base.args[2:] == operands and base.attr("index", ()) == index:
        return update(base.args[0], value, *operands, index=index)
    if _is_read(value, base, operands, index):
        return base
    return None


@fold(add_at)
def _add_at(total: Node, g: Node, *operands: Node, index: Any = ()) -> Node | None:
    if is_const(g, 0):
        return total
    if not _is_update_at(total, operands, index) or not is_const(total.args[1], 0):
        return None
    before = total.args[0]
    if _is_read(g, before, operands, index):
        return before
    if g.op is add and not g.primal:
        for one, other in (g.args, g.args[::-1]):
            if _is_read(one, before, operands, index):
                return add_at(before, other, *operands, index=index)
    if infer.numpy_dtype(g) == before.type.dtype or g.type.kind == "number":
        return update(before, g, *operands, index=index)
    return None
