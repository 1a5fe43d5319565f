"""Loops that are kept as loops.

Enters: what a loop counts through or tests, and its body.  Leaves: a `for` or `while` node; every place that a
round changes holds a result of it.  Invariant: the body is evaluated with parameters in the places that its
rounds change, so that what it emits holds for every round.

Which places these are is found by attempts.  The first carries the names that the body sets and may read
before; an attempt whose body changes another place, or makes a value of another type than its parameter has,
is discarded, and the next one carries what was found.  The text of a loop and the time to lower it do not
depend on the number of rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from symdiff.errors import UnsupportedError
from symdiff.frontend import arrays
from symdiff.frontend.branches import flow_of, parts_of
from symdiff.frontend.frame import Context, Flow, Frame, Scope
from symdiff.frontend.lists import stage_list
from symdiff.frontend.merge import Grown, Merge, Pending, Plan, is_leaf, node_of, same_form
from symdiff.frontend.regions import (
    RAISES,
    Mark,
    Names,
    Place,
    doubt,
    doubt_containers,
    guarded,
    is_dead,
    is_same,
    nodes_of,
    own_scope,
    partners,
    places,
    plan_of,
    put,
)
from symdiff.frontend.state import ABSENT, State, restore, taken
from symdiff.frontend.values import POISON, Missing, Silent
from symdiff.ir import control, types
from symdiff.ir.build import OpenRegion
from symdiff.ir.node import Node
from symdiff.ir.types import Type
from symdiff.ops.row import REGISTRY

_MOST_ATTEMPTS = 16


@dataclass(eq=False, slots=True, repr=False)
class Loop:
    """What one loop does.

    bounds: of a `for`; None of a `while`.  test: of a `while`.  body: one round, given the counter of a `for`.
    read: the names that a round may read before it sets them; later: those that may be read after the loop.
    private: a scope that ends with the loop.  stops: whether it matters afterwards if a jump ended the loop.
    """

    bounds: tuple[Any, Any, Any] | None
    body: Callable[[Node | None], Flow]
    read: Names | None
    later: Names | None
    assigned: Names = frozenset()
    test: Callable[[], Any] | None = None
    attrs: dict[str, Any] = field(default_factory=dict)
    private: Scope | None = None
    stops: bool = False
    params: set[Node] = field(default_factory=set)  # of all attempts
    inline_test: bool = False  # whether the test changes something, and is evaluated in the body


@dataclass(eq=False, slots=True, repr=False)
class Carried:
    """A place that rounds change.  initial: by number of a leaf of the plan, what it is before the loop; type:
    what it is in every round; doubtful: whether other references may share its memory."""

    place: Place
    plan: Plan
    initial: dict[int, Any]
    type: dict[int, Type]
    doubtful: set[int] = field(default_factory=set)


class Again(Exception):
    """The attempt is discarded; the next one knows more."""


class Static(Exception):
    """The condition of a `while` is known while compiling, and no jump ends the loop."""


def rolled(frame: Frame, loop: Loop) -> tuple[Flow, Any]:
    """Emit the loop: how control goes on (never by `break` or `continue`), and whether a jump ended it.

    Raises Silent where the body has problems, which are reported.
    """
    context = frame.context
    before, mark = taken(context, frame), Mark.of(context)
    first = context.builder.sizes.count
    span, jumps = context.builder.span, frame.jumps
    carried = dict(_predicted(context, frame, loop, before))
    attempt = _Attempt(frame, loop, before, carried, first)
    try:
        for _ in range(_MOST_ATTEMPTS):
            mark.reset(context)
            context.builder.span, frame.jumps = span, _all(jumps, loop.read, loop.later)
            try:
                return attempt.run(len(context.problems))
            except Again:
                restore(context, attempt.before)
            except Grown as grown:
                restore(context, attempt.before)
                stage_list(frame, grown.container)
                attempt.restart(taken(context, frame))
            except BaseException:
                restore(context, before)
                raise
    finally:
        context.builder.span, frame.jumps = span, jumps
    restore(context, before)
    raise UnsupportedError(
        "The types in this loop change from round to round in a way that is not understood.",
        "arrays of one dtype and rank in all rounds",
    )


def _all(*names: Names | None) -> Names:
    return frozenset[str]().union(*(one for one in names if one is not None))


def _predicted(
    context: Context, frame: Frame, loop: Loop, before: State
) -> Iterator[tuple[tuple[str, int, str], Carried]]:
    """What the first attempt carries: the names that the body sets and may read."""
    scope = own_scope(frame)
    for name, value in before.scopes[id(scope)][1].items():
        known = loop.read is None or any(frame.mangle(one) == name for one in loop.read)
        if known and any(frame.mangle(one) == name for one in loop.assigned):
            place = Place("name", scope, name)
            yield place.key, _carried(context, place, Merge(context, rolled=True), value, value)
    inside = loop.private
    while inside is not None and inside.comprehension:
        for name, value in inside.names.items():
            if name.startswith(".") and is_leaf(value):
                place = Place("name", inside, name)
                yield place.key, _carried(context, place, Merge(context, rolled=True), value, value)
        inside = inside.parent


def _carried(context: Context, place: Place, merge: Merge, a: Any, b: Any) -> Carried:
    """A place with these values before the loop and after a round."""
    plan = plan_of(merge, place, a, b)
    initial = {n: merge.leaves[n][0] for n in leaf_numbers(plan)}
    return Carried(place, plan, initial, {n: _type(context, value) for n, value in initial.items()})


def leaf_numbers(plan: Plan) -> list[int]:
    """The leaves of a plan, in order, each once."""
    found: dict[int, None] = {}
    pending = [plan]
    while pending:
        one = pending.pop()
        if one.kind in ("leaf", "late", "list"):
            found[one.value] = None
        pending += reversed(one.parts)
    return list(found)


def _type(context: Context, value: Any) -> Type:
    """The type of what a leaf holds."""
    if value is ABSENT:
        return types.UNDEFINED
    if isinstance(value, Pending):
        item = types.UNDEFINED
        for one in value.items:
            item = context.builder.sizes.join(item, _type(context, one))
        return types.stack_of(item)
    return context.heap.latest(arrays.operand(value)).type


class _Attempt:
    """One attempt to evaluate a round; `carried` is what all attempts found so far."""

    def __init__(
        self,
        frame: Frame,
        loop: Loop,
        before: State,
        carried: dict[tuple[str, int, str], Carried],
        first: int,
    ):
        self.frame, self.loop, self.before, self.carried = frame, loop, before, carried
        self.context = frame.context
        self.builder = frame.context.builder
        self.first = first  # the number of the first size that is the loop's own
        self.span = self.builder.span

    def run(self, problems: int) -> tuple[Flow, Any]:
        context = self.context
        self.leaves = [(one, n) for one in self.carried.values() for n in one.initial]
        try:
            self.test = self._tested()
            opened, entry, given, end = self._round()
        finally:
            restore(context, self.before)
        if given is RAISES:
            given, end = None, entry
        flow = parts_of(given)
        if self.test is True and flow[0] is False and flow[2] is False:
            raise Static
        merge, found, late = self._compared(entry, end, opened)
        if given is POISON or len(context.problems) > problems:
            raise Silent
        return self._emitted(opened, end, flow, merge, found, late)

    def restart(self, before: State) -> None:
        """Go on from another state, in which a list that grows is a staged one."""
        self.before = before
        self.carried.clear()
        self.carried.update(_predicted(self.context, self.frame, self.loop, before))

    # Evaluation

    def _types(self) -> list[Type]:
        return [one.type[n] for one, n in self.leaves]

    def _bind(self, params: Sequence[Node]) -> None:
        """Put parameters into the places that are carried."""
        context = self.context
        self.loop.params.update(params)
        nodes: dict[tuple[int, int], Any] = {}
        for (one, n), param in zip(self.leaves, params, strict=True):
            nodes[id(one), n] = param
        for one in self.carried.values():
            values: dict[int, Any] = {n: nodes[id(one), n] for n in one.initial}
            for n in _late(one.plan):
                values[n] = Missing(
                    "Only at run time is it known whether this is None or what an earlier round made.",
                    "a number or an array as the initial value",
                )
            merge = Merge(context)
            put(self.frame, merge, one.place, one.plan, values)
            doubt_containers(self.frame, merge, [self.before])
        self._doubt_params(params)

    def _doubt_params(self, params: Sequence[Node]) -> None:
        """Mark the parameters that may be, in the first round, the memory of something else."""
        context = self.context
        values = [None if one.place.kind == "heap" else one.initial[n] for one, n in self.leaves]
        self.shared = partners(self.frame, self.before, set(self.carried), None, values)
        doubt(context, params, self.shared)
        for (one, n), param in zip(self.leaves, params, strict=True):
            if n in one.doubtful and param not in context.heap.uncertain:
                context.heap.doubt(param, [param])

    def _tested(self) -> Any:
        """The condition of a `while`, as a region; its value where it is known while compiling."""
        test = self.loop.test
        if test is None or self.loop.inline_test:
            self.condition: OpenRegion | None = None
            if test is not None:
                with self.builder.region(*self._types()) as self.condition:
                    self.condition.results = [self.builder.const(True)]
            return None
        with self.builder.region(*self._types()) as self.condition:
            self._bind(self.condition.params)
            entry = taken(self.context, self.frame, self.before)
            value = test()
            end = taken(self.context, self.frame, self.before)
            self.condition.results = [
                self.builder.const(value) if isinstance(value, bool) else self.context.heap.latest(value)
            ]
        restore(self.context, self.before)
        states = [entry, end]
        if any(not is_same(p, p.value(entry), p.value(end)) for p in places(states, self._inside())):
            self.loop.inline_test = True
            raise Again
        if value is False:
            raise Static
        return value

    def _inside(self) -> set[Node]:
        assert self.condition is not None
        return nodes_of(self.condition.closed())

    def _round(self) -> tuple[OpenRegion, State, Any, State]:
        counted = self.loop.bounds is not None
        counter = [types.number("int")] if counted else []
        with self.builder.region(*counter, *self._types()) as opened:
            self._bind(opened.params[len(counter) :])
            self.loop.params.update(opened.params)
            entry = taken(self.context, self.frame, self.before)
            given = guarded(self.frame, lambda: self.loop.body(opened.params[0] if counted else None))
            end = taken(self.context, self.frame, self.before)
        return opened, entry, given, end

    # What a round changed

    def _compared(
        self, entry: State, end: State, opened: OpenRegion
    ) -> tuple[Merge, dict[tuple[str, int, str], Plan], list[tuple[Place, Plan]]]:
        """Plans of the carried places after a round, and of those that are only read after the loop.

        Raises Again where something was not carried that has to be, or not as what it is.
        """
        self.inside = nodes_of(opened.closed())
        merge = Merge(self.context, rolled=True, inside=self.inside)
        found: dict[tuple[str, int, str], Plan] = {}
        late: list[tuple[Place, Plan]] = []
        more: dict[tuple[str, int, str], Carried] = {}
        self.dropped: list[Place] = []
        for key, one in self.carried.items():
            plan = plan_of(merge, one.place, one.place.value(self.before), one.place.value(end))
            same = same_form(plan, one.plan) and len(leaf_numbers(plan)) == len(one.initial)
            if same or _is_poisoned(plan):
                found[key] = plan
            else:
                more[key] = self._typed(one.place, plan, merge, end)
        for place in places([self.before, entry, end], self.inside):
            if place.key in self.carried or is_same(place, place.value(entry), place.value(end)):
                continue
            if self._is_dead(place):
                self.dropped.append(place)
                continue
            plan = plan_of(merge, place, place.value(self.before), place.value(end))
            if _is_poisoned(plan):
                continue
            if self._is_late(place):
                late.append((place, plan))
            else:
                more[place.key] = self._typed(place, plan, merge, end)
        if more:
            self.carried.update(more)
            raise Again
        return merge, found, late

    def _is_dead(self, place: Place) -> bool:
        if place.kind == "name" and place.owner is self.loop.private and not place.name.startswith("."):
            return True
        if self.loop.read is None or self.loop.later is None:
            return False
        return is_dead(self.frame, place, _all(self.loop.read, self.loop.later, self.frame.jumps))

    def _is_late(self, place: Place) -> bool:
        """Whether no round reads what an earlier one left in a place."""
        return self.loop.read is not None and is_dead(self.frame, place, self.loop.read)

    def _typed(self, place: Place, plan: Plan, merge: Merge, end: State) -> Carried:
        """A place to be carried from now on, with the types that it was seen to have."""
        numbers = leaf_numbers(plan)
        restore(self.context, end)
        after = {n: _type(self.context, merge.leaves[n][1]) for n in numbers}
        restore(self.context, self.before)
        initial = {n: merge.leaves[n][0] for n in numbers}
        kinds = {n: self._widened(initial[n], _type(self.context, initial[n]), after[n]) for n in numbers}
        old = self.carried.get(place.key)
        return Carried(place, plan, initial, kinds, set() if old is None else old.doubtful)

    def _widened(self, initial: Any, type: Type, after: Type) -> Type:
        """A type that holds before the loop and after a round."""
        seed = not isinstance(initial, Node) or initial.is_const
        if type.kind == "undefined" or (seed and type.kind == "number" and after.kind == "array" and after.dims):
            return after
        if control.Fitting(self.first).fit([after], [type])[0]:
            return type
        return self.builder.sizes.join(type, after)

    # Emission

    def _emitted(
        self,
        opened: OpenRegion,
        end: State,
        flow: tuple[Any, ...],
        merge: Merge,
        found: dict[tuple[str, int, str], Plan],
        late: list[tuple[Place, Plan]],
    ) -> tuple[Flow, Any]:
        context, builder, loop = self.context, self.builder, self.loop
        breaks, _, returns, value = flow
        ends = breaks is not False or returns is not False
        self.breaks = breaks
        returned = merge.plan(False, returns) if returns is not False else None
        stopped = merge.plan(False, True) if ends and loop.stops else None
        given = merge.plan(ABSENT, value) if returns is not False else None
        after = [n for key, one in self.carried.items() for n in leaf_numbers(found[key])]
        extra = [plan for plan in (*(plan for _, plan in late), returned, given, stopped) if plan is not None]
        added = [n for plan in extra for n in leaf_numbers(plan)]
        restore(context, end)
        with builder.resumed(opened):
            stop = self._stop(breaks, returns) if ends else None
            if stopped is not None and stop is not None:
                merge.leaves[stopped.value] = (False, stop)
            results = [node_of(context, merge.leaves[n][1]) for n in (*after, *added)]
            opened.results = results if stop is None else [*results, stop]
        sharing = self._checked(end, opened, [merge.leaves[n][1] for n in (*after, *added)])
        kinds = [result.type for result in results]
        self._check_types(kinds[: len(after)])
        restore(context, self.before)
        initial = [self._initial(one.initial[n]) for one, n in self.leaves]
        initial += [self._initial(merge.leaves[n][0]) for n in added]
        new = [
            self._widened(merge.leaves[n][0], _type(context, merge.leaves[n][0]), kind)
            for n, kind in zip(added, kinds[len(after) :], strict=True)
        ]
        regions = [one for one in (self.condition if loop.bounds is None else None, opened) if one is not None]
        for region in regions:
            region.params = (*region.params, *(builder.param(kind) for kind in new))
            with builder.resumed(region):
                pass
        nodes = self._node(initial, opened, breaks=ends)
        return self._finish(nodes, merge, found, late, (after, added), sharing, (returned, given, stopped), end)

    def _stop(self, breaks: Any, returns: Any) -> Node:
        flags = [flag for flag in (breaks, returns) if flag is not False]
        if any(flag is True for flag in flags):
            return self.builder.const(True)
        return flags[0] if len(flags) == 1 else arrays.apply(REGISTRY["bitwise_or"], flags)

    def _initial(self, value: Any) -> Node:
        return node_of(self.context, value)

    def _checked(self, end: State, opened: OpenRegion, values: list[Any]) -> list[list[Node | int]]:
        """Which results share memory; raises Again where a parameter that does is written into."""
        keys = set(self.carried)
        heap = [one.place.kind == "heap" for one, _ in self.leaves]
        values = [None if k < len(heap) and heap[k] else value for k, value in enumerate(values)]
        names = None if self.loop.read is None else _all(self.loop.read, self.loop.later, self.frame.jumps)
        shared = partners(self.frame, end, keys, names, values)
        params = opened.params[1:] if self.loop.bounds is not None else opened.params
        again = False
        for (one, n), param, others in zip(self.leaves, params, shared, strict=False):
            written = end.values.get(param, param) is not param and one.place.kind != "heap"
            if others and written and n not in one.doubtful:
                one.doubtful.add(n)
                again = True
        if again:
            raise Again
        return shared

    def _check_types(self, after: list[Type]) -> None:
        """Raises Again where a next value is no instance of its parameter's type."""
        fits = control.Fitting(self.first).fit(after, self._types())
        for (one, n), kind, fit in zip(self.leaves, after, fits, strict=True):
            if not fit:
                one.type[n] = self._widened(one.initial[n], one.type[n], kind)
        if not all(fits):
            raise Again

    def _node(self, initial: list[Node], opened: OpenRegion, *, breaks: bool) -> tuple[Node, ...]:
        loop = self.loop
        self.builder.span = self.span
        if loop.bounds is not None:
            return control.count(*loop.bounds, initial, opened, breaks=breaks, **loop.attrs)
        assert self.condition is not None
        return control.repeat(initial, self.condition, opened, breaks=breaks)

    def _finish(
        self,
        nodes: tuple[Node, ...],
        merge: Merge,
        found: dict[tuple[str, int, str], Plan],
        late: list[tuple[Place, Plan]],
        numbers: tuple[list[int], list[int]],
        sharing: list[list[Node | int]],
        extra: tuple[Plan | None, Plan | None, Plan | None],
        end: State,
    ) -> tuple[Flow, Any]:
        """Set the places to the results of the loop."""
        context = self.context
        order = [*numbers[0], *numbers[1]]
        values: dict[int, Any] = dict(zip(order, nodes, strict=True))
        context.heap.uncertain.update({k: v for k, v in end.uncertain.items() if k not in self.inside})
        for place in self.dropped:
            place.set(context, ABSENT)
        for place, plan in [*((one.place, found[key]) for key, one in self.carried.items()), *late]:
            put(self.frame, merge, place, plan, values)
        doubt_containers(self.frame, merge, [self.before, end])
        first = [*self.shared, *([] for _ in range(len(order) - len(self.shared)))]
        both = [[*a, *b] for a, b in zip(first, sharing, strict=True)]
        outside = [
            [o for o in one if (isinstance(o, int) and o < len(nodes)) or (isinstance(o, Node) and o not in self.inside)]
            for one in both
        ]
        doubt(context, nodes, outside)
        returned, given, stopped = extra
        stopless = self.breaks is False
        flag = values[returned.value] if returned is not None else False
        if flag is not False and self.test is True and stopless:
            flag = True  # there is no other way out of the loop
        what = merge.build(given, values) if given is not None else ABSENT
        jumped = values[stopped.value] if stopped is not None else False
        return flow_of(False, False, flag, what), jumped


def _is_poisoned(plan: Plan) -> bool:
    return (plan.kind == "same" and plan.value is POISON) or any(map(_is_poisoned, plan.parts))


def _late(plan: Plan) -> list[int]:
    """The leaves of a plan that are no staged value before the first round."""
    found, pending = [], [plan]
    while pending:
        one = pending.pop()
        if one.kind == "late":
            found.append(one.value)
        pending += one.parts
    return found
