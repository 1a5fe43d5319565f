"""Derivatives that the function takes itself: `grad(inner)(y)` in the body of what is differentiated.

Enters: calls of `symdiff.grad` and its kin, and of the callables that they make, with staged arguments.
Leaves: the operations of the derivative, written out in place.  Invariant: a derivative is taken of what the
inner function computes for these very arguments; what it reads from around it is held constant, and has
derivatives like any operand once the outer function is differentiated.
"""

from __future__ import annotations

import types as python_types
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from symdiff.errors import DtypeError, SymdiffError, UnsupportedError, WrtError
from symdiff.frontend.arguments import stage
from symdiff.frontend.arrays import static_value
from symdiff.frontend.builtin import HANDLERS
from symdiff.frontend.frame import Frame, call
from symdiff.frontend.recursion import function_of
from symdiff.frontend.regions import differing, nodes_of
from symdiff.frontend.results import pack
from symdiff.frontend.state import restore, taken
from symdiff.frontend.values import Closure, Partial
from symdiff.ir.control import captures
from symdiff.ir.copying import Known, copied
from symdiff.ir.liveness import has_effect
from symdiff.ir.node import Function, Node, Region, Tree

DERIVED: list[Callable[[Function, str, tuple[Node, ...], Tree, bool], Function]] = []
"""The derivative of a program: transform, parameters, packing of their gradients, whether there is aux.
The pipeline sets it, for the front end knows nothing of derivatives."""

_MADE = ("grad", "value_and_grad", "elementwise_grad")
_OTHER = ("differentiate", "vjp", "jvp", "hvp", "jacobian", "hessian", "per_example_grad")
_INSTEAD = "symdiff.grad or symdiff.value_and_grad"


def handler_of(function: Any) -> Callable[[Frame, Any, list[Any], dict[str, Any]], Any] | None:
    """What calls a derivative, or makes one; None for anything else."""
    if isinstance(function, python_types.FunctionType):
        known = function.__module__ == "symdiff.api" and function.__name__ in (*_MADE, *_OTHER)
        return _maker if known else None
    module = type(function).__module__
    if module in ("symdiff.dispatch", "symdiff.modes", "symdiff.tangents"):
        return _of_object
    return None


