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
from symdiff.frontend.attributes import attribute
from symdiff.frontend.frame import (
    STATEMENTS,
    Frame,
    Return,
    bind,
    evaluate,
)
from symdiff.frontend.lookup import is_user_object, user_method
from symdiff.frontend.operators import compute
from symdiff.frontend.unpacking import unpack
from symdiff.frontend.values import POISON, Silent, StagedList, kind_name
from symdiff.frontend.writes import assign_attribute, assign_item
from symdiff.ir.node import Node


def assign(frame: Frame, target: ast.expr, value: Any) -> None:
    """Bind one target of an assignment."""
    if isinstance(target, ast.Name):
        if isinstance(value, Node):
            frame.context.builder.named(value, target.id)
        if isinstance(value, StagedList):
            frame.context.builder.named(value.stack, target.id)
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
        assign_item(frame, target, value)
    elif isinstance(target, ast.Attribute):
        assign_attribute(frame, target, value)


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
        elif isinstance(target, ast.Attribute):
            owner, name = evaluate(frame, target.value), frame.mangle(target.attr)
            frame.context.check_own(owner)
            if not is_user_object(owner) or user_method(owner, "__delattr__"):
                raise UnsupportedError(f"An attribute of a {kind_name(owner)} is deleted.", "a new object")
            compute(object.__delattr__, owner, name)


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


def _nothing(frame: Frame, node: ast.stmt) -> None:
    return None


STATEMENTS.update(
    {
        ast.Assign: _assign,
        ast.AnnAssign: _annotated,
        ast.Expr: _expression,
        ast.Return: _return,
        ast.Delete: _delete,
        ast.Import: _import,
        ast.ImportFrom: _import_from,
        ast.Pass: _nothing,
        ast.Global: _nothing,
        ast.Nonlocal: _nothing,
    }
)
