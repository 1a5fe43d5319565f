"""A power whose exponent is no constant, in an island that is probed."""

import numpy as np

SHIFT = 0.7
TABLE = np.array([0.5, -1.0])

WRT = "x"


def f(x):
    power = 4**x
    return np.mean(x * x) + x + power


def arguments():
    return (np.array([0.6, -0.2]),)
