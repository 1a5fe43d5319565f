"""The rest of Python: lowered programs return, print and refuse what their functions do."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest
from frontend.interpret import bind, build, lowered_for, same
from frontend.python_programs import CASES
from ops import evaluate

import symdiff
from symdiff.frontend import step_into
from symdiff.ir.verify import verify
from symdiff.ops.effects import filled


def run(lowered, bound):
    """The result of the lowered function; its effects happen."""
    function = lowered.function
    inputs = {**bound.arguments, **{capture.name: capture.read() for capture in lowered.captures}}
    values = []
    for param in function.params:
        value = inputs[param.attr("parameter")]
        for step in param.attr("path"):
            value = step_into(value, step)
        values.append(value)
    return build(function.tree, evaluate.evaluate(function, *values))


def perform(args, attrs):
    names = {f"value_{k}": arg for k, arg in enumerate(args)}
    exec(filled(attrs["text"], list(names)), {"np": np, **names})


@pytest.fixture(autouse=True)
def effects_happen(monkeypatch):
    monkeypatch.setitem(evaluate.SPECIAL, "perform", perform)


def outcome(function):
    """What a call returns and prints, or how it fails."""
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out), np.errstate(all="ignore"):
            result = function()
    except Exception as error:
        return (type(error), str(error)), out.getvalue()
    return result, out.getvalue()


@pytest.mark.parametrize(
    ("function", "args", "kwargs"), CASES, ids=[function.__name__ for function, _, _ in CASES]
)
def test_same_outcome(function, args, kwargs):
    lowered = lowered_for(function, *args, **kwargs)
    verify(lowered.function)
    bound = bind(function, *args, **kwargs)
    result, printed = outcome(lambda: run(lowered, bound))
    expected, wanted = outcome(lambda: function(*args, **kwargs))
    assert printed == wanted
    assert same(result, expected), (result, expected)
    assert all(guard.holds() for guard in lowered.guards)


def test_there_are_enough():
    assert len(CASES) >= 100


WITHOUT_ARRAYS = {"types_of_values"}


@pytest.mark.parametrize(
    ("function", "args", "kwargs"),
    [case for case in CASES if case[0].__name__ not in WITHOUT_ARRAYS],
    ids=[function.__name__ for function, _, _ in CASES if function.__name__ not in WITHOUT_ARRAYS],
)
def test_generated_code_does_the_same(function, args, kwargs):
    derivative = symdiff.vjp(function)
    result, printed = outcome(lambda: derivative(*args, **kwargs))
    if not isinstance(result[0], type):  # of an exception
        result = result[0]
    expected, wanted = outcome(lambda: function(*args, **kwargs))
    assert printed == wanted
    assert same(result, expected), (result, expected)
