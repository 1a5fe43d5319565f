"""det: the determinant by expansion by minors, a recursion over the rows."""

from __future__ import annotations

import numpy as np

import symdiff
from bench.gradbench.case import Case


def determinant(matrix):
    size = matrix.shape[0]
    if size == 1:
        return matrix[0, 0]
    total = 0.0
    sign = 1.0
    for column in range(size):
        minor = np.delete(matrix[1:], column, axis=1)
        total += sign * matrix[0, column] * determinant(minor)
        sign = -sign
    return total


def primal(entries, size):
    return determinant(entries.reshape(size, size))


def derived(entries, size):
    """Jacobi's formula: the gradient of the determinant is the determinant times the inverse's transpose."""
    matrix = entries.reshape(size, size)
    return (np.linalg.det(matrix) * np.linalg.inv(matrix).T).ravel()


def case(rng: np.random.Generator, tiny: bool) -> Case:
    size = 4 if tiny else 5
    entries = rng.random(size * size)
    gradient = symdiff.grad(primal)
    checks = {"gradient": (lambda: gradient(entries, size), lambda: derived(entries, size))}
    return Case(lambda: primal(entries, size), lambda: gradient(entries, size), checks)
