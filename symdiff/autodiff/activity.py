"""Which values have derivatives, and which of these a cotangent reaches.

Enters: bodies, and the values that derivatives are taken with respect to or that have a cotangent.  Leaves:
the active values and results of control nodes; the values that a sweep gives a cotangent.  Invariant: what is
carried around a loop is found by iterating to a fixpoint; integers, truth values and shapes are never active,
and an array that an active value is written into is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from symdiff.ir.calls import CALL, CALL_VJP
from symdiff.ir.control import CONTROL, ITEM, RULE, carried_of, carried_params
from symdiff.ir.node import Node, Region
from symdiff.ir.types import Type
from symdiff.ops.row import row_for

LOOPS = ("for", "while")
Flags = set[int]


def differentiable(type: Type) -> bool:
    if type.kind == "stack":
        return type.items[0].kind == "undefined" or differentiable(type.items[0])
    return type.kind in ("array", "number") and (
        not type.dtype or type.dtype.startswith(("float", "complex", "longdouble"))
    )


def is_control(node: Node) -> bool:
    return bool(node.regions) and node.op.name in CONTROL


def result_types(node: Node) -> tuple[Type, ...]:
    return node.type.items if node.type.kind == "tuple" else (node.type,)


def item_of(value: Node) -> tuple[Node, int]:
    """The node of several results that a value is one of, and which; of other values they themselves."""
    return (value.args[0], value.attr("index")) if value.op is ITEM else (value, 0)


class Activity:
    """Values that depend differentiably on `wrt`; grows as bodies are read.

    results: those of control nodes and of other tuples, by node and number.
    """

    def __init__(self, wrt: Iterable[Node]):
        self.nodes: set[Node] = set(wrt)
        self.results: set[tuple[Node, int]] = set()

    def __contains__(self, node: Node) -> bool:
        return node in self.nodes

    def read(self, body: Sequence[Node]) -> None:
        """Find the active values of a body."""
        for node in body:
            if is_control(node):
                self._control(node)
            elif node.op is ITEM:
                if item_of(node) in self.results and differentiable(node.type):
                    self.nodes.add(node)
            elif node.op is RULE:
                if any(arg in self.nodes for arg in node.args[: node.attr("values") + node.attr("operands")]):
                    self._add(node)
            elif any(arg in self.nodes for arg in node.args) and self._passes(node):
                self._add(node)

    def _passes(self, node: Node) -> bool:
        row = row_for(node)
        if row is None:
            return node.op is CALL or node.op is CALL_VJP
        return row.kind != "constant"

    def _add(self, node: Node) -> None:
        if node.type.kind == "tuple":
            self.results.update((node, k) for k, item in enumerate(node.type.items) if differentiable(item))
            self.nodes.add(node)
        elif differentiable(node.type):
            self.nodes.add(node)

    def _control(self, node: Node) -> None:
        regions = node.regions[-1:] if node.op.name in LOOPS else node.regions
        while True:
            for region in regions:
                self.read(region.body)
            if node.op.name not in LOOPS or not self._carry(node):
                break
        for k, type in enumerate(result_types(node)):
            values = [region.results[k] for region in regions]
            if node.op.name in LOOPS:
                values.append(carried_of(node)[k])
            if differentiable(type) and any(value in self.nodes for value in values):
                self.results.add((node, k))
                self.nodes.add(node)

    def _carry(self, loop: Node) -> bool:
        """Take activity into the parameters of a loop; whether there was any to take."""
        body, before = loop.regions[-1], len(self.nodes)
        for k, param in enumerate(carried_params(loop, body)):
            if differentiable(param.type) and (
                carried_of(loop)[k] in self.nodes or body.results[k] in self.nodes
            ):
                self.nodes.add(param)
        return len(self.nodes) > before


class Reach:
    """Which values have a cotangent behind a sweep, before the sweep is written."""

    def __init__(self, active: Activity):
        self.active = active

    def of_loop(self, loop: Node, alive: Iterable[int]) -> tuple[Flags, set[Node]]:
        """The carried values that have a cotangent in some iteration where those of `alive` have one behind
        the loop, and all values that one iteration's sweep gives one."""
        body = loop.regions[-1]
        params, flags = carried_params(loop, body), set(alive)
        while True:
            reached = self.of_region(body, flags)
            new = {k for k, param in enumerate(params) if param in reached} - flags
            if not new:
                return flags, reached
            flags |= new

    def of_region(self, region: Region, results: Iterable[int]) -> set[Node]:
        """The values that have a cotangent where some results of a region have one."""
        reached = {region.results[k] for k in results if region.results[k] in self.active}
        self.of_body(region.body, reached)
        return reached

    def of_body(self, body: Sequence[Node], reached: set[Node]) -> None:
        """Add the values that a body's sweep gives a cotangent where those of `reached` have one."""
        parts: dict[Node, Flags] = {}
        for node in reversed(body):
            if node not in self.active.nodes:
                continue
            if node in reached and (node.op is ITEM or node.type.kind != "tuple"):
                owner, k = item_of(node)
                parts.setdefault(owner, set()).add(k)
            if node not in parts or node.op is ITEM:
                continue
            if is_control(node):
                self._control(node, parts[node], reached)
            else:
                reached.update(arg for i, arg in enumerate(node.args) if self._passes(node, i))

    def _control(self, node: Node, flags: Flags, reached: set[Node]) -> None:
        if node.op.name in LOOPS:
            alive, inner = self.of_loop(node, flags)
            reached |= inner
            reached.update(
                value for k, value in enumerate(carried_of(node)) if k in alive and value in self.active
            )
        else:
            for region in node.regions:
                reached |= self.of_region(region, flags)

    def _passes(self, node: Node, i: int) -> bool:
        """Whether a cotangent of `node` gives one to an operand."""
        row = row_for(node)
        if node.args[i] not in self.active:
            return False
        if node.op is RULE:
            return i - node.attr("values") in node.attr("pulled", ())
        if row is None:
            return node.op is CALL_VJP
        if row.kind == "elementwise":
            return row.partials[i] is not None
        if row.transpose is None and row.transposes and row.kind in ("linear", "multilinear"):
            return row.transposes[i] is not None
        return True
