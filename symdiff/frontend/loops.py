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

from collections.abc import Sequence
from typing import Any

from symdiff.errors import UnsupportedError
from symdiff.frontend import arrays
from symdiff.frontend.bounds import least_of, runs
from symdiff.frontend.branches import flow_of, parts_of
from symdiff.frontend.carried import (
    Carried,
    Loop,
    Widening,
    all_names,
    is_poisoned,
    late_leaves,
    leaf_numbers,
    predicted,
    type_of,
)
from symdiff.frontend.frame import Flow, Frame
from symdiff.frontend.lists import stage_list
from symdiff.frontend.merge import Grown, Merge, Plan, node_of, same_form
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
from symdiff.frontend.state import ABSENT, State, restore, taken
from symdiff.frontend.values import POISON, Missing, Silent
from symdiff.ir import control, types
from symdiff.ir.build import OpenRegion
from symdiff.ir.node import Node
from symdiff.ir.types import Type
from symdiff.ops.row import REGISTRY
from symdiff.records import dataclass

_MOST_ATTEMPTS = 16


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


@dataclass(slots=True, eq=False, repr=False)
class _Round:
    """What one attempt evaluated.

    entry, end: the states before and after the body.  flags: how it may leave the loop (`parts_of`).  merge:
    of the values before the loop and after a round; plans: of the carried places; late: of places that are
    only read after the loop; dropped: places that nothing reads.
    """

    opened: OpenRegion
    entry: State
    end: State
    given: Any
    inside: set[Node]
    merge: Merge
    plans: dict[Key, Plan]
    late: list[tuple[Place, Plan]]
    dropped: list[Place]

    @property
    def flags(self) -> tuple[Any, ...]:
        return parts_of(self.given)

    @property
    def ends(self) -> bool:
        """Whether a jump may end the loop."""
        return self.flags[0] is not False or self.flags[2] is not False


