"""The weaving: one copy of the program in which the plan is carried out.

Enters: a function whose derived code reads forward values of closed regions, its sweep and the plan.  Leaves: the
same function, in which every value is in scope.  Invariants: the user's own operations are the same, in the
same order; a value that is saved is pushed where it was computed and popped in the mirrored place, so that
its stack holds one item for each time.

There is one stack for each saved value and the whole nest of loops around it, made before the nest and carried
through every loop and every branch around the place.  What is saved in a branch that no loop is around leaves it
as one more result.  Types are kept, not inferred again: a symbol of a forward region means the same on the
way back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from keyword import iskeyword

from symdiff.autodiff.activity import LOOPS, result_types
from symdiff.autodiff.costs import MEASURES, measured
from symdiff.autodiff.memory import WRITES
from symdiff.autodiff.saving import Plan, Reads, Save, planned
from symdiff.autodiff.sweep import Straight
from symdiff.ir import types
from symdiff.ir.build import Builder
from symdiff.ir.control import ITEM, UNDEFINED, captures, carried_params
from symdiff.ir.node import Function, Node, Region
from symdiff.ir.types import Size, Type
from symdiff.ops.arithmetic import add
from symdiff.ops.shaping import copy
from symdiff.ops.stacks import new_stack, pop, push

INT = types.number("int")
EMPTY = types.stack_of(types.UNDEFINED)


def woven(function: Function, sweep: Straight) -> Function:
    """The function with everything in scope; itself where it has no control flow."""
    if not any(_is_written(node) for node in sweep.function.body.body):
        return function
    walk = _Weave(function, sweep)
    with walk.builder:
        walk.follow(planned(function, sweep))
        return walk.function()


def _is_written(node: Node) -> bool:
    return bool(node.regions) or node.op.name in WRITES


class _Weave:
    """One walk.

    known: by forward or derived value, what it is in the copy.  back: by forward value, what it is on the way
    back.  stacks: by saved value, its stack at this place; of one that leaves its branch as a result, that.
    inside: the forward regions that the walk is in.  copies: by view, the copy that the way back reads.
    """

    def __init__(self, function: Function, sweep: Straight):
        self.source, self.sweep = function, sweep
        self.homes = sweep.homes
        self.reads = Reads(sweep)
        self.builder = Builder(function.sizes, primal=False)
        self.builder.params = function.params
        self.known: dict[Node, Node] = {}
        self.back: dict[Node, Node] = {}
        self.stacks: dict[Node, Node] = {}
        self.inside: set[Region] = set()
        self.copies: dict[Node, Node] = {}
        self.returning = False

    def follow(self, plan: Plan) -> None:
        self.plan = plan
        self.types = {value: types.stack_of(self.renewed(value.type)) for value in plan.saves}
        self.through: dict[Node, list[Save]] = {}  # by control node, what is saved inside
        for save in plan.saves.values():
            for node in self.homes.around(save.home):
                self.through.setdefault(node, []).append(save)

    def renewed(self, type: Type) -> Type:
        """The type with symbols of its own for what only one iteration knows."""
        dims = self.source.sizes.resolve(type.dims)
        if dims is None:
            return type
        fresh = self.source.sizes.fresh
        own = (fresh() if isinstance(dim, Size) and dim.name.startswith("?") else dim for dim in dims)
        return type.with_dims(tuple(own))

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

    def now(self, node: Node) -> Node:
        """What stands for a value here."""
        home = self.homes.region.get(node)
        if self.returning and node in self.copies:
            return self.copies[node]
        if home is None or home in self.inside:
            return self.known.get(node, node)
        return self.back.get(node, node)

    def body(self, nodes: Iterable[Node], mirrored: Region | None) -> None:
        """Copy nodes; mirrored: the forward region that they go back through."""
        for node in nodes:
            if mirrored is not None:
                self.provide(node, mirrored)
            self.known[node] = self.node(node)
            self.after(node)

    def node(self, node: Node) -> Node:
        args = tuple(map(self.now, node.args))
        if not node.regions:
            return self.made(node, args)
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

    def made(
        self, node: Node, args: tuple[Node, ...], regions: tuple[Region, ...] = (), type: Type | None = None
    ) -> Node:
        """The node with other operands; it keeps its type, line and name."""
        if not regions and all(new is old for new, old in zip(args, node.args, strict=True)):
            self.builder.adopt(node)
            return node
        made = replace(node, args=args, regions=regions, type=type or node.type)
        self.builder.adopt(made)
        return made

    def plain(self, node: Node, region: Region) -> Region:
        """A region with nothing added."""
        forward = region in self.homes.owner
        with self.builder.region(*(param.type for param in region.params)) as opened:
            self.enter(region, opened.params)
            if forward:
                self.inside.add(region)
            self.body(region.body if forward else self.reads.live(region), None)
            opened.results = [*map(self.now, region.results)]
            self.inside.discard(region)
        return opened.closed()

    def enter(self, region: Region, params: Sequence[Node]) -> None:
        """The parameters of a copied region stand for those it was copied from."""
        for new, old in zip(params, region.params, strict=False):
            object.__setattr__(new, "name", old.name)
            object.__setattr__(new, "primal", old.primal)
            self.known[old] = new

    # --- the way there --------------------------------------------------------------------------------------

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
            for param in region.params:
                self.after(param)
            self.body(region.body, None)
            results = [*map(self.now, region.results)]
            if body:
                more = [self.result_of(save) for save in saves]
                if counting:
                    object.__setattr__(added[-1], "name", "trips")
                    more.append(self.builder.typed(add, (added[-1], self.builder.const(1)), {}, INT))
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
        for (loop, k), final in self.sweep.finals.items():
            if loop is node:
                self.beside(final, whole if node.type.kind != "tuple" else self.item(made, k))
        return whole

    def beside(self, placeholder: Node, value: Node) -> None:
        """What the sweep had a parameter for."""
        self.known[placeholder] = self.renamed(value, placeholder)
        self.after(placeholder)

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

    # --- the way back ---------------------------------------------------------------------------------------

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
        extra = [*(value.type for value in following), *(self.types[s.value] for s in saves)] if loop else []
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
            opened.results = [
                *results, *(self.back[params[k]] for k in shifts), *(self.stacks[save.value] for save in saves)
            ]  # fmt: skip
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
        if self.homes.region.get(value) is not forward:
            if value in self.plan.again:
                for arg in value.args:
                    self.restore(arg, forward)
            return
        save = self.plan.saves.get(value)
        if save is not None:
            self.pop(save)
            return
        if value.op.name in MEASURES and (elsewhere := measured(value)) is not None:
            self.back[value] = self.builder.emit(elsewhere.op, elsewhere.args, elsewhere.attributes)
            return
        for arg in value.args:
            self.restore(arg, forward)
        args = tuple(map(self.now, value.args))
        existing = self.builder.existing(value.op, args, value.attrs) if value.op.pure else None
        if existing is None:
            existing = replace(value, args=args)
            self.builder.adopt(existing)
        self.back[value] = existing

    def pop(self, save: Save) -> None:
        value, type = save.value, self.types[save.value]
        both = self.builder.typed(pop, (self.stacks[value],), {}, types.tuple_of((type, value.type)))
        self.stacks[value] = self.named(self.item(both, 0), save)
        self.back[value] = self.renamed(self.item(both, 1, value.type), value)

    def discard(self, save: Save, forward: Region) -> None:
        """Pop what was saved also where this way back does not read it."""
        if save.home is forward and save.value not in self.back:
            self.pop(save)

    # --- small things ---------------------------------------------------------------------------------------

    def item(self, made: Node, k: int, type: Type | None = None) -> Node:
        return self.builder.typed(ITEM, (made,), {"index": k}, type or made.type.items[k])

    def renamed(self, new: Node, old: Node) -> Node:
        if old.name and not new.name and not new.is_const:
            object.__setattr__(new, "name", old.name)
        return new

    def named(self, stack: Node, save: Save) -> Node:
        """Call a stack after what it holds."""
        if save.stacked and not stack.name:
            object.__setattr__(stack, "name", stack_name(save.value))
        return stack


def stack_name(value: Node) -> str:
    """A plural: `hs` of `h`; `<name>_steps` where one would be misread."""
    if not value.name:
        return "saved"
    plural = f"{value.name}s"
    return f"{value.name}_steps" if value.name.endswith("s") or iskeyword(plural) else plural


def report(plan: Plan) -> dict[str, object]:
    """What `cost` tells: name, line and type of what is saved and of what is computed again."""

    def line(value: Node) -> tuple[str, int, str]:
        return value.name, value.span.line if value.span is not None else 0, str(value.type)

    return {"saved": tuple(map(line, plan.saves)), "recomputed": tuple(map(line, plan.again))}
