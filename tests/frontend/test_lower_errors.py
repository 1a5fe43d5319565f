"""Error reports: file, line, caret, what and what instead.

Golden: `reports.txt` holds the whole text of each.  `python tests/frontend/test_lower_errors.py` writes it
anew; read the difference like code.
"""

from __future__ import annotations

import pathlib
import pickle
import re
import sys

import pytest

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from frontend import faulty
from frontend.interpret import lowered_for

from symdiff.errors import SymdiffError, UnsupportedError, UserError
from symdiff.frontend import lower

HERE = pathlib.Path(__file__).parent
GOLDEN = HERE / "reports.txt"


def report(function, args, kwargs) -> str:
    with pytest.raises(SymdiffError) as raised:
        lowered_for(function, *args, **kwargs)
    text = str(raised.value).replace(f"{HERE}/", "")
    return f"{type(raised.value).__name__}: {text.lstrip()}"


def golden() -> dict[str, str]:
    parts = re.split(r"^=== (\w+)\n", GOLDEN.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize(
    ("function", "args", "kwargs"), faulty.CASES, ids=[function.__name__ for function, _, _ in faulty.CASES]
)
def test_report(function, args, kwargs):
    assert report(function, args, kwargs) == golden()[function.__name__].rstrip("\n")


def test_every_problem_has_a_place_of_its_own():
    with pytest.raises(SymdiffError) as raised:
        lowered_for(faulty.several_problems, faulty.V)
    spans = [problem.span for problem in raised.value.problems]
    assert all(span is not None for span in spans)
    assert spans == sorted(spans, key=lambda span: (span.file, span.line, span.column))
    assert len(spans) == 3


def test_report_survives_pickling():
    with pytest.raises(UnsupportedError) as raised:
        lowered_for(faulty.staged_and, faulty.V)
    again = pickle.loads(pickle.dumps(raised.value))
    assert str(again) == str(raised.value)
    assert type(again) is UnsupportedError


@pytest.mark.parametrize("function", [faulty.shape_mismatch, faulty.argument_dict], ids=lambda f: f.__name__)
def test_before_a_call_the_report_asks_for_arguments(function):
    with pytest.raises(SymdiffError, match=r"source_for\(\*args\)"):
        lower(function, None)


def test_wrong_shape_of_an_unpacked_argument():
    def pair(x):
        a, b = x
        return a + b

    import numpy as np

    with pytest.raises(UserError, match="expected 2, got 1"):
        lowered_for(pair, np.ones(1))


if __name__ == "__main__":
    GOLDEN.write_text(
        "".join(f"=== {f.__name__}\n{report(f, a, k)}\n" for f, a, k in faulty.CASES), encoding="utf-8"
    )
