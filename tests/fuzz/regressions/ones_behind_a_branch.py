"""A cotangent that is 1 all over is one of floats, as what the branch writes into is."""

import numpy as np

WRT = "x", "y", "z"


def f(x, y, z):
    ratio = np.where(np.abs(y) > 0.2, 1.2, np.log(np.abs(y)))
    theta = y if np.sum(y) > 0.5 else 1
    h = np.mean(z, axis=1) / np.sum(theta @ y.T)
    if np.mean(ratio) > 0:
        ratio[:] = np.subtract(ratio, y) @ (x * np.sqrt(2.0))
        np.subtract(np.dot(h, x), ratio, out=ratio)
    else:
        total = 0.0
        for _ in x:
            ratio[np.abs(ratio[:, 0]) > 0.53, 0] = total / (1 + total**2)
    return ratio.sum()


def arguments():
    y = np.array([[0.3, -0.7, 0.5], [1.1, 0.4, -0.25]])
    return np.array([[0.3, 0.4, 0.1], [1.0, -2.0, 0.5], [0.1, 0.2, 0.3]]), y, np.array([[0.1, 0.4]] * 3)
