"""An island that was replaced by something that contains it: no endless recursion."""

import numpy as np

SHIFT = 0.7
TABLE = np.array([0.5, -1.0])
WRT = "w"


def f(w):
    s = np.fmin(w, TABLE)
    h = 1.0 - (s - s)
    return np.sum(h) * h


def arguments():
    return (np.array([0.3, 0.9]),)
