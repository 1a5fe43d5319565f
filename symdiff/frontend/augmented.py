"""Augmented assignment: rebinding where that is what Python does, an error where it writes to shared memory.

Enters: `target op= value`.  Leaves: the new binding.  Invariant: an array is rebound only where it was
computed inside the function and nothing else refers to it, so that nobody can see that it is a new array.
"""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from symdiff.errors import DtypeError, ShapeError, SymdiffError, UnsupportedError
from symdiff.frontend import arrays, operators
from symdiff.frontend.attributes import attribute
from symdiff.frontend.builtin import is_scalar_result
from symdiff.frontend.frame import STATEMENTS, Frame, Scope, bind, call, evaluate
from symdiff.frontend.lookup import user_method
from symdiff.frontend.statements import assign, in_place, set_item
from symdiff.frontend.subscripts import subscript
from symdiff.frontend.unpacking import iterate
from symdiff.frontend.values import Closure, children
from symdiff.ir.node import Node
from symdiff.ops.row import REGISTRY


def _augmented(frame: Frame, node: ast.AugAssign) -> None:
    target, kind = node.target, type(node.op)
    if isinstance(target, ast.Name):
        name = ast.Name(target.id, ast.Load(), lineno=target.lineno, col_offset=target.col_offset)
        name.end_lineno, name.end_col_offset = target.end_lineno, target.end_col_offset
        old = evaluate(frame, name)
        value = evaluate(frame, node.value)
        result = updated(frame, node, kind, old, value)
        if isinstance(result, Node):
            frame.context.builder.named(result, target.id)
        bind(frame.scope, frame.mangle(target.id), result)
    elif isinstance(target, ast.Subscript):
        owner = evaluate(frame, target.value)
        if isinstance(owner, Node):
            raise frame.locate(in_place(owner, target, frame), target)
        index = evaluate(frame, target.slice)
        old = subscript(frame, owner, index)
        set_item(frame, target, owner, index, updated(frame, node, kind, old, evaluate(frame, node.value)))
    elif isinstance(target, ast.Attribute):
        owner = evaluate(frame, target.value)
        old = attribute(frame, owner, frame.mangle(target.attr))
        assign(frame, target, updated(frame, node, kind, old, evaluate(frame, node.value)))


def updated(frame: Frame, node: ast.AugAssign, kind: type[ast.operator], old: Any, value: Any) -> Any:
    """What the target holds afterwards."""
    if isinstance(old, list) and kind is ast.Add:
        frame.context.check_own(old)
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
        target, written = frame.source.segment(node.target), frame.source.segment(node.value)
        instead = f"`{target} = {target} {operators.BINARY[kind][1]} {written}`, which makes a new array"
        return _written(frame, old, result, instead)
    except SymdiffError as error:
        raise frame.locate(error, node.target) from None


def _written(frame: Frame, old: Node, result: Node, instead: str) -> Node:
    """The value of an array after an in-place operation, in its own dtype and shape."""
    if old.type.dims == () and (is_scalar_result(old) or id(old) in frame.context.scalars):
        return result  # NumPy scalars cannot change: Python rebinds the name
    root = _root(old)
    if root.op.name == "param":
        raise UnsupportedError(
            "This writes in place into an array that the function was given.",
            instead,
        )
    if _references(frame, root) > 1:
        raise UnsupportedError(
            "This writes in place into an array that has another name too.",
            instead,
        )
    _check_shape(frame, old, result, instead)
    if old.type.dtype == result.type.dtype or not old.type.dtype or not result.type.dtype:
        return result
    if not np.can_cast(result.type.dtype, old.type.dtype, "same_kind"):
        raise DtypeError(
            f"A result of dtype {result.type.dtype} cannot be written into an array of {old.type.dtype}.",
            instead,
        )
    return arrays.apply(REGISTRY["astype"], [result], dtype=old.type.dtype)


def _check_shape(frame: Frame, old: Node, result: Node, instead: str) -> None:
    before, after = old.type.dims, result.type.dims
    if before is None or after is None:
        return
    sizes = frame.context.builder.sizes
    if len(before) != len(after):
        raise ShapeError("The result has more dimensions than the array it is written into.", instead)
    for a, b in zip(before, after, strict=True):
        if not sizes.same(a, b):
            raise ShapeError(
                f"A result of {sizes.find(b)} elements along an axis does not fit into {sizes.find(a)}.",
                instead,
            )


def _root(node: Node) -> Node:
    """The array whose memory a value may share."""
    while getattr(node.op, "view", False) and node.args:
        node = node.args[0]
    return node


def _references(frame: Frame, root: Node) -> int:
    """How many names and containers hold the array `root` or a view of it."""
    pending: list[Any] = [scope for one in frame.context.frames for scope in _scopes(one.scope)]
    pending += _scopes(frame.scope)
    count, seen = 0, set()
    while pending:
        value = pending.pop()
        if isinstance(value, Node):
            count += _root(value) is root
            continue
        if isinstance(value, bool | int | float | complex | str) or value is None or id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Scope):
            pending += value.names.values()
        elif isinstance(value, Closure):
            pending += [*_scopes(value.scope), *value.defaults, *value.keyword_defaults.values()]
        else:
            pending += children(value)
    return count


def _scopes(scope: Scope | None) -> list[Scope]:
    found = []
    while scope is not None:
        found.append(scope)
        scope = scope.parent
    return found


STATEMENTS[ast.AugAssign] = _augmented
