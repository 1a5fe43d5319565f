"""Which nodes are live, and which of them become statements rather than parts of expressions.

Enters: a function.  Leaves: a `Choice`: by region its live nodes in order, and those that get a statement.
Invariant: what stands in an expression is read once, in the block that computes it, and reads no memory later
than it stands there, as far as the order of the program shows.
"""

from __future__ import annotations

from collections.abc import Iterable

from symdiff.ir.control import BLOCK, FOR, IF, ITEM, WHILE, carried_of
from symdiff.ir.liveness import has_effect
from symdiff.ir.node import Function, Node, Region
from symdiff.ops.control import root, store

LOOPS = (FOR, WHILE)
CONTROL = (IF, FOR, WHILE, BLOCK)
# Functional inside, in place outside: the first operand is written into.
WRITES = {"update", "add_at", "push", "pop", "set_item", "add_to_item"}
# Worth making again rather than sharing where somebody writes into it.
FRESH = {"new_stack", "zeros", "zeros_like", "ones", "ones_like", "empty", "empty_like", "full", "full_like"}
# What reads no more of an array than its shape and dtype.
SHAPES = {"shape", "size", "length", "zeros_like", "ones_like", "empty_like"}
# Never worth a name: they cost nothing, and read best where they are used.
_TRIVIAL = {"const", "shape", "size", "length", "make_shape", "transpose", "expand_dims", "to_float"}
_TRIVIAL |= {"undefined"}
STATED = {"scatter", *WRITES}
_DEEPEST = 8