def _maker(frame: Frame, function: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """`grad(inner, wrt=0)`: what is called with the arguments of `inner`."""
    name = function.__name__
    if name not in _MADE or not {*kwargs} <= {"fn", "wrt", "argnums", "has_aux", "backend"}:
        raise _unsupported(f"`symdiff.{name}`" if name in _OTHER else f"`{name}` with these options")
    given = {**dict(zip(("fn", "wrt"), args, strict=False)), **kwargs}
    wrt = given.get("argnums")
    wrt = static_value(given.get("wrt", 0) if wrt is None else wrt, "wrt")
    return Partial(derivative, [(name, given.get("fn"), wrt, bool(given.get("has_aux", False)))], {})


def _of_object(frame: Frame, function: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """A derivative that was made outside: `slope = grad(inner)`."""
    if getattr(function, "transform", "") not in _MADE or function.outputs or function.keep:
        raise _unsupported(f"`{function.__name__}`")
    inner = function.__wrapped__ if function.base is None else function.base
    what = function.transform, inner, function.wrt, function.aux
    return derivative(frame, [what, *args], kwargs)


def derivative(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """The derivative of a function for arguments: `(transform, function, wrt, aux), *arguments`."""
    (transform, function, wrt, aux), *args = args
    many = isinstance(wrt, list | tuple)
    places = [_place(function, one, args, kwargs) for one in (wrt if many else [wrt])]
    values = [args[place] if isinstance(place, int) else kwargs[place] for place in places]
    leaves, trees = _leaves(values)
    params = [_param(frame, leaf) for leaf in leaves]
    fresh = iter(params)
    for place, tree in zip(places, trees, strict=True):
        target: Any = args if isinstance(place, int) else kwargs
        target[place] = stage(tree, fresh, frame.context.own)
    made, outside = _program(frame, function, params, args, kwargs)
    chosen = made.params[: len(params)]
    packing = Tree("tuple", tuple(trees)) if many else trees[0]
    found = DERIVED[0](made, transform, chosen, packing, aux)
    return _written_out(frame, found, made, [*leaves, *outside], len(params))


def _place(function: Any, one: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """Where the argument that `wrt` means stands: an index, or a keyword."""
    names = _parameters(function)
    if isinstance(one, int) and -len(args) <= one < len(args):
        return one % len(args)
    name = names[one] if isinstance(one, int) and -len(names) <= one < len(names) else one
    if name in kwargs:
        return name
    if name in names and names.index(name) < len(args):
        return names.index(name)
    raise WrtError(f"wrt={one!r}: the call passes no such argument.", "an index of an argument, or its name")


def _parameters(function: Any) -> list[str]:
    """The names of the parameters, as far as they can be told without calling anything."""
    if isinstance(function, Closure):
        return [one.arg for one in (*function.node.args.posonlyargs, *function.node.args.args)]
    if isinstance(function, Partial) and function.function is derivative:
        return _parameters(function.args[0][1])
    code = getattr(getattr(function, "__wrapped__", function), "__code__", None)
    return list(code.co_varnames[: code.co_argcount]) if code is not None else []


def _leaves(values: Sequence[Any]) -> tuple[list[Node], list[Tree]]:
    """The arrays and numbers that are differentiated with respect to, and how they are packed."""
    leaves: list[Node] = []
    trees = []
    for value in values:
        found, tree = pack(value)
        leaves += found
        trees.append(tree)
    for leaf in leaves:
        if leaf.type.dtype.startswith(("int", "uint", "bool")):
            raise DtypeError(f"A derivative with respect to {leaf.type.dtype} is asked for.", "floats")
    if not leaves:
        raise WrtError("A derivative is taken with respect to what holds no array and no float.", "floats")
    return leaves, trees


def _param(frame: Frame, leaf: Node) -> Node:
    layout = frame.context.heap.layout
    param = frame.context.builder.param(leaf.type, leaf.name)
    (layout.scalars if _is_scalar(frame, leaf) else layout.arrays).add(param)
    return param


def _is_scalar(frame: Frame, node: Node) -> bool:
    heap = frame.context.heap
    return heap.layout.scalar(heap.storage(node)) is True


def _program(
    frame: Frame, function: Any, params: list[Node], args: list[Any], kwargs: dict[str, Any]
) -> tuple[Function, list[Node]]:
    """What a call computes as a program of its own, and what it reads from outside: operands after those."""
    context, builder = frame.context, frame.context.builder
    span, before, lengths = builder.span, taken(context, frame), len(context.lengths)
    with builder.apart():
        try:
            with context.heap.pinning(params):
                value = call(frame, function, args, kwargs)
                results, tree = pack(value)
            after = taken(context, frame, before)
            region = Region(tuple(params), builder.body, tuple(results))
        finally:
            builder.span = span
            del context.lengths[lengths:]
        changed = [*differing([before, after], before, [after], nodes_of(region) - set(params))]
        restore(context, before)
        if changed or any(map(has_effect, region.body)):
            raise _unsupported("A derivative of a function that writes into what is around it")
        outside = [one for one in captures(region) if not one.is_const]
        if not all(one.type.kind in ("array", "number") for one in outside):
            raise _unsupported("A derivative of a function that reads lists or shapes from around it")
        made = function_of("inner", "", region, outside, builder)
    return replace(made, tree=tree), outside


def _written_out(frame: Frame, found: Function, made: Function, operands: list[Node], count: int) -> Any:
    """The operations of a derivative, here; its value in the containers of the user's arguments."""
    context, builder = frame.context, frame.context.builder
    if found.functions:
        raise _unsupported("A derivative of a function that calls itself")
    mark = builder.mark()
    known: Known = dict(zip(made.params, operands, strict=True))
    copied(found.body.body, known)
    builder.forget(mark)
    results = [known.get(one, one) for one in found.results]
    layout = context.heap.layout
    for result, operand in zip(results[-count:], operands[:count], strict=True):
        if result.type.kind == "array" and result.type.dims == ():
            (layout.scalars if _is_scalar(frame, operand) else layout.arrays).add(result)
    return stage(_of_tuples(found.tree), iter(results))


def _of_tuples(tree: Tree) -> Tree:
    """Pairs that a transform makes are tuples."""
    if tree.kind != "tuple" or tree.value is not None:
        return tree
    return Tree("tuple", tuple(map(_of_tuples, tree.children)), (), tuple)


def _unsupported(what: str) -> SymdiffError:
    return UnsupportedError(f"{what} is not supported inside a function that is differentiated.", _INSTEAD)


HANDLERS[id(derivative)] = derivative
