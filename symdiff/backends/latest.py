"""Shapes are asked of the version of an array that is there at last.

Enters: a function.  Leaves: an equal one in which what reads no more of an array than its shape and dtype
reads the version that the latest write, loop or branch before it has left.  Invariant: versions of one array
have one shape; so none needs a variable of its own only to be measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symdiff.backends.choice import LOOPS, SHAPES
from symdiff.backends.webs import base_name
from symdiff.ir.control import IF, ITEM, carried_of, carried_params
from symdiff.ir.node import Function, Node, Region
from symdiff.ops.control import is_view

_MEASURES = ("shape", "size", "length", "make_shape")  # never a statement of its own


def with_latest_shapes(function: Function) -> Function:
    """See the module's own text; the function itself where nothing is written."""
    light = _light(function)
    if not light:
        return function
    walk = _Walk(function, light)
    body = walk.region(function.body)
    return function if body is function.body else replace(function, body=body)


def _light(function: Function) -> dict[Node, tuple[int, ...]]:
    """By node, the operands that it reads only to measure them; nothing if no array has several versions."""
    found: dict[Node, tuple[int, ...]] = {}
    heavy: set[Node] = set(function.results)
    several = False
    nodes = list(function.nodes())
    for node in nodes:
        several = several or node.op.name in ("update", "add_at") or node.op in (*LOOPS, IF)
        for region in node.regions:
            heavy.update(region.results)
    if not several:
        return {}
    for node in reversed(nodes):
        name = node.op.name
        if name in SHAPES:
            found[node] = (0,)
        elif name == "fit_like" and not node.primal:
            found[node] = (1,)
        elif is_view(node) and node not in heavy and not node.primal:
            found[node] = (0,)
        heavy.update(arg for k, arg in enumerate(node.args) if k not in found.get(node, ()))
    return found


class _Walk:
    """One walk: `known` maps old values to new ones, `last` versions to the next one in scope."""

    def __init__(self, function: Function, light: dict[Node, tuple[int, ...]]):
        self.sizes = function.sizes
        self.light = light
        self.items = {(n.args[0], n.attr("index")) for n in function.nodes() if n.op is ITEM}
        self.known: dict[Node, Node] = {}
        self.last: dict[Node, Node] = {}
        self.first: dict[Node, Node] = {}  # by version, what the array was in the beginning
        self.made: dict[tuple[Node, tuple[Node, ...]], Node] = {}  # measured anew, in this scope

    def now(self, node: Node) -> Node:
        return self.known.get(node, node)

    def version(self, node: Node) -> Node:
        """The last version of an array."""
        while node in self.last and self._alike(node, self.last[node]):
            node = self.last[node]
        return node

    def _alike(self, a: Node, b: Node) -> bool:
        resolve = self.sizes.resolve
        return (
            a.type.dims is not None
            and a.type.dtype == b.type.dtype
            and resolve(a.type.dims) == resolve(b.type.dims)
        )

    def follows(self, new: Node, old: Node) -> None:
        """A value is the next version of another."""
        if new is not old:
            self.last[self.version(old)] = new
            self.first[new] = self.first.get(old, old)

    def measured(self, node: Node, made: list[Node]) -> Node:
        """A length or shape, measured anew where it is read: in the text it stands there."""
        if node.op.name not in _MEASURES:
            return self.now(node)
        args = tuple(self.measured(arg, made) for arg in node.args)
        if node.op.name != "make_shape":
            args = tuple(map(self.version, args))
        if all(new is old for new, old in zip(args, node.args, strict=True)):
            return node
        found = self.made.get((node, args))
        if found is None:
            found = self.made[node, args] = replace(node, args=args)
            made.append(found)
        return found

    def region(self, region: Region) -> Region:
        before, known, self.made = dict(self.last), self.made, dict(self.made)
        made: list[Node] = []
        for node in region.body:
            new = self.node(node, made)
            made += [new, *self.unread(node, new)]
        results = tuple(self.measured(result, made) for result in region.results)
        self.last, self.made = before, known
        if results == region.results and made == [*region.body]:
            return region
        return replace(region, body=tuple(made), results=results)

    def node(self, node: Node, before: list[Node]) -> Node:
        args = [self.measured(arg, before) for arg in node.args]
        for k in self.light.get(node, ()):
            args[k] = self.version(args[k])
        regions = []
        for inner in node.regions:
            last = dict(self.last)
            if node.op in LOOPS:
                for initial, param in zip(
                    map(self.now, carried_of(node)), carried_params(node, inner), strict=True
                ):
                    if initial.type.kind == "array":
                        self.last[self.version(initial)] = param
            regions.append(self.region(inner))
            self.last = last
        made = node
        if any(
            new is not old for new, old in zip((*args, *regions), (*node.args, *node.regions), strict=True)
        ):
            made = replace(node, args=tuple(args), regions=tuple(regions))
            self.known[node] = made
        self._note(made)
        return made

    def unread(self, node: Node, new: Node) -> Iterator[Node]:
        """The arrays behind a loop or a branch that nothing reads: to be measured, if to nothing else."""
        if node.op not in (*LOOPS, IF) or node.type.kind != "tuple":
            return
        for k, type in enumerate(new.type.items):
            if type.kind == "array" and (node, k) not in self.items:
                value = Node(ITEM, (new,), (("index", k),), type, primal=False)
                self._note(value)
                yield value

    def _note(self, node: Node) -> None:
        """Remember of which arrays a node gives the next versions."""
        if node.op.name in ("update", "add_at"):
            self.follows(node, node.args[0])
        elif node.op in (*LOOPS, IF) and node.type.kind != "tuple":
            self._result(node, node, 0)
        elif node.op is ITEM and node.args[0].op in (*LOOPS, IF):
            self._result(node, node.args[0], node.attr("index"))

    def _result(self, value: Node, owner: Node, k: int) -> None:
        if value.type.kind != "array":
            return
        if owner.op is IF:
            one, other = (self._first(region.results[k]) for region in owner.regions)
            if one is other:
                self.follows(value, one)
        else:
            body = owner.regions[-1]
            param, initial = carried_params(owner, body)[k], carried_of(owner)[k]
            called = base_name(param.name) == base_name(initial.name) != ""
            if called or self._first(body.results[k]) is param:
                self.follows(value, initial)

    def _first(self, value: Node) -> Node:
        return self.first.get(value, value)
