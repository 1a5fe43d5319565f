"""Reverse accumulation through branches and loops: gradients, and what is saved for them."""

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
    block,
    branch,
    check,
    count,
    derived,
    length,
    loop,
    named,
    op,
    program,
    put,
    repeat,
    saved,
)
from ops import evaluate as interpreter
from ops.evaluate import evaluate

rng = np.random.default_rng(0)
X = rng.uniform(0.5, 1.5, 6)


def power():
    """s = s * x, n times: the whole history of one scalar."""

    def code(x, n):
        return loop(n, (x,), lambda i, s: (named(s * x, "s_next"),), names=("s",))[0]

    return program(code, ("x", SCALAR), ("n", INT))


@pytest.mark.parametrize("n", [0, 1, 5])
def test_a_product(n):
    made = check(power(), np.float64(1.3), n)
    assert saved(made) == ["s"]


def test_a_sum_of_elements_saves_nothing():
    def code(x, w):
        return loop(length(x), (0.0,), lambda i, s: (s + at(x, i) * at(w, i),), names=("s",))[0]

    made = check(program(code, ("x", VECTOR), ("w", VECTOR)), X, X[::-1].copy())
    assert not saved(made)
    assert count(made, "add_at") == 2
    assert count(made, "scatter") == 0


def test_a_branch_at_the_top():
    def code(x, y):
        big = op("greater", x, 1.0)
        return branch(big, lambda: (op("sin", op("exp", x) * y),), lambda: (x * x,))[0]

    made = program(code, ("x", SCALAR), ("y", SCALAR))
    for x in (0.7, 1.4):
        assert not saved(check(made, np.float64(x), np.float64(0.8)))


def test_the_branch_not_taken_contributes_nothing():
    def code(x):
        return branch(op("greater", x, 0.0), lambda: (op("sqrt", x) * 0.0 + x,), lambda: (x * 2.0,))[0]

    made = check(program(code, ("x", SCALAR)), np.float64(-1.0))
    assert np.isfinite(evaluate(made, np.float64(-1.0))[1])


def test_what_one_branch_alone_reads_contributes_there_alone():
    def code(x):
        r = op("sqrt", x * 1.0)
        return branch(op("greater", x, 0.0), lambda: (r * 2.0,), lambda: (x * 3.0,))[0]

    function = program(code, ("x", SCALAR))
    check(function, np.float64(2.0))
    assert evaluate(derived(function), np.float64(0.0))[1] == 3.0


def test_branches_in_branches():
    def code(x, y):
        def inner():
            a = op("exp", x)
            return branch(op("less", a, 3.0), lambda: (op("tanh", a) * y,), lambda: (a * a,))

        return branch(op("greater", x, 0.0), inner, lambda: (op("sin", x) * x,))[0]

    made = program(code, ("x", SCALAR), ("y", SCALAR))
    for x in (0.7, 1.4, -0.4):
        check(made, np.float64(x), np.float64(0.8))


def test_a_branch_in_a_loop():
    def code(x):
        def body(i, s):
            v = named(op("exp", at(x, i)) * s, "v")
            return branch(op("greater", v, 1.0), lambda: (op("sin", v) + s,), lambda: (v * s * 0.5,))

        return loop(length(x), (1.0,), body, names=("s",))[0]

    check(program(code, ("x", VECTOR)), X)


def rnn():
    def code(W, U, x, h):
        def body(i, h):
            return (named(op("tanh", W @ h + U @ at(x, i)), "h_next"),)

        return op("sum", loop(length(x), (h,), body, names=("h",))[0])

    return program(code, ("W", MATRIX), ("U", MATRIX), ("x", TABLE), ("h", VECTOR))


def test_a_recurrent_network_saves_its_state_alone():
    W, U = rng.normal(size=(2, 3, 3)) * 0.5
    made = check(rnn(), W, U, rng.normal(size=(4, 3)), rng.normal(size=3))
    assert saved(made) == ["h"]
    assert count(made, "zeros_like") == 3


def test_a_linear_stencil_saves_nothing():
    def code(u, c):
        def body(k, u):
            def inner(i, v):
                return (put(v, c * (at(u, i + -1) + at(u, i + 1)), i),)

            return loop(length(u) + -1, (op("copy", u),), inner, start=1, names=("v",))

        return op("sum", loop(3, (u,), body, names=("u",))[0] * np.pi)

    made = derived(program(code, ("u", VECTOR), ("c", FLOAT)), None)
    function = program(code, ("u", VECTOR), ("c", FLOAT))
    made = derived(function, [function.params[0]])
    assert not saved(made)
    check(function, X, 0.3)


def test_nested_loops():
    def code(x, w):
        def outer(k, s):
            return loop(length(w), (s,), lambda j, t: (t + op("sin", at(x, k) * at(w, j)) * s,), names=("t",))

        return loop(length(x), (1.0,), outer, names=("s",))[0]

    made = check(program(code, ("x", VECTOR), ("w", VECTOR)), X, X[::-1] * 0.3)
    assert count(made, "scatter") == 0


def test_triangular_loops():
    def code(x):
        def outer(k, s):
            return loop(k, (s,), lambda j, t: (t * at(x, j) + at(x, k),), names=("t",))

        return loop(length(x), (1.0,), outer, names=("s",))[0]

    check(program(code, ("x", VECTOR)), X)


