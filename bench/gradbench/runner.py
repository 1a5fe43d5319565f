"""Differentiate, validate and time the twelve evals: one line each.

Enters: the modules of the evals.  Leaves: printed lines and a dict of the same for JSON, in seconds.  The error
is relative to the largest entry; the ratio is the time of the eval's derivative over that of its primal.
"""

from __future__ import annotations

import time
from importlib import import_module
from typing import Any

import numpy as np

from bench.gradbench.case import Case, error
from bench.timing import compare
from symdiff import SymdiffError

EVALS = ("hello", "gmm", "ba", "ht", "lstm", "kmeans", "det", "lse", "ode", "particle", "saddle", "llsq")
SEED = 31337
Row = dict[str, Any]


def case_of(name: str, tiny: bool = False) -> Case:
    case: Case = import_module(f"bench.gradbench.{name}").case(np.random.default_rng(SEED), tiny)
    return case


def largest_error(case: Case) -> float:
    return max(error(found(), expected()) for found, expected in case.checks)


def row_of(name: str, seconds: float) -> Row:
    start = time.perf_counter()
    try:
        case = case_of(name)
        case.gradient()
        generation = time.perf_counter() - start
        found = largest_error(case)
    except SymdiffError as refusal:
        return {"eval": name, "status": "refused", "note": str(refusal)}
    except Exception as crash:  # one eval must not end the run of the others
        return {"eval": name, "status": "crashed", "note": f"{type(crash).__name__}: {crash}"}
    timed = compare(case.gradient, case.primal, seconds)
    row = {"eval": name, "status": "ok" if found <= case.accuracy else "WRONG", "error": found}
    times = {"primal": timed.reference, "gradient": timed.ours, "ratio": timed.ratio, "first call": generation}
    return {**row, "time": times}


def shown(row: Row) -> str:
    head = f"{row['eval']:10s} {row['status']:8s}"
    if "error" not in row:
        return f"{head} {row['note'].splitlines()[0]}"
    times = row["time"]
    milliseconds = f"{times['primal'] * 1e3:10.3f} {times['gradient'] * 1e3:10.3f} {times['ratio']:8.2f}"
    return f"{head} {row['error']:8.1e} {milliseconds} {times['first call']:10.2f}"


def run(seconds: float, only: str) -> Row:
    """Measure, print as results come in, and return everything for `--json`."""
    print(f"{'eval':10s} {'status':8s} {'error':>8s}    primal   gradient    ratio (ms) first call (s)")
    rows = []
    for name in EVALS:
        if only in name:
            rows.append(row_of(name, seconds))
            print(shown(rows[-1]), flush=True)
    return {"evals": rows}
