"""Functions that call themselves until run time ends it: values bit for bit, gradients like differences."""
# ruff: noqa: SIM108, B023

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symdiff as sd
from symdiff.autodiff.reverse import vjp
from symdiff.callables import as_function
from symdiff.errors import UnsupportedError
from symdiff.frontend import lower
from symdiff.ir.node import LEAF
from symdiff.ir.text import from_text, to_text
from symdiff.ir.verify import verify
from symdiff.ops.control import closure
from symdiff.ops.effects import perform
from symdiff.ops.row import REGISTRY
from symdiff.simplify import simplify

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


def buffered(x):
    y = np.zeros(len(x))
    s = 0.0
    for i in range(len(x)):
        y[i] = x[i] * 2
        s = s + np.sum(doubled_small(y) * x)
    return s


def result_written(x):
    s = 0.0
    for i in range(3):
        y = doubled_small(x * (i + 1))
        s = s + np.sum(y * x)
        y[0] = 3.0
        s = s + np.sum(y)
    return s


def grown_exp(x):
    y = np.exp(x)
    return y if np.sum(x) < 1 else grown_exp(x * 0.4) * y


def result_inplace(x):
    y = grown_exp(x)
    y *= 2.0
    y[1] += x[0]
    return np.sum(y * y)


def alias_write(x):
    y = x * 1.0
    z = shrunk(y)
    y[0] = 0.0
    return np.sum(z * y)


def alias_write2(x):
    y = x * 1.0
    z = shrunk(y)
    z[0] = 0.0
    return np.sum(z * y)


def captured_written(x):
    w = x * 1.0

    def inner(y):
        return np.sum(y * w) if np.sum(y) < 1 else inner(y * 0.5) + w[0]

    a = inner(x)
    w[0] = 5.0
    return a * inner(x)


def captured_in_loop(x):
    s = 0.0
    for i in range(len(x)):
        w = x[i] * 2

        def inner(y):
            return y * w if y < 1 else inner(y * 0.5) + w

        s = s + inner(x[i] * 5)
    return s


def closure_arg(x):
    def apply(f, y):
        return f(y) if y < 1 else apply(f, y / 2) * y

    k = np.sum(x)
    a = apply(lambda z: z * k, x[0] * 4)
    k = k * 3
    return a + apply(lambda z: z * k, x[0] * 4) + apply(np.sin, x[1])


@sd.checkpoint
def block(x):
    return np.sum(doubled_small(x) * x)


def checkpointed(x):
    return block(x) * block(x * 2)


def checkpointed_loop(x):
    s = x * 1.0
    for _ in sd.checkpoint(range(9)):
        s = np.sin(s) * 0.3 + doubled_small(s) * 0.1
    return np.sum(s)


def with_keyword(x, *, k=2.0):
    return x * k if x < 1 else with_keyword(x / 2, k=k * 1.5) + x


def with_star(*a):
    return a[0] * a[1] if a[0] < 1 else with_star(a[0] / 2, a[1] + a[0])


def use_star(x):
    return with_star(x, x * 2)


def whilecond(x):
    s = x
    while halved(s * 5) < 0.9 and s < 40:
        s = s * 1.7
    return s * s


def count(x, n):
    return x if x < 1 or n > 100 else count(np.sin(x) * x * 0.9, n + 1) * 1.1


def counter(x):
    return count(x, 0)


def many(x):
    a, b, _ = three(x)
    return np.sum(a * x) + b


def three(x):
    if np.sum(x) < 2:
        return x, np.sum(x), len(x)
    a, b, c = three(x * 0.5)
    return a * x, b * x[0], c + 1


def printing(x):
    print(x)  # noqa: T201
    return x if x < 1 else printing(x / 2)


def writing(x):
    x[0] = x[0] / 2
    return np.sum(x) if x[0] < 1 else writing(x)


def use_writing(x):
    return writing(x * 1.0)


def writing_other(x, y):
    if np.sum(x) < 1:
        return np.sum(x)
    y[0] = 1.0
    return writing_other(x / 2, y)


