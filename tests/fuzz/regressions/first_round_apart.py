"""In the first round `a` is the array that `b` shows, in later ones it is new; there may be no round."""

import numpy as np

WRT = "x"


def f(x, n):
    a = x * 1.0
    b = a[::-1]
    for i in range(n):
        a[i] *= np.sin(x[i])
        a = a * x + b
    a[0] = np.cos(a[1])
    k = 0
    while k < n:
        k += 1
        b[k] += a[k] * b[0]
        b = b * a
    return np.sum(a * b)


def arguments():
    return np.array([0.3, -0.7, 1.1, 0.4]), 3
