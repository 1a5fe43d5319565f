"""What the way back costs: which values a derivative keeps until it needs them, and which it computes again.

Enters: a pullback with the arguments of the call that made it, and what the planner said of the program.
Leaves: a `Cost`, which prints as a table.  Invariant: bytes are measured on the very values that the pullback
holds; memory of the arguments, and memory that two values share, is not counted twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import FunctionType
from typing import Any

import numpy as np

from symdiff.records import dataclass

Note = tuple[str, int, str]
"""Of a value: its name, the line of the user's that computes it (0: none), its type as text."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A value that is kept: under which name, the line that computes it, what it is, and its size in bytes.

    items: how many values are kept under this name; more than one in a loop.
    """

    name: str
    line: int
    kind: str
    items: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Recomputed:
    """A value that the way back computes again."""

    name: str
    line: int
    kind: str


@dataclass(frozen=True, slots=True, repr=False)
class Cost:
    """See the module's own text.  total: all bytes that are kept."""

    saved: tuple[Saved, ...]
    recomputed: tuple[Recomputed, ...]

    @property
    def total(self) -> int:
        return sum(one.bytes for one in self.saved)

    def __repr__(self) -> str:
        head = ("saved", "line", "type", "items", "bytes")
        rows = [(s.name, _line(s.line), s.kind, f"{s.items:,}", f"{s.bytes:,}") for s in self.saved]
        lines = _table([head, *rows, ("total", "", "", "", f"{self.total:,}")])
        if self.recomputed:
            again = [(r.name, _line(r.line), r.kind) for r in self.recomputed]
            lines += ["", *_table([("recomputed", "line", "type"), *again])]
        return "\n".join(lines)


def _line(number: int) -> str:
    return str(number) if number else ""


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    """Columns as wide as they have to be; numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if k in (1, 3, 4) else cell.ljust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def measured(pullback: Callable[..., Any], arguments: Iterable[Any], plan: Mapping[str, Any]) -> Cost:
    """What `pullback` holds beside the arguments."""
    memory = _Memory(arguments)
    notes: list[Note] = list(plan.get("saved", ()))
    saved = [
        Saved(name, _line_of(name, notes), *memory.measure(value))
        for name, value in _cells(pullback)
        if not memory.is_argument(value)
    ]
    recomputed = {
        Recomputed(name or "-", line, kind): None for name, line, kind in plan.get("recomputed", ()) if line
    }
    return Cost(tuple(one for one in saved if one.items), tuple(recomputed))


def _cells(function: Callable[..., Any]) -> Iterator[tuple[str, Any]]:
    """The values that a generated function closes over, and those of the functions among them."""
    function = getattr(function, "__wrapped__", function)
    code = getattr(function, "__code__", None)
    closure = getattr(function, "__closure__", None) or ()
    for name, cell in zip(code.co_freevars if code is not None else (), closure, strict=True):
        try:
            value = cell.cell_contents
        except ValueError:
            continue  # a value that was not set on this way
        if isinstance(value, FunctionType):
            yield from _cells(value)
        else:
            yield name, value


def _line_of(name: str, notes: list[Note]) -> int:
    """The line of the value that a generated name stands for: `hs` and `h_1` are values of `h`."""
    plain = re.sub(r"_?\d+$", "", name)
    wanted = (name, plain, plain.removesuffix("s"))
    return next((line for one in wanted for note, line, _ in notes if note == one and line), 0)


class _Memory:
    """Knows which arrays were counted already."""

    def __init__(self, arguments: Iterable[Any]):
        self.given: dict[int, Any] = {}  # by id: what is an argument, or in one
        self.owners: dict[int, Any] = {}
        for value in _parts(list(arguments)):
            self.given[id(value)] = value
            if isinstance(value, np.ndarray):
                self.owners[id(_owner(value))] = value

    def is_argument(self, value: Any) -> bool:
        return id(value) in self.given or (isinstance(value, np.ndarray) and id(_owner(value)) in self.owners)

    def measure(self, value: Any) -> tuple[str, int, int]:
        """What a value is, how many there are, and how many bytes are new."""
        items = [one for one in _parts(value) if not isinstance(one, list | tuple | dict)]
        kinds = list(dict.fromkeys(map(_kind, items)))
        kind = kinds[0] if len(kinds) == 1 else "of several types" if kinds else "empty"
        return kind, len(items), sum(map(self._bytes, items))

    def _bytes(self, value: Any) -> int:
        if not isinstance(value, np.ndarray):
            return int(getattr(value, "nbytes", 8))
        owner = _owner(value)
        if id(owner) in self.owners:
            return 0
        self.owners[id(owner)] = owner
        return int(owner.nbytes)


def _owner(array: Any) -> Any:
    """The array that owns the memory."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _kind(value: Any) -> str:
    if isinstance(value, np.ndarray | np.generic):
        return f"{value.dtype}[{', '.join(map(str, value.shape))}]" if value.shape else str(value.dtype)
    return type(value).__name__


def _parts(value: Any) -> Iterator[Any]:
    """A value, and all that the containers in it hold."""
    yield value
    inner: Iterable[Any] = ()
    if isinstance(value, dict):
        inner = value.values()
    elif isinstance(value, list | tuple):
        inner = value
    elif hasattr(value, "__dict__") and not callable(value):
        inner = vars(value).values()
    for one in inner:
        yield from _parts(one)
