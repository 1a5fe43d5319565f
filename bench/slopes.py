"""Directional derivatives by finite differences, as exact as double precision lets them be.

Enters: a function of one number.  Leaves: its slope at zero and an estimate of that slope's own error.
Central differences at steps that halve, each new row extrapolated against the ones before (Ridders 1982,
Numerical Recipes 5.7); the entry is taken that changed least.  No derivative rule of any tool is involved.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

ROWS = 12


def slope(function: Callable[[float], float], step: float = 2.0**-6, rows: int = ROWS) -> tuple[float, float]:
    """`(derivative at 0, error estimate)`; the estimate is large where the function is not smooth."""
    best, error = float("nan"), float("inf")
    above: list[float] = []
    for _ in range(rows):
        row = [(function(step) - function(-step)) / (2 * step)]
        for order, previous in enumerate(above, start=1):
            row.append(row[-1] + (row[-1] - previous) / (4.0**order - 1))
            change = max(abs(row[-1] - row[-2]), abs(row[-1] - previous))
            if change < error:
                best, error = row[-1], change
        above, step = row, step / 2
    return best, error


def moved(value: Any, direction: Any, step: float) -> Any:
    """`value + step * direction`, a fresh object of the same type."""
    return type(value)(value + step * direction) if np.ndim(value) == 0 else value + step * direction


def direction_like(value: Any, rng: np.random.Generator) -> Any:
    """A random direction as large as `value` itself, or of size one where that is zero."""
    shape = np.shape(value)
    drawn: Any = rng.standard_normal(shape)
    if np.iscomplexobj(value):
        drawn = drawn + 1j * rng.standard_normal(shape)
    size = float(np.sqrt(np.mean(np.abs(value) ** 2))) if np.size(value) else 1.0
    return drawn * (size or 1.0)


def along(gradient: Any, direction: Any) -> tuple[float, float]:
    """The derivative along `direction`, and the size that such a sum has when nothing cancels.

    A complex gradient is dL/dx + i dL/dy: the derivative along d is the real part of conj(gradient) * d.
    """
    terms = np.real(np.conj(gradient) * direction)
    return float(np.sum(terms)), float(np.sqrt(np.sum(np.square(terms))))
