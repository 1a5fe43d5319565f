"""More gradients derived by hand: kinks with their conventions, indexing, sums that a factor leaves.

Enters: nothing.  Leaves: `DERIVATIONS`, rows as those of `hand`.  Invariant: where two formulas meet, the
expert follows the table of conventions: ties share equally, the rest is the minimum-norm subgradient.
"""

from __future__ import annotations

import numpy as np

from bench.workloads import Workload


def hinge_loss(w, X, y):
    return np.mean(np.maximum(1 - y * (X @ w), 0))


def hinge_loss_value_and_grad(w, X, y):
    margin = 1 - y * (X @ w)
    value = np.maximum(margin, 0).sum() / margin.size
    # Half at the kink: 1, 1/2 or 0.
    share = 0.5 + 0.5 * np.sign(margin)
    return value, X.T @ (share * y / -margin.size)


def lasso(w, X, y, lam):
    residual = X @ w - y
    return 0.5 * np.sum(residual**2) + lam * np.sum(np.abs(w))


def lasso_value_and_grad(w, X, y, lam):
    residual = X @ w - y
    return 0.5 * (residual @ residual) + lam * np.abs(w).sum(), X.T @ residual + lam * np.sign(w)


def huber(prediction, target):
    error = prediction - target
    return np.sum(np.where(np.abs(error) <= 1, 0.5 * error**2, np.abs(error) - 0.5))


def huber_value_and_grad(prediction, target):
    error = prediction - target
    size = np.abs(error)
    inside = size <= 1
    value = np.where(inside, 0.5 * error**2, size - 0.5).sum()
    return value, np.where(inside, error, np.sign(error))


def embedding_score(table, words, w):
    return np.sum(np.tanh(table[words] @ w))


def embedding_score_value_and_grad(table, words, w):
    rows = table[words]
    z = rows @ w
    z_bar = 1 / np.cosh(z) ** 2
    table_bar = np.zeros_like(table)
    np.add.at(table_bar, words, z_bar[:, None] * w)
    return np.tanh(z).sum(), (table_bar, rows.T @ z_bar)


def smoothness(signal):
    return np.sum((signal[1:] - signal[:-1]) ** 2)


def smoothness_value_and_grad(signal):
    step = signal[1:] - signal[:-1]
    step_bar = 2 * step
    signal_bar = np.zeros_like(signal)
    signal_bar[1:] = step_bar
    signal_bar[:-1] -= step_bar
    return step @ step, signal_bar


def best_response(scores):
    return np.sum(np.max(scores, axis=1) ** 2)


def best_response_value_and_grad(scores):
    best = scores.max(axis=1, keepdims=True)
    winners = scores == best
    return (best * best).sum(), winners * (2 * best / winners.sum(axis=1, keepdims=True))


def poisson_regression(w, X, counts):
    eta = X @ w
    return np.sum(np.exp(eta) - counts * eta)


def poisson_regression_value_and_grad(w, X, counts):
    eta = X @ w
    rate = np.exp(eta)
    return (rate - counts * eta).sum(), X.T @ (rate - counts)


def softmax_temperature(logits, temperature, target):
    weights = np.exp(logits / temperature)
    p = weights / np.sum(weights)
    return np.sum((p - target) ** 2)


def softmax_temperature_value_and_grad(logits, temperature, target):
    scaled = logits / temperature
    weights = np.exp(scaled)
    p = weights / weights.sum()
    error = p - target
    p_bar = 2 * error
    scaled_bar = p * (p_bar - p_bar @ p)
    return error @ error, (scaled_bar / temperature, -(scaled_bar @ scaled) / temperature)


DERIVATIONS: tuple[Workload, ...] = (
    Workload(
        "hinge loss",
        hinge_loss,
        hinge_loss_value_and_grad,
        lambda rng: (rng.standard_normal(5), rng.standard_normal((40, 5)), np.sign(rng.standard_normal(40))),
        wrt="w",
    ),
    Workload(
        "lasso",
        lasso,
        lasso_value_and_grad,
        lambda rng: (rng.standard_normal(5), rng.standard_normal((40, 5)), rng.standard_normal(40), 0.1),
        wrt="w",
    ),
    Workload(
        "huber",
        huber,
        huber_value_and_grad,
        lambda rng: (2 * rng.standard_normal(60), rng.standard_normal(60)),
        wrt="prediction",
    ),
    Workload(
        "embedding",
        embedding_score,
        embedding_score_value_and_grad,
        lambda rng: (rng.standard_normal((20, 4)), rng.integers(0, 20, 30), rng.standard_normal(4)),
        wrt=("table", "w"),
    ),
    Workload(
        "smoothness",
        smoothness,
        smoothness_value_and_grad,
        lambda rng: (rng.standard_normal(50),),
        wrt="signal",
    ),
    Workload(
        "best response",
        best_response,
        best_response_value_and_grad,
        lambda rng: (rng.integers(0, 3, (20, 4)) + 1.0,),
        wrt="scores",
    ),
    Workload(
        "poisson regression",
        poisson_regression,
        poisson_regression_value_and_grad,
        lambda rng: (
            0.3 * rng.standard_normal(5),
            rng.standard_normal((40, 5)),
            rng.poisson(2.0, 40).astype(float),
        ),
        wrt="w",
    ),
    Workload(
        "softmax with temperature",
        softmax_temperature,
        softmax_temperature_value_and_grad,
        lambda rng: (rng.standard_normal(10), 1.7, rng.random(10)),
        wrt=("logits", "temperature"),
    ),
)
