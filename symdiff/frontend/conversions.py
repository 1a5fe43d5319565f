"""Python's numbers: `float(x)`, `int(x)`, `np.float32(x)`, `abs`, `round`, `divmod`, `pow`.

Enters: evaluated arguments.  Leaves: nodes where one is staged, else what Python computes.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import numpy as np

from symdiff.errors import UnsupportedError, UnsupportedFunctionError, UserError
from symdiff.frontend import arrays, operators
from symdiff.frontend.frame import Frame, call
from symdiff.frontend.iterators import Handler
from symdiff.frontend.lookup import is_user_object, user_method
from symdiff.frontend.rows import call_row
from symdiff.frontend.values import has_staged
from symdiff.ir.node import Node
from symdiff.ops.row import row_of

PYTHON = {"bool": bool, "int": int, "float": float, "complex": complex}


def number(cls: type) -> Handler:
    def handle(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if not has_staged(args):
            if args and is_user_object(args[0]):
                raise UnsupportedError(
                    f"`{cls.__name__}` of an object of a class is not supported.", "its number"
                )
            return operators.compute(cls, *args, **kwargs)
        node = args[0]
        if (
            isinstance(node, Node)
            and node.type.kind == "number"
            and PYTHON.get(node.type.dtype) is cls
            and frame.context.heap.exact(node)
        ):
            return node
        row = row_of(cls)
        if row is not None and isinstance(node, Node) and node.type.kind in ("array", "number"):
            if node.type.dims not in ((), None):
                raise UserError(
                    "TypeError: only 0-dimensional arrays can be converted to Python scalars",
                    ".any() or .all() of it" if cls is bool else "an element, x[0], or its sum or mean",
                )
            return call_row(row, cls, args, kwargs)
        if cls is bool:
            operators.truth(frame, node, "`bool`", "the comparison itself, or np.where")
        raise UnsupportedError(
            f"`{cls.__name__}` of a value that is known only at run time is not supported.",
            "np.floor, np.trunc or .astype"
            if cls is int
            else "leave it out: NumPy computes with it as it is",
        )

    return handle


def as_dtype(cls: type[np.generic], value: Any) -> Any:
    """`np.float32(x)`."""
    node = arrays.operand(value)
    if node.type.kind == "array":
        return arrays.apply(registered("astype"), [node], dtype=np.dtype(cls).name)
    if node.is_const and not isinstance(value, Node):
        return arrays.scalar(value, np.dtype(cls).name)
    return arrays.apply(registered("astype"), [arrays.array_of_number(node)], dtype=np.dtype(cls).name)


def registered(name: str) -> Any:
    row = arrays.row_named(name)
    if row is None:
        raise UnsupportedError(f"np.{name} is not supported.")
    return row


def rounded(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if not has_staged(args):
        return operators.compute(round, *args, **kwargs)
    if isinstance(args[0], Node) and args[0].type.rank:
        raise UserError("TypeError: type numpy.ndarray doesn't define __round__ method", "np.round")
    row = row_of(np.round)
    if row is None or not isinstance(args[0], Node) or args[0].type.kind == "number":
        raise UnsupportedError("`round` of a value that is known only at run time.", "np.round")
    return call_row(row, np.round, args, kwargs)


def by_row(function: Any, fallback: Callable[..., Any]) -> Handler:
    """A built-in that has a row for staged operands."""

    def handle(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
        method = user_method(args[0], f"__{function.__name__}__") if len(args) == 1 else None
        if method is not None:
            return call(frame, method, args, {})
        if not has_staged(args):
            return operators.compute(fallback, *args, **kwargs)
        row = row_of(function)
        if row is None:
            raise UnsupportedFunctionError(
                f"`{function.__name__}` of a staged value is not supported.", "np.abs"
            )
        return call_row(row, function, args, kwargs)

    return handle


def division(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return tuple([operators.binary(frame, kind, *args) for kind in (ast.FloorDiv, ast.Mod)])


def power(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if len(args) != 2:
        return operators.compute(pow, *args, **kwargs)
    return operators.binary(frame, ast.Pow, *args)
