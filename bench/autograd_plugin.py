"""A pytest plugin: autograd's modules stand on symdiff, and outcomes go to a file of JSON lines.

Enters: the environment's AUTOGRAD_OUTCOMES, a file name.  Leaves: one line for each test: its name, whether
it passed, and the error.  Invariant: it is loaded before any test module is imported.
"""

from __future__ import annotations

import json
import os
import signal
from typing import Any

import pytest

from bench import autograd_shim

autograd_shim.install()
LIMIT = int(os.environ.get("AUTOGRAD_LIMIT", "120"))


def _late(*_: object) -> None:
    raise TimeoutError(f"no answer within {LIMIT} s")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: Any, call: Any) -> Any:
    outcome = yield
    report = outcome.get_result()
    if report.when != "call" and report.passed:
        return
    error = "" if call.excinfo is None else f"{call.excinfo.typename}: {call.excinfo.value}"
    name = f"{item.path.stem}::{item.name}"
    line = {"test": name, "passed": report.passed, "error": error, "seconds": report.duration}
    with open(os.environ["AUTOGRAD_OUTCOMES"], "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: Any) -> Any:
    signal.signal(signal.SIGALRM, _late)
    signal.alarm(LIMIT)
    try:
        yield
    finally:
        signal.alarm(0)
