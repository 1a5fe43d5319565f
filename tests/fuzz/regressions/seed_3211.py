"""Seed 3211: a number that the first iteration makes an array, in a loop over rows that are no argument's."""

import numpy as np

WRT = "X"


def power(u, n=3):
    out = 1.0
    for _ in range(n):
        out = out * u
    return out


def f(X):
    return power(X[0]).mean() + np.sum(power(X[1, 1:], 0))


def arguments():
    return (np.array([[0.7, -0.2, 1.1], [0.3, 0.4, 0.5]]),)
