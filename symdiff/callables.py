"""Any callable as a Python function with source: what is differentiated where the user passes no plain
function.

Enters: a ufunc, builtin, bound method, `functools.partial` or object with `__call__`.  Leaves: a function
of the same parameters that calls it, with its source registered in `linecache`.  Invariant: nothing is
called here; the text is made of identifiers alone and is told by the file name.
"""

from __future__ import annotations

import functools
import inspect
import keyword
import linecache
from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any

from symdiff.errors import WrtError

_NO_FUNCTION = "decorate a function, lambda or method"
_NO_SIGNATURE = "wrap it in a function or lambda of its arguments"


def as_function(callable_: Callable[..., Any]) -> FunctionType:
    """The function itself, or one that calls `callable_`.  Raises WrtError for what is no function."""
    if isinstance(callable_, FunctionType):
        return _calling(callable_, _followed(callable_)) if _is_transparent(callable_) else callable_
    if isinstance(callable_, type):
        raise WrtError(f"The class `{callable_.__name__}` is not a function.", _NO_FUNCTION)
    if isinstance(callable_, property):
        raise WrtError("A property is not a function.", "put @property above @differentiate")
    if not callable(callable_):
        raise WrtError(f"{_shown(callable_)} is not a function.", _NO_FUNCTION)
    return _calling(callable_, _parameters(callable_))


def _is_transparent(function: FunctionType) -> bool:
    """Whether a decorator's `inner(*args, **kwargs)` stands for a function of named parameters."""
    code = function.__code__
    both = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS
    named = code.co_argcount + code.co_kwonlyargcount
    return hasattr(function, "__wrapped__") and code.co_flags & both == both and not named


def _followed(function: FunctionType) -> list[inspect.Parameter]:
    return list(inspect.signature(function).parameters.values())


def _calling(callable_: Callable[..., Any], parameters: list[inspect.Parameter]) -> FunctionType:
    """`def name(a, b): return callee(a, b)`, with the defaults of the parameters."""
    name = _name(callable_)
    names = {name, *(p.name for p in parameters)}
    callee = next(name for name in ("function", "callee", *_more("callee")) if name not in names)
    bare = [p.replace(default=p.empty, annotation=p.empty) for p in parameters]
    header = f"def {name}{inspect.Signature(bare)}"
    text = f"{header}:\n    return {callee}({', '.join(map(_passed, parameters))})\n"
    file = f"<symdiff: {text.splitlines()[1].strip()} in {header}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    namespace: dict[str, Any] = {"__name__": "symdiff.callables.made", callee: callable_}
    exec(compile(text, file, "exec", dont_inherit=True), namespace)
    made: FunctionType = namespace.pop(name) if name != callee else namespace[name]
    positional = [p.default for p in parameters if p.kind in _POSITIONAL and p.default is not p.empty]
    made.__defaults__ = tuple(positional) or None
    made.__kwdefaults__ = {
        p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is not p.empty
    } or None
    made.__doc__ = None
    return made


_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def _more(name: str) -> list[str]:
    return [f"{name}_{i}" for i in range(1, 300)]


def _passed(parameter: inspect.Parameter) -> str:
    if parameter.kind is parameter.KEYWORD_ONLY:
        return f"{parameter.name}={parameter.name}"
    if parameter.kind is parameter.VAR_POSITIONAL:
        return f"*{parameter.name}"
    return f"**{parameter.name}" if parameter.kind is parameter.VAR_KEYWORD else parameter.name


def _parameters(callable_: Callable[..., Any]) -> list[inspect.Parameter]:
    """From the table for what stands in it, otherwise as `inspect` sees them."""
    from symdiff.ops.row import row_of

    row = row_of(callable_)
    if row is not None and not row.variadic:
        return [_of_row(p) for p in row.signature.parameters.values() if p.default is not ...]
    try:
        return list(inspect.signature(callable_, follow_wrapped=False).parameters.values())
    except (TypeError, ValueError):
        raise WrtError(f"{_shown(callable_)} has no signature.", _NO_SIGNATURE) from None


def _of_row(parameter: inspect.Parameter) -> inspect.Parameter:
    """Operands by position, all else by keyword."""
    operand = parameter.default is parameter.empty
    return parameter.replace(kind=parameter.POSITIONAL_ONLY if operand else parameter.KEYWORD_ONLY)


def _name(callable_: Any) -> str:
    while isinstance(callable_, functools.partial | MethodType):
        callable_ = callable_.func if isinstance(callable_, functools.partial) else callable_.__func__
    name = getattr(callable_, "__name__", None) or type(callable_).__name__
    return (
        name if isinstance(name, str) and name.isidentifier() and not keyword.iskeyword(name) else "function"
    )


def _shown(value: object) -> str:
    return f"An object of type `{type(value).__name__}`"
