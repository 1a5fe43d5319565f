"""Names of values in generated code: the user's own wherever there is one.

Enters: planned statements.  Leaves: one identifier per named value.  Invariant: names are unique per
function, never shadow what the module uses, and depend on the program alone (no counters across
functions, no hashes).
"""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Iterable

from symdiff.backends.schedule import Plan
from symdiff.ir.build import fresh_name
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

    def give(self, node: Node, wish: str) -> str:
        self.of[node] = name = self.fresh(wish)
        return name

    def fresh(self, wish: str) -> str:
        """`wish`, or the first of `wish_1`, `wish_2`, ... that is free."""
        name = fresh_name(wish if wish.isidentifier() else "value", self.taken)
        self.taken.add(name)
        return name


def name_values(function: Function, made: Plan, names: Names) -> None:
    """Name every stated value of a plan; values that share an array share its name."""
    groups: dict[Node, list[Node]] = {}
    leader: dict[Node, Node] = {}
    for statement in made.statements:
        if statement.node.op.name == "store":
            names.of[statement.node] = names.of[statement.node.args[0]]
            continue
        old = statement.reuses
        first = statement.node if old is None else leader.get(old, old)
        leader[statement.node] = first
        groups.setdefault(first, []).append(statement.node)
    for first, members in groups.items():
        wish = next((member.name for member in reversed(members) if member.name), "") or _wish(
            members[-1], function
        )
        name = names.give(first, wish)
        for member in members:
            names.of[member] = name


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
    if node.type.dtype == "bool":
        return "mask"
    operand = node.args[0].name if node.args else ""
    called = isinstance(node.op, Row) and not node.op.symbol
    word = node.op.name.rpartition(".")[2]
    if operand and word == "index":
        return f"{operand}_part"
    if operand and called and len(node.args) == 1:
        return f"{word}_{operand}"
    if node.primal and (word in _NOUNS or (called and len(node.args) == 2)):
        return _NOUNS.get(word, word)
    if node.type.dims == ():
        return "scale" if not node.primal else "s"
    return "t" if node.primal else "g"
