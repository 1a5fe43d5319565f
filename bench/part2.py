"""The figures of part 2: loops, branches and writes, their speed, memory and time to generate.

Enters: `bench.loops`, `bench.memory`, `bench.generation`.  Leaves: printed lines, and a dict of the same for
JSON, in seconds.  Invariant: the hand derivations are checked against finite differences, and our results
against theirs, before anything is timed; what symdiff refuses is reported and does not stop the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import symdiff
from bench import generation, memory
from bench.generation import failure
from bench.loops import ENTRY_LOOPS, LOOP_VARIANTS, LOOPS, copies, entry_arguments, hand_check
from bench.part1 import assert_same, machine, show_ratio
from bench.timing import block, compare, no_garbage_collection, repeats_for
from bench.workloads import Workload

Row = dict[str, Any]

RATIO_LIMIT = 1.15
TENFOLD_LIMIT = 12.0
GENERATION_LIMIT = 1.0
TRIPS_LIMIT = 1.3
ENTRIES = 2_000
GROWTH_RUNS = 15


class GenerationFailed(Exception):
    """The process that was to generate has no right answer; the message says why."""


def failed(error: Exception) -> str:
    return str(error) if isinstance(error, GenerationFailed) else failure(error)


def attempt(name: str, measure: Callable[[], Row], show: Callable[[Row], None]) -> Row:
    try:
        row = measure()
    except Exception as error:
        print(f"{name:36s} {failed(error)}", flush=True)
        return {"name": name, "failure": failed(error), "met": False}
    show(row)
    return {"name": name, **row}


def line(name: str, text: str, met: bool) -> None:
    print(f"{name:36s} {text}{'' if met else '  MISSED'}", flush=True)


# --- against hand-derived loops -----------------------------------------------------------------------------


def against_hand(workload: Workload, seconds: float) -> Row:
    arguments = workload.arguments(np.random.default_rng(0))
    ours = symdiff.value_and_grad(workload.function, wrt=workload.wrt)
    given = copies(arguments)
    result = ours(*given)
    np.testing.assert_equal(given, list(arguments), err_msg="an argument was changed")
    assert_same(result, workload.value_and_grad(*arguments))
    measured = compare(lambda: ours(*arguments), lambda: workload.value_and_grad(*arguments), seconds)
    return {
        "workload": workload.name,
        "symdiff": measured.ours,
        "hand": measured.reference,
        "ratio": measured.ratio,
        "quartiles": measured.spread,
        "pairs": measured.pairs,
        "met": measured.ratio <= RATIO_LIMIT,
        "source": ours.source_for(*arguments),
    }


# --- loops over entries -------------------------------------------------------------------------------------


def entry_loop(function: Callable[..., Any]) -> Row:
    """The best times at n and at 10 n, run in turns: what disturbs a law of growth only ever adds time."""
    rng = np.random.default_rng(0)
    few, many = entry_arguments(rng, ENTRIES), entry_arguments(rng, 10 * ENTRIES)
    gradient = symdiff.grad(function, wrt=("x", "y"))
    repeats = repeats_for(lambda: gradient(*few))
    times = []
    with no_garbage_collection():
        for _ in range(GROWTH_RUNS):
            at_few, at_many = block(lambda: gradient(*few), repeats), block(lambda: gradient(*many), 1)
            times.append((at_few, at_many, block(lambda: function(*many), 1)))
    at_few, at_many, primal = np.min(times, axis=0).tolist()
    return {
        "at n": at_few,
        "at 10 n": at_many,
        "ratio": at_many / at_few,
        "over primal": at_many / primal,
        "met": at_many / at_few <= TENFOLD_LIMIT,
    }


def show_entry_loop(name: str) -> Callable[[Row], None]:
    def show(row: Row) -> None:
        text = (
            f"{row['at n'] * 1e3:8.2f} ms, {row['at 10 n'] * 1e3:8.2f} ms at 10 n: {row['ratio']:5.2f} times"
        )
        line(name, f"{text}; {row['over primal']:.1f} times the primal", row["met"])

    return show


# --- generation ---------------------------------------------------------------------------------------------


def generated(kind: str, size: int) -> Row:
    found = generation.in_a_process(kind, size)
    if "failure" in found:
        raise GenerationFailed(found["failure"])
    if found["error"] is not None and not found["error"] < 1e-6:
        raise GenerationFailed(f"the gradient is wrong: relative error {found['error']:.1e}")
    return found


def trip_counts(kind: str) -> Row:
    few, many = generated(kind, 10), generated(kind, 1_000_000)
    same = few["source"] == many["source"].replace("1000000", "10")
    ratio = many["best"] / few["best"]
    return {
        "at 10": few["seconds"],
        "at 1e6": many["seconds"],
        "same text": same,
        "met": same and ratio <= TRIPS_LIMIT,
    }


def show_trip_counts(name: str) -> Callable[[Row], None]:
    def show(row: Row) -> None:
        times = f"{row['at 10'] * 1e3:.0f} ms for 10 rounds, {row['at 1e6'] * 1e3:.0f} ms for 1,000,000"
        line(name, f"{times}, {'the same' if row['same text'] else 'ANOTHER'} text", row["met"])

    return show


def size_of(kind: str, size: int, limit: float) -> Row:
    found = generated(kind, size)
    lines = found["source"].count("\n")
    return {"size": size, "seconds": found["seconds"], "lines": lines, "met": found["seconds"] <= limit}


def show_size(name: str) -> Callable[[Row], None]:
    return lambda row: line(name, f"{row['seconds']:8.3f} s, {row['lines']:,} lines", row["met"])


def growth(kind: str, size: int) -> Row:
    few, many = generated(kind, size)["best"], generated(kind, 10 * size)["best"]
    return {"at n": few, "at 10 n": many, "ratio": many / few, "met": many / few <= TENFOLD_LIMIT}


def show_growth(name: str) -> Callable[[Row], None]:
    def show(row: Row) -> None:
        line(name, f"{row['at n']:.3f} s, {row['at 10 n']:.3f} s: {row['ratio']:.1f} times", row["met"])

    return show


# --- memory -------------------------------------------------------------------------------------------------


def show_checkpointing(found: Row) -> None:
    for row in found["rows"]:
        plain = "" if row["plain states"] is None else f"; without {row['plain states']:,.0f}"
        text = f"{row['states']:10,.0f} states at the peak{plain}; {row['seconds']:.2f} s"
        line(f"checkpoint(range({row['n']:,}))", text, row["met"] and row["same"])


def show_checkpointed_function(row: Row) -> None:
    text = f"{row['states']:10,.0f} states at the peak; without {row['plain states']:,.0f}"
    line(f"checkpoint(block), {row['n']} rounds", text, row["met"])


def show_saves_nothing(row: Row) -> None:
    text = "keeps nothing" if not row["kept"] else f"keeps: {row['kept'][0]}"
    line(
        row["loop"],
        f"{text}; {row['peaks'][0]:,} bytes, {row['peaks'][1]:,} with ten times the rounds",
        row["met"],
    )


# --- all of it ----------------------------------------------------------------------------------------------


def steps(seconds: float) -> Iterator[tuple[str, str, Callable[[], Row], Callable[[Row], None]]]:
    """Section, name, what is measured and how it is shown."""
    for workload in (*LOOPS, *LOOP_VARIANTS):
        yield "speed", workload.name, partial(against_hand, workload, seconds), show_ratio
    for function in ENTRY_LOOPS:
        name = f"entries: {function.__name__}"
        yield "entries", name, partial(entry_loop, function), show_entry_loop(name)
    for function in memory.LINEAR_LOOPS:
        name = function.__name__
        yield "saves", name, partial(memory.saves_nothing, function), show_saves_nothing
    yield "checkpoint", "checkpoint(range(n))", memory.checkpointing, show_checkpointing
    yield "checkpoint", "checkpoint(block)", memory.checkpointed_function, show_checkpointed_function
    for kind, name in (("trips", "a number of rounds"), ("rounds", "rounds as an argument")):
        yield "generation", name, partial(trip_counts, kind), show_trip_counts(name)
    for kind, size, limit in (
        ("straight", 200, GENERATION_LIMIT),
        ("looping", 200, GENERATION_LIMIT),
        ("sums", 1_000, 60.0),
        ("products", 1_000, 60.0),
        ("minus_signs", 1_000, 60.0),
        ("straight", 5_000, 60.0),
    ):
        name = f"{kind}, {size:,}"
        yield "generation", name, partial(size_of, kind, size, limit), show_size(name)
    for kind, size in (("straight", 20), ("straight", 200), ("looping", 40)):
        name = f"{kind}, {size} and {10 * size:,} lines"
        yield "generation", name, partial(growth, kind, size), show_growth(name)


HEADINGS = {
    "speed": f"value_and_grad: by hand, symdiff, ratio (quartiles), limit {RATIO_LIMIT}",
    "entries": f"gradients of loops over {ENTRIES:,} and 10 times as many entries, limit {TENFOLD_LIMIT:.0f}",
    "saves": "linear loops keep nothing",
    "checkpoint": f"memory: at most {memory.SQUARE_ROOT_FACTOR:.0f} times the square root of the rounds",
    "generation": f"200 lines: {GENERATION_LIMIT:.0f} s; 10 times as many: {TENFOLD_LIMIT:.0f} times that",
}


def run(seconds: float, only: str) -> dict[str, Any]:
    """Measure, print as results come in, and return everything for `--json`."""
    errors = hand_check()
    print(f"hand derivations: largest error against finite differences {max(errors.values()):.1e}")
    report: dict[str, Any] = {"machine": machine(), "hand derivations": errors}
    for section, name, measure, show in steps(seconds):
        if only in f"{section} {name}":
            if section not in report:
                print(f"\n{HEADINGS[section]}")
            report.setdefault(section, []).append(attempt(name, measure, show))
    missed = [row["name"] for section in HEADINGS for row in report.get(section, ()) if not row["met"]]
    print(f"\n{len(missed)} missed" + (f": {', '.join(missed)}" if missed else ""))
    return report
