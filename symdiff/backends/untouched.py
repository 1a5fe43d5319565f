"""Sums in loops that find zeros: `x_bar[i] = g` rather than `x_bar[i] += g`.

Enters: a `Schedule`.  Leaves: the `add_at` whose place holds zeros in every iteration.  Invariant: what is
carried begins as zeros, all that the loops add to it stands at the counters of all of these loops, on the
same axes, so that no two iterations meet; and within an iteration no earlier one reaches the place.

Counters are only told apart where none is negative: `x[-1]` may be `x[n - 1]`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from symdiff.backends.schedule import Schedule
from symdiff.ir.control import FOR, IF, carried_of, carried_params, owner_of
from symdiff.ir.node import Node

_ZEROS = ("zeros", "zeros_like")
Entry = tuple[Any, ...]


class _Sum(NamedTuple):
    """An `add_at` with the loops around it, the outermost first."""

    node: Node
    loops: tuple[Node, ...]


class _Edge(NamedTuple):
    counter: Node | None
    offset: int


def untouched(schedule: Schedule) -> set[Node]:
    """See the module's own text."""
    found: set[Node] = set()
    for statement in schedule.statements:
        if statement.node.op is FOR:
            for k, initial in enumerate(map(schedule.resolved, carried_of(statement.node))):
                if initial.op.name in _ZEROS:
                    found.update(_first(schedule, statement.node, k))
    return found


def _first(schedule: Schedule, loop: Node, k: int) -> Iterator[Node]:
    """The sums into what one loop carries that find zeros."""
    sums = _sums(schedule, loop, k, ())
    if not sums or any(one.loops != sums[0].loops for one in sums):
        return
    counters: list[Node] = []
    for around in sums[0].loops:
        if not _is_never_negative(around, counters):
            return
        counters.append(around.regions[-1].params[0])
    entries = [_entries(one.node) for one in sums]
    if any(not one for one in entries) or not all(_are_apart(entries, counter) for counter in counters):
        return
    for place, one in enumerate(sums):
        if all(_is_elsewhere(entries[place], other, counters) for other in entries[:place]):
            yield one.node


def _sums(schedule: Schedule, loop: Node, k: int, around: tuple[Node, ...]) -> list[_Sum] | None:
    """All that an iteration adds, in order; None where it does something else to the array."""
    region, loops = loop.regions[-1], (*around, loop)
    return _between(schedule, region.results[k], carried_params(loop, region)[k], loops)


def _between(schedule: Schedule, value: Node, first: Node, loops: tuple[Node, ...]) -> list[_Sum] | None:
    found: list[_Sum] = []
    value = schedule.resolved(value)
    while value is not first:
        if value.op.name == "add_at":
            found.append(_Sum(value, loops))
            value = schedule.resolved(value.args[0])
            continue
        place = owner_of(value)
        if place is None or place[0].op not in (FOR, IF):
            return None
        owner, k = place
        if owner.op is FOR:
            value = schedule.resolved(carried_of(owner)[k])
            inner = _sums(schedule, owner, k, loops)
        else:
            value = _before(schedule, owner, k)
            parts = [_between(schedule, region.results[k], value, loops) for region in owner.regions]
            inner = None if parts[0] is None or parts[1] is None else parts[0] + parts[1]
        if inner is None:
            return None
        found += inner[::-1]
    return found[::-1]


def _before(schedule: Schedule, branch: Node, k: int) -> Node:
    """What a branch adds to."""
    region = branch.regions[0]
    value, inside = schedule.resolved(region.results[k]), set(region.body)
    while value.op.name == "add_at" and value in inside:
        value = schedule.resolved(value.args[0])
    return value


def _is_never_negative(loop: Node, counters: list[Node]) -> bool:
    """Whether the counter of a loop is never negative; by the counters of the loops around it."""
    start, stop, step = loop.args[:3]
    if not step.is_const or not isinstance(step.value, int) or step.value == 0:
        return False
    if step.value > 0:
        return _edge(start.value if start.is_const else start, counters) is not None
    return stop.is_const and isinstance(stop.value, int) and stop.value >= -1


def _entries(node: Node) -> tuple[Entry, ...]:
    """The index by axis: ("int", i), ("arg", node) or ("slice", start, stop); empty where there is more to
    it."""
    operands, found = node.args[2:], list[Entry]()
    for entry in node.attr("index"):
        if entry[0] == "slice" and entry[3] in (None, 1):
            parts = (operands[part[1]] if isinstance(part, tuple) else part for part in entry[1:3])
            found.append(("slice", *parts))
        elif entry[0] == "arg" and operands[entry[1]].type.dims == ():
            if operands[entry[1]].type.dtype == "bool":
                return ()
            found.append(("arg", operands[entry[1]]))
        elif entry[0] == "int":
            found.append(entry)
        else:
            return ()
    return tuple(found)


def _are_apart(entries: list[tuple[Entry, ...]], counter: Node) -> bool:
    """Whether a counter stands on the same axis everywhere."""
    shared = min(map(len, entries))
    return any(all(one[axis] == ("arg", counter) for one in entries) for axis in range(shared))


def _is_elsewhere(one: tuple[Entry, ...], other: tuple[Entry, ...], counters: list[Node]) -> bool:
    """Whether two indices name different elements for certain."""
    return any(
        (a[0] == b[0] == "int" and a[1] != b[1] and (a[1] < 0) == (b[1] < 0))
        or _is_below(a, b, counters)
        or _is_below(b, a, counters)
        for a, b in zip(one, other, strict=False)
    )


def _is_below(a: Entry, b: Entry, counters: list[Node]) -> bool:
    """Whether the indices on an axis are all less than others: `:i` than `i`, `i` than `i + 1:`."""
    single = bool(a[0] != "slice")
    end = _edge(a[1] if single else a[2], counters)
    start = _edge(0 if b[0] == "slice" and b[1] is None else b[1], counters)
    if end is None or start is None or end.counter is not start.counter:
        return False
    return end.offset + single <= start.offset


def _edge(value: object, counters: list[Node]) -> _Edge | None:
    """An index that is never negative, as a counter plus a number or as a number."""
    if isinstance(value, int):
        return _Edge(None, value) if value >= 0 else None
    if not isinstance(value, Node):
        return None
    if value in counters:
        return _Edge(value, 0)
    if value.op.name == "add":
        for counter, step in (value.args, value.args[::-1]):
            if counter in counters and step.is_const and isinstance(step.value, int) and step.value >= 0:
                return _Edge(counter, step.value)
    return None
