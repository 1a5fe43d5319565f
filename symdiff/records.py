"""`dataclasses.dataclass` at a third of its cost at import: symdiff starts with sixty of these classes.

Enters: a class with annotated fields.  Leaves: the data class that `dataclasses` would make of it, for what
symdiff asks of one: `init`, `eq`, `frozen`, `slots`, defaults, `replace` and `fields`.  Invariant: the same
behaviour; of the methods only `__init__` is compiled for its class, the others go through the fields.
"""

from __future__ import annotations

import dataclasses
import operator
from dataclasses import MISSING, FrozenInstanceError, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(cls=None, /, *, eq=True, repr=True, frozen=False, slots=False):
        """As `dataclasses.dataclass`."""

        def made(cls):
            if cls.__doc__ is None:
                cls.__doc__ = f"{cls.__name__}."  # or its signature is asked for
            for name, method in _methods(eq, repr, frozen, slots).items():
                if name not in cls.__dict__:
                    setattr(cls, name, method)
            cls = dataclasses.dataclass(cls, init=False, eq=False, repr=False, slots=slots)
            cls.__record_key__ = _key_of([one.name for one in dataclasses.fields(cls) if one.compare])
            if "__init__" not in cls.__dict__:
                cls.__init__ = _init_of(cls, frozen)
            return cls

        return made if cls is None else made(cls)


def _methods(eq: bool, repr: bool, frozen: bool, slots: bool) -> dict[str, Any]:
    methods: dict[str, Any] = {}
    if eq:
        methods |= {"__eq__": _eq, "__hash__": _hash if frozen else None}
    if repr:
        methods["__repr__"] = _repr
    if frozen:
        methods |= {"__setattr__": _refuse, "__delattr__": _refuse}
        if slots:
            methods |= {"__getstate__": _state, "__setstate__": _set_state}
    return methods


def _init_of(cls: Any, frozen: bool) -> Any:
    """`__init__` over the fields, each with its default, or with what the factory makes."""
    given: dict[str, Any] = {"set_": object.__setattr__, "missing": MISSING}
    parameters, lines = ["self"], []
    for one in dataclasses.fields(cls):
        value = one.name
        if one.default_factory is not MISSING:
            given[f"make_{one.name}"] = one.default_factory
            made = f"make_{one.name}()"
            value = f"{made} if {one.name} is missing else {one.name}" if one.init else made
            parameters += [f"{one.name}=missing"] * one.init
        elif one.default is not MISSING:
            given[f"default_{one.name}"] = one.default
            parameters += [f"{one.name}=default_{one.name}"] * one.init
            value = one.name if one.init else f"default_{one.name}"
        elif one.init:
            parameters.append(one.name)
        else:
            continue  # `__post_init__` sets it
        lines.append(f"set_(self, {one.name!r}, {value})" if frozen else f"self.{one.name} = {value}")
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    text = f"def __init__({', '.join(parameters)}):\n    " + "\n    ".join(lines or ["pass"])
    exec(text, given)
    return given["__init__"]


def _key_of(names: list[str]) -> Any:
    """What two records are compared by: always a tuple, as in the standard library."""
    if len(names) > 1:
        return operator.attrgetter(*names)
    return staticmethod(lambda one: tuple(getattr(one, name) for name in names))


def _eq(self: Any, other: object) -> Any:
    key, same = self.__class__.__record_key__, self.__class__ is other.__class__
    return key(self) == key(other) if same else NotImplemented


def _hash(self: Any) -> int:
    return hash(self.__class__.__record_key__(self))


def _repr(self: Any) -> str:
    shown = (f"{one.name}={getattr(self, one.name)!r}" for one in dataclasses.fields(self) if one.repr)
    return f"{self.__class__.__qualname__}({', '.join(shown)})"


def _refuse(self: object, name: str, *value: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, one.name) for one in dataclasses.fields(self)]


def _set_state(self: Any, state: list[Any]) -> None:
    for one, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, one.name, value)


__all__ = ["dataclass", "field"]
