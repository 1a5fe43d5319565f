"""How long it takes to generate a gradient of a long, deep or many-times-looping function.

    python -m bench.generation KIND SIZE

Enters: a kind of program and its size; the program is written as text and imported.  Leaves: one JSON object,
the last line of standard output: median and best seconds, and the generated source.  Invariant: nothing comes
from a cache; SymPy and what else symdiff imports late are loaded before the clock starts; the gradient is
compared with a finite difference, so that a fast wrong answer does not count.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.slopes import along, direction_like, slope

ROOT = Path(__file__).resolve().parent.parent
ENOUGH_SECONDS = 2.0
MOST_RUNS = 5

# Each keeps its value between -2 and 2, whatever its length.  a, b, c: earlier values.
STATEMENTS = (
    "np.sin({a}) * w + {b}",
    "0.5 * {a} + 0.25 * {b} * {c}",
    "np.tanh({a} - {b})",
    "{a} / (1.0 + {b} ** 2)",
    "np.exp(-{a} * {a}) - {c}",
    "np.cos({a} + 0.5) * np.sqrt(1.0 + {b} * {b}) - {c}",
)
LOOP = """    s = {a}
    for k in range(3):
        s = 0.5 * s + np.sin(s) * w
        if k > 1:
            s = s - 0.1 * {b}
    {name} = np.tanh(s)
"""


def straight(lines: int) -> str:
    """`lines` assignments, each of earlier values."""
    return _body(lines, every=0)


def looping(lines: int) -> str:
    """As `straight`, with a loop of six lines and a branch in it after every 14 others."""
    return _body(lines, every=20)


def _body(lines: int, every: int) -> str:
    text, written = [], 1
    names = ["x", "x", "x", "x"]
    while written < lines:
        name = f"v{written}"
        if every and written % every > every - 6:
            text.append(LOOP.format(name=name, a=names[-1], b=names[-2]))
            written += 6
        else:
            formula = STATEMENTS[written % len(STATEMENTS)]
            earlier = {"a": names[-1], "b": names[-2], "c": names[-4]}
            text.append(f"    {name} = np.tanh({formula.format(**earlier)})\n")
            written += 1
        names.append(name)
    return "".join(text) + f"    return np.sum({names[-1]})\n"


def sums(depth: int) -> str:
    """One expression `x - w + x * 0.5 - ...`, nested to the left `depth` deep."""
    return f"    return np.sum(x{' - w + x * 0.5' * (depth // 2)}) / {depth}.0\n"


def products(depth: int) -> str:
    """One product of factors near one."""
    factors = " * ".join(f"(1.0 + {'xw'[k % 2]} / {depth}.0)" for k in range(depth))
    return f"    return np.sum({factors})\n"


def minus_signs(depth: int) -> str:
    """One operator inside the other, `depth` of them."""
    return f"    return np.sum({'-' * depth}(x * w))\n"


def trips(count: int) -> str:
    """A loop that runs `count` times; the text of its gradient has as many lines for every count."""
    return f"""    for _ in range({count}):
        x = 0.5 * x + w * np.sin(x)
    return np.sum(x ** 2)
"""


def rounds(count: int) -> str:
    """As `trips`, the count passed as an argument."""
    return trips(count).replace(str(count), "n")


KINDS: dict[str, Callable[[int], str]] = {
    function.__name__: function
    for function in (straight, looping, sums, products, minus_signs, trips, rounds)
}


def load(body: str, folder: Path) -> Callable[..., Any]:
    path = folder / "programs" / "generated_program.py"  # the generated text names both
    path.parent.mkdir()
    path.write_text(f"import numpy as np\n\n\ndef program(x, w, n):\n{body}", encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    function: Callable[..., Any] = module.program
    return function


def warm(x: Any) -> float:
    return float(np.sum(np.tanh(x) ** 2))


def measured(kind: str, size: int) -> dict[str, Any]:
    import symdiff

    os.environ["SYMDIFF_CACHE"] = "off"
    x, w = np.linspace(0.4, 0.6, 3), np.linspace(0.3, 0.2, 3)
    symdiff.value_and_grad(warm).source_for(x)
    seconds: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        function = load(KINDS[kind](size), Path(folder))
        while len(seconds) < MOST_RUNS and sum(seconds) < ENOUGH_SECONDS:
            start = time.perf_counter()
            source = symdiff.value_and_grad(function, wrt=("x", "w")).source_for(x, w, size)
            seconds.append(time.perf_counter() - start)
        os.environ["SYMDIFF_CACHE"] = "memory"
        long = kind in ("trips", "rounds") and size > 1000
        error = None if long else gradient_error(function, x, w, size)
    return {"seconds": statistics.median(seconds), "best": min(seconds), "error": error, "source": source}


def gradient_error(function: Callable[..., Any], x: Any, w: Any, n: int) -> float:
    import symdiff

    value, (x_bar, w_bar) = symdiff.value_and_grad(function, wrt=("x", "w"))(x, w, n)
    rng = np.random.default_rng(5)
    to_x, to_w = direction_like(x, rng), direction_like(w, rng)
    numeric, _ = slope(lambda step: float(function(x + step * to_x, w + step * to_w, n)), step=2.0**-10)
    (from_x, x_size), (from_w, w_size) = along(x_bar, to_x), along(w_bar, to_w)
    scale = max(abs(numeric), x_size, w_size, 1e-12)
    return max(abs(from_x + from_w - numeric) / scale, abs(float(value) - float(function(x, w, n))))


def in_a_process(kind: str, size: int, limit: float = 180.0) -> dict[str, Any]:
    """The measurement in a new process; `failure` holds what went wrong, if anything did."""
    command = [sys.executable, "-m", "bench.generation", kind, str(size)]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=limit)
    except subprocess.TimeoutExpired:
        return {"failure": f"no answer within {limit:.0f} s"}
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        return {"failure": f"crashed: {lines[-1]}"}
    return dict(json.loads(done.stdout.splitlines()[-1]))


def failure(error: Exception) -> str:
    """A refusal by its first finding, anything else by its kind."""
    problems = getattr(error, "problems", None)
    if problems:
        return f"refused: {problems[0].what}"
    lines = str(error).strip().splitlines() or [""]
    return f"crashed: {type(error).__name__}: {lines[0]}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.generation")
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("size", type=int)
    options = parser.parse_args()
    try:
        found = measured(options.kind, options.size)
    except Exception as error:
        found = {"failure": failure(error)}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
