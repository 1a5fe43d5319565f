"""What is not set where the function returns before; the way back measures it for a zero."""

import numpy as np

WRT = "x"


def f(x, n):
    if x[0, 0] > 0:
        if x.mean() > 0:
            return 1.0
    else:
        rows = x[0]
    for i in range(n):
        last = rows * x[i]
    if n == 0:
        return np.sum(rows)
    return np.sum(last)


def arguments():
    return np.array([[0.3, -0.7], [1.1, 0.4]]), 1
