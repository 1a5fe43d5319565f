"""What a loop carries is a number in its first iteration, and for ever where it does not run."""

import numpy as np

WRT = ("x", "w")


def f(x, w, n):
    out, s, rest = 1.0, 0.0, 0
    for _ in range(3):
        s = s + np.sum(out * w) + np.mean(rest * w)
        out = out * x
        rest = np.exp(-rest) * x + out
    last = 0
    for _ in range(n):
        last = last + x
    while w < 0:
        rest = rest + x
        w = w + 1
    return s + np.sum(x * (w + last)) + np.mean(last) + np.sum(last * w + rest)


def arguments():
    return np.array([0.5, 0.7, 1.2]), 1.3, 0
