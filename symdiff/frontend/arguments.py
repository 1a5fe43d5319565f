"""What the compiler must know of an argument: its structure, and the types of its leaves.

Enters: any Python value.  Leaves: a `Described` (canonical key, `Tree`, leaves), copies of containers with
other leaves (`stage`), and exact keys for dispatch (`signature_key`).  Invariant: values with equal keys
have equal trees and leaf types; an exact key refines the canonical one.

Leaves are arrays, NumPy scalars and Python numbers. Containers are lists, tuples, dicts, named tuples,
dataclasses, attrs classes and instances of the user's own classes, nested in any way. All else is static:
its value (functions and foreign objects: its identity) is part of the key.
"""

from __future__ import annotations

import enum
import functools
import sys
import types as python_types
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import is_dataclass
from typing import Any

import numpy as np
from numpy import ndarray

from symdiff.errors import DtypeError, SymdiffError, UnsupportedError
from symdiff.frontend.unfit import HEAP_TYPE, Refusal, array_refusal, attributes_refusal, items_refusal
from symdiff.ir import types
from symdiff.ir.node import LEAF, Path, Tree
from symdiff.ir.types import Dim, Size, Type
from symdiff.records import dataclass, field

Place = tuple[str, Path]
"""Where a value stands: the parameter's name and the steps from there."""

NOTHING: frozenset[Place] = frozenset()
_BY_VALUE = (str, bytes, bool, type(None), type(Ellipsis), int, range, np.dtype)
_FOREIGN = frozenset(sys.stdlib_module_names) - {"__main__"} | {"numpy", "scipy", "symdiff", "jax", "torch"}


class Identity:
    """A key that is equal for the same object only, and keeps that object alive."""

    __slots__ = ("value",)

    def __init__(self, value: object):
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Identity) and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)


@dataclass(frozen=True, slots=True)
class Leaf:
    """One array or number: its steps from the parameter, its type, and whether it is an immutable scalar."""

    path: Path
    type: Type
    scalar: bool


@dataclass(slots=True, eq=False, repr=False)
class Described:
    """The canonical key, the structure and the leaves of one value."""

    key: Hashable
    tree: Tree
    leaves: list[Leaf]


@dataclass(slots=True, eq=False, repr=False)
class SizeCounter:
    """Numbers the sizes of all arguments of one function: n0, n1, ..."""

    count: int = 0

    def fresh(self) -> Size:
        self.count += 1
        return Size(f"n{self.count - 1}")


def describe(
    value: object, place: Place, static: frozenset[Place] = NOTHING, sizes: SizeCounter | None = None
) -> Described:
    """Key, structure and leaves of `value`; ints at a place in `static` are part of the key.

    Raises DtypeError for arrays that NumPy cannot compute with, naming the argument.
    """
    walk = _Walk(static, sizes or SizeCounter())
    key, tree = walk.visit(value, place)
    return Described(key, tree, walk.leaves)


def is_array(value: object) -> bool:
    """An array or a NumPy scalar, or what CuPy has in its place."""
    if isinstance(value, ndarray | np.generic):
        return True
    return type(value).__module__.partition(".")[0] == "cupy" and hasattr(value, "dtype")


def fields_of(value: object) -> tuple[str, ...] | None:
    """The attributes in which an instance of a user's class keeps its data; None for any other object."""
    cls = type(value)
    if cls is python_types.SimpleNamespace:
        return tuple(vars(value))
    if cls is python_types.MethodType:
        return ("__func__", "__self__")
    if cls is functools.partial:
        return ("func", "args", "keywords")
    if not cls.__flags__ & HEAP_TYPE or isinstance(value, type | enum.Enum | BaseException):
        return None
    if cls.__module__.partition(".")[0] in _FOREIGN or isinstance(value, Identity):
        return None
    slots = []
    for base in reversed(cls.__mro__):
        declared = base.__dict__.get("__slots__", ())
        for name in (declared,) if isinstance(declared, str) else declared:
            mangled = f"_{base.__name__.lstrip('_')}{name}" if _is_private(name) else name
            if isinstance(base.__dict__.get(mangled), python_types.MemberDescriptorType):
                slots.append(mangled)
    named = [name for name in slots if _has_slot(value, name)]
    return (*named, *getattr(value, "__dict__", ()))


def _is_private(name: str) -> bool:
    return name.startswith("__") and not name.endswith("__")


def _has_slot(value: object, name: str) -> bool:
    try:
        object.__getattribute__(value, name)
    except AttributeError:
        return False
    return True


def field_of(value: object, name: str) -> Any:
    """An attribute from where the instance keeps it; neither properties nor `__getattr__` run."""
    return object.__getattribute__(value, name)


