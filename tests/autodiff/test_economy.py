"""What the way back leaves out: copies and zeros of arrays of which a place changes, needless products."""

from __future__ import annotations

import numpy as np
import pytest

import symdiff

rng = np.random.default_rng(9)


def pulled(f, *arguments, outputs=None, seed=3):
    """Gradients for a cotangent, which are compared with differences along a direction; and the source."""
    options = {} if outputs is None else {"outputs": outputs}
    made = symdiff.vjp(f, wrt=tuple(range(len(arguments))), **options)
    value, pullback = made(*arguments)
    weights = np.random.default_rng(seed).uniform(0.5, 1.5, np.shape(value))
    kept = weights.copy()
    gradients, again = pullback(weights), pullback(weights)
    assert np.array_equal(weights, kept)
    for one, other in zip(gradients, again, strict=True):
        assert np.array_equal(one, other)
        assert not np.shares_memory(one, other)
        assert not np.shares_memory(one, weights)
        assert one.flags.c_contiguous

    def loss(step):
        moved = [a + step * d for a, d in zip(arguments, directions, strict=True)]
        result = f(*moved)
        return np.sum(weights * (moved[0] if result is None else result))

    directions = [rng.normal(size=a.shape) for a in arguments]
    slope = (loss(1e-6) - loss(-1e-6)) / 2e-6
    along = sum(np.sum(g * d) for g, d in zip(gradients, directions, strict=True))
    assert along == pytest.approx(slope, rel=1e-6)
    return made.source_for(*arguments).partition("def pullback")[2]


def diagonal_plus(a):
    trace = 0.0
    for i in range(len(a)):
        trace += np.tanh(a[i, i])
    return a + trace


def smoothed(x):
    for _ in range(3):
        x[1:-1] = 0.5 * x[1:-1] + 0.25 * (x[2:] + x[:-2])


def test_what_a_loop_made_its_own_leaves_as_it_is():
    assert pulled(diagonal_plus, rng.uniform(size=(4, 4))).count(".copy()") == 1
    source = pulled(smoothed, rng.uniform(size=7), outputs=("x",))
    assert not any(line.strip().startswith("return") and "copy" in line for line in source.splitlines())
    assert source.count(" = x_bar.copy()") <= 1


def transposed(a, b, x):
    return ((a + b) * x[0]).T


def test_an_array_in_another_order_is_copied():
    a, b = rng.uniform(size=(2, 4, 3))
    pulled(transposed, a, b, rng.uniform(0.5, 1.5, size=3))


def swept(c, d):
    """The downward sweep of a tridiagonal system: rows are written twice, and read by the next."""
    c, d = c.copy(), d.copy()
    for k in range(1, len(c)):
        c[k] = c[k] * 0.5
        scale = 1.0 / (2.0 - c[k - 1] * d[k, 0])
        c[k] = c[k] * scale
        d[k] = (d[k] - d[k - 1] * c[k]) * scale
    return c * 2.0 + d


def test_a_place_that_is_added_to_read_and_emptied_is_not_copied_whole():
    source = pulled(swept, rng.uniform(size=(6, 3)), rng.uniform(size=(6, 3)))
    loop = source.partition("reversed(")[2]
    assert "c_bar.copy()" not in loop
    assert "d_bar.copy()" not in loop


def chosen_rows(s, x):
    out = s.copy()
    for i in range(len(x)):
        for k in range(2):
            if i - k >= 0:
                out[i] += x[i - k] @ x[i]
    return out


def test_a_branch_that_hands_an_array_on_needs_no_zeros():
    x = rng.uniform(size=(4, 3, 3))
    source = pulled(chosen_rows, rng.uniform(size=(4, 3, 3)), x)
    assert "zeros" not in source.partition("reversed(")[2]


def either_array(s, x):
    out = s.copy()
    for i in range(len(x)):
        if x[i, 0] > 0.5:
            out = out * x[i, 0]
        else:
            out[i] = out[i] * x[i, 1] + out[i - 1, 0]
    return out


def test_branches_that_hand_on_and_that_do_not():
    pulled(either_array, rng.uniform(size=(5, 2)), rng.uniform(size=(5, 2)))


def gram(x):
    return x @ x.T


def test_products_with_a_common_factor_are_one():
    source = pulled(gram, rng.uniform(size=(4, 3)))
    assert "(value_bar + value_bar.T) @ x" in source


def test_a_histogram_without_a_search():
    """Values on and beside the edges, in bins that have no exact width."""
    edges = np.histogram_bin_edges([0.1, 0.83], 49)
    beside = [np.nextafter(edges[1:-1], side) for side in (-np.inf, np.inf)]
    values = np.concatenate([edges, *beside, rng.uniform(0.1, 0.83, 300)])
    weights, cotangent = rng.normal(size=values.size), rng.normal(size=49)

    def binned(weights, values):
        return np.sum(cotangent * np.histogram(values, 49, weights=weights)[0])

    gradient = symdiff.grad(binned, wrt=0)
    bins = np.minimum(np.searchsorted(edges, values, side="right") - 1, 48)
    assert np.array_equal(gradient(weights, values), cotangent[bins])
    assert np.array_equal(gradient(weights, np.full_like(values, 2.0)), np.full_like(values, cotangent[24]))
