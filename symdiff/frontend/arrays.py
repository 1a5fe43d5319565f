"""Between compile-time values and operands: numbers become constants, lists arrays, shapes nodes.

Enters: evaluated values.  Leaves: nodes, and compile-time ints where an operation needs them.  Invariant: a
staged int that is needed while compiling is an argument's (the program is then specialised on it), or an
error.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symdiff.errors import DtypeError, ShapeError, SymdiffError, UnsupportedError, UserError
from symdiff.frontend.arguments import Place
from symdiff.frontend.values import (
    NUMBERS,
    POISON,
    NeedStatic,
    NeedUnrolled,
    ShapeTuple,
    Silent,
    StagedList,
    kind_name,
)
from symdiff.ir.build import current
from symdiff.ir.node import Node, Op
from symdiff.ops.row import REGISTRY, Row
from symdiff.ops.shaping import length, make_shape, shape_of
from symdiff.ops.stacks import as_array


def apply(op: Op, operands: Sequence[Node | Any], **attrs: Any) -> Node:
    """The node `op(*operands, **attrs)`; whatever inference raises is an error about the user's line."""
    try:
        return op(*operands, **attrs)
    except SymdiffError:
        raise
    except (TypeError, ValueError, LookupError, AssertionError, AttributeError) as error:
        shapes = ", ".join(str(o.type) if isinstance(o, Node) else repr(o) for o in operands)
        raise ShapeError(f"np.{op.name} cannot be applied to {shapes}: {error}.") from None


def is_operand(value: Any) -> bool:
    """Whether NumPy takes this for an array or a number."""
    if isinstance(value, Node):
        return value.type.kind in ("array", "number")
    if isinstance(value, list | tuple):
        return all(is_operand(item) for item in value)
    if isinstance(value, StagedList):
        return value.stack.type.items[0].kind in ("array", "number", "undefined", "stack")
    return isinstance(value, bool | int | float | complex | np.number | np.bool_)


def operand(value: Any) -> Node:
    """The node of an operand."""
    if value is POISON:
        raise Silent
    if isinstance(value, Node):
        return value
    if isinstance(value, np.generic):
        return scalar(value.item(), value.dtype.name)
    if isinstance(value, StagedList):
        return as_array(value.stack)
    if isinstance(value, bool | int | float | complex):
        return current().const(value if type(value) in NUMBERS else int(value.real))  # of an enum
    if isinstance(value, list | tuple):
        return array_of(value)
    raise UserError(f"TypeError: a {kind_name(value)} is not a number and not an array")


def scalar(value: Any, dtype: str) -> Node:
    """A NumPy scalar of this dtype: not weak in promotion, as a Python number is."""
    return apply(REGISTRY["array"], [operand(value)], dtype=dtype)


def array_of(value: Sequence[Any]) -> Node:
    """An array from a list of numbers and staged values, as NumPy converts one."""
    row = REGISTRY.get("array")
    if row is None:
        raise UnsupportedError("A list cannot be used as an array yet.", "pass an array as an argument")
    if isinstance(value, ShapeTuple):
        value = list(value)
    if row.lower is not None:
        made: Node = row.lower(row, value)
        return made
    items, shape = _flattened(value)
    return apply(row, [operand(item) for item in items], shape=shape)


def _flattened(value: Any) -> tuple[list[Any], tuple[int, ...]]:
    if not isinstance(value, list | tuple):
        return [value], ()
    parts = [_flattened(item) for item in value]
    if any(shape != parts[0][1] for _, shape in parts):
        raise ShapeError("A list with parts of different lengths is no array.")
    inner = parts[0][1] if parts else ()
    return [item for items, _ in parts for item in items], (len(value), *inner)


# Compile-time values that may be staged


def static_int(value: Any, what: str) -> int:
    """An int that is needed while compiling.

    An int argument, or arithmetic on such, makes the program special to its value; for any other staged value
    SymdiffError.
    """
    if value is POISON:
        raise Silent
    if isinstance(value, bool | int):
        return int(value)
    if isinstance(value, np.integer):
        return int(value)
    if not isinstance(value, Node):
        raise UserError(f"TypeError: {what} must be an int, not {kind_name(value)}")
    rounds: set[Node] = set()
    places = _places(value, rounds)
    error = UnsupportedError(
        f"{what[0].upper()}{what[1:]} must be known while compiling, not computed at run time.",
        "a Python int, or an int argument",
        current().span,
    )
    if rounds:
        raise NeedUnrolled(frozenset(rounds), error)
    if places is None:
        raise UnsupportedError(error.problems[0].what, error.problems[0].instead)
    raise NeedStatic(places)


