"""Random programs, and the small ones in which something was wrong once.

`python -m tests.fuzz --seed 0 --count 10000` runs as many as there is time for.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from fuzz.check import check
from fuzz.programs import generate

REGRESSIONS = sorted((Path(__file__).parent / "regressions").glob("*.py"))
CHUNK, CHUNKS = 15, 20


@pytest.fixture(autouse=True)
def memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMDIFF_CACHE", "memory")


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_random_programs(chunk: int, tmp_path: Path) -> None:
    failed, refused, coordinates, skipped = [], 0, 0, 0
    for seed in range(chunk * CHUNK, (chunk + 1) * CHUNK):
        sys.stdout.write(f"seed {seed}\n")  # shown where a test fails
        outcome = check(generate(seed), tmp_path)
        refused += outcome.kind == "refused"
        coordinates, skipped = coordinates + outcome.coordinates, skipped + outcome.skipped
        if outcome.failed:
            failed.append(f"seed {seed}: {outcome.kind}: {outcome.detail}")
    assert not failed, "\n".join(failed)
    assert refused <= 1  # of 15; the whole run stays below 2 %
    assert skipped <= 0.05 * coordinates
    assert coordinates > 5 * CHUNK


@pytest.mark.parametrize("path", REGRESSIONS, ids=lambda path: path.stem)
def test_regressions(path: Path, tmp_path: Path) -> None:
    outcome = check(path.read_text(encoding="utf-8"), tmp_path)
    assert outcome.kind == "ok", outcome.detail


def test_programs_depend_on_the_seed_alone() -> None:
    assert generate(7) == generate(7)
    assert generate(7) != generate(8)


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("np.cos(x)", "np.sin(x)", "gradient"),
        ("return value, x_bar", "return value + 1e-15, x_bar", "value"),
        ("return value, x_bar", "return value, x_bar.astype('float32')", "structure"),
        ("return value, x_bar", "return value, x_bar[:2]", "structure"),
        ("return value, x_bar", "x[0] += 1.0\n    return value, x_bar", "changed"),
        ("return value, x_bar", "x[:] = x_bar\n    return value, x", "aliasing"),
        ("return value, x_bar", "t = x_bar\n    return value, x_bar", "text"),
    ],
)
def test_mistakes_are_found(
    before: str, after: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A generator that makes a mistake is caught by the kind of check that is meant to catch it."""
    from symdiff import pipeline

    honest = pipeline.generated

    def mistaken(function: object, request: object) -> str:
        text = honest(function, request)  # type: ignore[arg-type]
        return text.replace(before, after)

    monkeypatch.setattr(pipeline, "generated", mistaken)
    program = (
        "import numpy as np\nSHIFT = 0\nTABLE = 0.0\nWRT = 'x'\ndef f(x):\n    return np.sum(np.sin(x) * x)\n"
        "def arguments():\n    return (np.array([0.3, 0.7, 1.1]),)\n"
    )
    outcome = check(program, tmp_path)
    assert kind in outcome.kind, outcome
