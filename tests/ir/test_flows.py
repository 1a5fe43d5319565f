"""Random programs with regions: verified, written and read, tidied and copied, and evaluated each time."""

from __future__ import annotations

import numpy as np
import pytest
from ir.flows import flow, values
from ops.evaluate import evaluate, results_of

from symdiff.ir.build import Builder
from symdiff.ir.copying import copied, region_copy
from symdiff.ir.liveness import live
from symdiff.ir.node import Function
from symdiff.ir.text import from_text, to_text
from symdiff.ir.tidy import tidy, without_dead
from symdiff.ir.verify import verify
from symdiff.ops.row import REGISTRY

SEEDS = range(120)


def same(a: Function, b: Function, seed: int) -> None:
    for k in range(3):
        given = values(1000 * k + seed)
        for one, other in zip(evaluate(a, *given), evaluate(b, *given), strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_program_is_valid_and_round_trips(seed: int) -> None:
    function = flow(seed)
    verify(function, REGISTRY, unique=True)
    again = from_text(to_text(function), REGISTRY)
    assert to_text(again) == to_text(function)
    verify(again, REGISTRY, unique=True)
    same(function, again, seed)


@pytest.mark.parametrize("sharing", [True, False])
@pytest.mark.parametrize("seed", SEEDS)
def test_tidy_keeps_every_value(seed: int, sharing: bool) -> None:
    function = flow(seed, sharing=sharing)
    before = to_text(function)
    made = tidy(function)
    assert to_text(function, spans=False) == before
    verify(made, REGISTRY, unique=True)
    same(function, made, seed)
    assert count(made) <= count(function)
    again = tidy(made)
    same(function, again, seed)
    assert count(again) <= count(made)


def count(function: Function) -> int:
    return sum(1 for _ in function.nodes())


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_that_is_tidy_is_dead(seed: int) -> None:
    made = tidy(flow(seed, sharing=False))
    bodies = [made.body, *(inner for node in made.nodes() for inner in node.regions)]
    for region in bodies:
        assert live(region) == list(region.body)


@pytest.mark.parametrize("seed", SEEDS[::4])
def test_without_dead_code(seed: int) -> None:
    function = flow(seed)
    made = without_dead(function)
    verify(made, REGISTRY)
    same(function, made, seed)


@pytest.mark.parametrize("seed", SEEDS[::3])
def test_a_copied_region_computes_the_same(seed: int) -> None:
    """Every value of the function computed by copies that read a copy of the first parameter."""
    function = flow(seed)
    a = function.params[0]
    builder = Builder(function.sizes)
    with builder:
        doubled = a * 2.0
        known = {a: doubled}
        copied(function.body.body, known)
        results = [known.get(result, result) for result in function.results]
        made = builder.finish("copy", function.params, results, function.tree)
    verify(made, REGISTRY)
    for k in range(3):
        scalar, vector, number = values(k)
        have = evaluate(made, scalar, vector, number)
        want = evaluate(function, scalar * 2.0, vector, number)
        for one, other in zip(have, want, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("seed", SEEDS[::3])
def test_a_region_can_be_copied_twice(seed: int) -> None:
    """Nothing of the first copy is left over in the second, nor in what is known outside."""
    function = flow(seed)
    builder = Builder(function.sizes)
    with builder:
        known = dict(zip(function.params, function.params, strict=True))
        before = dict(known)
        first = region_copy(builder, function.body, known)
        assert known == before
        second = region_copy(builder, function.body, known)
    assert len({id(node) for region in (first, second) for node in region.params}) == 2 * len(function.params)
    for k in range(3):
        want = evaluate(function, *values(k))
        for region in (first, second):
            have = results_of(region.body, region.results, dict(zip(region.params, values(k), strict=True)))
            for one, other in zip(have, want, strict=True):
                np.testing.assert_array_equal(one, other)
