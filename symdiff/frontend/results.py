"""The structure of what the function returns.

Enters: an evaluated return value.  Leaves: result nodes and the `Tree` they fill.  Invariant: leaves are in
the order of `arguments.flatten`, and hold what arrays hold when the function returns.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symdiff.errors import UnsupportedError, WrtError
from symdiff.frontend import arrays
from symdiff.frontend.arguments import field_of, fields_of, is_namedtuple
from symdiff.frontend.values import (
    NUMBERS,
    Bound,
    Closure,
    Generator,
    Method,
    Missing,
    ShapeTuple,
    StagedList,
    Text,
    children,
    kind_name,
)
from symdiff.ir.build import current
from symdiff.ir.node import LEAF, Node, Tree
from symdiff.ops.row import REGISTRY


def pack(value: Any) -> tuple[list[Node], Tree]:
    """The leaves of a result and its structure; `Tree.value` is the class of a container."""
    results: list[Node] = []
    return results, _pack(value, results, ())


def with_outputs(value: Any, outputs: Sequence[str], arguments: Mapping[str, Any]) -> Any:
    """What the function returns and the final contents of arguments: one value, or a tuple of them.

    Raises WrtError for an argument that holds no array.
    """
    for name in outputs:
        if not _has_array(arguments[name]):
            raise WrtError(
                f"outputs={name!r}: the argument holds no array, and so the function cannot change it.",
                "name arguments that are arrays, or containers of arrays",
            )
    found = [*([] if value is None else [value]), *(_kept_apart(arguments[name]) for name in outputs)]
    return found[0] if len(found) == 1 else tuple(found)


def _has_array(value: Any) -> bool:
    if isinstance(value, Node):
        return value.type.kind == "array"
    return any(map(_has_array, children(value)))


def _kept_apart(value: Any) -> Any:
    """An argument that was never written into leaves as a copy."""
    resolve = current().resolve
    if isinstance(value, Node) and value.type.kind == "array" and resolve is not None:
        return arrays.apply(REGISTRY["copy"], [value]) if resolve(value) is value else value
    return value


def _pack(value: Any, results: list[Node], open: tuple[int, ...]) -> Tree:
    if id(value) in open:
        raise UnsupportedError("The function returns a container that contains itself.")
    if isinstance(value, Node) or type(value) in NUMBERS[1:] or isinstance(value, np.generic):
        node = arrays.operand(value)
        resolve = current().resolve
        results.append(resolve(node) if resolve is not None else node)
        return LEAF
    if isinstance(value, Missing):
        raise UnsupportedError(value.what, value.instead)
    if isinstance(value, StagedList):
        return _pack(value.stack, results, open)
    if isinstance(value, Closure | Bound | Method | Generator | Text):
        raise UnsupportedError(f"The function returns a {kind_name(value)}.", "return arrays and numbers")
    open = (*open, id(value))
    cls: Any = tuple if isinstance(value, ShapeTuple) else type(value)
    if isinstance(value, dict):
        children = [_pack(item, results, open) for item in value.values()]
        return Tree("dict", tuple(children), tuple(value), cls)
    if is_namedtuple(cls):
        children = [_pack(item, results, open) for item in value]
        return Tree("namedtuple", tuple(children), cls._fields, cls)
    if isinstance(value, list | tuple):
        children = [_pack(item, results, open) for item in value]
        return Tree("list" if isinstance(value, list) else "tuple", tuple(children), (), cls)
    names = fields_of(value)
    if names is None:
        return Tree("static", value=value)
    children = [_pack(field_of(value, name), results, open) for name in names]
    kind = "dataclass" if dataclasses.is_dataclass(cls) or hasattr(cls, "__attrs_attrs__") else "object"
    return Tree(kind, tuple(children), names, cls)
