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
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parent.parent
sys.path[:0] = [path for path in (str(ROOT), str(ROOT / "tests")) if path not in sys.path]

from bench.loops import LOOPS, SMALL  # noqa: E402 - run as a script, the paths come first
from symdiff import (  # noqa: E402
    differentiate,
    elementwise_grad,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    per_example_grad,
)
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


# Jacobians


def flat(tree: Any) -> np.ndarray:
    return np.concatenate([np.ravel(leaf) for leaf in leaves(tree)])


@pytest.mark.parametrize("mode", ["fwd", "rev"])
@pytest.mark.parametrize("name", sorted(set(ROWS) - {"classifier"}))
def test_the_jacobian_of_a_scalar_is_its_gradient(name: str, mode: str) -> None:
    call = Call(name)
    made = call.function.jacobian(*call.args, mode=mode)
    expected = call.function.grad(*call.args)
    assert [leaf.shape for leaf in leaves(made)] == [leaf.shape for leaf in leaves(expected)]
    np.testing.assert_allclose(flat(made), flat(expected), rtol=1e-9, atol=1e-11)


SCALED = np.linspace(0.1, 1, 12)


def layered(x, W):
    return np.tanh(x @ W)


def recurrent_states(x, W):
    states = []
    for _ in range(3):
        x = np.tanh(W @ x)
        states.append(x)
    return np.stack(states)


def written(x):
    y = np.zeros((3, len(x)))
    for i in range(3):
        y[i] = x * i
        if i > 1:
            y[i, 0] = x[1] ** 2
    return y


def branched(x, n):
    while n > 0:
        x = x * x[0]
        n -= 1
    return x if n == 0 else 2 * x


def listed(x, n):
    rows = []
    for i in range(n):
        rows.append(x * i)
    total = 0.0
    for i in range(n):
        total = total + rows[i] * rows[n - 1 - i]
    return total


def eliminated(x, n):
    A = np.outer(x, x)
    for i in range(n):
        A[i] /= A[i, i] + 2
        A[:, i] -= A[0] * A[i, 0]
    return A


def left_early(x, limit):
    s = 0.0
    for v in x:
        if v > 0.5:
            continue
        s += v**2
        if s > limit:
            break
    return np.array([s, s * 2])


def masked(x, n):
    y = x.copy()
    y[y > 0.4] *= n
    y[[0, 2]] = y[[1, 1]] * y[0]
    y[::2] += y[0]
    return y


def rolled(x, n):
    y = x
    for i in range(n):
        y = y[::-1] * np.roll(x, i) if i % 2 else np.concatenate([y[1:], x[:1]])
    return y.reshape(2, -1)


JACOBIANS = {
    "lists": (listed, (SCALED[:4], 3), (0,)),
    "elimination": (eliminated, (SCALED[:4], 3), (0,)),
    "break": (left_early, (SCALED[:5], 0.1), (0,)),
    "masks": (masked, (SCALED[3:7], 2), (0,)),
    "shifts": (rolled, (SCALED[:4], 3), (0,)),
    "matrix": (layered, (SCALED.reshape(3, 4), SCALED.reshape(4, 3)), (0, 1)),
    "vector": (layered, (SCALED[:4], SCALED.reshape(4, 3)), (0, 1)),
    "loop and list": (recurrent_states, (SCALED[:3], SCALED[:9].reshape(3, 3)), (0, 1)),
    "writes": (written, (SCALED[:4],), (0,)),
    "while": (branched, (SCALED[:3], 3), (0,)),
    "number in": (lambda x, a: x * a**2, (2.0, SCALED[:3]), (0, 1)),
    "number and array": (lambda a, x: np.sin(a * x), (0.3, SCALED[:3]), (0, 1)),
    "reduction": (lambda x: np.sum(x**2, axis=0), (SCALED.reshape(3, 4),), (0,)),
    "sorted": (lambda x: np.sort(x)[::2], (SCALED[::-1].copy(),), (0,)),
    "mask": (lambda x: x[x > 0.5] ** 2, (SCALED,), (0,)),
    "places": (lambda x: x[[2, 0, 2]] * x[1:4], (SCALED,), (0,)),
    "solve": (np.linalg.solve, (np.eye(3) + SCALED[:9].reshape(3, 3), SCALED[:3]), (0, 1)),
    "eigenvalues": (lambda a: np.linalg.eigvalsh(a + a.T), (SCALED[:9].reshape(3, 3),), (0,)),
    "convolution": (np.convolve, (SCALED[:4], SCALED[:3]), (0, 1)),
    "products": (lambda a, b: np.tensordot(a, b, 1), (SCALED.reshape(3, 4), SCALED.reshape(4, 3)), (0, 1)),
    "elementwise": (lambda x: np.where(x > 0.5, np.sin(x), x**2), (SCALED.reshape(3, 4),), (0,)),
    "constant": (lambda x: np.ones((2, 3)), (SCALED,), (0,)),
    "one": (lambda x: x[0], (SCALED[:1],), (0,)),
    "of no axes": (lambda x: np.sin(x), (np.array(0.3),), (0,)),
    "itself": (lambda x: x, (SCALED,), (0,)),
    "empty": (lambda x: np.cumsum(x), (np.zeros(0),), (0,)),
}


