"""Operations that are no function of NumPy (closures, writes into parameters), and which memory is shared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symdiff.ir.control import LOOPS, carried_params, handed, owner_of
from symdiff.ir.node import Node, Op, Region
from symdiff.ir.types import Type, tuple_of
from symdiff.ops.row import Row


def _infer_closure(*, regions: tuple[Region, ...], **_: Any) -> Type:
    return tuple_of(result.type for result in regions[0].results)


# A function of the region's parameters, closing over outer values: the pullback of `vjp`.
closure = Op("closure", _infer_closure)

# `store(target, value)` writes a value into the array of a parameter; its own value is that array from there
# on.  It is kept although nothing reads it, and what it overwrites must have been read before.
store = Op("store", lambda target, value: target.type, pure=False, effect=True)


def is_view(node: Node) -> bool:
    """Whether the value may share memory with its first operand."""
    if not isinstance(node.op, Row) or not (node.op.view or node.op.name == "fit_like"):
        return False
    return node.op.name != "index" or not _is_copy(node)


def _is_copy(node: Node) -> bool:
    """Whether indexing made a copy: an element, or what integer and boolean arrays select."""
    entries = node.attr("index")
    if node.type.dims == () and all(entry[0] != "ellipsis" for entry in entries):
        return True
    chosen = [node.args[1 + entry[1]].type for entry in entries if entry[0] == "arg"]
    return any(one.kind == "array" and (one.dtype == "bool" or bool(one.dims)) for one in chosen)


def root(node: Node) -> Node:
    """The value whose memory this one may share."""
    while is_view(node):
        node = node.args[0]
    return node


def roots(node: Node) -> set[Node]:
    """The values whose memory this one may share, through control flow as well: a result of an `if` may be
    that of either branch, a final value the initial one.  What was on a stack is a root of its own."""
    return _sources(node, root)


def sources(node: Node) -> set[Node]:
    """The values that this one may be: as `roots`, but a view is a source of its own."""
    return _sources(node, lambda one: one)


def _sources(node: Node, behind: Callable[[Node], Node]) -> set[Node]:
    found: set[Node] = set()
    seen: set[Node] = set()
    carried: dict[Node, tuple[Node, int]] = {}
    pending = [behind(node)]
    while pending:
        one = pending.pop()
        onward = _onward(one, carried)
        if onward is None:
            found.add(one)
        elif one not in seen:
            seen.add(one)
            pending += map(behind, onward)
    return found


def _onward(node: Node, carried: dict[Node, tuple[Node, int]]) -> list[Node] | None:
    """The values that one may be which control flow hands on; None for others.  carried: by parameter, its
    loop and which it is, for loops that were met before."""
    place = carried.get(node) if node.op.name == "param" else owner_of(node)
    if place is None or not place[0].regions:
        return None
    control, index = place
    if control.op in LOOPS:
        for region in control.regions:
            carried.update((param, (control, k)) for k, param in enumerate(carried_params(control, region)))
    return handed(control, index)


# NumPy gives results the order of axes in memory that the operands have, except these.
_ORDERED = ("param", "copy", "matmul", "dot", "scatter", "tensordot", "outer", "inner")
_PERMUTING = ("transpose", "swapaxes", "moveaxis", "matrix_transpose", "rot90")


def is_permuted(node: Node, arguments: bool = False) -> bool:
    """Whether the axes of an array may lie in memory in another order than C's; those of arguments only where
    that is asked for."""
    seen: set[Node] = set()
    carried: dict[Node, tuple[Node, int]] = {}
    pending = [node]
    while pending:
        one = pending.pop()
        name = one.op.name
        rank = 2 if one.type.rank is None else one.type.rank
        if one in seen or rank < 2 or one.type.kind == "shape":
            continue
        seen.add(one)
        onward = _onward(one, carried)
        ordered = name in _ORDERED and one.attr("order", "C") == "C"
        if arguments and onward is None and name == "param":
            return True
        if onward is None and (ordered or name.startswith("linalg.")):
            continue
        if onward is None and one.attr("order", "C") != "C":
            return True
        if name in _PERMUTING or (name == "einsum" and _reorders(one.attr("subscripts"))):
            return True
        pending += one.args if onward is None else onward
    return False


def _reorders(subscripts: str) -> bool:
    """Whether the axes of the result stand in another order than in the operands."""
    operands, _, result = subscripts.partition("->")
    places = [operands.find(label) for label in result]
    return places != sorted(places)
