"""Forward rules of custom rows: <g, J t> = <J' g, t>, with mutants that the test must notice."""

from __future__ import annotations

from typing import Any

import pytest
from ops.evaluate import evaluate
from ops.samples import Sample, inner, random_like
from ops.specs import CASES, specs_of
from ops.test_mutation import CHANGES, changed, patched

from symdiff.ir.node import Node
from symdiff.ops.row import REGISTRY, Row

CUSTOM = [(name, i) for name, i in CASES if REGISTRY[name].kind == "custom"]


def forward_error(row: Row, i: int) -> float:
    specs = specs_of(row)
    assert specs
    one = Sample(row, specs[i])
    (node,) = one.function.results
    function = one.function
    worst = 0.0
    back = one.pulled_back(function, [0])
    g = random_like(evaluate(function, *one.values), 1)
    pulled = evaluate(back, *one.values, *g)
    for place, part in zip(one.wrt(), pulled, strict=True):
        t = random_like([one.values[place]], 2)
        with function.open() as builder:
            param = builder.param(one.params[place].type, "t")
            tangents: list[Node | None] = [param if arg is one.params[place] else None for arg in node.args]
            made = row.jvp(tuple(tangents), node, *node.args, **node.attributes)  # type: ignore[misc]
            forward = Sample.finish(builder, [*function.params, param], [made])
        pushed = evaluate(forward, *one.values, *t)
        worst = max(worst, abs(inner(g, pushed) - inner([part], t)) / (1 + abs(inner(g, pushed))))
    return worst


@pytest.mark.parametrize("case", CUSTOM, ids=lambda case: f"{case[0]}-{case[1]}")
def test_forward_is_the_transpose_of_reverse(case: Any) -> None:
    assert forward_error(REGISTRY[case[0]], case[1]) < 1e-9


@pytest.mark.parametrize("name", sorted({name for name, _ in CUSTOM}))
@pytest.mark.parametrize("change", ["negated", "doubled"])
def test_mutant_is_caught(name: str, change: str) -> None:
    row = REGISTRY[name]
    with patched(row, "jvp", changed(row.jvp, CHANGES[change])):  # type: ignore[arg-type]
        assert any(forward_error(row, i) > 1e-6 for other, i in CUSTOM if other == name)
