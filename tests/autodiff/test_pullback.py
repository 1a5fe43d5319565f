"""The pullback of a function with loops and branches: it may be called several times."""

import numpy as np
import pytest
from autodiff.programs import (
    INT,
    SCALAR,
    VECTOR,
    at,
    branch,
    check,
    length,
    loop,
    op,
    program,
    pulled,
    repeat,
)

rng = np.random.default_rng(2)
X = rng.uniform(0.5, 1.5, 6)


def recurrence():
    def code(x):
        def body(i, s):
            v = op("exp", at(x, i)) * s
            return branch(op("greater", v, 1.5), lambda: (op("sin", v) + s,), lambda: (v * s * 0.5,))

        return loop(length(x), (1.0,), body, names=("s",))[0]

    return program(code, ("x", VECTOR))


def halving():
    def code(x):
        return repeat((x,), lambda t: op("greater", t, 1.0), lambda t: (op("sqrt", t) * 0.9 + t * 0.1,))[0]

    return program(code, ("x", SCALAR))


def nested():
    def code(x, n):
        def outer(k, s):
            return loop(n, (s,), lambda j, t: (t + op("sin", at(x, k) * t),), names=("t",))

        return loop(length(x), (1.0,), outer, names=("s",))[0]

    return program(code, ("x", VECTOR), ("n", INT))


@pytest.mark.parametrize(
    ("function", "values"), [(recurrence(), [X]), (halving(), [np.float64(5.0)]), (nested(), [X, 3])]
)
def test_a_pullback_is_called_twice(function, values):
    made = check(function, *values, rtol=1e-5)
    from ops.evaluate import evaluate

    gradient = evaluate(made, *values)[1]
    (once,), (twice,) = pulled(function, values, np.float64(1.0), np.float64(2.0))
    np.testing.assert_allclose(once, gradient, rtol=1e-12)
    np.testing.assert_allclose(twice, 2 * gradient, rtol=1e-12)
