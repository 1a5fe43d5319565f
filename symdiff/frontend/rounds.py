"""What attempts to evaluate a loop know and find.

Enters: a `Loop` and the state before it.  Leaves: the `Trial`, which all attempts share, and of each the
`Round`.  Invariant: what is carried only grows, but for what is carried on suspicion.
"""

from __future__ import annotations

from typing import Any

from symdiff.frontend.branches import parts_of
from symdiff.frontend.carried import Carried, Loop, Widening, all_names, predicted
from symdiff.frontend.frame import Frame
from symdiff.frontend.merge import Merge, Plan
from symdiff.frontend.regions import Key, Place
from symdiff.frontend.state import State
from symdiff.ir.build import OpenRegion
from symdiff.ir.node import Node
from symdiff.ir.types import Type
from symdiff.records import dataclass


class Again(Exception):
    """The attempt is discarded; the next one knows more."""


@dataclass(slots=True, eq=False, repr=False)
class Round:
    """What one attempt evaluated of a round.

    entry, end: the states before and after the body.  flags: how it may leave the loop (`parts_of`).  merge:
    of the values before the loop and after a round; plans: of the carried places; late: of places that are
    only read after the loop; dropped: places that nothing reads.
    """

    opened: OpenRegion
    entry: State
    end: State
    given: Any
    inside: set[Node]
    merge: Merge
    plans: dict[Key, Plan]
    late: list[tuple[Place, Plan]]
    dropped: list[Place]

    @property
    def flags(self) -> tuple[Any, ...]:
        return parts_of(self.given)

    @property
    def ends(self) -> bool:
        """Whether a jump may end the loop."""
        return self.flags[0] is not False or self.flags[2] is not False


class Trial:
    """What is known of a loop while its rounds are evaluated, and more with each attempt.

    before: the state that the loop begins with.  carried: the places that rounds change; suspected: those of
    them that perhaps none changes; leaves: each value in these, by its number.  types: of the parameters.
    condition: the region of a `while`; test: its value where it is known.
    """

    leaves: list[tuple[Carried, int]]
    test: Any

    def __init__(self, frame: Frame, loop: Loop, before: State):
        self.frame, self.loop = frame, loop
        self.context = frame.context
        self.builder = frame.context.builder
        self.span = self.builder.span
        self.types = Widening(self.builder.sizes.count)
        self.condition: OpenRegion | None = None
        self.start(before)

    def start(self, before: State) -> None:
        """Begin from a state; again where a list that grows has become a staged one."""
        self.before = before
        self.carried = dict(predicted(self.frame, self.loop, before))
        self.suspected = set(self.carried)

    def param_types(self) -> list[Type]:
        return [one.type[n] for one, n in self.leaves]

    def live(self) -> frozenset[str] | None:
        """The names that may be read after a round, in the next one or after the loop."""
        if self.loop.read is None or self.loop.later is None:
            return None
        return all_names(self.loop.read, self.loop.later, self.frame.jumps)
