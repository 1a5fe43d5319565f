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
from dataclasses import dataclass, field

from symdiff.backends.lifetimes import Stretches, overlap
from symdiff.backends.webs import Web, base_name
from symdiff.ir.build import numbered_name
from symdiff.ir.control import FOR, ITEM
from symdiff.ir.node import Function, Node
from symdiff.ops.row import REGISTRY, Row

RESERVED = frozenset(
    {*keyword.kwlist, *keyword.softkwlist, *dir(builtins), "np", "copy", "dataclasses"}
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


def name_webs(function: Function, webs: Iterable[Web], names: Names, words: Container[str]) -> None:
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
            web.name = _named(web, _wished(web, function), names, shared, words)
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
    for name in [_plain(wish, words), wish] if web.flows else [wish]:
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


def _may_share(web: Web, other: Web) -> bool:
    return (web.flows or other.flows) and not overlap(web.stretches, other.stretches)


_COUNTERS = "ijklmn"


def _wished(web: Web, function: Function) -> str:
    cells = sorted(web.cells, key=lambda cell: cell.given[0])
    if not any(cell.kind in ("carried", "branch", "counter") for cell in cells):
        members = [cell.node for cell in cells]
        named = next((member.name for member in reversed(members) if member.name), "")
        return named or _wish(members[-1], function)
    named = next((cell.name for cell in cells if cell.name), "")
    if all(cell.kind == "counter" for cell in cells) and named in ("", "_"):
        return _COUNTERS[min(cells[0].depth, len(_COUNTERS)) - 1]
    if named:
        return named
    values = [cell.node for cell in cells if cell.kind == "value"]
    if values and values[-1].type.kind != "stack":
        return _wish(values[-1], function)
    kind = cells[0].node.type
    if kind.kind == "stack":
        return "saved"
    if kind.dtype == "bool" and kind.dims == ():
        return "done"
    return _letter(cells[0].node)


# What the result of an operation on unnamed operands is called.
_NOUNS = {
    "subtract": "difference",
    "multiply": "product",
    "divide": "ratio",
    "sum": "total",
    "max": "largest",
    "solve": "solution",
}


def _wish(node: Node, function: Function) -> str:
    """A name for a value that the user did not name: `exp_z`, `x_part`, `difference`, or a single letter."""
    gradient_alone = function.name.endswith("_grad") and not function.name.endswith("_value_and_grad")
    if node is function.results[0] and node.primal and not gradient_alone:
        return "value"
    if node.regions:
        return "pullback"
    if node.type.kind == "stack":
        return "saved"
    if node.type.dtype == "bool":
        return "mask"
    operand = node.args[0].name if node.args else ""
    if node.op is ITEM:
        return _letter(node)
    called = isinstance(node.op, Row) and not node.op.symbol
    word = node.op.name.rpartition(".")[2]
    if operand and word == "index":
        return f"{operand}_part"
    if operand and called and len(node.args) == 1:
        return f"{word}_{operand}"
    if node.primal and (word in _NOUNS or (called and len(node.args) == 2)):
        return _NOUNS.get(word, word)
    return _letter(node)


def _letter(node: Node) -> str:
    if node.type.dims == ():
        return "scale" if not node.primal else "s"
    return "t" if node.primal else "g"
