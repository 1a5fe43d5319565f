"""Jacobians and gradients of every example: derivative programs, batched.

Enters: a program, and the leaves that it is differentiated with respect to.  Leaves: a program of the same
parameters.  Invariant: a Jacobian has the shape of the result followed by that of the argument, for every
leaf of the result in its place one of every leaf of the argument; what no direction changes is computed once.

Forward mode is batched over the directions of the arguments, reverse mode over the elements of the results:
the rows of one identity matrix, cut into the parts that belong to each leaf.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from symdiff.autodiff import forward, reverse
from symdiff.autodiff.activity import differentiable
from symdiff.autodiff.batching import batch, check_repeatable
from symdiff.autodiff.batching_operands import Operand, lengths, whole
from symdiff.autodiff.rules import erased
from symdiff.errors import DtypeError, UnsupportedError
from symdiff.ir.build import Builder
from symdiff.ir.control import captures
from symdiff.ir.node import Function, Node, Region, Tree
from symdiff.ir.tidy import without_dead
from symdiff.ops import infer
from symdiff.ops.axes import moveaxis
from symdiff.ops.control import is_permuted, is_view, roots, sources
from symdiff.ops.creation import eye
from symdiff.ops.indexing import along, index, pick, take
from symdiff.ops.shaping import (
    astype,
    copy,
    expand_dims,
    full,
    length,
    make_shape,
    reshape,
    squeeze,
    transpose,
    zeros,
)


def jacobian(
    function: Function,
    wrt: Sequence[Node],
    tree: Tree,
    mode: str,
    *,
    part: int | None = None,
    value: bool = False,
    symmetric: bool = False,
) -> Function:
    """The Jacobian of the results, or of item `part` of them; `tree` packs one leaf per node of `wrt`.

    mode: "fwd" or "rev".  value: return `(value, jacobian)`.  symmetric: it is its own transpose, as that of
    a gradient is, whose leaves are those of `wrt`.
    """
    structure, outputs = forward.part_of(function, part)
    found = [one for one in outputs if differentiable(one.type)]
    for one in (*wrt, *found):
        _check(one)
    builder = Builder(function.sizes, primal=False)
    builder.params = function.params
    with builder:
        if mode == "fwd":
            values, rows, calls = _forward(builder, function, wrt, part, found, symmetric)
        else:
            values, rows, calls = _reverse(builder, function, wrt, found)
        held: set[Node] = set()
        results = [_own(one, held) for row in rows for one in row]
    given = values if value else []
    packed = _nested(structure, iter(outputs), tree)
    return replace(
        function,
        name=f"{function.name}_jacobian",
        body=Region(function.params, builder.body, (*given, *results)),
        tree=Tree("tuple", (function.tree, packed)) if value else packed,
        functions=calls,
    )


Rows = list[list[Node]]
Calls = Mapping[str, Function]


def _forward(
    builder: Builder,
    function: Function,
    wrt: Sequence[Node],
    part: int | None,
    found: Sequence[Node],
    symmetric: bool,
) -> tuple[list[Node], Rows, Calls]:
    """A direction for every element of the arguments."""
    names = {one.attr("parameter"): f"{one.attr('parameter')}_dot" for one in wrt}
    pushed = erased(without_dead(forward.jvp(function, wrt, names, part=part)))
    known, batched, places = _seeds(builder, wrt, pushed.params[len(function.params) :])
    made = batch(builder, pushed, known, batched)
    values, tangents = made[: len(function.results)], made[len(function.results) :]
    rows: Rows = []
    if symmetric:
        for place, along_it in zip(places, wrt, strict=True):
            pairs = zip(tangents, wrt, strict=True)
            rows.append([_rows(_part(one, place, along_it), along_it, param) for one, param in pairs])
    else:
        now = dict(zip(function.results, map(_single, values), strict=True))
        for one, output in zip(tangents, (now[one] for one in found), strict=True):
            blocks = zip(places, wrt, strict=True)
            rows.append([_columns(_part(one, place, param), output, param) for place, param in blocks])
    return [_single(one) for one in values], rows, pushed.functions


def _rows(part: Operand, first: Node, second: Node) -> Node:
    """A block whose directions are its first axes."""
    node = part.node
    if part.batched and first.type.rank != 1 and first.type.dims:
        node = reshape(node, make_shape(*_lengths(first), *_lengths(second)))
    return _solid(node, first, second)


def _columns(part: Operand, output: Node, param: Node) -> Node:
    """A block whose directions are its last axes."""
    node = part.node
    if part.batched and output.type.dims and param.type.dims:
        node = transpose(node) if output.type.rank == 1 else moveaxis(node, source=0, destination=-1)
    if part.batched and param.type.dims and param.type.rank != 1:
        node = reshape(node, make_shape(*_lengths(output), *_lengths(param)))
    return _solid(node, output, param)


def _reverse(
    builder: Builder, function: Function, wrt: Sequence[Node], found: Sequence[Node]
) -> tuple[list[Node], Rows, Calls]:
    """A cotangent for every element of the results."""
    outputs = list(dict.fromkeys(found))
    chosen = [function.results.index(one) for one in outputs]
    pulled = erased(without_dead(reverse.pulled(function, chosen, wrt)))
    written = _measured(builder, pulled, [pulled.results[k] for k in chosen])
    like = [pulled.results[k] for k in chosen]
    known, batched, places = _seeds(builder, like, pulled.params[len(function.params) :])
    made = batch(builder, pulled, {**written, **known}, batched)
    values, cotangents = made[: len(function.results)], made[len(function.results) :]
    now = dict(zip(function.results, map(_single, values), strict=True))
    rows: dict[Node, list[Node]] = {}
    for output, place in zip(outputs, places, strict=True):
        pairs = zip(cotangents, wrt, strict=True)
        rows[output] = [_rows(_part(one, place, output), now[output], param) for one, param in pairs]
    return [_single(one) for one in values], [rows[one] for one in found], pulled.functions


def _measured(builder: Builder, function: Function, outputs: Sequence[Node]) -> dict[Node, Node]:
    """What has to be computed before the lengths of results are known: nothing where all of them are those of
    parameters, else the results; written in order, and by itself."""
    with builder.apart():
        if not any(one.args[:1] == (output,) for output in outputs for one in _lengths(output)):
            return {}
    needed: set[Node] = set()
    pending = list(outputs)
    while pending:
        node = pending.pop()
        if node not in needed:
            needed.add(node)
            pending += (*node.args, *captures(*node.regions))
    written = {node: node for node in function.body.body if node in needed}
    for node in written:
        builder.adopt(node)
    return written


def _single(one: Operand) -> Node:
    """A value, which is the same in all directions."""
    return index(one.node, index=(("int", 0),)) if one.batched else one.node


Place = tuple[Node | None, Node | None]


def _seeds(
    builder: Builder, like: Sequence[Node], seeds: Sequence[Node]
) -> tuple[dict[Node, Node], list[Node], list[Place]]:
    """The parts of an identity matrix in the shapes of values; the number 1 where there is one element.

    Also which seeds are batched, and where in the batch the directions of each value are.
    """
    if len(like) == 1 and like[0].type.dims == ():
        one = builder.const(1.0)
        return {seeds[0]: one}, [], [(None, None)]
    counts = [_count(builder, one) for one in like]
    starts: list[Node] = [builder.const(0)]
    for count in counts:
        starts.append(starts[-1] + count)
    builder.label(starts[-1], "count")
    dtypes = {infer.numpy_dtype(one) for one in like}
    dtype = dtypes.pop() if len(dtypes) == 1 else ""
    basis = eye(starts[-1], **({} if dtype in ("", "float64") else {"dtype": dtype}))
    builder.label(basis, "basis")
    total = length(basis, axis=0)
    known, places = {}, list[Place]()
    for k, (one, seed) in enumerate(zip(like, seeds, strict=True)):
        place: Place = (starts[k] if k else None, starts[k + 1] if k < len(like) - 1 else None)
        rows = basis if len(like) == 1 else _at(basis, 1, place, one)
        if one.type.rank != 1 and one.type.dims != ():
            rows = reshape(rows, make_shape(total, *_lengths(one)))
        wanted = infer.numpy_dtype(one)
        if len(dtypes) and wanted != "float64":
            rows = astype(rows, dtype=wanted)
        builder.label(rows, seed.name)
        known[seed] = rows
        places.append(place)
    return known, list(seeds), places


def _count(builder: Builder, one: Node) -> Node:
    total = builder.const(1)
    for size in _lengths(one):
        total = total * size
    return total


def _lengths(one: Node) -> list[Node]:
    return lengths(Operand(one, False, one.type))


def _part(one: Operand, place: Place, leaf: Node) -> Operand:
    """The rows of a result that belong to one leaf."""
    if not one.batched or place == (None, None):
        return one
    return Operand(_at(one.node, 0, place, leaf), True, one.type)


def _at(x: Node, axis: int, place: Place, leaf: Node) -> Node:
    """The part of an axis that belongs to one leaf: a place where it has one element alone."""
    start, stop = place
    if leaf.type.dims != ():
        return along(x, axis, start, stop)
    if start is None or start.is_const:
        return pick(x, axis, 0 if start is None else int(start.value.real))
    return take(x, start, axis)


def _solid(node: Node, output: Node, param: Node) -> Node:
    """A block as an array of its shape, also where it is the same number everywhere, in the dtype of the
    argument."""
    shape = make_shape(*_lengths(output), *_lengths(param))
    rank = len(output.type.dims or ()) + len(param.type.dims or ())
    wanted = infer.numpy_dtype(param)
    given = {} if wanted in ("", "float64") else {"dtype": wanted}
    if node.type.dims == () and (rank or param.type.kind == "array"):
        return full(shape, node, **given) if rank or node.type.kind == "number" else node
    if node.type.rank != rank:  # it is linear in directions that it does not depend on
        return zeros(shape, **given)
    same = not wanted or node.type.kind == "number" or node.type.dtype in ("", wanted)
    return node if same else astype(node, dtype=wanted)


def _own(result: Node, held: set[Node]) -> Node:
    """A result in memory of its own, in C's order."""
    if result.type.dims == ():
        return result
    base = result
    while base.op in (reshape, squeeze, expand_dims) and base.attr("order", "C") == "C":
        base = base.args[0]  # these keep the order of elements
    shared = any(map(is_view, sources(base))) or any(
        one in held or one.primal or one.op.name in ("param", "stack_item") for one in roots(base)
    )
    made = copy(result) if shared or is_permuted(base) else result
    held |= roots(made)
    return made


