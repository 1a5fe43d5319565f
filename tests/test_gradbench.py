"""The evals of GradBench, at tiny sizes, against differences or a derivation by hand (`bench/gradbench`).

Forward mode inside a function that is differentiated is not there yet: of particle and saddle the variants
whose inner derivative is in reverse mode.
"""

import pytest

pytest.importorskip("scipy", exc_type=ImportError)

from bench.gradbench.case import ACCURACY, error
from bench.gradbench.runner import EVALS, case_of

REVERSE_INSIDE = ("rr slope", "fr slope")
CHECKED = {"particle": REVERSE_INSIDE, "saddle": REVERSE_INSIDE}


@pytest.mark.parametrize("name", EVALS)
def test_the_derivative_of_an_eval_is_right(name):
    case = case_of(name, tiny=True)
    for check in CHECKED.get(name, tuple(case.checks)):
        found, expected = case.checks[check]
        assert error(found(), expected()) <= ACCURACY, check


def test_a_wrong_shape_a_nan_and_a_wrong_entry_are_errors():
    assert error([1.0, 2.0], [1.0]) > ACCURACY
    assert error([float("nan")], [1.0]) > ACCURACY
    assert error((1.0, 2.0), (1.0, 2.1)) > ACCURACY
