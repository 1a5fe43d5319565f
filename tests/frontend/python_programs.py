"""The rest of Python: small programs that the front end must lower, each with the arguments of a call.

In a module of its own because pytest rewrites the asserts of test modules.
"""
# Written as users write: odd styles, unused values and lambdas bound to names are the point.
# ruff: noqa: B006, B007, B023, B905, E501, E731, F841, PT018, RUF059
# ruff: noqa: SIM222, T201, UP028, UP031, UP032

from __future__ import annotations

import contextlib
import copy
import dataclasses
import enum
import functools
import itertools
import math
import operator
import typing
import warnings
from collections import OrderedDict, defaultdict, deque
from functools import partial, reduce, wraps
from typing import Any, NamedTuple

import numpy as np

import symdiff

CASES: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = []

rng = np.random.default_rng(11)
V = rng.standard_normal(5)
U = rng.standard_normal(5)
M = rng.standard_normal((5, 3))
S = rng.standard_normal((3, 3))


def case(*args, **kwargs):
    def add(function):
        CASES.append((function, args, kwargs))
        return function

    return add


# --- with


@case(V)
def errstate(x):
    with np.errstate(all="ignore"):
        y = np.log(x)
    return np.where(x > 0, y, 0.0)


@case(V)
def errstate_with_return(x):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.sqrt(np.abs(x))


@case(V)
def several_contexts(x):
    with np.errstate(all="ignore"), warnings.catch_warnings(), np.printoptions(precision=3):
        warnings.simplefilter("ignore")
        y = x * 2
    return y


@case(V)
def null_context(x):
    with contextlib.nullcontext(x * 2) as y:
        z = y + 1
    return z


@case(V)
def null_context_by_mode(x, quiet=True):
    context = np.errstate(all="ignore") if quiet else contextlib.nullcontext()
    with context:
        return x / (x * x)


class Scale:
    def __init__(self, factor):
        self.factor = factor
        self.entered = 0

    def __enter__(self):
        self.entered += 1
        return self

    def __exit__(self, kind, value, trace):
        self.factor = 1.0
        return False

    def __call__(self, x):
        return x * self.factor


@case(V)
def own_context(x):
    with Scale(3.0) as scale:
        inside = scale(x)
    return inside + scale(x) * scale.entered


@contextlib.contextmanager
def doubled(x, log):
    log.append(1.0)
    y = x * 2
    yield y
    log.append(2.0)


@case(V)
def generator_context(x):
    log = []
    with doubled(x, log) as y:
        log.append(10.0)
        z = y + len(log)
    return z * sum(log)


@contextlib.contextmanager
def guarded(log):
    try:
        with np.errstate(all="ignore"):
            yield
    finally:
        log.append(1)


@case(V)
def generator_context_with_finally(x):
    log = []
    with guarded(log):
        y = x / 2
    return y * len(log)


@case(V)
def context_in_a_loop(x):
    for factor in (1.0, 2.0, 3.0):
        with np.errstate(all="ignore"):
            if factor == 2.0:
                continue
            x = x * factor
    return x


@np.errstate(all="ignore")
def quiet_log(x):
    return np.log(np.abs(x))


@case(V)
def decorated_by_a_context(x):
    return quiet_log(x) + 1


@case(V)
def context_made_inside(x):
    @contextlib.contextmanager
    def shifted(by):
        yield x + by

    with shifted(2.0) as y, shifted(3.0) as z:
        return y * z


# --- print, assert, raise


@case(V)
def prints(x):
    print("start")
    print(x)
    y = x * 2
    print("y", y, np.sum(y), sep=" | ", end="\n--\n")
    print()
    return y


@case(V)
def prints_in_order(x):
    y = x
    for k in [1, 2, 3]:
        y = y * k
        print(k, f"step {k}", np.mean(y))
    return y


@case(V)
def prints_text(x):
    total = np.sum(x)
    print(f"total {total:.3f} of {len(x)} {{braces}} 'q' \"d\" \\ \n end")
    print(f"{total!r} {total!s:} {x.shape} {x.ndim} {x.dtype}")
    print("%s and %.2f, 100%%" % (total, total), "%r" % total, "%5d" % 3)
    print("{} {:.2e} {name!r}".format(total, total, name=total), "{0} {0:.1f}".format(total))
    print("a" + f"b{total}" + "c", str(total), repr(x), format(total, ".1f"))
    return x


@case(V)
def prints_containers(x):
    print([x[0], 1.5], (x[1],), {"a": x[2], "b": [1, "t"]}, x.shape, {"k": "v"}, None, True)
    return x


@case(V)
def prints_shape(x):
    print(x.shape, x[1:].shape, len(x), x.size)
    return x


