"""Values whose class or dtype only run time knows: what depends on it is refused, all else is right."""

from __future__ import annotations

import numpy as np
import pytest

import symdiff
from symdiff.errors import UnsupportedError

X = np.array([0.3, 0.7, 0.9])


def class_of_a_branch(x, k):
    a = 1
    if k > 2:
        a = 0.5
    return x * 2 if isinstance(a, int) else x * 3


def array_of_a_branch(x, k):
    a = 1
    if k > 2:
        a = 0.5
    b = np.array([a, 2])
    b[0] = x
    return np.sum(b * 3)


def array_of_a_total(x, n):
    s = 0
    for _ in range(n):
        s = s + 0.5
    b = np.full(2, s)
    b[0] = x
    return np.sum(b * 3)


def array_of_a_staged_total(x, n):
    s = 0
    for _ in range(n):
        s = s + np.sin(x)
    b = np.array([s, s])
    b[0] = x
    return np.sum(b * 3)


def array_of_a_power(x, k):
    b = np.array([2**-k, 2])
    b[0] = x
    return np.sum(b * b)


def ints_or_floats(x, k):
    b = np.array([1, 2])
    if k > 2:
        b = b.astype(float)
    b = b * 2
    b[0] = x
    return np.sum(b * 3)


def found_in_a_later_round(x, n):
    a, b = 1.5, 2
    s = 0.0
    for _ in range(n):
        c = np.array([a, a])
        c[0] = x
        s = s + np.sum(c)
        a, b = b, a
    return s


def item_of_a_stack(x, n):
    found = [1]
    for _ in range(n):
        found.append(0.5)
    b = np.array([found[0], 3])
    b[0] = x
    return np.sum(b)


def dtype_of_a_branch(x, k):
    a = np.float64(1)
    if k > 3:
        a = x
    b = a * np.array([1, 2], dtype=np.float32)
    return np.sum(np.zeros(2, dtype=b.dtype) + b)


def array_of_the_sum_of_a_total(x, n):
    s = 0
    for i in range(n):
        s = s + np.full(3, 0.5) * i
    b = np.array([np.sum(s), 1])
    b[0] = x
    return np.sum(b * 3)


def single_or_empty(x, k):
    parts = []
    for i in range(k):
        if i > 2:
            parts.append(np.float32(0.5) * np.ones(2, dtype=np.float32))
    b = np.sum(np.asarray(parts) * 0.5) + np.zeros(3, dtype=np.float32)
    b[0] = x
    return np.sum(b)


def single_unless_no_round(x, k):
    parts = []
    for _ in range(k):
        parts.append(np.ones(2, dtype=np.float32))
    return np.sum(np.zeros(3, dtype=np.asarray(parts).dtype) + x)


REFUSED = [
    (single_unless_no_round, 1),
    (array_of_the_sum_of_a_total, 2), (single_or_empty, 1),
    (dtype_of_a_branch, 5),
    (class_of_a_branch, 1), (array_of_a_branch, 1), (array_of_a_total, 0), (array_of_a_staged_total, 0),
    (array_of_a_power, 1), (ints_or_floats, 1), (found_in_a_later_round, 3), (item_of_a_stack, 2),
]  # fmt: skip


@pytest.mark.parametrize(("function", "k"), REFUSED, ids=[function.__name__ for function, _ in REFUSED])
def test_refused(function, k):
    with pytest.raises(UnsupportedError, match=r"at run time"):
        symdiff.grad(function, wrt="x")(0.7, k)


def converted(x, k):
    a = 1
    if k > 2:
        a = 0.5
    b = np.array([float(a), 2])
    b[0] = x
    return np.sum(b * b)


def number_of_a_branch(x, k):
    a = 1
    if k > 2:
        a = 0.5
    return x * a * 2 if isinstance(a, (int, float)) else x


def bool_or_number(x, k):
    a = x
    if k > 2:
        a = True
    return x * a + (x if a else 3.0) + a


def power_of_ints(x, k):
    return x * 2**k + np.sum(np.array([x, 2**-k]))


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("function", [converted, number_of_a_branch, bool_or_number, power_of_ints])
def test_right(function, k):
    value, gradient = symdiff.value_and_grad(function, wrt="x")(0.7, k)
    assert value == function(0.7, k)
    step = 1e-6
    assert abs(gradient - (function(0.7 + step, k) - function(0.7 - step, k)) / (2 * step)) < 1e-8


def total_of_rows(x, n):
    total = 0
    for _ in range(n):
        total = total + x
    total[0] = 2.0
    total *= x
    return np.sum(total)


def rebound(x, n):
    y = x
    for _ in range(n):
        y = y * 2.0
        y[1] = x[0]
    return np.sum(y)


def made_in_a_branch(x, n):
    y = np.zeros_like(x) if n > 2 else x * 2.0
    z = y.copy()
    z[0] = x[1]
    return np.sum(z * z)


def started_with_zero(x, n):
    s = 0
    for v in x:
        s = s + v
    b = np.full(2, s * 1.0)
    b += s
    return np.sum(b * s)


def single_and_never_empty(x, n):
    parts, single = [], np.float32(0.5) * np.ones(2, dtype=np.float32)
    for _ in range(len(x) - 1):
        parts.append(single)
    whole = np.asarray(parts) * 0.5
    b = np.zeros(whole.shape, dtype=whole.dtype) + x[0]
    b[0] = x[1]
    return np.sum(b * b)


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize(
    "function", [total_of_rows, rebound, made_in_a_branch, started_with_zero, single_and_never_empty]
)
def test_written(function, n):
    value, gradient = symdiff.value_and_grad(function, wrt="x")(X, n)
    assert value == function(X, n)
    step = 1e-6
    slopes = [(function(X + step * e, n) - function(X - step * e, n)) / (2 * step) for e in np.eye(len(X))]
    assert np.allclose(gradient, slopes, rtol=1e-7, atol=1e-8)
