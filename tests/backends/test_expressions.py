"""The expression printer: what it prints evaluates as the tree does, with no parenthesis too many."""

from __future__ import annotations

import ast
import io
import math
import random
import tokenize
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from ops.evaluate import apply

from symdiff.backends.expressions import Expressions
from symdiff.backends.literals import constant
from symdiff.ir import types
from symdiff.ir.build import Builder
from symdiff.ir.node import Node
from symdiff.ops.row import REGISTRY

ROWS = REGISTRY
VALUES = {
    "x": np.array([0.3, -1.7, 2.4]),
    "y": np.array([1.1, 0.6, -0.9]),
    "i": np.array([3, -2, 5]),
    "j": np.array([2, 1, 4]),
    "s": 0.75,
    "n": 3,
}
TYPES = {
    **dict.fromkeys("xy", types.array("float64", (3,))),
    **dict.fromkeys("ij", types.array("int64", (3,))),
    "s": types.number("float"),
    "n": types.number("int"),
}
FLOATS = ("add", "subtract", "multiply", "divide", "power", "remainder", "floor_divide", "negative",
"positive", "exp",
          "sin", "expand_dims", "index", "transpose", "astype", "sum", "maximum", "reshape")  # fmt: skip
INTEGERS = ("add", "subtract", "multiply", "bitwise_and", "bitwise_or", "bitwise_xor", "left_shift",
"invert", "negative",
            "right_shift", "transpose", "index")  # fmt: skip
COMPARISONS = ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal")
FULL = ("slice", None, None, None)


class Trees:
    """Random expressions of the user's: nothing is folded."""

    def __init__(self, seed: int):
        self.r = random.Random(seed)
        self.params = {name: Builder().param(type_, name) for name, type_ in TYPES.items()}

    def leaf(self, whole: bool) -> Node | int | float:
        if self.r.random() < 0.3:
            return (
                self.r.choice([2, -1, 3]) if whole else self.r.choice([2, -3, 0.5, -0.25, math.pi, 1e-30, -1])
            )
        return self.params[self.r.choice("ijn" if whole else "xys")]

    def tree(self, depth: int, whole: bool) -> Any:
        """A value of the tree's kind; operands are constants and nodes."""
        if depth == 0:
            return self.leaf(whole)
        if not whole and self.r.random() < 0.08:
            name = self.r.choice(COMPARISONS)
            return ROWS["where"](ROWS[name](self.array(depth - 1), self.tree(depth - 1, False)), 1.5, -2)
        name = self.r.choice(INTEGERS if whole else FLOATS)
        row = ROWS[name]
        if name in ("exp", "sin", "sum", "transpose", "astype", "index", "expand_dims", "reshape"):
            x = self.array(depth - 1, whole)
            if name == "expand_dims":
                return row(x, axis=0)
            if name == "index":
                return row(x, index=(FULL,))
            if name == "reshape":
                return row(x, ROWS["shape"](x))
            return row(x, dtype="float32") if name == "astype" else row(x)
        if name in ("negative", "positive", "invert"):
            return row(self.array(depth - 1, whole))
        return row(self.tree(depth - 1, whole), self.array(depth - 1, whole))

    def array(self, depth: int, whole: bool = False) -> Node:
        """A tree that is an array."""
        for _ in range(20):
            made = self.tree(depth, whole)
            if isinstance(made, Node) and made.type.kind == "array" and made.type.dims:
                return made
        return self.params["i" if whole else "x"]


def value_of(node: Node, env: dict[Node, Any]) -> Any:
    if node not in env:
        env[node] = apply(node, [value_of(arg, env) for arg in node.args])
    return env[node]


def groups(text: str) -> Iterator[str]:
    """The text without one pair of its parentheses, for every pair that only groups."""
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    opened: list[tuple[int, bool]] = []
    previous = ""
    for token in tokens:
        if token.string == "(":
            opened.append((token.start[1], previous in (")", "]") or previous.isidentifier()))
        elif token.string == ")":
            start, is_call = opened.pop()
            inside = text[start + 1 : token.start[1]]
            if not is_call and not isinstance(ast.parse(f"({inside})", mode="eval").body, ast.Tuple):
                yield text[:start] + inside + text[token.end[1] :]
        previous = token.string


