"""`symdiff.rule`: a function's own derivatives, in both modes and to higher order."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import symdiff
from symdiff.autodiff import reverse
from symdiff.autodiff.rules import erased
from symdiff.errors import DtypeError, ShapeError, SymdiffError, UnsupportedError
from symdiff.frontend.lower import lower
from symdiff.ir.node import LEAF
from symdiff.ir.text import from_text, to_text
from symdiff.ir.verify import verify
from symdiff.ops.row import REGISTRY

X = np.array([0.3, 0.7, 1.1])


@symdiff.rule
def softplus(x: Any) -> Any:
    return np.log(1 + np.exp(x))


@softplus.vjp
def softplus_vjp(g, value, x):
    # the logistic function
    slope = 1 / (1 + np.exp(-x))
    return g * slope


@softplus.jvp
def softplus_jvp(t, value, x):
    slope = 1 / (1 + np.exp(-x))
    return slope * t


@symdiff.rule
def square(x):
    return x * x


@square.vjp
def square_vjp(g, value, x):
    return 2 * g * x


@square.jvp
def square_jvp(t, value, x):
    return 2 * t * x


@symdiff.rule
def two(a, b, *, k=2.0, mode="x"):
    return a * b, np.sin(a) * k


@two.vjp
def two_vjp(g, value, a, b, *, k, mode):
    g0, g1 = g
    return g0 * b + k * g1 * np.cos(a), g0 * a, np.sum(g1 * np.sin(a)), None


@two.jvp
def two_jvp(t, value, a, b, *, k, mode):
    ta, tb, tk, _ = t
    return ta * b + a * tb, k * np.cos(a) * ta + tk * np.sin(a)


@symdiff.rule
def my_sin(x):
    return np.sin(x)


@my_sin.vjp
def my_sin_vjp(g, value, x):
    return g * my_cos(x)


@my_sin.jvp
def my_sin_jvp(t, value, x):
    return t * my_cos(x)


@symdiff.rule
def my_cos(x):
    return np.cos(x)


@my_cos.vjp
def my_cos_vjp(g, value, x):
    return -g * my_sin(x)


@my_cos.jvp
def my_cos_jvp(t, value, x):
    return -t * my_sin(x)


@symdiff.rule
def tree(p):
    return {"a": p["u"] * p["v"], "b": [np.sum(p["u"])]}


@tree.vjp
def tree_vjp(g, value, p):
    return {"u": g["a"] * p["v"] + g["b"][0], "v": g["a"] * p["u"]}


@tree.jvp
def tree_jvp(t, value, p):
    return {"a": t["u"] * p["v"] + p["u"] * t["v"], "b": [np.sum(t["u"])]}


@symdiff.rule
def cubes(x):
    s = 0.0
    for i in range(len(x)):
        s = s + x[i] ** 3
    return s


@cubes.vjp
def cubes_vjp(g, value, x):
    r = np.zeros(len(x))
    for i in range(len(x)):
        r[i] = g * 3 * x[i] ** 2
    return r


@cubes.jvp
def cubes_jvp(t, value, x):
    s = 0.0
    for i in range(len(x)):
        s = s + 3 * t[i] * x[i] ** 2
    return s


class Layer:
    def __init__(self, w: float):
        self.w = w

    @symdiff.rule
    def act(self, x):
        return np.tanh(self.w * x)

    @act.vjp
    def act_vjp(g, value, self, x):
        g = g * (1 - value**2)
        return {"w": np.sum(g * x)}, g * self.w

    @act.jvp
    def act_jvp(t, value, self, x):
        own, dot = t
        return (1 - value**2) * (own.w * x + dot * self.w)


LAYER = Layer(1.5)


def plainly(x):
    return np.sum(softplus(x * X) ** 2)


def several(x):
    p, s = two(x, x**2, k=np.sum(x))
    return np.sum(p * s)


def constants(x):
    p, _ = two(x, x**2, k=3.0)
    return np.sum(p * p)


def in_a_loop(x):
    s = x
    for _ in range(4):
        s = np.sin(square(s)) + s
    return np.sum(s)


def in_branches(x):
    s = 0.0
    for i in range(len(x)):
        s = s + square(x[i]) * x[0] if x[i] > 0.5 else s - square(x[i] + s)
    return s


def in_a_while(x):
    s = np.sum(x)
    while s < 20.0:
        s = square(s) + 0.1 * s
    return s


def with_writes(x):
    y = np.zeros(3)
    for i in range(3):
        y[i] = square(x[i]) * y[i - 1] + 1
    return np.sum(square(y))


def defined_inside(x):
    k = 3.0

    @symdiff.rule
    def inner(a, b):
        return b * np.exp(k * a)

    @inner.vjp
    def inner_vjp(g, value, a, b):
        return g * k * value, np.sum(g * np.exp(k * a))

    @inner.jvp
    def inner_jvp(t, value, a, b):
        return t[0] * k * value + t[1] * np.exp(k * a)

    return np.sum(inner(x, np.sum(x)) * x)


def as_a_method(x):
    return np.sum(LAYER.act(x) ** 2)


def one_calls_the_other(x):
    return np.sum(my_sin(x) * x)


def containers(x):
    r = tree({"u": x, "v": x**3})
    return np.sum(r["a"] ** 2) * r["b"][0]


def with_loops_inside(x):
    return np.sin(cubes(x)) * cubes(x * x)


def loops_in_a_loop(x):
    s = 0.0
    for k in range(3):
        s = s * 0.5 + np.sin(cubes(x * (k + 1.0) + s))
    return s


def under_checkpoint(x):
    return np.sum(symdiff.checkpoint(lambda x: np.sin(square(x)) * x)(x))


FUNCTIONS = [
    plainly, several, constants, in_a_loop, in_branches, in_a_while, with_writes, defined_inside, as_a_method,
    one_calls_the_other, containers, with_loops_inside, loops_in_a_loop, under_checkpoint,
]  # fmt: skip


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_first_and_second_order_in_both_modes(f: Any) -> None:
    symdiff.check_grads(f, (X,))
    value, tangent = symdiff.jvp(f)((X,), (X,))
    np.testing.assert_allclose(value, f(X))
    first = symdiff.grad(f)
    np.testing.assert_allclose(tangent, first(X) @ X)
    second = symdiff.grad(lambda x: first(x) @ X)(X)
    np.testing.assert_allclose(symdiff.hvp(f)((X,), X), second, rtol=1e-9, atol=1e-10)


def test_the_source_is_the_rule() -> None:
    source = symdiff.grad(plainly).source_for(X)
    assert "slope = 1 / (1 + np.exp(-x1))" in source
    assert source.count("np.log") == 1
    assert "slope" in symdiff.jvp(plainly).source_for((X,), (X,))
    alone = symdiff.grad(lambda x: np.sum(softplus(x))).source_for(X)
    assert "np.log" not in alone
    assert "copy" not in alone


def test_a_rule_need_not_be_the_derivative() -> None:
    """And nothing of the function itself reaches the gradient."""

    @symdiff.rule
    def rounded(x):
        return np.round(x * 3)

    @rounded.vjp
    def straight_through(g, value, x):
        return 5 * g

    np.testing.assert_array_equal(symdiff.grad(lambda x: np.sum(rounded(x)))(X), [5, 5, 5])
    gradient = symdiff.grad(lambda x: rounded(x) * x)
    np.testing.assert_allclose(gradient(0.7), np.round(2.1) + 5 * 0.7)
    assert symdiff.grad(lambda x: gradient(x))(0.7) == 5 + 5  # of `round + 5 x`


def test_the_function_itself_is_differentiated_by_its_rule() -> None:
    np.testing.assert_allclose(symdiff.grad(my_sin)(0.3), np.cos(0.3))
    assert "slope" in symdiff.grad(softplus).source_for(0.3)
    assert softplus(0.3) == np.log(1 + np.exp(0.3))
    assert (softplus.__name__, softplus_vjp(1.0, 0.0, 0.0)) == ("softplus", 0.5)


def test_order_four() -> None:
    f: Any = my_sin
    for k in range(4):
        f = symdiff.grad(f)
        np.testing.assert_allclose(f(0.3), np.sin(0.3 + (k + 1) * np.pi / 2))


def test_a_rule_that_calls_its_own_function_ends() -> None:
    @symdiff.rule
    def power(x):
        return np.exp(x)

    @power.vjp
    def power_vjp(g, value, x):
        return g * power(x)

    f: Any = power
    for _ in range(3):
        f = symdiff.grad(f)
        np.testing.assert_allclose(f(0.5), np.exp(0.5))
    with pytest.raises(UnsupportedError, match="limited order"):
        symdiff.grad(f)(0.5)


def test_complex_cotangents_are_gradients() -> None:
    @symdiff.rule
    def squared(z):
        return z * z

    @squared.vjp
    def squared_vjp(g, value, z):
        return g * np.conj(2 * z)

    @squared.jvp
    def squared_jvp(t, value, z):
        return t * 2 * z

    z = np.array([1 + 2j, 0.5 - 1j])
    ruled = symdiff.grad(lambda z: np.sum(np.abs(squared(z)) ** 2))
    plain = symdiff.grad(lambda z: np.sum(np.abs(z * z) ** 2))
    np.testing.assert_allclose(ruled(z), plain(z))
    v = np.array([1j, 0.3])
    tangents = [symdiff.jvp(f)((z,), (v,))[1] for f in (lambda z: squared(z), lambda z: z * z)]
    np.testing.assert_allclose(*tangents)


def test_float32_stays() -> None:
    x = X.astype(np.float32)
    assert symdiff.grad(plainly)(x * 1).dtype == np.float32


def test_methods_of_an_argument() -> None:
    gradient = symdiff.grad(lambda layer, x: np.sum(layer.act(x) ** 2))(LAYER, X)
    value = np.tanh(1.5 * X)
    np.testing.assert_allclose(gradient.w, np.sum(2 * value * (1 - value**2) * X))


def test_a_changed_rule_is_another_program() -> None:
    @symdiff.rule
    def f(x):
        return x * x

    f.vjp(lambda g, value, x: 2 * g * x)
    gradient = symdiff.grad(lambda x: f(x))
    path = gradient.path_for(3.0)
    assert gradient(3.0) == 6
    f.vjp(lambda g, value, x: 7 * g)
    assert gradient(3.0) == 7
    assert gradient.path_for(3.0) != path


def test_results_are_arrays_of_their_own() -> None:
    @symdiff.rule
    def same(x):
        return x

    @same.vjp
    def same_vjp(g, value, x):
        return g

    @same.jvp
    def same_jvp(t, value, x):
        return t

    x, g = X.copy(), X.copy()
    _value, pullback = symdiff.vjp(lambda x: same(x))(x)
    assert not np.shares_memory(pullback(g), g)
    _, tangent = symdiff.jvp(lambda x: same(x))((x,), (g,))
    assert not np.shares_memory(tangent, g)


# What is refused


def message(f: Any, *args: Any) -> str:
    with pytest.raises(SymdiffError) as caught:
        f(*args)
    return str(caught.value)


def with_rule(rule: Any) -> Any:
    @symdiff.rule
    def f(x, y):
        return np.sum(x) * y

    f.vjp(rule)
    return symdiff.grad(lambda x: np.sum(f(x, np.ones((2, 3)))))


def test_a_missing_rule() -> None:
    @symdiff.rule
    def f(x):
        return x

    @symdiff.rule
    def g(x):
        return x * x

    g.vjp(square_vjp)
    assert "`f` has no rule for reverse mode" in message(symdiff.grad(lambda x: f(x)), 1.0)
    assert symdiff.grad(lambda x: g(x))(3.0) == 6
    text = message(symdiff.jvp(lambda x: g(x)), (1.0,), (1.0,))
    assert "`g` has no rule for forward mode" in text
    assert "@g.jvp" in text


def too_few(g, value, x, y):
    return g


def of_the_wrong_shape(g, value, x, y):
    z = g * 2
    return z, None


def of_no_shape(g, value, x, y):
    return np.sum(g), None


def complex_numbers(g, value, x, y):
    return 1j * x, None


def of_another_structure(g, value, x, y):
    return {"a": x}, None


@pytest.mark.parametrize(
    ("rule", "kind", "what", "line"),
    [
        (too_few, ShapeError, "returns one value for 2 arguments: x, y", "return g"),
        (of_the_wrong_shape, ShapeError, "gives an array of shape (2, 3) for `x`", "return z, None"),
        (of_no_shape, ShapeError, "gives a scalar for `x`", "return np.sum(g), None"),
        (complex_numbers, DtypeError, "gives complex numbers for `x`", "return 1j * x, None"),
        (of_another_structure, ShapeError, "gives a dict for `x`", 'return {"a": x}, None'),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_what_a_rule_gives_fits(rule: Any, kind: Any, what: str, line: str) -> None:
    with pytest.raises(kind) as caught:
        with_rule(rule)(X)
    assert what in str(caught.value)
    assert line in str(caught.value)


def test_lengths_that_only_run_time_knows_are_compared_there() -> None:
    short = with_rule(lambda g, value, x, y: (x[:2], None))
    with pytest.raises(ValueError, match="broadcast"):
        short(X)
    right = with_rule(lambda g, value, x, y: ((np.sum(g * y) * np.ones(5))[: len(x)], None))
    np.testing.assert_allclose(right(X), [6, 6, 6])


def test_a_tangent_of_another_structure() -> None:
    @symdiff.rule
    def f(x):
        return x, x * 2

    f.jvp(lambda t, value, x: t)
    assert "gives a ndarray for the value" in message(symdiff.jvp(lambda x: f(x)), (X,), (X,))


def test_nothing_outside_is_changed() -> None:
    @symdiff.rule
    def f(x):
        x[0] = 1.0
        return x

    f.vjp(lambda g, value, x: g)
    assert "changes something outside" in message(symdiff.grad(lambda x: np.sum(f(x * 1))), X)
    random = with_rule(lambda g, value, x, y: (np.random.normal(size=3), None))
    assert "draws random numbers" in message(random, X)


def test_what_is_read_from_outside_is_constant() -> None:
    def loss(x):
        scale = np.sum(x)

        @symdiff.rule
        def f(a):
            return scale * a

        f.vjp(lambda g, value, a: g * scale)
        f.jvp(lambda t, value, a: t * scale)
        return np.sum(f(np.ones(3)) * f(x))

    assert "reads something from outside" in message(symdiff.grad(loss), X)
    assert "reads something from outside" in message(symdiff.jvp(loss), (X,), (X,))


def test_memory_that_a_value_shares() -> None:
    @symdiff.rule
    def same(x):
        return x

    same.vjp(lambda g, value, x: g)

    def loss(x):
        z = x * 1
        y = same(z)
        z[0] = 5
        return np.sum(y * y)

    assert "written into since" in message(symdiff.grad(loss), X)


def test_the_program_is_well_formed_and_reads_back() -> None:
    for f in (plainly, several, in_a_loop, with_loops_inside):
        made = lower(f, inspect.signature(f).bind(X)).function
        verify(made, REGISTRY)
        text = to_text(made)
        assert " rule(" in text
        assert to_text(from_text(text, REGISTRY)) == text
        verify(erased(reverse.gradient(made, made.params[:1], LEAF, value=True)), REGISTRY)
