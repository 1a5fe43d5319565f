"""What the evaluator can change, as a whole: taken before a region is evaluated, and put back.

Enters: the open frames.  Leaves: `State`s, and the references in them.  A *place* is where a value stands:

    a name in a scope                  ("name", scope, name)
    the contents of a container        ("content", container): its items or attributes, in order
    a storage in the heap              ("heap", storage): the value that its memory holds

A state holds a copy of what is in every place that can be reached from the open frames.  Containers that
exist outside the function are left out: nothing may change them.  Invariant: places are compared by identity;
the states that are compared keep everything alive that they speak of.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from typing import Any

from symdiff.frontend.arguments import field_of, fields_of
from symdiff.frontend.frame import Context, Frame, Scope
from symdiff.frontend.heap import Values
from symdiff.frontend.values import Absent, Bound, Closure, Partial, StagedList, children
from symdiff.ir.node import Node
from symdiff.records import dataclass, field

ABSENT = Absent()
"""What a place holds that was not set."""

Content = dict[Any, Any]
_ITEMS = (list, deque)
_OPAQUE = (bool, int, float, complex, str, bytes, type(None), type)


@dataclass(eq=False, slots=True, repr=False)
class State:
    """scopes and contents: by id, the owner and a copy of what it held.  values: of the heap."""

    scopes: dict[int, tuple[Scope, dict[str, Any]]] = field(default_factory=dict)
    contents: dict[int, tuple[Any, Content]] = field(default_factory=dict)
    values: dict[Node, Node] = field(default_factory=dict)
    uncertain: dict[Node, Values] = field(default_factory=dict)
    unclear: dict[int, Any] = field(default_factory=dict)

    def name(self, scope: Scope, name: str) -> Any:
        found = self.scopes.get(id(scope))
        return ABSENT if found is None else found[1].get(name, ABSENT)

    def content(self, container: Any) -> Content | None:
        found = self.contents.get(id(container))
        return None if found is None else found[1]


def taken(context: Context, frame: Frame, before: State | None = None) -> State:
    """The state now; of what was in the state `before` too, also where it cannot be reached any more."""
    heap = context.heap
    state = State(values=dict(heap.values), uncertain=dict(heap.uncertain), unclear=dict(context.unclear))
    pending: list[Any] = [*_scopes(frame.scope)]
    for one in context.frames:
        pending += _scopes(one.scope)
    if before is not None:
        pending += [scope for scope, _ in before.scopes.values()]
        pending += [container for container, _ in before.contents.values()]
    pending.reverse()
    while pending:
        value = pending.pop()
        if isinstance(value, (*_OPAQUE, Node)) or id(value) in context.foreign:
            continue
        if isinstance(value, Scope):
            if id(value) not in state.scopes:
                state.scopes[id(value)] = value, dict(value.names)
                pending += [one for one in reversed(value.names.values()) if type(one) is not Node]
        elif is_changeable(value):
            if id(value) not in state.contents:
                content = content_of(value)
                state.contents[id(value)] = value, content
                pending += reversed(list(content.values()))
        else:
            pending += held(value)
    return state


def held(value: Any) -> list[Any]:
    """What a value that does not change refers to."""
    if isinstance(value, Closure):
        return [*_scopes(value.scope), *value.defaults, *value.keyword_defaults.values()]
    if isinstance(value, tuple | Bound | Partial):
        return children(value)
    return []


def _scopes(scope: Scope | None) -> Iterator[Scope]:
    while scope is not None:
        yield scope
        scope = scope.parent


def restore(context: Context, state: State) -> None:
    """Everything as it was."""
    for scope, names in state.scopes.values():
        scope.names = dict(names)
    for container, content in state.contents.values():
        fill(container, content)
    context.heap.restore(state.values)
    context.heap.uncertain = dict(state.uncertain)
    context.unclear = dict(state.unclear)


# Containers


def is_changeable(value: Any) -> bool:
    """Whether a value is a container that the function may change."""
    if isinstance(value, list | dict | set | deque | StagedList):
        return True
    if isinstance(value, tuple | Bound | Partial | Closure) or not hasattr(value, "__class__"):
        return False
    return type(value).__name__ not in ("method", "partial") and fields_of(value) is not None


def content_of(container: Any) -> Content:
    """Items by key, index or attribute; the members of a set under one key."""
    if isinstance(container, StagedList):
        return {"stack": container.stack}
    if isinstance(container, _ITEMS):
        return dict(enumerate(container))
    if isinstance(container, dict):
        return dict(container)
    if isinstance(container, set):
        return {"members": frozenset(container)}
    return {name: field_of(container, name) for name in fields_of(container) or ()}


def fill(container: Any, content: Content) -> None:
    """Put this into a container, and nothing else."""
    if isinstance(container, StagedList):
        container.stack = content["stack"]
    elif isinstance(container, _ITEMS):
        if len(container) != len(content) or any(
            a is not b for a, b in zip(container, content.values(), strict=True)
        ):
            container.clear()
            container.extend(content.values())
    elif isinstance(container, dict):
        dict.clear(container)
        dict.update(container, content)
    elif isinstance(container, set):
        container.clear()
        container.update(content["members"])
    else:
        for name in fields_of(container) or ():
            if name not in content:
                object.__delattr__(container, name)
        for name, value in content.items():
            object.__setattr__(container, name, value)


def empty_like(container: Any) -> Any:
    """A new container of the same class, to be filled."""
    if isinstance(container, deque):
        return deque(maxlen=container.maxlen)
    if isinstance(container, list | dict | set):
        cls: Any = type(container)
        made = cls.__new__(cls)
        if isinstance(container, defaultdict):
            made.default_factory = container.default_factory
        return made
    return object.__new__(type(container))


# References


def leaves_of(context: Context, value: Any, seen: set[int]) -> Iterator[Node]:
    """The staged values in a value; foreign containers included."""
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, Node):
            yield one
        elif not isinstance(one, _OPAQUE) and id(one) not in seen:
            seen.add(id(one))
            if isinstance(one, Scope):
                pending += one.names.values()
            elif is_changeable(one):
                pending += content_of(one).values()
            else:
                pending += held(one)