def items_of(value: dict[Any, Any]) -> tuple[tuple[Any, ...], list[Any]]:
    """Keys and values of a dict, in its order; what a user's subclass redefines does not run."""
    if type(value).__module__ == "collections":
        return tuple(value), list(value.values())
    return tuple(dict.keys(value)), list(dict.values(value))


def is_namedtuple(cls: type) -> bool:
    return issubclass(cls, tuple) and hasattr(cls, "_fields")


@dataclass(slots=True, eq=False, repr=False)
class _Walk:
    static: frozenset[Place]
    sizes: SizeCounter
    leaves: list[Leaf] = field(default_factory=list)
    open: list[int] = field(default_factory=list)

    def visit(self, value: Any, place: Place) -> tuple[Hashable, Tree]:
        kind: Any = type(value)
        if is_array(value):
            return self._array(value, place)
        if kind is float or kind is complex or (kind is int and place not in self.static):
            self.leaves.append(Leaf(place[1], types.number(kind.__name__), True))
            return kind, LEAF
        if kind in _BY_VALUE or isinstance(value, np.dtype):
            return (kind, value), Tree("static", value=value)
        if id(value) in self.open:
            return Identity(value), Tree("static", value=value)
        self.open.append(id(value))
        try:
            return self._container(value, place)
        finally:
            self.open.pop()

    def _array(self, value: Any, place: Place) -> tuple[Hashable, Tree]:
        refused = array_refusal(value)
        if refused is not None:
            raise DtypeError(f"`{shown(place)}` is {refused[0]}.", refused[1])
        dims: list[Dim] = [length if length < 2 else self.sizes.fresh() for length in value.shape]
        scalar = isinstance(value, np.generic)
        self.leaves.append(Leaf(place[1], types.array(value.dtype.name, tuple(dims)), scalar))
        return (value.dtype.name, tuple([min(length, 2) for length in value.shape]), scalar), LEAF

    def _container(self, value: Any, place: Place) -> tuple[Hashable, Tree]:
        kind = type(value)
        if isinstance(value, dict | list | tuple):
            _check(items_refusal(kind), place)
        if isinstance(value, dict):
            keys, values = items_of(value)
            return self._node("dict", kind, keys, values, "item", place)
        if is_namedtuple(kind):
            return self._node("namedtuple", kind, kind._fields, list(tuple.__iter__(value)), "attr", place)
        if isinstance(value, list | tuple):
            name, base = ("list", list) if isinstance(value, list) else ("tuple", tuple)
            values = list(base.__iter__(value))  # type: ignore[arg-type]
            return self._node(name, kind, tuple(range(len(values))), values, "item", place)
        if isinstance(value, int | float | complex):
            raise DtypeError(
                f"`{shown(place)}` is a number of the class `{kind.__name__}`.", "pass a plain float"
            )
        names = fields_of(value)
        if names is None:
            return Identity(value), Tree("static", value=value)
        _check(attributes_refusal(kind, names), place)
        name = "dataclass" if is_dataclass(kind) or hasattr(kind, "__attrs_attrs__") else "object"
        return self._node(name, kind, names, [field_of(value, n) for n in names], "attr", place)

    def _node(
        self, name: str, cls: type, keys: Sequence[Any], values: list[Any], step: str, place: Place
    ) -> tuple[Hashable, Tree]:
        parameter, path = place
        visited = [self.visit(v, (parameter, (*path, (step, k)))) for k, v in zip(keys, values, strict=True)]
        children = tuple([tree for _, tree in visited])
        key = cls, key_of_keys(keys), tuple([key for key, _ in visited])
        sequence = name in ("list", "tuple")
        like = (parameter, path) if step == "attr" else None
        return key, Tree(name, children, () if sequence else tuple(keys), cls, like)


def _check(refused: Refusal | None, place: Place) -> None:
    if refused is not None:
        raise UnsupportedError(f"`{shown(place)}` is {refused[0]}.", refused[1])


def key_of_keys(keys: Sequence[Any]) -> Hashable:
    """Dict keys as they are compared: 1, 1.0 and True are different keys."""
    return tuple([k if type(k) is str else (type(k), k) for k in keys])


def shown(place: Place) -> str:
    """A place as the user writes it: `params["W"][0].bias`."""
    parameter, path = place
    return parameter + "".join(f".{key}" if kind == "attr" else f"[{key!r}]" for kind, key in path)


# Reading and rebuilding


def step_into(value: Any, step: tuple[str, Any]) -> Any:
    kind, key = step
    if kind == "item":
        return value[key]
    return getattr(value, key) if isinstance(value, tuple) else field_of(value, key)


def children_of(value: Any, tree: Tree) -> list[Any]:
    """The values below a container, in the order of `tree.children`."""
    if tree.kind in ("list", "tuple", "namedtuple"):
        return list(value)
    if tree.kind == "dict":
        return [value[key] for key in tree.keys]
    return [field_of(value, key) for key in tree.keys]


