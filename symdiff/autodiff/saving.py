"""What the way back needs of the way there: computed again where that is cheap, saved where it is not.

Enters: a function whose derived code reads values of closed regions.  Leaves: a `Plan`: which of these are saved,
which computed again from what is there.  Invariant: a plan is complete (whatever is computed again reads what
is saved, computed again or in scope), and nothing is computed again that reads memory that was overwritten.

Cheap are counters, elements and views of arrays that nobody writes into, shapes, and up to `_MOST` operations
on scalars; with operands that are saved anyway also one operation of arithmetic on arrays.  Of what a loop
carries, the value before and the value after an iteration are one and the same sequence: where both are
needed, only the first is saved, and the way back carries the second (`shifted`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from symdiff.autodiff.activity import LOOPS
from symdiff.autodiff.memory import Homes
from symdiff.autodiff.sweep import Straight
from symdiff.ir.control import carried_params
from symdiff.ir.liveness import live
from symdiff.ir.node import Function, Node, Region
from symdiff.ops.control import is_view
from symdiff.ops.row import row_for

_MOST = 2
_PLAIN = ("add", "subtract", "multiply", "negative")
_LOGIC = (
    "less", "less_equal", "greater", "greater_equal", "equal", "not_equal",
    "logical_and", "logical_or", "logical_not", "item", "astype", "to_float",
)  # fmt: skip
_FREE = ("shape", "size", "length", "make_shape", "stack_length")
_NEVER = 100


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

    shifted: by forward region of a loop, which of its carried values are known after an iteration because
    the way back has just left the iteration behind it.  views: what of the outermost body is copied because
    its memory is written into later.
    """

    saves: dict[Node, Save] = field(default_factory=dict)
    again: dict[Node, None] = field(default_factory=dict)
    shifted: dict[Region, list[int]] = field(default_factory=dict)
    views: set[Node] = field(default_factory=set)


def planned(function: Function, sweep: Straight) -> Plan:
    """The plan for a function with its sweep."""
    return _Planner(function, sweep).plan()


class Reads:
    """Which forward values derived code reads out of scope."""

    def __init__(self, sweep: Straight):
        self.homes = sweep.homes
        self.inside: set[Region] = set()

    def of_body(self, region: Region) -> Iterator[Node]:
        for node in live(region):
            yield from self.of_node(node)
        yield from self.found(region.results)

    def of_node(self, node: Node) -> Iterator[Node]:
        yield from self.found(node.args)
        for region in node.regions:
            if region in self.homes.owner:
                self.inside.add(region)
            yield from self.of_body(region)
            self.inside.discard(region)

    def found(self, values: Iterable[Node]) -> Iterator[Node]:
        yield from (value for value in values if self.homes.region.get(value) not in self.inside)


class _Planner:
    def __init__(self, function: Function, sweep: Straight):
        self.function, self.sweep, self.homes = function, sweep, sweep.homes
        self.saved: dict[Node, None] = {}
        self.shifted: dict[Node, tuple[Region, int]] = {}

    def plan(self) -> Plan:
        forward = set(self.sweep.function.body.body)
        reads = Reads(self.sweep)
        needed: dict[Node, None] = {}
        views: set[Node] = set()
        for node in live(self.function.body):
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
        for value in needed:
            self.need(value)
        self.shift()
        for value in list(self.saved):
            del self.saved[value]
            if self.cost(value, True) > _MOST:
                self.saved[value] = None

    def need(self, value: Node) -> None:
        """Save what is missing for a value."""
        if self.cost(value, False) <= _MOST:
            return
        if is_view(value) and value.op.name != "index":
            for arg in value.args:
                self.need(arg)
        else:
            self.saved[value] = None

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

    def cost(self, value: Node, kept: bool) -> int:
        """What it costs to have a value again; kept: with one array operation on what is saved anyway."""
        if value not in self.homes.region or value in self.saved or value in self.shifted or value.is_const:
            return 0
        if value in self.homes.carried:
            return 0 if self.is_counter(value) else _NEVER
        row = row_for(value)
        if row is None or value.regions or not value.op.pure:
            return _NEVER
        own = self.own_cost(value, kept)
        return own if own >= _NEVER else own + sum(self.cost(arg, kept) for arg in value.args)

    def own_cost(self, value: Node, kept: bool) -> int:
        """What the operation alone costs."""
        name, scalar = value.op.name, value.type.dims == ()
        if name in _FREE:
            return 0
        if name == "index" or is_view(value):
            read = value.args[0]
            return 0 if read in self.saved or not self.homes.is_overwritten(read) else _NEVER
        if scalar and all(arg.type.dims == () for arg in value.args):
            whole = value.type.dtype.startswith("int")
            power = name == "power" and value.args[1].is_const
            if power or name in (*_PLAIN, *_LOGIC, "divide", "square"):
                return 0 if whole and name in _PLAIN else 1
            return _NEVER
        arrays = [arg for arg in value.args if arg.type.dims != ()]
        if kept and name in _PLAIN and all(self.is_there(arg) for arg in arrays):
            return _MOST
        return _NEVER

    def is_there(self, value: Node) -> bool:
        """Whether an array is in scope or saved on the way back, and its memory still holds it."""
        if value in self.saved or value in self.shifted:
            return True
        return value not in self.homes.region and not self.homes.is_overwritten(value)

    def is_counter(self, value: Node) -> bool:
        return self.homes.carried[value][1] < 0 and self.homes.region[value] in self.sweep.counted

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
                plan.again[value] = None
                pending += value.args
        return plan

    def is_param(self, value: Node) -> bool:
        return value in self.homes.carried

    def save(self, value: Node) -> Save:
        home = self.homes.region[value]
        stacked = any(node.op.name in LOOPS for node in self.homes.around(home))
        return Save(value, home, stacked, self.homes.is_overwritten(value))

