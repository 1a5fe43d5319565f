"""What a loop goes over without being written out: ranges, arrays, staged lists, and `zip`, `enumerate` and
`reversed` of them.

Enters: iterables.  Leaves: a `Counted`: the range that a loop counts through, and the item at each count.
Invariant: items of an array are views of the reference, taken when they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symdiff.errors import UserError
from symdiff.frontend import arrays
from symdiff.frontend.frame import Frame, call
from symdiff.frontend.lists import item
from symdiff.frontend.values import Rolled, StagedList
from symdiff.ir.build import current
from symdiff.ir.node import OPERATORS, Node
from symdiff.ops.row import REGISTRY
from symdiff.ops.stacks import stack_length
from symdiff.records import dataclass

Bound = int | Node


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Counted:
    """start, stop, step: as of a range, which is gone through from its end where `reverse` is set."""

    start: Bound
    stop: Bound
    step: Bound
    item: Callable[[Bound], Any]
    reverse: bool = False

    @property
    def known(self) -> range | None:
        """The range, where it is known while compiling."""
        bounds = self.start, self.stop, self.step
        if any(isinstance(bound, Node) for bound in bounds):
            return None
        made = range(*bounds)  # type: ignore[arg-type]
        return made[::-1] if self.reverse else made


def is_rolled(value: Any) -> bool:
    """Whether a loop over this is kept as a loop."""
    if isinstance(value, Node):
        return value.type.kind == "array" and value.type.dims != ()
    return isinstance(value, range | Rolled | StagedList)


def counted(frame: Frame, value: Any) -> Counted:
    """How a loop goes over this."""
    if isinstance(value, range):
        return Counted(value.start, value.stop, value.step, lambda i: i)
    if isinstance(value, Rolled) and value.kind == "range":
        start, stop, step = value.parts
        return Counted(start, stop, step, lambda i: i)
    if isinstance(value, Rolled) and value.kind == "reversed":
        inner = counted(frame, value.parts[0])
        return Counted(inner.start, inner.stop, inner.step, inner.item, not inner.reverse)
    return Counted(0, length_of(value), 1, lambda i: item_of(frame, value, i))


def arrays_in(value: Any) -> list[Node]:
    """The arrays that a loop reads its items from."""
    if isinstance(value, Rolled):
        return [node for part in value.parts for node in arrays_in(part)]
    return [value] if isinstance(value, Node) and value.type.kind == "array" else []


def length_of(value: Any) -> Bound:
    """`len` of what a loop goes over."""
    if isinstance(value, range):
        return len(value)
    if isinstance(value, StagedList):
        return stack_length(value.stack)
    if isinstance(value, Node):
        found: Bound = arrays.first_length(value)
        return found
    if value.kind == "range":
        return _range_length(*value.parts)
    if value.kind == "islice":
        start, stop, step = value.start
        whole = length_of(value.parts[0])
        return _range_length(start, whole if stop is None else _lesser(stop, whole), step)
    lengths = [length_of(part) for part in value.parts]
    shortest = lengths[0]
    for one in lengths[1:]:
        shortest = _lesser(shortest, one)
    return shortest


def _range_length(start: Bound, stop: Bound, step: Bound) -> Bound:
    """The number of rounds of a range: no less than zero."""
    if not any(isinstance(bound, Node) for bound in (start, stop, step)):
        return len(range(start, stop, step))  # type: ignore[arg-type]
    span: Any = stop if start == 0 and type(start) is int else _apply("subtract", stop, start)
    if not (isinstance(step, int) and step == 1):
        span = _apply("negative", _apply("floor_divide", span, _apply("negative", step)))
    row = REGISTRY["builtins.max"]
    return arrays.apply(row, [span, arrays.operand(0)])


def _lesser(a: Bound, b: Bound) -> Bound:
    if isinstance(a, int) and isinstance(b, int):
        return min(a, b)
    if same_length(a, b):
        return a
    return arrays.apply(REGISTRY["builtins.min"], [arrays.operand(a), arrays.operand(b)])


def same_length(a: Bound, b: Bound) -> bool:
    """Whether two lengths are known to be equal."""
    if a is b:
        return True
    if not (isinstance(a, Node) and isinstance(b, Node) and a.op is b.op and a.op.name == "length"):
        return False
    dims = [node.args[0].type.dims for node in (a, b)]
    if dims[0] is None or dims[1] is None:
        return False
    return current().sizes.same(dims[0][a.attr("axis")], dims[1][b.attr("axis")])


def _apply(name: str, *operands: Bound) -> Bound:
    """An operator on ints, at once where they are known."""
    if not any(isinstance(one, Node) for one in operands):
        functions: dict[str, Callable[..., int]] = {
            "subtract": lambda a, b: a - b,
            "add": lambda a, b: a + b,
            "multiply": lambda a, b: a * b,
            "negative": lambda a: -a,
            "floor_divide": lambda a, b: a // b,
        }
        return functions[name](*operands)
    return arrays.apply(OPERATORS[name], [arrays.operand(one) for one in operands])


def item_of(frame: Frame, value: Any, i: Bound) -> Any:
    """The item at a place, counted from zero."""
    if isinstance(value, range):
        return (
            value[i] if isinstance(i, int) else _apply("add", value.start, _apply("multiply", i, value.step))
        )
    if isinstance(value, StagedList):
        return item(frame.context, value, i)
    if isinstance(value, Node):
        if isinstance(i, int):
            return arrays.apply(REGISTRY["index"], [value], index=(("int", i),))
        return arrays.apply(REGISTRY["index"], [value, i], index=(("arg", 0),))
    if value.kind == "range":
        start, _, step = value.parts
        steps = i if step == 1 and isinstance(step, int) else _apply("multiply", i, step)
        return steps if start == 0 and isinstance(start, int) else _apply("add", start, steps)
    if value.kind == "zip":
        return tuple([item_of(frame, part, i) for part in value.parts])
    if value.kind == "enumerate":
        first = value.start
        place = i if first == 0 and isinstance(first, int) else _apply("add", i, first)
        return (place, item_of(frame, value.parts[0], i))
    if value.kind == "map":
        return call(frame, value.function, [item_of(frame, part, i) for part in value.parts], {})
    if value.kind == "islice":
        start, _, step = value.start
        return item_of(frame, value.parts[0], item_of(frame, Rolled("range", (start, None, step)), i))
    last = _apply("subtract", length_of(value.parts[0]), 1)
    return item_of(frame, value.parts[0], _apply("subtract", last, i))


def of_range(bounds: list[Any]) -> range | Rolled:
    """`range(...)` of these bounds."""
    if not 1 <= len(bounds) <= 3:
        raise UserError(f"TypeError: range expected at most 3 arguments, got {len(bounds)}")
    start, stop, step = {1: [0, *bounds, 1], 2: [*bounds, 1], 3: bounds}[len(bounds)]
    return Rolled("range", (start, stop, step))
