"""Reverse accumulation through writes into arrays: gradients, and the writes that they come down to."""

import numpy as np
import pytest
from autodiff.programs import (
    FLOAT,
    INT,
    MATRIX,
    SCALAR,
    TABLE,
    VECTOR,
    at,
    branch,
    check,
    count,
    derived,
    length,
    loop,
    op,
    program,
    put,
    saved,
)

rng = np.random.default_rng(1)
X, Y = rng.uniform(0.5, 1.5, (2, 6))
INNER = (("slice", 1, -1, None),)
LEFT, RIGHT = (("slice", None, -2, None),), (("slice", 2, None, None),)


def in_a_loop(change):
    """`for i in range(len(x)): a[i] = change(a, i, y)`; the sum of the cubes."""

    def code(x, y):
        a = loop(length(x), (op("copy", x),), lambda i, a: (put(a, change(a, i, y), i),), names=("a",))[0]
        return op("sum", a * a * a)

    return program(code, ("x", VECTOR), ("y", VECTOR))


def test_adding_reads_the_cotangent_alone():
    made = check(in_a_loop(lambda a, i, y: at(a, i) + at(y, i)), X, Y)
    assert count(made, "update") == 1
    assert not saved(made)


def test_multiplying_scales_the_cotangent():
    made = check(in_a_loop(lambda a, i, y: at(a, i) * at(y, i)), X, Y)
    assert count(made, "update") == 2
    assert len(saved(made)) == 1


def test_a_constant_clears_the_cotangent():
    made = check(in_a_loop(lambda a, i, y: 2.0), X, Y)
    assert count(made, "update") == 2


def test_a_straight_line():
    def code(x, y):
        a = put(op("copy", x), at(x, index=INNER) * at(y, index=INNER), index=INNER)
        b = put(a, at(a, index=INNER) + at(a, index=LEFT) * at(a, index=RIGHT), index=INNER)
        return op("sum", b * b)

    check(program(code, ("x", VECTOR), ("y", VECTOR)), X, Y)


def test_an_array_of_zeros_is_filled():
    def code(x, n):
        out = op("zeros", op("make_shape", n))
        a = loop(
            length(x), (out,), lambda i, a: (put(a, op("sin", at(x, i)) * at(x, i), i),), names=("out",)
        )[0]
        return op("sum", a * a)

    made = check(program(code, ("x", VECTOR), ("n", INT)), X, 8)
    assert len(saved(made)) == 1  # the sine: it was a call


@pytest.mark.parametrize("place", ["column", "row", "table"])
def test_a_stencil_in_time(place):
    def code(u, c):
        def step(k, u):
            inside = at(u, index=INNER)
            change = (at(u, index=LEFT) + at(u, index=RIGHT) - inside * 2.0) * c
            if place == "table":
                change = change * inside
            return (put(u, inside + change, index=INNER),)

        return op("sum", loop(4, (op("copy", u),), step, names=("u",))[0] * np.pi)

    function = program(code, ("u", VECTOR), ("c", FLOAT))
    made = derived(function, [function.params[0]])
    assert len(saved(made)) == (0 if place != "table" else len(saved(made)))
    check(function, X, 0.3)


def test_rows_of_a_table():
    def code(x, y):
        def row(i, a):
            before = at(a, i + -1)
            return (put(a, op("sin", before) * y + at(a, i), i),)

        a = loop(length(x), (op("copy", x),), row, start=1, names=("a",))[0]
        return op("sum", a * a)

    check(program(code, ("x", TABLE), ("y", VECTOR)), rng.normal(size=(4, 3)), rng.normal(size=3))


def test_a_write_in_a_branch():
    def code(x, y):
        def body(i, a):
            value = at(a, i)
            return branch(op("greater", value, 1.0), lambda: (put(a, value * at(y, i), i),), lambda: (a,))

        a = loop(length(x), (op("copy", x),), body, names=("a",))[0]
        return op("sum", a * a)

    check(program(code, ("x", VECTOR), ("y", VECTOR)), X, Y)


def test_an_active_value_in_an_inactive_array():
    def code(x, table):
        a = put(op("copy", table), x * x, 2)
        return op("sum", a * table)

    function = program(code, ("x", SCALAR), ("table", VECTOR))
    made = derived(function, [function.params[0]])
    assert count(made, "update") == 1
    check(function, np.float64(1.3), X)


