"""What loops without bodies leave behind: elements, and counters of `enumerate`."""
# ruff: noqa

import numpy as np


def f(w, g1):
    v = w[0]
    for v in w:
        pass
    for i, u in enumerate(w):
        pass
    return w[i] * 2.0 * v * u


WRT = "w"


def arguments():
    return np.array([0.3, 0.7, 0.9]), 3
