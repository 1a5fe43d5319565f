"""Attributes: of staged arrays, modules, classes and instances.

Enters: a value and a name.  Leaves: the attribute's value.  Invariant: descriptors of the user's classes are
lowered as functions, and never called.
"""

from __future__ import annotations

import ast
import enum
import functools
import types as python_types
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from symdiff.errors import UnsupportedError, UserError
from symdiff.frontend import arrays
from symdiff.frontend.arguments import field_of, fields_of
from symdiff.frontend.captures import capture
from symdiff.frontend.frame import EXPRESSIONS, Frame, call, evaluate
from symdiff.frontend.lookup import NOT_FOUND, PLAIN_DESCRIPTORS, in_class, is_user_object
from symdiff.frontend.methods import METHODS
from symdiff.frontend.operators import compute
from symdiff.frontend.rows import call_row
from symdiff.frontend.values import (
    Bound,
    Closure,
    Flat,
    Generator,
    ListMethod,
    Method,
    Missing,
    Partial,
    Ruled,
    StagedList,
    Text,
    kind_name,
)
from symdiff.ir.node import Node
from symdiff.marks import MODES
from symdiff.ops.row import row_of

_LIBRARIES = ("numpy", "math", "cmath", "scipy", "operator", "functools", "builtins", "itertools")


def attribute(frame: Frame, value: Any, name: str) -> Any:
    """`value.name`."""
    if isinstance(value, Node):
        if name in ("dtype", "itemsize", "nbytes") and value.type.kind == "array":
            _check_dtype(frame, value)
        return _of_node(value, name)
    if isinstance(value, StagedList):
        return ListMethod(value, name)
    if isinstance(value, python_types.ModuleType):
        return _of_module(frame, value, name)
    if isinstance(value, type):
        return of_class(frame, value, name)
    if isinstance(value, Super):
        return _of_super(frame, value, name)
    if isinstance(value, Text):
        raise UnsupportedError(f"`.{name}` of a text with a run-time value in it.", "an f-string in print")
    if isinstance(value, Generator):
        raise UnsupportedError(f"`.{name}` of a generator is not supported.", "a `for` loop over it")
    if isinstance(value, Ruled):
        if name not in MODES:
            raise UnsupportedError(f"The attribute `{name}` of a function with a rule.", "`vjp` or `jvp`")
        return Partial(Ruled.give, [value, name], {})
    if isinstance(value, Closure | Bound | Method | Partial):
        if name == "__name__":
            return getattr(value, "name", None) or getattr(value.function, "__name__", "")  # type: ignore[union-attr]
        raise UnsupportedError(f"The attribute `{name}` of a {kind_name(value)} is not supported.")
    if is_user_object(value):
        return _of_instance(frame, value, name)
    if isinstance(value, enum.Enum) and name in ("name", "value"):
        return compute(getattr, value, name)
    if isinstance(value, enum.Enum):
        return _of_instance(frame, value, name)
    if isinstance(value, python_types.FunctionType) and not name.startswith("__"):
        return capture(frame.context, (id(value), name), name, lambda: getattr(value, name))
    return compute(getattr, value, name)


def has_attribute(frame: Frame, value: Any, name: str) -> bool:
    if isinstance(value, Node):
        if value.type.kind == "number":
            return hasattr({"int": 0, "float": 0.0, "complex": 0j}.get(value.type.dtype, False), name)
        return hasattr(np.ndarray, name)
    if is_user_object(value):
        return name in (fields_of(value) or ()) or in_class(type(value), name)[0] is not NOT_FOUND
    return hasattr(value, name)


# Staged values


def _of_node(node: Node, name: str) -> Any:
    kind = node.type.kind
    if kind == "shape":
        raise arrays.unknown_rank(node)
    if kind == "number":
        return _of_number(node, name)
    if name in _PROPERTIES:
        return _PROPERTIES[name](node)
    if name in METHODS or (hasattr(np.ndarray, name) and callable(getattr(np.ndarray, name))):
        return Method(node, name)
    if hasattr(np.ndarray, name):
        raise UnsupportedError(f"The array attribute `.{name}` is not supported.")
    raise UserError(f"AttributeError: 'numpy.ndarray' object has no attribute '{name}'")


