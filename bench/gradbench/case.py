"""What a module of an eval gives to the runner, and the differences that it is checked against.

Enters: functions of arrays.  Leaves: their Jacobians by extrapolated central differences, in which no
derivative rule of any tool is involved.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Call = Callable[[], Any]
STEP = 2.0**-7
ACCURACY = 1e-8


@dataclass(frozen=True)
class Case:
    """`primal` and `gradient` are timed against one another; each check is what is found and what is true.

    Both entries of a check are calls that return an array, a number or a tuple of them.  An eval that asks
    for several variants has a check for each, so that one that is refused does not hide the others.
    """

    primal: Call
    gradient: Call
    checks: dict[str, tuple[Call, Call]]


def differences(function: Callable[..., Any], arguments: tuple[Any, ...], position: int = 0) -> Any:
    """The Jacobian with respect to one argument, of the shape of the result and then of the argument.

    Differences at three steps that halve, extrapolated twice (Ridders 1982): the error is of sixth order.
    """
    point = np.asarray(arguments[position], dtype=float)
    columns = []
    for index in np.ndindex(point.shape):
        rows = [_difference(function, arguments, position, index, STEP / 2**halving) for halving in range(3)]
        finer = [(4 * rows[1] - rows[0]) / 3, (4 * rows[2] - rows[1]) / 3]
        columns.append((16 * finer[1] - finer[0]) / 15)
    return np.stack(columns, axis=-1).reshape(np.shape(columns[0]) + point.shape)


def _difference(
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    position: int,
    index: tuple[int, ...],
    step: float,
) -> Any:
    values = []
    for signed in (step, -step):
        point = np.array(arguments[position], dtype=float)
        point[index] += signed
        moved = float(point) if point.ndim == 0 else point
        values.append(np.asarray(function(*arguments[:position], moved, *arguments[position + 1 :])))
    return (values[0] - values[1]) / (2 * step)


def error(found: Any, expected: Any) -> float:
    """The largest difference, relative to the largest entry of `expected`."""
    if isinstance(expected, tuple):
        return max(error(one, other) for one, other in zip(found, expected, strict=True))
    found, expected = np.asarray(found), np.asarray(expected)
    if found.shape != expected.shape or not np.all(np.isfinite(found)):
        return float("inf")
    size = float(np.max(np.abs(expected), initial=0.0))
    return float(np.max(np.abs(found - expected), initial=0.0)) / (size or 1.0)
