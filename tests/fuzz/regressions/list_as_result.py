"""The cotangent of a list is a list."""
# ruff: noqa

import numpy as np

WRT = "x"


def f(x, k):
    out = []
    for i in range(3):
        out.append(x * i)
    return out


def arguments():
    return np.array([0.9, 0.1, 0.7]), 4
