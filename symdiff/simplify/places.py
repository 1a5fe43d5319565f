"""Cotangents of places that are emptied and added to again.

Enters: a derived program.  Leaves: an equal one in which `A_bar[place] = 0.0`, sums into other places and
`A_bar[place] += g` are `A_bar[place] = g` and the sums.  Invariant: nothing reads the array in between, and
no index names a place twice; then the order of sums does not matter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from symdiff.ir.build import Builder
from symdiff.ir.node import Function, Node, Region
from symdiff.ir.tidy import without_dead
from symdiff.ops.arithmetic import add
from symdiff.ops.indexing import add_at, index
from symdiff.ops.updates import update
from symdiff.simplify.rebuild import replaced


def with_places_written_once(function: Function) -> Function:
    """See the module's own text."""
    while True:
        uses: Counter[Node] = Counter()
        _count(function.body, uses)
        instead: dict[Node, Node] = {}
        with Builder(function.sizes, primal=False):
            for region in _regions(function.body):
                _collect(region, uses, instead)
        if not instead:
            return function
        function = replace(without_dead(replaced(function, instead)), functions=function.functions)


def _count(region: Region, uses: Counter[Node]) -> None:
    uses.update(region.results)
    for node in region.body:
        uses.update(node.args)
        for inner in node.regions:
            _count(inner, uses)


def _regions(region: Region) -> Iterator[Region]:
    yield region
    for node in region.body:
        for inner in node.regions:
            yield from _regions(inner)


def _collect(region: Region, uses: Counter[Node], instead: dict[Node, Node]) -> None:
    """Find sums into a place that was written before in the same body."""
    inside, changed = set(region.body), set[Node]()
    for node in region.body:
        if node.op is not add_at or node.primal:
            continue
        chain = _since_write(node, inside, uses)
        if chain and not changed.intersection(chain):
            changed.update((node, *chain))
            instead[node] = _rewritten(node, chain)


def _since_write(node: Node, inside: set[Node], uses: Counter[Node]) -> list[Node]:
    """The sums into other places before one, the last first, and behind them the write into its own place."""
    chain, place = [], (node.args[2:], node.attr("index"))
    before = node.args[0]
    while before in inside and not before.primal and uses[before] == 1:
        chain.append(before)
        if before.op is update:
            same = not before.attr("view", ()) and (before.args[2:], before.attr("index")) == place
            return chain if same and _can_merge(before, node) else []
        if before.op is not add_at:
            return []
        before = before.args[0]
    return []


def _can_merge(write: Node, total: Node) -> bool:
    """Whether what is added may be written, as far as places and types go."""
    operands, g = write.args[2:], total.args[1]
    if any(one.type.dims != () and one.type.dtype != "bool" for one in operands):
        return False
    if write.args[1].is_const and write.args[1].value == 0:
        return g.type.kind == "number" or g.type.dtype == write.type.dtype != ""
    value = write.args[1]
    place = index.infer(write, *operands, index=write.attr("index"))
    whole = value.type.dtype == place.dtype != "" and value.type.dims == place.dims
    return whole and (g.type.kind == "number" or g.type.dtype == place.dtype)


def _rewritten(node: Node, chain: list[Node]) -> Node:
    *sums, write = chain
    value, g = write.args[1], node.args[1]
    if not (value.is_const and value.value == 0):
        g = replace(value, op=add, args=(value, g), attrs=(), name="", regions=(), primal=False)
    made = replace(write, args=(write.args[0], g, *write.args[2:]))
    for one in reversed(sums):
        made = replace(one, args=(made, *one.args[1:]))
    return made
