"""Seed 3033: a parameter and a value called `_` beside loops whose counters nobody reads."""

import numpy as np

WRT = "_"


def halved(_):
    for _k in range(3):
        _ = _ * 0.5 + np.sin(_)
    return _


def f(_):
    total = np.sum(_)
    for _k in range(2):
        total = 0.5 * total
    return total * np.sum(halved(_))


def arguments():
    return (np.array([0.7, -0.2, 1.1]),)
