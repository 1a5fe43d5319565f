"""Branches that only run time decides on.

Enters: a condition and what to evaluate where it holds and where not.  Leaves: an `if` node; every place that
differs holds a result of it.  Invariant: both sides start from the same state; a side is evaluated as Python
would, and no more of it: what follows a side that always jumps away goes into the other one.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from symdiff.errors import SymdiffError, UnsupportedError, UserError
from symdiff.frontend import arrays
from symdiff.frontend.carried import leaf_numbers
from symdiff.frontend.frame import (
    BREAK,
    CONTINUE,
    EXPRESSIONS,
    GUARDED,
    RAISED,
    STATEMENTS,
    Consumed,
    Flow,
    Frame,
    Jump,
    Maybe,
    Return,
    call,
    evaluate,
    execute,
)
from symdiff.frontend.lists import stage_list
from symdiff.frontend.live import live_names
from symdiff.frontend.lookup import user_method
from symdiff.frontend.merge import Grown, Merge, Plan, node_of
from symdiff.frontend.operators import compare, unary
from symdiff.frontend.regions import (
    RAISES,
    Mark,
    Names,
    Place,
    Side,
    differing,
    doubt,
    doubt_containers,
    evaluated,
    is_dead,
    nodes_of,
    partners,
    plan_of,
    put,
)
from symdiff.frontend.settling import settled
from symdiff.frontend.state import ABSENT, State, restore, taken
from symdiff.frontend.values import POISON, Raised, Silent, StagedList
from symdiff.ir import control
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
    span = frame.context.builder.span

    def attempt() -> Any:
        before = taken(frame.context, frame)
        sides = [evaluated(frame, before, None, run) for run in (then, otherwise)]
        frame.context.builder.span = span
        given = [ABSENT if side.raises else side.given for side in sides]
        return _joined(frame, condition, before, sides, given, None)

    value = growing(frame, attempt)
    if value is ABSENT:
        raise Raised
    if value is POISON:
        raise Silent
    return value


# Both sides of a statement


def parts_of(flow: Any) -> tuple[Any, ...]:
    """A flow as flags: whether it breaks, continues or returns, and what is returned."""
    if flow is POISON or flow is None:
        return False, False, False, ABSENT
    if isinstance(flow, Return):
        return False, False, True, flow.value
    if isinstance(flow, Maybe):
        return flow.breaks, flow.continues, flow.returns, flow.value
    return flow is BREAK, flow is CONTINUE, False, ABSENT


def flow_of(breaks: Any, continues: Any, returns: Any, value: Any = ABSENT) -> Flow:
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
    attempt = partial(_run_if, frame, condition, (then, otherwise), rest, live)
    found: tuple[Flow, bool] = growing(frame, attempt)
    return found


def growing(frame: Frame, attempt: Callable[[], Any]) -> Any:
    """Evaluate both sides; once more where one of them makes a list longer, which is then a staged one."""
    while True:
        before, mark = taken(frame.context, frame), Mark.of(frame.context)
        try:
            return attempt()
        except Grown as grown:
            mark.reset(frame.context)
            restore(frame.context, before)
            stage_list(frame, grown.container)
        except BaseException:
            restore(frame.context, before)
            raise


def _run_if(
    frame: Frame,
    condition: Node,
    parts: Sequence[Callable[[], Flow]],
    rest: Sequence[ast.stmt],
    live: Callable[[bool], Names | None],
) -> tuple[Flow, bool]:
    context = frame.context
    span, jumps = context.builder.span, frame.jumps
    before = taken(context, frame)

    def run(part: Callable[[], Flow]) -> Callable[[], Any]:
        def evaluate() -> Any:
            flow = part()
            return RAISES if flow is RAISED else flow

        return evaluate

    sides = [evaluated(frame, before, None, run(part)) for part in parts]
    goes = [always_jumps(side) for side in sides]
    moved = bool(rest) and any(goes)
    if moved and not all(goes):
        k = goes.index(False)
        if not sides[k].raises:
            sides[k] = _continued(frame, before, sides[k], rest)
    context.builder.span = span
    flows = [(ABSENT,) * 4 if side.raises else parts_of(side.given) for side in sides]
    names = live(moved)
    flow = _joined(frame, condition, before, sides, flows, None if names is None else names | jumps)
    if all(side.raises for side in sides):
        return RAISED, moved
    breaks, continues, returns = (False if part is ABSENT else part for part in flow[:3])
    return flow_of(breaks, continues, returns, flow[3]), moved


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
        breaks, continues, returns = (flag is not False for flag in parts_of(flow)[:3])
        jumped = flow_of(breaks, continues, returns, flow.value)
    return run_if(frame, condition, lambda: jumped, run, (), lambda moved: live)[0]


GUARDED.append(after_jumps)


# Joining


def _joined(
    frame: Frame,
    condition: Node,
    before: State,
    sides: Sequence[Side],
    given: Sequence[Any],
    live: Names | None,
) -> Any:
    """Emit the `if`, set all places that differ, and give back what the sides gave, as one value."""
    context, builder = frame.context, frame.context.builder
    states = [side.state for side in sides]
    inside = nodes_of(*(side.opened.closed() for side in sides))
    merge = Merge(context, inside=inside)
    plans: list[tuple[Place, Plan]] = []
    ending = [side.state for side in sides if not side.raises]
    for place in differing([before, *states], before, ending, inside):
        values = [ABSENT if side.raises else place.value(side.state) for side in sides]
        dead = is_dead(frame, place, live)
        plans.append((place, Plan("same", ABSENT) if dead else plan_of(merge, place, *values)))
    result = merge.plan(*given)
    changed = {place.key for place, _ in plans}
    shared: list[list[Node | int]] = [[] for _ in merge.leaves]
    # What memory holds is no reference to it.
    named = [result, *(plan for place, plan in plans if place.kind != "heap")]
    references = {n for plan in named for n in leaf_numbers(plan)}
    for k, side in enumerate(sides):
        leaves = [leaf[k] for leaf in merge.leaves]
        restore(context, side.state)
        with builder.resumed(side.opened):
            side.opened.results = [node_of(context, leaf) for leaf in leaves]
        held = [leaf if n in references else None for n, leaf in enumerate(leaves)]
        found = partners(frame, side.state, changed, live, held)
        shared = [[*a, *b] for a, b in zip(shared, found, strict=True)]
    restore(context, before)
    for state in states:
        context.heap.uncertain.update({k: v for k, v in state.uncertain.items() if k not in inside})
    nodes = control.branch(condition, sides[0].opened, sides[1].opened)
    for place, plan in plans:
        put(frame, merge, place, plan, nodes)
    value = merge.build(result, nodes)
    doubt_containers(frame, merge, states)
    outside = [[one for one in others if isinstance(one, int) or one not in inside] for others in shared]
    doubt(context, nodes, outside)
    return value


# Statements and expressions


def _if(frame: Frame, node: ast.If) -> Flow | Consumed:
    rest = frame.rest
    condition = test_of(frame, node.test)
    if isinstance(condition, bool):
        return execute(frame, node.body if condition else node.orelse)
    after = live_names(frame.source.node).after

    def live(moved: bool) -> Names | None:
        return after.get(id(rest[-1] if moved else node))

    def run(inside: Sequence[ast.stmt], following: Sequence[ast.stmt]) -> tuple[Flow, bool]:
        then, otherwise = (partial(execute, frame, [*body, *inside]) for body in (node.body, node.orelse))
        return run_if(frame, condition, then, otherwise, following, lambda moved: live(moved or bool(inside)))

    return settled(frame, rest, lambda: run((), rest), lambda: Consumed(run(rest, ())[0]))


def test_of(frame: Frame, node: ast.expr) -> bool | Node:
    """Whether a condition holds."""
    value = evaluate(frame, node)
    try:
        return staged_truth(frame, value)
    except SymdiffError as error:
        raise frame.locate(error, node) from None


def _if_expression(frame: Frame, node: ast.IfExp) -> Any:
    condition = test_of(frame, node.test)
    if isinstance(condition, bool):
        return evaluate(frame, node.body if condition else node.orelse)
    return choose(frame, condition, lambda: evaluate(frame, node.body), lambda: evaluate(frame, node.orelse))


def _bool_op(frame: Frame, node: ast.BoolOp) -> Any:
    conjunction = isinstance(node.op, ast.And)

    def value_of(k: int) -> Any:
        value = evaluate(frame, node.values[k])
        if k == len(node.values) - 1:
            return value  # Python returns the last operand without asking for its truth
        try:
            known = staged_truth(frame, value)
        except SymdiffError as error:
            raise frame.locate(_elementwise(error, conjunction), node.values[k]) from None
        if isinstance(known, bool):
            return value_of(k + 1) if known is conjunction else value
        sides = (lambda: value_of(k + 1)), (lambda: value)
        return choose(frame, known, *(sides if conjunction else reversed(sides)))

    return value_of(0)


def _elementwise(error: SymdiffError, conjunction: bool) -> SymdiffError:
    """What is meant by `and` of arrays."""
    word, symbol = ("and", "&") if conjunction else ("or", "|")
    instead = f"`(a) {symbol} (b)`, elementwise, or np.logical_{word}(a, b)"
    return type(error)([replace(problem, instead=instead) for problem in error.problems])


def _compare(frame: Frame, node: ast.Compare) -> Any:
    def value_of(k: int, left: Any) -> Any:
        right = evaluate(frame, node.comparators[k])
        value = compare(frame, type(node.ops[k]), left, right)
        if k == len(node.ops) - 1:
            return value
        try:
            known = staged_truth(frame, value)
        except SymdiffError as error:
            instead = "`(a < b) & (b < c)`"
            problems = [replace(problem, instead=instead) for problem in error.problems]
            raise type(error)(problems) from None
        if isinstance(known, bool):
            return value_of(k + 1, right) if known else value
        return choose(frame, known, lambda: value_of(k + 1, right), lambda: value)

    return value_of(0, evaluate(frame, node.left))


def _not(frame: Frame, node: ast.UnaryOp) -> Any:
    if not isinstance(node.op, ast.Not):
        return unary(frame, type(node.op), evaluate(frame, node.operand))
    known = test_of(frame, node.operand)
    return not known if isinstance(known, bool) else negated(known)


STATEMENTS[ast.If] = _if
EXPRESSIONS[ast.IfExp] = _if_expression
EXPRESSIONS[ast.BoolOp] = _bool_op
EXPRESSIONS[ast.Compare] = _compare
EXPRESSIONS[ast.UnaryOp] = _not
