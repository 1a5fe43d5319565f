"""Calls of functions that have a row: the user's arguments become operands and attributes.

Enters: a row, the callable it was found under, and evaluated arguments.  Leaves: a node or a tree of nodes.
Invariant: arguments are bound as NumPy's own signature binds them; what a row does not know is an error and
never dropped.
"""

from __future__ import annotations

import inspect
from functools import lru_cache
from typing import Any

import numpy as np

from symdiff.errors import SymdiffError, UnsupportedError, UserError
from symdiff.frontend import arrays
from symdiff.frontend.lists import join_list
from symdiff.frontend.values import POISON, NeedStatic, ShapeTuple, Silent, StagedList, kind_name
from symdiff.ir.build import current
from symdiff.ir.control import FOR
from symdiff.ir.node import OPERATORS, Node
from symdiff.ops.row import REGISTRY, Row

_SHAPES = ("shape", "newshape")


def call_row(row: Row, function: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """Lower one call of `function`, which has this row."""
    if any(value is POISON for value in (*args, *kwargs.values())):
        raise Silent
    if function is np.where and len(args) == 1 and not kwargs:
        row = REGISTRY["nonzero"]
    for name in ("out", "where"):
        if kwargs.get(name) is not None and name not in row.defaults and kwargs[name] is not True:
            raise _no_argument(row, name)
    kwargs = {k: v for k, v in kwargs.items() if k not in ("out", "where") or k in row.defaults}
    if any(isinstance(value, StagedList) for value in args[:1]):
        joined = join_list(row.name, args, kwargs)
        if joined is not None:
            return joined
        args = [arrays.operand(args[0]), *args[1:]]
    if row.lower is not None:
        return _lowered(row, args, kwargs)
    operands, attributes = _bound(row, function, args, kwargs)
    nodes = [_operand(row, name, value) for name, value in operands]
    if row.ranked:
        _check_axes(row, nodes)
    if row.name in OPERATORS and isinstance(function, np.ufunc):
        nodes = _not_weak(row, nodes)
    if row.name.startswith("math."):
        _check_scalars(row, nodes)
    return arrays.apply(row, nodes, **{name: _attribute(row, name, v) for name, v in attributes.items()})


def _check_axes(row: Row, nodes: list[Node]) -> None:
    """Refuse a product that is another one for what is a number in the first round of a loop."""
    for node in nodes:
        if current().sizes.may_be_number(node.type):
            places = arrays.int_places(_bounds(node))
            if places:  # with the number of rounds it is the one or the other
                raise NeedStatic(places)
            current().sizes.refusals += 1
            raise UnsupportedError(
                f"np.{row.name} of a value that is a number in a round of the loop, and an array in others.",
                "np.zeros(...) or np.full(...) as the value before the loop",
            )


def _bounds(node: Node) -> list[Node]:
    """The bounds of the loops that a value comes from."""
    found, seen, pending = list[Node](), set[Node](), [node]
    while pending:
        one = pending.pop()
        if one not in seen:
            seen.add(one)
            found += one.args[:3] if one.op is FOR else ()
            pending += one.args
    return found


def _lowered(row: Row, args: list[Any], kwargs: dict[str, Any]) -> Any:
    assert row.lower is not None
    args = [_plain(value) for value in args]
    kwargs = {name: _plain(value) for name, value in kwargs.items()}
    for i, name in enumerate(row.signature.parameters):
        if name in _SHAPES and i < len(args):
            args[i] = arrays.shape_node(args[i])
    for name in kwargs:
        if name in _SHAPES:
            kwargs[name] = arrays.shape_node(kwargs[name])
    try:
        return row.lower(row, *args, **kwargs)
    except SymdiffError:
        # Perhaps an int argument is needed while compiling: once more with its value.
        places = arrays.int_places([*args, *kwargs.values()])
        if places:
            raise NeedStatic(places) from None
        raise
    except Exception as error:
        raise UserError(f"{type(error).__name__}: {error}") from None


def _plain(value: Any) -> Any:
    return arrays.operand(value) if isinstance(value, np.generic) else value


def _operand(row: Row, name: str, value: Any) -> Node:
    if name in _SHAPES:
        return arrays.shape_node(value)
    if isinstance(value, Node) and value.type.kind == "shape":
        raise arrays.unknown_rank(value)
    if row.name in ("shape", "size", "length") and isinstance(value, ShapeTuple | list | tuple):
        value = list(value)
    if not arrays.is_operand(value):
        raise UserError(f"TypeError: {row.spelling} cannot take a {kind_name(value)} as `{name}`")
    return arrays.operand(value)


def _attribute(row: Row, name: str, value: Any) -> Any:
    if name == "dtype":
        return arrays.dtype_name(value)
    if isinstance(value, Node) and value.type.kind == "array":
        raise UnsupportedError(
            f"`{name}` of {row.spelling} cannot be an array.", "a number or a tuple of ints"
        )
    return arrays.static_value(value, f"`{name}` of {row.spelling}")


def _not_weak(row: Row, nodes: list[Node]) -> list[Node]:
    """A ufunc called on numbers alone gives a NumPy scalar, Python's operator would give a number."""
    if any(node.type.kind != "number" for node in nodes):
        return nodes
    return [arrays.array_of_number(nodes[0]), *nodes[1:]]


def _check_scalars(row: Row, nodes: list[Node]) -> None:
    for node in nodes:
        if node.type.dims not in ((), None) and node.type.kind == "array":
            name = row.name.removeprefix("math.")
            raise UserError(
                "TypeError: only 0-dimensional arrays can be converted to Python scalars",
                f"np.{name}" if hasattr(np, name) else "a NumPy function",
            )


# Binding


def _bound(
    row: Row, function: Any, args: list[Any], kwargs: dict[str, Any]
) -> tuple[list[tuple[str, Any]], dict[str, Any]]:
    """Operands in order, and attributes by name."""
    if row.variadic:
        return _bound_variadic(row, args, kwargs)
    names = _numpy_names(function)
    operands = row.operands
    values: dict[str, Any] = {}
    for i, value in enumerate(args):
        if i < len(operands):
            values[operands[i]] = value
        elif i < len(names):
            values[names[i]] = value
        else:
            own = list(row.signature.parameters)
            if i >= len(own) or names:
                raise UserError(f"TypeError: too many arguments for {row.spelling}")
            values[own[i]] = value
    for name, value in kwargs.items():
        place = names.index(name) if name in names else -1
        key = operands[place] if 0 <= place < len(operands) else name
        if key in values:
            raise UserError(f"TypeError: {row.spelling} got several values for `{name}`")
        values[key] = value
    missing = [name for name in operands if name not in values]
    if missing:
        raise UserError(f"TypeError: {row.spelling} misses the argument `{missing[0]}`")
    attributes = {}
    for name, value in values.items():
        if name in row.defaults:
            attributes[name] = value
        elif name not in operands and value is not None and value is not np._NoValue:
            raise _no_argument(row, name)
    return [(name, values[name]) for name in operands], attributes


def _bound_variadic(
    row: Row, args: list[Any], kwargs: dict[str, Any]
) -> tuple[list[tuple[str, Any]], dict[str, Any]]:
    for name in kwargs:
        if name not in row.defaults:
            raise _no_argument(row, name)
    fixed = [n for n in row.operands]
    return [(fixed[min(i, len(fixed) - 1)], value) for i, value in enumerate(args)], kwargs


@lru_cache(maxsize=512)
def _numpy_names(function: Any) -> tuple[str, ...]:
    """The parameters of a NumPy function by position; of a ufunc its operands; () where unknown."""
    if isinstance(function, np.ufunc):
        return tuple(f"x{i + 1}" for i in range(function.nin)) if function.nin > 1 else ("x",)
    if getattr(function, "__module__", None) in ("math", "operator", "builtins"):
        return ()
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return ()
    return tuple(p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD))


def _no_argument(row: Row, name: str) -> UnsupportedError:
    hints = {
        "out": "assign the result: `y = np.f(x)`",
        "where": "np.where(condition, np.f(x), other)",
    }
    return UnsupportedError(
        f"The argument `{name}` of {row.spelling} is not supported.", hints.get(name, "leave it out")
    )
