"""A program that is being written: a tree of lines with a place where the next line goes.

Enters: lines, one at a time.  Leaves: the text of the body, and at every moment the values that are in scope
where the next line goes, found by running what is there already.  Invariant: the function runs without
error; a line that breaks it is taken back.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from fuzz.pieces import Reject

ERRORS = (
    ValueError, TypeError, IndexError, ArithmeticError, AttributeError, NameError, KeyError, AssertionError,
    SyntaxError, Reject, RecursionError,
)  # fmt: skip
_LARGEST = 200.0


@dataclass
class Node:
    """A compound statement.  `forced` stands for the header while the body is written, so that it runs."""

    header: str
    forced: str = ""
    lines: list[Any] = field(default_factory=list)


class Defined:
    """`np` whose `empty` is the same whenever it runs."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def empty(self, shape: Any, dtype: Any = float) -> np.ndarray:
        return np.full(shape, 0.25, dtype)

    def empty_like(self, x: Any, **options: Any) -> np.ndarray:
        return np.full_like(x, 0.25, **options)


class Sketch:
    def __init__(self, scope: dict[str, Any], parameters: list[str], made: str):
        self.scope, self.parameters = scope, parameters
        self.made = compile(made, "<arguments>", "exec")
        self.root = Node("def f():")
        self.open = [self.root]

    @property
    def depth(self) -> int:
        return len(self.open) - 1

    def inside(self, *words: str) -> bool:
        """Whether the place is in a compound statement that starts with one of the words."""
        return any(node.header.split()[0] in words for node in self.open[1:])

    @contextmanager
    def block(self, header: str, forced: str = "") -> Iterator[Node]:
        node = Node(header, forced)
        self.open[-1].lines.append(node)
        self.open.append(node)
        try:
            yield node
            node.lines = node.lines or ["pass"]
        finally:
            self.open.pop()

    def body(self, final: bool = False) -> str:
        """The text of the function's body; a probe stands at the open place unless it is the final text."""
        return "\n".join(self._rendered(self.root, 1, final))

    def _rendered(self, node: Node, indent: int, final: bool) -> Iterator[str]:
        space = "    " * indent
        if node.header.startswith("while") and not final:
            yield f"{space}_tick_()"
        for line in node.lines:
            if isinstance(line, Node):
                yield space + (line.header if final or not line.forced else line.forced)
                yield from self._rendered(line, indent + 1, final)
            else:
                yield from (space + part for part in line.split("\n"))
        if not final and node is self.open[-1]:
            yield f"{space}_probe_(locals())"

    def scope_here(self) -> dict[str, Any]:
        """Copies of the values at the open place, in the first pass over it.  Raises what the program
        raises, and Reject where the place is not reached."""
        seen: list[dict[str, Any]] = []
        ticks = 0

        def probe(values: dict[str, Any]) -> None:
            if not seen:
                seen.append({name: copied(value) for name, value in values.items()})

        def tick() -> None:
            nonlocal ticks
            ticks += 1
            if ticks > 2000:
                raise Reject

        scope = {**self.scope, "_probe_": probe, "_tick_": tick}
        exec(compile(f"def f({', '.join(self.parameters)}):\n{self.body()}", "<sketch>", "exec"), scope)
        made: dict[str, Any] = dict(scope)
        exec(self.made, made)
        with np.errstate(all="ignore"):
            scope["f"](*(made[name] for name in self.parameters))
        if not seen or not all(_tame(value) for value in seen[0].values()):
            raise Reject
        return seen[0]

    def mark(self) -> tuple[int, int]:
        return len(self.open), len(self.open[-1].lines)

    def back(self, mark: tuple[int, int]) -> None:
        """Everything that was written since the mark is taken back."""
        del self.open[mark[0] :]
        del self.open[-1].lines[mark[1] :]


def copied(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.copy()
    try:
        return copy.deepcopy(value) if isinstance(value, list | dict | tuple) else value
    except TypeError:
        return value


def _tame(value: Any) -> bool:
    if isinstance(value, np.ndarray | np.inexact | float) and np.asarray(value).dtype.kind in "fc":
        return bool(np.all(np.isfinite(value)) and np.all(np.abs(value) < _LARGEST))
    if isinstance(value, list | tuple):
        return all(map(_tame, value))
    if isinstance(value, dict):
        return all(map(_tame, value.values()))
    return True
