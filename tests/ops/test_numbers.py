"""Which values of array type may be Python numbers, and how code copes with them."""

from __future__ import annotations

import numpy as np
import pytest

from symdiff import differentiate
from symdiff.ir import control, types
from symdiff.ir.build import Builder
from symdiff.ir.node import LEAF
from symdiff.ops.numbers import maybe_numbers

VECTOR = types.array("float64", (types.Size("n0"),))
OWN = types.array("float64", (types.Size("?9"),))


@pytest.fixture(autouse=True)
def memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMDIFF_CACHE", "memory")


def summed(stop):
    """A loop that begins with a number and adds a vector to it."""
    with Builder() as builder:
        x = builder.param(VECTOR, "x")
        n = builder.param(types.number("int"), "n") if stop is None else stop
        with builder.region(types.number("int"), OWN) as body:
            body.results = (body.params[1] + x,)
        (total,) = control.count(0, n, 1, (0.0,), body)
        twice, root = total + total, x + x
        return builder, total, builder.finish("f", (x,), (twice + root,), LEAF), body


def test_a_loop_that_runs_makes_an_array_of_a_number():
    _, total, function, body = summed(3)
    assert total.type == VECTOR
    assert body.params[1] in maybe_numbers(function)


def test_of_a_loop_that_may_not_run_nothing_is_known_but_that_it_broadcasts():
    builder, total, function, _ = summed(None)
    assert all(map(types.may_be_one, builder.sizes.resolve(total.type.dims)))
    found = maybe_numbers(function)
    assert total in found
    assert function.results[0] not in found


def power(x, n):
    out = 1.0
    for _ in range(n):
        out = out * x
    return np.sum(out * x.shape[0]) + np.mean(out * x)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_a_number_is_asked_by_functions(n):
    x = np.array([0.3, 0.7, 1.1])
    made = differentiate(power, wrt="x").grad(x, n)
    step = 1e-6 * np.eye(3)
    slopes = [(power(x + h, n) - power(x - h, n)) / 2e-6 for h in step]
    np.testing.assert_allclose(made, slopes, rtol=1e-6, atol=1e-6)


def chosen(x, c):
    return (1.0 if c > 0 else x) * np.float32(2)


def test_a_gradient_is_as_narrow_as_its_argument():
    x = np.array([0.3, 0.7], dtype=np.float32)
    for c in (-1.0, 1.0):
        _, pullback = differentiate(chosen, wrt="x").vjp(x, c)
        gradient = pullback(np.ones(2, np.float32) if c < 0 else 1.0)
        assert gradient.dtype == np.float32
        assert gradient.shape == (2,)
