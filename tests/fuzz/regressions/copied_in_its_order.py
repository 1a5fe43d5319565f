"""An array in Fortran's order that is written into: its sums are added up in that order."""
# ruff: noqa

import numpy as np

WRT = "match"


def f(match):
    match[0] = np.sin(match[1])
    return np.sum(match) + sum(np.sum(match * k) for k in range(20))


def arguments():
    r = np.random.default_rng(1460)
    return (np.asfortranarray(r.uniform(-1.5, 1.5, (33, 15, 7))),)
