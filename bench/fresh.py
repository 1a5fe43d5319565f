"""One start of a new process, timed from inside: `python -m bench.fresh cold` or `warm`.

Enters: `SYMDIFF_CACHE_DIR`, empty for a cold start, filled by one for a warm start.  Leaves: a JSON object of
seconds on standard output.  NumPy is imported before any clock starts; for a cold start SymPy is too.
"""

from __future__ import annotations

import importlib
import json
import sys
import time

import numpy as np

from bench import subject


def start(cold: bool) -> dict[str, object]:
    """Import symdiff, then differentiate and call once."""
    arguments = subject.arguments(np.random.default_rng(0))
    if cold:
        importlib.import_module("sympy")
    before = time.perf_counter()
    symdiff = importlib.import_module("symdiff")
    differentiate = symdiff.differentiate  # looked up inside the clock: it may be imported lazily
    imported = time.perf_counter()
    function = differentiate(subject.subject, wrt=subject.WRT)
    function.grad(*arguments)
    first = time.perf_counter()
    function.grad(*arguments)
    second = time.perf_counter()
    return {
        "import": imported - before,
        "first gradient": first - imported,
        "second gradient": second - first,
        "loaded": [name for name in ("sympy", "jinja2") if name in sys.modules],
    }


if __name__ == "__main__":
    print(json.dumps(start(cold=sys.argv[1] == "cold")))
