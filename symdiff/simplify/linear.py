"""Scalars through linear operations: `sum(c * x)` is `c * sum(x)`, `(c * a) @ b` is `c * (a @ b)`.

Enters: a program.  Leaves: the program with factors moved behind the linear operations that they commute
with (`pulled`), or with sums of products of vectors written as `@` where that saves (`with_dots`).
Invariant: only derived operations are replaced, and a moved factor does not vary along the axes of the
sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from itertools import combinations
from operator import mul

from symdiff.ir.build import current
from symdiff.ir.node import Function, Node, Op
from symdiff.ops.arithmetic import divide, multiply, negative, power, subtract
from symdiff.ops.folds.common import same_type
from symdiff.ops.infer import normalized_axes
from symdiff.ops.numbers import maybe_numbers
from symdiff.ops.products import matmul
from symdiff.ops.reductions import add_reduce
from symdiff.simplify.cost import Live
from symdiff.simplify.rebuild import replaced
from symdiff.simplify.scopes import Scopes


def pulled(function: Function, *, products: bool) -> Function:
    """Every factor that can be moved out of a derived sum (or matrix product as well), moved."""
    rules: dict[Op, Callable[[Node], Node | None]] = {
        add_reduce: _sum,
        **({matmul: _product} if products else {}),
    }
    chosen = [node for node in derived(function, *rules) if node.type.dtype.startswith("float")]
    return _rewritten(function, chosen, lambda node: rules[node.op](node), lambda live, old, new: True)


def with_dots(function: Function) -> Function:
    """`sum(a * b)` of vectors as `a @ b`, where the product is not needed otherwise."""
    sums = [node for node in derived(function, add_reduce) if node.args[0].type.rank == 1]
    numbers = maybe_numbers(function) if sums else set()  # which `@` does not take
    chosen = [node for node in sums if numbers.isdisjoint(node.args[0].args)]
    return _rewritten(function, chosen, _dot, lambda live, old, new: live.saving(old, new) > 0)


def with_signs(function: Function) -> Function:
    """`-2 * x` as the negative of `2 * x`, where the program has that as well."""
    chosen = [node for node in derived(function, multiply) if _is_negative(node.args[0])]
    return _rewritten(function, chosen, _turned, lambda live, old, new: new.args[0] in live)


def derived(function: Function, *ops: Op) -> Iterator[Node]:
    return (node for node in function.nodes() if not node.primal and node.op in ops)


def _is_negative(factor: Node) -> bool:
    return factor.is_const and not isinstance(factor.value, complex) and factor.value < 0


def _turned(node: Node) -> Node | None:
    builder = current()
    positive = builder.existing(multiply, (builder.const(-node.args[0].value), node.args[1]))
    return None if positive is None else builder.unfolded(negative, positive)


def _rewritten(
    function: Function,
    chosen: Sequence[Node],
    rule: Callable[[Node], Node | None],
    gains: Callable[[Live, Node, Node], bool],
) -> Function:
    """The function with chosen nodes that are live replaced by what a rule makes of them where it gains."""
    if not chosen:
        return function
    scopes, live = Scopes(function), Live(function)
    instead: dict[Node, Node] = {}
    for node in chosen:
        if node not in live:
            continue
        with scopes.builder(scopes.home[node]) as builder:
            builder.span = node.span
            new = rule(node)
            if new is None or not same_type(new.type, node.type) or not scopes.fits(new, node):
                continue
        if gains(live, node, new):
            instead[node] = new
    return replaced(function, instead) if instead else function


MOST_FACTORS = 32
Factors = tuple[list[Node], list[Node], bool]


def factors(node: Node) -> Factors:
    """A derived product taken apart: factors above and below the line, and whether a minus stands before
    it."""
    above: list[Node] = []
    below: list[Node] = []
    minus = False
    pending = [(node, above, below)]
    while pending:
        one, up, down = pending.pop()
        op = None if one.primal or len(above) + len(below) + len(pending) > MOST_FACTORS else one.op
        if op is negative:
            minus = not minus
            pending.append((one.args[0], up, down))
        elif op in (multiply, divide):
            second = (down, up) if op is divide else (up, down)
            pending += [(one.args[1], *second), (one.args[0], up, down)]
        else:
            turned = current().existing(subtract, one.args[::-1]) if op is subtract else None
            up.append(one if turned is None else turned)
            minus = minus != (turned is not None)
    return above, below, minus


def _with_factors(value: Node, above: list[Node], below: list[Node], minus: bool) -> Node:
    scale = reduce(mul, above) if above else None
    if below:
        divisor = reduce(mul, below)
        if scale is None:
            value = value / divisor
        else:
            scale = scale / divisor
    value = value if scale is None else scale * value
    return -value if minus else value


def _together(nodes: list[Node]) -> Node:
    """The product of some factors, through products that exist."""
    nodes = list(nodes)
    while True:
        pairs = ((a, b, current().existing(multiply, (a, b))) for a, b in combinations(nodes, 2))
        a, b, made = next((pair for pair in pairs if pair[2] is not None), (None, None, None))
        if a is None or b is None or made is None:
            return reduce(mul, nodes)
        nodes[nodes.index(a)] = made
        nodes.remove(b)


def _sum(node: Node) -> Node | None:
    operand, rank = node.args[0], node.args[0].type.rank
    if rank is None or node.attr("dtype") is not None:
        return None
    axes = normalized_axes(node.attr("axis"), rank)
    aligned = len(axes) == rank or node.attr("keepdims", False)

    def constant(factor: Node) -> bool:
        dims = factor.type.dims
        if dims is None or not (aligned or dims == ()):
            return False
        lead = rank - len(dims)
        return all(axis < lead or dims[axis - lead] == 1 for axis in axes) and not _is_whole(factor, node)

    above, below, minus = factors(operand)
    kept_above = [factor for factor in above if not constant(factor)]
    kept_below = [factor for factor in below if not constant(factor)]
    if not kept_above or (len(kept_above), len(kept_below), minus) == (len(above), len(below), False):
        return None
    inner = _together(kept_above)
    if kept_below:
        inner = inner / _together(kept_below)
    if inner.type.dims != operand.type.dims:
        return None
    value = add_reduce(inner, **node.attributes)
    moved = [f for f in above if constant(f)], [f for f in below if constant(f)]
    return _with_factors(value, *moved, minus)


def _is_whole(factor: Node, node: Node) -> bool:
    """A factor of the rank of a full sum's operand: outside the sum it would stretch a scalar."""
    return not node.attr("keepdims", False) and factor.type.dims != ()


