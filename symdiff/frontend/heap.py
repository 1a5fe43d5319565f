"""Which memory holds what, while a function is lowered: every array that the function may write into.

Enters: nodes, as the evaluator passes them around.  Leaves: the same nodes, or the values that their memory
holds now.  Invariant: a node in the hands of the evaluator is a *reference*, as in Python; `latest` gives the
value of what it refers to, and the builder asks for it whenever an operation is applied, so that every
operation reads what is there at that moment, whatever alias or view it was reached by.

A storage is the node that made an array.  Writing into it (`A[i] = v`, `row *= 2`) makes a new value
(`ops.updates.update`), which becomes the storage's; names and containers keep their reference.  A view
(`A[i]`, `A.T`) refers to the storage it was taken from, through the same steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from symdiff.ir.build import current
from symdiff.ir.node import Node
from symdiff.ops.control import is_view

Values = Mapping[Node, Node]


@dataclass(eq=False, slots=True, repr=False)
class Heap:
    """values: by storage, what it holds, where that is not what it was made with.  homes: by value that a
    storage held at some time, the storage."""

    values: dict[Node, Node] = field(default_factory=dict)
    homes: dict[Node, Node] = field(default_factory=dict)

    def storage(self, node: Node) -> Node:
        """The array whose memory a reference shares: the node that made it."""
        while is_view(node):
            node = node.args[0]
        return self.homes.get(node, node)

    def latest(self, node: Node) -> Node:
        """The value of what a node refers to, now."""
        if not self.values:
            return node
        if is_view(node):
            viewed = self.latest(node.args[0])
            if viewed is node.args[0]:
                return node
            made = current().emit(node.op, (viewed, *node.args[1:]), node.attributes)
            return current().named(made, node.name) if node.name else made
        return self.values.get(self.homes.get(node, node), node)

    def hold(self, storage: Node, value: Node) -> None:
        """From now on this storage holds this value."""
        self.values[storage] = value
        self.homes[value] = storage

    def snapshot(self) -> Values:
        """What all storages hold, to go back to."""
        return dict(self.values)

    def restore(self, values: Values) -> None:
        self.values = dict(values)

    def changed(self, before: Values) -> dict[Node, Node]:
        """By storage whose value is another than before: its value now."""
        return {storage: value for storage, value in self.values.items() if before.get(storage) is not value}
