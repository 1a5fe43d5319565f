"""The sweep through control flow: every region of the forward code has one that goes back through it.

Enters: a control node with cotangents of its results.  Leaves: the control node that goes back, and
cotangents of what the regions read.  Invariants: what was not taken contributes nothing, not a zero; a
value from outside that a loop reads has one cotangent for the whole nest, which the iterations add to;
nothing is carried that is zero in every iteration.

An `if` asks the same condition again; its branches add to the totals that there are.  A loop becomes a
`for` over the same range (over a range as long as it ran, where only the run could tell) in the other
direction, that carries the cotangents of what the loop carries, and those of outer values.  A `block` is
computed again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from symdiff.autodiff.activity import LOOPS, result_types
from symdiff.autodiff.sweep import Cotangents, Parts, Straight, accumulate, fitted
from symdiff.autodiff.zeros import solid, zero_of
from symdiff.ir import types
from symdiff.ir.control import FOR, IF, after_round, captures, carried_of, carried_params, values_of
from symdiff.ir.copying import cloned
from symdiff.ir.node import Node, Region
from symdiff.ir.types import Type
from symdiff.ops import infer


class Sweep(Straight):
    """One sweep over a function with control flow."""

    def control(self, node: Node, parts: Parts, cotangents: Cotangents) -> None:
        if node.op.name in LOOPS:
            _Loop(self, node, parts, cotangents).run()
        elif node.op.name == "if":
            _Branch(self, node, parts, cotangents).run()
        else:
            self._again(node, parts, cotangents)

    def zero(self, node: Node) -> Node:
        return zero_of(self.builder, self.homes, node)

    def solid(self, g: Node, node: Node) -> Node:
        return solid(self.builder, self.homes, g, node)

    def _again(self, node: Node, parts: Parts, cotangents: Cotangents) -> None:
        """Compute a block again, and go back through the copy."""
        region, known = node.regions[0], dict[Node, Node]()
        body = cloned([inner for inner in region.body if not inner.op.effect], known)
        self.note(body)
        self.homes.read(body, [known.get(result, result) for result in region.results])
        self.active.read(body)
        for k, g in parts.items():
            result = known.get(region.results[k], region.results[k])
            if result in self.active:
                accumulate(cotangents, result, fitted(g, result))
        self.body(body, cotangents)

    def outer(self, regions: Iterable[Region], reached: set[Node]) -> list[Node]:
        """The values from outside that have a cotangent behind the sweep over regions."""
        return [value for value in captures(*regions) if value in reached and value in self.active]


class _Branch:
    """Goes back through an `if`.

    before: by region, values beside the `if` that only this region is computed from.  Their sweep belongs to
    the branch: `r = sqrt(x)` that only one branch reads is not divided by where the other is taken.
    """

    def __init__(self, sweep: Sweep, node: Node, parts: Parts, cotangents: Cotangents):
        self.sweep, self.node, self.parts, self.cotangents = sweep, node, parts, cotangents
        self.before = {region: sweep.homes.only_for(region) for region in node.regions}

    def outer(self) -> list[Node]:
        """The values from outside that the branches add to."""
        sweep, found = self.sweep, dict[Node, None]()
        moved = {node for nodes in self.before.values() for node in nodes}
        for region, nodes in self.before.items():
            reached = sweep.reach.of_region(region, self.parts)
            sweep.reach.of_body(nodes, reached)
            read = (*captures(region), *(arg for node in nodes for arg in node.args))
            found.update(
                {one: None for one in read if one in reached and one in sweep.active and one not in moved}
            )
        return list(found)

    def run(self) -> None:
        sweep, node = self.sweep, self.node
        outer = self.outer()
        for value in outer:
            if value in self.cotangents or self.is_handed_on(value):
                continue
            if _is_read_at_index(value, node.regions):
                self.cotangents[value] = sweep.zero(value)
        regions = [self.region(region, outer) for region in node.regions]
        before = [self.cotangents.get(value) for value in outer]
        kept = [
            k for k, total in enumerate(before) if any(region.results[k] is not total for region in regions)
        ]
        regions = [replace(region, results=tuple(region.results[k] for k in kept)) for region in regions]
        for region, forward in zip(regions, node.regions, strict=True):
            sweep.mirrors[region] = forward
        if not kept:
            return
        made = sweep.builder.emit(IF, node.args, {}, tuple(regions))
        for k, total in zip(kept, values_of(made), strict=True):
            self.cotangents[outer[k]] = total

    def is_handed_on(self, value: Node) -> bool:
        """Whether a branch has an array as its result, perhaps written into: the cotangent of the result is
        added to, and needs no zeros to begin with."""
        results = [region.results[k] for region in self.node.regions for k in self.parts]
        for result in results:
            while result.op.name == "update":
                result = result.args[0]
            if result is value:
                return True
        return False

    def region(self, forward: Region, outer: Sequence[Node]) -> Region:
        """Go back through one branch; its results are the totals of outer values."""
        sweep = self.sweep
        with sweep.mirror(forward) as opened:
            totals = dict(self.cotangents)
            for k, g in self.parts.items():
                result = forward.results[k]
                if result in sweep.active:
                    accumulate(totals, result, fitted(g, result))
            sweep.body(forward.body, totals)
            sweep.body(self.before[forward], totals)
            opened.results = [
                sweep.solid(totals[value], value) if value in totals else sweep.zero(value) for value in outer
            ]
            for value, total in zip(outer, opened.results, strict=True):
                sweep.label(total, value)
        return opened.closed()


def _is_read_at_index(value: Node, regions: Iterable[Region]) -> bool:
    """Whether regions read an array at places, so that its cotangent is better added to than made."""
    if value.type.dims == () or value.type.kind != "array":
        return False
    for region in regions:
        for node in region.body:
            if node.args[:1] == (value,) and node.op.name == "index":
                return True
            if _is_read_at_index(value, node.regions):
                return True
    return False


class _Loop:
    """Goes back through a loop.

    alive: which carried values have a cotangent.  outer: the outer values that iterations add to.
    """

    def __init__(self, sweep: Sweep, node: Node, parts: Parts, cotangents: Cotangents):
        self.sweep, self.node, self.parts, self.cotangents = sweep, node, parts, cotangents
        self.body = node.regions[-1]
        self.params = carried_params(node, self.body)
        alive, reached = sweep.reach.of_loop(node, parts)
        self.alive = sorted(alive)
        self.outer = sweep.outer([self.body], reached)
        self.counted = node.op is FOR and not (node.attr("breaks") and node.attr("reverse"))
        self.types = [*map(self.type_of, self.alive), *map(_cotangent_type, self.outer)]

    def type_of(self, k: int) -> Type:
        """The type of a carried cotangent: that of the next value, in which it begins an iteration; with
        lengths of its own where the last one may have others."""
        following, param, sizes = self.body.results[k].type, self.params[k].type, self.sweep.builder.sizes
        if param.kind == "stack":
            return _cotangent_type(self.params[k])
        dims, behind = (
            sizes.resolve_computed(following.dims),
            sizes.resolve_computed(result_types(self.node)[k].dims),
        )
        before = sizes.resolve_computed(self.params[k].type.dims)
        if _is_seed(carried_of(self.node)[k]):  # where an iteration begins, the number is an array
            before = behind = sizes.resolve_computed(after_round(self.node, k))
        if dims is not None and (dims != behind or dims != before):
            dims = tuple(sizes.fresh() for _ in dims)
        return types.array(infer.numpy_dtype(self.params[k]), dims)

    def run(self) -> None:
        initial = self.initial()
        while True:
            region = self.region()
            idle = self.idle(region, initial)
            if idle:
                self.drop(idle)
            elif not self.widen(region, initial):
                break
            initial = self.initial()
        if not initial:
            return
        self.sweep.mirrors[region] = self.body
        self.leave(initial, region)

    def initial(self) -> list[Node]:
        """What the loop that goes back begins with."""
        sweep, finals = self.sweep, {}
        for k in self.alive:
            final = self.final(k)
            finals[k] = sweep.solid(self.parts[k], final) if k in self.parts else sweep.zero(final)
        totals = [self.total(value) for value in self.outer]
        return [*finals.values(), *totals]

    def sample(self, k: int) -> Node:
        """A value of the shape that a carried value begins with."""
        initial = carried_of(self.node)[k]
        return self.body.results[k] if _is_seed(initial) else initial

    def final(self, k: int) -> Node:
        """A value of the shape that a carried value ends with."""
        sizes, sample = self.sweep.builder.sizes, carried_of(self.node)[k]
        behind = result_types(self.node)[k].dims
        if sample.type.kind == "stack":  # how many items it has in the end is known there
            return self.sweep.final_of(self.node, k)
        if not _is_seed(sample) and sizes.resolve(sample.type.dims) == sizes.resolve(behind):
            return sample
        return self.sweep.final_of(self.node, k)

    def total(self, value: Node) -> Node:
        if value in self.cotangents:
            return self.sweep.solid(self.cotangents[value], value)
        return self.sweep.zero(value)

    def region(self) -> Region:
        """Go back through one iteration."""
        sweep, body = self.sweep, self.body
        with sweep.mirror(body, types.number("int"), *self.types, counted=self.counted) as opened:
            _, *carried = opened.params
            totals: Cotangents = {}
            for value, total in zip(self.outer, carried[len(self.alive) :], strict=True):
                totals[value] = total
                sweep.label(total, value)
            for k, g in zip(self.alive, carried, strict=False):
                self.label(g, k)
                if body.results[k] in sweep.active:
                    accumulate(totals, body.results[k], g)
            sweep.body(body.body, totals)
            following = [*(self.params[k] for k in self.alive), *self.outer]
            opened.results = [
                sweep.solid(totals[value], value) if value in totals else sweep.zero(value)
                for value in following
            ]
        return opened.closed()

    def label(self, g: Node, k: int) -> None:
        """Name the cotangent of a carried value after the first of its values that has a name."""
        values = (self.params[k], self.body.results[k], carried_of(self.node)[k])
        named = next((value for value in values if value.name), None)
        if named is not None:
            self.sweep.label(g, named)

    def idle(self, region: Region, initial: Sequence[Node]) -> set[int]:
        """Which carried cotangents stay zero, or stay what they were."""
        found = set()
        for i, (before, param, after) in enumerate(
            zip(initial, region.params[1:], region.results, strict=True)
        ):
            if (after is param and i >= len(self.alive)) or (
                _is_zero(before) and _is_zero(after) and i < len(self.alive)
            ):
                found.add(i)
        return found

    def drop(self, idle: set[int]) -> None:
        count = len(self.alive)
        self.outer = [value for i, value in enumerate(self.outer) if i + count not in idle]
        self.types = [type for i, type in enumerate(self.types) if i not in idle]
        self.alive = [k for i, k in enumerate(self.alive) if i not in idle]

    def widen(self, region: Region, initial: Sequence[Node]) -> bool:
        """Whether a cotangent that an iteration gives on has another dtype or rank than it began with."""
        wider = list(self.types)
        for i, type in enumerate(self.types):
            for other in (initial[i].type, region.results[i].type):
                if not (other.kind == "number" or _is_instance(other, type)):
                    wider[i] = self.sweep.builder.sizes.join(wider[i], other)
        changed = wider != self.types
        self.types = wider
        return changed

    def leave(self, initial: Sequence[Node], region: Region) -> None:
        """Emit the loop: its results are the cotangents of initial values and the totals of outer ones."""
        sweep, node, builder = self.sweep, self.node, self.sweep.builder
        inits = [carried_of(node)[k] for k in self.alive]
        samples = [*(self.sample(k) for k in self.alive), *self.outer]
        join, pairs = builder.sizes.join, zip(initial, region.results, strict=True)
        found = [
            self.behind(join(before.type, after.type), sample)
            for (before, after), sample in zip(pairs, samples, strict=True)
        ]
        bounds, attrs = self.bounds()
        made = builder.typed(
            FOR, (*bounds, *initial), attrs, found[0] if len(found) == 1 else types.tuple_of(found), (region,)
        )
        values = values_of(made)
        for value, total in zip(self.outer, values[len(inits) :], strict=True):
            self.cotangents[value] = total
            sweep.label(total, value)
        for k, value, g in zip(self.alive, inits, values, strict=False):
            self.label(g, k)
            if value in sweep.active:
                accumulate(self.cotangents, value, fitted(g, value))

    def behind(self, type: Type, sample: Node) -> Type:
        """The type of a cotangent behind the loop: in the shape of the value that it belongs to."""
        return type.with_dims(sample.type.dims) if type.kind == "array" else type

    def bounds(self) -> tuple[tuple[Node, ...], dict[str, bool]]:
        """The range to go back through, and in which direction."""
        node, const = self.node, self.sweep.builder.const
        if node.op is FOR and not node.attr("breaks"):
            return node.args[:3], {} if node.attr("reverse") else {"reverse": True}
        trips = self.sweep.trips_of(node)
        if not self.counted:
            return (const(0), trips, const(1)), {"reverse": True}
        start, _, step = node.args[:3]
        return (start, start + trips * step, step), {"reverse": True}


def _cotangent_type(value: Node) -> Type:
    return _as_array(value.type)


def _as_array(type: Type) -> Type:
    """The type of cotangents of values of a type: those of numbers may be NumPy's."""
    if type.kind == "stack":
        return types.stack_of(_as_array(type.items[0]))
    return types.array(infer.numpy_dtype_of(type), type.dims) if type.kind == "number" else type


def _is_seed(initial: Node) -> bool:
    """Whether a loop begins with a number where it carries an array, or with nothing."""
    return initial.is_const or initial.op.name == "undefined"


def _is_zero(node: Node) -> bool:
    return (node.is_const and node.value == 0) or (
        not node.primal and node.op.name in ("zeros_like", "zeros")
    )


def _is_instance(type: Type, general: Type) -> bool:
    """Whether a type has the dtype and rank of another where that has one; of stacks, the items."""
    if general.kind == type.kind == "stack":
        return "undefined" in (type.items[0].kind, general.items[0].kind) or _is_instance(
            type.items[0], general.items[0]
        )
    if general.dtype not in ("", type.dtype):
        return False
    return general.dims is None or (type.dims is not None and len(type.dims) == len(general.dims))
