"""A gradient that is part of a number spread over an array is an array of its own."""

# ruff: noqa

import numpy as np


def keep(u, v):
    w = u
    u = w * 2
    return u - w


WRT = "slice"


def f(slice, complex):
    θ = complex = complex
    return 0.5 * np.sum(np.concatenate([keep(slice["a key"], np), np.average(θ, axis=1)]))


def arguments():
    slice = {"a key": np.array([1, 0.7])}
    complex = np.ones((2, 2))
    return (slice, complex)
