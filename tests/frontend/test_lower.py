"""Lowered programs compute what their functions compute, to the bit."""

from __future__ import annotations

import pytest
from frontend.interpret import check
from frontend.programs import CASES


@pytest.mark.parametrize(
    ("function", "args", "kwargs"), CASES, ids=[f"{function.__name__}" for function, _, _ in CASES]
)
def test_same_result(function, args, kwargs):
    check(function, *args, **kwargs)
