"""saddle: the least of a greatest, by gradient descent whose objective is itself a gradient ascent.

The gradient of the outer descent is taken through all rounds of the inner one.  The first letter of a variant
is the mode of the outer derivative, the second that of the inner.
"""

from __future__ import annotations

import numpy as np

import symdiff
from bench.gradbench.case import Case, differences
from bench.gradbench.descent import argmin

ANSWER = 8.246324826140356e-06  # each coordinate, where the eval ends up from (1, 1)
FIRST, SECOND = np.array([1.0, 0.0]), np.array([0.0, 1.0])


def height(x, y):
    return (x[0] ** 2 + y[0] ** 2) - (x[1] ** 2 + y[1] ** 2)


def spread(x, y):
    """What the eval finds the saddle of: its squares are x_1^2 + x_2^2 - (y_1^2 + y_2^2)."""
    return np.sum(x**2) - np.sum(y**2)


slope_reverse = symdiff.grad(spread, wrt="y")
along = symdiff.jvp(spread)


def slope_forward(x, y):
    _, first = along((x, y), (None, FIRST))
    _, second = along((x, y), (None, SECOND))
    return np.array([first, second])


def highest(x, start, slope):
    return argmin(lambda y: -spread(x, y), lambda y: -slope(x, y), start)


def top_reverse(x, start):
    return spread(x, highest(x, start, slope_reverse))


def top_forward(x, start):
    return spread(x, highest(x, start, slope_forward))


def saddle(start, top, top_slope, slope):
    x = argmin(lambda x: top(x, start), lambda x: top_slope(x, start), start)
    return np.concatenate([x, highest(x, start, slope)])


def forward_of(top):
    tangent = symdiff.jvp(top)

    def slope(x, start):
        return np.array([tangent((x, start), (seed, None))[1] for seed in (FIRST, SECOND)])

    return slope


def variants():
    for top, slope in ((top_reverse, slope_reverse), (top_forward, slope_forward)):
        yield top, symdiff.grad(top), slope
        yield top, forward_of(top), slope


def case(rng: np.random.Generator, tiny: bool) -> Case:
    start, x = np.ones(2), np.array([0.7, -0.4])
    checks = []
    for top, top_slope, slope in variants():
        checks.append((lambda d=top_slope: d(x, start), lambda: differences(top_reverse, (x, start))))
        if not tiny:
            found = lambda top=top, d=top_slope, slope=slope: saddle(start, top, d, slope)  # noqa: E731
            checks.append((found, lambda: np.full(4, ANSWER)))
    _, gradient, _ = next(variants())
    return Case(lambda: top_reverse(x, start), lambda: gradient(x, start), tuple(checks))
