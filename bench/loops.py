"""Programs with loops, branches and writes, each next to the gradient an expert derived for it by hand.

Enters: nothing.  Leaves: `LOOPS` and the stricter `LOOP_VARIANTS`, rows as in `bench.workloads`; the plain
functions that `bench.part2` takes apart.  Invariant: a `function` is what a NumPy user writes; its
`value_and_grad` runs the same loop forward, keeps what the way back reads and no more, and accumulates in
place.  `hand_check` compares every one with finite differences on a small case.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from bench.slopes import along, direction_like, moved, slope
from bench.workloads import Arguments, Workload

# --- a tanh recurrent network: 100 steps, batch 32, hidden 64 -----------------------------------------------


def recurrent(W, U, b, h, x):
    for t in range(x.shape[0]):
        h = np.tanh(x[t] @ W + h @ U + b)
    return np.mean(h**2)


def recurrent_value_and_grad(W, U, b, h, x):
    steps = x.shape[0]
    hs = np.empty((steps + 1, *h.shape))
    hs[0] = h
    for t in range(steps):
        hs[t + 1] = np.tanh(x[t] @ W + hs[t] @ U + b)
    last = hs[steps]
    value = np.mean(last**2)
    W_bar, U_bar, b_bar = np.zeros_like(W), np.zeros_like(U), np.zeros_like(b)
    h_bar = (2 / last.size) * last
    for t in reversed(range(steps)):
        z_bar = h_bar * (1 - hs[t + 1] ** 2)
        W_bar += x[t].T @ z_bar
        U_bar += hs[t].T @ z_bar
        b_bar += z_bar.sum(axis=0)
        h_bar = z_bar @ U.T
    return value, (W_bar, U_bar, b_bar, h_bar)


def recurrent_cosh_value_and_grad(W, U, b, h, x):
    """As above with all digits where tanh is near one: 1 / cosh(z)**2 in place of 1 - tanh(z)**2."""
    steps = x.shape[0]
    hs, zs = np.empty((steps + 1, *h.shape)), np.empty((steps, *h.shape))
    hs[0] = h
    for t in range(steps):
        zs[t] = x[t] @ W + hs[t] @ U + b
        np.tanh(zs[t], out=hs[t + 1])
    last = hs[steps]
    value = np.mean(last**2)
    W_bar, U_bar, b_bar = np.zeros_like(W), np.zeros_like(U), np.zeros_like(b)
    h_bar = (2 / last.size) * last
    for t in reversed(range(steps)):
        z_bar = h_bar / np.cosh(zs[t]) ** 2
        W_bar += x[t].T @ z_bar
        U_bar += hs[t].T @ z_bar
        b_bar += z_bar.sum(axis=0)
        h_bar = z_bar @ U.T
    return value, (W_bar, U_bar, b_bar, h_bar)


def recurrent_buffered_value_and_grad(W, U, b, h, x):
    """No array is allocated inside a loop but the sums over the batch."""
    steps = x.shape[0]
    hs = np.empty((steps + 1, *h.shape))
    hs[0] = h
    z, product = np.empty_like(h), np.empty_like(h)
    for t in range(steps):
        np.matmul(x[t], W, out=z)
        z += np.matmul(hs[t], U, out=product)
        z += b
        np.tanh(z, out=hs[t + 1])
    last = hs[steps]
    value = (last * last).sum() / last.size
    W_bar, U_bar, b_bar = np.zeros_like(W), np.zeros_like(U), np.zeros_like(b)
    W_part, U_part = np.empty_like(W), np.empty_like(U)
    h_bar = (2 / last.size) * last
    for t in reversed(range(steps)):
        np.multiply(hs[t + 1], hs[t + 1], out=z)
        np.subtract(1, z, out=z)
        z *= h_bar
        W_bar += np.matmul(x[t].T, z, out=W_part)
        U_bar += np.matmul(hs[t].T, z, out=U_part)
        b_bar += z.sum(axis=0)
        np.matmul(z, U.T, out=h_bar)
    return value, (W_bar, U_bar, b_bar, h_bar)


def recurrent_arguments(rng, steps=100, batch=32, hidden=64, features=32):
    W = rng.standard_normal((features, hidden)) / np.sqrt(features)
    U = rng.standard_normal((hidden, hidden)) / np.sqrt(hidden)
    b = 0.1 * rng.standard_normal(hidden)
    return W, U, b, rng.standard_normal((batch, hidden)), rng.standard_normal((steps, batch, features))


# --- a five-point stencil, in place: 150 x 150, 50 sweeps ---------------------------------------------------


def stencil(A, sweeps):
    for _ in range(sweeps):
        A[1:-1, 1:-1] = 0.2 * (A[1:-1, 1:-1] + A[:-2, 1:-1] + A[2:, 1:-1] + A[1:-1, :-2] + A[1:-1, 2:])
    return np.sum(A**2)


def stencil_value_and_grad(A, sweeps):
    A = A.copy()
    for _ in range(sweeps):
        A[1:-1, 1:-1] = 0.2 * (A[1:-1, 1:-1] + A[:-2, 1:-1] + A[2:, 1:-1] + A[1:-1, :-2] + A[1:-1, 2:])
    A_bar = 2 * A
    for _ in range(sweeps):
        g = 0.2 * A_bar[1:-1, 1:-1]
        A_bar[1:-1, 1:-1] = g
        A_bar[:-2, 1:-1] += g
        A_bar[2:, 1:-1] += g
        A_bar[1:-1, :-2] += g
        A_bar[1:-1, 2:] += g
    return np.sum(A**2), A_bar


def stencil_buffered_value_and_grad(A, sweeps):
    """No array is allocated inside a loop."""
    A = A.copy()
    inside, north, south = A[1:-1, 1:-1], A[:-2, 1:-1], A[2:, 1:-1]
    west, east = A[1:-1, :-2], A[1:-1, 2:]
    g = np.empty_like(inside)
    for _ in range(sweeps):
        np.add(inside, north, out=g)
        g += south
        g += west
        g += east
        np.multiply(0.2, g, out=inside)
    value = np.sum(A * A)
    A *= 2
    for _ in range(sweeps):
        np.multiply(0.2, inside, out=g)
        inside[:] = g
        north += g
        south += g
        west += g
        east += g
    return value, A


def stencil_arguments(rng, size=150, sweeps=50):
    return rng.standard_normal((size, size)), sweeps


# --- a scalar loop with a branch: 1000 steps of Python floats, each way taken every other time --------------


def branching(x, r, c, steps):
    total = 0.0
    for _ in range(steps):
        if x > c:
            x = r * x * (1.0 - x)
        else:
            x = 0.5 * (x + 1.0)
            total += 0.1 * x
        total += x * x
    return total / steps


def branching_value_and_grad(x, r, c, steps):
    total, xs = 0.0, [x]
    for _ in range(steps):
        if x > c:
            x = r * x * (1.0 - x)
        else:
            x = 0.5 * (x + 1.0)
            total += 0.1 * x
        xs.append(x)
        total += x * x
    mean_bar = 1.0 / steps
    x_bar = r_bar = 0.0
    for t in range(steps, 0, -1):
        x_bar += mean_bar * 2.0 * xs[t]
        before = xs[t - 1]
        if before > c:
            r_bar += x_bar * before * (1.0 - before)
            x_bar = x_bar * r * (1.0 - 2.0 * before)
        else:
            x_bar = 0.5 * (x_bar + 0.1 * mean_bar)
    return total / steps, (x_bar, r_bar)


def branching_arguments(rng, steps=1000):
    return 0.3 + 0.1 * float(rng.random()), 3.4, 0.6, steps


# --- the Lorenz system by Runge and Kutta: 1000 steps of a 3-vector -----------------------------------------


def lorenz(s, sigma, rho, beta):
    x, y, z = s
    return np.array([sigma * (y - x), x * (rho - z) - y, x * y - beta * z])


def trajectory(s, sigma, rho, beta, dt, steps):
    for _ in range(steps):
        k1 = lorenz(s, sigma, rho, beta)
        k2 = lorenz(s + dt / 2 * k1, sigma, rho, beta)
        k3 = lorenz(s + dt / 2 * k2, sigma, rho, beta)
        k4 = lorenz(s + dt * k3, sigma, rho, beta)
        s = s + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return np.sum(s**2)


def lorenz_vjp(s, k_bar, sigma, rho, beta):
    """The cotangents of the state and of the three parameters."""
    x, y, z = s
    a, b, c = k_bar
    s_bar = np.array([-sigma * a + (rho - z) * b + y * c, sigma * a - b + x * c, -x * b - beta * c])
    return s_bar, a * (y - x), b * x, -c * z


def trajectory_value_and_grad(s, sigma, rho, beta, dt, steps):
    saved = []
    for _ in range(steps):
        k1 = lorenz(s, sigma, rho, beta)
        s2 = s + dt / 2 * k1
        k2 = lorenz(s2, sigma, rho, beta)
        s3 = s + dt / 2 * k2
        k3 = lorenz(s3, sigma, rho, beta)
        s4 = s + dt * k3
        k4 = lorenz(s4, sigma, rho, beta)
        saved.append((s, s2, s3, s4))
        s = s + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    value = np.sum(s**2)
    s_bar = 2 * s
    sigma_bar = rho_bar = beta_bar = 0.0
    while saved:
        s1, s2, s3, s4 = saved.pop()
        k_bar = dt / 6 * s_bar
        s4_bar, p4, q4, r4 = lorenz_vjp(s4, k_bar, sigma, rho, beta)
        s3_bar, p3, q3, r3 = lorenz_vjp(s3, 2 * k_bar + dt * s4_bar, sigma, rho, beta)
        s2_bar, p2, q2, r2 = lorenz_vjp(s2, 2 * k_bar + dt / 2 * s3_bar, sigma, rho, beta)
        s1_bar, p1, q1, r1 = lorenz_vjp(s1, k_bar + dt / 2 * s2_bar, sigma, rho, beta)
        s_bar = s_bar + s1_bar + s2_bar + s3_bar + s4_bar
        sigma_bar += p1 + p2 + p3 + p4
        rho_bar += q1 + q2 + q3 + q4
        beta_bar += r1 + r2 + r3 + r4
    return value, (s_bar, float(sigma_bar), float(rho_bar), float(beta_bar))


def trajectory_arguments(rng, steps=1000):
    return np.array([1.0, 1.0, 20.0]) + rng.random(3), 10.0, 28.0, 8.0 / 3.0, 0.004, steps


LOOPS = (
    Workload(
        "tanh recurrent network, 100 steps",
        recurrent,
        recurrent_value_and_grad,
        recurrent_arguments,
        wrt=("W", "U", "b", "h"),
        insight="1 - tanh(z)**2 saves a cosh at the price of all digits for large z",
    ),
    Workload("five-point stencil, 50 sweeps", stencil, stencil_value_and_grad, stencil_arguments, wrt="A"),
    Workload(
        "branch on a float, 1000 steps",
        branching,
        branching_value_and_grad,
        branching_arguments,
        wrt=("x", "r"),
    ),
    Workload(
        "Runge-Kutta, 1000 steps",
        trajectory,
        trajectory_value_and_grad,
        trajectory_arguments,
        wrt=("s", "sigma", "rho", "beta"),
    ),
)

# Stricter standards, or other ones of the same worth.
LOOP_VARIANTS = (
    Workload(
        "recurrent network, all digits",
        recurrent,
        recurrent_cosh_value_and_grad,
        recurrent_arguments,
        wrt=("W", "U", "b", "h"),
    ),
    Workload(
        "recurrent network, tuned by hand",
        recurrent,
        recurrent_buffered_value_and_grad,
        recurrent_arguments,
        wrt=("W", "U", "b", "h"),
        insight="1 - tanh(z)**2 saves a cosh at the price of all digits for large z",
    ),
    Workload("stencil, tuned by hand", stencil, stencil_buffered_value_and_grad, stencil_arguments, wrt="A"),
)

# --- loops over the entries of an array: their reverse must cost as much per entry for every length ---------


def reading(x, y):
    total = 0.0
    for i in range(x.shape[0]):
        total += x[i] * x[i] * y[i]
    return total


def writing(x, y):
    z = np.zeros_like(x)
    for i in range(x.shape[0]):
        z[i] = x[i] * y[i]
    return np.sum(z**2)


def read_modify_write(x, y):
    z = x.copy()
    for i in range(x.shape[0]):
        z[i] *= y[i]
    return np.sum(z**2)


def recurrence(x, y):
    z = x.copy()
    for i in range(1, x.shape[0]):
        z[i] = z[i - 1] * y[i]
    return np.sum(z**2)


def writing_rows(x, y):
    """A vector operation on every row, written into place."""
    z = np.empty((x.shape[0], 4))
    for i in range(x.shape[0]):
        z[i, :] = x[i] * np.array([1.0, 2.0, 3.0, 4.0]) + y[i]
    return np.sum(z**2)


def entry_arguments(rng: np.random.Generator, n: int) -> Arguments:
    return rng.standard_normal(n), 1 + 0.01 * rng.standard_normal(n) / np.sqrt(n)


ENTRY_LOOPS = (reading, writing, read_modify_write, recurrence, writing_rows)

# --- finite differences of the derivations above ------------------------------------------------------------

SMALL: dict[str, dict[str, int]] = {
    "recurrent": {"steps": 4, "batch": 3, "hidden": 5, "features": 2},
    "stencil": {"size": 9, "sweeps": 6},
    "branching": {"steps": 40},
    "trajectory": {"steps": 60},
}


def hand_error(workload: Workload, directions: int = 5) -> float:
    """The largest error of a hand derivation along random directions, on a small case."""
    rng = np.random.default_rng(1)
    arguments: Arguments = workload.arguments(rng, **SMALL[workload.function.__name__])
    names = (workload.wrt,) if isinstance(workload.wrt, str) else workload.wrt
    positions = [workload.function.__code__.co_varnames.index(name) for name in names]
    value, gradients = workload.value_and_grad(*arguments)
    gradients = gradients if isinstance(gradients, tuple) else (gradients,)

    def shifted(steps, size):
        moved_ones = list(arguments)
        for position, direction in zip(positions, steps, strict=True):
            moved_ones[position] = moved(arguments[position], direction, size)
        return float(workload.function(*copies(moved_ones)))

    errors = [abs(value - workload.function(*copies(arguments)))]
    for _ in range(directions):
        chosen = [direction_like(arguments[position], rng) for position in positions]
        numeric, _ = slope(lambda size, chosen=chosen: shifted(chosen, size), step=2.0**-10)
        parts = [along(g, d) for g, d in zip(gradients, chosen, strict=True)]
        size = max(abs(numeric), float(np.hypot.reduce([part[1] for part in parts])))
        errors.append(abs(sum(part[0] for part in parts) - numeric) / size)
    return max(errors)


def copies(arguments: Iterable[Any]) -> list[Any]:
    """Programs that write into their arguments get their own."""
    return [value.copy() if isinstance(value, np.ndarray) else value for value in arguments]


def hand_check() -> dict[str, float]:
    """The errors of all hand derivations; raises AssertionError for one that is wrong."""
    errors = {workload.name: hand_error(workload) for workload in (*LOOPS, *LOOP_VARIANTS)}
    wrong = {name: error for name, error in errors.items() if not error < 1e-8}
    assert not wrong, f"hand derivations that finite differences contradict: {wrong}"
    return errors
