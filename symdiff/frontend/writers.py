"""Functions and methods that write into an array that they are given: `out=`, `np.copyto`, `.fill`.

Enters: a callee and evaluated arguments.  Leaves: what the call returns.  Invariant: a result for `out` is
computed as it would be without it, and written as the function itself writes.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from symdiff.errors import DtypeError, UnsupportedError, UserError
from symdiff.frontend import arrays, builtin
from symdiff.frontend.frame import Context, Frame
from symdiff.frontend.heap import Heap
from symdiff.frontend.iterators import Handler
from symdiff.frontend.methods import call_method
from symdiff.frontend.places import WHOLE
from symdiff.frontend.rows import call_row
from symdiff.frontend.subscripts import index_of
from symdiff.frontend.values import Method, kind_name
from symdiff.frontend.writes import check_kind, check_operation, same_dims, write, write_flat, write_whole
from symdiff.ir.node import Node
from symdiff.ops.arithmetic import add, negative
from symdiff.ops.axes import diagonal
from symdiff.ops.creation import arange
from symdiff.ops.elementwise import where as where_row
from symdiff.ops.indexing import add_at, along_axis, index
from symdiff.ops.rounding import sort
from symdiff.ops.row import Row, row_of
from symdiff.ops.shaping import astype, copy, length

_COPYING = (np.take, np.meshgrid)  # written in terms of views, and copies all the same

# Calls of rows


def call_into(frame: Frame, row: Row, function: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """`function(*args, **kwargs)` where `out` may be among the arguments; then the result is `out` itself."""
    args, kwargs, out = _split(function, args, kwargs)
    if out is None:
        return _known(frame.context.heap, function, args, call_row(row, function, args, kwargs))
    if not isinstance(out, Node) or out.type.kind != "array":
        raise UserError(f"TypeError: return arrays must be of ArrayType, not {kind_name(out)}")
    ufunc = isinstance(function, np.ufunc)
    where = kwargs.pop("where", True) if ufunc else True
    casting = kwargs.pop("casting", "same_kind") if ufunc else "same_kind"
    if casting != "same_kind":
        raise UnsupportedError(f"`casting={casting!r}` is not supported.", "`.astype(...)` of the operands")
    result = call_row(row, function, args, kwargs)
    if not isinstance(result, Node):
        raise UnsupportedError(f"`out` of {row.spelling} is not supported.", "assign its results")
    instead = f"`y = {row.spelling}(...)`, which makes a new array"
    if not ufunc and result.type.dtype and out.type.dtype and result.type.dtype != out.type.dtype:
        raise DtypeError(
            f"The result of {row.spelling} is {result.type.dtype}, the array for it {out.type.dtype}.",
            instead,
        )
    check_operation(out, result, instead)
    if where is not True:
        result = arrays.apply(where_row, [_mask(where), result, out])
    write_whole(frame.context, out, result, fresh=ufunc or where is not True)
    return out


def _known(heap: Heap, function: Any, args: list[Any], result: Any) -> Any:
    """The result of a function whose memory its operations do not tell."""
    if function in _COPYING:
        parts = result if isinstance(result, tuple) else (result,)
        heap.layout.copies.update(part for part in parts if part not in args)
    if function in (np.array, np.asarray, np.asanyarray) and isinstance(result, Node):
        if result.type.kind == "array" and heap.layout.scalar(result):
            return arrays.apply(copy, [result])
        if result.op is astype and args and args[0] is result.args[0] and not args[0].type.dtype:
            heap.doubt(result, [args[0]])
    return result


def _mask(where: Any) -> Node:
    mask = arrays.operand(where)
    if mask.type.dtype not in ("", "bool"):
        raise UserError("TypeError: Cannot cast array data to dtype('bool') according to the rule 'safe'")
    return mask


def _split(function: Any, args: list[Any], kwargs: dict[str, Any]) -> tuple[list[Any], dict[str, Any], Any]:
    """The arguments without `out`, and it: by name or by position, alone or in a tuple."""
    place = _place_of_out(function)
    rest = dict(kwargs)
    out = rest.pop("out", None)
    if place is not None and len(args) > place and args[place] is not None:
        out = args[place]
        args = [*args[:place], None, *args[place + 1 :]] if len(args) > place + 1 else args[:place]
    if isinstance(out, tuple):
        if len(out) != 1:
            raise UnsupportedError("`out` of several results is not supported.", "assign the results")
        (out,) = out
    return args, rest, out


@lru_cache(maxsize=512)
def _place_of_out(function: Any) -> int | None:
    """The position at which a function takes `out`."""
    if isinstance(function, np.ufunc):
        return function.nin
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None
    for i, parameter in enumerate(parameters):
        if parameter.name == "out" and parameter.kind is not parameter.KEYWORD_ONLY:
            return i
    return None


# Methods


def call_array_method(frame: Frame, method: Method, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """`array.name(*args, **kwargs)`; methods that write return None."""
    node, name, layout = method.node, method.name, frame.context.heap.layout
    if node.type.kind == "array" and name in _WRITING:
        _WRITING[name](frame.context, node, *args, **kwargs)
        return None
    if name == "view" and not args and not kwargs:
        return node if layout.scalar(node) else arrays.apply(index, [node], index=WHOLE)
    function = getattr(np, name, None)
    into = kwargs.get("out") is not None and name != "compress"  # whose function takes the condition first
    row = row_of(function) if into or name == "take" else None
    if row is not None:
        return call_into(frame, row, function, [node, *args], kwargs)
    result = call_method(method, args, kwargs)
    if name in ("copy", "__copy__", "flatten"):
        layout.ordered.add(result)
        if layout.scalar(node):
            layout.scalars.add(result)
    return result


def _fill(context: Context, node: Node, value: Any) -> None:
    given = arrays.operand(value)
    if given.type.dims:
        raise UserError("ValueError: setting an array element with a sequence.", "`A[...] = v`")
    write(context, node, WHOLE, [], given)


def _sort(context: Context, node: Node, axis: Any = -1, kind: Any = None, **options: Any) -> None:
    if any(value is not None for value in options.values()):
        raise UnsupportedError("Only the axis of `.sort` is supported.", "`.sort(axis=...)`")
    write_whole(context, node, call_row(sort, np.sort, [node], {"axis": axis}), fresh=True)


def _put(context: Context, node: Node, indices: Any, values: Any, mode: Any = "raise") -> None:
    if mode != "raise":
        raise UnsupportedError(f"`put` with mode={mode!r} is not supported.", "np.clip the indices first")
    write_flat(context, node, indices, values)


_WRITING: dict[str, Callable[..., None]] = {"fill": _fill, "sort": _sort, "put": _put}


# Functions


def _target(value: Any, name: str) -> Node:
    if not isinstance(value, Node) or value.type.kind != "array":
        raise UserError(f"TypeError: np.{name} writes into an array, not into a {kind_name(value)}")
    return value


def _copyto(context: Context, dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    target, value = _target(dst, "copyto"), arrays.operand(src)
    if casting == "same_kind":
        check_operation(target, value, "`A[...] = v`, which casts")
    elif casting != "unsafe":
        raise UnsupportedError(f"`casting={casting!r}` is not supported.", "`.astype(...)` of the value")
    if where is not True:
        chosen = _mask(where)
        if value.type.dims == () and same_dims(target, chosen):
            write(context, target, (("arg", 0),), [chosen], value)
            return
        value = arrays.apply(where_row, [chosen, value, target])
    write(context, target, WHOLE, [], value)


def _np_put(context: Context, a: Any, ind: Any, v: Any, mode: Any = "raise") -> None:
    _put(context, _target(a, "put"), ind, v, mode)


def _masked(name: str) -> Callable[..., None]:
    """np.place and np.putmask, of one value; putmask also of values in the array's own shape."""

    def handle(context: Context, a: Any, mask: Any, values: Any) -> None:
        target, chosen, value = _target(a, name), _mask(mask), arrays.operand(values)
        if value.type.dims == () and same_dims(target, chosen):
            write(context, target, (("arg", 0),), [chosen], value)
        elif name == "putmask" and same_dims(target, value) and same_dims(target, chosen):
            write(context, target, WHOLE, [], arrays.apply(where_row, [chosen, value, target]))
        else:
            raise UnsupportedError(f"np.{name} repeats values that are too short.", "`A[mask] = v`")

    return handle


