"""Arrays are overwritten and freed only where nobody can tell: generated code against the interpreter, bit
for bit."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pytest
from backends.programs import compiled, program, same
from fuzz.generated import problems
from ops.evaluate import evaluate

from symdiff.autodiff.reverse import pullback, vjp
from symdiff.ir.node import LEAF, Function, Tree

pytestmark = pytest.mark.filterwarnings("ignore")
CHUNK = 120


def agrees(function: Function, values: list[np.ndarray]) -> str:
    """Generated code computes what the interpreter computes and leaves its arguments alone."""
    run, text = compiled(function)
    wanted = evaluate(function, *[value.copy() for value in values])
    before = [value.tobytes() for value in values]
    found = run(*values)
    assert len(found) == len(wanted), text
    for one, other in zip(found, wanted, strict=True):
        assert same(one, other), text
    assert [value.tobytes() for value in values] == before, text
    for one, other in zip(run(*values), wanted, strict=True):
        assert same(one, other), f"the second call differs\n{text}"
    return text


@pytest.mark.parametrize("chunk", range(5))
def test_derived_programs(chunk: int) -> None:
    overwritten = freed = written = 0
    for seed in range(chunk * CHUNK, (chunk + 1) * CHUNK):
        made = program(seed, 12 + seed % 40, dtype="float32" if seed % 7 == 0 else "float64")
        text = agrees(made.function, made.values)
        body = ast.parse(text)
        overwritten += any(
            isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) for node in ast.walk(body)
        )
        written += any(
            isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Subscript)
            for node in ast.walk(body)
        )
        freed += any(isinstance(node, ast.Delete) for node in ast.walk(body))
        assert not [line for line in problems(text) if "is not read" not in line], text
    assert overwritten > CHUNK / 4
    assert written > CHUNK / 10
    assert freed > 0


@pytest.mark.parametrize("chunk", range(2))
def test_the_users_values_are_never_overwritten(chunk: int) -> None:
    for seed in range(chunk * CHUNK, (chunk + 1) * CHUNK):
        made = program(seed, primal=True)
        text = agrees(made.function, made.values)
        augmented = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.AugAssign)]
        assert all(isinstance(node.target, ast.Subscript) for node in augmented), text


def results_are_apart(results: list[Any], others: list[np.ndarray]) -> bool:
    arrays = [result for result in results if isinstance(result, np.ndarray)]
    return not any(
        np.shares_memory(one, other) for i, one in enumerate(arrays) for other in [*arrays[:i], *others]
    )


@pytest.mark.parametrize("chunk", range(3))
def test_pullbacks(chunk: int) -> None:
    """A pullback may be called again and again: what it closes over stays as it is."""
    for seed in range(chunk * CHUNK, (chunk + 1) * CHUNK):
        made = program(seed, 14, primal=True)
        function, params = made.function, made.function.params
        run, text = compiled(vjp(function, params, Tree("tuple", (LEAF,) * len(params))))
        wanted = evaluate(function, *made.values)
        generator = np.random.default_rng(seed)
        seeds = [np.asarray(generator.uniform(0.5, 1.5, np.shape(value)))[()] for value in wanted]
        given = [np.array(one) for one in seeds]
        value, back = run(*made.values)
        kept = [np.array(one) for one in value]
        first = back(tuple(seeds))
        copies = [np.array(one) for one in first]
        for one in first:
            if isinstance(one, np.ndarray):
                one[...] = np.nan  # the caller's own: nobody else reads it
        second = back(tuple(seeds))
        assert all(map(same, second, copies)), text
        assert all(map(same, value, kept)), text
        assert all(map(same, seeds, given)), text
        arrays = [one for one in [*seeds, *made.values] if isinstance(one, np.ndarray)]
        assert results_are_apart(list(second), arrays), text
        for one, other in zip(second, by_interpreter(function, made.values, seeds), strict=True):
            assert np.allclose(one, other, rtol=1e-12, atol=1e-12, equal_nan=True), text


def by_interpreter(function: Function, values: list[np.ndarray], seeds: list[Any]) -> list[Any]:
    """The cotangents of all parameters, zero where there is none."""
    with function.open() as builder:
        given = [builder.param(result.type, f"seed{k}") for k, result in enumerate(function.results)]
        cotangents: dict[Any, Any] = {}
        for result, seed in zip(function.results, given, strict=True):
            cotangents[result] = cotangents[result] + seed if result in cotangents else seed
        parts = pullback(builder, function, cotangents, function.params)
        results = [part for part in parts if part is not None]
        back = builder.finish("back", [*function.params, *given], results, LEAF)
    found = iter(evaluate(back, *values, *seeds))
    return [
        np.zeros(np.shape(value)) if part is None else next(found)
        for part, value in zip(parts, values, strict=True)
    ]