@case(V)
def message_in_a_name(x):
    message = f"mean {np.mean(x):8.3f}"
    again = message + "!" if x.ndim == 1 else ""
    print(again, ", ".join([message, "b", str(x[0])]))
    return x


@case(V)
def asserts(x):
    assert np.all(np.isfinite(x)), "finite"
    assert x.ndim == 1, "rank"
    assert x[0] < 10 and True, f"first {x[0]}"
    assert (np.sum(x) < 100) == True  # noqa: E712
    return x * 2


def checked(x):
    assert np.all(x < 100), ("too large", 100)
    return x * 2


@case(V)
def asserts_in_helper(x):
    return checked(checked(x))


@case(V)
def assert_in_comprehension(x):
    return sum([checked(x + k) for k in range(3)])


# --- generators


def halves(x, count):
    for _ in range(count):
        yield x
        x = x / 2


@case(V)
def generator(x):
    total = 0.0
    for half in halves(x, 4):
        total = total + half
    return total


@case(V)
def generator_into_list(x):
    return list(halves(x, 3)), tuple(halves(x, 2))


@case(V)
def generator_into_calls(x):
    a, b, *c = halves(x, 4)
    return sum(halves(x, 3)) + a * b - c[0] + max(len(v) for v in [c]), [*halves(x, 2)]


def forever(x):
    k = 0
    while True:
        yield x + k
        k += 1


@case(V)
def endless_generator(x):
    found = []
    for k, value in zip(range(3), forever(x)):
        found.append(value * k)
    for value in forever(x):
        found.append(value)
        if len(found) > 5:
            break
    return found


@case(V)
def next_of_generator(x):
    source = forever(x)
    a = next(source)
    b = next(source)
    return a * b, next(iter(halves(x, 0)), x)


@case(V)
def islice_of_generator(x):
    return list(itertools.islice(forever(x), 2, 6, 2))


def interleaved(log, x):
    log.append("a")
    yield x
    log.append("b")
    yield x * 2
    log.append("c")


@case(V)
def generator_takes_turns(x):
    log = []
    for value in interleaved(log, x):
        log.append("loop")
    print(log)
    return [value * len(log) for value in interleaved(log, x)], len(log)


def delegating(x):
    yield from halves(x, 2)
    yield x * 10
    yield from [x, x + 1]
    return None


@case(V)
def yield_from(x):
    return list(delegating(x))


def nested_control(values, skip):
    for value in values:
        if skip is not None and value.ndim == skip:
            continue
        for k in (1, 2):
            yield value * k
        else:
            yield -value
        if value.ndim == 3:
            return
    yield 0.0


@case(V, M)
def generator_with_control(x, m):
    return [np.sum(v) for v in nested_control([x, m, m[None], x], None)], list(nested_control([x, m], 1))


def tree_values(tree):
    if isinstance(tree, dict):
        for key in sorted(tree):
            yield from tree_values(tree[key])
    else:
        yield tree


@case({"b": V, "a": {"d": U, "c": V}})
def recursive_generator(tree):
    return sum(np.sum(v) * (k + 1) for k, v in enumerate(tree_values(tree)))


class Layers:
    def __init__(self, *layers):
        self.layers = layers

    def __iter__(self):
        for layer in self.layers:
            yield layer

    def __len__(self):
        return len(self.layers)

    def __getitem__(self, index):
        return self.layers[index]

    def __contains__(self, item):
        return item in ("first", "last")


@case(V)
def generator_method(x):
    layers = Layers(2.0, 3.0, 4.0)
    for factor in layers:
        x = x * factor
    return x * len(layers) + layers[-1] * ("first" in layers)


@case(V)
def generator_inside(x):
    def powers(limit):
        value = x
        for k in range(limit):
            yield k, value
            value = value * x

    return {k: value for k, value in powers(3)}


@case(V, U)
def map_and_filter(x, y):
    mapped = map(lambda a, b: a * b, [x, y], [y, y])
    kept = filter(lambda pair: pair[0] > 1, [(1, x), (2, y), (3, x)])
    return list(mapped), [v for _, v in kept], list(map(np.sum, [x, y])), list(filter(None, [0, 1, 2]))


@case(V)
def map_keeps_its_order(x):
    log = []

    def step(k):
        log.append(k)
        return x * k

    for value in map(step, [1, 2, 3]):
        log.append(0)
    print(log)
    return value


# --- recursion


def power(x, n):
    if n == 0:
        return 1.0
    return x * power(x, n - 1)


@case(V)
def recursion(x):
    return power(x, 5)


def even(x, n):
    return x if n == 0 else odd(x + 1, n - 1)


def odd(x, n):
    return -x if n == 0 else even(x * 2, n - 1)


