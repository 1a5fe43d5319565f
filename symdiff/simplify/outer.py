"""Outer products, which are as large as matrices, and what is made of them.

Enters: a derived program.  Leaves: an equal one in which numbers multiply vectors rather than outer products
(`c * outer(u, x)`), two outer products are summed by one matrix product, `[u, v].T @ [x, y]`, and an outer
product that is only summed with a matrix is never made: `sum(outer(u, x) * A)` is `u @ (A @ x)`.  Invariant:
only derived operations are replaced, by fewer passes over memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from symdiff.ir.build import current
from symdiff.ir.node import Function, Node
from symdiff.ir.types import Dims
from symdiff.ops.arithmetic import add, multiply
from symdiff.ops.creation import array
from symdiff.ops.folds.common import same_type
from symdiff.ops.numbers import maybe_numbers
from symdiff.ops.products import matmul
from symdiff.ops.reductions import add_reduce
from symdiff.ops.shaping import expand_dims, transpose
from symdiff.simplify.rebuild import replaced
from symdiff.simplify.scopes import Scopes

Pair = tuple[Node, Node]


def without_outer_products(function: Function) -> Function:
    """See the module's own text."""
    for rule in (_summed_with, _scaled, _sum_of_two):
        if not any(_vectors(node) for node in function.nodes()):
            break
        function = _applied(function, rule)
    return function


def _applied(function: Function, rule: Callable[[Node, Counter[Node]], Node | None]) -> Function:
    scopes, instead = Scopes(function), dict[Node, Node]()
    numbers = maybe_numbers(function)  # which `@` does not take
    uses: Counter[Node] = Counter(arg for node in function.nodes() for arg in node.args)
    for node in function.nodes():
        if node.primal or node not in scopes.home or not numbers.isdisjoint(_below(node)):
            continue
        with scopes.builder(scopes.home[node]) as builder:
            builder.span = node.span
            new = rule(node, uses)
            if new is not None and same_type(new.type, node.type) and scopes.fits(new, node):
                instead[node] = new
    return replaced(function, instead) if instead else function


def _below(node: Node) -> Iterator[Node]:
    """The operands of a sum of outer products, and what these are made of."""
    pending = [(node, 4)]
    while pending:
        one, depth = pending.pop()
        yield one
        pending += [(arg, depth - 1) for arg in one.args if depth]


def _vectors(node: Node) -> Pair | None:
    """The column and the row that a derived outer product is made of."""
    if node.op is not multiply or node.primal or node.type.rank != 2:
        return None
    for one, other in (node.args, node.args[::-1]):
        column, row = _along(one, 1), _along(other, 0)
        if column is not None and row is not None:
            return column, row
    return None


def _along(node: Node, axis: int) -> Node | None:
    """The vector that a matrix is made of by a new axis, which a row may leave to broadcasting."""
    if node.type.rank == 1 and axis == 0:
        return node
    if node.op is expand_dims and node.type.rank == 2 and node.attr("axis") in (axis, axis - 2):
        return node.args[0]
    return None


def _outer(column: Node, row: Node) -> Node:
    return expand_dims(column, axis=1) * row


def _scaled(node: Node, uses: Counter[Node]) -> Node | None:
    """`c * outer(u, x)` as `outer(c * u, x)`."""
    if node.op is not multiply or node.type.rank != 2:
        return None
    for scale, product in (node.args, node.args[::-1]):
        vectors = _vectors(product)
        if vectors is not None and scale.type.dims == () and not scale.is_const:
            return _outer(scale * vectors[0], vectors[1])
    return None


def _summed_with(node: Node, uses: Counter[Node]) -> Node | None:
    """`sum(outer(u, x) * A)` as `u @ (A @ x)`."""
    if node.op is not add_reduce or node.attr("axis") is not None or node.attr("keepdims", False):
        return None
    whole = node.args[0]
    if whole.op is not multiply or whole.primal or uses[whole] != 1 or node.attr("dtype") is not None:
        return None
    for product, matrix in (whole.args, whole.args[::-1]):
        vectors = _vectors(product)
        if vectors is None or _dims(matrix) is None or _dims(matrix) != _dims(product):
            continue
        column, row = vectors
        known = current().existing(matmul, (matrix, row))
        return column @ (matrix @ row if known is None else known)
    return None


def _sum_of_two(node: Node, uses: Counter[Node]) -> Node | None:
    """`outer(u, x) + outer(v, y)` as `[u, v].T @ [x, y]`."""
    if node.op is not add:
        return None
    one, other = _vectors(node.args[0]), _vectors(node.args[1])
    if one is None or other is None or any(uses[arg] != 1 for arg in node.args):
        return None
    alike = all(
        _dims(a) == _dims(b) and a.type.dtype == b.type.dtype for a, b in zip(one, other, strict=True)
    )
    if not alike or _dims(node.args[0]) != _dims(node.args[1]) or not one[0].type.dtype.startswith("float"):
        return None
    columns, rows = (array(a, b, shape=(2,)) for a, b in zip(one, other, strict=True))
    return transpose(columns) @ rows


def _dims(node: Node) -> Dims | None:
    return current().sizes.resolve(node.type.dims)
