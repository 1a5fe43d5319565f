"""The figures of part 1: speed against hand-derived NumPy, dispatch, cold and warm starts.

Enters: `bench.workloads`.  Leaves: a printed table, and a dict of the same for JSON, in seconds.  Invariant:
results are compared with the hand derivation before anything is timed.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from bench.timing import compare
from bench.workloads import VARIANTS, WORKLOADS, Workload

ROOT = Path(__file__).resolve().parent.parent

RATIO_LIMIT = 1.10
DISPATCH_LIMIT = 1.5e-6
COLD_LIMIT = 0.150
IMPORT_LIMIT = 0.030
FIRST_GRADIENT_LIMIT = 0.015

Row = dict[str, Any]


def differentiated(workload: Workload) -> Any:
    from symdiff import differentiate  # here, so that `--help` and the peers work without it

    return differentiate(workload.function, wrt=workload.wrt, backend="numpy")


def assert_same(ours: Any, hand: Any) -> None:
    """Values and gradients agree, entry by entry, relative to the largest entry of each."""
    (value, gradient), (hand_value, hand_gradient) = ours, hand
    if not isinstance(gradient, tuple):
        gradient, hand_gradient = (gradient,), (hand_gradient,)
    for mine, by_hand in zip((value, *gradient), (hand_value, *hand_gradient), strict=True):
        scale = float(np.max(np.abs(by_hand)))
        np.testing.assert_allclose(mine, by_hand, rtol=1e-9, atol=1e-12 * scale)


def against_hand(workload: Workload, seconds: float) -> Row:
    """`value_and_grad` of symdiff against the hand derivation, in turns in this process."""
    arguments = workload.arguments(np.random.default_rng(0))
    ours = differentiated(workload).value_and_grad
    assert_same(ours(*arguments), workload.value_and_grad(*arguments))
    measured = compare(lambda: ours(*arguments), lambda: workload.value_and_grad(*arguments), seconds)
    return {
        "workload": workload.name,
        "symdiff": measured.ours,
        "hand": measured.reference,
        "ratio": measured.ratio,
        "quartiles": measured.spread,
        "pairs": measured.pairs,
        "met": measured.ratio <= RATIO_LIMIT,
    }


def dispatch(seconds: float) -> Row:
    """What a call costs beyond the generated function itself, for four array arguments."""
    workload = WORKLOADS[0]
    arguments = workload.arguments(np.random.default_rng(0))
    ours = differentiated(workload).value_and_grad
    generated = ours.compiled_for(*arguments)
    measured = compare(lambda: ours(*arguments), lambda: generated(*arguments), seconds)
    return {
        "call": measured.ours,
        "generated": measured.reference,
        "dispatch": measured.difference,
        "met": measured.difference <= DISPATCH_LIMIT,
    }


def fresh(kind: str, cache: str) -> dict[str, Any]:
    environment = {**os.environ, "SYMDIFF_CACHE_DIR": cache}
    # Byte code is kept between starts, as it is wherever the package is installed.
    for variable in ("SYMDIFF_CACHE", "SYMDIFF_BACKEND", "PYTHONDONTWRITEBYTECODE"):
        environment.pop(variable, None)
    command = [sys.executable, "-m", "bench.fresh", kind]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[1:])} failed:\n{done.stderr}")
    return dict(json.loads(done.stdout))


def starts(repeats: int = 5) -> Row:
    """Medians over new processes: cold with an empty cache, warm with the cache that a cold one left."""
    cold, warm = [], []
    with tempfile.TemporaryDirectory() as folder:
        for k in range(repeats + 1):
            cache = os.path.join(folder, str(k))
            os.mkdir(cache, mode=0o700)
            cold.append(fresh("cold", cache))
            warm.append(fresh("warm", cache))
    # The first of each compiled the byte code of the package itself.
    generation = statistics.median(run["first gradient"] for run in cold[1:])
    importing = statistics.median(run["import"] for run in warm[1:])
    first = statistics.median(run["first gradient"] for run in warm[1:])
    loaded = sorted({name for run in warm for name in run["loaded"]})
    return {
        "cold generation": generation,
        "cold met": generation <= COLD_LIMIT,
        "warm import": importing,
        "import met": importing <= IMPORT_LIMIT,
        "warm first gradient": first,
        "first gradient met": first <= FIRST_GRADIENT_LIMIT,
        "warm modules loaded": loaded,
        "modules met": not loaded,
    }


def machine() -> Row:
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "system": platform.system(),
        "architecture": platform.machine(),
        "cpus": os.cpu_count(),
    }


def microseconds(seconds: float) -> str:
    return f"{seconds * 1e6:,.1f} µs"


def verdict(met: bool) -> str:
    return "" if met else "  MISSED"


def show_ratio(row: Row) -> None:
    low, high = row["quartiles"]
    print(
        f"{row['workload']:36s} {microseconds(row['hand']):>14s} {microseconds(row['symdiff']):>14s}"
        f"   {row['ratio']:.3f}  ({low:.3f} - {high:.3f}){verdict(row['met'])}",
        flush=True,
    )


def show_dispatch(row: Row) -> None:
    print(
        f"dispatch, four array arguments: {row['dispatch'] * 1e9:,.0f} ns"
        f" (limit {DISPATCH_LIMIT * 1e9:,.0f});"
        f" {microseconds(row['call'])} a call, {microseconds(row['generated'])} the generated function"
        f"{verdict(row['met'])}",
        flush=True,
    )


def show_starts(row: Row) -> None:
    for label, key, limit, met in (
        ("cold: 20 lines generated, beyond SymPy", "cold generation", COLD_LIMIT, "cold met"),
        ("warm: import symdiff, beyond NumPy", "warm import", IMPORT_LIMIT, "import met"),
        ("warm: first gradient", "warm first gradient", FIRST_GRADIENT_LIMIT, "first gradient met"),
    ):
        print(f"{label:40s} {row[key] * 1e3:7.1f} ms (limit {limit * 1e3:.0f}){verdict(row[met])}")
    loaded = ", ".join(row["warm modules loaded"]) or "neither sympy nor jinja2"
    print(f"{'warm: modules loaded':40s} {loaded}{verdict(row['modules met'])}", flush=True)


def run(seconds: float, peers: bool, only: str) -> dict[str, Any]:
    """Measure, print as results come in, and return everything for `--json`."""
    workloads = [workload for workload in WORKLOADS if only in workload.name]
    variants = [workload for workload in VARIANTS if only in workload.name]
    report: dict[str, Any] = {"machine": machine(), "limit": RATIO_LIMIT, "workloads": [], "peers": []}
    print(
        f"{'value_and_grad':36s} {'by hand':>14s} {'symdiff':>14s}   ratio (quartiles), limit {RATIO_LIMIT}"
    )
    for workload in (*workloads, *variants):
        row = against_hand(workload, seconds)
        report["workloads"].append(row)
        show_ratio(row)
    if not only:
        report["dispatch"] = dispatch(seconds)
        print()
        show_dispatch(report["dispatch"])
        report["starts"] = starts()
        show_starts(report["starts"])
    if peers:
        from bench.peers import show_peers

        print()
        report["peers"] = show_peers(only, seconds / 2)
    return report
