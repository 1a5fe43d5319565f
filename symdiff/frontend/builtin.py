"""Python's built-in functions on staged and compile-time values.

Enters: evaluated arguments.  Leaves: results.  Invariant: no callback and no special method of the user's
runs; both are lowered.
"""

from __future__ import annotations

import ast
import functools
import operator
from typing import Any

import numpy as np

from symdiff.errors import UnsupportedError, UserError
from symdiff.frontend import arrays, iterators, library, operators, sequences
from symdiff.frontend.attributes import Super, attribute, has_attribute
from symdiff.frontend.classes import set_attribute
from symdiff.frontend.conversions import PYTHON, by_row, division, number, power, rounded
from symdiff.frontend.frame import Frame, call
from symdiff.frontend.lookup import is_user_object, user_method
from symdiff.frontend.rolled import length_of
from symdiff.frontend.subscripts import subscript
from symdiff.frontend.texts import check_plain, formatted
from symdiff.frontend.values import (
    Bound,
    Closure,
    Generator,
    Items,
    Lazily,
    Method,
    Partial,
    Rolled,
    ShapeTuple,
    StagedList,
    Text,
    kind_name,
)
from symdiff.ir.node import Node

Handler = iterators.Handler


def class_of(value: Any) -> type:
    """`type(value)`."""
    if isinstance(value, Node):
        if value.type.kind == "number":
            return PYTHON.get(value.type.dtype, float)
        return tuple if value.type.kind == "shape" else np.ndarray
    if isinstance(value, Closure):
        return type(class_of)
    if isinstance(value, ShapeTuple):
        return tuple
    return type(value)


