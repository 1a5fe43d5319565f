"""`u = y[::-1]` was computed and not read: the line that adds to it names the place itself."""

import numpy as np

WRT = "x"


def f(x):
    y = np.sin(x)
    u = y[::-1]
    u += x
    return np.sum(y * y)


def arguments():
    return (np.array([0.3, -0.7, 1.1]),)
