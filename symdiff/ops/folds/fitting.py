"""Folds of `fit_like`: what types know of the sum that undoes broadcasting, and of the cast."""

from __future__ import annotations

from typing import Any

from symdiff.ir import types
from symdiff.ir.build import current
from symdiff.ir.node import Node
from symdiff.ops import infer
from symdiff.ops.arithmetic import divide, multiply, negative
from symdiff.ops.folds.common import fold, is_weak, shaped_as
from symdiff.ops.reductions import add_reduce
from symdiff.ops.row import Row
from symdiff.ops.shaping import (
    astype,
    expand_dims,
    fit_like,
    real,
)
from symdiff.ops.sums import vanishes


def _fit_unknown(g: Node, x: Node) -> Node | None:
    """Without types: nothing to do where both have one shape; one sum instead of two in a row."""
    if g.op is fit_like and not g.primal and x in g.args[1].args:
        return fit_like(g.args[0], x)
    if x.op.name == "param":
        return None  # its dtype is kept by the runtime
    if shaped_as(g) is shaped_as(x) or (x.type.dims == g.type.dims == () and is_weak(g)):
        return g
    return None


@fold(fit_like)
def _fit_like(g: Node, x: Node) -> Node | None:
    """What types know of the sum that undoes broadcasting and the cast that undoes promotion."""
    sizes = current().sizes
    source, target = sizes.resolve_computed(g.type.dims), sizes.resolve_computed(x.type.dims)
    if source is None or target is None or not g.type.dtype or not x.type.dtype:
        return _fit_unknown(g, x)
    if x.type.kind == "number":
        fitted = g if source == () else add_reduce(g)
    else:
        shaped = _summed(g, source, target)
        if shaped is None:
            return _in_one_step(g, x)
        fitted = shaped
    return _cast(fitted, x)


def _in_one_step(g: Node, x: Node) -> Node | None:
    """`fit_like(c * fit_like(h, y), x)` without the shape of `y`, which `x` and `c` are stretched to."""
    if g.primal:
        return None
    if g.op is fit_like:
        whole, y = g.args
        same = infer.numpy_dtype(y) == infer.numpy_dtype(x)
        return fit_like(whole, x) if same and _is_stretched(x, y) else None
    if g.op not in (negative, multiply, divide):
        return None
    for k, arg in enumerate(g.args if g.op is multiply else g.args[:1]):
        others = [*g.args[:k], *g.args[k + 1 :]]
        if arg.op is not fit_like or arg.primal or not _is_stretched(x, arg.args[1]):
            continue
        if all(_is_stretched(other, arg.args[1]) for other in others):
            whole = fit_like(g.op(*g.args[:k], arg.args[0], *g.args[k + 1 :]), arg.args[1])
            return _in_one_step(whole, x)
    return None


def _is_stretched(x: Node, y: Node) -> bool:
    """Whether broadcasting stretches `x` to the shape of `y`, where that is known from what `y` was computed
    from."""
    sizes = current().sizes
    if x in y.args and isinstance(y.op, Row) and y.op.kind == "elementwise":
        return True
    small, large = sizes.resolve(x.type.dims), sizes.resolve(y.type.dims)
    if small is None or large is None or len(small) > len(large):
        return False
    pairs = zip(small, large[len(large) - len(small) :], strict=True)
    return all(dim == 1 or sizes.is_stretched_from(into, dim) for dim, into in pairs)


def _summed(g: Node, source: types.Dims, target: types.Dims) -> Node | None:
    """`g` summed over the axes in which `target` was stretched; None where only the run can tell."""
    if source == target:
        return g
    lead = len(source) - len(target)
    if lead < 0:
        return None
    leading = tuple(range(lead))
    differing = [lead + i for i, want in enumerate(target) if want != source[lead + i]]
    stretched = [axis for axis in differing if target[axis - lead] == 1]
    if vanishes(g, (*leading, *stretched)):
        return current().const(0.0)
    if stretched != differing:
        return None
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
    complex_one = infer.numpy_dtype(g).startswith("complex")
    if is_weak(g) and (not complex_one or infer.numpy_dtype(x).startswith("complex")):
        return g
    have, want = infer.numpy_dtype(g), infer.numpy_dtype(x)
    if have.startswith("complex") and not want.startswith("complex"):
        g = current().const(complex(g.value).real) if g.is_const else real(g)
        have = infer.numpy_dtype(g)
    if x.type.kind == "number" or have == want or is_weak(g):
        return g
    return astype(g, dtype=want)
