"""Arguments that cannot be computed with: foreign arrays, and classes that hide what they hold.

Enters: an array, or the class of a container.  Leaves: a `Refusal`, or None for what will do.  Invariant:
nothing of the user's runs.
"""

from __future__ import annotations

import sys
import types as python_types
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

Refusal = tuple[str, str]
"""What a value is, for a message that begins with where it stands, and what to pass instead."""

HEAP_TYPE = 1 << 9
"""The flag of a class that was made by a `class` statement."""

_ITEMS = frozenset({"__getitem__", "__iter__", "__len__", "__contains__", "__getattribute__"})


def array_refusal(value: Any) -> Refusal | None:
    """For an array that cannot be computed with."""
    if not isinstance(value, ndarray | np.generic):
        return "a CuPy array, for which there is no backend yet", "pass cupy.asnumpy(...)"
    masked = sys.modules.get("numpy.ma")  # 6 ms to import, and not there unless somebody used it
    if masked is not None and isinstance(value, masked.MaskedArray):
        return "a masked array", "pass a plain array, e.g. `.filled(0)`, and the mask as a second array"
    if isinstance(value, np.matrix):
        return "an np.matrix, whose operators differ from those of arrays", "pass np.asarray(...)"
    if isinstance(value, ndarray) and type(value).__array_ufunc__ is not ndarray.__array_ufunc__:
        return f"an array of the class {type(value).__name__}, which redefines NumPy", "pass np.asarray(...)"
    if value.dtype.kind in "biufc":
        return None
    names = {"O": "objects", "U": "strings", "S": "bytes", "M": "dates", "m": "time differences"}
    held = names.get(value.dtype.kind, "records" if value.dtype.names else f"values of {value.dtype}")
    return f"an array of {held}", "pass an array of numbers, e.g. `.astype(float)`"


def items_refusal(cls: type) -> Refusal | None:
    """For a subclass of dict, list or tuple that redefines how its items are read."""
    if cls in (dict, list, tuple) or cls.__module__ == "collections":
        return None
    for base in cls.__mro__:
        if base in (dict, list, tuple):
            return None
        if not _ITEMS.isdisjoint(base.__dict__):
            what = f"of the class `{cls.__name__}`, which redefines how its items are read"
            return what, "pass a plain dict, list or tuple"
    return None


def attributes_refusal(cls: type, names: Sequence[str]) -> Refusal | None:
    """For an object whose class hides the attributes that it keeps."""
    for base in cls.__mro__[:-1]:
        hidden = [n for n in names if hasattr(type(base.__dict__.get(n)), "__set__")]
        own = [n for n in hidden if isinstance(base.__dict__[n], property) or _is_written(base.__dict__[n])]
        if own or isinstance(base.__dict__.get("__getattribute__"), python_types.FunctionType):
            what = f"the attribute `{own[0]}`" if own else "the access to attributes"
            return (
                f"of the class `{cls.__name__}`, which redefines {what}",
                "keep the arrays in plain attributes",
            )
    return None


def _is_written(value: object) -> bool:
    """Whether the user wrote the class of this object."""
    return bool(type(value).__flags__ & HEAP_TYPE)
