"""The cotangents of the arrays in the list have no dtype, their values have; the loop begins with them."""

import numpy as np

WRT = "x"


def f(x):
    parts = []
    for t in x:
        parts.append(x * t)
    b = np.mean(parts)
    found = []
    if x[0] > 0:
        found.append(b)
    stacked = np.stack(found)
    return stacked.sum() + np.sum(b)


def arguments():
    return (np.array([0.3, 0.7]),)
