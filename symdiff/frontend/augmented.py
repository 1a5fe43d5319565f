"""Augmented assignment: `target op= value`.

Enters: the statement.  Leaves: nothing.  Invariant: arrays are written in place, whatever alias or view they
are reached by, with NumPy's rule "same_kind" for the dtype; numbers and NumPy scalars cannot change, and the
target is bound to a new one.
"""

from __future__ import annotations

import ast
from typing import Any

from symdiff.errors import SymdiffError, UnsupportedError
from symdiff.frontend import operators
from symdiff.frontend.attributes import attribute
from symdiff.frontend.frame import STATEMENTS, Frame, bind, call, evaluate
from symdiff.frontend.lists import extend, stage_list
from symdiff.frontend.lookup import user_method
from symdiff.frontend.statements import assign
from symdiff.frontend.subscripts import index_of, subscript
from symdiff.frontend.unpacking import iterate
from symdiff.frontend.values import Flat, StagedList
from symdiff.frontend.writes import check_operation, set_item, write, write_flat, write_whole
from symdiff.ir.node import Node


def _augmented(frame: Frame, node: ast.AugAssign) -> None:
    target = node.target
    if isinstance(target, ast.Name):
        _name(frame, node, target)
    elif isinstance(target, ast.Subscript):
        _item(frame, node, target)
    elif isinstance(target, ast.Attribute):
        owner = evaluate(frame, target.value)
        old = attribute(frame, owner, frame.mangle(target.attr))
        result = updated(frame, node, old, evaluate(frame, node.value))
        if not _stays(result, old):
            assign(frame, target, result)


def _name(frame: Frame, node: ast.AugAssign, target: ast.Name) -> None:
    name = ast.Name(target.id, ast.Load(), lineno=target.lineno, col_offset=target.col_offset)
    name.end_lineno, name.end_col_offset = target.end_lineno, target.end_col_offset
    old = evaluate(frame, name)
    result = updated(frame, node, old, evaluate(frame, node.value))
    if isinstance(result, Node) and result is not old:
        frame.context.builder.named(result, target.id)
    bind(frame.scope, frame.mangle(target.id), result)


def _item(frame: Frame, node: ast.AugAssign, target: ast.Subscript) -> None:
    owner = evaluate(frame, target.value)
    key = evaluate(frame, target.slice)
    context = frame.context
    try:
        if isinstance(owner, Flat):
            old: Any = subscript(frame, owner, key)
            value = evaluate(frame, node.value)
            write_flat(context, owner.node, key, operators.binary(frame, type(node.op), old, value))
        elif isinstance(owner, Node):
            spec, operands = index_of(owner, key)
            old = subscript(frame, owner, key)
            result = operators.binary(frame, type(node.op), old, evaluate(frame, node.value))
            if old.type.dims != () or context.heap.layout.scalar(old) is not True:
                check_operation(old, result, _instead(frame, node))
            write(context, owner, spec, operands, result)
        else:
            old = subscript(frame, owner, key)
            result = updated(frame, node, old, evaluate(frame, node.value))
            if not _stays(result, old) or isinstance(owner, tuple):
                set_item(frame, owner, key, result)
    except SymdiffError as error:
        raise frame.locate(error, target) from None


def _stays(result: Any, old: Any) -> bool:
    """Whether a container holds the result already: an array that was written into stays where it is."""
    return result is old and isinstance(result, Node)


def updated(frame: Frame, node: ast.AugAssign, old: Any, value: Any) -> Any:
    """What the target is bound to afterwards: the same array, or a new value."""
    kind = type(node.op)
    if isinstance(old, StagedList) and kind is ast.Add:
        frame.context.check_own(old)
        extend(frame, old, value)
        return old
    if isinstance(old, list) and kind is ast.Add:
        frame.context.check_own(old)
        if isinstance(value, StagedList):
            made = stage_list(frame, old)
            extend(frame, made, value)
            return made
        old += iterate(frame, value)
        return old
    if isinstance(old, dict | set) and kind in (ast.BitOr, ast.BitAnd, ast.BitXor, ast.Sub):
        frame.context.check_own(old)
    method = user_method(old, f"__i{operators.BINARY[kind][3]}__")
    if method is not None:
        return call(frame, method, [old, value], {})
    result = operators.binary(frame, kind, old, value)
    if not isinstance(old, Node) or old.type.kind != "array" or not isinstance(result, Node):
        return result
    try:
        return _written(frame, node, old, result)
    except SymdiffError as error:
        raise frame.locate(error, node.target) from None


def _written(frame: Frame, node: ast.AugAssign, old: Node, result: Node) -> Node:
    scalar = frame.context.heap.layout.scalar(old)
    if scalar is True:
        return result  # NumPy scalars cannot change: Python rebinds the name
    if scalar is None and old.type.dims == ():
        raise UnsupportedError(
            "Whether this is a NumPy scalar or an array is known only at run time.", _instead(frame, node)
        )
    check_operation(old, result, _instead(frame, node))
    write_whole(frame.context, old, result, fresh=True)
    return old


def _instead(frame: Frame, node: ast.AugAssign) -> str:
    target, written = frame.source.segment(node.target), frame.source.segment(node.value)
    return f"`{target} = {target} {operators.BINARY[type(node.op)][1]} {written}`, which makes a new array"


STATEMENTS[ast.AugAssign] = _augmented
