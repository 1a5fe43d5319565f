"""Seed 4157: an axis of what is a number when the loop is read for the first time."""

import numpy as np

WRT = "w"


def power(u, n=3):
    out = 1.0
    for _ in range(n):
        out = out * u
    return out


def f(w):
    part = w
    for _ in range(2):
        part = part * np.tensordot(power(part), part, axes=(0, 0))
    return part


def arguments():
    return (np.array([0.5, 0.7]),)
