"""Seed 3624: the cotangent of a real number beside complex ones."""

import numpy as np

WRT = "x"


def f(x):
    total = 0
    s = 3.0
    while s > 1.0:
        s = s * 0.5
        total = total + np.arctan(x * s)
    return (total / 3j).imag + (total * (2 + 1j)).real


def arguments():
    return (2.0,)
