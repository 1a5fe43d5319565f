"""Modes as a user asks for them: forward mode, Hessians times vectors, derivatives of derivatives.

The generated sources of some stand in `golden/modes`; `python tests/test_modes.py --update` writes them
anew, and the difference is read before it is committed.
"""

from __future__ import annotations

import importlib
import inspect
import os
import pathlib
import re
import sys
from collections import namedtuple
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parent.parent
sys.path[:0] = [path for path in (str(ROOT), str(ROOT / "tests")) if path not in sys.path]

from bench.loops import LOOPS, SMALL  # noqa: E402 - run as a script, the paths come first
from symdiff import differentiate, elementwise_grad, grad, hvp, jvp  # noqa: E402
from symdiff.errors import (  # noqa: E402
    DtypeError,
    NonScalarError,
    ShapeError,
    UnsupportedError,
    WrtError,
)

FOLDER = ROOT / "tests" / "golden" / "modes"
_GIVEN = [
    row
    for name in ("loops_by_hand", "hand", "kinks_by_hand")
    for row in importlib.import_module(name).DERIVATIONS
]
ROWS = {row.function.__name__: row for row in reversed([*_GIVEN, *LOOPS])}
KINKS = {"best_response"}  # at its ties there is nothing to compare with


def leaves(tree: Any) -> list[Any]:
    if isinstance(tree, dict):
        return [leaf for child in tree.values() for leaf in leaves(child)]
    if isinstance(tree, list | tuple):
        return [leaf for child in tree for leaf in leaves(child)]
    return [] if tree is None else [np.asarray(tree)]


def inner(a: Any, b: Any) -> float:
    return float(sum(np.sum(x * y) for x, y in zip(leaves(a), leaves(b), strict=True)))


