"""Loops that are marked `checkpoint`, cut into segments that the way back computes again.

Enters: a function.  Leaves: an equal one in which a marked loop is a loop over segments, each a `block` that
loops over its part of the range.  Invariant: the same iterations run in the same order; at any time the way
back holds the states at the beginnings of segments and those inside of one: of n iterations with the mark -1
about 2 * sqrt(n) states.
"""

from __future__ import annotations

from symdiff.ir import types
from symdiff.ir.build import Builder
from symdiff.ir.control import BLOCK, FOR, ITEM, carried_of
from symdiff.ir.node import Function, Node
from symdiff.ir.rewriting import Rewriting
from symdiff.ops.row import REGISTRY


def segmented(function: Function) -> Function:
    """The function with its marked loops in segments; itself where there is none."""
    if not any(_is_marked(node) for node in function.nodes()):
        return function
    return _Cut(Builder(function.sizes, primal=False)).function(function)


def _is_marked(node: Node) -> bool:
    """Whether a loop is cut: only the run can tell how long one that breaks runs, or where a step leads."""
    marked = node.op is FOR and bool(node.attr("checkpoint"))
    return marked and not node.attr("breaks") and node.args[2].is_const


class _Cut(Rewriting):
    def node(self, node: Node) -> None:
        if _is_marked(node):
            self.known[node] = self.cut(self.renewed(node))
        else:
            super().node(node)

    def cut(self, loop: Node) -> Node:
        """A loop over segments, in the place of a marked loop."""
        builder, (start, stop, step) = self.builder, loop.args[:3]
        builder.span = loop.span
        stride = step * self.length(loop)
        carried = [param.type for param in loop.regions[0].params[1:]]
        attrs = {"reverse": True} if loop.attr("reverse") else {}
        with builder.region(types.number("int"), *carried) as opened:
            first, *states = opened.params
            builder.label(first, "first")
            for state, param in zip(states, loop.regions[0].params[1:], strict=True):
                builder.label(state, param.name)
            with builder.region() as segment:
                last = self.last(first + stride, stop, step)
                part = builder.typed(FOR, (first, last, step, *states), attrs, loop.type, loop.regions)
                segment.results = self.items(part, len(states))
            whole = builder.typed(BLOCK, (), {}, loop.type, (segment.closed(),))
            opened.results = self.items(whole, len(states))
        made = builder.typed(
            FOR, (start, stop, stride, *carried_of(loop)), attrs, loop.type, (opened.closed(),)
        )
        builder.label(made, loop.name)
        return made

    def items(self, made: Node, count: int) -> list[Node]:
        if made.type.kind != "tuple":
            return [made]
        return [self.builder.typed(ITEM, (made,), {"index": k}, made.type.items[k]) for k in range(count)]

    def last(self, behind: Node, stop: Node, step: Node) -> Node:
        """Where a segment ends, which is the range's own end for the last one."""
        forward = not isinstance(step.value, complex) and step.value > 0
        return REGISTRY["builtins.min" if forward else "builtins.max"](behind, stop)

    def length(self, loop: Node) -> Node:
        """How many iterations a segment has."""
        builder, (start, stop, step) = self.builder, loop.args[:3]
        if loop.attr("checkpoint") > 0:
            return builder.const(loop.attr("checkpoint"))
        count = stop - start
        if not (step.is_const and step.value == 1):
            count = -REGISTRY["floor_divide"](start - stop, step)
        root = REGISTRY["math.sqrt"](REGISTRY["builtins.max"](count, 1))
        found: Node = REGISTRY["math.ceil"](root)
        builder.label(found, "segment")
        return found
