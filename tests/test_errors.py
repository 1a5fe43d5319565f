"""What a user reads who made a mistake: class, file, line, caret, what and what instead.

Golden: `reports.txt` holds every mistake with its whole report, in blocks of name, text of the module, call
and report.  `python tests/test_errors.py` writes the reports anew; read the difference like code.
"""

from __future__ import annotations

import itertools
import linecache
import pathlib
import pickle
import re
import sys
import types
import warnings

import numpy as np
import pytest
from scipy import special

import symdiff
from symdiff.errors import Problem, Span, SymdiffError, UserError

GOLDEN = pathlib.Path(__file__).parent / "reports.txt"
LONGEST = 12


def blocks() -> list[tuple[str, str, str, str]]:
    found = []
    for block in GOLDEN.read_text(encoding="utf-8").split("\n=== ")[1:]:
        name, text = block.split("\n", 1)
        text, report = text.split("\n--- ")
        module, _, call = text.rpartition("\n>>> ")
        found.append(
            (name, f"{module}\n" if module.strip() else "", call.removeprefix(">>> "), report.rstrip("\n"))
        )
    return found


def raised(module: str, call: str) -> Exception:
    linecache.cache["model.py"] = (len(module), None, module.splitlines(keepends=True), "model.py")
    namespace = {
        "np": np, "special": special, "types": types, "X": np.array([0.5, 1.5, 2.5]), "grad": symdiff.grad,
        "value_and_grad": symdiff.value_and_grad, "vjp": symdiff.vjp, "differentiate": symdiff.differentiate,
    }  # fmt: skip
    exec(compile(module, "model.py", "exec", dont_inherit=True), namespace)
    try:
        eval(call, namespace)
    except SymdiffError as error:
        return error
    raise AssertionError(f"no error: {call}")


def report(module: str, call: str) -> str:
    error = raised(module, call)
    return f"{type(error).__name__}: {str(error).lstrip()}"


@pytest.mark.parametrize(("name", "module", "call", "wanted"), blocks(), ids=[name for name, *_ in blocks()])
def test_report(name, module, call, wanted):
    found = raised(module, call)
    assert f"{type(found).__name__}: {str(found).lstrip()}" == wanted
    lines = module.splitlines()
    for problem in found.problems:
        text = problem.render()
        assert text.count("\n") < LONGEST
        assert "nan" not in text.lower().replace("np.nan", "").split()
        assert problem.instead or isinstance(found, UserError) or len(found.problems) > 1, "what instead?"
        if problem.span is None:
            assert (
                not module
                or "differentiate(" in call
                or "cotangent" in problem.what
                or "must be" in problem.what
            )
        elif problem.span.file == "model.py":
            assert problem.span.text.strip() == lines[problem.span.line - 1].strip()
            assert "^" in text
    places = [(p.span.line, p.span.column) for p in found.problems if p.span is not None]
    assert places == sorted(places)


def test_there_are_enough():
    assert len(blocks()) >= 60


def test_the_caret_stands_under_the_token():
    error = raised(
        "def loss(x):\n    y = 'é' and np.unique(x, x, x)\n    return np.sum(y)\n", "grad(loss)(X)"
    )
    lines = str(error).splitlines()
    line, caret = next((a, b) for a, b in itertools.pairwise(lines) if set(b.strip()) == {"^"})
    assert line[caret.index("^") : caret.rindex("^") + 1] == "np.unique(x, x, x)"


@pytest.mark.parametrize("at", [0, 50, 95, 150, 880])
def test_long_lines_are_cut_around_the_caret(at):
    text = "x" * at + "TOKEN" + "y" * (900 - at)
    shown = Span("f.py", 1, at, 1, at + 5, text).caret().splitlines()
    assert max(map(len, shown)) <= 120
    assert shown[0][shown[1].index("^") : shown[1].rindex("^") + 1] == "TOKEN"


def test_reports_survive_pickling():
    for _, module, call, _ in blocks()[:20]:
        error = raised(module, call)
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), again.problems) == (type(error), str(error), error.problems)


def test_errors_are_the_same_at_every_call():
    def loss(x):
        return np.sum(np.unique(x, x, x))

    derivative = symdiff.grad(loss)
    texts = set()
    for _ in range(3):
        with pytest.raises(SymdiffError) as found:
            derivative(np.ones(3))
        texts.add(str(found.value))
    assert len(texts) == 1


def test_a_problem_without_a_place():
    assert Problem("What.", "that").render() == "  What.\n  Instead: that"
    assert str(SymdiffError("What.")) == "\n  What."


def write() -> None:
    """All reports as they are now."""
    text = "Mistakes and what symdiff says; see `test_errors.py`.\n"
    for name, module, call, _ in blocks():
        text += f"\n=== {name}\n{module}>>> {call}\n--- {report(module, call)}\n"
    GOLDEN.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
    warnings.simplefilter("ignore")
    assert re.search(r"\n=== ", GOLDEN.read_text(encoding="utf-8"))
    write()
