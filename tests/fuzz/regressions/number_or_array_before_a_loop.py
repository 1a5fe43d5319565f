"""Between the loops `cur` is a number, behind the second one a vector: its cotangent loses its axes there."""

import numpy as np

WRT = "u"


def f(u, n):
    prev, cur = u * 1.0
    for _ in u:
        pair = (cur, 1.0)
        prev, cur = pair
    for _ in range(n):
        cur = np.sin(cur * u)
    return np.sum(cur) + prev


def arguments():
    return np.array([1.0, 0.7]), 3
