"""Writes into arrays and containers: the targets of assignments, and what they do to memory.

Enters: a target and the value that it gets.  Leaves: nothing; the heap holds another value of the array, or
the container another item.  Invariant: a write is one `update` of the array that owns the memory, whatever
view it went through; what NumPy casts it casts, and what it refuses is refused.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

import numpy as np

from symdiff.errors import DtypeError, ShapeError, SymdiffError, UnsupportedError, UserError
from symdiff.frontend import arrays
from symdiff.frontend.classes import set_attribute
from symdiff.frontend.frame import Context, Frame, call, evaluate
from symdiff.frontend.heap import Heap
from symdiff.frontend.lists import replace_item
from symdiff.frontend.lookup import is_user_object, user_method
from symdiff.frontend.operators import compute
from symdiff.frontend.places import WHOLE, place_of
from symdiff.frontend.subscripts import index_of
from symdiff.frontend.values import POISON, Flat, Silent, StagedList, kind_name
from symdiff.ir.build import current
from symdiff.ir.node import Node
from symdiff.ir.types import may_be_one
from symdiff.ops.indexing import Index, index
from symdiff.ops.row import REGISTRY
from symdiff.ops.shaping import astype, make_shape, reshape, shape_of
from symdiff.ops.updates import update

# Targets of assignments


def assign_item(frame: Frame, target: ast.Subscript, value: Any) -> None:
    """`owner[index] = value`."""
    owner = evaluate(frame, target.value)
    key = evaluate(frame, target.slice)
    try:
        if isinstance(owner, Node):
            spec, operands = index_of(owner, key)
        if value is POISON:
            raise Silent  # what is wrong with the target itself has been said
        if isinstance(owner, Flat):
            write_flat(frame.context, owner.node, key, value)
        elif isinstance(owner, Node):
            write(frame.context, owner, spec, operands, arrays.operand(value))
        else:
            set_item(frame, owner, key, value)
    except SymdiffError as error:
        raise frame.locate(error, target) from None


def set_item(frame: Frame, owner: Any, key: Any, value: Any) -> None:
    """`owner[key] = value` on a compile-time container made inside the function."""
    method = user_method(owner, "__setitem__")
    if method is not None:
        call(frame, method, [owner, key, value], {})
        return
    frame.context.check_own(owner)
    if isinstance(owner, StagedList):
        replace_item(frame.context, owner, key, value)
        return
    if isinstance(key, Node):
        key = arrays.static_value(key, "an index into a Python container")
    if not isinstance(owner, list | dict):
        raise UserError(f"TypeError: '{kind_name(owner)}' object does not support item assignment")
    compute(owner.__setitem__, key, value)


def assign_attribute(frame: Frame, target: ast.Attribute, value: Any) -> None:
    """`owner.name = value`."""
    owner = evaluate(frame, target.value)
    try:
        if isinstance(owner, Node):
            _set_array_attribute(frame.context, owner, target.attr, value)
            return
        if not is_user_object(owner):
            raise UnsupportedError(
                f"The function sets an attribute of a {kind_name(owner)} that exists outside it.",
                "return the value",
            )
        frame.context.check_own(owner)
        set_attribute(frame, owner, frame.mangle(target.attr), value)
    except SymdiffError as error:
        raise frame.locate(error, target) from None


def _set_array_attribute(context: Context, owner: Node, name: str, value: Any) -> None:
    """`A.real = v`, `A.imag = v` and `A.flat = v`."""
    if value is POISON:
        raise Silent
    if name not in ("real", "imag", "flat"):
        raise UnsupportedError(
            f"The attribute `.{name}` of an array is set.", "a new array, e.g. with .reshape"
        )
    node = arrays.operand(value)
    if name == "flat":
        if node.type.dims and not same_dims(node, owner):
            raise UnsupportedError("`.flat` is set to an array of another shape.", "`A[...] = v`")
        write(context, owner, WHOLE, [], node)
        return
    if name == "imag" and owner.type.dtype and not owner.type.dtype.startswith("complex"):
        raise UserError("TypeError: array does not have imaginary part to set")
    write(context, arrays.apply(REGISTRY[name], [owner]), WHOLE, [], node)


# Writes


def write(
    context: Context,
    target: Node,
    spec: Index,
    operands: Sequence[Node],
    value: Node,
    same_kind: bool = False,
) -> None:
    """`target[spec] = value`: the value is broadcast and cast, as NumPy's assignment does it.

    same_kind: NumPy refuses at run time to write a float into an array of ints.
    """
    heap = context.heap
    turn = next((view for view in heap.path(target) if _depends_on_layout(heap, view)), None)
    place = place_of(context, target, spec or WHOLE, operands, turn)
    base, value = heap.latest(place.base), heap.latest(value)
    _check_cast(base, value)
    if not same_kind:
        _check_exact(heap, target, value)
    attrs: dict[str, Any] = {"view": place.view} if place.view else {}
    try:
        made = context.builder.unfolded(update, base, value, *place.operands, index=place.index, **attrs)
    except SymdiffError:
        raise
    except (TypeError, ValueError, LookupError, AssertionError, AttributeError) as error:
        raise ShapeError(f"{value.type} cannot be written into {target.type}: {error}.") from None
    if turn is not None:
        source = turn.args[0]
        write(context, source, WHOLE, [], reshape(made, shape_of(source)), same_kind)
        return
    if place.base.name:
        context.builder.named(made, place.base.name)
    heap.hold(place.base, made)


def _depends_on_layout(heap: Heap, view: Node) -> bool:
    """Whether a view is a reshape that joins axes: it is a view of the user's array, and not of every array
    that holds the same values."""
    return view.op.name in ("reshape", "ravel") and not heap.layout.keeps_strides(view)


def write_whole(context: Context, target: Node, value: Node, fresh: bool) -> None:
    """All of an array gets a value of its shape.

    fresh: the value was made for this, and nothing else refers to it; it then is the array's new value.
    """
    heap = context.heap
    home = heap.storage(target)
    whole = home is target or heap.homes.get(target) is home
    # Where a dtype is not certain, only the write casts at run time.
    known = value.type.dtype and target.type.dtype and heap.exact.as_array(value)
    if not (fresh and whole and known and target.type.dims != () and _fits_exactly(target, value)):
        write(context, target, WHOLE, [], value, same_kind=fresh)
        return
    place_of(context, target, WHOLE, [])
    if value.type.dtype != target.type.dtype:
        value = arrays.apply(astype, [value], dtype=target.type.dtype)
    if value.type.dims != home.type.dims and home.type.dims is not None:
        # Which lengths are equal may be known in this branch alone: outside they go by the array's own names.
        type = value.type.with_dims(home.type.dims)
        value = context.builder.typed(value.op, value.args, value.attributes, type, value.regions)
    if home.name:
        context.builder.named(value, home.name)
    heap.hold(home, value)


def _fits_exactly(target: Node, value: Node) -> bool:
    if target.type.dims is None or value.type.dims is None:
        return True
    return value.type.kind == "array" and same_dims(target, value)


def same_dims(a: Node, b: Node) -> bool:
    """Whether two arrays are known to have the same shape."""
    if a.type.dims is None or b.type.dims is None or len(a.type.dims) != len(b.type.dims):
        return False
    sizes = current().sizes
    return all(sizes.same(x, y) for x, y in zip(a.type.dims, b.type.dims, strict=True))


def _check_cast(base: Node, value: Node) -> None:
    """Assignment casts from float to int without a word, but not from complex to real."""
    if not (value.type.dtype.startswith("complex") and base.type.dtype):
        return
    if not base.type.dtype.startswith("complex"):
        raise DtypeError(
            f"A complex value cannot be written into an array of {base.type.dtype}.",
            "np.real(...) of it, or a complex array",
        )


def _check_exact(heap: Heap, target: Node, value: Node) -> None:
    """Whether the array may turn out to be one of ints, into which NumPy writes less than the value."""
    if value.type.dtype == "bool" or value.type.dtype.startswith(("int", "uint")):
        return
    if not heap.exact.as_array(heap.storage(target)):
        raise UnsupportedError(
            "Only at run time is the dtype of the array known that is written into, and so whether it holds "
            "fractions.",
            "a `dtype=float` where the array is made, or `.astype(float)`",
        )


def check_operation(target: Node, result: Node, instead: str) -> None:
    """Whether an operation in place may write its result: in shape, and in dtype."""
    check_kind(target, result, instead)
    if target.type.dims is None or result.type.dims is None:
        return
    sizes = current().sizes
    if len(result.type.dims) > len(target.type.dims):
        raise ShapeError("The result has more dimensions than the array it is written into.", instead)
    last = len(target.type.dims) - len(result.type.dims)
    for a, b in zip(target.type.dims[last:], result.type.dims, strict=True):
        have, get = sizes.find(a), sizes.find(b)
        known = isinstance(get, int) or (have == 1 and not may_be_one(get))
        if have != get and isinstance(have, int) and known:
            raise ShapeError(f"A result of {get} elements along an axis does not fit into {have}.", instead)


def check_kind(target: Node, result: Node, instead: str) -> None:
    """Whether an operation in place may write its result: in dtype, by the rule "same_kind"."""
    before, after = target.type.dtype, result.type.dtype
    if before and after:
        weak: Any = {"int": 0, "float": 0.0, "complex": 0j, "bool": False}.get(after)
        source = np.result_type(weak).name if result.type.kind == "number" else after
        if not np.can_cast(source, before, "same_kind"):
            raise DtypeError(
                f"A result of dtype {source} cannot be written into an array of {before}.", instead
            )


# Flat


def write_flat(context: Context, array: Node, key: Any, value: Any) -> None:
    """`array.flat[key] = value`; NumPy repeats a value that is too short, which is not supported."""
    line = reshape(array, make_shape(-1))
    spec, operands = index_of(line, key)
    node = arrays.operand(value)
    chosen = arrays.apply(index, [line, *operands], index=spec)
    if node.type.dims != () and not same_dims(node, chosen):
        raise UnsupportedError(
            "A value whose length may differ from what it replaces is written through `.flat`.",
            "a write by index, `A[i, j] = v`",
        )
    if array.type.rank == 1:
        write(context, array, spec, operands, node)
        return
    _check_cast(array, node)
    given = [context.heap.latest(one) for one in (line, node, *operands)]
    changed = context.builder.unfolded(update, *given, index=spec)
    write(context, array, WHOLE, [], reshape(changed, shape_of(array)))
