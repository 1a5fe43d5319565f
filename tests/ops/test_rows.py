"""Every row of the registry, by enumeration: types, first and second derivatives, dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ops.evaluate import evaluate
from ops.samples import Sample, gradient_error
from ops.specs import CASES, RANDOM, specs_of

from symdiff.ir.types import Size
from symdiff.ops.row import REGISTRY

# numpy.isclose on 80-bit floats, and the deprecated corners of NumPy that rows only pass on
pytestmark = pytest.mark.filterwarnings("ignore")
NAMES = [f"{name}-{i}" for name, i in CASES]


def sample(case: Any, **options: Any) -> Sample:
    row = REGISTRY[case[0]]
    specs = specs_of(row)
    assert specs is not None
    return Sample(row, specs[case[1]], **options)


def test_every_row_has_samples() -> None:
    assert [row.name for row in REGISTRY.values() if specs_of(row) is None] == []


def agrees(dim: Any, actual: int) -> bool:
    """Whether a symbolic length may be `actual`: argument sizes are named after their length."""
    if not isinstance(dim, Size):
        return dim == actual
    return dim.name.startswith("?") or max(int(dim.name[1:]) - dim.less, 0) == actual


@pytest.mark.parametrize("symbolic", [False, True], ids=["exact", "symbolic"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_types_and_values(case: Any, dtype: str, symbolic: bool) -> None:
    one = sample(case, dtype=dtype, symbolic=symbolic)
    expected = one.numpy(one.values)
    results = evaluate(one.function, *one.values)
    assert len(results) == len(expected)
    for node, have, want in zip(one.outputs, results, expected, strict=True):
        if case[0] not in RANDOM:
            # Sugar may associate products in another order.
            tolerance = 1e-5 if case[0].startswith("linalg.m") else 0
            np.testing.assert_allclose(have, want, rtol=tolerance, atol=tolerance)
        if node.type.kind == "shape":
            continue
        if node.type.kind == "number":
            kinds = {"float": "f", "int": "i", "bool": "b"}
            assert np.asarray(want).dtype.kind == kinds[node.type.dtype]
            continue
        assert np.asarray(want).dtype.name == node.type.dtype
        dims = one.function.sizes.resolve(node.type.dims)
        assert dims is not None
        assert len(dims) == np.ndim(want), (dims, np.shape(want))
        assert all(map(agrees, dims, np.shape(want))), (dims, np.shape(want))


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_first_order(case: Any) -> None:
    one = sample(case)
    if case[0] not in RANDOM | JUMPS:
        assert gradient_error(one) < {8: 2e-8, 4: 5e-2}.get(narrowest(one), 1)


# Constant except for steps as small as a rounding error.
JUMPS = {"nextafter", "spacing"}


def narrowest(one: Sample) -> int:
    """The smallest float among the results, in bytes."""
    return min((np.finfo(one.outputs[i].type.dtype).dtype.itemsize for i in one.differentiable()), default=8)


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_second_order(case: Any) -> None:
    one = sample(case)
    if narrowest(one) >= 8:
        assert gradient_error(one, order=2) < 1e-7


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_cotangents_keep_the_dtype(case: Any) -> None:
    one = sample(case, dtype="float32")
    outputs = one.differentiable()
    if not outputs:
        return
    base = evaluate(one.function, *one.values)
    back = one.pulled_back(one.function, outputs)
    parts = iter(
        evaluate(
            back,
            *one.values,
            *(1.0 if isinstance(base[i], float) else np.ones_like(base[i]) for i in outputs),
        )
    )
    for i, reached in zip(one.wrt(), one.reached, strict=True):
        if reached:
            part = next(parts)
            if isinstance(one.values[i], np.ndarray) and not isinstance(part, float):  # a number is weak
                assert np.asarray(part).dtype == one.values[i].dtype
