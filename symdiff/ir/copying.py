"""Copies of code: the same operations on other operands.

Enters: nodes, and by node what stands in its place.  Leaves: nodes in the open region of the current builder.
Invariant: a copy keeps operation, attributes, line, name and whether the user wrote it; a node whose operands
did not change and that owns no regions is taken over as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from symdiff.ir.build import Builder, current
from symdiff.ir.control import RULE
from symdiff.ir.node import Node, Region
from symdiff.ir.types import Type

Known = dict[Node, Node]


def copied(nodes: Iterable[Node], known: Known) -> None:
    """Copy nodes in order; `known` maps what is replaced, and gets every copy."""
    builder = current()
    for node in nodes:
        if node not in known:
            known[node] = copy_of(builder, node, known)


def copy_of(builder: Builder, node: Node, known: Known) -> Node:
    """One node with its operands and regions looked up in `known`."""
    args = tuple(known.get(arg, arg) for arg in node.args)
    if not node.regions and all(new is old for new, old in zip(args, node.args, strict=True)):
        existing = builder.existing(node.op, args, node.attrs) if node.op.pure else None
        if existing is not None:
            return renamed(existing, node)
        builder.adopt(node)
        return node
    if node.op is RULE:  # its regions read nothing from outside, and find nothing there
        with closed(builder):
            regions = tuple(region_copy(builder, region, {}) for region in node.regions)
    else:
        regions = tuple(region_copy(builder, region, known) for region in node.regions)
    return made_like(builder, node, args, regions)


@contextmanager
def closed(builder: Builder) -> Iterator[None]:
    """A place in which nothing that stands outside is found, the function's parameters included."""
    params, builder.params = builder.params, ()
    try:
        with builder.apart():
            yield
    finally:
        builder.params = params


def made_like(
    builder: Builder,
    node: Node,
    args: Sequence[Node],
    regions: tuple[Region, ...] = (),
    attrs: dict[str, object] | None = None,
    type: Type | None = None,
) -> Node:
    """An operation like `node` on other operands: with its line and name, written by whom it was.

    type: what is known of its type, where it has not all results of `node`.
    """
    before = builder.span, builder.primal
    builder.span, builder.primal = node.span, node.primal
    made = builder.emit(node.op, args, node.attributes if attrs is None else attrs, regions)
    builder.span, builder.primal = before
    keep_ranks(made, type or node.type)
    return renamed(made, node)


def keep_ranks(made: Node, known: Type) -> None:
    """Give derived control flow the ranks that its results are known to have: a cotangent behind a loop is of
    the rank of its value, also where the loop carries cotangents of several ranks."""
    if made.regions and not made.primal:
        object.__setattr__(made, "type", _with_ranks(made.type, known))


def _with_ranks(inferred: Type, known: Type) -> Type:
    if inferred.kind != known.kind or len(inferred.items) != len(known.items):
        return inferred
    items = tuple(map(_with_ranks, inferred.items, known.items))
    dims = known.dims if inferred.dims is None else inferred.dims
    return replace(inferred, dims=dims, items=items)


def renamed(made: Node, node: Node) -> Node:
    if node.name and not made.name and not made.is_const and made.primal == node.primal:
        object.__setattr__(made, "name", node.name)
    return made


def region_copy(builder: Builder, region: Region, known: Known) -> Region:
    """A region with new parameters; what is inside it is known only inside."""
    own = (*region.params, *region.body)
    before = {node: known[node] for node in own if node in known}
    with builder.region(*(param.type for param in region.params)) as opened:
        name_params(opened.params, region.params)
        known.update(zip(region.params, opened.params, strict=True))
        copied(region.body, known)
        opened.results = [known.get(result, result) for result in region.results]
    for node in own:
        del known[node]
    known.update(before)
    return opened.closed()


def cloned(nodes: Iterable[Node], known: Known) -> list[Node]:
    """New nodes of the same types, whatever equals them already; `known` as in `copied`."""
    builder, made = current(), []
    for node in nodes:
        args = tuple(known.get(arg, arg) for arg in node.args)
        regions = tuple(_region_clone(builder, region, known) for region in node.regions)
        known[node] = replace(node, args=args, regions=regions)
        builder.adopt(known[node])
        made.append(known[node])
    return made


def _region_clone(builder: Builder, region: Region, known: Known) -> Region:
    with builder.region(*(param.type for param in region.params)) as opened:
        name_params(opened.params, region.params)
        known.update(zip(region.params, opened.params, strict=True))
        cloned(region.body, known)
        opened.results = [known.get(result, result) for result in region.results]
    return opened.closed()


def name_params(made: Iterable[Node], like: Iterable[Node]) -> None:
    """The parameters of a copied region are called as those it was copied from."""
    for new, old in zip(made, like, strict=True):
        object.__setattr__(new, "name", old.name)
        object.__setattr__(new, "primal", old.primal)
