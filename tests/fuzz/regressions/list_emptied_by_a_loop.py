"""A loop pops what another one appended."""
# ruff: noqa

import numpy as np

WRT = "x"


def f(x, k):
    l = [x[0]]
    for i in range(k):
        l.append(l[-1] * x[i % 3])
    s = 0.0
    while l:
        s = s * 0.5 + l.pop()
    return s


def arguments():
    return np.array([0.3, 0.7, 0.9]), 4
