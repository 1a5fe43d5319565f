"""What the way back needs of the way there: computed again where that is cheap, saved where it is not.

Enters: a function whose derived code reads values of closed regions.  Leaves: a `Plan`: which of these are
saved, which computed again from what is there.  Invariant: a plan is complete (whatever is computed again
reads what is saved, computed again or in scope), and nothing is computed again that reads memory that was
overwritten.

Cheap are counters, elements and views of arrays that nobody writes into, shapes, and up to `costs.MOST`
operations on scalars; with operands that are saved anyway also one operation of arithmetic on arrays.  Of
what a loop carries, the value before and the value after an iteration are one and the same sequence: where
both are needed, only the first is saved, and the way back carries the second (`shifted`).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator, Sequence

from symdiff.autodiff.activity import LOOPS
from symdiff.autodiff.costs import MOST, Costs
from symdiff.autodiff.places import Place
from symdiff.autodiff.stops import carried_condition
from symdiff.autodiff.sweep import Straight
from symdiff.ir.build import current
from symdiff.ir.control import carried_params
from symdiff.ir.liveness import has_effect
from symdiff.ir.node import Function, Node, Region
from symdiff.ops.control import is_view
from symdiff.records import dataclass, field


@dataclass(eq=False, slots=True)
class Save:
    """A value that is saved.

    stacked: on a stack, one item for each time it was computed; otherwise it leaves its branch as a result.
    copied: its memory is written into later.
    """

    value: Node
    home: Region
    stacked: bool
    copied: bool


@dataclass(eq=False, slots=True)
class Plan:
    """What happens to the values that are needed.

    again: what is computed again; with the place where it still stands, if it is read there.
    shifted: by forward region of a loop, which of its carried values are known after an iteration because
    the way back has just left the iteration behind it.  views: what of the outermost body is copied because
    its memory is written into later.
    """

    saves: dict[Node, Save] = field(default_factory=dict)
    again: dict[Node, Place | None] = field(default_factory=dict)
    shifted: dict[Region, list[int]] = field(default_factory=dict)
    views: set[Node] = field(default_factory=set)


def planned(function: Function, sweep: Straight) -> Plan:
    """The plan for a function with its sweep."""
    return _Planner(function, sweep).plan()


class Reads:
    """Which forward values derived code reads out of scope."""

    def __init__(self, sweep: Straight):
        self.homes = sweep.homes
        self.likes = sweep.likes
        self.inside: set[Region] = set()
        # What stands for how often a loop ran needs the loop.
        self.beside = {trips: (loop,) for loop, trips in sweep.trips.items()}

    def live(self, region: Region) -> list[Node]:
        """The nodes of a body that its results need, where reading a value of a closed region needs the
        control nodes around it."""
        needed = self.with_owners(region.results)
        kept: list[Node] = []
        for node in reversed(region.body):
            if node in needed or has_effect(node):
                kept.append(node)
                needed |= self.with_owners(
                    (*self.likes.read(node), *(v for inner in node.regions for v in self.inner(inner)))
                )
        return kept[::-1]

    def copied(self, region: Region) -> Sequence[Node]:
        """The nodes of a body that the weaving copies: of forward code all."""
        return region.body if region in self.homes.owner else self.live(region)

    def inner(self, region: Region) -> Iterator[Node]:
        """What a region reads, its own values included."""
        for node in self.copied(region):
            yield from self.likes.read(node)
            for inner in node.regions:
                yield from self.inner(inner)
        yield from region.results

    def with_owners(self, values: Iterable[Node]) -> set[Node]:
        found = set(values)
        for value in list(found):
            found.update(self.beside.get(value, ()))
            if value in self.homes.region:
                found.update(self.homes.around(self.homes.region[value]))
        return found

    def of_body(self, region: Region) -> Iterator[Node]:
        for node in self.copied(region):
            yield from self.of_node(node)
        yield from self.found(region.results)

    def of_node(self, node: Node) -> Iterator[Node]:
        yield from self.found(self.likes.read(node))
        for region in node.regions:
            if region in self.homes.owner:
                self.inside.add(region)
            yield from self.of_body(region)
            self.inside.discard(region)

    def found(self, values: Iterable[Node]) -> Iterator[Node]:
        yield from (value for value in values if self.homes.region.get(value) not in self.inside)


def _items(value: Node) -> int:
    """How many numbers a value holds; more than anything where only the run can tell."""
    dims = current().sizes.resolve(value.type.dims) if value.type.kind in ("array", "number") else None
    if dims is None or not all(isinstance(dim, int) for dim in dims):
        return sys.maxsize
    return math.prod(dim for dim in dims if isinstance(dim, int))


class _Planner:
    def __init__(self, function: Function, sweep: Straight):
        self.function, self.sweep, self.homes = function, sweep, sweep.homes
        self.costs = Costs(sweep.homes, sweep.counted)
        self.saved = self.costs.saved
        self.shifted = self.costs.shifted

    def plan(self) -> Plan:
        forward = set(self.sweep.function.body.body)
        reads = Reads(self.sweep)
        needed: dict[Node, None] = {}
        views: set[Node] = set()
        for node in reads.live(self.function.body):
            if node in forward:
                continue
            for value in reads.of_node(node):
                if value in self.homes.region:
                    needed[value] = None
                elif value in forward and is_view(value) and self.homes.is_overwritten(value):
                    views.add(value)
        self.choose(needed)
        return self.finished(needed, views)

    def choose(self, needed: Iterable[Node]) -> None:
        needed = list(needed)
        self.stop(needed)
        for value in needed:
            self.need(value)
        self.gather()
        self.shift()
        for value in list(self.saved):
            del self.saved[value]
            if self.costs.of(value, True) > MOST:
                self.saved[value] = None

    def stop(self, needed: Sequence[Node]) -> None:
        """What ends a loop is known but for the last iteration: then it is what it was in the end."""
        for loop in self.homes.owner.values():
            found = carried_condition(loop) if loop.op.name in LOOPS else None
            if found is None or found[0] not in needed or self.costs.of(found[0]) <= MOST:
                continue
            self.shifted[found[0]] = loop.regions[-1], found[1]
            final = self.sweep.final_of(loop, found[1])
            if final in self.homes.region:
                self.saved[final] = None

    def need(self, value: Node) -> None:
        """Save what is missing for a value."""
        if self.costs.of(value, False) <= MOST:
            return
        if is_view(value) and value.op.name != "index":
            for arg in value.args:
                self.need(arg)
        else:
            self.saved[value] = None

    def gather(self) -> None:
        """Save one value in the place of several that are cheap to have again from it."""
        operands = dict.fromkeys(arg for value in self.saved for arg in value.args)
        for source in operands:
            if source in self.saved or source not in self.homes.region or self.homes.is_overwritten(source):
                continue
            before = [value for value in self.saved if source in value.args]
            least = self.costs.of(source) > MOST and max(_items(source), 2)
            if not least or least > len(before):
                continue
            self.saved[source] = None
            spared = 0
            for value in before:
                del self.saved[value]
                again = self.costs.of(value) <= MOST and not self.homes.is_overwritten(value)
                self.saved[value] = None
                spared += again
            if spared < least:
                del self.saved[source]

    def shift(self) -> None:
        """Where a carried value is needed before and after an iteration, it is saved before it alone."""
        for value in list(self.saved):
            loop, k = self.homes.carried.get(value, (None, -1))
            if loop is None or k < 0 or value not in self.saved:
                continue
            body = loop.regions[-1]
            following = body.results[k]
            if following is value or following not in self.saved or self.homes.is_overwritten(following):
                continue
            if self.homes.region.get(following) is body:
                del self.saved[following]
                self.shifted[following] = body, k
                final = self.sweep.final_of(loop, k)
                if final in self.homes.region:
                    self.saved[final] = None

    def finished(self, needed: Iterable[Node], views: set[Node]) -> Plan:
        """The plan: only what is read in the end is saved."""
        plan = Plan(views=views)
        pending = list(needed)[::-1]
        seen: set[Node] = set()
        while pending:
            value = pending.pop()
            if value in seen or value not in self.homes.region:
                continue
            seen.add(value)
            if value in self.saved:
                plan.saves[value] = self.save(value)
            elif value in self.shifted:
                region, k = self.shifted[value]
                plan.shifted.setdefault(region, []).append(k)
                loop = self.homes.owner[region]
                pending.append(carried_params(loop, region)[k])
                pending.append(self.sweep.final_of(loop, k))
            elif not self.is_param(value):
                place = plan.again[value] = self.costs.place(value)
                if place is not None:
                    self.sweep.final_of(place.loop, place.index)
                pending += self.costs.sources(value)
        return plan

    def is_param(self, value: Node) -> bool:
        return value in self.homes.carried

    def save(self, value: Node) -> Save:
        home = self.homes.region[value]
        stacked = any(node.op.name in LOOPS for node in self.homes.around(home))
        return Save(value, home, stacked, self.homes.is_overwritten(value))
