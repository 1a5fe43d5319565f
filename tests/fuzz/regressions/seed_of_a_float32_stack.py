"""The cotangent of a list's items has their dtype, though the seed is an int."""
# ruff: noqa

import numpy as np


def f(v):
    t = np.array([np.sum(v[: i + 1]) for i in range(v.shape[0])])
    return t.sum()


WRT = "v"


def arguments():
    return (np.array([0.3, 0.7, 0.9], dtype=np.float32),)