class _Attempt:
    """Attempts to evaluate a round; `carried` is what all of them found so far."""

    def __init__(self, frame: Frame, loop: Loop, before: State):
        self.frame, self.loop = frame, loop
        self.context = frame.context
        self.builder = frame.context.builder
        self.span = self.builder.span
        self.types = Widening(self.builder.sizes.count)
        self.condition: OpenRegion | None = None
        self.start(before)

    def start(self, before: State) -> None:
        """Begin from a state; again where a list that grows has become a staged one."""
        self.before = before
        self.carried = dict(predicted(self.frame, self.loop, before))
        self.suspected = set(self.carried)

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
        return self._emitted(done)

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

    def _param_types(self) -> list[Type]:
        return [one.type[n] for one, n in self.leaves]

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
        self.shared = partners(self.frame, self.before, set(self.carried), self._live(), values)
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
        with self.builder.region(*self._param_types()) as self.condition:
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

    def _evaluated(self) -> _Round:
        counted = self.loop.bounds is not None
        counter = [types.number("int")] if counted else []
        with self.builder.region(*counter, *self._param_types()) as opened:
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
        return _Round(opened, entry, end, given, inside, merge, {}, [], [])

    def _bound_counter(self, opened: OpenRegion) -> None:
        if self.loop.bounds is not None:
            low = least_of(*self.loop.bounds, self.context.least)
            if low is not None:
                self.context.least[opened.params[0]] = low

    # What a round changed

    def _live(self) -> frozenset[str] | None:
        """The names that may be read after a round, in the next one or after the loop."""
        if self.loop.read is None or self.loop.later is None:
            return None
        return all_names(self.loop.read, self.loop.later, self.frame.jumps)

    def _compare(self, done: _Round) -> None:
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
        return is_dead(self.frame, place, self._live())

    def _seen(self, place: Place, plan: Plan, merge: Merge) -> Carried:
        """A place to be carried from now on, with the types that it was seen to have."""
        initial = {n: merge.leaves[n][0] for n in leaf_numbers(plan)}
        kinds = {n: self.types.met(value, type_of(merge.leaves[n][1])) for n, value in initial.items()}
        old = self.carried.get(place.key)
        if old is None:
            return Carried(place, plan, initial, kinds)
        return Carried(place, plan, initial, kinds, old.doubtful, old.forms)

    # Emission

    def _emitted(self, done: _Round) -> tuple[Flow, Any]:
        context, merge = self.context, done.merge
        breaks, _, returns, value = done.flags
        returned = merge.plan(False, returns) if returns is not False else None
        given = merge.plan(ABSENT, value) if returns is not False else None
        stopped = merge.plan(False, True) if done.ends and self.loop.stops else None
        after = [n for key in self.carried for n in leaf_numbers(done.plans[key])]
        late = [*(plan for _, plan in done.late), returned, given, stopped]
        added = [n for plan in late if plan is not None for n in leaf_numbers(plan)]
        kinds = self._close(done, [*after, *added], stopped)
        self._check_types(kinds[: len(after)])
        finals = [merge.leaves[n][1] for n in (*after, *added)]
        self._checked(done, finals)
        sharing = self._shared_after(done, finals)
        restore(context, self.before)
        self._extend(done, added, kinds[len(after) :])
        initial = [one.initial[n] for one, n in self.leaves] + [merge.leaves[n][0] for n in added]
        nodes = self._node(done, [node_of(context, value) for value in initial])
        values = dict(zip([*after, *added], nodes, strict=True))
        self._finish(done, values, sharing)
        flag = values[returned.value] if returned is not None else False
        if flag is not False and breaks is False and self.test is True:
            flag = True  # there is no other way out of the loop
        what = merge.build(given, values) if given is not None else ABSENT
        return flow_of(False, False, flag, what), values[stopped.value] if stopped is not None else False

    def _close(self, done: _Round, numbers: list[int], stopped: Plan | None) -> list[Type]:
        """Give the body its results; their types."""
        merge = done.merge
        restore(self.context, done.end)
        with self.builder.resumed(done.opened):
            flags = [flag for flag in (done.flags[0], done.flags[2]) if flag is not False]
            stop = flags[:1]
            if any(flag is True for flag in flags):
                stop = [self.builder.const(True)]
            elif len(flags) > 1:
                stop = [arrays.apply(REGISTRY["bitwise_or"], flags)]
            if stopped is not None:
                merge.leaves[stopped.value] = (False, stop[0])
            results = [node_of(self.context, merge.leaves[n][1]) for n in numbers]
            done.opened.results = [*results, *stop]
        return [result.type for result in results]

    def _check_types(self, after: list[Type]) -> None:
        """Raises Again where a next value is no instance of its parameter's type."""
        fits = self.types.fits(after, self._param_types())
        for (one, n), kind, fit in zip(self.leaves, after, fits, strict=True):
            if not fit:
                one.type[n] = self.types.wider(one.initial[n], one.type[n], kind)
        if not all(fits):
            raise Again

    def _checked(self, done: _Round, values: list[Any]) -> None:
        """Raises Again where a parameter is written into that may share memory from the second round on."""
        heap = [one.place.kind == "heap" for one, _ in self.leaves]
        values = [None if k < len(heap) and heap[k] else value for k, value in enumerate(values)]
        changed = {*self.carried, *(place.key for place, _ in done.late)}
        shared = partners(self.frame, done.end, changed, self._live(), values)
        params = done.opened.params[len(done.opened.params) - len(self.leaves) :]
        self._check_lists(done, values, params)
        again = self._check_exactness(done, params)
        for (one, n), param, others in zip(self.leaves, params, shared, strict=False):
            written = done.end.values.get(param, param) is not param and one.place.kind != "heap"
            if others and written and n not in one.doubtful:
                one.doubtful.add(n)
                again = True
        if again:
            raise Again

    def _shared_after(self, done: _Round, finals: list[Any]) -> list[list[list[Node | int]]]:
        """What else is the memory of each result when the loop has ended: where no round was run, and where
        one was the last."""
        live = None if self.loop.later is None else all_names(self.loop.later, self.frame.jumps)
        kept = [
            one.place.kind != "heap" and not is_dead(self.frame, one.place, live) for one, _ in self.leaves
        ]
        kept += [True] * (len(finals) - len(kept))
        initial = [one.initial[n] for one, n in self.leaves]
        initial += [ABSENT] * (len(finals) - len(initial))
        if self.loop.bounds is not None and runs(*self.loop.bounds, self.context.least):
            initial = [ABSENT] * len(finals)
        changed = {*self.carried, *(place.key for place, _ in done.late)}
        heap = self.context.heap
        pinned = heap.pinned
        heap.pinned = pinned[: len(pinned) - len(self.loop.over)]
        try:
            found = []
            for state, values in ((self.before, initial), (done.end, finals)):
                read = [value if keep else None for value, keep in zip(values, kept, strict=True)]
                found.append(partners(self.frame, state, changed, live, read))
            return found
        finally:
            heap.pinned = pinned

    def _check_exactness(self, done: _Round, params: Sequence[Node]) -> bool:
        """Whether a parameter may be of a class or dtype that it was taken not to have."""
        exact, again = self.context.heap.exact, False
        regions = [params, *([] if self.condition is None else [self.condition.params])]
        for k, (one, _) in enumerate(self.leaves):
            after = done.opened.results[k]
            missing = frozenset().union(*(exact.missing(region[k], after) for region in regions))
            one.forms, again = one.forms | missing, again or bool(missing)
        return again

    def _check_lists(self, done: _Round, values: list[Any], params: Sequence[Node]) -> None:
        """Raises UnsupportedError where a list holds an array that other rounds write into."""
        rewritten = {
            one.place.owner
            for (one, _), param in zip(self.leaves, params, strict=False)
            if one.place.kind == "heap" and done.end.values.get(one.place.owner, param) is not param
        }
        for value in values:
            held = done.end.uncertain.get(value, {}) if isinstance(value, Node) else {}
            if isinstance(value, Node) and value.type.kind == "stack" and not rewritten.isdisjoint(held):
                raise UnsupportedError(
                    "A list holds an array that the loop writes into after it was appended.",
                    "`.append(array.copy())`",
                    span=self.span,
                )

    def _extend(self, done: _Round, added: list[int], kinds: list[Type]) -> None:
        """Give the regions parameters for what is only read after the loop."""
        new = [self.types.met(done.merge.leaves[n][0], kind) for n, kind in zip(added, kinds, strict=True)]
        for region in [done.opened] if self.condition is None else [self.condition, done.opened]:
            region.params = (*region.params, *(self.builder.param(kind) for kind in new))
            with self.builder.resumed(region):
                pass

    def _node(self, done: _Round, initial: list[Node]) -> tuple[Node, ...]:
        loop, self.builder.span = self.loop, self.span
        if loop.bounds is not None:
            made = control.count(*loop.bounds, initial, done.opened, breaks=done.ends, **loop.attrs)
            if made and runs(*loop.bounds, self.context.least):
                owner = control.owner_of(made[0])
                assert owner is not None
                self.context.heap.exact.running.add(owner[0])
            return made
        assert self.condition is not None
        return control.repeat(initial, self.condition, done.opened, breaks=done.ends)

    def _finish(
        self, done: _Round, values: dict[int, Any], sharing: Sequence[list[list[Node | int]]]
    ) -> None:
        """Set the places to the results of the loop."""
        context, merge = self.context, done.merge
        uncertain = done.end.uncertain.items()
        context.heap.uncertain.update({k: v for k, v in uncertain if k not in done.inside})
        for place in done.dropped:
            place.set(context, ABSENT)
        known = [(one.place, done.plans[key]) for key, one in self.carried.items()]
        for place, plan in (*known, *done.late):
            put(self.frame, merge, place, plan, values)
        doubt_containers(self.frame, merge, [self.before, done.end])
        doubt(context, list(values.values()), [
            [other for other in (*a, *b) if isinstance(other, int) or other not in done.inside]
            for a, b in zip(*sharing, strict=True)
        ])  # fmt: skip


def _none_before(place: Place) -> Missing:
    name = f"`{place.name}`" if place.name else "this"
    return Missing(
        f"Only at run time is it known whether {name} is None or what an earlier round made.",
        "a number or an array as its initial value, and a flag that tells the first round",
    )
