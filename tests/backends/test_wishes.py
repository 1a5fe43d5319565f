"""What generated source is called and how it is written, where the user gave no name: exact lines, evaluated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symdiff

rng = np.random.default_rng(3)
X, Y = rng.uniform(0.5, 1.5, (2, 6))


def several_of_one(x, y):
    s = 1.0
    for i in range(len(x)):
        t = np.exp(s * x[i])
        s = np.sin(t) + np.cos(t) * t
    return s


def arrays_are_not_gathered(x, y):
    s = x
    for _ in range(3):
        s = np.sin(s) * np.cos(s * y)
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
    s = 0.0
    for i in range(len(x)):
        s = s * x[i] - (x[i] - y[i]) ** 2
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
