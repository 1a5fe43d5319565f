"""What lowering leaves behind, removed: values that no result needs, and values that are computed twice.

Enters: a function.  Leaves: an equal one whose regions carry and give only what is needed: no dead code, no
carried value that an iteration does not change, no result that is the same in both branches, and equal pure
operations on equal operands once.  Invariant: effects stay, in order.
"""

from __future__ import annotations

from dataclasses import replace

from symdiff.ir import types
from symdiff.ir.build import Builder
from symdiff.ir.control import BLOCK, FOR, IF, ITEM, LOOPS, RULE, WHILE, carried_of, carried_params, handed
from symdiff.ir.copying import Known, copy_of, made_like, name_params, renamed
from symdiff.ir.liveness import live
from symdiff.ir.node import Function, Node, Region


def tidy(function: Function) -> Function:
    """See the module's own text."""
    return _Walk(function).function()


def without_dead(function: Function) -> Function:
    """The function without what no result needs: tidied where it has regions, whose dead code would read what
    is gone."""
    if any(node.regions for node in function.body.body):
        return tidy(function)
    return replace(function, body=replace(function.body, body=tuple(live(function.body))))


class _Needs:
    """Which nodes and which results of control nodes the function's results and effects need.

    same: by value that a control node only hands on, the value that it is.
    """

    def __init__(self, function: Function):
        self.nodes: set[Node] = set()
        self.results: set[tuple[Node, int]] = set()
        self.same: dict[Node, Node] = {}
        self.owners: dict[Node, Node] = {}  # by node: the one with regions around it
        self.params: dict[Node, tuple[Node, int]] = {}  # by parameter of a loop: the loop and which it is
        self.parts: dict[Node, list[Node]] = {}  # by operation of several results: these; all are kept
        self._pending: list[Node] = list(function.results)
        self._register(function.body, None)
        while self._pending:
            self._need(self._pending.pop())

    def _register(self, region: Region, owner: Node | None) -> None:
        """Note where every node stands, in program order."""
        for node in (*region.params, *region.body):
            if owner is not None:
                self.owners[node] = owner
            if node.op.effect:
                self._pending.append(node)
            if node.op is ITEM and _is_kept_whole(node.args[0]):
                self.parts.setdefault(node.args[0], []).append(node)
            for inner in node.regions:
                if node.op in LOOPS:
                    params = carried_params(node, inner)
                    self.params.update((param, (node, k)) for k, param in enumerate(params))
                self._register(inner, node)
            self._follow(node)

    def _follow(self, node: Node) -> None:
        """Note what a result is that its control node only hands on."""
        control, index = (node.args[0], node.attr("index")) if node.op is ITEM else (node, 0)
        if control.op not in _CONTROL or (node is control and node.type.kind == "tuple"):
            return
        found = {self.same.get(value, value) for value in handed(control, index)}
        if control.op in LOOPS:
            found -= {carried_params(control, control.regions[-1])[index]}
        value = found.pop()
        inside = self.owners.get(value)
        while inside is not None and inside is not control:
            inside = self.owners.get(inside)
        if not found and inside is not control:
            self.same[node] = value

    def _need(self, node: Node) -> None:
        if node in self.nodes:
            return
        self.nodes.add(node)
        if node in self.same:
            self._pending.append(self.same[node])
            return
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
            self._pending += [*node.args, *self.parts.get(node, ())]
            for region in node.regions:  # of a closure
                self._pending += region.results

    def _structure(self, control: Node) -> None:
        """What decides how often the regions of a node run."""
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
        if (control, index) not in self.results:
            self.results.add((control, index))
            self._pending += [control, *handed(control, index)]


