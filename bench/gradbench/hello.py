"""hello: the square of a number, and its derivative."""

from __future__ import annotations

import numpy as np

import symdiff
from bench.gradbench.case import Case


def square(x):
    return x * x


def case(rng: np.random.Generator, tiny: bool) -> Case:
    x = float(rng.standard_normal())
    double = symdiff.grad(square)
    return Case(lambda: square(x), lambda: double(x), {"double": (lambda: double(x), lambda: 2 * x)})
