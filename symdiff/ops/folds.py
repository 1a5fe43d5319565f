"""Folds: cheaper equal nodes, applied while derived code is built and never to the user's own.

Enters: an operation with its operands.  Leaves: an equal cheaper node, or None.  Constants are computed,
identities removed, signs float outwards, broadcasts are absorbed by operands of full shape, and masks
move to the end of a product (`where(c, g, 0) * p` becomes `where(c, g * p, 0)`), so that a partial that
is NaN or infinite where the branch was not taken never meets a zero.  Sizes are taken from a parameter
that has them, so that no value is computed only to be measured.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial
from typing import Any

from symdiff.ir import types
from symdiff.ir.build import current
from symdiff.ir.node import FOLDS, Node, Number
from symdiff.ops import infer
from symdiff.ops.arithmetic import add, divide, multiply, negative, power, subtract
from symdiff.ops.elementwise import logical_not, logical_or, where
from symdiff.ops.indexing import add_at, scatter
from symdiff.ops.linalg import inv
from symdiff.ops.products import matmul
from symdiff.ops.reductions import add_reduce
from symdiff.ops.row import Row
from symdiff.ops.shaping import (
    astype,
    broadcast_to,
    copy,
    expand_dims,
    fit_like,
    length,
    real,
    reshape,
    shape_of,
    size,
    to_float,
    transpose,
)
from symdiff.ops.sums import vanishes

Fold = Callable[..., Node | None]
Build = Callable[[Node], Node]


def fold(row: Row) -> Callable[[Fold], Fold]:
    def add_fold(function: Fold) -> Fold:
        FOLDS[row.name] = function
        return function

    return add_fold


def is_const(node: Node, value: Number | None = None) -> bool:
    return node.is_const and (value is None or node.value == value)


def same_type(a: types.Type, b: types.Type) -> bool:
    """Equal kind, dtype and resolved dims: one may stand for the other."""
    sizes = current().sizes
    return (
        a.kind == b.kind
        and a.dtype == b.dtype
        and a.dims is not None
        and b.dims is not None
        and sizes.resolve(a.dims) == sizes.resolve(b.dims)
    )


def _positive_part(node: Node) -> Node | None:
    """What is subtracted where a derived term is added: `x` of `-x`, `2 * x` of `-2 * x`, 3 of -3."""
    if node.is_const and not isinstance(node.value, complex) and node.value < 0:
        return -node
    if not node.primal and node.op in (multiply, divide) and node.args[0].is_const:
        factor = node.args[0].value
        if not isinstance(factor, complex) and factor < 0:
            return -node
    return _negated(node)


def _first(*folds: Fold) -> Fold:
    """The first of several folds that applies."""

    def attempt(*operands: Node) -> Node | None:
        return next((result for one in folds if (result := one(*operands)) is not None), None)

    return attempt


def _computed(function: Callable[[Any, Any], Any]) -> Callable[[Node, Node], Node | None]:
    """Constant folding with Python's own arithmetic; what Python refuses stays a node."""

    def compute(a: Node, b: Node) -> Node | None:
        if not (a.is_const and b.is_const):
            return None
        try:
            return current().const(function(a.value, b.value))
        except (ArithmeticError, ValueError):
            return None

    return compute


def _negated(node: Node) -> Node | None:
    """What a derived minus sign stands before."""
    return node.args[0] if node.op is negative and not node.primal else None


def _absorbed(op: Row, a: Node, b: Node) -> Node | None:
    """`op` without a broadcast that the other operand's shape implies, or with the broadcast outside."""
    result = op.infer(a, b)
    choices: tuple[tuple[Node, Node, Build], ...] = (
        (a, b, lambda inner: op(inner, b)),
        (b, a, lambda inner: op(a, inner)),
    )
    for first, second, build in choices:
        if first.op.name != "broadcast_to" or first.primal:
            continue
        inner = first.args[0]
        absorbed = op.infer(*((inner, second) if first is a else (second, inner)))
        if inner.type.kind == "number":  # weak: the dtype is that of the other operand
            absorbed = absorbed.with_dtype(result.dtype)
        if same_type(result, absorbed) or (is_scalar(inner) and shaped_as(first) is shaped_as(second)):
            return build(inner)
        if second.type.dims == () and inner.type.dims is not None:
            return broadcast_to(build(inner), first.args[1])
    return None


