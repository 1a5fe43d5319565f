"""Writing into arrays, as functions: `update` is the array with some of it replaced.

`update(base, value, *operands, index=..., view=...)` is what `base<view>[index] = value` makes of `base`;
the index has the form that `ops.indexing` defines.  `view` is the tuple of steps from the array to the view
that is written into, each ("index", entries), ("transpose", axes or None), ("reshape", shape), of ints, or
("arg", k) for a staged one, ("real",) or ("imag",).  All steps and the index share the operands.  The value
is broadcast to the place and cast to the array's dtype.  The backends write in place where nobody reads the
old array any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symdiff.errors import ShapeError
from symdiff.ir.build import Builder, current
from symdiff.ir.node import Node
from symdiff.ir.types import Dims, Type, may_be_one
from symdiff.ops import infer
from symdiff.ops.arithmetic import equal
from symdiff.ops.creation import arange
from symdiff.ops.elementwise import where
from symdiff.ops.indexing import Index, index
from symdiff.ops.row import Row, linear
from symdiff.ops.shaping import imag, make_shape, real, reshape, shape_of, size, transpose, zeros_like

View = tuple[tuple[Any, ...], ...]


def _infer_update(base: Node, value: Node, *operands: Node, index: Index = (), view: View = ()) -> Type:
    sizes = current().sizes
    with Builder(sizes, primal=False):
        target = at(base, operands, index, view).type  # raises where the index does not fit
    if target.dims is not None and value.type.dims is not None:
        _check_fits(target.dims, value.type.dims, all(entry[0] in ("int", "arg") for entry in index))
    return infer.like(base)


def _check_fits(place: Dims, value: Dims, element: bool) -> None:
    """Whether a value can be broadcast into a place; equalities that it demands are recorded.

    element: the index has one entry for each axis, so that a place without axes takes nothing else.
    """
    sizes = current().sizes
    extra = len(value) - len(place)
    if extra > 0 and (not place and element):
        raise ShapeError("An array is written into a single element.", "an element of it, or a slice")
    if any(sizes.find(dim) != 1 and not may_be_one(sizes.find(dim)) for dim in value[: max(extra, 0)]):
        raise ShapeError("The value has more dimensions than the place that it is written into.")
    pairs = zip(place[max(-extra, 0) :], value[max(extra, 0) :], strict=True)
    for into, dim in ((sizes.find(a), sizes.find(b)) for a, b in pairs):
        if sizes.is_stretched_from(dim, into):  # it is not shorter, and only 1 or the same length fits
            sizes.unify(dim, into)
            continue
        if dim == 1 or may_be_one(dim) or may_be_one(into):
            continue
        if into == 1:
            raise ShapeError(f"A value of {dim} elements along an axis is written into a place of 1.")
        sizes.unify(into, dim)


def _transposed_update(
    h: Node, i: int, base: Node, value: Node, *operands: Node, index: Index = (), view: View = ()
) -> Node | None:
    """The base lost what was overwritten, the value has what is read there: of repeated places the last one
    wrote."""
    if i == 0:
        at(h, operands, index, view)  # read for the value's cotangent before it is overwritten
        return update(h, 0.0, *operands, index=index, view=view)
    if i == 1:
        g = at(h, operands, index, view)
        if ("imag",) in view:  # the real part of 1j * g * value
            g = -g
        return where(_wrote(base, operands, index, view), g, 0.0) if _may_repeat(operands, index) else g
    return None


# `base` with `value` written into `base<view>[index]`.
update: Row = linear(
    None,
    "base, value, *operands, index=(), view=()",
    _infer_update,
    name="update",
    transpose=_transposed_update,
)


def at(base: Node, operands: Sequence[Node], spec: Index, view: View = ()) -> Node:
    """What stands at an index of a view of an array."""
    for step in view:
        base = _viewed(base, step, operands)
    used, entries = _used(operands, spec)
    return index(base, *used, index=entries)


def _viewed(base: Node, step: tuple[Any, ...], operands: Sequence[Node]) -> Node:
    kind, *data = step
    if kind == "index":
        used, entries = _used(operands, data[0])
        return index(base, *used, index=entries)
    if kind == "reshape":
        lengths = [operands[part[1]] if isinstance(part, tuple) else part for part in data[0]]
        return reshape(base, make_shape(*lengths))
    if kind == "transpose":
        return transpose(base, axes=data[0])
    return {"real": real, "imag": imag}[kind](base)


def _used(operands: Sequence[Node], spec: Index) -> tuple[tuple[Node, ...], Index]:
    """The operands that an index needs, and the index that counts these alone."""
    used: list[Node] = []

    def renumbered(part: Any) -> Any:
        if not (isinstance(part, tuple) and len(part) == 2 and part[0] == "arg"):
            return part
        used.append(operands[part[1]])
        return ("arg", len(used) - 1)

    entries = tuple(
        renumbered(entry) if entry[0] == "arg" else (entry[0], *map(renumbered, entry[1:])) for entry in spec
    )
    return tuple(used), entries


def _may_repeat(operands: Sequence[Node], spec: Index) -> bool:
    """Whether an index may name one place twice: integer arrays may, slices, integers and masks do not."""
    chosen = [operands[entry[1]].type for entry in spec if entry[0] == "arg"]
    return any(one.dtype != "bool" and one.dims != () for one in chosen)


def _wrote(base: Node, operands: Sequence[Node], spec: Index, view: View) -> Node:
    """Which entries of an index with repeats were the last to be written into their place."""
    places = zeros_like(base, dtype="int64")
    view = tuple(step for step in view if step[0] not in ("real", "imag"))  # places are the same in either
    chosen = at(places, operands, spec, view)
    order = reshape(arange(size(chosen)), shape_of(chosen))
    last = update(places, order, *operands, index=spec, view=view)
    return equal(at(last, operands, spec, view), order)
