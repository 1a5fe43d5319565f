"""Random programs of the IR in which arrays die at many places, and their generated code."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import numpy as np

from symdiff.backends.numpy import source
from symdiff.ir import types
from symdiff.ir.build import Builder
from symdiff.ir.node import LEAF, Function, Node, Parameter, Tree
from symdiff.ir.types import Size
from symdiff.ops.row import REGISTRY

SHAPES = ((3, 4), (3, 4), (4,), (3, 1), ())
DIMS: dict[tuple[int, ...], types.Dims] = {
    (3, 4): (Size("n"), Size("m")),
    (4,): (Size("m"),),
    (3, 1): (Size("n"), 1),
    (): (),
}
FULL = ("slice", None, None, None)
BINARY = ("add", "subtract", "multiply", "divide", "add", "subtract", "multiply")
UNARY = ("sin", "tanh", "negative", "exp", "copy")
WORDS = ("x_bar", "g", "h", "x_bar_1", "total", "value", "sum", "np", "lambda", "")


@dataclass
class Program:
    function: Function
    values: list[np.ndarray]


def program(seed: int, length: int = 24, *, primal: bool = False, dtype: str = "float64") -> Program:
    """A function of a few arrays; `primal`: as if the user had written it, where nothing is overwritten."""
    r = random.Random(seed)
    builder = Builder(primal=True)
    shapes = [r.choice(SHAPES) for _ in range(r.randint(2, 4))]
    with builder:
        params = [
            builder.param(types.array(dtype, DIMS[shape]), f"p{k}", parameter=f"p{k}", path=())
            for k, shape in enumerate(shapes)
        ]
        builder.primal = primal
        values = list(params)
        for _ in range(length):
            made = step(r, values)
            if made is None:
                continue
            if r.random() < 0.3:
                (builder.named if primal else builder.label)(made, r.choice(WORDS))
            values.append(made)
        outputs = [value for value in values[len(params) :] if r.random() < 0.15] + values[-1:]
        parameters = tuple(Parameter(f"p{k}") for k in range(len(params)))
        tree = Tree("tuple", (LEAF,) * len(outputs))
        function = builder.finish("f", params, outputs, tree, parameters, "A random program.")
    generator = np.random.default_rng(seed)
    return Program(function, [np.asarray(generator.uniform(0.5, 1.5, shape), dtype) for shape in shapes])


def step(r: random.Random, values: list[Node]) -> Node | None:
    """One more value; late values are read more often, so that most die soon."""

    def pick() -> Node:
        return r.choice(values[-5:]) if r.random() < 0.7 else r.choice(values)

    x, y = pick(), pick()
    kind = r.random()
    if kind < 0.5:
        other: Any = y if r.random() < 0.85 else r.choice([2, 0.5, -1.0])
        name = r.choice(BINARY)
        if name == "divide":  # never by zero, whose sign an interpreter may see otherwise
            return operation(name, x, operation("exp", y))
        return operation(name, x, other) if r.random() < 0.7 else operation(name, other, x)
    if kind < 0.65:
        return operation(r.choice(UNARY), x)
    if not x.type.dims:
        return None
    if kind < 0.72:
        return operation("transpose", operation("transpose", x) * 2)
    if kind < 0.79:
        return operation("sum", x, axis=r.choice([0, -1]), keepdims=True) + y
    if kind < 0.86:
        index = (r.choice([FULL, ("slice", None, None, -1)]),)
        return operation("index", x, index=index)
    part = operation("index", x, index=(("slice", 1, None, None),))
    if kind < 0.93:
        return operation("scatter", part * 3, operation("shape", x), index=(("slice", None, -1, None),))
    return operation("add_at", x, part, index=(("slice", None, -1, None),))


def operation(name: str, *args: Any, **attrs: Any) -> Node:
    node = REGISTRY[name](*args, **attrs)
    assert isinstance(node, Node)
    return node


def compiled(function: Function) -> tuple[Any, str]:
    """The generated function and its text."""
    text = source(function)
    namespace: dict[str, Any] = {}
    exec(compile(text, "<generated>", "exec"), namespace)
    return namespace[function.name], text


def same(a: Any, b: Any) -> bool:
    """Equal bit for bit; zeros of either sign are one: `z = 0; z[i] = v` and `z = 0; z[i] += v` differ in
    it."""
    a, b = np.asarray(a) + 0.0, np.asarray(b) + 0.0
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
