"""The memory of what a loop carries (see `backends.memory`).

Enters: a loop whose initial values have their sites.  Leaves: the sites of its parameters, while its body is
visited, and of its final values.  Invariant: the sites hold in every iteration, for the body is visited until
they do.

An array that a loop carries *alone* begins as memory of our own that nobody else reaches; what each iteration
hands on in its place, or in that of another such array, is made in this iteration or one of them, and handed
on once. Then at the head of every iteration these arrays are apart from each other and from everything else:
one site stands for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from symdiff.backends.lifetimes import alive
from symdiff.backends.schedule import Statement
from symdiff.backends.sites import NOTHING, Alias, Site
from symdiff.ir.control import carried_of

if TYPE_CHECKING:
    from symdiff.backends.memory import Memory


class Carried:
    """What was found about loops, from the beginning of the program or from where it was taken up again."""

    def __init__(self, memory: Memory):
        self.memory = memory
        self._before: dict[Statement, list[Alias]] = {}  # by loop: what earlier iterations may hand on
        self._alone: dict[Statement, set[int]] = {}  # by loop: which values it carries alone
        self._heads: dict[Statement, set[object]] = {}  # by loop: who made what it begins an iteration with

    def loop(self, statement: Statement) -> None:
        count = len(statement.cells)
        initial = []
        for k, value in enumerate(carried_of(statement.node)):
            given = self.memory.of(value, statement, k, statement.position)
            self.memory.entered[statement, k] = given
            if (statement, k) in self.memory.entries:
                given = self.memory.fresh(statement, k, statement.position)
            initial.append(given)
        before = self._before.setdefault(statement, [NOTHING] * count)
        alone = self._alone.setdefault(statement, set(range(count)))
        alone &= self._enters_alone(statement, initial)
        while True:
            for k, (cell, given, more) in enumerate(zip(statement.cells, initial, before, strict=True)):
                self.memory.hold(cell, self._head(statement, k) if k in alone else given | more)
            for block in statement.blocks:
                self.memory.block(block)
            body = statement.blocks[-1]
            following = [self.memory.of(body.region.results[k], body, k, body.end) for k in range(count)]
            stays = self._stays_alone(statement, following, alone)
            aged = [
                old if k in stays else old | self._aged(new, statement)
                for k, (old, new) in enumerate(zip(before, following, strict=True))
            ]
            if aged == before and stays == alone:
                break
            before[:] = aged
            alone &= stays
        for k, (cell, given, new) in enumerate(zip(statement.cells, initial, following, strict=True)):
            final = given | self._aged(new, statement, heads_only=True)
            self.memory.hold(cell, self._head(statement, k) if k in alone else final)

    def _head(self, loop: Statement, k: int) -> Alias:
        """The site of what a loop carries alone: whatever memory that is in this iteration."""
        alias = self.memory.fresh((loop, k), 0, loop.position, plain=False)
        self._heads.setdefault(loop, set()).update(who for who, _ in alias.own)
        return alias

    def _enters_alone(self, loop: Statement, initial: list[Alias]) -> set[int]:
        """The carried arrays that begin with memory of our own that nobody else has."""
        point = 4 * loop.position + 3
        found = set()
        for k, given in enumerate(initial):
            cell = loop.cells[k]
            if cell is None or not cell.node.type.dims or not given.own or given.inner or not given.whole:
                continue
            others = [one for j, one in enumerate(initial) if j != k]
            if any(given.own & (one.own | one.inner) for one in others):
                continue
            readers = {one for site in given.own for one in self.memory.sharing.get(site, ())}
            readers.difference_update(one for one in loop.cells if one is not None)
            free = all(self.memory.places[who] > self.memory.since for who, _ in given.own)
            if free and not any(
                given.own & (self.memory.alias[one].own | self.memory.alias[one].inner)
                and alive(self.memory.lifetimes.memory[one], point)
                for one in readers
            ):
                found.add(k)
        return found

    def _stays_alone(self, loop: Statement, following: list[Alias], alone: set[int]) -> set[int]:
        """Those whose next memory is made in this iteration, or is that of another one of them, and is handed
        on once."""
        heads = {site for k in alone for site in self._head(loop, k).own}
        found = set()
        for k in alone:
            new = following[k]
            made = all(
                site in heads or (site[1] == 0 and loop.position < self.memory.places[site[0]] <= loop.end)
                for site in new.own
            )
            others = [one for j, one in enumerate(following) if j != k]
            shared = any(new.own & (one.own | one.inner) for one in others)
            if made and not shared and new.own and new.whole and not new.inner:
                found.add(k)
        return found

    def _aged(self, alias: Alias, loop: Statement, heads_only: bool = False) -> Alias:
        """As the next iteration sees it: what this one made, or began with, is what an earlier one had."""
        heads = self._heads.get(loop, set())

        def is_old(who: object) -> bool:
            return who in heads or (not heads_only and loop.position < self.memory.places[who] <= loop.end)

        def old(sites: frozenset[Site]) -> frozenset[Site]:
            return frozenset((who, 1) if is_old(who) else (who, age) for who, age in sites)

        return Alias(old(alias.own), old(alias.inner), alias.whole)
