"""What it costs on the way back to have a forward value again.

Enters: a forward value.  Leaves: how many operations on scalars it takes, `NEVER` where it cannot or should
not be computed again.  Invariant: nothing that costs less reads memory that was overwritten, or calls a
function that is dearer than a push and a pop.
"""

from __future__ import annotations

from symdiff.autodiff.memory import Homes
from symdiff.autodiff.places import Place, Places
from symdiff.ir.build import Builder, current
from symdiff.ir.node import FOLDS, Node, Region
from symdiff.ops.control import is_view
from symdiff.ops.row import row_for

MOST = 2
_PLAIN = ("add", "subtract", "multiply", "negative")
_WHOLE = (*_PLAIN, "floor_divide", "remainder", "builtins.max", "builtins.min")
_LOGIC = (
    "less", "less_equal", "greater", "greater_equal", "equal", "not_equal",
    "logical_and", "logical_or", "logical_not", "item", "astype", "to_float",
)  # fmt: skip
MEASURES = ("shape", "size", "length")
_FREE = ("shape", "size", "length", "make_shape", "stack_length")
NEVER = 100


class Costs:
    """Costs for a state of the plan: what is saved, and what is known from the iteration behind."""

    def __init__(self, homes: Homes, counted: set[Region]):
        self.homes = homes
        self.counted = counted
        self.places = Places(homes)
        self.saved: dict[Node, None] = {}
        self.shifted: dict[Node, tuple[Region, int]] = {}

    def of(self, value: Node, kept: bool = False) -> int:
        """What it costs to have a value again; kept: with one array operation on what is saved anyway."""
        if value not in self.homes.region or value in self.saved or value in self.shifted or value.is_const:
            return 0
        if value in self.homes.carried:
            return 0 if self.is_counter(value) else NEVER
        if self.is_measured_elsewhere(value):
            return 0
        row = row_for(value)
        if row is None or value.regions or not value.op.pure:
            return NEVER
        cost = self.own_cost(value, kept)
        if cost < NEVER:
            cost += sum(self.of(arg, kept) for arg in value.args)
        if cost > MOST and (place := self.places.of(value)) is not None:
            return sum(self.of(operand, kept) for operand in place.operands)
        return cost

    def sources(self, value: Node) -> tuple[Node, ...]:
        """What a value is computed from again: its operands, or those of the place where it still stands."""
        if self.is_measured_elsewhere(value):
            return ()
        place = self.place(value)
        return value.args if place is None else place.operands

    def place(self, value: Node) -> Place | None:
        """The place where a value is read again because its operands are dearer."""
        cost = self.own_cost(value, True)
        if cost < NEVER and cost + sum(self.of(arg, True) for arg in value.args) <= MOST:
            return None
        return self.places.of(value)

    def own_cost(self, value: Node, kept: bool) -> int:
        """What the operation alone costs."""
        name, scalar = value.op.name, value.type.dims == ()
        if name in _FREE:
            return 0
        if name == "index" or is_view(value):
            read = value.args[0]
            return 0 if read in self.saved or not self.homes.is_overwritten(read) else NEVER
        if scalar and all(arg.type.dims == () for arg in value.args):
            whole = value.type.dtype.startswith("int")
            if whole and name in _WHOLE:
                return 0
            power = name == "power" and value.args[1].is_const
            if power or name in (*_PLAIN, *_LOGIC, "divide", "square"):
                return 1
            return NEVER
        arrays = [arg for arg in value.args if arg.type.dims != ()]
        if kept and name in _PLAIN and all(self.is_there(arg) for arg in arrays):
            return MOST
        return NEVER

    def is_there(self, value: Node) -> bool:
        """Whether an array is in scope or saved on the way back, and its memory still holds it."""
        if value in self.saved or value in self.shifted:
            return True
        return value not in self.homes.region and not self.homes.is_overwritten(value)

    def is_counter(self, value: Node) -> bool:
        return self.homes.carried[value][1] < 0 and self.homes.region[value] in self.counted

    def is_measured_elsewhere(self, value: Node) -> bool:
        """Whether a shape or length is that of an argument too."""
        return value.op.name in MEASURES and measured(value) is not None


def measured(value: Node) -> Node | None:
    """The same shape or length, taken from an argument, as a new node; None where none has it."""
    builder = current()
    with Builder(builder.sizes, primal=False) as scratch:
        scratch.params = builder.params
        found = FOLDS[value.op.name](*value.args, **value.attributes)
    held = found is not None and (found.is_const or found.args[0] in builder.params)
    return found if held else None
