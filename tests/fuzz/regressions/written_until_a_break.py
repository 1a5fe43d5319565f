"""Lengths of an array that are equal in the round that writes into it."""
# ruff: noqa

import numpy as np

WRT = "σ"


def f(σ):
    for j13 in range(2):
        if np.sum(σ):
            break
        σ -= σ.T
    for j22 in σ:
        σ = σ
    return 1.0


def arguments():
    σ = np.ones((2, 2))
    return (σ,)
