"""Copying a program with some nodes replaced.

Enters: a function and `swap(node, builder) -> Node | None`.  Leaves: the function with every use of a swapped
node replaced, or None if nothing changed.  Invariant: untouched nodes stay the same objects; the user's nodes
whose operands are unchanged stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from symdiff.ir.build import Builder
from symdiff.ir.node import Function, Node

Swap = Callable[[Node, Builder], Node | None]


def rebuilt(function: Function, swap: Swap) -> Function | None:
    builder = Builder(function.sizes, primal=False)
    builder.params = function.params
    known: dict[Node, Node] = {}
    changed: list[Node] = []
    with builder:
        for node in function.body.body:
            builder.span = node.span
            new = _copied(builder, node, known)
            swapped = swap(node, builder)
            if swapped is not None:
                if node.name and not swapped.primal:
                    builder.label(swapped, node.name)
                changed.append(swapped)
                new = swapped
            known[node] = new
    if not changed:
        return None
    results = [known.get(result, result) for result in function.results]
    made = builder.finish(function.name, function.params, results, function.tree, function.parameters, function.summary)
    return replace(made, info={**function.info, "replacement": changed[-1]})


def _copied(builder: Builder, node: Node, known: dict[Node, Node]) -> Node:
    args = tuple(known.get(arg, arg) for arg in node.args)
    if all(new is old for new, old in zip(args, node.args, strict=True)):
        builder.adopt(node)
        return node
    builder.primal = node.primal
    made = builder.emit(node.op, args, node.attributes, node.regions)
    builder.primal = False
    if node.name and not made.name:
        object.__setattr__(made, "name", node.name)
    return made
