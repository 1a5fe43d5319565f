"""Control flow that only run time decides on: lowered programs compute what their functions compute."""

from __future__ import annotations

import copy
import inspect

import numpy as np
import pytest
from frontend import flows
from frontend.interpret import bind, build, lowered_for, same, step_into
from ops.evaluate import evaluate

from symdiff.errors import SymdiffError, UnsupportedError
from symdiff.ir.text import to_text
from symdiff.ir.verify import verify


def inputs(lowered, bound: inspect.BoundArguments):
    given = {**bound.arguments, **{capture.name: capture.read() for capture in lowered.captures}}
    for param in lowered.function.params:
        value = given[param.attr("parameter")]
        for step in param.attr("path"):
            value = step_into(value, step)
        yield value


def check(function, *args):
    """A program computes what its function computes, to the bit, and leaves its arguments alone."""
    lowered = lowered_for(function, *args)
    verify(lowered.function)
    given = copy.deepcopy(args)
    bound = bind(function, *given)
    results = build(lowered.function.tree, evaluate(lowered.function, *inputs(lowered, bound)))
    expected = function(*copy.deepcopy(args))
    assert same(results, expected), (results, expected)
    assert same(given, args)
    return lowered


@pytest.mark.parametrize(
    ("function", "calls"), flows.CASES, ids=[function.__name__ for function, _ in flows.CASES]
)
def test_same_result(function, calls):
    for args in calls:
        check(function, *args)
