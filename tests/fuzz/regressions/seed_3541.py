"""Seed 3541: numbers in the place of float32, and gradients that are float32 all the same."""

import numpy as np

WRT = ("x", "s")


def f(x, s, n):
    values = list(x)
    for i in range(n):
        values[0], values[-1] = values[1], 1.0
        s = 0.5 if i > 5 else s
    total = sum(values)
    scale = 1.0
    if n > 3:
        scale = s
    return np.exp(total) * scale + np.sin(scale) * np.mean(x)


def arguments():
    return np.array([0.5, 0.25, 1.0], dtype=np.float32), np.float32(0.3), 2
