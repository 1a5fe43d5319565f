"""Iterators over what a loop is kept for: `zip`, `map`, `filter`, `itertools`, generator expressions.

Each program gives the value of the undecorated function bit for bit, and the gradient of finite differences;
an iterator that Python would find empty, or in another state, is refused.
"""

import itertools

import numpy as np
import pytest

import symdiff
from symdiff import differentiate

X = np.linspace(0.2, 1.5, 6)


def total_of_rows(x):
    return (sum(x) ** 2) * max(x) + min(v * np.sin(v) for v in x)


def running_product(x):
    s = 0.0
    for product in itertools.accumulate(x, lambda p, q: p * q):
        s += product
        if s > 0.5:
            break
    return s


def running_sum(x):
    return sum(v * v for v in itertools.accumulate(x)) + sum(itertools.accumulate(x, initial=x[1]))


def chained(x):
    s = 0.0
    for v in itertools.chain(x, x[1:] ** 2, [x[0]]):
        if v > 1.2:
            break
        if v < 0.3:
            continue
        s += v * v
    return s


def chained_and_counted(x):
    s = 0.0
    for i, v in enumerate(itertools.chain(x, x[1:]), 1):
        s += i * v * v
    return s


def selected(x):
    return sum(filter(lambda v: v > 0.5, x)) + sum(v**2 for v in itertools.takewhile(lambda v: v < 1, x))


def left_out(x):
    return sum(v**3 for v in itertools.filterfalse(lambda v: v > 0.5, x))


def pairs_of_places(x):
    s, k = 0.0, 0
    for i, j in itertools.product(range(len(x)), repeat=2):
        if i == j:
            continue
        if k > 20:
            break
        s += (x[i] - x[j]) ** 2
        k += 1
    return s + i


def pairs_of_items(x):
    return sum(a * b**2 for a, b in itertools.product(x, x[::2])) + sum(
        a * b for a, b in itertools.combinations(x, 2)
    )


def counted_pairs(x):
    s = 0.0
    for i, j in itertools.combinations(range(len(x)), 2):
        s += x[i] / x[j] * (i + 1)
    return s


def neighbours(x):
    s = 0.0
    for a, b in itertools.pairwise(x):
        s += a * b
    return s + sum(itertools.starmap(lambda a, b: a * b * b, zip(x, x**2, strict=False)))


def mapped(x):
    s = 0.0
    for i, v in enumerate(map(np.sin, x)):
        s += i * v
    return s + sum(map(lambda a, b: a * b, x, x[1:]))


def sliced(x):
    s = 0.0
    for v in itertools.islice(x, 1, None, 2):
        s += v * v
    return s * sum(itertools.islice(x, 3))


def collected(x):
    return (
        np.array([v * v for v in itertools.chain(x, 2 * x)]).sum()
        + np.array(list(itertools.accumulate(x))).prod()
    )


def read_when_asked_for(x):
    y, s = x / 4, 0.0
    for v in (u * u for u in y):
        y += v  # what the generator reads next
        s += v
    for v in itertools.chain(y, y):
        y *= 1 + v / 100
    for v in map(np.sin, y):
        y[1:] += v / 10
    return s + y.sum()


def known_items(x):
    out = list(zip([x, 2 * x], [1.0, 2.0], strict=True))
    out.extend(reversed([(x, 3.0)]))
    found = dict(zip("ab", [x, x**2], strict=True))
    found.update(enumerate([x**3]))
    _first, *rest = enumerate([x, x * x])
    s = sum((a * b).sum() for a, b in out) + found["b"].sum() + found[0].sum() + rest[0][1].sum()
    for i in reversed(range(3)):
        s += x[i] * i
    return s + next(zip([x], [x], strict=True))[1].sum()


RIGHT = [
    total_of_rows, running_product, running_sum, chained, chained_and_counted, selected, left_out,
    pairs_of_places, pairs_of_items, counted_pairs, neighbours, mapped, sliced, collected,
    read_when_asked_for, known_items,
]  # fmt: skip


@pytest.mark.parametrize("function", RIGHT, ids=lambda f: f.__name__)
def test_value_and_gradient(function):
    value, gradient = differentiate(function).value_and_grad(X)
    assert value == function(X)
    steps = 1e-6 * np.eye(X.size)
    numerical = [(function(X + step) - function(X - step)) / 2e-6 for step in steps]
    np.testing.assert_allclose(gradient, numerical, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("count", [0, 1])
def test_few_items(count):
    def few(x):
        s = 1.0
        for total in itertools.accumulate(x):
            s += total * total
        for a, b in itertools.product(x, x):
            s += a * b
        for a, b in itertools.pairwise(x):
            s += a * b
        return s

    x = np.full(count, 1.5)
    value, gradient = differentiate(few).value_and_grad(x)
    assert value == few(x)
    np.testing.assert_allclose(gradient, np.full(count, 6.0))


def zip_twice(x):
    pairs = zip(x, x**2, strict=False)
    return sum(a * b for a, b in pairs) + sum(a * b for a, b in pairs)


def zip_of_known_items_twice(x):
    pairs = zip([x[0], x[1]], [x[1], x[2]], strict=True)
    return sum(a * b for a, b in pairs) + sum(a * b for a, b in pairs)


def enumerate_after_break(x):
    s, places = 0.0, enumerate(x)
    for i, v in places:
        s += v
        if i == 1:
            break
    for i, v in places:
        s += i * v
    return s


def generator_twice(x):
    squares = (v * v for v in x)
    return sum(squares) + sum(squares)


def reversed_in_every_round(x):
    s, back = 0.0, reversed(x)
    for _ in range(2):
        for v in back:
            s += v
    return s


def part_of_another(x):
    pairs = zip(x, x, strict=True)
    s = 0.0
    for i, (a, b) in enumerate(pairs):
        s += i * a * b
    for a, b in pairs:
        s += a * b
    return s


REFUSED = [
    zip_twice, zip_of_known_items_twice, enumerate_after_break, generator_twice, reversed_in_every_round,
    part_of_another,
]  # fmt: skip


@pytest.mark.parametrize("function", REFUSED, ids=lambda f: f.__name__)
def test_iterators_go_once(function):
    with pytest.raises(symdiff.SymdiffError, match=r"was gone through before|was made outside"):
        differentiate(function).grad(X)


def strict(x, y):
    return sum(a * b for a, b in zip(x, y, strict=True))


def test_strict_zip():
    value, gradient = differentiate(strict).value_and_grad(X, 2 * X)
    assert value == strict(X, 2 * X)
    np.testing.assert_allclose(gradient, 2 * X)
    with pytest.raises(ValueError, match="zip"):
        differentiate(strict).grad(X, X[1:])


def unpacked_slices(x):
    a, b, c = x[:3]
    d, e = x[-2:]
    f, g = x[1:3]
    return a * b * c + d * e + f / g


def test_unpacked_slices():
    value, gradient = differentiate(unpacked_slices).value_and_grad(X)
    assert value == unpacked_slices(X)
    steps = 1e-6 * np.eye(X.size)
    numerical = [(unpacked_slices(X + step) - unpacked_slices(X - step)) / 2e-6 for step in steps]
    np.testing.assert_allclose(gradient, numerical, rtol=1e-6)
    with pytest.raises(IndexError):
        differentiate(unpacked_slices).grad(X[:2])


def unpacked_up_to(x, n):
    a, b = x[:n]
    return a * b


def test_a_length_that_only_run_time_knows():
    with pytest.raises(symdiff.SymdiffError, match="cannot be unpacked"):
        differentiate(unpacked_up_to).grad(X, 2)
