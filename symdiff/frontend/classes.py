"""Objects made inside the function.

Enters: a class and evaluated arguments.  Leaves: an instance whose attributes may be staged.  Invariant: the
user's `__init__` is lowered and never runs; the generated one of dataclasses and named tuples is imitated.
"""

from __future__ import annotations

import collections
import dataclasses
import types as python_types
from collections.abc import Callable
from typing import Any

import numpy as np

from symdiff.errors import UnsupportedError, UserError
from symdiff.frontend import operators
from symdiff.frontend.arguments import is_namedtuple
from symdiff.frontend.captures import capture
from symdiff.frontend.frame import Frame, call
from symdiff.frontend.lookup import in_class, user_method
from symdiff.frontend.values import Failure, has_staged

_COLLECTIONS = frozenset([collections.OrderedDict, collections.defaultdict, collections.deque])
_FACTORIES = (list, dict, set, tuple, int, float)


def construct(frame: Frame, cls: type, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """`cls(*args, **kwargs)`."""
    if is_namedtuple(cls):
        return _namedtuple(frame, cls, args, kwargs)
    if cls is python_types.SimpleNamespace:
        return operators.compute(cls, *args, **kwargs)
    if issubclass(cls, BaseException):
        return _exception(cls, args)
    if cls in _COLLECTIONS and not any(callable(arg) and arg not in _FACTORIES for arg in args[:1]):
        return operators.compute(cls, *args, **kwargs)
    if cls.__module__ in ("builtins", "enum", "fractions", "decimal", "operator") and not has_staged(
        [args, kwargs]
    ):
        return operators.compute(cls, *args, **kwargs)
    if type(cls).__call__ is not type.__call__:
        if not has_staged([args, kwargs]) and type(cls).__module__ == "enum":
            return operators.compute(cls, *args, **kwargs)
        if isinstance(vars(type(cls)).get("__call__"), python_types.FunctionType):
            raise UnsupportedError(
                f"The class {cls.__name__} has a metaclass that makes its objects itself.", "a plain class"
            )
    if not cls.__flags__ & (1 << 9) or isinstance(in_class(cls, "__new__")[0], staticmethod):
        raise UnsupportedError(
            f"Objects of the class {cls.__name__} cannot be made inside the function.",
            "a class without `__new__`, or the object as an argument",
        )
    try:
        made: Any = object.__new__(cls)
    except TypeError:
        raise UnsupportedError(
            f"Objects of the class {cls.__name__} cannot be made inside the function.", "an argument"
        ) from None
    if dataclasses.is_dataclass(cls) and cls.__dataclass_params__.init and "__init__" in vars(cls):  # type: ignore[attr-defined]
        _fill_dataclass(frame, cls, made, args, kwargs)
    elif hasattr(cls, "__attrs_attrs__"):
        _fill_attrs(frame, cls, made, args, kwargs)
    else:
        method = user_method(made, "__init__")
        if method is not None:
            call(frame, method, [made, *args], kwargs)
        elif args or kwargs:
            raise UserError(f"TypeError: {cls.__name__}() takes no arguments")
    return made


def _exception(cls: type, args: list[Any]) -> Any:
    if cls.__module__ == "builtins" and not has_staged(args):
        return operators.compute(cls, *args)
    if cls.__module__ == "builtins" or cls is np.linalg.LinAlgError:
        return Failure(cls, tuple(args))
    if isinstance(in_class(cls, "__new__")[0], staticmethod):
        raise UnsupportedError(
            f"The class {cls.__name__} makes its objects itself, with `__new__`.", "a class without it"
        )
    made: Any = cls.__new__  # of a C class: it runs nothing of the user's
    return made(cls)


def _namedtuple(frame: Frame, cls: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    base = in_class(cls, "__new__")[1]
    if base is None or "_fields" not in vars(base):
        raise UnsupportedError(
            f"The class {cls.__name__} makes its objects itself, with `__new__`.", "a class without it"
        )
    values = _matched(cls, list(cls._fields), args, kwargs)
    defaults = cls._field_defaults
    for name in cls._fields:
        if name not in values:
            if name not in defaults:
                raise UserError(f"TypeError: {cls.__name__}() misses the argument '{name}'")
            values[name] = capture(frame.context, (id(cls), "default", name), name, _item(defaults, name))
    return tuple.__new__(cls, [values[name] for name in cls._fields])


def _item(mapping: Any, key: str) -> Callable[[], object]:
    return lambda: mapping[key]


def _matched(cls: type, names: list[str], args: list[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    if len(args) > len(names):
        raise UserError(f"TypeError: {cls.__name__}() takes {len(names)} arguments, got {len(args)}")
    values = dict(zip(names, args, strict=False))
    for name, value in kwargs.items():
        if name not in names or name in values:
            raise UserError(f"TypeError: {cls.__name__}() got an unexpected argument '{name}'")
        values[name] = value
    return values


def _fill_dataclass(frame: Frame, cls: Any, made: Any, args: list[Any], kwargs: dict[str, Any]) -> None:
    fields = [f for f in dataclasses.fields(cls) if f.init]
    names = [f.name for f in fields if not f.kw_only] + [f.name for f in fields if f.kw_only]
    if len(args) > len([f for f in fields if not f.kw_only]):
        raise UserError(f"TypeError: {cls.__name__}() got too many arguments")
    values = _matched(cls, names, args, kwargs)
    for f in dataclasses.fields(cls):
        if f.name in values:
            value = values[f.name]
        elif f.default is not dataclasses.MISSING:
            value = capture(frame.context, (id(f), "default"), f.name, _default(f))
        elif f.default_factory is not dataclasses.MISSING:
            value = call(frame, f.default_factory, [], {})
        elif not f.init:
            continue
        else:
            raise UserError(f"TypeError: {cls.__name__}() misses the argument '{f.name}'")
        object.__setattr__(made, f.name, value)
    method = user_method(made, "__post_init__")
    if method is not None:
        call(frame, method, [made], {})


def _default(field: Any) -> Callable[[], object]:
    return lambda: field.default


def _fill_attrs(frame: Frame, cls: Any, made: Any, args: list[Any], kwargs: dict[str, Any]) -> None:
    fields = {f.name.lstrip("_"): f for f in cls.__attrs_attrs__ if f.init}
    values = _matched(cls, list(fields), args, kwargs)
    for alias, f in fields.items():
        if f.converter is not None or f.validator is not None:
            raise UnsupportedError(f"{cls.__name__}.{f.name} has a converter or a validator.")
        if alias in values:
            value = values[alias]
        elif hasattr(f.default, "factory"):
            value = call(frame, f.default.factory, [made] if f.default.takes_self else [], {})
        elif type(f.default).__name__ == "_Nothing":
            raise UserError(f"TypeError: {cls.__name__}() misses the argument '{alias}'")
        else:
            value = capture(frame.context, (id(cls), "default", alias), alias, _default(f))
        object.__setattr__(made, f.name, value)


def set_attribute(frame: Frame, owner: Any, name: str, value: Any) -> None:
    """`owner.name = value` on an object made inside the function."""
    found, _ = in_class(type(owner), name)
    if isinstance(found, property):
        if found.fset is None:
            raise UserError(f"AttributeError: property '{name}' has no setter")
        call(frame, found.fset, [owner, value], {})
        return
    method = user_method(owner, "__setattr__")
    if method is not None and not dataclasses.is_dataclass(type(owner)):
        raise UnsupportedError(
            f"The class {type(owner).__name__} sets its attributes itself.", "a class without `__setattr__`"
        )
    if method is not None:
        raise UserError(f"FrozenInstanceError: cannot assign to field '{name}'")
    operators.compute(object.__setattr__, owner, name, value)
