"""The probe catches wrong rewrites, also those that are right almost everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from simplify.programs import VECTOR, program, without_folds

from symdiff.ops.elementwise import sqrt
from symdiff.simplify.probe import agrees

Pair = Callable[..., tuple[Any, Any]]

WRONG: dict[str, Pair] = {
    "a sign": lambda a, b: (a * b + a, a * b - a),
    "a factor": lambda a, b: (2 * (a * b), 3 * (a * b)),
    "a term lost": lambda a, b: (a * b + 1e-3 * a, a * b),
    "operands swapped": lambda a, b: (a / b, b / a),
    "an exponent": lambda a, b: (a**2 * b, a**3 * b),
    "right at 1 only": lambda a, b: (a * b, a * b * b),
    "a pole lost": lambda a, b: (a / b - a / (b + b**2), a / (1 + b) - b * 0),
    "a pole gained": lambda a, b: (a + b, (a * a - b * b) / (a - b)),
    "NaN lost": lambda a, b: (b * 0 + a, a * 1),
    "infinity lost": lambda a, b: (a * b / b, a * 1),
    "cancellation": lambda a, b: ((a - b) * (a + b), a**2 - b**2),
    "catastrophic cancellation": lambda a, b: (1 / (1 + a**2), (1 + a**2 - a**2) * (1 + b - b) / (1 + a**2)),
    "overflow": lambda a, b: (a / (1 + a), a * a / (a + a * a)),
    "overflow of a square": lambda a, b: (b / a, b * a / a**2),
    "underflow of a square": lambda a, b: (1 / a, a / (a * a)),
    "sigmoid by its odds": lambda a, b: (1 / (1 + a), a**2 / (a**2 + a**3)),
}

RIGHT: dict[str, Pair] = {
    "commuted": lambda a, b: (a * b + a, a + b * a),
    "factored": lambda a, b: (a * b + a, a * (b + 1)),
    "sign moved": lambda a, b: (-(a * b), a * -b),
    "quotient of quotients": lambda a, b: (a / (2 * b), a / b / 2),
    "0/0 made finite": lambda a, b: (b * (a / a) + a, b + a),
    "odds": lambda a, b: (b / (1 + a) - b, b * (1 / (1 + a) - 1)),
}


def roots(pair: Pair) -> tuple[Any, Any, list[Any]]:
    with without_folds():
        function = program(pair, VECTOR, VECTOR)
    old, new = function.results
    return old, new, list(function.params)


@pytest.mark.parametrize("name", WRONG)
def test_a_planted_wrong_rewrite_is_refused(name: str) -> None:
    old, new, leaves = roots(WRONG[name])
    assert not agrees(old, new, leaves)


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_rewrite_is_taken(name: str) -> None:
    old, new, leaves = roots(RIGHT[name])
    assert agrees(old, new, leaves)


def test_a_root_squared_may_read_its_radicand_but_not_make_nan_finite() -> None:
    with without_folds():
        function = program(
            lambda a, b: (b / (sqrt(a) * sqrt(a)), b / a, sqrt(a) ** 2 / b, a / b), VECTOR, VECTOR
        )
    old, new, _, _ = function.results
    leaf = old.args[1].args[0]
    assert leaf.op.name == "sqrt"
    assert not agrees(old, new, [leaf, function.params[1]])
