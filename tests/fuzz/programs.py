"""Whole programs: arguments, statements, what is returned.

Enters: a seed.  Leaves: the text of a module.  Invariant: as in `grammar`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from fuzz.grammar import Writer, is_fresh
from fuzz.pieces import HELPERS, NAMES, PARAMETERS, Reject, is_array, is_float, wrapped

HEADER = """import math
from collections import namedtuple
from dataclasses import dataclass

import numpy as np

SHIFT = {shift}
TABLE = np.{table}
FLAG = {flag}
MODE = {mode!r}
Pair = namedtuple("Pair", "first second")


@dataclass
class Cell:
    w: object
    b: object
    name: str = "cell"
"""


@dataclass
class Arguments:
    """Parameters of `f`, the texts that make their arguments, and the atoms that these hold."""

    names: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    defaults: dict[str, str] = field(default_factory=dict)
    wrt: list[str] = field(default_factory=list)
    layers: str = ""


def generate(seed: int) -> str:
    """The module of this seed."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # of pieces that are tried and rejected
        return Program(seed).text()


class Program:
    def __init__(self, seed: int):
        self.seed = seed
        self.w = Writer(seed)
        self.r = self.w.r
        self.dims = [self.r.choice([2, 3, 4]) for _ in range(3)]
        if self.r.chance(0.15):
            self.dims[self.r.integer(0, 2)] = 1
        self.dtype = self.r.choice(["float64"] * 7 + ["float32"])
        self.arguments = Arguments()
        self.lines: list[str] = []
        self.fresh = ""
        self.free = [name for name in NAMES]

    def text(self) -> str:
        header = HEADER.format(
            shift=self.r.choice(["0.7", "-0.2", "1", "np.float64(0.4)"]),
            table=self.r.choice(
                ["array([0.5, -1.0])", "array(2.5)", "array([[0.25], [1.5]])", "float32(0.75)"]
            ),
            flag=self.r.choice([True, False]),
            mode=self.r.choice(["relu", "tanh", ""]),
        )
        helpers = self.r.sample(HELPERS, self.r.integer(0, 4))
        header += "".join(f"\n\n{helper.text}\n" for helper in helpers)
        exec(header, self.w.env)
        self._arguments()
        self._statements()
        returned = self._returned()
        signature: list[str] = []
        for name in reversed(self.arguments.names):
            default = self.arguments.defaults.get(name)
            last = all("=" in text for text in signature)
            signature.insert(0, f"{name}={default}" if default and last else name)
        body = "\n".join(f"    {line}" for text in [*self.lines, *returned] for line in text.split("\n"))
        made = "\n".join(f"    {line}" for line in self._made())
        wrt = (
            tuple(self.arguments.wrt)
            if len(self.arguments.wrt) > 1 or self.r.chance(0.3)
            else self.arguments.wrt[0]
        )
        function = f"def f({', '.join(signature)}):\n{body}"
        return f"{header}\n\nWRT = {wrt!r}\n\n\n{function}\n\n\ndef arguments():\n{made}\n"

    # Arguments

    def _made(self) -> list[str]:
        return [
            f"r = np.random.default_rng({self.seed})",
            *self.arguments.made,
            f"return ({', '.join(self.arguments.names)},)",
        ]

    def _arguments(self) -> None:
        free = self.r.sample(PARAMETERS, len(PARAMETERS))
        count = self.r.integer(1, 4)
        scope: dict[str, Any] = dict(self.w.env)
        scope["r"] = np.random.default_rng(self.seed)
        for position in range(count):
            name = free[position]
            kind = self.r.choice(KINDS) if position else _array
            self.arguments.names.append(name)
            self.arguments.made.append(kind(self, name))
            exec(self.arguments.made[-1], scope)
            self.w.env[name] = scope[name]
        floats = [name for name in self.arguments.names if has_floats(self.w.env[name])]
        self.arguments.wrt = self.r.sample(floats, self.r.integer(1, len(floats))) or floats[:1]
        self.w.atoms.append("TABLE")
        if self.r.chance(0.15):
            first = self.arguments.names[0]
            name = free[count]
            self.arguments.names.append(name)
            self.arguments.made.append(f"{name} = {first}")
            self.w.env[name] = self.w.env[first]
            self.w.atoms.append(name)
            self.arguments.wrt += [name] if self.r.chance(0.6) else []

    def shape(self) -> tuple[int, ...]:
        n, m, k = self.dims
        return self.r.choice(
            [
                (n, m),
                (n, m),
                (m, k),
                (m,),
                (n,),
                (n, 1),
                (1, m),
                (m, m),
                (n, n),
                (k, n, m),
                (m, n),
                (m,),
                (1,),
                (n, k),
            ]
        )

    def drawn(self, shape: tuple[int, ...], dtype: str = "") -> str:
        """The text of an array, sometimes of another layout."""
        dtype = dtype or self.dtype
        low, high = self.r.choice([(-1.5, 1.5), (0.2, 1.8), (-1.5, 1.5)])

        def made(of: tuple[int, ...]) -> str:
            text = f"r.uniform({low}, {high}, {of})"
            return text if dtype == "float64" else f"{text}.astype(np.{dtype})"

        if shape and self.r.chance(0.12):
            first, *rest = shape
            return self.r.choice(
                [f"{made(shape[::-1])}.T", f"{made((2 * first, *rest))}[::2]", f"{made(shape)}[::-1]",
                 f"np.asfortranarray({made(shape)})"]
            )  # fmt: skip
        return made(shape)

    # Statements

    def _statements(self) -> None:
        if self.r.chance(0.1):
            self.lines.append('"""The function under test: {braces} and % signs."""')
        for _ in range(self.r.integer(2, 9)):
            for _ in range(4):
                try:
                    self.r.weighted(STATEMENTS)(self)
                    break
                except (Reject, ValueError, TypeError, IndexError):
                    continue

    def run(self, text: str) -> None:
        """Execute a statement and write it."""
        with np.errstate(all="ignore"):
            exec(text, self.w.env)
        self.lines.append(text)

    def bind(self, name: str) -> None:
        if name in self.w.atoms:
            self.w.atoms.remove(name)
        self.w.atoms.append(name)
        self.fresh = ""

    def target(self) -> str:
        """A new name, or now and then one that is bound already."""
        bound = [name for name in self.w.atoms if name in NAMES or name in self.arguments.names]
        if bound and self.r.chance(0.2):
            return self.r.choice(bound)
        name = self.r.choice([n for n in self.free if n not in self.arguments.names])
        self.free.remove(name)
        return name

    # Results

    def _returned(self) -> list[str]:
        while True:
            try:
                return self._result()
            except Reject:
                continue

    def _result(self) -> list[str]:
        terms = [self._scalar() for _ in range(self.r.integer(1, 3))]
        if self.r.chance(0.14):
            items = [self.w.expr(1), self.w.atom(), *terms][: self.r.integer(1, 3)]
            inside = ", ".join(items)
            return [
                self.r.choice([f"return ({inside},)", f"return [{inside}]",
                f"return {{'first': {items[0]}, 'n': {items[-1]}}}",
                               f"return {self.w.array(1)}", f"return Pair({items[0]}, {items[-1]})"])
            ]  # fmt: skip
        if self.r.chance(0.15):
            self.run(f"loss = {' + '.join(terms)}")
            return ["return loss"]
        return [f"return {' + '.join(terms)}"]

    def _scalar(self) -> str:
        x = self.w.expr(self.r.integer(0, 2))
        for _ in range(4):
            text = self.r.choice(
                ["np.sum({0})", "np.mean({0})", "{1}.sum()", "np.sum({1} ** 2)", "np.mean({1} * {1})",
                "0.5 * np.sum({0})",
                 "np.sum(np.abs({0}))", "np.vdot({0}, {0})", "np.max({0})", "np.log(1 + np.sum({1} ** 2))",
                 "np.sum({1} * SHIFT)",
                 "np.sum(np.tanh({0}) * {1})", "-np.mean({0})", "np.mean(({1} - 1.0) ** 2)",
                 "np.sum({1} * np.arange({2}.size).reshape({2}.shape))"]
            ).format(x, wrapped(x) if is_array(self.w.value(x)) else f"np.asarray({x})",
            f"np.asarray({x})")  # fmt: skip
            try:
                if "abs" in text:
                    self.w.apart(x, "0")
                if "max" in text:
                    self.w.apart(f"np.sort(np.ravel({x}))[:-1]", f"np.max({x})", 0.004)
                value = self.w.value(text)
            except (Reject, ValueError):
                continue
            if math.isfinite(value) and abs(value) < 1e3:
                return text
        return f"np.sum(np.tanh({x}))"


