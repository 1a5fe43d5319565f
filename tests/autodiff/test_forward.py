"""Forward mode of every row: the transpose of reverse mode, and differences of the function itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from ops.evaluate import evaluate
from ops.samples import Sample, inner, moved, random_like, slope
from ops.specs import CASES, RANDOM, specs_of
from ops.test_mutation import CHANGES, changed, patched

from symdiff.autodiff.forward import jvp
from symdiff.ir.node import LEAF, Function, Tree
from symdiff.ir.verify import verify
from symdiff.ops.row import REGISTRY

pytestmark = pytest.mark.filterwarnings("ignore")
NAMES = [f"{name}-{i}" for name, i in CASES]
# Constant except for steps as small as a rounding error.
JUMPS = {"nextafter", "spacing"}


def sample(case: Any, **options: Any) -> Sample:
    specs = specs_of(REGISTRY[case[0]])
    assert specs is not None
    return Sample(REGISTRY[case[0]], specs[case[1]], **options)


def with_places(one: Sample) -> Function:
    """The function of a sample with parameters as a lowered function has them."""
    for param in one.params:
        object.__setattr__(param, "attrs", (("parameter", param.name), ("path", ())))
    return one.function


def pushed(one: Sample) -> Function:
    """Values and parameters' tangents to the tangents of the differentiable results."""
    function = with_places(one)
    wrt = [one.params[i] for i in one.wrt()]
    return jvp(function, wrt, {param.name: f"{param.name}_dot" for param in wrt}, value=False)


def tangents_of(one: Sample, seed: int = 11) -> tuple[list[Any], list[Any], list[Any]]:
    """A direction, the tangents that it is pushed to, and the values of the differentiable results."""
    values = one.numpy(one.values)
    direction = random_like([one.values[i] for i in one.wrt()], seed)
    made = evaluate(pushed(one), *one.values, *direction)
    return direction, made, [values[i] for i in one.differentiable()]


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_forward_is_the_transpose_of_reverse(case: Any) -> None:
    one = sample(case)
    outputs, places = one.differentiable(), one.wrt()
    if not outputs or not places:
        return
    direction, made, values = tangents_of(one)
    for tangent, value in zip(made, values, strict=True):
        assert np.shape(tangent) == np.shape(value)
        assert np.iscomplexobj(tangent) == np.iscomplexobj(value)
    weights = random_like(values, 5)
    found = iter(evaluate(one.pulled_back(one.function, outputs), *one.values, *weights))
    pulled = [
        next(found) if reached else np.zeros(np.shape(one.values[i]))
        for reached, i in zip(one.reached, places, strict=True)
    ]
    there, back = inner(weights, made), inner(pulled, direction)
    tolerance = {8: 1e-9, 4: 1e-4}.get(narrowest(one), 1e-1)
    assert abs(there - back) <= tolerance * (1 + abs(back))


def narrowest(one: Sample) -> int:
    return min((np.finfo(one.outputs[i].type.dtype).dtype.itemsize for i in one.differentiable()), default=8)


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_forward_agrees_with_differences(case: Any) -> None:
    one = sample(case)
    outputs, places = one.differentiable(), one.wrt()
    if not outputs or not places or case[0] in RANDOM | JUMPS:
        return
    direction, made, values = tangents_of(one)
    weights = random_like(values, 3)

    def objective(step: float) -> float:
        results = one.numpy(moved(one.values, places, direction, step))
        return inner([results[i] for i in outputs], weights)

    numeric = slope(objective, 1e-3)
    tolerance = {8: 2e-8, 4: 5e-2}.get(narrowest(one), 1)
    assert abs(inner(made, weights) - numeric) <= tolerance * (1 + abs(numeric))


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_tangents_keep_the_dtype(case: Any) -> None:
    one = sample(case, dtype="float32")
    if not one.differentiable() or not one.wrt():
        return
    _, made, _ = tangents_of(one)
    for tangent, i in zip(made, one.differentiable(), strict=True):
        if one.outputs[i].type.kind == "array" and not isinstance(tangent, float):
            assert np.asarray(tangent).dtype == one.outputs[i].type.dtype


@pytest.mark.parametrize("case", CASES[::7], ids=NAMES[::7])
def test_what_is_generated_is_well_formed(case: Any) -> None:
    one = sample(case)
    if one.differentiable() and one.wrt():
        made = pushed(one)
        verify(replace(made, tree=Tree("tuple", (LEAF,) * len(made.results))))


def test_every_custom_row_has_both_rules() -> None:
    rows = [row for row in REGISTRY.values() if row.kind == "custom"]
    assert len(rows) > 10
    assert [row.name for row in rows if row.jvp is None or row.vjp is None] == []


# Those of custom rows are in ops/test_forward.
OTHER = sorted(row.name for row in REGISTRY.values() if row.jvp is not None and row.kind != "custom")


@pytest.mark.parametrize("name", OTHER)
@pytest.mark.parametrize("change", ["negated", "doubled"])
def test_a_mutant_of_a_forward_rule_is_caught(name: str, change: str) -> None:
    row = REGISTRY[name]

    def caught(case: Any) -> bool:
        try:
            test_forward_agrees_with_differences(case)
        except AssertionError:
            return True
        return False

    with patched(row, "jvp", changed(row.jvp, CHANGES[change])):  # type: ignore[arg-type]
        assert any(caught(case) for case in CASES if case[0] == name)
