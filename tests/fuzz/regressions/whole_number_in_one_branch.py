"""A whole number or an array of floats: its cotangent holds fractions in either case."""

import numpy as np

WRT = ("x", "w")


def f(x, w, c):
    s = 0 if c > 0 else x
    last = 2
    for i in range(len(x)):
        last = last * 1 if c > 0 else last + x[i] * s
    t = 0.0
    for i in range(3):
        t = t + np.sum(s * w) * i + np.sum(np.sin(last * w))
        s = s + 0.25 * np.cos(s * w)
    return t + 0.3 * np.mean(s)


def arguments():
    return np.array([0.5, 0.7, 1.2]), 1.3, 0.1
