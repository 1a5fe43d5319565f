"""Dead arrays are freed where many would pile up.

Enters: a `Schedule` with `Lifetimes` and `Memory`.  Leaves: its statements, with the cells that are deleted
after them.  Invariant: a deleted variable is not read again.
"""

from __future__ import annotations

from symdiff.backends.lifetimes import Lifetimes
from symdiff.backends.memory import Memory
from symdiff.backends.schedule import Cell, Schedule, Statement
from symdiff.ops.control import is_view, root, store

_PILE = 6


def release(schedule: Schedule, lifetimes: Lifetimes, memory: Memory) -> None:
    """`del` dead arrays before more of their shape are made: a fresh large array costs its page faults, 1.3
    times the computing on a formula of 10^6 points.  Only where at least _PILE of one shape would pile
    up."""
    if any(statement.node.regions for statement in schedule.statements):
        return
    statements = schedule.statements
    made = [one for one in statements if one.node.type.dims and one.node in schedule.cells]
    shapes = {one.node: schedule.function.sizes.resolve(one.node.type.dims) for one in made}
    latest = {shapes[one.node]: one.position for one in made}
    kept = {root(schedule.resolved(one.node)) for one in made if is_view(one.node)}
    kept |= set(memory.reuses.values())
    kept |= {one.node.args[0] for one in statements if one.node.op.name in ("update", "add_at")}
    places = {one.position: one for one in statements}
    deaths: dict[object, list[tuple[Statement, Cell]]] = {}
    for one in made:
        node, cell = one.node, schedule.cells[one.node]
        if node in kept or node.op is store or is_view(node) or cell.node is not node:
            continue
        stretches = lifetimes.names[cell]
        last = places.get(stretches[-1][1] // 4)
        if last is None or stretches == cell.given or latest[shapes[node]] <= last.position:
            continue
        deaths.setdefault(shapes[node], []).append((last, cell))
    for dead in deaths.values():
        if len(dead) >= _PILE:
            for last, cell in dead:
                last.frees.append(cell)
