"""Command line of the benchmarks: `python -m bench part1 [--json FILE] [--peers] [--only NAME]`.

On a machine that others use, `OPENBLAS_NUM_THREADS=1` keeps matrix products from waiting for a second core.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from bench import part1


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=part1.__doc__)
    parser.add_argument("part", choices=["part1"])
    parser.add_argument("--seconds", type=float, default=2.0, help="time for each comparison (default 2)")
    parser.add_argument(
        "--only", default="", help="only workloads whose name contains this, and nothing else"
    )
    parser.add_argument(
        "--peers", action="store_true", help="also JAX, PyTorch, autograd, tangent-ad if installed"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results to FILE")
    options = parser.parse_args()
    report = part1.run(options.seconds, options.peers, options.only)
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
