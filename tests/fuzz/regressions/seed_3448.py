"""Seed 3448: a number that a loop writes into an array of float32."""

import numpy as np

WRT = ("x", "scale")


def f(x, scale):
    y = x.copy()
    for i in range(2):
        y[i] = scale * x[i]
    return np.sum(y + scale)


def arguments():
    return np.array([0.5, 0.25, 1.0], dtype=np.float32), 1.5
