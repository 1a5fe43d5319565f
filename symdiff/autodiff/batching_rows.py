"""How one operation takes a batch: rules by the name of its row.

Enters: an operation and its operands, some of them with the batch's axis in front.  Leaves: the operation for
the whole batch, an `Operand` where the result is not batched, or None where there is no rule: then it is
computed item by item.  Invariant: attributes that name axes name the same axes of the items.

Elementwise rows need no rule of their own: their operands are aligned behind the batch's axis.
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
)  # fmt: skip
from symdiff.autodiff.batching_places import PLACES
from symdiff.autodiff.batching_products import PRODUCTS
from symdiff.autodiff.batching_stacks import STACKS
from symdiff.ir.node import Node
from symdiff.ops.indexing import pick
from symdiff.ops.joining import stack
from symdiff.ops.row import REGISTRY, Row, row_for
from symdiff.ops.shaping import astype, expand_dims, fit_like, full, make_shape, reshape, transpose

__all__ = ["Call", "Operand", "Refused", "aligned", "rule_for", "whole"]

Made = Node | Operand | None
Rule = Callable[[Call], Made]

# Rows that compute every element from its own place, whatever their kind, and have one operand or several.
_ELEMENTWISE = (
    "real", "imag", "conjugate", "astype", "stop_gradient", "ldexp", "isclose", "round", "fix", "iscomplex",
    "isreal", "isposinf", "isneginf", "special.gammasgn", "special.round", "modf", "frexp", "special.sici",
    "special.shichi", "special.fresnel", "special.airy",
)  # fmt: skip
# Functions of Python numbers, and of arrays what stands for them.
_OF_NUMBERS = {
    "builtins.abs": "absolute", "math.fabs": "absolute", "math.asin": "arcsin", "math.acos": "arccos",
    "math.atan": "arctan", "math.asinh": "arcsinh", "math.acosh": "arccosh", "math.atanh": "arctanh",
    "math.atan2": "arctan2", "not": "logical_not",
}  # fmt: skip


def rule_for(node: Node) -> Rule | None:
    """The rule of an operation; None where it is written out or computed item by item."""
    row = row_for(node)
    if row is None:
        return None
    if row.name in RULES:
        return RULES[row.name]
    if row.kind == "elementwise" or _is_ufunc(row) or row.name in _ELEMENTWISE or _is_density(row):
        return _of_numbers if row.name.startswith(("math.", "builtins.")) else _elementwise
    return None


def _is_ufunc(row: Row) -> bool:
    ufunc = row.targets[0] if row.targets else None
    return isinstance(ufunc, np.ufunc) and ufunc.signature is None


def _is_density(row: Row) -> bool:
    """Whether this is a function of one distribution's argument and parameters, which broadcast."""
    return row.name.startswith("stats.") and not row.name.startswith(
        ("stats.multivariate", "stats.dirichlet")
    )


def _elementwise(call: Call) -> Node:
    rank = max(one.rank for one in call.args)
    return call.again(*(aligned(one, rank) for one in call.args))


def _of_numbers(call: Call) -> Node | None:
    """The function of arrays in the place of that of numbers."""
    name = call.node.op.name
    twin = REGISTRY.get(_OF_NUMBERS.get(name, name.removeprefix("math.")))
    if twin is None or twin.kind not in ("elementwise", "constant") or twin.name == name:
        return None
    return twin(*call.nodes)


def _to_dtype(dtype: str) -> Rule:
    def rule(call: Call) -> Node:
        x = call.args[0].node
        return x if x.type.dtype == dtype else astype(x, dtype=dtype)

    return rule


# What depends on shapes alone


def _shape(call: Call) -> Operand:
    return Operand(make_shape(*lengths(call.args[0])), False, call.node.type)


def _length(call: Call) -> Operand:
    (x,) = call.args
    return Operand(lengths(x)[call.node.attr("axis", 0) % x.rank], False, call.node.type)


def _size(call: Call) -> Operand:
    total = call.builder.const(1)
    for one in lengths(call.args[0]):
        total = total * one
    return Operand(total, False, call.node.type)


def _like(call: Call) -> Node:
    return call.again(call.args[0].node)


def _full_like(call: Call) -> Node:
    x, value = call.args
    if x.batched and not value.batched and value.rank == 0:
        return call.again(x.node, value.node)
    dtype = call.node.type.dtype
    if value.batched and x.type.dims == () == value.type.dims:
        return value.node if value.node.type.dtype == dtype else astype(value.node, dtype=dtype)
    return full(shaped(call.count, lengths(x)), aligned(value, x.rank), **({"dtype": dtype} if dtype else {}))


def _full(call: Call) -> Node:
    sizes = sizes_of(call.args[0].node)
    return call.again(shaped(call.count, sizes), aligned(call.args[1], len(sizes)))