@case(V)
def mutual_recursion(x):
    return even(x, 7)


def total_of(tree):
    if isinstance(tree, dict):
        return sum(total_of(part) for part in tree.values())
    if isinstance(tree, list | tuple):
        return sum([total_of(part) for part in tree])
    return np.sum(tree)


@case({"a": [V, (U, V)], "b": {"c": V}})
def recursion_over_structure(tree):
    return total_of(tree)


def halved(values):
    if len(values) == 1:
        return values[0]
    middle = len(values) // 2
    return halved(values[:middle]) * 2 + halved(values[middle:])


@case(V)
def recursion_over_list(x):
    return halved([x, x + 1, x + 2, x + 3, x + 4])


def ackermann(m, n):
    if m == 0:
        return n + 1
    return ackermann(m - 1, 1) if n == 0 else ackermann(m - 1, ackermann(m, n - 1))


@case(V)
def compile_time_recursion(x):
    return x * ackermann(2, 2)


# --- functions


@case(V)
def late_binding(x):
    functions = [lambda y: y * k for k in range(3)]
    bound = [lambda y, k=k: y * k for k in range(3)]
    return [f(x) for f in functions], [f(x) for f in bound]


@case(V)
def loop_variable_of_closures(x):
    made = []
    for k in (1.0, 2.0):

        def f(y):
            return y + k

        made.append(f)
    k = 5.0
    return [f(x) for f in made]


@case(V)
def closure_over_staged(x):
    def add(y):
        return y + x

    x = x * 2
    return add(x)


@case(V)
def nonlocal_counter(x):
    count = 0
    total = x * 0

    def step(y):
        nonlocal count, total
        count += 1
        total = total + y
        return count

    step(x)
    step(x * 2)
    return total * count


@case(V)
def counter_factory(x):
    def counter():
        n = 0

        def tick():
            nonlocal n
            n += 1
            return n

        return tick

    a, b = counter(), counter()
    return x * a() + a() * b()


@case(V)
def mutable_default(x):
    def collect(y, into=[]):
        into.append(y)
        return into

    collect(x)
    return collect(x * 2)


@case(V)
def default_of_staged(x):
    def f(y, scale=x * 2, *, shift=x[0]):
        return y * scale + shift

    x = x * 100
    return f(x), f(x, 1.0, shift=2.0)


@case(V, U)
def all_kinds_of_arguments(x, y):
    def f(a, b=2.0, /, c=3.0, *rest, d, e=5.0, **named):
        return a * b + c * sum(rest) + d * e + sum(named.values())

    args, options = (x, y), {"d": 2.0, "z": y}
    return f(*args, d=1.0), f(x, 1.0, 2.0, x, y, **options), f(*args, *args, d=x, e=y, q=1.0)


@case(V)
def functions_in_containers(x):
    table = {"twice": lambda y: y * 2, "square": lambda y: y**2, "sin": np.sin}
    return sum(table[name](x) for name in ("sin", "square", "twice"))


@case(V)
def composed(x):
    def compose(*functions):
        return lambda y: reduce(lambda value, f: f(value), functions, y)

    return compose(np.sin, lambda y: y * 2, partial(np.power, 2.0))(x)


def logged(function):
    @wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs) * 2

    return wrapper


def scaled_by(factor):
    def decorate(function):
        def wrapper(x):
            return function(x) * factor

        return wrapper

    return decorate


@logged
@scaled_by(3.0)
def decorated(x):
    return np.sin(x)


@case(V)
def calls_decorated(x):
    return decorated(x)


@functools.cache
def coefficient(n):
    return 1.0 if n < 2 else coefficient(n - 1) + coefficient(n - 2)


@functools.cache
def other_coefficient(n):
    return n * 2.0


@case(V)
def cached_helpers(x):
    return x * coefficient(6) + other_coefficient(3)


@case(V)
def cached_inside(x):
    @functools.cache
    def f(n):
        return 1 if n < 2 else n * f(n - 1)

    @functools.cache
    def g(n):
        return n

    return x * f(5) + g(2)


@case(V)
def partial_with_keywords(x):
    norm = partial(np.sum, axis=0)
    shifted = partial(lambda a, b, c=1.0: a * b + c, 2.0, c=x)
    return norm(x) + shifted(x), shifted(b=x, c=0.0)


@functools.singledispatch
def kind(value):
    return 0.0


@kind.register
def _(value: np.ndarray):
    return np.sum(value)


@kind.register(list)
def _(value):
    return len(value) * 1.0


@case(V)
def single_dispatch(x):
    return kind(x) + kind([x, x]) + kind("a")


