"""Sums that are zero by algebra are found, and nothing else is taken for zero."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from simplify.programs import COLUMN, MATRIX, SCALAR, VECTOR, N, program, without_folds

from symdiff.ir.build import Builder
from symdiff.ops.elementwise import exp
from symdiff.ops.reductions import add_reduce
from symdiff.ops.sums import vanishes

SQUARE = (N, N)
Case = tuple[Callable[..., Any], tuple[Any, ...], tuple[int, ...] | None]


def along(x: Any) -> Any:
    return add_reduce(x, axis=1, keepdims=True)


def dropped(x: Any) -> Any:
    return add_reduce(x, axis=1)


ZERO: dict[str, Case] = {
    "x - x": (lambda a, b: a - a, (MATRIX, MATRIX), None),
    "2x - x - x": (lambda a, b: 2 * a - a - a, (MATRIX, MATRIX), None),
    "softmax": (lambda a, b: a - exp(b) * (along(a) / along(exp(b))), (MATRIX, MATRIX), (1,)),
    "softmax of a vector": (lambda a, b: a - b * (add_reduce(a) / add_reduce(b)), (VECTOR, VECTOR), (0,)),
    "a factor on both": (lambda a, b: 3 * a - b * (along(3 * a) / along(b)), (MATRIX, MATRIX), (1,)),
    "what is constant along the axis": (
        lambda a, b: b * a - along(b * a) / along(a) * a,
        (MATRIX, COLUMN),
        (1,),
    ),
}
NOT_ZERO: dict[str, Case] = {
    "x": (lambda a, b: a, (MATRIX, MATRIX), (1,)),
    "a - b": (lambda a, b: a - b, (MATRIX, MATRIX), None),
    "the other axis": (lambda a, b: a - exp(b) * (along(a) / along(exp(b))), (MATRIX, MATRIX), (0,)),
    "both axes of a scaled": (lambda a, b: 2 * a - b * (along(a) / along(b)), (MATRIX, MATRIX), (1,)),
    "square, sums without keepdims": (lambda a, b: a - b * (dropped(a) / dropped(b)), (SQUARE, SQUARE), (1,)),
    "square, one sum without keepdims": (
        lambda a, b: a - b * (along(a) / dropped(b)),
        (SQUARE, SQUARE),
        (1,),
    ),
    "not divided": (lambda a, b: a - b * along(a), (MATRIX, MATRIX), (1,)),
    "a constant": (lambda a, b: a * 0 + 1, (MATRIX, MATRIX), (1,)),
    "infinity": (lambda a, b: a + float("inf") - a, (MATRIX, MATRIX), None),
    "a scalar": (lambda a, b: a * b - b, (VECTOR, SCALAR), (0,)),
}


def judged(case: Case) -> bool:
    build, dims, axes = case
    with without_folds():
        function = program(build, *dims)
    with Builder(function.sizes):
        return vanishes(function.results[0], axes)


@pytest.mark.parametrize("name", ZERO)
def test_it_vanishes(name: str) -> None:
    assert judged(ZERO[name])


@pytest.mark.parametrize("name", NOT_ZERO)
def test_it_does_not_vanish(name: str) -> None:
    assert not judged(NOT_ZERO[name])
