"""Reverse accumulation: a program to the program of its pullback.

Enters: a `Function`.  Leaves: a `Function` that computes cotangents of chosen parameters, with or without
the value.  Invariant: one sweep over the body in reverse; every operation is transposed by its row alone,
and every contribution is fitted (summed over broadcast axes, cast to the dtype) to the operand it belongs
to.

A cotangent is zero (no entry), a node, `scatter(g, ...)` (it lives at an index: adding it to another is
O(size of the index), see `ops.folds`) or `where(c, g, 0)` (it lives where a branch was taken: products
keep the mask last). Transposition is without complex conjugation; gradients of complex parameters are
conjugated once, at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from symdiff.errors import DtypeError, NonScalarError, UnsupportedError
from symdiff.ir.build import Builder
from symdiff.ir.node import LEAF, Function, Node, Tree
from symdiff.ir.types import Type
from symdiff.ops import infer
from symdiff.ops.control import closure, is_permuted, root
from symdiff.ops.row import Row, Rule, row_for
from symdiff.ops.shaping import astype, conjugate, copy, fit_like, full_like, to_float, zeros_like
from symdiff.ops.sums import vanishes

Cotangents = dict[Node, Node]


def gradient(
    function: Function, wrt: Sequence[Node], tree: Tree, *, value: bool, aux: bool = False
) -> Function:
    """The gradient of a scalar function; `tree` packs one leaf per node of `wrt`.

    value: return `(value, gradient)`.  aux: the function returns `(value, aux)`, and so `((value, aux),
    gradient)`.
    """
    output = _scalar_output(function, aux)
    with function.open() as builder:
        seed = builder.const(1)
        gradients = _results(builder, pullback(builder, function, {output: seed}, wrt), wrt)
        packed = Tree("tuple", (function.tree, tree)) if value or aux else tree
        outputs = [*function.results, *gradients] if value or aux else gradients
        return builder.finish(
            function.name + ("_value_and_grad" if value else "_grad"),
            function.params,
            outputs,
            packed,
            function.parameters,
            **function.info,
        )


def vjp(function: Function, wrt: Sequence[Node], tree: Tree) -> Function:
    """`(value, pullback)`: the pullback is a closure over what the way back reads."""
    with function.open() as builder:
        outputs = function.results
        with builder.region(*(output.type for output in outputs)) as region:
            seeds: Cotangents = {}
            for output, cotangent in zip(outputs, region.params, strict=True):
                if _differentiable(output.type):
                    seeds[output] = seeds[output] + cotangent if output in seeds else cotangent
            region.results = _results(builder, pullback(builder, function, seeds, wrt), wrt)
        assert region.region is not None
        back = builder.emit(closure, (), {"cotangents": function.tree, "tree": tree}, (region.region,))
        return builder.finish(
            function.name + "_vjp",
            function.params,
            [*outputs, back],
            Tree("tuple", (function.tree, LEAF)),
            function.parameters,
            **function.info,
        )


def pullback(
    builder: Builder, function: Function, seeds: Cotangents, wrt: Sequence[Node]
) -> list[Node | None]:
    """Cotangents of `wrt` for given cotangents of the results; None where nothing depends on it."""
    active = _active(function.body.body, wrt)
    cotangents = {output: seed for output, seed in seeds.items() if output in active}
    _sweep(builder, function.body.body, cotangents, active)
    for node in wrt:
        if node in cotangents:
            _label(builder, cotangents[node], node)
    return [cotangents.get(node) for node in wrt]


def _sweep(builder: Builder, body: Sequence[Node], cotangents: Cotangents, active: set[Node]) -> None:
    """Carry cotangents from the end of `body` to its beginning."""
    for node in reversed(body):
        cotangent = cotangents.get(node)
        if cotangent is None or node not in active:
            continue
        _label(builder, cotangent, node)
        if node.primal:
            builder.span = node.span
        for operand, part in zip(node.args, _transposed(builder, node, cotangent, active), strict=True):
            if part is not None:
                _accumulate(cotangents, operand, fit_like(part, operand))


def _accumulate(cotangents: Cotangents, operand: Node, part: Node) -> None:
    """Add a contribution; one that is zero by algebra is no entry."""
    before = cotangents.get(operand)
    total = part if before is None else before + part
    if (total.is_const and total.value == 0) or (before is not None and vanishes(total)):
        cotangents.pop(operand, None)
    else:
        cotangents[operand] = total


def _active(body: Sequence[Node], wrt: Iterable[Node]) -> set[Node]:
    """Values that depend differentiably on `wrt`."""
    active = set(wrt)
    for node in body:
        row = row_for(node)
        differentiable = row is not None and row.kind != "constant" and _differentiable(node.type)
        if differentiable and any(arg in active for arg in node.args):
            active.add(node)
    return active


def _differentiable(type: Type) -> bool:
    return type.kind in ("array", "number") and (
        not type.dtype or type.dtype.startswith(("float", "complex", "longdouble"))
    )


def _label(builder: Builder, cotangent: Node, node: Node) -> None:
    """Name a cotangent after its value; the first name stays."""
    if node.name:
        builder.label(cotangent, f"{node.name}_bar")


def _transposed(builder: Builder, node: Node, g: Node, active: set[Node]) -> list[Node | None]:
    """The contribution of `g` to each operand of `node`."""
    row = row_for(node)
    assert row is not None
    wanted = [arg in active for arg in node.args]
    if row.kind == "elementwise":
        return [_scaled(row, i, node, g) if want else None for i, want in enumerate(wanted)]
    if row.transpose is not None:
        return [
            row.transpose(g, i, *node.args, **node.attributes) if want else None
            for i, want in enumerate(wanted)
        ]
    if row.kind in ("linear", "multilinear"):
        rules = zip(row.transposes, wanted, strict=True)
        return [rule(g, *node.args, **node.attributes) if want and rule else None for rule, want in rules]
    if row.definition is not None:
        return _through_definition(builder, row.definition, node, g, active)
    if row.vjp is not None:
        parts = row.vjp(g, node, *node.args, **node.attributes)
        return [part if want else None for part, want in zip(parts, wanted, strict=True)]
    raise UnsupportedError(f"{row.spelling} has no derivative rule.", span=node.span)


def _through_definition(
    builder: Builder, definition: Rule, node: Node, g: Node, active: set[Node]
) -> list[Node | None]:
    """The pullback of a composite: its definition, written out and swept."""
    output = builder.lift(definition(*node.args, **node.attributes))
    body = _between(node.args, output)
    operands = [arg for arg in node.args if arg in active]
    cotangents = {output: fit_like(g, output)}
    if output not in operands:  # otherwise the definition is the operand itself
        _sweep(builder, body, cotangents, _active(body, operands))
    # One that stands in several places has its whole cotangent in the first.
    found: list[Node | None] = []
    for i, arg in enumerate(node.args):
        found.append(cotangents.get(arg) if arg in active and arg not in node.args[:i] else None)
    return found


def _between(operands: Sequence[Node], output: Node) -> list[Node]:
    """The nodes that compute `output` from `operands`, in order."""
    order: dict[Node, None] = {}
    stops = set(operands)

    def visit(node: Node) -> None:
        if node not in order and node not in stops:
            for arg in node.args:
                visit(arg)
            order[node] = None

    visit(output)
    return list(order)


def _scaled(row: Row, index: int, node: Node, g: Node) -> Node | None:
    rule = row.partials[index]
    partial = None if rule is None else rule(*node.args, node)
    if partial is None or (not isinstance(partial, Node) and partial == 0):
        return None
    if isinstance(partial, Node) and partial.is_const and partial.value == 0:
        return None
    scaled: Node = g * partial
    return scaled


def _scalar_output(function: Function, aux: bool) -> Node:
    """The one result that is differentiated: a real scalar."""
    tree = function.tree
    if aux and not (
        tree.kind in ("tuple", "list") and len(tree.children) == 2 and tree.children[0].kind == "leaf"
    ):
        raise NonScalarError(
            f"With has_aux=True {function.name} must return a pair (value, aux).", "return value, aux"
        )
    if not aux and tree.kind != "leaf":
        what = "nothing" if tree.value is None else f"a {type(tree.value).__name__}"
        what = what if tree.kind == "static" else f"a {tree.kind}"
        raise NonScalarError(
            f"{function.name} returns {what}; its gradient needs one scalar.",
            "return one scalar, or pass has_aux=True to carry further results, or use vjp",
            span=next((result.span for result in function.results if result.span is not None), None),
        )
    output = function.results[0]
    if output.type.dims:
        rank = len(output.type.dims)
        shown = f"{rank} dimension{'s' * (rank != 1)}"
        raise NonScalarError(
            f"{function.name} returns an array of {shown}; its gradient needs a scalar.",
            "reduce it with np.sum or np.mean, or use vjp with a cotangent of its shape",
            span=output.span,
        )
    if output.type.dtype.startswith("complex"):
        raise DtypeError(
            f"{function.name} returns a complex number; its gradient needs a real one.",
            "return np.real(...) or np.abs(...) of it",
            span=output.span,
        )
    if not _differentiable(output.type):
        raise DtypeError(
            f"{function.name} returns {_in_words(output.type.dtype)}, which has no derivative.",
            "return a float",
            span=output.span,
        )
    return output


def _in_words(dtype: str) -> str:
    if dtype.startswith(("int", "uint")):
        return "an integer"
    return "a truth value" if dtype == "bool" else dtype


def _results(builder: Builder, cotangents: Sequence[Node | None], wrt: Sequence[Node]) -> list[Node]:
    """Gradients as they leave: every one a fresh array in the shape and dtype of its parameter."""
    results: list[Node] = []
    for cotangent, param in zip(cotangents, wrt, strict=True):
        result = _result(cotangent, param)
        fitted = result.op.name == "fit_like"  # whose result is fresh, or no array at all
        while result.type.kind == "array" and not fitted and _is_held(root(result), results):
            result = copy(result)
        builder.label(result, f"{param.name}_bar")
        results.append(result)
    return results


def _is_held(memory: Node, results: Iterable[Node]) -> bool:
    """Whether an array is the user's, the pullback's own argument or among the results already."""
    if memory.primal or memory.type.dims == ():  # what is computed without axes is no array
        return memory.primal
    return memory.op.name == "param" or memory in map(root, results)


def _result(cotangent: Node | None, param: Node) -> Node:
    if param.type.kind == "number" and param.type.dtype != "complex":
        return to_float(cotangent if cotangent is not None else 0.0)
    if cotangent is None:
        return zeros_like(param)
    if infer.numpy_dtype(param).startswith("complex"):
        cotangent = conjugate(cotangent)
    if param.type.kind == "number":
        real = not infer.numpy_dtype(cotangent).startswith("complex")
        return full_like(param, cotangent) if real else cotangent
    if cotangent.op.name == "broadcast_to" and not cotangent.primal and cotangent.args[0].type.dims == ():
        return full_like(param, cotangent.args[0])
    if cotangent.type.kind == "number":
        return full_like(param, cotangent)
    if infer.numpy_dtype(cotangent) != infer.numpy_dtype(param) and param.type.dtype and cotangent.type.dtype:
        cotangent = astype(cotangent, dtype=param.type.dtype)
    return copy(cotangent) if getattr(cotangent.op, "view", False) or is_permuted(cotangent) else cotangent
