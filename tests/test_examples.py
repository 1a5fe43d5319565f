"""The examples as a newcomer runs them: in a new process, from some other directory, without arguments.

Each must print the numbers of the tutorial it retells, to the tutorial's digits, print the gradients it
generated, leave plots with something on them, and print the same again when it starts from a warm cache.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
OUTPUT = EXAMPLES / "output"

# Lines that must appear exactly so, in this order.
LINES = {
    "linear_regression": [
        "start: b 0.1940, w 0.1391, loss 3.1918",
        "gradients: -3.3881 -1.9439",
        "accumulated twice: -6.7762 -3.8878",
        "epoch    1  loss 3.19180",
        "epoch   10  loss 0.11606",
        "epoch  100  loss 0.01386",
        "epoch 1000  loss 0.00804",
        "by hand: b 1.0235, w 1.9690",
        "by step: b 1.0235, w 1.9690, the same losses: True",
        "by fit:  b 1.0235, w 1.9690, the same losses: True",
    ],
    "bootcamp": [
        "a = 42.0",
        "v + v = [2. 4. 6.]",
        "v * v = [1. 4. 9.]",
        "a * v = [ 42.  84. 126.]",
        "[[ 1.  4.  9.]",
        " [ 4. 10. 18.]]",
        "v @ v = 14.0",
        "M @ v = [14. 32.]",
        "v^2 = [1. 4. 9.]",
        "exp(v) = [ 2.7183  7.3891 20.0855]",
        "sin(v) = [0.8415 0.9093 0.1411]",
        "z at w=1: 0.9894",
        "dz/dw at w=1: -1.7460",
        "minimum after 500 steps: 1.49994",
    ],
    "variables_and_gradients": [
        "x is float64 - y is float32 - x + y is float64",
        "[[ 0.  2.]",
        " [12.  4.]]",
        "sum of squares: 2.0",
        "gradient: [[2. 2.]]",
        "gradient of v1: [3. 3.]",
        "gradient of v2: [3.]",
        "types: data float32 - loss float32 - gradients float32 float32",
    ],
    "tensors_and_models": [
        "z = [5. 7. 9.] - its sum: 21.0",
        "gradient: [1. 1. 1.]",
        "and again, nothing accumulates: [1. 1. 1.]",
    ],
    "computation_graph": [
        "L = 9",
        "dL/da = 9",
        "dL/dw1 = -36",
        "dL/dw2 = -24",
        "dL/dw3 = -6",
        "dL/dw4 = 18",
        "path L -> d -> b -> a: -9",
        "path L -> d -> c -> a: 18",
        "their sum:             9",
        "dL/da by symdiff:      9",
    ],
    "digits": [],
    "diabetes": ["bias    152.133        152.133", "R²: 0.5177"],
}

PLOTS = {
    "linear_regression": ["linear_regression", "linear_regression_loss"],
    "bootcamp": ["bootcamp_parabola", "bootcamp_line"],
    "variables_and_gradients": ["variables_and_gradients"],
    "tensors_and_models": ["tensors_and_models_by_hand", "tensors_and_models_sgd"],
    "computation_graph": ["computation_graph"],
    "digits": ["digits_loss", "digits_read"],
    "diabetes": ["diabetes"],
}

# The generated functions that are printed, in order.
SOURCES = {
    "linear_regression": ["loss_grad", "loss_step"],
    "bootcamp": ["chain_grad", "total_grad", "parabola_grad", "loss_grad"],
    "variables_and_gradients": ["sum_of_squares_grad", "sum_of_products_grad", "loss_grad"],
    "tensors_and_models": ["sum_of_sum_grad", "loss_grad"],
    "computation_graph": ["L_value_and_grad"],
    "digits": ["loss_grad"],
    "diabetes": ["loss_grad"],
}


def start(name: str, folder: Path) -> list[str]:
    """Run an example in `folder` and return the lines it printed; nothing may go wrong or be left there."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONIOENCODING": "utf-8",
        "SYMDIFF_CACHE_DIR": str(folder / "cache"),
    }
    for variable in ("MPLBACKEND", "DISPLAY", "SYMDIFF_CACHE", "SYMDIFF_BACKEND"):
        environment.pop(variable, None)
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", str(EXAMPLES / f"{name}.py")],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert {entry.name for entry in folder.iterdir()} <= {"cache"}, "it wrote into the user's directory"
    return done.stdout.splitlines()


def number(lines: list[str], label: str) -> float:
    """The number behind `label`, which must occur in exactly one line."""
    found = [line for line in lines if label in line]
    assert len(found) == 1, f"{label!r} is in {len(found)} lines"
    text = re.match(r"[-+.\de]+", found[0].split(label)[1].strip())
    assert text, f"no number behind {label!r} in {found[0]!r}"
    return float(text[0])


