"""Values that are known while generating, as Python writes them, and the precedences of expressions.

Enters: a number, or the name of a dtype.  Leaves: its text.  Invariant: the text evaluates to the very value:
its type and the sign of a zero are kept.
"""

from __future__ import annotations

import math
from typing import Any

ATOM, POWER, UNARY, PRODUCT, SUM = 20, 14, 13, 12, 11
NOT = 5
Text = tuple[str, int]
"""An expression, and its precedence."""


def dtype(name: str) -> str:
    return {"bool": "bool", "str": "str"}.get(name, f"np.{name}")


def constant(value: Any) -> Text:
    if isinstance(value, bool | int):
        return repr(value), ATOM if value >= 0 else UNARY
    if isinstance(value, complex):
        return _complex(value), ATOM
    if math.isnan(value):
        return "np.nan", ATOM
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    special = {math.pi: "np.pi", math.e: "np.e", math.inf: "np.inf"}.get(abs(value))
    return sign + (special or repr(abs(value))), UNARY if sign else ATOM


def _complex(value: complex) -> str:
    """`(1+2j)`, or a call where that would lose the sign of a zero or name no number."""
    parts = (value.real, value.imag)
    if all(math.isfinite(part) and (part or math.copysign(1, part) > 0) for part in parts):
        text = repr(value)
        return text if text.startswith("(") else f"({text})"
    return f"complex({', '.join(constant(part)[0] for part in parts)})"