def mask_of(node: Node) -> tuple[Node, bool] | None:
    """The condition outside of which a derived cotangent is zero: `(c, True)` for `where(c, g, 0)`,
    `(c, False)` for `where(c, 0, g)`; sums of masked cotangents carry both."""
    if node.primal:
        return None
    if node.op.name == "where":
        condition, a, b = node.args
        if is_const(b, 0):
            return condition, True
        if is_const(a, 0):
            return condition, False
    if node.op is negative:
        return mask_of(node.args[0])
    if node.op is add or node.op is subtract:
        left, right = mask_of(node.args[0]), mask_of(node.args[1])
        if left is not None and right is not None:
            return (left[0] if left == right else _either(left, right)), left[1] if left == right else True
    return None


def _either(left: tuple[Node, bool], right: tuple[Node, bool]) -> Node:
    a, b = (c if positive else logical_not(c) for c, positive in (left, right))
    return logical_or(a, b)


def masked(condition: Node, positive: bool, x: Node | Number) -> Node:
    return where(condition, x, 0) if positive else where(condition, 0, x)


def _unmasked(node: Node) -> Node:
    """The value under a mask where the mask is the outermost operation."""
    if node.op.name == "where":
        return node.args[2] if is_const(node.args[1], 0) else node.args[1]
    return node


def _mask_last(op: Row, a: Node, b: Node) -> Node | None:
    """A product or quotient of a masked cotangent, masked after it is taken."""
    for masked_one in (a, b) if op is multiply else (a,):
        mask = mask_of(masked_one)
        if mask is not None and masked_one.op is where:
            inner = _unmasked(masked_one)
            return masked(*mask, op(inner, b) if masked_one is a else op(a, inner))
        if mask is not None:
            return masked(*mask, current().unfolded(op, a, b))
    return None


@fold(add)
def _add(a: Node, b: Node) -> Node | None:
    if a is b and not a.is_const:
        return 2 * a
    for first, second in ((a, b), (b, a)):
        if is_const(first, 0) and same_type(add.infer(a, b), second.type):
            return second
        inner = _positive_part(second)
        if inner is not None:
            return first - inner
    if b.op is scatter and a.op is scatter and _positive_part(a.args[0]) is not None:
        a, b = b, a  # what is subtracted comes last: `x_bar[:-1] -= g`
    if b.op is scatter and not b.primal:
        return _into(a, b)
    if a.op is scatter and not a.primal:
        return _into(b, a)
    left, right = mask_of(a), mask_of(b)
    if left is not None and right is not None and a.op is b.op is where and left[0] is right[0]:
        if left == right:
            return masked(*left, _unmasked(a) + _unmasked(b))
        return where(left[0], _unmasked(a if left[1] else b), _unmasked(b if left[1] else a))
    return _first(_computed(operator.add), partial(_absorbed, add))(a, b)


def _into(total: Node, part: Node) -> Node | None:
    """Add a cotangent that lives at an index to one of full shape: O(size of the index)."""
    if not same_type(total.type, part.type):
        return None
    value, _, *where = part.args
    return add_at(total, value, *where, **part.attributes)


@fold(subtract)
def _subtract(a: Node, b: Node) -> Node | None:
    if is_const(b, 0) and same_type(subtract.infer(a, b), a.type):
        return a
    if is_const(a, 0) and same_type(subtract.infer(a, b), b.type):
        return -b
    inner = _negated(b)
    if inner is not None:
        return a + inner
    if b.op is scatter and not b.primal:
        value, *rest = b.args
        return _into(a, scatter(-value, *rest, **b.attributes))
    return _first(_computed(operator.sub), partial(_absorbed, subtract))(a, b)


def is_scalar(node: Node) -> bool:
    return node.type.dims == ()


def _regrouped(scalar: Node, product: Node) -> Node | None:
    """A scalar times a derived product with a scalar factor: the scalars first, so that one array operation
    is left."""
    if not is_scalar(scalar) or product.primal:
        return None
    if product.op is expand_dims:
        inner = _regrouped(scalar, product.args[0])
        return None if inner is None else expand_dims(inner, **product.attributes)
    if product.op not in (multiply, divide):
        return None
    a, b = product.args
    if is_scalar(a) and (not is_scalar(b) or (scalar.is_const and a.is_const)):
        return product.op(scalar * a, b)
    if is_scalar(b) and not is_scalar(a):
        return (scalar / b if product.op is divide else scalar * b) * a
    return None


