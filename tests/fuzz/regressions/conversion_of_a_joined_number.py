"""`float` of an int or a float, as a branch decides."""
# ruff: noqa

import numpy as np


def f(x, k):
    a = 1
    if k > 2:
        a = 0.5
    b = np.array([float(a), 2])
    b[0] = x
    return np.sum(b * b)


WRT = "x"


def arguments():
    return 0.7, 1