def by_columns(function: Any, args: tuple[Any, ...], place: int) -> np.ndarray:
    """A Jacobian from forward mode, one direction after the other."""
    shape = np.shape(args[place])
    columns = []
    for k in range(np.size(args[place])):
        direction = np.zeros(np.size(args[place]))
        direction[k] = 1
        tangents = [None] * len(args)
        tangents[place] = direction.reshape(shape) if isinstance(args[place], np.ndarray) else 1.0
        columns.append(jvp(function)(args, tuple(tangents))[1])
    out = np.shape(function(*args))
    if not columns:
        return np.zeros((*out, *shape))
    return np.moveaxis(np.array(columns), 0, -1).reshape((*out, *shape))


@pytest.mark.parametrize("mode", [None, "fwd", "rev"])
@pytest.mark.parametrize("name", JACOBIANS)
def test_jacobians(name: str, mode: str | None) -> None:
    function, args, places = JACOBIANS[name]
    for place in places:
        made = jacobian(function, wrt=place, mode=mode)(*args)
        expected = by_columns(function, args, place)
        assert np.shape(made) == np.shape(function(*args)) + np.shape(args[place])
        np.testing.assert_allclose(made, expected, rtol=1e-12, atol=1e-14)
    if len(places) > 1:
        both = jacobian(function, wrt=places, mode=mode)(*args)
        assert isinstance(both, tuple)
        for place, one in zip(places, both, strict=True):
            np.testing.assert_allclose(one, by_columns(function, args, place), rtol=1e-12, atol=1e-14)


BATCHED = sorted(
    set(JACOBIANS)
    - {"convolution", "loop and list", "writes", "while", "lists", "elimination", "break", "shifts"}
)


@pytest.mark.parametrize("mode", ["fwd", "rev"])
@pytest.mark.parametrize("name", BATCHED)
def test_a_jacobian_has_no_loop_of_its_own(name: str, mode: str) -> None:
    function, args, places = JACOBIANS[name]
    source = jacobian(function, wrt=places, mode=mode).source_for(*args)
    assert "for " not in source.replace("# ", "")


def test_the_mode_is_that_of_fewer_directions() -> None:
    A, x = np.ones((3, 200)), np.ones(200)
    many = jacobian(lambda x, A: A @ x)
    assert "x_bar" in many.source_for(x, A) or "A.copy()" in many.source_for(x, A)
    wide = jacobian(lambda x, A: np.tanh(A @ np.sin(x)))
    assert "np.eye(A.shape[0])" in wide.source_for(x, A)
    assert "np.eye(x.shape[0])" in wide.source_for(np.ones(2), np.ones((30, 2)))
    assert "np.eye(A.shape[0])" in wide.source_for(x, A)
    assert "np.eye(x.shape[0])" in wide.of("fwd").source_for(x, A)
    np.testing.assert_array_equal(many(x, A), A)


def test_an_identity_is_not_multiplied() -> None:
    A, x = np.arange(6.0).reshape(2, 3), np.ones(3)
    for mode in ("fwd", "rev"):
        made = jacobian(lambda x, A: A @ x, mode=mode)
        assert "eye" not in made.source_for(x, A)
        assert "@" not in made.source_for(x, A)
        found = made(x, A)
        np.testing.assert_array_equal(found, A)
        assert not np.shares_memory(found, A)


