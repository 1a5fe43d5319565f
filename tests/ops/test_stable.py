"""`stable=True`: each rewrite where its formula fails, and none without the licence."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest

import symdiff
from bench.stability import CASES, errors
from symdiff.errors import WrtError
from symdiff.ops.stable import TABLE
from symdiff.testing import check_grads

X = np.array([0.3, -0.7, 1.1])


@pytest.mark.parametrize("name", [one.name for one in TABLE])
def test_errors_after_the_rewrite(name: str) -> None:
    before, after = errors(CASES[name], stable=False), errors(CASES[name], stable=True)
    assert max(before) > 1e-6
    assert max(after) < 2e-15


@pytest.mark.parametrize("name", [one.name for one in TABLE])
def test_the_rewritten_function_is_the_function(name: str) -> None:
    function, _, _ = CASES[name]
    for x in (0.3, 2.0):
        plain, stable = (symdiff.differentiate(function, stable=licensed) for licensed in (False, True))
        np.testing.assert_allclose(stable.value_and_grad(x), plain.value_and_grad(x), rtol=1e-13)
        np.testing.assert_allclose(stable.jvp((x,), (1.0,)), plain.jvp((x,), (1.0,)), rtol=1e-13)
        check_grads(symdiff.differentiate(function, stable=True).grad, (x,), order=1)


def test_the_report_has_all_rewrites() -> None:
    text = (pathlib.Path(__file__).parents[2] / "docs" / "stability.md").read_text()
    for one in TABLE:
        assert f"| {one.name} | `{one.formula}` |" in text


def test_nothing_is_rewritten_without_a_licence() -> None:
    source = symdiff.value_and_grad(lambda x: np.sum(np.log(1 + np.exp(x)))).source_for(X)
    assert "np.log(" in source
    assert "logaddexp" not in source
    licensed = symdiff.value_and_grad(lambda x: np.sum(np.log(1 + np.exp(x))), stable=True).source_for(X)
    assert "logaddexp" in licensed
    assert "np.log(" not in licensed


def test_the_licence_ends_with_the_function() -> None:
    inner = symdiff.differentiate(lambda x: np.exp(x) - 1, stable=True)
    source = symdiff.value_and_grad(lambda x: (np.exp(x) - 1) * 2).source_for(0.3)
    assert "expm1" not in source
    assert "expm1" in inner.value_and_grad.source_for(0.3)


def test_whole_axes() -> None:
    x = np.array([[1000.0, 999.0], [-1000.0, -1001.0]])

    def cross_entropy(x: Any) -> Any:
        e = np.exp(x)
        return -np.mean(np.log(e / np.sum(e, axis=1, keepdims=True))[:, 0])

    value, gradient = symdiff.value_and_grad(cross_entropy, stable=True)(x)
    np.testing.assert_allclose(value, np.log1p(np.exp(-1)))
    p = 1 / (1 + np.exp(-1))
    np.testing.assert_allclose(gradient, np.array([[p - 1, 1 - p]] * 2) / 2)

    def total(x: Any) -> Any:
        return np.sum(np.log(np.sum(np.exp(x), axis=0)))

    value, gradient = symdiff.value_and_grad(total, stable=True)(x)
    np.testing.assert_allclose(value, 1999.0)
    np.testing.assert_allclose(gradient, [[1, 1], [0, 0]])


def test_infinite_exponents() -> None:
    def loss(x: Any) -> Any:
        return np.log(np.sum(np.exp(x)))

    both = symdiff.value_and_grad(loss, stable=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        assert both(np.array([-np.inf, -np.inf]))[0] == -np.inf
    value, gradient = both(np.array([-np.inf, 2.0]))
    assert value == 2
    np.testing.assert_array_equal(gradient, [0, 1])


def test_what_is_written_into_later() -> None:
    def loss(x: Any) -> Any:
        z = x * 1
        e = np.exp(z)
        z[0] = 5.0
        return np.sum(np.log(1 + e) * z)

    plain, stable = (symdiff.value_and_grad(loss, stable=licensed)(X) for licensed in (False, True))
    np.testing.assert_allclose(plain[0], stable[0])
    np.testing.assert_allclose(plain[1], stable[1])


def test_complex_numbers_stay_as_written() -> None:
    f = symdiff.value_and_grad(lambda z: np.sum(np.abs(np.log(1 + np.exp(z)))), stable=True)
    assert "logaddexp" not in f.source_for(np.array([1j, 2.0]))


def test_locals_cannot_be_kept() -> None:
    with pytest.raises(WrtError, match="keep"):
        symdiff.differentiate(lambda x: x, stable=True, keep="y")
