"""Gradient descent whose step adapts, for particle and saddle (Pearlmutter and Siskind 2008).

The step doubles after ten rounds that went down and halves after one that did not.
"""

from __future__ import annotations

import numpy as np

CLOSE = 1e-5


def argmin(function, gradient, start):
    x = start
    value, slope = function(x), gradient(x)
    step = 1e-5
    successes = 0
    while np.sqrt(np.sum(slope**2)) > CLOSE:
        if successes == 10:
            step *= 2
            successes = 0
        moved = x - step * slope
        if np.sqrt(np.sum((moved - x) ** 2)) <= CLOSE:
            break
        below = function(moved)
        if below < value:
            x, value, slope = moved, below, gradient(moved)
            successes += 1
        else:
            step /= 2
            successes = 0
    return x