@pytest.mark.parametrize("mode", ["fwd", "rev"])
def test_containers_give_nested_structures(mode: str) -> None:
    def f(p):
        return {"y": p["w"] * p["b"], "n": 3, "rest": [np.sum(p["w"]), p["b"] ** 2]}

    w = np.arange(1.0, 4.0)
    made = jacobian(f, mode=mode)({"w": w, "b": 2.0})
    assert made["n"] is None
    np.testing.assert_array_equal(made["y"]["w"], 2 * np.eye(3))
    np.testing.assert_array_equal(made["y"]["b"], w)
    np.testing.assert_array_equal(made["rest"][0]["w"], np.ones(3))
    assert made["rest"][0]["b"] == 0.0
    np.testing.assert_array_equal(made["rest"][1]["w"], np.zeros(3))
    assert made["rest"][1]["b"] == 4.0
    pair = jacobian(lambda q: q.a * q.b, mode=mode)(Pair(w, w + 1))
    assert type(pair) is Pair
    np.testing.assert_array_equal(pair.a, np.diag(w + 1))


@pytest.mark.parametrize("mode", ["fwd", "rev"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "longdouble"])
def test_a_jacobian_has_the_dtype_of_its_argument(dtype: str, mode: str) -> None:
    x = np.linspace(0.5, 1, 3).astype(dtype)
    made = jacobian(lambda x: np.exp(x) * 2.5, mode=mode)(x)
    assert made.dtype == np.dtype(dtype)
    mixed = jacobian(lambda x, y: x * y, mode=mode, wrt=("x", "y"))(x, np.ones(3))
    assert [one.dtype for one in mixed] == [np.dtype(dtype), np.float64]


def test_layouts_and_memory_of_jacobians() -> None:
    x = np.asfortranarray(SCALED.reshape(3, 4))
    for mode in ("fwd", "rev"):
        made = jacobian(lambda x: (x, x.T, x * x), mode=mode)(x)
        for one in made:
            assert one.flags.c_contiguous
            assert one.flags.writeable
        assert not any(np.shares_memory(a, b) for a, b in pairwise(made))


def test_jacobians_of_recursion_methods_and_further_results() -> None:
    def power(x, n):
        return x if n < 0.5 else x * power(x, n - 1.0)

    x = np.array([1.5, 0.5])
    for mode in ("fwd", "rev"):
        made = jacobian(power, mode=mode)(x, 3.0)
        np.testing.assert_allclose(made, np.diag(4 * x**3))
        (value, aux), made = jacobian(lambda x: (x * 2, x), mode=mode, has_aux=True)(x)
        np.testing.assert_array_equal(value, x * 2)
        np.testing.assert_array_equal(aux, x)
        np.testing.assert_array_equal(made, 2 * np.eye(2))

    class Model:
        @differentiate(wrt="x")
        def layer(self, x):
            return x**2

    np.testing.assert_array_equal(Model().layer.jacobian(x), np.diag(2 * x))
    assert jacobian(grad(lambda x: np.sum(x**3)))(x)[0, 0] == 9.0


def test_what_has_no_jacobian_is_refused() -> None:
    x = np.ones(3)
    with pytest.raises(DtypeError, match="complex"):
        jacobian(lambda x: x * 1j)(x)
    with pytest.raises(DtypeError, match="complex"):
        jacobian(lambda x: np.abs(x))(x * 1j)
    with pytest.raises(DtypeError, match="int64"):
        jacobian(lambda x: x * 2)(np.arange(3))
    with pytest.raises(WrtError, match="no mode"):
        jacobian(lambda x: x, mode="forward")
    with pytest.raises(WrtError, match="no mode"):
        jacobian(lambda x: x)(x, mode="both")
    with pytest.raises(UnsupportedError, match="how many dimensions"):
        _ = jacobian(lambda x: x).source
    with pytest.raises(UnsupportedError, match="cannot be differentiated"):
        differentiate(jacobian(lambda x: x))


def test_compile_time_values_belong_to_the_signature_of_a_jacobian() -> None:
    f = jacobian(lambda x, n: np.stack([x] * n) if n > 1 else x)
    x = np.ones(2)
    assert f(x, 3).shape == (3, 2, 2)
    assert f(x, 1).shape == (2, 2)
    assert f(x, 2).shape == (2, 2, 2)
    assert f(x, 3).shape == (3, 2, 2)


# Hessians


