"""Loops that are kept as loops.

Enters: a `Loop`.  Leaves: a `for` or `while` node; every place that a round changes holds a result of it.
Invariant: the body is evaluated with parameters in the places that its rounds change, so that what it emits
holds for every round.

Which places these are is found by attempts.  The first carries the names that the body sets and may read
before; an attempt whose body changes another place, or makes a value of another type than its parameter has,
is discarded, and the next one carries what was found.  The text of a loop and the time to lower it do not
depend on the number of rounds.
"""

from __future__ import annotations

from typing import Any

from symdiff.errors import UnsupportedError
from symdiff.frontend.bounds import least_of
from symdiff.frontend.carried import (
    Carried,
    Loop,
    all_names,
    is_poisoned,
    late_leaves,
    leaf_numbers,
    type_of,
)
from symdiff.frontend.emission import emitted
from symdiff.frontend.frame import Flow, Frame
from symdiff.frontend.lists import stage_list
from symdiff.frontend.merge import Grown, Merge, Plan, same_form
from symdiff.frontend.regions import (
    RAISES,
    Key,
    Mark,
    Place,
    differing,
    doubt,
    doubt_containers,
    guarded,
    is_dead,
    nodes_of,
    partners,
    plan_of,
    put,
)
from symdiff.frontend.rounds import Again, Round, Trial
from symdiff.frontend.state import restore, taken
from symdiff.frontend.values import POISON, Missing, Silent
from symdiff.ir import types
from symdiff.ir.build import OpenRegion
from symdiff.ir.node import Node

_MOST_ATTEMPTS = 16


class Static(Exception):
    """The condition of a `while` is known while compiling, and no jump ends the loop."""


def rolled(frame: Frame, loop: Loop) -> tuple[Flow, Any]:
    """Emit the loop: how control goes on (never by `break` or `continue`), and whether a jump ended it.

    Raises Silent where the body has problems, which are reported.
    """
    context = frame.context
    before, mark = taken(context, frame), Mark.of(context)
    span, jumps = context.builder.span, frame.jumps
    attempt = _Attempt(frame, loop, before)
    try:
        for _ in range(_MOST_ATTEMPTS):
            mark.reset(context)
            context.builder.span, frame.jumps = span, all_names(jumps, loop.read, loop.later)
            try:
                return attempt.run()
            except Again:
                restore(context, attempt.before)
            except Grown as grown:
                restore(context, attempt.before)
                stage_list(frame, grown.container)
                attempt.start(taken(context, frame))
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


