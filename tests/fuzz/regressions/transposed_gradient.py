"""Arithmetic on a transposed cotangent keeps its layout: the gradient must be C-contiguous."""

import numpy as np

SHIFT = 0.7
TABLE = np.array([0.5, -1.0])

WRT = "w"


def f(t, w):
    return np.mean(np.inner(t @ TABLE, 1 - w))


def arguments():
    return np.full((3, 2), 1.5), np.linspace(0.0, 1.0, 9).reshape(3, 3)
