"""What is known of the arguments of a call while compiling.

Enters: a call whose arguments are bound.  Leaves: a key that is equal for calls that one function serves, its
`Form` with the staged values in the arguments, and such arguments around parameters.  Invariant: staged
values come in one order everywhere, that of `Form.of`.
"""

from __future__ import annotations

import types as python_types
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from symdiff.frontend.compiled import FunctionNode
from symdiff.frontend.frame import Context, Frame, Scope
from symdiff.frontend.functions import is_widened
from symdiff.frontend.values import Closure
from symdiff.ir.node import Node
from symdiff.ir.types import Dims, Size
from symdiff.records import dataclass, field

_OPAQUE = (
    python_types.FunctionType,
    python_types.BuiltinFunctionType,
    python_types.ModuleType,
    type,
    np.ufunc,
)


@dataclass(eq=False, slots=True, repr=False)
class Form:
    """leaves: the staged values in arguments, and the numbers that are taken for such.  scopes: of the
    closures among them.  numbers: of lengths."""

    context: Context
    level: int
    leaves: list[Node] = field(default_factory=list)
    scopes: list[Scope] = field(default_factory=list)
    numbers: dict[Any, int] = field(default_factory=dict)

    def of(self, value: Any) -> Any:
        """What is known of a value; raises ValueError for what cannot be an argument."""
        if isinstance(value, Node):
            if value.type.kind not in ("array", "number"):
                raise ValueError
            self.leaves.append(value)
            heap = self.context.heap
            scalar = value.type.kind == "array" and heap.layout.scalar(heap.storage(value)) is True
            return value.type.kind, value.type.dtype, self.dims(value.type.dims), scalar
        if is_widened(value, self.level):
            return self.of(self.context.builder.const(value))
        if isinstance(value, str | bool | int | float | complex | type(None) | np.generic):
            return type(value), repr(value)
        if type(value) in (tuple, list, dict):
            keys = tuple(value) if isinstance(value, dict) else ()
            items = value.values() if isinstance(value, dict) else value
            return type(value), keys, tuple([self.of(item) for item in items])
        if isinstance(value, Closure):
            self.scopes.append(value.scope)
            inner = (*value.defaults, *value.keyword_defaults.values())
            return place_of(value), tuple([self.of(one) for one in inner])
        if isinstance(value, _OPAQUE):
            return id(value)
        raise ValueError

    def dims(self, dims: Dims | None) -> Any:
        if dims is None:
            return None
        found = self.context.builder.sizes.resolve(dims) or ()
        return tuple(self.number(dim) if isinstance(dim, Size) else dim for dim in found)

    def number(self, dim: Size) -> tuple[int]:
        return (self.numbers.setdefault((dim.name, dim.less), len(self.numbers)),)


def place_of(closure: Closure) -> Any:
    return closure.source.file, closure.node.lineno, closure.node.col_offset


def code_of(frame: Frame, node: FunctionNode) -> Any:
    if frame.scope.parent is None:
        return frame.scope.function.__code__
    return frame.source.file, node.lineno, node.col_offset


def form_of(frame: Frame, node: FunctionNode, level: int) -> tuple[Any, Form] | None:
    """The key of a call, whose arguments are bound, and its form; None where it cannot be a call."""
    scope = frame.scope
    form = Form(frame.context, level)
    if scope.parent is not None:
        form.scopes.append(scope.parent)
    try:
        return (
            code_of(frame, node),
            level,
            tuple([(name, form.of(value)) for name, value in scope.names.items()]),
        ), form
    except ValueError:
        return None


def params_of(frame: Frame, form: Form) -> list[Node]:
    """A parameter for each staged value in the arguments; its lengths may turn out to be 1."""
    context, builder = frame.context, frame.context.builder
    fresh = [builder.sizes.fresh() for _ in form.numbers]
    made = []
    names = {id(value): name for name, value in frame.scope.names.items()}
    for leaf in form.leaves:
        known = form.dims(leaf.type.dims)
        dims: Dims | None = None
        if known is not None:
            dims = tuple([fresh[dim[0]] if isinstance(dim, tuple) else dim for dim in known])
        param = builder.param(leaf.type.with_dims(dims), names.get(id(leaf), leaf.name))
        layout = context.heap.layout
        scalar = layout.scalar(context.heap.storage(leaf)) is True
        (layout.scalars if scalar else layout.arrays).add(param)
        made.append(param)
    return made


def replaced(value: Any, params: Iterator[Node], context: Context, level: int) -> Any:
    """A value with parameters in the place of what is staged in it, in the order of `Form.of`."""

    def inner(values: Iterable[Any]) -> list[Any]:
        return [replaced(one, params, context, level) for one in values]

    if isinstance(value, Node) or is_widened(value, level):
        return next(params)
    if type(value) is tuple:
        return tuple(inner(value))
    if type(value) in (list, dict):
        made: Any = (
            inner(value) if type(value) is list else dict(zip(value, inner(value.values()), strict=True))
        )
        context.own(made)  # the caller's, for whoever changes it
        return made
    if isinstance(value, Closure):
        defaults, keyword = tuple(inner(value.defaults)), inner(value.keyword_defaults.values())
        names = dict(zip(value.keyword_defaults, keyword, strict=True))
        return replace(value, defaults=defaults, keyword_defaults=names)
    return value