def _check_dtype(frame: Frame, node: Node) -> None:
    if node.type.dtype and not frame.context.heap.exact.as_array(node):
        raise UnsupportedError(
            "The dtype of this array is known only at run time.", "a dtype by name, or `.astype(...)` before"
        )


def _of_number(node: Node, name: str) -> Any:
    example = {"bool": False, "int": 0, "float": 0.0, "complex": 0j}[node.type.dtype]
    if not hasattr(example, name):
        raise UserError(f"AttributeError: '{node.type.dtype}' object has no attribute '{name}'")
    if node.type.dtype != "complex":
        if name == "real":
            return node
        if name == "imag":
            return type(example)(0)
        if name == "conjugate":
            return Method(node, name)
    raise UnsupportedError(
        f"The attribute `.{name}` of a Python number that is known only at run time is not supported."
    )


def _transposed(node: Node) -> Any:
    return call_row(_row(np.transpose), np.transpose, [node], {})


def _matrix_transposed(node: Node) -> Any:
    rank = arrays.rank(node)
    if rank < 2:
        raise UserError("ValueError: matrix transpose with ndim < 2 is undefined")
    return call_row(_row(np.swapaxes), np.swapaxes, [node, -1, -2], {})


def _row(function: Any) -> Any:
    row = row_of(function)
    if row is None:
        raise UnsupportedError(f"np.{function.__name__} has no derivative rule.")
    return row


def _dtype(node: Node) -> Any:
    if not node.type.dtype:
        raise UnsupportedError(
            "The dtype of this array is not known before a call.",
            "ask for the source with arguments: source_for(*args)",
        )
    return np.dtype(node.type.dtype)


_PROPERTIES: dict[str, Callable[[Node], Any]] = {
    "T": _transposed,
    "mT": _matrix_transposed,
    "shape": arrays.shape,
    "ndim": arrays.rank,
    "dtype": _dtype,
    "size": lambda node: call_row(_row(np.size), np.size, [node], {}),
    "real": lambda node: call_row(_row(np.real), np.real, [node], {}),
    "imag": lambda node: call_row(_row(np.imag), np.imag, [node], {}),
    "flat": Flat,
    "itemsize": lambda node: _dtype(node).itemsize,
}  # fmt: skip


# Modules and classes


def near(name: str, known: Iterable[str], before: str = "") -> str:
    """The names most like one that is not known."""
    import difflib  # only where there is an error to write

    return " or ".join(f"{before}{one}" for one in difflib.get_close_matches(name, list(known), 3, 0.7))


def _of_module(frame: Frame, module: Any, name: str) -> Any:
    if not hasattr(module, name):
        instead = near(name, dir(module), f"{module.__name__.replace('numpy', 'np')}.")
        raise UserError(f"AttributeError: module '{module.__name__}' has no attribute '{name}'", instead)
    if module.__name__.partition(".")[0] in _LIBRARIES or name not in vars(module):
        return compute(getattr, module, name)
    return capture(frame.context, (id(module), name), name, lambda: getattr(module, name))


def of_class(frame: Frame, cls: type, name: str, owner: Any = NOT_FOUND) -> Any:
    """An attribute of a class, read from an instance where there is one."""
    found, base = _in_class(frame, cls, name)
    if found is NOT_FOUND or base is None:
        if name in ("__name__", "__qualname__", "__module__", "__mro__", "__doc__") or not is_python(cls):
            return compute(getattr, cls, name)
        if isinstance(cls, enum.EnumMeta):
            return compute(getattr, cls, name)
        raise UserError(f"AttributeError: type object '{cls.__name__}' has no attribute '{name}'")
    if isinstance(found, staticmethod):
        return found.__func__
    if isinstance(found, classmethod):
        return Bound(found.__func__, cls)
    if owner is not NOT_FOUND and isinstance(found, python_types.FunctionType):
        return Bound(found, owner)
    if isinstance(found, enum.Enum) or (isinstance(found, enum.property) and isinstance(cls, enum.EnumMeta)):
        return compute(getattr, cls, name)
    if isinstance(found, python_types.FunctionType | property) or not is_python(base):
        return found if is_python(base) else compute(getattr, cls, name)
    binding = getattr(found, "binding", "") if type(found).__module__ == "symdiff.api" else ""
    if binding in ("class", "nothing"):  # a Differentiable made of a class method or a static one
        return Bound(found, cls) if binding == "class" else found
    if owner is not NOT_FOUND and hasattr(found, "__wrapped__") and hasattr(type(found), "__get__"):
        return Bound(found, owner)
    return found


