"""Seed 4017: the shape of what a branch makes is not asked of a value that only this branch has."""

import numpy as np

WRT = "x"


def f(x, c):
    table = np.array(x)
    if c > 0:
        table = table * 0.7 + table / (1 + table**2)
        table = table.copy()
    table[0, table[0] < -0.35] += np.sum(table * 0.2) / 3
    return table.sum()


def arguments():
    return np.linspace(-1.0, 1.0, 16).reshape(4, 4), 1.0
