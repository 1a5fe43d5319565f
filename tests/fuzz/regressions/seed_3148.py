"""Seed 3148: an operation in place on a transposed array, which is no attribute to assign to."""

import numpy as np

WRT = "x"


def f(x):
    row = np.transpose(x)
    row *= 1.5 + np.sin(row)
    tail = x.reshape(6)
    tail += np.cos(tail)
    return np.sum(x**2)


def arguments():
    return (np.linspace(-1.0, 1.0, 6).reshape(2, 3),)