@case(V)
def lambda_with_star(x):
    f = lambda *a, **k: a[0] * len(a) + k.get("b", 0.0)
    return f(x, x, b=x)


@case(V)
def closure_attributes(x):
    def helper(y):
        return y

    return x * len(helper.__name__)


# --- classes


class Shape:
    sides = 0
    count: typing.ClassVar[int] = 2

    def __init__(self, size):
        self.size = size

    @property
    def area(self):
        return self.size**2

    @property
    def half(self):
        return self.size / 2

    @half.setter
    def half(self, value):
        self.size = value * 2

    @classmethod
    def unit(cls, like):
        return cls(np.ones_like(like))

    @staticmethod
    def scale(x):
        return x * 3.0

    def describe(self):
        return self.area * self.sides


class Square(Shape):
    sides = 4

    def __init__(self, size, offset=0.0):
        super().__init__(size)
        self.offset = offset

    def describe(self):
        return super().describe() + self.offset


class Cube(Square):
    sides = 6

    @property
    def area(self):
        return super().area + 1.0

    @classmethod
    def unit(cls, like):
        made = super().unit(like)
        made.offset = 7.0
        return made


@case(V)
def inheritance(x):
    square, cube = Square(x, offset=1.0), Cube(x)
    unit = Cube.unit(x)
    unit.half = x
    return (
        square.describe() + cube.describe() + unit.describe() + Shape.scale(x) + square.scale(x) + cube.half
    )


@case(V)
def isinstance_of_objects(x):
    things = [Square(x), Cube(x), x, 1.0, "a", [x], None]
    return [
        sum(isinstance(one, kind) for one in things)
        for kind in (Shape, Square, np.ndarray, float, (list, str), type(None))
    ]


class Vector:
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y)

    def __mul__(self, factor):
        return Vector(self.x * factor, self.y * factor)

    __rmul__ = __mul__

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + (-other)

    def __matmul__(self, other):
        return self.x @ other.x + self.y @ other.y

    def __eq__(self, other):
        return isinstance(other, Vector)

    def __getitem__(self, index):
        return (self.x, self.y)[index]

    def __iter__(self):
        return iter((self.x, self.y))

    def __len__(self):
        return 2

    def __bool__(self):
        return True

    def __call__(self, t):
        return self.x + t * self.y

    def __abs__(self):
        return np.abs(self.x)


@case(V, U)
def operators_of_a_class(x, y):
    a, b = Vector(x, y), Vector(y, x)
    c = 2.0 * (a + b) - a * 3.0
    first, second = c
    assert a == b and a
    return c @ a + first @ second + np.sum(c[1]) * len(c) + np.sum(c(0.5)), abs(c)


class Module:
    def __init__(self, **parts):
        for name, part in parts.items():
            setattr(self, name, part)

    def __call__(self, x):
        return self.forward(x)

    def forward(self, x):
        raise NotImplementedError


class Dense(Module):
    def forward(self, x):
        return np.tanh(x @ self.w + self.b)


class Chain(Module):
    def forward(self, x):
        for part in self.parts:
            x = part(x)
        return x


@case(V, M, S)
def modules(x, w, v):
    chain = Chain(parts=[Dense(w=w, b=1.0), Dense(w=v, b=0.0)])
    return chain(x)


@dataclasses.dataclass
class Params:
    w: Any
    b: Any = 0.0
    names: list = dataclasses.field(default_factory=list)
    hidden: int = dataclasses.field(default=3, init=False)

    def __post_init__(self):
        self.norm = np.sum(self.w**2)

    def loss(self, x):
        return np.sum(self.w * x) + self.b + self.norm


@dataclasses.dataclass(frozen=True)
class Point:
    x: Any
    y: Any = 1.0

    def moved(self, by):
        return dataclasses.replace(self, x=self.x + by)


@case(V, U)
def data_classes(x, y):
    params = Params(x, names=["a"])
    params.b = np.sum(y)
    point = Point(x).moved(y)
    values = dataclasses.asdict(Point(1.0, 2.0))
    names = [f.name for f in dataclasses.fields(point)]
    return params.loss(y) + np.sum(point.x * point.y) + len(params.names) + params.hidden, values, names


class Pair(NamedTuple):
    left: Any
    right: Any = 2.0

    def product(self):
        return self.left * self.right


@case(V)
def named_tuples(x):
    pair = Pair(x)
    other = pair._replace(right=x)
    a, b = other
    return pair.product() + other.product() + a + other[1], pair._asdict()["right"], Pair._fields, len(pair)


