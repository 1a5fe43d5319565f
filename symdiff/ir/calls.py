"""Calls of functions that call themselves until run time ends it; all other calls are written out.

Enters: operands, the name of a function of the program (`Function.functions`) and what its results are.
Leaves: their value, or a tuple of them.  Invariant: a called function writes into nothing that it is given,
and the arrays that it gives are its own.

    call(*operands)                  the results
    call_vjp(*operands)              the results, then a pullback: what the way back needs of this call
    pull(pullback, *cotangents)      the cotangents of the operands that have some

The attribute `results` holds the types of results: (kind, dtype, dims), where a length is an int, a symbol's
(name, less), the length of an operand's axis ("like", operand, axis), or None for a length of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from symdiff.errors import IRError
from symdiff.ir import types
from symdiff.ir.build import current
from symdiff.ir.node import Function, Node, Op, Region
from symdiff.ir.types import Dim, Size, Type

Encoded = tuple[Any, ...]


def encoded(type: Type) -> Encoded:
    """A type as a literal, its symbols by their names."""
    dims = current().sizes.resolve(type.dims)
    if dims is None:
        return type.kind, type.dtype, None
    lengths = tuple((dim.name, dim.less) if isinstance(dim, Size) else dim for dim in dims)
    return type.kind, type.dtype, lengths


def _decoded(one: Encoded, operands: Sequence[Node]) -> Type:
    kind, dtype, dims = one
    if dims is None:
        return Type(kind, dtype, None)
    return Type(kind, dtype, tuple(_length(dim, operands) for dim in dims))


def _length(dim: Any, operands: Sequence[Node]) -> Dim:
    sizes = current().sizes
    if dim is None:
        return sizes.fresh()
    if isinstance(dim, int):
        return dim
    if len(dim) == 2:
        return sizes.find(Size(*dim))
    dims = operands[dim[1]].type.dims
    return sizes.fresh() if dims is None else dims[dim[2]]


def _packed(found: Sequence[Type]) -> Type:
    if not found:
        raise IRError("A call gives at least one value.")
    return found[0] if len(found) == 1 else types.tuple_of(found)


def _infer_call(*operands: Node, function: str, results: tuple[Encoded, ...]) -> Type:
    return _packed([_decoded(one, operands) for one in results])


def _infer_call_vjp(*operands: Node, function: str, results: tuple[Encoded, ...]) -> Type:
    return types.tuple_of([*(_decoded(one, operands) for one in results), types.PULLBACK])


def _infer_pull(pullback: Node, *cotangents: Node, results: tuple[Encoded, ...]) -> Type:
    if pullback.type.kind not in ("pullback", "undefined"):
        raise IRError(f"{pullback.type} is no pullback.")
    return _packed([_decoded(one, cotangents) for one in results])


CALL = Op("call", _infer_call, pure=False)
CALL_VJP = Op("call_vjp", _infer_call_vjp, pure=False)
PULL = Op("pull", _infer_pull, pure=False)
CALLS = {op.name: op for op in (CALL, CALL_VJP, PULL)}


def called(region: Region) -> Iterator[str]:
    """The names of the functions that a region calls."""
    for node in region.body:
        if node.op is CALL or node.op is CALL_VJP:
            yield node.attr("function")
        for inner in node.regions:
            yield from called(inner)


def reached(function: Function, functions: Mapping[str, Function]) -> dict[str, Function]:
    """Those of some functions that a function calls, itself or through others, in their order."""
    found: set[str] = set()
    pending = list(called(function.body))
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += called(functions[name].body)
    return {name: one for name, one in functions.items() if name in found}
