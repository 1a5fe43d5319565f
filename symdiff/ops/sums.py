"""Which sums of derived terms are zero by algebra.

Enters: a derived node, and perhaps axes to sum it over.  Leaves: whether it is zero for all finite inputs.
Invariant: `vanishes` says True only where expanding products over sums, and sums over what does not depend on
the axis, cancels every term.

It is what makes `logits - logits.max()` cost nothing on the way back: with `e = exp(z)`, `s = sum(e)` the
cotangent `g - e * (sum(g) / s)` of `z` sums to `sum(g) - s * sum(g) / s`, so the maximum receives nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from fractions import Fraction
from typing import NamedTuple

from symdiff.ir.build import current
from symdiff.ir.node import Node


class Sum(NamedTuple):
    """A product of atoms summed over axes of an array of a rank; an atom itself."""

    inside: frozenset[tuple[Hashable, int]]
    axes: tuple[int, ...]
    rank: int | None


Terms = dict[frozenset[tuple[Hashable, int]], Fraction]
MOST_TERMS = 24
_DEEPEST = 24
_ONE: frozenset[tuple[Hashable, int]] = frozenset()


class _TooLargeError(Exception):
    pass


def vanishes(node: Node, axes: tuple[int, ...] | None = None) -> bool:
    """Whether `node`, summed over `axes` (non-negative; None: not summed), is zero by algebra."""
    if node.op.name == "subtract" and node.args[0] is node.args[1]:
        return True
    try:
        terms = _terms(node, _DEEPEST)
        if axes is not None:
            terms = _summed(terms, axes, node)
    except _TooLargeError:
        return False
    return not terms


def _add(total: Terms, key: frozenset[tuple[Hashable, int]], coefficient: Fraction) -> None:
    total[key] = total.get(key, Fraction(0)) + coefficient
    if total[key] == 0:
        del total[key]
    if len(total) > MOST_TERMS:
        raise _TooLargeError


def _terms(node: Node, depth: int) -> Terms:
    """The node as a sum of products of atoms with integer exponents."""
    if depth == 0:
        raise _TooLargeError
    name = node.op.name
    if node.is_const:
        return _constant(node)
    if name == "broadcast_to":
        return _terms(node.args[0], depth - 1)
    kept = _kept_sum(node)
    if kept is not None:
        return _summed(_terms(kept[0], depth - 1), kept[1], kept[0])
    if name == "expand_dims":
        return _expanded(node, depth)
    if name == "negative":
        return {key: -value for key, value in _terms(node.args[0], depth - 1).items()}
    if name in ("add", "subtract"):
        total = dict(_terms(node.args[0], depth - 1))
        sign = 1 if name == "add" else -1
        for key, value in _terms(node.args[1], depth - 1).items():
            _add(total, key, sign * value)
        return total
    if name == "multiply":
        return _times(_terms(node.args[0], depth - 1), _terms(node.args[1], depth - 1))
    if name == "divide":
        below = _terms(node.args[1], depth - 1)
        if len(below) != 1:
            return _times(_terms(node.args[0], depth - 1), _power(_atom(node.args[1]), -1))
        return _times(_terms(node.args[0], depth - 1), _power(below, -1))
    return _atom(node)


def _expanded(node: Node, depth: int) -> Terms:
    """Expanding the dims of an expression in sums over these very dims puts them where they were."""
    inner = _terms(node.args[0], depth - 1)
    atoms = {atom for key in inner for atom, _ in key}
    rank = node.type.rank
    if rank is None or not all(
        isinstance(a, Node) and (a.type.dims == () or a.op.name == "sum") for a in atoms
    ):
        return _atom(node)
    total: Terms = {}
    for key, value in inner.items():
        product: Terms = {_ONE: value}
        for atom, exponent in key:
            assert isinstance(atom, Node)
            operand = atom.args[0] if atom.op.name == "sum" else atom
            axes = _positive(node.attr("axis"), rank)
            if atom.type.dims == ():
                product = _times(product, {frozenset([(atom, exponent)]): Fraction(1)})
                continue
            if (
                operand.type.rank != rank
                or _positive(atom.attr("axis"), rank) != axes
                or atom.attr("keepdims", False)
            ):
                return _atom(node)
            summed = _summed(_terms(operand, depth - 1), axes, operand)
            if len(summed) != 1:
                return _atom(node)
            product = _times(product, _power(summed, exponent))
        for one, coefficient in product.items():
            _add(total, one, coefficient)
    return total


def _constant(node: Node) -> Terms:
    value = node.value
    if isinstance(value, complex) or value != value or abs(value) == float("inf"):
        return _atom(node)
    return {_ONE: Fraction(value)} if value else {}


def _atom(node: Node) -> Terms:
    return {frozenset([(node, 1)]): Fraction(1)}


def _kept_sum(node: Node) -> tuple[Node, tuple[int, ...]] | None:
    """Operand and axes of a sum whose axes stay as size 1 (or of a full sum): aligned with its operand."""
    inner, axis = node, None
    if node.op.name == "expand_dims" and node.args[0].op.name == "sum":
        inner, axis = node.args[0], node.attr("axis")
    if inner.op.name != "sum" or inner.args[0].type.rank is None:
        return None
    operand, rank = inner.args[0], inner.args[0].type.rank
    assert rank is not None
    axes = _positive(inner.attr("axis"), rank)
    whole = len(axes) == rank
    if inner.attr("keepdims", False) or whole:
        return (operand, axes) if axis is None else None
    return (operand, axes) if axis is not None and _positive(axis, rank) == axes else None


def _positive(axis: object, rank: int) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(rank))
    chosen = axis if isinstance(axis, tuple) else (axis,)
    return tuple(sorted(one % rank for one in chosen))


def _times(a: Terms, b: Terms) -> Terms:
    total: Terms = {}
    for left, x in a.items():
        for right, y in b.items():
            exponents = Counter(dict(left))
            for key, exponent in right:
                exponents[key] += exponent
            _add(total, frozenset((k, e) for k, e in exponents.items() if e), x * y)
    return total


def _power(single: Terms, exponent: int) -> Terms:
    ((key, value),) = single.items()
    return {frozenset((k, e * exponent) for k, e in key): value**exponent}


def _summed(terms: Terms, axes: tuple[int, ...], like: Node) -> Terms:
    """Every term summed: what does not depend on the axes moves out, the rest becomes one atom."""
    total: Terms = {}
    for key, value in terms.items():
        inside = frozenset((atom, e) for atom, e in key if _depends(atom, axes, like))
        if not inside:
            raise _TooLargeError  # a count of elements: not worth knowing
        outside = Counter(dict(key - inside))
        outside[Sum(inside, axes, like.type.rank)] += 1
        _add(total, frozenset((k, e) for k, e in outside.items() if e), value)
    return total


def _depends(atom: Hashable, axes: tuple[int, ...], like: Node) -> bool:
    """Whether an atom varies along the axes of `like`; elementwise operands align at the right."""
    rank = like.type.rank
    if rank is None:
        raise _TooLargeError
    if isinstance(atom, Sum):
        summed, own_rank = atom.axes, atom.rank
        if len(summed) == own_rank:
            return False
        if own_rank == rank and set(axes) <= set(summed):
            return False
        raise _TooLargeError
    assert isinstance(atom, Node)
    dims = atom.type.dims
    if dims is None:
        raise _TooLargeError
    sizes = current().sizes
    shifted = [axis - (rank - len(dims)) for axis in axes]
    return any(axis >= 0 and sizes.find(dims[axis]) != 1 for axis in shifted)
