"""np.copy of a scalar is an array without axes."""

import numpy as np

SHIFT = 0.7
TABLE = np.array([0.5, -1.0])

WRT = "x"


def f(x):
    return [np.copy(np.sum(x)), x]


def arguments():
    return (np.ones(3),)
