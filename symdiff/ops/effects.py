"""What a function does besides computing: it prints, it checks, it raises.

`perform(*operands, text='print({0}, "x")')` runs a statement of Python.  Enters: the operands that the text
names by number, as in `str.format`.  Leaves: nothing that could be read.  Invariant: the text is a template
of one statement, whose literals came in as escaped literals; braces that are Python's own are doubled.  It
has no derivative, and belongs to the primal alone.

An operand that stands inside a string literal must be filled in as a name: before Python 3.12 quotes cannot
be nested.
"""

from __future__ import annotations

from collections.abc import Sequence

from symdiff import marks
from symdiff.ir import types
from symdiff.ir.node import Node, Op
from symdiff.ir.types import Type
from symdiff.ops.row import constant


def _infer(*operands: Node, text: str) -> Type:
    return types.UNDEFINED


perform = Op("perform", _infer, pure=False, effect=True)


# `x` itself, through which no gradient flows; it is written as `x`.
stop_gradient = constant(marks.stop_gradient, "x", lambda x: x.type, spelling="", view=True)


def filled(text: str, operands: Sequence[str]) -> str:
    """The statement, with the operands as they are written."""
    return text.format(*operands)


def ends(node: Node) -> bool:
    """Whether control does not come back from this effect."""
    return node.op is perform and str(node.attr("text")).startswith("raise ")
