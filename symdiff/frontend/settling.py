"""Branches and loops after which only run time knows which array a name refers to.

Enters: a branch or a loop, and what follows it in its block.  Leaves: where control goes on.  Invariant:
where that does no harm, nothing is written twice; where the rest of the block reads or writes an array that
may be one of two, the rest goes into both branches, and there it is known; of a loop the first round is
written out (see `peeling`), also where its own rounds are refused for that.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

from symdiff.errors import Problem, SymdiffError, UnsupportedError
from symdiff.frontend.frame import GUARDED, STATEMENTS, Consumed, Context, Flow, Frame, Maybe, execute
from symdiff.frontend.regions import Mark
from symdiff.frontend.state import restore, taken
from symdiff.frontend.values import Silent

_MOST = 6
"""How often the rest of a block is tried in both branches: each time it doubles."""


def settled(
    frame: Frame,
    rest: Sequence[ast.stmt],
    plain: Callable[[], tuple[Flow, bool]],
    split: Callable[[], Flow | Consumed],
    rounds: bool = False,
) -> Flow | Consumed:
    """What a branch or a loop does, and what follows it.

    plain: the branch alone; whether it has run the rest.  split: the branch with the rest on both sides, or
    the loop written in another way.  rounds: whether that helps where it is refused itself, too.
    """
    context, heap = frame.context, frame.context.heap
    before, mark, place = taken(context, frame), Mark.of(context), context.builder.mark()
    span, known, asked = context.builder.span, set(heap.uncertain), len(heap.refused)
    sizes = context.builder.sizes
    numbers, seeds = sizes.refusals, len(sizes.seeds)

    def back() -> list[tuple[Problem, type[SymdiffError]]]:
        problems = context.problems[mark.problems :]
        context.builder.rewind(place)
        mark.reset(context)
        restore(context, before)
        context.builder.span, frame.rest = span, rest
        return problems

    try:
        flow, moved = plain()
    except (Silent, SymdiffError) as error:
        older = known.issuperset(heap.refused[asked:]) and sizes.refusals == numbers
        if not rounds or context.splits >= _MOST or older:
            raise
        return _otherwise(context, mark, back, split, error)
    if moved or not rest or (flow is not None and not isinstance(flow, Maybe)):
        return Consumed(flow) if moved else flow
    doubted = any(node not in known for node in heap.uncertain) or len(sizes.seeds) > seeds
    if context.splits >= _MOST or not doubted:
        return flow
    asked = len(heap.refused) + sizes.refusals
    after = GUARDED[0](frame, flow, rest) if isinstance(flow, Maybe) else execute(frame, rest)
    if (
        len(heap.refused) + sizes.refusals == asked
        or context.splits >= _MOST
        or len(context.problems) == mark.problems
    ):
        return Consumed(after)
    if rounds:
        return _otherwise(context, mark, back, split, Silent())
    problems = back()
    context.splits += 1
    found = split()
    kinds = [kind for _, kind in context.problems[mark.problems :]]
    if problems and not all(issubclass(kind, UnsupportedError) for kind in kinds):
        # One side raises, should run time ever take it; that is no mistake of a program that never does.
        context.problems[mark.problems :] = problems
    return found


def _otherwise(
    context: Context,
    mark: Mark,
    back: Callable[[], list[tuple[Problem, type[SymdiffError]]]],
    split: Callable[[], Flow | Consumed],
    error: Exception,
) -> Flow | Consumed:
    """The loop in the other way, if that has no problem at all."""
    problems = back()
    context.splits += 1
    with suppress(Silent, SymdiffError):
        found = split()
        if len(context.problems) == mark.problems:
            return found
    back()
    context.problems += problems
    raise error from None


def _assign(frame: Frame, node: ast.Assign) -> Any:
    """`x = a if condition else b` can be written as a statement."""
    rest = frame.rest
    if not isinstance(node.value, ast.IfExp):
        return _PLAIN(frame, node)

    def plain() -> tuple[Flow, bool]:
        _PLAIN(frame, node)
        return None, False

    return settled(frame, rest, plain, lambda: STATEMENTS[ast.If](frame, _as_if(node)))


@lru_cache(maxsize=1024)
def _as_if(node: ast.Assign) -> ast.If:
    """An assignment of a conditional expression as an `if`; kept, since places are known by their `id`."""
    value = node.value
    assert isinstance(value, ast.IfExp)
    sides = [ast.copy_location(ast.Assign(node.targets, side), node) for side in (value.body, value.orelse)]
    return ast.copy_location(ast.If(value.test, [sides[0]], [sides[1]]), node)


_PLAIN = STATEMENTS[ast.Assign]
STATEMENTS[ast.Assign] = _assign
