"""Names in generated code: unique, never in anyone's way, and the same every time."""

from __future__ import annotations

import ast
import builtins
import keyword

import pytest
from backends.programs import compiled, operation, program
from fuzz.generated import problems

from symdiff.backends.naming import RESERVED, Names
from symdiff.backends.numpy import source
from symdiff.ir import types
from symdiff.ir.build import Builder
from symdiff.ir.node import LEAF, Function, Node, Parameter

HOSTILE = (
    "np",
    "math",
    "copy",
    "dataclasses",
    "float",
    "sum",
    "lambda",
    "match",
    "type",
    "fit_like",
    "None",
    "print",
    "_",
)


def bound(text: str) -> list[str]:
    """The names that a module binds inside its functions, parameters apart."""
    return [
        node.id
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]


def chain(words: tuple[str, ...], parameters: tuple[str, ...] = ("x",)) -> Function:
    """A function whose values are called so, each computed from the one before and read twice."""
    builder = Builder()
    with builder:
        params = [
            builder.param(types.array("float64", (types.Size("n"),)), name, parameter=name, path=())
            for name in parameters
        ]
        value: Node = params[0]
        for word in words:
            value = builder.named(operation("tanh", value) * value + len(word), word)
        result = operation("sum", value * params[-1])
        return builder.finish(
            "f", params, [result], LEAF, tuple(Parameter(name) for name in parameters), "Names."
        )


@pytest.mark.parametrize("word", HOSTILE)
def test_never_shadows(word: str) -> None:
    run, text = compiled(chain((word, "h", word)))
    assert word not in bound(text) or word == "_"
    assert not problems(text), text
    assert abs(float(run(*_arguments(1))) - float(run(*_arguments(1)))) == 0.0


def _arguments(count: int) -> list:
    import numpy as np

    return [np.linspace(0.1, 1.0, 4)] * count


@pytest.mark.parametrize("word", ["x", "x_1", "x1", "value", "θ", "h"])
def test_never_takes_a_parameters_name(word: str) -> None:
    text = source(chain((word, word, "x_1", "x1"), ("x", "x1", "value")))
    assert not set(bound(text)) & {"x", "x1", "value"}, text
    assert len(set(bound(text))) == len(bound(text)), text


@pytest.mark.parametrize("seed", range(40))
def test_names_are_unique_and_deterministic(seed: int) -> None:
    text = source(program(seed, 30).function)
    assert source(program(seed, 30).function) == text
    names = set(bound(text))
    assert not names & (set(dir(builtins)) | set(keyword.kwlist) | {"np"}), text
    assert all(name.isidentifier() for name in names)


def test_the_first_to_ask_gets_the_name() -> None:
    names = Names(["a"])
    assert [names.fresh(wish) for wish in ("b", "b", "bc", "bc", "bc", "a", "not a name", "")] == [
        "b", "b1", "bc", "bc_1", "bc_2", "a1", "value", "value_1",
    ]  # fmt: skip


def test_what_modules_use_is_reserved() -> None:
    assert {"np", "math", "copy", "dataclasses", "fit_like", "float", "slice", "tuple", "object"} <= RESERVED


def test_users_names_are_kept() -> None:
    text = source(chain(("hidden", "logits", "scores")))
    assert bound(text)[:3] == ["hidden", "logits", "scores"]