def drawn(tree: Any, rng: np.random.Generator) -> Any:
    """A random direction; None for what has none."""
    if isinstance(tree, dict):
        return {key: drawn(child, rng) for key, child in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(drawn(child, rng) for child in tree)
    if isinstance(tree, np.ndarray):
        return rng.standard_normal(tree.shape) if tree.dtype.kind == "f" else None
    return float(rng.standard_normal()) if isinstance(tree, float) else None


class Call:
    """A function of the table at small arguments, with a direction for every one that `wrt` names."""

    def __init__(self, name: str):
        self.row = row = ROWS[name]
        self.function = differentiate(row.function, wrt=row.wrt)
        rng = np.random.default_rng(3)
        made = row.arguments(rng, **(SMALL[name] if row in LOOPS else {}))
        self.args = tuple(arg[:300] if np.ndim(arg) and len(arg) >= 10_000 else arg for arg in made)
        self.names = [row.wrt] if isinstance(row.wrt, str) else list(row.wrt)
        self.parameters = list(inspect.signature(row.function).parameters)
        self.places = [self.parameters.index(name) for name in self.names]
        self.many = not isinstance(row.wrt, str)
        self.v = [drawn(self.args[k], rng) for k in self.places]
        self.u = [drawn(self.args[k], rng) for k in self.places]

    def packed(self, parts: list[Any]) -> Any:
        return tuple(parts) if self.many else parts[0]

    def tangents(self, parts: list[Any]) -> tuple[Any, ...]:
        known = dict(zip(self.places, parts, strict=True))
        return tuple(known.get(k) for k in range(len(self.args)))


@pytest.mark.parametrize("name", ROWS)
def test_forward_is_the_transpose_of_reverse(name: str) -> None:
    call = Call(name)
    value, tangent = call.function.jvp(call.args, call.tangents(call.v))
    expected, gradient = call.function.value_and_grad(*call.args)
    assert value == expected
    np.testing.assert_allclose(tangent, inner(gradient, call.packed(call.v)), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", sorted(set(ROWS) - KINKS - {"classifier"}))
def test_hessian_products_are_symmetric_and_differences_of_the_gradient(name: str) -> None:
    call = Call(name)
    function = call.function
    product = function.hvp(call.args, call.packed(call.v))
    other = function.hvp(call.args, call.packed(call.u))
    there, back = inner(product, call.packed(call.u)), inner(other, call.packed(call.v))
    assert abs(there - back) <= 1e-9 * (1 + abs(there))

    def gradient(step: float) -> float:
        args = list(call.args)
        for place, direction in zip(call.places, call.v, strict=True):
            args[place] = moved(args[place], direction, step)
        return inner(function.grad(*args), call.packed(call.u))

    h = 1e-4
    numeric = (8 * (gradient(h) - gradient(-h)) - (gradient(2 * h) - gradient(-2 * h))) / (12 * h)
    assert abs(there - numeric) <= 1e-6 * (1 + abs(numeric))


def moved(tree: Any, direction: Any, step: float) -> Any:
    if isinstance(tree, dict):
        return {key: moved(child, direction[key], step) for key, child in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(moved(a, b, step) for a, b in zip(tree, direction, strict=True))
    return tree + step * direction


SCALARS = {"horner": "x", "newton_root": "a", "quadratic": "x", "sine_of_a_cube": "w"}


@pytest.mark.parametrize("name", [name for name in SCALARS if name in ROWS])
def test_reverse_over_reverse_is_forward_over_reverse(name: str) -> None:
    call = Call(name)
    function = differentiate(ROWS[name].function, wrt=SCALARS[name])
    second = differentiate(function.grad, wrt=SCALARS[name]).grad(*call.args)
    np.testing.assert_allclose(second, function.hvp(call.args, 1.0), rtol=1e-10)


# Derivatives of derivatives


def test_every_order_of_a_power() -> None:
    derivative: Any = lambda x: x**5  # noqa: E731
    for expected in (80.0, 160.0, 240.0, 240.0, 120.0, 0.0):
        derivative = grad(derivative)
        assert derivative(2.0) == expected
        assert type(derivative(2.0)) is float


def test_order_four_of_a_loop() -> None:
    def power(x, n):
        y = x
        for _ in range(n):
            y = y * x * np.cos(x) / np.cos(x)
        return y

    derivative: Any = power
    for expected in (5.0, 20.0, 60.0, 120.0):
        derivative = grad(derivative)
        np.testing.assert_allclose(derivative(1.0, 4), expected, rtol=1e-10)


def test_the_decorated_spelling() -> None:
    @differentiate
    def f(x):
        return np.sin(x) * x

    second = differentiate(f.grad)
    assert second(0.5) == f.grad(0.5)
    np.testing.assert_allclose(second.grad(0.5), 2 * np.cos(0.5) - 0.5 * np.sin(0.5), rtol=1e-14)
    third = -3 * np.sin(0.5) - 0.5 * np.cos(0.5)
    np.testing.assert_allclose(second.hvp((0.5,), 1.0), third, rtol=1e-12)
    assert "order 2" in second.grad.source_for(0.5)


def test_mixed_derivatives() -> None:
    def f(x, y):
        return x**2 * np.exp(y)

    mixed = grad(grad(f, wrt="x"), wrt="y")
    np.testing.assert_allclose(mixed(1.5, 0.3), 3 * np.exp(0.3), rtol=1e-14)


def test_forward_mode_of_a_gradient() -> None:
    f = differentiate(lambda x: np.sum(x**3))
    x, v = np.arange(3.0), np.ones(3)
    value, tangent = differentiate(f.grad).jvp((x,), (v,))
    np.testing.assert_array_equal(value, 3 * x**2)
    np.testing.assert_array_equal(tangent, 6 * x * v)


@pytest.mark.parametrize("transform", ["vjp", "value_and_grad", "jvp", "hvp"])
def test_what_is_not_differentiated_again_is_refused(transform: str) -> None:
    f = differentiate(lambda x: x**2)
    with pytest.raises(UnsupportedError, match="cannot be differentiated"):
        differentiate(getattr(f, transform))


def test_the_gradient_of_a_vector_needs_a_scalar() -> None:
    with pytest.raises(NonScalarError):
        grad(grad(lambda x: np.sum(x**2)))(np.ones(3))


# The interface of forward mode


def test_spellings() -> None:
    def f(x, y):
        return x * np.sin(y)

    expected = (2.0 * np.sin(0.5), np.sin(0.5))
    assert jvp(f)((2.0, 0.5), (1.0, None)) == expected
    assert differentiate(f).jvp((2.0, 0.5), [1.0, None]) == expected
    assert jvp(f).__name__ == "f.jvp"


def test_none_is_a_zero_tangent_that_costs_nothing() -> None:
    f = differentiate(lambda x, y: np.sum(np.sin(x) * np.exp(y)))
    x = np.linspace(0, 1, 4)
    source = f.jvp.source_for((x, x), (x, None))
    assert "y_dot" not in source
    assert source.count("np.exp") == 1
    assert f.jvp((x, x), (x, None))[1] == pytest.approx(f.jvp((x, x), (x, np.zeros(4)))[1])
    value, tangent = f.jvp((x, x), (None, None))
    assert tangent == 0.0
    assert value == f(x, x)


@dataclass
class Layer:
    W: Any
    b: Any
    rate: int = 3


Pair = namedtuple("Pair", "a b")


def test_containers() -> None:
    x = np.arange(3.0)

    def f(p, q, layer):
        return np.sum(p["w"][0] * q.a * layer.W) + q.b * layer.rate

    args = ({"w": [x, 2.0]}, Pair(x + 1, 0.5), Layer(x + 2, None))
    tangents = ({"w": [np.ones(3), None]}, Pair(None, 2.0), Layer(np.ones(3), None, 3))
    value, tangent = jvp(f)(args, tangents)
    assert value == f(*args)
    np.testing.assert_allclose(tangent, np.sum((x + 1) * (x + 2)) + np.sum(x * (x + 1)) + 6.0)
    assert jvp(f)(args, (None, Pair(None, 2.0), None))[1] == 6.0


def test_the_tangent_has_the_structure_of_the_value() -> None:
    def f(x):
        return {"y": np.sin(x), "n": len(x), "same": x, "constant": np.ones(2)}

    x, v = np.linspace(0, 1, 3), np.ones(3)
    value, tangent = jvp(f)((x,), (v,))
    assert tangent["n"] is None
    np.testing.assert_allclose(tangent["y"], np.cos(x))
    np.testing.assert_array_equal(tangent["constant"], np.zeros(2))
    assert not np.shares_memory(tangent["same"], v)
    np.testing.assert_array_equal(tangent["same"], v)
    assert value["n"] == 3


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "longdouble", "complex64", "complex128"])
def test_dtypes_are_kept(dtype: str) -> None:
    x = np.linspace(0.5, 1, 4).astype(dtype)
    value, tangent = jvp(lambda x: np.exp(x) * 2.5 + x[0])((x,), (np.ones(4, dtype),))
    assert value.dtype == tangent.dtype == np.dtype(dtype)
    value, tangent = jvp(lambda x: np.mean(x**2))((x,), (np.ones(4, dtype),))
    assert value.dtype == np.asarray(tangent).dtype == np.dtype(dtype)


def test_a_number_beside_single_precision_keeps_it() -> None:
    x = np.ones(3, np.float32)
    _, tangent = jvp(lambda x, s: np.sin(x) * s)((x, 2.0), (x, 1.0))
    assert tangent.dtype == np.float32
    _, tangent = jvp(lambda x, s: x * 0 + s)((x, 2.0), (None, 1.0))
    assert tangent.dtype == np.float32
    np.testing.assert_array_equal(tangent, np.ones(3))


def test_complex_tangents_are_linear_and_real_where_the_value_is() -> None:
    z, v = np.array([1 + 2j, 3 - 1j]), np.array([0.5 - 1j, 2j])
    _, tangent = jvp(np.exp)((z,), (v,))
    np.testing.assert_allclose(tangent, np.exp(z) * v)
    for f, expected in ((np.abs, (z.conj() * v).real / np.abs(z)), (np.real, v.real), (np.imag, v.imag)):
        _, tangent = jvp(lambda z, f=f: f(z))((z,), (v,))
        assert tangent.dtype == np.float64
        np.testing.assert_allclose(tangent, expected)
    _, tangent = jvp(lambda z: np.conj(z) * z)((z,), (v,))
    np.testing.assert_allclose(tangent, np.conj(v) * z + np.conj(z) * v)


def test_numbers_arrays_without_axes_and_empty_ones() -> None:
    assert jvp(lambda x: x * 2)((3.0,), (1.0,)) == (6.0, 2.0)
    value, tangent = jvp(np.sin)((np.array(0.5),), (np.array(2.0),))
    np.testing.assert_allclose([value, tangent], [np.sin(0.5), 2 * np.cos(0.5)])
    value, tangent = jvp(np.sin)((np.zeros((0, 3)),), (np.zeros((0, 3)),))
    assert value.shape == tangent.shape == (0, 3)


def test_layouts() -> None:
    x, v = np.arange(12.0).reshape(3, 4), np.linspace(0, 1, 12).reshape(3, 4)
    expected = np.cos(x) * v
    f = jvp(np.sin)
    for args, tangents in (
        (np.asfortranarray(x), v),
        (x, np.asfortranarray(v)),
        (x[::-1][::-1], v[:, ::-1][:, ::-1]),
    ):
        np.testing.assert_allclose(f((args,), (tangents,))[1], expected)


def test_nothing_that_is_given_is_written() -> None:
    def f(x):
        x[0] = x[1] * 2
        x *= 3
        return np.sum(x**2)

    x, v = np.arange(1.0, 4.0), np.ones(3)
    _, tangent = jvp(f)((x,), (v,))
    np.testing.assert_array_equal(x, np.arange(1.0, 4.0))
    np.testing.assert_array_equal(v, np.ones(3))
    assert tangent == 2 * np.sum(np.array([12.0, 6, 9]) * np.array([6.0, 3, 3]))


def test_tangents_are_arrays_of_their_own() -> None:
    x, v = np.ones((2, 3)), np.ones((2, 3))
    _, tangents = jvp(lambda x: (x + 1, x + 2, x, x.T, x[0]))((x,), (v,))
    for k, one in enumerate(tangents):
        assert one.flags.writeable
        assert not any(np.shares_memory(one, other) for other in (x, v, *tangents[:k]))


def test_aliases_are_written_together() -> None:
    def f(x):
        y = x + 1
        z = y
        y[0] = 5
        return y * z

    _, tangent = jvp(f)((np.array([0.3, 0.7]),), (np.ones(2),))
    np.testing.assert_allclose(tangent, [0.0, 3.4])


def test_what_the_user_computes_later_is_computed_once() -> None:
    def f(x):
        y = np.sin(x)
        z = np.cos(x)
        return np.sum(y * z)

    x = np.linspace(0, 1, 3)
    source = jvp(f).source_for((x,), (x,))
    assert source.count("np.sin(x)") - source.count("# y = np.sin(x)") == 1
    assert source.count("np.cos(x)") - source.count("# z = np.cos(x)") == 1
    assert "z = np.cos(x)" in source


def test_outputs_and_further_results() -> None:
    def into(A, x):
        A[:] = x**2

    A, x = np.zeros(3), np.arange(3.0)
    value, tangent = jvp(into, outputs="A")((A, x), (None, np.ones(3)))
    np.testing.assert_array_equal(value, x**2)
    np.testing.assert_array_equal(tangent, 2 * x)
    (value, aux), tangent = jvp(lambda x: (x**2, "kept"), has_aux=True)((3.0,), (1.0,))
    assert (value, aux, tangent) == (9.0, "kept", 6.0)
    assert hvp(lambda x: (x**3, x), has_aux=True)((2.0,), 1.0) == 12.0


def test_keywords_defaults_and_many_arguments() -> None:
    def f(x, *rest, scale=2.0, **more):
        return x * scale + sum(rest) * more.get("k", 1.0)

    assert jvp(f)((1.0, 2.0, 3.0), (1.0, None, 1.0)) == (7.0, 3.0)
    assert jvp(f)((1.0, 2.0, 3.0), (1.0, None, 1.0), scale=5.0, k=2.0) == (15.0, 7.0)


def test_methods() -> None:
    class Model:
        def __init__(self) -> None:
            self.w = 2.0

        @differentiate(wrt="x")
        def loss(self, x):
            return self.w * x**2

    model = Model()
    assert model.loss.jvp((3.0,), (1.0,)) == (18.0, 12.0)
    assert model.loss.hvp((3.0,), 1.0) == 4.0
    assert "x_dot" in model.loss.jvp.source_for((3.0,), (1.0,))


def test_recursion() -> None:
    def power(x, n):
        if n < 0.5:
            return x
        return x * power(x, n - 1.0)

    assert jvp(power)((1.5, 3.0), (1.0, None))[1] == pytest.approx(4 * 1.5**3)
    assert "power_jvp(x" in jvp(power).source_for((1.5, 3.0), (1.0, None))
    for second in (lambda: hvp(power)((1.5, 3.0), 1.0), lambda: grad(grad(power))(1.5, 3.0)):
        with pytest.raises(UnsupportedError, match="no second derivative"):
            second()


def test_names_do_not_collide() -> None:
    assert jvp(lambda x, x_dot: x * x_dot)((2.0, 3.0), (1.0, 1.0)) == (6.0, 5.0)


def test_source_path_and_cache(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMDIFF_CACHE", "disk")
    monkeypatch.setenv("SYMDIFF_CACHE_DIR", str(tmp_path))
    f = differentiate(lambda x: np.sin(x) * 1.25)
    assert "x_dot" in f.jvp.source
    path = f.jvp.path_for((1.0,), (1.0,))
    assert path is not None
    assert path.read_text().startswith(f.jvp.source_for((1.0,), (1.0,)))
    assert f.jvp.compiled_for((1.0,), (1.0,))(1.0, x_dot=2.0)[1] == pytest.approx(2.5 * np.cos(1.0))
    assert "Hessian" in f.hvp.source


X = np.ones(3)
WRONG = {
    "no tuple of arguments": ((lambda x: x), X, X, WrtError, "a tuple"),
    "too few tangents": ((lambda x, y: x * y), (X, X), (X,), ShapeError, "2 arguments and 1 tangents"),
    "another shape": ((lambda x: x), (X,), (np.ones(2),), ShapeError, r"tangent of `x` is of shape \(2,\)"),
    "complex": ((lambda x: x), (X,), (X * 1j,), ShapeError, "must be real"),
    "an integer": ((lambda n, x: n * x), (3, X), (1.0, X), DtypeError, "a Python int, which has no tangent"),
    "integers": ((lambda x: x), (np.arange(3),), (X,), DtypeError, "an array of int64"),
    "another structure": ((lambda p: p["a"]), ({"a": X},), ({"b": X},), ShapeError, "a dict with the keys"),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_tangents_are_refused(what: str) -> None:
    function, args, tangents, kind, message = WRONG[what]
    with pytest.raises(kind, match=message):
        jvp(function)(args, tangents)


def test_hessian_products_take_what_wrt_names() -> None:
    def f(x, y):
        return np.sum(x**2 * y)

    x, y = np.arange(3.0), np.ones(3)
    np.testing.assert_array_equal(hvp(f, wrt="y")((x, y), np.ones(3)), np.zeros(3))
    first, second = hvp(f, wrt=("x", "y"))((x, y), (np.ones(3), None))
    np.testing.assert_array_equal(first, 2 * y)
    np.testing.assert_array_equal(second, 2 * x)
    with pytest.raises(ShapeError, match="tuple of 2"):
        hvp(f, wrt=("x", "y"))((x, y), np.ones(3))
    with pytest.raises(NonScalarError):
        hvp(lambda x: x * 2)((x,), x)


def test_a_hessian_product_forms_no_hessian() -> None:
    n = 100_000
    x = np.linspace(0, 1, n)
    product = hvp(lambda x: np.sum(x**2) ** 2)((x,), np.ones(n))
    np.testing.assert_allclose(product, 4 * np.sum(x**2) + 8 * np.sum(x) * x, rtol=1e-10)


def test_elementwise_gradients() -> None:
    x = np.linspace(-2, 2, 7).reshape(7, 1)
    np.testing.assert_allclose(elementwise_grad(np.tanh)(x), 1 / np.cosh(x) ** 2, rtol=1e-13)
    np.testing.assert_allclose(elementwise_grad(elementwise_grad(np.sin))(x), -np.sin(x), rtol=1e-13)
    assert elementwise_grad(np.sin)(0.5) == np.cos(0.5)
    assert elementwise_grad(lambda a, b: a * b, wrt=1)(2.0, 3.0) == 2.0
    with pytest.raises(NonScalarError, match="one array"):
        elementwise_grad(lambda x: (x, x))(x)


# Kinks, and the branch not taken


KINKS_AT = [
    (np.abs, 0.0, 0.0),
    (lambda x: np.maximum(x, 0), 0.0, 0.5),
    (lambda x: np.max(x), np.array([1.0, 1.0, 0.0]), np.array([0.5, 0.5, 0.0])),
    (lambda x: np.clip(x, 0, 1), 0.0, 0.5),
    (lambda x: np.clip(x, 0, 1), 1.0, 0.5),
    (np.sqrt, 0.0, np.inf),
    (np.linalg.norm, np.zeros(3), np.zeros(3)),
    (lambda x: np.where(x > 0, np.sqrt(x), 0 * x), -1.0, 0.0),
    (lambda x: np.sqrt(x) if x > 0 else 0 * x, -1.0, 0.0),
    (np.prod, np.array([0.0, 2.0, 3.0]), np.array([6.0, 0.0, 0.0])),
    (np.std, np.ones(3), np.zeros(3)),
    (lambda x: np.arctan2(x, 0.0), 0.0, 0.0),
    (np.sinc, 0.0, 0.0),
    (lambda x: x**2, 0.0, 0.0),
    (lambda x: x**0, 0.0, 0.0),
    (lambda x: x * (x > 0), 0.0, 0.0),
]


@pytest.mark.parametrize(("function", "x", "expected"), KINKS_AT)
def test_both_modes_agree_at_kinks(function: Any, x: Any, expected: Any) -> None:
    x = np.asarray(x, float) if np.ndim(x) else x
    with np.errstate(all="ignore"):
        gradient = grad(lambda x: function(x))(x)
        np.testing.assert_array_equal(gradient, expected)
        for k in range(np.size(x)):
            v = np.eye(np.size(x))[k].reshape(np.shape(x)) if np.ndim(x) else 1.0
            _, tangent = jvp(lambda x: function(x))((x,), (v,))
            assert tangent == np.ravel(expected)[k]


def test_a_mask_lets_nothing_through() -> None:
    def f(x):
        y = np.zeros_like(x)
        y[x > 0] = np.sqrt(x[x > 0])
        return y

    with np.errstate(all="ignore"):
        _, tangent = jvp(f)((np.array([-1.0, 4.0, 0.0]),), (np.ones(3),))
        np.testing.assert_array_equal(tangent, [0.0, 0.25, 0.0])
        _, tangent = jvp(lambda x: np.where(x > 0, np.log(x), 1 / x))((np.array([0.5, -2.0]),), (np.ones(2),))
        np.testing.assert_array_equal(tangent, [2.0, -0.25])


# Generated sources

GOLDEN = {
    "jvp_of_linear_regression": ("linear_regression", "jvp"),
    "jvp_of_horner": ("horner", "jvp"),
    "jvp_of_newton_s_root": ("newton_root", "jvp"),
    "jvp_of_low_pass": ("low_pass", "jvp"),
    "jvp_of_early_exit": ("early_exit", "jvp"),
    "jvp_of_trajectory": ("trajectory", "jvp"),
    "jvp_of_attention": ("attention_head", "jvp"),
    "hvp_of_rosenbrock": ("rosenbrock", "hvp"),
    "hvp_of_horner": ("horner", "hvp"),
}


def generated(name: str) -> str:
    function, transform = GOLDEN[name]
    call = Call(function)
    if transform == "jvp":
        source = call.function.jvp.source_for(call.args, call.tangents(call.v))
    else:
        source = call.function.hvp.source_for(call.args, call.packed(call.v))
    return re.sub(r"(\(\w+/\w+\.py):\d+\)", r"\1)", source)


@pytest.mark.parametrize("name", GOLDEN)
def test_the_golden_is_what_is_generated(name: str) -> None:
    assert (FOLDER / f"{name}.py").read_text(encoding="utf-8") == generated(name)


def test_there_is_a_function_for_every_golden() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} == set(GOLDEN)


def test_second_order_source_is_no_more_than_four_times_the_first() -> None:
    for name in sorted(set(ROWS) - KINKS):
        call = Call(name)
        first = call.function.grad.source_for(*call.args).count("\n")
        second = call.function.hvp.source_for(call.args, call.packed(call.v)).count("\n")
        assert second <= 4 * first, name


def update() -> None:
    """Write every golden anew."""
    os.environ["SYMDIFF_CACHE"] = "off"
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.py"):
        path.unlink()
    for name in GOLDEN:
        (FOLDER / f"{name}.py").write_text(generated(name), encoding="utf-8")


if __name__ == "__main__":
    assert sys.argv[1:] == ["--update"], "python tests/test_modes.py --update"
    update()