def has_floats(value: Any) -> bool:
    """Whether something may be differentiated: all its leaves are floats, but for settings."""
    if isinstance(value, dict):
        return all(map(has_floats, value.values()))
    if isinstance(value, list | tuple):
        return all(map(has_floats, value))
    return hasattr(value, "w") or is_float(value)


# Kinds of arguments


def _array(p: Program, name: str) -> str:
    p.w.atoms.append(name)
    dtype = "float32" if p.r.chance(0.04) else ""
    return f"{name} = {p.drawn(p.shape(), dtype)}"


def _number(p: Program, name: str) -> str:
    p.w.atoms.append(name)
    if p.r.chance(0.1):
        p.arguments.defaults[name] = "0.5"
    return f"{name} = {p.r.choice(['0.8', '-1.3', '2.0', '0.25'])}"


def _zero_d(p: Program, name: str) -> str:
    p.w.atoms.append(name)
    text = p.r.choice(["np.array(0.6)", "np.array(-1.2)", "np.float64(0.9)"])
    return f"{name} = {text if p.dtype == 'float64' else 'np.array(0.6, np.float32)'}"


def _integer(p: Program, name: str) -> str:
    return f"{name} = {p.r.integer(-2, 3)}"


def _index(p: Program, name: str) -> str:
    p.w.indices.append(name)
    return f"{name} = np.array({p.r.choice([[0, 1], [0, 0, 1], [-1, 0], [1]])})"


