"""Seed 3268: a branch that is kept for what it asserts; nobody reads its result."""

import numpy as np

WRT = "x"


def f(x, value):
    total = 0.5 * x[0]
    for _ in x:
        if value:
            assert np.all(x)
            continue
    return total


def arguments():
    return [0.7], 2
