"""How many of HIPS autograd's own tests pass with symdiff in autograd's place.

    python -m bench autograd-tests --checkout PATH [--only FILE] [--json FILE]

Enters: the path of a clone of https://github.com/HIPS/autograd.  Leaves: a printed table and a dict of the
same for JSON.  Invariant: the tests are run from the clone, unmodified, by pytest in a process for each file;
`bench.autograd_shim` says what stands behind the modules they import.

A test counts unless it is about autograd itself: `NOT_ABOUT_DERIVATIVES` names each with its reason.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
Row = dict[str, Any]
FILES = [
    "scalar_ops", "binary_ops", "numpy", "systematic", "linalg", "fft", "scipy", "complex", "dict", "list",
    "tuple", "builtins", "logic", "jacobian", "graphs", "wrappers", "misc",
]  # fmt: skip

_REGISTRY = "autograd's registry of primitives"
_DEPRECATED = "a deprecated interface of autograd"
_VALUES = "values of a function that autograd wraps, no derivative"
NOT_ABOUT_DERIVATIVES = {
    "test_fft::test_rfftn_odd_not_implemented": "asks that it is refused; symdiff differentiates it",
    "test_numpy::test_scalar_array_box_attributes": "attributes of autograd's boxes, which a float has not",
    "test_graphs::test_assignment_raises_error": "asks that writes are refused; symdiff differentiates them",
    "test_logic::test_no_vjp_def": _REGISTRY,
    "test_logic::test_no_jvp_def": _REGISTRY,
    "test_logic::test_unimplemented_falseyness": _REGISTRY,
    "test_misc::test_const_graph": "caching of autograd's traces",
    "test_misc::test_const_graph_args": "caching of autograd's traces",
    "test_misc::test_flatten": _VALUES,
    "test_misc::test_flatten_empty": _VALUES,
    "test_misc::test_flatten_dict": _VALUES,
    "test_misc::test_flatten_complex": _VALUES,
    "test_numpy::test_numpy_version": "the version number that autograd.numpy passes on",
    "test_scipy::test_convolve_generalization": _VALUES,
    "test_scipy::test_convolve_ignore": "`axes` of autograd's own convolve, which SciPy's has not",
    "test_scipy::test_convolve_ignore_dot": "`axes` of autograd's own convolve, which SciPy's has not",
    "test_wrappers::test_custom_where": _VALUES,
    "test_wrappers::test_custom_where_dtypes": _VALUES,
    "test_wrappers::test_deprecated_defgrad_wrapper": _DEPRECATED,
    "test_wrappers::test_deprecated_defvjp_wrapper": _DEPRECATED,
    "test_wrappers::test_deprecated_defvjp_is_zero_wrapper": _DEPRECATED,
    "test_wrappers::test_deprecated_quick_grad_check_wrapper": _DEPRECATED,
    "test_wrappers::test_wrapped_name_and_docs": "the names and docstrings of autograd's wrappers",
}


def reason(test: str) -> str:
    """Why a test does not count; "" where it does."""
    return NOT_ABOUT_DERIVATIVES.get(test.partition("[")[0], "")


def of_a_file(path: Path, limit: float) -> list[Row]:
    """The outcomes of one file's tests, run in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        outcomes = Path(folder) / "outcomes"
        search = os.pathsep.join([str(ROOT), str(path.parent), os.environ.get("PYTHONPATH", "")])
        environment = {"OPENBLAS_NUM_THREADS": "1", "SYMDIFF_CACHE": "memory", **os.environ}
        environment |= {"PYTHONPATH": search, "AUTOGRAD_OUTCOMES": str(outcomes)}
        environment["AUTOGRAD_LIMIT"] = str(round(limit))
        command = [
            sys.executable,
            "-m",
            "pytest",
            str(path),
            "-q",
            "-c",
            os.devnull,
            "-p",
            "no:cacheprovider",
        ]
        # Rewritten asserts are not in the source; warnings are the tests' own affair.
        command += [
            "-p",
            "bench.autograd_plugin",
            "--assert=plain",
            "-W",
            "ignore",
            f"--rootdir={path.parent}",
        ]
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        lines = outcomes.read_text(encoding="utf-8").splitlines() if outcomes.exists() else []
    if not lines:
        error = (done.stdout + done.stderr)[-2000:]
        return [{"test": f"{path.stem}::", "passed": False, "error": f"not collected: {error}"}]
    return [json.loads(line) for line in lines]


def shown(error: str) -> str:
    """What an error says, in one line: of a message with a place, what stands below the caret."""
    kind, _, text = error.partition(": ")
    lines = [line.strip() for line in text.splitlines() if line.strip(" ^")]
    said = [line for line in lines if not line.startswith(("File ", "Instead: "))]
    return f"{kind}: {said[min(1, len(said) - 1)] if said else ''}"[:230]


def run(checkout: Path, only: str = "", limit: float = 120.0) -> Row:
    """Run, print as results come in, and return everything for `--json`."""
    rows: list[Row] = []
    for name in FILES:
        path = checkout.resolve() / "tests" / f"test_{name}.py"
        if only not in name:
            continue
        if not path.exists():
            raise SystemExit(f"{checkout} is not a clone of autograd: it has no tests/test_{name}.py.")
        found = of_a_file(path, limit)
        rows += found
        counted = [row for row in found if not reason(row["test"])]
        print(f"{name:12s} {sum(row['passed'] for row in counted):4d} of {len(counted):4d}", flush=True)
        for row in counted:
            if not row["passed"]:
                print(f"    {row['test'].partition('::')[2]:40s} {shown(row['error'])}", flush=True)
    found_here = {row["test"]: reason(row["test"]) for row in rows if reason(row["test"])}
    counted = [row for row in rows if not reason(row["test"])]
    passed = sum(row["passed"] for row in counted)
    print(f"\n{passed} of {len(counted)} tests of derivatives pass: {passed / max(len(counted), 1):.1%}")
    print(f"{len(found_here)} are about autograd itself:")
    for test, why in found_here.items():
        print(f"    {test}: {why}")
    return {"tests": rows, "passed": passed, "counted": len(counted), "not counted": found_here}
