"""Branches that only run time decides on.

Enters: a condition and what to evaluate where it holds and where not.  Leaves: an `if` node; every place that
differs holds a result of it.  Invariant: both sides start from the same state; a side is evaluated as Python
would, and no more of it: what follows a side that always jumps away goes into the other one.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from symdiff.errors import UnsupportedError, UserError
from symdiff.frontend import arrays
from symdiff.frontend.frame import (
    BREAK,
    CONTINUE,
    GUARDED,
    RAISED,
    Flow,
    Frame,
    Jump,
    Maybe,
    Return,
    call,
    execute,
)
from symdiff.frontend.live import live_names
from symdiff.frontend.lookup import user_method
from symdiff.frontend.merge import Merge, Plan, node_of
from symdiff.frontend.regions import (
    RAISES,
    Names,
    Place,
    Side,
    doubt,
    evaluated,
    is_dead,
    is_same,
    nodes_of,
    partners,
    places,
)
from symdiff.frontend.state import ABSENT, State, restore, taken
from symdiff.frontend.values import POISON, Raised, Silent, StagedList
from symdiff.ir import control
from symdiff.ir.build import current
from symdiff.ir.node import Node
from symdiff.ops.row import REGISTRY
from symdiff.ops.stacks import stack_length


def staged_truth(frame: Frame, value: Any) -> bool | Node:
    """Whether a value counts as true: known now, or a node that tells it at run time."""
    if value is POISON:
        raise Silent
    if isinstance(value, StagedList):
        return stack_length(value.stack)
    if isinstance(value, Node):
        return _scalar(frame, value)
    for name in ("__bool__", "__len__"):
        method = user_method(value, name)
        if method is not None:
            return staged_truth(frame, call(frame, method, [value], {}))
    try:
        return bool(value)
    except Exception as error:
        raise UserError(f"{type(error).__name__}: {error}") from None


def _scalar(frame: Frame, node: Node) -> bool | Node:
    """A node as a condition: a number, or an array of one element."""
    if node.is_const:
        return bool(node.value)
    if node.type.kind not in ("array", "number"):
        raise arrays.unknown_rank(node)
    dims = frame.context.builder.sizes.resolve(node.type.dims)
    if not dims:
        return node
    if all(dim == 1 for dim in dims):
        return arrays.apply(REGISTRY["index"], [node], index=(("int", 0),) * len(dims))
    raise UnsupportedError(
        "The truth of an array of more than one element is asked for.", "`.any()` or `.all()` of it"
    )


def negated(value: Node) -> Node:
    """`not value`."""
    return arrays.apply(REGISTRY["not"], [value])


# Both sides of an expression


def choose(frame: Frame, condition: Node, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
    """The value of the side that run time takes."""
    before = taken(frame.context, frame)
    span = frame.context.builder.span
    sides = [evaluated(frame, before, None, run) for run in (then, otherwise)]
    frame.context.builder.span = span
    value = _joined(frame, condition, before, sides, [side.given for side in sides], None)
    if value is POISON:
        raise Silent
    return value


# Both sides of a statement

_PARTS = "breaks", "continues", "returns", "value"


def parts_of(flow: Any) -> tuple[Any, ...]:
    """A flow as flags: whether it breaks, continues or returns, and what is returned."""
    if flow is POISON or flow is None:
        return False, False, False, ABSENT
    if isinstance(flow, Return):
        return False, False, True, flow.value
    if isinstance(flow, Maybe):
        return flow.breaks, flow.continues, flow.returns, flow.value
    return flow is BREAK, flow is CONTINUE, False, ABSENT


def flow_of(breaks: Any, continues: Any, returns: Any, value: Any) -> Flow:
    """The flow that these flags mean."""
    if returns is True:
        return Return(value)
    if breaks is True or continues is True:
        return BREAK if breaks is True else CONTINUE
    if breaks is False and continues is False and returns is False:
        return None
    return Maybe(breaks, continues, returns, value)


def always_jumps(side: Side) -> bool:
    return isinstance(side.given, Return | Jump) and side.given is not RAISED


def run_if(
    frame: Frame,
    condition: Node,
    then: Callable[[], Flow],
    otherwise: Callable[[], Flow],
    rest: Sequence[ast.stmt],
    live: Callable[[bool], Names | None],
) -> tuple[Flow, bool]:
    """Both branches; where one always jumps, the rest of the block runs in the other.

    live: the names that may be read afterwards, after the rest of the block where that was run.  Returns the
    flow, and whether the rest was run.
    """
    context = frame.context
    span, jumps = context.builder.span, frame.jumps
    before = taken(context, frame)

    def run(part: Callable[[], Flow]) -> Callable[[], Any]:
        def evaluate() -> Any:
            flow = part()
            return RAISES if flow is RAISED else flow

        return evaluate

    sides = [evaluated(frame, before, None, run(part)) for part in (then, otherwise)]
    goes = [always_jumps(side) for side in sides]
    moved = bool(rest) and any(goes)
    if moved and not all(goes):
        k = goes.index(False)
        if not sides[k].raises:
            sides[k] = _continued(frame, before, sides[k], rest)
    context.builder.span = span
    flows = [parts_of(None if side.raises else side.given) for side in sides]
    names = live(moved)
    flow = _joined(frame, condition, before, sides, flows, None if names is None else names | jumps)
    if all(side.raises for side in sides):
        return RAISED, moved
    return flow_of(*flow), moved


def _continued(frame: Frame, before: State, side: Side, rest: Sequence[ast.stmt]) -> Side:
    """The rest of the block at the end of a side."""

    def run() -> Any:
        flow = GUARDED[0](frame, side.given, rest) if isinstance(side.given, Maybe) else execute(frame, rest)
        return RAISES if flow is RAISED else flow

    restore(frame.context, side.state)
    return evaluated(frame, before, side.opened, run)


def after_jumps(frame: Frame, flow: Maybe, rest: Sequence[ast.stmt]) -> Flow:
    """The rest of a block, where no jump was made before it."""
    names = live_names(frame.source.node).after.get(id(rest[-1]))
    return unless(frame, flow, lambda: execute(frame, rest), names)


def unless(frame: Frame, flow: Maybe, run: Callable[[], Flow], live: Names | None) -> Flow:
    """Evaluate something where no jump was made."""
    flags = [flag for flag in (flow.breaks, flow.continues, flow.returns) if flag is not False]
    condition = flags[0]
    for flag in flags[1:]:
        condition = arrays.apply(REGISTRY["bitwise_or"], [condition, flag])
    jumped: Flow = flow
    if len(flags) == 1:
        jumped = flow_of(*(flag is not False for flag in parts_of(flow)[:3]), flow.value)
    return run_if(frame, condition, lambda: jumped, run, (), lambda moved: live)[0]


GUARDED.append(after_jumps)


# Joining


def _joined(
    frame: Frame, condition: Node, before: State, sides: Sequence[Side], given: Sequence[Any], live: Names | None
) -> Any:
    """Emit the `if`, set all places that differ, and give back what the sides gave, as one."""
    context, builder = frame.context, frame.context.builder
    merge = Merge(context)
    plans: list[tuple[Place, Plan]] = []
    dropped: list[Place] = []
    dead = [side.raises for side in sides]
    states = [side.state for side in sides]
    inside = nodes_of(*(side.opened.closed() for side in sides))
    for place in places([before, *states], inside):
        values = [place.value(state) for state in states]
        if is_dead(frame, place, live):
            if any(value is not place.value(before) for value in values):
                dropped.append(place)
            continue
        if is_same(place, *values) and not any(dead):
            if not is_same(place, values[0], place.value(before)):
                plans.append((place, _plan(merge, place, *values)))
            continue
        if all(gone or is_same(place, v, place.value(before)) for gone, v in zip(dead, values, strict=True)):
            continue
        values = [ABSENT if gone else value for gone, value in zip(dead, values, strict=True)]
        plans.append((place, _plan(merge, place, *values)))
    result = _given(merge, dead, given)
    changed = {place.key for place, _ in plans}
    shared: list[list[Node | int]] = [[] for _ in merge.leaves]
    doubts = [s.uncertain for s in states]
    for k, side in enumerate(sides):
        restore(context, side.state)
        with builder.resumed(side.opened):
            side.opened.results = [node_of(context, leaf[k]) for leaf in merge.leaves]
        found = partners(frame, side.state, changed, live, [leaf[k] for leaf in merge.leaves])
        shared = [[*a, *b] for a, b in zip(shared, found, strict=True)]
    restore(context, before)
    for one in doubts:
        context.heap.uncertain.update({k: v for k, v in one.items() if k not in inside})
    nodes = control.branch(condition, sides[0].opened, sides[1].opened)
    for place in dropped:
        place.set(context, ABSENT)
    for place, plan in plans:
        _set(frame, merge, place, plan, nodes)
    _doubt_containers(frame, merge, states)
    doubt(context, nodes, [[o for o in one if isinstance(o, int) or o not in inside] for one in shared])
    if result is None:
        return POISON
    return tuple(merge.build(r, nodes) for r in result) if isinstance(result, list) else merge.build(result, nodes)


def _given(merge: Merge, dead: Sequence[bool], given: Sequence[Any]) -> Any:
    """The plan of what the sides gave; None where both raise."""
    if all(dead):
        return [Plan("same", part) for part in parts_of(None)] if isinstance(given[0], tuple) else None
    known = [value for gone, value in zip(dead, given, strict=True) if not gone]
    a, b = known[0], known[-1]
    if isinstance(a, tuple) and len(a) == 4 and a[0] in (True, False) or isinstance(given[0], _Flags):
        pass
    if any(dead):
        pairs = (ABSENT, b) if dead[0] else (a, ABSENT)
        return merge.plan(*pairs)
    return merge.plan(a, b)
