"""The functions that are timed, each next to the gradient an expert derived for it by hand.

Enters: nothing.  Leaves: `Workload` rows, `WORKLOADS` by name.  Invariant: a `function` is what a NumPy user
writes, its `value_and_grad` what a strong NumPy programmer would make of it with pen and paper: no
operation that can be shared or left out, sums for means, `@` for sums of products of vectors, and in-place
updates on temporaries that are large.  Both take the same arguments; neither writes into them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Arguments = tuple[Any, ...]


@dataclass(frozen=True)
class Workload:
    """A function, its hand-derived `value_and_grad`, and arguments to run both on.

    `insight` is empty where the hand derivation follows from the text of the function alone.  Otherwise it
    says which knowledge of the problem, beyond the chain rule, the expert used to save operations.
    """

    name: str
    function: Callable[..., Any]
    value_and_grad: Callable[..., Any]
    arguments: Callable[[np.random.Generator], Arguments]
    wrt: str | tuple[str, ...]
    insight: str = ""

    def __str__(self) -> str:
        return self.name


# --- linear regression on 80 points: a tutorial's first model, all overhead and no arithmetic ---------------


def linear_regression(b, w, x, y):
    error = b + w * x - y
    return np.mean(error**2)


def linear_regression_value_and_grad(b, w, x, y):
    error = b + w * x - y
    error_bar = (2 / error.size) * error
    value = (error * error).sum() / error.size
    return value, (error_bar.sum(axis=0), (error_bar * x).sum(axis=0))


def linear_regression_textbook_value_and_grad(b, w, x, y):
    error = b + w * x - y
    error_bar = (2 / error.size) * error
    return np.mean(error**2), (np.sum(error_bar, axis=0), np.sum(error_bar * x, axis=0))


def linear_regression_arguments(rng):
    x = rng.random((80, 1))
    y = 1 + 2 * x + 0.1 * rng.standard_normal((80, 1))
    return np.array([0.1940]), np.array([0.1391]), x, y


# --- a 2-8-1 network on 32 rows -----------------------------------------------------------------------------


def small_network(W1, b1, W2, b2, x, y):
    hidden = np.tanh(x @ W1 + b1)
    prediction = hidden @ W2 + b2
    return np.mean((prediction - y) ** 2)


def small_network_value_and_grad(W1, b1, W2, b2, x, y):
    z = x @ W1 + b1
    hidden = np.tanh(z)
    error = hidden @ W2 + b2 - y
    value = (error * error).sum() / error.size
    error_bar = (2 / error.size) * error
    # 1 / cosh(z)**2 keeps its digits where 1 - hidden**2 cancels: at z = 19 the one is 1.3e-16, the other 0.
    z_bar = (error_bar @ W2.T) / np.cosh(z) ** 2
    return value, (x.T @ z_bar, z_bar.sum(axis=0), hidden.T @ error_bar, error_bar.sum(axis=0))


def small_network_cancelling_value_and_grad(W1, b1, W2, b2, x, y):
    hidden = np.tanh(x @ W1 + b1)
    error = hidden @ W2 + b2 - y
    value = (error * error).sum() / error.size
    error_bar = (2 / error.size) * error
    z_bar = (error_bar @ W2.T) * (1 - hidden * hidden)
    return value, (x.T @ z_bar, z_bar.sum(axis=0), hidden.T @ error_bar, error_bar.sum(axis=0))


def small_network_textbook_value_and_grad(W1, b1, W2, b2, x, y):
    hidden = np.tanh(x @ W1 + b1)
    error = hidden @ W2 + b2 - y
    error_bar = (2 / error.size) * error
    z_bar = (error_bar @ W2.T) * (1 - hidden**2)
    W1_bar, b1_bar = x.T @ z_bar, np.sum(z_bar, axis=0)
    return np.mean(error**2), (W1_bar, b1_bar, hidden.T @ error_bar, np.sum(error_bar, axis=0))


def small_network_arguments(rng):
    x = rng.standard_normal((32, 2))
    y = np.sin(x[:, :1]) * x[:, 1:]
    W1, b1 = rng.standard_normal((2, 8)), 0.1 * rng.standard_normal(8)
    W2, b2 = rng.standard_normal((8, 1)) / 3, 0.1 * rng.standard_normal(1)
    return W1, b1, W2, b2, x, y


# --- logistic regression, 10,000 x 100 ----------------------------------------------------------------------


def logistic_regression(w, b, X, y):
    z = X @ w + b
    return np.mean(np.logaddexp(0, z) - y * z)


def logistic_regression_value_and_grad(w, b, X, y):
    z = X @ w + b
    softplus = np.logaddexp(0, z)
    value = (softplus - y * z).sum() / z.size
    z_bar = (np.exp(z - softplus) - y) / z.size
    return value, (X.T @ z_bar, z_bar.sum())


def logistic_regression_probability(w, b, X, y):
    p = 1 / (1 + np.exp(-(X @ w + b)))
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


def logistic_regression_probability_value_and_grad(w, b, X, y):
    p = 1 / (1 + np.exp(-(X @ w + b)))
    value = -(y * np.log(p) + (1 - y) * np.log(1 - p)).sum() / p.size
    z_bar = (p - y) / p.size
    return value, (X.T @ z_bar, z_bar.sum())


def logistic_regression_arguments(rng):
    X = rng.standard_normal((10_000, 100))
    truth = rng.standard_normal(100) / 10
    y = (X @ truth + rng.logistic(size=10_000) > 0).astype(float)
    return rng.standard_normal(100) / 10, 0.1, X, y


# --- a 784-256-10 classifier on a batch of 256: matrix products rule ----------------------------------------


def classifier(W1, b1, W2, b2, images, labels):
    hidden = np.maximum(images @ W1 + b1, 0)
    logits = hidden @ W2 + b2
    shifted = logits - np.max(logits, axis=1, keepdims=True)
    log_p = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    return -np.mean(np.sum(labels * log_p, axis=1))


def classifier_value_and_grad(W1, b1, W2, b2, images, labels):
    hidden = images @ W1
    hidden += b1
    np.maximum(hidden, 0, out=hidden)
    logits = hidden @ W2 + b2
    shifted = logits - logits.max(axis=1, keepdims=True)
    exps = np.exp(shifted)
    total = exps.sum(axis=1, keepdims=True)
    value = -(labels * (shifted - np.log(total))).sum() / len(labels)
    logits_bar = (exps / total - labels) / len(labels)
    hidden_bar = logits_bar @ W2.T
    hidden_bar *= hidden > 0
    return value, (
        images.T @ hidden_bar,
        hidden_bar.sum(axis=0),
        hidden.T @ logits_bar,
        logits_bar.sum(axis=0),
    )


def classifier_arguments(rng):
    images, labels = rng.random((256, 784)), np.eye(10)[rng.integers(0, 10, 256)]
    W1, b1 = rng.standard_normal((784, 256)) / 28, 0.1 * rng.standard_normal(256)
    W2, b2 = rng.standard_normal((256, 10)) / 16, 0.1 * rng.standard_normal(10)
    return W1, b1, W2, b2, images, labels


# --- an option formula on 1e6 points: transcendentals and memory traffic ------------------------------------


def option_value(spot, volatility, maturity, strike, rate):
    """Black and Scholes with 1 / (1 + exp(-1.702 d)) for the normal distribution function."""
    spread = volatility * np.sqrt(maturity)
    d1 = (np.log(spot / strike) + rate * maturity) / spread + 0.5 * spread
    d2 = d1 - spread
    asset = spot / (1 + np.exp(-1.702 * d1))
    bond = strike * np.exp(-rate * maturity) / (1 + np.exp(-1.702 * d2))
    return np.sum(asset - bond)


def option_value_value_and_grad(spot, volatility, maturity, strike, rate):
    root = np.sqrt(maturity)
    spread = volatility * root
    d1 = np.log(spot / strike)
    d1 += rate * maturity
    d1 /= spread
    d1 += 0.5 * spread
    p1 = np.exp(-1.702 * d1)
    p1 += 1
    np.divide(1, p1, out=p1)
    p2 = np.exp(-1.702 * (d1 - spread))
    p2 += 1
    np.divide(1, p2, out=p2)
    asset = spot * p1
    bond = np.exp(-rate * maturity)
    bond *= strike
    bond *= p2
    value = (asset - bond).sum()
    # d asset / d d1 and d bond / d d2 are 1.702 asset (1 - p1) and 1.702 bond (1 - p2).
    asset *= 1.702 * (1 - p1)
    bond *= 1.702 * (1 - p2)
    d_bar = asset - bond
    spread *= spot
    p1 += d_bar / spread
    # d d1 / d volatility = root - d1 / volatility, and d d2 / d volatility = -d1 / volatility.
    asset *= root
    d1 *= d_bar
    d1 /= volatility
    asset -= d1
    return value, (p1, asset)


def option_value_textbook_value_and_grad(spot, volatility, maturity, strike, rate):
    root = np.sqrt(maturity)
    spread = volatility * root
    d1 = (np.log(spot / strike) + rate * maturity) / spread + 0.5 * spread
    p1 = 1 / (1 + np.exp(-1.702 * d1))
    p2 = 1 / (1 + np.exp(-1.702 * (d1 - spread)))
    asset = spot * p1
    bond = strike * np.exp(-rate * maturity) * p2
    d_asset = 1.702 * asset * (1 - p1)
    d_bond = 1.702 * bond * (1 - p2)
    d_bar = d_asset - d_bond
    spot_bar = p1 + d_bar / (spread * spot)
    volatility_bar = root * d_asset - d1 * d_bar / volatility
    return np.sum(asset - bond), (spot_bar, volatility_bar)


def option_value_arguments(rng):
    n = 1_000_000
    spot, volatility = 50 + 100 * rng.random(n), 0.1 + 0.4 * rng.random(n)
    return spot, volatility, 0.25 + 2 * rng.random(n), 100.0, 0.03


WORKLOADS = (
    Workload(
        "linear regression, 80 points",
        linear_regression,
        linear_regression_textbook_value_and_grad,
        linear_regression_arguments,
        wrt=("b", "w"),
    ),
    Workload(
        "2-8-1 network, 32 rows",
        small_network,
        small_network_textbook_value_and_grad,
        small_network_arguments,
        wrt=("W1", "b1", "W2", "b2"),
        insight="1 - tanh(z)**2 saves a cosh at the price of all digits for large z",
    ),
    Workload(
        "logistic regression, 10000 x 100",
        logistic_regression,
        logistic_regression_value_and_grad,
        logistic_regression_arguments,
        wrt=("w", "b"),
    ),
    Workload(
        "784-256-10 network, batch 256",
        classifier,
        classifier_value_and_grad,
        classifier_arguments,
        wrt=("W1", "b1", "W2", "b2"),
        insight="every row of labels sums to 1",
    ),
    Workload(
        "option formula, 1e6 points",
        option_value,
        option_value_textbook_value_and_grad,
        option_value_arguments,
        wrt=("spot", "volatility"),
    ),
)

# The rows above are derived as in a textbook and spelled with np.mean and np.sum, as in the tutorials.
# Stricter standards: tuned by hand; for small arrays methods and `sum / size` in place of the functions,
# whose overhead is most of the time there; for large ones every operation in place.
VARIANTS = (
    Workload(
        "linear regression, tuned by hand",
        linear_regression,
        linear_regression_value_and_grad,
        linear_regression_arguments,
        wrt=("b", "w"),
    ),
    Workload(
        "2-8-1 network, tuned by hand",
        small_network,
        small_network_value_and_grad,
        small_network_arguments,
        wrt=("W1", "b1", "W2", "b2"),
    ),
    Workload(
        "2-8-1 network, tuned, 1 - h*h",
        small_network,
        small_network_cancelling_value_and_grad,
        small_network_arguments,
        wrt=("W1", "b1", "W2", "b2"),
        insight="1 - tanh(z)**2 saves a cosh at the price of all digits for large z",
    ),
    Workload(
        "option formula, tuned by hand",
        option_value,
        option_value_value_and_grad,
        option_value_arguments,
        wrt=("spot", "volatility"),
    ),
    Workload(
        "logistic regression by probability",
        logistic_regression_probability,
        logistic_regression_probability_value_and_grad,
        logistic_regression_arguments,
        wrt=("w", "b"),
    ),
)
