"""From a running Python function to the `ast` node it was compiled from.

Enters: a function object.  Leaves: a `Source`: the node, with the positions of the real file, and the
lines to cut its text from.  Invariant: the node compiles to the code that is running.  Bytecode, constants
(by type and sign), names, flags and nested code are compared; where they differ there is an error and
never the text of another function.  Nothing of the user's is executed: text is parsed and compiled, no more.

How, and why so.  The whole text is parsed and compiled.  A smaller part would not do: the class around a
function mangles its `__names`, functions around it decide which names are free, and even imports at module
level change its code (`name.method()` is compiled differently where the module imports `name`).  Where that
does not fit, each statement is compiled alone, as notebooks do.  Future imports, which a notebook carries
from cell to cell, are taken from the flags of the running code.

A `def` is told from others by its name and first line, which no two share.  Lambdas can share a line; such
are compiled once more, each moved to lines of its own, so that every code object names its node with or
without column information.  (They are moved whole: where only some parts of a function are on other lines,
the compiler can leave in a NOP.)  Several with equal code are told apart by the columns of the running code.
An edit that merely moved a function is no error: node and positions are then those of the new text.
"""

from __future__ import annotations

import ast
import contextlib
import io
import itertools
import linecache
import operator
import sys
import tokenize
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from symdiff.errors import SourceError, Span, StaleSourceError
from symdiff.frontend.compiled import (
    FUTURE_FLAGS,
    FunctionNode,
    Text,
    codes_apart,
    codes_in,
    first_line,
    functions_in,
    is_same,
    nested,
    parsed,
)
from symdiff.records import dataclass

_POSITION = operator.attrgetter("lineno", "col_offset", "end_lineno", "end_col_offset")

_NO_FUNCTION = "pass a function written in Python with def or lambda; of a partial its func"
_RELOAD = "the file changed since it was imported: restart Python, or reload the module and take it anew"
_APART = "put each lambda on a line of its own, and reload the module if its file has changed"
_PYTEST = (
    "pytest rewrote the assert statements of this module, so what runs is not what is written: move the "
    "function to a module that is not a test module, or put PYTEST_DONT_REWRITE into this module's docstring"
)
_NO_SOURCE = (
    "define it in a file or a notebook cell; for text run with exec, compile it under a file name of its own "
    "and register the text in linecache.cache under that name"
)
_DEPTH = 4000  # of an expression: Python parses a little less from a text, and so must compile its tree
_TOO_DEEP = "move the function to another file, or split the very long expression in this one into statements"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Source:
    """The verified node of a function, its file name and the lines of that file (without line ends).

    The node is shared with later calls for the same file: read it, do not change it.
    """

    node: FunctionNode
    file: str
    lines: tuple[str, ...]

    def span(self, node: ast.AST) -> Span:
        """Where `node` stands, columns in characters; a node that has no position gets that of its parts."""
        line, start, end_line, end = _extent(node) or _extent(self.node) or (1, 0, 1, 0)
        text = self._line(line)
        end_column = _characters(self._line(end_line), end)
        return Span(self.file, line, _characters(text, start), end_line, end_column, text)

    def segment(self, node: ast.AST) -> str:
        """The user's text of `node` on one line.

        Of a node on one line it is the exact text; of more lines, the comments between them are left out and
        each line break with its indentation and backslash becomes one space.
        """
        if _extent(node) is None:
            return ""
        span = self.span(node)
        pieces = [self._line(number) for number in range(span.line, span.end_line + 1)]
        pieces[-1] = pieces[-1][: span.end_column]
        pieces[0] = pieces[0][span.column :]
        if len(pieces) == 1:
            return pieces[0]
        pieces = [piece.strip().removesuffix("\\").rstrip() for piece in _without_comments(pieces)]
        return " ".join(piece for piece in pieces if piece)

    def _line(self, number: int) -> str:
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""


def source_of(function: types.FunctionType) -> Source:
    """The source of exactly this function object (wrappers are not followed), verified against its code.

    Raises SourceError where there is no text or Python cannot parse its depth, StaleSourceError where the
    text is not that of the running code or does not say which of several equal functions it is.
    """
    if not isinstance(function, types.FunctionType):
        raise SourceError(f"an object of type `{type(function).__name__}` has no Python source", _NO_FUNCTION)
    code = function.__code__
    stale: StaleSourceError | None = None
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _DEPTH))
    try:
        for text in _texts(function):
            try:
                return _located(Text(text, code.co_flags & FUTURE_FLAGS), code)
            except StaleSourceError as error:
                stale = stale or error
    except (RecursionError, MemoryError):
        what = f"the file of `{code.co_qualname}` holds an expression too deeply nested for Python to parse"
        raise SourceError(what, _TOO_DEEP, Span(code.co_filename, code.co_firstlineno)) from None
    finally:
        sys.setrecursionlimit(limit)
    what = f"the source of `{code.co_qualname}` cannot be found"
    raise stale or SourceError(what, _NO_SOURCE, Span(code.co_filename, code.co_firstlineno))


# Texts


def _texts(function: types.FunctionType) -> Iterator[str]:
    """The different texts that may hold the function, the likeliest first."""
    seen = set()
    for read in (_cached, _interactive, _stored, _loaded):
        try:
            text = read(function)
        except Exception:  # a loader is foreign code, and linecache lets through what it raises
            continue
        text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        if text and text not in seen:
            seen.add(text)
            yield text


