"""Reverse accumulation: a program to the program of its pullback.

Enters: a `Function`.  Leaves: a `Function` that computes cotangents of chosen parameters, with or without
the value.  Invariant: the user's own operations are those of the function, bit for bit; a gradient leaves
as a fresh array in the shape and dtype of its parameter.

Three steps: one sweep over the body in reverse (`sweep`, `regions`), which reads forward values wherever
they are; a plan of which of these are computed again and which are saved (`saving`); one copy of the whole
program in which it is carried out (`weaving`).  Transposition is without complex conjugation; gradients of
complex parameters are conjugated once, at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symdiff.autodiff.activity import differentiable
from symdiff.autodiff.calls import linked, with_callees
from symdiff.autodiff.checkpoint import segmented
from symdiff.autodiff.regions import Sweep
from symdiff.autodiff.stops import flagged
from symdiff.autodiff.sweep import Cotangents, conjugated
from symdiff.autodiff.weaving import woven
from symdiff.errors import DtypeError, NonScalarError
from symdiff.ir.build import Builder
from symdiff.ir.control import ITEM
from symdiff.ir.node import LEAF, Function, Node, Tree
from symdiff.ops import infer
from symdiff.ops.arithmetic import add, divide, multiply, negative, subtract
from symdiff.ops.control import closure, is_permuted, is_view, roots, sources
from symdiff.ops.numbers import maybe_numbers
from symdiff.ops.shaping import astype, conjugate, copy, fit_like, full_like, to_float, zeros_like


def gradient(
    function: Function,
    wrt: Sequence[Node],
    tree: Tree,
    *,
    value: bool,
    aux: bool = False,
    keep: Sequence[str] = (),
) -> Function:
    """The gradient of a scalar function; `tree` packs one leaf per node of `wrt`.

    value: return `(value, gradient)`.  aux: the function returns `(value, aux)`, and so `((value, aux),
    gradient)`.  keep: names of values that the function returns behind its own, whose gradients are returned
    beside the gradient: `(gradient, {name: gradient})`.
    """
    function = flagged(segmented(function))
    if keep:
        function, kept, tree = _apart(function, tree, keep)
        wrt = (*wrt, *kept)
    function = linked(function, wrt)
    output = _scalar_output(function, aux)
    with function.open() as builder:
        seed = builder.const(1)
        sweep = Sweep(builder, function, wrt)
        gradients = _results(sweep, {output: seed})
        packed = Tree("tuple", (function.tree, tree)) if value or aux else tree
        outputs = [*function.results, *gradients] if value or aux else gradients
        made = builder.finish(
            function.name + ("_value_and_grad" if value else "_grad"),
            function.params,
            outputs,
            packed,
            function.parameters,
            **function.info,
        )
    return with_callees(woven(made, sweep), function.functions, _callee)


def _apart(function: Function, tree: Tree, keep: Sequence[str]) -> tuple[Function, tuple[Node, ...], Tree]:
    """The function without the results that are kept, these, and the structure of all gradients."""
    value, *trees = function.tree.children
    count = value.leaves()
    kept = function.results[count:]
    for node in kept:
        if not differentiable(node.type):
            raise DtypeError(
                f"keep={', '.join(map(repr, keep))}: {node.name or 'a value'} is "
                f"{_in_words(node.type.dtype or node.type.kind)}, which has no gradient.",
                "names of variables that hold floats",
                node.span,
            )
    body = replace(function.body, results=function.results[:count])
    packed = Tree("dict", tuple(trees), tuple(keep))
    return replace(function, body=body, tree=value), kept, Tree("tuple", (tree, packed))


def pulled(function: Function, chosen: Sequence[int], wrt: Sequence[Node]) -> Function:
    """The results, and the cotangents of `wrt` for those of some results, which are further parameters of the
    body."""
    function = linked(flagged(segmented(function)), wrt)
    with function.open() as builder:
        seeds: Cotangents = {}
        params = []
        for k in chosen:
            output = function.results[k]
            params.append(builder.param(output.type, f"{output.name}_bar" if output.name else ""))
            seeds[output] = seeds[output] + params[-1] if output in seeds else params[-1]
        sweep = Sweep(builder, function, wrt)
        results = [*function.results, *_results(sweep, seeds)]
        given = (*function.params, *params)
        tree, name = _flat(len(results)), function.name
        made = builder.finish(name, given, results, tree, function.parameters, **function.info)
    return with_callees(woven(made, sweep), function.functions, _callee)


def vjp(function: Function, wrt: Sequence[Node], tree: Tree) -> Function:
    """`(value, pullback)`: the pullback is a closure over what the way back reads."""
    function = linked(flagged(segmented(function)), wrt)
    with function.open() as builder:
        outputs = function.results
        sweep = Sweep(builder, function, wrt)
        with builder.region(*(output.type for output in outputs)) as region:
            seeds: Cotangents = {}
            for output, cotangent in zip(outputs, region.params, strict=True):
                if differentiable(output.type):
                    if infer.numpy_dtype(output).startswith("complex"):
                        cotangent = conjugate(cotangent)  # as given: dL/dx + i dL/dy
                    seeds[output] = seeds[output] + cotangent if output in seeds else cotangent
            region.results = _results(sweep, seeds)
        back = builder.emit(closure, (), {"cotangents": function.tree, "tree": tree}, (region.closed(),))
        made = builder.finish(
            function.name + "_vjp",
            function.params,
            [*outputs, back],
            Tree("tuple", (function.tree, LEAF)),
            function.parameters,
            **function.info,
        )
    return with_callees(woven(made, sweep), function.functions, _callee)


def _callee(function: Function, name: str) -> Function:
    """What `call_vjp` calls: the results of a function that is called, and its pullback, which takes the
    cotangents of the results to those of the parameters, as far as they can have some."""
    wrt = [param for param in function.params if differentiable(param.type)]
    function = linked(flagged(segmented(function)), wrt)
    seeded = [output for output in function.results if differentiable(output.type)]
    with function.open() as builder:
        sweep = Sweep(builder, function, wrt)
        with builder.region(*(output.type for output in seeded)) as region:
            seeds: Cotangents = {}
            for output, param in zip(seeded, region.params, strict=True):
                cotangent = conjugated(param, output)
                seeds[output] = seeds[output] + cotangent if output in seeds else cotangent
            region.results = _results(sweep, seeds)
        attrs = {"cotangents": _flat(len(seeded)), "tree": _flat(len(wrt))}
        back = builder.emit(closure, (), attrs, (region.closed(),))
        results = [*function.results, back]
        summary = function.summary.replace("Value of", "Value and pullback of", 1)
        tree, info = _flat(len(results)), function.info
        made = builder.finish(name, function.params, results, tree, function.parameters, summary, **info)
    return woven(made, sweep)


def _flat(count: int) -> Tree:
    return LEAF if count == 1 else Tree("tuple", (LEAF,) * count)


def pullback(
    builder: Builder, function: Function, seeds: Cotangents, wrt: Sequence[Node]
) -> list[Node | None]:
    """Cotangents of `wrt` for given cotangents of the results of a function without control flow; None where
    nothing depends on it."""
    return Sweep(builder, function, wrt).pulled(seeds)


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
    if not differentiable(output.type):
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


def _results(sweep: Sweep, seeds: Cotangents) -> list[Node]:
    """Gradients as they leave: every one a fresh array in the shape and dtype of its parameter."""
    results: list[Node] = []
    held: set[Node] = set()
    mixed = any(map(_is_narrow, sweep.wrt)) and bool(maybe_numbers(sweep.function))
    for cotangent, param in zip(sweep.pulled(seeds), sweep.wrt, strict=True):
        if mixed and cotangent is not None and cotangent.op is not fit_like and _is_narrow(param):
            cotangent = _cast(cotangent, param.type.dtype)  # numbers make it wider than types say
        result = _result(cotangent, param)
        while result.type.kind == "array" and _is_held(result, held, sweep.ruled):
            result = copy(result)
        sweep.label(result, param)
        results.append(result)
        held |= roots(result)
    return results


def _is_narrow(param: Node) -> bool:
    """Whether a Python number may be wider than this array."""
    return param.type.kind == "array" and param.type.dtype not in ("", "float64", "complex128")


def _is_held(result: Node, held: set[Node], ruled: set[Node]) -> bool:
    """Whether an array may be the user's, the pullback's own argument, saved, or memory of another result; or
    a view, in whatever order.  ruled: the user's, but computed on the way back."""
    if result.type.dims == ():  # what is computed without axes is no array
        return any(
            memory.primal and memory not in ruled and memory.type.kind == "array" for memory in roots(result)
        )
    return any(map(is_view, sources(result))) or any(
        memory in held
        or (memory.primal and memory not in ruled)
        or memory.op.name in ("param", "stack_item")
        or _is_popped(memory)
        for memory in roots(result)
        if memory.type.kind == "array" and memory.type.dims != ()
    )


