"""Gradients derived by hand: the standard that generated code is compared with, in value and in cost.

Enters: nothing.  Leaves: `DERIVATIONS`, rows of `bench.workloads.Workload`.  Each row holds a function as a
user writes it, an expert's `value_and_grad` of it with the fewest NumPy operations he could find, arguments
from a seeded generator, and `wrt`.  Invariant: every derivation agrees with numerical differentiation
(`check_numerically`).  Where the expert used knowledge that is not in the function's text, `insight` says so:
such a row compares values, its count of operations is out of a compiler's reach.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from bench.workloads import VARIANTS, WORKLOADS, Workload

# --- scalars ------------------------------------------------------------------------------------------------


def sine_of_cube(w):
    x = w + 1
    y = x**3
    return np.sin(y)


def sine_of_cube_value_and_grad(w):
    x = w + 1
    square = x * x
    y = square * x
    return np.sin(y), 3 * square * np.cos(y)


def quadratic(x):
    return x**2 - 3 * x + 1


def quadratic_value_and_grad(x):
    return (x - 3) * x + 1, 2 * x - 3


def computation_graph(a, w1, w2, w3, w4):
    b = w1 * a
    c = w2 * a
    d = w3 * b + w4 * c
    return d**2


def computation_graph_value_and_grad(a, w1, w2, w3, w4):
    b = w1 * a
    c = w2 * a
    d = w3 * b + w4 * c
    d_bar = 2 * d
    b_bar = d_bar * w3
    c_bar = d_bar * w4
    return d * d, (b_bar * w1 + c_bar * w2, b_bar * a, c_bar * a, d_bar * b, d_bar * c)


# --- vectors ------------------------------------------------------------------------------------------------


def sum_of_squares(v):
    return np.sum(v**2)


def sum_of_squares_value_and_grad(v):
    return v @ v, 2 * v


def sum_of_products(v1, v2):
    return np.sum(v1 * v2)


def sum_of_products_value_and_grad(v1, v2):
    return v1 @ v2, (v2.copy(), v1.copy())


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def rosenbrock_value_and_grad(x):
    head = x[:-1]
    valley = x[1:] - head * head
    slope = 1 - head
    value = 100 * (valley @ valley) + slope @ slope
    valley_bar = 200 * valley
    x_bar = np.zeros_like(x)
    x_bar[1:] = valley_bar
    x_bar[:-1] -= 2 * (valley_bar * head + slope)
    return value, x_bar


def cosine_similarity(u, v):
    return u @ v / (np.linalg.norm(u) * np.linalg.norm(v))


def cosine_similarity_value_and_grad(u, v):
    uu, vv = u @ u, v @ v
    scale = 1 / math.sqrt(uu * vv)
    cosine = scale * (u @ v)
    return cosine, (scale * v - cosine / uu * u, scale * u - cosine / vv * v)


def gaussian_log_likelihood(mean, sigma, x):
    z = (x - mean) / sigma
    return np.sum(-0.5 * z**2 - np.log(sigma) - 0.5 * np.log(2 * np.pi))


def gaussian_log_likelihood_value_and_grad(mean, sigma, x):
    z = (x - mean) / sigma
    zz = z @ z
    value = -0.5 * zz - x.size * math.log(sigma * math.sqrt(2 * math.pi))
    return value, (z.sum() / sigma, (zz - x.size) / sigma)


def horner(x, a, b, c, d):
    """The cubic a x^3 + b x^2 + c x + d: a helper that the compiler lowers too."""
    return ((a * x + b) * x + c) * x + d


def polynomial_fit(a, b, c, d, x, y):
    error = horner(x, a, b, c, d) - y
    return np.mean(error**2)


def polynomial_fit_value_and_grad(a, b, c, d, x, y):
    error = ((a * x + b) * x + c) * x + d - y
    value = error @ error / error.size
    error_bar = (2 / error.size) * error
    x2 = x * x
    return value, ((x2 * x) @ error_bar, x2 @ error_bar, x @ error_bar, error_bar.sum())


# --- linear algebra -----------------------------------------------------------------------------------------


def ridge_regression(w, X, y, lam):
    residual = X @ w - y
    return residual @ residual + lam * w @ w


def ridge_regression_value_and_grad(w, X, y, lam):
    residual = X @ w - y
    shrunk = lam * w
    return residual @ residual + shrunk @ w, 2 * (X.T @ residual + shrunk)


def linear_model_of_dict(params, x, y):
    error = x @ params["weights"] + params["bias"] - y
    return np.mean(error**2)


def linear_model_of_dict_value_and_grad(params, x, y):
    error = x @ params["weights"] + params["bias"] - y
    error_bar = (2 / error.size) * error
    return error @ error / error.size, {"weights": x.T @ error_bar, "bias": error_bar.sum()}


def quadratic_form_of_solution(x, A, b):
    return x @ np.linalg.solve(A, b)


def quadratic_form_of_solution_value_and_grad(x, A, b):
    solution = np.linalg.solve(A, b)
    b_bar = np.linalg.solve(A.T, x)
    return x @ solution, (solution, -np.outer(b_bar, solution), b_bar)


def log_determinant(A):
    return np.log(np.linalg.det(A))


def log_determinant_value_and_grad(A):
    return math.log(np.linalg.det(A)), np.linalg.inv(A).T


# --- pairs --------------------------------------------------------------------------------------------------


def pairwise_energy(positions):
    separation = positions[:, None, :] - positions[None, :, :]
    squared = np.sum(separation**2, axis=2) + 0.01
    return np.sum(1 / np.sqrt(squared))


def pairwise_energy_value_and_grad(positions):
    separation = positions[:, None, :] - positions[None, :, :]
    squared = (separation * separation).sum(axis=2) + 0.01
    inverse = 1 / np.sqrt(squared)
    separation *= (-2 * inverse / squared)[:, :, None]
    return inverse.sum(), separation.sum(axis=1)


def rbf_kernel_sum(x, centres, gamma):
    difference = x[:, None, :] - centres[None, :, :]
    return np.sum(np.exp(-gamma * np.sum(difference**2, axis=2)))


def rbf_kernel_sum_value_and_grad(x, centres, gamma):
    difference = x[:, None, :] - centres[None, :, :]
    kernel = np.exp(-gamma * (difference * difference).sum(axis=2))
    difference *= (-2 * gamma * kernel)[:, :, None]
    return kernel.sum(), (difference.sum(axis=1), -difference.sum(axis=0))


# --- layers of networks -------------------------------------------------------------------------------------


def softmax_cross_entropy(logits, labels):
    shifted = logits - np.max(logits, axis=1, keepdims=True)
    log_p = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    return -np.mean(np.sum(labels * log_p, axis=1))


def softmax_cross_entropy_value_and_grad(logits, labels):
    shifted = logits - logits.max(axis=1, keepdims=True)
    exps = np.exp(shifted)
    total = exps.sum(axis=1, keepdims=True)
    value = -(labels * (shifted - np.log(total))).sum() / len(labels)
    return value, (exps / total - labels) / len(labels)


def soft_label_cross_entropy_value_and_grad(logits, labels):
    shifted = logits - logits.max(axis=1, keepdims=True)
    exps = np.exp(shifted)
    total = exps.sum(axis=1, keepdims=True)
    value = -(labels * (shifted - np.log(total))).sum() / len(labels)
    return value, (exps * (labels.sum(axis=1, keepdims=True) / total) - labels) / len(labels)


def layer_norm(x, gain, bias, target):
    centred = x - np.mean(x, axis=1, keepdims=True)
    variance = np.mean(centred**2, axis=1, keepdims=True)
    normal = centred / np.sqrt(variance + 1e-5)
    error = normal * gain + bias - target
    return np.mean(error**2)


def layer_norm_value_and_grad(x, gain, bias, target):
    width = x.shape[1]
    centred = x - x.sum(axis=1, keepdims=True) / width
    variance = (centred * centred).sum(axis=1, keepdims=True) / width
    scale = 1 / np.sqrt(variance + 1e-5)
    normal = centred * scale
    error = normal * gain + bias - target
    value = (error * error).sum() / error.size
    error_bar = (2 / error.size) * error
    gain_bar = (error_bar * normal).sum(axis=0)
    normal_bar = error_bar * gain
    along = (normal_bar * normal).sum(axis=1, keepdims=True) / width
    across = normal_bar.sum(axis=1, keepdims=True) / width
    return value, (scale * (normal_bar - normal * along - across), gain_bar, error_bar.sum(axis=0))


def attention_head(queries, keys, values, target):
    scores = queries @ keys.T / np.sqrt(queries.shape[1])
    exps = np.exp(scores - np.max(scores, axis=1, keepdims=True))
    weights = exps / np.sum(exps, axis=1, keepdims=True)
    error = weights @ values - target
    return np.mean(error**2)


def attention_head_value_and_grad(queries, keys, values, target):
    scale = 1 / math.sqrt(queries.shape[1])
    scores = scale * (queries @ keys.T)
    exps = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights = exps / exps.sum(axis=1, keepdims=True)
    error = weights @ values - target
    value = (error * error).sum() / error.size
    error_bar = (2 / error.size) * error
    weights_bar = error_bar @ values.T
    mean_bar = (weights_bar * weights).sum(axis=1, keepdims=True)
    scores_bar = scale * weights * (weights_bar - mean_bar)
    return value, (scores_bar @ keys, scores_bar.T @ queries, weights.T @ error_bar)


# --- arguments ----------------------------------------------------------------------------------------------


def polynomial_arguments(rng: np.random.Generator) -> tuple[Any, ...]:
    x = rng.uniform(-1, 1, 200)
    return 0.3, -0.2, 0.5, 0.1, x, np.sin(3 * x) + 0.1 * rng.standard_normal(200)


def dict_arguments(rng: np.random.Generator) -> tuple[Any, ...]:
    x = rng.standard_normal((50, 4))
    params = {"weights": rng.standard_normal(4), "bias": np.array(0.3)}
    return params, x, x @ np.array([1.0, -2.0, 0.5, 0.0]) + 0.7


def solve_arguments(rng: np.random.Generator) -> tuple[Any, ...]:
    return rng.standard_normal(6), rng.standard_normal((6, 6)) + 6 * np.eye(6), rng.standard_normal(6)


def positive_definite_arguments(rng: np.random.Generator) -> tuple[Any, ...]:
    B = rng.standard_normal((5, 5))
    return (B @ B.T + np.eye(5),)


def one_hot_arguments(rng: np.random.Generator) -> tuple[Any, ...]:
    return rng.standard_normal((64, 10)), np.eye(10)[rng.integers(0, 10, 64)]


def soft_label_arguments(rng: np.random.Generator) -> tuple[Any, ...]:
    return rng.standard_normal((64, 10)), rng.random((64, 10))


def layer_norm_arguments(rng: np.random.Generator) -> tuple[Any, ...]:
    return tuple(rng.standard_normal(shape) for shape in ((32, 64), 64, 64, (32, 64)))


def attention_arguments(rng: np.random.Generator) -> tuple[Any, ...]:
    return tuple(rng.standard_normal(shape) for shape in ((20, 16), (24, 16), (24, 8), (20, 8)))


def ridge_arguments(rng: np.random.Generator) -> tuple[Any, ...]:
    return rng.standard_normal(8), rng.standard_normal((40, 8)), rng.standard_normal(40), 0.1


def rbf_arguments(rng: np.random.Generator) -> tuple[Any, ...]:
    return rng.standard_normal((30, 3)), rng.standard_normal((20, 3)), 0.5


DERIVATIONS: tuple[Workload, ...] = (
    *WORKLOADS,
    *VARIANTS,
    Workload("sine of a cube", sine_of_cube, sine_of_cube_value_and_grad, lambda rng: (1.0,), wrt="w"),
    Workload("quadratic", quadratic, quadratic_value_and_grad, lambda rng: (rng.random(),), wrt="x"),
    Workload(
        "computation graph",
        computation_graph,
        computation_graph_value_and_grad,
        lambda rng: tuple(rng.standard_normal(5).tolist()),
        wrt=("a", "w1", "w2", "w3", "w4"),
    ),
    Workload(
        "sum of squares",
        sum_of_squares,
        sum_of_squares_value_and_grad,
        lambda rng: (rng.standard_normal(100),),
        wrt="v",
    ),
    Workload(
        "sum of products",
        sum_of_products,
        sum_of_products_value_and_grad,
        lambda rng: (rng.standard_normal(100), rng.standard_normal(100)),
        wrt=("v1", "v2"),
    ),
    Workload(
        "rosenbrock", rosenbrock, rosenbrock_value_and_grad, lambda rng: (rng.standard_normal(50),), wrt="x"
    ),
    Workload(
        "cosine similarity",
        cosine_similarity,
        cosine_similarity_value_and_grad,
        lambda rng: (rng.standard_normal(100), rng.standard_normal(100)),
        wrt=("u", "v"),
    ),
    Workload(
        "gaussian log-likelihood",
        gaussian_log_likelihood,
        gaussian_log_likelihood_value_and_grad,
        lambda rng: (0.3, 1.2, rng.standard_normal(200)),
        wrt=("mean", "sigma"),
    ),
    Workload(
        "polynomial by helper",
        polynomial_fit,
        polynomial_fit_value_and_grad,
        polynomial_arguments,
        wrt=("a", "b", "c", "d"),
    ),
    Workload("ridge regression", ridge_regression, ridge_regression_value_and_grad, ridge_arguments, wrt="w"),
    Workload(
        "parameters in a dict",
        linear_model_of_dict,
        linear_model_of_dict_value_and_grad,
        dict_arguments,
        wrt="params",
    ),
    Workload(
        "quadratic form with solve",
        quadratic_form_of_solution,
        quadratic_form_of_solution_value_and_grad,
        solve_arguments,
        wrt=("x", "A", "b"),
    ),
    Workload(
        "log-determinant",
        log_determinant,
        log_determinant_value_and_grad,
        positive_definite_arguments,
        wrt="A",
    ),
    Workload(
        "pairwise energy",
        pairwise_energy,
        pairwise_energy_value_and_grad,
        lambda rng: (rng.standard_normal((40, 3)),),
        wrt="positions",
        insight="the separations are antisymmetric, so both sums over pairs are the same up to sign",
    ),
    Workload(
        "rbf kernel sum",
        rbf_kernel_sum,
        rbf_kernel_sum_value_and_grad,
        rbf_arguments,
        wrt=("x", "centres"),
    ),
    Workload(
        "softmax cross-entropy",
        softmax_cross_entropy,
        softmax_cross_entropy_value_and_grad,
        one_hot_arguments,
        wrt="logits",
        insight="every row of labels sums to 1",
    ),
    Workload(
        "cross-entropy, any labels",
        softmax_cross_entropy,
        soft_label_cross_entropy_value_and_grad,
        soft_label_arguments,
        wrt="logits",
    ),
    Workload(
        "layer norm",
        layer_norm,
        layer_norm_value_and_grad,
        layer_norm_arguments,
        wrt=("x", "gain", "bias"),
        insight="centred rows sum to 0, so the variance sends nothing through the mean",
    ),
    Workload(
        "attention head",
        attention_head,
        attention_head_value_and_grad,
        attention_arguments,
        wrt=("queries", "keys", "values"),
    ),
)


# --- the check that a derivation is right -------------------------------------------------------------------


def selected(row: Workload) -> list[int]:
    """Positions of the `wrt` arguments."""
    code = row.function.__code__
    names = (row.wrt,) if isinstance(row.wrt, str) else row.wrt
    return [code.co_varnames[: code.co_argcount].index(name) for name in names]


def leaves(tree: Any) -> Iterator[np.ndarray]:
    """The arrays and numbers in nested tuples and dicts, in order, as float64 arrays."""
    if isinstance(tree, dict):
        tree = tuple(tree.values())
    if isinstance(tree, tuple):
        for child in tree:
            yield from leaves(child)
    else:
        yield np.asarray(tree, dtype=float)


def moved(tree: Any, direction: Iterator[np.ndarray], step: complex) -> Any:
    """`tree + step * direction`, leaf by leaf and with the structure of `tree`."""
    if isinstance(tree, dict):
        return {key: moved(child, direction, step) for key, child in tree.items()}
    return tree + (step * next(direction))[()]


def by_complex_step(along: Callable[[complex], Any]) -> float:
    """The derivative at 0 of an analytic `along`, to the last digits; not for `abs`, `norm` and the like."""
    try:
        return float(np.imag(along(1e-100j)) / 1e-100)
    except TypeError:  # np.logaddexp has no complex loop
        return math.nan


def by_differences(along: Callable[[complex], Any]) -> float:
    """The derivative at 0 of an `along` smooth within 4e-3: central differences, extrapolated twice."""
    coarse, middle, fine = (float(along(h) - along(-h)) / (2 * h) for h in (4e-3, 2e-3, 1e-3))
    return (16 * (4 * fine - middle) - (4 * middle - coarse)) / 45


def check_numerically(row: Workload, seed: int = 0, tolerance: float = 1e-8) -> None:
    """Compare a hand derivation with the derivative of its function along three random directions.

    Either estimate may fail for the reason it names, but neither agrees with a wrong gradient.
    """
    rng = np.random.default_rng(seed)
    arguments = row.arguments(rng)
    chosen = selected(row)
    value, gradient = row.value_and_grad(*arguments)
    np.testing.assert_allclose(value, row.function(*arguments), rtol=1e-12)
    points = tuple(arguments[k] for k in chosen)
    for ours, point in zip(leaves(gradient), leaves(points), strict=True):
        assert ours.shape == point.shape, f"{row}: a gradient of shape {ours.shape} for shape {point.shape}"
    for _ in range(3):
        direction = [rng.standard_normal(leaf.shape) for leaf in leaves(points)]

        def along(step: complex, direction: list[np.ndarray] = direction) -> Any:
            at, parts = list(arguments), iter(direction)
            for k in chosen:
                at[k] = moved(arguments[k], parts, step)
            return row.function(*at)

        products = [ours * d for ours, d in zip(leaves(gradient), direction, strict=True)]
        exact = sum(float(product.sum()) for product in products)
        size = max(sum(float(np.abs(product).sum()) for product in products), abs(float(value)))
        estimates = by_complex_step(along), by_differences(along)
        assert any(abs(exact - estimate) <= tolerance * size for estimate in estimates), (
            f"{row}: the hand derivation gives {exact}, complex step and differences {estimates}"
        )
