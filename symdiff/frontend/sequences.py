"""Built-in functions that make iterables, go through them or collect their items: `zip`, `sum`, `list`.

Enters: evaluated arguments.  Leaves: results.  Invariant: items are taken in the order in which Python would
take them; what is gone through by a loop that is kept stays one value.
"""

from __future__ import annotations

import ast
import functools
import operator
from collections.abc import Iterator
from typing import Any

from symdiff.errors import UnsupportedError, UserError
from symdiff.frontend import arrays, operators
from symdiff.frontend.conversions import registered
from symdiff.frontend.frame import Frame, call
from symdiff.frontend.iterators import Handler, lazily
from symdiff.frontend.once import check_here, fresh, rolled
from symdiff.frontend.rolled import is_rolled, of_range
from symdiff.frontend.rows import call_row
from symdiff.frontend.unpacking import iterate, iterated
from symdiff.frontend.values import Generator, Items, Rolled, has_staged, kind_name
from symdiff.ir import control
from symdiff.ir.node import Node
from symdiff.ops.row import row_of


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


HANDLERS: dict[Any, Handler] = {
    range: _range, zip: _zip, enumerate: _enumerate,
    sum: _sum, max: _extremum("max"), min: _extremum("min"), all: _all_any(True), any: _all_any(False),
    functools.reduce: _reduce, reversed: _reversed, sorted: _sorted,
    next: _next, iter: _iter,
    list: _container(list), tuple: _container(tuple), set: _container(set), dict: _container(dict),
    frozenset: _container(frozenset),
}  # fmt: skip
