"""Python's built-in functions on staged and compile-time values.

Enters: evaluated arguments.  Leaves: results.  Invariant: no callback and no special method of the user's
runs; both are lowered.
"""

from __future__ import annotations

import ast
import functools
import operator
from collections.abc import Iterator
from typing import Any

import numpy as np

from symdiff.errors import UnsupportedError, UserError
from symdiff.frontend import arrays, iterators, library, operators
from symdiff.frontend.attributes import Super, attribute, has_attribute
from symdiff.frontend.classes import set_attribute
from symdiff.frontend.conversions import PYTHON, by_row, division, number, power, registered, rounded
from symdiff.frontend.frame import Frame, call
from symdiff.frontend.iterators import lazily
from symdiff.frontend.lookup import is_user_object, user_method
from symdiff.frontend.once import check_here, fresh, rolled
from symdiff.frontend.rolled import is_rolled, length_of, of_range
from symdiff.frontend.rows import call_row
from symdiff.frontend.subscripts import subscript
from symdiff.frontend.texts import check_plain, formatted
from symdiff.frontend.unpacking import iterate, iterated
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
    has_staged,
    kind_name,
)
from symdiff.ir import control
from symdiff.ir.node import Node
from symdiff.ops.row import row_of

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


def _range(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> range | Rolled:
    if not any(isinstance(value, Node) for value in args):
        made: range = operators.compute(range, *args)
        return made
    return of_range([_index(value) for value in args])


def _index(value: Any) -> Any:
    """A bound of a range: an int, known or not."""
    if isinstance(value, Node) and control.is_integer(value.type):
        return value
    if isinstance(value, Node) and not value.type.dims and value.type.dtype == "bool":
        return call_row(registered("builtins.int"), int, [value], {})
    if isinstance(value, Node):
        raise UserError(f"TypeError: '{kind_name(value)}' object cannot be interpreted as an integer")
    return operators.compute(operator.index, value)


def all_rolled(values: list[Any]) -> bool:
    """Whether a loop over all of these at once is kept as a loop."""
    return bool(values) and all(map(is_rolled, values)) and not all(map(_is_range, values))


def _is_range(value: Any) -> bool:
    """Whether this is a range, or one from its end, whose bounds are known."""
    return isinstance(value, range) or (
        isinstance(value, Rolled) and value.kind == "reversed" and isinstance(value.parts[0], range)
    )


def _zip(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if all_rolled(args) and not kwargs.get("strict"):
        return rolled("zip", tuple(args))
    columns = [iterated(frame, value) for value in args]
    rows = operators.compute(zip, *columns, **kwargs)
    return lazily(frame, rows) if _any_lazy(args) else Items("zip", operators.compute(list, rows), fresh())


def _any_lazy(values: list[Any]) -> bool:
    return any(isinstance(value, Generator) for value in values)


def _enumerate(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    first = kwargs.get("start", args[1] if len(args) > 1 else 0)
    if all_rolled(args[:1]):
        return rolled("enumerate", (args[0],), _index(first))
    start = arrays.static_int(kwargs.get("start", args[1] if len(args) > 1 else 0), "the start of enumerate")
    pairs = enumerate(iterated(frame, args[0]), start)
    return lazily(frame, pairs) if _any_lazy(args) else Items("enumerate", list(pairs), fresh())


def _sum(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    _no_array(args[0], "sum")
    total = kwargs.get("start", args[1] if len(args) > 1 else 0)
    for value in iterate(frame, args[0]):
        total = operators.binary(frame, ast.Add, total, value)
    return total


def _no_array(value: Any, name: str) -> None:
    if isinstance(value, Node) and value.type.kind == "array":
        length = arrays.first_length(value) if value.type.dims != () else 0
        if isinstance(length, Node):
            raise UnsupportedError(f"The built-in `{name}` loops over an array.", f"np.{name}")


def _extremum(name: str) -> Handler:
    function = max if name == "max" else min

    def handle(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if len(args) == 1:
            _no_array(args[0], name)
        values = iterate(frame, args[0]) if len(args) == 1 else args
        if kwargs.get("key") is not None:
            return _by_key(frame, function, list(values), kwargs)
        if any(has_staged(value) for value in values):
            row = row_of(function)
            if row is not None and values and not kwargs:
                return functools.reduce(lambda a, b: call_row(row, function, [a, b], {}), values)
            raise UnsupportedError(
                f"The built-in `{name}` compares values that are known only at run time.",
                f"np.{name}imum(a, b), or np.{name} of an array",
            )
        return operators.compute(function, values, **kwargs)

    return handle


def _by_key(frame: Frame, function: Any, values: list[Any], kwargs: dict[str, Any]) -> Any:
    """The value whose key is the largest or smallest."""
    keys = [call(frame, kwargs["key"], [value], {}) for value in values]
    if has_staged(keys):
        raise UnsupportedError("The keys are known only at run time.", f"np.arg{function.__name__}")
    if not values and "default" in kwargs:
        return kwargs["default"]
    return values[operators.compute(function, range(len(values)), key=keys.__getitem__)]


def _all_any(conjunction: bool) -> Handler:
    name = "all" if conjunction else "any"

    def handle(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> bool:
        _no_array(args[0], name)
        truths = (
            operators.truth(frame, value, f"An operand of `{name}`", f"np.{name}")
            for value in iterate(frame, args[0])
        )
        return all(truths) if conjunction else any(truths)

    return handle


def _reduce(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    function, values = args[0], [*args[2:3], *iterate(frame, args[1])]
    if not values:
        raise UserError("TypeError: reduce() of empty iterable with no initial value")
    total = values[0]
    for value in values[1:]:
        total = call(frame, function, [total, value], {})
    return total


def _reversed(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if is_rolled(args[0]):
        return rolled("reversed", (args[0],))
    return Items("reversed", iterate(frame, args[0])[::-1], fresh())


def _sorted(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> list[Any]:
    values = iterate(frame, args[0])
    key = kwargs.get("key")
    keys = [call(frame, key, [value], {}) for value in values] if key is not None else values
    if any(has_staged(one) for one in keys):
        raise UnsupportedError("`sorted` compares values that are known only at run time.", "np.sort")
    reverse = bool(kwargs.get("reverse", False))
    order: list[int] = operators.compute(sorted, range(len(values)), key=keys.__getitem__, reverse=reverse)
    return [values[i] for i in order]


def _iter(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if len(args) != 1:
        raise UnsupportedError("`iter` with a sentinel is not supported.", "a loop")
    value = args[0]
    if isinstance(value, Generator | Items | Rolled) and not (
        isinstance(value, Rolled) and value.once is None
    ):
        return value
    return lazily(frame, iterated(frame, value))


def _next(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if isinstance(args[0], Items):
        check_here(args[0])
        taken: Iterator[Any] = iter([args[0].items.pop(0)] if args[0].items else [])
    elif isinstance(args[0], Generator):
        taken = args[0]
    else:
        raise UnsupportedError(f"`next` of a {kind_name(args[0])} is not supported.", "indexing")
    try:
        return next(taken)
    except StopIteration:
        if len(args) == 1:
            raise UserError("StopIteration") from None
        return args[1]


def _container(cls: type) -> Handler:
    def handle(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if not args:
            return operators.compute(cls, **kwargs)
        if cls is dict and isinstance(args[0], dict):
            return {**args[0], **kwargs}
        values = iterate(frame, args[0])
        if cls in (set, frozenset) and has_staged(values):
            raise UnsupportedError("A set of values that are known only at run time.", "a list or tuple")
        if cls is dict:
            values = [tuple(iterate(frame, value)) for value in values]
        return operators.compute(cls, values, **kwargs)

    return handle


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
    type: _type, isinstance: _isinstance, len: _len, range: _range, zip: _zip, enumerate: _enumerate,
    sum: _sum, max: _extremum("max"), min: _extremum("min"), all: _all_any(True), any: _all_any(False),
    functools.reduce: _reduce, reversed: _reversed, sorted: _sorted,
    next: _next, iter: _iter,
    list: _container(list), tuple: _container(tuple), set: _container(set), dict: _container(dict),
    frozenset: _container(frozenset), **{kind: number(kind) for kind in (bool, int, float, complex)},
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
    for function, handler in (_FUNCTIONS | iterators.HANDLERS | library.HANDLERS).items()
}
"""By the identity of the function: what a call of it does."""
