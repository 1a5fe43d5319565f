"""Functions as users write them: everything the front end lowers and every family of rows, with arguments.

Enters: nothing.  Leaves: `CASES` (scalar functions) and `FIELDS` (functions with other results, for `vjp`),
the walks over containers that tests need, and numerical gradients.  A `Case` makes its arguments from two
sizes `n` and `m`; all pairs in `sizes` are valid for it.  Invariant: functions are smooth at their arguments.
PYTEST_DONT_REWRITE: what runs must be what is written.
"""
# Written as users write: lambdas bound to names, unused values and odd styles are the point.
# ruff: noqa: E731, E741, B007, B905, SIM

from __future__ import annotations

import dataclasses
import functools
import inspect
import math
import math as m
import operator
import types
import typing
from collections import OrderedDict, namedtuple

import numpy
import numpy as np
import numpy.linalg as la
from numpy import exp as e_to
from numpy import tanh

ANY = ((5, 3), (7, 4), (1, 3), (4, 1))
LARGE = ((5, 3), (7, 4))
ONE = ((5, 3),)


@dataclasses.dataclass(frozen=True)
class Case:
    function: typing.Callable[..., typing.Any]
    make: typing.Callable[..., tuple[tuple[typing.Any, ...], dict[str, typing.Any]]]
    wrt: typing.Any = 0
    sizes: tuple[tuple[int, int], ...] = ANY
    options: typing.Mapping[str, typing.Any] = dataclasses.field(default_factory=dict)
    name: str = ""

    def arguments(
        self, size: tuple[int, int] = (5, 3)
    ) -> tuple[tuple[typing.Any, ...], dict[str, typing.Any]]:
        return self.make(Random(), *size)

    def __str__(self) -> str:
        return self.name or self.function.__name__


class Random:
    """`r(3, 2)` is an array of that shape, `r()` a Python float.

    Values lie between 0.3 and 1.7, at least 0.002 from every multiple of 0.05 (where functions have their
    kinks) and 0.005 from one another.
    """

    def __init__(self) -> None:
        self.rng = np.random.default_rng(11)
        self.left: list[float] = []

    def __call__(self, *shape: int) -> typing.Any:
        return np.reshape([self.draw() for _ in range(math.prod(shape))], shape) if shape else self.draw()

    def draw(self) -> float:
        if not self.left:
            self.left = [0.3023 + 0.005 * k for k in map(int, self.rng.permutation(280))]
        return self.left.pop()


def call(*args: typing.Any, **kwargs: typing.Any) -> typing.Any:
    return args, kwargs


CASES: list[Case] = []
FIELDS: list[Case] = []


def case(make=lambda r, n, m: call(r(n)), wrt=0, sizes=ANY, name="", into=CASES, **options):
    def add(function):
        into.append(Case(function, make, wrt, sizes, options, name))
        return function

    return add


def field(*args, **kwargs):
    return case(*args, into=FIELDS, **kwargs)


# --- models -------------------------------------------------------------------------------------------------


@case(lambda r, n, m: call(r(), r(), r(n), r(n)), wrt=("b", "w"))
def linear_model(b, w, x, y):
    error = b + w * x - y
    return np.mean(error**2)


@case(lambda r, n, m: call(r(m), r(), r(n, m), r(n)), wrt=(0, 1))
def logistic(w, b, x, y):
    """The mean cross-entropy of a logistic regression."""
    p = 1 / (1 + np.exp(-(x @ w + b)))
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


@case(
    lambda r, n, m: call({"W1": r(m, 4), "b1": r(4), "W2": r(4, 2), "b2": r(2)}, r(n, m), r(n, 2)),
    wrt="params",
)
def network(params, x, y):
    hidden = np.tanh(x @ params["W1"] + params["b1"])
    return np.sum((hidden @ params["W2"] + params["b2"] - y) ** 2) / len(x)


@case(lambda r, n, m: call([(r(m, 4), r(4)), (r(4, 2), r(2))], r(n, m)))
def layers(layers, x):
    for i, (W, b) in enumerate(layers):
        x = x @ W + b
        if i < len(layers) - 1:
            x = np.maximum(x, 0.0)
    return x.mean()


@case(lambda r, n, m: call(r(m, 4), r(n, m), np.arange(n) % 4))
def softmax_loss(W, x, labels):
    z = x @ W
    z = z - z.max(axis=1, keepdims=True)
    logp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -logp[np.arange(len(labels)), labels].mean()


