"""llsq: half the squared distance of a polynomial from the sign function, at n places of [-1, 1]."""

from __future__ import annotations

import numpy as np

import symdiff
from bench.gradbench.case import Case


def objective(x, n):
    t = -1 + np.arange(n) * 2 / (n - 1)
    powers = t[:, None] ** np.arange(len(x))
    residual = np.sign(t) - powers @ x
    return 0.5 * np.sum(residual**2)


def by_horner(x, n):
    """The same, one coefficient after the other."""
    t = np.linspace(-1, 1, n)
    polynomial = np.zeros(n)
    for coefficient in x[::-1]:
        polynomial = polynomial * t + coefficient
    return 0.5 * np.sum((np.sign(t) - polynomial) ** 2)


def derived(x, n):
    t = np.linspace(-1, 1, n)
    powers = np.vander(t, len(x), increasing=True)
    return powers.T @ (powers @ x - np.sign(t))


def case(rng: np.random.Generator, tiny: bool) -> Case:
    # An even number of places: at t = 0 the two ways to compute t differ in sign.
    n, x = (16, rng.standard_normal(4)) if tiny else (1024, rng.standard_normal(16))
    gradient, second = symdiff.grad(objective), symdiff.grad(by_horner)
    checks = {
        "gradient": (lambda: gradient(x, n), lambda: derived(x, n)),
        "by Horner": (lambda: second(x, n), lambda: derived(x, n)),
    }
    return Case(lambda: objective(x, n), lambda: gradient(x, n), checks)
