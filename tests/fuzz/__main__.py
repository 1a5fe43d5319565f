"""`python -m tests.fuzz --seed 0 --count 1000`: random programs, their derivatives against oracles.

Every failing program is made small and stored in `regressions/`, which `test_fuzz.py` replays.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ["SYMDIFF_CACHE"] = "memory"

from fuzz.check import check
from fuzz.language import generate
from fuzz.report import Report, results
from fuzz.shrink import shrunk

REGRESSIONS = Path(__file__).parent / "regressions"


def main() -> int:
    options = parsed()
    if options.show:
        say(generate(options.seed))
        return 0
    report = Report()
    seeds = range(options.seed, options.seed + options.count)
    for result in results(seeds, options.jobs, options.oracle_only):
        report.add(result)
        outcome = result.outcome
        if outcome.kind == "refused" and not options.stats:
            say(f"seed {result.seed}: refused: {outcome.detail}")
        if outcome.failed:
            say(f"seed {result.seed}: {outcome.kind}: {outcome.detail}")
            few = report.kinds[outcome.kind] <= options.each
            if few and outcome.kind != "invalid" and not options.oracle_only and options.seconds:
                store(result.seed, outcome.kind, options)
    if options.stats:
        say("\n".join(report.statistics()))
    say(report.summary())
    return 1 if report.failed else 0


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=1000, help="how many programs")
    parser.add_argument("--store", type=Path, default=REGRESSIONS, help="where failing programs go")
    parser.add_argument("--seconds", type=float, default=60.0, help="time to make one of them small; 0: none")
    parser.add_argument("--each", type=int, default=3, help="how many of one kind of failure to make small")
    parser.add_argument("--jobs", type=int, default=1, help="how many processes")
    parser.add_argument(
        "--stats", action="store_true", help="what was written and what was refused how often"
    )
    parser.add_argument(
        "--oracle-only", action="store_true", help="only whether programs and oracles are sound"
    )
    parser.add_argument("--show", action="store_true", help="print the program of the first seed")
    return parser.parse_args()


def store(seed: int, kind: str, options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:

        def fails(text: str) -> bool:
            return check(text, Path(folder), patience=0.5).kind == kind

        small = shrunk(generate(seed), fails, options.seconds)
    options.store.mkdir(parents=True, exist_ok=True)
    path = options.store / f"seed_{seed}.py"
    path.write_text(f'"""Seed {seed}: {kind}."""\n# ruff: noqa\n\n{small.strip()}\n', encoding="utf-8")
    say(f"stored {path.name}:\n{small}")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
