"""How the rows of `scipy.special` are written: ufuncs with one partial per operand, and refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special as functions

from symdiff.errors import UnsupportedError
from symdiff.ir import types
from symdiff.ir.control import values_of
from symdiff.ir.node import Node
from symdiff.ops import infer
from symdiff.ops.arithmetic import equal
from symdiff.ops.elementwise import where
from symdiff.ops.lowering import bind
from symdiff.ops.row import REGISTRY, Row, row

Partial = Callable[..., Any] | None


def special(name: str, text: str, *partials: Partial, also: tuple[str, ...] = (), **facts: Any) -> None:
    """A function of scipy.special, where this SciPy has it; without partials it is piecewise constant."""
    function = getattr(functions, name, None)
    if function is None:
        return
    others = [getattr(functions, other) for other in also if hasattr(functions, other)]
    inferred = infer.of_ufunc(function) if isinstance(function, np.ufunc) else of_floats
    row(
        "elementwise" if partials else "constant", function, text, facts.pop("infer", inferred),
        name=f"special.{name}", spelling=f"scipy.special.{name}", partials=partials,
        also=[other for other in others if other is not function], **facts,
    )  # fmt: skip


def of_floats(*operands: Node, **_: Any) -> types.Type:
    """float64, whatever it is given."""
    return types.array("float64", infer.broadcast(*operands))


def call(name: str) -> Callable[..., Node]:
    """The row of a function of scipy.special, looked up when a rule is applied."""
    return lambda *operands, **attrs: REGISTRY[f"special.{name}"](*operands, **attrs)


def refused(name: str, operand: str, instead: str = "") -> Callable[..., Any]:
    """A partial that has no closed form."""

    def partial(*_: Any) -> Any:
        raise UnsupportedError(
            f"scipy.special.{name} has no derivative rule for its argument {operand}.",
            instead or f"{operand} as a constant: `symdiff.stop_gradient({operand})`",
        )

    partial.refuses = True  # type: ignore[attr-defined]
    return partial


def masked(hole: Node, value: Any, formula: Callable[..., Any], *operands: Node) -> Node:
    """`formula` of operands, and `value` in the holes, where it is given 1."""
    return where(hole, value, formula(*(where(hole, 1, x) for x in operands)))


def over(a: Node, b: Node) -> Node:
    """a / b, 0 wherever a is 0."""
    hole = equal(a, 0)
    return where(hole, 0, a / where(hole, 1, b))


def several(name: str, *partials: Callable[..., Any]) -> Row:
    """A function of one operand and several results: `partial(x, *y)` for each."""
    function = getattr(functions, name)

    def inferred(x: Node) -> types.Type:
        one = types.array(infer.dtype_of(function, x), x.type.dims)
        return types.tuple_of([one] * len(partials))

    def vjp(g: Any, y: Any, x: Node) -> tuple[Node | None]:
        parts = [one * p(x, *y) for one, p in zip(g, partials, strict=True) if one is not None]
        return (sum(parts[1:], parts[0]) if parts else None,)

    def jvp(tangents: Any, y: Any, x: Node) -> tuple[Node, ...]:
        return tuple(p(x, *y) * tangents[0] for p in partials)

    return row(
        "custom", function, "x", inferred, name=f"special.{name}", spelling=f"scipy.special.{name}",
        vjp=vjp, jvp=jvp, lower=lambda row, x: values_of(bind(row, x)),
    )  # fmt: skip