def _fit_like(call: Call) -> Made:
    """Both with as many axes as the longer, the batch's in front of them."""
    g, x = call.args
    if not g.batched:
        return Operand(fit_like(g.node, pick(x.node, 0, 0)), False, call.node.type)
    rank = max(g.rank, x.rank)
    target = Operand(whole(x, call.count), True, x.type)
    if x.type.kind == "number" and x.type.dtype != "complex":
        target = Operand(astype(target.node, dtype="float64"), True, x.type)
    made = fit_like(aligned(g, rank), aligned(target, rank))
    return made if x.rank == rank else reshape(made, shaped(call.count, lengths(x)))


# Axes


def _shifted(axis: Any) -> Any:
    if isinstance(axis, tuple):
        return tuple(map(_shifted, axis))
    return axis + 1 if axis >= 0 else axis


def _axes(*names: str) -> Rule:
    """One operand, and attributes that name axes of it."""

    def rule(call: Call) -> Node | None:
        attrs, defaults = call.node.attributes, call.node.op.defaults  # type: ignore[attr-defined]
        given = {name: attrs.get(name, defaults.get(name)) for name in names}
        if any(axis is None for axis in given.values()) or any(one.batched for one in call.args[1:]):
            return None
        return call.again(*call.nodes, **{name: _shifted(axis) for name, axis in given.items()})

    return rule


def _flat(x: Operand) -> Node:
    return reshape(x.node, make_shape(lengths_of_batch(x), -1))


def lengths_of_batch(x: Operand) -> Node:
    from symdiff.ops.shaping import length

    return length(x.node, axis=0)


def _reduction(call: Call) -> Node | None:
    """Over all axes of the items where none are named; items without axes get one."""
    x, *rest = call.args
    axis = call.node.attr("axis")
    if rest:
        return None
    if axis is not None:
        return call.again(x.node, axis=_shifted(axis)) if x.rank else None
    if x.rank == 0:
        return call.again(expand_dims(x.node, axis=1), axis=1, keepdims=None)
    return call.again(x.node, axis=1 if x.rank == 1 else tuple(range(1, x.rank + 1)))


def _flattening(call: Call) -> Node | None:
    """Along one axis, or of the elements of an item in a row where none is named."""
    x, *rest = call.args
    axis = call.node.attr("axis", call.node.op.defaults.get("axis"))  # type: ignore[attr-defined]
    if any(one.batched for one in rest) or (call.node.attr("keepdims") and axis is None):
        return None
    others = [one.node for one in rest]
    if axis is None:
        return call.again(x.node if x.rank == 1 else _flat(x), *others, axis=1)
    return call.again(x.node, *others, axis=_shifted(axis)) if x.rank else None


def _all_axes(name: str) -> Rule:
    """Over all axes of an item where none are named, by the attribute `name`."""

    def rule(call: Call) -> Node | None:
        x, *rest = call.args
        axes = call.node.attr(name, call.node.op.defaults[name])  # type: ignore[attr-defined]
        if rest or not x.rank or call.node.attr("s") is not None:
            return None
        return call.again(x.node, **{name: tuple(range(-x.rank, 0)) if axes is None else _shifted(axes)})

    return rule


def _norm(call: Call) -> Node | None:
    (x,) = call.args
    axis, order = call.node.attr("axis"), call.node.attr("ord")
    if axis is None and order is None and x.rank > 2 and not call.node.attr("keepdims"):
        return call.again(_flat(x), axis=1)
    if axis is None and x.rank not in (1, 2):
        return None
    return call.again(x.node, axis=_shifted(axis) if axis is not None else (1, 2) if x.rank == 2 else 1)


# Shapes


def _transpose(call: Call) -> Node:
    (x,) = call.args
    axes = call.node.attr("axes")
    order = reversed(range(x.rank)) if axes is None else (axis % x.rank for axis in axes)
    return transpose(x.node, axes=(0, *(axis + 1 for axis in order)))


def _reshape(call: Call) -> Node | None:
    x, shape = call.args
    if call.node.attr("order", "C") != "C":
        return None
    return call.again(x.node, shaped(call.count, sizes_of(shape.node)))


def _broadcast_to(call: Call) -> Node:
    x, shape = call.args
    sizes = sizes_of(shape.node)
    return call.again(aligned(x, len(sizes)), shaped(call.count, sizes))


def _squeeze(call: Call) -> Node | None:
    (x,) = call.args
    axis = call.node.attr("axis")
    if axis is None:
        dims = call.builder.sizes.resolve(x.type.dims) or ()
        axis = tuple(i for i, dim in enumerate(dims) if dim == 1)
    return call.again(x.node, axis=_shifted(axis)) if axis != () else x.node


def _expand_dims(call: Call) -> Node:
    (x,) = call.args
    axis = call.node.attr("axis")
    return call.again(x.node, axis=_shifted(axis))


def _ravel(call: Call) -> Node | None:
    return _flat(call.args[0]) if call.node.attr("order", "C") == "C" else None


def _copy(call: Call) -> Node:
    """In C's order, whatever that of one item is in memory."""
    return call.again(call.args[0].node, order=None)


