"""A parameter called as an unread result is, that is called otherwise in the generated code."""
# ruff: noqa

import numpy as np

WRT = "copy"


def f(f_grad, copy, _):
    f_grad[0] = np.linalg.slogdet(np.eye(1))[1]
    g1 = f_grad.sum()
    while True:
        g1 = 0.6 * g1
        if g1 < 1:
            break
        out = np.zeros(_.shape[0])
        total = out.mean()
    return total


def arguments():
    r = np.random
    _ = r.uniform(1, 1, (3, 3))
    return _, 1.0, np.ones((3, 3))
