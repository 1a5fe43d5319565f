"""A cotangent of size 1 beside a slice says nothing of the length of the slice."""

import numpy as np

SHIFT = 0.7
TABLE = np.array([0.5, -1.0])

WRT = "m"


def f(p, m):
    z = np.minimum((p > 0.3)[:-1, 1], np.inner(m, m)).sum(keepdims=True)
    return z


def arguments():
    return np.linspace(0.2, 1.8, 9).reshape(3, 3), 0.8
