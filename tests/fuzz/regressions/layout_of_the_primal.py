"""np.ascontiguousarray changes the order of a sum."""

import numpy as np

SHIFT = 0.7
TABLE = np.array([0.5, -1.0])

WRT = "x"


def f(x):
    y = np.ascontiguousarray(x.T)
    return np.sum(y**2)


def arguments():
    return (np.random.default_rng(3038).uniform(-1.5, 1.5, (3, 4)),)
