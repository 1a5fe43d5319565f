"""`python -m tests.fuzz --seed 0 --count 1000`: random programs, their derivatives against oracles.

Every failing program is made small and stored in `regressions/`, which `test_fuzz.py` replays.
"""

from __future__ import annotations

import argparse
import collections
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ["SYMDIFF_CACHE"] = "memory"

from fuzz.check import check
from fuzz.programs import generate
from fuzz.shrink import shrunk

REGRESSIONS = Path(__file__).parent / "regressions"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=1000, help="how many programs")
    parser.add_argument("--store", type=Path, default=REGRESSIONS, help="where failing programs go")
    parser.add_argument("--seconds", type=float, default=60.0, help="time to make one of them small")
    options = parser.parse_args()
    kinds: collections.Counter[str] = collections.Counter()
    coordinates = skipped = helpers = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(options.seed, options.seed + options.count):
            outcome = check(generate(seed), Path(folder))
            kinds[outcome.kind] += 1
            coordinates, skipped = coordinates + outcome.coordinates, skipped + outcome.skipped
            helpers += outcome.helpers
            if outcome.kind == "refused":
                say(f"seed {seed}: refused: {outcome.detail}")
            if outcome.failed:
                say(f"seed {seed}: {outcome.kind}: {outcome.detail}")
                store(seed, outcome.kind, Path(folder), options)
    say(f"{dict(kinds)}; {helpers} with runtime helpers")
    say(f"{coordinates} coordinates, {skipped} without a reliable oracle")
    return 1 if set(kinds) - {"ok", "refused"} else 0


def store(seed: int, kind: str, folder: Path, options: argparse.Namespace) -> None:
    if kind == "invalid":
        return
    small = shrunk(generate(seed), lambda text: check(text, folder).kind == kind, options.seconds)
    options.store.mkdir(exist_ok=True)
    path = options.store / f"seed_{seed}.py"
    path.write_text(f'"""Seed {seed}: {kind}."""\n# ruff: noqa\n\n{small.strip()}\n', encoding="utf-8")
    say(f"stored {path.name}:\n{small}")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
