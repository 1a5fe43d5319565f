"""A round that was evaluated, as the node of a loop.

Enters: a `Trial` and the `Round` that stands.  Leaves: the node, with its results in the places that rounds
change.  Invariant: before anything is emitted it is checked that every next value is of its parameter's type,
class and memory; where one is not there is another attempt (`Again`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symdiff.errors import UnsupportedError
from symdiff.frontend import arrays
from symdiff.frontend.bounds import runs
from symdiff.frontend.branches import flow_of
from symdiff.frontend.carried import all_names, leaf_numbers
from symdiff.frontend.frame import Flow
from symdiff.frontend.merge import Plan, node_of
from symdiff.frontend.regions import doubt, doubt_containers, is_dead, partners, put
from symdiff.frontend.rounds import Again, Round, Trial
from symdiff.frontend.state import ABSENT, restore
from symdiff.ir import control
from symdiff.ir.node import Node
from symdiff.ir.types import Type
from symdiff.ops.row import REGISTRY


def emitted(trial: Trial, done: Round) -> tuple[Flow, Any]:
    """Emit the loop: how control goes on after it, and whether a jump ended it."""
    context, merge = trial.context, done.merge
    breaks, _, returns, value = done.flags
    returned = merge.plan(False, returns) if returns is not False else None
    given = merge.plan(ABSENT, value) if returns is not False else None
    stopped = merge.plan(False, True) if done.ends and trial.loop.stops else None
    after = [n for key in trial.carried for n in leaf_numbers(done.plans[key])]
    late = [*(plan for _, plan in done.late), returned, given, stopped]
    added = [n for plan in late if plan is not None for n in leaf_numbers(plan)]
    kinds = _close(trial, done, [*after, *added], stopped)
    _check_types(trial, kinds[: len(after)])
    finals = [merge.leaves[n][1] for n in (*after, *added)]
    _checked(trial, done, finals)
    sharing = _shared_after(trial, done, finals)
    restore(context, trial.before)
    _extend(trial, done, added, kinds[len(after) :])
    initial = [one.initial[n] for one, n in trial.leaves] + [merge.leaves[n][0] for n in added]
    nodes = _node(trial, done, [node_of(context, value) for value in initial])
    values = dict(zip([*after, *added], nodes, strict=True))
    _finish(trial, done, values, sharing)
    flag = values[returned.value] if returned is not None else False
    if flag is not False and breaks is False and trial.test is True:
        flag = True  # there is no other way out of the loop
    what = merge.build(given, values) if given is not None else ABSENT
    return flow_of(False, False, flag, what), values[stopped.value] if stopped is not None else False


def _close(trial: Trial, done: Round, numbers: list[int], stopped: Plan | None) -> list[Type]:
    """Give the body its results; their types."""
    merge = done.merge
    restore(trial.context, done.end)
    with trial.builder.resumed(done.opened):
        flags = [flag for flag in (done.flags[0], done.flags[2]) if flag is not False]
        stop = flags[:1]
        if any(flag is True for flag in flags):
            stop = [trial.builder.const(True)]
        elif len(flags) > 1:
            stop = [arrays.apply(REGISTRY["bitwise_or"], flags)]
        if stopped is not None:
            merge.leaves[stopped.value] = (False, stop[0])
        results = [node_of(trial.context, merge.leaves[n][1]) for n in numbers]
        done.opened.results = [*results, *stop]
    return [result.type for result in results]


def _check_types(trial: Trial, after: list[Type]) -> None:
    """Raises Again where a next value is no instance of its parameter's type."""
    fits = trial.types.fits(after, trial.param_types())
    for (one, n), kind, fit in zip(trial.leaves, after, fits, strict=True):
        if not fit:
            one.type[n] = trial.types.wider(one.initial[n], one.type[n], kind)
    if not all(fits):
        raise Again


def _checked(trial: Trial, done: Round, values: list[Any]) -> None:
    """Raises Again where a parameter is written into that may share memory from the second round on."""
    heap = [one.place.kind == "heap" for one, _ in trial.leaves]
    values = [None if k < len(heap) and heap[k] else value for k, value in enumerate(values)]
    changed = {*trial.carried, *(place.key for place, _ in done.late)}
    shared = partners(trial.frame, done.end, changed, trial.live(), values)
    params = done.opened.params[len(done.opened.params) - len(trial.leaves) :]
    _check_lists(trial, done, values, params)
    again = _check_exactness(trial, done, params)
    for (one, n), param, others in zip(trial.leaves, params, shared, strict=False):
        written = done.end.values.get(param, param) is not param and one.place.kind != "heap"
        if others and written and n not in one.doubtful:
            one.doubtful.add(n)
            again = True
    if again:
        raise Again


