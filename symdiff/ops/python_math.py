"""Python's `math` and builtins: Python numbers in and out, with NumPy's partials."""

from __future__ import annotations

import builtins
import math
import operator
from collections.abc import Callable
from typing import Any

from symdiff.errors import UnsupportedError
from symdiff.ir import types
from symdiff.ir.node import Node
from symdiff.ops import arithmetic, elementwise, infer, piecewise
from symdiff.ops.lowering import bind, to_node
from symdiff.ops.row import Row, RowKind, register


def _math(name: str, like: Row, dtype: str = "float") -> None:
    """`math.name` with the partials of a NumPy row."""
    function = getattr(math, name, None)
    if function is not None:
        _number(function, f"math.{name}", like.text, like.partials, dtype, domain=like.domain)


def _number(function: Any, name: str, text: str, partials: Any, dtype: str, **facts: Any) -> Row:
    def infer_number(*_: Node, **__: Any) -> types.Type:
        return types.number(dtype)

    kind: RowKind = "elementwise" if any(partials) else "constant"
    return register(
        Row(
            name, infer_number, kind=kind, text=text, targets=(function,), partials=partials, spelling=name,
            **facts,
        )
    )  # fmt: skip


for _row in (
    "exp", "exp2", "expm1", "log2", "log10", "log1p", "sqrt", "cbrt", "sin", "cos", "tan", "sinh", "cosh",
    "tanh", "degrees", "radians", "hypot", "trunc",
):  # fmt: skip
    _math(_row, getattr(elementwise, _row), "int" if _row == "trunc" else "float")
for _name, _row in (
    ("asin", "arcsin"), ("acos", "arccos"), ("atan", "arctan"), ("asinh", "arcsinh"), ("acosh", "arccosh"),
    ("atanh", "arctanh"),
):  # fmt: skip
    _math(_name, getattr(elementwise, _row))
for _name in ("fabs", "copysign", "fmod"):
    _math(_name, getattr(piecewise, _name))
_math("atan2", piecewise.arctan2)
_math("pow", arithmetic.power)
for _name, _dtype in (
    ("floor", "int"),
    ("ceil", "int"),
    ("isnan", "bool"),
    ("isinf", "bool"),
    ("isfinite", "bool"),
):
    _math(_name, getattr(elementwise, _name), _dtype)


def _log(row: Row, x: Any, base: Any = None) -> Node:
    natural = bind(row, x)
    return natural if base is None else natural / bind(row, base)


log = _number(math.log, "math.log", "x", elementwise.log.partials, "float", lower=_log)
exp = elementwise.exp
_number(
    math.erf, "math.erf", "x", (lambda x, y: 2 / math.sqrt(math.pi) * exp(-(x**2)),), "float", domain=(-2, 2)
)
_number(
    math.erfc,
    "math.erfc",
    "x",
    (lambda x, y: -2 / math.sqrt(math.pi) * exp(-(x**2)),),
    "float",
    domain=(-2, 2),
)


def _extreme(function: Any, of_many: str, pair: Row) -> None:
    """`max(a, b, ...)` of scalars; ties share equally."""

    def lowered(row: Row, *items: Any, **options: Any) -> Node:
        if len(items) == 1 and isinstance(items[0], list | tuple):
            items = tuple(items[0])
        if options or len(items) < 2:
            raise UnsupportedError(
                f"{of_many} is supported for two or more scalars.", f"np.{of_many} of an array"
            )
        first, *rest = map(to_node, items)
        for item in rest:
            first = row(first, item)
        return first

    def infer_extreme(a: Node, b: Node) -> types.Type:
        if a.type.kind == b.type.kind == "number":
            return types.number(infer.widest(a.type.dtype, b.type.dtype))
        return pair.infer(a, b)

    register(
        Row(
            f"builtins.{of_many}", infer_extreme, kind="elementwise", text="a, b", targets=(function,),
            partials=pair.partials, spelling=of_many, lower=lowered, domain=(-2, 2),
        )
    )  # fmt: skip


def _absolute(row: Row, x: Any) -> Node:
    """`abs`: of a Python number a Python number, of an array what `np.abs` gives.

    What has no axes may be a Python number in some round of a loop, and has to stay one.
    """
    x = to_node(x)
    return piecewise.absolute(x) if x.type.dims else row(x)


def _infer_absolute(x: Node) -> types.Type:
    if x.type.kind != "number":
        return piecewise.absolute.infer(x)
    return types.number("float" if x.type.dtype == "complex" else x.type.dtype)


register(
    Row(
        "builtins.abs", _infer_absolute, kind="elementwise", text="x", targets=(builtins.abs, operator.abs),
        partials=piecewise.absolute.partials, spelling="abs", lower=_absolute, domain=(-2, 2),
    )
)  # fmt: skip


_extreme(builtins.max, "max", piecewise.maximum)
_extreme(builtins.min, "min", piecewise.minimum)


def _to_number(function: Callable[..., Any], dtype: str) -> None:
    _number(function, function.__name__, "x", (), dtype)


_to_number(int, "int")
_to_number(bool, "bool")


def _infer_not(x: Node) -> types.Type:
    return types.number("bool")


# Python's `not`, of a value without axes.
register(
    Row("not", _infer_not, kind="constant", text="x", targets=(operator.not_, operator.not_), symbol="not ",
        spelling="not")
)  # fmt: skip