class Mode(enum.Enum):
    SUM = "sum"
    MEAN = "mean"

    @property
    def function(self):
        return np.sum if self is Mode.SUM else np.mean


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@case(V)
def enums(x):
    found = {mode.name: mode.function(x) for mode in Mode}
    by_value = Mode("mean")
    return found, x * Level.HIGH, by_value is Mode.MEAN, Mode["SUM"] == Mode.SUM, Level.LOW < Level.HIGH


@case(V)
def attributes_by_name(x):
    square = Square(x)
    square.extra = x * 2
    return square.extra + getattr(square, "nothing", 1.0) + hasattr(square, "size"), callable(Shape)


class Registry:
    table: typing.ClassVar[dict] = {"a": 2.0, "b": 3.0}

    def __getattr__(self, name):
        return self.table[name]


@case(V)
def fallback_attributes(x):
    registry = Registry()
    return x * registry.a + registry.b


class Cached:
    def __init__(self, x):
        self.x = x

    @functools.cached_property
    def norm(self):
        return np.sum(self.x**2)


@case(V)
def cached_property(x):
    cached = Cached(x)
    return cached.norm + cached.norm


@case(V)
def copies(x):
    a = {"w": x, "n": [x, 1.0]}
    b = copy.copy(a)
    c = copy.deepcopy(a)
    b["w"] = x * 2
    b["n"].append(3.0)
    c["n"].append(4.0)
    return a["w"] + b["w"] + c["w"], len(a["n"]), len(c["n"]), copy.copy(x), copy.deepcopy(Point(x)).x


# --- containers and comprehensions


@case(V, U)
def comprehensions(x, y):
    pairs = [(a, b) for a in range(3) for b in range(a) if (a + b) % 2]
    table = {(a, b): x * a + b for a, b in pairs}
    kept = {k: v for k, v in {"a": x, "b": None}.items() if v is not None}
    nested = [[a * b for a in (x, y)] for b in (1.0, 2.0)]
    unique = {len(row) for row in nested}
    return pairs, list(table.values()), kept, nested, sorted(unique)


@case(V)
def walrus(x):
    if (n := len([x, x])) > 1:
        x = x * n
    values = [y := x, y * 2]
    last = [seen := k for k in range(3)]
    return values, seen, (z := x + 1) * z


@case(V)
def stars(x):
    first, *middle, last = [x, 1.0, 2.0, x * 3]
    (a, *_), (*_, b) = [x, 1.0], (2.0, x)
    merged = {**{"a": x}, "b": 1.0, **{"a": 2.0}}
    return [*middle, *(first, last)], merged, a + b, (*range(2), x)


@case(V)
def collections_of_python(x):
    queue = deque([x, x * 2])
    groups = defaultdict(list)
    for k in range(4):
        groups[k % 2].append(x * k)
    ordered = OrderedDict(b=x, a=x * 2)
    return [sum(group) for group in groups.values()], list(ordered), len(queue)


@case(V)
def list_methods(x):
    values = [x]
    values.append(x * 2)
    values.extend([x * 3, x * 4])
    values.insert(0, x * 5)
    last = values.pop()
    values.reverse()
    del values[0]
    values[0] = values[0] + 1
    values += [x]
    return values, last, len(values), [1, 2, 3].index(2), (values * 2)[3]


@case(V)
def dict_methods(x):
    table = {"a": x}
    table.setdefault("b", x * 2)
    table.update(c=x * 3)
    table |= {"d": 1.0}
    popped = table.pop("a")
    del table["d"]
    return [k for k in table], list(table.values()), popped, table.get("z", 0.0), "b" in table, dict(a=x)


@case(V)
def nested_containers(x):
    state = {"layers": [{"w": x, "b": 0.0}, {"w": x * 2, "b": 1.0}], "n": 2}
    for layer in state["layers"]:
        layer["w"] = layer["w"] + layer["b"]
    state["layers"][0]["b"] = x
    return state


@case(V)
def strings(x):
    name = "a.b.c"
    parts = name.split(".")
    text = f"{parts[0]}-{len(parts):03d}-{'x' if parts else 'y'}" + "%s" % "z"
    table = {"a-003-xz": x, "other": x * 2}
    return table[text.lower()] * len(name.replace(".", "")), text.startswith("a"), "-".join(parts).upper()


@case(V)
def delete(x):
    y = x * 2
    del x
    x = y
    z = {"a": y, "b": y}
    del z["a"], y
    return x, z


@case(V)
def annotations(x):
    y: np.ndarray = x * 2
    z: list[np.ndarray]
    z = [y]
    w: typing.Final = typing.cast("np.ndarray", z[0])
    return w


# --- match