@pytest.mark.parametrize("name", sorted(set(ROWS) - KINKS - {"classifier"}))
def test_a_hessian_times_a_vector_is_the_product(name: str) -> None:
    call = Call(name)
    made = leaves(call.function.hessian(*call.args))
    v = leaves(call.v)
    count = len(v)
    blocks = [made[i * count : (i + 1) * count] for i in range(count)]
    for i, row in enumerate(blocks):
        for j, block in enumerate(row):
            assert block.shape == v[i].shape + v[j].shape
    matrix = np.block(
        [[row[j].reshape(v[i].size, v[j].size) for j in range(count)] for i, row in enumerate(blocks)]
    )
    expected = flat(call.function.hvp(call.args, call.packed(call.v)))
    np.testing.assert_allclose(matrix @ flat(call.v), expected, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(matrix, matrix.T, rtol=1e-8, atol=1e-9)


def test_the_hessian_of_rosenbrock() -> None:
    def rosenbrock(x):
        return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    x = np.array([0.3, -1.2, 0.7])
    a, b, c = x
    expected = [
        [1200 * a * a - 400 * b + 2, -400 * a, 0],
        [-400 * a, 1200 * b * b - 400 * c + 202, -400 * b],
        [0, -400 * b, 200],
    ]
    np.testing.assert_allclose(hessian(rosenbrock)(x), expected, rtol=1e-13)
    assert "for " not in hessian(rosenbrock).source_for(x).replace("for x", "")


def test_the_hessian_of_a_network() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((5, 3)), rng.standard_normal(5)

    def loss(p):
        return np.mean((np.tanh(x @ p["W"]) @ p["v"] + p["b"] - y) ** 2)

    p = {"W": rng.standard_normal((3, 4)), "v": rng.standard_normal(4), "b": 0.5}
    made = hessian(loss)(p)
    assert made["W"]["W"].shape == (3, 4, 3, 4)
    assert made["W"]["b"].shape == (3, 4)
    assert made["b"]["b"] == pytest.approx(2.0)
    gradient, h = grad(loss), 1e-5
    for i, j in ((0, 1), (2, 3)):
        step = np.zeros((3, 4))
        step[i, j] = h
        there, back = gradient({**p, "W": p["W"] + step}), gradient({**p, "W": p["W"] - step})
        for key in p:
            numeric = (there[key] - back[key]) / (2 * h)
            np.testing.assert_allclose(made["W"][key][i, j], numeric, atol=1e-8)
            np.testing.assert_allclose(made[key]["W"][..., i, j], numeric, atol=1e-8)


def test_hessians_of_numbers_and_of_what_is_no_scalar() -> None:
    assert hessian(lambda x: x**3)(2.0) == 12.0
    assert hessian(lambda x: (x**3, x), has_aux=True)(2.0) == 12.0
    assert differentiate(lambda x, y: x * y, wrt=("x", "y")).hessian(2.0, 3.0) == ((0.0, 1.0), (1.0, 0.0))
    np.testing.assert_array_equal(hessian(lambda x: np.sum(x))(np.ones(2)), np.zeros((2, 2)))
    with pytest.raises(NonScalarError):
        hessian(lambda x: x * 2)(np.ones(3))


# Gradients of every example


@pytest.mark.parametrize("name", sorted(ROWS))
def test_every_example_has_the_gradient_of_its_own(name: str) -> None:
    call = Call(name)
    floats = [isinstance(arg, np.ndarray | float) for arg in call.args]
    names = tuple(name for name, batched in zip(call.parameters, floats, strict=True) if batched)
    if not names:
        pytest.skip("its arguments are in a container")

    def item(arg: Any, k: int) -> Any:
        return arg * (1 + 0.01 * k) if np.asarray(arg).dtype.kind == "f" else arg

    items = [
        [item(arg, k) if batched else arg for arg, batched in zip(call.args, floats, strict=True)]
        for k in range(3)
    ]
    given = [
        np.stack(column) if batched else column[0]
        for column, batched in zip(zip(*items, strict=True), floats, strict=True)
    ]
    made = per_example_grad(call.row.function, wrt=call.row.wrt, in_axes=names)(*given)
    for k in range(3):
        expected = call.function.grad(*items[k])
        for one, other in zip(leaves(made), leaves(expected), strict=True):
            np.testing.assert_allclose(one[k], other, rtol=1e-9, atol=1e-11)


def network(W1, b1, W2, b2, x, label):
    hidden = np.maximum(x @ W1 + b1, 0)
    logits = hidden @ W2 + b2
    shifted = logits - logits.max()
    return np.log(np.sum(np.exp(shifted))) - shifted[label]


def test_a_network_for_digits() -> None:
    rng = np.random.default_rng(0)
    parameters = (
        rng.standard_normal((784, 256)) / 28,
        rng.standard_normal(256),
        rng.standard_normal((256, 10)) / 16,
        rng.standard_normal(10),
    )
    x, labels = rng.standard_normal((8, 784)), rng.integers(0, 10, 8)
    wrt = ("W1", "b1", "W2", "b2")
    made = per_example_grad(network, wrt=wrt)
    source = made.source_for(*parameters, x, labels)
    assert "for " not in source.replace("for every example", "")
    function = differentiate(network, wrt=wrt)
    found = made(*parameters, x, labels)
    for k in range(8):
        expected = function.grad(*parameters, x[k], labels[k])
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one[k], other, rtol=1e-9, atol=1e-12)