def _cast(cotangent: Node, dtype: str) -> Node:
    """In another dtype, and in C's order also where it is a number spread over an array."""
    return astype(copy(cotangent) if is_view(cotangent) else cotangent, dtype=dtype)


def _may_be_number(cotangent: Node) -> bool:
    """Whether a value without axes may be a Python number where its type says array: a loop may begin with
    one, and operators make numbers of numbers."""
    known: dict[Node, bool] = {}

    def decide(node: Node) -> bool:
        if node not in known:
            known[node] = False  # of values in a circle the others decide
            origins = sources(node)
            if node.type.kind == "number":
                known[node] = True
            elif origins != {node}:
                known[node] = any(map(decide, origins))
            elif node.op in _OPERATORS and not node.primal:
                known[node] = all(map(decide, node.args))
        return known[node]

    return decide(cotangent)


_OPERATORS = (add, subtract, multiply, divide, negative)


def _is_popped(memory: Node) -> bool:
    return memory.op is ITEM and memory.args[0].op.name == "pop"


def _result(cotangent: Node | None, param: Node) -> Node:
    if param.type.kind == "number" and param.type.dtype != "complex":
        return to_float(cotangent if cotangent is not None else 0.0)
    if cotangent is None:
        return zeros_like(param)
    maybe_number = param.type.dims == () and _may_be_number(cotangent)
    if infer.numpy_dtype(param).startswith("complex"):
        cotangent = conjugate(cotangent)
    if param.type.kind == "number":
        real = maybe_number or not infer.numpy_dtype(cotangent).startswith("complex")
        return full_like(param, cotangent) if real else cotangent
    if cotangent.op.name == "broadcast_to" and not cotangent.primal and cotangent.args[0].type.dims == ():
        return full_like(param, cotangent.args[0])
    if cotangent.type.kind == "number" or maybe_number:
        return full_like(param, cotangent)
    if infer.numpy_dtype(cotangent) != infer.numpy_dtype(param) and param.type.dtype and cotangent.type.dtype:
        cotangent = _cast(cotangent, param.type.dtype)
    given = cotangent.args[0] if cotangent.op is fit_like else cotangent  # which it may hand on
    return copy(cotangent) if getattr(given.op, "view", False) or is_permuted(given) else cotangent
