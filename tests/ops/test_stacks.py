"""Stacks: what is pushed is popped, values stay what they were, and the transposes of `push`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ops.evaluate import evaluate
from ops.samples import Sample
from ops.test_mutation import CHANGES, changed, patched

from symdiff.ir import types
from symdiff.ir.build import Builder
from symdiff.ir.node import Node
from symdiff.ops.stacks import new_stack, popped, push, stack_item, stack_length

SCALAR = types.array("float64", ())


def two(builder: Builder) -> tuple[list[Node], Node]:
    params = [builder.param(SCALAR, name) for name in "ab"]
    return params, push(push(new_stack(), params[0]), params[1])


def test_values() -> None:
    with Builder() as builder:
        params, stack = two(builder)
        rest, last = popped(stack)
        results = [stack_length(stack), stack_item(stack, 0), last, stack_length(rest), stack_length(stack)]
        function = Sample.finish(builder, params, results)
    assert evaluate(function, np.float64(2), np.float64(3)) == [2, 2, 3, 1, 2]
    assert [result.type for result in results[:3]] == [types.number("int"), SCALAR, SCALAR]


def test_what_was_pushed_is_not_changed_by_a_later_write() -> None:
    from symdiff.ops.updates import update

    with Builder() as builder:
        x = builder.param(types.array("float64", (3,)), "x")
        stack = push(new_stack(), x)
        written = update(x, 9.0, index=(("int", 0),))
        function = Sample.finish(builder, [x], [popped(stack)[1], written])
    kept, changed_one = evaluate(function, np.zeros(3))
    assert kept[0] == 0
    assert changed_one[0] == 9


def cotangents() -> list[Any]:
    """Of the stack below and of the value, for a cotangent stack [5, 7]."""
    with Builder() as builder:
        params, stack = two(builder)
        g = builder.param(stack.type, "g")
        rule = push.transpose
        assert rule is not None
        parts = [rule(g, i, *stack.args) for i in range(2)]
        function = Sample.finish(builder, [*params, g], parts)
    return evaluate(function, np.float64(0), np.float64(0), [np.float64(5), np.float64(7)])


def test_the_transpose_of_push_is_pop() -> None:
    assert cotangents() == [[5], 7]


@pytest.mark.parametrize("label", [*CHANGES, "swapped"])
def test_mutant_is_caught(label: str) -> None:
    rule = push.transpose
    assert rule is not None

    def value_only(g: Node, i: int, *args: Any) -> Any:
        return changed(rule, CHANGES[label])(g, i, *args) if i == 1 else rule(g, i, *args)

    mutant = (lambda g, i, *args: rule(g, 1 - i, *args)) if label == "swapped" else value_only
    with patched(push, "transpose", mutant):
        try:
            assert cotangents() != [[5], 7]
        except (AttributeError, KeyError):  # a part that is missing
            return