@fold(multiply)
def _multiply(a: Node, b: Node) -> Node | None:
    for first, second in ((a, b), (b, a)):
        if is_const(first, 1) and (same_type(multiply.infer(a, b), second.type) or not second.type.dtype):
            return second
        if is_const(first, -1) and same_type(multiply.infer(a, b), second.type):
            return -second
        inner = _negated(first)
        if inner is not None:
            return -(inner * second)
        regrouped = _regrouped(first, second)
        if regrouped is not None:
            return regrouped
        if first.op is divide and not first.primal and is_const(first.args[0], 1) and not is_const(second):
            return second / first.args[1]
    if b.is_const and not a.is_const:
        return b * a
    if b.op is multiply and not b.primal and b.args[0].is_const and not a.is_const:
        return (b.args[0] * a) * b.args[1]
    return _first(_computed(operator.mul), partial(_mask_last, multiply), partial(_absorbed, multiply))(a, b)


@fold(divide)
def _divide(a: Node, b: Node) -> Node | None:
    if is_const(b, 1) and same_type(divide.infer(a, b), a.type):
        return a
    choices: tuple[tuple[Node, Build], ...] = ((a, lambda inner: inner / b), (b, lambda inner: a / inner))
    for first, build in choices:
        inner = _negated(first)
        if inner is not None:
            return -build(inner)
    if (
        is_scalar(b)
        and a.op is multiply
        and not a.primal
        and is_scalar(a.args[0])
        and not is_scalar(a.args[1])
    ):
        return (a.args[0] / b) * a.args[1]
    return _first(_computed(operator.truediv), partial(_mask_last, divide), partial(_absorbed, divide))(a, b)


@fold(power)
def _power(a: Node, b: Node) -> Node | None:
    if is_const(b, 1) and (same_type(power.infer(a, b), a.type) or not a.type.dtype):
        return a
    return _computed(operator.pow)(a, b)


@fold(negative)
def _negative(x: Node) -> Node | None:
    if x.is_const:
        return current().const(-x.value)
    if x.primal:
        return None
    if x.op is negative:
        return x.args[0]
    if x.op is subtract:
        return x.args[1] - x.args[0]
    if x.op in (multiply, divide) and x.args[0].is_const:
        return x.op(-x.args[0], x.args[1])
    if x.op.name == "broadcast_to":
        return broadcast_to(-x.args[0], x.args[1])
    mask = mask_of(x)
    if mask is not None and x.op.name == "where":
        return masked(*mask, -_unmasked(x))
    return None


def _measured(x: Node) -> Node | None:
    """Another value of the same shape that is there anyway: a parameter, or what `x` is computed from."""
    if x.op.name == "param":
        return None
    builder = current()
    dims = builder.sizes.resolve(x.type.dims)
    for param in builder.params:
        if dims is not None and param.type.kind == "array" and builder.sizes.resolve(param.type.dims) == dims:
            return param
    source = shaped_as(x)
    return source if source is not x and source.type.kind == "array" else None


@fold(shape_of)
def _shape(x: Node) -> Node | None:
    other = _measured(x)
    return None if other is None else shape_of(other)


@fold(size)
def _size(x: Node) -> Node | None:
    builder = current()
    if x.type.dims is not None:
        total = infer.product(x.type.dims)
        if isinstance(total, int):
            return builder.const(total)
        along = [i for i, dim in enumerate(x.type.dims) if builder.sizes.find(dim) == total]
        if len(along) == 1 and _measured(x) is None:
            return length(x, axis=along[0]) if x.op.name != "param" else None
    other = _measured(x)
    return None if other is None else size(other)


@fold(length)
def _length(x: Node, axis: int) -> Node | None:
    builder = current()
    if x.type.dims is None:
        return None
    dim = builder.sizes.find(x.type.dims[axis])
    if isinstance(dim, int):
        return builder.const(dim)
    if x.op.name == "param":
        return None
    for param in builder.params:
        for i, other in enumerate(param.type.dims or ()):
            if param.type.kind == "array" and builder.sizes.find(other) == dim:
                return length(param, axis=i)
    return None


