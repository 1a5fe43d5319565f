"""One NPBench program: differentiated, checked against finite differences, timed.

    python -m bench.npbench_worker NAME --checkout PATH [--time] [--tool MODULE]

Enters: the name of a file in `bench_info/` of a clone of NPBench.  Leaves: one JSON object, the last line of
standard output.  Invariant: the program is imported as it stands in the clone.  The loss is the sum of every
float output, each entry times a fixed weight between 0.5 and 1.5: returned values and arguments that the
program writes into, of complex ones the real and the imaginary parts.  (The plain sum of a softmax is
constant.)  Its gradient is taken with respect to every float or complex argument, arrays and numbers.
"""

from __future__ import annotations

import argparse
import copy
import functools
import importlib
import importlib.util
import inspect
import json
import statistics
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from bench.npbench_plans import PLANS, SINGLE_TOLERANCE, TOLERANCE, Plan
from bench.slopes import along, direction_like, moved, slope
from bench.timing import no_garbage_collection

Tree = Any
JOINT_DIRECTIONS = 3
CHECK_SECONDS = 60.0
TIMING_SECONDS = 3.0
LEAST_RUNS = 5


class DoublePrecision:
    """`numpy` in which single precision means double: for the reference, never for what is differentiated."""

    float32, complex64 = np.float64, np.complex128

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"npbench_{path.stem}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # as an import would
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Program:
    """A program of NPBench with the names of its parameters; `reference` computes in double precision."""

    name: str
    function: Callable[..., Any]
    reference: Callable[..., Any]
    parameters: tuple[str, ...]
    single: bool
    info: dict[str, Any]
    folder: Path

    def arguments(self, replaced: dict[str, int | float]) -> list[Any]:
        """What the initialiser makes of preset S with some sizes replaced, in the order of the call."""
        values: dict[str, Any] = {**self.info["parameters"]["S"], **replaced}
        init = self.info.get("init")
        if init:
            np.random.seed(0)  # one initialiser draws from the global generator
            module = load(self.folder / f"{self.info['module_name']}.py")
            made = getattr(module, init["func_name"])(*(values[name] for name in init["input_args"]))
            names = init["output_args"]
            values.update(zip(names, made if len(names) > 1 else (made,), strict=True))
        return [values[name] for name in self.info["input_args"]]


def program(name: str, checkout: Path) -> Program:
    info = json.loads((checkout / "bench_info" / f"{name}.json").read_text(encoding="utf-8"))["benchmark"]
    folder = checkout / "npbench" / "benchmarks" / info["relative_path"]
    path = folder / f"{info['module_name']}_numpy.py"
    reference = load(path)
    single = "float32" in path.read_text(encoding="utf-8")
    if single:
        reference.np = DoublePrecision()  # type: ignore[attr-defined]
    function = getattr(load(path), info["func_name"])
    parameters = tuple(inspect.signature(function).parameters)[: len(info["input_args"])]
    return Program(name, function, getattr(reference, info["func_name"]), parameters, single, info, folder)


# --- values: trees of tuples with arrays and numbers as leaves ----------------------------------------------


def leaves(tree: Tree) -> list[Any]:
    return [leaf for part in tree for leaf in leaves(part)] if isinstance(tree, tuple | list) else [tree]


def is_inexact(value: Any) -> bool:
    return isinstance(value, float | complex | np.inexact) or (
        isinstance(value, np.ndarray) and np.issubdtype(value.dtype, np.inexact)
    )


def same_bits(one: Any, other: Any) -> bool:
    """Whether two leaves agree in dtype, shape and every bit (of NaN and the sign of zero too)."""
    a, b = np.asarray(one), np.asarray(other)
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def same_tree(one: Tree, other: Tree) -> bool:
    if isinstance(one, tuple | list) or isinstance(other, tuple | list):
        both = isinstance(one, tuple | list) and isinstance(other, tuple | list) and len(one) == len(other)
        return both and all(same_tree(a, b) for a, b in zip(one, other, strict=True))
    return same_bits(one, other)


def cotangent_like(value: Tree, rng: np.random.Generator) -> Tree:
    """The weights of the loss; zero for an integer output."""
    if isinstance(value, tuple | list):
        return type(value)(cotangent_like(part, rng) for part in value)
    if not is_inexact(value):
        return 0.0
    weight: Any = rng.uniform(0.5, 1.5, np.shape(value))
    if np.iscomplexobj(value):
        return weight + 1j * rng.uniform(0.5, 1.5, np.shape(value))
    return weight.astype(value.dtype) if isinstance(value, np.ndarray) else float(weight)


def weighted_sum(value: Tree, cotangent: Tree) -> float:
    pairs = zip(leaves(value), leaves(cotangent), strict=True)
    return float(sum(np.sum(np.real(np.conj(c) * v)) for v, c in pairs if is_inexact(v)))


# --- the check ----------------------------------------------------------------------------------------------


