"""lse: log of a sum of exponentials, shifted by the largest; its gradient is the softmax."""

from __future__ import annotations

import numpy as np

import symdiff
from bench.gradbench.case import Case, differences


def logsumexp(x):
    largest = np.max(x)
    return largest + np.log(np.sum(np.exp(x - largest)))


def softmax(x):
    exps = np.exp(x - x.max())
    return exps / exps.sum()


def case(rng: np.random.Generator, tiny: bool) -> Case:
    x = rng.standard_normal(12 if tiny else 1000)
    far = np.array([1000.0, 1001.0, -1000.0])
    gradient = symdiff.grad(logsumexp)
    checks = {
        "gradient": (lambda: gradient(x), lambda: differences(logsumexp, (x,))),
        "softmax": (lambda: gradient(x), lambda: softmax(x)),
        "far out": (lambda: gradient(far), lambda: softmax(far)),
    }
    return Case(lambda: logsumexp(x), lambda: gradient(x), checks)
