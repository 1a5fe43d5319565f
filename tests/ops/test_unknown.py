"""Rows whose operands have no known rank: right at run time, or an error that says what to do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ops.evaluate import evaluate
from ops.samples import Sample, args, gradient_error, random_like
from ops.specs import CASES, RANDOM, specs_of

from symdiff.errors import UnsupportedError
from symdiff.ir import types
from symdiff.ops import lowering
from symdiff.ops.row import REGISTRY


@pytest.fixture
def unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arguments of which nothing is known."""
    monkeypatch.setattr("ops.samples.type_of", lambda *_: types.array())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("unknown")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def test_unknown_rank(case: Any) -> None:
    row = REGISTRY[case[0]]
    if row.name in RANDOM | {"nextafter", "spacing"} or row.name.startswith(("math.", "builtins.")):
        return
    specs = specs_of(row)
    assert specs
    try:
        one = Sample(row, specs[case[1]])
    except UnsupportedError:
        return
    if any(np.asarray(value).dtype.kind not in "f" for value in one.values):
        return
    base = evaluate(one.function, *one.values)
    outputs = [i for i, value in enumerate(base) if np.asarray(value).dtype == np.float64]
    one.differentiable = lambda: outputs  # type: ignore[method-assign]
    try:
        assert gradient_error(one) < 2e-8
    except UnsupportedError as error:
        assert "source_for" in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    "shapes", [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((5, 2, 3), (3, 4)), ((3,), (5, 3, 4))]
)
def test_second_order_of_a_product_of_unknown_ranks(unknown: None, shapes: Any) -> None:
    one = Sample(REGISTRY["matmul"], lambda r: args(*(r(*shape) for shape in shapes)))
    one.differentiable = lambda: [0]  # type: ignore[method-assign]
    assert gradient_error(one) < 2e-8
    assert gradient_error(one, order=2) < 1e-7
    assert random_like([1.0], 0)


def test_lowering_names_the_argument() -> None:
    with pytest.raises(UnsupportedError, match=r"np\.tanh"):
        Sample(REGISTRY["tanh"], lambda r: args(r(3), bogus=1))
    assert lowering.list_shape([[1, 2], [3, 4]]) == (2, 2)
