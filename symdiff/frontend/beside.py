"""What a rule of the user's gives, beside what it is a derivative of.

Enters: a value, its derivative as a rule returned it, and the rule's name.  Leaves: the numbers and arrays of
the value that have derivatives, each with its own.  Invariant: containers agree, so do shapes, as far as they
are known, and no complex number stands for a real one; what is not known is asked at run time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from symdiff.errors import DtypeError, ShapeError
from symdiff.frontend import arrays
from symdiff.frontend.arguments import field_of, fields_of
from symdiff.frontend.values import has_staged, kind_name
from symdiff.ir.build import current
from symdiff.ir.node import Node
from symdiff.ir.types import may_be_one
from symdiff.ops import infer
from symdiff.ops.row import REGISTRY
from symdiff.ops.shaping import shape_of


class Beside:
    """Goes through a value and its derivative side by side.

    leaves, parts: the numbers and arrays that have derivatives, and what the rule gives for each.
    """

    def __init__(self, name: str):
        self.name = name
        self.leaves: list[Node] = []
        self.parts: list[Node | None] = []

    def visit(self, value: Any, part: Any, where: str) -> None:
        if isinstance(value, Node) and has_derivative(value):
            self.leaves.append(value)
            self.parts.append(None if is_nothing(part) else self.fitted(value, part, where))
        elif isinstance(value, Node | int | float | complex) or not has_staged(value):
            if part is not None and not arrays.is_operand(part) and not _are_alike(value, part):
                raise self.mismatch(value, part, where)
        else:
            for one, given, place in self.paired(value, part, where):
                self.visit(one, given, place)

    def paired(self, value: Any, part: Any, where: str) -> Iterator[tuple[Any, Any, str]]:
        """The items of a container with those of its derivative."""
        items = _items(value)
        if part is None:
            yield from ((one, None, where) for one in items.values())
            return
        found = _items(part) if _are_alike(value, part) else {}
        if found.keys() != items.keys():
            raise self.mismatch(value, part, where)
        for key, one in items.items():
            yield one, found[key], f"{where}[{key!r}]"

    def fitted(self, value: Node, part: Any, where: str) -> Node:
        """What the rule gives for a number or an array."""
        if not isinstance(part, Node) and not arrays.is_operand(part):
            raise self.mismatch(value, part, where)
        given = arrays.operand(part)
        have, want = infer.numpy_dtype(given), infer.numpy_dtype(value)
        if have.startswith("complex") and want and not want.startswith("complex"):
            raise DtypeError(
                f"The rule `{self.name}` gives complex numbers for {where}, which is real.",
                "np.real(...) of them",
            )
        return self.shaped(value, given, where)

    def shaped(self, value: Node, given: Node, where: str) -> Node:
        sizes = current().sizes
        have, want = sizes.resolve_computed(given.type.dims), sizes.resolve_computed(value.type.dims)
        if have is None or want is None or have == want:
            return given
        pairs = [*zip(have, want, strict=False)]
        if len(have) != len(want) or any(_never_equal(a, b) for a, b in pairs):
            raise ShapeError(
                f"The rule `{self.name}` gives {_shape(have)} for {where}, which is {_shape(want)}.",
                "a derivative of the same shape: np.sum(..., axis=...) over what was broadcast",
            )
        return arrays.apply(REGISTRY["broadcast_to"], [given, shape_of(value)])  # raises if they differ

    def mismatch(self, value: Any, part: Any, where: str) -> ShapeError:
        return ShapeError(
            f"The rule `{self.name}` gives a {kind_name(part)} for {where}, which is a {kind_name(value)}.",
            "the structure of what it is a derivative of, None where there is no derivative",
        )


def _never_equal(a: Any, b: Any) -> bool:
    if isinstance(a, int) and isinstance(b, int):
        return a != b
    one, other = (a, b) if isinstance(a, int) else (b, a)
    return one == 1 and not may_be_one(other)


def _shape(dims: Sequence[Any]) -> str:
    if not dims:
        return "a scalar"
    return f"an array of shape ({', '.join(map(str, dims))}{',' * (len(dims) == 1)})"


def is_nothing(part: Any) -> bool:
    """None, or the number zero."""
    zero = isinstance(part, int | float | complex) and part == 0
    return part is None or zero or (isinstance(part, Node) and part.is_const and part.value == 0)


def _are_alike(value: Any, part: Any) -> bool:
    """Whether one container may stand for the other: an object may come as a dict of its attributes."""
    for kind in (list, tuple):
        if isinstance(value, kind):
            return isinstance(part, list | tuple)
    if isinstance(value, dict):
        return isinstance(part, dict)
    return type(value) is type(part) or isinstance(part, dict)


def _items(value: Any) -> dict[Any, Any]:
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, list | tuple):
        return dict(enumerate(value))
    return {name: field_of(value, name) for name in fields_of(value) or ()}


def has_derivative(node: Node) -> bool:
    dtype = node.type.dtype
    return node.type.kind in ("array", "number") and (
        not dtype or dtype.startswith(("float", "complex", "longdouble"))
    )


def leaves(value: Any) -> Iterator[Node]:
    """The staged values in a value, in order, as often as they stand in it."""
    if isinstance(value, Node):
        yield value
    elif has_staged(value):
        for one in _items(value).values():
            yield from leaves(one)