def matched(value):
    match value:
        case None:
            return 0.0
        case True | False:
            return 1.0
        case np.ndarray(ndim=1):
            return np.sum(value)
        case np.ndarray(ndim=2):
            return np.sum(value) * 2
        case int(n) if n > 10:
            return n * 2.0
        case int() | float():
            return value + 1.0
        case "sum" | "mean" as name:
            return float(len(name))
        case []:
            return 5.0
        case [x]:
            return np.sum(x)
        case [x, *rest] if len(rest) > 1:
            return np.sum(x) + matched(rest)
        case (x, {"w": w, **others}):
            return np.sum(x) * np.sum(w) + len(others)
        case {"kind": "a", "value": v}:
            return np.sum(v)
        case {}:
            return 9.0
        case Point(x=px, y=None):
            return np.sum(px)
        case Point(px, py):
            return np.sum(px) + np.sum(py)
        case Mode.SUM:
            return 12.0
        case _:
            return -1.0


@case(V, M)
def match(x, m):
    values = [
        None, True, 20, 3, 2.5, "mean", [], [x], [x, 1.0, 2.0], (x, {"w": x, "b": 1}), {"kind": "a", "value": x},
        {"kind": "b"}, Point(x, None), Point(x, 2.0), Mode.SUM, Mode.MEAN, x, m, "other",
    ]  # fmt: skip
    return [matched(value) for value in values]


@case(V)
def match_binds(x):
    match {"a": (x, 2.0), "b": [1, 2, 3]}:
        case {"a": (y, factor), "b": [1, *tail]}:
            return y * factor + len(tail), tail


# --- libraries


@case(V, U)
def operator_module(x, y):
    total = operator.add(x, y) * operator.neg(x) - operator.truediv(y, 2.0) ** operator.pow(2, 1)
    rows = [(2, x), (1, y)]
    rows.sort(key=operator.itemgetter(0))
    first = operator.itemgetter(1)(rows[0])
    pair = operator.itemgetter(0, 1)([x, y, x])
    size = operator.attrgetter("size")(Square(x))
    sums = operator.methodcaller("sum", axis=0)(x)
    return (
        total,
        first,
        pair,
        size,
        sums,
        operator.matmul(x, y),
        reduce(operator.mul, [x, y, 2.0]),
        operator.getitem(x, 0),
    )


@case(V, U)
def itertools_module(x, y):
    pairs = list(itertools.combinations([x, y, x * y], 2))
    grid = [a * b for a, b in itertools.product((1.0, 2.0), [x, y])]
    chained = list(itertools.chain([x], (y,), itertools.chain.from_iterable([[x, y], [x]])))
    running = list(itertools.accumulate([x, y, x]))
    products = list(itertools.accumulate([1.0, 2.0, 3.0], operator.mul, initial=x))
    longest = list(itertools.zip_longest([x, y], [1.0], fillvalue=0.0))
    return pairs, grid, chained, running, products, longest


@case(V, U)
def more_itertools(x, y):
    steps = [b - a for a, b in itertools.pairwise([x, y, x])]
    starred = list(itertools.starmap(np.add, [(x, y), (y, y)]))
    taken = list(itertools.takewhile(lambda k: k < 3, itertools.count(1)))
    dropped = list(itertools.dropwhile(lambda k: k < 2, range(4)))
    cycled = [v * k for k, v in zip(range(3), itertools.cycle([x, y]))]
    repeated = list(itertools.repeat(x, 2)) + [a * b for a, b in zip([x, y], itertools.repeat(2.0))]
    odd = list(itertools.filterfalse(lambda k: k % 2 == 0, range(5)))
    orders = [p[0] * p[1][0] for p in itertools.permutations([1.0, x], 2) if not isinstance(p[0], np.ndarray)]
    return steps, starred, taken, dropped, cycled, repeated, odd, orders


@case(V, U)
def builtins_on_containers(x, y):
    values = [3, 1, 2]
    return (
        sorted(values), sorted(values, reverse=True), sorted([(2, x), (1, y)], key=lambda p: p[0])[0][1],
        max(values), min(values, key=lambda v: -v), max([], default=4), sum([x, y], start=1.0), abs(-3),
        divmod(7, 2), pow(2, 3), pow(2, 3, 5), round(2.567, 1), all([True, 1]), any([]), list(reversed([x, y])),
        list(enumerate([x, y], start=1)), [len(v) for v in ([x], "ab")], isinstance(x, np.ndarray), type(x) is np.ndarray,
    )  # fmt: skip


@case(V, 2.0)
def builtins_on_staged(x, a):
    return (
        abs(x),
        abs(a),
        x[0] ** 2,
        pow(a, 2),
        divmod(a, 0.3),
        max(a, 1.0),
        min(a, 1.0, x[0]),
        float(a),
        sum([a, a]),
        round(x[0], 1),
    )


