"""Seed 3853: a list of numbers that becomes an array."""

import numpy as np

WRT = "p"


def f(p, x):
    parts = []
    for _ in x:
        parts.append(p)
        p = p * 0.5
    return np.sin(parts)


def arguments():
    return 2.0, np.array([0.3, 0.4, 0.5])
