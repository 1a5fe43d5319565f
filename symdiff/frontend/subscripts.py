"""Reading elements: of staged arrays as index nodes, of compile-time containers at once.

Enters: a value and an index.  Leaves: the element.  Invariant: an index node's `index` attribute has the form
that `ops.indexing` defines; whatever is staged in it is an operand.
"""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from symdiff.errors import ShapeError, UnsupportedError, UserError
from symdiff.frontend import arrays
from symdiff.frontend.frame import EXPRESSIONS, Frame, call, evaluate
from symdiff.frontend.lists import item
from symdiff.frontend.lookup import user_method
from symdiff.frontend.operators import compute
from symdiff.frontend.rows import call_row
from symdiff.frontend.values import Flat, StagedList, kind_name
from symdiff.ir.build import current
from symdiff.ir.node import Node
from symdiff.ops.indexing import Index
from symdiff.ops.row import REGISTRY, row_of
from symdiff.ops.shaping import length, make_shape, reshape


def _subscript(frame: Frame, node: ast.Subscript) -> Any:
    return subscript(frame, evaluate(frame, node.value), evaluate(frame, node.slice))


def _slice(frame: Frame, node: ast.Slice) -> slice:
    parts = [None if p is None else evaluate(frame, p) for p in (node.lower, node.upper, node.step)]
    return slice(*parts)


def subscript(frame: Frame, value: Any, index: Any) -> Any:
    """`value[index]`."""
    if isinstance(value, Node):
        return _of_node(value, index)
    if isinstance(value, Flat):
        return _of_flat(frame, value, index)
    if isinstance(value, StagedList) and not isinstance(index, slice):
        return item(frame.context, value, index)
    row = row_of(value) if type(value).__module__.startswith("numpy.") and not callable(value) else None
    if row is not None:  # np.mgrid and its kin
        return call_row(row, value, [index], {})
    method = user_method(value, "__getitem__")
    if method is not None:
        return call(frame, method, [value, index], {})
    if isinstance(value, dict):
        if isinstance(index, Node):
            index = arrays.static_int(index, "a key of a dict")
        return _of_dict(frame, value, index)
    if isinstance(value, list | tuple | str | bytes | range):
        return compute(value.__getitem__, static_index(index))
    if isinstance(value, type):
        return value  # a generic class such as list[int]
    if isinstance(value, StagedList):
        raise UnsupportedError(
            "A slice of a list whose length is known only at run time is not supported.",
            "a loop over range(start, len(items)), or an array",
        )
    raise UserError(f"TypeError: '{kind_name(value)}' object is not subscriptable")


def _of_dict(frame: Frame, value: dict[Any, Any], index: Any) -> Any:
    missing = user_method(value, "__missing__")
    if missing is not None and index not in value:
        return call(frame, missing, [value, index], {})
    return compute(lambda: value[index])


def static_index(index: Any) -> Any:
    """An index into a Python sequence."""
    if isinstance(index, Node):
        if index.type.kind != "number":
            raise UnsupportedError(
                "An array is used as an index into a Python sequence.", "an array instead of the sequence"
            )
        return arrays.static_int(index, "an index into a Python sequence")
    if isinstance(index, slice):
        return slice(*(None if p is None else static_index(p) for p in (index.start, index.stop, index.step)))
    return index


# Staged arrays


def _of_node(node: Node, index: Any) -> Any:
    if node.type.kind == "number":
        raise UserError(f"TypeError: '{node.type.dtype}' object is not subscriptable")
    if node.type.kind == "shape":
        return _of_shape(node, index)
    spec, operands = index_of(node, index)
    return arrays.apply(REGISTRY["index"], [node, *operands], index=spec)


def _of_flat(frame: Frame, value: Flat, index: Any) -> Node:
    """`array.flat[index]`, which is a copy."""
    made: Node = _of_node(reshape(value.node, make_shape(-1)), index)
    frame.context.heap.layout.copies.add(made)
    return made


def index_of(node: Node, index: Any) -> tuple[Index, list[Node]]:
    """An index into an array: its entries, and what is staged in them."""
    operands: list[Node] = []
    parts = _with_masks(node, index if isinstance(index, tuple) else (index,))
    spec = tuple([_entry(part, operands) for part in parts])
    _check(node, spec, operands)
    return spec, operands


