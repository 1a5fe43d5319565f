"""Names of values in generated code: the user's own wherever there is one.

Enters: webs, the variables to be.  Leaves: one identifier for each.  Invariant: names are unique per
function, never shadow what the module uses, and depend on the program alone (no counters across
functions, no hashes).
"""

from __future__ import annotations

import builtins
import keyword
import re
from bisect import insort
from collections.abc import Container, Iterable

from symdiff.backends.lifetimes import Stretches, overlap
from symdiff.backends.webs import Web, base_name
from symdiff.backends.wishes import Wishes
from symdiff.ir.build import numbered_name
from symdiff.ir.control import FOR
from symdiff.ir.node import Function, Node
from symdiff.ops.row import REGISTRY
from symdiff.records import dataclass, field

RESERVED = frozenset(
    {*keyword.kwlist, *keyword.softkwlist, *dir(builtins), "np", "scipy", "copy", "dataclasses"}
    | {row.spelling.partition(".")[0] for row in REGISTRY.values()}
)


class Names:
    """Hands out identifiers; the first to ask for a name gets it."""

    def __init__(self, taken: Iterable[str] = ()):
        self.taken = set(taken) | RESERVED
        self.of: dict[Node, str] = {}
        self._numbers: dict[str, int] = {}  # by wish: below which all numbers are taken

    def give(self, node: Node, wish: str) -> str:
        self.of[node] = name = self.fresh(wish)
        return name

    def fresh(self, wish: str) -> str:
        """`wish`, or the first of `wish_1`, `wish_2`, ... that is free."""
        wish = wish if wish.isidentifier() else "value"
        name, self._numbers[wish] = numbered_name(wish, self.taken, self._numbers.get(wish, 0))
        self.taken.add(name)
        return name


def name_webs(
    function: Function, webs: Iterable[Web], names: Names, words: Container[str], wishes: Wishes
) -> None:
    """Give a name to every web that has none yet; those of loops and branches may share one where they are
    not in each other's way, and lose a number that is not the user's own (`words`)."""
    webs = list(webs)
    shared: dict[str, _Shared] = {}
    spare = _is_spare_free(function)
    for web in webs:
        if spare and _is_unread(web):
            web.name = "_"
        if web.name:
            shared.setdefault(web.name, _Shared()).add(web)
    for web in webs:
        if not web.name:
            web.name = _named(web, wishes.of(web), names, shared, words)
            shared.setdefault(web.name, _Shared()).add(web)


def _is_spare_free(function: Function) -> bool:
    """Whether the user keeps no value under the name `_`, which counters that nobody reads have."""
    nodes = list(function.nodes())
    counters = {node.regions[0].params[0] for node in nodes if node.op is FOR}
    return not any("_" in (node.name, node.attr("parameter")) for node in nodes if node not in counters)


def _is_unread(web: Web) -> bool:
    """Whether this is the counter of loops in which nobody reads it."""
    counters = all(cell.kind == "counter" for cell in web.cells)
    return counters and all(start == end for start, end in web.stretches)


@dataclass(slots=True)
class _Shared:
    """Where any of the webs of one name lives, and whether loops and branches assign them all."""

    stretches: Stretches = field(default_factory=list)
    flows: bool = True

    def add(self, web: Web) -> None:
        for stretch in web.stretches:
            insort(self.stretches, stretch)
        self.flows = self.flows and web.flows

    def admits(self, web: Web) -> bool:
        return (web.flows or self.flows) and not overlap(web.stretches, self.stretches)


def _named(web: Web, wish: str, names: Names, shared: dict[str, _Shared], words: Container[str]) -> str:
    given = any(cell.name or cell.node.name for cell in web.cells)
    for name in ([_plain(wish, words), wish] if given else [wish]) if web.flows else [wish]:
        if name in shared and shared[name].admits(web):
            return name
        if name != wish and name not in names.taken:
            return names.fresh(name)
    return names.fresh(wish)


def _plain(name: str, words: Container[str]) -> str:
    """`out_bar` for the cotangent of what the user called `out` a second time."""
    stem = name.removesuffix("_bar")
    return name if stem in words else base_name(stem) + name[len(stem) :]


def words_of(function: Function) -> set[str]:
    """All names that stand in the user's lines."""
    texts = {node.span.text for node in function.nodes() if node.span is not None}
    return {word for text in texts for word in _WORD.findall(text)}


_WORD = re.compile(r"[^\W\d]\w*")
