"""How many of the 48 NPBench programs with float data are differentiated, how right and at what cost.

    python -m bench npbench --checkout PATH [--only NAME] [--time] [--json FILE]

Enters: the path of a clone of https://github.com/spcl/npbench.  Leaves: a printed table and a dict of the
same for JSON, in seconds.  Invariant: the programs are imported from the clone, unmodified, each in a process
of its own with a time limit (`bench.npbench_worker`, which also says what is checked and how).

status: ok; refused, with the first line of the error; WRONG, with what is wrong; crashed, where the error is
not one that symdiff raises on purpose; timeout.  error: the largest of a dozen random directions.  ratio: the
time of value and gradient over that of the program, single calls in turns, at preset S.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
Row = dict[str, Any]


def names(checkout: Path, only: str) -> list[str]:
    found = sorted(path.stem for path in (checkout / "bench_info").glob("*.json"))
    if not found:
        raise SystemExit(f"{checkout} is not a clone of NPBench: it has no bench_info/*.json.")
    return [name for name in found if only in name]


def in_a_process(name: str, checkout: Path, timed: bool, limit: float, tool: str) -> Row:
    command = [sys.executable, "-m", "bench.npbench_worker", name, "--checkout", str(checkout.resolve())]
    command += ["--tool", tool] + ["--time"] * timed
    # A second thread in matrix products would be measured on one side of a ratio only by chance.
    environment = {"OPENBLAS_NUM_THREADS": "1", **os.environ}
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=limit
        )
    except subprocess.TimeoutExpired:
        return {"program": name, "status": "timeout", "note": f"no answer within {limit:.0f} s"}
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        note = lines[-1] if lines else f"exit code {done.returncode}"
        return {"program": name, "status": "crashed", "note": note, "report": done.stderr}
    row: Row = json.loads(done.stdout.splitlines()[-1])
    return row


def shown(row: Row) -> str:
    error = row.get("error")
    times = row.get("time")
    measured = (
        f"{times['primal'] * 1e3:9.2f} {times['value and gradient'] * 1e3:9.2f} {times['ratio']:7.2f}"
        if times
        else " " * 27
    )
    precise = "       -" if error is None else f"{error:8.1e}"
    return f"{row['program']:25s} {row['status']:14s} {precise} {measured}  {row.get('note', '')}".rstrip()


def summary(rows: list[Row]) -> Row:
    counted = Counter(row["status"] for row in rows)
    without = [row["program"] for row in rows if row["status"] == "no float array"]
    ratios = [row["time"]["ratio"] for row in rows if "time" in row]
    return {
        "programs": len(rows) - len(without),
        "counts": {status: count for status, count in counted.items() if status != "no float array"},
        "no float array": without,
        "median ratio": statistics.median(ratios) if ratios else None,
    }


def show_summary(found: Row) -> None:
    counts = ", ".join(f"{count} {status}" for status, count in sorted(found["counts"].items()))
    print(f"\n{found['programs']} programs with a float or complex array: {counts}")
    if found["no float array"]:
        print(f"without one: {', '.join(found['no float array'])}")
    if found["median ratio"]:
        print(f"median of the ratios: {found['median ratio']:.2f}")


def run(checkout: Path, only: str, timed: bool, limit: float = 120.0, tool: str = "symdiff") -> Row:
    """Measure, print as results come in, and return everything for `--json`."""
    heading = "   primal  with gradient ratio" if timed else ""
    print(f"{'program':25s} {'status':14s} {'error':>8s} {heading}{' (ms)' * timed}")
    rows = []
    for name in names(checkout, only):
        rows.append(in_a_process(name, checkout, timed, limit, tool))
        print(shown(rows[-1]), flush=True)
    found = summary(rows)
    show_summary(found)
    return {"programs": rows, "summary": found}