def _with_masks(node: Node, parts: tuple[Any, ...]) -> list[Any]:
    """An index in which the places of a mask, one array for each of its axes, are the mask.

    A mask in front is as long as the array's own axes; places may be those of a smaller one.
    """
    found: list[Any] = []
    k = 0
    while k < len(parts):
        mask = parts[k].args[0] if isinstance(parts[k], Node) and parts[k].op.name == "nonzero" else None
        rank = 0 if mask is None else mask.type.rank
        places = parts[k : k + rank]
        if (
            mask is not None
            and len(places) == rank
            and (k > 0 or _fits(mask, node))
            and all(
                isinstance(one, Node)
                and one.op.name == "nonzero"
                and one.args[0] is mask
                and one.attr("axis", 0) == axis
                for axis, one in enumerate(places)
            )
        ):
            found.append(mask)
            k += rank
        else:
            found.append(parts[k])
            k += 1
    return found


def _fits(mask: Node, node: Node) -> bool:
    sizes, dims = current().sizes, node.type.dims
    return dims is None or sizes.resolve(mask.type.dims) == sizes.resolve(dims[: mask.type.rank])


def _of_shape(node: Node, index: Any) -> Any:
    if type(index) is int and node.op.name == "shape":
        return length(node.args[0], axis=index)
    raise arrays.unknown_rank(node)


def _entry(part: Any, operands: list[Node]) -> tuple[Any, ...]:
    if part is None:
        return ("new",)
    if part is Ellipsis:
        return ("ellipsis",)
    if isinstance(part, slice):
        return ("slice", *(_bound(p, operands) for p in (part.start, part.stop, part.step)))
    if isinstance(part, bool | np.bool_):
        raise UnsupportedError("An index of True or False is not supported.", "np.where, or x[None]")
    if isinstance(part, int | np.integer):
        return ("int", int(part))
    if isinstance(part, list | tuple):
        return _argument(arrays.array_of(_checked_list(part)), operands)
    if isinstance(part, StagedList):
        part = arrays.operand(part)
    if isinstance(part, Node):
        if part.type.dtype and np.dtype(part.type.dtype).kind not in "biu":
            raise UserError(
                "IndexError: only integers, slices, None, ... and integer or boolean arrays are indices"
            )
        return _argument(part, operands)
    raise UserError(f"IndexError: a {kind_name(part)} is no index of an array")


def _checked_list(part: Any) -> Any:
    if len(part) == 0:
        raise UnsupportedError("An empty list as an index is not supported.", "x[:0]")
    return part


def _argument(node: Node, operands: list[Node]) -> tuple[Any, ...]:
    operands.append(node)
    return ("arg", len(operands) - 1)


def _bound(part: Any, operands: list[Node]) -> Any:
    if part is None or type(part) is int:
        return part
    if isinstance(part, bool | int | np.integer):
        return int(part)
    if isinstance(part, Node):
        if part.type.kind == "number" and part.type.dtype != "int":
            raise UserError("TypeError: slice indices must be integers or None")
        return _argument(part, operands)
    raise UserError(f"TypeError: slice indices must be integers or None, not {kind_name(part)}")


def _check(node: Node, spec: tuple[tuple[Any, ...], ...], operands: list[Node]) -> None:
    """What NumPy would refuse at run time and is known now."""
    if sum(entry[0] == "ellipsis" for entry in spec) > 1:
        raise UserError("IndexError: an index can only have a single ellipsis ('...')")
    if node.type.dims is None:
        return
    used = 0
    for entry in spec:
        if entry[0] == "arg" and operands[entry[1]].type.dtype == "bool":
            used += operands[entry[1]].type.rank or 0
        elif entry[0] in ("int", "slice", "arg"):
            used += 1
    if used > len(node.type.dims):
        raise ShapeError(
            f"The index has {used} entries, and the array {len(node.type.dims)} dimensions.",
            "at most one entry per dimension",
        )
    axis = 0
    for entry in spec:
        if entry[0] in ("ellipsis", "arg"):
            return
        if entry[0] == "int":
            dim = current().sizes.find(node.type.dims[axis])
            if isinstance(dim, int) and not -dim <= entry[1] < dim:
                raise UserError(
                    f"IndexError: index {entry[1]} is out of bounds for axis {axis} with size {dim}"
                )
        axis += entry[0] != "new"


EXPRESSIONS[ast.Subscript] = _subscript
EXPRESSIONS[ast.Slice] = _slice
