"""Runs of many programs: in several processes, with counts of what was written and what came out.

Enters: seeds.  Leaves: a `Report`.  Invariant: the report depends on the seeds alone, not on how many
processes shared the work.
"""

from __future__ import annotations

import collections
import keyword
import multiprocessing
import re
import tempfile
import time
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from fuzz.check import Outcome, check
from fuzz.language import written


@dataclass(frozen=True)
class Result:
    """One program: `productions` says how often each took part in writing it."""

    seed: int
    outcome: Outcome
    productions: dict[str, int]
    seconds: float


@dataclass
class Report:
    kinds: collections.Counter[str] = field(default_factory=collections.Counter)
    occurred: collections.Counter[str] = field(default_factory=collections.Counter)
    programs: collections.Counter[str] = field(default_factory=collections.Counter)
    refused_with: collections.Counter[str] = field(default_factory=collections.Counter)
    refusals: dict[str, list[int]] = field(default_factory=lambda: collections.defaultdict(list))
    coordinates: int = 0
    skipped: int = 0
    helpers: int = 0
    seconds: float = 0.0

    def add(self, result: Result) -> None:
        outcome = result.outcome
        self.kinds[outcome.kind] += 1
        self.occurred.update(result.productions)
        self.programs.update(result.productions.keys())
        if outcome.kind == "refused":
            self.refused_with.update(result.productions.keys())
            self.refusals[without_names(outcome.what)].append(result.seed)
        self.coordinates += outcome.coordinates
        self.skipped += outcome.skipped
        self.helpers += outcome.helpers
        self.seconds += result.seconds

    @property
    def failed(self) -> bool:
        return bool(set(self.kinds) - {"ok", "refused"}) or self.skipped > 0.05 * self.coordinates

    def summary(self) -> str:
        kinds = ", ".join(f"{kind}: {count}" for kind, count in self.kinds.most_common())
        return (
            f"{kinds}; {self.helpers} with runtime helpers; {self.seconds:.0f} s of work\n"
            f"{self.coordinates} coordinates, {self.skipped} without a reliable oracle"
        )

    def statistics(self) -> Iterator[str]:
        yield "production           times  programs  refused"
        for name, times in sorted(self.occurred.items(), key=lambda item: -item[1]):
            share = 100 * self.refused_with[name] / self.programs[name]
            yield f"{name:<20} {times:5d} {self.programs[name]:9d} {share:6.0f} %"
        yield ""
        for what, seeds in sorted(self.refusals.items(), key=lambda item: (-len(item[1]), item[0])):
            yield f"{len(seeds):5d} refused: {what}  [{', '.join(map(str, seeds[:3]))}]"


def without_names(what: str) -> str:
    """A refusal without what is particular to one program."""
    what = re.sub(r" \(In .*\)$", "", what, flags=re.DOTALL)
    return re.sub(r"\d+", "1", re.sub(r"`[^`]*`|'[^']*'|\"[^\"]*\"", _generic, what))


def _generic(found: re.Match[str]) -> str:
    inside = found.group()[1:-1]
    kept = keyword.iskeyword(inside) or re.fullmatch(r"np\.[\w.]+|\.\w+", inside) or "out where".count(inside)
    return f"`{inside if kept else '..'}`"


def one(oracle_only: bool, seed: int) -> Result:
    start = time.perf_counter()
    try:
        program = written(seed)
    except Exception:
        return Result(seed, Outcome("invalid", traceback.format_exc()), {}, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        outcome = check(program.text, Path(folder), oracle_only)
    return Result(seed, outcome, dict(program.productions), time.perf_counter() - start)


def results(seeds: Iterable[int], jobs: int, oracle_only: bool = False) -> Iterator[Result]:
    if jobs == 1:
        yield from map(partial(one, oracle_only), seeds)
        return
    with multiprocessing.get_context("fork").Pool(jobs, maxtasksperchild=500) as pool:
        yield from pool.imap(partial(one, oracle_only), seeds, chunksize=5)
