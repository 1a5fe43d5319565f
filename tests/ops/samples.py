"""One call of one row: its program, its types, its derivatives, compared with NumPy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from ops.evaluate import evaluate

from symdiff.autodiff.reverse import pullback
from symdiff.ir import types
from symdiff.ir.build import Builder
from symdiff.ir.node import LEAF, Function, Node
from symdiff.ir.types import Size, Type
from symdiff.ops.lowering import call
from symdiff.ops.row import REGISTRY, Row


@dataclass
class Draw:
    """Makes arguments: `draw(2, 3)` is an array, `draw.number()` a staged Python float."""

    low: float = -1.0
    high: float = 1.0
    dtype: str = "float64"
    generator: np.random.Generator = field(default_factory=lambda: np.random.default_rng(7))

    def __call__(self, *shape: int, low: float | None = None, high: float | None = None) -> np.ndarray:
        low, high = self.low if low is None else low, self.high if high is None else high
        return np.asarray(self.generator.uniform(low, high, shape), dtype=self.dtype)

    def complex(self, *shape: int) -> np.ndarray:
        return np.asarray(self(*shape) + 1j * self(*shape))

    def number(self) -> Staged:
        return Staged(float(self.generator.uniform(self.low, self.high)))


@dataclass(frozen=True)
class Staged:
    """A Python number that flows at run time."""

    value: Any


Spec = Callable[[Draw], tuple[tuple[Any, ...], dict[str, Any]]]


def args(*values: Any, **attrs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return values, attrs


def is_staged(value: Any) -> bool:
    return isinstance(value, Staged | np.ndarray)


def plain(value: Any) -> Any:
    return value.value if isinstance(value, Staged) else value


def leaves(value: Any) -> list[Any]:
    """The staged values of (nested lists of) arguments, in order."""
    if isinstance(value, list | tuple):
        return [leaf for item in value for leaf in leaves(item)]
    return [value] if is_staged(value) else []


def rebuilt(value: Any, new: Any) -> Any:
    """The same arguments with staged values taken from the iterator `new`."""
    if isinstance(value, list | tuple):
        return type(value)(rebuilt(item, new) for item in value)
    return next(new) if is_staged(value) else value


def type_of(value: Any, count: list[int], symbolic: bool) -> Type:
    value = plain(value)
    if not isinstance(value, np.ndarray):
        return types.number(type(value).__name__)
    dims: list[Any] = []
    for size in value.shape:
        dims.append(Size(f"n{size}") if symbolic and size > 1 else size)
    return types.array(value.dtype.name, tuple(dims))


class Sample:
    """`row(*args)` as a function of its staged arguments."""

    def __init__(self, row: Row, spec: Spec, dtype: str = "float64", symbolic: bool = True):
        self.row = row
        self.args, self.attrs = spec(Draw(*row.domain, dtype=dtype))
        self.leaves = leaves([self.args, list(self.attrs.values())])
        self.values = [plain(leaf) for leaf in self.leaves]
        builder = Builder()
        with builder:
            count = [0]
            self.params = [
                builder.param(type_of(leaf, count, symbolic), f"x{i}") for i, leaf in enumerate(self.leaves)
            ]
            given = iter(self.params)
            positional = rebuilt(self.args, given)
            named = {key: rebuilt(value, given) for key, value in self.attrs.items()}
            made = call(row, *positional, **named)
            self.outputs: list[Node] = list(made) if isinstance(made, tuple | list) else [made]
            self.function = self.finish(builder, self.params, self.outputs)

    @staticmethod
    def finish(builder: Builder, params: list[Node], results: list[Node]) -> Function:
        return builder.finish("f", params, results, LEAF)

    def numpy(self, values: list[Any]) -> list[Any]:
        """What NumPy itself says for other values of the staged arguments."""
        given = iter(values)
        positional = rebuilt(self.args, given)
        named = {key: rebuilt(value, given) for key, value in self.attrs.items()}
        with np.errstate(all="ignore"):
            target = self.row.targets[0]
            result = (target if callable(target) else target.__getitem__)(*positional, **named)
        return list(result) if isinstance(result, tuple | list) and self.row.name != "shape" else [result]

    def wrt(self) -> list[int]:
        return [i for i, value in enumerate(self.values) if np.asarray(value).dtype.kind in "fc"]

    def differentiable(self) -> list[int]:
        return [i for i, node in enumerate(self.outputs) if node.type.dtype.startswith(("float", "complex"))]

    def pulled_back(self, function: Function, outputs: list[int]) -> Function:
        """The function from parameters and cotangents of some results to cotangents of the parameters."""
        with function.open() as builder:
            seeds = {}
            extra = []
            for i in outputs:
                seed = builder.param(function.results[i].type, f"g{i}")
                extra.append(seed)
                before = seeds.get(function.results[i])
                seeds[function.results[i]] = seed if before is None else before + seed
            wrt = [self.params[i] for i in self.wrt()]
            parts = pullback(builder, function, seeds, wrt)
            self.reached = [part is not None for part in parts]
            results = [part for part in parts if part is not None]
            return self.finish(builder, [*function.params, *extra], results)


def inner(a: list[Any], b: list[Any]) -> float:
    """The real part of the sum of products: for complex values the pairing that cotangents are defined by."""
    return float(sum(np.real(np.sum(np.multiply(x, y, dtype=wide(x, y)))) for x, y in zip(a, b, strict=True)))


def wide(*values: Any) -> np.dtype[Any]:
    return np.result_type(np.float64, *map(np.asarray, values))


def random_like(values: list[Any], seed: int) -> list[Any]:
    generator = np.random.default_rng(seed)

    def like(v: np.ndarray) -> np.ndarray:
        drawn = generator.uniform(0.5, 1.5, np.shape(v))
        if v.dtype.kind == "c":
            drawn = drawn + 1j * generator.uniform(-1, 1, np.shape(v))
        return np.asarray(drawn, v.dtype)

    return [
        like(np.asarray(v)) if isinstance(v, np.ndarray | np.generic) else float(generator.uniform(0.5, 1.5))
        for v in values
    ]


def slope(function: Callable[[float], float], step: float) -> float:
    """Richardson's extrapolation of central differences: error O(step**6)."""
    table = []
    for h in (step, step / 2, step / 4):
        table.append((function(h) - function(-h)) / (2 * h))
    first = [(4 * table[1] - table[0]) / 3, (4 * table[2] - table[1]) / 3]
    return (16 * first[1] - first[0]) / 15


