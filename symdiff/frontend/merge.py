"""Two values of one place become one: what a branch, or a round of a loop, makes of a place.

Enters: for each place the values that it holds on the two sides (then and otherwise; before a loop and after
a round).  Leaves: a `Plan`: the structure that both have, with numbered leaves where the staged values stand;
and from nodes for the leaves the value itself.  Invariant: what is one container, or one array, on both sides
is one afterwards; where only run time knows which object it is there is a `Missing`, an error when read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from symdiff.errors import UnsupportedError
from symdiff.frontend import arrays
from symdiff.frontend.frame import Context
from symdiff.frontend.state import ABSENT, content_of, empty_like, fill, is_changeable
from symdiff.frontend.values import POISON, Bound, Closure, Missing, ShapeTuple, StagedList, kind_name
from symdiff.ir.control import UNDEFINED
from symdiff.ir.node import Node
from symdiff.ops.stacks import new_stack, push
from symdiff.records import dataclass

Nodes = Sequence[Any] | Mapping[int, Any]
"""By number of a leaf, its node."""
_NUMBERS = (bool, int, float, complex, np.generic)
_PLAIN = (str, bytes, range, type, np.dtype, frozenset)


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Plan:
    """kind: "same" (`value`, on both sides), "leaf" (number `value`), "late" (such a leaf, which is None on
    the first side), "mixed"
    (`value`: what is said when it is read), "tuple" (`value`: its class), "container" (`value`: an example),
    "list" (one that grows; the number of its leaf), "again" (a container met before: `value` is its plan)."""

    kind: str
    value: Any = None
    keys: tuple[Any, ...] = ()
    parts: tuple[Plan, ...] = ()


def same_form(a: Plan, b: Plan) -> bool:
    """Whether two plans have the same structure, with the same leaves in the same order."""
    if a.kind != b.kind or a.keys != b.keys or len(a.parts) != len(b.parts):
        return False
    if a.kind == "same" and not (a.value is b.value or _equal(a.value, b.value)):
        return False
    if a.kind == "tuple" and a.value is not b.value:
        return False
    return all(map(same_form, a.parts, b.parts))


class Merge:
    """Plans for the values of several places; leaves: by number, the values on the two sides.

    rolled: of a loop: every number and every node is a leaf, and what was no array before the first round may
    be one after it.  inside: the nodes of the regions: what is not among them needs no result where the other
    side has nothing.
    """

    def __init__(self, context: Context, *, rolled: bool = False, inside: Collection[Node] = ()):
        self.context = context
        self.rolled = rolled
        self.inside = inside
        self.leaves: list[tuple[Any, Any]] = []
        self._numbers: dict[tuple[int, int], int] = {}
        self._met: dict[tuple[int, int], list[Plan]] = {}
        self._open: set[tuple[int, int]] = set()
        self._built: dict[int, Any] = {}
        self.containers: list[tuple[Any, tuple[Any, Any]]] = []  # made, and what it stands for
        self._keep: list[Any] = []

    def plan(self, a: Any, b: Any) -> Plan:
        """How to put two values together."""
        if a is POISON or b is POISON:
            return Plan("same", POISON)
        if is_leaf(a) and is_leaf(b):
            return self._leaves(a, b)
        if a is b:
            return Plan("same", a)
        if a is ABSENT or b is ABSENT:
            return self._one_sided(a, b)
        if isinstance(a, StagedList | list) and isinstance(b, StagedList | list):
            return self._lists(a, b)
        if is_changeable(a) and is_changeable(b) and type(a) is type(b):
            return self._containers(a, b)
        if isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b):
            return self._tuples(a, b)
        if _equal(a, b):
            return Plan("same", a)
        if self.rolled and a is None and (is_leaf(b)):
            return Plan("late", self.leaf(ABSENT, b))
        if isinstance(a, Missing) or isinstance(b, Missing):
            return Plan("same", a if isinstance(a, Missing) else b)
        return Plan("mixed", _difference(a, b))

    def leaf(self, a: Any, b: Any) -> int:
        """The number of the leaf with these values."""
        key = id(a), id(b)
        if self.rolled or key not in self._numbers or not (isinstance(a, Node) or isinstance(b, Node)):
            self._numbers[key] = len(self.leaves)
            self.leaves.append((a, b))
        return self._numbers[key]

    def _leaves(self, a: Any, b: Any) -> Plan:
        if a is b is ABSENT or (not self.rolled and _equal(a, b)):
            return Plan("same", a)
        if not self.rolled and (a is ABSENT or b is ABSENT):
            value = b if a is ABSENT else a
            if not isinstance(value, Pending) and value not in self.inside:
                return Plan("same", value)
        return Plan("leaf", self.leaf(a, b))

    def _one_sided(self, a: Any, b: Any) -> Plan:
        """A value that is set on one side only: its arrays are undefined on the other."""
        value = b if a is ABSENT else a
        if isinstance(value, StagedList | list) or is_changeable(value):
            return self._containers(a, b)
        if isinstance(value, tuple) and value:
            return self._tuples(a, b)
        return Plan("same", value)

    def _tuples(self, a: Any, b: Any) -> Plan:
        cls = _class(a if b is ABSENT else b)
        if ABSENT not in (a, b) and _class(a) is not cls:
            return Plan("mixed", _difference(a, b))
        return Plan("tuple", cls, (), self._parts(a, b, range(len(b if a is ABSENT else a))))

    def _parts(self, a: Any, b: Any, keys: Any) -> tuple[Plan, ...]:
        def part(value: Any, key: Any) -> Any:
            return ABSENT if value is ABSENT else value[key]

        return tuple([self.plan(part(a, key), part(b, key)) for key in keys])

    def _containers(self, a: Any, b: Any) -> Plan:
        key = id(a), id(b)
        self._keep.append((a, b))
        if key in self._open:
            raise UnsupportedError("A container that contains itself is changed in a branch or loop.")
        if key in self._met:
            return self._met[key][0]
        self._open.add(key)
        first, second = (ABSENT if one is ABSENT else content_of(one) for one in (a, b))
        plan = self.content(first, second, a if b is ABSENT else b)
        self._open.discard(key)
        self._met[key] = [Plan("container", (a, b), plan.keys, plan.parts)]
        return self._met[key][0]

    def content(self, a: Any, b: Any, container: Any) -> Plan:
        """How to put the contents of a container together; raises where its keys differ."""
        keys = tuple(b if a is ABSENT else a)
        if ABSENT not in (a, b) and set(a) != set(b):
            if isinstance(container, list):
                raise Grown(container)
            if isinstance(container, dict | deque):
                raise UnsupportedError(
                    f"Which items a {type(container).__name__} has is known only at run time.",
                    "the same keys on every way, or an array",
                )
            keys = tuple(dict.fromkeys([*a, *b]))
            a, b = ({key: one.get(key, ABSENT) for key in keys} for one in (a, b))
        return Plan("content", None, keys, self._parts(a, b, keys))

    def _lists(self, a: Any, b: Any) -> Plan:
        """Lists of one length stay lists; of others they become a stack."""
        staged = isinstance(a, StagedList) or isinstance(b, StagedList)
        if not staged and len(a) == len(b):
            return self._containers(a, b)
        if staged and isinstance(a, list) is not isinstance(b, list):
            raise Grown(a if isinstance(a, list) else b)
        return Plan("list", self.leaf(_stack_of(a), _stack_of(b)), ())

    # Values

    def build(self, plan: Plan, nodes: Nodes) -> Any:
        """The value, with nodes for its leaves."""
        if plan.kind == "same":
            return plan.value
        if plan.kind in ("leaf", "late"):
            return nodes[plan.value]
        if plan.kind == "mixed":
            return Missing(f"Only at run time is it known {plan.value}.", "arrays or numbers in both cases")
        if plan.kind == "tuple":
            return _tuple(plan.value, [self.build(part, nodes) for part in plan.parts])
        found = self._built.get(id(plan))
        if found is not None:
            return found
        self._keep.append(plan)
        if plan.kind == "list":
            made: Any = StagedList(nodes[plan.value])
            self._built[id(plan)] = made
            return made
        a, b = plan.value
        made = self._built[id(plan)] = empty_like(a if b is ABSENT else b)
        fill(made, self.build_content(plan, nodes))
        self.containers.append((made, plan.value))
        return made

    def build_content(self, plan: Plan, nodes: Nodes) -> dict[Any, Any]:
        values = [self.build(part, nodes) for part in plan.parts]
        return {key: value for key, value in zip(plan.keys, values, strict=True) if value is not ABSENT}


class Grown(Exception):
    """A list whose length only run time knows: it has to be a staged one before the region."""

    def __init__(self, container: list[Any]):
        super().__init__()
        self.container = container


class Pending:
    """A list that becomes a stack: its items are pushed where the leaf is needed."""

    def __init__(self, items: list[Any]):
        self.items = items


def _stack_of(value: Any) -> Any:
    if isinstance(value, StagedList):
        return value.stack
    for item in value:
        if not is_leaf(item):
            raise UnsupportedError(
                f"A list to which a loop or branch appends holds a {kind_name(item)}.",
                "a list of arrays or numbers for each part",
            )
    return Pending(list(value))


def is_leaf(value: Any) -> bool:
    """Whether a value can be staged: a node, a number, or nothing at all."""
    return value is ABSENT or isinstance(value, (Node, Pending, *_NUMBERS))


def node_of(context: Context, value: Any) -> Node:
    """The value of a leaf as a node in the open region."""
    if value is ABSENT:
        return UNDEFINED()
    if isinstance(value, Pending):
        stack = new_stack()
        for item in value.items:
            stack = push(stack, arrays.operand(item))
        return stack
    return context.heap.latest(arrays.operand(value))


def _class(value: Any) -> Any:
    return tuple if isinstance(value, ShapeTuple) else type(value)


def _tuple(cls: Any, values: list[Any]) -> Any:
    return tuple.__new__(cls, values)


def _equal(a: Any, b: Any) -> bool:
    """Whether two compile-time values are as good as one."""
    if a is b:
        return True
    if isinstance(a, Bound) and isinstance(b, Bound):
        return a.function is b.function and a.owner is b.owner
    if isinstance(a, Closure) and isinstance(b, Closure):
        given = [(*one.defaults, *one.keyword_defaults.values()) for one in (a, b)]
        same = a.node is b.node and a.scope is b.scope and len(given[0]) == len(given[1])
        return same and all(map(_equal, *given))
    if isinstance(a, slice) and isinstance(b, slice):
        return all(
            not isinstance(v, Node) and type(v) is type(w) and v == w
            for v, w in zip((a.start, a.stop, a.step), (b.start, b.stop, b.step), strict=True)
        )
    if type(a) is type(b) and isinstance(a, _PLAIN):
        return bool(a == b)
    return is_number(a) and is_number(b) and type(a) is type(b) and repr(a) == repr(b)


def is_number(value: Any) -> bool:
    return isinstance(value, _NUMBERS)


def _difference(a: Any, b: Any) -> str:
    kinds = ["None" if one is None else kind_name(one).replace("ndarray", "array") for one in (a, b)]
    if kinds[0] == kinds[1]:
        return f"which {kinds[0]} this is"
    words = [kind if kind == "None" else f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}" for kind in kinds]
    return f"whether this is {words[0]} or {words[1]}"
