"""Calls: of rows, builtins, functions of the user, classes and callable objects.

Enters: a callee and evaluated arguments.  Leaves: the result.  Invariant: what is called really runs only
where it is a builtin operation on compile-time values of builtin types.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import itertools
import operator
import types as python_types
from functools import partial
from typing import Any

import numpy as np

from symdiff.errors import SymdiffError, UnsupportedError, UnsupportedFunctionError, UserError
from symdiff.frontend import builtin, classes, conversions, operators
from symdiff.frontend.arguments import is_namedtuple
from symdiff.frontend.attributes import Super, attribute
from symdiff.frontend.derivatives import handler_of
from symdiff.frontend.frame import CALL, EXPRESSIONS, Frame, evaluate, evaluate_all
from symdiff.frontend.functions import inline
from symdiff.frontend.iterators import chained_from
from symdiff.frontend.library import generated_method, recomputed
from symdiff.frontend.lists import call_list_method, extend, stage_list
from symdiff.frontend.lookup import is_user_object, user_method
from symdiff.frontend.refusals import refused
from symdiff.frontend.ruled import call_decorated, call_ruled
from symdiff.frontend.subscripts import subscript
from symdiff.frontend.texts import check_plain, text_method
from symdiff.frontend.unpacking import iterate
from symdiff.frontend.values import (
    POISON,
    Bound,
    Closure,
    Lazily,
    ListMethod,
    Method,
    Partial,
    Ruled,
    Silent,
    StagedList,
    children,
    has_staged,
    kind_name,
)
from symdiff.frontend.writers import call_array_method, call_at, call_into, is_at
from symdiff.ir.node import Node
from symdiff.marks import checkpoint, rule, stable
from symdiff.ops.row import REGISTRY, row_of

_STATIC_NUMPY = (
    np.finfo, np.iinfo, np.dtype, np.issubdtype, np.result_type, np.can_cast, np.broadcast_shapes,
    np.promote_types,
)  # fmt: skip
_CHANGING = frozenset(
    [
        "append",
        "extend",
        "insert",
        "pop",
        "remove",
        "clear",
        "sort",
        "reverse",
        "update",
        "setdefault",
        "popitem",
        "add",
        "discard",
        "difference_update",
        "intersection_update",
        "symmetric_difference_update",
        "__setitem__",
        "__delitem__",
    ]
)
_COMPARING = frozenset(["index", "count", "remove", "__contains__", "__eq__"])
_PLAIN_MODULES = ("math", "cmath")
_CONTAINERS = (list, dict, set, frozenset, tuple, str, bytes, int, float, complex, bool, range)


def call_value(frame: Frame, function: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """`function(*args, **kwargs)`."""
    if function is POISON:
        raise Silent
    handler = builtin.HANDLERS.get(id(function))
    if handler is not None:
        return handler(frame, args, kwargs)
    taking = handler_of(function)
    if taking is not None:
        return taking(frame, function, args, kwargs)
    if isinstance(function, ListMethod):
        if function.name == "extend" and not isinstance(args[0], StagedList | Lazily | Node):
            args = [iterate(frame, args[0])]
        return call_list_method(frame, function.owner, function.name, args)
    refusal = refused(function)
    if refusal is not None:
        raise refusal
    if isinstance(function, python_types.FunctionType) and function.__code__.co_filename == "<string>":
        return generated_method(frame, function, args, kwargs)
    made_by = _DECORATORS.get(_written_in(function))
    if made_by is not None and hasattr(function, "__wrapped__"):
        return made_by(frame, function, args, kwargs)
    if isinstance(function, Closure | python_types.FunctionType) and not _is_library(function):
        if not isinstance(function, Closure) and row_of(function) is not None:
            return call_into(frame, row_of(function), function, args, kwargs)  # type: ignore[arg-type]
        return inline(frame, function, args, kwargs)
    if isinstance(function, Ruled):
        return call_ruled(frame, function.function, function.rules, args, kwargs)
    if isinstance(function, Method):
        return call_array_method(frame, function, args, kwargs)
    if isinstance(function, Partial):
        return call_value(frame, function.function, [*function.args, *args], {**function.kwargs, **kwargs})
    if isinstance(function, Bound):
        if _is_generated(function):
            return operators.compute(getattr(function.owner, function.function.__name__), *args, **kwargs)
        return call_value(frame, function.function, [function.owner, *args], kwargs)
    if isinstance(function, python_types.MethodType) and row_of(function) is None:
        return call_value(frame, function.__func__, [function.__self__, *args], kwargs)
    if isinstance(function, functools.partial):
        return _call_partial(frame, function, args, kwargs)
    if isinstance(function, staticmethod | classmethod):
        return call_value(frame, function.__func__, args, kwargs)
    if isinstance(function, Node):
        raise UserError(f"TypeError: '{kind_name(function)}' object is not callable")
    return _call_other(frame, function, args, kwargs)


def _written_in(function: Any) -> tuple[str, str]:
    """The file and the name of the code of a Python function."""
    code = function.__code__ if isinstance(function, python_types.FunctionType) else None
    return ("", "") if code is None else (code.co_filename, code.co_qualname)


def _unwrapped(frame: Frame, function: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """A function behind a decorator that changes no value."""
    return call_value(frame, function.__wrapped__, args, kwargs)


def _entered(frame: Frame, function: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """What a function behind `contextlib.contextmanager` gives."""
    maker = call_value(frame, contextlib.contextmanager, [function.__wrapped__], {})
    return call_value(frame, maker, args, kwargs)


def _dispatched(frame: Frame, function: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """A function behind `functools.singledispatch`."""
    if not args:
        raise UserError(f"TypeError: {function.__name__} requires at least 1 positional argument")
    found = operators.compute(function.dispatch, builtin.known_class(frame, args[0]))
    return call_value(frame, found, args, kwargs)


def _recomputed(frame: Frame, function: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """A function that `symdiff.checkpoint` marks."""
    return recomputed(frame, [function.__wrapped__, *args], kwargs)


def _licensed(frame: Frame, function: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """A function whose formulas may be rewritten into stable forms, and all that it calls."""
    builder = frame.context.builder
    before, builder.stable = builder.stable, True
    try:
        return call_value(frame, function.__wrapped__, args, kwargs)
    finally:
        builder.stable = before


def _example(x: Any) -> Any:
    return x


_DECORATORS = {  # by the code of the function that the decorator makes
    _written_in(checkpoint(_example)): _recomputed,
    _written_in(rule(_example)): call_decorated,
    _written_in(stable(_example)): _licensed,
    _written_in(np.errstate(all="ignore")(_example)): _unwrapped,
    _written_in(contextlib.contextmanager(_example)): _entered,
    _written_in(functools.singledispatch(_example)): _dispatched,
}


def _call_other(frame: Frame, function: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if isinstance(function, type) and issubclass(function, BaseException):
        return classes.construct(frame, function, args, kwargs)
    kind = operators.BY_FUNCTION.get(function) if _is_hashable(function) else None
    if kind is not None and not kwargs:
        return _call_operator(frame, kind, args)
    if isinstance(function, type) and issubclass(function, np.generic) and len(args) == 1 and not kwargs:
        made = conversions.as_dtype(function, args[0])
        frame.context.heap.layout.scalars.add(made)
        return made
    row = row_of(function)
    if row is not None:
        if _is_plain(function) and not _any_staged(args, kwargs):
            return operators.compute(function, *args, **kwargs)
        return call_into(frame, row, function, args, kwargs)
    if isinstance(function, np.ufunc) or _is_library(function):
        return _call_library(frame, function, args, kwargs)
    if function is object.__setattr__ and len(args) == 3 and is_user_object(args[0]):
        frame.context.check_own(args[0])
        return operators.compute(object.__setattr__, *args)
    if is_at(function) and _any_staged(args, kwargs):
        return call_at(frame, function, args)
    if isinstance(function, python_types.ClassMethodDescriptorType):
        return call_value(frame, function.__get__(None, function.__objclass__), args, kwargs)
    if isinstance(function, python_types.BuiltinFunctionType | python_types.MethodDescriptorType):
        return _call_builtin_method(frame, function, args, kwargs)
    if isinstance(function, operator.itemgetter | operator.attrgetter | operator.methodcaller):
        return _call_getter(frame, function, args)
    if isinstance(function, type):
        return classes.construct(frame, function, args, kwargs)
    if is_user_object(function):
        method = user_method(function, "__call__")
        if method is not None:
            return inline(frame, method, [function, *args], kwargs)
        raise UserError(f"TypeError: '{kind_name(function)}' object is not callable")
    if hasattr(function, "__wrapped__"):
        return call_value(frame, function.__wrapped__, args, kwargs)
    if not callable(function):
        raise UserError(f"TypeError: '{kind_name(function)}' object is not callable")
    return _call_library(frame, function, args, kwargs)


def _is_generated(method: Bound) -> bool:
    """`_replace` and its kin of a named tuple, which only move items."""
    cls = method.owner if isinstance(method.owner, type) else type(method.owner)
    name = getattr(method.function, "__name__", "")
    return name in ("_replace", "_asdict", "_make") and is_namedtuple(cls)


def _is_plain(function: Any) -> bool:
    """A function on numbers that is written in C and runs nothing else."""
    return isinstance(function, python_types.BuiltinFunctionType) and function.__module__ in _PLAIN_MODULES


def _is_hashable(value: Any) -> bool:
    return isinstance(value, python_types.BuiltinFunctionType)


def _any_staged(args: list[Any], kwargs: dict[str, Any]) -> bool:
    return any(has_staged(value) for value in (*args, *kwargs.values()))


def _is_library(function: Any) -> bool:
    module = getattr(function, "__module__", None) or getattr(type(function), "__module__", "")
    return isinstance(module, str) and module.partition(".")[0] in ("numpy", "scipy", "math", "cmath")


def _call_partial(
    frame: Frame, function: functools.partial[Any], args: list[Any], kwargs: dict[str, Any]
) -> Any:
    if any(
        isinstance(v, np.ndarray | float | int | complex)
        for v in (*function.args, *function.keywords.values())
    ):
        from symdiff.frontend.captures import capture

        bound = capture(frame.context, (id(function), "args"), "args", lambda: function.args)
        keywords = capture(frame.context, (id(function), "keywords"), "keywords", lambda: function.keywords)
    else:
        bound, keywords = function.args, function.keywords
    return call_value(frame, function.func, [*bound, *args], {**keywords, **kwargs})


def _call_operator(frame: Frame, kind: Any, args: list[Any]) -> Any:
    wanted = 1 if kind in operators.UNARY else 2
    if len(args) != wanted:
        raise UserError(f"TypeError: expected {wanted} arguments, got {len(args)}")
    if kind in operators.UNARY:
        return operators.unary(frame, kind, args[0])
    if kind in operators.COMPARE:
        return operators.compare(frame, kind, args[0], args[1])
    return operators.binary(frame, kind, args[0], args[1])


def _call_getter(frame: Frame, getter: Any, args: list[Any]) -> Any:
    """What `operator.itemgetter` and its kin do."""
    if len(args) != 1:
        raise UserError(f"TypeError: {type(getter).__name__} expected 1 argument, got {len(args)}")
    (value,) = args
    made, given = getter.__reduce__()
    if isinstance(getter, operator.methodcaller):
        bound = made.keywords if isinstance(made, functools.partial) else {}
        name, *rest = (*made.args, *given) if isinstance(made, functools.partial) else given
        return call_value(frame, attribute(frame, value, name), rest, dict(bound))
    if isinstance(getter, operator.itemgetter):
        found = [subscript(frame, value, item) for item in given]
    else:
        found = [functools.reduce(partial(attribute, frame), path.split("."), value) for path in given]
    return found[0] if len(found) == 1 else tuple(found)


def _call_builtin_method(frame: Frame, function: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """A method of a list, dict, string, ...: it runs, for its arguments are compile-time containers."""
    owner = getattr(function, "__self__", None)
    if isinstance(function, python_types.MethodDescriptorType) and args:
        owner = args[0]
    name = function.__name__
    if owner is itertools.chain and name == "from_iterable":
        return chained_from(frame, args, kwargs)
    if not isinstance(owner, _CONTAINERS):
        if owner is object or function is object.__init__:
            return None
        raise unsupported(function)
    if name in _CHANGING and not isinstance(owner, str | bytes):
        frame.context.check_own(owner)
    if name in _COMPARING and (has_staged(owner) or has_staged(args)):
        raise UnsupportedError(
            f"`.{name}` compares values that are known only at run time.", "an index that is known"
        )
    if isinstance(owner, str | bytes):
        args = [iterate(frame, arg) if name == "join" else arg for arg in args]
        if isinstance(owner, str) and (has_staged(args) or has_staged(kwargs)):
            return text_method(frame, owner, name, args, kwargs)
        check_plain([args, kwargs])
    if isinstance(owner, list) and name == "sort":
        owner[:] = call_value(frame, sorted, [owner, *args[1 if args and args[0] is owner else 0 :]], kwargs)
        return None
    if name in _COMPARING and any(user_method(value, "__eq__") for value in (*args, *children(owner))):
        raise UnsupportedError(f"`.{name}` compares objects of a class with its own `__eq__`.", "a loop")
    if isinstance(owner, list) and name == "extend" and args and isinstance(args[0], StagedList):
        extend(frame, stage_list(frame, owner), args[0])
        return None
    if name in ("extend", "update") and args:
        args = [iterate(frame, args[0]) if not isinstance(args[0], dict) else args[0], *args[1:]]
    return operators.compute(function, *args, **kwargs)


# Functions without a row


def _call_library(frame: Frame, function: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if any(function is one for one in _STATIC_NUMPY) and not _any_staged(args, kwargs):
        return operators.compute(function, *args, **kwargs)
    if _is_plain(function) and not _any_staged(args, kwargs):
        return operators.compute(function, *args, **kwargs)
    raise unsupported(function)


def unsupported(function: Any) -> SymdiffError:
    """The error for a function without a rule: it names the nearest that have one."""
    import difflib  # only where there is an error to write

    name = getattr(function, "__name__", type(function).__name__)
    module = getattr(function, "__module__", None) or ""
    spellings = [row.spelling for row in REGISTRY.values() if "." in row.spelling]
    known = {spelling.partition(".")[2]: spelling for spelling in spellings}
    near = [known[one] for one in difflib.get_close_matches(str(name), known, 3, 0.6)]
    instead = "NumPy functions that have a rule" + (
        f"; the nearest names are {', '.join(near)}" if near else ""
    )
    if hasattr(np, str(name)) and row_of(getattr(np, name)) is not None:
        instead = f"np.{name}"
    shown = f"{module.replace('numpy', 'np')}.{name}" if module and module != "builtins" else f"{name}"
    return UnsupportedFunctionError(f"`{shown}` has no derivative rule and no Python source.", instead)


# The call expression


def _call(frame: Frame, node: ast.Call) -> Any:
    function = evaluate(frame, node.func)
    if function is super and not node.args:
        return _super(frame)
    parts = [arg.value if isinstance(arg, ast.Starred) else arg for arg in node.args]
    values = evaluate_all(frame, [*parts, *(keyword.value for keyword in node.keywords)])
    args: list[Any] = []
    for arg, value in zip(node.args, values, strict=False):
        if isinstance(arg, ast.Starred):
            args += iterate(frame, value)
        else:
            args.append(value)
    kwargs: dict[str, Any] = {}
    for keyword, value in zip(node.keywords, values[len(node.args) :], strict=True):
        given = {keyword.arg: value} if keyword.arg is not None else value
        if not isinstance(given, dict) or any(not isinstance(key, str) for key in given):
            raise UserError("TypeError: argument after ** must be a mapping with string keys")
        for key, one in given.items():
            if key in kwargs:
                raise UserError(f"TypeError: got multiple values for keyword argument '{key}'")
            kwargs[str(key)] = one
    return call_value(frame, function, args, kwargs)


def _super(frame: Frame) -> Super:
    function = frame.scope.function
    free = function.__code__.co_freevars
    if "__class__" not in free or function.__closure__ is None:
        raise UserError("RuntimeError: super(): __class__ cell not found")
    cls = function.__closure__[free.index("__class__")].cell_contents
    return Super(cls, frame.first)


EXPRESSIONS[ast.Call] = _call
CALL.append(call_value)
