"""What `stable=True` is worth: docs/stability.md, written by `python -m bench.stability`.

Enters: the table of rewrites.  Leaves: the report: of each rewrite the largest relative error of a value and
of a gradient before and after, against 50-digit arithmetic.  Invariant: every rewrite has a case.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import mpmath
import numpy as np

from symdiff import differentiate
from symdiff.ops.stable import TABLE

REPORT = pathlib.Path(__file__).parents[1] / "docs" / "stability.md"
POINTS = [float(s * p) for p in (1e-12, 1e-5, 1e-2, 0.5, 3.0, 19.0, 40.0, 300.0, 800.0) for s in (-1, 1)]
POSITIVE = [float(p) for p in (1e-300, 1e-200, 1e-20, 1e-12, 1e-5, 0.5, 3.0, 1e20, 1e200)]


def softplus(x):
    return np.log1p(np.exp(x))


def log_of_one_more(x):
    return np.log(1 + x)


def exp_less_one(x):
    return np.exp(x) - 1


def sech2(x):
    return 1 - np.tanh(x) ** 2


def length(x):
    return np.sqrt(x**2 + (2 * x) ** 2)


def logsumexp(x):
    return np.log(np.sum(np.exp(x * np.array([1.0, 0.5, -0.25]))))


def softmax(x):
    e = np.exp(x * np.array([1.0, 0.5, -0.25]))
    return (e / np.sum(e))[1]


def cross_entropy(x):
    e = np.exp(x * np.array([1.0, 0.5, -0.25]))
    return -np.log(e / np.sum(e))[1]


def _exact_total(x: Any) -> Any:
    return sum(mpmath.exp(x * a) for a in (1, mpmath.mpf("0.5"), mpmath.mpf("-0.25")))


Case = tuple[Callable[[Any], Any], Callable[[Any], Any], Sequence[float]]
CASES: dict[str, Case] = {
    "softplus": (softplus, lambda x: mpmath.log1p(mpmath.exp(x)), POINTS),
    "log_softmax": (cross_entropy, lambda x: mpmath.log(_exact_total(x)) - x / 2, POINTS),
    "logsumexp": (logsumexp, lambda x: mpmath.log(_exact_total(x)), POINTS),
    "log1p": (log_of_one_more, mpmath.log1p, POSITIVE),
    "expm1": (exp_less_one, mpmath.expm1, [p for p in POINTS if p < 700]),
    "sech2": (sech2, lambda x: mpmath.sech(x) ** 2, [p for p in POINTS if abs(p) < 801]),
    "hypot": (length, lambda x: x * mpmath.sqrt(5), POSITIVE),
    "softmax": (softmax, lambda x: mpmath.exp(x / 2) / _exact_total(x), POINTS),
}


def errors(case: Case, stable: bool) -> tuple[float, float]:
    """The largest relative errors of the value and of the gradient; infinite where one is no number."""
    function, exact, points = case
    both = differentiate(function, stable=stable).value_and_grad
    worst = [0.0, 0.0]
    with mpmath.workdps(50), np.errstate(all="ignore"):
        for point in points:
            x = mpmath.mpf(point)
            wanted = exact(x), _slope(exact, x)
            for k, given in enumerate(both(np.float64(point))):
                worst[k] = max(worst[k], _error(float(given), wanted[k]))
    return worst[0], worst[1]


def _slope(exact: Callable[[Any], Any], x: Any) -> Any:
    with mpmath.workdps(400):
        h = mpmath.fabs(x) * mpmath.mpf(10) ** -60
        return (exact(x + h) - exact(x - h)) / (2 * h)


def _error(given: float, wanted: Any) -> float:
    if abs(wanted) < 1e-300:  # what is denormal has no digits to lose
        return 0.0 if abs(given) <= 1e-299 else float("inf")
    return float(abs(given - wanted) / abs(wanted)) if np.isfinite(given) else float("inf")


def report() -> str:
    lines = [
        "# Stable forms",
        "",
        "With `differentiate(f, stable=True)` the formulas of `f`, and of what it calls, are rewritten where",
        "the derivative is generated; without it none is.  The largest relative errors over points from far",
        "below 1 to far above, against 50-digit arithmetic (`inf`: no number at some point).  Written by",
        "`python -m bench.stability`.",
        "",
        "| rewrite | formula | value before | after | gradient before | after |",
        "|---|---|---|---|---|---|",
    ]
    for one in TABLE:
        before, after = (errors(CASES[one.name], licensed) for licensed in (False, True))
        shown = " | ".join(f"{error:.0e}" for pair in zip(before, after, strict=True) for error in pair)
        lines.append(f"| {one.name} | `{one.formula}` | {shown} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    REPORT.write_text(report(), encoding="utf-8")
