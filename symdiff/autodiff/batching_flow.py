"""Which values carried around loops are batched, before the loop is written.

Enters: bodies, and the values that are batched.  Leaves: by loop, the carried values that are.  Invariant:
found by iterating to a fixpoint, and never too few: a value that turns out not to be is spread.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from symdiff.autodiff.activity import LOOPS, is_control, item_of
from symdiff.ir.control import ITEM, carried_of, carried_params
from symdiff.ir.node import Node

SHAPES = ("shape", "size", "length", "stack_length")


class Flow:
    """What depends on batched values."""

    def __init__(self, batched: Iterable[Node]):
        self.nodes = set(batched)
        self.results: set[tuple[Node, int]] = set()

    def carried(self, loop: Node) -> set[int]:
        params = carried_params(loop, loop.regions[-1])
        return {k for k, param in enumerate(params) if param in self.nodes}

    def read(self, body: Sequence[Node]) -> None:
        for node in body:
            if is_control(node):
                self._control(node)
            elif node.op is ITEM and is_control(node.args[0]):
                if item_of(node) in self.results:
                    self.nodes.add(node)
            elif node.op.name not in SHAPES and any(arg in self.nodes for arg in node.args):
                self.nodes.add(node)

    def _control(self, node: Node) -> None:
        loop = node.op.name in LOOPS
        while True:
            for region in node.regions:
                self.read(region.body)
            if not loop or not self._carry(node):
                break
        last = node.regions[-1:] if loop else node.regions
        all_of_it = node.op.name == "if" and node.args[0] in self.nodes
        count = len(node.type.items) if node.type.kind == "tuple" else 1
        for k in range(count):
            values = [region.results[k] for region in last] + ([carried_of(node)[k]] if loop else [])
            if all_of_it or any(value in self.nodes for value in values):
                self.results.add((node, k))
                if node.type.kind != "tuple":
                    self.nodes.add(node)

    def _carry(self, loop: Node) -> bool:
        """Take what is batched into the parameters of a loop; whether there was any to take."""
        before = len(self.nodes)
        for k, value in enumerate(carried_of(loop)):
            if value in self.nodes or loop.regions[-1].results[k] in self.nodes:
                self.nodes.update(carried_params(loop, region)[k] for region in loop.regions)
        return len(self.nodes) > before
