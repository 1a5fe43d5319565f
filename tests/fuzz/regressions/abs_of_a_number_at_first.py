"""`d` is a Python number in the first round, which is weak, and one of NumPy in the next."""

import numpy as np

WRT = "x", "t"


def f(x, t):
    acc = t * 1
    d = 0.0
    for k in range(len(t)):
        acc = np.sin(acc) * abs(d - 5) + t[k]
        d = d - 0.15 * np.max(x)
    return acc.sum()


def arguments():
    return np.array([0.4, 0.7], np.float32), np.array([0.1, 0.3, 0.4], np.float32)