def generated(lines: list[str]) -> dict[str, str]:
    """The functions in what was printed: name and source, in order."""
    functions: dict[str, str] = {}
    name = ""
    for line in lines:
        if opening := re.match(r"def (\w+)\(", line):
            name = opening[1]
            assert name not in functions, f"{name} is printed twice"
            functions[name] = ""
        elif line and not line.startswith(("    ", ")")):
            name = ""
        if name:
            functions[name] += line + "\n"
    return functions


def check_lines(lines: list[str], expected: list[str]) -> None:
    remaining = iter(lines)
    for line in expected:
        assert line in remaining, f"{line!r} is missing, or comes too early"


def check_sources(lines: list[str], expected: list[str]) -> None:
    functions = generated(lines)
    assert list(functions) == expected
    for source in functions.values():
        [definition] = ast.parse(source).body
        assert isinstance(definition, ast.FunctionDef)
        assert ast.get_docstring(definition)
        assert isinstance(definition.body[-1], ast.Return)
    called = {name for name in ("runtime", "symdiff") if f"{name}." in "".join(functions.values())}
    assert not called, f"the generated code calls {called}"


def check_plots(names: list[str], lines: list[str], since: float) -> None:
    image = pytest.importorskip("matplotlib.image")
    for name in names:
        path = OUTPUT / f"{name}.png"
        assert path.stat().st_mtime >= since - 2, f"{path.name} is an old one"
        pixels = image.imread(path)[..., :3]
        assert min(pixels.shape[:2]) > 300
        drawn = np.mean(np.any(pixels < 0.9, axis=2))
        assert 0.005 < drawn < 0.6, f"{path.name}: {drawn:.1%} of it is drawn on"
        assert f"plot: output/{name}.png" in lines


def check_bootcamp(lines: list[str]) -> None:
    found, exact = (next(line for line in lines if line.startswith(word)) for word in ("fitted", "least"))
    assert abs(number([found], "w =") - number([exact], "w =")) < 0.15
    assert abs(number([found], "b =") - number([exact], "b =")) < 0.1


def check_variables(lines: list[str]) -> None:
    assert abs(number(lines, "found: W") - number(lines, "truth: W")) < 0.05
    [found] = [line for line in lines if line.startswith("found")]
    [truth] = [line for line in lines if line.startswith("truth")]
    assert abs(number([found], ", b") - number([truth], ", b")) < 0.05


def check_tensors(lines: list[str]) -> None:
    """Noise between 0 and 1 lifts b by a half; by hand and by SGD arrive at the same line."""
    by_hand, by_sgd = (next(line for line in lines if line.startswith(way)) for way in ("by hand", "by SGD"))
    assert by_hand.split(":")[1].split() == by_sgd.split(":")[1].split()
    assert abs(number([by_hand], "A =") - np.pi) < 0.3
    assert abs(number([by_hand], "b =") - 42.5) < 0.5


def check_digits(lines: list[str]) -> None:
    assert number(lines, "test accuracy:") >= 0.97
    assert number(lines, "trained in") < 20
    losses = [number([line], "loss") for line in lines if line.startswith("epoch")]
    assert len(losses) == 8
    assert losses[-1] < 0.1 * losses[0]
    check_source_comes_first(lines)


def check_diabetes(lines: list[str]) -> None:
    assert number(lines, "largest difference:") < 1e-6
    check_source_comes_first(lines)


def check_source_comes_first(lines: list[str]) -> None:
    opening = next(k for k, line in enumerate(lines) if line.startswith("def "))
    training = next(k for k, line in enumerate(lines) if line.startswith("epoch"))
    assert lines[0].startswith(("import", "#", '"""'))
    assert opening < training


CHECKS: dict[str, Callable[[list[str]], None]] = {
    "bootcamp": check_bootcamp,
    "variables_and_gradients": check_variables,
    "tensors_and_models": check_tensors,
    "digits": check_digits,
    "diabetes": check_diabetes,
}


def test_every_example_is_tested():
    scripts = {path.stem for path in EXAMPLES.glob("*.py")} - {"drawing"}
    assert scripts == set(LINES) == set(PLOTS) == set(SOURCES)


@pytest.mark.parametrize("name", sorted(LINES))
def test_example(name, tmp_path):
    began = time.time()
    lines = start(name, tmp_path)
    check_lines(lines, LINES[name])
    check_sources(lines, SOURCES[name])
    check_plots(PLOTS[name], lines, began)
    if name in CHECKS:
        CHECKS[name](lines)

    again = start(name, tmp_path)
    timeless = re.compile(r"in \d+\.\d s$")
    assert [timeless.sub("", line) for line in again] == [timeless.sub("", line) for line in lines]