def dumped(text: str) -> str:
    try:
        return ast.dump(ast.parse(text, mode="eval"))
    except SyntaxError:
        return "no Python"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("chunk", range(4))
@pytest.mark.parametrize("whole", [False, True], ids=["floats", "integers"])
def test_random_trees(chunk: int, whole: bool) -> None:
    parenthesized = 0
    for seed in range(150):
        builder = Builder()
        with builder:
            trees = Trees(1000 * chunk + seed)
            node = builder.lift(trees.tree(4, whole))
        names = {param: name for name, param in trees.params.items()}
        text = Expressions(names).text(node)
        found = eval(text, {"np": np, **VALUES})
        wanted = value_of(node, {param: VALUES[name] for name, param in trees.params.items()})
        assert type(found) is type(wanted), text
        assert np.asarray(found).dtype == np.asarray(wanted).dtype, text
        assert np.asarray(found).tobytes() == np.asarray(wanted).tobytes(), text
        for without in groups(text):
            parenthesized += 1
            if "--" in without or "++" in without:
                continue  # `-(-x)`: nobody reads `--x`
            assert dumped(without) != dumped(text), f"{text} needs no parentheses in {without}"
    assert parenthesized > 50


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (-3, "-3"), (True, "True"), (0.5, "0.5"), (-0.0, "-0.0"), (1e300, "1e+300"), (5e-324,
        "5e-324"),
        (math.nan, "np.nan"), (math.inf, "np.inf"), (-math.inf, "-np.inf"), (math.pi, "np.pi"), (-math.e,
        "-np.e"),
        (1 + 2j, "(1+2j)"), (1j, "(1j)"), (complex(-0.0, 2), "complex(-0.0, 2.0)"), (2.0, "2.0"),
        (complex(math.inf, -1), "complex(np.inf, -1.0)"), (complex(math.nan, 0), "complex(np.nan, 0.0)"),
    ],
)  # fmt: skip
def test_constants(value: Any, text: str) -> None:
    assert constant(value)[0] == text
    back = eval(text, {"np": np})
    assert type(back) is type(value)
    assert repr(back) == repr(value)  # signs of zeros, NaN