@case(lambda r, n, m: call(r(n)), sizes=LARGE)
def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


@case(lambda r, n, m: call(r(), r(), r(n)), wrt=("mean", "sigma"))
def likelihood(mean, sigma, x):
    z = (x - mean) / sigma
    return np.sum(-0.5 * z**2 - np.log(sigma) - 0.5 * np.log(2 * np.pi))


@case(lambda r, n, m: call(r(n), r(n)), wrt=(0, 1))
def cosine(u, v):
    return u @ v / (np.linalg.norm(u) * np.linalg.norm(v))


@case(lambda r, n, m: call({"w": r(m).astype(np.float32), "b": np.float32(r())}, r(n, m).astype(np.float32)))
def single_precision(params, x):
    return np.mean(np.tanh(x @ params["w"] * 0.5 + params["b"]))


@case(lambda r, n, m: call(r(n).astype(np.float32), r(n)), wrt=(0, 1))
def mixed_precision(x, y):
    return np.sum(np.exp(0.1 * x) * y)


# --- names, operators, expressions --------------------------------------------------------------------------


@case(lambda r, n, m: call(r(n), r(n)), wrt=(0, 1))
def arithmetic(a, b):
    c = -a + b - a * b / 2
    return np.sum(c + (a // 0.25) * b + (a + 3) % 2.0 + (+b) ** 3 + 2.0**a)


@case(lambda r, n, m: call(r(n, m), r(m, n)), wrt=(0, 1))
def matrix_operator(a, b):
    c = a @ b
    c = c @ c
    return c.sum()


@case(lambda r, n, m: call(r(), r()), wrt=(0, 1))
def python_numbers(a, b):
    c = a**2 * b - a / b
    return c + abs(-b) * 3 - min(2, 3) + a**b


@case(lambda r, n, m: call(r(), r()), wrt=(0, 1))
def math_functions(a, b):
    return (
        math.sin(a) * m.exp(b)
        + math.sqrt(a * b)
        + math.log(a) ** 2
        + math.atan2(a, b)
        + math.hypot(a, b)
        + m.pi
    )


@case(lambda r, n, m: call(r(n)))
def unpacking(x):
    a, b = x + 1, x * 2
    (c, d), *rest = (a, b), a, b, 3.0
    [first, *_, last] = rest
    p = q = c * d
    return np.sum(p + q * first + last)


@case(lambda r, n, m: call(r(n)))
def augmented(x):
    s = 1.5
    s *= 2
    t = np.sum(x)
    t += s
    t **= 2
    return t


@case(lambda r, n, m: call(r(n), r(n)), wrt=(0, 1))
def masks(a, b):
    inside = (a > 0.8) & (b < 1.2) | (a >= b)
    return np.sum(np.where(inside, a * b, a - b) * (b > 0.5)) + np.where(a != b, a, 0).sum()


@case(lambda r, n, m: call(r(n), "relu", True))
def static_branches(x, mode, scale):
    y = np.maximum(x - 1, 0) if mode == "relu" and x.ndim == 1 else x
    if not scale or mode in ("tanh", "linear"):
        y = y * 100
    elif isinstance(x, np.ndarray) and x.dtype == np.float64:
        y = y * 3
    return y.sum() if len(x.shape) else y


@case(lambda r, n, m: call(r(n)))
def aliases(x):
    return numpy.sum(e_to(x) * tanh(x)) + la.norm(x)


@case(lambda r, n, m: call(r(n)))
def walrus(x):
    return np.sum((y := x * 2) * y) + np.sum(z := np.sin(y)) * np.sum(z)


@case(lambda r, n, m: call(r(n), "square"))
def matching(x, kind):
    match kind:
        case "cube":
            y = x**3
        case "square" | "sq":
            y = x**2
        case _:
            y = x
    return y.sum()


@case(lambda r, n, m: call(r(n)))
def text_and_asserts(x):
    """Strings {{ braces }} and asserts are compile-time business."""
    assert x.ndim == 1, f"one dimension, not {x.ndim}"
    name = f"{'a' * 2}b".upper()
    table = {"AAB": 2.0, "other": 3.0}
    return np.sum(x**2) * table[name]


@case(lambda r, n, m: call(r(n)))
def static_loops(x):
    total = 0.0
    for k in range(3):
        total = total + k * x**k
    i = 0
    while i < 2:
        total, i = total * x, i + 1
    for _ in range(5):
        if _ == 1:
            continue
        if _ == 3:
            break
        total = total + x
    else:
        total = total * 100
    return total.sum()


# --- functions ----------------------------------------------------------------------------------------------

SCALE = 2.5
TABLE = np.array([0.5, 1.5, 2.5])
SETTINGS = {"rate": 0.1, "weights": np.array([1.0, 2.0])}


def horner(x, *coefficients, start=0.0):
    y = start
    for c in coefficients:
        y = y * x + c
    return y


def twice(f):
    @functools.wraps(f)
    def inner(*args, **kwargs):
        return 2 * f(*args, **kwargs)

    return inner


@twice
def doubled(x, power=2):
    return x**power


def power(x, n):
    return 1.0 if n == 0 else x * power(x, n - 1)


@case(lambda r, n, m: call(r(n), r(), r()), wrt=(0, 1, 2))
def helpers(x, a, b):
    return np.sum(horner(x, a, b, 2.0, start=1.0) + doubled(x, power=3) * power(x, 3))


cube = lambda x: np.sum(x**3) / 2
case(name="module_lambda")(cube)
case(lambda r, n, m: call(r(n), r()), wrt=-2, name="lambda_default")(lambda x, k, p=2: np.sum(x**p) * k)


def make_closure():
    scale, weights = 3.0, np.linspace(1, 2, 3)

    def closure(x):
        return np.sum(np.outer(x, weights) ** 2) * scale

    return closure


case(name="closure")(make_closure())


@case(lambda r, n, m: call(r(n)))
def global_values(x):
    return (
        np.sum(x**2) * SCALE
        + np.sum(np.outer(x, TABLE))
        + SETTINGS["rate"] * np.sum(SETTINGS["weights"]) * x.sum()
    )


@case(lambda r, n, m: call(r(n)))
def nested_functions(x):
    k = 2.0

    def shifted(y, by=1.0):
        return k * y + by

    square = lambda y: y * y
    return np.sum(square(shifted(x)) + shifted(x, by=3.0))


@case(lambda r, n, m: call(r(n)))
def partials(x):
    half = functools.partial(operator.mul, 0.5)
    cubic = functools.partial(horner, x, 1.0)
    return np.sum(half(x) + cubic(2.0, 3.0)) + functools.reduce(operator.add, [x, x * x]).sum()


@case(lambda r, n, m: call(r(n), r(), k=r()), wrt=("x", "a", "k"))
def signature_kinds(x, /, a, b=2.0, *, k, l=0.5):
    return np.sum(a * x + b) * k + l


@case(lambda r, n, m: call(r(n), r(n), r(n)), wrt=("first", "rest"))
def variadic(first, *rest):
    return np.sum(first * rest[0]) + sum(np.sum(x**2) for x in rest)


@case(lambda r, n, m: call(r(n), b=r(), c=r()), wrt=("x", "others"))
def keywords(x, **others):
    total = np.sum(x)
    for name, value in others.items():
        total = total * value if name != "c" else total + value
    return total


@case(lambda r, n, m: call(r(n), 3, (2, True)))
def integers_elsewhere(x, n, options):
    k, flag = options
    return np.sum(x**n) * k + (x[k:] if False else x).sum() * n + (1 if flag else 0)


@case(lambda r, n, m: call(r(4, 2), 1, 0), sizes=ONE)
def specialised(x, axis, i):
    return np.sum(np.max(x, axis=axis) ** 2) + [x, x * x][i].sum()


@case(lambda r, n, m: call(r(n)), has_aux=True)
def with_aux(x):
    y = x**2
    return np.sum(y), {"y": y, "note": "kept", "n": 3}


# --- parameters in containers -------------------------------------------------------------------------------

Point = namedtuple("Point", "x y")


class Pair(typing.NamedTuple):
    weight: typing.Any
    bias: typing.Any = None


@dataclasses.dataclass
class Layer:
    weight: np.ndarray
    bias: np.ndarray
    size: int = 3

    def __call__(self, x):
        return x @ self.weight + self.bias

    @property
    def norm(self):
        return np.sum(self.weight**2)


@dataclasses.dataclass(frozen=True)
class Frozen:
    a: np.ndarray
    b: float = 2.0


class Model:
    count = 0
    scale = 2.0

    def __init__(self, w, b, name="model"):
        self.w, self.b, self.name, self.unused = w, b, name, None

    def forward(self, x):
        return self.activate(x @ self.w + self.b) * self.scale

    @staticmethod
    def activate(x):
        return np.tanh(x)

    @classmethod
    def penalty(cls, w):
        return np.sum(w**2) * cls.scale

    def loss(self, x):
        return np.mean(self.forward(x) ** 2) + self.penalty(self.w)


class Deeper(Model):
    def forward(self, x):
        return super().forward(x) + 1.0


@case(lambda r, n, m: call({"a": r(n), 3: {"b": r(), "c d": r(2)}, (1, "k"): r(n)}))
def dicts(p):
    return np.sum(p["a"] * p[(1, "k")]) * p[3]["b"] + p[3]["c d"].prod()


@case(lambda r, n, m: call([r(n), [r(n), r()], (r(n),)]))
def lists(p):
    a, (b, c), (d,) = p
    return np.sum(a * b + c * d)


@case(lambda r, n, m: call(Point(r(n), Point(r(), r(n)))))
def namedtuples(p):
    return np.sum(p.x * p.y.x + p.y[1])


@case(lambda r, n, m: call(Pair(r(n))))
def none_leaves(p):
    return np.sum(p.weight**2) if p.bias is None else np.sum(p.weight + p.bias)


@case(lambda r, n, m: call([Layer(r(m, 3), r(3)), Layer(r(3, 2), r(2), 2)], r(n, m)))
def dataclasses_(layers, x):
    for layer in layers:
        x = np.tanh(layer(x))
    return x.sum() + sum(layer.norm for layer in layers)


@case(lambda r, n, m: call(Frozen(r(n), r())))
def frozen(p):
    return np.sum(p.a**p.b)


@case(lambda r, n, m: call(Model(r(m), r()), r(n, m)))
def objects(model, x):
    return model.loss(x)


@case(lambda r, n, m: call(Deeper(r(m), r()), r(n, m)))
def inheritance(model, x):
    return model.loss(x)


@case(lambda r, n, m: call(types.SimpleNamespace(w=r(n), inner=types.SimpleNamespace(b=r()))))
def namespaces(p):
    return np.sum(p.w) * p.inner.b


@case(lambda r, n, m: call(OrderedDict(a=r(n), b=r(n))))
def ordered(p):
    return sum(np.sum(v ** (i + 1)) for i, v in enumerate(p.values()))


case(lambda r, n, m: call(Model(r(m), r()), r(n, m)), wrt="self", name="method")(Model.loss)


@case(lambda r, n, m: call({"W": [r(m, 3), r(3, 2)], "b": [r(3), r(2)]}, r(n, m)), sizes=LARGE)
def comprehensions(p, x):
    pairs = [(W, b) for W, b in zip(p["W"], p["b"]) if W.ndim == 2]
    scaled = {f"layer{i}": 0.5 * W for i, (W, b) in enumerate(pairs)}
    for (W, b), name in zip(pairs, sorted(scaled)):
        x = np.sin(x @ scaled[name] + b)
    return np.sum(x) + sum(np.sum(W * W) for W in p["W"]) + max(len(W) for W in p["W"])


# --- shapes, attributes, methods, indexing ------------------------------------------------------------------


@case(lambda r, n, m: call(r(n, m)))
def shapes(x):
    n, m = x.shape
    return (
        np.sum(x) / n
        + np.sum(x.reshape(m, n) ** 2) * m / x.size
        + x.ndim * x[0, 0]
        + np.sum(np.ones(x.shape) * x)
    )


@case(lambda r, n, m: call(r(n, m)))
def methods(x):
    y = x.T.reshape(-1).copy()
    z = x.sum(axis=0) + x.mean(0) + x.max(axis=0) + x.min(axis=0) + x.prod(axis=0)
    return (
        y.dot(y)
        + z.sum()
        + x.ravel().sum()
        + x.transpose(1, 0).sum() * x.clip(0.5, 1.5).sum()
        + x.flatten()[0]
    )


@case(lambda r, n, m: call(r(n, m)))
def more_methods(x):
    return (
        x.var()
        + x.std(axis=1).sum()
        + x.swapaxes(0, 1)[0].sum()
        + x[None].squeeze(0).sum()
        + x.astype(float).trace()
    )


@case(lambda r, n, m: call(r(n, m)), sizes=LARGE)
def basic_index(x):
    row, last = x[0], x[-1]
    part = x[1:-1, ::2] * 2 + x[:, None][1:-1, 0, ::2]
    return (
        row @ last
        + part.sum()
        + x[..., 1].sum()
        + x[::-1][0, 2]
        + x[1, :2].prod()
        + np.sum(x[: x.shape[0] // 2])
    )


@case(lambda r, n, m: call(r(n, 6)))
def overlapping(x):
    return np.sum(x[:, 1:] * x[:, :-1]) + np.sum(x[:, ::2] + x[:, 1::2] ** 2) + x[:, 0].sum()


@case(lambda r, n, m: call(r(n), np.arange(n) % 3), sizes=LARGE)
def fancy_index(x, i):
    return np.sum(x[i] ** 2) + np.sum(x[[0, 1, 0]]) + np.sum(x[x > 0.8])


# --- families of rows ---------------------------------------------------------------------------------------


@case(lambda r, n, m: call(r(n)))
def elementary(x):
    y = np.sin(x) + np.cos(x) * np.tan(x) + np.arcsin(x / 2) + np.arccos(x / 2) + np.arctan(x)
    y = y + np.exp(x) + np.exp2(x) + np.expm1(x) + np.log(x) + np.log2(x) + np.log10(x) + np.log1p(x)
    return np.sum(
        y + np.sqrt(x) + np.cbrt(x) + np.square(x) + np.reciprocal(x) + np.positive(x) + np.negative(x)
    )


@case(lambda r, n, m: call(r(n)))
def hyperbolic(x):
    y = np.sinh(x) + np.cosh(x) + np.tanh(x) + np.arcsinh(x) + np.arccosh(x + 1) + np.arctanh(x / 2)
    return np.sum(y + np.deg2rad(x) + np.degrees(x) + np.sinc(x))


@case(lambda r, n, m: call(r(n), r(n)), wrt=(0, 1))
def two_operands(a, b):
    y = (
        np.add(a, b)
        + np.subtract(a, b)
        + np.multiply(a, b)
        + np.divide(a, b)
        + np.power(a, b)
        + np.float_power(a, b)
    )
    return np.sum(
        y + np.arctan2(a, b) + np.hypot(a, b) + np.logaddexp(a, b) + np.logaddexp2(a, b) + np.fmod(a, 5.0)
    )


@case(lambda r, n, m: call(r(n), r(n)), wrt=(0, 1))
def kinked(a, b):
    y = np.abs(a - 2) + np.absolute(b) + np.fabs(a) + np.maximum(a, b) * np.minimum(a, b) + np.fmax(a, b)
    return np.sum(
        y + np.clip(a, 0.6, 1.2) + np.sign(a - 1) * a + np.floor(a) * b + np.ceil(b) + np.heaviside(a, 0.5)
    )


@case(lambda r, n, m: call(r(n, m)))
def reductions(x):
    y = np.sum(x, axis=0) + np.mean(x, axis=0) + np.prod(x, axis=0) + np.max(x, axis=0) + np.amin(x, axis=0)
    return (
        np.sum(y)
        + np.sum(np.sum(x, axis=(0, 1), keepdims=True) * x)
        + np.sum(np.mean(x, -1, keepdims=True) / x)
    )


@case(lambda r, n, m: call(r(n, m)), sizes=LARGE)
def spreads(x):
    return np.sum(np.var(x, axis=0) + np.std(x, axis=0, ddof=1)) + np.var(x) * np.std(x, keepdims=True)[0, 0]


@case(lambda r, n, m: call(r(n, m), r(m, 4), r(m)), wrt=(0, 1, 2))
def products(a, b, v):
    c = np.dot(a, b) + np.matmul(a, b) + np.einsum("ij,jk->ik", a, b) + np.tensordot(a, b, axes=1)
    return np.sum(c**2) + np.sum(np.outer(v, v)) * np.inner(v, v) + np.trace(a.T @ a) + np.vdot(v, v)


@case(lambda r, n, m: call(r(2, n, m), r(m, 3)), wrt=(0, 1))
def batched(a, b):
    return np.sum((a @ b) ** 2) + np.einsum("bij,bij->", a, a)


@case(lambda r, n, m: call(r(n, m), r(n, m)), wrt=(0, 1))
def joining(a, b):
    c = np.concatenate([a, b, a * b], axis=1)
    s = np.stack((a, b), axis=-1)
    v = np.vstack([a, b]) * 2
    h = np.hstack([a, b])
    return np.sum(c**2) + np.sum(s[..., 0] * s[..., 1]) + np.sum(v**3) + h.sum()


@case(lambda r, n, m: call(r(n, 6)))
def cutting(x):
    a, b = np.split(x, 2, axis=1)
    first, *others = np.split(x, [2, 4], axis=1)
    return np.sum(a * b) + sum(np.sum(o * first) for o in others)


@case(lambda r, n, m: call(r(n, m)))
def shaping(x):
    y = np.reshape(x, (-1,)) + np.ravel(np.transpose(np.transpose(x)))
    z = np.swapaxes(x, 0, 1) + np.moveaxis(x, 0, -1) * np.squeeze(np.expand_dims(x, 0), 0).T
    w = np.broadcast_to(x[0], x.shape) * x
    return np.sum(y**2) + np.sum(z**2) + np.sum(w) + np.sum(np.atleast_2d(x))


@case(lambda r, n, m: call(r(n, m)))
def moving(x):
    y = np.flip(x, 0) * x + np.roll(x, 1, axis=1) * x + np.fliplr(x) + np.flipud(x)
    return (
        np.sum(y**2)
        + np.sum(np.tile(x, (2, 1)) ** 2)
        + np.sum(np.repeat(x, 3, axis=0) ** 3)
        + np.sum(np.pad(x, 1) ** 2)
    )


@case(lambda r, n, m: call(r(n)))
def creation(x):
    n = x.shape[0]
    y = (
        np.zeros(n)
        + np.ones(n) * x
        + np.full(n, 2.0) * x
        + np.arange(n) * x
        + np.linspace(0.0, 1.0, 4).sum() * x
    )
    z = (
        np.zeros_like(x)
        + np.ones_like(x) * x
        + np.full_like(x, 3.0)
        + np.eye(n) @ x
        + np.array([1.0, 2.0]).sum()
    )
    return np.sum(y * z) + np.array([x[0], 2 * x[-1]]).prod() + np.asarray(x).sum()


@case(lambda r, n, m: call(r(n, n) + 2 * np.eye(n), r(n)), wrt=(0, 1))
def linear_algebra(a, b):
    return (
        np.sum(np.linalg.solve(a, b) ** 2)
        + np.linalg.det(a)
        + np.sum(np.linalg.inv(a))
        + np.linalg.norm(a, axis=1).sum()
    )


@case(lambda r, n, m: call(r(n), r(m, 1)), wrt=(0, 1))
def broadcasting(a, b):
    return np.sum(a * b + a) + np.mean(np.sin(a) + b[:, 0].sum())


@case(lambda r, n, m: call(r(n)))
def unused_argument_part(x):
    _unused = np.exp(x) * 1e3
    return x[0] * 2.0


@case(lambda r, n, m: call(r(n), r(n)), wrt=(0, 1))
def constant_in_one(a, b):
    return np.sum(a) + 0 * np.sum(b)


@case(lambda r, n, m: call(r(n) + 1j * r(n), r(n)), wrt=(0, 1))
def complex_argument(z, x):
    w = z * np.exp(1j * x) + 2j
    return np.sum(np.abs(w) ** 2) + np.sum(np.real(z) * np.imag(w)) + np.sum(np.conj(z) * z).real


# --- results that are not scalars, for vjp ------------------------------------------------------------------


@field(lambda r, n, m: call(r(n), r(n)), wrt=(0, 1))
def elementwise_field(a, b):
    return a * np.sin(b)


@field(lambda r, n, m: call(r(m, 4), r(n, m)), wrt=("w", "x"))
def matrix_field(w, x):
    return np.tanh(x @ w)


@field(lambda r, n, m: call(r(n)))
def tuple_field(x):
    return x**2, np.sum(x), x[0]


@field(lambda r, n, m: call({"a": r(n), "b": r()}))
def dict_field(p):
    return {"sum": p["a"] + p["b"], "list": [p["a"] * 2, p["b"] ** 2]}


@field(lambda r, n, m: call(r(n)))
def namedtuple_field(x):
    return Point(x * 2, Point(x.sum(), x**3))


@field(lambda r, n, m: call(r(n)))
def view_field(x):
    return x[::-1]


@field(lambda r, n, m: call(r()))
def number_field(x):
    return x * 3.0


# --- containers ---------------------------------------------------------------------------------------------


def parts(value: typing.Any) -> tuple[typing.Any, list[tuple[typing.Any, typing.Any]]] | None:
    """The class of a container and its (key, child) pairs; None for anything else."""
    if isinstance(value, dict):
        return type(value), list(value.items())
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value), list(zip(value._fields, value))
    if isinstance(value, list | tuple):
        return type(value), list(enumerate(value))
    if isinstance(value, Layer | Frozen | Model | types.SimpleNamespace):
        return type(value), list(vars(value).items())
    return None


def leaves(value: typing.Any) -> list[typing.Any]:
    """Arrays and floats, in order."""
    found = parts(value)
    if found is not None:
        return [leaf for _, child in found[1] for leaf in leaves(child)]
    return [value] if isinstance(value, np.ndarray | np.generic | float | complex) else []


def mapped(value: typing.Any, change: typing.Callable[[typing.Any], typing.Any]) -> typing.Any:
    """A container like `value` with `change` applied to its leaves."""
    found = parts(value)
    if found is None:
        return change(value) if leaves(value) else value
    cls, pairs = found
    changed = [(key, mapped(child, change)) for key, child in pairs]
    if issubclass(cls, dict):
        return cls(changed)
    if hasattr(cls, "_fields"):
        return cls(*(child for _, child in changed))
    if issubclass(cls, list | tuple):
        return cls(child for _, child in changed)
    if cls is types.SimpleNamespace:
        return cls(**dict(changed))
    made = object.__new__(cls)
    made.__dict__.update(changed)
    return made


def replaced(value: typing.Any, new: typing.Iterable[typing.Any]) -> typing.Any:
    """A container like `value` with these leaves."""
    new = iter(new)
    return mapped(value, lambda leaf: next(new))


# --- numerical differentiation ------------------------------------------------------------------------------


def names_of(function, wrt) -> list[str]:
    """The parameters that `wrt` means."""
    names = list(inspect.signature(function).parameters)
    return [
        names[one] if isinstance(one, int) else one for one in (wrt if isinstance(wrt, tuple) else (wrt,))
    ]


def numerical(function, wrt, args, kwargs, weigh=lambda value: value) -> list[list[np.ndarray]]:
    """Gradients of `weigh(function(...))` by differences of fourth order: per parameter, one array per leaf.

    Everything is computed in double precision.  Of a complex leaf x + iy the gradient is dL/dx + i dL/dy.
    """
    bound = inspect.signature(function).bind(*args, **kwargs)
    bound.apply_defaults()
    given = {name: mapped(value, _double) for name, value in bound.arguments.items()}
    return [_gradients(function, bound, given, name, weigh) for name in names_of(function, wrt)]


def _double(leaf):
    if isinstance(leaf, float | complex):
        return leaf
    return np.array(leaf, np.result_type(leaf, np.float64)) if leaf.dtype.kind in "fc" else leaf


def _gradients(function, bound, given, name, weigh):
    originals = leaves(given[name])

    def at(which, index, step):
        changed = [np.array(leaf) if isinstance(leaf, np.ndarray) else leaf for leaf in originals]
        if isinstance(changed[which], np.ndarray):
            changed[which][index] += step
        else:
            changed[which] += step
        bound.arguments.update({**given, name: replaced(given[name], changed)})
        return weigh(function(*bound.args, **bound.kwargs))

    def slope(which, index, h):
        outer = at(which, index, 2 * h) - at(which, index, -2 * h)
        return (8 * (at(which, index, h) - at(which, index, -h)) - outer) / (12 * abs(h))

    found = []
    for which, leaf in enumerate(originals):
        gradient = np.zeros(np.shape(leaf), np.result_type(leaf))
        if gradient.dtype.kind in "fc":
            for index in np.ndindex(gradient.shape):
                gradient[index] = slope(which, index, STEP)
                if gradient.dtype.kind == "c":
                    gradient[index] += 1j * slope(which, index, 1j * STEP)
        found.append(gradient)
    return found


STEP = 5e-4
