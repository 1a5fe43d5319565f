"""Batching: every row and every kind of program against a Python loop of the unbatched function."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from ops.evaluate import evaluate
from ops.samples import Sample, row
from ops.specs import RANDOM, specs_of

from symdiff.autodiff.batching import batch
from symdiff.autodiff.batching_operands import whole
from symdiff.autodiff.batching_rows import RULES
from symdiff.backends.numpy import source
from symdiff.errors import UnsupportedError
from symdiff.frontend import lower
from symdiff.ir import types
from symdiff.ir.build import Builder
from symdiff.ir.node import LEAF, Function, Region, Tree
from symdiff.ir.types import Size
from symdiff.ir.verify import verify
from symdiff.ops import infer
from symdiff.ops.row import REGISTRY
from symdiff.ops.shaping import length

COUNT = 3


def batched(function: Function, chosen: list[int]) -> Function:
    """A function of the same parameters, of which some have one more axis in front; so have its results."""
    builder = Builder(function.sizes, primal=False)
    with builder:
        known = {}
        for k, param in enumerate(function.params):
            kind = param.type
            if k in chosen:
                kind = types.array(infer.numpy_dtype(param), (Size("batch"), *(kind.dims or ())))
            place = param.attr("parameter", f"x{k}")
            known[param] = builder.param(kind, param.name, parameter=place, path=param.attr("path", ()))
        params = builder.params = tuple(known.values())
        made = batch(builder, function, known, [function.params[k] for k in chosen])
        count = length(known[function.params[chosen[0]]], axis=0)
        results = [whole(one, count) for one in made]
    body = Region(params, builder.body, tuple(results))
    return replace(function, body=body, tree=Tree("tuple", (LEAF,) * len(results)))


def varied(value: Any, k: int) -> Any:
    """The k-th item: other numbers of the same kind, in the row's domain; integers in another order."""
    array = np.asarray(value)
    if k == 0:
        return value
    if array.dtype.kind in "fc":
        return (array * (1 + 0.01 * k)).astype(array.dtype)
    return array[::-1].copy() if k == 1 and array.ndim == 1 else array


PLACES = ("index", "take", "take_along_axis", "scatter", "add_at", "update", "where")
NAMES = [name for name in REGISTRY if specs_of(REGISTRY[name]) and name not in RANDOM]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of calls that NumPy deprecates
@pytest.mark.parametrize("name", NAMES)
def test_rows(name: str) -> None:
    for i, spec in enumerate(specs_of(row(name)) or ()):
        sample = Sample(row(name), spec)
        if any(one.type.kind == "shape" for one in sample.outputs):
            continue
        arrays = [k for k, value in enumerate(sample.values) if isinstance(value, np.ndarray)]
        places = arrays if name in PLACES else sample.wrt()
        for chosen in [places, *([[k] for k in places] if len(places) > 1 else [])]:
            if chosen:
                compare(sample.function, sample.values, chosen, f"{name} {i} {chosen}")


def test_every_rule_belongs_to_a_row() -> None:
    assert set(RULES) <= set(REGISTRY)


def loops(name: str, spec: int, chosen: list[int]) -> int:
    """How many loops a batched sample runs."""
    sample = Sample(row(name), (specs_of(row(name)) or [])[spec])
    return sum(node.op.name == "for" for node in batched(sample.function, chosen).nodes())


@pytest.mark.parametrize(
    "name",
    ["add", "sum", "matmul", "dot", "einsum", "transpose", "linalg.inv", "cumsum", "index", "pad", "var"],
)
def test_common_rows_run_no_loop(name: str) -> None:
    for spec in range(len(specs_of(row(name)) or ())):
        assert loops(name, spec, [0]) == 0, spec


def test_a_row_without_a_rule_runs_one() -> None:
    assert loops("convolve", 0, [0]) == 1


def written(x, n):
    y = np.zeros((n, len(x)))
    for i in range(n):
        y[i] = x * i
        if i > 1:
            y[i, ::2] += x[1] ** 2
    return y


def by_mask(x, n):
    y = x.copy()
    y[x > 0.5] *= n
    return y, np.sum(x[x < 0.5])


def gathered(x, n):
    rows = [x * k for k in range(3)]
    for k in range(n):
        rows.append(np.sort(x) ** k)
    return np.stack(rows), rows[-1][0]


def while_small(x, n):
    count = 0
    while np.sum(x**2) < 50:
        x = x * 1.5
        count += 1
    return x, count


def chosen(x, n):
    if x[0] > 0.5:
        return np.exp(x) * n
    return x[::-1] / n


def with_callee(x, n):
    def half(x, k):
        return x if k < 0.5 else half(x / 2, k - 1.0)

    return half(x, 3.0) + n


PROGRAMS = [written, by_mask, gathered, while_small, chosen, with_callee]


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs(program: Any) -> None:
    rng = np.random.default_rng(2)
    items = rng.uniform(0, 1, (5, 4))
    bound = inspect.signature(program).bind(items[0], 3)
    function = lower(program, bound).function
    made = batched(function, [0])
    expected = [leaves_of(program(x.copy(), 3)) for x in items]
    module: dict[str, Any] = {}
    exec(source(made), module)
    found = leaves_of(module[function.name](items.copy(), 3))
    for k, parts in enumerate(found):
        np.testing.assert_allclose(parts, [one[k] for one in expected], rtol=1e-12)


def leaves_of(value: Any) -> list[Any]:
    return list(value) if isinstance(value, tuple) else [value]


def test_a_program_that_draws_is_not_run_for_every_item() -> None:
    def noisy(x):
        return x * np.random.normal() if x[0] > 0 else np.linalg.inv(x * np.eye(2))[0]

    function = lower(noisy, inspect.signature(noisy).bind(np.ones(2))).function
    with pytest.raises(UnsupportedError, match="many items"):
        batched(function, [0])


def compare(function: Function, values: list[Any], chosen: list[int], what: str) -> int:
    items = [[varied(v, k) if j in chosen else v for j, v in enumerate(values)] for k in range(COUNT)]
    expected = [evaluate(function, *one) for one in items]
    made = batched(function, chosen)
    verify(made)
    given = [np.stack([one[j] for one in items]) if j in chosen else v for j, v in enumerate(values)]
    results = evaluate(made, *given)
    for k in range(COUNT):
        for got, want, node in zip(results, expected[k], function.results, strict=True):
            assert np.shape(got[k]) == np.shape(want), what
            np.testing.assert_allclose(got[k], want, rtol=1e-10, atol=1e-12, err_msg=what)
            if node.type.kind == "array":
                assert np.asarray(got).dtype == np.asarray(want).dtype, what
    return 1
