"""What a function does besides computing: `print`, `assert`, `raise`; and `with`, which changes no value.

Enters: `ast` statements, and calls of `print`.  Leaves: nodes of `perform`, in the order in which Python
runs them, and where control goes next.  Invariant: what is known while compiling is checked while compiling,
unless it stands where it may never run; what is staged is left to the primal.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from symdiff.errors import SymdiffError, UnsupportedError, UserError
from symdiff.frontend import builtin
from symdiff.frontend.frame import RAISED, STATEMENTS, Flow, Frame, call, evaluate, execute
from symdiff.frontend.generators import context_steps
from symdiff.frontend.iterators import Handler
from symdiff.frontend.lookup import user_method
from symdiff.frontend.operators import truth
from symdiff.frontend.statements import assign
from symdiff.frontend.texts import formatted, source, template
from symdiff.frontend.values import Failure, Partial, ShapeTuple, Text, has_staged, kind_name
from symdiff.ir.node import Node
from symdiff.ops.effects import perform

_EXCEPTIONS = {
    cls: f"np.linalg.{name}" if name == "LinAlgError" else name
    for name, cls in [*vars(builtins).items(), ("LinAlgError", np.linalg.LinAlgError)]
    if isinstance(cls, type) and issubclass(cls, Exception)
}


def effect(frame: Frame, *pieces: str | Node) -> None:
    """Run a statement of Python at this point, in the primal."""
    text, operands = template(pieces)
    frame.context.builder.emit(perform, operands, {"text": text})


# Checks


def _assert(frame: Frame, node: ast.Assert) -> Flow:
    test = evaluate(frame, node.test)
    if isinstance(test, Node):
        if test.type.dims:
            raise frame.locate(
                UnsupportedError(
                    "The truth of an array with several elements is ambiguous.",
                    f"np.all({frame.source.segment(node.test)})",
                ),
                node.test,
            )
        message: list[str | Node] = (
            [", ", *_message(frame, evaluate(frame, node.msg))] if node.msg is not None else []
        )
        effect(frame, "assert ", test, *message)
        return None
    if truth(frame, test, "The condition of `assert`", "a check of its parts"):
        return None
    said = evaluate(frame, node.msg) if node.msg is not None else ""
    if frame.context.builder.nested:
        effect(frame, "raise AssertionError(", *(_message(frame, said) if node.msg is not None else []), ")")
        return RAISED
    raise UserError(f"AssertionError{'' if has_staged(said) or said == '' else f': {said}'}")


def _message(frame: Frame, value: Any) -> list[str | Node]:
    """The source of an argument of an exception."""
    if isinstance(value, Node | Text | str | bool | int | float) or value is None:
        return source(value)
    if type(value) in (list, tuple, dict, ShapeTuple):
        return _display(frame, value)
    return source(formatted(frame, value))


def _display(frame: Frame, value: Any) -> list[str | Node]:
    """The source of a container in an argument of an exception."""
    pieces: list[str | Node] = []
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        pieces += [", "] if pieces else []
        pieces += [*_message(frame, key), ": "] if isinstance(value, dict) else []
        pieces += _message(frame, item)
    if isinstance(value, tuple) and len(value) == 1:
        pieces.append(",")
    ends = "{}" if isinstance(value, dict) else "[]" if isinstance(value, list) else "()"
    return [ends[0], *pieces, ends[1]]


def _raise(frame: Frame, node: ast.Raise) -> Flow:
    if node.exc is None:
        raise UserError("RuntimeError: No active exception to reraise")
    error = evaluate(frame, node.exc)
    cls = error.cls if isinstance(error, Failure) else error if isinstance(error, type) else type(error)
    args = [] if isinstance(error, type) else list(getattr(error, "args", ()))
    if not frame.context.builder.nested:
        shown = ", ".join([str(arg) for arg in args if isinstance(arg, str | int | float)])
        raise UserError(f"The function raises {cls.__name__}{': ' if shown else ''}{shown}")
    if cls not in _EXCEPTIONS:
        raise UnsupportedError(
            f"`{cls.__name__}` would have to be imported by the generated code.",
            "an exception that Python has, such as ValueError",
        )
    pieces: list[str | Node] = []
    for arg in args:
        pieces += [", " if pieces else "", *_message(frame, arg)]
    chained = " from None" if isinstance(node.cause, ast.Constant) else ""
    effect(frame, f"raise {_EXCEPTIONS[cls]}", *(["(", *pieces, ")"] if pieces else []), chained)
    return RAISED


def _print(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> None:
    pieces: list[str | Node] = []
    for arg in args:
        known = isinstance(arg, Node | Text | str)
        pieces += [", " if pieces else "", *source(arg if known else formatted(frame, arg))]
    for name, value in kwargs.items():
        if name not in ("sep", "end", "flush") or not isinstance(value, str | bool | None):
            raise UnsupportedError(f"`print` with `{name}` is not supported.", "print without it")
        pieces += [", " if pieces else "", f"{name}=", *source(value)]
    effect(frame, "print(", *pieces, ")")


# Contexts


class Quiet:
    """A context that changes no value: what is computed inside is what would be computed without it."""

    def __init__(self, value: Any = None):
        self.value = value


class Made:
    """What a function decorated with `contextmanager` gives."""

    def __init__(self, steps: Iterator[Any]):
        self.steps = steps


def _quiet(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Quiet:
    return Quiet()


def _errstate(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Quiet:
    modes = [value for name, value in kwargs.items() if name != "call"]
    if any(has_staged(mode) or mode in ("raise", "call") for mode in modes):
        raise UnsupportedError(
            "np.errstate that raises changes what the function does.", "assert np.all(np.isfinite(x))"
        )
    return Quiet()


def _nullcontext(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Quiet:
    return Quiet(args[0] if args else kwargs.get("enter_result"))


def _swallowing(what: str) -> Handler:
    def handle(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
        raise UnsupportedError(f"`{what}` changes what happens at an error or with output.", "leave it out")

    return handle


def _make_context(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Made:
    function, *rest = args
    return Made(context_steps(frame, function, rest, kwargs))


def _contextmanager(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Partial:
    return Partial(_make_context, args, {})


def _with(frame: Frame, node: ast.With) -> Flow:
    return _entered(frame, node, list(node.items))


def _entered(frame: Frame, node: ast.With, items: list[ast.withitem]) -> Flow:
    """The body, inside the contexts that are left."""
    if not items:
        return execute(frame, node.body)
    item, *rest = items
    try:
        value, leave = enter(frame, evaluate(frame, item.context_expr))
    except SymdiffError as error:
        raise frame.locate(error, item.context_expr) from None
    if item.optional_vars is not None:
        assign(frame, item.optional_vars, value)
    flow = _entered(frame, node, rest)
    swallows = leave()
    raises = any(isinstance(one, ast.Raise | ast.Assert) for part in node.body for one in ast.walk(part))
    if raises and not (swallows is None or swallows is False):
        raise UnsupportedError("This context may swallow what its body raises.", "return False in __exit__")
    return flow


def enter(frame: Frame, manager: Any) -> tuple[Any, Callable[[], Any]]:
    """The value of a context, and what leaves it."""
    if isinstance(manager, Quiet):
        return manager.value, lambda: None
    if isinstance(manager, Made):
        value = next(manager.steps, manager)
        if value is manager:
            raise UserError("RuntimeError: generator didn't yield")
        return value, lambda: _finish(manager)
    into, out = (user_method(manager, name) for name in ("__enter__", "__exit__"))
    if into is None or out is None:
        if type(manager).__name__ in ("threadpool_limits", "localcontext"):
            return manager, lambda: None
        raise UnsupportedError(
            f"`with` on a {kind_name(manager)} is not supported.", "`with` around the call of the function"
        )
    return call(frame, into, [manager], {}), lambda: call(frame, out, [manager, None, None, None], {})


def _finish(manager: Made) -> None:
    for _ in manager.steps:
        raise UserError("RuntimeError: generator didn't stop")


def _try(frame: Frame, node: ast.Try) -> None:
    instead = (
        "the statements of `finally` after those of `try`"
        if not node.handlers
        else "`if` with the condition under which it fails, or `try` around the call of the function"
    )
    raise UnsupportedError("`try` is not supported: no exception is caught at run time.", instead)


STATEMENTS.update({ast.Assert: _assert, ast.Raise: _raise, ast.With: _with, ast.Try: _try, ast.TryStar: _try})
_FUNCTIONS: dict[Any, Handler] = {
    print: _print, np.errstate: _errstate, np.printoptions: _quiet, np.seterr: _swallowing("np.seterr"),
    warnings.catch_warnings: _quiet, warnings.simplefilter: _quiet, warnings.filterwarnings: _quiet,
    contextlib.nullcontext: _nullcontext, contextlib.suppress: _swallowing("contextlib.suppress"),
    contextlib.redirect_stdout: _swallowing("contextlib.redirect_stdout"),
    contextlib.contextmanager: _contextmanager, _make_context: _make_context,
}  # fmt: skip
builtin.HANDLERS.update({id(function): handler for function, handler in _FUNCTIONS.items()})
