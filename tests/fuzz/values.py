"""Values in containers: their leaves, copies, and when two are the same.

Enters: arguments and results of programs.  Leaves: what the checks compare.  Invariant: two values are
identical where no program could tell them apart but by `is`; NaN is equal to itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item)
    elif hasattr(value, "__dataclass_fields__"):
        yield from leaves([item for item in vars(value).values() if not isinstance(item, str)])
    else:
        yield value


def arrays(value: Any) -> Iterator[np.ndarray]:
    return (leaf for leaf in leaves(value) if isinstance(leaf, np.ndarray))


def mapped(function: Callable[[Any], Any], value: Any) -> Any:
    if isinstance(value, dict):
        return {key: mapped(function, item) for key, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(mapped(function, item) for item in value))
    if isinstance(value, list | tuple):
        return type(value)(mapped(function, item) for item in value)
    if hasattr(value, "__dataclass_fields__"):
        fields = {k: v if isinstance(v, str) else mapped(function, v) for k, v in vars(value).items()}
        return type(value)(**fields)
    return function(value)


def snapshot(value: Any) -> Any:
    return [
        (type(leaf), leaf.dtype, leaf.shape, leaf.strides, leaf.tobytes())
        if isinstance(leaf, np.ndarray | np.generic)
        else repr(leaf)
        for leaf in leaves(value)
    ]


def identical(a: Any, b: Any) -> bool:
    """Equal bit for bit, in types and structure."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray | np.generic):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, dict):
        return list(a) == list(b) and all(identical(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(identical, a, b))
    if hasattr(a, "__dataclass_fields__"):
        return identical(vars(a), vars(b))
    return repr(a) == repr(b)


def alike(gradient: Any, argument: Any) -> bool:
    """Whether a gradient has the structure, shapes and dtypes of its argument."""
    if isinstance(argument, np.ndarray | np.generic):
        kinds = np.ndarray if isinstance(argument, np.ndarray) and argument.ndim else np.ndarray | np.generic
        return (
            isinstance(gradient, kinds)
            and gradient.shape == argument.shape
            and gradient.dtype == argument.dtype
        )
    if type(gradient) is not type(argument):
        return False
    if isinstance(argument, dict):
        return list(gradient) == list(argument) and all(
            alike(gradient[key], argument[key]) for key in argument
        )
    if isinstance(argument, list | tuple):
        return len(gradient) == len(argument) and all(map(alike, gradient, argument))
    if hasattr(argument, "__dataclass_fields__"):
        return alike(vars(gradient), vars(argument))
    return isinstance(argument, float) or gradient == argument


def is_scalar(value: Any) -> bool:
    return isinstance(value, float | np.floating) or (isinstance(value, np.ndarray) and value.shape == ())
