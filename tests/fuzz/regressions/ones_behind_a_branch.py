"""A cotangent that is 1 all over is one of floats, as what the branch writes into is."""

import numpy as np

WRT = "x"


def f(x, y, n):
    ratio = np.where(np.abs(y) > 0.2, 1.2, np.log(np.abs(y)))
    if np.mean(ratio) > 9:
        ratio = np.subtract(ratio, y) @ (x * np.sqrt(2.0))
    else:
        total = 0.0
        for k in range(n):
            ratio[np.abs(ratio[:, 0]) > 0.53, 0] = total / (1 + total**2)
            total += 0.5 * np.sum(x[k])
    return ratio.sum()


def arguments():
    return np.array([[0.3, 0.4], [1.0, -2.0]]), np.array([[0.1, 0.4], [1.0, 0.2]]), 2
