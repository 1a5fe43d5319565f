"""ode: s steps of Runge-Kutta for y_0' = x_0, y_i' = x_i y_(i-1); the gradient is of the last component."""

from __future__ import annotations

import numpy as np

import symdiff
from bench.gradbench.case import Case, differences

END = 2.0


def speed(x, y):
    z = np.empty_like(x)
    z[0] = x[0]
    z[1:] = x[1:] * y[:-1]
    return z


def trajectory_end(x, s):
    h = END / s
    y = np.zeros_like(x)
    for _ in range(s):
        k1 = speed(x, y)
        k2 = speed(x, y + h * k1 / 2)
        k3 = speed(x, y + h * k2 / 2)
        k4 = speed(x, y + h * k3)
        y = y + h * (k1 + 2 * k2 + 2 * k3 + k4) / 6
    return y


def last(x, s):
    return trajectory_end(x, s)[-1]


def case(rng: np.random.Generator, tiny: bool) -> Case:
    # The last component is a product of all of x times 2**n / n!: entries near one keep it large.
    n, s = (4, 6) if tiny else (10, 100)
    x = 1 + 0.5 * rng.random(n)
    gradient = symdiff.grad(last)
    checks = {"gradient": (lambda: gradient(x, s), lambda: differences(last, (x, s)))}
    return Case(lambda: last(x, s), lambda: gradient(x, s), checks)
