"""What generated source calls what the user did not name, and how it is written: exact lines, evaluated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symdiff

rng = np.random.default_rng(3)
X, Y = rng.uniform(0.5, 1.5, (2, 6))


def elements_of_one(x, y):
    s = np.array([x[0], x[1], x[2]])
    for _ in range(4):
        a, b, c = s
        s = np.array([np.sin(a * b), b * c, c * a])
    return s.sum()


def elements_of_many(x, y):
    s = x * y
    for _ in range(4):
        s = np.sin(s[0] * s[1]) * s
    return s.sum()


def of_an_operand(x, y):
    return np.sum(np.sin(x) * np.exp(np.sin(x) * y))


def of_a_part(x, y):
    return np.sum(x[1:] * np.sin(x[1:] * y[0]) * y[0])


def of_a_list(x, y):
    s = 0.0
    for i in range(len(x)):
        s = np.tanh(s * x[i] + y[i]) * y[i]
    return s


def taken_away(x, y):
    return np.sum(np.sin(x)) - np.sum(x[1:] ** 2) * y[0]


def one_term_for_two_places(x, y):
    s = 0.0
    for i in range(len(x)):
        s = np.sin(s) - (x[i] - x[i - 1]) ** 2
    return s


def begins_as_an_argument(x, y):
    r = np.sqrt(x - 0.2)
    r[r > 0] = 1 / r[r > 0]
    return (r * x).sum()


def begins_as_a_value(x, y):
    u = np.sin(y)
    r = x * 1.0
    r[r > 0.9] = r[r > 0.9] ** 2
    return (r * u).sum() + u[0]


# What must stand in the source, and what must not.
LINES: list[tuple[Callable[..., Any], list[str], list[str]]] = [
    (
        elements_of_one,
        ["s_steps.append(s)", "s = s_steps.pop()", "a = s[0]", "s_bar_1 = s_bar[1]"],
        ["a_steps", "b_steps", "c_steps"],
    ),
    (elements_of_many, ["s_steps.append(s)", "sin = sins.pop()", "s_0 = s[0]"], ["s_0s"]),
    (of_an_operand, ["product = np.sin(x) * y", "exp = np.exp(product)"], ["g = ", "t = "]),
    (of_a_part, ["y_0 = y[0]", "product = x[1:] * y_0"], ["y_part", "x_part"]),
    (
        of_a_list,
        ["y_part = y[i]", "tanhs.append(tanh)", "tanh = tanhs.pop()", "g = s_bar * y[i] * (1 - tanh * tanh)"],
        ["saved"],
    ),
    (taken_away, ["x_bar = np.cos(x)", "x_bar[1:] -= 2 * y[0] * x[1:]"], ["x_bar[1:] += -", "+ -"]),
    (
        one_term_for_two_places,
        [
            "x_bar_term = 2 * s_bar * (x[i] - x[i - 1])",
            "x_bar[i - 1] += x_bar_term",
            "x_bar[i] -= x_bar_term",
        ],
        ["+= -"],
    ),
    (
        begins_as_an_argument,
        ["r_bar = x.copy()", "r_bar[mask] = -(ratio / r_part * x[mask])"],
        ["x = ", "x[mask] ="],
    ),
    (begins_as_a_value, ["r_bar = u", "r_bar[mask] = 2 * u[mask] * r[mask]"], ["u[mask] ="]),
]


@pytest.mark.parametrize(("function", "there", "absent"), LINES, ids=lambda one: getattr(one, "__name__", ""))
def test_lines(function: Callable[..., Any], there: list[str], absent: list[str]) -> None:
    source = symdiff.differentiate(function, wrt="x").grad.source_for(X, Y)
    code = [line.strip() for line in source.splitlines() if not line.strip().startswith("#")]
    assert [line for line in there if line not in code] == []
    assert [
        (part, line) for part in absent for line in code if line.startswith(part) or f" {part}" in line
    ] == []


@pytest.mark.parametrize("function", [function for function, _, _ in LINES])
def test_values(function: Callable[..., Any]) -> None:
    gradient = symdiff.differentiate(function, wrt="x").grad(X, Y)
    step = 1e-6
    for i in range(len(X)):
        moved = np.zeros_like(X)
        moved[i] = step
        slope = (function(X + moved, Y) - function(X - moved, Y)) / (2 * step)
        assert gradient[i] == pytest.approx(slope, rel=2e-7, abs=2e-8)
