"""What lowering leaves behind, removed: values that no result needs, and values that are computed twice.

Enters: a function.  Leaves: an equal one whose regions carry and give only what is needed: no dead code, no
carried value that an iteration does not change, no result that is the same in both branches, and equal pure
operations on equal operands once.  Invariant: effects stay, in order.
"""

from __future__ import annotations

from dataclasses import replace

from symdiff.ir.build import Builder
from symdiff.ir.control import BLOCK, FOR, IF, ITEM, WHILE, carried_of, carried_params, values_of
from symdiff.ir.copying import Known, copy_of, made_like, renamed
from symdiff.ir.node import Function, Node, Region


def tidy(function: Function) -> Function:
    """See the module's own text."""
    return _Walk(function).function()


class _Needs:
    """Which nodes and which results of control nodes the function's results and effects need."""

    def __init__(self, function: Function):
        self.nodes: set[Node] = set()
        self.results: set[tuple[Node, int]] = set()
        self.owners: dict[Node, Node] = {}  # by node: the control node around it
        self.params: dict[Node, tuple[Node, int]] = {}  # by parameter of a loop: the loop and which it is
        self._pending: list[Node] = list(function.results)
        self._register(function.body)
        while self._pending:
            self._need(self._pending.pop())

    def _register(self, region: Region) -> None:
        pending: list[tuple[Region, Node | None]] = [(region, None)]
        while pending:
            region, owner = pending.pop()
            for node in region.body:
                if owner is not None:
                    self.owners[node] = owner
                if node.op.effect:
                    self._pending.append(node)
                for inner in node.regions:
                    pending.append((inner, node))
                    if node.op in (FOR, WHILE):
                        for k, param in enumerate(carried_params(node, inner)):
                            self.params[param] = node, k
                    for param in inner.params:
                        self.owners[param] = node

    def _need(self, node: Node) -> None:
        if node in self.nodes:
            return
        self.nodes.add(node)
        owner = self.owners.get(node)
        if owner is not None:
            self._structure(owner)
        if node in self.params:
            self._result(*self.params[node])
        if node.op is ITEM and node.args[0].op in _CONTROL:
            self._result(node.args[0], node.attr("index"))
        elif node.op in _CONTROL:
            if node.type.kind != "tuple":
                self._result(node, 0)
            self._structure(node)
        else:
            self._pending += node.args
            for region in node.regions:  # of a closure
                self._pending += region.results

    def _structure(self, control: Node) -> None:
        """What decides how often the regions of a control node run."""
        if (control, -1) in self.results:
            return
        self.results.add((control, -1))
        self._pending.append(control)
        if control.op is IF:
            self._pending.append(control.args[0])
        elif control.op is FOR:
            self._pending += control.args[:3]
        elif control.op is WHILE:
            self._pending += control.regions[0].results
        if control.attr("breaks"):
            self._pending.append(control.regions[-1].results[-1])

    def _result(self, control: Node, index: int) -> None:
        if (control, index) in self.results:
            return
        self.results.add((control, index))
        self._pending.append(control)
        if control.op in (FOR, WHILE):
            self._pending += [carried_of(control)[index], control.regions[-1].results[index]]
        else:
            self._pending += [region.results[index] for region in control.regions]


class _Walk:
    """Copies what is needed; `values` holds the results of control nodes."""

    def __init__(self, function: Function):
        self.source = function
        self.needs = _Needs(function)
        self.builder = Builder(function.sizes)
        self.builder.params = function.params
        self.values: dict[tuple[Node, int], Node] = {}

    def function(self) -> Function:
        function, known = self.source, Known()
        with self.builder as builder:
            self.body(function.body, known)
            results = tuple(known.get(result, result) for result in function.results)
        return replace(function, body=replace(function.body, body=builder.body, results=results))

    def body(self, region: Region, known: Known) -> None:
        for node in region.body:
            if node not in self.needs.nodes:
                continue
            if node.op in _CONTROL:
                self.control(node, known)
            elif node.op is ITEM and node.args[0].op in _CONTROL:
                known[node] = renamed(self.values[node.args[0], node.attr("index")], node)
            else:
                known[node] = copy_of(self.builder, node, known)

    def control(self, node: Node, known: Known) -> None:
        """A control node with the results that are needed and that its regions change."""
        count = len(node.type.items) if node.type.kind == "tuple" else 1
        kept = [k for k in range(count) if (node, k) in self.needs.results]
        for k in list(kept):
            same = self.unchanged(node, k, known)
            if same is not None:
                kept.remove(k)
                self.values[node, k] = same
        builder = self.builder
        args = [known.get(arg, arg) for arg in node.args]
        if node.op in (FOR, WHILE):
            first = len(node.args) - len(carried_of(node))
            args = [*args[:first], *(args[first + k] for k in kept)]
        regions = tuple(self.region(node, region, kept, known) for region in node.regions)
        made = made_like(builder, node, args, regions)
        for k, value in zip(kept, values_of(made), strict=True):
            self.values[node, k] = value
        if node.type.kind != "tuple":
            known[node] = self.values.get((node, 0), made)

    def unchanged(self, node: Node, k: int, known: Known) -> Node | None:
        """The value that a result has whatever the regions do; None where there is none."""
        if node.op in (FOR, WHILE):
            params = [carried_params(node, region)[k] for region in node.regions]
            if node.regions[-1].results[k] is not params[-1]:
                return None
            initial = carried_of(node)[k]
            made = known.get(initial, initial)
            known.update(dict.fromkeys(params, made))
            return made
        results = {region.results[k] for region in node.regions}
        outside = next(iter(results))
        if len(results) > 1 or self.needs.owners.get(outside) is node:
            return None
        return known.get(outside, outside)

    def region(self, node: Node, region: Region, kept: list[int], known: Known) -> Region:
        """A region with its needed parameters and results."""
        builder, inner = self.builder, dict(known)
        params: tuple[Node, ...] = ()
        if node.op in (FOR, WHILE):
            carried = carried_params(node, region)
            params = (*region.params[: len(region.params) - len(carried)], *(carried[k] for k in kept))
        results = region.results
        if node.op is not WHILE or region is not node.regions[0]:
            results = (*(results[k] for k in kept), *(results[-1:] if node.attr("breaks") else ()))
        with builder.region(*(param.type for param in params)) as opened:
            for new, old in zip(opened.params, params, strict=True):
                object.__setattr__(new, "name", old.name)
                object.__setattr__(new, "primal", old.primal)
            inner.update(zip(params, opened.params, strict=True))
            self.body(region, inner)
            opened.results = [inner.get(result, result) for result in results]
        return opened.closed()


_CONTROL = (IF, FOR, WHILE, BLOCK)
