"""Generator functions, evaluated as far as their items are asked for.

Enters: a function whose body has `yield` as statements.  Leaves: a `Generator` of evaluated items.
Invariant: body and consumer take turns as in Python; a generator is advanced only in the region it was made
in, so that none of its names holds a value of a branch that may not run.
"""

from __future__ import annotations

import ast
from collections.abc import Generator as Steps
from collections.abc import Iterator
from typing import Any

from symdiff.errors import SymdiffError, UnsupportedError, UserError
from symdiff.frontend.frame import (
    BREAK,
    CONTINUE,
    EXPRESSIONS,
    RAISED,
    Flow,
    Frame,
    Maybe,
    Return,
    evaluate,
    execute,
    statement_span,
)
from symdiff.frontend.functions import GENERATORS, has_yield, opened
from symdiff.frontend.iterators import lazily
from symdiff.frontend.operators import truth
from symdiff.frontend.statements import assign
from symdiff.frontend.unpacking import MOST, iterated
from symdiff.frontend.values import Generator, Raised

_Steps = Steps[Any, None, Any]


def _call(frame: Frame, inner: Frame, node: Any) -> Generator:
    """The generator that a call of a generator function gives."""
    return lazily(frame, _turns(inner, node.body))


def _turns(frame: Frame, body: list[ast.stmt]) -> _Steps:
    """The items of a function's body; between two of them the frame is not in the list of open ones."""
    context = frame.context
    steps = _body(frame, body)
    while True:
        span = context.builder.span
        context.frames.append(frame)
        try:
            item = next(steps)
        except StopIteration as end:
            return end.value.value if isinstance(end.value, Return) else None
        finally:
            context.frames.pop()
            context.builder.span = span
        yield item


def context_steps(frame: Frame, function: Any, args: list[Any], kwargs: dict[str, Any]) -> Iterator[Any]:
    """The two steps of a generator function that is a context."""
    inner, node = opened(frame, function, args, kwargs)
    if isinstance(node, ast.Lambda) or not has_yield(node):
        raise UserError("TypeError: 'NoneType' object is not an iterator")
    return _turns(inner, node.body)


def _body(frame: Frame, body: list[ast.stmt]) -> Steps[Any, None, Flow]:
    for statement in body:
        flow: Flow
        if has_yield(statement):
            frame.context.builder.span = statement_span(frame, statement)
            try:
                flow = yield from _statement(frame, statement)
            except SymdiffError as error:
                raise frame.locate(error, statement) from None
        else:
            flow = execute(frame, [statement])
        if flow is not None:
            if flow is RAISED:
                raise Raised
            if isinstance(flow, Maybe):
                raise UnsupportedError("Run time decides whether a generator goes on.", _INSTEAD)
            return flow
    return None


def _statement(frame: Frame, node: ast.stmt) -> Steps[Any, None, Flow]:
    """A statement with a `yield` in it."""
    if isinstance(node, ast.Expr | ast.Assign | ast.AnnAssign) and isinstance(
        node.value, ast.Yield | ast.YieldFrom
    ):
        value = yield from _yielded(frame, node.value)
        for target in node.targets if isinstance(node, ast.Assign) else []:
            assign(frame, target, value)
        return None
    if isinstance(node, ast.If):
        test = truth(frame, evaluate(frame, node.test), "The condition of `if` around `yield`", _INSTEAD)
        return (yield from _body(frame, node.body if test else node.orelse))
    if isinstance(node, ast.For | ast.While):
        return (yield from _loop(frame, node))
    if isinstance(node, ast.With):
        return (yield from _inside(frame, node))
    if isinstance(node, ast.Try) and not node.handlers and not node.orelse:
        flow = yield from _body(frame, node.body)
        return execute(frame, node.finalbody) or flow
    raise UnsupportedError("`yield` in this place is not supported.", "`yield value` as a statement")


def _yielded(frame: Frame, node: ast.Yield | ast.YieldFrom) -> _Steps:
    if isinstance(node, ast.Yield):
        yield None if node.value is None else evaluate(frame, node.value)
        return None
    items = iterated(frame, evaluate(frame, node.value))
    yield from items
    return None


def _loop(frame: Frame, node: ast.For | ast.While) -> Steps[Any, None, Flow]:
    for _ in _rounds(frame, node):
        flow = yield from _body(frame, node.body)
        if flow is BREAK:
            return None
        if flow is not None and flow is not CONTINUE:
            return flow
    return (yield from _body(frame, node.orelse))


def _rounds(frame: Frame, node: ast.For | ast.While) -> Iterator[None]:
    """One step for each round of a loop that is known while compiling."""
    if isinstance(node, ast.For):
        for value in iterated(frame, evaluate(frame, node.iter)):
            assign(frame, node.target, value)
            yield
        return
    count = 0
    while truth(frame, evaluate(frame, node.test), "The condition of `while` around `yield`", _INSTEAD):
        count += 1
        if count > MOST:
            raise UnsupportedError(f"The loop has more than {MOST} rounds, all written out.", _INSTEAD)
        yield


def _inside(frame: Frame, node: ast.With) -> Steps[Any, None, Flow]:
    from symdiff.frontend.effects import enter  # which imports this module

    exits = []
    for item in node.items:
        value, leave = enter(frame, evaluate(frame, item.context_expr))
        exits.append(leave)
        if item.optional_vars is not None:
            assign(frame, item.optional_vars, value)
    flow = yield from _body(frame, node.body)
    for leave in reversed(exits):
        leave()
    return flow


def _misplaced(frame: Frame, node: ast.expr) -> Any:
    raise UnsupportedError("`yield` inside an expression is not supported.", "`yield value` as a statement")


_INSTEAD = "a list that is built in a loop and returned"
EXPRESSIONS[ast.Yield] = _misplaced
EXPRESSIONS[ast.YieldFrom] = _misplaced
GENERATORS.append(_call)
