"""Calls that the reverse sweep computes again instead of storing what they compute: `symdiff.checkpoint`.

Enters: what to evaluate.  Leaves: a `block` node and a value whose leaves are its results.  Invariant:
nothing outside the block changes, so that computing it again gives the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from symdiff.errors import UnsupportedError
from symdiff.frontend.frame import Frame
from symdiff.frontend.regions import differing, doubt, nodes_of, storages
from symdiff.frontend.state import content_of, fill, held, is_changeable, taken
from symdiff.frontend.values import Closure, Raised, ShapeTuple
from symdiff.ir import control
from symdiff.ir.calls import CALLS
from symdiff.ir.node import Node


def in_block(frame: Frame, run: Callable[[], Any]) -> Any:
    """The value of something that is evaluated in a block of its own."""
    context, builder = frame.context, frame.context.builder
    before, span = taken(context, frame), builder.span
    value, raised, kept = None, False, []
    with builder.region() as opened:
        try:
            value = run()
        except Raised:
            raised = True
        inside: Collection[Node] = set(builder.body)
        kept = [leaf for leaf in _leaves(value) if leaf in inside]
        opened.results = [context.heap.latest(leaf) for leaf in kept]
    builder.span = span
    inside = nodes_of(opened.closed())
    states = [before, taken(context, frame, before)]
    if any(True for _ in differing(states, states[0], states[1:], set(inside))):
        raise UnsupportedError(
            "A function under `checkpoint` changes something outside it.",
            "a function that returns new values",
        )
    if any(not node.op.pure and not node.op.effect and node.op.name not in CALLS for node in inside):
        raise UnsupportedError(
            "A function under `checkpoint` draws random numbers.", "the numbers as an argument of it"
        )
    made = control.block(opened) if kept or raised else ()
    if raised:
        raise Raised
    doubt(context, made, _shared(frame, kept, inside))
    return _replaced(value, dict(zip(kept, made, strict=True)), {})


def _shared(frame: Frame, kept: Sequence[Node], inside: Collection[Node]) -> list[list[Node | int]]:
    """By result: what else shares its memory: outer arrays, and other results by number."""
    memory = [storages(frame.context, leaf) for leaf in kept]
    return [
        [one for one in mine if one not in inside]
        + [k for k, others in enumerate(memory) if others is not mine and set(mine) & set(others)]
        for mine in memory
    ]


def _leaves(value: Any) -> list[Node]:
    """The staged values in a value, each once."""
    found: dict[Node, None] = {}
    seen: dict[int, Any] = {}
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, Node):
            found[one] = None
        elif isinstance(one, Closure):
            raise UnsupportedError("A function under `checkpoint` returns a function.", "arrays and numbers")
        elif id(one) not in seen:
            seen[id(one)] = one
            pending += content_of(one).values() if is_changeable(one) else held(one)
    return list(found)


def _replaced(value: Any, known: dict[Node, Node], met: dict[int, Any]) -> Any:
    """A value with other leaves: containers stay what they are, for the block made them."""
    if isinstance(value, Node):
        return known.get(value, value)
    if id(value) in met:
        return met[id(value)]
    if isinstance(value, ShapeTuple):
        return ShapeTuple.of(known.get(value.node, value.node), [known.get(one, one) for one in value])
    if isinstance(value, tuple):
        return tuple.__new__(type(value), [_replaced(one, known, met) for one in value])
    met[id(value)] = value
    if is_changeable(value):
        content = content_of(value)
        fill(value, {key: _replaced(one, known, met) for key, one in content.items()})
    return value
