"""Values replaced by ones that contain them: no endless recursion."""

import numpy as np

SHIFT = 0.7
TABLE = np.array([0.5, -1.0])
WRT = "m"


def keep(u, v):
    u = u + v
    return u * 2.0 - u


def f(m):
    return keep(m - np.sum(m), np.sum(m))


def arguments():
    return (np.array([0.3, 0.9]),)
