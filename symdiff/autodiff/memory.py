"""Where forward values live: the region that computes one, and the memory that is written into later.

Enters: a forward body.  Leaves: by value its region, by region the control node that owns it; the values
whose memory is overwritten.  Invariant: a value without a home is in scope wherever derived code may read it;
a value counts as overwritten as soon as there is a way from its memory to a write, so that reading one that
does not needs no copy.  Arguments are never overwritten: derivatives do not mutate them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from symdiff.autodiff.activity import LOOPS, item_of
from symdiff.ir.build import current
from symdiff.ir.control import RULE, captures, carried_of, carried_params
from symdiff.ir.node import Node, Region
from symdiff.ops.control import is_view, root
from symdiff.ops.row import row_for

_CREATING = ("zeros", "ones", "empty", "full")
_LIKE = ("zeros_like", "ones_like", "empty_like", "full_like", "copy")
Memory = tuple[Node, int]
WRITES = ("update", "add_at", "store")


class Homes:
    """Where the values of a forward body are computed.

    region: by value, its region; nothing for values of the body itself.  owner: by region, its control node.
    carried: by parameter, the loop and which of its carried values; -1 for a counter.
    """

    def __init__(self, body: Region):
        self.region: dict[Node, Region] = {}
        self.owner: dict[Region, Node] = {}
        self.carried: dict[Node, tuple[Node, int]] = {}
        self._overwritten: set[Memory] = set()
        self._flows: list[tuple[Memory, tuple[Node, ...]]] = []
        self._params = set(body.params)
        self.order: dict[Node, int] = {}
        self._uses: dict[Node, list[tuple[Node | None, Region | None]]] = {}
        self.read(body.body, body.results)

    def read(self, body: Iterable[Node], results: Iterable[Node]) -> None:
        """Take in forward code that stands in an open region."""
        self._read(body, results, None)
        self._spread()

    def _read(self, body: Iterable[Node], results: Iterable[Node], home: Region | None) -> None:
        for value in results:
            self._uses.setdefault(value, []).append((None, home))
        for node in body:
            self.order[node] = len(self.order)
            for arg in node.args:
                self._uses.setdefault(arg, []).append((node, home))
            if node.op.name in WRITES:
                self._overwrite(node.args[0])
            for inner in node.regions if node.op is not RULE else ():
                self._own(node, inner)
                self._read(inner.body, inner.results, inner)
            for k in range(len(node.type.items) if node.type.kind == "tuple" else 1):
                if node.op is RULE:
                    self._flows.append(((node, k), (node.args[k],)))
                elif node.regions and node.op.name != "closure":
                    self._flow(node, k)

    def _own(self, node: Node, inner: Region) -> None:
        self.owner[inner] = node
        self.region.update(dict.fromkeys((*inner.params, *inner.body), inner))
        if node.op.name in LOOPS:
            carried = carried_params(node, inner)
            counters = inner.params[: len(inner.params) - len(carried)]
            self.carried.update({param: (node, -1) for param in counters})
            self.carried.update({param: (node, k) for k, param in enumerate(carried)})

    def _flow(self, node: Node, k: int) -> None:
        """Note which values' memory a result of a control node may be."""
        if node.op.name not in LOOPS:
            self._flows.append(((node, k), tuple(region.results[k] for region in node.regions)))
            return
        values = (carried_of(node)[k], node.regions[-1].results[k])
        params = [(carried_params(node, region)[k], 0) for region in node.regions]
        self._flows += [(memory, values) for memory in ((node, k), *params)]

    def _overwrite(self, node: Node) -> None:
        memory = root(node)
        if memory not in self._params:
            self._overwritten.add(item_of(memory))

    def _spread(self) -> None:
        """What may be the memory of an overwritten value is overwritten."""
        before = -1
        while before != len(self._overwritten):
            before = len(self._overwritten)
            for memory, sources in self._flows:
                if memory in self._overwritten:
                    for source in sources:
                        self._overwrite(source)

    def is_overwritten(self, node: Node) -> bool:
        """Whether an array's memory may be written into after the array was computed."""
        return node.type.kind == "array" and node.type.dims != () and item_of(root(node)) in self._overwritten

    def is_overwritten_later(self, node: Node, k: int) -> bool:
        """Whether the memory of a result of a control node may be written into."""
        return (node, k) in self._overwritten

    def users(self, value: Node) -> list[Node]:
        """The operations that read a value."""
        return [user for user, _ in self._uses.get(value, ()) if user is not None]

    def augmented(self, node: Node) -> int | None:
        """Which operand of the value that a write puts into a place is what stood there: `base[place] *= c`;
        None where the value has other uses, or the index may name a place twice."""
        if node.op.name != "update" or node.attr("view", ()):
            return None
        base, value, *operands = node.args
        row = row_for(value)
        if row is None or row.kind != "elementwise" or len(self._uses.get(value, ())) != 1:
            return None
        if any(one.type.dims != () and one.type.dtype != "bool" for one in operands):
            return None
        if value.type.dims is None or value.type.dtype != base.type.dtype or not value.type.dtype:
            return None
        found = [
            k
            for k, arg in enumerate(value.args)
            if arg.op.name == "index"
            and arg.args == (base, *operands)
            and arg.attr("index") == node.attr("index")
        ]
        return found[0] if len(found) == 1 else None

    def around(self, region: Region | None) -> Iterator[Node]:
        """The control nodes around what a region computes, from the inside."""
        while region is not None and region in self.owner:
            node = self.owner[region]
            yield node
            region = self.region.get(node)

    def only_for(self, region: Region) -> list[Node]:
        """The values beside a control node that nothing but one of its regions is computed from, in order."""
        home = self.region.get(self.owner[region])
        found: dict[Node, bool] = {}

        def belongs(node: Node) -> bool:
            if node not in found:
                uses = self._uses.get(node, [])
                found[node] = row_for(node) is not None and bool(uses) and all(map(serves, uses))
            return found[node]

        def serves(use: tuple[Node | None, Region | None]) -> bool:
            user, place = use
            if place is home:
                return user is not None and belongs(user)
            while place is not None and place is not region:
                place = self.region.get(self.owner[place])
            return place is region

        pending = list(captures(region))
        kept: set[Node] = set()
        while pending:
            node = pending.pop()
            if node in self.order and self.region.get(node) is home and node not in kept and belongs(node):
                kept.add(node)
                pending += node.args
        return sorted(kept, key=self.order.__getitem__)

    def origin(self, node: Node) -> Node:
        """The first value in the memory that a value is a later version of: one of its shape, which is in
        scope wherever the value is."""
        home = self.region.get(node)
        scope = {None, home, *(self.region.get(owner) for owner in self.around(home))}
        seen: set[Node] = set()
        found = node
        while node not in seen:
            seen.add(node)
            if self.region.get(node) in scope:
                found = node
            node = self._before(node)
        return found

    def _before(self, node: Node) -> Node:
        """The version of an array before this one where both have one shape; else the array itself."""
        owner, k = item_of(node)
        if node.op.name in WRITES or node.op.name in _LIKE:
            return node.args[0]
        before = node
        if node in self.carried and self.carried[node][1] >= 0:
            loop, k = self.carried[node]
            before = carried_of(loop)[k]
        elif owner.op.name in LOOPS:
            before = carried_of(owner)[k]
        elif owner.op is RULE:
            before = owner.args[k]
        elif owner.regions and not is_view(node):
            before = owner.regions[0].results[k]
        resolve = current().sizes.resolve
        alike = before.type.dims is not None and resolve(before.type.dims) == resolve(node.type.dims)
        return before if alike else node

    def shape_source(self, node: Node) -> Node | None:
        """The operand with the shape of an array that was made by its shape."""
        first = self.origin(node)
        return first.args[0] if first.op.name in _CREATING else None
