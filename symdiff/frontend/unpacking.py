"""Iteration and unpacking, while compiling.

Enters: a value that is iterated or assigned to several targets.  Leaves: its parts.  Invariant: the number of
parts is known while compiling; an argument whose length is demanded here is listed in `Context.lengths`.
"""

from __future__ import annotations

import ast
import enum
import itertools
from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from typing import Any

from symdiff.errors import SymdiffError, UnsupportedError, UserError
from symdiff.frontend import arrays
from symdiff.frontend.frame import Frame, call
from symdiff.frontend.lookup import user_method
from symdiff.frontend.once import spend
from symdiff.frontend.operators import compute
from symdiff.frontend.rolled import item_of, length_of
from symdiff.frontend.values import (
    POISON,
    Checkpointed,
    Generator,
    Items,
    Lazily,
    Rolled,
    Silent,
    StagedList,
    kind_name,
)
from symdiff.ir.build import current
from symdiff.ir.node import Node
from symdiff.ir.types import Size
from symdiff.ops.row import REGISTRY

MOST = 10_000
_PYTHON = ("builtins", "collections", "itertools")


def iterate(frame: Frame, value: Any) -> list[Any]:
    """The parts of an iterable."""
    if value is POISON:
        raise Silent
    if isinstance(value, Node):
        return _parts(value)
    method = user_method(value, "__iter__")
    if method is not None:
        return iterate(frame, call(frame, method, [value], {}))
    if isinstance(value, list | tuple | dict | set | frozenset | str | bytes):
        return list(value)
    if isinstance(value, range):
        if len(value) > MOST:
            raise UnsupportedError(
                f"A loop of {len(value)} rounds would be written out in full.", "a vectorised expression"
            )
        return list(value)
    if isinstance(value, KeysView | ValuesView | ItemsView) and type(value).__module__ in _PYTHON:
        return list(value)
    if isinstance(value, enum.EnumMeta):
        return list(value)
    if isinstance(value, Checkpointed):
        return iterate(frame, value.iterable)
    if isinstance(value, Lazily):
        return iterate(frame, value.listed())
    if isinstance(value, Rolled | StagedList):
        return _of_rolled(frame, value)
    if isinstance(value, Items):
        spend(value)
        return value.items
    if isinstance(value, Generator):
        items = list(itertools.islice(value, MOST + 1))
        if len(items) > MOST:
            raise UnsupportedError(f"An iterator gives more than {MOST} items.", "itertools.islice")
        return items
    if hasattr(type(value), "__next__") and type(value).__module__ in _PYTHON:
        return list(compute(list, value))
    raise UserError(f"TypeError: '{kind_name(value)}' object is not iterable")


def _of_rolled(frame: Frame, value: Any) -> list[Any]:
    spend(value)
    count = length_of(value)
    if not isinstance(count, int):
        raise UnsupportedError(
            f"The items of this {kind_name(value)} are counted at run time.",
            "a loop over it, or a comprehension",
        )
    return [item_of(frame, value, i) for i in range(count)]


def iterated(frame: Frame, value: Any) -> Iterator[Any]:
    """The parts of an iterable as they are asked for: a generator runs as far as that."""
    return value if isinstance(value, Generator) else iter(iterate(frame, value))


def _parts(node: Node) -> list[Any]:
    if node.type.kind == "number":
        raise UserError(f"TypeError: '{node.type.dtype}' object is not iterable")
    if node.type.kind == "shape":
        raise arrays.unknown_rank(node)
    length = arrays.first_length(node)
    if isinstance(length, int) and length <= MOST:
        return parts_of(node, length)
    raise UnsupportedError(
        "A loop over an array whose length is known only at run time is not supported yet.",
        "a vectorised expression over the whole array",
    )


def parts_of(node: Node, count: int) -> list[Any]:
    return [arrays.apply(REGISTRY["index"], [node], index=(("int", i),)) for i in range(count)]


def unpack(frame: Frame, value: Any, targets: list[ast.expr]) -> list[Any]:
    """One value per target; a starred target gets a list."""
    stars = [i for i, target in enumerate(targets) if isinstance(target, ast.Starred)]
    if isinstance(value, Node) and value.type.kind == "array" and not stars:
        return _unpack_array(frame, value, len(targets))
    values = iterate(frame, value)
    if not stars:
        if len(values) != len(targets):
            few = f"not enough values to unpack (expected {len(targets)}, got {len(values)})"
            many = f"too many values to unpack (expected {len(targets)})"
            raise UserError(f"ValueError: {few if len(values) < len(targets) else many}")
        return values
    after = len(targets) - stars[0] - 1
    if len(values) < len(targets) - 1:
        raise UserError(
            f"ValueError: not enough values (expected at least {len(targets) - 1}, got {len(values)})"
        )
    end = len(values) - after
    return [*values[: stars[0]], values[stars[0] : end], *values[end:]]


def _unpack_array(frame: Frame, node: Node, count: int) -> list[Any]:
    """The rows of an array; the length that this demands of an argument is recorded."""
    if node.type.dims is None:
        raise _unknown_length(node)
    length = arrays.first_length(node)
    if isinstance(length, Node):
        dim = current().sizes.find(node.type.dims[0])
        if _is_at_most(node, count):  # if there are fewer, reading the last one raises
            return parts_of(node, count)
        if not isinstance(dim, Size) or dim.less or not dim.name.startswith("n"):
            raise _unknown_length(node)
        current().sizes.unify(dim, count)
        frame.context.lengths.append((node, count))
    elif length != count:
        word = "not enough" if length < count else "too many"
        raise UserError(f"ValueError: {word} values to unpack (expected {count}, got {length})")
    return parts_of(node, count)


def _is_at_most(node: Node, count: int) -> bool:
    """Whether this is a slice of at most that many items: `x[:3]`, `x[2:5]`, `x[-3:]`."""
    spec = node.attr("index", ()) if node.op.name == "index" else ()
    if not spec or spec[0][0] != "slice":
        return False
    _, start, stop, step = spec[0]
    if step not in (None, 1) or not isinstance(start, int | None) or not isinstance(stop, int | None):
        return False
    first = start or 0
    if stop is None:
        return first == -count
    return stop - first == count and (first < 0) == (stop < 0)


def _unknown_length(node: Node) -> SymdiffError:
    return UnsupportedError(
        "An array whose length is not known while compiling cannot be unpacked.", "its parts: x[0], x[1], ..."
    )