def _cached(function: types.FunctionType) -> str:
    """What tracebacks show: files, notebook cells, doctests (which replace `getlines`), registered text."""
    linecache.checkcache(function.__code__.co_filename)
    return "".join(linecache.getlines(function.__code__.co_filename, function.__globals__))


def _interactive(function: types.FunctionType) -> str:
    """What `python -c` and the prompt keep for each code object (3.13.1 and later)."""
    lines: Callable[[types.CodeType], list[str]] = getattr(linecache, "_getlines_from_code", lambda code: [])
    return "".join(lines(function.__code__))


def _stored(function: types.FunctionType) -> str:
    """The loader's bytes, decoded as Python decodes them: `get_source` of a zip file assumes UTF-8."""
    loader, _ = _loader(function)
    data: bytes = loader.get_data(function.__code__.co_filename)
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    return data.decode(encoding)


def _loaded(function: types.FunctionType) -> str:
    """The loader's text as it is: linecache cuts it at form feeds and Unicode line separators."""
    loader, name = _loader(function)
    return str(loader.get_source(name) or "")


def _loader(function: types.FunctionType) -> tuple[Any, str]:
    namespace = function.__globals__
    spec = namespace.get("__spec__")
    loader = getattr(spec, "loader", None) or namespace["__loader__"]
    return loader, getattr(spec, "name", None) or namespace["__name__"]


# Finding the node


def _located(text: Text, code: types.CodeType) -> Source:
    """The function's node in `text`; StaleSourceError unless exactly one fits."""
    try:
        _, lines = parsed(text)
        for line, alone in itertools.product((code.co_firstlineno, None), (False, True)):
            fitting = _fitting(text, code, line, alone)
            if line and len(fitting) > 1:
                fitting = _by_columns(fitting, code)
            if len(fitting) == 1:
                return Source(fitting[0], code.co_filename, lines)
            if fitting:
                raise _stale(code, lines, "contains it in several places", _APART)
    except (SyntaxError, ValueError, OverflowError):  # such as null bytes and lone surrogates
        raise _stale(code, text.text.split("\n"), "does not compile") from None
    raise _stale(code, lines, "is not what is running")


def _fitting(text: Text, code: types.CodeType, line: int | None, alone: bool) -> list[FunctionNode]:
    """The nodes that start on `line` (None: anywhere) and compile to `code`."""
    nodes = list(functions_in(parsed(text)[0], code.co_name, line))
    starts = [first_line(node) for node in nodes]
    if len(set(starts)) == len(starts):
        codes = codes_in(text, alone)
        compiled = [codes.get((code.co_name, start)) for start in starts]
    else:
        compiled = codes_apart(text, alone, line)
    return [node for node, other in zip(nodes, compiled, strict=True) if other and is_same(code, other)]


def _by_columns(nodes: list[FunctionNode], code: types.CodeType) -> list[FunctionNode]:
    """Of lambdas on one line with equal code, the one whose text holds most of the code's positions.

    Without columns (`-X no_debug_ranges`; in 3.12, lambdas that return a constant) all hold none.  Equal code
    is the same function but for the defaults of its parameters: where those read the same, any will do.
    """
    positions = [p for p in code.co_positions() if p[2] is not None and (p[0], p[2]) != (p[1], p[3])]

    def held(node: FunctionNode) -> int:
        start, end = (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)
        return sum(start <= (p[0], p[2]) and (p[1], p[3]) <= end for p in positions)

    counts = [held(node) for node in nodes]
    best = [node for node, count in zip(nodes, counts, strict=True) if count == max(counts)]
    return best[:1] if len({ast.dump(node.args) for node in best}) == 1 else best


def _stale(code: types.CodeType, lines: Sequence[str], what: str, instead: str = "") -> StaleSourceError:
    line = code.co_firstlineno
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    rewritten = any(name.startswith("@py") for c in nested(code) for name in c.co_names)
    what = f"the text found for `{code.co_qualname}` {what}"
    instead = instead or (_PYTEST if rewritten else _RELOAD)
    return StaleSourceError(what, instead, Span(code.co_filename, line, text=text))


# Positions


def _extent(node: ast.AST) -> tuple[int, int, int, int] | None:
    """Line, column, end line and end column (columns in UTF-8 bytes) of a node or else of all its parts."""
    if hasattr(node, "lineno"):
        position: tuple[int, int, int, int] = _POSITION(node)
        return position
    parts = [extent for child in ast.iter_child_nodes(node) if (extent := _extent(child))]
    return (*min(part[:2] for part in parts), *max(part[2:] for part in parts)) if parts else None


def _characters(text: str, column: int) -> int:
    """A column in UTF-8 bytes as a column in characters."""
    return min(column, len(text)) if text.isascii() else len(text.encode()[:column].decode(errors="replace"))


def _without_comments(lines: list[str]) -> list[str]:
    """Lines cut off at the comment each may end with; a `#` in a string is none."""
    kept = ["(", *lines, ")"]  # in parentheses no line end and no indentation has a meaning
    with contextlib.suppress(tokenize.TokenError, SyntaxError):
        for token in tokenize.generate_tokens(iter([line + "\n" for line in kept]).__next__):
            if token.type == tokenize.COMMENT:
                kept[token.start[0] - 1] = kept[token.start[0] - 1][: token.start[1]]
    return kept[1:-1]
