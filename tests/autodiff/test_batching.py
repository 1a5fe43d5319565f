"""Batching: every row and every kind of program against a Python loop of the unbatched function."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from ops.evaluate import evaluate
from ops.samples import Sample, row
from ops.specs import RANDOM, specs_of

from symdiff.autodiff.batching import batch
from symdiff.autodiff.batching_operands import whole
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
    """A function of the same parameters, of which some have one more axis in front, and so have its results."""
    builder = Builder(function.sizes, primal=False)
    with builder:
        known = {}
        for k, param in enumerate(function.params):
            kind = param.type
            if k in chosen:
                kind = types.array(infer.numpy_dtype(param), (Size("batch"), *(kind.dims or ())))
            known[param] = builder.param(kind, param.name, parameter=f"x{k}", path=())
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
