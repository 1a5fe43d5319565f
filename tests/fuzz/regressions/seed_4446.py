"""Seed 4446: a square array of a length that only the run tells, in the loops that go back."""

import numpy as np

WRT = "x"


def f(x):
    x = x / x**2
    part = np.tile(x, 2)
    out = np.zeros((len(part), len(part)))
    for i in range(2):
        for _ in range(1):
            out[i] = part
    return out


def arguments():
    return (np.array([1.1, 0.7]),)
