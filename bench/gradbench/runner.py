"""Differentiate, validate and time the twelve evals: one line each.

Enters: the modules of the evals.  Leaves: printed lines and a dict of the same for JSON, in seconds.  The
error is relative to the largest entry; the ratio is that of the eval's derivative to its primal.
"""

from __future__ import annotations

import time
from importlib import import_module
from typing import Any

import numpy as np

from bench.gradbench.case import ACCURACY, Case, error
from bench.timing import compare
from symdiff import SymdiffError

EVALS = ("hello", "gmm", "ba", "ht", "lstm", "kmeans", "det", "lse", "ode", "particle", "saddle", "llsq")
SEED = 31337
Row = dict[str, Any]


def case_of(name: str, tiny: bool = False) -> Case:
    case: Case = import_module(f"bench.gradbench.{name}").case(np.random.default_rng(SEED), tiny)
    return case


def checked(case: Case, name: str) -> float:
    found, expected = case.checks[name]
    return error(found(), expected())


def problem_of(case: Case, name: str) -> tuple[float, str]:
    """The error of a check and what is wrong with it, if anything is."""
    try:
        found = checked(case, name)
    except SymdiffError as refusal:
        return 0.0, f"{name} refused: {refusal}"
    except Exception as crash:  # one variant must not end the run of the others
        return 0.0, f"{name} crashed: {type(crash).__name__}: {crash}"
    return found, "" if found <= ACCURACY else f"{name} WRONG"


def row_of(name: str, seconds: float) -> Row:
    start = time.perf_counter()
    try:
        case = case_of(name)
        case.gradient()
        generation = time.perf_counter() - start
    except SymdiffError as refusal:
        return {"eval": name, "status": "refused", "note": str(refusal)}
    except Exception as crash:  # one eval must not end the run of the others
        return {"eval": name, "status": "crashed", "note": f"{type(crash).__name__}: {crash}"}
    results = [problem_of(case, check) for check in case.checks]
    problems = [problem for _, problem in results if problem]
    wrong = any(problem.endswith("WRONG") for problem in problems)
    status = "WRONG" if wrong else "partly" if problems else "ok"
    row = {"eval": name, "status": status, "error": max(found for found, _ in results), "problems": problems}
    timed = compare(case.gradient, case.primal, seconds)
    times = {
        "primal": timed.reference,
        "gradient": timed.ours,
        "ratio": timed.ratio,
        "first call": generation,
    }
    return {**row, "time": times}


def shown(row: Row) -> str:
    head = f"{row['eval']:10s} {row['status']:8s}"
    if "error" not in row:
        return f"{head} {' '.join(row['note'].split())[:160]}"
    times = row["time"]
    milliseconds = f"{times['primal'] * 1e3:10.3f} {times['gradient'] * 1e3:10.3f} {times['ratio']:8.2f}"
    line = f"{head} {row['error']:8.1e} {milliseconds} {times['first call']:10.2f}"
    refused = [" ".join(problem.split(":")[0].split()) for problem in row["problems"]]
    return "   ".join([line, *refused])


def run(seconds: float, only: str) -> Row:
    """Measure, print as results come in, and return everything for `--json`."""
    print(f"{'eval':10s} {'status':8s} {'error':>8s}    primal   gradient    ratio (ms) first call (s)")
    rows = []
    for name in EVALS:
        if only in name:
            rows.append(row_of(name, seconds))
            print(shown(rows[-1]), flush=True)
    return {"evals": rows}
