"""Functions of the user: their arguments bound as Python binds them, their bodies evaluated in place.

Enters: Python functions or closures with evaluated arguments.  Leaves: what they return.  Invariant: no
function of the user's is called; globals, cells and defaults are read through `captures`.
"""

from __future__ import annotations

import ast
import re
import types as python_types
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from symdiff.errors import UnsupportedError, UserError
from symdiff.frontend import arrays
from symdiff.frontend.captures import capture
from symdiff.frontend.compiled import FunctionNode
from symdiff.frontend.frame import (
    EXPRESSIONS,
    RAISED,
    STATEMENTS,
    Context,
    Frame,
    Scope,
    bind,
    call,
    evaluate,
    returned,
)
from symdiff.frontend.frame import execute as execute_body
from symdiff.frontend.source import Source, source_of
from symdiff.frontend.targets import names_of
from symdiff.frontend.values import Closure, NeedStatic, Raised, Silent, children
from symdiff.ir.node import Node

_DEEPEST = 80
_UNENDED = 2  # so many calls of one form, one in the other, under a staged condition
_MOST_CALLS = 8_000
# From this depth on, calls are alike: of one form; up to floats that are known; up to all numbers.
_LEVELS = (_UNENDED, 4, 20)
_EMPTY = object()


def inline(frame: Frame, function: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """The result of calling a Python function or a closure: its body, evaluated here."""
    context = frame.context
    context.calls += 1
    if context.recursive:
        value = OUTLINED[0](*opened(frame, function, args, kwargs))
        if value is not NOT_OUTLINED:
            return value
    try:
        form = _check_depth(context, function, [*args, *kwargs.values()])
    except _Unended as unended:
        NEEDED[0](*opened(frame, function, args, kwargs), unended.level, unended.error)
        raise unended.error from None
    inner, node = opened(frame, function, args, kwargs)
    inner.form = form
    if has_yield(node):
        return GENERATORS[0](frame, inner, node)
    return run(inner, node)


class _Unended(Exception):
    """A function calls itself as long as a condition holds that only run time knows."""

    def __init__(self, error: UnsupportedError, level: int):
        self.error, self.level = error, level


NOT_OUTLINED = object()
OUTLINED: list[Callable[[Frame, Any], Any]] = []
"""The value of a call that is kept as a call, or NOT_OUTLINED; `recursion` says how."""
NEEDED: list[Callable[[Frame, Any, int, UnsupportedError], None]] = []
"""Asks for calls to be kept as calls."""
GENERATORS: list[Callable[[Frame, Frame, Any], Any]] = []
"""What a call of a generator function gives; `generators` says how."""


def opened(
    frame: Frame, function: Any, args: list[Any], kwargs: dict[str, Any]
) -> tuple[Frame, FunctionNode]:
    """The frame of a call with its arguments bound, and the code to run in it."""
    context = frame.context
    source = function.source if isinstance(function, Closure) else _source(context, function)
    node = source.node
    name = function.name if isinstance(function, Closure) else function.__name__
    if isinstance(node, ast.AsyncFunctionDef):
        raise UnsupportedError(f"An `async` function, `{name}`, cannot be differentiated.", "a plain `def`")
    names = names_of(node)
    if isinstance(function, Closure):
        parent: Scope | None = function.scope
        python, owner = function.scope.function, function.owner
    else:
        parent, python, owner = None, function, owner_of(function)
    scope = Scope({}, names.local, parent, python, names.globals, names.nonlocals)
    bind_arguments(context, scope, node.args, function, name, args, kwargs)
    inner = Frame(
        context, source, scope, name, owner, frame, context.builder.span, first_argument(node, scope)
    )
    return inner, node


def _source(context: Context, function: python_types.FunctionType) -> Source:
    """The source of a function, found once in a lowering."""
    found = context.sources.get(function.__code__)
    if found is None:
        found = context.sources[function.__code__] = source_of(function)
    return found


def run(frame: Frame, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> Any:
    """Evaluate the body of the frame's function."""
    builder = frame.context.builder
    span = builder.span
    frame.context.frames.append(frame)
    try:
        if isinstance(node, ast.Lambda):
            return evaluate(frame, node.body)
        flow = execute_body(frame, node.body)
        if flow is RAISED:
            raise Raised
        return returned(flow)
    finally:
        frame.context.frames.pop()
        builder.span = span


def _check_depth(context: Context, function: Any, values: list[Any]) -> Any:
    """Refuse what would never end; the form of the arguments of a recursive call."""
    key = function.node if isinstance(function, Closure) else function.__code__
    same = [frame for frame in context.frames if _code_of(frame) is key]
    depth = len(same)
    if depth and context.problems:
        raise Silent  # its problems are already reported; do not go round for ever
    if depth >= _DEEPEST or len(context.frames) > 4 * _DEEPEST or context.calls > _MOST_CALLS:
        name = function.name if isinstance(function, Closure) else function.__name__
        if depth >= _DEEPEST:
            raise UnsupportedError(f"`{name}` calls itself without an end known while compiling.", "a loop")
        raise UnsupportedError(f"The calls of `{name}` are too many to be written out.", "vectorise them")
    if not depth:
        return None
    form = tuple([tuple([_form(value, (), level) for value in values]) for level in range(len(_LEVELS))])
    last = [one.form for one in same[-_UNENDED:]]
    alike = [level for level, least in enumerate(_LEVELS) if depth > least and _are_alike(last, form, level)]
    if alike and context.builder.nested:
        places = arrays.int_places(values)
        if places:
            raise NeedStatic(places)
        name = function.name if isinstance(function, Closure) else function.__name__
        what = f"`{name}` calls itself as long as a condition holds that only run time knows."
        raise _Unended(UnsupportedError(what, "a `while` loop"), alike[0])
    return form


def _are_alike(forms: list[Any], form: Any, level: int) -> bool:
    return all(one is not None and one[level] == form[level] for one in forms)


def _form(value: Any, around: tuple[int, ...], level: int) -> Any:
    """What of an argument is known while compiling: where it is the same again, so is the evaluation."""
    if isinstance(value, Node):
        return re.sub(r"\?\d+|\w+-\d+", "?", re.sub(r"\?\d+-\d+", "?", str(value.type)))
    if is_widened(value, level):
        return f"number {type(value).__name__}"
    if isinstance(value, str | bool | int | float | type(None)):
        return type(value), value
    inner = children(value)
    if not inner or id(value) in around:
        return id(value)
    keys = tuple(value) if isinstance(value, dict) else ()
    return type(value), keys, tuple([_form(one, (*around, id(value)), level) for one in inner])


def is_widened(value: Any, level: int) -> bool:
    """Whether calls are alike whatever this number is."""
    return (level > 0 and type(value) is float) or (level > 1 and type(value) is int)


def _code_of(frame: Frame) -> Any:
    return frame.source.node if frame.scope.parent is not None else frame.scope.function.__code__


@lru_cache(maxsize=4096)
def has_yield(node: ast.AST) -> bool:
    """Whether a function, or a statement of it, has a `yield` of its own."""
    pending = list(ast.iter_child_nodes(node))
    while pending:
        one = pending.pop()
        if isinstance(one, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.GeneratorExp):
            pending += ast.iter_child_nodes(one)
    return False


def owner_of(function: python_types.FunctionType) -> str:
    """The class in whose body a function was written, "" where there is none."""
    parts = function.__qualname__.split(".")
    return parts[-2] if len(parts) > 1 and parts[-2] != "<locals>" else ""


def first_argument(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, scope: Scope) -> Any:
    arguments = [*node.args.posonlyargs, *node.args.args]
    return scope.names.get(arguments[0].arg) if arguments else None


# Arguments


def bind_arguments(
    context: Context,
    scope: Scope,
    spec: ast.arguments,
    function: Any,
    name: str,
    args: list[Any],
    kwargs: dict[str, Any],
) -> None:
    """Set the parameters' names in `scope` as a call would; a wrong call is a UserError."""
    positional = [a.arg for a in (*spec.posonlyargs, *spec.args)]
    keyword = [a.arg for a in spec.kwonlyargs]
    values: dict[str, Any] = dict(zip(positional, args, strict=False))
    extra = args[len(positional) :]
    if extra and spec.vararg is None:
        raise UserError(
            f"TypeError: {name}() takes {len(positional)} positional arguments but {len(args)} were given"
        )
    rest = {}
    allowed = {*positional[len(spec.posonlyargs) :], *keyword}
    mangle = _mangler(function)
    for key, value in kwargs.items():
        plain = next((a for a in allowed if mangle(a) == key), None)
        if plain is None:
            rest[key] = value
        elif plain in values:
            raise UserError(f"TypeError: {name}() got multiple values for argument '{key}'")
        else:
            values[plain] = value
    if rest and spec.kwarg is None:
        raise UserError(f"TypeError: {name}() got an unexpected keyword argument '{next(iter(rest))}'")
    for key in (*positional, *keyword):
        if key not in values:
            values[key] = _default(context, function, spec, key, positional)
            if values[key] is _EMPTY:
                raise UserError(f"TypeError: {name}() missing the argument '{key}'")
    if spec.vararg is not None:
        values[spec.vararg.arg] = tuple(extra)
    if spec.kwarg is not None:
        values[spec.kwarg.arg] = rest
    for key, value in values.items():
        if isinstance(value, Node):
            context.builder.named(value, key)
        scope.names[mangle(key)] = value


def _mangler(function: Any) -> Any:
    owner = function.owner if isinstance(function, Closure) else owner_of(function)

    def mangle(name: str) -> str:
        private = owner and name.startswith("__") and not name.endswith("__")
        return f"_{owner.lstrip('_')}{name}" if private else name

    return mangle


def _default(context: Context, function: Any, spec: ast.arguments, key: str, positional: list[str]) -> Any:
    """The default of a parameter, read live; _EMPTY where it has none."""
    if isinstance(function, Closure):
        if key in function.keyword_defaults:
            return function.keyword_defaults[key]
        place = positional.index(key) - len(positional) if key in positional else 0
        return function.defaults[place] if place and -place <= len(function.defaults) else _EMPTY
    if key in positional:
        place = positional.index(key) - len(positional)
        defaults = function.__defaults__ or ()
        if -place > len(defaults):
            return _EMPTY
        return capture(context, (id(function), place), key, lambda: function.__defaults__[place])
    if key not in (function.__kwdefaults__ or {}):
        return _EMPTY
    return capture(context, (id(function), key), key, lambda: function.__kwdefaults__[key])


# Definitions inside the function


def closure(frame: Frame, node: ast.FunctionDef | ast.Lambda) -> Closure:
    """The function object that a definition makes; defaults are evaluated now."""
    args = node.args
    defaults = tuple([evaluate(frame, default) for default in args.defaults])
    keyword = {
        a.arg: evaluate(frame, default)
        for a, default in zip(args.kwonlyargs, args.kw_defaults, strict=True)
        if default is not None
    }
    name = node.name if isinstance(node, ast.FunctionDef) else "<lambda>"
    source = Source(node, frame.source.file, frame.source.lines)
    return Closure(node, frame.scope, source, name, frame.owner, defaults, keyword)


def _function_def(frame: Frame, node: ast.FunctionDef) -> None:
    value: Any = closure(frame, node)
    for decorator in reversed(node.decorator_list):
        value = call(frame, evaluate(frame, decorator), [value], {})
    bind(frame.scope, frame.mangle(node.name), value)


EXPRESSIONS[ast.Lambda] = closure
STATEMENTS[ast.FunctionDef] = _function_def
