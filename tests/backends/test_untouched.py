"""Sums in loops that find zeros are assignments; where something may stand there already, they are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symdiff

rng = np.random.default_rng(5)
X, Y = rng.uniform(0.5, 1.5, (2, 7))
A, B = rng.uniform(0.5, 1.5, (2, 7, 7))


def elements(x, y):
    s = 0.0
    for i in range(len(x)):
        s += s * x[i] + y[i] ** 2
    return s


def triangle(A, x):
    s = 0.0
    for i in range(len(x)):
        s += np.sin(s) + A[i, i] * x[i] - A[i, :i] @ x[:i]
    return s


def below_and_above(A, x):
    s = 0.0
    for i in range(len(x)):
        s += np.sin(s) + np.sum(A[i, :i] ** 2) * A[i, i] + np.sum(A[i, i + 1 :] ** 3)
    return s


def nested(A, x):
    s = 0.0
    for i in range(A.shape[0]):
        for j in range(i, A.shape[1]):
            s += np.sin(s) * A[i, j] ** 2 + x[j]
    return s


def in_a_branch(x, y):
    s = 0.0
    for i in range(len(x)):
        if y[i] > 1.0:
            s += np.sin(s) * x[i]
        else:
            s -= x[i] ** 2
    return s


def downwards(x, y):
    s = 0.0
    for i in range(len(x) - 1, -1, -2):
        s += np.sin(s) * x[i] ** 2 + y[i]
    return s


def neighbours(x, y):
    s = 0.0
    for i in range(len(x) - 1):
        s += np.sin(s) * x[i] * x[i + 1]
    return s


def from_the_end(x, y):
    s = 0.0
    for i in range(-3, 6):
        s += np.sin(s) * x[i] ** 2
    return s


def down_below_zero(x, y):
    s = 0.0
    for i in range(5, -4, -1):
        s += np.sin(s) * x[i] ** 2
    return s


def twice(x, y):
    s = 0.0
    for _ in range(2):
        for i in range(len(x)):
            s += np.sin(s) * x[i] ** 2
    return s


def overlapping(A, x):
    s = 0.0
    for i in range(len(x)):
        s += np.sin(s) + A[i, i] ** 2 + np.sum(A[i, : i + 1] ** 2)
    return s


def rows_and_columns(A, x):
    s = 0.0
    for i in range(len(x)):
        s += np.sin(s) + np.sum(A[i] ** 2) + np.sum(A[:, i] ** 3)
    return s


def by_other_indices(x, y):
    places = np.array([0, 3, 3, 1])
    s = 0.0
    for i in range(4):
        s += np.sin(s) * x[places[i]] ** 2
    return s


def slope(f: Callable[..., Any], arguments: tuple[Any, ...], direction: Any) -> float:
    first, *rest = arguments
    step = 1e-6
    return (f(first + step * direction, *rest) - f(first - step * direction, *rest)) / (2 * step)


def checked(f: Callable[..., Any], arguments: tuple[Any, ...]) -> str:
    gradient = symdiff.grad(f, wrt=0)
    found = gradient(*arguments)
    direction = rng.normal(size=found.shape)
    assert np.sum(found * direction) == pytest.approx(slope(f, arguments, direction), rel=1e-6)
    return gradient.source_for(*arguments)


@pytest.mark.parametrize(
    ("f", "arguments"),
    [
        (elements, (X, Y)),
        (triangle, (A, X)),
        (below_and_above, (A, X)),
        (nested, (A, X)),
        (downwards, (X, Y)),
    ],
)
def test_a_place_of_its_own_is_assigned(f, arguments):
    source = checked(f, arguments)
    name = "A_bar" if f.__code__.co_varnames[0] == "A" else "x_bar"
    written = [line for line in source.splitlines() if line.strip().startswith(f"{name}[")]
    assert written
    assert all("] = " in line for line in written)


@pytest.mark.parametrize(
    ("f", "arguments"),
    [
        (neighbours, (X, Y)),
        (from_the_end, (X, Y)),
        (down_below_zero, (X, Y)),
        (twice, (X, Y)),
        (by_other_indices, (X, Y)),
        (rows_and_columns, (A, X)),
    ],
)
def test_a_place_that_others_may_reach_is_added_to(f, arguments):
    source = checked(f, arguments)
    assert "] += " in source
    assert "] = " not in source.partition("reversed(")[2]


def test_only_the_first_of_an_iteration_is_assigned():
    source = checked(overlapping, (A, X))
    assert source.count("] = ") == 1
    assert source.count("] += ") == 1


def test_branches_add_or_assign_what_is_right():
    checked(in_a_branch, (X, Y))
