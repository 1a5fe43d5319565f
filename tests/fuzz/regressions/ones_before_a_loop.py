"""A cotangent of ints in which a loop of floats begins."""
# ruff: noqa

import numpy as np

WRT = "copy"


def f(p, copy):
    g = 1
    if np.mean(1.0):
        p = p + [g, 1.0, 1.0]
    else:
        s = 1.0
        while True:
            s = s
            if s:
                break
            p /= copy[1]
    return np.sum(p)


def arguments():
    r = np.random
    p = r.uniform(1.5, 1.5, 3)
    copy = (1.0, 0.5)
    return (p, copy)
