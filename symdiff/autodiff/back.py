"""The way back: derived control nodes, which pop what the way there has saved.

Enters: derived control nodes whose regions go back through forward regions.  Leaves: the same with the
stacks carried through.  Invariant: a region pops each value that its forward region saved exactly once,
before anything in it reads the value; so every stack is empty behind the nest that it belongs to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from symdiff.autodiff.activity import LOOPS, result_types
from symdiff.autodiff.costs import MEASURES, measured
from symdiff.autodiff.places import Place
from symdiff.autodiff.saving import Save
from symdiff.autodiff.stops import carried_condition
from symdiff.autodiff.there import There
from symdiff.ir import types
from symdiff.ir.control import carried_params
from symdiff.ir.node import Node, Region
from symdiff.ops.indexing import index
from symdiff.ops.stacks import pop


class Back(There):
    """A walk that can copy derived code too."""

    def reversed(self, node: Node, args: tuple[Node, ...], forward: Sequence[Region]) -> Node:
        """A control node that goes back, with the stacks that are popped inside."""
        owner = self.homes.owner[forward[0]]
        saves = [save for save in self.through.get(owner, []) if save.stacked]
        shifts = self.plan.shifted.get(forward[0], []) if owner.op.name in LOOPS else []
        carried: list[Node] = []
        if owner.op.name in LOOPS:
            finals = [self.final(owner, k) for k in shifts]
            carried = [*finals, *(self.stacks[save.value] for save in saves)]
        before = {save.value: self.stacks[save.value] for save in saves}
        regions = []
        for region, there in zip(node.regions, forward, strict=True):
            self.stacks.update(before)
            regions.append(self.popping(region, there, saves, shifts, owner))
        found = [*(self.sweep.final_of(owner, k).type for k in shifts), *(self.types[s.value] for s in saves)]
        if not found:
            return self.made(node, args, tuple(regions))
        made = self.made(
            node, (*args, *carried), tuple(regions), types.tuple_of((*result_types(node), *found))
        )
        first = len(result_types(node)) + len(shifts)
        for k, save in enumerate(saves):
            self.stacks[save.value] = self.named(self.item(made, first + k), save)
        return made if node.type.kind == "tuple" else self.renamed(self.item(made, 0), node)

    def final(self, loop: Node, k: int) -> Node:
        """What a carried value was in the end, on the way back."""
        value = self.sweep.final_of(loop, k)
        if value in self.homes.region:
            self.restore(value, self.homes.region[value])
        return self.now(value)

    def popping(
        self, region: Region, forward: Region, saves: Sequence[Save], shifts: Sequence[int], owner: Node
    ) -> Region:
        loop = owner.op.name in LOOPS
        following = [forward.results[k] for k in shifts]
        extra = (
            [*(self.carried_type(owner, k) for k in shifts), *(self.types[s.value] for s in saves)]
            if loop
            else []
        )
        with self.builder.region(*(param.type for param in region.params), *extra) as opened:
            self.enter(region, opened.params)
            if forward in self.sweep.counted:
                self.back[forward.params[0]] = self.renamed(opened.params[0], forward.params[0])
            added = opened.params[len(region.params) :]
            for value, param in zip(following, added, strict=False):
                self.back[value] = self.renamed(param, value)
            if loop:
                for save, param in zip(saves, added[len(shifts) :], strict=True):
                    self.stacks[save.value] = self.named(param, save)
            self.body(self.reads.live(region), forward)
            for value in self.reads_of(region.results):
                self.restore(value, forward)
            results = [*map(self.now, region.results)]
            params = carried_params(owner, forward) if loop else ()
            for k in shifts:
                self.restore(params[k], forward)
            for save in saves:
                self.discard(save, forward)
            stacks = [self.stacks[save.value] for save in saves]
            opened.results = [*results, *(self.back[params[k]] for k in shifts), *stacks]
        return opened.closed()

    def reads_of(self, values: Iterable[Node]) -> list[Node]:
        return [value for value in values if value in self.homes.region]

    def provide(self, node: Node, forward: Region) -> None:
        """Have what a node of the way back reads of its forward region."""
        for value in self.reads.of_node(node):
            self.restore(value, forward)

    def restore(self, value: Node, forward: Region) -> None:
        """Pop a value of a forward region, or compute it again."""
        if value in self.back:
            return
        loop, k = self.homes.carried.get(value, (None, -1))
        found = None if loop is None or k < 0 else carried_condition(loop)
        if found is not None and found[1] == k:
            self.back[value] = self.builder.const(False)  # or this iteration had not come
            return
        here = self.homes.region.get(value) is forward
        if here and value in self.plan.saves:
            self.pop(self.plan.saves[value])
        elif here or value in self.plan.again:
            place = self.plan.again.get(value)
            elsewhere = measured(value) if value.op.name in MEASURES else None
            if elsewhere is not None:
                self.back[value] = self.elsewhere(elsewhere)
                return
            for operand in value.args if place is None else place.operands:
                self.restore(operand, forward)
            if here:
                self.back[value] = self.again(value, place)

    def elsewhere(self, value: Node) -> Node:
        """A shape or length of an argument, or a number where the argument has this length for certain."""
        if value.is_const:
            return self.builder.const(value.value)
        return self.builder.emit(value.op, value.args, value.attributes)

    def again(self, value: Node, place: Place | None) -> Node:
        """A value that is computed again, or read where it still stands."""
        if place is None:
            args, attrs = tuple(map(self.now, value.args)), value.attrs
        else:
            final = self.sweep.final_of(place.loop, place.index)
            args, attrs = (self.now(final), *map(self.now, place.operands)), (("index", place.spec),)
        op = value.op if place is None else index
        existing = self.builder.existing(op, args, attrs) if op.pure else None
        if existing is not None:
            return existing
        made = replace(value, op=op, args=args, attrs=attrs, type=self.type_of(value))
        self.builder.adopt(made)
        return made

    def pop(self, save: Save) -> None:
        value, type = save.value, self.types[save.value]
        both = self.builder.typed(pop, (self.stacks[value],), {}, types.tuple_of((type, self.type_of(value))))
        self.stacks[value] = self.named(self.item(both, 0), save)
        self.back[value] = self.renamed(self.item(both, 1, self.type_of(value)), value)

    def discard(self, save: Save, forward: Region) -> None:
        """Pop what was saved also where this way back does not read it."""
        if save.home is forward and save.value not in self.back:
            self.pop(save)
