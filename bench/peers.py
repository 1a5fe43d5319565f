"""The same workloads through other differentiation tools, as far as they are installed.

Enters: workloads.  Leaves: rows of times.  Invariant: every tool runs the workload's own text; only what the
name `np` means is exchanged.  JAX and PyTorch get their own arrays, in float64, before the clock starts, and
are timed until the result is there.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, SimpleNamespace
from typing import Any

import numpy as np

from bench.timing import compare
from bench.workloads import WORKLOADS, Workload

ROOT = Path(__file__).resolve().parent.parent

Call = Callable[[], Any]


def positions(workload: Workload) -> tuple[int, ...]:
    """Where the `wrt` arguments stand."""
    names = (workload.wrt,) if isinstance(workload.wrt, str) else workload.wrt
    return tuple(workload.function.__code__.co_varnames.index(name) for name in names)


def with_numpy(function: Callable[..., Any], namespace: Any) -> Callable[..., Any]:
    """`function` with another module in the place of `np`."""
    assert isinstance(function, FunctionType)
    return FunctionType(function.__code__, {**function.__globals__, "np": namespace}, function.__name__)


def jax_jit(workload: Workload, arguments: tuple[Any, ...]) -> Call:
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    function = with_numpy(workload.function, importlib.import_module("jax.numpy"))
    compiled = jax.jit(jax.value_and_grad(function, argnums=positions(workload)))
    placed = [jax.device_put(a) for a in arguments]
    return lambda: jax.block_until_ready(compiled(*placed))


def torch_namespace(torch: Any) -> SimpleNamespace:
    """NumPy's spellings of what the workloads call."""

    def tensor(x: Any) -> Any:
        return x if isinstance(x, torch.Tensor) else torch.tensor(float(x), dtype=torch.float64)

    return SimpleNamespace(
        exp=lambda x: torch.exp(tensor(x)),
        log=torch.log,
        logaddexp=lambda a, b: torch.logaddexp(tensor(a), tensor(b)),
        max=lambda x, axis, keepdims: torch.amax(x, axis, keepdims),
        maximum=lambda a, b: torch.maximum(a, tensor(b)),
        mean=torch.mean,
        sqrt=torch.sqrt,
        sum=lambda x, axis=None, keepdims=False: torch.sum(x, axis, keepdims),
        tanh=torch.tanh,
    )


def torch_eager(workload: Workload, arguments: tuple[Any, ...]) -> Call:
    torch = importlib.import_module("torch")
    function = with_numpy(workload.function, torch_namespace(torch))
    tensors = [torch.tensor(a, dtype=torch.float64) if isinstance(a, np.ndarray) else a for a in arguments]
    chosen = positions(workload)
    for k in chosen:
        tensors[k] = torch.tensor(arguments[k], dtype=torch.float64, requires_grad=True)
    wanted = [tensors[k] for k in chosen]

    def call() -> Any:
        value = function(*tensors)
        return value, torch.autograd.grad(value, wanted)

    return call


def autograd(workload: Workload, arguments: tuple[Any, ...]) -> Call:
    tool = importlib.import_module("autograd")
    function = with_numpy(workload.function, importlib.import_module("autograd.numpy"))
    chosen = positions(workload)

    def of_tuple(wanted: tuple[Any, ...]) -> Any:
        placed = list(arguments)
        for k, value in zip(chosen, wanted, strict=True):
            placed[k] = value
        return function(*placed)

    both = tool.value_and_grad(of_tuple)
    start = tuple(arguments[k] for k in chosen)
    return lambda: both(start)


def tangent(workload: Workload, arguments: tuple[Any, ...]) -> Call:
    tool = importlib.import_module("tangent")
    both = tool.grad(workload.function, wrt=positions(workload), preserve_result=True)

    def call() -> Any:
        *gradient, value = both(*arguments)
        return value, gradient

    return call


PEERS = {"JAX jit": jax_jit, "PyTorch eager": torch_eager, "autograd": autograd, "tangent-ad": tangent}


def right(result: Any, workload: Workload, arguments: tuple[Any, ...]) -> bool:
    """The peer's result agrees with the hand derivation."""
    value, gradient = workload.value_and_grad(*arguments)
    peer_value, peer_gradient = result
    pairs = zip((value, *gradient), (peer_value, *peer_gradient), strict=True)
    return all(
        np.allclose(as_array(theirs), ours, rtol=1e-7, atol=1e-9 * float(np.max(np.abs(ours))))
        for ours, theirs in pairs
    )


def as_array(x: Any) -> np.ndarray:
    return np.asarray(x.detach() if hasattr(x, "detach") else x)


def measure(name: str, workload: Workload, seconds: float) -> dict[str, Any]:
    """One peer on one workload, in turns with the hand derivation."""
    arguments = workload.arguments(np.random.default_rng(0))
    row: dict[str, Any] = {"peer": name, "workload": workload.name}
    try:
        call = PEERS[name](workload, arguments)
        row["right"] = right(call(), workload, arguments)
    except ImportError:
        return {**row, "problem": "not installed"}
    except Exception as error:  # a peer may refuse a workload in any way
        return {**row, "problem": f"{type(error).__name__}: {str(error).splitlines()[0][:80]}"}
    measured = compare(call, lambda: workload.value_and_grad(*arguments), seconds)
    return {**row, "seconds": measured.ours, "hand": measured.reference, "ratio": measured.ratio}


def show_peers(only: str, seconds: float) -> list[dict[str, Any]]:
    """Measure every peer on every workload whose name contains `only`, printing a line for each.

    Each peer runs in a process of its own: their pools of threads get in each other's way.
    """
    rows: list[dict[str, Any]] = []
    print(f"{'peers':16s} {'workload':36s} {'time':>14s}   ratio to the hand derivation")
    for name in PEERS:
        command = [sys.executable, "-W", "ignore", "-m", "bench.peers", name, only, str(seconds)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                rows.append(json.loads(line))
                print(shown(rows[-1]), flush=True)
        if process.returncode:
            print(f"{name:16s} failed")
    return rows


def shown(row: dict[str, Any]) -> str:
    if "problem" in row:
        result = f"{row['problem']:>14s}"
    else:
        wrong = "" if row["right"] else "  WRONG RESULT"
        result = f"{row['seconds'] * 1e6:11,.1f} µs   {row['ratio']:.2f}{wrong}"
    return f"{row['peer']:16s} {row['workload']:36s} {result}"


def main(name: str, only: str, seconds: str) -> None:
    """One peer in this process, one JSON object a line."""
    for workload in WORKLOADS:
        if only in workload.name:
            print(json.dumps(measure(name, workload, float(seconds))), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
