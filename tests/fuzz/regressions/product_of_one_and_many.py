"""A product of shapes (1,) and (n,) is no dot product."""

import numpy as np

SHIFT = 0.7
TABLE = np.array([0.5, -1.0])

WRT = "x"


def f(x):
    g = x * x[0]
    return np.mean(g, keepdims=True)


def arguments():
    return (np.array([0.3, -1.2, 0.7]),)
