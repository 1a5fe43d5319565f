"""A parameter that is called as an unread result is."""

# ruff: noqa

import numpy as np

WRT = "u"


def f(_, u):
    u[0] = np.linalg.slogdet(np.eye(5))[1]
    if np.sum(np.moveaxis(_, 0, -1)):
        return u
    c = 1.0
    return c


def arguments():
    _ = np.ones(2)
    u = np.ones(2)
    return (_, u)
