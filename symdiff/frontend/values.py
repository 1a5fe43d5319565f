"""The compile-time values that are the compiler's own, and the signals that cross the evaluator.

Staged values are IR nodes.  All other compile-time values are plain Python objects: numbers, strings,
containers whose leaves may be staged, functions, modules and classes.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from symdiff.frontend.arguments import Place, field_of, fields_of
from symdiff.ir.node import Node

if TYPE_CHECKING:
    from symdiff.frontend.frame import Scope
    from symdiff.frontend.source import Source

NUMBERS = (bool, int, float, complex)


class Silent(Exception):
    """A value that failed before was used: the statement fails too, and says nothing."""


class NeedStatic(BaseException):
    """These leaves are needed as compile-time values: lower again with them in the key."""

    def __init__(self, places: frozenset[Place]):
        self.places = places


class Poison:
    """What a name holds after the statement that should have set it failed."""


POISON = Poison()


@dataclass(eq=False, slots=True, repr=False)
class Missing:
    """What a name holds whose value is not known before a call; `what` is said when it is read."""

    what: str


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
class Method:
    """A method of a staged array or number."""

    node: Node
    name: str


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
    if isinstance(value, slice):
        return [value.start, value.stop, value.step]
    if (
        isinstance(value, Node | Poison | Method | Closure | bool | int | float | complex)
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
    if isinstance(value, Closure | Bound | Partial):
        return "function"
    return type(value).__name__
