"""Functions that call themselves until run time ends it: values bit for bit, gradients against differences."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symdiff as sd
from symdiff.errors import UnsupportedError

W = np.array([0.3, -0.2, 0.5])
RATE = 0.5


def halved(x):
    return x if x < 1 else halved(x / 2)


def product(x):
    return 1.0 if x < 1 else x * product(x - 1)


def accumulated(x, total=0.0):
    if x < 0.5:
        return total
    return accumulated(x * 0.7, total + x**2)


def newton(y, a):
    step = (y * y - a) / (2 * y)
    if abs(step) < 1e-9:
        return y
    return newton(y - step, a)


def root(a):
    return newton(a / 2 + 0.5, a)


def total(x):
    m = len(x) // 2
    return x[0] ** 2 if len(x) == 1 else total(x[:m]) + total(x[m:])


def products(x):
    if len(x) == 1:
        return x[0]
    m = len(x) // 2
    return products(x[:m]) * products(x[m:])


def even(x):
    return x * x if x < 1 else odd(x - 1) * x


def odd(x):
    return np.sin(x) if x < 1 else even(x - 1) + x


def shrunk(x):
    return x if np.sum(x * x) < 1 else shrunk(x * 0.6)


def shrunk_norm(x):
    return np.sum(np.sin(shrunk(x)) * x)


def horner(c, x):
    return c[0] if len(c) == 1 else c[0] + x * horner(c[1:], x)


def polynomial(c):
    return horner(c, c[0] * 0.5)


def both(x):
    """Sum and product."""
    if len(x) == 1:
        return x[0], x[0]
    m = len(x) // 2
    s, p = both(x[:m])
    t, q = both(x[m:])
    return s + t, p * q


def sum_times_product(x):
    s, p = both(x)
    return s * p


def sum_alone(x):
    return both(x)[0] ** 2


def exponential(A):
    if np.sum(A * A) < 0.1:
        return np.eye(2) + A + A @ A / 2 + A @ A @ A / 6
    half = exponential(A / 2)
    return half @ half


def matrix(A):
    return np.sum(exponential(A) * A)


def simpson(a, b, fa, fm, fb, p, whole):
    m = (a + b) / 2
    fl, fr = np.exp(-p * ((a + m) / 2) ** 2), np.exp(-p * ((m + b) / 2) ** 2)
    left = (m - a) / 6 * (fa + 4 * fl + fm)
    right = (b - m) / 6 * (fm + 4 * fr + fb)
    if abs(left + right - whole) < 1e-6:
        return left + right
    return simpson(a, m, fa, fl, fm, p, left) + simpson(m, b, fm, fr, fb, p, right)


def integral(p):
    a, b = 0.0, 2.0
    fa, fm, fb = 1.0, np.exp(-p), np.exp(-p * 4)
    return simpson(a, b, fa, fm, fb, p, (b - a) / 6 * (fa + 4 * fm + fb))


def ninety_one(x):
    return x * 0.9 if x > 10 else ninety_one(ninety_one(x + 3))


def in_loop(x):
    s = 0.0
    for v in x:
        s = s + halved(v) * v
    return s


def in_while(x):
    s = x
    while s > 0.1:
        s = s * halved(s * 3) * 0.4
    return s + x


def in_branch(x):
    if x > 2:
        y = product(x) * 2
    else:
        y = halved(x + 1)
    return y * x


def in_nest(x):
    s = 0.0
    for i in range(len(x)):
        if x[i] > 1:
            for _ in range(i + 1):
                s = s * 0.5 + product(x[i]) * s + x[i]
        else:
            s = s - halved(x[i] * 9)
    return s


def with_closure(x):
    rate = np.sum(x) * 0.1

    def inner(y):
        return y * rate if np.sum(y) < 1 else inner(y * 0.5) + rate

    first = np.sum(inner(x))
    rate = rate * 2
    return first + np.sum(inner(x))


def with_globals(x):
    return _with_globals(x * W)


def _with_globals(y):
    return np.sum(y * W) if np.sum(y) < 1 else _with_globals(y * RATE) * y[0]


def with_loop_inside(x):
    s = 0.0
    for v in x:
        s = s + v * v
    return s if s < 1 else s + with_loop_inside(x * 0.5) * x[0]


def with_writes_inside(x):
    y = np.zeros(len(x))
    for i in range(len(x)):
        y[i] = x[i] * 0.5
    return np.sum(y) if np.sum(x) < 1 else with_writes_inside(y) + y[0]


def written_after(x):
    y = x * 2
    z = doubled_small(y)
    y[0] = 7.0
    return np.sum(z * y)


def doubled_small(x):
    y = x * 0.5
    return y * y if np.sum(x) < 4 else doubled_small(y) * x


def written_result(x):
    y = doubled_small(x)
    y += x
    y[1] = x[0]
    return np.sum(y * y)


def with_options(x):
    return _options(x, "fast", 3) + _options(x, "slow", 2)


def _options(x, kind, power):
    if x < 1:
        return x**power if kind == "fast" else np.sin(x)
    return _options(x / 2, kind, power) * x


def counted(x):
    return depth(x) * x


def depth(x):
    return 0 if x < 1 else 1 + depth(x / 2)


def pair(x):
    """Two forms of one function."""
    return grown(x[0]) + np.sum(grown(x))


def grown(x):
    return x * x if np.sum(x) > 50 else grown(x * 2 + 1)


def wave(x):
    """The fast Fourier transform."""
    n = len(x)
    if n == 1:
        return x + 0j
    a, b = wave(x[::2]), wave(x[1::2])
    k = np.exp(-2j * np.pi * np.arange(n // 2) / n) * b
    return np.concatenate([a + k, a - k])


def power(x):
    return np.sum(np.abs(wave(x)) ** 2 * np.arange(len(x)))


def tree(x):
    """Nothing of what is given is read by both halves."""
    return np.sin(x[0] * x[-1]) if len(x) < 3 else tree(x[1:]) * tree(x[:-1])


def first_argument(x, scale):
    return scale * x if x < 0.3 else first_argument(x * x / (1 + x), scale) * x


def scaled(x):
    return first_argument(x, 2.0) + first_argument(x, x)


def in_list(x):
    return sum([halved(v) ** 2 for v in (x, x * 3, x + 5)])


def untouched(x):
    """The result may be the argument."""
    return np.sum(shrunk(x) * x) + np.sum(shrunk(x * 0.01))


def of_list(x):
    return _of_list([x, x * 2], {"scale": x * 0.5})


def _of_list(values, more):
    a, b = values
    return a + b * more["scale"] if a < 1 else _of_list([a / 2, b + a], {"scale": more["scale"] * 0.9})


A3 = np.array([1.3, 0.4, 2.1])
A4 = np.array([1.3, 0.4, 2.1, 0.7])
A7 = np.array([1.3, 0.4, 2.1, 0.7, -0.6, 1.9, 0.2])
PROGRAMS: list[tuple[Callable[..., Any], Any]] = [
    (halved, 5.0), (halved, 0.25), (product, 4.3), (accumulated, 3.0), (root, 3.0), (total, A7),
    (total, A3), (products, A7), (even, 4.3), (odd, 4.6), (shrunk_norm, A3), (polynomial, A7),
    (sum_times_product, A7), (sum_alone, A7), (matrix, np.array([[0.6, 0.9], [-0.4, 1.1]])), (integral, 1.2),
    (ninety_one, 3.3), (in_loop, A7 * 4), (in_while, 1.7), (in_branch, 3.4), (in_branch, 1.2), (in_nest, A7),
    (with_closure, A3), (with_globals, A3 * 9), (with_loop_inside, A3), (with_writes_inside, A3),
    (written_after, A3), (written_result, A3), (with_options, 3.7), (counted, 5.5), (pair, A3), (power, A4),
    (tree, A4), (scaled, 0.9), (in_list, 0.8), (untouched, A3), (of_list, 3.3),
]  # fmt: skip


def differences(f: Callable[..., Any], x: Any) -> Any:
    """Central differences."""
    x = np.asarray(x, dtype=float)
    found = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[place] = 1e-6
        low, high = (x - step)[()], (x + step)[()]
        if x.shape == ():
            low, high = float(low), float(high)
        found[place] = (f(high) - f(low)) / 2e-6
    return found


@pytest.mark.parametrize(("f", "x"), PROGRAMS, ids=[f.__name__ for f, _ in PROGRAMS])
def test_programs(f: Callable[..., Any], x: Any) -> None:
    before = np.copy(x)
    value, gradient = sd.value_and_grad(f)(x)
    assert type(value) is type(f(x))
    assert np.array_equal(value, f(x))
    expected = differences(f, x)
    np.testing.assert_allclose(gradient, expected, rtol=2e-5, atol=1e-7)
    assert np.array_equal(sd.grad(f)(x), gradient)
    value, pullback = sd.vjp(f)(x)
    assert np.array_equal(value, f(x))
    for _ in range(2):
        assert np.allclose(pullback(1.0), gradient, rtol=1e-13, atol=0)
        assert np.allclose(pullback(2.0), 2 * gradient, rtol=1e-13, atol=0)
    assert np.array_equal(x, before)
