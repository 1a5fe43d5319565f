"""Gradients of a pullback are C-contiguous whatever the layout of the arguments."""

import numpy as np

SHIFT = 0.7
TABLE = np.array([0.5, -1.0])

WRT = ("x", "y")


def f(x, y):
    return np.sum(np.sin(x))


def arguments():
    r = np.random.default_rng(1)
    return r.uniform(-1, 1, (3, 4)).T, np.asfortranarray(r.uniform(-1, 1, (2, 3)))
