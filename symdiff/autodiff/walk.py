"""The walk that copies a program: what the way there and the way back have in common.

Enters: a function and its sweep.  Leaves: nodes in a builder of its own, with everything that stands for
something else kept by the old node.  Invariant: types are kept, not inferred again: a symbol of a forward
region means the same on the way back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from symdiff.autodiff.activity import result_types
from symdiff.autodiff.saving import Plan, Reads, Save
from symdiff.autodiff.sweep import Straight
from symdiff.ir import types
from symdiff.ir.build import Builder, plural
from symdiff.ir.control import ITEM
from symdiff.ir.copying import name_params
from symdiff.ir.node import Function, Node, Region
from symdiff.ir.types import Dim, Size, Type


class Walk:
    """One walk over a function with its sweep.

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
        self.types = {value: types.stack_of(self.renewed(self.type_of(value))) for value in plan.saves}
        self.through: dict[Node, list[Save]] = {}  # by control node, what is saved inside
        for save in plan.saves.values():
            for node in self.homes.around(save.home):
                self.through.setdefault(node, []).append(save)

    def type_of(self, value: Node) -> Type:
        """The type of a value on the way back."""
        return self.sweep.resolved.get(value, value.type)

    def carried_type(self, loop: Node, k: int) -> Type:
        """The type of a value that the way back carries from one iteration into the one before."""
        sizes, following = self.source.sizes, self.type_of(loop.regions[-1].results[k])
        dims = sizes.resolve_computed(following.dims)
        if dims is None or dims == sizes.resolve_computed(result_types(loop)[k].dims):
            return following
        return following.with_dims(tuple(sizes.fresh() for _ in dims))

    def renewed(self, type: Type) -> Type:
        """The type of an item on a stack: with lengths of its own, as only one iteration knows them."""
        dims = self.source.sizes.resolve(type.dims)
        if dims is None:
            return type
        return type.with_dims(tuple(map(self.outside, dims)))

    def outside(self, dim: Dim) -> Dim:
        """A length that is the same in every iteration: that of an argument's axis, or a new one."""
        known = not isinstance(dim, Size) or not dim.name.startswith("?")
        return dim if known else self.source.sizes.fresh()

    def now(self, node: Node) -> Node:
        """What stands for a value here."""
        home = self.homes.region.get(node)
        if self.returning and node in self.copies:
            return self.copies[node]
        if home is None or home in self.inside:
            return self.known.get(node, node)
        return self.back.get(node, node)

    def operands(self, node: Node) -> tuple[Node, ...]:
        """The operands of a node here; in the place of one that is measured alone there may be another."""
        args = [*map(self.now, node.args)]
        k = self.reads.likes.operand(node)
        if k is not None:
            instead = self.reads.likes.of(node.args[k])
            assert instead is not None
            args[k] = self.measured(instead)
        return tuple(args)

    def measured(self, node: Node) -> Node:
        """What stands in the place of a value that is measured, computed here if it is a view."""
        if node not in self.reads.likes.made:
            return self.now(node)
        args = tuple(map(self.measured, node.args))
        existing = self.builder.existing(node.op, args, node.attrs)
        if existing is not None:
            return existing
        made = replace(node, args=args)
        self.builder.adopt(made)
        return made

    def body(self, nodes: Iterable[Node], mirrored: Region | None) -> None:
        """Copy nodes; mirrored: the forward region that they go back through."""
        for node in nodes:
            if mirrored is not None:
                self.provide(node, mirrored)
            self.known[node] = made = self.node(node)
            for k, final in self.sweep.finals_of(node):
                self.beside(final, self.item(made, k) if node.type.kind == "tuple" else made)
            self.after(node)

    def beside(self, placeholder: Node, value: Node) -> None:
        """What the sweep had a parameter for."""
        self.known[placeholder] = self.renamed(value, placeholder)
        self.after(placeholder)

    def provide(self, node: Node, forward: Region) -> None:
        """Have what a node of the way back reads of its forward region."""
        raise NotImplementedError

    def after(self, value: Node) -> None:
        """Save a value that was just computed."""
        raise NotImplementedError

    def node(self, node: Node) -> Node:
        """The copy of one node."""
        raise NotImplementedError

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
            self.body(self.reads.copied(region), None)
            opened.results = [*map(self.now, region.results)]
            self.inside.discard(region)
        return opened.closed()

    def enter(self, region: Region, params: Sequence[Node]) -> None:
        """The parameters of a copied region stand for those it was copied from."""
        own = params[: len(region.params)]
        name_params(own, region.params)
        self.known.update(zip(region.params, own, strict=True))

    def item(self, made: Node, k: int, type: Type | None = None) -> Node:
        return self.builder.typed(ITEM, (made,), {"index": k}, type or made.type.items[k])

    def renamed(self, new: Node, old: Node) -> Node:
        if old.name and not new.name and not new.is_const:
            object.__setattr__(new, "name", old.name)
        return new

    def named(self, stack: Node, save: Save) -> Node:
        """Call a stack after what it holds."""
        if save.stacked and save.value.name and not stack.name:
            object.__setattr__(stack, "name", plural(save.value.name))
        return stack
