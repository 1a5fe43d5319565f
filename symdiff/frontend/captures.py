"""What a function reads from outside: live inputs and guards.

Enters: readers of globals, closure cells, defaults and attributes of modules and classes.  Leaves: values for
the evaluator, `Capture`s and `Guard`s.  Invariant: nothing from outside is baked into a program without a
guard; arrays and numbers are always read anew at the call.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from keyword import iskeyword
from types import ModuleType
from typing import Any

from symdiff.errors import UnsupportedError
from symdiff.frontend.arguments import Described, Identity, Leaf, Place, describe, key_of, stage
from symdiff.frontend.frame import Context
from symdiff.ir.node import Node, Path, Tree
from symdiff.records import dataclass, field

Read = Callable[[], object]
_MISSING = object()
_PLAIN = (str, bool, int, type(None))


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Capture:
    """A value from outside that is an input: read at each call, of the structure that `key` says."""

    name: str
    read: Read
    key: Hashable
    static: frozenset[Place]
    known: dict[Hashable, Hashable] = field(default_factory=dict)  # canonical keys by exact ones

    def current_key(self) -> Hashable:
        """The canonical key of what would be read now."""
        value = self.read()
        exact = key_of(value, self.static, (self.name, ()))
        found = self.known.get(exact)
        if found is None:
            if len(self.known) > 1000:
                self.known.clear()
            found = self.known[exact] = describe(value, (self.name, ()), self.static).key
        return found


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Guard:
    """A compile-time value from outside on which the program rests.

    by_value: compared through its key; otherwise it must be the same object.
    """

    name: str
    read: Read
    expected: object
    by_value: bool

    def holds(self) -> bool:
        try:
            value = self.read()
        except (LookupError, AttributeError, ValueError, TypeError):
            return False
        if not self.by_value:
            return value is self.expected
        if type(value) in _PLAIN:
            return bool((type(value), value) == self.expected)
        return describe(value, (self.name, ()), _ALL_STATIC).key == self.expected


class _Everything(frozenset[Place]):
    """All places: of a guarded value every int is compared."""

    def __contains__(self, place: object) -> bool:
        return True


_ALL_STATIC = _Everything()


def capture(context: Context, where: Hashable, name: str, read: Read) -> Any:
    """The evaluator's value for what `read` reads; the same for every use of one place `where`."""
    found = context.captures.get(where, _MISSING)
    if found is not _MISSING:
        return found
    value = read()
    described: Described | None = None
    unique = name
    if not isinstance(value, str | bool | ModuleType | type) and value is not None:
        unique = _unique(context, name)
        described = describe(value, (unique, ()), context.static, context.sizes)
    if described is not None and described.leaves:
        result = staged(context, unique, described)
        context.inputs.append(Capture(unique, read, described.key, context.static))
    else:
        result = _guarded(context, name, read, value)
    context.captures[where] = result
    return result


def _guarded(context: Context, name: str, read: Read, value: Any) -> Any:
    described = describe(value, (name, ()), _ALL_STATIC, context.sizes)
    by_identity = isinstance(described.key, Identity)
    expected = value if by_identity else described.key
    context.guards.append(Guard(name, read, expected, not by_identity))
    result = _staged(described.tree, iter(()), context)
    if isinstance(result, set | bytearray | deque):
        context.own(result)  # it is the user's own
    return result


def staged(context: Context, parameter: str, described: Described) -> Any:
    """A copy of a described value with a parameter node for each leaf."""
    lengths = dict(sequences(described.tree))
    params = [_param(context, parameter, leaf, lengths.get(leaf.path[:-1])) for leaf in described.leaves]
    return _staged(described.tree, iter(params), context)


def _staged(tree: Tree, leaves: Iterator[Any], context: Context) -> Any:
    try:
        return stage(tree, leaves, context.own)
    except TypeError:
        raise UnsupportedError(
            "An object from outside cannot be looked into.", "what is needed of it as an argument"
        ) from None


def sequences(tree: Tree, path: Path = ()) -> Iterator[tuple[Path, int]]:
    """The lists and tuples in a structure: where they stand and how many items they have."""
    step = "attr" if tree.like is not None else "item"
    for key, child in zip(tree.keys or range(len(tree.children)), tree.children, strict=True):
        yield from sequences(child, (*path, (step, key)))
    if tree.kind in ("list", "tuple"):
        yield path, len(tree.children)


def _param(context: Context, parameter: str, leaf: Leaf, siblings: int | None) -> Node:
    """The node of a leaf; `siblings` is the length of the list or tuple that it is an item of."""
    known = {} if siblings is None or not leaf.path else {"siblings": siblings}
    node = context.builder.param(
        leaf.type, leaf_name(parameter, leaf.path), parameter=parameter, path=leaf.path, **known
    )
    context.params.append(node)
    if leaf.scalar:
        context.scalars.add(id(node))
        context.heap.layout.scalars.add(node)
    return node


def leaf_name(parameter: str, path: Path) -> str:
    """A name for a leaf: the last key or attribute that is an identifier; "" where there is none."""
    if not path:
        return parameter
    key = path[-1][1]
    return key if isinstance(key, str) and key.isidentifier() and not iskeyword(key) else ""


def _unique(context: Context, name: str) -> str:
    base = re.sub(r"\W", "_", name)
    if not base.isidentifier() or iskeyword(base):
        base = f"_{base}"
    unique, count = base, 1
    while unique in context.names:
        count += 1
        unique = f"{base}_{count}"
    context.names.add(unique)
    return unique