def _of_matrices(least: int = 2) -> Rule:
    """Functions of the last axes, as they stand."""

    def rule(call: Call) -> Node | None:
        return call.again(*call.nodes) if all(one.rank >= least for one in call.args) else None

    return rule


def _atleast(rank: int) -> Rule:
    def rule(call: Call) -> Node:
        (x,) = call.args
        if x.rank >= rank:
            return x.node
        places = tuple(range(1, rank - x.rank + 1))
        if rank == 3 and x.rank:
            places = (1, 3) if x.rank == 1 else (3,)
        return expand_dims(x.node, axis=places)

    return rule


def _diag(call: Call) -> Node | None:
    (x,) = call.args
    k = call.node.attr("k", 0)
    return REGISTRY["diagonal"](x.node, offset=k, axis1=1, axis2=2) if x.rank == 2 else None


def _pad(call: Call) -> Node | None:
    from symdiff.ops.axes import pad_widths

    (x,) = call.args
    if call.node.attr("mode", "constant") != "constant" or np.ndim(call.node.attr("constant_values", 0)):
        return None
    return call.again(x.node, pad_width=((0, 0), *pad_widths(call.node.attr("pad_width"), x.rank)))


def _joined(call: Call) -> Node | None:
    axis = call.node.attr("axis", 0)
    if axis is None:
        return None
    return call.again(*(whole(one, call.count) for one in call.args), axis=_shifted(axis))


def _array(call: Call) -> Node:
    """Items side by side behind the batch's axis, then in their shape."""
    shape = call.node.attr("shape", ())
    parts = [whole(one, call.count) for one in call.args]
    made = stack(*parts, axis=1)
    if len(shape) != 1:
        inner = lengths(call.args[0])
        made = reshape(made, shaped(call.count, [*map(call.builder.const, shape), *inner]))
    return made


def _vector(call: Call) -> Node | None:
    return call.args[0].node if call.args[0].rank else None


_REDUCTIONS = (
    "sum", "mean", "max", "min", "prod", "var", "std", "any", "all", "count_nonzero", "nanmax", "nanmin",
    "nanvar", "nanstd", "logaddexp.reduce", "logaddexp2.reduce", "hypot.reduce", "special.logsumexp",
    "special.softmax", "special.log_softmax",
)  # fmt: skip
_FLATTENING = (
    "argmax", "argmin", "nanargmax", "nanargmin", "cumsum", "cumprod", "repeat", "argsort", "partition",
    "argpartition",
)  # fmt: skip
_MATRICES = (
    "linalg.inv", "linalg.det", "linalg.slogdet", "linalg.cholesky", "linalg.eigh", "linalg.eigvalsh",
    "linalg.eig", "linalg.eigvals", "linalg.svd", "linalg.svdvals", "linalg.qr", "linalg.matrix_rank",
    "tril", "triu", "matrix_transpose",
)  # fmt: skip

RULES: dict[str, Rule] = {
    **PLACES,
    **PRODUCTS,
    **STACKS,
    **dict.fromkeys(_REDUCTIONS, _reduction),
    **dict.fromkeys(_FLATTENING, _flattening),
    **dict.fromkeys(_MATRICES, _of_matrices()),
    "shape": _shape,
    "length": _length,
    "size": _size,
    **dict.fromkeys(("zeros_like", "ones_like", "empty_like"), _like),
    "full_like": _full_like,
    "full": _full,
    "fit_like": _fit_like,
    "to_float": _to_dtype("float64"),
    "int": _to_dtype("int64"),
    "bool": _to_dtype("bool"),
    "item": lambda call: call.args[0].node if call.args[0].rank == 0 else None,
    "linalg.norm": _norm,
    "transpose": _transpose,
    "reshape": _reshape,
    "broadcast_to": _broadcast_to,
    "squeeze": _squeeze,
    "expand_dims": _expand_dims,
    "ravel": _ravel,
    "copy": _copy,
    "swapaxes": _axes("axis1", "axis2"),
    "moveaxis": _axes("source", "destination"),
    "diagonal": _axes("axis1", "axis2"),
    "trace": _axes("axis1", "axis2"),
    "rot90": _axes("axes"),
    "roll": _axes("axis"),
    "unwrap": _axes("axis"),
    **{f"fft.{name}": _axes("axis") for name in ("fft", "ifft", "rfft", "irfft")},
    **{f"fft.{name}": _all_axes("axes") for name in ("fftn", "ifftn", "fft2", "ifft2")},
    **dict.fromkeys(("fft.fftshift", "fft.ifftshift"), _all_axes("axes")),
    "flip": _all_axes("axis"),
    "fliplr": lambda call: REGISTRY["flip"](call.args[0].node, axis=2),
    "flipud": lambda call: REGISTRY["flip"](call.args[0].node, axis=1),
    **{f"atleast_{rank}d": _atleast(rank) for rank in (1, 2, 3)},
    "diag": _diag,
    "pad": _pad,
    "concatenate": _joined,
    "stack": _joined,
    "array": _array,
    "ascontiguousarray": _vector,
}
