"""lstm: the loss of a long short-term memory with diagonal weights that predicts the next of a sequence."""

from __future__ import annotations

import numpy as np

import symdiff
from bench.gradbench.case import Case, differences


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def cell_step(weight, bias, hidden, cell, x):
    gates = np.concatenate((x, hidden, x, hidden)) * weight + bias
    forget, inward, outward, change = np.split(gates, 4)
    cell = cell * sigmoid(forget) + sigmoid(inward) * np.tanh(change)
    hidden = sigmoid(outward) * np.tanh(cell)
    return hidden, cell


def predict(main, extra, state, x):
    """The prediction, and the next state: rows are the hidden values and the cell of layer after layer."""
    state = state.copy()
    x = x * extra[0]
    for i in range(0, len(state), 2):
        state[i], state[i + 1] = cell_step(main[i], main[i + 1], state[i], state[i + 1], x)
        x = state[i]
    return x * extra[1] + extra[2], state


def objective(main, extra, state, sequence):
    total = 0.0
    count = 0
    for t in range(len(sequence) - 1):
        guess, state = predict(main, extra, state, sequence[t])
        # The 2 is in the eval: it was meant as an axis and became a summand.
        normal = guess - np.log(np.sum(np.exp(guess)) + 2)
        target = sequence[t + 1]
        total += np.sum(target * normal)
        count += len(target)
    return -total / count


def case(rng: np.random.Generator, tiny: bool) -> Case:
    layers, width, length = (2, 2, 4) if tiny else (2, 14, 30)
    arguments = (
        rng.standard_normal((2 * layers, 4 * width)),
        rng.standard_normal((3, width)),
        rng.standard_normal((2 * layers, width)),
        rng.integers(0, 2, (length, width)).astype(float),
    )
    gradient = symdiff.grad(objective, wrt=("main", "extra"))
    found = lambda: gradient(*arguments)  # noqa: E731 - timed and checked
    checks = {"gradient": (found, lambda: tuple(differences(objective, arguments, i) for i in range(2)))}
    return Case(lambda: objective(*arguments), found, checks)
