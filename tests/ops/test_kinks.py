"""Values at kinks, poles and ties: one assertion per cell of the table in the documentation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ops.evaluate import evaluate
from ops.samples import Sample, Staged, args

from symdiff.ops.row import REGISTRY

INF, NAN = float("inf"), float("nan")


def gradients(name: str, *values: Any, **attrs: Any) -> list[Any]:
    """Gradients of the sum of the result with respect to every staged argument."""
    one = Sample(REGISTRY[name], lambda r: args(*values, **attrs))
    base = one.numpy(one.values)
    back = one.pulled_back(one.function, [0])
    seed = (
        1.0 if isinstance(base[0], float) and one.outputs[0].type.kind == "number" else np.ones_like(base[0])
    )
    parts = iter(evaluate(back, *one.values, seed))
    return [next(parts) if reached else 0.0 for reached in one.reached]


def at(*values: float) -> np.ndarray:
    return np.array(values[0] if len(values) == 1 else values, dtype=float)


CELLS: list[Any] = [
    ("absolute", [at(0)], [0]),
    ("fabs", [at(0)], [0]),
    ("math.fabs", [Staged(0.0)], [0]),
    ("sign", [at(0)], [0]),
    ("maximum", [at(0), 0], [0.5]),
    ("maximum", [0, at(0)], [0.5]),
    ("maximum", [at(-1, 0, 1), 0.0], [at(0, 0.5, 1)]),
    ("maximum", [at(1, 2, 3), 2], [at(0, 0.5, 1)]),
    ("maximum", [at(1, 1), at(1, 0)], [at(0.5, 1), at(0.5, 0)]),
    ("maximum", [at(-INF), at(-INF)], [0.5, 0.5]),
    ("minimum", [at(-1, 0, 1), 0], [at(1, 0.5, 0)]),
    ("minimum", [at(2, 2), at(2, 3)], [at(0.5, 1), at(0.5, 0)]),
    ("fmax", [at(1, 1, NAN), at(1, NAN, 1)], [at(0.5, 1, 0), at(0.5, 0, 1)]),
    ("fmin", [at(1, 1, NAN), at(1, NAN, 1)], [at(0.5, 1, 0), at(0.5, 0, 1)]),
    ("builtins.max", [Staged(1.0), Staged(1.0)], [0.5, 0.5]),
    ("max", [at(1, 1, 0)], [at(0.5, 0.5, 0)]),
    ("min", [at(1, 1, 3)], [at(0.5, 0.5, 0)]),
    ("clip", [at(-1, 0, 0.5, 1, 2), 0, 1], [at(0, 0.5, 1, 0.5, 0)]),
    ("clip", [at(0, 5), None, 5], [at(1, 0.5)]),
    ("clip", [at(0, 5), 0, None], [at(0.5, 1)]),
    ("clip", [at(3), 2, 1], [0]),
    ("sqrt", [at(0)], [INF]),
    ("cbrt", [at(0)], [INF]),
    ("linalg.norm", [at(0, 0)], [at(0, 0)]),
    ("linalg.norm", [np.zeros((2, 2))], [np.zeros((2, 2))]),
    ("linalg.vector_norm", [at(0, 0)], [at(0, 0)]),
    ("prod", [at(0, 2, 3)], [at(6, 0, 0)]),
    ("prod", [at(0, 0, 3)], [at(0, 0, 0)]),
    ("prod", [at(2, 5, 3)], [at(15, 6, 10)]),
    ("cumprod", [at(2, 0, 3)], [at(1, 8, 0)]),
    ("cumprod", [at(0, 0, 3)], [at(1, 0, 0)]),
    ("std", [at(1, 1, 1)], [at(0, 0, 0)]),
    ("var", [at(2, 2)], [at(0, 0)]),
    ("arctan2", [at(0), at(0)], [0, 0]),
    ("arctan2", [at(1e-200), at(1e-200)], [5e199, -5e199]),
    ("arctan2", [at(1e200), at(1e200)], [5e-201, -5e-201]),
    ("math.atan2", [Staged(0.0), Staged(0.0)], [0, 0]),
    ("hypot", [at(0), at(0)], [0, 0]),
    ("hypot", [at(3e200), at(4e200)], [0.6, 0.8]),
    ("sinc", [at(0)], [0]),
    ("sinc", [at(1e-8)], [-np.pi**2 / 3 * 1e-8]),
    ("power", [at(0), 0], [0]),
    ("power", [at(0), 1], [1]),
    ("power", [at(0), 2], [0]),
    ("power", [at(0), at(0)], [0, NAN]),
    ("power", [at(0), at(1)], [1, 0]),
    ("power", [at(0), at(2)], [0, 0]),
    ("power", [0, at(2)], [0]),
    ("power", [at(-2), at(3)], [12, NAN]),
    ("power", [at(-2), 3], [12]),
    ("float_power", [at(0), at(2)], [0, 0]),
    ("tanh", [at(19)], [4 * np.exp(-38)]),
    ("expm1", [at(-50)], [np.exp(-50)]),
    ("arcsinh", [at(1e200)], [1e-200]),
    ("arccosh", [at(1e200)], [1e-200]),
    ("arcsin", [at(1)], [INF]),
    ("logaddexp", [at(1000), at(0)], [1, 0]),
    ("logaddexp", [at(-1000), at(-1000)], [0.5, 0.5]),
    ("log1p", [at(1e-20)], [1]),
    ("copysign", [at(0), at(1)], [0, 0]),
    ("heaviside", [at(0), at(0.5)], [0, 1]),
    ("ptp", [at(1, 2, 2)], [at(-1, 0.5, 0.5)]),
    ("sort", [at(3, 1, 2)], [at(1, 1, 1)]),
    ("interp", [at(0.5), at(0, 0.5, 1), at(0, 1, 3)], [4, at(0, -4, 0), at(0, 1, 0)]),
    ("interp", [at(1), at(0, 0.5, 1), at(0, 1, 3)], [4, at(0, 0, -4), at(0, 0, 1)]),
    ("interp", [at(2), at(0, 0.5, 1), at(0, 1, 3)], [0, at(0, 0, 0), at(0, 0, 1)]),
    ("interp", [at(-1), at(0, 0.5, 1), at(0, 1, 3)], [0, at(0, 0, 0), at(1, 0, 0)]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "values", "expected"), CELLS)
def test_cell(name: str, values: Any, expected: Any) -> None:
    for have, want in zip(gradients(name, *values), expected, strict=True):
        np.testing.assert_allclose(have, want, rtol=1e-9)


def test_clip_is_minimum_of_maximum_for_array_bounds() -> None:
    x, lo, hi = at(0, 1, 2, 3), at(0, 0, 2, 0), at(2, 1, 2, 3)
    dx, dlo, dhi = gradients("clip", x, lo, hi)
    np.testing.assert_array_equal(dx, at(0.5, 0.5, 0.25, 0.5))
    np.testing.assert_array_equal(dlo, at(0.5, 0, 0.25, 0))
    np.testing.assert_array_equal(dhi, at(0, 0.5, 0.5, 0.5))
    np.testing.assert_array_equal(dx + dlo + dhi, np.ones(4))


def test_the_second_derivative_of_sinc_at_zero() -> None:
    one = Sample(REGISTRY["sinc"], lambda r: args(at(0)))
    first = one.pulled_back(one.function, [0])
    second = one.pulled_back(first, [0])
    result = evaluate(second, at(0), np.float64(1), np.float64(1))[0]
    np.testing.assert_allclose(result, -(np.pi**2) / 3)


@pytest.mark.parametrize("z", [3 + 4j, 0j, -1j])
def test_absolute_of_a_complex_number(z: complex) -> None:
    """The internal cotangent of z = x + iy is dL/dx - i dL/dy."""
    one = Sample(REGISTRY["absolute"], lambda r: args(np.array(z)))
    (part,) = evaluate(one.pulled_back(one.function, [0]), np.array(z), np.float64(1))
    np.testing.assert_allclose(part, np.conj(np.sign(z)))


@pytest.mark.parametrize(
    ("name", "expected"), [("real", 1), ("imag", -1j), ("angle", (-4 - 3j) / 25), ("conjugate", 1)]
)
def test_parts_of_a_complex_number(name: str, expected: complex) -> None:
    z = np.array(3 + 4j)
    one = Sample(REGISTRY[name], lambda r: args(z))
    seed = np.asarray(1, dtype=one.outputs[0].type.dtype)
    (part,) = evaluate(one.pulled_back(one.function, [0]), z, seed)
    np.testing.assert_allclose(part, expected)
