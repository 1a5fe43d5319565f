"""A float64 scalar in the first round only: in-place division casts back to float32."""

# ruff: noqa

import numpy as np


def squash(u=1):
    v = np.tanh(u)
    return v


WRT = "object"


def f(object, y):
    s = 0.0
    for row in y:
        y /= squash(s)
        s = squash(row)
    return s


def arguments():
    object = 0.7
    y = np.array([1, 1]).astype(np.float32)
    return (object, y)
