"""An island that was replaced by something that contains it: no endless recursion."""

import math
from collections import namedtuple
from dataclasses import dataclass

import numpy as np

SHIFT = 0.7
TABLE = np.array([0.5, -1.0])
FLAG = False
MODE = 'relu'
Pair = namedtuple("Pair", "first second")


@dataclass
class Cell:
    w: object
    b: object
    name: str = "cell"


def picked(u, i=0):
    row, rest = u[i], u[1:]
    return row * 2 + 0 * np.sum(rest)


def power(u, n=3):
    out = 1.0
    for _ in range(n):
        out = out * u
    return out


half = lambda v: v / 2


def squash(u, gain=0.5):
    """Between -gain and gain, nearly."""
    v = np.tanh(u) * gain
    return v + 0.1 * u


WRT = ('w', 'match', 'type')


def f(match, w, pullback, type):
    mean = (np.arcsin(0.7 * np.sin(match))).prod(axis=-1)
    mask = power(np.sin(TABLE * w), n=4)
    x_bar = (TABLE * TABLE)[...]
    c = np.clip(mask, -0.5, 0.5).dot(x_bar)
    mean, s = (np.broadcast_to(c, (2, *c.shape)))[pullback], np.fmin(c, x_bar)
    t, w = np.broadcast_to(np.positive(c), (2, 1)), c - c
    h = mask.shape[0] - (s - s)
    t1 = np.tanh(t)
    loss = np.mean((np.float_power(2 + np.sin(half(half(t1))), np.sum(h, axis=-1, keepdims=True) * h)) * (np.float_power(2 + np.sin(half(half(t1))), np.sum(h, axis=-1, keepdims=True) * h))) + np.mean((h - 1.0) ** 2)
    return loss


def arguments():
    r = np.random.default_rng(889)
    match = r.uniform(-1.5, 1.5, (3, 1))
    w = r.uniform(-1.5, 1.5, (1, 1))
    pullback = np.array([-1, 0])
    type = match
    return (match, w, pullback, type,)
