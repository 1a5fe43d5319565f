"""The cotangent of the list of sums has no dtype, that of an array has; the loop begins with the one."""

import numpy as np

WRT = "x"


def f(x, n):
    parts = []
    for _ in range(n):
        parts.append(np.arctan(np.array([x, x * x])))
    return np.mean([np.sum(v) for v in parts])


def arguments():
    return np.array([0.5, 0.2], np.float32), 3