def _check(one: Node) -> None:
    """Raises an error for what has no Jacobian."""
    if infer.numpy_dtype(one).startswith("complex"):
        raise DtypeError(
            "The Jacobian of complex values is not defined here.", "vjp or jvp, or real and imaginary parts",
            span=one.span,
        )  # fmt: skip
    if one.type.kind not in ("array", "number") or one.type.dims is None:
        raise UnsupportedError(
            "A Jacobian needs to know how many dimensions arguments and results have.",
            "a call, or source_for(*args) with example arguments, before .source",
            one.span,
        )


def _nested(tree: Tree, outputs: Iterator[Node], inner: Tree) -> Tree:
    """The structure of the results, each leaf the structure of the arguments."""
    if tree.kind == "leaf":
        return inner if differentiable(next(outputs).type) else Tree("static", value=None)
    return replace(tree, children=tuple(_nested(child, outputs, inner) for child in tree.children))


# Examples


def per_example(function: Function, batched: Sequence[str]) -> Function:
    """A program for every example of a batch: parameters of `batched` have one more axis in front.

    The results have it too.  All leaves of a batched parameter that are arrays are.
    """
    function = erased(function)
    check_repeatable(function)
    builder = Builder(function.sizes, primal=False)
    with builder:
        axis = function.sizes.fresh()
        known: dict[Node, Node] = {}
        for param in function.params:
            if param.attr("parameter") in batched:
                dims = (axis, *(param.type.dims or ()))
                type = replace(param.type, kind="array", dims=dims, dtype=infer.numpy_dtype(param))
                known[param] = builder.param(type, param.name, **param.attributes)
                object.__setattr__(known[param], "primal", param.primal)
        params = tuple(known.get(param, param) for param in function.params)
        builder.params = params
        first = next(iter(known))
        made = batch(builder, function, known, list(known))
        count = length(known[first], axis=0)
        results, held = [], set[Node]()
        for one in made:
            results.append(_own(whole(one, count, own=True), held))
    body = Region(params, builder.body, tuple(results))
    return replace(function, body=body)
