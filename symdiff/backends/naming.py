"""Names of values in generated code: the user's own wherever there is one.

Enters: planned statements.  Leaves: one identifier per named value.  Invariant: names are unique per function,
never shadow what the module uses, and depend on the program alone (no counters across functions, no hashes).
"""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Iterable

from symdiff.backends.schedule import Plan
from symdiff.ir.node import Function, Node

_RESERVED = frozenset(
    {*keyword.kwlist, *keyword.softkwlist, *dir(builtins), "np", "math", "fit_like", "copy"}
)


class Names:
    """Hands out identifiers; the first to ask for a name gets it."""

    def __init__(self, taken: Iterable[str] = ()):
        self.taken = set(taken) | _RESERVED
        self.of: dict[Node, str] = {}

    def give(self, node: Node, wish: str) -> str:
        name, count = wish, 0
        while name in self.taken:
            count += 1
            name = f"{wish}_{count}" if wish[-1:].isdigit() or len(wish) > 1 else f"{wish}{count}"
        self.taken.add(name)
        self.of[node] = name
        return name


def name_values(function: Function, made: Plan, names: Names) -> None:
    """Name every stated value of a plan; values that share an array share its name."""
    groups: dict[Node, list[Node]] = {}
    leader: dict[Node, Node] = {}
    for statement in made.statements:
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


def _wish(node: Node, function: Function) -> str:
    """A name for a value that the user did not name."""
    if node in function.results and node.primal:
        return "value"
    if node.regions:
        return "pullback"
    if not node.primal and node.op.name not in ("exp", "cosh", "log"):
        return "scale" if node.type.dims == () else "g"
    operands = [arg for arg in node.args if not arg.is_const]
    if len(operands) == 1 and operands[0].name:
        return f"{node.op.name}_{operands[0].name}"
    return "t"
