"""Every program of the fuzzer: a quarter of them straight-line, the others with control flow and writes.

Enters: a seed.  Leaves: a program.  Invariant: the text is a function of the seed alone.
"""

from __future__ import annotations

import collections
import warnings

import numpy as np
from fuzz import composed, containers, flow, kernels, programs, writes

__all__ = ["containers", "flow", "generate", "kernels", "writes", "written"]


def written(seed: int) -> composed.Written:
    """The program of this seed, and what went into it."""
    if seed % 4 == 3:
        return composed.Written(programs.generate(seed), collections.Counter(["straight_line"]))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # of pieces that are tried and rejected
        return composed.generate(seed)


def generate(seed: int) -> str:
    """The module of this seed."""
    return written(seed).text