def double(value: Any) -> Any:
    """An array in double precision; everything else as it is."""
    if not isinstance(value, np.ndarray) or not is_inexact(value):
        return value
    return value.astype(np.complex128 if np.iscomplexobj(value) else np.float64)


def off_special_points(arguments: list[Any], plan: Plan) -> list[Any]:
    rng = np.random.default_rng(7)
    settled = []
    for value in map(double, arguments):
        if isinstance(value, np.ndarray) and is_inexact(value):
            value = value - 0.5 if plan.centred else value
            value = value + plan.noise * direction_like(value, rng)
            if plan.diagonal and value.ndim == 2:
                value = value + plan.diagonal * np.eye(*value.shape)
        settled.append(value)
    return settled


@dataclass(frozen=True)
class Subject:
    """A program at one point: which arguments it is differentiated for, and which hold outputs."""

    program: Program
    arguments: list[Any]
    wrt: tuple[str, ...]
    outputs: tuple[str, ...]

    def value(self, function: Callable[..., Any], arguments: list[Any]) -> Tree:
        """What `vjp` gives as the value: the result unless it is None, then the arguments written into."""
        arguments = copy.deepcopy(arguments)
        result = function(*arguments)
        written = [arguments[self.program.parameters.index(name)] for name in self.outputs]
        parts = ([] if result is None else [result]) + written
        return parts[0] if len(parts) == 1 else tuple(parts)

    def derivative(self, tool: ModuleType) -> Callable[..., Any]:
        options = {"outputs": self.outputs} if self.outputs else {}
        function: Callable[..., Any] = tool.vjp(self.program.function, wrt=self.wrt, **options)
        return function


def subject(of: Program, arguments: list[Any]) -> Subject:
    """Runs the program once to see which arguments it writes into; one that it also returns counts once."""
    after = copy.deepcopy(arguments)
    returned = of.function(*after)
    rows = list(zip(of.parameters, arguments, after, strict=True))
    wrt = tuple(name for name, before, _ in rows if is_inexact(before))
    outputs = tuple(
        name
        for name, before, now in rows
        if isinstance(now, np.ndarray)
        and is_inexact(now)
        and not same_bits(before, now)
        and not any(leaf is now for leaf in leaves(returned))
    )
    return Subject(of, arguments, wrt, outputs)


def gradient_faults(at: Subject, gradients: Any) -> list[str]:
    """What is wrong with the kinds, shapes and dtypes of the gradients."""
    if not isinstance(gradients, tuple) or len(gradients) != len(at.wrt):
        return ["the gradient is not a tuple like wrt"]
    faults = []
    for name, gradient in zip(at.wrt, gradients, strict=True):
        value = at.arguments[at.program.parameters.index(name)]
        if np.shape(gradient) != np.shape(value):
            faults.append(f"gradient of {name} has shape {np.shape(gradient)}, not {np.shape(value)}")
        elif np.asarray(gradient).dtype != np.asarray(value).dtype:
            faults.append(f"gradient of {name} is {np.asarray(gradient).dtype}")
    return faults


def slopes(at: Subject, gradients: tuple[Any, ...], cotangent: Tree) -> list[dict[str, Any]]:
    """One row per direction: each argument alone, then all together, as long as time is left."""
    rng = np.random.default_rng(11)
    positions = [at.program.parameters.index(name) for name in at.wrt]
    sets = [[k] for k in range(len(positions))] + [list(range(len(positions)))] * JOINT_DIRECTIONS
    end = time.perf_counter() + CHECK_SECONDS
    rows: list[dict[str, Any]] = []
    for chosen in reversed(sets):
        directions = {k: direction_like(at.arguments[positions[k]], rng) for k in chosen}

        def loss(step: float, directions: dict[int, Any] = directions) -> float:
            arguments = list(at.arguments)
            for k, direction in directions.items():
                arguments[positions[k]] = moved(arguments[positions[k]], direction, step)
            return weighted_sum(at.value(at.program.reference, arguments), cotangent)

        with np.errstate(all="ignore"):
            numeric, uncertainty = slope(loss, PLANS.get(at.program.name, Plan()).step)
        parts = [along(gradients[k], direction) for k, direction in directions.items()]
        analytic, size = sum(part[0] for part in parts), float(np.hypot.reduce([part[1] for part in parts]))
        named = at.wrt[chosen[0]] if len(chosen) == 1 else "all"
        rows.append(verdict_on(named, analytic, numeric, uncertainty, size, at.program.single))
        if time.perf_counter() > end:
            break
    return rows


def verdict_on(
    named: str, analytic: float, numeric: float, uncertainty: float, size: float, single: bool
) -> dict[str, Any]:
    """`error` is relative to the slope, or to the size of its terms where these cancel."""
    scale = max(abs(numeric), size)
    difference = abs(analytic - numeric)
    error = difference / scale if scale > 0 else difference
    limit = SINGLE_TOLERANCE if single else TOLERANCE
    return {
        "direction": named,
        "symdiff": analytic,
        "numeric": numeric,
        "error": error,
        "numeric error": uncertainty / scale if scale > 0 else uncertainty,
        "met": bool(error <= limit),
        # A difference that finite differences cannot resolve convicts nobody.
        "unclear": bool(error > limit and difference <= 4 * uncertainty),
    }


