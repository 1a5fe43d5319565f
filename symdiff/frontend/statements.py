"""Statements.

Enters: `ast` statements.  Leaves: where control goes next.  Invariant: loops over compile-time containers
and branches on compile-time values run while compiling; a staged condition is an error with what to write
instead.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
from typing import Any

from symdiff.errors import SymdiffError, UnsupportedError, UserError
from symdiff.frontend import arrays
from symdiff.frontend.attributes import attribute
from symdiff.frontend.classes import set_attribute
from symdiff.frontend.frame import (
    BREAK,
    CONTINUE,
    STATEMENTS,
    Flow,
    Frame,
    Return,
    bind,
    call,
    evaluate,
    execute,
)
from symdiff.frontend.lookup import is_user_object, user_method
from symdiff.frontend.operators import compute, truth
from symdiff.frontend.unpacking import MOST, iterate, unpack
from symdiff.frontend.values import POISON, Silent, has_staged, kind_name
from symdiff.ir.node import Node


def assign(frame: Frame, target: ast.expr, value: Any) -> None:
    """Bind one target of an assignment."""
    if isinstance(target, ast.Name):
        if isinstance(value, Node):
            frame.context.builder.named(value, target.id)
        bind(frame.scope, frame.mangle(target.id), value)
    elif isinstance(target, ast.Tuple | ast.List):
        try:
            values = unpack(frame, value, target.elts)
        except SymdiffError as error:
            raise frame.locate(error, target) from None
        for part, one in zip(target.elts, values, strict=True):
            assign(frame, part, one)
    elif isinstance(target, ast.Starred):
        assign(frame, target.value, value)
    elif isinstance(target, ast.Subscript):
        _assign_item(frame, target, value)
    elif isinstance(target, ast.Attribute):
        _assign_attribute(frame, target, value)


def _assign_item(frame: Frame, target: ast.Subscript, value: Any) -> None:
    owner = evaluate(frame, target.value)
    if isinstance(owner, Node):
        raise frame.locate(in_place(owner, target, frame), target)
    index = evaluate(frame, target.slice)
    set_item(frame, target, owner, index, value)


def set_item(frame: Frame, target: ast.Subscript, owner: Any, index: Any, value: Any) -> None:
    """`owner[index] = value` on a compile-time container made inside the function."""
    try:
        method = user_method(owner, "__setitem__")
        if method is not None:
            call(frame, method, [owner, index, value], {})
            return
        frame.context.check_own(owner)
        if isinstance(index, Node | slice):
            index = (
                arrays.static_value(index, "an index into a Python container")
                if isinstance(index, Node)
                else index
            )
        if not isinstance(owner, list | dict):
            raise UserError(f"TypeError: '{kind_name(owner)}' object does not support item assignment")
        compute(owner.__setitem__, index, value)
    except SymdiffError as error:
        raise frame.locate(error, target) from None


def in_place(owner: Node, target: ast.AST, frame: Frame) -> SymdiffError:
    if owner.type.kind == "number":
        return UserError(f"TypeError: '{owner.type.dtype}' object does not support item assignment")
    return UnsupportedError(
        "An in-place write into an array is not supported yet.",
        "a new array: np.where(mask, new, old), or np.concatenate of its parts",
    )


def _assign_attribute(frame: Frame, target: ast.Attribute, value: Any) -> None:
    owner = evaluate(frame, target.value)
    try:
        if isinstance(owner, Node):
            raise UnsupportedError("An attribute of an array is set.", "a new array, e.g. with .reshape")
        if not is_user_object(owner):
            raise UnsupportedError(
                f"The function sets an attribute of a {kind_name(owner)} that exists outside it.",
                "return the value",
            )
        frame.context.check_own(owner)
        set_attribute(frame, owner, frame.mangle(target.attr), value)
    except SymdiffError as error:
        raise frame.locate(error, target) from None


def _assign(frame: Frame, node: ast.Assign) -> None:
    value: Any = POISON
    try:
        value = evaluate(frame, node.value)
    except SymdiffError as error:
        frame.context.report(error)
    except Silent:
        pass
    for target in node.targets:  # also of a failed value: a write into an array is a problem of its own
        assign(frame, target, value)


def _annotated(frame: Frame, node: ast.AnnAssign) -> None:
    if node.value is not None:
        assign(frame, node.target, evaluate(frame, node.value))


def _expression(frame: Frame, node: ast.Expr) -> None:
    if not isinstance(node.value, ast.Constant):
        evaluate(frame, node.value)


def _return(frame: Frame, node: ast.Return) -> Return:
    frame.returned = node
    return Return(None if node.value is None else evaluate(frame, node.value))


# Branches and loops


def _condition(frame: Frame, node: ast.If | ast.While | ast.Assert) -> bool:
    test = evaluate(frame, node.test)
    word = {ast.If: "if", ast.While: "while", ast.Assert: "assert"}[type(node)]
    instead = {
        "if": f"np.where({frame.source.segment(node.test)}, a, b), with the value of each branch",
        "while": "a fixed number of steps over a range, or np.where",
        "assert": "check the arguments outside the function",
    }[word]
    try:
        return truth(frame, test, f"The condition of `{word}`", instead)
    except SymdiffError as error:
        raise frame.locate(error, node.test) from None


def _if(frame: Frame, node: ast.If) -> Flow:
    return execute(frame, node.body if _condition(frame, node) else node.orelse)


def _for(frame: Frame, node: ast.For) -> Flow:
    iterable = evaluate(frame, node.iter)
    try:
        values = iterate(frame, iterable)
    except SymdiffError as error:
        raise frame.locate(error, node.iter) from None
    for value in values:
        assign(frame, node.target, value)
        flow = execute(frame, node.body)
        if flow is BREAK:
            return None
        if flow is not None and flow is not CONTINUE:
            return flow
    return execute(frame, node.orelse)


def _while(frame: Frame, node: ast.While) -> Flow:
    rounds = 0
    while _condition(frame, node):
        rounds += 1
        if rounds > MOST:
            raise UnsupportedError(f"The loop has more than {MOST} rounds, all written out.")
        flow = execute(frame, node.body)
        if flow is BREAK:
            return None
        if flow is not None and flow is not CONTINUE:
            return flow
        if frame.context.problems:
            raise Silent  # a failed body may never end the loop
    return execute(frame, node.orelse)


def _assert(frame: Frame, node: ast.Assert) -> None:
    if not _condition(frame, node):
        message = evaluate(frame, node.msg) if node.msg is not None else ""
        shown = "" if has_staged(message) else f": {message}"
        raise UserError(f"AssertionError{shown}")


def _raise(frame: Frame, node: ast.Raise) -> None:
    if node.exc is None:
        raise UserError("RuntimeError: No active exception to reraise")
    error = evaluate(frame, node.exc)
    name = error.__name__ if isinstance(error, type) else type(error).__name__
    arguments = [str(arg) for arg in getattr(error, "args", ()) if isinstance(arg, str | int | float)]
    raise UserError(f"The function raises {name}{': ' if arguments else ''}{', '.join(arguments)}")


def _match(frame: Frame, node: ast.Match) -> Flow:
    subject = evaluate(frame, node.subject)
    for case in node.cases:
        try:
            matches = _matches(frame, case.pattern, subject)
        except SymdiffError as error:
            raise frame.locate(error, case.pattern) from None
        if matches and (case.guard is None or truth(frame, evaluate(frame, case.guard))):
            return execute(frame, case.body)
    return None


def _matches(frame: Frame, pattern: ast.pattern, value: Any) -> bool:
    from symdiff.frontend.operators import compare

    if isinstance(pattern, ast.MatchValue):
        return truth(frame, compare(frame, ast.Eq, value, evaluate(frame, pattern.value)))
    if isinstance(pattern, ast.MatchSingleton):
        return value is pattern.value
    if isinstance(pattern, ast.MatchOr):
        return any(_matches(frame, one, value) for one in pattern.patterns)
    if isinstance(pattern, ast.MatchAs):
        if pattern.pattern is not None and not _matches(frame, pattern.pattern, value):
            return False
        if pattern.name is not None:
            bind(frame.scope, pattern.name, value)
        return True
    if isinstance(pattern, ast.MatchSequence) and not any(
        isinstance(p, ast.MatchStar) for p in pattern.patterns
    ):
        if not isinstance(value, list | tuple) or len(value) != len(pattern.patterns):
            return False
        return all(_matches(frame, p, v) for p, v in zip(pattern.patterns, value, strict=True))
    raise UnsupportedError("This kind of `case` is not supported.", "`if` with isinstance and comparisons")


# The rest


def _delete(frame: Frame, node: ast.Delete) -> None:
    for target in node.targets:
        if isinstance(target, ast.Name):
            if frame.scope.names.pop(frame.mangle(target.id), None) is None:
                raise UserError(f"NameError: name `{target.id}` is not defined")
        elif isinstance(target, ast.Subscript):
            owner, index = evaluate(frame, target.value), evaluate(frame, target.slice)
            frame.context.check_own(owner)
            if not isinstance(owner, list | dict) or isinstance(index, Node):
                raise UnsupportedError("Only items of local lists and dicts can be deleted.")
            compute(owner.__delitem__, index)
        else:
            raise UnsupportedError("Attributes cannot be deleted.")


def _import(frame: Frame, node: ast.Import) -> None:
    for alias in node.names:
        module = _module(alias.name)
        if alias.asname is None:
            bind(frame.scope, alias.name.partition(".")[0], _module(alias.name.partition(".")[0]))
        else:
            bind(frame.scope, alias.asname, module)


def _import_from(frame: Frame, node: ast.ImportFrom) -> None:
    package = frame.scope.function.__globals__.get("__package__") or ""
    name = node.module or ""
    if node.level:
        name = compute(importlib.util.resolve_name, "." * node.level + name, package)
    module = _module(name)
    for alias in node.names:
        if alias.name == "*":
            raise UserError("SyntaxError: import * only allowed at module level")
        submodule = f"{name}.{alias.name}"
        found = (
            _module(submodule) if not hasattr(module, alias.name) else attribute(frame, module, alias.name)
        )
        bind(frame.scope, alias.asname or alias.name, found)


def _module(name: str) -> Any:
    """A module that the function imports; the function itself would run the same import."""
    found = sys.modules.get(name)
    return found if found is not None else compute(importlib.import_module, name)


def _with(frame: Frame, node: ast.With) -> None:
    raise UnsupportedError("`with` is not supported yet.", "put the `with` around the call of the function")


def _try(frame: Frame, node: ast.Try) -> None:
    raise UnsupportedError("`try` is not supported.", "check the arguments before the call")


def _nothing(frame: Frame, node: ast.stmt) -> None:
    return None


STATEMENTS.update(
    {
        ast.Assign: _assign,
        ast.AnnAssign: _annotated,
        ast.Expr: _expression,
        ast.Return: _return,
        ast.If: _if,
        ast.For: _for,
        ast.While: _while,
        ast.Break: lambda frame, node: BREAK,
        ast.Continue: lambda frame, node: CONTINUE,
        ast.Assert: _assert,
        ast.Raise: _raise,
        ast.Match: _match,
        ast.Delete: _delete,
        ast.Import: _import,
        ast.ImportFrom: _import_from,
        ast.With: _with,
        ast.Try: _try,
        ast.Pass: _nothing,
        ast.Global: _nothing,
        ast.Nonlocal: _nothing,
    }
)
