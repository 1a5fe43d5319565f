"""A loop without a body sets its variable for the first time."""
# ruff: noqa

import numpy as np


def f(w, g1):
    while g1 > 0:
        for k in range(2):
            pass
        g1 -= 1
    return w[k] * 2.0


WRT = "w"


def arguments():
    return np.array([0.3, 0.7, 0.9]), 3
