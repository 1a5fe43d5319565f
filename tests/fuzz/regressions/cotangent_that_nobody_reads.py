"""A cotangent that the gradients do not depend on is not unpacked."""

import numpy as np

SHIFT = 0.7
TABLE = np.array([0.5, -1.0])

WRT = "t"


def f(w, t):
    return np.sum(w), t * t, w


def arguments():
    return np.ones(3), -1.3
