"""The first round of a loop, apart from the others.

Enters: what the first round does, and the loop of all later ones.  Leaves: where control goes on.  Invariant:
only a loop that was refused otherwise comes here, since only run time knew which array a name refers to: one
made before the loop, or one of an earlier round.  Where the first round stands before the loop, and what
follows the loop stands in the same branch, each name is one of the two.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from symdiff.frontend import arrays
from symdiff.frontend.bounds import runs
from symdiff.frontend.branches import run_if, unless
from symdiff.frontend.frame import BREAK, CONTINUE, GUARDED, Consumed, Flow, Frame, Maybe, execute
from symdiff.frontend.live import live_names
from symdiff.frontend.rolled import Bound, Counted
from symdiff.frontend.values import Silent
from symdiff.ir.node import OPERATORS, Node
from symdiff.ops.row import REGISTRY


def first_of(frame: Frame, rounds: Counted) -> tuple[bool | Node, Any, Counted] | None:
    """Whether there is a first round, the item that it gets, and the rounds after it.

    None where that is not clear: the step of the range is known only at run time, say.
    """
    start, stop, step = rounds.start, rounds.stop, rounds.step
    if not isinstance(step, int) or step == 0 or (rounds.reverse and step != 1):
        return None
    some = runs(start, stop, step, frame.context.least) or _is_before(start, stop, step)
    if some is False:
        return None
    if rounds.reverse:
        last = _plus(stop, -1)
        return some, rounds.item(last), Counted(start, last, step, rounds.item, True)
    return some, rounds.item(start), Counted(_plus(start, step), stop, step, rounds.item)


def _is_before(start: Bound, stop: Bound, step: int) -> bool | Node:
    if isinstance(start, int) and isinstance(stop, int):
        return start < stop if step > 0 else start > stop
    row = REGISTRY["less" if step > 0 else "greater"]
    return arrays.apply(row, [arrays.operand(start), arrays.operand(stop)])


def _plus(bound: Bound, number: int) -> Bound:
    if isinstance(bound, int):
        return bound + number
    row = OPERATORS["add" if number > 0 else "subtract"]
    return arrays.apply(row, [bound, arrays.operand(abs(number))])


def peeled(
    frame: Frame,
    node: ast.For | ast.While,
    rest: Sequence[ast.stmt],
    some: bool | Node,
    first: Callable[[], Flow],
    later: Callable[[], Flow],
) -> Flow | Consumed:
    """The first round, where there is one, and the loop of the later ones with all that follows it.

    later: with the `else` of the loop.
    """
    if isinstance(some, bool):
        return _rounds(frame, node, first, later)
    live = live_names(frame.source.node).after.get(id(rest[-1] if rest else node))
    flow, _ = run_if(
        frame,
        some,
        lambda: _followed(frame, _rounds(frame, node, first, later), rest),
        lambda: _followed(frame, execute(frame, node.orelse), rest),
        (),
        lambda moved: live,
    )
    return Consumed(flow)


def _followed(frame: Frame, flow: Flow, rest: Sequence[ast.stmt]) -> Flow:
    if isinstance(flow, Maybe) and rest:
        return GUARDED[0](frame, flow, rest)
    return execute(frame, rest) if flow is None else flow


def _rounds(
    frame: Frame, node: ast.For | ast.While, first: Callable[[], Flow], later: Callable[[], Flow]
) -> Flow:
    problems = len(frame.context.problems)
    flow = first()
    if len(frame.context.problems) > problems:
        raise Silent
    if isinstance(flow, Maybe):
        left = Maybe(flow.breaks, False, flow.returns, flow.value)
        if left.breaks is not False or left.returns is not False:
            live = live_names(frame.source.node).after.get(id(node))
            return without_break(unless(frame, left, later, live))
        flow = None
    if flow is BREAK:
        return None
    return later() if flow is None or flow is CONTINUE else flow


def without_break(flow: Flow) -> Flow:
    """How control goes on after a loop that was left in this way."""
    if not isinstance(flow, Maybe):
        return None if flow is BREAK else flow
    if flow.returns is False:
        return None
    return Maybe(False, False, flow.returns, flow.value)
