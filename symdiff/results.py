"""What leaves generated code in containers of the user's classes, and what a pullback takes in.

Enters: a lowered function, or a pullback with the value it belongs to.  Leaves: the function with one
more parameter for each class and object that has no literal spelling; a pullback that accepts any
cotangent like the value.  Invariant: no `repr`, constructor or setter of the user's runs while compiling.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from symdiff.errors import DtypeError, ShapeError, UnsupportedError
from symdiff.ir.node import Function, Parameter, Tree

_PLAIN = {"tuple": tuple, "list": list, "dict": dict}
_LITERALS = (str, bytes, bool, type(None), type(Ellipsis))
_DIGITS = 4000  # Python refuses to print integers above 4,300


def is_literal(value: object) -> bool:
    """Whether `repr` of it is Python source for an equal value on every machine; exact types only."""
    kind = type(value)
    if kind is int and isinstance(value, int):
        return bool(abs(value) < 10**_DIGITS)
    if kind is float and isinstance(value, float):
        return math.isfinite(value)
    if kind is tuple and isinstance(value, tuple):
        return all(map(is_literal, value))
    return kind in _LITERALS


def check_keys(tree: Tree, parameter: str) -> None:
    """Raises UnsupportedError for dict keys that cannot be written in source, and for cycles."""
    if tree.kind == "static" and isinstance(tree.value, dict | list):
        raise UnsupportedError(f"`{parameter}` contains itself.", "pass a container without cycles")
    if tree.kind == "dict":
        check_path((("item", key) for key in tree.keys), parameter)
    for child in tree.children:
        check_keys(child, parameter)


def check_path(path: Any, parameter: str) -> None:
    for step, key in path:
        if step == "item" and not is_literal(key) and type(key).__module__ != "numpy":
            raise UnsupportedError(
                f"`{parameter}` has a key of type `{type(key).__name__}`, which cannot be written in source.",
                "use strings, numbers or tuples of them as keys",
            )


def given(function: Function) -> tuple[Function, dict[str, object]]:
    """The function with its results in containers of the user's classes made from templates that it is given.

    The templates by the name of their parameter: empty instances, and objects that are returned as they are.
    """
    templates: dict[str, object] = {}
    taken = {parameter.name for parameter in function.parameters}

    def name_for(value: object, wish: str) -> str:
        wish = wish.lower() if wish.isidentifier() else "value"
        name, count = wish, 1
        while name in taken:
            count += 1
            name = f"{wish}_{count}"
        taken.add(name)
        templates[name] = value
        return name

    def visit(tree: Tree) -> Tree:
        if tree.kind == "leaf" or tree.like is not None:
            return tree
        if tree.kind == "static":
            if is_literal(tree.value):
                return tree
            return replace(tree, like=(name_for(tree.value, f"{type(tree.value).__name__}_kept"), ()))
        check_keys(tree, function.name)
        tree = replace(tree, children=tuple(map(visit, tree.children)))
        if tree.kind in _PLAIN and tree.value in (None, _PLAIN[tree.kind]):
            return tree
        return replace(tree, like=(name_for(_empty(tree), f"{tree.value.__name__}_like"), ()))

    tree = visit(function.tree)
    if not templates:
        return function, templates
    parameters = list(function.parameters)
    parameters += [Parameter(name, "capture") for name in templates]
    return replace(function, tree=tree, parameters=tuple(parameters)), templates


def _empty(tree: Tree) -> object:
    from symdiff.frontend.arguments import rebuilt

    return rebuilt(tree, [None] * len(tree.children))


# Pullbacks


def checked_pullback(result: tuple[Any, Callable[..., Any]]) -> tuple[Any, Callable[..., Any]]:
    """`(value, pullback)`, where the pullback takes cotangents of any type that NumPy can convert."""
    value, pullback = result

    @functools.wraps(pullback)
    def checked(cotangent: Any) -> Any:
        return pullback(_like(cotangent, value, "cotangent"))

    return value, checked


def tangent_like(tangent: Any, value: Any, parameter: str) -> Any:
    """The tangent of an argument with its structure, shapes and dtypes; None is a zero tangent, of the whole
    or of a part.  Raises ShapeError, and DtypeError for a tangent of what has none."""
    return _like(tangent, value, f"tangent of `{parameter}`", sparse=True)


def _like(cotangent: Any, value: Any, place: str, sparse: bool = False) -> Any:
    """The cotangent with the structure, shapes and dtypes of the value.  Raises ShapeError.

    sparse: None stands for zero, and what is neither array nor float has no other.
    """
    if sparse and cotangent is None:
        return None
    if sparse and _is_whole(value):
        raise _without_tangent(value, place)
    if isinstance(value, np.ndarray | np.generic):
        array = np.asarray(cotangent)
        if array.shape != value.shape or array.dtype.kind not in "biufc":
            raise _unlike(cotangent, f"an array of shape {value.shape}", place)
        if value.dtype.kind not in "fc":
            return cotangent
        if array.dtype.kind == "c" and value.dtype.kind != "c":
            raise _unlike(cotangent, "real, as the value is", place)
        return array.astype(value.dtype, copy=False)[()]
    if isinstance(value, float | complex):
        if np.shape(cotangent) != () or isinstance(cotangent, str | bytes | type(None)):
            raise _unlike(cotangent, "a number", place)
        return type(value)(cotangent)
    if isinstance(value, dict):
        if not isinstance(cotangent, dict) or cotangent.keys() != value.keys():
            raise _unlike(cotangent, f"a dict with the keys {', '.join(map(repr, value))}", place)
        return {key: _like(cotangent[key], item, f"{place}[{key!r}]", sparse) for key, item in value.items()}
    if isinstance(value, list | tuple):
        if not isinstance(cotangent, list | tuple) or len(cotangent) != len(value):
            raise _unlike(cotangent, f"a {type(value).__name__} of {len(value)}", place)
        pairs = enumerate(zip(cotangent, value, strict=True))
        made = [_like(one, item, f"{place}[{i}]", sparse) for i, (one, item) in pairs]
        if isinstance(value, list):
            return made
        return tuple.__new__(type(value), made) if hasattr(value, "_fields") else tuple(made)
    return _like_object(cotangent, value, place, sparse)


def _is_whole(value: Any) -> bool:
    """Whether a value is an array or a number that has no tangent."""
    if isinstance(value, np.ndarray | np.generic):
        return value.dtype.kind not in "fc"
    return isinstance(value, int)


def _without_tangent(value: Any, place: str) -> DtypeError:
    array = isinstance(value, np.ndarray | np.generic)
    what = f"an array of {value.dtype}" if array else f"a Python {type(value).__name__}"
    cast = "`.astype(float)` of the argument" if array else "`float(...)` of the argument"
    return DtypeError(
        f"The {place} is given, but the argument is {what}, which has no tangent.", f"None, or pass {cast}"
    )


def _like_object(cotangent: Any, value: Any, place: str, sparse: bool) -> Any:
    from symdiff.frontend.arguments import field_of, fields_of

    names = fields_of(value)
    if names is None:
        return None if sparse else cotangent
    if type(cotangent) is not type(value):
        raise _unlike(cotangent, f"a {type(value).__name__}", place)
    pairs = {name: (field_of(cotangent, name), field_of(value, name)) for name in names}
    if sparse:  # settings of an object stand in its tangent as they are
        pairs = {name: (None if _is_whole(value) else one, value) for name, (one, value) in pairs.items()}
    fields = {name: _like(one, value, f"{place}.{name}", sparse) for name, (one, value) in pairs.items()}
    return SimpleNamespace(**fields)


def _unlike(cotangent: Any, wanted: str, place: str) -> ShapeError:
    shape = np.shape(cotangent) if isinstance(cotangent, np.ndarray | np.generic) else None
    found = f"of shape {shape}" if shape is not None else f"a {type(cotangent).__name__}"
    instead = (
        "np.ones_like(value), for example" if wanted.startswith("an array") else "a cotangent like the value"
    )
    return ShapeError(f"The {place} is {found}; it must be {wanted}, like the value.", instead)