class _Walk:
    """Copies what is needed; `values`: by result of a control node, the node that gives it now and where."""

    def __init__(self, function: Function):
        self.source = function
        self.needs = _Needs(function)
        self.builder = Builder(function.sizes)
        self.builder.params = function.params
        self.known: Known = {}
        self.values: dict[tuple[Node, int], tuple[Node, int]] = {}

    def function(self) -> Function:
        function = self.source
        with self.builder as builder:
            self.body(function.body)
            results = tuple(map(self.now, function.results))
        return replace(function, body=replace(function.body, body=builder.body, results=results))

    def now(self, node: Node) -> Node:
        """What stands for a value of the old function."""
        return self.known.get(node, node)

    def body(self, region: Region) -> None:
        for node in region.body:
            if node not in self.needs.nodes:
                continue
            same = self.needs.same.get(node)
            if node.op in _CONTROL and (same is None or (node, -1) in self.needs.results):
                self.control(node)
            if same is not None:
                self.known[node] = renamed(self.now(same), node)
            elif node.op in _CONTROL:
                continue
            elif node.op is ITEM and node.args[0].op in _CONTROL:
                made, place = self.values[node.args[0], node.attr("index")]
                value = ITEM(made, index=place) if made.type.kind == "tuple" else made
                self.known[node] = renamed(value, node)
            elif node.op is RULE:
                self.known[node] = copy_of(self.builder, node, self.known)
            elif node.regions:
                regions = tuple(self.region(node, inner, None) for inner in node.regions)
                self.known[node] = made_like(self.builder, node, [*map(self.now, node.args)], regions)
            else:
                self.known[node] = copy_of(self.builder, node, self.known)

    def control(self, node: Node) -> None:
        """A control node with the results that are needed and that its regions change."""
        count = len(node.type.items) if node.type.kind == "tuple" else 1
        kept = [k for k in range(count) if (node, k) in self.needs.results and not self.unchanged(node, k)]
        args = [*map(self.now, node.args)]
        if node.op in LOOPS:
            first = len(node.args) - len(carried_of(node))
            args = [*args[:first], *(args[first + k] for k in kept)]
        regions = tuple(self.region(node, region, kept) for region in node.regions)
        items = node.type.items if node.type.kind == "tuple" else (node.type,)
        type = items[kept[0]] if len(kept) == 1 else types.tuple_of([items[k] for k in kept])
        made = made_like(self.builder, node, args, regions, type=type)
        self.values.update(((node, k), (made, place)) for place, k in enumerate(kept))
        self.known[node] = made

    def unchanged(self, loop: Node, k: int) -> bool:
        """Whether every iteration hands a carried value on; it then stands for its parameters as well."""
        if loop.op not in LOOPS:
            return False
        params = [carried_params(loop, region)[k] for region in loop.regions]
        following, initial = loop.regions[-1].results[k], carried_of(loop)[k]
        if self.needs.same.get(following, following) not in (params[-1], initial):
            return False
        self.known.update(dict.fromkeys(params, self.now(initial)))
        return True

    def region(self, node: Node, region: Region, kept: list[int] | None) -> Region:
        """A region with its needed parameters and results; kept: which, None for all."""
        params, results = region.params, region.results
        if kept is not None and node.op in LOOPS:
            carried = carried_params(node, region)
            params = (*params[: len(params) - len(carried)], *(carried[k] for k in kept))
        if kept is not None and (node.op is not WHILE or region is not node.regions[0]):
            results = (*(results[k] for k in kept), *(results[-1:] if node.attr("breaks") else ()))
        with self.builder.region(*(param.type for param in params)) as opened:
            name_params(opened.params, params)
            self.known.update(zip(params, opened.params, strict=True))
            self.body(region)
            opened.results = [*map(self.now, results)]
        return opened.closed()


_CONTROL = (IF, FOR, WHILE, BLOCK)


def _is_kept_whole(node: Node) -> bool:
    """Whether the way back may need results that nobody reads: of operations that give arrays."""
    stacked = any(item.kind == "stack" for item in node.type.items)
    return node.op not in _CONTROL and node.op.pure and not stacked
