"""Where the user's function stands, and what it is called.

Enters: a function, or a problem that has no place.  Leaves: its signature, its place in words, the problem
with the function's first line.  Invariant: what is foreign (loaders, signatures) may fail, and then there is
no text.
"""

from __future__ import annotations

import contextlib
import inspect
import linecache
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import CodeType
from typing import Any

from symdiff.errors import Problem, Span, SymdiffError, WrtError


@contextlib.contextmanager
def located(function: Callable[..., Any]) -> Iterator[None]:
    """Gives problems that have no place that of the function's first line, and there of what they name."""
    try:
        yield
    except SymdiffError as error:
        if all(problem.span is not None for problem in error.problems):
            raise
        code = function.__code__
        text = ""
        with contextlib.suppress(Exception):  # a loader is foreign code
            text = linecache.getline(code.co_filename, code.co_firstlineno, function.__globals__).rstrip("\n")
        problems = [
            p if p.span is not None else replace(p, span=_span(p, code, text)) for p in error.problems
        ]
        raise type(error)(problems) from None


def _span(problem: Problem, code: CodeType, text: str) -> Span:
    """The first line of the function: what the problem quotes if it stands there, or else the whole line."""
    start, end = len(text) - len(text.lstrip()), len(text)
    for quoted in re.findall(r"`([^\W\d]\w*)|(wrt=(?:'[^']*'|[-\w.]+))", problem.what):
        found = re.search(rf"(?<![\w.]){re.escape(quoted[0] or quoted[1].replace(chr(39), chr(34)))}\b", text)
        if found:
            start, end = found.span()
            break
    return Span(code.co_filename, code.co_firstlineno, start, code.co_firstlineno, end, text)


def signature_of(function: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(function, follow_wrapped=False)
    except (TypeError, ValueError):
        raise WrtError(
            f"{function!r} has no signature.", "wrap it in a function or lambda of its arguments"
        ) from None


def place(function: Callable[..., Any]) -> str:
    """`loss (examples/linear.py:5)`: the last two parts of the path say enough and are the same on every
    machine."""
    code = getattr(function, "__code__", None)
    if code is None:
        return getattr(function, "__name__", "function")
    name = function.__name__ if function.__name__ != "<lambda>" else "lambda"
    if code.co_filename.startswith("<symdiff: "):
        return name
    file = "/".join(code.co_filename.replace("\\", "/").split("/")[-2:])
    return f"{name} ({file}:{code.co_firstlineno})"
