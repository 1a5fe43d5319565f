"""Gradients derived by hand: loops, branches and writes.

Enters: nothing.  Leaves: `DERIVATIONS`, rows as those of `hand`.  Invariant: the expert runs the loop
forwards once, keeps what the way back reads and nothing else, and walks back through it.
"""
# Written as users write.
# ruff: noqa: B007

from __future__ import annotations

import numpy as np

from bench.workloads import Workload


def horner(coefficients, x):
    value = 0.0
    for c in coefficients:
        value = value * x + c
    return value


def horner_value_and_grad(coefficients, x):
    value, values = 0.0, []
    for c in coefficients:
        values.append(value)
        value = value * x + c
    value_bar, x_bar = 1.0, 0.0
    for before in reversed(values):
        x_bar += value_bar * before
        value_bar *= x
    return value, x_bar


def newton_root(a):
    root = a
    while abs(root * root - a) > 1e-10:
        root = 0.5 * (root + a / root)
    return root


def newton_root_value_and_grad(a):
    root, roots = a, []
    while abs(root * root - a) > 1e-10:
        roots.append(root)
        root = 0.5 * (root + a / root)
    root_bar, a_bar = 1.0, 0.0
    for before in reversed(roots):
        half = 0.5 * root_bar
        a_bar += half / before
        root_bar = half - half * a / before**2
    return root, a_bar + root_bar


def low_pass(x, target, alpha):
    y = np.zeros_like(x)
    y[0] = x[0]
    for i in range(1, len(x)):
        y[i] = y[i - 1] + alpha * (x[i] - y[i - 1])
    return np.sum((y - target) ** 2)


def low_pass_value_and_grad(x, target, alpha):
    y = np.zeros_like(x)
    y[0] = x[0]
    for i in range(1, len(x)):
        y[i] = y[i - 1] + alpha * (x[i] - y[i - 1])
    error = y - target
    y_bar = 2 * error
    x_bar = np.zeros_like(x)
    alpha_bar = 0.0
    for i in reversed(range(1, len(x))):
        g = y_bar[i]
        alpha_bar += g * (x[i] - y[i - 1])
        x_bar[i] = g * alpha
        y_bar[i - 1] += g - g * alpha
    x_bar[0] = y_bar[0]
    return np.sum(error**2), (x_bar, alpha_bar)


def wave(u, speed, steps):
    before = u
    now = u
    for _ in range(steps):
        after = 2 * now - before
        after[1:-1] += speed * (now[2:] - 2 * now[1:-1] + now[:-2])
        before, now = now, after
    return np.sum(now**2)


def wave_value_and_grad(u, speed, steps):
    before = now = u
    curvatures = []
    for _ in range(steps):
        curvature = now[2:] - 2 * now[1:-1] + now[:-2]
        curvatures.append(curvature)
        after = 2 * now - before
        after[1:-1] += speed * curvature
        before, now = now, after
    now_bar, before_bar = 2 * now, np.zeros_like(u)
    speed_bar = 0.0
    while curvatures:
        after_bar = now_bar
        inner = after_bar[1:-1]
        speed_bar += inner @ curvatures.pop()
        flow = speed * inner
        now_bar = before_bar + 2 * after_bar
        now_bar[2:] += flow
        now_bar[1:-1] -= 2 * flow
        now_bar[:-2] += flow
        before_bar = -after_bar
    return np.sum(now**2), (now_bar + before_bar, speed_bar)


def leaky(x, slope):
    y = x.copy()
    y[y < 0] *= slope
    return np.sum(y**2)


def leaky_value_and_grad(x, slope):
    y = x.copy()
    negative = y < 0
    below = y[negative]
    y[negative] *= slope
    y_bar = 2 * y
    slope_bar = y_bar[negative] @ below
    y_bar[negative] *= slope
    return np.sum(y**2), (y_bar, slope_bar)


def binned(weights, places, x, count):
    totals = np.zeros(count)
    np.add.at(totals, places, weights * x)
    return np.sum(totals**2)


def binned_value_and_grad(weights, places, x, count):
    totals = np.zeros(count)
    np.add.at(totals, places, weights * x)
    return np.sum(totals**2), 2 * totals[places] * x


def early_exit(x, limit):
    total = 0.0
    for value in x:
        total += value**2
        if total > limit:
            return limit + np.log(total - limit + 1)
    return total


def early_exit_value_and_grad(x, limit):
    total, x_bar = 0.0, np.zeros_like(x)
    value, total_bar, steps = None, 1.0, len(x)
    for i in range(len(x)):
        total += x[i] ** 2
        if total > limit:
            value, total_bar, steps = limit + np.log(total - limit + 1), 1 / (total - limit + 1), i + 1
            break
    for i in reversed(range(steps)):
        x_bar[i] = total_bar * 2 * x[i]
    return total if value is None else value, x_bar


def cholesky_log_determinant(A):
    L = A.copy()
    n = len(L)
    for j in range(n):
        for k in range(j):
            L[j:, j] -= L[j, k] * L[j:, k]
        L[j:, j] /= np.sqrt(L[j, j])
    total = 0.0
    for j in range(n):
        total += 2 * np.log(L[j, j])
    return total


def cholesky_log_determinant_value_and_grad(A):
    n = len(A)
    L = np.tril(A)
    for j in range(n):
        for k in range(j):
            L[j:, j] -= L[j, k] * L[j:, k]
        L[j:, j] /= np.sqrt(L[j, j])
    L_bar = np.zeros_like(L)
    for j in range(n):
        L_bar[j, j] = 2 / L[j, j]
    for j in reversed(range(n)):
        pivot = L[j, j]
        column_bar = L_bar[j:, j] / pivot
        column_bar[0] -= 0.5 * (column_bar @ L[j:, j]) / pivot
        L_bar[j:, j] = column_bar
        for k in reversed(range(j)):
            L_bar[j, k] -= L_bar[j:, j] @ L[j:, k]
            L_bar[j:, k] -= L_bar[j:, j] * L[j, k]
    return 2 * np.sum(np.log(np.diag(L))), L_bar