def moved(values: list[Any], places: list[int], direction: list[Any], step: float) -> list[Any]:
    result = list(values)
    for place, change in zip(places, direction, strict=True):
        result[place] = result[place] + step * change
        if isinstance(values[place], np.ndarray):
            result[place] = np.asarray(result[place])
    return result


def gradient_error(sample: Sample, order: int = 1, step: float = 1e-3) -> float:
    """How far the reverse derivative is from differences of the function itself, relative to its size."""
    outputs, places = sample.differentiable(), sample.wrt()
    if not outputs or not places:
        return 0.0
    function, values, original = sample.function, sample.values, sample.numpy
    for _ in range(order - 1):
        seeds = random_like([evaluate(function, *values)[i] for i in outputs], 3)
        function = sample.pulled_back(function, outputs)
        values = [*values, *seeds]
        outputs = list(range(len(function.results)))
        if not outputs:
            return 0.0
    current = function

    def run(point: list[Any]) -> list[Any]:
        return original(point) if order == 1 else evaluate(current, *point)

    base = run(values)
    weights = random_like([base[i] for i in outputs], 5)
    direction = random_like([values[i] for i in places], 11)

    def objective(step: float) -> float:
        results = run(moved(values, places, direction, step))
        return inner([results[i] for i in outputs], weights)

    numeric = slope(objective, step)
    back = sample.pulled_back(function, outputs)
    parts = iter(evaluate(back, *values, *weights))
    analytic = [
        next(parts) if reached else np.zeros(np.shape(values[i]))
        for reached, i in zip(sample.reached, places, strict=True)
    ]
    for part, place in zip(analytic, places, strict=True):
        assert np.shape(part) == np.shape(values[place]), (np.shape(part), np.shape(values[place]))
    exact = inner(analytic, direction)
    return abs(exact - numeric) / (1 + abs(numeric))


def row(name: str) -> Row:
    return REGISTRY[name]
