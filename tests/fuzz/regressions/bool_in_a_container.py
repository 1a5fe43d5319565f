"""A loop puts a bool where a float was."""
# ruff: noqa

import numpy as np


def f(x, k):
    state = {"s": x}
    for it in range(2):
        state["s"] = True
        a = x if k < 1 else 1.0 if k > 2 else x
    return np.sum(a * x) + state["s"]


WRT = "x"


def arguments():
    return 0.7, 3