@case(0.7)
def math_module(a):
    return (
        math.sin(a) + math.exp(a) * math.log(a) + math.sqrt(a) * math.pi,
        math.hypot(a, 2.0),
        math.floor(2.5),
        math.prod([2, 3]),
    )


@case(V)
def types_of_values(x):
    numbers = [isinstance(v, (int, float)) for v in (1, 2.0, "a", None)]
    kinds = [type(v).__name__ for v in (1, 2.0, "a", None, [x], (x,))]
    return numbers, kinds, issubclass(bool, int), callable(np.sin), isinstance(np.sin, np.ufunc)


@case(V)
def static_branches(x, mode="fast"):
    result = x
    while mode != "done":
        if mode == "fast":
            result, mode = result * 2, "slow"
        elif mode == "slow":
            result, mode = result + 1, "done"
    else:
        result = result - 1
    return result


@case(V)
def loop_else(x):
    for k in (1, 2, 3):
        if k == 5:
            break
    else:
        x = x * 2
    for k in (1, 2, 3):
        if k == 2:
            break
    else:
        x = x * 100
    return x * k


@case(V)
def chained_comparisons(x):
    n = x.ndim
    return x * (0 < n <= 1 < 2) + (1 if "a" in "abc" else 2) + (not n) + (n and 3) + (0 or 4)


GLOBAL = 3.0


@case(V)
def reads_global(x):
    global GLOBAL
    return x * GLOBAL


class Settings:
    rate = 0.5
    table: typing.ClassVar[dict] = {"a": np.ones(5)}

    @classmethod
    def scaled(cls, x):
        return x * cls.rate + cls.table["a"]


@case(V)
def reads_class(x):
    return Settings.scaled(x) * Settings.rate


@case(V, slice(1, 4))
def slices(x, part):
    return x[part], x[slice(None, None, 2)], [x, x * 2, x * 3][part], x[..., None].shape


@case(V)
def conditional_imports(x):
    import math as mathematics
    from functools import reduce as fold

    return fold(lambda a, b: a + b, [x, x * mathematics.pi])


@case(V)
def strings_that_look_like_code(x):
    print("__import__('os')", f"{{0}} {{}} {x[0]} \x00\ud800 é {'}'}", "a\\n{0}")
    return x


@case(V)
def object_in_text(x):
    class_name = type(Point(x)).__name__
    print(class_name, f"{Mode.SUM.name} {Level.HIGH:d}", Named(x))
    return x


class Named:
    def __init__(self, x):
        self.x = x

    def __str__(self):
        return f"Named({self.x[0]:.2f})"


# --- marks


@case(V, {"w": U, "n": 3})
def stopped(x, params):
    y = symdiff.stop_gradient(x * 2)
    fixed = symdiff.stop_gradient(params)
    return y * x + fixed["w"] * fixed["n"], symdiff.stop_gradient(2.0), symdiff.stop_gradient([x, "a"])[0]


@symdiff.checkpoint
def expensive(x, scale=2.0):
    """Recomputed."""
    y = np.tanh(x * scale)
    return y * y, {"y": y, "x": x, "both": (x, [y + 1])}


@case(V)
def checkpointed_calls(x):
    a, parts = expensive(x)
    b, _ = expensive(a, scale=3.0)
    inner = symdiff.checkpoint(lambda z: z * x)
    return a + b + parts["y"] + parts["both"][1][0] + inner(x) + parts["x"]


@case(V)
def checkpointed_method(x):
    class_of_layer = Remembered(2.0)
    return class_of_layer.apply(x) + class_of_layer.apply(x * 2)


class Remembered:
    def __init__(self, w):
        self.w = w

    @symdiff.checkpoint
    def apply(self, x):
        return np.sin(x) * self.w


@case(V)
def checkpointed_loop(x):
    for k in symdiff.checkpoint([1.0, 2.0, 3.0], every=2):
        x = x * k
    return x


# --- effects under conditions and in loops that run time decides on


@case(V)
def prints_in_a_branch(x):
    if x[0] > 0:
        print("positive", x[0])
        y = x * 2
    else:
        print(f"negative {x[0]:.1f}")
        y = x
    return y


@case(V, 3)
def prints_in_a_loop(x, n):
    total = 0.0
    for k in range(n):
        total = total + x[k]
        print(k, f"{total:.3f}")
    return total


@case(V, 4)
def raises_in_a_loop(x, n):
    for k in range(n):
        if x[k] > 1.3:
            raise ValueError(f"element {k} is {x[k]:.2f}")
        x = x * 1.0
    return x


@case(V)
def raises_with_two_arguments(x):
    if x[1] > 0:
        raise KeyError("name", x[1])
    return x


@case(V)
def raises_in_a_helper(x):
    return positive(x[0]) + positive(x[3])