def use_writing_other(x):
    y = x * 2
    return writing_other(x, y) * y[0]


def listing(x, acc):
    if x < 1:
        return x
    acc.append(x)
    return listing(x / 2, acc)


def use_listing(x):
    acc = []
    r = listing(x, acc)
    return r * len(acc) * acc[0]


def raising(x):
    if x > 50:
        raise ValueError("large")
    return x if x < 1 else raising(x / 2)


def forever(x):
    return forever(x * 0.5) if x > 1 else forever(x * 2)


def augmenting(x, n):
    x *= 2
    return np.sum(x) if n < 1 else augmenting(x, n - 1.0)


def use_augmenting(x):
    return augmenting(x * 1.0, x[0] * 3)


def augmenting_scalar(x):
    x /= 2
    return x if x < 1 else augmenting_scalar(x)


def of_view(x):
    return x[0] if np.sum(x) < 1 else of_view(x[::-1] * 0.5) * x[1]


def giving_view(x):
    return x if np.sum(x * x) < 1 else giving_view(x * 0.5)[::-1]


def use_view(x):
    return np.sum(giving_view(x) * np.arange(3))


def counting(x):
    n = 0

    def g(y):
        nonlocal n
        n += 1
        return y if y < 1 else g(y / 2)

    return g(x) * n


def use_twins(x):
    a, b = twins(x)
    a[0] = 4.0
    return np.sum(a * b)


def twins(x):
    if np.sum(x) < 2:
        y = x * 2
        return y, y
    return twins(x * 0.5)


def inner_loop_rec(x):
    if np.sum(x * x) < 1:
        return np.sum(x)
    s = 0.0
    for i in range(2):
        s = s + inner_loop_rec(x * 0.5) * x[i]
    return s


def in_comprehension(x):
    return [threefold(v) for v in (x, x * 2)][1]


def threefold(x):
    return x if x < 1 else sum([threefold(x / k) for k in (2.0, 3.0)])


def boolean(x):
    return isbig(x) * x if isbig(x) else x * x


def isbig(x):
    return x > 0.7 if x < 1 else isbig(x / 2)


def whileinside(x):
    s = x
    while s > 1:
        s = s * 0.7
    return s if x < 1 else whileinside(x - 1) * s


def doubtful(x):
    y = x * 1.0
    z = y if x[0] > 1 else x * 2
    r = shrunk(z)
    y[0] = 0.0
    return np.sum(r * z)


