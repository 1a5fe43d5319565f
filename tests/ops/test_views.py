"""A row whose result shares memory with an operand says so: the backend overwrites arrays only where none
does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ops.evaluate import evaluate
from ops.samples import Sample
from ops.specs import CASES, RANDOM, specs_of

from symdiff.ops.row import REGISTRY


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "case", [case for case in CASES if case[0] not in RANDOM], ids=lambda case: f"{case[0]}-{case[1]}"
)
def test_shared_memory_is_declared(case: Any) -> None:
    one = Sample(REGISTRY[case[0]], specs_of(REGISTRY[case[0]])[case[1]])
    results = evaluate(one.function, *one.values)
    arrays = [value for value in one.values if isinstance(value, np.ndarray)]
    shared = any(
        np.may_share_memory(result, value) for result in results for value in arrays if np.size(result)
    )
    declared = any(
        getattr(node.op, "view", False) or node.op.name == "fit_like" for node in one.function.body.body
    )
    returned = any(result in one.function.params for result in one.function.results)
    assert declared or returned or not shared
