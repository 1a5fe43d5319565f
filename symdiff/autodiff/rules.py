"""Derivatives that the user wrote, in the place of those that follow from rows.

Enters: `rule` nodes (see `ir.rules`) with cotangents of their values, or tangents of their operands.  Leaves:
the user's own code, written out, and what it gives; behind the last derivative, functions without such nodes.
Invariant: a rule is given what it was written for: cotangents and tangents in the shape and dtype of their
values, cotangents in the convention of users.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import replace

from symdiff.autodiff.activity import differentiable, result_types
from symdiff.errors import UnsupportedError
from symdiff.ir.build import Builder
from symdiff.ir.control import ITEM, RULE
from symdiff.ir.node import Function, Node
from symdiff.ir.rewriting import Rewriting
from symdiff.ir.rules import written_out

_NAMED = {"vjp": "reverse mode (`vjp`)", "jvp": "forward mode (`jvp`)"}


def values_of_rule(node: Node) -> int:
    """How many values a rule gives."""
    count: int = node.attr("values")
    return count


def pulled(node: Node, values: Sequence[Node], cotangents: Sequence[Node]) -> dict[Node, list[Node]]:
    """The cotangents that a rule gives its operands, for one of each value that can have some."""
    check(node, "vjp")
    found: dict[Node, list[Node]] = {}
    for k, part in written_out(node, "vjp", cotangents, values).items():
        found.setdefault(node.args[len(values) + k], []).append(part)
    return found


def pushed(node: Node, values: Sequence[Node], tangents: Sequence[Node]) -> dict[int, Node]:
    """The tangents that a rule gives, by number of the value, for one of each operand."""
    check(node, "jvp")
    return written_out(node, "jvp", tangents, values)


def check(node: Node, mode: str) -> None:
    """Raises UnsupportedError where there is no rule for a mode."""
    called = node.attr("called")
    if node.attr("nested"):
        raise UnsupportedError(
            f"The rule of `{called}` calls `{called}` itself, and is written out to a limited order only.",
            "the value in the rule, which it is given as an argument",
            node.span,
        )
    if mode not in node.attr("modes"):
        raise UnsupportedError(
            f"`{called}` has no rule for {_NAMED[mode]}.", f"a function under `@{called}.{mode}`", node.span
        )


def check_constant(node: Node, active: Container[Node]) -> None:
    """Raises UnsupportedError where what is read from outside has a derivative, which no rule tells."""
    if any(value in active for value in node.args[: values_of_rule(node)]):
        called = node.attr("called")
        raise UnsupportedError(
            f"`{called}` has a rule, and reads something from outside that the derivative is taken of.",
            "what it reads as an argument of it",
            node.span,
        )


def operands(node: Node) -> tuple[Node, ...]:
    """What a rule may give a derivative for."""
    first = values_of_rule(node)
    return node.args[first : first + node.attr("operands")]


def seeded(node: Node) -> list[int]:
    """The values that have cotangents."""
    return [k for k, type in enumerate(result_types(node)) if differentiable(type)]


def erased(function: Function) -> Function:
    """The function with the values of rules in their place; the marks that kept them apart go as well."""
    if not any(node.op is RULE for node in function.nodes()):
        return _with_callees(function, erased)
    return _with_callees(_Erase(Builder(function.sizes)).function(function), erased)


def _with_callees(function: Function, change: Callable[[Function], Function]) -> Function:
    made = {name: change(one) for name, one in function.functions.items()}
    return replace(function, functions=made) if made else function


class _Erase(Rewriting):
    def node(self, node: Node) -> None:
        if node.op is RULE and node.type.kind != "tuple":
            self.known[node] = self._named(self.now(node.args[0]), node)
        elif node.op is ITEM and node.args[0].op is RULE:
            self.known[node] = self._named(self.now(node.args[0].args[node.attr("index")]), node)
        elif node.op.name == "stop_gradient":
            self.known[node] = self.now(node.args[0])
        elif node.op is not RULE:
            super().node(node)

    def _named(self, value: Node, node: Node) -> Node:
        """The value of a call goes by the name that the caller gave it."""
        if node.name and not value.is_const and value.op.name != "param":
            object.__setattr__(value, "name", node.name)
        return value