def test_a_mask():
    def code(x, y):
        small = op("less", x, 1.0)
        a = op("update", op("copy", x), 0.0, small, index=(("arg", 0),))
        return op("sum", a * y)

    check(program(code, ("x", VECTOR), ("y", VECTOR)), X, Y)


def test_repeated_places():
    def code(x, y):
        a = op("update", op("copy", x), y, op("array", 0, 2, 0, 1, 2, 3, shape=(6,)), index=(("arg", 0),))
        return op("sum", a * a)

    check(program(code, ("x", VECTOR), ("y", VECTOR)), X, Y)


def filled(start, read, write, **options):
    """`for i in range(start, len(x)): a[i + write] = a[i + read] * y[i]`; what is saved."""

    def code(x, y):
        def body(i, a):
            return (put(a, at(a, i + read) * at(y, i), i + write),)

        a = loop(length(x), (op("copy", x),), body, start=start, names=("a",), **options)[0]
        return op("sum", a * a * a)

    return len(saved(check(program(code, ("x", VECTOR), ("y", VECTOR)), X, Y)))


def test_what_still_stands_in_the_array_is_read_there():
    assert filled(1, -1, 0) == 0
    assert filled(2, -2, -1) == 0
    assert filled(1, -1, 0, step=2) == 0
    assert filled(0, 0, -1, reverse=True) == 1  # a[-1] is the last one: the proof does not hold
    assert filled(1, 0, -1, reverse=True) == 0


def test_what_is_overwritten_is_saved():
    assert filled(0, -1, 0) == 1  # a[-1] is written in the end
    assert filled(1, 0, -1) == 1
    assert filled(1, -1, 0, reverse=True) == 1
    assert filled(0, 0, 0) == 1


def test_an_array_that_is_written_again_behind_the_loop():
    def code(x, y):
        def body(i, a):
            return (put(a, at(a, i + -1) * at(y, i), i),)

        a = loop(length(x), (op("copy", x),), body, start=1, names=("a",))[0]
        return op("sum", put(a, 0.0, index=INNER) * y)

    assert len(saved(check(program(code, ("x", VECTOR), ("y", VECTOR)), X, Y))) == 1


def test_columns_to_the_left_are_final():
    def code(A):
        def column(j, L):
            def subtract(k, L):
                below = (("slice", ("arg", 0), None, None), ("arg", 1))
                single = (("arg", 0), ("arg", 1))
                change = at(L, j, k, index=single) * at(L, j, k, index=below)
                return (put(L, at(L, j, j, index=below) - change, j, j, index=below),)

            return loop(j, (L,), subtract, names=("L",))

        return op("sum", loop(length(A), (op("copy", A),), column, names=("L",))[0] ** 2)

    assert not saved(check(program(code, ("A", MATRIX)), rng.normal(size=(4, 4))))


def summed(low, high, write=0, start=1, **options):
    """`for i in range(start, len(x)): a[i + write] = np.sum(a[low:high] ** 2) * y[i]`, where `low` and `high`
    are said relative to i; what is saved besides the sum."""

    def code(x, y):
        def body(i, a):
            ends = [None if end is None else i + end for end in (low, high)]
            given = [end for end in ends if end is not None]
            bounds = [None if end is None else ("arg", given.index(end)) for end in ends]
            part = at(a, *given, index=(("slice", *bounds, None),))
            return (put(a, op("sum", part * part) * at(y, i) * 0.3, i + write),)

        a = loop(length(x), (op("copy", x),), body, start=start, names=("a",), **options)[0]
        return op("sum", a * a)

    return len(saved(check(program(code, ("x", VECTOR), ("y", VECTOR)), X, Y))) - 1


def test_a_slice_below_all_later_writes_is_read_where_it_stands():
    assert summed(None, 0) == 0
    assert summed(None, 0, start=0) == 0
    assert summed(-1, 0) == 0
    assert summed(None, -1, write=-1) == 0
    assert summed(1, None, start=0, reverse=True) == 0
    assert summed(0, None, write=-1, reverse=True) == 0


def test_a_slice_that_a_later_write_may_reach_is_saved():
    assert summed(None, 1) == 1  # the place itself
    assert summed(None, None) == 1
    assert summed(0, None) == 1
    assert summed(None, -1, start=0) == 1  # a[:-1] is nearly all
    assert summed(None, 0, write=-1) == 1
    assert summed(None, 0, reverse=True) == 1
    assert summed(0, None, start=0, reverse=True) == 1
    assert summed(-1, None, write=-2, start=0, reverse=True) == 1  # a[-1:] and a[-2]
