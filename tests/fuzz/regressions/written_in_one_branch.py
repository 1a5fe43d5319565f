"""Lengths of an array that are equal in the branch that writes into it."""
# ruff: noqa

import numpy as np

WRT = "match"


def f(match):
    b = match
    parts = []
    t = np.sum(parts)
    if t:
        b *= b @ match
    while t:
        b = b
    return 1.0


def arguments():
    match = np.ones((2, 2))
    return (match,)
