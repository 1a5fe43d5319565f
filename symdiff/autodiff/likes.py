"""What is measured in the place of a value that the way back needs for its shape alone.

Enters: a forward value.  Leaves: a value of the same shape and dtype that is in scope, or a view of one, as a
node that stands in no body.  Invariant: a view reads numbers alone beside the array; writes change no shape,
so that the first version of an array has that of all others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symdiff.autodiff.memory import Homes
from symdiff.ir.node import Node
from symdiff.ir.types import Sizes
from symdiff.ops.row import Row

# By operation, the operand of which it reads no more than shape and dtype.
_MEASURED = {"fit_like": 1, "zeros_like": 0, "ones_like": 0, "shape": 0, "size": 0, "length": 0}
_VIEWS = ("index", "transpose", "expand_dims", "swapaxes")


class Likes:
    """made: the views that stand in no body."""

    def __init__(self, homes: Homes, sizes: Sizes):
        self.homes, self.sizes = homes, sizes
        self.made: set[Node] = set()
        self._found: dict[Node, Node | None] = {}

    def operand(self, node: Node) -> int | None:
        """Which operand of a derived node is measured alone, and has something in its place."""
        k = _MEASURED.get(node.op.name)
        return None if k is None or node.primal or self.of(node.args[k]) is None else k

    def read(self, node: Node) -> tuple[Node, ...]:
        """The values that a node reads, where something stands in the place of what is measured."""
        k = self.operand(node)
        if k is None:
            return node.args
        instead = self.of(node.args[k])
        assert instead is not None
        return (*node.args[:k], *self._leaves(instead), *node.args[k + 1 :])

    def of(self, value: Node) -> Node | None:
        """What is measured in the place of a value; None where the value itself is."""
        if value not in self.homes.region or value.type.dims is None:
            return None
        if value not in self._found:
            self._found[value] = None
            self._found[value] = self._instead(value)
        return self._found[value]

    def _leaves(self, node: Node) -> Iterator[Node]:
        if node not in self.made:
            yield node
            return
        for arg in node.args:
            yield from self._leaves(arg)

    def _instead(self, value: Node) -> Node | None:
        if value.op.name in _VIEWS and all(one.type.dims == () for one in value.args[1:]):
            base = self._base(value.args[0])
            if base is None:
                return None
            made = replace(value, args=(base, *value.args[1:]), primal=False, name="")
            self.made.add(made)
            return made
        first = self.homes.origin(value)
        if first is not value:
            return self._base(first) if self._is_alike(first, value) else None
        if isinstance(value.op, Row) and value.op.kind == "elementwise":
            alike = (self._base(arg) for arg in value.args if self._is_alike(arg, value))
            return next((one for one in alike if one is not None), None)
        return None

    def _base(self, value: Node) -> Node | None:
        return self.of(value) if value in self.homes.region else value

    def _is_alike(self, one: Node, other: Node) -> bool:
        resolve = self.sizes.resolve
        return (
            one.type.kind == other.type.kind == "array"
            and one.type.dtype == other.type.dtype != ""
            and one.type.dims is not None
            and resolve(one.type.dims) == resolve(other.type.dims)
        )
