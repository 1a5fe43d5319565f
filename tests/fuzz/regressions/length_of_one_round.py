"""The argument has one item for certain: how often the loop ran is a number on the way back."""

import numpy as np

WRT = "x"


def f(x):
    a = x
    if x.sum() > 0:
        for _ in range(x.size):
            a = 0.9
    return np.sum(a * 2 + x)


def arguments():
    return (np.array([0.4]),)
