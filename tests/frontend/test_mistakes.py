"""What is refused while compiling: file, line, caret, what and what instead.

Golden: `mistakes.txt` holds blocks of name, text of a module that defines `f`, and the report.
`python tests/frontend/test_mistakes.py` writes the reports anew; read the difference like code.
"""

from __future__ import annotations

import inspect
import itertools
import linecache
import pathlib
import re
import sys

import numpy as np
import pytest

from symdiff.errors import SymdiffError, UserError
from symdiff.frontend import lower

GOLDEN = pathlib.Path(__file__).parent / "mistakes.txt"
LONGEST = 12
ARGUMENTS = {"x": np.array([0.5, 1.5, 2.5]), "a": 0.5, "n": 3}


def blocks() -> list[tuple[str, str, str]]:
    found = []
    for block in GOLDEN.read_text(encoding="utf-8").split("\n=== ")[1:]:
        name, text = block.split("\n", 1)
        module, _, report = text.partition("\n--- ")
        found.append((name, module.rstrip("\n") + "\n", report.rstrip("\n")))
    return found


def raised(module: str) -> SymdiffError:
    linecache.cache["model.py"] = (len(module), None, module.splitlines(keepends=True), "model.py")
    namespace = {"np": np, "__name__": "model"}
    exec(compile(module, "model.py", "exec", dont_inherit=True), namespace)
    function = namespace["f"]
    names = inspect.signature(function).parameters
    bound = inspect.signature(function).bind(**{k: v for k, v in ARGUMENTS.items() if k in names})
    try:
        lower(function, bound)
    except SymdiffError as error:
        return error
    raise AssertionError("accepted")


def shown(error: SymdiffError) -> str:
    return f"{type(error).__name__}: {str(error).lstrip()}"


@pytest.mark.parametrize(("name", "module", "wanted"), blocks(), ids=[name for name, *_ in blocks()])
def test_report(name, module, wanted):
    error = raised(module)
    assert shown(error) == wanted
    lines = module.splitlines()
    for problem in error.problems:
        text = problem.render()
        assert text.count("\n") < LONGEST
        assert problem.instead or isinstance(error, UserError) or len(error.problems) > 1, "what instead?"
        assert problem.span is not None
        assert problem.span.file == "model.py", "a place in the user's own file"
        assert problem.span.text.strip() == lines[problem.span.line - 1].strip()
        assert "^" in text


def test_there_are_enough():
    assert len(blocks()) >= 60


def test_names_are_unique():
    names = [name for name, *_ in blocks()]
    assert len(set(names)) == len(names)


def test_a_failed_statement_does_not_hide_the_others():
    module = "def f(x):\n    y = eval('x')\n    z = open('x')\n    return y + z + np.unique(x, x, x)\n"
    lines = [problem.span.line for problem in raised(module).problems if problem.span is not None]
    assert lines == [2, 3, 4]
    assert all(a <= b for a, b in itertools.pairwise(lines))


def write() -> None:
    text = "What is refused while compiling; see `test_mistakes.py`.\n"
    for name, module, _ in blocks():
        try:
            report = shown(raised(module))
        except AssertionError as error:
            report = str(error)
        text += f"\n=== {name}\n{module}--- {report}\n"
    GOLDEN.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    assert re.search(r"\n=== ", GOLDEN.read_text(encoding="utf-8"))
    sys.setrecursionlimit(10_000)
    write()
