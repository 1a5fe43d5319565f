"""How one operation takes a batch: rules by the name of its row.

Enters: an operation and its operands, some of them with the batch's axis in front.  Leaves: the operation for
the whole batch, an `Operand` where the result is not batched, or None where there is no rule: then it is
computed item by item.  Invariant: attributes that name axes name the same axes of the items.

Elementwise rows need no rule: their operands are aligned behind the batch's axis.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symdiff.autodiff.batching_operands import (
    Call,
    Operand,
    Refused,
    aligned,
    lengths,
    shaped,
    sizes_of,
    whole,
)
from symdiff.ir.node import Node
from symdiff.ops.arithmetic import greater, less
from symdiff.ops.creation import array
from symdiff.ops.elementwise import absolute_like, where
from symdiff.ops.joining import concatenate, stack
from symdiff.ops.row import REGISTRY, Row, row_for
from symdiff.ops.shaping import (
    astype,
    expand_dims,
    fit_like,
    full,
    length,
    make_shape,
    reshape,
    squeeze,
    transpose,
)
from symdiff.ops.indexing import pick
from symdiff.ops.stacks import stacked

__all__ = ["Call", "Operand", "Refused", "aligned", "rule_for", "whole"]

Made = Node | Operand | None
Rule = Callable[[Call], Made]
