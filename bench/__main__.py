"""Command line of the benchmarks, each part in turn with blocks of what it is compared to:

    python -m bench part1 [--peers]               straight-line code against hand-derived NumPy
    python -m bench part2                         loops, branches and writes: speed, memory, generation time
    python -m bench npbench --checkout PATH [--time]   the programs of NPBench against finite differences
    python -m bench autograd-tests --checkout PATH     autograd's own tests with symdiff in its place
    python -m bench gradbench                     the twelve evals of GradBench, validated and timed

All take `[--only NAME] [--json FILE] [--seconds S]`.  On a machine that others use, `OPENBLAS_NUM_THREADS=1`
keeps matrix products from waiting for a second core.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from bench import npbench, part1


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=["part1", "part2", "npbench", "autograd-tests", "gradbench"])
    parser.add_argument("--seconds", type=float, default=2.0, help="time for each comparison (default 2)")
    parser.add_argument("--only", default="", help="only what has this in its name, and nothing else")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results to FILE")
    parser.add_argument("--peers", action="store_true", help="part1: also JAX, PyTorch, autograd, tangent-ad")
    parser.add_argument("--checkout", type=Path, metavar="PATH", help="a clone of NPBench or autograd")
    parser.add_argument("--time", action="store_true", help="npbench: also time value and gradient")
    parser.add_argument("--limit", type=float, default=120.0, help="seconds for each program or test")
    return parser


def report_of(options: argparse.Namespace, parser: argparse.ArgumentParser) -> dict[str, Any]:
    if options.part == "part1":
        return part1.run(options.seconds, options.peers, options.only)
    if options.part == "part2":
        from bench import part2  # imports symdiff; the others start without it

        return part2.run(options.seconds, options.only)
    if options.part == "gradbench":
        from bench.gradbench import runner  # imports symdiff

        return runner.run(options.seconds, options.only)
    if options.part == "autograd-tests":
        from bench import autograd_tests  # needs pytest

        if options.checkout is None:
            parser.error("needs --checkout PATH: git clone https://github.com/HIPS/autograd PATH")
        return autograd_tests.run(options.checkout, options.only, options.limit)
    if options.checkout is None:
        parser.error("npbench needs --checkout PATH: git clone https://github.com/spcl/npbench PATH")
    return npbench.run(options.checkout, options.only, options.time, options.limit)


def main() -> None:
    parser = arguments()
    options = parser.parse_args()
    report = report_of(options, parser)
    if options.json:
        options.json.write_text(json.dumps(report, indent=2, default=str) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