def made(build: Any) -> str:
    """The text of an expression over arrays a, b, c and a number s."""
    builder = Builder()
    with builder:
        square = types.array("float64", (types.Size("n"), types.Size("n")))
        params = {name: builder.param(square, name) for name in "abc"}
        params["s"] = builder.param(types.number("float"), "s")
        params["k"] = builder.param(types.array("int64", (2,)), "k")
        node = build(*params.values())
    return Expressions({param: name for name, param in params.items()}).text(node)


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda a, b, c, s, k: a - (b - c), "a - (b - c)"),
        (lambda a, b, c, s, k: (a - b) - c, "a - b - c"),
        (lambda a, b, c, s, k: a / (b * c), "a / (b * c)"),
        (lambda a, b, c, s, k: a * b / c, "a * b / c"),
        (lambda a, b, c, s, k: (a**b) ** c, "(a**b) ** c"),
        (lambda a, b, c, s, k: a ** (b**c), "a ** b**c"),
        (lambda a, b, c, s, k: a**-b, "a**-b"),
        (lambda a, b, c, s, k: (-a) ** 2, "(-a) ** 2"),
        (lambda a, b, c, s, k: -(a**2), "-a**2"),
        (lambda a, b, c, s, k: a**-1, "a**-1"),
        (lambda a, b, c, s, k: ROWS["negative"](-a), "-(-a)"),
        (lambda a, b, c, s, k: -(a + b), "-(a + b)"),
        (lambda a, b, c, s, k: -a * b, "-a * b"),
        (lambda a, b, c, s, k: a * -b, "a * -b"),
        (lambda a, b, c, s, k: -(a * b), "-(a * b)"),
        (lambda a, b, c, s, k: a @ (b @ c), "a @ (b @ c)"),
        (lambda a, b, c, s, k: (a + b) @ c, "(a + b) @ c"),
        (lambda a, b, c, s, k: ROWS["greater"](a, b) * c, "(a > b) * c"),
        (lambda a, b, c, s, k: ROWS["greater"](a, b + c), "a > b + c"),
        (lambda a, b, c, s, k: ROWS["greater"](ROWS["equal"](a, b), c), "(a == b) > c"),
        (lambda a, b, c, s, k: ROWS["bitwise_and"](ROWS["less"](a, b), ROWS["less"](b, c)),
        "(a < b) & (b < c)"),
        (lambda a, b, c, s, k: (-2.0 * a) ** -0.5, "(-2.0 * a) ** -0.5"),
        (lambda a, b, c, s, k: ROWS["sum"](a + b), "(a + b).sum()"),
        (lambda a, b, c, s, k: ROWS["sum"](a), "a.sum()"),
        (lambda a, b, c, s, k: ROWS["sum"](a, axis=0, keepdims=True), "a.sum(axis=0, keepdims=True)"),
        (lambda a, b, c, s, k: ROWS["transpose"](a @ b), "(a @ b).T"),
        (lambda a, b, c, s, k: ROWS["exp"](-a), "np.exp(-a)"),
        (lambda a, b, c, s, k: ROWS["size"](a) * s, "a.size * s"),
    ],
)  # fmt: skip
def test_precedence(build: Any, text: str) -> None:
    assert made(build) == text


@pytest.mark.parametrize(
    ("index", "text"),
    [
        ((("int", 0),), "a[0]"),
        ((("int", -1),), "a[-1]"),
        ((FULL,), "a[:]"),
        ((("slice", 1, None, None),), "a[1:]"),
        ((("slice", None, -1, None),), "a[:-1]"),
        ((("slice", None, None, -1),), "a[::-1]"),
        ((("slice", 1, -1, 2),), "a[1:-1:2]"),
        ((("new",), FULL), "a[None, :]"),
        ((("ellipsis",), ("new",)), "a[..., None]"),
        ((("arg", 0),), "a[k]"),
        ((("slice", None, ("arg", 1), None),), "a[:n]"),
        ((("slice", ("arg", 2), None, None),), "a[n - 1 :]"),
        ((("slice", ("arg", 2), ("arg", 1), ("arg", 1)),), "a[n - 1 : n : n]"),
        ((("slice", None, ("arg", 2), None),), "a[: n - 1]"),
        ((), "a[()]"),
    ],
)
def test_indices(index: Any, text: str) -> None:
    builder = Builder()
    with builder:
        a = builder.param(types.array("float64", (types.Size("m"),)), "a")
        k = builder.param(types.array("int64", (2,)), "k")
        n = builder.param(types.number("int"), "n")
        used = {
            part[1]
            for entry in index
            for part in [entry, *entry[1:]]
            if isinstance(part, tuple) and part[0] == "arg"
        }
        operands = [k, n, n - 1][: max(used) + 1] if used else []
        node = ROWS["index"](a, *operands, index=index)
    assert Expressions({a: "a", k: "k", n: "n"}).text(node) == text
    eval(text, {"a": np.arange(5.0), "k": np.array([0, 1]), "n": 2})


def test_helpers_and_imports_are_collected() -> None:
    builder = Builder()
    with builder:
        a = builder.param(types.array(), "a")
        b = builder.param(types.array(), "b")
        s = builder.param(types.number("float"), "s")
        fitted, sine = ROWS["fit_like"](a, b), ROWS["math.sin"](s)
    expressions = Expressions({a: "a", b: "b", s: "s"})
    assert expressions.text(fitted) == "fit_like(a, b)"
    assert expressions.text(sine) == "math.sin(s)"
    assert expressions.helpers == {"fit_like"}
    assert expressions.imports == {"import math"}
