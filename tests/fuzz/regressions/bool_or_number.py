"""Python arithmetic on what is a bool or a float."""
# ruff: noqa

import numpy as np


def f(x, k):
    a = x
    if k > 2:
        a = True
    return x * a + (x if a else 3.0) + np.add(a, a) - a


WRT = "x"


def arguments():
    return 0.7, 3
