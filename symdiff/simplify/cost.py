"""The cost model: what a program costs to run, and what a replacement saves.

Enters: a function.  Leaves: numbers.  Invariant: only live nodes count, each once, or ten times for every
loop around it; views and sizes are free.

The unit is one elementwise NumPy call on an array.  Arithmetic on zero-dimensional values is a tenth of
that (an overhead without a loop), on Python numbers a twentieth; more axes are more elements, so what can
be done before an axis is added is better done there.
"""

from __future__ import annotations

from collections import Counter

from symdiff.ir.control import LOOPS
from symdiff.ir.liveness import live
from symdiff.ir.node import Function, Node, Region
from symdiff.ops.row import Row

_FREE = {
    "shape", "size", "length", "make_shape", "transpose", "swapaxes", "moveaxis", "expand_dims", "squeeze",
    "reshape", "index", "broadcast_to", "to_float", "real", "imag",
}  # fmt: skip
_WEIGHTS = {
    **dict.fromkeys(("exp", "log", "sin", "cos", "tan", "tanh", "sinh", "cosh", "arctan2", "power"), 4.0),
    **dict.fromkeys(("matmul", "dot", "tensordot", "einsum"), 4.0),
    **dict.fromkeys(("inv", "solve", "det"), 20.0),
    "divide": 1.05,
    "negative": 0.95,
    "sum": 0.9,
}
ROUNDS = 10.0  # of a loop, nobody knows how many
_NUMBER, _SCALAR = 0.05, 0.1
_AXES = (_SCALAR, 0.9, 1.0, 1.1)


def width(node: Node) -> int:
    """How many axes the value extends along; a call on an array of one element is a call on an array, and an
    unknown rank counts as two."""
    dims = node.type.dims
    return 2 if dims is None else max(sum(dim != 1 for dim in dims), int(dims != ()))


def cost_of(node: Node) -> float:
    """What this one operation costs."""
    name = node.op.name
    if name in _FREE or not isinstance(node.op, Row):
        return 0.0
    if node.type.kind == "number":
        return _NUMBER
    axes = max([width(node), *(width(arg) for arg in node.args if arg.type.kind == "array")])
    return _weight(node) * _AXES[min(axes, len(_AXES) - 1)]


def _weight(node: Node) -> float:
    name = node.op.name
    if name == "power" and node.args[1].is_const and node.args[1].value in (-1, 0, 0.5, 1, 2):
        return 1.0  # NumPy has fast paths for these
    if name == "matmul" and all(width(arg) == 1 for arg in node.args):
        return 0.8  # one pass, no temporary
    return _WEIGHTS.get(name.rpartition(".")[2], 1.0)


def cost(function: Function) -> float:
    live = Live(function)
    return sum(live.weight[node] * cost_of(node) for node in live.uses)


class Live:
    """The live nodes of a function with the number of places that read each.

    weight: how often a node is thought to run.
    """

    def __init__(self, function: Function):
        self.uses: Counter[Node] = Counter()
        self.weight: dict[Node, float] = {}
        self._count(function.body, 1.0)

    def _count(self, region: Region, weight: float) -> None:
        self.uses.update(region.results)
        self.weight.update(dict.fromkeys(region.params, weight))
        for node in live(region):
            self.uses.update(node.args)
            self.weight[node] = weight
            for inner in node.regions:
                self._count(inner, weight * ROUNDS if node.op in LOOPS else weight)

    def __contains__(self, node: Node) -> bool:
        return node in self.uses

    def saving(self, old: Node, new: Node) -> float:
        """How much cheaper the program is when `new` is read wherever `old` was."""
        return self._changed(old, new)[0]

    def replace(self, old: Node, new: Node) -> None:
        """From now on `new` is read wherever `old` was."""
        _, change, added = self._changed(old, new)
        self.weight.update(dict.fromkeys(added, self.weight[old]))
        change[old] -= self.uses[old]
        for node, difference in change.items():
            self.uses[node] += difference
            if self.uses[node] <= 0:
                del self.uses[node]

    def _changed(self, old: Node, new: Node) -> tuple[float, Counter[Node], list[Node]]:
        """What is saved, how many reads there are more of each value, and what is computed in addition."""
        change: Counter[Node] = Counter()
        added = self._added(new, change)
        if old in change:
            return float("-inf"), change, added  # `new` is computed from `old`
        change[new] += self.uses[old]
        spent = self.weight[old] * sum(map(cost_of, added))
        return self._removed(old, change) - spent, change, added

    def _added(self, new: Node, change: Counter[Node]) -> list[Node]:
        """What is not there yet; counts its reads."""
        added: dict[Node, None] = {}
        pending = [new]
        while pending:
            node = pending.pop()
            if node not in added and node not in self.uses:
                added[node] = None
                change.update(node.args)
                pending += node.args
        return list(added)

    def _removed(self, old: Node, change: Counter[Node]) -> float:
        """The cost of `old` and of all that only it needed; what has regions is thought to stay."""
        total, pending = 0.0, [old]
        while pending:
            node = pending.pop()
            if node.regions:
                continue
            total += self.weight[node] * cost_of(node)
            for arg in node.args:
                change[arg] -= 1
                if self.uses[arg] + change[arg] == 0:
                    pending.append(arg)
        return total
