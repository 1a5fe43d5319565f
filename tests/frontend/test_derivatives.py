"""Derivatives that a function takes itself, against differences of its own values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symdiff
from symdiff import elementwise_grad, grad, value_and_grad
from symdiff.errors import DtypeError, UnsupportedError, WrtError

POINT = np.array([0.3, 0.8, 0.5])
ALONG = np.array([1.0, -0.5, 0.7])


def energy(x: Any) -> Any:
    return np.sum(np.sin(x))


slope = grad(energy)
both = value_and_grad(energy)
square = symdiff.differentiate(lambda y: np.sum(y**2))


def of_a_call(x: Any) -> Any:
    return np.sum(grad(energy)(x) ** 2)


def of_an_object(x: Any) -> Any:
    return np.sum(slope(x) ** 2)


def of_an_attribute(x: Any) -> Any:
    return np.sum(square.grad(x) ** 3)


def with_value(x: Any) -> Any:
    value, slopes = both(x)
    return value * np.sum(slopes)


def elementwise(x: Any) -> Any:
    return np.sum(elementwise_grad(np.tanh)(x) ** 2)


def around(x: Any) -> Any:
    """The inner function reads what is around it."""
    return np.sum(x * grad(lambda y: np.sum(x * y**2))(2.0 * x))


def of_a_number(x: Any) -> Any:
    return x[0] * grad(lambda y: y**3 * x[1])(2.0)


def of_several(x: Any) -> Any:
    first, second = grad(lambda y, z: np.sum(y * z**3), wrt=("y", "z"))(x, x + 1)
    return np.sum(first * second)


def of_a_container(x: Any) -> Any:
    found = grad(lambda p: np.sum(np.sin(p["a"])) * p["b"][0])({"a": x, "b": [x[0]]})
    return np.sum(found["a"] ** 2) + found["b"][0]


def thrice(x: Any) -> Any:
    return grad(grad(grad(lambda y: y**5 * x[0])))(x[1])


def in_a_loop(x: Any) -> Any:
    y = x
    for _ in range(5):
        y = y - 0.1 * grad(lambda z: np.sum(z**4 * x))(y)
    return np.sum(y)


def in_branches_and_writes(x: Any) -> Any:
    def inner(z: Any) -> Any:
        if np.sum(z) > 1:
            return np.sum(z**2)
        return np.sum(z**3)

    w = np.zeros(3)
    w[:] = grad(inner)(x)
    w[0] = 5
    return np.sum(w * x)


def beside_zeros(x: Any) -> Any:
    """Zeros of a derivative are not the user's zeros, into which the user writes."""
    none = grad(lambda y: 2.0 + 0 * np.sum(y[:1]))(x)
    mine = np.zeros_like(x)
    mine[0] = 3
    other = np.zeros(3)
    other[1] = 4
    return np.sum(none) + np.sum(mine * x) + np.sum(other * x)


FUNCTIONS = [
    of_a_call, of_an_object, of_an_attribute, with_value, elementwise, around, of_a_number, of_several,
    of_a_container, thrice, in_a_loop, in_branches_and_writes, beside_zeros,
]  # fmt: skip


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_of_a_derivative(function: Callable[..., Any]) -> None:
    value, gradient = value_and_grad(function)(POINT)
    assert value == pytest.approx(function(POINT), rel=1e-14)
    step = 1e-5
    expected = (function(POINT + step * ALONG) - function(POINT - step * ALONG)) / (2 * step)
    assert gradient @ ALONG == pytest.approx(expected, rel=1e-8)
    _, pushed = symdiff.jvp(function)((POINT,), (ALONG,))
    assert pushed == pytest.approx(expected, rel=1e-8)


def test_it_is_written_out() -> None:
    source = grad(of_a_call).source_for(POINT)
    assert "symdiff" not in source.split("\n", 1)[1]
    assert "np.cos" in source
    assert "np.sin" in source


def writes_around(x: Any) -> Any:
    kept = x.copy()

    def inner(y: Any) -> Any:
        kept[0] = np.sum(y)
        return np.sum(y)

    return grad(inner)(x)[0] + kept[0]


REFUSED = [
    (writes_around, UnsupportedError),
    (lambda x: np.sum(symdiff.vjp(energy)(x)[0]), UnsupportedError),
    (lambda x: grad(energy)(3) * np.sum(x), DtypeError),
    (lambda x: grad(energy, wrt="y")(x)[0], WrtError),
]


@pytest.mark.parametrize(("function", "error"), REFUSED)
def test_what_is_refused(function: Callable[..., Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        grad(function)(POINT)
