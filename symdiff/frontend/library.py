"""Functions of `copy`, `dataclasses`, `functools` and `typing` that work on any object.

Enters: evaluated arguments.  Leaves: new containers and objects, made inside the function.  Invariant: arrays
are copied by nodes, as a write into the copy must not reach the original.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import inspect
import typing
from typing import Any

import numpy as np

from symdiff import marks
from symdiff.errors import UnsupportedError, UserError
from symdiff.frontend import arrays
from symdiff.frontend.arguments import field_of, fields_of, is_namedtuple
from symdiff.frontend.blocks import in_block
from symdiff.frontend.classes import construct
from symdiff.frontend.frame import Frame, call
from symdiff.frontend.iterators import Handler
from symdiff.frontend.lookup import is_user_object, user_method
from symdiff.frontend.operators import COMPARE, compare, compute
from symdiff.frontend.values import Checkpointed, Generator, Partial, ShapeTuple, has_staged, kind_name
from symdiff.ir.node import Node
from symdiff.ops.effects import stop_gradient
from symdiff.ops.elementwise import logical_not, logical_or
from symdiff.ops.indexing import index, pick
from symdiff.ops.lowering import arrays as nodes_of
from symdiff.ops.lowering import known_rank
from symdiff.ops.row import REGISTRY
from symdiff.ops.shaping import make_shape
from symdiff.ops.updates import update

Memo = dict[int, Any]


def copied(value: Node) -> Node:
    """A copy of an array; numbers are themselves."""
    if value.type.kind != "array" or (value.type.dims == () and value.args):
        return value
    return arrays.apply(REGISTRY["copy"], [value])


def _copy(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    (value,) = args
    if isinstance(value, Node):
        return copied(value)
    method = user_method(value, "__copy__")
    if method is not None:
        return call(frame, method, [value], {})
    return shallow(value, lambda item: item)


def _deepcopy(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    memo: Memo = {}

    def deep(value: Any) -> Any:
        if id(value) in memo:
            return memo[id(value)]
        method = user_method(value, "__deepcopy__")
        if isinstance(value, Node):
            made: Any = copied(value)
        elif method is not None:
            made = call(frame, method, [value, {}], {})
        else:
            made = shallow(value, deep, memo)
        memo[id(value)] = made
        return made

    return deep(args[0])


def shallow(value: Any, item: Any, memo: Memo | None = None) -> Any:
    """A container or an object like `value`, of what `item` makes of its items."""
    memo = {} if memo is None else memo
    if isinstance(value, Generator):
        raise UserError("TypeError: cannot pickle 'generator' object")
    if type(value) is list:
        made: Any = memo.setdefault(id(value), [])
        made.extend(item(one) for one in value)
        return made
    if isinstance(value, dict) and not is_user_object(value):
        made = memo.setdefault(id(value), _emptied(value))
        made.update({key: item(one) for key, one in value.items()})
        return made
    if isinstance(value, ShapeTuple):
        return value
    if isinstance(value, tuple) and (type(value) is tuple or is_namedtuple(type(value))):
        return tuple.__new__(type(value), [item(one) for one in value])
    if is_user_object(value) and not isinstance(value, list | tuple | dict | set):
        names = fields_of(value) or ()
        made = memo.setdefault(id(value), object.__new__(type(value)))
        for name in names:
            object.__setattr__(made, name, item(field_of(value, name)))
        return made
    return compute(copy.copy, value)


def _emptied(value: Any) -> Any:
    made = compute(copy.copy, value)
    made.clear()
    return made


# Data classes


def _replace(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    (value,) = args
    given = dict(kwargs)
    for field in _fields(value):
        if not field.init and field.name in kwargs:
            raise UserError(f"ValueError: field {field.name} is declared with init=False")
        if field.init and field.name not in given:
            given[field.name] = field_of(value, field.name)
    return construct(frame, type(value), [], given)


def _fields(value: Any) -> tuple[Any, ...]:
    if not dataclasses.is_dataclass(type(value)):
        raise UserError(f"TypeError: {kind_name(value)} is no dataclass instance")
    return dataclasses.fields(value)


def _as_dict(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if kwargs.get("dict_factory", dict) is not dict:
        raise UnsupportedError("dataclasses.asdict with a factory of its own.", "dataclasses.asdict(value)")
    return _plain(frame, args[0], lambda pairs: dict(pairs))


def _as_tuple(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return _plain(frame, args[0], lambda pairs: tuple([item for _, item in pairs]))


def _plain(frame: Frame, value: Any, make: Any) -> Any:
    """An object of a dataclass as a container, and what it holds alike."""

    def plain(one: Any) -> Any:
        if dataclasses.is_dataclass(type(one)):
            return make([(field.name, plain(field_of(one, field.name))) for field in _fields(one)])
        if isinstance(one, Node):
            return copied(one)
        return shallow(one, plain)

    _fields(value)
    return plain(value)


def generated_method(frame: Frame, function: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """A method that `dataclass` wrote, such as `__eq__`."""
    name = function.__name__
    kind = next((kind for kind, facts in COMPARE.items() if f"__{facts[3]}__" == name), None)
    if kind is None or not args or not dataclasses.is_dataclass(type(args[0])):
        raise UnsupportedError(f"The method `{name}` has no source.", "a method that is written out")
    first, second = args
    if type(first) is not type(second):
        return NotImplemented
    fields = [field.name for field in _fields(first) if field.compare]
    return compare(frame, kind, *(tuple([field_of(one, name) for name in fields]) for one in (first, second)))


# Marks


def _stop_gradient(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    (value,) = args or kwargs.values()

    def stopped(one: Any) -> Any:
        if isinstance(one, Node):
            return arrays.apply(stop_gradient, [one]) if one.type.kind in ("array", "number") else one
        return shallow(one, stopped)

    return stopped(value) if has_staged(value) else value


def _checkpoint(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    bound = compute(inspect.signature(marks.checkpoint).bind, *args, **kwargs)
    what, every = bound.arguments["what"], bound.arguments.get("every")
    if call(frame, callable, [what], {}):
        if every is not None:
            raise UserError(
                f"WrtError: checkpoint with every={every!r}", "every=10 with the iterable of a loop"
            )
        return Partial(recomputed, [what], {})
    every = -1 if every is None else arrays.static_int(every, "the number of rounds")
    if every < 1 and every != -1:
        raise UserError(f"WrtError: checkpoint with every={every!r}", "a positive number of rounds")
    return Checkpointed(what, every)


def recomputed(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """A call of a function that `checkpoint` marks."""
    function, *rest = args
    return in_block(frame, lambda: call(frame, function, rest, kwargs))


# Decorators that change no value


def _same(value: Any) -> Any:
    """The decorator that `functools.wraps` makes: it changes nothing that a result depends on."""
    return value


def _first(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return args[0]


def _lru_cache(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return args[0] if args and not isinstance(args[0], int | None) else _same


def _from_function(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """`np.fromfunction`: the function of the places of a grid."""
    named = dict(kwargs)
    shape = args[1] if len(args) > 1 else named.pop("shape")
    places = call(frame, np.indices, [shape], {"dtype": named.pop("dtype", float)})
    return call(frame, args[0], [pick(places, 0, axis) for axis in range(len(shape))], named)


def _piecewise(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """`np.piecewise`: zeros, into which each function writes its values where its condition holds."""
    given, conditions, functions, *rest = args
    x = arrays.operand(given)
    if known_rank(x, "np.piecewise") == 0:
        whole = _piecewise(frame, [_line(x), *_lines(conditions), functions, *rest], kwargs)
        return arrays.apply(REGISTRY["reshape"], [whole, make_shape()])
    masks = [arrays.operand(one) for one in _conditions(x, conditions)]
    if len(functions) == len(masks) + 1:
        taken = functools.reduce(logical_or, masks)
        masks.append(logical_not(taken))
    if len(functions) != len(masks):
        raise UserError(f"ValueError: with {len(masks)} condition(s), {len(masks)} functions are expected")
    y = arrays.apply(REGISTRY["zeros_like"], [x])
    for mask, function in zip(masks, functions, strict=True):
        value = function
        if not arrays.is_operand(function):
            chosen = arrays.apply(index, [x, mask], index=(("arg", 0),))
            value = call(frame, function, [chosen, *rest], dict(kwargs))
        y = arrays.apply(update, [y, arrays.operand(value), mask], index=(("arg", 0),))
    return y


def _conditions(x: Node, conditions: Any) -> list[Any]:
    """One condition alone is a list of one."""
    if isinstance(conditions, Node):
        rank = known_rank(conditions, "np.piecewise")
        return [conditions] if rank == known_rank(x, "np.piecewise") else nodes_of(conditions)
    alone = bool(conditions) and all(isinstance(one, bool) for one in conditions)
    return [conditions] if alone else list(conditions)


def _line(x: Node) -> Node:
    return arrays.apply(REGISTRY["reshape"], [x, make_shape(1)])


def _lines(conditions: Any) -> list[Any]:
    found = conditions if isinstance(conditions, list | tuple) else [conditions]
    return [[_line(arrays.operand(one)) for one in found]]


HANDLERS: dict[Any, Handler] = {
    copy.copy: _copy, copy.deepcopy: _deepcopy,
    dataclasses.fields: lambda frame, args, kwargs: compute(dataclasses.fields, *args),
    dataclasses.is_dataclass: lambda frame, args, kwargs: compute(dataclasses.is_dataclass, *args),
    dataclasses.replace: _replace, dataclasses.asdict: _as_dict, dataclasses.astuple: _as_tuple,
    functools.wraps: lambda frame, args, kwargs: _same, _same: _first,
    functools.cache: _first, functools.lru_cache: _lru_cache,
    np.fromfunction: _from_function, np.piecewise: _piecewise,
    marks.stop_gradient: _stop_gradient, marks.checkpoint: _checkpoint, recomputed: recomputed,
    typing.cast: lambda frame, args, kwargs: args[1],
}  # fmt: skip
