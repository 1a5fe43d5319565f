"""A loop without a body still sets its variable."""
# ruff: noqa

import numpy as np


def f(w, g1):
    k = 0
    i = 0
    while i < g1:
        for k in range(2):
            pass
        i += 1
    return w[k] * 2.0


WRT = "w"


def arguments():
    return np.array([0.3, 0.7, 0.9]), 3
