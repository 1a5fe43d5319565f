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
    """Least in x and greatest in y; the eval names the coordinates x_1, y_1 for x and x_2, y_2 for y."""
    return np.sum(x**2) - np.sum(y**2)


slope_reverse = symdiff.grad(height, wrt="y")
along = symdiff.jvp(height)


def slope_forward(x, y):
    _, first = along((x, y), (None, FIRST))
    _, second = along((x, y), (None, SECOND))
    return np.array([first, second])


def highest(x, start, slope):
    return argmin(lambda y: -height(x, y), lambda y: -slope(x, y), start)


def top_reverse(x, start):
    return height(x, highest(x, start, slope_reverse))


def top_forward(x, start):
    return height(x, highest(x, start, slope_forward))


def saddle(start, top, top_slope, slope):
    x = argmin(lambda x: top(x, start), lambda x: top_slope(x, start), start)
    return np.concatenate([x, highest(x, start, slope)])


def forward_of(top):
    tangent = symdiff.jvp(top)

    def slope(x, start):
        return np.array([tangent((x, start), (seed, None))[1] for seed in (FIRST, SECOND)])

    return slope


def variants():
    for inner, top, slope in (("r", top_reverse, slope_reverse), ("f", top_forward, slope_forward)):
        yield "r" + inner, top, symdiff.grad(top), slope
        yield "f" + inner, top, forward_of(top), slope


def case(rng: np.random.Generator, tiny: bool) -> Case:
    start, x = np.ones(2), np.array([0.7, -0.4])
    checks = {}
    for name, top, top_slope, slope in variants():
        checks[name + " slope"] = (
            lambda d=top_slope: d(x, start),
            lambda: differences(top_reverse, (x, start)),
        )
        if not tiny:
            parts = (top, top_slope, slope)
            checks[name] = (lambda parts=parts: saddle(start, *parts), lambda: np.full(4, ANSWER))
    _, top, gradient, _ = next(variants())
    return Case(lambda: top(x, start), lambda: gradient(x, start), checks)