def _product(node: Node) -> Node | None:
    above: list[Node] = []
    below: list[Node] = []
    sign, operands = False, []
    for operand in node.args:
        up, down, minus = factors(operand)
        rest, divisors = [f for f in up if f.type.dims != ()], [f for f in down if f.type.dims != ()]
        if not rest:
            return None
        inner = _together(rest)
        operands.append(inner / _together(divisors) if divisors else inner)
        above += [f for f in up if f.type.dims == ()]
        below += [f for f in down if f.type.dims == ()]
        sign = sign != minus
    if not above and not below and not sign:
        return None
    return _with_factors(operands[0] @ operands[1], above, below, sign)


def _dot(node: Node) -> Node | None:
    operand = node.args[0]
    if operand.type.rank != 1 or node.attr("dtype") is not None or node.attr("keepdims", False):
        return None
    if operand.op is multiply and _of_one_length(*operand.args):
        return operand.args[0] @ operand.args[1]
    if operand.op is power and operand.args[1].is_const and operand.args[1].value == 2:
        return operand.args[0] @ operand.args[0]
    return None


def _of_one_length(a: Node, b: Node) -> bool:
    """Two vectors neither of which is broadcast against the other."""
    sizes = current().sizes
    return a.type.rank == b.type.rank == 1 and sizes.resolve(a.type.dims) == sizes.resolve(b.type.dims)
