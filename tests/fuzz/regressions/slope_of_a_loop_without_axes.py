"""The slope of a loop that begins with a number is an array for an array without axes."""

# ruff: noqa

import numpy as np

WRT = "p"


def f(p):
    s = 2 * p
    while s > 1:
        s *= 1
    return s


def arguments():
    p = np.array(-1.2)
    return (p,)
