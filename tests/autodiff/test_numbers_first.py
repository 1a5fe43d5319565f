"""Values that are a number in the first round of a loop, and an array in later ones.

Elementwise operations broadcast them; for products that mean something else for a number the first round is
written apart, and where that is not possible they are refused.
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


def in_every_round(x, n):
    s = 2.0
    for _ in range(n):
        s = s * x + np.dot(s, x)
    return np.sum(s)


def after_a_function(x, n):
    s = 2.0
    for _ in range(n):
        s = s * x + np.inner(np.exp(-s) + 1, x)
    return np.sum(s)


def after_the_loop(x, n):
    s = 2.0
    for _ in range(n):
        s = s * x
    return np.dot(s, x).sum()


ALL = [
    dots, inners, krons, elementwise, arrays_in_the_product, in_every_round, after_a_function, after_the_loop
]  # fmt: skip


@pytest.mark.parametrize("n", [0, 1, 3])
@pytest.mark.parametrize("x", [X, X[:1]], ids=["three", "one"])
@pytest.mark.parametrize("function", ALL)
def test_gradient(function, x, n):
    value, gradient = differentiate(function).value_and_grad(x, n)
    assert value == function(x, n)
    steps = 1e-6 * np.eye(x.size)
    numerical = [(function(x + step, n) - function(x - step, n)) / 2e-6 for step in steps]
    np.testing.assert_allclose(gradient, numerical, rtol=1e-6, atol=1e-8 * abs(value))


def grown(x, n):
    s = 2.0
    for _ in range(n):
        s = s * x
    return s


@pytest.mark.parametrize("n", [0, 3])
@pytest.mark.parametrize("product", [np.dot, np.inner, np.kron])
def test_the_number_of_rounds_decides(product, n):
    function = differentiate(lambda x, n: np.sum(product(grown(x, n), x)))
    value, gradient = function.value_and_grad(X, n)
    assert value == function(X, n)
    slope = (function(X * (1 + 1e-6), n) - function(X * (1 - 1e-6), n)) / 2e-6
    np.testing.assert_allclose(gradient @ X, slope, rtol=1e-6)


def doubled(x, limit):
    s, t = 2.0, 1.0
    while t < limit:
        s, t = s * x, t * 2
    return s


@pytest.mark.parametrize("product", [np.dot, np.inner, np.kron])
def test_refused(product):
    with pytest.raises(UnsupportedError, match="a number in a round"):
        differentiate(lambda x, limit: np.sum(product(doubled(x, limit), x))).grad(X, 4.0)