def _in_class(frame: Frame, cls: type, name: str) -> tuple[Any, type | None]:
    """What a class holds; of the user's classes it is read live or guarded."""
    found, base = in_class(cls, name)
    if base is None or not is_python(base) or isinstance(base, enum.EnumMeta):
        return found, base
    return capture(frame.context, (id(base), name), name, _reader(base, name)), base


def _reader(base: type, name: str) -> Callable[[], object]:
    return lambda: base.__dict__[name]


def is_python(cls: type) -> bool:
    return bool(cls.__flags__ & (1 << 9)) and cls.__module__ not in ("builtins", "numpy", "enum")


# Instances


def _of_instance(frame: Frame, value: Any, name: str) -> Any:
    cls = type(value)
    found, _ = in_class(cls, name)
    if isinstance(found, property):
        _in_class(frame, cls, name)
        if found.fget is None:
            raise UserError(f"AttributeError: property '{name}' of '{cls.__name__}' object has no getter")
        return call(frame, found.fget, [value], {})
    if isinstance(found, PLAIN_DESCRIPTORS):
        return compute(getattr, value, name)
    if name in (fields_of(value) or ()):
        return field_of(value, name)
    if name == "__class__":
        return cls
    if name == "__dict__":
        return dict.copy(value.__dict__)
    if isinstance(found, functools.cached_property):
        return call(frame, found.func, [value], {})
    if found is not NOT_FOUND:
        return of_class(frame, cls, name, value)
    fallback, _ = in_class(cls, "__getattr__")
    if isinstance(fallback, python_types.FunctionType):
        return call(frame, fallback, [value, name], {})
    raise UserError(
        f"AttributeError: '{cls.__name__}' object has no attribute '{name}'",
        near(name, [*(fields_of(value) or ()), *dir(cls)]),
    )


class Super:
    """What `super()` gives: the classes after `cls` in the order of `owner`."""

    def __init__(self, cls: type, owner: Any):
        self.cls = cls
        self.owner = owner


def _of_super(frame: Frame, value: Super, name: str) -> Any:
    kind = value.owner if isinstance(value.owner, type) else type(value.owner)
    order = kind.__mro__
    for base in order[order.index(value.cls) + 1 :]:
        if name in base.__dict__:
            found, _ = _in_class(frame, base, name)
            if isinstance(found, python_types.FunctionType):
                return Bound(found, value.owner)
            if isinstance(found, property) and found.fget is not None:
                return call(frame, found.fget, [value.owner], {})
            if isinstance(found, classmethod):
                return Bound(found.__func__, kind)
            if isinstance(found, staticmethod):
                return found.__func__
            if base is object and name == "__init__":
                return Bound(object.__init__, value.owner)
            if hasattr(found, "__wrapped__") and hasattr(type(found), "__get__"):  # such as a Differentiable
                return Bound(found, value.owner)
            return found
    raise UserError(f"AttributeError: 'super' object has no attribute '{name}'")


def _attribute(frame: Frame, node: ast.Attribute) -> Any:
    value = evaluate(frame, node.value)
    found = attribute(frame, value, frame.mangle(node.attr))
    if isinstance(found, Missing):
        raise UnsupportedError(found.what)
    if isinstance(found, np.ndarray):
        raise UnsupportedError(
            f"The array `.{node.attr}` is reached through an object that the compiler cannot look into.",
            "pass the array as an argument",
        )
    return found


EXPRESSIONS[ast.Attribute] = _attribute