@fold(broadcast_to)
def _broadcast_to(x: Node, shape: Node) -> Node | None:
    sizes = current().sizes
    scalar = _spread_scalar(x)
    if scalar is not None:
        return broadcast_to(scalar, shape)
    if x.type.dims is not None and shape.type.dims is not None and x.type.kind == "array":
        if sizes.resolve(x.type.dims) == sizes.resolve(shape.type.dims):
            return x
        if x.op is broadcast_to and not x.primal:
            return broadcast_to(x.args[0], shape)
    return None


def _spread_scalar(x: Node) -> Node | None:
    """The scalar that fills an array that was only broadcast and reshaped."""
    source = x
    while source.op in (expand_dims, reshape, broadcast_to) and not source.primal:
        source = source.args[0]
    return source if source is not x and source.type.dims == () else None


@fold(reshape)
def _reshape(x: Node, shape: Node, order: str = "C") -> Node | None:
    sizes = current().sizes
    if x.type.dims is None or shape.type.dims is None or order != "C":
        return None
    have, want = sizes.resolve(x.type.dims), sizes.resolve(shape.type.dims)
    if have == want:
        return x
    inner = _negated(x)
    if inner is not None:
        return -reshape(inner, shape)
    if x.primal:
        return None
    scalar = _spread_scalar(x)
    if scalar is not None:
        return broadcast_to(scalar, shape)
    if x.op in (reshape, expand_dims):
        return reshape(x.args[0], shape)
    if x.op is add_reduce and x.attr("keepdims") and x.attr("dtype") is None:
        dropped = add_reduce(x.args[0], **_given(x.attr("axis"), False))
        return dropped if sizes.resolve(dropped.type.dims) == want else None
    return None


@fold(transpose)
def _transpose(x: Node, axes: Any = None) -> Node | None:
    if axes is not None:
        return None
    if x.type.rank is not None and x.type.rank < 2:
        return x
    if x.op is transpose and x.attr("axes") is None:
        return x.args[0]
    if x.op is matmul and not x.primal and x.args[0].type.rank == x.args[1].type.rank == 2:
        return transpose(x.args[1]) @ transpose(x.args[0])
    return None


@fold(copy)
def _copy(x: Node) -> Node | None:
    """The transpose of an inverse, contiguous: the inverse of the transpose."""
    if x.op is transpose and x.args[0].op is inv and not x.args[0].primal and x.attr("axes") is None:
        return inv(transpose(x.args[0].args[0]))
    return None


