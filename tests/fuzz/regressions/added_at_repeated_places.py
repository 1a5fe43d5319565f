"""Fewer values are added at places than the array has."""
# ruff: noqa

import numpy as np

WRT = "x"


def f(x, k):
    y = np.zeros(3)
    y[[0, 0, 1]] = x
    y[[2, 2]] += x[:2]
    np.add.at(y, [1, 1], x[1:])
    return np.sum(y * np.arange(1, 4))


def arguments():
    return np.array([0.3, 0.7, 0.9]), 3
