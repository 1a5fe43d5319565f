"""Stand-ins for memory, and what a value may have of them (see `backends.memory`)."""

from __future__ import annotations

from typing import Any

from symdiff.ir.node import Node
from symdiff.ops.control import is_view
from symdiff.records import dataclass

Site = tuple[Any, int]
NO_SITES: frozenset[Site] = frozenset()


@dataclass(frozen=True, slots=True)
class Alias:
    """own: the sites that a value may be.  inner: those that are reached through it.  whole: not a view."""

    own: frozenset[Site] = NO_SITES
    inner: frozenset[Site] = NO_SITES
    whole: bool = True

    def __or__(self, other: Alias) -> Alias:
        if other is NOTHING or other == self:
            return self
        return Alias(self.own | other.own, self.inner | other.inner, self.whole and other.whole)


NOTHING = Alias()


@dataclass(slots=True, eq=False)
class Made:
    """The site of a copy, or of what an expression makes at a certain place."""

    of: object
    plain: bool = True


def shares(node: Node) -> bool:
    """Whether the value of an operation may be memory that is there already."""
    return is_view(node) or node.op.name == "stack_item"