def _mask(p: Program, name: str) -> str:
    p.w.masks.append(name)
    return f"{name} = np.array({[p.r.chance(0.6) for _ in range(p.r.choice(p.dims))]})"


def _dict(p: Program, name: str) -> str:
    keys = p.r.sample(["w", "b", "a key", "0", "x"], p.r.integer(1, 3))
    p.w.atoms += [f'{name}["{key}"]' for key in keys]
    return f"{name} = {{{', '.join(f'{key!r}: {p.drawn(p.shape())}' for key in keys)}}}"


def _layers(p: Program, name: str) -> str:
    n = p.r.choice(p.dims)
    p.arguments.layers = name
    p.w.atoms += [f"{name}[0][0]", f"{name}[0][1]"]
    layers = [f"({p.drawn((n, n))}, {p.drawn((n,))})" for _ in range(p.r.integer(1, 3))]
    return f"{name} = [{', '.join(layers)}]"


def _pair(p: Program, name: str) -> str:
    p.w.atoms += [f"{name}[0]", f"{name}[1]"]
    kind = p.r.choice(["Pair", ""])
    return f"{name} = {kind}({p.drawn(p.shape())}, {p.r.choice([p.drawn(p.shape()), '0.75'])})"


def _cell(p: Program, name: str) -> str:
    p.w.atoms += [f"{name}.w", f"{name}.b"]
    return f"{name} = Cell({p.drawn(p.shape())}, {p.r.choice([p.drawn(p.shape()), '1.25'])})"


KINDS: list[Callable[[Program, str], str]] = [
    *[_array] * 8, _number, _number, _number, _zero_d, _integer, _index, _mask, _dict, _layers, _layers,
    _pair, _cell,
]  # fmt: skip

# Kinds of statements


def _assigned(p: Program) -> None:
    text = p.w.expr(p.r.integer(1, 3))
    name = p.target()
    p.run(f"{name} = {text}" if p.r.chance(0.96) else f"{name}: float = {text}")
    p.bind(name)
    p.fresh = name if is_fresh(text) else ""


def _unpacked(p: Program) -> None:
    texts = [p.w.expr(2), p.w.expr(1)]
    a, b = p.target(), p.target()
    if a != b:
        p.run(f"{a}, {b} = {texts[0]}, {texts[1]}")
        p.bind(a)
        p.bind(b)


def _swapped(p: Program) -> None:
    bound = [name for name in p.w.atoms if name in NAMES]
    if len(bound) < 2:
        raise Reject
    a, b = p.r.sample(bound, 2)
    p.run(f"{a}, {b} = {b}, {a}")
    p.fresh = ""


def _chained(p: Program) -> None:
    text = p.w.expr(2)
    a, b = p.target(), p.target()
    p.run(f"{a} = {b} = {text}")
    p.bind(a)
    p.bind(b)


def _augmented(p: Program) -> None:
    """`t += x` right after `t` was computed: nothing else refers to it."""
    name = p.fresh
    if not name:
        raise Reject
    operator = p.r.choice("+-*")
    text = p.w.expr(1)
    old, new = p.w.value(name), p.w.accept(f"{name} {operator} ({text})")
    if np.shape(old) != np.shape(new) or np.result_type(old) != np.result_type(new) or name in text:
        raise Reject
    p.run(f"{name} {operator}= {text}")
    p.bind(name)


