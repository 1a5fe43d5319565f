"""What a gradient through a loop keeps: peak memory with and without `symdiff.checkpoint`.

Enters: nothing.  Leaves: rows of peaks, in saved states.  Invariant: a peak is that of the second call, the
arguments and the result not counted; both ways of writing the loop give the same gradient.
"""

from __future__ import annotations

import ast
import gc
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

import symdiff

Row = dict[str, Any]

STATE = 100  # numbers in a state
SQUARE_ROOT_FACTOR = 4.0  # states kept at once, in units of the square root of the trip count

WARM_ROUNDS = 10_000  # of the call before the one that is measured


def plain_loop(x, n):
    for _ in range(n):
        x = x + 0.01 * np.sin(x)
    return np.sum(x**2)


def checkpointed_loop(x, n):
    for _ in symdiff.checkpoint(range(n)):
        x = x + 0.01 * np.sin(x)
    return np.sum(x**2)


def block(x):
    """A dozen intermediate values, each read again on the way back."""
    a = np.sin(x) * 1.1
    b = np.tanh(a) * a
    c = np.exp(-b * b)
    d = np.sqrt(1.0 + c * c)
    e = np.cos(d) * c
    f = np.tanh(e) * e
    return x + 0.01 * f


def through_blocks(step: Callable[..., Any]) -> Callable[..., Any]:
    def blocks(x, n):
        for _ in range(n):
            x = step(x)
        return np.sum(x**2)

    return blocks


def peak_states(function: Callable[..., Any], n: int) -> Row:
    """The peak of one gradient over `n` steps, in states of `STATE` numbers, and its seconds."""
    x = np.linspace(0.1, 1.0, STATE)
    derivative = symdiff.value_and_grad(function, wrt="x")
    derivative(x, min(n, WARM_ROUNDS))
    gc.collect()
    tracemalloc.start()
    try:
        before, start = tracemalloc.get_traced_memory()[0], time.perf_counter()
        value, gradient = derivative(x, n)
        seconds, peak = time.perf_counter() - start, tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    return {"n": n, "states": peak / (8 * STATE + 112), "seconds": seconds, "result": (value, gradient)}


def checkpointing(sizes: tuple[int, ...] = (100, 10_000, 1_000_000), plain_up_to: int = 10_000) -> Row:
    """Peaks of the marked loop at all sizes, of the plain one where it fits."""
    rows = []
    for n in sizes:
        marked = peak_states(checkpointed_loop, n)
        plain = peak_states(plain_loop, n) if n <= plain_up_to else None
        rows.append(
            {
                "n": n,
                "states": marked["states"],
                "seconds": marked["seconds"],
                "plain states": plain and plain["states"],
                "plain seconds": plain and plain["seconds"],
                "same": plain is None or same(marked["result"], plain["result"]),
                "met": marked["states"] <= SQUARE_ROOT_FACTOR * n**0.5 + 20,
            }
        )
    return {"rows": rows, "met": all(row["met"] and row["same"] for row in rows)}


def same(one: Any, other: Any) -> bool:
    return all(np.allclose(a, b, rtol=1e-12, atol=0.0) for a, b in zip(one, other, strict=True))


def checkpointed_function(n: int = 200) -> Row:
    """A loop over a block of many intermediate values: marked, only the blocks' arguments are kept."""
    plain = peak_states(through_blocks(block), n)
    marked = peak_states(through_blocks(symdiff.checkpoint(block)), n)
    return {
        "n": n,
        "states": marked["states"],
        "plain states": plain["states"],
        "same": same(marked["result"], plain["result"]),
        "met": marked["states"] <= n + 40 and same(marked["result"], plain["result"]),
    }


# --- loops whose reverse reads nothing of the way forward ---------------------------------------------------


def linear_stencil(A, sweeps):
    for _ in range(sweeps):
        A[1:-1, 1:-1] = 0.2 * (A[1:-1, 1:-1] + A[:-2, 1:-1] + A[2:, 1:-1] + A[1:-1, :-2] + A[1:-1, 2:])
    return np.sum(A)


def linear_two_arrays(A, sweeps):
    B = A.copy()
    for _ in range(sweeps):
        B[1:-1] = 0.25 * (A[:-2] + 2 * A[1:-1] + A[2:])
        A[1:-1] = 0.25 * (B[:-2] + 2 * B[1:-1] + B[2:])
    return np.sum(A + B)


def linear_decay(A, sweeps):
    v = np.zeros_like(A)
    for _ in range(sweeps):
        v = 0.9 * v - 0.1 * A
        A = A + v
    return np.sum(A)


def quadratic_at_the_end(A, sweeps):
    """The loop is linear; the loss reads its result once."""
    for _ in range(sweeps):
        A[1:-1] = 0.5 * A[1:-1] + 0.25 * (A[:-2] + A[2:])
    return np.sum(A**2)


LINEAR_LOOPS = (linear_stencil, linear_two_arrays, linear_decay, quadratic_at_the_end)


def keeps(source: str) -> list[str]:
    """The statements of a generated module that keep something in every round of a loop."""
    found = []
    for loop in ast.walk(ast.parse(source)):
        if isinstance(loop, ast.For | ast.While):
            counters = {
                node.id for node in ast.walk(getattr(loop, "target", loop)) if isinstance(node, ast.Name)
            }
            counters = counters if isinstance(loop, ast.For) else set()
            found += [ast.unparse(node) for node in ast.walk(loop) if _keeps(node, counters)]
    return list(dict.fromkeys(found))


def _keeps(node: ast.AST, counters: set[str]) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr in ("append", "pop")
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
        index = node.targets[0].slice
        return any(isinstance(part, ast.Name) and part.id in counters for part in ast.walk(index))
    return False


def saves_nothing(function: Callable[..., Any]) -> Row:
    """Nothing is kept in a round, by the text; and ten times the rounds need no more memory."""
    shape = (40, 40) if function is linear_stencil else (1600,)
    A = np.random.default_rng(0).standard_normal(shape)
    derivative = symdiff.grad(function, wrt="A")
    source = derivative.source_for(A, 50)
    peaks = []
    for sweeps in (50, 500):
        derivative(A, sweeps)
        gc.collect()
        tracemalloc.start()
        try:
            derivative(A, sweeps)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    kept = keeps(source)
    return {
        "loop": function.__name__,
        "kept": kept,
        "peaks": peaks,
        "met": not kept and peaks[1] <= peaks[0] + 2000,
    }
