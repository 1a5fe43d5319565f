"""Rows as users call them: complex values that only run time knows, and arrays in the place of lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg
import scipy.stats

import symdiff

RNG = np.random.default_rng(3)
REAL = RNG.normal(size=(4, 4))
COMPLEX = RNG.normal(size=4) + 1j * RNG.normal(size=4)
WEIGHTS = RNG.normal(size=40)


def compare(function: Callable[[Any], Any], x: Any) -> None:
    """The gradient, and that of its product with a direction, against differences."""
    along = RNG.normal(size=x.shape) + (1j * RNG.normal(size=x.shape) if np.iscomplexobj(x) else 0)

    def slope(of: Callable[[Any], Any], step: float = 1e-5) -> float:
        return float((of(x + step * along) - of(x - step * along)) / (2 * step))

    gradient = symdiff.grad(function)
    assert np.real(np.vdot(gradient(x), along)) == pytest.approx(slope(function), rel=1e-6, abs=1e-8)
    second = symdiff.hvp(function)((x,), along)
    across = np.real(np.vdot(second, along))
    assert across == pytest.approx(slope(lambda x: np.real(np.vdot(gradient(x), along))), rel=1e-6, abs=1e-7)


UNKNOWN = [
    lambda x: np.sum(np.abs(np.linalg.eig(x)[0]) ** 3),
    lambda x: np.sum(np.abs(np.linalg.eig(x)[1]) * np.arange(4.0)),
    lambda x: np.sum(np.imag(np.linalg.eigvals(x)) ** 2),
    lambda x: np.sum(np.abs(scipy.linalg.sqrtm(x)) ** 3),
    lambda x: np.sum(np.imag(scipy.linalg.sqrtm(x + x.T)) ** 2),  # negative eigenvalues
]


@pytest.mark.parametrize("function", UNKNOWN)
def test_of_real_matrices_with_complex_values(function: Callable[[Any], Any]) -> None:
    compare(function, REAL)


OF_COMPLEX = [
    lambda z: np.abs(np.sum(np.maximum(z, 0.0) ** 2)),
    lambda z: np.abs(np.sum(np.minimum(z, 0.3 - 1j) ** 2)),
    lambda z: np.sum(np.abs(z) ** 3),
    lambda z: np.linalg.norm(z, ord=3),
    lambda z: np.sum(np.imag(np.sign(z)) ** 2),
    lambda z: np.std(z) * np.var(z, ddof=1),
    lambda z: np.nanstd(z),
]


@pytest.mark.parametrize("function", OF_COMPLEX)
def test_of_complex_numbers(function: Callable[[Any], Any]) -> None:
    compare(function, COMPLEX)


def test_real_of_a_python_number() -> None:
    gradient = symdiff.grad(lambda x: np.sum(np.real(x)) * np.real(x) + np.imag(x))(2.0)
    assert type(gradient) is float
    assert gradient == 4.0


STACKS = [np.concatenate, np.vstack, np.hstack, np.dstack, np.column_stack, np.stack]


@pytest.mark.parametrize("shape", [(3,), (3, 4), (2, 3, 2), (2, 3, 1, 2)])
@pytest.mark.parametrize("join", STACKS, ids=lambda f: f.__name__)
def test_an_array_stands_for_a_list(join: Callable[..., Any], shape: tuple[int, ...]) -> None:
    if join is np.concatenate and len(shape) < 2:
        return

    def function(x: Any) -> Any:
        return np.sum(np.ravel(join(x)) ** 2 * WEIGHTS[: x.size])

    x = RNG.normal(size=shape)
    expected = join(np.arange(x.size).reshape(shape)).ravel()
    gradient = symdiff.grad(function)(x)
    np.testing.assert_allclose(gradient.ravel()[expected], 2 * x.ravel()[expected] * WEIGHTS[: x.size])


@pytest.mark.parametrize("axis", [0, 1, -1, None])
def test_joined_along_an_axis(axis: int | None) -> None:
    def function(x: Any) -> Any:
        return np.sum(np.ravel(np.concatenate(x, axis=axis)) ** 2 * WEIGHTS[:12])

    x = RNG.normal(size=(2, 3, 2))
    order = np.concatenate(np.arange(12).reshape(2, 3, 2), axis=axis).ravel()
    np.testing.assert_allclose(symdiff.grad(function)(x).ravel()[order], 2 * x.ravel()[order] * WEIGHTS[:12])


@pytest.mark.parametrize("length", [4, 5, 6, 7])
def test_pieces_of_a_length_that_is_unknown(length: int) -> None:
    def function(x: Any) -> Any:
        return np.array_split(x, 4)

    x = RNG.normal(size=length)
    value, pullback = symdiff.vjp(function)(x)
    assert type(value) is list
    assert [len(one) for one in value] == [len(one) for one in function(x)]
    np.testing.assert_array_equal(pullback([i + one for i, one in enumerate(value)]), np.concatenate(
        [i + one for i, one in enumerate(function(x))]
    ))  # fmt: skip


def test_distribution_functions_at_the_edges() -> None:
    for name, shapes in (("chi2", (1,)), ("gamma", (0.5,)), ("beta", (0.5, 0.5)), ("t", (2.5,))):
        distribution = getattr(scipy.stats, name)

        def function(x: Any, cdf: Any = distribution.cdf, shapes: Any = shapes) -> Any:
            return np.sum(cdf(x, *shapes))

        x = np.array([-1.0, 0.3, 0.7])
        np.testing.assert_allclose(symdiff.grad(function)(x), distribution.pdf(x, *shapes), rtol=1e-12)
        assert function(np.array([3.0])) == distribution.cdf(3.0, *shapes)