def test_steps_and_directions():
    def code(x):
        first = loop(length(x), (1.0,), lambda i, s: (s * at(x, i) + s,), start=1, step=2)[0]
        return loop(length(x), (first,), lambda i, s: (op("sin", s) * at(x, i) + s,), reverse=True)[0]

    check(program(code, ("x", VECTOR)), X)


def test_two_values_that_change_places():
    def code(x, y):
        return loop(5, (x, y), lambda i, a, b: (b * 0.9, op("sin", a) * b), names=("a", "b"))[0]

    check(program(code, ("x", SCALAR), ("y", SCALAR)), np.float64(0.7), np.float64(1.2))


def newton(breaks=False):
    def code(x):
        if breaks:

            def body(i, r):
                new = (r + x / r) * 0.5
                return new, op("less", op("absolute", new - r), 1e-10)

            return loop(50, (x,), body, names=("r",), breaks=True)[0]
        return repeat(
            (x,),
            lambda r: op("greater", op("absolute", r * r - x), 1e-10),
            lambda r: ((r + x / r) * 0.5,),
            names=("r",),
        )[0]

    return program(code, ("x", SCALAR))


@pytest.mark.parametrize("breaks", [False, True])
def test_a_root_by_iteration(breaks):
    made = check(newton(breaks), np.float64(3.0), rtol=1e-5)
    assert saved(made) == ["r"]


def test_a_while_in_a_for():
    def code(x):
        def outer(i, s):
            return repeat(
                (s + at(x, i),),
                lambda t: op("greater", t, 1.0),
                lambda t: (t * 0.5 + op("sin", t) * 0.1,),
                names=("t",),
            )

        return loop(length(x), (1.0,), outer, names=("s",))[0]

    check(program(code, ("x", VECTOR)), X)


def test_a_break_that_counts_from_its_start():
    def code(x):
        def body(i, s):
            new = s * at(x, i) + 0.5
            return new, op("greater", new, 2.0)

        return loop(length(x), (1.0,), body, names=("s",), start=1, step=2, breaks=True)[0]

    for scale in (0.4, 1.0, 3.0):
        check(program(code, ("x", VECTOR)), X * scale)


def test_a_break_in_a_loop_backwards():
    def code(x):
        def body(i, s):
            new = s * at(x, i) + 0.5
            return new, op("greater", new, 2.0)

        return loop(length(x), (1.0,), body, names=("s",), reverse=True, breaks=True)[0]

    for scale in (0.4, 1.0, 3.0):
        check(program(code, ("x", VECTOR)), X * scale)


def test_a_recurrence_in_place():
    def code(x, y):
        final = loop(
            length(x), (x,), lambda i, a: (put(a, at(a, i + -1) * at(y, i), i),), start=1, names=("a",)
        )[0]
        return op("sum", final * final)

    check(program(code, ("x", VECTOR), ("y", VECTOR)), X, X[::-1].copy())


def test_a_block_is_computed_again():
    def code(x):
        def step(i, s):
            return block(lambda: (op("sin", op("exp", op("tanh", s * at(x, i)))),))

        return loop(length(x), (1.0,), step, names=("s",))[0]

    made = check(program(code, ("x", VECTOR)), X)
    assert saved(made) == ["s"]
    assert count(made, "exp") == 2


def test_a_loop_in_a_block():
    def code(x):
        def step(i, s):
            return block(lambda: loop(3, (s,), lambda j, t: (op("sin", t * at(x, i) + 1.0),), names=("t",)))

        return loop(length(x), (1.0,), step, names=("s",))[0]

    check(program(code, ("x", VECTOR)), X)


def test_a_list_of_states():
    def code(x):
        def body(i, s, out):
            new = named(op("sin", s * at(x, i)), "new")
            return new, op("push", out, new)

        from symdiff.ir import types

        s, out = loop(
            length(x),
            (1.0, op("new_stack")),
            body,
            names=("s", "out"),
            carried=[SCALAR, types.stack_of(SCALAR)],
        )
        return loop(length(x), (s,), lambda i, t: (t + op("stack_item", out, i) * at(x, i),), names=("t",))[0]

    check(program(code, ("x", VECTOR)), X)


@pytest.mark.parametrize("every", [1, 2, 4, 100, -1])
@pytest.mark.parametrize(
    ("start", "step", "reverse"), [(0, 1, False), (1, 2, False), (0, 1, True), (2, 3, True)]
)
def test_a_loop_in_segments(every, start, step, reverse):
    def code(x, n):
        def body(i, s):
            return (op("sin", op("exp", s * at(x, i)) + s),)

        options = {"start": start, "step": step, "checkpoint": every, "reverse": reverse}
        return loop(n, (1.0,), body, names=("s",), **options)[0]

    function = program(code, ("x", VECTOR), ("n", INT))
    for n in (0, 1, 11):
        check(function, rng.uniform(0.5, 1.5, 12), n, rtol=1e-5)


def test_segments_keep_few_states():
    assert states_at_once(0) == 100
    assert states_at_once(-1) <= 11  # of the beginnings of segments, and as many inside of one


def states_at_once(every):
    """How many items a stack holds at most."""

    def code(x, n):
        return loop(n, (x,), lambda i, s: (op("sin", s),), names=("s",), checkpoint=every)[0]

    made = derived(program(code, ("x", SCALAR), ("n", INT)))
    push, longest = interpreter.SPECIAL["push"], [0]

    def noted(args, attrs):
        longest.append(len(args[0]) + 1)
        return push(args, attrs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(interpreter.SPECIAL, "push", noted)
        evaluate(made, np.float64(0.3), 100)
    return max(longest)
