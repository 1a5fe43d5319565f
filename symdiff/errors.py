"""The errors a user sees: where, what, and what to write instead.

Enters: a `Span` of the user's source and two sentences.  Leaves: an exception whose text is a report with
file, line, source line and caret.  Invariant: every error symdiff raises on purpose is a `SymdiffError`;
one report lists all problems of a function, in source order.
"""

from __future__ import annotations

from collections.abc import Iterable

from symdiff.records import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the user's source: 1-based lines, 0-based columns in characters, `text` its first line."""

    file: str
    line: int
    column: int = 0
    end_line: int = 0
    end_column: int = 0
    text: str = ""

    def caret(self) -> str:
        """The source line with the stretch underlined, or an empty string where the text is unknown."""
        if not self.text:
            return ""
        stripped = self.text.strip()
        indent = len(self.text) - len(self.text.lstrip())
        start = max(self.column - indent, 0)
        end = self.end_column - indent if self.end_line == self.line else len(stripped)
        end = max(min(end, len(stripped)), start + 1)
        shown, start, end = _window(stripped, start, end)
        return f"    {shown}\n    {' ' * start}{'^' * (end - start)}"


_WIDEST = 100


def _window(text: str, start: int, end: int) -> tuple[str, int, int]:
    """The part of a long line around a stretch, with dots where it is cut, and the stretch in it."""
    if len(text) <= _WIDEST:
        return text, start, end
    first = max(min(start - 20, len(text) - _WIDEST), 0)
    last = first + _WIDEST
    before, after = "... " * (first > 0), " ..." * (last < len(text))
    shift = len(before) - first
    return before + text[first:last] + after, start + shift, min(end, last) + shift


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: `what` is one sentence, `instead` says what to write."""

    what: str
    instead: str = ""
    span: Span | None = None

    def render(self) -> str:
        lines = []
        if self.span is not None:
            lines.append(f'  File "{self.span.file}", line {self.span.line}')
            caret = self.span.caret()
            if caret:
                lines.append(caret)
        lines.append(f"  {self.what}")
        if self.instead:
            lines.append(f"  Instead: {self.instead}")
        return "\n".join(lines)


class SymdiffError(Exception):
    """Base of all errors raised by symdiff; `problems` holds every finding of the report."""

    def __init__(self, what: str | Problem | Iterable[Problem], instead: str = "", span: Span | None = None):
        if isinstance(what, str):
            self.problems: tuple[Problem, ...] = (Problem(what, instead, span),)
        elif isinstance(what, Problem):
            self.problems = (what,)
        else:
            self.problems = tuple(what)
        super().__init__(self.report())

    def report(self) -> str:
        parts = [problem.render() for problem in self.problems]
        if len(parts) == 1:
            return "\n" + parts[0]
        return f"{len(parts)} problems\n" + "\n".join(parts)

    def __reduce__(self) -> tuple[type[SymdiffError], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)


class SourceError(SymdiffError):
    """The source of a function cannot be found."""


class StaleSourceError(SourceError):
    """The source that was found is not the source of the running function."""


class UnsupportedError(SymdiffError):
    """Python that symdiff does not differentiate."""


class UnsupportedFunctionError(UnsupportedError):
    """A call of a function that has no derivative rule and no source."""


class WrtError(SymdiffError):
    """`wrt` names something that is not a differentiable argument."""


class DtypeError(WrtError, TypeError):
    """An integer, boolean or object argument where a float is needed."""


class ShapeError(SymdiffError):
    """Shapes that cannot be combined."""


class NonScalarError(SymdiffError):
    """`grad` of a function whose result is not a scalar."""


class UserError(SymdiffError):
    """The function itself fails while it is compiled: its own `raise`, or a failing operation."""


class IRError(SymdiffError):
    """A program that breaks the rules of the IR: a bug in symdiff, found by the verifier."""