def _unused(p: Program) -> None:
    text = p.w.expr(2)
    p.run(f"_ = {text}" if p.r.chance(0.3) and "_" not in p.arguments.names else f"unused = {text}")
    p.fresh = ""


def _looped(p: Program) -> None:
    """Layers, as users write them."""
    layers = p.arguments.layers
    if not layers:
        raise Reject
    width = p.w.value(f"{layers}[0][0]").shape[0]
    x = p.w.expr(1, lambda value: is_array(value) and np.ndim(value) in (1, 2) and value.shape[-1] == width)
    name = p.target()
    act = p.r.choice(["np.tanh({0})", "np.maximum({0}, -0.05)", "np.sin({0})", "{0}"])
    step = act.format(f"{name} @ weight + bias")
    text = p.r.choice(
        [
            f"for weight, bias in {layers}:\n    {name} = {step}",
            f"for i, (weight, bias) in enumerate({layers}):\n    {name} = {step} / (i + 1)",
            f"for i in range(len({layers})):\n    weight, bias = {layers}[i]\n    {name} = {step}",
            f"for weight, bias in {layers}[::-1]:\n    before = {name}\n    {name} = {step} + before",
            f"*most, (weight, bias) = {layers}\n{name} = {step}",
        ]
    )
    scope = dict(p.w.env)
    exec(f"{name} = {x}\n{text}", scope)
    if "maximum" in act:
        p.w.env["_before"] = scope[name]
        p.w.apart("_before", "-0.05" if "before" not in text and "i + 1" not in text else "-0.025", 1e-3)
    if not np.max(np.abs(scope[name])) < 20:
        raise Reject
    p.run(f"{name} = {x}\n{text}")
    p.bind(name)


def _comprehended(p: Program) -> None:
    name = p.target()
    if p.arguments.layers and p.r.chance(0.6):
        layers = p.arguments.layers
        text = p.r.choice(
            [f"sum(np.sum(W ** 2) for W, _ in {layers})", f"sum([np.sum(W) * 0.1 for W, bias in {layers}])",
             f"np.array([np.mean(pair[1]) for pair in {layers}])",
             f"np.stack([bias for W, bias in {layers}])"]
        )  # fmt: skip
    else:
        first, second = p.w.expr(1), p.w.expr(1)
        parts = f"{first}, {second}"
        text = p.r.choice(
            [f"sum(np.sum(part) for part in ({parts}))",
            f"sum([np.mean(part) * k for k, part in enumerate([{parts}])])",
             f"[part * 2 for part in [{parts}]][-1]", f"{{'a': {first}, 'b': {second}}}['a']"]
        )  # fmt: skip
    p.w.accept(text)
    p.run(f"{name} = {text}")
    p.bind(name)


def _starred(p: Program) -> None:
    parts = [p.w.expr(1) for _ in range(3)]
    a, b = p.target(), p.target()
    if a == b:
        raise Reject
    p.run(f"{a}, *{b} = [{', '.join(parts)}]\n{b} = {b}[{p.r.choice(['0', '-1'])}]")
    p.bind(a)
    p.bind(b)


def _nested(p: Program) -> None:
    """A function inside the function that closes over its values."""
    inner = p.w.atom()
    x = p.w.array(1, 0)
    name = p.target()
    try:
        np.broadcast_shapes(np.shape(p.w.value(x)), np.shape(p.w.value(inner)))
    except ValueError as error:
        raise Reject from error
    text = p.r.choice(
        [f"def inside(v):\n    return np.sin(v) * {inner}\n{name} = inside({x}) + inside({x})",
         f"inside = lambda v, k={inner}: v + k\n{name} = inside({x})",
         f"if FLAG:\n    {name} = {x}\nelse:\n    {name} = -({x})"]
    )  # fmt: skip
    scope = dict(p.w.env)
    exec(text, scope)
    if np.max(np.abs(scope[name])) > 20:
        raise Reject
    p.run(text)
    p.bind(name)


def _remarked(p: Program) -> None:
    p.lines.append(
        p.r.choice(["pass", "# a remark: {{ braces }} and 'quotes'", "'a string by itself'", "..."])
    )


STATEMENTS: list[tuple[int, Callable[[Program], None]]] = [
    (40, _assigned), (4, _unpacked), (2, _swapped), (2, _chained), (6, _augmented), (4, _unused), (8,
    _looped),
    (4, _comprehended), (2, _starred), (4, _nested), (1, _remarked),
]  # fmt: skip