def positive(a):
    if a < 0:
        raise ArithmeticError("negative")
    return np.sqrt(a)


@case(V)
def raises_a_class(x):
    if x[0] > 0:
        raise RuntimeError
    return x


@case(V)
def raises_from_none(x):
    if x[0] > 0:
        raise np.linalg.LinAlgError("singular") from None
    return x


@case(V)
def raise_in_both_of_nested(x):
    if x[0] > 100:
        if x[1] > 0:
            raise ValueError("a")
        else:
            raise ValueError("b")
    return x * 2


@case(V)
def assert_fails(x):
    assert np.all(x > 0), f"smallest {np.min(x):.3f}"
    return x


@case(V)
def assert_in_a_branch(x):
    if x[0] > 0:
        assert x[1] > 100, ("not large", x.shape)
        x = x * 2
    return x


@case(V)
def known_failure_in_a_branch(x, mode="b"):
    if x[0] > 100:
        assert mode == "a", mode
        x = x * 2
    elif x[0] > 50:
        assert mode != "b"
    return x


@case(V)
def with_in_a_branch(x):
    if x[0] > 0:
        with np.errstate(all="ignore"):
            return np.log(np.abs(x))
    return x


@case(V, 3)
def with_around_a_loop(x, n):
    log = []
    with guarded(log):
        for k in range(n):
            if x[k] > 1.0:
                break
            x = x + 0.1
    return x * len(log)


@case(V, 3)
def return_out_of_with(x, n):
    for k in range(n):
        with Scale(2.0) as scale:
            if x[k] > 1.0:
                return scale(x)
            x = scale(x)
    return x


@case(V, 3)
def generator_in_a_loop(x, n):
    total = 0.0
    for k in range(n):
        total = total + sum(halves(x * k, 2))
    return total


@case(V, 3)
def generator_of_a_range(x, n):
    def elements(m):
        for k in range(m):
            yield x[k]

    return sum(elements(3))


@case(V, 5)
def recursion_on_an_argument(x, n):
    return power(x, n)


def factorial(n):
    return 1 if n <= 1 else n * factorial(n - 1)


@case(V, 5)
def recursion_on_an_int(x, n):
    return x * factorial(n)


@case(V, 4)
def recursion_inside_a_branch(x, n):
    if x[0] > 0:
        return power(x, 3)
    return power(x, 2)


@case(V, 3)
def lambdas_in_a_loop(x, n):
    total = x * 0.0
    for k in range(n):
        step = lambda y, k=k: y * k + x
        total = step(total)
    return total


@case(V, 3)
def objects_in_a_loop(x, n):
    counter = Scale(1.0)
    for k in range(n):
        counter.factor = counter.factor * 1.5
        x = counter(x)
    return x * counter.factor


@case(V, 3)
def checkpointed_range(x, n):
    for k in symdiff.checkpoint(range(n)):
        x = np.sin(x) * k
    for k in symdiff.checkpoint(range(n), every=2):
        x = np.cos(x) + k
    return x


@case(V, 3)
def checkpointed_function_in_a_loop(x, n):
    for k in range(n):
        x, _ = expensive(x, scale=1.0 + k)
    return x


@case(V)
def stop_gradient_in_a_branch(x):
    y = symdiff.stop_gradient(x)
    if y[0] > 0:
        y = y * x
    return y


@case(M)
def message_of_a_loop_over_rows(m):
    total = 0.0
    for k, row in enumerate(m):
        total = total + np.sum(row)
        assert np.isfinite(total), f"row {k}: {row}"
    return total


@case(V)
def iterators_by_hand(x):
    source = (x * k for k in (1.0, 2.0, 3.0))
    first, second = next(source), next(source)
    other = iter([x, x + 1, x + 2])
    return first - second, list(source), next(other) * next(other), list(other), next((v for v in [x]), None)


@case(V)
def generator_expression_and_its_loop(x):
    total = 0.0
    for k, value in enumerate(x * k for k in [1, 2, 3]):
        y = value + k
        total = total + value * y
    return total


@case(V)
def enumerate_of_a_generator(x):
    found = {}
    for k, (a, b) in enumerate(zip(halves(x, 3), itertools.count(1)), start=5):
        found[k] = a * b
    return found


@case(V)
def generator_in_two_steps(x):
    source = halves(x, 5)
    first = list(itertools.islice(source, 2))
    return first, list(source), list(source)


@case(V)
def raises_with_odd_values(x):
    if x[0] > 0:
        raise ValueError(
            "a'b\"c\\ {x} \n", math.inf, -math.inf, None, True, 2.5, x[0], [1, (x[1],), {"k": ("a", x[2])}]
        )
    return x
