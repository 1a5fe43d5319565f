"""Assignments that take place at once, in an order in which they may be written one after the other.

Enters: moves between variables. Leaves: lines. Invariant: every move reads what its variables held before all
of them; those that read each other's targets in a circle are one line, `a, b = b, a`.
"""

from __future__ import annotations

from symdiff.records import dataclass


@dataclass(frozen=True, slots=True)
class Move:
    """An assignment between blocks: a variable, an expression, the variables that this reads."""

    target: str
    text: str
    reads: frozenset[str]


def in_order(moves: list[Move]) -> list[str]:
    """Assignments that take place at once, one after the other where no one overwrites what another reads."""
    done: list[str] = []
    pending = [move for move in moves if move.text != move.target]
    while pending:
        ready = next(
            (
                move
                for move in pending
                if not any(move.target in other.reads for other in pending if other is not move)
            ),
            None,
        )
        if ready is None:
            cycle = _cycle(pending)
            done.append(
                f"{', '.join(move.target for move in cycle)} = {', '.join(move.text for move in cycle)}"
            )
            pending = [move for move in pending if move not in cycle]
        else:
            done.append(f"{ready.target} = {ready.text}")
            pending.remove(ready)
    return done


def _cycle(pending: list[Move]) -> list[Move]:
    """Moves that have to be made together: with one of them all that read what it overwrites, and so on;
    those that nobody outside waits for."""
    best = pending
    for first in pending:
        found, queue = [first], [first]
        while queue:
            target = queue.pop().target
            more = [move for move in pending if target in move.reads and move not in found]
            found += more
            queue += more
        if len(found) < len(best):
            best = found
    return [move for move in pending if move in best]
