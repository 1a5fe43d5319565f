"""Generated sources, reviewed like code: the gradient of every function of the hand derivations.

Every golden is compared byte for byte; its header counts NumPy operations by hand and in the generated code,
for the gradient alone.  After a change that is an improvement, `python tests/test_golden.py --update` writes
them anew, and the difference is read before it is committed.
"""

from __future__ import annotations

import importlib
import os
import pathlib
import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parent.parent
sys.path[:0] = [path for path in (str(ROOT), str(ROOT / "tests")) if path not in sys.path]

from bench.loops import LOOPS, SMALL  # noqa: E402 - run as a script, the paths come first
from bench.workloads import Workload  # noqa: E402

hand = importlib.import_module("hand")
kinks_by_hand = importlib.import_module("kinks_by_hand")
loops_by_hand = importlib.import_module("loops_by_hand")
counting = importlib.import_module("operations")

FLOWS = (*loops_by_hand.DERIVATIONS, *LOOPS)
# Why generated loops take more operations than by hand, where they do.
MORE = {
    "low-pass filter": "nothing reads y_bar[i] again, so that it need not be emptied",
    "log-determinant by Cholesky": "the parts of L that are read and written do not overlap",
    "row norms": "B[i] is still there on the way back, and is the normalised row",
}
FOLDER = ROOT / "tests" / "golden"


def chosen() -> dict[str, Workload]:
    """One row for every function, preferably one without insight, by file name."""
    rows = sorted((*hand.DERIVATIONS, *kinks_by_hand.DERIVATIONS, *FLOWS), key=lambda row: bool(row.insight))
    by_function = {row.function: row for row in reversed(rows)}
    names = (
        re.sub(r"\W+", "_", row.name.partition(",")[0]).strip("_").lower() for row in by_function.values()
    )
    return dict(zip(names, by_function.values(), strict=True))


ROWS = chosen()


def arguments(row: Workload) -> tuple[Any, ...]:
    """Small ones of the same ranks: a million points are for timing."""
    sizes = SMALL[row.function.__name__] if row in LOOPS else {}
    made = row.arguments(np.random.default_rng(0), **sizes)
    return tuple(arg[:300] if np.ndim(arg) and len(arg) >= 10_000 else arg for arg in made)


def generated(row: Workload) -> str:
    """The source of the gradient, with the place of the function but not its line."""
    from symdiff import differentiate

    source = differentiate(row.function, wrt=row.wrt).grad.source_for(*arguments(row))
    return re.sub(r"(\(\w+/\w+\.py):\d+\)", r"\1)", source)


def executed(source: str, row: Workload) -> Any:
    namespace: dict[str, Any] = {}
    exec(compile(source, f"<golden {row.name}>", "exec"), namespace)
    return namespace[f"{row.function.__name__}_grad"]


def counts(row: Workload, source: str) -> tuple[Any, Any]:
    """Operations of the gradient alone, by hand and generated."""
    by_hand = counting.gradient_alone(row.value_and_grad)
    return (
        counting.operations(by_hand, *arguments(row)),
        counting.operations(executed(source, row), *arguments(row)),
    )


def golden(row: Workload) -> str:
    source = generated(row)
    by_hand, here = counts(row, source)
    lines = [
        f"# {row.name}",
        f"# Operations of the gradient on arrays: {here.arrays}, by hand {by_hand.arrays};",
        f"# on values without axes: {here.scalars}, by hand {by_hand.scalars}.",
    ]
    insight = row.insight or (MORE.get(row.name) if here.arrays > by_hand.arrays else None)
    if insight:
        lines.append(f"# By hand one knows that {insight}.")
    return "\n".join([*lines, source])


@pytest.mark.parametrize("name", ROWS)
def test_the_golden_is_what_is_generated(name: str) -> None:
    assert (FOLDER / f"{name}.py").read_text(encoding="utf-8") == golden(ROWS[name])


