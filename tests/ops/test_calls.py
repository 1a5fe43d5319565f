"""Calls with arguments that flow at run time, and calls that are refused: what samples of rows cannot say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symdiff
from symdiff.errors import DtypeError, SymdiffError, UnsupportedError

DRAW = np.random.default_rng(5)
X, W, A = DRAW.uniform(0.1, 1, 6), DRAW.uniform(0.2, 1, 6), DRAW.uniform(-1, 1, (4, 5))
PLACES = np.array([0, 1, 1, 4, 0, 2])


def whole_grid(x, n):
    i, j = np.mgrid[0:n, 0:6]
    return np.sum(x[j] * i * x[i])


def grid_that_ends_at_an_argument(a, h):
    x, y = np.mgrid[-1:1:5j, 0:a:4j]
    u, v = np.ogrid[0:1:h, 1:3]
    return np.sum(x * y**2) + np.sum(u * v)


def open_grid(x):
    n = len(x)
    i, j = np.ogrid[:n, :n]
    return np.sum(np.exp(-((i - j) ** 2)) * x[:, None] * x)


def grid_that_is_written(x):
    g = np.mgrid[0:3, 0:6]
    g[0] += 1
    i, j = g
    i *= 2
    return np.sum(i * x) + np.sum(g * x) + np.sum(j)


def joined(x, s):
    return np.sum(np.r_[0, x, s, 1:3] ** 2) + np.sum(np.c_[x, x**2] ** 3) + np.sum(np.r_[x[0], x[-1]])


def from_function(x):
    return np.sum(np.fromfunction(lambda i, j: np.exp(-((i - j) ** 2)), (3, 6)) @ x)


def indices_of_a_shape(x):
    i, j = np.indices((len(x), 3))
    return np.sum(x[i] * j)


def density(x, w, n):
    found, edges = np.histogram(x, n, weights=w, density=True)
    return np.sum(found**2 * edges[1:])


def histogram_between_arguments(x, w, low, high):
    found, edges = np.histogram(x, bins=4, range=(low, high), weights=w)
    return np.sum(found * edges[1:] ** 2)


def means_of_groups(x, places):
    count = np.bincount(places, minlength=len(x))
    total = np.bincount(places, weights=x, minlength=len(x))
    return np.sum(total / np.maximum(count, 1) * x)


def uninitialised(x):
    a = np.ndarray(shape=[x.shape[0], 2], dtype=np.float64)
    a[:, 0], a[:, 1] = x, x**2
    return np.sum(a * a)


def lists_as_shapes(x):
    n = len(x)
    a, b, c = np.zeros([n, 2], float), np.ones((n,), np.float64), np.full([n, 2], 1.5, float)
    a[:, 0] = x
    return np.sum(a * c) + np.sum(b * x)


def reshaped_in_a_loop(x, r, k):
    total = 0.0
    for i in range(k):
        total = total + np.sum(x[:4].reshape(r**i, r, r ** (k - i - 1))[:, 0] ** 2) * (i + 1)
    return total


def repeated(x, n, counts):
    y, z = np.repeat(x, n), np.repeat(x.reshape(2, 3), counts, axis=1)
    return np.sum(y**2 * np.arange(n * x.size)) + np.sum(z**3) + np.sum(np.repeat(x, x.shape[0]))


def complex_power(x):
    z = x + 1j * x**2
    return np.sum(np.abs(np.power(z, 1.5))) + np.sum(np.real(z**0.5))


def in_a_loop(x, w):
    total = 0.0
    for i in range(3):
        total += np.interp(0.2 * i + 0.15, np.cumsum(w), x) ** 2 + np.median(np.convolve(x, w[: i + 1]))
    return total


PROGRAMS: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
    (whole_grid, (X, 4)),
    (grid_that_ends_at_an_argument, (1.5, 0.3)),
    (open_grid, (X,)),
    (grid_that_is_written, (X,)),
    (joined, (X, 0.3)),
    (from_function, (X,)),
    (indices_of_a_shape, (X,)),
    (density, (X, W, 3)),
    (histogram_between_arguments, (X, W, 0.05, 1.1)),
    (means_of_groups, (X, PLACES)),
    (uninitialised, (X,)),
    (lists_as_shapes, (X,)),
    (reshaped_in_a_loop, (X, 2, 2)),
    (repeated, (X, 3, np.array([2, 0, 1]))),
    (complex_power, (X,)),
    (in_a_loop, (X, W)),
]


@pytest.mark.parametrize(("function", "args"), PROGRAMS, ids=lambda part: getattr(part, "__name__", ""))
def test_program(function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    places = tuple(i for i, arg in enumerate(args) if np.asarray(arg).dtype.kind == "f")
    value, gradients = symdiff.value_and_grad(function, argnums=places)(*args)
    np.testing.assert_allclose(value, function(*args), rtol=1e-14)
    directions = [DRAW.uniform(0.5, 1, np.shape(args[i])) for i in places]

    def moved(step: float) -> Any:
        point = list(args)
        for i, direction in zip(places, directions, strict=True):
            point[i] = args[i] + step * direction
        return function(*point)

    numeric = (moved(1e-6) - moved(-1e-6)) / 2e-6
    exact = sum(np.sum(g * d) for g, d in zip(gradients, directions, strict=True))
    np.testing.assert_allclose(exact, numeric, rtol=1e-6)


def iterated(x):
    total = 0.0
    for value in np.nditer(x):
        total += value
    return total


REFUSED: list[tuple[Callable[..., Any], str]] = [
    (lambda x: np.sum(np.histogram(x, "auto")[0] * x[0]), "their number"),
    (lambda x: np.sum(np.cov(x, fweights=[1, 2, 1, 1, 1, 1])), "fweights"),
    (lambda x: np.sum(np.cov(x, aweights=x)), "aweights"),
    (lambda x: np.sum(np.ndarray(3, float, x)), "np.empty"),
    (lambda x: np.sum(np.ndarray((2, 3), order="F")) * x[0], "np.empty"),
    (lambda x: np.sum(np.ndarray(3, strides=(8,))) * x[0], "np.empty"),
    (lambda x: np.sum(np.r_["0,2", x, x]), "np.concatenate"),
    (lambda x: np.quantile(x, 0.2, method="closest_observation"), "linear"),
    (lambda x: np.sum(np.gradient(x, 1.0, 2.0)), "2 spacings for 1 axes"),
    (lambda x: np.sum(np.convolve(x.reshape(2, 3), x)), "vectors"),
    (iterated, "np.ndindex"),
]


@pytest.mark.parametrize(("function", "text"), REFUSED, ids=[text for _, text in REFUSED])
def test_refused(function: Callable[..., Any], text: str) -> None:
    with pytest.raises(SymdiffError, match=text):
        symdiff.grad(function)(X)


def test_an_imaginary_step_is_known_while_compiling() -> None:
    with pytest.raises(UnsupportedError, match="step"):
        symdiff.grad(lambda x, n: np.sum(np.mgrid[0 : 1 : n * 1j]) * x)(1.0, 5)


def test_floats_are_not_counted() -> None:
    with pytest.raises(DtypeError, match="bincount"):
        symdiff.grad(lambda x: np.sum(np.bincount(x)) * x[0])(X)