class _Attempt(Trial):
    """Attempts to evaluate a round; `carried` is what all of them found so far."""

    def run(self) -> tuple[Flow, Any]:
        context = self.context
        problems = len(context.problems)
        self.leaves = [(one, n) for one in self.carried.values() for n in one.numbers]
        try:
            self.test = self._tested()
            done = self._evaluated()
        finally:
            restore(context, self.before)
        failed = done.given is POISON or len(context.problems) > problems
        if failed and self._drop_doubtful():
            raise Again
        if self.test is True and not done.ends:
            raise Static
        self._compare(done)
        if failed or any(map(is_poisoned, done.plans.values())):  # a problem is reported once
            raise Silent
        return emitted(self, done)

    def _drop_doubtful(self) -> bool:
        """Do without what the first attempt carries on suspicion: perhaps no round rebinds the array."""
        dropped = set()
        for (one, _), others in zip(self.leaves, self.shared, strict=True):
            if others and one.place.key in self.suspected:
                dropped.add(one.place.key)
        self.suspected -= dropped
        for key in dropped:
            del self.carried[key]
        return bool(dropped)

    # Evaluation

    def _bind(self, params: tuple[Node, ...]) -> None:
        """Put parameters into the places that are carried."""
        context = self.context
        self.loop.params.update(params)
        nodes = {(id(one), n): param for (one, n), param in zip(self.leaves, params, strict=True)}
        for one in self.carried.values():
            values: dict[int, Any] = {n: nodes[id(one), n] for n in one.numbers}
            values |= dict.fromkeys(late_leaves(one.plan), _none_before(one.place))
            merge = Merge(context)
            put(self.frame, merge, one.place, one.plan, values)
            doubt_containers(self.frame, merge, [self.before])
        self._doubt_params(params)

    def _doubt_params(self, params: tuple[Node, ...]) -> None:
        """Mark the parameters that may be, in the first round, the memory of something else."""
        heap = self.context.heap
        values = [None if one.place.kind == "heap" else one.initial[n] for one, n in self.leaves]
        self.shared = partners(self.frame, self.before, set(self.carried), self.live(), values)
        doubt(self.context, params, self.shared)
        for param, value in zip(params, values, strict=True):
            if isinstance(value, Node):
                heap.layout.stands_for(param, value)
        for (one, n), param in zip(self.leaves, params, strict=True):
            initial = one.initial[n]
            staged = initial if isinstance(initial, Node) else None
            heap.exact.stands_for(param, type_of(initial), staged, one.forms)
            if n in one.doubtful and param not in heap.uncertain:
                heap.doubt(param, [param])

    def _tested(self) -> Any:
        """The condition of a `while`, as a region; its value where it is known while compiling."""
        test = self.loop.test
        if test is None:
            return None
        with self.builder.region(*self.param_types()) as self.condition:
            if self.loop.inline_test:
                self.condition.results = [self.builder.const(True)]
                return None
            self._bind(self.condition.params)
            entry = taken(self.context, self.frame, self.before)
            value = test()
            end = taken(self.context, self.frame, self.before)
            known = isinstance(value, bool)
            node = self.builder.const(value) if known else self.context.heap.latest(value)
            self.condition.results = [node]
        restore(self.context, self.before)
        inside = nodes_of(self.condition.closed())
        if any(True for _ in differing([entry, end], entry, [end], inside)):
            self.loop.inline_test = True
            raise Again
        if value is False:
            raise Static
        return value

    def _evaluated(self) -> Round:
        counted = self.loop.bounds is not None
        counter = [types.number("int")] if counted else []
        with self.builder.region(*counter, *self.param_types()) as opened:
            self._bind(opened.params[len(counter) :])
            self._bound_counter(opened)
            self.loop.params.update(opened.params)
            entry = taken(self.context, self.frame, self.before)
            given = guarded(self.frame, lambda: self.loop.body(opened.params[0] if counted else None))
            end = taken(self.context, self.frame, self.before)
        if given is RAISES:
            given, end = None, entry
        inside = nodes_of(opened.closed())
        merge = Merge(self.context, rolled=True, inside=inside)
        return Round(opened, entry, end, given, inside, merge, {}, [], [])

    def _bound_counter(self, opened: OpenRegion) -> None:
        if self.loop.bounds is not None:
            low = least_of(*self.loop.bounds, self.context.least)
            if low is not None:
                self.context.least[opened.params[0]] = low

    # What a round changed

    def _compare(self, done: Round) -> None:
        """Make the plans of what a round changed.

        Raises Again where something was not carried that has to be, or not as what it is.
        """
        merge, more = done.merge, dict[Key, Carried]()
        for key, one in self.carried.items():
            plan = plan_of(merge, one.place, one.place.value(self.before), one.place.value(done.end))
            same = same_form(plan, one.plan) and len(leaf_numbers(plan)) == len(one.numbers)
            if same or is_poisoned(plan):
                done.plans[key] = plan
            else:
                more[key] = self._seen(one.place, plan, merge)
        states = [self.before, done.entry, done.end]
        for place in differing(states, done.entry, [done.end], done.inside):
            if place.key in self.carried:
                continue
            if self._is_dead(place):
                done.dropped.append(place)
                continue
            plan = plan_of(merge, place, place.value(self.before), place.value(done.end))
            if is_poisoned(plan):
                continue
            if self.loop.read is not None and is_dead(self.frame, place, self.loop.read):
                done.late.append((place, plan))  # no round reads what an earlier one left there
            else:
                more[place.key] = self._seen(place, plan, merge)
        if more:
            self.carried.update(more)
            raise Again

    def _is_dead(self, place: Place) -> bool:
        if place.kind == "name" and place.owner is self.loop.private and not place.name.startswith("."):
            return True
        return is_dead(self.frame, place, self.live())

    def _seen(self, place: Place, plan: Plan, merge: Merge) -> Carried:
        """A place to be carried from now on, with the types that it was seen to have."""
        initial = {n: merge.leaves[n][0] for n in leaf_numbers(plan)}
        kinds = {n: self.types.met(value, type_of(merge.leaves[n][1])) for n, value in initial.items()}
        old = self.carried.get(place.key)
        if old is None:
            return Carried(place, plan, initial, kinds)
        return Carried(place, plan, initial, kinds, old.doubtful, old.forms)


def _none_before(place: Place) -> Missing:
    name = f"`{place.name}`" if place.name else "this"
    return Missing(
        f"Only at run time is it known whether {name} is None or what an earlier round made.",
        "a number or an array as its initial value, and a flag that tells the first round",
    )
