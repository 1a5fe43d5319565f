"""Control flow that only run time decides on: lowered programs compute what their functions compute."""
# ruff: noqa: SIM108

from __future__ import annotations

import copy
import inspect
import time

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


@pytest.mark.parametrize(
    ("function", "args"), flows.REFUSED, ids=[function.__name__ for function, _ in flows.REFUSED]
)
def test_refused(function, args):
    """What would be wrong is refused, with a place and with what to write instead."""
    with pytest.raises(UnsupportedError) as raised:
        lowered_for(function, *args)
    assert all(problem.span is not None and problem.instead for problem in raised.value.problems)


# Loops stay loops


def text_of(source: str, rounds: str, tmp_path) -> str:
    """The program of the function `f` in a source, without what tells where it stands."""
    path = tmp_path / f"rounds_{len(rounds)}.py"
    path.write_text(source.replace("ROUNDS", rounds), encoding="utf-8")
    space = {"np": np}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), space)
    text = to_text(lowered_for(space["f"], flows.V).function, spans=False)
    return text[: text.index("  info ")].replace(f"value={eval(rounds)})", "value=ROUNDS)")


SOURCES = {
    "range": """
def f(x):
    for i in range(ROUNDS):
        x = x * 0.5 + i
    return x
""",
    "while": """
def f(x):
    i = 0
    while i < ROUNDS:
        x = x * 0.5
        i += 1
    return x
""",
    "nested writes": """
def f(x):
    y = x.copy()
    s = 0
    for i in range(ROUNDS):
        for j in range(ROUNDS):
            for k in range(ROUNDS):
                for m in range(ROUNDS):
                    if y[0] > 3:
                        continue
                    y[1:-1] = y[2:] * 0.5 + i
                    s += y[0] * m
    return y, s
""",
    "list": """
def f(x):
    out = []
    for i in range(ROUNDS):
        out.append(x * i)
    return np.stack(out)
""",
    "break": """
def f(x):
    for i in range(ROUNDS):
        if x[0] > 7:
            break
        x = x * 2
    else:
        x = x + 1
    return x
""",
    "comprehension": """
def f(x):
    return sum(x * i for i in range(ROUNDS))
""",
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_text_does_not_depend_on_the_number_of_rounds(source, tmp_path):
    assert text_of(source, "10", tmp_path) == text_of(source, "10**6", tmp_path)


def test_values_of_loops_have_the_names_of_variables():
    text = to_text(lowered_for(flows.sum_by_index, flows.V).function)
    assert " s = for(" in text
    assert " s = param()" in text
    assert " i = param()" in text
    assert "'range(len(x))'" in text


def test_time_for_nested_loops():
    start = time.process_time()
    lowered_for(flows.writes_in_four_loops, flows.M)
    assert time.process_time() - start < 1.0


# Errors


def unlike(x):
    if x[0] > 0:
        y = np.roots(x)
    else:
        y = np.sinn(x)
    for i in range(len(x)):
        z = np.sort_complex(x) + i
    return y + z


def test_problems_of_all_branches_are_in_one_report():
    with pytest.raises(SymdiffError) as raised:
        lowered_for(unlike, flows.V)
    assert len(raised.value.problems) == 3


def truth_of_array(x):
    if x > 0:
        return x
    return -x


def truth_of_row(x):
    while x[1:]:
        x = x / 2
    return x


@pytest.mark.parametrize("function", [truth_of_array, truth_of_row], ids=lambda f: f.__name__)
def test_truth_of_an_array(function):
    with pytest.raises(UnsupportedError, match=r"`\.any\(\)` or `\.all\(\)`"):
        lowered_for(function, flows.V)


def mixed_kinds(x):
    word = "a"
    if x[0] > 0:
        word = "b"
    return x if word == "b" else -x


def array_or_none(x):
    y = None
    if x[0] > 0:
        y = x
    return y


def no_value_at_the_end(x):
    if x[0] > 0:
        return x
    return None


def array_or_nothing(x):
    for v in x:
        if v > 0:
            return v


def grown_dict(x):
    found = {}
    for i in range(len(x)):
        found[i] = x[i]
    return found


def endless(x):
    while True:
        x = x / 2
    return x


def needs_staged_counter(x):
    names = ["a", "b", "c"]
    for i in range(len(x)):
        name = names[i]
    return x, name


@pytest.mark.parametrize(
    "function",
    [mixed_kinds, array_or_none, no_value_at_the_end, array_or_nothing, grown_dict, endless,
     needs_staged_counter],
    ids=lambda f: f.__name__,
)  # fmt: skip
def test_what_only_run_time_knows(function):
    with pytest.raises(UnsupportedError) as raised:
        lowered_for(function, flows.V)
    assert len(raised.value.problems) == 1
    assert all(problem.span is not None and problem.instead for problem in raised.value.problems)


def test_an_int_argument_is_static_only_where_the_counter_is_needed():
    def chosen(params, n, x):
        for i in range(n):
            x = x + params[i]
        return x

    def counted(n, x):
        for i in range(n):
            x = x + i
        return x

    assert check(chosen, flows.PARAMS, 2, np.ones(3)).static
    assert not check(counted, 2, np.ones(3)).static


def test_a_list_that_is_gone_over_does_not_grow():
    def growing(x):
        out = [x[0]]
        for v in x:
            out.append(v)
        for v in out:
            out.append(v)
        return sum(out)

    with pytest.raises(UnsupportedError, match="goes over"):
        lowered_for(growing, flows.V)
