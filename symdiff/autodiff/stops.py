"""Loops that break: whether they did.

Enters: a function.  Leaves: an equal one in which a loop that breaks where a condition holds also carries the
condition.  Invariant: in every iteration but the last one it did not hold, or there would have been no next
one; so the way back needs of it what it was in the end.
"""

from __future__ import annotations

from dataclasses import replace

from symdiff.ir import types
from symdiff.ir.build import Builder
from symdiff.ir.control import IF, ITEM, LOOPS, carried_of
from symdiff.ir.node import Function, Node
from symdiff.ir.rewriting import Rewriting


def flagged(function: Function) -> Function:
    """See the module's own text; the function itself where no loop breaks."""
    if not any(node.op in LOOPS and stop_condition(node) is not None for node in function.nodes()):
        return function
    return _Flag(Builder(function.sizes, primal=False)).function(function)


def stop_condition(loop: Node) -> Node | None:
    """The condition in the body of a loop that ends it where it holds."""
    if not loop.attr("breaks"):
        return None
    body = loop.regions[-1]
    stop, inside = body.results[-1], set(body.body)
    owner, k = (stop.args[0], stop.attr("index")) if stop.op is ITEM else (stop, 0)
    if owner.op is IF and owner in inside:
        flags = [region.results[k] for region in owner.regions]
        sets = all(flag.is_const for flag in flags) and [bool(flag.value) for flag in flags] == [True, False]
        stop = owner.args[0] if sets else stop
    return stop if stop in inside and stop.type.dims == () and stop.type.dtype == "bool" else None


def carried_condition(loop: Node) -> tuple[Node, int] | None:
    """The condition that ends a loop, and which of its carried values it is."""
    condition, body = stop_condition(loop), loop.regions[-1]
    initial = carried_of(loop)
    if condition is None or not initial:
        return None
    k = len(initial) - 1
    is_flag = body.results[k] is condition and initial[k].is_const and initial[k].value is False
    return (condition, k) if is_flag else None


class _Flag(Rewriting):
    def node(self, node: Node) -> None:
        made = self.renewed(node)
        if made.op in LOOPS and (condition := stop_condition(made)) is not None:
            made = self.carrying(made, condition)
        self.builder.adopt(made)
        if made is not node:
            single = node.type.kind != "tuple" and made.type.kind == "tuple"
            self.known[node] = self.first(made, node) if single else made

    def first(self, made: Node, node: Node) -> Node:
        item = self.builder.typed(ITEM, (made,), {"index": 0}, node.type)
        object.__setattr__(item, "name", node.name)
        object.__setattr__(item, "primal", node.primal)
        return item

    def carrying(self, loop: Node, condition: Node) -> Node:
        """The loop that hands on, as its last value, whether it breaks."""
        builder = self.builder
        regions = []
        for region in loop.regions:
            param = builder.param(condition.type)
            object.__setattr__(param, "name", "stop")
            results = region.results
            if region is loop.regions[-1]:
                results = (*results[:-1], condition, results[-1])
            regions.append(replace(region, params=(*region.params, param), results=results))
        before = loop.type.items if loop.type.kind == "tuple" else (loop.type,)
        return replace(
            loop,
            args=(*loop.args, builder.const(False)),
            regions=tuple(regions),
            type=types.tuple_of((*before, condition.type)),
        )