def test_there_is_a_function_for_every_golden() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} == set(ROWS)
    assert len(ROWS) >= 20


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if not row.insight])
def test_generated_code_takes_no_more_operations_than_the_hand_derivation(name: str) -> None:
    by_hand, here = counts(ROWS[name], (FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    assert here.arrays <= by_hand.arrays or ROWS[name].name in MORE


@pytest.mark.parametrize("name", ROWS)
def test_the_golden_gives_the_gradient_derived_by_hand(name: str) -> None:
    row = ROWS[name]
    source = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
    for seed in range(3):
        args = row.arguments(np.random.default_rng(seed))
        _, expected = row.value_and_grad(*args)
        ours = executed(source, row)(*args)
        for a, b in zip(hand.leaves(ours), hand.leaves(expected), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10 * np.abs(b).max(initial=1e-300))


@pytest.mark.parametrize("row", kinks_by_hand.DERIVATIONS, ids=str)
def test_the_hand_derivation_is_right(row: Workload) -> None:
    if row.name != "best response":  # at its ties there is nothing to differentiate
        hand.check_numerically(row)


@pytest.mark.parametrize("name", ROWS)
def test_known_ranks_need_no_helper(name: str) -> None:
    source = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
    assert set(re.findall(r"^(?:import|from) .*", source, re.M)) <= {"import numpy as np"}


COUNTED = {
    "ufuncs, also in place": (lambda x: np.add(x, 1, out=np.exp(x) * 2), 3),
    "a mean is a sum and a division": (lambda x: x.mean(axis=1), 2),
    "views are free": (lambda x: x.T[:, None].reshape(-1)[1:], 0),
    "products": (lambda x: (x @ x.T, np.dot(x, x.T), np.linalg.inv(x @ x.T)), 4),
    "functions": (lambda x: np.where(x > 0, x, 0), 2),
    "copies": (lambda x: (x.copy(), np.zeros_like(x), x.astype(np.float32)), 3),
    "a write through an index": (lambda x: x.__setitem__(slice(1, None), 2 * x[1:]), 2),
    "an augmented write": (lambda x: exec("x[1:] += 1", {"x": x}), 1),
    "a gather": (lambda x: x[np.array([0, 0])], 1),
    "numbers": (lambda x: x.shape[0] * 2.0 + 1, 0),
}


@pytest.mark.parametrize("name", COUNTED)
def test_the_counter_counts(name: str) -> None:
    function, expected = COUNTED[name]
    x = np.random.default_rng(0).standard_normal((2, 3))
    assert counting.operations(function, x).arrays == expected


def test_the_gradient_alone_leaves_out_the_value() -> None:
    alone = counting.gradient_alone(hand.sum_of_squares_value_and_grad)
    np.testing.assert_array_equal(alone(np.arange(3.0)), 2 * np.arange(3.0))
    assert counting.operations(alone, np.arange(3.0)).arrays == 1


def test_goldens_pass_the_linter() -> None:
    ruff = pathlib.Path(sys.executable).with_name("ruff")
    command = [
        str(ruff),
        "check",
        "--isolated",
        "--line-length",
        "110",
        "--select",
        "E,F,W,I,B,UP,SIM,PT,T20",
        "--ignore",
        "SIM108",  # a branch of the user's stays one
    ]
    done = subprocess.run([*command, str(FOLDER)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_same_bytes_under_every_hash_seed_and_twice_in_a_row() -> None:
    script = (
        "import sys; sys.path[:0] = ['.', 'tests']; import test_golden as t, hashlib; "
        "text = [''.join(map(t.generated, t.ROWS.values())) for _ in range(2)]; "
        "assert text[0] == text[1]; print(hashlib.sha256(text[0].encode()).hexdigest())"
    )
    digests = set()
    for seed in "01234":
        environment = {**os.environ, "PYTHONHASHSEED": seed, "SYMDIFF_CACHE": "off"}
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(done.stdout)
    assert len(digests) == 1


def update() -> None:
    """Write every golden anew."""
    os.environ["SYMDIFF_CACHE"] = "off"
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.py"):
        path.unlink()
    for name, row in ROWS.items():
        (FOLDER / f"{name}.py").write_text(golden(row), encoding="utf-8")


if __name__ == "__main__":
    assert sys.argv[1:] == ["--update"], "python tests/test_golden.py --update"
    update()
