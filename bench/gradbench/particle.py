"""particle: steer a charge through the field of two others, a gradient in a loop within a gradient.

The force is the gradient of a potential, so that the derivative of where the particle crosses the axis is a
derivative of a derivative.  The first letter of a variant is the mode of the outer one, the second that of
the inner: forward or reverse.
"""

from __future__ import annotations

import numpy as np

import symdiff
from bench.gradbench.case import Case, differences
from bench.gradbench.descent import argmin

STEP = 0.1
ANSWER = 0.2071918746486116  # where the eval ends up from w = 0
RIGHT, UP = np.array([1.0, 0.0]), np.array([0.0, 1.0])


def distance(a, b):
    return np.sqrt(np.sum((a - b) ** 2))


def potential(x, w):
    return 1 / distance(x, np.array([10.0, 10.0 - w])) + 1 / distance(x, np.array([10.0, 0.0]))


force_reverse = symdiff.grad(potential)
along = symdiff.jvp(potential)


def force_forward(x, w):
    _, first = along((x, w), (RIGHT, None))
    _, second = along((x, w), (UP, None))
    return np.array([first, second])


def crossing(w, slope_of):
    """The square of where the particle meets the x axis; the last step is interpolated."""
    x = np.array([0.0, 8.0])
    speed = np.array([0.75, 0.0])
    while True:
        moved = x + STEP * speed
        if moved[1] < 0:
            break
        speed = speed - STEP * slope_of(x, w)
        x = moved
    left = -x[1] / speed[1]
    return (x[0] + left * speed[0]) ** 2


def crossing_reverse(w):
    return crossing(w, force_reverse)


def crossing_forward(w):
    return crossing(w, force_forward)


def steered(function, slope):
    return float(argmin(lambda w: function(float(w)), lambda w: np.asarray(slope(float(w))), np.array(0.0)))


def variants():
    for inner, function in (("r", crossing_reverse), ("f", crossing_forward)):
        yield "r" + inner, function, symdiff.grad(function)
        forward = symdiff.jvp(function)
        yield "f" + inner, function, lambda w, forward=forward: forward((w,), (1.0,))[1]


def case(rng: np.random.Generator, tiny: bool) -> Case:
    checks = {}
    for name, function, slope in variants():
        checks[name + " slope"] = (lambda d=slope: d(0.1), lambda: differences(crossing_reverse, (0.1,)))
        if not tiny:
            checks[name] = (lambda f=function, d=slope: steered(f, d), lambda: ANSWER)
    _, function, slope = next(variants())
    return Case(lambda: function(0.1), lambda: slope(0.1), checks)
