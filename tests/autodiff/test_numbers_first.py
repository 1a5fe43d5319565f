"""Values that are a number in the first round of a loop, and an array in later ones.

Elementwise operations broadcast them; products that mean something else for a number are written out where
the number of rounds is known, and refused where it is not.
"""

import numpy as np
import pytest

from symdiff import differentiate
from symdiff.errors import UnsupportedError

X = np.linspace(0.2, 1.5, 3)


def dots(x, n):
    s = 2
    for _ in range(2):
        s = s * x + np.dot(s, x)
    return np.sum(s)


def inners(x, n):
    s = 2.0
    for _ in range(2):
        s = s * x + np.inner(np.exp(s), x)
    return np.sum(np.log(s))


def krons(x, n):
    s = 2.0
    for _ in range(2):
        t = np.kron(s, x) * np.tensordot(s, x, axes=0).sum()
        s = s + x
    return np.sum(t)


def elementwise(x, n):
    s, t = 0.0, 0.0
    for _ in range(n):
        t = t + np.sum(np.exp(s * x[-1]) + x[0])
        s = s + x
    return t


def arrays_in_the_product(x, n):
    s = 2.0
    for _ in range(n):
        s = s * x
        s = s + s * np.dot(s, x) / 10
    return np.sum(s)


@pytest.mark.parametrize("x", [X, X[:1]], ids=["three", "one"])
@pytest.mark.parametrize("function", [dots, inners, krons, elementwise, arrays_in_the_product])
def test_gradient(function, x):
    value, gradient = differentiate(function).value_and_grad(x, 3)
    assert value == function(x, 3)
    steps = 1e-6 * np.eye(x.size)
    numerical = [(function(x + step, 3) - function(x - step, 3)) / 2e-6 for step in steps]
    np.testing.assert_allclose(gradient, numerical, rtol=1e-6, atol=1e-8 * abs(value))


def in_every_round(x, n):
    s = 2.0
    for _ in range(n):
        s = s * x + np.dot(s, x)
    return np.sum(s)


def after_a_function(x, n):
    s = 2.0
    for _ in range(n):
        s = s * x + np.inner(np.exp(s) + 1, x)
    return np.sum(s)


def after_the_loop(x, n):
    s = 2.0
    for _ in range(n):
        s = s * x
    return np.dot(s, x).sum()


@pytest.mark.parametrize("function", [in_every_round, after_a_function, after_the_loop])
def test_refused(function):
    with pytest.raises(UnsupportedError, match="a number in a round"):
        differentiate(function).grad(X, 3)
