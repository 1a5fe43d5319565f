"""Values whose derivative the user wrote: what `symdiff.rule` makes of a call.

Enters: the values of a call that was evaluated in place, its operands, and what the rules for the way back
and for forward mode compute.  Leaves: the same values, differentiated by these rules alone.

    rule(*values, *operands, *captured){vjp}{jvp}        the values

    vjp(*cotangents, *values, *operands, *captured) -> cotangents of the operands of `pulled`
    jvp(*tangents, *values, *operands, *captured) -> tangents of the values of `pushed`

Attributes: `called`: the function's name; `values`, `operands`: how many there are; `modes`: which of the two
regions there are, in order; `pulled`, `pushed`: the numbers of the operands (values) for which a rule gives
something; `nested`: the rule was called in itself, as deep as rules are written out.

Invariants: the values are computed from `stop_gradient` of the operands, so that nothing but the rule
connects them; what the function reads from outside beside its arguments has no derivative.  A region is
closed: it reads its parameters and nothing else, and so a pass may take the node for an operation without
regions.  What is in it is the user's own, where it is written out too.  Cotangents are in the convention of
users (of a complex x + iy: d/dx + i d/dy).  Behind the last derivative, `autodiff.rules.erased` puts the
values in the node's place; no later stage sees one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symdiff.ir import types
from symdiff.ir.build import OpenRegion, current
from symdiff.ir.control import RULE, captures
from symdiff.ir.copying import Known, closed, copied, copy_of
from symdiff.ir.node import Node, Region


def ruled(
    called: str,
    values: Sequence[Node],
    operands: Sequence[Node],
    opened: dict[str, tuple[OpenRegion, tuple[int, ...]]],
    nested: bool = False,
) -> Node:
    """The `rule` node.

    opened: by mode, the closed region that was evaluated with parameters for cotangents or tangents and then
    for values, which reads operands where they are; and for what it gives something.
    """
    found: dict[Node, None] = {}
    for region, _ in opened.values():
        found.update(dict.fromkeys(one for one in captures(region.closed()) if not one.is_const))
    captured = [one for one in found if one not in operands]
    regions = tuple(_closed(region.closed(), [*operands, *captured]) for region, _ in opened.values())
    attrs: dict[str, Any] = {"called": called, "values": len(values), "operands": len(operands)}
    attrs |= {"modes": tuple(opened), "nested": nested}
    attrs |= {_GIVEN[mode]: given for mode, (_, given) in opened.items()}
    args = (*values, *operands, *captured)
    found_types = [value.type for value in values]
    type = found_types[0] if len(values) == 1 else types.tuple_of(found_types)
    return current().typed(RULE, args, attrs, type, regions)


_GIVEN = {"vjp": "pulled", "jvp": "pushed"}


def _closed(region: Region, outer: Sequence[Node]) -> Region:
    """The region with parameters in the place of what it reads from outside."""
    builder = current()
    resolve, builder.resolve = builder.resolve, None
    try:
        with closed(builder), builder.region(*(one.type for one in (*region.params, *outer))) as opened:
            params = opened.params
            known: Known = dict(zip(region.params, params, strict=False))
            for one, param in zip(outer, params[len(region.params) :], strict=True):
                known.setdefault(one, param)
            for one in captures(region):
                if one.is_const:
                    known[one] = builder.const(one.value)
            copied(region.body, known)
            opened.results = [known.get(result, result) for result in region.results]
    finally:
        builder.resolve = resolve
    return opened.closed()


def written_out(node: Node, mode: str, given: Sequence[Node], values: Sequence[Node]) -> dict[int, Node]:
    """What a rule computes, in the open region: by number of the operand (of the value) its cotangent (its
    tangent).  given: the cotangents (the tangents)."""
    region = node.regions[node.attr("modes").index(mode)]
    inputs = (*given, *values, *node.args[len(values) :])
    known: Known = dict(zip(region.params, inputs, strict=True))
    for one in region.body:
        folded = _folded(one, known)
        known[one] = copy_of(current(), one, known) if folded is None else folded
    results = (known.get(result, result) for result in region.results)
    return dict(zip(node.attr(_GIVEN[mode]), results, strict=True))


def _folded(node: Node, known: Known) -> Node | None:
    """An operation on a cotangent or tangent that is a constant, such as the first one, as derived code."""
    args = [known.get(arg, arg) for arg in node.args]
    if node.regions or not any(
        new.is_const and not old.is_const for new, old in zip(args, node.args, strict=True)
    ):
        return None
    made = current().emit(node.op, args, node.attributes)
    if node.name:
        current().label(made, node.name)
    return made
