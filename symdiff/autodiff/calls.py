"""Calls of functions that call themselves: those that have derivatives also give their pullbacks.

Enters: a function with calls.  Leaves: the same with `call_vjp` in the place of `call` wherever an operand
has a derivative, and the functions that these call.  Invariant: a pullback is a value that is made on the
way there, and so is saved where the way back needs it; every result of a `call_vjp` has its `part`, in order,
right behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from symdiff.autodiff.activity import Activity
from symdiff.ir import types
from symdiff.ir.build import Builder
from symdiff.ir.calls import CALL, CALL_VJP, called, reached
from symdiff.ir.control import ITEM
from symdiff.ir.node import Function, Node
from symdiff.ir.rewriting import Rewriting

SUFFIX = "_vjp"


def linked(function: Function, wrt: Sequence[Node]) -> Function:
    """The function with the calls that have derivatives as such; itself where there is none."""
    if not any(called(function.body)):
        return function
    active = Activity(wrt)
    active.read(function.body.body)
    return _Link(Builder(function.sizes, primal=True), active).function(function)


def with_callees(
    function: Function,
    primal: Mapping[str, Function],
    derive: Callable[[Function, str], Function],
    suffix: str = SUFFIX,
) -> Function:
    """A derived function with all that it calls; derive: from a called function the one that is called in its
    place, by the name with the suffix."""
    made: dict[str, Function] = {}
    pending = sorted(set(called(function.body)))
    while pending:
        name = pending.pop()
        if name not in made:
            derived = name not in primal
            made[name] = derive(primal[name.removesuffix(suffix)], name) if derived else primal[name]
            pending += called(made[name].body)
    order = [name for one in primal for name in (one, one + suffix) if name in made]
    return replace(function, functions=reached(function, {name: made[name] for name in order}))


class _Link(Rewriting):
    """Every node of the result is a new one."""

    def __init__(self, builder: Builder, active: Activity):
        super().__init__(builder)
        self.active = active
        self.items: dict[Node, list[Node]] = {}  # by call, what it gives

    def node(self, node: Node) -> None:
        args = tuple(map(self.now, node.args))
        if node.op is CALL and node in self.active:
            self.call(node, args)
        elif node.op is ITEM and args[0].op is CALL_VJP:
            self.known[node] = self.renamed(self.items[args[0]][node.attr("index")], node)
        else:
            made = replace(node, args=args, regions=tuple(map(self.region, node.regions)))
            self.known[node] = made
            self.builder.adopt(made)

    def call(self, node: Node, args: tuple[Node, ...]) -> None:
        several = node.type.kind == "tuple"
        found = node.type.items if several else (node.type,)
        name = node.attr("function")
        attrs = {"function": name + SUFFIX, "results": node.attr("results")}
        self.builder.span = node.span
        made = self.builder.typed(CALL_VJP, args, attrs, types.tuple_of((*found, types.PULLBACK)))
        items = [
            self.builder.typed(ITEM, (made,), {"index": k}, type) for k, type in enumerate(made.type.items)
        ]
        object.__setattr__(items[-1], "name", f"pull{name}")
        object.__setattr__(items[-1], "primal", False)
        self.items[made] = items
        self.known[node] = made if several else self.renamed(items[0], node)

    def renamed(self, new: Node, old: Node) -> Node:
        if old.name and not new.name:
            object.__setattr__(new, "name", old.name)
        return new