def _fill_diagonal(context: Context, a: Any, val: Any, wrap: Any = False) -> None:
    target, value = _target(a, "fill_diagonal"), arrays.operand(val)
    if target.type.rank != 2 or wrap is not False:
        raise UnsupportedError("np.fill_diagonal is supported of a matrix, without wrap.", "`A[i, i] = v`")
    line = arrays.apply(diagonal, [target])
    if value.type.dims != () and not same_dims(line, value):
        raise UnsupportedError("np.fill_diagonal repeats values that are too short.", "`A[i, i] = v`")
    places = arange(length(line, axis=0))
    write(context, target, (("arg", 0), ("arg", 1)), [places, places], value)


def _put_along_axis(context: Context, arr: Any, indices: Any, values: Any, axis: Any = -1) -> None:
    target, places, value = _target(arr, "put_along_axis"), arrays.operand(indices), arrays.operand(values)
    if axis is None:
        write_flat(context, target, places, value)
        return
    operands = along_axis(target, places, arrays.static_int(axis, "axis"))
    write(context, target, tuple([("arg", i) for i in range(len(operands))]), operands, value)


def _function(write_into: Callable[..., None]) -> Handler:
    def handle(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> None:
        write_into(frame.context, *args, **kwargs)

    return handle


_FUNCTIONS: dict[Any, Callable[..., None]] = {
    np.copyto: _copyto, np.put: _np_put, np.place: _masked("place"), np.putmask: _masked("putmask"),
    np.fill_diagonal: _fill_diagonal, np.put_along_axis: _put_along_axis,
}  # fmt: skip
builtin.HANDLERS.update({id(function): _function(handler) for function, handler in _FUNCTIONS.items()})


# ufunc.at


def is_at(function: Any) -> bool:
    """Whether this is `np.add.at` or the like, which Python makes anew each time it is read."""
    return isinstance(getattr(function, "__self__", None), np.ufunc) and function.__name__ == "at"


def call_at(frame: Frame, function: Any, args: list[Any]) -> None:
    """`np.add.at(A, index, v)`: what is repeated adds up."""
    ufunc = function.__self__
    if ufunc not in (np.add, np.subtract) or len(args) != 3:
        raise UnsupportedError(
            f"np.{ufunc.__name__}.at is not supported.", "np.add.at, or a loop over the indices"
        )
    target, value = _target(args[0], f"{ufunc.__name__}.at"), arrays.operand(args[2])
    check_kind(target, arrays.apply(add, [_element(target), value]), "`.astype(...)` of it")
    if ufunc is np.subtract:
        value = arrays.apply(negative, [value])
    spec, operands = index_of(target, args[1])
    made = arrays.apply(add_at, [target, value, *operands], index=spec)
    write_whole(frame.context, target, made, fresh=True)


def _element(array: Node) -> Node:
    """Something of the array's dtype that broadcasts with anything."""
    return array if not array.type.dtype else arrays.scalar(0, array.type.dtype)