@fold(add_reduce)
def _sum(x: Node, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Node | None:
    inner = _negated(x)
    if inner is not None and dtype is None:
        return -add_reduce(inner, **_given(axis=axis, keepdims=keepdims))
    if (axis, dtype, keepdims) == (None, None, False) and x.op is broadcast_to and is_scalar(x.args[0]):
        return x.args[0] * size(x)
    return None


def _given(axis: Any, keepdims: bool) -> dict[str, Any]:
    return {**({} if axis is None else {"axis": axis}), **({"keepdims": True} if keepdims else {})}


@fold(to_float)
def _to_float(x: Node) -> Node | None:
    if x.is_const and not isinstance(x.value, complex):
        return current().const(float(x.value))
    return x if x.type.kind == "number" and x.type.dtype == "float" else None


@fold(scatter)
def _scatter(g: Node, shape: Node, *operands: Node, index: Any) -> Node | None:
    """Zeros everywhere but at an index that is everywhere: only axes of length 1 went in or out."""
    if _is_everywhere(index, shape.type.dims):
        return reshape(g, shape)
    if _is_weak(g) and infer.numpy_dtype(g).startswith("int"):
        return scatter(_as_float(g), shape, *operands, index=index)
    return None


def _is_everywhere(index: Any, dims: types.Dims | None) -> bool:
    axis: int | None = 0
    for entry in index:
        if entry[0] == "int":
            single = axis is not None and dims is not None and current().sizes.find(dims[axis]) == 1
            if not single or entry[1] not in (0, -1):
                return False
        elif entry[0] == "ellipsis":
            axis = None
        elif entry[0] != "new" and entry != ("slice", None, None, None):
            return False
        if axis is not None and entry[0] in ("int", "slice"):
            axis += 1
    return True


def _as_float(g: Node) -> Node:
    """A weak integer, perhaps spread over an array, as a float."""
    if g.is_const:
        return current().const(float(g.value.real))
    if g.op is broadcast_to:
        return broadcast_to(_as_float(g.args[0]), g.args[1])
    return 1.0 * g


def shaped_as(node: Node) -> Node:
    """A value of the same shape: arithmetic with constants and unary functions keep shapes."""
    while True:
        if node.op is fit_like and not node.primal:
            node = node.args[1]
        elif node.op is broadcast_to and node.args[1].op is shape_of:
            node = node.args[1].args[0]
        elif isinstance(node.op, Row) and node.op.kind == "elementwise":
            operands = [arg for arg in node.args if arg.type.dims != ()]
            if len(operands) != 1:
                return node
            node = operands[0]
        else:
            return node


def _fit_unknown(g: Node, x: Node) -> Node | None:
    """Without types: nothing to do where both have one shape; one sum instead of two in a row."""
    if g.op is fit_like and not g.primal and x in g.args[1].args:
        return fit_like(g.args[0], x)
    if x.op.name == "param":
        return None  # its dtype is kept by the runtime
    if shaped_as(g) is shaped_as(x) or (x.type.dims == g.type.dims == () and _is_weak(g)):
        return g
    return None


@fold(fit_like)
def _fit_like(g: Node, x: Node) -> Node | None:
    """What types know of the sum that undoes broadcasting and the cast that undoes promotion."""
    sizes = current().sizes
    source, target = sizes.resolve(g.type.dims), sizes.resolve(x.type.dims)
    if source is None or target is None or not g.type.dtype or not x.type.dtype:
        return _fit_unknown(g, x)
    if x.type.kind == "number":
        fitted = g if source == () else add_reduce(g)
    else:
        shaped = _summed(g, source, target)
        if shaped is None:
            return None
        fitted = shaped
    return _cast(fitted, x)


def _summed(g: Node, source: types.Dims, target: types.Dims) -> Node | None:
    """`g` summed over the axes in which `target` was stretched; None where only the run can tell."""
    if source == target:
        return g
    lead = len(source) - len(target)
    if lead < 0:
        return None
    reduced = (*range(lead), *(lead + i for i, dim in enumerate(target) if dim == 1 != source[lead + i]))
    if vanishes(g, reduced):
        return current().const(0.0)
    stretched = []
    for axis, (have, want) in enumerate(zip(source[lead:], target, strict=True), start=lead):
        if have == want:
            continue
        if want != 1:
            return None
        stretched.append(axis)
    leading = tuple(range(lead))
    if not stretched:
        return add_reduce(g, axis=_one_or_all(leading, len(source)))
    if not leading:
        return add_reduce(g, axis=_one_or_tuple(tuple(stretched)), keepdims=True)
    summed = add_reduce(g, axis=_one_or_all((*leading, *stretched), len(source)))
    return expand_dims(summed, axis=_one_or_tuple(tuple(axis - lead for axis in stretched)))


def _one_or_tuple(axes: tuple[int, ...]) -> Any:
    return axes[0] if len(axes) == 1 else axes


def _one_or_all(axes: tuple[int, ...], rank: int) -> Any:
    return None if len(axes) == rank else _one_or_tuple(axes)


def _cast(g: Node, x: Node) -> Node:
    """`g` in the dtype of `x`: real where `x` is real, then the width of `x`; numbers take any float."""
    if _is_weak(g):
        return g
    have, want = infer.numpy_dtype(g), infer.numpy_dtype(x)
    if have.startswith("complex") and not want.startswith("complex"):
        g = real(g)
        have = infer.numpy_dtype(g)
    if x.type.kind == "number" or have == want:
        return g
    return astype(g, dtype=want)


def _is_weak(g: Node) -> bool:
    """A Python number, perhaps spread over an array that does not exist yet: it takes any dtype."""
    if g.type.kind == "number":
        return True
    if g.primal:
        return False
    return (g.op is broadcast_to and _is_weak(g.args[0])) or (
        g.op is where and all(map(_is_weak, g.args[1:]))
    )


@fold(where)
def _where(condition: Node, a: Node, b: Node) -> Node | None:
    """A branch that was only broadcast to the shape that the others have."""
    dims = current().sizes.resolve(infer.broadcast(condition, a, b))
    choices: tuple[tuple[Node, Build], ...] = (
        (a, lambda inner: where(condition, inner, b)),
        (b, lambda inner: where(condition, a, inner)),
    )
    for first, build in choices:
        if first.op is broadcast_to and not first.primal:
            inner = first.args[0]
            rest = [condition, b if first is a else a, inner]
            if dims is not None and current().sizes.resolve(infer.broadcast(*rest)) == dims:
                return build(inner)
    return None