def clipped(w, x, y):
    error = w @ x - y
    if error > 1:
        return 2 * error
    return error**2


def halved(w, x):
    steps = 0
    while x > 1:
        x = x / 2 * w
        steps += 1
    return x**2 + steps * w


def test_choices_by_example() -> None:
    rng = np.random.default_rng(1)
    w, x, y = rng.standard_normal(3), 2 * rng.standard_normal((9, 3)), rng.standard_normal(9)
    made = per_example_grad(clipped)
    assert "np.where" in made.source_for(w, x, y)
    expected = [grad(clipped)(w, a, b) for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(made(w, x, y), expected)
    x = np.array([0.5, 3.0, 40.0])
    np.testing.assert_allclose(per_example_grad(halved)(0.9, x), [grad(halved)(0.9, a) for a in x])


def test_which_arguments_are_batched() -> None:
    def loss(w, x, scale):
        return np.sum(w * x * scale)

    w, x = np.ones(3), np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(per_example_grad(loss)(w, x, 2.0), 2 * x)
    scale = np.array([1.0, 3.0])
    np.testing.assert_array_equal(per_example_grad(loss)(w, x, scale), x * scale[:, None])
    shared = np.array([1.0, 2.0, 3.0])
    for axes in ("x", ("x",), (None, 0, None)):
        made = per_example_grad(loss, in_axes=axes)(w, x, shared)
        np.testing.assert_array_equal(made, x * shared)
    np.testing.assert_array_equal(
        per_example_grad(loss, wrt="x", in_axes="x")(w, x, 2.0), 2 * np.ones((2, 3))
    )
    assert differentiate(loss).per_example_grad(w, x, 2.0).shape == (2, 3)
    with pytest.raises(ShapeError, match="`x` has 2, `scale` has 3"):
        per_example_grad(loss)(w, x, shared)
    for axes in ((0,), (1, 0, None)):
        with pytest.raises(WrtError, match="in_axes"):
            per_example_grad(loss, in_axes=axes)(w, x, 2.0)
    with pytest.raises(WrtError, match="no such parameter"):
        per_example_grad(loss, in_axes="z")(w, x, 2.0)
    with pytest.raises(WrtError, match="one item per example"):
        per_example_grad(lambda w, s: w * s)(1.0, 2.0)


def test_batches_of_one_and_none_containers_and_numbers() -> None:
    def loss(p, batch):
        return (p["w"] @ batch["x"] + p["b"] - batch["y"]) ** 2

    p = {"w": np.ones(3), "b": 0.5}
    for count in (4, 1):
        batch = {"x": np.arange(3.0 * count).reshape(count, 3), "y": np.ones(count)}
        made = per_example_grad(loss)(p, batch)
        assert made["w"].shape == (count, 3)
        for k in range(count):
            expected = grad(loss)(p, {"x": batch["x"][k], "y": batch["y"][k]})
            np.testing.assert_allclose(made["w"][k], expected["w"])
            np.testing.assert_allclose(made["b"][k], expected["b"])
    made = per_example_grad(loss)(p, {"x": np.ones((0, 3)), "y": np.ones(0)})
    assert made["w"].shape == (0, 3)
    x = np.ones((2, 3), np.float32)
    assert per_example_grad(lambda w, x: np.sum(np.sin(w * x)))(x[0], x).dtype == np.float32


def test_a_draw_is_made_for_every_example_or_refused() -> None:
    def noisy(w, x):
        return np.sum(w * x * np.random.normal())

    with pytest.raises(UnsupportedError, match="many items"):
        per_example_grad(noisy)(np.ones(2), np.ones((3, 2)))


# Gradients of intermediates


def test_gradients_of_what_is_kept() -> None:
    @differentiate(keep=("y", "z"))
    def f(x):
        y = x**2
        z = np.sum(np.sin(y))
        return z * 2 + np.sum(y)

    x = np.linspace(0.1, 1, 3)
    gradient, kept = f.grad(x)
    np.testing.assert_allclose(gradient, 2 * x * (2 * np.cos(x**2) + 1))
    np.testing.assert_allclose(kept["y"], 2 * np.cos(x**2) + 1)
    assert kept["z"] == 2.0
    value, (same, again) = f.value_and_grad(x)
    assert value == f(x)
    np.testing.assert_array_equal(same, gradient)
    np.testing.assert_array_equal(again["y"], kept["y"])
    np.testing.assert_allclose(f.hvp((x,), x), f.hessian(x) @ x)


def test_the_last_value_of_a_variable_is_kept() -> None:
    @differentiate(keep="h")
    def f(x, n):
        h = x * 1.0
        for _ in range(n):
            h = h * x + 1
        y = h * h
        y[0] = 3 * h[1]
        return np.sum(y)

    x = np.array([0.5, 1.5, 2.0])
    h = x * 1.0
    for _ in range(4):
        h = h * x + 1
    gradient, kept = f.grad(x, 4)
    np.testing.assert_allclose(kept["h"], [0.0, 2 * h[1] + 3, 2 * h[2]])
    np.testing.assert_allclose(gradient, grad(f.__wrapped__)(x, 4))

    @differentiate(keep="c")
    def constant(x):
        c = {"a": np.ones(2), "b": x * 2}
        return np.sum(c["a"]) * c["b"]

    gradient, kept = constant.grad(2.0)
    assert gradient == 4.0
    np.testing.assert_array_equal(kept["c"]["a"], [4.0, 4.0])
    assert kept["c"]["b"] == 2.0


def test_what_cannot_be_kept_is_refused() -> None:
    def f(x, n):
        m = n + 1
        return x * m

    with pytest.raises(WrtError, match="no local variable"):
        differentiate(f, keep="q").grad(2.0, 3)
    with pytest.raises(DtypeError, match="an integer"):
        differentiate(f, keep="m").grad(2.0, 3)
    with pytest.raises(WrtError, match="names of local variables"):
        differentiate(f, keep=(1,))
    with pytest.raises(WrtError, match="outputs"):
        differentiate(f, keep="m", outputs="x")
    with pytest.raises(WrtError, match="no local variables"):
        differentiate(differentiate(f).grad, keep="m")


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
    "hessian_of_rosenbrock": ("rosenbrock", "hessian"),
    "hessian_of_low_pass": ("low_pass", "hessian"),
    "per_example_of_logistic_regression": ("logistic_regression", "per_example_grad"),
    "per_example_of_embedding": ("embedding_score", "per_example_grad"),
    "per_example_of_layer_norm": ("layer_norm", "per_example_grad"),
    "jacobian_of_layered": ("matrix", "rev"),
    "jacobian_of_recurrent_states": ("loop and list", "fwd"),
    "jacobian_of_writes": ("writes", "rev"),
}


def generated(name: str) -> str:
    function, transform = GOLDEN[name]
    if transform in ("fwd", "rev"):
        made, args, _ = JACOBIANS[function]
        return without_lines(jacobian(made, mode=transform).source_for(*args))
    call = Call(function)
    if transform == "hessian":
        source = call.function.hessian.source_for(*call.args)
    elif transform == "per_example_grad":
        names = [
            name
            for name, arg in zip(call.parameters, call.args, strict=True)
            if name not in call.names and isinstance(arg, np.ndarray)
        ]
        args = [
            np.stack([arg] * 3) if name in names else arg
            for name, arg in zip(call.parameters, call.args, strict=True)
        ]
        made = per_example_grad(call.row.function, wrt=call.row.wrt, in_axes=tuple(names))
        source = made.source_for(*args)
    elif transform == "jvp":
        source = call.function.jvp.source_for(call.args, call.tangents(call.v))
    else:
        source = call.function.hvp.source_for(call.args, call.packed(call.v))
    return without_lines(source)


def without_lines(source: str) -> str:
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
