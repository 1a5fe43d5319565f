"""What a program needs: its live nodes.

Enters: a region.  Leaves: the nodes its results depend on, in order.  Invariant: a node is kept if and only
if it has an effect, or a result or an effect reads it, directly or through an inner region.
"""

from __future__ import annotations

from collections.abc import Iterator

from symdiff.ir.node import Node, Region


def live(region: Region) -> list[Node]:
    """The nodes of the body that its results need, in order; regions inside count as reads."""
    return _scanned(region)[0]


def _scanned(region: Region) -> tuple[list[Node], list[Node]]:
    """The live nodes, and all that they and the results read; every inner region is visited once."""
    read = list(region.results)
    needed = set(read)
    kept: list[Node] = []
    for node in reversed(region.body):
        if node in needed or has_effect(node):
            kept.append(node)
            found = list(operands(node))
            needed.update(found)
            read += found
    return kept[::-1], read


def has_effect(node: Node) -> bool:
    """Whether a node is kept although nothing reads it."""
    return node.op.effect or any(has_effect(inner) for region in node.regions for inner in region.body)


def operands(node: Node) -> Iterator[Node]:
    """What the node reads, once per occurrence, what its regions read included."""
    yield from node.args
    for region in node.regions:
        yield from _scanned(region)[1]
