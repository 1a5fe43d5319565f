"""The way there: the forward code, which saves what the plan says and counts how often loops run.

Enters: forward control nodes.  Leaves: the same with more carried values and results.  Invariant: the
user's own operations are the same, in the same order; what is saved is pushed right where it was computed.
"""

from __future__ import annotations

from collections.abc import Sequence

from symdiff.autodiff.activity import LOOPS, result_types
from symdiff.autodiff.saving import Save
from symdiff.autodiff.walk import Walk
from symdiff.ir import types
from symdiff.ir.control import UNDEFINED
from symdiff.ir.node import Node, Region
from symdiff.ops.arithmetic import add
from symdiff.ops.shaping import copy
from symdiff.ops.stacks import new_stack, push

INT = types.number("int")
EMPTY = types.stack_of(types.UNDEFINED)


class There(Walk):
    """A walk that can copy forward code."""

    def augmented(self, node: Node, args: tuple[Node, ...]) -> Node:
        """A forward control node that also saves, and counts how often it runs."""
        saves = self.through.get(node, [])
        trips = self.sweep.trips.get(node)
        outermost = node not in self.homes.region
        carried: list[Node] = []
        loop = node.op.name in LOOPS
        before = {save.value: self.stacks.get(save.value) for save in saves}
        for save in saves:
            stack = before[save.value]
            if save.stacked and stack is None:
                stack = before[save.value] = self.named(self.builder.typed(new_stack, (), {}, EMPTY), save)
            if loop and stack is not None:
                carried.append(stack)
        if trips is not None:
            carried.append(self.builder.const(0))
        regions = []
        for region in node.regions:
            self.stacks.update({value: stack for value, stack in before.items() if stack is not None})
            for value, stack in before.items():
                if stack is None:
                    self.stacks.pop(value, None)
            regions.append(self.saving(node, region, saves, trips is not None))
        found = [
            *(self.types[s.value] if s.stacked else s.value.type for s in saves),
            *([INT] * (trips is not None)),
        ]
        made = self.made(
            node, (*args, *carried), tuple(regions), types.tuple_of((*result_types(node), *found))
        )
        return self.taken_apart(node, made, saves, outermost)

    def saving(self, node: Node, region: Region, saves: Sequence[Save], counting: bool) -> Region:
        loop = node.op.name in LOOPS
        extra = [self.types[save.value] for save in saves] if loop else []
        kinds = [*(param.type for param in region.params), *extra, *([INT] if counting else [])]
        body = region is node.regions[-1] or not loop
        with self.builder.region(*kinds) as opened:
            self.enter(region, opened.params)
            self.inside.add(region)
            added = opened.params[len(region.params) :]
            if loop:
                for save, param in zip(saves, added, strict=False):
                    self.stacks[save.value] = self.named(param, save)
            first = _reads_elements(region) if loop else 0
            self.body(region.body[:first], None)
            trips: list[Node] = []
            if counting and body:  # at once, so that a `break` may be the last that is done
                object.__setattr__(added[-1], "name", "trips")
                trips.append(self.builder.typed(add, (added[-1], self.builder.const(1)), {}, INT))
            for param in region.params:
                self.after(param)
            self.body(region.body[first:], None)
            results = [*map(self.now, region.results)]
            if body:
                more = [*map(self.result_of, saves), *trips]
                end = len(results) - bool(node.attr("breaks"))
                results[end:end] = more
            opened.results = results
            self.inside.discard(region)
        return opened.closed()

    def result_of(self, save: Save) -> Node:
        """What a region hands on of what is saved in it; nothing where the other branch has it."""
        if save.value in self.stacks:
            return self.stacks[save.value]
        return self.builder.typed(UNDEFINED, (), {}, types.UNDEFINED)

    def taken_apart(self, node: Node, made: Node, saves: Sequence[Save], outermost: bool) -> Node:
        """The results of an augmented node: what stands for the node itself."""
        first = len(result_types(node))
        for k, save in enumerate(saves):
            value = self.named(self.item(made, first + k), save)
            self.stacks[save.value] = value
            if outermost and not save.stacked:
                self.back[save.value] = self.renamed(value, save.value)
        if node in self.sweep.trips:
            self.beside(self.sweep.trips[node], self.item(made, first + len(saves)))
        whole = made if node.type.kind == "tuple" else self.item(made, 0)
        if whole is not made:
            self.renamed(whole, node)
        return whole

    def after(self, value: Node) -> None:
        """Save a value that was just computed."""
        save = self.plan.saves.get(value)
        if value in self.plan.views:
            self.copies[value] = self.builder.typed(copy, (self.known[value],), {}, value.type)
        if save is None or save.home not in self.inside:
            return
        kept = self.known[value]
        if save.copied:
            kept = self.builder.typed(copy, (kept,), {}, kept.type)
        if save.stacked:
            kept = self.named(
                self.builder.typed(push, (self.stacks[value], kept), {}, self.types[value]), save
            )
        self.stacks[value] = kept


def _reads_elements(region: Region) -> int:
    """How many operations at the start of a loop's body read what it goes over: they stay at the start."""
    count = 0
    for node in region.body:
        if node.op.name not in ("index", "stack_item") or node.args[1:] != region.params[:1]:
            break
        count += 1
    return count
