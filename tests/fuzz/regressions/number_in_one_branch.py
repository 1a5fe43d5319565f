"""A value that is a number or an array: what is read of its shape is asked of what it is."""

import numpy as np

WRT = ("x", "w")


def f(x, w, c):
    if c > 0:
        s = 1.0
        t = w
    else:
        s = x
        t = x * w
    return np.sum(s * w) + np.mean(t * s) + np.sum(t)


def arguments():
    return np.array([0.5, 0.7, 1.2]), 1.3, 0.1
