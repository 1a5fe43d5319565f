"""Forward rules of custom rows: <g, J t> = <J' g, t>, with mutants that the test must notice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ops.evaluate import evaluate
from ops.samples import Sample, inner, random_like
from ops.specs import CASES, specs_of
from ops.test_mutation import CHANGES, changed, patched

from symdiff.ir.control import ITEM
from symdiff.ir.node import Node
from symdiff.ops.row import REGISTRY, Row

CUSTOM = [(name, i) for name, i in CASES if REGISTRY[name].kind == "custom"]


def forward_error(row: Row, i: int) -> float:
    specs = specs_of(row)
    assert specs
    one = Sample(row, specs[i])
    function, outputs = one.function, one.differentiable()
    node = function.results[0]
    several = node.op is ITEM
    node = node.args[0] if several else node
    worst = 0.0
    back = one.pulled_back(function, outputs)
    values = evaluate(function, *one.values)
    g = random_like([values[i] for i in outputs], 1)
    pulled = evaluate(back, *one.values, *g)
    reached = [place for place, found in zip(one.wrt(), one.reached, strict=True) if found]
    for place, part in zip(reached, pulled, strict=True):
        t = random_like([one.values[place]], 2)
        with function.open() as builder:
            param = builder.param(one.params[place].type, "t")
            tangents: list[Node | None] = [param if arg is one.params[place] else None for arg in node.args]
            y = function.results if several else node
            made = row.jvp(tuple(tangents), y, *node.args, **node.attributes)  # type: ignore[misc]
            parts = [made[i] for i in outputs] if several else [made]
            results = [builder.const(0.0) if part is None else part for part in parts]
            forward = Sample.finish(builder, [*function.params, param], results)
        pushed = evaluate(forward, *one.values, *t)
        worst = max(worst, abs(inner(g, pushed) - inner([part], t)) / (1 + abs(inner(g, pushed))))
    return worst


def on_each(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Change the tangent, or that of every result."""
    return lambda made: tuple(map(change, made)) if isinstance(made, tuple | list) else change(made)


@pytest.mark.parametrize("case", CUSTOM, ids=lambda case: f"{case[0]}-{case[1]}")
def test_forward_is_the_transpose_of_reverse(case: Any) -> None:
    assert forward_error(REGISTRY[case[0]], case[1]) < 1e-9


@pytest.mark.parametrize("name", sorted({name for name, _ in CUSTOM}))
@pytest.mark.parametrize("change", ["negated", "doubled"])
def test_mutant_is_caught(name: str, change: str) -> None:
    row = REGISTRY[name]
    with patched(row, "jvp", changed(row.jvp, on_each(CHANGES[change]))):  # type: ignore[arg-type]
        assert any(forward_error(row, i) > 1e-6 for other, i in CUSTOM if other == name)
