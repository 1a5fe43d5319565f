"""The weaving: one copy of the program in which the plan is carried out.

Enters: a function whose derived code reads forward values of closed regions, and its sweep.  Leaves: the
same function, in which every value is in scope.  Invariant: the way there (`there`) saves, the way back
(`back`) pops in the mirrored place, so that a stack holds one item for each time that its value was
computed.

There is one stack for each saved value and the whole nest of loops around it, made before the nest and
carried through every loop and every branch around the place.  What is saved in a branch that no loop is
around leaves it as one more result.
"""

from __future__ import annotations

from dataclasses import replace

from symdiff.autodiff.back import Back
from symdiff.autodiff.memory import WRITES
from symdiff.autodiff.saving import Plan, planned
from symdiff.autodiff.sweep import Straight
from symdiff.ir.control import RULE, captures
from symdiff.ir.node import Function, Node


def woven(function: Function, sweep: Straight) -> Function:
    """The function with everything in scope; itself where it has no control flow."""
    if not any(_is_written(node) for node in sweep.function.body.body):
        return function
    walk = _Weave(function, sweep)
    with walk.builder:
        walk.follow(planned(function, sweep))
        return walk.function()


def _is_written(node: Node) -> bool:
    return (bool(node.regions) and node.op is not RULE) or node.op.name in WRITES


class _Weave(Back):
    """The walk over all code."""

    def function(self) -> Function:
        source = self.source
        forward = set(self.sweep.function.body.body)
        nodes = self.reads.live(source.body)
        self.body([node for node in nodes if node in forward], None)
        self.returning = True
        self.body([node for node in nodes if node not in forward], None)
        self.returning = False
        results = tuple(self.now(result) for result in source.results)
        body = replace(source.body, body=self.builder.body, results=results)
        return replace(source, body=body, info={**source.info, **report(self.plan)})

    def node(self, node: Node) -> Node:
        args = self.operands(node)
        if not node.regions:
            return self.made(node, args)
        if node.op is RULE:
            return self.made(node, args, node.regions)
        back = [self.sweep.mirrors.get(region) for region in node.regions]
        if back[0] is not None:
            return self.reversed(node, args, [region for region in back if region is not None])
        if node in self.through or node in self.sweep.trips:
            return self.augmented(node, args)
        forward = node.regions[0] in self.homes.owner
        if forward and args == node.args and all(self.now(one) is one for one in captures(*node.regions)):
            self.builder.adopt(node)
            return node
        return self.made(node, args, tuple(self.plain(node, region) for region in node.regions))


def report(plan: Plan) -> dict[str, object]:
    """What `cost` tells: name, line and type of what is saved and of what is computed again."""

    def line(value: Node) -> tuple[str, int, str]:
        return value.name, value.span.line if value.span is not None else 0, str(value.type)

    return {"saved": tuple(map(line, plan.saves)), "recomputed": tuple(map(line, plan.again))}
