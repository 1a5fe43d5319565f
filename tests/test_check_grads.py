"""`check_grads`: passes where derivatives are right, and tells which are not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import symdiff
from symdiff.errors import DtypeError, WrtError
from symdiff.testing import GradientError, check_grads, ridders

X = np.array([0.3, 0.7, 1.1])


@dataclass
class Line:
    w: np.ndarray
    b: float


class Layer:
    def __init__(self, w: float):
        self.w = w

    def __call__(self, x: Any) -> Any:
        return np.tanh(self.w * x)


def in_a_loop(x):
    s = 0.0
    for i in range(len(x)):
        s = s + x[i] ** 2 if x[i] > 0.5 else s * np.sin(x[i]) + x[i]
    return s


def of_containers(p, n):
    return {"hidden": [np.tanh(p["w"] @ p["x"]), n], "total": p["w"].sum() ** 2}


RIGHT: dict[str, tuple[Any, tuple[Any, ...], dict[str, Any]]] = {
    "ufunc": (np.sin, (X,), {}),
    "order 4": (lambda x: x**3 * np.exp(x), (X,), {"order": 4}),
    "float": (lambda x: x**3 * np.exp(x), (0.3,), {"order": 3}),
    "float32": (lambda x: np.sum(x**3 * np.exp(x)), (X.astype(np.float32),), {}),
    "two": (lambda a, b: a @ b, (np.arange(6.0).reshape(2, 3), X), {"wrt": (0, 1)}),
    "by name": (lambda a, b: a * b, (X, 2.0), {"wrt": "b"}),
    "containers": (of_containers, ({"w": np.ones((2, 3)), "x": X}, 3), {}),
    "complex": (lambda z: np.abs(z) ** 2 * z, (np.array([1 + 2j, 0.3 - 0.4j]),), {}),
    "dataclass": (lambda p, x: np.tanh(p.w * x + p.b), (Line(X, 0.3), X), {}),
    "object": (lambda layer, x: layer(x), (Layer(2.0), X), {}),
    "callable": (Layer(2.0), (X,), {}),
    "many entries": (lambda w: np.sum(np.tanh(w @ w.T)), (np.linspace(-1, 1, 400).reshape(20, 20),), {}),
    "of all sizes": (np.log, (np.array([1e-6, 1e-3, 100.0, 1e8]),), {}),
    "beside zero": (lambda x: np.sin(x) * np.cos(x), (np.array([1e-15, 0.0, -1e-7]),), {}),
    "loop": (in_a_loop, (X,), {}),
    "integer": (lambda x, n: x**n, (X, 3), {"order": 3}),
    "gradient": (symdiff.grad(lambda x: np.sum(x**3)), (X,), {}),
    "starred": (lambda *xs: xs[0] * xs[1], (X, X), {"wrt": 1}),
    "empty": (lambda x: np.sum(x), (np.zeros(0),), {}),
    "no axes": (lambda x: x * x, (np.array(2.0),), {}),
}


@pytest.mark.parametrize("case", RIGHT)
def test_what_is_right_passes(case: str) -> None:
    f, args, options = RIGHT[case]
    kept = [np.array(one, copy=True) for one in args if isinstance(one, np.ndarray)]
    check_grads(f, args, **options)
    for before, after in zip(kept, (one for one in args if isinstance(one, np.ndarray)), strict=True):
        np.testing.assert_array_equal(before, after)


def wrong_by(vjp: float, jvp: float, second: float = 1.0) -> Any:
    """sin, whose derivatives are wrong by factors."""

    @symdiff.rule
    def cosine(x):
        return np.cos(x)

    cosine.vjp(lambda g, value, x: -g * np.sin(x) * second)
    cosine.jvp(lambda t, value, x: -t * np.sin(x) * second)

    @symdiff.rule
    def sine(x):
        return np.sin(x)

    sine.vjp(lambda g, value, x: g * cosine(x) * vjp)
    sine.jvp(lambda t, value, x: t * cosine(x) * jvp)
    return lambda x: sine(x)


def message(f: Any, *args: Any, **options: Any) -> str:
    with pytest.raises(GradientError) as caught:
        check_grads(f, args, **options)
    assert isinstance(caught.value, AssertionError)
    return str(caught.value)


def test_the_mode_and_the_entry_are_named() -> None:
    check_grads(wrong_by(1, 1), (X,))
    text = message(wrong_by(1.00001, 1), X)
    assert "order 1, reverse mode, x[2]: " in text
    assert "forward" not in text
    assert "differences give" in text
    assert "estimated error" in text
    text = message(wrong_by(1, -1), X)
    assert "order 1, forward mode, x[0]: " in text
    assert "reverse" not in text
    check_grads(wrong_by(1, -1), (X,), order=1, modes=("rev",))


def test_the_second_order_is_checked() -> None:
    wrong = wrong_by(1, 1, second=1.0001)
    check_grads(wrong, (X,), order=1)
    assert "order 2, reverse mode" in message(wrong, X)


def test_imaginary_parts() -> None:
    @symdiff.rule
    def f(z):
        return z * z

    f.vjp(lambda g, value, z: g * 2 * z)  # not the conjugate
    f.jvp(lambda t, value, z: 2 * t * z)
    text = message(lambda z: np.sum(np.abs(f(z)) ** 2), np.array([1 + 2j]), order=1)
    assert "reverse mode, z[0], imaginary part" in text
    assert "forward" not in text


def test_places_in_containers() -> None:
    @symdiff.rule
    def f(x):
        return x * x

    f.vjp(lambda g, value, x: g * x)
    text = message(lambda p: np.sum(f(p["w"][0])), {"w": [X], "b": 1.0}, modes=("rev",))
    assert "p['w'][0][1]" in text


def test_where_differences_tell_nothing() -> None:
    text = message(np.floor, np.array([0.5, 1.0]))
    assert "x[1]" in text
    assert "do not converge" in text
    assert "x[0]" not in text
    check_grads(np.abs, (np.array([0.0, 1.0]),), order=1)  # half way: what symdiff gives, too
    assert "order 2" in message(np.abs, np.array([0.0, 1.0]))


def test_the_estimated_error_is_above_the_error() -> None:
    for f, slope, step in [
        (np.sin, np.cos, 0.1),
        (np.exp, np.exp, 1.0),
        (np.tan, lambda x: 1 + np.tan(x) ** 2, 0.5),
    ]:
        for x in np.linspace(-1, 1, 21):

            def quotient(h, f=f, x=x):
                return (f(x + h) - f(x - h)) / (2 * h), 2e-16 * abs(f(x)) / h

            value, error = ridders(quotient, step)
            assert abs(value - slope(x)) <= 8 * error + 1e-15
            assert error < 1e-9 * max(1, abs(slope(x)))


def test_what_cannot_be_checked() -> None:
    with pytest.raises(DtypeError, match="`n` is of int"):
        check_grads(lambda x, n: x**n, (X, 3), wrt=1)
    with pytest.raises(WrtError, match="modes"):
        check_grads(np.sin, (X,), modes=("reverse",))
    with pytest.raises(WrtError, match="there are 1 arguments"):
        check_grads(np.sin, (X,), wrt="y")
    with pytest.raises(WrtError, match="returns no float"):
        check_grads(lambda x: 3, (X,))


def test_it_is_public() -> None:
    assert symdiff.check_grads is check_grads
