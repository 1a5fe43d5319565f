"""A cotangent that goes through a loop of no rounds is copied: a gradient shares no memory with it."""

import numpy as np

WRT = ("x", "y")


def f(x, y, n):
    for _ in range(n):
        x = np.sin(x)
        y = y * x
    return x, y


def arguments():
    return np.array([0.3, 0.8, 1.1]), np.array([1.3, 0.2, 0.4]), 0
