"""`for` and `while`, and comprehensions.

Enters: their `ast`.  Leaves: where control goes next; lists.  Invariant: a loop over what is known while
compiling only as a Python object (a list of parameters) is written out; every other loop stays a loop, unless
its body needs the counter while compiling.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any

from symdiff.errors import SymdiffError, UnsupportedError
from symdiff.frontend import arrays
from symdiff.frontend.branches import flow_of, run_if, test_of, unless
from symdiff.frontend.carried import Loop
from symdiff.frontend.frame import (
    BREAK,
    CONTINUE,
    STATEMENTS,
    Consumed,
    Flow,
    Frame,
    Maybe,
    evaluate,
    execute,
)
from symdiff.frontend.live import live_names
from symdiff.frontend.loops import Static, rolled
from symdiff.frontend.once import spend
from symdiff.frontend.peeling import first_of, peeled, without_break
from symdiff.frontend.regions import Mark, Names, own_scope
from symdiff.frontend.rolled import Counted, arrays_in, counted, is_rolled
from symdiff.frontend.settling import settled
from symdiff.frontend.state import restore, taken
from symdiff.frontend.statements import assign
from symdiff.frontend.targets import assigned_names, rebound_names
from symdiff.frontend.unpacking import MOST, iterated
from symdiff.frontend.values import Checkpointed, Lazily, NeedUnrolled, Silent, StagedList
from symdiff.ir.node import Node

_FEW = 100  # rounds that are written out where a loop cannot be kept
_SHORT = 8  # rounds that are written out where what follows has to know which array is which


def _for(frame: Frame, node: ast.For) -> Flow | Consumed:
    rest = frame.rest
    iterable = evaluate(frame, node.iter)
    attrs: dict[str, Any] = {}
    if isinstance(iterable, Checkpointed):
        attrs["checkpoint"] = iterable.every or -1
        iterable = iterable.iterable

    def body(value: Any) -> Flow:
        stack = iterable.stack if isinstance(iterable, StagedList) else None
        assign(frame, node.target, value)
        flow = execute(frame, node.body)
        if stack is not None and iterable.stack is not stack:
            raise UnsupportedError("The loop changes the list that it goes over.", "a loop over a copy of it")
        return flow

    if isinstance(iterable, Lazily):
        return _drawn(frame, node, iterable, body)
    if not is_rolled(iterable):
        try:
            values: Any = iterated(frame, iterable)
        except SymdiffError as error:
            raise frame.locate(error, node.iter) from None
        return _else(frame, node, written_out(frame, values, body))
    spend(iterable)
    rounds = counted(frame, iterable)
    if rounds.known is not None and not rounds.known:
        return execute(frame, node.orelse)
    over = arrays_in(iterable)

    def written(values: Iterable[Any]) -> tuple[Flow, None]:
        return written_out(frame, values, body), None

    def run(loop_of: Callable[[], tuple[Flow, Any]]) -> Flow:
        with frame.context.heap.pinning(over):
            flow, jumped = loop_of()
        return _else(frame, node, flow) if jumped is None else _unless_jumped(frame, node, flow, jumped)

    def loop(rounds: Counted) -> Flow:
        made = Loop(
            (rounds.start, rounds.stop, rounds.step),
            lambda counter: body(rounds.item(_given(counter))),
            *_live(frame, node),
            assigned=_assigned(frame, node),
            attrs=attrs | ({"reverse": True} if rounds.reverse else {}),
            stops=bool(node.orelse),
            over=over,
        )
        return run(lambda: kept(frame, made, rounds, written))

    def apart() -> Flow | Consumed:
        known = rounds.known
        if known is not None and len(known) <= _SHORT:
            return run(lambda: written(map(rounds.item, known)))
        found = first_of(frame, rounds)
        if found is None:
            raise Silent
        some, item, later = found

        def first() -> Flow:
            with frame.context.heap.pinning(over):
                return body(item)

        return peeled(frame, node, rest, some, first, lambda: loop(later))

    return settled(frame, rest, lambda: (loop(rounds), False), apart, rounds=True)


def _drawn(frame: Frame, node: ast.For, iterable: Lazily, body: Callable[[Any], Flow]) -> Flow:
    """A loop over an iterator whose own loops run the body for each item."""
    if node.orelse or any(isinstance(inner, ast.Return) for part in node.body for inner in ast.walk(part)):
        raise UnsupportedError(
            "A loop over an iterator, decided at run time, has an `else` or a `return`.",
            "a loop over a list: list(...) of the iterator",
        )

    def step(inner: Frame, value: Any) -> Flow:
        flow = body(value)
        if isinstance(flow, Maybe):
            return flow_of(flow.breaks, False, flow.returns, flow.value)
        return None if flow is CONTINUE else flow

    iterable.within(frame, step)
    return None


def _assigned(frame: Frame, node: ast.For | ast.While) -> Names:
    """The names that a round sets; an array that it only changes in place stays the same array."""
    layout, rebound = frame.context.heap.layout, rebound_names(node)

    def stays(name: str) -> bool:
        value = own_scope(frame).names.get(frame.mangle(name))
        if not isinstance(value, Node) or value.type.kind != "array":
            return False
        return name not in rebound and layout.scalar(value) is False

    return frozenset(name for name in assigned_names(node) if not stays(name))


def _given(counter: Node | None) -> Node:
    assert counter is not None
    return counter


def _live(frame: Frame, node: ast.For | ast.While) -> tuple[Names | None, Names | None]:
    """The names that a round may read before it sets them, and those that may be read after the loop."""
    live = live_names(frame.source.node)
    after = live.after.get(id(node))
    if after is None or id(node) not in live.rounds:
        return None, None
    read = {name.id for part in node.orelse for name in ast.walk(part) if isinstance(name, ast.Name)}
    return live.rounds[id(node)], after | read


Written = Callable[[Iterable[Any]], tuple[Any, Any]]


def kept(frame: Frame, loop: Loop, rounds: Counted, written: Written) -> tuple[Any, Any]:
    """The loop kept as a loop, or written out where that cannot be."""
    context = frame.context
    before, mark = taken(context, frame), Mark.of(context)
    known = rounds.known
    try:
        return rolled(frame, loop)
    except NeedUnrolled as need:
        if not need.params & loop.params:
            raise
        mark.reset(context)
        restore(context, before)
        if known is None:
            known = _specialised(rounds, need)
        if len(known) > MOST:
            raise need.error from None
    except (Silent, SymdiffError) as error:
        if known is None or len(known) > _FEW:
            raise
        problems = context.problems[mark.problems :]
        mark.reset(context)
        restore(context, before)
        try:
            found = written(map(rounds.item, known))
        except (Silent, SymdiffError):
            found = None
        if found is None or len(context.problems) > mark.problems:
            mark.reset(context)
            restore(context, before)
            context.problems += problems
            raise error from None
        return found
    return written(map(rounds.item, known))


def _specialised(rounds: Counted, need: NeedUnrolled) -> range:
    """The range of a loop whose counter is needed while compiling: its bounds have to be int arguments."""
    try:
        bounds = [
            arrays.static_int(one, "the bound of a range") for one in (rounds.start, rounds.stop, rounds.step)
        ]
    except SymdiffError:
        raise need.error from None
    return range(*bounds)


def written_out(frame: Frame, values: Iterable[Any], body: Callable[[Any], Flow]) -> Flow:
    """Round after round; the flow tells where the loop was left by `break`."""
    problems = len(frame.context.problems)
    values = iter(values)
    for value in values:
        flow = body(value)
        if flow is None or flow is CONTINUE:
            if len(frame.context.problems) > problems:
                raise Silent
            continue
        if not isinstance(flow, Maybe):
            return flow
        flow = Maybe(flow.breaks, False, flow.returns, flow.value)
        if flow.breaks is False and flow.returns is False:
            continue
        return unless(frame, flow, lambda: written_out(frame, values, body), None)
    return None


def _else(frame: Frame, node: ast.For | ast.While, flow: Flow) -> Flow:
    """What comes after a loop that was written out: its `else`, where it was not left."""
    if flow is BREAK:
        return None
    if not isinstance(flow, Maybe):
        return execute(frame, node.orelse) if flow is None else flow
    if node.orelse:
        after = live_names(frame.source.node).after.get(id(node))
        flow = unless(frame, flow, lambda: execute(frame, node.orelse), after)
    return without_break(flow)


def _unless_jumped(frame: Frame, node: ast.For | ast.While, flow: Flow, jumped: Any) -> Flow:
    """The `else` of a loop that was kept."""
    if not node.orelse:
        return flow
    if jumped is False:
        return execute(frame, node.orelse)
    live = live_names(frame.source.node).after.get(id(node))
    return run_if(frame, jumped, lambda: flow, lambda: execute(frame, node.orelse), (), lambda moved: live)[0]


# While


def _while(frame: Frame, node: ast.While) -> Flow | Consumed:
    if isinstance(node.test, ast.Constant) and node.test.value and not _leaves(node):
        raise UnsupportedError("The loop has no end.", "a `break` or a condition")
    rest = frame.rest

    def apart() -> Flow | Consumed:
        some = test_of(frame, node.test)
        if some is False:
            return execute(frame, node.orelse)
        return peeled(
            frame, node, rest, some, lambda: execute(frame, node.body), lambda: _repeated(frame, node)
        )

    return settled(frame, rest, lambda: (_repeated(frame, node), False), apart, rounds=True)


def _repeated(frame: Frame, node: ast.While) -> Flow:
    context = frame.context
    before, mark = taken(context, frame), Mark.of(context)
    loop = _loop(frame, node)
    try:
        flow, jumped = rolled(frame, loop)
        return _unless_jumped(frame, node, flow, jumped)
    except Static:
        need = None
    except NeedUnrolled as one:
        if not one.params & loop.params:
            raise
        need = one
    mark.reset(context)
    restore(context, before)
    return _while_known(frame, node, need)


def _leaves(node: ast.While) -> bool:
    """Whether something in the body may end a loop."""
    ends = ast.Break | ast.Return | ast.Raise | ast.Call | ast.Assert
    return any(isinstance(inner, ends) for part in node.body for inner in ast.walk(part))


def _loop(frame: Frame, node: ast.While) -> Loop:
    loop: Loop = Loop(
        None,
        lambda counter: _round(frame, node, loop),
        *_live(frame, node),
        assigned=_assigned(frame, node),
        test=lambda: test_of(frame, node.test),
        stops=bool(node.orelse),
    )
    return loop


def _while_known(frame: Frame, node: ast.While, need: NeedUnrolled | None) -> Flow:
    """Round after round as long as the condition is known while compiling.

    Where it is not any more, the rest is a loop.
    """
    context = frame.context
    problems = len(context.problems)
    for _ in range(MOST):
        before, mark = taken(context, frame), Mark.of(context)
        test = test_of(frame, node.test)
        if not isinstance(test, bool):
            if need is not None:
                raise need.error
            mark.reset(context)
            restore(context, before)
            return _repeated(frame, node)
        flow = execute(frame, node.body) if test else execute(frame, node.orelse)
        if len(context.problems) > problems:
            raise Silent  # a failed body may never end the loop
        if not test or flow is BREAK:
            return flow if not test else None
        if isinstance(flow, Maybe) and (flow.breaks is not False or flow.returns is not False):
            left = Maybe(flow.breaks, False, flow.returns, flow.value)
            after = unless(frame, left, lambda: _while_known(frame, node, need), None)
            return without_break(after)
        if flow is not None and flow is not CONTINUE and not isinstance(flow, Maybe):
            return flow
    raise UnsupportedError(
        f"The loop has more than {MOST} rounds, all written out.", "a `for` loop over a range"
    )


def _round(frame: Frame, node: ast.While, loop: Loop) -> Flow:
    """One round of a kept loop; where the condition changes something it is part of the round."""
    if not loop.inline_test:
        return execute(frame, node.body)
    test = test_of(frame, node.test)
    if isinstance(test, bool):
        return execute(frame, node.body) if test else BREAK
    if node.orelse:
        raise UnsupportedError(
            "The condition of this `while` with an `else` sets a variable.", "the assignment inside the loop"
        )
    return run_if(frame, test, lambda: execute(frame, node.body), lambda: BREAK, (), lambda moved: None)[0]


STATEMENTS[ast.For] = _for
STATEMENTS[ast.While] = _while
STATEMENTS[ast.Break] = lambda frame, node: BREAK
STATEMENTS[ast.Continue] = lambda frame, node: CONTINUE
