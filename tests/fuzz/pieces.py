"""What programs are made of besides expressions: names, constants, helper functions; and a seeded source
of choices."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")


class Reject(Exception):
    """This piece does not fit here: another is tried."""


class Source:
    """Choices that depend on the seed alone."""

    def __init__(self, seed: int):
        self._random = random.Random(seed)

    def integer(self, low: int, high: int) -> int:
        return low + int(self._random.random() * (high - low + 1))

    def chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def choice(self, items: Sequence[T]) -> T:
        return items[self.integer(0, len(items) - 1)]

    def weighted(self, items: Sequence[tuple[int, T]]) -> T:
        left = self.integer(1, sum(weight for weight, _ in items))
        for weight, item in items:
            left -= weight
            if left <= 0:
                return item
        raise AssertionError

    def sample(self, items: Sequence[T], count: int) -> list[T]:
        left = list(items)
        return [left.pop(self.integer(0, len(left) - 1)) for _ in range(min(count, len(left)))]


def is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray | np.floating)


def is_float(value: Any) -> bool:
    return isinstance(value, float) or (is_array(value) and value.dtype.kind == "f")


def rank(value: Any) -> int:
    return np.ndim(value)


def size(value: Any) -> int:
    return int(np.size(value))


_ATOM = re.compile(r"[\w.]+(\(\))?|[\w.]+\[[\w\"']+\]|\w[\w.]*\([^()]*\)")


def wrapped(text: str) -> str:
    """In parentheses unless it is plainly one term."""
    return text if _ATOM.fullmatch(text) and not text[0].isdigit() else f"({text})"


CONSTANTS = (
    "0", "0.0", "1", "-1", "2", "0.5", "-1.5", "1e-3", "3", "np.pi", "np.e", "-0.0", "np.float64(0.25)",
    "1 / 3",
    "10**2 / 7", "SHIFT", "SHIFT", "TABLE", "-TABLE", "1e8 * 1e-8", "1e-12", "np.sqrt(2.0)", "math.tau",
    "-(2**0.5)", "-7.25e-1", "1.0", "-2",
)  # fmt: skip

# What users call their values, and what generated code calls its own.
NAMES = (
    "a", "b", "c", "d", "h", "z", "t", "g", "out", "hidden", "total", "value", "scale", "mask", "difference",
    "x_bar",
    "value_bar", "t1", "a_1", "_part", "mean", "ratio", "theta_2", "θ", "s", "pullback", "product",
    "largest", "g1", "z_",
)  # fmt: skip
PARAMETERS = (
    "x", "y", "w", "u", "v", "x1", "x_1", "σ", "w_bar", "copy", "g", "t", "value", "scale", "float", "slice",
    "bool",
    "complex", "data", "_", "p", "q", "weights", "object", "match", "type", "X", "β", "pullback",
    "value_bar", "f_grad",
)  # fmt: skip


@dataclass(frozen=True)
class Helper:
    name: str
    text: str
    calls: tuple[str, ...]


HELPERS = (
    Helper(
        "squash",
        'def squash(u, gain=0.5):\n    """Between -gain and gain, nearly."""\n    v = np.tanh(u) * gain\n'
        "    return v + 0.1 * u",
        ("squash({0})", "squash({0}, 1.5)", "squash({0}, gain={1})", "squash(squash({0}))"),
    ),
    Helper("both", "def both(u, *, k=2):\n    w = u * k\n    return w, np.sin(w)", ("both({0})[1]",
    "both({0}, k=3)[0]")),
    Helper(
        "summed",
        "def summed(*parts, factor=1.0):\n    return sum(np.sum(part) for part in parts) * factor",
        ("summed({0}, {1})", "summed({0}, factor=0.5)", "summed(*both({0}))" , "summed(*[{0}, {1}, {0}])"),
    ),
    Helper("half", "half = lambda v: v / 2", ("half({0})", "half(half({0}))")),
    Helper(
        "centred",
        "def centred(u, axis=-1):\n    return u - u.mean(axis=axis, keepdims=True)",
        ("centred({0}, axis=0)", "centred({0}, -1)"),
    ),
    Helper(
        "power",
        "def power(u, n=3):\n    out = 1.0\n    for _ in range(n):\n        out = out * u\n    return out",
        ("power({0})", "power({0}, 2)", "power(np.sin({0}), n=4)"),
    ),
    Helper(
        "stable",
        "def stable(u, axis=None):\n    shift = u.max(axis=axis, keepdims=True)\n"
        "    return np.log(np.sum(np.exp(u - shift), axis=axis, keepdims=True)) + shift",
        ("stable({0}, axis=0)", "stable({0}, axis=-1)"),
    ),
    Helper(
        "keep",
        "def keep(u, v):\n    unused = u * 3.0\n    u = u + v\n    w = u\n    u = w * 2.0\n    return u - w",
        ("keep({0}, {1})",),
    ),
    Helper(
        "picked",
        "def picked(u, i=0):\n    row, rest = u[i], u[1:]\n    return row * 2 + 0 * np.sum(rest)",
        ("picked({0})", "picked({0}, -1)", "picked({0}[:, None], i=0)"),
    ),
)  # fmt: skip


# Functions with control flow and writes of their own.
STAGED_HELPERS = (
    Helper(
        "bent",
        "def bent(v):\n    if v > 0.031:\n        return v * 1.5\n    return 0.1 * v",
        ("bent({2})", "bent({1}.sum())", "sum(bent(v) for v in np.ravel({0}))"),
    ),
    Helper(
        "first_large",
        "def first_large(u, level=0.4):\n    for i in range(len(u)):\n        if np.sum(u[i]) > level:\n"
        "            return np.sum(u[i]) * (i + 1)\n    return 0.5 * np.sum(u)",
        ("first_large({0})", "first_large({0}, level=-0.2)", "first_large({0}, 100.0)"),
    ),
    Helper(
        "scaled_into",
        "def scaled_into(out, u, gain):\n    out[...] = u * gain\n    out[0] += 0.5",
        ("(scaled_into(buffer := np.zeros_like({0}), {0}, {2}), buffer)[1]",),
    ),
    Helper(
        "rectified",
        "def rectified(u, slope=0.1):\n    u = u.copy()\n    u[u < 0.0] *= slope\n    return u",
        ("rectified({0})", "rectified({0}, slope={2})", "rectified({0}[0:1])"),
    ),
    Helper(
        "raised_to",
        "def raised_to(u, n):\n    if n == 0:\n        return 1.0\n"
        "    return np.sin(u) * raised_to(u, n - 1)",
        ("raised_to({0}, 3)", "raised_to({2}, 2)", "raised_to({0}, n=1)"),
    ),
    Helper(
        "normalised",
        "def normalised(u):\n    u -= u.mean()\n    u /= 1.0 + np.sqrt(np.sum(u * u) + 0.1)\n    return u",
        ("normalised({1} * 1.0)", "normalised({1}.copy())", "normalised(normalised({1} + 0.5))"),
    ),
    Helper(
        "running",
        "def running(u, decay=0.5):\n    out = np.zeros_like(u)\n    s = 0.0\n    for i in range(len(u)):\n"
        "        s = decay * s + u[i]\n        out[i] = s\n    return out",
        ("running({0})", "running({0}, decay=np.tanh({2}))", "running(running({0}), 0.1)"),
    ),
    Helper(
        "halved",
        "def halved(s, limit=0.7):\n    steps = 0\n    while abs(s) > limit:\n        s = s / 2\n"
        "        steps += 1\n"
        "        if steps > 5:\n            break\n    return s",
        ("halved({2})", "halved({2} + 2.3, limit=1.1)", "halved({1}.sum())"),
    ),
    Helper(
        "relaxed",
        "def relaxed(u, n=2):\n    u = np.array(u)\n    for _ in range(n):\n"
        "        u[1:-1] = 0.5 * (u[:-2] + u[2:])\n    return u",
        ("relaxed({0})", "relaxed({0}, n=1)", "relaxed({0}, 3)"),
    ),
    Helper(
        "split",
        "def split(u):\n    low, high = [], []\n    for v in u.ravel():\n        if v > 0.1:\n"
        "            high.append(v)\n"
        "        else:\n            low.append(v)\n    return sum(low) * 0.5 - sum(high)",
        ("split({0})",),
    ),
)  # fmt: skip
