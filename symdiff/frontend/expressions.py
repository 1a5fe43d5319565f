"""Expressions other than operators, attributes, subscripts and calls.

Enters: `ast` expressions.  Leaves: their values.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from typing import Any

from symdiff.errors import UnsupportedError, UserError
from symdiff.frontend.attributes import near
from symdiff.frontend.captures import capture
from symdiff.frontend.frame import EXPRESSIONS, Frame, Scope, evaluate, evaluate_all
from symdiff.frontend.operators import compute
from symdiff.frontend.statements import assign
from symdiff.frontend.unpacking import iterate
from symdiff.frontend.values import POISON, Missing, Silent, has_staged

_UNBOUND = object()


def _constant(frame: Frame, node: ast.Constant) -> Any:
    return node.value


def _name(frame: Frame, node: ast.Name) -> Any:
    value = look_up(frame, frame.mangle(node.id))
    if isinstance(value, Missing):
        raise UnsupportedError(value.what, value.instead)
    return value


def look_up(frame: Frame, name: str) -> Any:
    """The value of a name: local, of a function around, a closure cell, global or built in."""
    scope: Scope | None = frame.scope
    if name in frame.scope.globals:
        scope = None
    while scope is not None:
        value = scope.names.get(name, _UNBOUND)
        if value is not _UNBOUND:
            if value is POISON:
                raise Silent
            return value
        if name in scope.local:
            raise UserError(f"UnboundLocalError: `{name}` is used before it is set")
        if name in scope.globals:
            break
        scope = scope.parent
    return _outside(frame, name)


def _outside(frame: Frame, name: str) -> Any:
    function = frame.scope.function
    free = function.__code__.co_freevars
    if name in free and name not in frame.scope.globals and function.__closure__ is not None:
        cell = function.__closure__[free.index(name)]
        try:
            return capture(frame.context, id(cell), name, lambda: cell.cell_contents)
        except ValueError:
            raise UserError(f"NameError: the closure variable `{name}` is not set yet") from None
    space = function.__globals__
    if name in space:
        return capture(frame.context, (id(space), name), name, lambda: space[name])
    try:
        return getattr(builtins, name)
    except AttributeError:
        known = [*space, *dir(builtins), *_local_names(frame.scope)]
        raise UserError(f"NameError: name `{name}` is not defined", near(name, known)) from None


def _walrus(frame: Frame, node: ast.NamedExpr) -> Any:
    value = evaluate(frame, node.value)
    assign(frame, node.target, value)
    return value


def _local_names(scope: Scope | None) -> Iterator[str]:
    while scope is not None:
        yield from scope.names
        scope = scope.parent


# Displays


def _items(frame: Frame, elements: list[ast.expr]) -> list[Any]:
    items: list[Any] = []
    values = evaluate_all(frame, [e.value if isinstance(e, ast.Starred) else e for e in elements])
    for element, value in zip(elements, values, strict=True):
        if isinstance(element, ast.Starred):
            items += iterate(frame, value)
        else:
            items.append(value)
    return items


def _list(frame: Frame, node: ast.List) -> list[Any]:
    return _items(frame, node.elts)


def _tuple(frame: Frame, node: ast.Tuple) -> tuple[Any, ...]:
    return tuple(_items(frame, node.elts))


def _set(frame: Frame, node: ast.Set) -> Any:
    items = _items(frame, node.elts)
    check_keys(items)
    return compute(set, items)


def _dict(frame: Frame, node: ast.Dict) -> dict[Any, Any]:
    made: dict[Any, Any] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            made.update(compute(dict, evaluate(frame, value)))
            continue
        name = evaluate(frame, key)
        check_keys([name])
        compute(made.__setitem__, name, evaluate(frame, value))
    return made


def check_keys(keys: list[Any]) -> None:
    if has_staged(keys):
        raise UnsupportedError(
            "A value that is known only at run time cannot be a key or a member of a set.",
            "a string or a literal as the key",
        )


EXPRESSIONS.update(
    {
        ast.Constant: _constant,
        ast.Name: _name,
        ast.NamedExpr: _walrus,
        ast.List: _list,
        ast.Tuple: _tuple,
        ast.Set: _set,
        ast.Dict: _dict,
    }
)
