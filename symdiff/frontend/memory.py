"""Which arrays share memory with which: NumPy's own rules, as far as they are known while compiling.

Enters: a node and what is known of its operands.  Leaves: a `Sharing`: whether the value is a copy, a view of
its first operand (writable or not), or one or the other as NumPy decides at run time.  Invariant: "view" and
"copy" are certain; wherever strides or kinds that are not known decide, the answer is "unclear".
"""

from __future__ import annotations

import enum
from collections.abc import Callable

import numpy as np

from symdiff.ir.build import current
from symdiff.ir.control import FOR, WHILE, carried_of, owner_of
from symdiff.ir.node import Node
from symdiff.ops.row import Row


class Sharing(enum.Enum):
    """COPY: memory of its own.  VIEW: the operand's.  READ_ONLY: the operand's, and NumPy refuses to write.
    UNCLEAR: NumPy decides at run time."""

    COPY = enum.auto()
    VIEW = enum.auto()
    READ_ONLY = enum.auto()
    UNCLEAR = enum.auto()


COPY, VIEW, READ_ONLY, UNCLEAR = Sharing

_VIEWS = frozenset(
    ["transpose", "swapaxes", "moveaxis", "matrix_transpose", "expand_dims", "squeeze", "flip", "fliplr",
     "flipud", "rot90", "real", "atleast_1d", "atleast_2d", "atleast_3d", "stop_gradient"]
)  # fmt: skip

# 0-d values: NumPy's functions return scalars, which nobody can write into, except these.
_ARRAYS = frozenset(
    ["array", "zeros", "ones", "empty", "full", "zeros_like", "ones_like", "empty_like", "full_like", "where",
     "update", "add_at", "cumsum", "cumprod", "tensordot", "convolve", "correlate", "linalg.solve", "copy",
     "broadcast_to", "reshape", "ravel", "fit_like", "flip", "diag", "tril", "triu", "outer", "kron", "sort"]
)  # fmt: skip
_LIKE_OPERAND = frozenset(["astype", "real", "imag", "transpose", "squeeze", "stop_gradient"])
# Functions that lay their result out in C's order, whatever their operands are.
_FRESH = frozenset(
    ["zeros", "ones", "empty", "full", "eye", "identity", "arange", "linspace", "array", "matmul", "dot",
     "ascontiguousarray"]
)  # fmt: skip
# Views that are contiguous where their operand is.
_STRAIGHT = frozenset(
    ["stop_gradient", "reshape", "ravel", "expand_dims", "squeeze", "atleast_1d", "atleast_2d", "atleast_3d"]
)
# Functions whose result keeps the order of axes that their operands have.
_KEEPING = frozenset(
    ["zeros_like", "ones_like", "empty_like", "full_like", "astype", "copy", "where", "clip", "round"]
)


