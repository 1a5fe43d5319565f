"""Where attributes of instances and classes come from, found without running anything of the user's.

Enters: objects and names.  Leaves: what stands in the instance or its classes.  Invariant: no descriptor, no
`__getattr__` and no metaclass method is called here.
"""

from __future__ import annotations

import enum
import functools
import types as python_types
from collections import namedtuple
from typing import Any

from symdiff.frontend.arguments import fields_of, is_namedtuple

NOT_FOUND = object()
PLAIN_DESCRIPTORS = (
    python_types.MemberDescriptorType,
    python_types.GetSetDescriptorType,
    python_types.WrapperDescriptorType,
    python_types.MethodDescriptorType,
    type(namedtuple("_Point", "x").__dict__["x"]),
)


def in_class(cls: type, name: str) -> tuple[Any, type | None]:
    """What the class or a base holds under a name, and which of them; NOT_FOUND where none does."""
    for base in type.__dict__["__mro__"].__get__(cls):
        if name in base.__dict__:
            return base.__dict__[name], base
    return NOT_FOUND, None


def is_user_object(value: Any) -> bool:
    """An instance whose class the user wrote in Python."""
    if is_namedtuple(type(value)):
        return True
    if isinstance(value, enum.Enum):
        return False
    if isinstance(value, list | tuple | dict | set | frozenset | str | int | float):
        return type(value).__module__ != "builtins" and is_written_in_python(type(value))
    if isinstance(value, python_types.MethodType | functools.partial):
        return False
    return fields_of(value) is not None


def is_written_in_python(cls: type) -> bool:
    return not is_namedtuple(cls) and bool(cls.__flags__ & (1 << 9)) and cls.__module__ not in _LIBRARIES


_LIBRARIES = ("collections", "enum", "numpy", "builtins", "types", "re", "functools")


def user_method(value: Any, name: str) -> Any:
    """The Python function behind a special method of the user's class, or None."""
    cls = type(value)
    if not cls.__flags__ & (1 << 9) or cls.__module__.startswith("symdiff."):
        return None
    found, _ = in_class(cls, name)
    return found if isinstance(found, python_types.FunctionType) else None
