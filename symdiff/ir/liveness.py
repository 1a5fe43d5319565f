"""What a program needs: its live nodes.

Enters: a region or a function.  Leaves: the nodes its results depend on, in order; a function without the
rest. Invariant: a node is kept if and only if it has an effect, or a result or an effect reads it,
directly or through an inner region.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symdiff.ir.node import Function, Node, Region


def live(region: Region) -> list[Node]:
    """The nodes of the body that its results need, in order; regions inside count as reads."""
    needed: set[Node] = set(region.results)
    kept: list[Node] = []
    for node in reversed(region.body):
        if node in needed or has_effect(node):
            kept.append(node)
            needed.update(operands(node))
    return kept[::-1]


def has_effect(node: Node) -> bool:
    """Whether a node is kept although nothing reads it."""
    return node.op.effect or any(has_effect(inner) for region in node.regions for inner in region.body)


def operands(node: Node) -> Iterator[Node]:
    """What the node reads, once per occurrence, what its regions read included."""
    yield from node.args
    for region in node.regions:
        for inner in live(region):
            yield from operands(inner)
        yield from region.results


def without_dead(function: Function) -> Function:
    return replace(function, body=replace(function.body, body=tuple(live(function.body))))
