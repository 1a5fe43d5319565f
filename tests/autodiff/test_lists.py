"""Lists that a loop appends to, and what is made of them: their cotangents are lists of the same length."""

import numpy as np
import pytest
from autodiff.programs import SCALAR, TABLE, VECTOR, at, check, length, loop, named, op, program, pulled

from symdiff.ir import types

rng = np.random.default_rng(3)
X = rng.uniform(0.5, 1.5, 6)


def appended(x, code, item=SCALAR):
    """A list of `code(x[i], s)`, where `s` is the item before."""

    def body(i, s, out):
        new = named(code(at(x, i), s), "new")
        return new, op("push", out, new)

    first = at(x, 0) * 1.0
    found = loop(
        length(x), (first, op("new_stack")), body, names=("s", "out"), carried=[item, types.stack_of(item)]
    )
    return found[1]


def step(value, s):
    return op("sin", value * s) + s


@pytest.mark.parametrize("join", ["as_array", "stacked"])
def test_numbers_that_become_an_array(join):
    def code(x):
        return op("sum", op(join, appended(x, step)) * x)

    check(program(code, ("x", VECTOR)), X)


@pytest.mark.parametrize(("join", "axis"), [("stacked", 0), ("stacked", 1), ("concatenated", 0)])
def test_rows_that_become_an_array(join, axis):
    def code(x):
        rows = appended(x, step, types.array("float64", x.type.dims[1:]))
        return op("sum", op(join, rows, axis=axis) ** 3)

    check(program(code, ("x", TABLE)), rng.normal(size=(4, 3)), rtol=1e-5)


def test_items_are_read_while_others_are_appended():
    def code(x):
        def body(i, out):
            return (op("push", out, op("stack_item", out, i) * at(x, i) + op("stack_item", out, 0)),)

        start = op("push", op("new_stack"), at(x, 0) * 1.0)
        out = loop(length(x), (start,), body, names=("out",))[0]
        return op("stack_item", out, -1) * op("stack_item", out, 2)

    function = program(code, ("x", VECTOR))
    check(function, X)
    (once,), (again,) = pulled(function, [X], np.float64(1.0), np.float64(1.0))
    assert np.array_equal(once, again)


def test_a_list_that_is_read_twice():
    def code(x):
        out = appended(x, step)
        return op("sum", op("as_array", out) * x) + op("sum", op("stacked", out, axis=0) ** 2)

    check(program(code, ("x", VECTOR)), X)
