"""Where every value of a program stands, and what may be computed where.

Enters: a function.  Leaves: builders that write candidates for one region, and the answer to whether a
candidate fits.  Invariant: a value is read only where it is visible: in its own region and in those inside
of nodes that come after it; a candidate never makes anything impure, or anything with regions, run earlier
than it did.
"""

from __future__ import annotations

from collections.abc import Iterator

from symdiff.ir.build import Builder, number_key
from symdiff.ir.node import Function, Node, Region


class Scopes:
    """order: by node its place in the program.  home: its region.  ready: the place of the last impure
    operation in its region that it needs, -1 where there is none."""

    def __init__(self, function: Function):
        self.function = function
        self.order: dict[Node, int] = {}
        self.home: dict[Node, Region] = {}
        self.ready: dict[Node, int] = {}
        self._owner: dict[Region, Node | None] = {}
        self._numbered: dict[Region, dict[object, Node]] = {}
        self._builders: dict[Region, Builder] = {}
        self._enter(function.body, None)

    def _enter(self, region: Region, owner: Node | None) -> None:
        self._owner[region] = owner
        numbered = self._numbered[region] = {}
        for param in region.params:
            self._place(param, region, -1)
        for node in region.body:
            for inner in node.regions:
                self._enter(inner, node)
            if node.regions or not node.op.pure:
                self._place(node, region, len(self.order))
            else:
                self._place(node, region, max([self._needed(arg, region) for arg in node.args], default=-1))
                numbered.setdefault(number_key(node.op, node.args, node.attrs), node)

    def _place(self, node: Node, region: Region, ready: int) -> None:
        self.order[node], self.home[node], self.ready[node] = len(self.order), region, ready

    def _needed(self, node: Node, region: Region) -> int:
        return self.ready[node] if self.home[node] is region else -1

    def regions(self) -> Iterator[Region]:
        return iter(self._owner)

    def builder(self, region: Region) -> Builder:
        """A builder of derived code inside of a region, which reuses what is computed there and around it;
        what it makes is its own."""
        made = self._builders.get(region)
        if made is None:
            tables, outer = [self._numbered[region]], self._owner[region]
            while outer is not None:
                around = self.home[outer]
                tables.append(self._numbered[around])
                outer = self._owner[around]
            made = self._builders[region] = Builder.beside(self.function, tables[::-1])
        return made

    def fits(self, new: Node, root: Node) -> bool:
        """Whether `new` may stand for `root`: all that it is made of is there, no later than what `root` is
        made of."""
        region, seen, pending = self.home[root], set[Node](), [new]
        while pending:
            node = pending.pop()
            home = self.home.get(node)
            if home is region:
                if self.ready[node] > self.ready[root]:
                    return False
            elif home is not None:
                owner = self._around(region, home)
                if owner is None or self.order[node] > self.order[owner]:
                    return False
            elif node not in seen:
                seen.add(node)
                pending += node.args
        return True

    def _around(self, inner: Region, outer: Region) -> Node | None:
        """The node of the outer region that the inner one is part of."""
        owner = self._owner[inner]
        while owner is not None and self.home[owner] is not outer:
            owner = self._owner[self.home[owner]]
        return owner
