"""Functions that the front end must lower, each with the arguments of a call.

In a module of its own because pytest rewrites the asserts of test modules.
"""
# Written as users write: lambdas bound to names, unused values and odd styles are the point.
# ruff: noqa: B023, B905, E731, E741, I001, RUF005, RUF021, SIM108

from __future__ import annotations

import dataclasses
import enum
import functools
import math
import math as m
import operator
import typing
from collections import OrderedDict, namedtuple
from functools import partial, reduce
from types import SimpleNamespace

import numpy
import numpy as np
import numpy.linalg as la
from numpy import exp, tanh as squash

CASES: list[tuple[typing.Any, tuple[typing.Any, ...], dict[str, typing.Any]]] = []

rng = np.random.default_rng(7)
V = rng.standard_normal(5)
U = rng.standard_normal(5)
M = rng.standard_normal((5, 3))
N = rng.standard_normal((3, 4))
S = rng.standard_normal((4, 4))
F32 = V.astype(np.float32)
I = np.arange(5)


def case(*args, **kwargs):
    def add(function):
        CASES.append((function, args, kwargs))
        return function

    return add


# --- statements and operators


@case(0.5, 2.0, V, U)
def linear(b, w, x, y):
    error = b + w * x - y
    return np.mean(error**2)


@case(V, U)
def operators(a, b):
    return -a + b - a * b / 2 + (a // 0.3) % 2 - (+b) ** 3


@case(M, N)
def product(a, b):
    return (a @ b).T


@case(I, I + 3)
def bits(a, b):
    return ~a & b | a ^ 3, a << 2, b >> 1


@case(V, U)
def comparisons(a, b):
    return a < b, a <= b, a > 0, a >= 1, a == b, a != b


@case(V)
def masks(x):
    return np.where((x > -1) & (x < 1), x, 0.0)


@case(2.0, 3)
def numbers(x, n):
    return x**2 + n / 2 - 7 // n + n % 2, -x, n * 3


@case(V)
def unpacking(x):
    a, b = x + 1, x * 2
    (c, d), *rest = (a, b), a, b, 3.0
    [e, *_, f] = rest
    return c + d + e + f


@case(V)
def augmented(x):
    y = x * 2
    y += 1
    y *= y
    z = 1.5
    z -= 0.5
    return y * z


@case(V, F32)
def augmented_keeps_dtype(x, s):
    y = s * 2
    y += x
    return y


@case(V)
def augmented_scalar_total(x):
    total = 0.0
    for i in range(3):
        total += np.sum(x * i)
    again = total
    total += 1.0
    return total, again


@case(V)
def annotated(x):
    y: float = x * 2
    z: int
    z = 3
    return y * z


@case(V)
def walrus(x):
    return (y := x + 1) * y


@case(V)
def multiple_targets(x):
    a = b = x * 3
    return a - b + a


@case(V)
def no_return(x):
    x + 1


@case(V)
def docstring_and_pass(x):
    """Text."""
    pass
    ...
    del_me = 3
    del del_me
    return x


@case(V, "relu")
def by_mode(x, mode):
    if mode == "relu":
        return np.maximum(x, 0)
    elif mode == "tanh":
        return np.tanh(x)
    raise ValueError(mode)


@case(V, flag=True)
def conditional(x, *, flag=False, bias=None):
    y = x * 2 if flag else x
    return y if bias is None else y + bias


@case(V)
def boolean_operations(x):
    return x if not None and 1 < 2 < 3 and "a" in ("a", "b") or False else -x


@case(M)
def by_rank(x):
    if x.ndim == 2 and len(x.shape) == 2:
        return x.sum(axis=1)
    return x


@case(V, None)
def optional(x, y):
    if y is None:
        return x
    return x + y


@case(V)
def while_loop(x):
    i = 0
    while i < 3:
        x = x * 1.5
        i += 1
    else:
        x = x + 1
    return x


@case(V)
def loop_control(x):
    for i in range(10):
        if i == 2:
            continue
        if i == 4:
            break
        x = x + i
    else:
        x = x * 100
    for _ in ():
        pass
    else:
        x = x - 1
    return x


@case(V, "b")
def match_statement(x, mode):
    match mode:
        case "a":
            return x
        case "b" | "c":
            return x * 2
        case _:
            return x * 3


@case(V)
def compile_time_assert(x):
    assert x.ndim == 1, "one dimension"
    return x


@case(V)
def local_import(x):
    import math as local_math
    from numpy import cos

    return cos(x) * local_math.pi


@case(V)
def f_strings(x):
    layers = {f"w{i}": x * i for i in range(3)}
    return layers[f"w{2}"] + layers["w1"] + len(f"{3.14159:.2f}{'a'!r:>5}")


# --- calls of NumPy


@case(V)
def aliases(x):
    return numpy.sin(x) + np.cos(x) + exp(x) + squash(x) + la.norm(x)


@case(2.0)
def math_functions(x):
    return math.sin(x) + m.exp(m.sqrt(x)) * math.pi


@case(V)
def math_at_compile_time(x):
    return x * math.sqrt(2 * math.pi) + math.floor(2.5)


@case(M)
def reductions(x):
    return (
        np.sum(x, 0),
        np.sum(x, axis=(0, 1)),
        np.mean(x, axis=-1, keepdims=True),
        x.max(),
        np.min(x, axis=0),
    )


@case(M)
def keywords_by_numpy_names(a):
    return np.sum(a=a, axis=1) + np.mean(a, 1, None)


@case(F32)
def dtypes(x):
    return np.sum(x, dtype=np.float64), x.astype(float), x.astype("int32"), np.zeros(3, dtype=x.dtype)


@case(M)
def methods(x):
    a = x.reshape(3, 5)
    b = x.reshape((3, -1))
    c = x.T
    d = x.transpose(1, 0).swapaxes(0, 1)
    return a + b + c, d.ravel(), x.flatten(), x.copy(), x.std(), x.var(axis=0), x.clip(-1, 1), x.prod()


@case(M)
def attributes(x):
    return x.size * x.ndim + x.shape[0] / x.shape[1] + len(x), x.mT


@case(M)
def shapes(x):
    n, k = x.shape
    return np.zeros((n, k)) + np.ones(x.shape) * n, x.reshape(k, n), x.shape


@case(rng.standard_normal((1, 5)))
def size_one(x):
    return x * 2 if x.shape[0] == 1 else x


@case(V, U)
def same_shapes(x, y):
    z = x + y
    if z.shape == x.shape:
        return z
    return x


@case(M)
def dimension_is_not_one(x):
    return x.sum() if x.shape[0] == 1 else x.sum(axis=0)


@case(V)
def lists_as_arrays(x):
    return np.array([x[0], 2.0, x[1] * x[2]]), np.stack([x, x * 2]), x[:3] + [1.0, 2.0, 3.0]


@case(V, U)
def concatenated(x, y):
    return np.concatenate([x, y * 2, x]), np.concatenate((x, y), axis=0), np.hstack([x, y])


@case(V)
def ufunc_on_numbers(x):
    return np.add(2.0, 3.0), np.multiply(2, 3), np.exp(1.0)


@case(M, 1)
def axis_argument(x, axis):
    return np.sum(x, axis=axis)


@case(M, 0)
def axis_arithmetic(x, axis):
    return x.mean(axis + 1)


@case(V)
def numpy_scalar_types(x):
    return np.float32(2.5) * x.astype(np.float32), np.float64(1) + x


@case(F32)
def finfo(x):
    return x + np.finfo(x.dtype).eps


# --- indexing


@case(M)
def basic_indices(x):
    return x[0], x[-1, 1], x[1:3], x[:, None, 0], x[..., 1], x[::-1], x[1:-1, ::2]


@case(V, 2)
def staged_indices(x, i):
    return x[i], x[i:], x[: i + 1], x[i : i + 2]


@case(V, np.array([0, 2, 2]))
def array_index(x, i):
    return x[i], x[[1, 3]], x[x > 0]


@case(M, I[:3])
def rows_and_columns(x, i):
    return x[i, i], x[np.array([0, 1]), 1]


@case(np.array([1.0, 2.0]))
def unpack_argument(p):
    a, b = p
    return (1 - a) ** 2 + 100 * (b - a**2) ** 2


@case(V)
def iterate_known_length(x):
    total = 0.0
    for row in x[:4].reshape(2, 2):
        total = total + row.sum()
    a, b = np.zeros((2, 3)) + x[0]
    return total, a + b


# --- helper functions


def helper(x, scale=2.0, *, shift=1.0):
    inner = x * scale
    return inner + shift


@case(V)
def calls_helper(x):
    return helper(x) + helper(x, 3.0) + helper(x=x, shift=0.5)


def variadic(first, *rest, **options):
    for value in rest:
        first = first + value
    return first * options.get("scale", 1.0) + len(options)


@case(V, U)
def calls_variadic(x, y):
    parts = [x, y]
    settings = {"scale": 3.0}
    return variadic(x, y, 1.0) + variadic(*parts, **settings, other=2)


@case(V)
def calls_lambda(x):
    f = lambda a, b=2.0: a * b
    return f(x) + (lambda: x)()


@case(V)
def nested_functions(x):
    scale = 2.0

    def inner(y, power=scale):
        nonlocal count
        count += 1
        return y**power * x

    count = 0
    scale = 100.0
    first = inner(x)
    return first + inner(x, 3.0) + count


@case(V)
def late_binding(x):
    functions = [lambda y: y * i for i in range(3)]
    return sum(f(x) for f in functions)


def factory(k):
    def scaled(x):
        return x * k

    return scaled


@case(V)
def returned_closure(x):
    return factory(3.0)(x) + factory(x)(x)


@case(V)
def partials(x):
    half = partial(helper, scale=0.5)
    return half(x) + partial(helper, x)() + partial(np.sum, axis=0)(x)


def traced(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs) * 2.0

    return wrapper


@traced
def wrapped(x):
    return x + 1


@case(V)
def calls_wrapped(x):
    return wrapped(x)


@case(V)
def decorated_inside(x):
    @traced
    def inner(y):
        return y * x

    return inner(x)


def power_of(x, n):
    return 1.0 if n == 0 else x * power_of(x, n - 1)


@case(V)
def compile_time_recursion(x):
    return power_of(x, 4)


@case(V)
def higher_order(x):
    return reduce(operator.add, map(np.tanh, [x, x * 2])), list(filter(None, [0, x.ndim]))


@case(V, np.tanh)
def function_argument(x, activation):
    return activation(x) * 2


@case(V, lambda z: z * 3)
def lambda_argument(x, f):
    return f(x) + 1


@case(V)
def operator_functions(x):
    return operator.add(x, 1) * operator.neg(x) + operator.mul(2.0, 3.0)


# --- containers


@case([(M, N[0] * 0 + 1.0), (N, S[0])], rng.standard_normal((2, 5)))
def layers(params, x):
    # The loop is unrolled: one product for each layer.
    for i, (w, b) in enumerate(params):
        x = x @ w
        if i < len(params) - 1:
            x = np.tanh(x)
        else:
            x = x + b
    return x


@case({"W1": M, "b1": N[:, 0], "deep": {"s": 2.0}}, rng.standard_normal((2, 5)))
def dictionary(params, x):
    h = x @ params["W1"] + params["b1"]
    return h * params["deep"]["s"], {"h": h, "n": 1}


@case({"a": V, "b": U})
def dictionary_methods(p):
    total = 0.0
    for name, value in p.items():
        if name in p and name.startswith("a"):
            total = total + value
        else:
            total = total - value
    return total + sum(p.values()) + len(p) + p.get("c", 1.0)


@case(V, U, V, scale=2.0, other=3.0)
def star_arguments(first, *rest, scale, **others):
    return first + rest[0] * scale + rest[-1] + others["other"] + len(rest)


Layer = namedtuple("Layer", "w b")


class Typed(typing.NamedTuple):
    w: np.ndarray
    b: float = 0.5


@case(Layer(M, 1.0), Typed(V))
def named_tuples(layer, typed):
    w, b = layer
    changed = layer._replace(b=2.0)
    return w * b + layer.w + changed.b, typed.w * typed.b, Typed(typed.w * 2), isinstance(layer, tuple)


@dataclasses.dataclass
class Model:
    w: np.ndarray
    b: float
    name: str = "model"
    layers: list = dataclasses.field(default_factory=list)
    RATE = 0.25

    def predict(self, x):
        return x * self.w + self.b

    @property
    def double(self):
        return self.w * 2

    @staticmethod
    def square(x):
        return x**2

    @classmethod
    def rate(cls):
        return cls.RATE

    def __call__(self, x):
        return self.predict(x) * self.rate()


@case(Model(V, 2.0, layers=[U]), U)
def data_class(model, x):
    assert isinstance(model, Model)
    return model.predict(x) + model.double + model.square(x) + model(x) + model.layers[0] + model.RATE


@case(V)
def makes_dataclass(x):
    made = Model(x, 3.0)
    made.layers.append(x * 2)
    made.b = 4.0
    return made.predict(x) + made.layers[0] + len(made.name)


@case(V)
def returns_dataclass(x):
    return Model(x * 2, 1.0)


class Base:
    scale = 3.0

    def __init__(self, w):
        self.w = w
        self.__secret = 2.0

    def forward(self, x):
        return x * self.w * self.scale

    def secret(self):
        return self.__secret


class Plain(Base):
    __slots__ = ("extra",)

    def __init__(self, w, extra):
        super().__init__(w)
        self.extra = extra

    def forward(self, x):
        return super().forward(x) + self.extra

    def __getitem__(self, key):
        return self.w[key]

    def __len__(self):
        return 7

    def __add__(self, other):
        return self.w + other

    def __radd__(self, other):
        return other - self.w

    def __contains__(self, item):
        return item == "yes"


@case(Plain(V, 1.0), U)
def plain_object(model, x):
    return model.forward(x) + model[1] + len(model) + (model + x) + (2.0 + model) + model.secret()


@case(V)
def makes_object(x):
    made = Plain(x, extra=x * 2)
    return made.forward(x) * ("yes" in made) + getattr(made, "missing", 1.0) + hasattr(made, "w")


@case(SimpleNamespace(w=V, inner=SimpleNamespace(b=2.0)))
def namespace(p):
    return p.w * p.inner.b


@case(OrderedDict(b=V, a=U))
def ordered(p):
    return [value * 2 for value in p.values()]


class Color(enum.Enum):
    RED = 1
    BLUE = 2

    def factor(self):
        return self.value * 2.0


@case(V, Color.BLUE)
def enums(x, color):
    return x * color.factor() if color is Color.BLUE and color != Color.RED else x


@case(V)
def comprehensions(x):
    squares = [x**i for i in range(4) if i % 2]
    table = {k: v * 2 for k, v in zip("ab", squares)}
    pairs = [(i, j) for i in range(2) for j in range(i + 1)]
    keys = {i for i in range(3)}
    return sum(squares), table, pairs, sum(v for v in table.values()), len(keys)


@case(V)
def local_containers(x):
    hs = []
    hs.append(x)
    hs += [x * 2]
    hs.extend([x * 3])
    hs[0] = hs[0] + 1
    table = {}
    table["a"] = hs.pop()
    table.update(b=hs[-1])
    del hs[0]
    return hs, table, [*hs, x], {**table, "c": x}, (*hs,)


@case([1.0, 2.0, 3.0], (V, [U, {"k": V}]))
def nested_containers(numbers, tree):
    x, (y, rest) = tree
    return sum(numbers) * x + y + rest["k"] + max(3, 2) + min([1, 5])


@case([V, U], 1)
def list_index(values, i):
    return values[i]


@case(V, 3)
def static_range(x, n):
    for i in range(n):
        x = x * (i + 1)
    return x


@case(V)
def builtin_functions(x):
    return (
        abs(x) + abs(-2) + round(2.6) + float("1.5") + int(2.9) + sum([1, 2]) + divmod(7, 2)[0],
        list(reversed([x, 1.0])),
        sorted([3, 1, 2]),
        tuple([x]),
        dict(a=x),
        all([True, x.ndim]),
        any([]),
        type(x) is np.ndarray,
        isinstance(x, (int, np.ndarray)),
        isinstance(2.0, float),
    )


@case(2.0, 3, 1j)
def number_types(x, n, z):
    return isinstance(x, float), isinstance(n, int), type(z) is complex, x.real, float(x) * n


# --- captures

WEIGHT = rng.standard_normal(5)
RATE = 0.1
STEPS = 3
PARAMS = {"w": V, "list": [U, 2.0]}
CONFIG = SimpleNamespace(rate=2.0, name="config", model=Model(V, 1.0))
MODE = "double"


@case(V)
def reads_globals(x):
    if MODE == "double":
        x = x * 2
    return x * WEIGHT + RATE + PARAMS["w"] * PARAMS["list"][1] + CONFIG.rate * CONFIG.model.predict(x)


@case(V)
def reads_static_global(x):
    for _ in range(STEPS):
        x = x * RATE
    return x


def with_default(x, w=V, k=2.0, mode="a"):
    return x * w * k + len(mode)


CASES.append((with_default, (U,), {}))


@case(U)
def helper_with_array_default(x):
    return with_default(x)


CASES.append((factory(2.5), (V,), {}))
CASES.append((lambda x, n=2: x**n, (V,), {}))
CASES.append((Model.predict, (Model(V, 1.0), U), {}))
CASES.append((Plain.forward, (Plain(V, 1.0), U), {}))


@case(V)
def unicode_naïve_名前(λ):
    ünï = λ * 2
    return ünï


@case(np.float64(2.0), np.array(3.0), np.float32(1.5))
def scalars(x, y, z):
    x += 1
    return x * y + z


@case(3, True, "text", 2.5)
def returns_static(n, flag, text, x):
    return flag, text, None, x, n


# --- odd corners


def appends(items, value, seen=None):
    items.append(value)
    return items


@case(V)
def local_list_in_helper(x):
    hs = []
    appends(hs, x)
    appends(hs, value=x * 2)
    return np.array([h.sum() for h in hs]), hs


@case({"b": V, "a": U})
def sorted_dictionary(params):
    total = 0.0
    for key in sorted(params):
        total = total * 2 + params[key]
    names = "-".join(k.upper() for k in params)
    merged = params | {"c": 1.0}
    return total, names, [*merged], dict(zip(params.keys(), params.values())), params.keys() == {"a", "b"}


@case([(V, U), (U, V)])
def transposed_pairs(pairs):
    left, right = zip(*pairs)
    return [a + b for a, b in pairs], left, right, {k: (a, b) for k, (a, b) in enumerate(pairs)}


@functools.lru_cache
def cached(n):
    return n * 2.0


@case(V)
def memoised_helper(x):
    return x * cached(3)


@case(V)
def types_of_things(x):
    return (
        x.dtype == np.float64,
        isinstance(x, (float, int)),
        type({}) is dict,
        x.dtype.kind,
        str(x.dtype),
        callable(np.sin),
        isinstance(x.ndim, int),
        np.issubdtype(x.dtype, np.floating),
    )


@dataclasses.dataclass(frozen=True)
class Frozen:
    a: np.ndarray
    b: float = 2.0
    c: float = dataclasses.field(init=False)

    def __post_init__(self):
        object.__setattr__(self, "c", self.b * 2)


@case(V)
def frozen_dataclass(x):
    made = Frozen(x, b=3.0)
    return made.a * made.b + made.c


class Counter:
    def __init__(self, start):
        self.total = start
        self._hidden = 0.0

    @property
    def hidden(self):
        return self._hidden

    @hidden.setter
    def hidden(self, value):
        self._hidden = value * 2

    def add(self, value):
        self.total = self.total + value
        return self


@case(V)
def stateful_object(x):
    counter = Counter(x)
    counter.add(x).add(1.0)
    counter.hidden = x
    counter.total += 1.0
    return counter.total + counter.hidden


@case(V)
def recursion_inside(x):
    def total(values):
        return values[0] if len(values) == 1 else values[0] + total(values[1:])

    return total([x, x * 2, x * 3])


@case(V)
def shadowing(x):
    np_sum = sum
    sum_ = np.sum
    len = lambda values: 3.0
    return np_sum([x, x]) + sum_(x) * len(x)


@case(V)
def class_level_constants(x):
    return x * Model.RATE + Base.scale + Color["RED"].value + Color(2).value + len(Color)


@case(V)
def keyword_only_lambda(x):
    f = lambda *args, scale=2.0, **rest: args[0] * scale + len(args) + len(rest)
    return f(x, 1, scale=3.0, other=4)


@case(V)
def slices_of_python_sequences(x):
    values = [x, x * 2, x * 3]
    first, *middle, last = values[::-1]
    return values[-1], values[1:], first - last, middle, (1, 2, 3)[1:], "text"[::-1]


@case(V)
def itertools_functions(x):
    import itertools

    pairs = [a * b for a, b in itertools.product([x, 1.0], [2.0, 3.0])]
    return pairs, [a + b for a, b in itertools.pairwise([x, x * 2, x * 3])]


@case(V)
def nested_comprehension_scopes(x):
    y = 2.0
    grid = [[x * i + y * j for j in range(2)] for i in range(2)]
    last = [(z := g[0]) for g in grid]
    return grid, z, last


@case(V, [])
def mutable_default_containers(x, extra):
    extra = [*extra, x]
    return extra + [1.0]


@case(V)
def strings_never_run(x):
    table = {"__import__('os').system('true')": x, "{x}": x * 2, 'quo"te': x * 3, "class": x * 4}
    return table["{x}"] + table['quo"te'] + table["class"], f"{{x}} {'{x}'}"


@case({"class": V, "a b": U, "": 1.0, "{x}": 2.0, 3: V})
def odd_keys(p):
    return p["class"] + p["a b"] * p[""] * p["{x}"] + p[3]


@case(V)
def early_return_from_loop(x):
    for i in range(5):
        for j in range(5):
            if i * j == 6:
                return x * i + j
    return x


@case(np.arange(6).reshape(2, 3))
def integers(n):
    return n // 2, n % 2, n**2, n / 2, n.sum(), n.mean(), n & 1, -n


@case(V + 1j * U)
def complex_numbers(z):
    return z.real, z.imag, z.conj(), abs(z), z * 2j


@case(V > 0, V)
def boolean_arrays(mask, x):
    return ~mask, mask & (x > 1), np.where(mask, x, 0.0), mask.sum(), x[mask]


@case(np.zeros((0, 3)), 2.0)
def empty_arrays(x, k):
    return x * k, x.sum(), x.shape


@case(V[:4], 2)
def staged_sizes(x, n):
    return x.reshape(n, -1), np.zeros(n), np.ones((n, 2)), x[: n * 2], np.arange(n), np.repeat(x, n)


@case(M)
def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@case(M, np.array([0, 1, 2, 0, 1]))
def cross_entropy(logits, y):
    z = logits - logits.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -np.mean(log_p[np.arange(len(y)), y])


@case(M, M[0])
def tensor_products(a, b):
    return np.einsum("ij,j->i", a, b), np.tensordot(a, b, axes=1), np.dot(a, b), a.dot(b), np.outer(b, b)


@case(V)
def python_scalars(x):
    return x.sum().item() * 2, float(x[0]), int(x[1]), max(float(x[0]), 1.0)


@case(np.array([-0.0, 1.0]))
def signed_zeros(x):
    return sum([x]), -x, x * 0.0
