"""Branches after which only run time knows which array a name refers to.

Enters: a branch, and what follows it in its block.  Leaves: where control goes on.  Invariant: where that
does no harm, nothing is written twice; where the rest of the block reads or writes an array that may be one
of two, the rest goes into both branches, and there it is known.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from symdiff.frontend.frame import GUARDED, STATEMENTS, Consumed, Flow, Frame, Maybe, execute
from symdiff.frontend.regions import Mark
from symdiff.frontend.state import restore, taken

_MOST = 6
"""How often the rest of a block is tried in both branches: each time it doubles."""


def settled(
    frame: Frame,
    rest: Sequence[ast.stmt],
    plain: Callable[[], tuple[Flow, bool]],
    split: Callable[[], Flow | Consumed],
) -> Flow | Consumed:
    """What a branch does, and what follows it.

    plain: the branch alone; whether it has run the rest.  split: the branch with the rest on both sides.
    """
    context, heap = frame.context, frame.context.heap
    before, mark, place = taken(context, frame), Mark.of(context), context.builder.mark()
    span, known = context.builder.span, set(heap.uncertain)
    flow, moved = plain()
    if moved or not rest or (flow is not None and not isinstance(flow, Maybe)):
        return Consumed(flow) if moved else flow
    if context.splits >= _MOST or not any(node not in known for node in heap.uncertain):
        return flow
    refused = heap.refused
    after = GUARDED[0](frame, flow, rest) if isinstance(flow, Maybe) else execute(frame, rest)
    if heap.refused == refused or context.splits >= _MOST:
        return Consumed(after)
    context.splits += 1
    context.builder.rewind(place)
    mark.reset(context)
    restore(context, before)
    context.builder.span, frame.rest, heap.refused = span, rest, refused
    return split()


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
