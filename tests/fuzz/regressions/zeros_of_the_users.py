"""A gradient is never an array that the primal made: the pullback would give it away twice."""

import numpy as np

SHIFT = 0.7
TABLE = np.array([0.5, -1.0])

WRT = ("x", "y")


def f(x, y):
    c = np.concatenate([x, np.zeros_like(x)])
    return np.sum((c - c) * y)


def arguments():
    return np.ones((2, 2)), 0.5
