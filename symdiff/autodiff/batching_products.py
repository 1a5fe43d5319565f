"""Products of batches of matrices and tensors.

Enters: a product of which one operand or both are batched.  Leaves: one product for the whole batch, always
one that BLAS can do where there is one.  Invariant: no operand is copied for each item.
"""

from __future__ import annotations

from collections.abc import Callable

from symdiff.autodiff.batching_operands import Call, Operand, aligned, shaped
from symdiff.ir.node import Node
from symdiff.ops.axes import moveaxis
from symdiff.ops.creation import eye
from symdiff.ops.einsum import _LETTERS, _terms, einsum
from symdiff.ops.linalg import solve
from symdiff.ops.products import _contraction, _free, matmul, swapped, tensordot
from symdiff.ops.shaping import expand_dims, reshape, squeeze, transpose


def _matmul(call: Call) -> Node:
    return _product(*call.args)


def _product(a: Operand, b: Operand) -> Node:
    """`a @ b`; a vector among batched ones is a matrix of one row or column."""
    if b.batched and not a.batched and a.rank == 2 and _is_identity(b.node, a.node):
        return transpose(a.node)
    if a.batched and not b.batched and b.rank == 2 and _is_identity(a.node, b.node):
        return b.node
    if a.batched and b.batched and a.rank == b.rank == 1:
        return einsum(a.node, b.node, subscripts="ni,ni->n")
    if b.batched and not a.batched and b.rank == 1 and a.rank <= 2:
        return matmul(b.node, a.node if a.rank == 1 else transpose(a.node))
    row = a.rank == 1 and (b.batched or b.rank > 2) and not (b.batched and not a.batched)
    column = b.rank == 1 and b.batched
    left = expand_dims(a.node, axis=-2) if row else a.node
    right = expand_dims(b.node, axis=-1) if column else b.node
    ranks = a.rank + row, b.rank + column
    left, right = (
        expand_dims(x, axis=tuple(range(1, max(ranks) - rank + 1)))
        if one.batched and rank < max(ranks) and rank >= 2 and max(ranks) > 2
        else x
        for x, one, rank in zip((left, right), (a, b), ranks, strict=True)
    )
    made = matmul(left, right)
    if column:
        made = squeeze(made, axis=-1)
    return squeeze(made, axis=-2 + column) if row else made


def _is_identity(x: Node, other: Node) -> bool:
    """Whether a batch holds the rows of an identity matrix, which changes nothing in a product."""
    plain = x.op is eye and not x.primal and len(x.args) == 1 and not x.attr("k")
    return plain and x.type.dtype == other.type.dtype


def _dot(call: Call) -> Node | None:
    a, b = call.args
    if a.rank == 0 or b.rank == 0:
        rank = max(a.rank, b.rank)
        return aligned(a, rank) * aligned(b, rank)
    if b.rank <= 2:
        return _product(a, b) if a.rank <= 2 or b.rank == 2 or not b.batched else None
    return _contracted(a, b, (a.rank - 1,), (b.rank - 2,))


def _tensordot(call: Call) -> Node:
    a, b = call.args
    return _contracted(a, b, *_contraction(call.node.attr("axes", 2), a.rank, b.rank))


def _contracted(a: Operand, b: Operand, one: tuple[int, ...], two: tuple[int, ...]) -> Node:
    if a.batched and b.batched:
        if a.rank == b.rank == 2 and len(one) == 1:
            left = a.node if one == (1,) else swapped(a.node)
            return matmul(left, b.node if two == (0,) else swapped(b.node))
        first, second = _LETTERS[: a.rank], list(_LETTERS[a.rank : a.rank + b.rank])
        for i, k in zip(one, two, strict=True):
            second[k] = first[i]
        free = [first[i] for i in _free(a.rank, one)] + [second[k] for k in _free(b.rank, two)]
        return einsum(a.node, b.node, subscripts=f"Z{first},Z{''.join(second)}->Z{''.join(free)}")
    shift = a.batched, b.batched
    axes = tuple(i + shift[0] for i in one), tuple(k + shift[1] for k in two)
    made = tensordot(a.node, b.node, axes=axes)
    place = a.rank - len(one)
    return moveaxis(made, source=place, destination=0) if b.batched and place else made


def _outer(call: Call) -> Node:
    """A row for each element of the first, a column for each of the second."""
    a, b = (_vector(call, one) for one in call.args)
    return expand_dims(a, axis=-1) * expand_dims(b, axis=-2)


def _vector(call: Call, one: Operand) -> Node:
    if one.rank == 1:
        return one.node
    return (
        reshape(one.node, shaped(call.count, [call.builder.const(-1)])) if one.batched else _flat(call, one)
    )


def _flat(call: Call, one: Operand) -> Node:
    from symdiff.ops.products import flat

    return flat(one.node)


def _einsum(call: Call) -> Node:
    """One more letter for the batch."""
    given = tuple(call.node.args)
    terms, output = _terms(call.node.attr("subscripts"), given)
    spare = next(letter for letter in _LETTERS[::-1] if letter not in "".join([*terms, output]))
    terms = [spare + term if one.batched else term for term, one in zip(terms, call.args, strict=True)]
    return call.again(*call.nodes, subscripts=f"{','.join(terms)}->{spare}{output}")


def _cross(call: Call) -> Node | None:
    a, b = call.args
    axis, rank = call.node.attr("axis", -1), max(a.rank, b.rank)
    if a.rank != b.rank and axis >= 0:
        return None
    return call.again(aligned(a, rank), aligned(b, rank), axis=axis - rank if axis >= 0 else axis)


def _solve(call: Call) -> Node | None:
    a, b = call.args
    if b.rank > 1:
        rank = max(a.rank, b.rank)
        return call.again(aligned(a, rank), aligned(b, rank))
    if not a.batched and a.rank == 2:
        return transpose(solve(a.node, transpose(b.node)))
    if a.rank != 2:
        return None
    return squeeze(solve(a.node, expand_dims(b.node, axis=-1)), axis=-1)


PRODUCTS: dict[str, Callable[[Call], Node | None]] = {
    "matmul": _matmul,
    "dot": _dot,
    "tensordot": _tensordot,
    "outer": _outer,
    "einsum": _einsum,
    "cross": _cross,
    "linalg.solve": _solve,
}