def _places(value: Node, rounds: set[Node] | None = None) -> frozenset[Place] | None:
    """The int parameters that a value is computed from, None where there is anything else in it.

    rounds: gets the parameters of loops among them.
    """
    found: set[Place] = set()
    pending = [value]
    while pending:
        node = pending.pop()
        if node.type.kind != "number" or node.type.dtype != "int":
            return None
        if node.op.name == "param" and node.attr("parameter") is None:
            if rounds is None:
                return None
            rounds.add(node)
        elif node.op.name == "param":
            found.add((node.attr("parameter"), node.attr("path")))
        elif node.args:
            pending += node.args
        elif not node.is_const:
            return None
        if node.op.name in ("length", "size"):
            return None
    return frozenset(found) or None


def static_value(value: Any, what: str) -> Any:
    """An attribute of an operation: ints, tuples of ints, dtypes, strings, None."""
    if isinstance(value, Node):
        return static_int(value, what)
    if isinstance(value, list | tuple):
        return tuple([static_value(item, what) for item in value])
    if isinstance(value, bool | int | float | complex | str) or value is None:
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.dtype | type):
        return dtype_name(value)
    raise UserError(f"TypeError: {what} cannot be a {kind_name(value)}")


def dtype_name(value: Any) -> str | None:
    """NumPy's name of a dtype, None for None."""
    if value is None:
        return None
    try:
        dtype = np.dtype(value)
    except TypeError as error:
        raise UserError(f"TypeError: {error}") from None
    if dtype.kind not in "biufc":
        raise DtypeError(f"Arrays of {dtype} cannot be computed with.", "a numeric dtype")
    return str(dtype.name)


def int_places(values: Sequence[Any]) -> frozenset[Place]:
    """The int parameters from which staged ints among these values are computed."""
    found: frozenset[Place] = frozenset()
    for value in values:
        if isinstance(value, Node) and value.type.kind == "number":
            found |= _places(value) or frozenset()
        elif isinstance(value, list | tuple):
            found |= int_places(value)
    return found


# Shapes


def shape_node(value: Any) -> Node:
    """A shape as a node, from an int or a sequence of ints, each of which may be staged."""
    if isinstance(value, Node) and value.type.kind == "shape":
        return value
    if isinstance(value, ShapeTuple):
        return shape_of(value.node)
    entries = list(value) if isinstance(value, list | tuple) else [value]
    for entry in entries:
        is_int = isinstance(entry, Node) and entry.type.kind == "number" and entry.type.dtype == "int"
        if not is_int and not (isinstance(entry, int | np.integer) and not isinstance(entry, bool)):
            raise UserError(f"TypeError: a shape is made of ints, not of {kind_name(entry)}")
    return apply(make_shape, [operand(int(e) if isinstance(e, np.integer) else e) for e in entries])


def shape(node: Node) -> Any:
    """`x.shape`: a tuple where the rank is known, else a staged shape."""
    dims = node.type.dims
    if node.type.kind == "number":
        raise UserError(f"AttributeError: '{node.type.dtype}' object has no attribute 'shape'")
    if dims is None:
        return shape_of(node)
    found = [current().sizes.find(dim) for dim in dims]
    return ShapeTuple.of(
        node, [dim if isinstance(dim, int) else length(node, axis=axis) for axis, dim in enumerate(found)]
    )


def first_length(node: Node) -> Any:
    """`len(x)` and `x.shape[0]`, staged unless known."""
    if node.type.dims == ():
        raise UserError("TypeError: len() of unsized object")
    if node.type.dims is not None:
        dim = current().sizes.find(node.type.dims[0])
        if isinstance(dim, int):
            return dim
    return length(node, axis=0)


def unknown_rank(node: Node) -> SymdiffError:
    return UnsupportedError(
        "This needs the number of dimensions of an array, which is not known before a call.",
        "ask for the source with arguments: source_for(*args)",
    )


def rank(node: Node) -> int:
    if node.type.dims is None:
        raise unknown_rank(node)
    return len(node.type.dims)


def row_named(name: str) -> Row | None:
    return REGISTRY.get(name)


def array_of_number(node: Node) -> Node:
    """A Python number as an array of no dimensions."""
    return apply(REGISTRY["array"], [node])
