"""The compile-time values that are the compiler's own, and the signals that cross the evaluator.

Staged values are IR nodes.  All other compile-time values are plain Python objects: numbers, strings,
containers whose leaves may be staged, functions, modules and classes.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from symdiff.frontend.arguments import Place, field_of, fields_of
from symdiff.ir.node import Node
from symdiff.records import dataclass, field

if TYPE_CHECKING:
    from symdiff.frontend.frame import Flow, Frame, Scope
    from symdiff.frontend.source import Source

NUMBERS = (bool, int, float, complex)


class Silent(Exception):
    """A value that failed before was used: the statement fails too, and says nothing."""


class Raised(Exception):
    """Control does not come back: the function raises here, at run time."""


class NeedStatic(BaseException):
    """These leaves are needed as compile-time values: lower again with them in the key."""

    def __init__(self, places: frozenset[Place]):
        self.places = places


class NeedCalls(BaseException):
    """A function calls itself until run time ends it: lower again with calls of this form as calls; `error`
    where they cannot be."""

    def __init__(self, key: Any, error: Exception):
        self.key = key
        self.error = error


class Poison:
    """What a name holds after the statement that should have set it failed."""


POISON = Poison()


@dataclass(eq=False, slots=True, repr=False)
class Missing:
    """What a name holds whose value is not known while compiling; `what` is said when it is read."""

    what: str
    instead: str = "ask for the source with arguments: source_for(*args)"


class Absent:
    """What a variable holds that was not set on the way here."""


@dataclass(eq=False, slots=True, repr=False)
class StagedList:
    """A Python list whose length is known at run time alone: `stack` is the node of its items."""

    stack: Node


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class ListMethod:
    """A method of a staged list."""

    owner: StagedList
    name: str


@dataclass(eq=False, slots=True, repr=False)
class Once:
    """What is left of an iterator: all of it where `spent` is not set, for the region that it was made in."""

    place: object
    spent: bool = False


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Lazily:
    """A generator expression over what a loop is kept for.

    frame: where it stands.  within(frame, step): run it in a scope inside that of a frame, with
    `step(frame, item)` for each item, which may leave it.  listed(): the list of its items.
    """

    frame: Frame
    within: Callable[[Frame, Callable[[Frame, Any], Flow]], Flow]
    listed: Callable[[], Any]
    once: Once


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Items:
    """An iterator of items that are known apart: of `zip`, `enumerate` or `reversed`, which `kind` names."""

    kind: str
    items: list[Any]
    once: Once


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Rolled:
    """What a loop goes over whose length is known at run time: kind is "range" (parts: start, stop, step),
    "zip", "enumerate" (from `start`), "reversed", "islice" (`start` is its slice) or "map" (of `function`).
    All but a range are iterators."""

    kind: str
    parts: tuple[Any, ...]
    start: Any = 0
    function: Any = None
    once: Once | None = None


class NeedUnrolled(BaseException):
    """These values of a loop that is kept as a loop are needed as compile-time values; `error` says what for,
    where the loop cannot be written out."""

    def __init__(self, params: frozenset[Node], error: Exception):
        self.params = params
        self.error = error


@dataclass(eq=False, slots=True, repr=False)
class Closure:
    """A nested function or lambda: its code, the scope it was defined in, and its defaults."""

    node: ast.FunctionDef | ast.Lambda
    scope: Scope
    source: Source
    name: str
    owner: str
    defaults: tuple[Any, ...] = ()
    keyword_defaults: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False, slots=True, repr=False)
class Bound:
    """A method together with the object (or class) it was read from."""

    function: Any
    owner: Any


@dataclass(eq=False, slots=True, repr=False)
class Partial:
    """What `functools.partial` makes inside the function."""

    function: Any
    args: list[Any]
    kwargs: dict[str, Any]


@dataclass(eq=False, slots=True, repr=False)
class Ruled:
    """A function under `symdiff.rule` that was defined inside the function; `rules` by mode."""

    function: Any
    rules: dict[str, Any] = field(default_factory=dict)

    def give(self, mode: str, function: Any) -> Any:
        """Remember a rule; the function itself."""
        self.rules[mode] = function
        return function


@dataclass(eq=False, slots=True, repr=False)
class Method:
    """A method of a staged array or number."""

    node: Node
    name: str


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Field:
    """A staged value in a text, formatted as `{value!conversion:spec}` says."""

    value: Node
    conversion: str = ""
    spec: str = ""


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Text:
    """A string with staged values in it: what is printed, or the message of an error."""

    pieces: tuple[str | Field, ...]

    def __add__(self, other: Any) -> Text:
        if isinstance(other, str):
            return Text((*self.pieces, other))
        return Text((*self.pieces, *other.pieces)) if isinstance(other, Text) else NotImplemented

    def __radd__(self, other: Any) -> Text:
        return Text((other, *self.pieces)) if isinstance(other, str) else NotImplemented


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Failure:
    """An exception made inside the function whose arguments are staged."""

    cls: type[BaseException]
    args: tuple[Any, ...]


class Generator(Iterator[Any]):
    """What a generator function gives, or `map`: it is evaluated as far as its items are asked for."""

    def __init__(self, items: Iterator[Any]):
        self.items = items

    def __next__(self) -> Any:
        return next(self.items)


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Checkpointed:
    """The iterable of a loop whose reverse sweep starts again from every so many rounds (-1: as many as the
    square root of their number)."""

    iterable: Any
    every: int


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Flat:
    """`array.flat`: the elements of an array in one line."""

    node: Node


class ShapeTuple(tuple[Any, ...]):
    """The shape of a staged array: known lengths as ints, others staged; `node` is the array."""

    node: Node

    @classmethod
    def of(cls, node: Node, lengths: list[Any]) -> ShapeTuple:
        made = cls(lengths)
        made.node = node
        return made


def children(value: Any) -> list[Any]:
    """What a compile-time container holds directly."""
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, Bound):
        return [value.function, value.owner]
    if isinstance(value, Partial):
        return [value.function, *value.args, *value.kwargs.values()]
    if isinstance(value, Text):
        return [piece.value for piece in value.pieces if isinstance(piece, Field)]
    if isinstance(value, Failure):
        return list(value.args)
    if isinstance(value, StagedList):
        return [value.stack]
    if isinstance(value, Rolled):
        return list(value.parts)
    if isinstance(value, slice):
        return [value.start, value.stop, value.step]
    if (
        isinstance(value, Node | Poison | Method | Closure | Generator | bool | int | float | complex)
        or value is None
        or isinstance(value, str)
    ):
        return []
    names = fields_of(value)
    return [] if names is None else [field_of(value, name) for name in names]


def has_staged(value: Any) -> bool:
    """Whether a value is staged or holds a staged one."""
    pending, seen = [value], set()
    while pending:
        one = pending.pop()
        if isinstance(one, Node | Poison):
            return True
        inner = children(one)
        if inner and id(one) not in seen:
            seen.add(id(one))
            pending += inner
    return False


def kind_name(value: Any) -> str:
    """The Python type of a value in words."""
    if isinstance(value, Node):
        if value.type.kind == "number":
            return value.type.dtype or "number"
        return "tuple" if value.type.kind == "shape" else "ndarray"
    if isinstance(value, Closure | Bound | Partial | Ruled):
        return "function"
    if isinstance(value, Generator):
        return "generator"
    if isinstance(value, StagedList | Rolled | Items):
        return "list" if isinstance(value, StagedList) else value.kind
    if isinstance(value, Lazily):
        return "generator"
    if isinstance(value, Text | Failure):
        return "str" if isinstance(value, Text) else value.cls.__name__
    return type(value).__name__