def row_sum(M):
    return np.sum(M[0] ** 2) if len(M) == 1 else row_sum(M[: len(M) // 2]) * 0.5 + row_sum(M[len(M) // 2 :])


def quick(x):
    if len(x) <= 1:
        return x
    p = x[0]
    r = x[1:]
    return np.concatenate([quick(r[r < p]), x[:1], quick(r[r >= p])])


def use_quick(x):
    return np.sum(quick(x) * np.arange(len(x)))


def strassen(A, B):
    n = len(A)
    if n <= 1:
        return A * B
    m = n // 2
    a = strassen(A[:m, :m], B[:m, :m]) + strassen(A[:m, m:], B[m:, :m])
    b = strassen(A[:m, :m], B[:m, m:]) + strassen(A[:m, m:], B[m:, m:])
    c = strassen(A[m:, :m], B[:m, :m]) + strassen(A[m:, m:], B[m:, :m])
    d = strassen(A[m:, :m], B[:m, m:]) + strassen(A[m:, m:], B[m:, m:])
    return np.concatenate([np.concatenate([a, b], axis=1), np.concatenate([c, d], axis=1)])


def use_strassen(A):
    return np.sum(strassen(A, A) * A)


def known_power(x):
    def p(v, n):
        return 1.0 if n == 0 else v * p(v, n - 1)

    return p(x, 3) + halved(x)


def breaking(x):
    s = x
    for _ in range(10):
        s = s * 1.3 + halved(s) * 0.1
        if s > 4:
            break
    return s


def returning(x):
    for i in range(10):
        x = x * 1.3
        if halved(x) > 0.9:
            return x * i
    return x


def short_circuit(x):
    return x * 2 if x < 1 or (x > 3 and short_circuit(x / 2) < 1) else short_circuit(x - 0.7) * x


def ackermann(m, n):
    if m < 1:
        return n + 1
    if n < 1:
        return ackermann(m - 1, 1.0) * 1.1
    return ackermann(m - 1, ackermann(m, n - 1))


def use_ackermann(x):
    return ackermann(2.0 + x * 0.1, x)


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
    (buffered, A3), (result_written, A3), (result_inplace, A3), (captured_written, A3),
    (captured_in_loop, A3 * 1.1), (closure_arg, A3), (checkpointed, A3), (checkpointed_loop, A3),
    (with_keyword, 3.3), (use_star, 3.3), (whilecond, 0.3), (counter, 3.3), (many, A3),
    (augmenting_scalar, 3.3), (of_view, A3), (use_view, A3), (inner_loop_rec, A3),
    (in_comprehension, 3.3), (boolean, 3.3), (whileinside, 3.3),
    (row_sum, np.outer(A4, A3)), (use_quick, A7), (use_strassen, np.outer(A4, A4[::-1])), (known_power, 2.2),
    (breaking, 1.1), (returning, 1.1), (short_circuit, 5.3), (use_ackermann, 1.4),
]  # fmt: skip


REFUSED: list[tuple[Callable[..., Any], Any]] = [
    (doubtful, A3), (alias_write, A3), (alias_write2, A3), (printing, 3.3), (use_writing, A3),
    (use_writing_other, A3),
    (use_listing, 3.3), (raising, 3.3), (forever, 3.0), (use_augmenting, A3),
    (augmenting_scalar, np.array(3.3)), (counting, 3.3), (use_twins, A3),
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


@pytest.mark.parametrize(("f", "x"), REFUSED, ids=[f.__name__ for f, _ in REFUSED])
def test_refused(f: Callable[..., Any], x: Any) -> None:
    """What writes into what it is given, or acts, and what may be one of two arrays and is written into."""
    with pytest.raises(UnsupportedError):
        sd.grad(f).source_for(x)


@pytest.mark.parametrize(("f", "x"), PROGRAMS, ids=[f.__name__ for f, _ in PROGRAMS])
def test_inside(f: Callable[..., Any], x: Any) -> None:
    """Every function of a program keeps the rules of the IR, and the text form holds all of them."""
    bound = inspect.signature(f).bind(x)
    primal = lower(as_function(f), bound).function
    verify(primal)
    assert primal.functions
    tree = LEAF
    derived = vjp(primal, primal.params[:1], tree)
    simple = simplify(derived)
    for function in (primal, derived, simple):
        verify(function)
        text = to_text(function)
        if "builtins." in text:
            continue  # a name that cannot be read back
        assert to_text(from_text(text, {**REGISTRY, "closure": closure, "perform": perform})) == text


def test_several_results() -> None:
    """Arrays and numbers of any structure; the pullback may be called again."""

    def f(x, y):
        s, p = both(x * y)
        return {"s": s * x, "p": p}

    x = np.array([1.5, 0.5, 2.0])
    value, pullback = sd.vjp(f, wrt=(0, 1))(x, 2.0)
    assert np.array_equal(value["s"], f(x, 2.0)["s"])
    for _ in range(2):
        x_bar, y_bar = pullback({"s": np.ones(3), "p": 2.0})
        expected = differences(lambda x: np.sum(f(x, 2.0)["s"]) + 2 * f(x, 2.0)["p"], x)
        np.testing.assert_allclose(x_bar, expected, rtol=1e-6)
        np.testing.assert_allclose(
            y_bar, differences(lambda y: np.sum(f(x, y)["s"]) + 2 * f(x, y)["p"], 2.0), rtol=1e-6
        )


def test_single_precision() -> None:
    x = A3.astype(np.float32)
    value, gradient = sd.value_and_grad(shrunk_norm)(x)
    assert value.dtype == gradient.dtype == np.float32
    np.testing.assert_allclose(gradient, sd.grad(shrunk_norm)(A3), rtol=1e-4)


def test_complex() -> None:
    def f(x, w):
        return np.sum(np.abs(wave(x * w)) ** 2 * np.arange(4))

    w = np.array([1 + 0.5j, 0.3j, -0.2, 0.7 - 1j])
    gradient = sd.grad(f, wrt="w")(A4, w)
    real = differences(lambda u: f(A4, u + 1j * w.imag), w.real)
    imaginary = differences(lambda v: f(A4, w.real + 1j * v), w.imag)
    np.testing.assert_allclose(gradient, real + 1j * imaginary, rtol=1e-6, atol=1e-8)


def test_the_depth_is_pythons() -> None:
    with pytest.raises(RecursionError):
        sd.grad(accumulated_slowly)(1e9)


def accumulated_slowly(x):
    return x if x < 1 else accumulated_slowly(x - 1)


TOTAL = '''# Generated by symdiff.
import numpy as np


def _total_vjp(x):
    """Value and pullback of total, which calls itself."""
    # m = len(x) // 2
    m = x.shape[0] // 2
    # return x[0] ** 2 if len(x) == 1 else total(x[:m]) + total(x[m:])
    condition = x.shape[0] == 1
    if condition:
        s = x[0] ** 2
    else:
        x1 = x[:m]
        s, pull_total_1 = _total_vjp(x1)
        x2 = x[m:]
        s1, pull_total = _total_vjp(x2)
        s = s + s1

    def pullback(value_bar):
        if condition:
            # return x[0] ** 2 if len(x) == 1 else total(x[:m]) + total(x[m:])
            x_bar = np.zeros_like(x)
            x_bar[0] += 2 * value_bar * x[0]
        else:
            x_bar_1 = pull_total(value_bar)
            x_bar = np.zeros_like(x)
            x_bar[m:] += x_bar_1
            x_bar_2 = pull_total_1(value_bar)
            x_bar[:m] += x_bar_2
        return x_bar

    return s, pullback


def total_grad(x):
    """Gradient of total with respect to x."""
    _, pull_total = _total_vjp(x)
    x_bar = pull_total(1.0)
    return x_bar
'''


def plain(source: str) -> str:
    """The text without the line numbers of this file."""
    return re.sub(r" \(\S+:\d+\)", "", source)


def test_text_of_halves() -> None:
    assert plain(sd.grad(total).source_for(A7)) == TOTAL


EVEN = '''# Generated by symdiff.
import numpy as np


def _even_vjp(x):
    """Value and pullback of even, which calls itself."""
    # return x * x if x < 1 else odd(x - 1) * x
    condition = x < 1
    if condition:
        product = x * x
    else:
        x1 = x - 1
        if x1 < 1:
            # return np.sin(x) if x < 1 else even(x - 1) + x
            s = np.sin(x1)
        else:
            x2 = x1 - 1
            s, pull_even = _even_vjp(x2)
            s = s + x1
        # return x * x if x < 1 else odd(x - 1) * x
        product = s * x

    def pullback(value_bar):
        if condition:
            # return x * x if x < 1 else odd(x - 1) * x
            x_bar = 2 * (value_bar * x)
        else:
            scale = value_bar * x
            x3 = x - 1
            if x3 < 1:
                # return np.sin(x) if x < 1 else even(x - 1) + x
                x_bar = scale * np.cos(x3)
            else:
                x_bar = pull_even(scale)
                x_bar = scale + x_bar
            # return x * x if x < 1 else odd(x - 1) * x
            x_bar += value_bar * s
        return float(x_bar)

    return product, pullback


def even_value_and_grad(x):
    """Value and gradient of even with respect to x."""
    value, pull_even = _even_vjp(x)
    x_bar = pull_even(1.0)
    return value, x_bar
'''


def test_text_of_mutual_recursion() -> None:
    assert plain(sd.value_and_grad(even).source_for(2.5)) == EVEN