class Layout:
    """What is known of the arrays of one lowering beside their types.

    copies: nodes that stand for a copy although their operation is a view.  scalars: NumPy scalars among the
    values without axes of which the operation does not tell; arrays: arrays among them.  ordered: arrays made
    in C's order.  owner: the array whose memory a node is a value of.
    """

    def __init__(self, owner: Callable[[Node], Node]):
        self.copies: set[Node] = set()
        self.scalars: set[Node] = set()
        self.arrays: set[Node] = set()
        self._results: dict[Node, bool | None] = {}
        self.ordered: set[Node] = set()
        self.owner = owner

    # Views

    def sharing(self, node: Node, assumed: set[Node] | None = None) -> Sharing:
        """How a value shares the memory of its first operand.

        assumed: gets the arguments that have to be C-contiguous for the answer to hold; None: none may.
        """
        if not isinstance(node.op, Row) or not node.op.view or node in self.copies:
            return COPY
        name, source = node.op.name, node.args[0]
        if source.type.kind != "array":
            return COPY
        if name in _VIEWS:
            return VIEW
        if name == "index":
            return self._of_index(node)
        if name in ("broadcast_to", "diagonal"):
            return READ_ONLY
        if name == "diag":
            return {1: COPY, 2: READ_ONLY}.get(-1 if source.type.rank is None else source.type.rank, UNCLEAR)
        if name == "imag":
            return UNCLEAR if not source.type.dtype else VIEW if source.type.dtype.startswith("c") else COPY
        if name == "asfortranarray":
            return VIEW if source.type.rank in (0, 1) and self.contiguous(source, assumed) else UNCLEAR
        if name == "einsum":
            return _of_einsum(node.attr("subscripts")) if len(node.args) == 1 else COPY
        if name not in ("reshape", "ravel", "ascontiguousarray") or node.attr("order", "C") != "C":
            return UNCLEAR
        if name == "reshape" and self.keeps_strides(node):
            return VIEW
        return VIEW if self.contiguous(source, assumed) else UNCLEAR

    def keeps_strides(self, node: Node) -> bool:
        """Whether a reshape only splits one axis, or adds and drops such of length 1: it always is a view."""
        source, dims = node.args[0].type.dims, node.type.dims
        if source is not None and len(source) <= 1:
            return True
        sizes = current().sizes
        if source is None or dims is None:
            return False
        before, after = ([sizes.find(dim) for dim in part] for part in (source, dims))
        return [dim for dim in before if dim != 1] == [dim for dim in after if dim != 1]

    def _of_index(self, node: Node) -> Sharing:
        """An element is a copy, and so is what arrays select; slices and integers give a view."""
        entries, operands = node.attr("index"), node.args[1:]
        unclear = False
        for selector in (operands[entry[1]] for entry in entries if entry[0] == "arg"):
            if selector.type.kind == "number":
                continue
            if selector.type.dims or selector.type.dtype == "bool":
                return COPY
            scalar = self.scalar(selector) if selector.type.dims == () and selector.type.dtype else None
            if scalar is False:
                return COPY
            unclear |= scalar is None
        if unclear:
            return UNCLEAR
        if any(entry[0] in ("ellipsis", "slice", "new") for entry in entries) or node.type.dims:
            return VIEW
        return COPY if node.type.dims == () else UNCLEAR

    # NumPy scalars

    def scalar(self, node: Node) -> bool | None:
        """Whether a value without axes is a NumPy scalar or a number, not an array; None: not known."""
        if node.type.kind == "number" or node in self.scalars:
            return True
        if node.type.dims is None:
            return None
        if node.type.dims or node in self.arrays:
            return False
        home = self.owner(node)
        if home is not node:
            return self.scalar(home)
        if owner_of(node) is not None:
            return self._of_result(node)
        name = node.op.name
        if name in _LIKE_OPERAND:
            of = self.scalar(node.args[0])
            return None if name == "astype" and of is False else of
        if name == "index":
            return all(entry[0] in ("int", "arg") for entry in node.attr("index"))
        return not (name in _ARRAYS or (name == "param" and node.attr("parameter") is not None))

    def stands_for(self, param: Node, value: Node) -> None:
        """A parameter of a loop has this value in the first round."""
        if param.type.dims == () and self.scalar(value) is False:
            self.arrays.add(param)

    def _of_result(self, node: Node) -> bool | None:
        """What a branch or a loop hands on is what its regions give, and what was there before the loop."""
        if node not in self._results:
            owner = owner_of(node)
            assert owner is not None
            control, k = owner
            values = [region.results[k] for region in control.regions if k < len(region.results)]
            if control.op in (FOR, WHILE):
                values = [control.regions[-1].results[k], carried_of(control)[k]]
            answers = {self.scalar(value) for value in values if value.type.kind != "undefined"}
            self._results[node] = answers.pop() if len(answers) == 1 else None
        return self._results[node]

    # Order in memory

    def contiguous(self, node: Node, assumed: set[Node] | None) -> bool:
        """Whether an array lies in memory without gaps, in C's order."""
        node = self.owner(node)
        name = node.op.name
        if node in self.ordered or name in _FRESH:
            return True
        if name == "param":
            return self._assume(node, assumed)
        if self.sharing(node, assumed) is COPY:
            return self._in_order(node, assumed)
        source = node.args[0]
        if name == "index":
            return _takes_block(node) and self.contiguous(source, assumed)
        real = name == "real" and not source.type.dtype.startswith("c")
        return (real or name in _STRAIGHT) and self.contiguous(source, assumed)

    def _assume(self, param: Node, assumed: set[Node] | None) -> bool:
        if assumed is None or param.attr("parameter") is None:
            return param.type.dims == ()
        assumed.add(param)
        return True

    def _in_order(self, node: Node, assumed: set[Node] | None) -> bool:
        """Whether the axes of an array that an operation makes lie in C's order."""
        if node.type.rank in (0, 1) or node in self.ordered or node.op.name in _FRESH:
            return True
        elementwise = isinstance(node.op, Row) and any(isinstance(t, np.ufunc) for t in node.op.targets)
        if not elementwise and node.op.name not in _KEEPING:
            return False
        operands = [arg for arg in node.args if arg.type.kind == "array" and arg.type.rank not in (0, 1)]
        return all(self._axes_in_order(arg, assumed) for arg in operands)

    def _axes_in_order(self, node: Node, assumed: set[Node] | None) -> bool:
        node = self.owner(node)
        if node.op.name == "param":
            return self._assume(node, assumed)
        if self.sharing(node, assumed) is COPY:
            return self._in_order(node, assumed)
        if node.op.name == "index" and all(_forward(entry) for entry in node.attr("index")):
            return self._axes_in_order(node.args[0], assumed)
        return self.contiguous(node, assumed)


def _of_einsum(subscripts: str) -> Sharing:
    """np.einsum of one operand gives a view where it sums nothing."""
    operand, arrow, result = subscripts.replace(" ", "").partition("->")
    if "..." in operand:
        return UNCLEAR
    return VIEW if set(operand) == set(result if arrow else _once(operand)) else COPY


def _once(letters: str) -> str:
    """The letters that stand there once: the axes of the result where the subscripts do not name them."""
    return "".join(letter for letter in letters if letters.count(letter) == 1)


def _forward(entry: tuple[object, ...]) -> bool:
    """Whether an entry of an index leaves the direction and order of axes as they are."""
    step = entry[3] if entry[0] == "slice" else None
    return entry[0] != "new" and (step is None or (isinstance(step, int) and step > 0))


def _takes_block(node: Node) -> bool:
    """Whether an index takes one stretch of a contiguous array: integers, then perhaps a slice."""
    entries = list(node.attr("index"))
    while entries and entries[0][0] in ("int", "arg"):
        entries.pop(0)
    if entries and entries[0][0] == "slice" and entries[0][3] in (None, 1):
        entries.pop(0)
    return all(entry in (("ellipsis",), ("slice", None, None, None)) for entry in entries)
