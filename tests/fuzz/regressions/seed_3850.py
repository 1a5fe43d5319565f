"""Seed 3850: a reshape in Fortran's order behind one in C's."""

import numpy as np

WRT = "w"


def f(w):
    part = w.reshape(15).reshape((5, 3), order="F")
    other = w.reshape(15, order="F").reshape((3, 5))
    return np.sin(part) @ other


def arguments():
    return (np.linspace(-1.0, 1.0, 15).reshape(5, 3),)
