"""gmm: the log posterior of a mixture of Gaussians with a Wishart prior on its precision matrices."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import gammaln

import symdiff
from bench.gradbench.case import Case, differences


def logsumexp(values):
    largest = np.max(values, axis=-1, keepdims=True)
    return np.squeeze(largest, -1) + np.log(np.sum(np.exp(values - largest), axis=-1))


def log_multigamma(a, d):
    """The logarithm of the gamma function of dimension d (Muirhead 1982, theorem 2.1.12)."""
    return d * (d - 1) / 4 * math.log(math.pi) + np.sum(gammaln(a - np.arange(d) / 2))


def factors(q, low):
    """Lower triangular matrices: exponentials on the diagonal, `low` below it, column by column."""
    k, d = q.shape
    columns, rows = np.triu_indices(d, 1)
    Q = np.zeros((k, d, d))
    Q[:, rows, columns] = low
    Q[:, np.arange(d), np.arange(d)] = np.exp(q)
    return Q


def objective(alpha, mu, q, low, x, m, gamma):
    n, d = x.shape
    k = len(alpha)
    Q = factors(q, low)
    centred = x[:, None, :] - mu
    scaled = np.einsum("kij,nkj->nki", Q, centred)
    sums = np.sum(q, axis=1)
    beta = alpha - 0.5 * np.sum(scaled**2, axis=2) + sums
    likelihood = -n * (d / 2 * math.log(2 * math.pi) + logsumexp(alpha)) + np.sum(logsumexp(beta))
    freedom = d + m + 1
    constant = k * (freedom * d * math.log(gamma / math.sqrt(2)) - log_multigamma(freedom / 2, d))
    prior = constant - 0.5 * gamma**2 * np.sum(Q**2) + m * np.sum(sums)
    return likelihood + prior


def case(rng: np.random.Generator, tiny: bool) -> Case:
    n, d, k = (6, 3, 2) if tiny else (100, 5, 5)
    arguments = (
        rng.standard_normal(k),
        rng.random((k, d)),
        rng.standard_normal((k, d)) * 0.3,
        rng.standard_normal((k, d * (d - 1) // 2)),
        rng.standard_normal((n, d)),
        1,
        0.5,
    )
    gradient = symdiff.grad(objective, wrt=("alpha", "mu", "q", "low"))
    found = lambda: gradient(*arguments)  # noqa: E731 - timed and checked
    checks = {"gradient": (found, lambda: tuple(differences(objective, arguments, i) for i in range(4)))}
    return Case(lambda: objective(*arguments), found, checks)
