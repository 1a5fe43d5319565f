"""Slopes of the undecorated program: complex steps where it is analytic, and extrapolated differences.

Enters: the text of a module and its arguments.  Leaves: derivatives by coordinate.  Invariant: where the
program decides otherwise nearby there is no slope: a complex step gives nothing, a difference an infinite
error.
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from fuzz.oracle import NOT_ANALYTIC, Oracle
from fuzz.values import leaves, mapped


class Reference:
    """Slopes of a program at its arguments.  `places` are those of the arguments that count, `seed` the
    weights of the results."""

    def __init__(self, text: str, args: list[Any], places: list[int], seed: Any, single: bool):
        self.args, self.places, self.seed = args, places, list(leaves(seed))
        self.double = Oracle(text, float)
        body = text[max(text.find("Pair ="), 0) : text.index("def arguments")]
        self.complex = None if NOT_ANALYTIC.search(body) else Oracle(text, complex)
        self.single = single
        self.plain()
        self.decisions = self.double.trace.decisions

    def plain(self) -> Any:
        """The value of the oracle's copy of the program."""
        return self.double([mapped(self._own(self.double), value) for value in self.args])

    def coordinates(self) -> list[tuple[int, tuple[int, ...]]]:
        found = [leaf for place in self.places for leaf in leaves(self.args[place])]
        return [(leaf, index) for leaf, value in enumerate(found) for index in np.ndindex(np.shape(value))]

    def _own(self, oracle: Oracle) -> Callable[[Any], Any]:
        def own(value: Any) -> Any:
            return oracle.lifted(value.copy(order="K") if isinstance(value, np.ndarray) else value)

        return own

    def moved(self, oracle: Oracle, leaf: int, index: tuple[int, ...], step: Any) -> Any:
        """The weighted sum of the results with one coordinate of a leaf moved."""
        count = itertools.count()
        own = self._own(oracle)

        def move(value: Any) -> Any:
            value = own(value)
            if next(count) != leaf:
                return value
            if not isinstance(value, np.ndarray):
                return value + step
            value[index] += step
            return value

        args = [mapped(own, value) if i not in self.places else value for i, value in enumerate(self.args)]
        for place in self.places:
            args[place] = mapped(move, self.args[place])
        results = leaves(oracle(args))
        return sum(np.sum(np.asarray(a) * weight) for a, weight in zip(results, self.seed, strict=True))

    def complex_step(self, leaf: int, index: tuple[int, ...]) -> float | None:
        """The derivative to all digits, or nothing where the program is not analytic here."""
        if self.complex is None:
            return None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", np.exceptions.ComplexWarning)
                result = self.moved(self.complex, leaf, index, 1e-30j)
        except (TypeError, ValueError, np.exceptions.ComplexWarning):
            return None
        return None if self.complex.trace.kink else float(np.imag(result) / 1e-30)

    def slope(self, leaf: int, index: tuple[int, ...]) -> tuple[float, float]:
        """Richardson's extrapolation with the estimate of its error: infinite where a decision changes."""

        def difference(h: float) -> float:
            up = self.moved(self.double, leaf, index, h)
            same = self.double.trace.decisions == self.decisions
            down = self.moved(self.double, leaf, index, -h)
            same = same and self.double.trace.decisions == self.decisions
            return float(up - down) / (2 * h) if same else math.nan

        best = (0.0, math.inf)
        for h in (1e-3, 2e-4, 4e-5, 4e-6):
            a, b, c = (difference(step) for step in (h, h / 2, h / 4))
            first, second = (4 * b - a) / 3, (4 * c - b) / 3
            found = ((16 * second - first) / 15, abs(second - first))
            if found[1] < best[1]:
                best = found
            if best[1] < 1e-9 * (1 + abs(best[0])):
                break
        return best