def trajectory(x, W):
    states = []
    for _ in range(5):
        x = np.tanh(W @ x)
        states.append(x)
    return np.sum(np.stack(states) ** 2)


def trajectory_value_and_grad(x, W):
    states = [x]
    for _ in range(5):
        states.append(np.tanh(W @ states[-1]))
    value = np.sum(np.stack(states[1:]) ** 2)
    W_bar, x_bar = np.zeros_like(W), np.zeros_like(x)
    while len(states) > 1:
        after = states.pop()
        x_bar += 2 * after
        z_bar = x_bar * (1 - after * after)
        W_bar += np.outer(z_bar, states[-1])
        x_bar = W.T @ z_bar
    return value, (x_bar, W_bar)


def row_norms(A, target):
    B = A.copy()
    for row in B:
        row /= np.sqrt(np.sum(row**2))
    return np.sum(B * target)


def row_norms_value_and_grad(A, target):
    B = A.copy()
    norms = []
    for row in B:
        norm = np.sqrt(np.sum(row**2))
        norms.append(norm)
        row /= norm
    A_bar = target.copy()
    for i in range(len(A)):
        A_bar[i] = (A_bar[i] - (A_bar[i] @ B[i]) * B[i]) / norms[i]
    return np.sum(B * target), A_bar


def momentum(w, X, y):
    state = {"w": w, "v": np.zeros_like(w)}
    for _ in range(10):
        error = X @ state["w"] - y
        state["v"] = 0.5 * state["v"] - 0.01 * (X.T @ error)
        state["w"] = state["w"] + state["v"]
    return np.sum((X @ state["w"] - y) ** 2)


def momentum_value_and_grad(w, X, y):
    v = np.zeros_like(w)
    for _ in range(10):
        v = 0.5 * v - 0.01 * (X.T @ (X @ w - y))
        w = w + v
    error = X @ w - y
    w_bar, v_bar = 2 * (X.T @ error), np.zeros_like(w)
    for _ in range(10):
        v_bar += w_bar
        w_bar = w_bar - X.T @ (X @ (0.01 * v_bar))
        v_bar *= 0.5
    return np.sum(error**2), w_bar


def soft_iteration(x, rate):
    for k in range(100):
        step = rate * np.sin(x)
        if np.max(np.abs(step)) < 1e-3:
            break
        x = x - step
    return np.sum(x)


def soft_iteration_value_and_grad(x, rate):
    points = []
    for _ in range(100):
        step = rate * np.sin(x)
        if np.max(np.abs(step)) < 1e-3:
            break
        points.append(x)
        x = x - step
    x_bar, rate_bar = np.ones_like(x), 0.0
    for point in reversed(points):
        rate_bar -= np.sum(x_bar * np.sin(point))
        x_bar = x_bar - x_bar * rate * np.cos(point)
    return np.sum(x), (x_bar, rate_bar)


def _spread(rng, *shape):
    return rng.uniform(0.5, 1.5, shape)


def _positive_definite(rng, n):
    root = rng.standard_normal((n, n))
    return root @ root.T + n * np.eye(n)


DERIVATIONS = (
    Workload("Horner", horner, horner_value_and_grad, lambda rng: (_spread(rng, 6), 0.7), "x"),
    Workload("Newton's root", newton_root, newton_root_value_and_grad, lambda rng: (2.7,), "a"),
    Workload(
        "low-pass filter",
        low_pass,
        low_pass_value_and_grad,
        lambda rng: (_spread(rng, 8), _spread(rng, 8), 0.3),
        ("x", "alpha"),
    ),
    Workload(
        "wave equation", wave, wave_value_and_grad, lambda rng: (_spread(rng, 9), 0.2, 6), ("u", "speed")
    ),
    Workload(
        "leaky by mask",
        leaky,
        leaky_value_and_grad,
        lambda rng: (_spread(rng, 8) - 1.03, 0.1),
        ("x", "slope"),
    ),
    Workload(
        "binned sums",
        binned,
        binned_value_and_grad,
        lambda rng: (_spread(rng, 7), np.array([0, 2, 2, 1, 0, 2, 3]), _spread(rng, 7), 5),
        "weights",
    ),
    Workload("early exit", early_exit, early_exit_value_and_grad, lambda rng: (_spread(rng, 9), 3.3), "x"),
    Workload(
        "log-determinant by Cholesky",
        cholesky_log_determinant,
        cholesky_log_determinant_value_and_grad,
        lambda rng: (_positive_definite(rng, 5),),
        "A",
    ),
    Workload(
        "trajectory",
        trajectory,
        trajectory_value_and_grad,
        lambda rng: (_spread(rng, 4), rng.standard_normal((4, 4)) / 2),
        ("x", "W"),
    ),
    Workload(
        "row norms",
        row_norms,
        row_norms_value_and_grad,
        lambda rng: (_spread(rng, 4, 3), _spread(rng, 4, 3)),
        "A",
    ),
    Workload(
        "momentum",
        momentum,
        momentum_value_and_grad,
        lambda rng: (_spread(rng, 4), _spread(rng, 6, 4), _spread(rng, 6)),
        "w",
    ),
    Workload(
        "soft iteration",
        soft_iteration,
        soft_iteration_value_and_grad,
        lambda rng: (_spread(rng, 6), 0.5),
        ("x", "rate"),
    ),
)
