"""Times that can be compared on a busy machine.

Enters: functions of no arguments.  Leaves: medians over short blocks that were run in turns, in seconds per
call.  Invariant: two functions are only ever compared through blocks that ran right after one another.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

Call = Callable[[], Any]

BLOCK_SECONDS = 0.002
LEAST_PAIRS = 15


@dataclass(frozen=True)
class Comparison:
    """Medians over pairs of blocks, in seconds per call; `spread` holds the quartiles of the ratio."""

    ours: float
    reference: float
    ratio: float
    difference: float
    spread: tuple[float, float]
    pairs: int


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def block(call: Call, repeats: int) -> float:
    """Seconds per call over `repeats` calls."""
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats


def repeats_for(call: Call) -> int:
    """As many calls as fill a block."""
    call()
    repeats = 1
    while (seconds := block(call, repeats) * repeats) < BLOCK_SECONDS / 2:
        repeats *= 2
    return max(1, round(repeats * BLOCK_SECONDS / seconds))


def compare(ours: Call, reference: Call, seconds: float = 2.0) -> Comparison:
    """Run both in turns for about `seconds`, each first in every other pair."""
    repeats = max(repeats_for(ours), repeats_for(reference))
    pairs: list[tuple[float, float]] = []
    end = time.perf_counter() + seconds
    with no_garbage_collection():
        while len(pairs) < LEAST_PAIRS or time.perf_counter() < end:
            if len(pairs) % 2:
                second = block(reference, repeats)
                first = block(ours, repeats)
            else:
                first = block(ours, repeats)
                second = block(reference, repeats)
            pairs.append((first, second))
    times = np.array(pairs)
    ratios = times[:, 0] / times[:, 1]
    low, high = np.quantile(ratios, (0.25, 0.75))
    return Comparison(
        ours=float(np.median(times[:, 0])),
        reference=float(np.median(times[:, 1])),
        ratio=float(np.median(ratios)),
        difference=float(np.median(times[:, 0] - times[:, 1])),
        spread=(float(low), float(high)),
        pairs=len(pairs),
    )