class Choice:
    """Which nodes are live, and which of them get a statement."""

    def __init__(self, function: Function, same: dict[Node, Node], forced: set[Node], inlined: set[Node]):
        self.same = same
        self.needed: dict[tuple[Node, int], Node] = {}  # results of control nodes and of `pop` that are read
        self.kept: dict[Region, list[Node]] = {}
        self.stated = set(forced)
        self.inlined = inlined
        self.live: set[Node] = set()
        self.homes: dict[Node, Region] = {}
        self.uses: dict[Node, int] = {}
        self.written: dict[Node, int] = {}  # fresh values: how often somebody may write into them
        self._functions = [function.body]
        self._follow(function.body)
        self._scan(function.body)
        self._count(function.body)
        self._leaving = {value for region in self._functions for value in map(self._resolved, region.results)}
        self._depth: dict[Node, int] = {}
        self._order: dict[Node, int] = {}
        self._ends: dict[Region, int] = {}
        self._clock = 0
        self._choose(function.body)
        self._settle()

    def _resolved(self, node: Node) -> Node:
        return self.same.get(node, node)

    def _follow(self, region: Region) -> None:
        """What the results of blocks are."""
        for node in region.body:
            for inner in node.regions:
                self._follow(inner)
            block, index = (node.args[0], node.attr("index")) if node.op is ITEM else (node, 0)
            if block.op is BLOCK and not (node is block and node.type.kind == "tuple"):
                self.same[node] = self._resolved(block.regions[0].results[index])

    def _scan(self, region: Region, results: Iterable[Node] | None = None) -> None:
        """Keep what is needed, the last first; a block is written into the region around it."""
        kept: list[Node] = []
        self.live.update(map(self._resolved, region.results if results is None else results))
        pending = list(region.body)
        while pending:
            node = pending.pop()
            if node.op is BLOCK:
                pending += node.regions[0].body
                continue
            if node not in self.live and not has_effect(node):
                continue
            if node.op is IF and self._is_condition(node):
                self.live.add(self._resolved(node.args[0]))
                continue
            self.homes[node] = region
            self.live.update(map(self._resolved, node.args))
            if node.op is ITEM:
                self.needed[node.args[0], node.attr("index")] = node
            elif node.op in CONTROL and node.type.kind != "tuple" and node in self.live:
                self.needed[node, 0] = node
            if node.op is not ITEM:
                kept.append(node)
            for inner in node.regions:
                self.homes.update(dict.fromkeys(inner.params, inner))
                read = None
                if node.op is IF:
                    read = [result for k, result in enumerate(inner.results) if (node, k) in self.needed]
                self._scan(inner, read)
        self.kept[region] = kept[::-1]

    def _is_condition(self, node: Node) -> bool:
        """Whether all that is read of an `if` is whether its condition holds: then this stands for it."""
        several = node.type.kind == "tuple"
        found = [self.needed.get((node, k)) for k in range(len(node.type.items))] if several else [node]
        read = [(k, value) for k, value in enumerate(found) if value is not None]
        if len(read) != 1 or has_effect(node) or node.args[0].type.dtype != "bool":
            return False
        k, value = read[0]
        results = [region.results[k] for region in node.regions]
        if (
            not all(result.is_const for result in results)
            or [result.value for result in results] != [True, False]
            or any(type(result.value) is not bool for result in results)
        ):
            return False
        self.same[value] = self._resolved(node.args[0])
        return True

    def _count(self, top: Region) -> None:
        """How often every value is read; what an inner region reads is computed before it, not in it."""
        pending = [top]
        while pending:
            region = pending.pop()
            self._read(region.results, region)
            for node in self.kept[region]:
                self._read(node.args, region)
                if node.op.name in WRITES:
                    self._write(node.args[:1])
                elif node.op in LOOPS:
                    self._write(carried_of(node))
                if node.op in CONTROL:
                    for inner in node.regions:
                        self._write(inner.results)
                elif node.regions:
                    self._functions += node.regions
                pending += node.regions

    def _read(self, values: Iterable[Node], region: Region) -> None:
        for value in map(self._resolved, values):
            self.uses[value] = self.uses.get(value, 0) + (1 if self.homes.get(value, region) is region else 2)

    def _write(self, values: Iterable[Node]) -> None:
        for value in map(self._resolved, values):
            if value.op.name in FRESH:
                self.written[value] = self.written.get(value, 0) + 1

    def _choose(self, region: Region, carried: frozenset[Node] = frozenset()) -> None:
        """Decide in program order."""
        for node in self.kept[region]:
            self._order[node] = self._clock = self._clock + 1
            self._one(node, carried)
            for k, inner in enumerate(node.regions):
                given: Iterable[Node] = ()
                if node.op in CONTROL and not (node.op is WHILE and k == 0):
                    count = len(carried_of(node)) if node.op in LOOPS else len(inner.results)
                    given = map(self._resolved, inner.results[:count])
                self._choose(inner, frozenset(given))
            if node.op in LOOPS and node.attr("breaks"):
                self._test_early(node.regions[-1])
        self._ends[region] = self._clock = self._clock + 1

    def _test_early(self, body: Region) -> None:
        """State what decides whether a loop breaks where it reads what the loop carries: it is asked for
        after the next values were assigned."""
        pending, params = [body.results[-1]], set(body.params)
        while pending:
            value = self._resolved(pending.pop())
            if value in params:
                self.stated.add(self._resolved(body.results[-1]))
                return
            if value not in self.stated:
                pending += value.args

    def _one(self, node: Node, carried: frozenset[Node]) -> None:
        inner = max((self._depth.get(self._resolved(arg), 0) for arg in node.args), default=0) + 1
        if node in self.stated or self._is_stated(node, carried) or inner > _DEEPEST:
            self.stated.add(node)
            inner = 0
        self._depth[node] = inner

    def _is_stated(self, node: Node, carried: frozenset[Node]) -> bool:
        name, uses = node.op.name, self.uses.get(node, 0)
        if name in STATED or node.regions or not node.op.pure or node.type.kind == "tuple":
            return True
        if name in _TRIVIAL or node in self.inlined or (_is_beside(node) and node not in carried):
            return False
        if name in FRESH and self.written.get(node, 0) and uses > 1:
            return False
        if node in self._leaving and node.primal:
            return True
        return bool(node.name) or uses > 1 or (node in carried and name not in FRESH)

    def _settle(self) -> None:
        """State what would otherwise, as part of a later expression, read an array after it was overwritten.

        What this misses costs a copy: `backends.memory` sees that the array is still read.
        """
        writes: dict[Node, list[int]] = {}
        for node, position in self._order.items():
            if node.op is store or node.op.name in WRITES - {"add_at"}:
                writes.setdefault(root(self._resolved(node.args[0])), []).append(position)
        if not writes:
            return
        pending = [
            (arg, self._order[node]) for node in self._order if node in self.stated for arg in node.args
        ]
        for region, end in self._ends.items():
            pending += [(result, end) for result in region.results]
        seen: set[tuple[Node, int]] = set()
        while pending:
            node, position = pending.pop()  # a value, and where it would be computed
            node = self._resolved(node)
            if (node, position) in seen or node in self.stated or node not in self._order:
                continue
            seen.add((node, position))
            if node.op.name in ("const", "shape", "size", "length", *FRESH):
                continue
            first = self._order[node]
            if any(
                self._overwritten(writes.get(root(self._resolved(arg))), first, position) for arg in node.args
            ):
                self.stated.add(node)
                position = first
            pending += [(arg, position) for arg in node.args]

    @staticmethod
    def _overwritten(writes: list[int] | None, first: int, last: int) -> bool:
        return writes is not None and any(first < write < last for write in writes)


def _is_beside(node: Node) -> bool:
    """Whether this is `i - 1` or `i + 1`, which reads best where it is used."""
    if node.op.name not in ("add", "subtract") or node.name or node.type.dims != ():
        return False
    a, b = node.args
    return a.op.name == "param" and a.type.kind == "number" and a.type.dtype == "int" and b.is_const
