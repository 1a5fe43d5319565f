"""A function of twenty lines, to time the compiler on."""

import numpy as np


def subject(W1, b1, W2, b2, gain, offset, x, target, decay):
    first = x @ W1 + b1
    hidden = np.tanh(first)
    centre = np.mean(hidden, axis=1, keepdims=True)
    centred = hidden - centre
    variance = np.mean(centred**2, axis=1, keepdims=True)
    normal = centred / np.sqrt(variance + 1e-5)
    scaled = normal * gain + offset
    gate = 1 / (1 + np.exp(-scaled))
    gated = scaled * gate
    scores = gated @ W2 + b2
    shifted = scores - np.max(scores, axis=1, keepdims=True)
    exps = np.exp(shifted)
    total = np.sum(exps, axis=1, keepdims=True)
    log_p = shifted - np.log(total)
    cross_entropy = -np.mean(np.sum(target * log_p, axis=1))
    first_norm = np.sum(W1**2)
    second_norm = np.sum(W2**2)
    penalty = decay * (first_norm + second_norm)
    return cross_entropy + penalty


WRT = ("W1", "b1", "W2", "b2", "gain", "offset")


def arguments(rng):
    return (
        rng.standard_normal((6, 8)),
        np.zeros(8),
        rng.standard_normal((8, 3)),
        np.zeros(3),
        np.ones(8),
        np.zeros(8),
        rng.standard_normal((16, 6)),
        np.eye(3)[rng.integers(0, 3, 16)],
        0.01,
    )