def flatten(value: Any, tree: Tree) -> list[Any]:
    """The leaves of a value that has the structure `tree`, in order."""
    if tree.kind == "leaf":
        return [value]
    if tree.kind == "static":
        return []
    return [
        leaf
        for child, below in zip(children_of(value, tree), tree.children, strict=True)
        for leaf in flatten(child, below)
    ]


def stage(tree: Tree, leaves: Iterator[Any], made: Callable[[Any], object] = lambda value: None) -> Any:
    """A real container of this structure with other leaves; no method of the user's runs.

    made: called with every container that is made.
    """
    if tree.kind == "leaf":
        return next(leaves)
    if tree.kind == "static":
        return tree.value
    children = [stage(child, leaves, made) for child in tree.children]
    result = rebuilt(tree, children)
    made(result)
    return result


def rebuilt(tree: Tree, children: list[Any]) -> Any:
    """A container of the class in `tree.value` around children; made without its `__init__`."""
    cls = tree.value
    if tree.kind in ("tuple", "namedtuple"):
        return tuple.__new__(cls, children)
    if tree.kind == "list":
        items = list.__new__(cls)
        list.extend(items, children)
        return items
    if tree.kind == "dict":
        mapping = dict.__new__(cls) if cls.__module__ != "collections" else cls()
        plain = cls if cls.__module__ == "collections" else dict  # an OrderedDict keeps its own order
        for key, child in zip(tree.keys, children, strict=True):
            plain.__setitem__(mapping, key, child)
        return mapping
    if cls is python_types.SimpleNamespace:
        return python_types.SimpleNamespace(**dict(zip(tree.keys, children, strict=True)))
    if cls is python_types.MethodType:
        return python_types.MethodType(*children)
    if cls is functools.partial:
        return functools.partial(children[0], *children[1], **children[2])
    made = object.__new__(cls)
    for name, child in zip(tree.keys, children, strict=True):
        object.__setattr__(made, name, child)
    return made


# Exact keys


def signature_key(
    args: tuple[Any, ...], static: frozenset[Place] = NOTHING, names: Sequence[str] = ()
) -> Hashable:
    """A key of the arguments as they are, sizes included: what dispatch looks up first.

    names: the parameters' names, needed where there are static places.
    """
    if static:
        return tuple([_key(a, (name, ()), static, ()) for a, name in zip(args, names, strict=True)])
    return tuple([_array_key(a) if type(a) is ndarray else key_of(a) for a in args])


def _array_key(value: ndarray) -> Hashable:
    if value.ndim > 1 and not value.flags.c_contiguous:
        return value.dtype, value.shape, "strided"
    return value.dtype, value.shape


def key_of(value: Any, static: frozenset[Place] = NOTHING, place: Place = ("", ())) -> Hashable:
    """The exact key of one value."""
    kind: Any = type(value)
    if kind is ndarray:
        return _array_key(value)
    if kind is float or kind is complex or (kind is int and place not in static):
        return kind
    return _key(value, place, static, ())


def _key(value: Any, place: Place, static: frozenset[Place], open: tuple[int, ...]) -> Hashable:
    kind: Any = type(value)
    if kind is ndarray:
        return _array_key(value)
    if kind is float or kind is complex:
        return kind
    if kind is int:
        return (int, value) if place in static else int
    if kind in _BY_VALUE or isinstance(value, np.dtype):
        return kind, value
    if is_array(value):
        return kind, value.dtype, value.shape
    if len(open) > 100:
        raise SymdiffError(
            f"`{place[0]}` is nested too deeply.", "pass a container of at most 100 levels and without cycles"
        )
    if id(value) in open:
        return Identity(value)
    open = (*open, id(value))
    step, keys, children = "item", (), ()  # type: tuple[str, Sequence[Any], Sequence[Any]]
    if isinstance(value, dict):
        keys, children = items_of(value)
    elif isinstance(value, list | tuple):
        children = list(list.__iter__(value) if isinstance(value, list) else tuple.__iter__(value))
        step, keys = ("attr", kind._fields) if is_namedtuple(kind) else ("item", range(len(children)))
    else:
        names = fields_of(value)
        if names is None:
            return Identity(value)
        step, keys, children = "attr", names, [field_of(value, name) for name in names]
    if not static:
        inner = [_key(child, place, static, open) for child in children]
    else:
        root, path = place
        pairs = zip(keys, children, strict=True)
        inner = [_key(child, (root, (*path, (step, k))), static, open) for k, child in pairs]
    if isinstance(keys, range):
        return kind, tuple(inner)
    return kind, key_of_keys(keys), tuple(inner)
