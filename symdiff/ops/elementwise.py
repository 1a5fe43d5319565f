"""Elementwise functions: one partial per operand, in its stable form.

`x, a, b` are the operands, `y` the result.  Where a formula is not the textbook's, the reason stands beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symdiff.ops import infer
from symdiff.ops.row import Row, row


def elementwise(function: np.ufunc, *partials: Callable[..., Any] | None, **facts: Any) -> Row:
    """A NumPy ufunc with one partial per operand; without partials it is piecewise constant."""
    text = facts.pop("text", "x" if function.nin == 1 else "a, b")
    kind = "elementwise" if partials else "constant"
    return row(kind, function, text, infer.of_ufunc(function), partials=partials, **facts)  # type: ignore[arg-type]


exp = elementwise(np.exp, lambda x, y: y)
log = elementwise(np.log, lambda x, y: 1 / x)
sqrt = elementwise(np.sqrt, lambda x, y: 0.5 / y)
sin = elementwise(np.sin, lambda x, y: cos(x))
cos = elementwise(np.cos, lambda x, y: -sin(x))
sinh = elementwise(np.sinh, lambda x, y: cosh(x))
cosh = elementwise(np.cosh, lambda x, y: sinh(x))
# 1 - y*y is exactly 0 at x = 19, where the derivative is 1.3e-16.
tanh = elementwise(np.tanh, lambda x, y: 1 / cosh(x) ** 2)

sign = elementwise(np.sign)
# The minimum-norm subgradient: 0 at 0.
absolute = elementwise(np.absolute, lambda x, y: sign(x), also=(abs,), spelling="np.abs")

logical_not = elementwise(np.logical_not)
logical_or = elementwise(np.logical_or)
logical_and = elementwise(np.logical_and)


def _infer_where(condition: Any, a: Any, b: Any) -> Any:
    from symdiff.ir import types

    return types.array(
        infer.dtype_of(np.add, a, b) if _promotes(a, b) else "", infer.broadcast(condition, a, b)
    )


def _promotes(a: Any, b: Any) -> bool:
    return bool(a.type.dtype and b.type.dtype)


where = row(
    "elementwise",
    np.where,
    "condition, a, b",
    _infer_where,
    # Masks: `ops.folds` moves them to the end of a product, so that nothing leaks from the branch not taken.
    partials=(
        None,
        lambda condition, a, b, y: where(condition, 1, 0),
        lambda condition, a, b, y: where(condition, 0, 1),
    ),
)