def _shared_after(trial: Trial, done: Round, finals: list[Any]) -> list[list[list[Node | int]]]:
    """What else is the memory of each result when the loop has ended: where no round was run, and where
    one was the last."""
    live = None if trial.loop.later is None else all_names(trial.loop.later, trial.frame.jumps)
    kept = [one.place.kind != "heap" and not is_dead(trial.frame, one.place, live) for one, _ in trial.leaves]
    kept += [True] * (len(finals) - len(kept))
    initial = [one.initial[n] for one, n in trial.leaves]
    initial += [ABSENT] * (len(finals) - len(initial))
    if trial.loop.bounds is not None and runs(*trial.loop.bounds, trial.context.least):
        initial = [ABSENT] * len(finals)
    changed = {*trial.carried, *(place.key for place, _ in done.late)}
    heap = trial.context.heap
    pinned = heap.pinned
    heap.pinned = pinned[: len(pinned) - len(trial.loop.over)]
    try:
        found = []
        for state, values in ((trial.before, initial), (done.end, finals)):
            read = [value if keep else None for value, keep in zip(values, kept, strict=True)]
            found.append(partners(trial.frame, state, changed, live, read))
        return found
    finally:
        heap.pinned = pinned


def _check_exactness(trial: Trial, done: Round, params: Sequence[Node]) -> bool:
    """Whether a parameter may be of a class or dtype that it was taken not to have."""
    exact, again = trial.context.heap.exact, False
    regions = [params, *([] if trial.condition is None else [trial.condition.params])]
    for k, (one, _) in enumerate(trial.leaves):
        after = done.opened.results[k]
        missing = frozenset().union(*(exact.missing(region[k], after) for region in regions))
        one.forms, again = one.forms | missing, again or bool(missing)
    return again


def _check_lists(trial: Trial, done: Round, values: list[Any], params: Sequence[Node]) -> None:
    """Raises UnsupportedError where a list holds an array that other rounds write into."""
    rewritten = {
        one.place.owner
        for (one, _), param in zip(trial.leaves, params, strict=False)
        if one.place.kind == "heap" and done.end.values.get(one.place.owner, param) is not param
    }
    for value in values:
        held = done.end.uncertain.get(value, {}) if isinstance(value, Node) else {}
        if isinstance(value, Node) and value.type.kind == "stack" and not rewritten.isdisjoint(held):
            raise UnsupportedError(
                "A list holds an array that the loop writes into after it was appended.",
                "`.append(array.copy())`",
                span=trial.span,
            )


def _extend(trial: Trial, done: Round, added: list[int], kinds: list[Type]) -> None:
    """Give the regions parameters for what is only read after the loop."""
    new = [trial.types.met(done.merge.leaves[n][0], kind) for n, kind in zip(added, kinds, strict=True)]
    for region in [done.opened] if trial.condition is None else [trial.condition, done.opened]:
        region.params = (*region.params, *(trial.builder.param(kind) for kind in new))
        with trial.builder.resumed(region):
            pass


def _node(trial: Trial, done: Round, initial: list[Node]) -> tuple[Node, ...]:
    loop, trial.builder.span = trial.loop, trial.span
    if loop.bounds is not None:
        made = control.count(*loop.bounds, initial, done.opened, breaks=done.ends, **loop.attrs)
        if made and runs(*loop.bounds, trial.context.least):
            owner = control.owner_of(made[0])
            assert owner is not None
            trial.context.heap.exact.running.add(owner[0])
        return made
    assert trial.condition is not None
    return control.repeat(initial, trial.condition, done.opened, breaks=done.ends)


def _finish(
    trial: Trial, done: Round, values: dict[int, Any], sharing: Sequence[list[list[Node | int]]]
) -> None:
    """Set the places to the results of the loop."""
    context, merge = trial.context, done.merge
    uncertain = done.end.uncertain.items()
    context.heap.uncertain.update({k: v for k, v in uncertain if k not in done.inside})
    for place in done.dropped:
        place.set(context, ABSENT)
    known = [(one.place, done.plans[key]) for key, one in trial.carried.items()]
    for place, plan in (*known, *done.late):
        put(trial.frame, merge, place, plan, values)
    doubt_containers(trial.frame, merge, [trial.before, done.end])
    doubt(context, list(values.values()), [
        [other for other in (*a, *b) if isinstance(other, int) or other not in done.inside]
        for a, b in zip(*sharing, strict=True)
    ])  # fmt: skip
