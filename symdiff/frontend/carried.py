"""What a loop carries from round to round.

Enters: places and what they hold before the loop and after a round.  Leaves: `Carried`s: the structure of
each place, and for every staged value in it what it is before the loop and a type that holds in every round.
Invariant: the types only grow from attempt to attempt, so that the attempts come to an end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from symdiff.frontend.exact import Forms
from symdiff.frontend.frame import Context, Flow, Frame, Scope
from symdiff.frontend.merge import Merge, Pending, Plan, is_leaf
from symdiff.frontend.regions import Key, Names, Place, own_scope, plan_of
from symdiff.frontend.state import ABSENT, State
from symdiff.frontend.values import POISON
from symdiff.ir import control, types
from symdiff.ir.build import NUMBER_NAMES, current
from symdiff.ir.node import Node
from symdiff.ir.types import Dim, Size, Type
from symdiff.records import dataclass, field


@dataclass(eq=False, slots=True, repr=False)
class Loop:
    """What one loop does.

    bounds: of a `for`; None of a `while`.  test: of a `while`.  body: one round, given the counter.
    read: the names that a round may read before it sets them; later: those that may be read after the loop.
    private: a scope that ends with the loop.  stops: whether it matters afterwards if a jump ended the loop.
    over: the arrays that it reads its items from.
    """

    bounds: tuple[Any, Any, Any] | None
    body: Callable[[Node | None], Flow]
    read: Names | None
    later: Names | None
    assigned: Names = frozenset()
    test: Callable[[], Any] | None = None
    attrs: dict[str, Any] = field(default_factory=dict)
    private: Scope | None = None
    stops: bool = False
    over: Sequence[Node] = ()
    params: set[Node] = field(default_factory=set)  # of all attempts
    inline_test: bool = False  # whether the test changes something, and is evaluated in the body


@dataclass(eq=False, slots=True, repr=False)
class Carried:
    """A place that rounds change.

    initial: by number of a leaf of the plan, what it is before the loop.  type: what it is in every round.
    doubtful: the leaves whose memory other references may share.  forms: what rounds hand on that is of
    another class or dtype than its type says.
    """

    place: Place
    plan: Plan
    initial: dict[int, Any]
    type: dict[int, Type]
    doubtful: set[int] = field(default_factory=set)
    forms: Forms = frozenset()

    @property
    def numbers(self) -> list[int]:
        """Its leaves."""
        return list(self.initial)


def all_names(*names: Names | None) -> Names:
    return frozenset[str]().union(*(one for one in names if one is not None))


def predicted(frame: Frame, loop: Loop, before: State) -> Iterator[tuple[Key, Carried]]:
    """What the first attempt carries: the names that the body sets and may read."""
    context, scope = frame.context, own_scope(frame)
    named = set(map(frame.mangle, loop.assigned))
    if loop.read is not None:
        named &= set(map(frame.mangle, loop.read))
    for name, value in before.scopes[id(scope)][1].items():
        if name in named:
            place = Place("name", scope, name)
            yield place.key, _carried(context, place, Merge(context, rolled=True), value, value)
    inside = loop.private
    while inside is not None and inside.comprehension:
        for name, value in inside.names.items():
            if name.startswith(".") and is_leaf(value):
                place = Place("name", inside, name)
                yield place.key, _carried(context, place, Merge(context, rolled=True), value, value)
        inside = inside.parent


def _carried(context: Context, place: Place, merge: Merge, a: Any, b: Any) -> Carried:
    """A place with these values before the loop and after a round."""
    plan = plan_of(merge, place, a, b)
    initial = {n: merge.leaves[n][0] for n in leaf_numbers(plan)}
    return Carried(place, plan, initial, {n: type_of(value) for n, value in initial.items()})


def leaf_numbers(plan: Plan) -> list[int]:
    """The leaves of a plan, in order, each once."""
    found: dict[int, None] = {}
    pending = [plan]
    while pending:
        one = pending.pop()
        if one.kind in ("leaf", "late", "list"):
            found[one.value] = None
        pending += reversed(one.parts)
    return list(found)


def type_of(value: Any) -> Type:
    """The type of what a leaf holds: a write into an array does not change it."""
    if value is ABSENT:
        return types.UNDEFINED
    if isinstance(value, Pending):
        item = types.UNDEFINED
        for one in value.items:
            item = current().sizes.join(item, type_of(one))
        return types.stack_of(item)
    if isinstance(value, Node):
        return value.type
    if isinstance(value, np.generic):
        return types.array(value.dtype.name, ())
    return types.number(NUMBER_NAMES[type(value)])


class Widening:
    """Types that hold before a loop and after a round; first: the number of the first size that is the loop's
    own."""

    def __init__(self, first: int):
        self.first = first

    def fits(self, after: list[Type], params: list[Type]) -> list[bool]:
        """Whether next values are instances of the types of their parameters, all at once."""
        return control.Fitting(self.first).fit(after, params)

    def met(self, initial: Any, after: Type) -> Type:
        """The type of a place of which these two values are known."""
        type = type_of(initial)
        if type.kind == "undefined":
            return after
        if _is_seed(initial, after):
            return control.seeded(current().sizes, after)
        return type if self.fits([after], [type])[0] else current().sizes.join(type, after)

    def wider(self, initial: Any, type: Type, after: Type) -> Type:
        """A type of which the next value is an instance, where it is none of the one so far."""
        if type.kind == "number" and _is_seed(initial, after):
            return control.seeded(current().sizes, after)
        return self._freed(current().sizes.join(type, after))

    def _freed(self, type: Type) -> Type:
        """The type with a size of its own wherever a length is the loop's own."""
        sizes = current().sizes

        def freed(dim: Dim) -> Dim:
            own = isinstance(dim, Size) and dim.name.startswith("?") and int(dim.name[1:]) >= self.first
            return sizes.fresh(dim) if own else dim

        dims = sizes.resolve(type.dims)
        items = tuple(self._freed(item) for item in type.items)
        return Type(type.kind, type.dtype, None if dims is None else tuple(map(freed, dims)), items)


def _is_seed(initial: Any, after: Type) -> bool:
    """A number that the first round makes an array of: see `ir.control`."""
    constant = (
        initial.is_const if isinstance(initial, Node) else not isinstance(initial, np.generic | Pending)
    )
    return bool(constant and initial is not ABSENT and after.kind == "array" and after.dims)


def is_poisoned(plan: Plan) -> bool:
    """Whether a value in it failed."""
    return (plan.kind == "same" and plan.value is POISON) or any(map(is_poisoned, plan.parts))


def late_leaves(plan: Plan) -> list[int]:
    """The leaves of a plan that are no staged value before the first round."""
    found, pending = [], [plan]
    while pending:
        one = pending.pop()
        if one.kind == "late":
            found.append(one.value)
        pending += one.parts
    return found
