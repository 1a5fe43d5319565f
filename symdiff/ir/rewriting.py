"""A function of which some nodes change, and with them what reads these.

Enters: a function.  Leaves: an equal one, with other nodes where a walk puts them.  Invariant: a node or
region in which nothing changes is taken over as it is; parameters stay the same.
"""

from __future__ import annotations

from dataclasses import replace

from symdiff.ir.build import Builder
from symdiff.ir.node import Function, Node, Region


class Rewriting:
    """A walk that changes nothing; `known`: by node that changed, what stands in its place."""

    def __init__(self, builder: Builder):
        self.builder = builder
        self.known: dict[Node, Node] = {}

    def function(self, function: Function) -> Function:
        self.builder.params = function.params
        with self.builder:
            self.body(function.body)
            results = tuple(map(self.now, function.results))
        return replace(function, body=replace(function.body, body=self.builder.body, results=results))

    def now(self, node: Node) -> Node:
        return self.known.get(node, node)

    def body(self, region: Region) -> None:
        for node in region.body:
            self.node(node)

    def node(self, node: Node) -> None:
        """Put what stands in the place of a node into the open region."""
        made = self.renewed(node)
        if made is not node:
            self.known[node] = made
        self.builder.adopt(made)

    def renewed(self, node: Node) -> Node:
        """The node on what stands in the place of its operands; itself where these did not change."""
        args = tuple(map(self.now, node.args))
        regions = tuple(map(self.region, node.regions))
        if args == node.args and regions == node.regions:
            return node
        return replace(node, args=args, regions=regions)

    def region(self, region: Region) -> Region:
        with self.builder.region() as opened:
            self.body(region)
            opened.results = [*map(self.now, region.results)]
        made = opened.closed()
        same = made.body == region.body and made.results == region.results
        return region if same else replace(made, params=region.params)