def check(at: Subject, tool: ModuleType) -> dict[str, Any]:
    """Differentiate at one point and compare: value, arguments, gradients."""
    expected = at.value(at.program.function, at.arguments)
    cotangent = cotangent_like(expected, np.random.default_rng(3))
    given, kept = copy.deepcopy(at.arguments), copy.deepcopy(cotangent)
    start = time.perf_counter()
    value, pullback = at.derivative(tool)(*given)
    gradients = pullback(cotangent)
    seconds = time.perf_counter() - start
    faults = [] if same_tree(value, expected) else ["the value is not that of the function, bit for bit"]
    if not same_tree(given, at.arguments):
        faults.append("an argument was changed")
    if not same_tree(cotangent, kept):
        faults.append("the cotangent was changed")
    faults += gradient_faults(at, gradients)
    rows = [] if faults and "gradient" in faults[-1] else slopes(at, gradients, cotangent)
    faults += [f"wrong along {row['direction']}" for row in rows if not row["met"] and not row["unclear"]]
    unclear = sorted({row["direction"] for row in rows if row["unclear"]})
    return {
        "status": "WRONG" if faults else "ok",
        "note": "; ".join(faults) or (f"not resolved along {', '.join(unclear)}" if unclear else ""),
        "error": max((row["error"] for row in rows if not row["unclear"]), default=None),
        "first call": seconds,
        "directions": rows,
    }


# --- the time -----------------------------------------------------------------------------------------------


def seconds_of(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def timing(at: Subject, tool: ModuleType) -> dict[str, float]:
    """Medians of single calls in turns; the primal gets fresh arguments, copied before its clock starts."""
    derivative = at.derivative(tool)
    cotangent = cotangent_like(at.value(at.program.function, at.arguments), np.random.default_rng(3))

    def value_and_gradient() -> None:
        _, pullback = derivative(*at.arguments)
        pullback(cotangent)

    value_and_gradient()
    ours: list[float] = []
    primal: list[float] = []
    end = time.perf_counter() + TIMING_SECONDS
    with no_garbage_collection(), np.errstate(all="ignore"):
        while len(ours) < LEAST_RUNS or time.perf_counter() < end:
            arguments = copy.deepcopy(at.arguments)
            primal.append(seconds_of(functools.partial(at.program.function, *arguments)))
            ours.append(seconds_of(value_and_gradient))
    return {
        "primal": statistics.median(primal),
        "value and gradient": statistics.median(ours),
        "ratio": statistics.median(a / b for a, b in zip(ours, primal, strict=True)),
        "runs": len(ours),
    }


def first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def refused(error: BaseException) -> str:
    """The first finding of the report, with its line and how many more there are."""
    problems = getattr(error, "problems", ())
    if not problems:
        return first_line(error)
    first, more = problems[0], len(problems) - 1
    line = f"line {first.span.line}: " if first.span else ""
    return f"{line}{first.what}" + (f" (and {more} more)" if more else "")


def measured(name: str, checkout: Path, timed: bool, tool: ModuleType) -> dict[str, Any]:
    """The row of one program; an error that is no refusal is a crash and keeps its traceback."""
    it, plan = program(name, checkout), PLANS.get(name, Plan())
    arguments = it.arguments(plan.check)
    if not any(isinstance(value, np.ndarray) and is_inexact(value) for value in arguments):
        return {"program": name, "status": "no float array"}
    at = subject(it, off_special_points(arguments, plan))
    row: dict[str, Any] = {"program": name, "wrt": at.wrt, "outputs": at.outputs, "why": plan.why}
    refusal = getattr(tool, "SymdiffError", NotImplementedError)
    try:
        row.update(check(at, tool))
        if timed and row["status"] == "ok":
            # What it writes into was seen at the point of the check: unmoved data may be a fixed point.
            row["time"] = timing(replace(at, arguments=it.arguments(plan.timed)), tool)
    except refusal as error:
        row.update(status="refused", note=refused(error), report=str(error))
    except Exception as error:
        row.update(status="crashed", note=f"{type(error).__name__}: {first_line(error)}")
        row["report"] = traceback.format_exc()
    return row


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.npbench_worker", description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--checkout", type=Path, required=True)
    parser.add_argument("--time", action="store_true")
    parser.add_argument("--tool", default="symdiff", help="module whose `vjp` is measured (default symdiff)")
    options = parser.parse_args()
    tool = importlib.import_module(options.tool)
    print(json.dumps(measured(options.name, options.checkout, options.time, tool), default=str))


if __name__ == "__main__":
    main()
