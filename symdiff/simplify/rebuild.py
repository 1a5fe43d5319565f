"""Copying a program with some values replaced.

Enters: a function and, by node, what is computed in its place.  Leaves: the function with every use replaced.
Invariant: untouched nodes stay the same objects; what is new is computed where it is first needed.
"""

from __future__ import annotations

from collections import ChainMap, Counter
from collections.abc import Mapping
from dataclasses import replace

from symdiff.ir.build import Builder, current
from symdiff.ir.control import CONTROL, FOR
from symdiff.ir.copying import keep_ranks, name_params
from symdiff.ir.node import Function, Node, Region
from symdiff.ir.tidy import without_dead
from symdiff.ops.control import is_permuted, is_view, roots, sources
from symdiff.ops.row import Row
from symdiff.ops.shaping import broadcast_to, copy


def replaced(function: Function, instead: Mapping[Node, Node]) -> Function:
    """The function with each key of `instead` replaced by its value, dead code removed."""
    walk = _Copy(function, instead)
    with walk.builder:
        walk.body(function.body)
        results = [_fresh(walk.known.get(result, result), result) for result in function.results]
        made = walk.builder.finish(
            function.name, function.params, results, function.tree, function.parameters, function.summary
        )
    return without_dead(replace(made, info=function.info, functions=function.functions))


def _fresh(new: Node, old: Node) -> Node:
    """A derivative that left as an array of its own still does, and does not share memory with an
    argument."""
    if new is old or old.primal or old.type.kind != "array" or old.type.dims == ():
        return new
    given = new.args[0] if new.op.name == "fit_like" else new  # which it may hand on as it is
    shared = new.primal or new.op.name == "param" or (isinstance(given.op, Row) and given.op.view)
    return copy(new) if shared or any(memory.op.name == "param" for memory in roots(new)) else new


def _as_carried(initial: Node, param: Node) -> Node:
    """An int that is spread over an array, as a float where a loop goes on with an array of floats."""
    spread = initial.op is broadcast_to and initial.args[0].is_const and not initial.primal
    if not spread or type(initial.args[0].value) is not int or not param.type.dtype.startswith("float"):
        return initial
    return broadcast_to(current().const(float(initial.args[0].value)), initial.args[1])


class _Copy:
    """One walk; `known` maps nodes of the old program and new nodes to those of the copy."""

    def __init__(self, function: Function, instead: Mapping[Node, Node]):
        self.instead = instead
        self.open: set[Node] = set()
        self.builder = Builder(function.sizes, primal=False)
        self.builder.params = function.params
        self.known: ChainMap[Node, Node] = ChainMap({param: param for param in function.params})

    def body(self, region: Region) -> None:
        for node in region.body:
            self.copy(node)

    def copy(self, node: Node) -> Node:
        """The node in the copy: itself where nothing below it changed."""
        if node in self.known:
            return self.known[node]
        new = self.instead.get(node)
        if new is not None and node not in self.open:  # what replaces may read what it replaces
            self.open.add(node)
            made = self.copy(new)
            self.open.discard(node)
            if node.name and not made.primal:
                self.builder.label(made, node.name)
        else:
            made = self._same(node)
        self.known[node] = made
        return made

    def _same(self, node: Node) -> Node:
        builder = self.builder
        args = tuple(self.copy(arg) for arg in node.args)
        if not node.regions and all(new is old for new, old in zip(args, node.args, strict=True)):
            existing = builder.existing(node.op, args, node.attrs)
            if existing is not None:
                return existing
            builder.adopt(node)
            return node
        builder.span = node.span
        builder.primal = node.primal
        regions = tuple(self._region(node, region) for region in node.regions)
        if node.op is FOR and not node.primal:
            carried = zip(args[3:], regions[0].params[1:], strict=True)
            args = (*args[:3], *(_as_carried(initial, param) for initial, param in carried))
        made = builder.emit(node.op, args, node.attributes, regions)
        keep_ranks(made, node.type)
        builder.primal = False
        if node.name and not made.name:
            object.__setattr__(made, "name", node.name)
        return made

    def _region(self, owner: Node, region: Region) -> Region:
        builder, primal, outer = self.builder, self.builder.primal, self.known
        self.known = ChainMap({}, *outer.maps)
        with builder.region(*(param.type for param in region.params)) as opened:
            name_params(opened.params, region.params)
            self.known.update(zip(region.params, opened.params, strict=True))
            self.body(region)
            made = [self.copy(result) for result in region.results]
            leave = owner.op.name not in CONTROL  # of a function: what a loop carries stays inside
            pairs = zip(made, region.results, strict=True)
            opened.results = [_fresh(new, old) for new, old in pairs] if leave else made
        builder.primal, self.known = primal, outer
        return opened.closed()


def without_copies(function: Function) -> Function:
    """Results that are copies of arrays which only they need: the arrays themselves."""
    instead: dict[Node, Node] = {}
    held: Counter[Node] = Counter(memory for result in set(function.results) for memory in roots(result))
    for result in function.results:
        if result.op is copy and not result.primal and _is_owned(result.args[0], held):
            instead[result] = result.args[0]
            held.update(roots(result.args[0]))
    if not instead:
        return function
    made = [instead.get(result, result) for result in function.results]
    return without_dead(replace(function, body=replace(function.body, results=tuple(made))))


_SHARED = ("param", "const", "part", "stack_item")  # among roots: what others have as well


def _is_owned(node: Node, held: Counter[Node]) -> bool:
    """Whether the function made this array, in C's order, and it leaves in no other result."""
    if is_permuted(node) or any(map(is_view, sources(node))):
        return False
    return not any(memory.op.name in _SHARED or held[memory] for memory in roots(node))
