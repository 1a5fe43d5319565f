"""The NumPy backend spells every row so that the text computes what the interpreter computes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from ops.evaluate import evaluate
from ops.samples import Sample
from ops.specs import CASES, RANDOM, specs_of

from symdiff.backends.numpy import source
from symdiff.ir.node import LEAF, Function, Parameter, Tree
from symdiff.ops.row import REGISTRY


def check(function: Function, values: list[Any]) -> None:
    for k, param in enumerate(function.params):
        object.__setattr__(param, "name", f"a{k}")
        object.__setattr__(param, "attrs", (("parameter", f"a{k}"), ("path", ())))
    parameters = tuple(Parameter(f"a{k}") for k in range(len(function.params)))
    text = source(
        replace(function, parameters=parameters, tree=Tree("tuple", (LEAF,) * len(function.results)))
    )
    namespace: dict[str, Any] = {}
    exec(text, namespace)
    for have, want in zip(namespace["f"](*values), evaluate(function, *values), strict=True):
        np.testing.assert_allclose(have, want, rtol=1e-9, atol=1e-12, err_msg=text)
        assert np.shape(have) == np.shape(want), text
        assert np.asarray(have).dtype == np.asarray(want).dtype, text


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def test_spelling(case: Any) -> None:
    if case[0] in RANDOM:
        return
    specs = specs_of(REGISTRY[case[0]])
    assert specs
    one = Sample(REGISTRY[case[0]], specs[case[1]])
    check(one.function, one.values)
    outputs = one.differentiable()
    if outputs and one.wrt():
        back = one.pulled_back(one.function, outputs)
        base = evaluate(one.function, *one.values)
        seeds = [
            1.0 if one.outputs[i].type.kind == "number" else np.ones_like(np.asarray(base[i]))[()]
            for i in outputs
        ]
        check(back, [*one.values, *seeds])