def _type(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if len(args) != 1:
        raise UnsupportedError(
            "A class made inside the function is not supported.", "a class defined outside the function"
        )
    value = args[0]
    if isinstance(value, Node) and value.type.kind == "array" and value.type.dims in ((), None):
        raise UnsupportedError("The exact type of this value is known only at run time.", "isinstance(...)")
    return known_class(frame, value)


def _isinstance(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> bool:
    value, classes = args
    flat = _flat(classes)
    if isinstance(value, Node) and value.type.kind == "array":
        return any(_is_array_of(frame, value, one) for one in flat)
    kinds = classes_of(frame, value)
    answers = {any(bool(operators.compute(issubclass, kind, one)) for one in flat) for kind in kinds}
    if len(answers) > 1:
        raise _unknown_class()
    return answers.pop()


def known_class(frame: Frame, value: Any) -> type:
    """`type(value)`, where it is known."""
    if len(classes_of(frame, value)) > 1:
        raise _unknown_class()
    return class_of(value)


def classes_of(frame: Frame, value: Any) -> set[type]:
    """The classes that a value may be of: an int and a float, one or the other, count as a float."""
    if not (isinstance(value, Node) and value.type.kind == "number") or frame.context.heap.exact(value):
        return {class_of(value)}
    return {bool, int, float} | ({complex} if value.type.dtype == "complex" else set())


def _unknown_class() -> UnsupportedError:
    return UnsupportedError(
        "Whether this number is an int or a float is known only at run time.", "`float(...)` of it before"
    )


def _flat(classes: Any) -> list[Any]:
    if isinstance(classes, tuple):
        return [one for part in classes for one in _flat(part)]
    return list(classes.__args__) if type(classes).__name__ == "UnionType" else [classes]


def _is_array_of(frame: Frame, value: Node, cls: Any) -> bool:
    """Whether an array is an instance: one of no dimensions may be an ndarray or a NumPy scalar."""
    scalar = np.dtype(value.type.dtype).type if value.type.dtype else np.generic
    kinds = [np.ndarray] if value.type.dims != () else [np.ndarray, scalar]
    if value.op.name == "param" and value.type.dims == ():
        kinds = [scalar] if id(value) in frame.context.scalars else [np.ndarray]
    answers = {bool(operators.compute(issubclass, kind, cls)) for kind in kinds}
    if value.type.dims == () and value.op.name != "param" and cls in (np.ndarray, np.generic, float):
        answers = {issubclass(scalar, cls)} if is_scalar_result(value) else answers
    if len(answers) > 1:
        raise UnsupportedError("The exact type of this value is known only at run time.", "np.ndim(x) == 0")
    return answers.pop()


def is_scalar_result(value: Node) -> bool:
    """Whether NumPy returns a scalar, not an array of no dimensions: of ufuncs and reductions."""
    targets = getattr(value.op, "targets", ())
    if value.op.name == "index":
        return all(entry[0] in ("int", "arg") for entry in value.attr("index"))
    return any(isinstance(t, np.ufunc) for t in targets) or value.op.name in _SCALAR_RESULTS


# fmt: off
_SCALAR_RESULTS = frozenset([
    "sum", "mean", "prod", "max", "min", "var", "std", "ptp", "dot", "vdot", "inner", "trace", "linalg.norm",
    "linalg.det", "argmax", "argmin", "all", "any", "median",
])
# fmt: on


def _len(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    (value,) = args
    if getattr(value, "once", None) is not None and isinstance(value, Items | Rolled | Lazily):
        raise UserError(f"TypeError: object of type '{kind_name(value)}' has no len()")
    if isinstance(value, StagedList) or (isinstance(value, Rolled) and value.kind == "range"):
        return length_of(value)
    if isinstance(value, Node):
        if value.type.kind == "number":
            raise UserError(f"TypeError: object of type '{value.type.dtype}' has no len()")
        if value.type.kind == "shape":
            raise arrays.unknown_rank(value)
        return arrays.first_length(value)
    if isinstance(value, Generator):
        raise UserError("TypeError: object of type 'generator' has no len()", "list(...) of it")
    if isinstance(value, Text):
        raise UnsupportedError("The length of a text is known only at run time.", "leave it out")
    method = user_method(value, "__len__")
    return call(frame, method, [value], {}) if method else operators.compute(len, value)


def _getattr(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    value, name, *default = args
    if not isinstance(name, str):
        raise UserError("TypeError: attribute name must be string")
    if default and not has_attribute(frame, value, name):
        return default[0]
    return attribute(frame, value, name)


def _setattr(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> None:
    owner, name, value = args
    if not isinstance(name, str):
        raise UserError("TypeError: attribute name must be string")
    if not is_user_object(owner):
        raise UnsupportedError(
            f"The function sets an attribute of a {kind_name(owner)} that exists outside it.",
            "return the value",
        )
    frame.context.check_own(owner)
    set_attribute(frame, owner, name, value)


def _vars(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if not args:
        raise UnsupportedError("`vars` of the function is not supported.", "the names themselves")
    return attribute(frame, args[0], "__dict__")


def _hasattr(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> bool:
    return has_attribute(frame, args[0], args[1])


def _callable(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> bool:
    return not isinstance(args[0], Node) and (
        isinstance(args[0], Closure | Bound | Method | Partial) or callable(args[0])
    )


def _super(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Super:
    return Super(args[0], args[1])


def _getitem(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return subscript(frame, *args)


def _operator(kind: type[ast.cmpop] | None, swapped: bool = False) -> Handler:
    """A function of `operator` that is no row: `contains`, `is_`, `not_`, `truth`."""

    def handle(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if kind is None:
            return operators.truth(frame, *args)
        return operators.compare(frame, kind, *(args[::-1] if swapped else args))

    return handle


def _text(function: Any) -> Handler:
    def handle(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
        check_plain(args)
        return operators.compute(function, *args, **kwargs)

    return handle


def _str(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return formatted(frame, args[0], "s") if len(args) == 1 else operators.compute(str, *args, **kwargs)


def _repr(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return formatted(frame, args[0], "r")


def _format(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return formatted(frame, args[0], "", *args[1:])


def _partial(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return Partial(args[0], args[1:], kwargs)


_FUNCTIONS: dict[Any, Handler] = {
    type: _type, isinstance: _isinstance, len: _len,
    **{kind: number(kind) for kind in (bool, int, float, complex)},
    round: rounded, abs: by_row(abs, abs), divmod: division, pow: power,
    getattr: _getattr, hasattr: _hasattr, callable: _callable, super: _super,
    str: _str, repr: _repr, format: _format,
    operator.getitem: _getitem, operator.contains: _operator(ast.In, swapped=True),
    operator.is_: _operator(ast.Is), operator.is_not: _operator(ast.IsNot), operator.truth: _operator(None),
    operator.not_: lambda frame, args, kwargs: not operators.truth(frame, *args),
    operator.concat: lambda frame, args, kwargs: operators.binary(frame, ast.Add, *args),
    functools.partial: _partial,
    setattr: _setattr,
    slice: lambda frame, args, kwargs: slice(*args),
    issubclass: lambda frame, args, kwargs: operators.compute(issubclass, *args),
    vars: _vars, ord: _text(ord), chr: _text(chr),
}  # fmt: skip
HANDLERS: dict[int, Handler] = {
    id(function): handler
    for function, handler in (_FUNCTIONS | sequences.HANDLERS | iterators.HANDLERS | library.HANDLERS).items()
}
"""By the identity of the function: what a call of it does."""
