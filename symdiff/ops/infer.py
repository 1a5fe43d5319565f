"""Inference: what is known of a result from what is known of its operands.

Enters: operand nodes and attributes.  Leaves: a `Type`.  Invariant: dtypes are NumPy's own answer (NEP 50,
asked through `ufunc.resolve_dtypes`), never a table of ours; where an operand is unknown the result is too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import numpy as np

from symdiff.errors import DtypeError, ShapeError
from symdiff.ir import types
from symdiff.ir.build import Builder, current
from symdiff.ir.node import Node
from symdiff.ir.types import Dim, Dims, Type

_PYTHON: dict[str, Any] = {"bool": np.dtype(bool), "int": int, "float": float, "complex": complex}
_RANKS = ("bool", "int", "float", "complex")


@lru_cache(maxsize=4096)
def _resolved(ufunc: np.ufunc, operands: tuple[tuple[str, str], ...]) -> str:
    known = tuple(_PYTHON[dtype] if kind == "number" else np.dtype(dtype) for kind, dtype in operands)
    try:
        return ufunc.resolve_dtypes((*known, *[None] * ufunc.nout))[len(known)].name
    except TypeError:
        shown = ", ".join(dtype for _, dtype in operands)
        raise DtypeError(
            f"np.{ufunc.__name__} has no loop for {shown}.", "cast with .astype(float)"
        ) from None


def dtype_of(ufunc: np.ufunc, *operands: Node) -> str:
    """The dtype of a ufunc's (first) result; "" where an operand's dtype is unknown."""
    if any(not operand.type.dtype for operand in operands):
        return ""
    return _resolved(ufunc, tuple((operand.type.kind, operand.type.dtype) for operand in operands))


@lru_cache(maxsize=1024)
def _promoted(operands: tuple[tuple[str, str], ...]) -> str:
    samples = [_WEAK[dtype] if kind == "number" else np.dtype(dtype) for kind, dtype in operands]
    return np.result_type(*samples).name


_WEAK: dict[str, Any] = {"bool": False, "int": 0, "float": 0.0, "complex": 0j}


def promoted(*operands: Node) -> str:
    """The common dtype of arrays that are put into one; "" where one is unknown."""
    if any(not operand.type.dtype for operand in operands):
        return ""
    return _promoted(tuple((operand.type.kind, operand.type.dtype) for operand in operands))


def of_definition(definition: Callable[..., Node]) -> Callable[..., Type]:
    """The type of a composite is that of its definition, written out in a builder that is thrown away.

    With all folds, loaded or not until then: the program, and so its key, is the same in every process.
    """

    def infer(*operands: Node, **attrs: Any) -> Type:
        import symdiff.ops.folds  # noqa: F401

        with Builder(current().sizes, primal=False):
            return definition(*operands, **attrs).type

    return infer


def broadcast(*operands: Node) -> Dims | None:
    return current().sizes.broadcast(operand.type.dims for operand in operands)


def of_ufunc(ufunc: np.ufunc) -> Callable[..., Type]:
    """Elementwise result of a NumPy ufunc call."""

    def infer(*operands: Node, **_: Any) -> Type:
        return types.array(dtype_of(ufunc, *operands), broadcast(*operands))

    return infer


def of_operator(ufunc: np.ufunc, number: Callable[..., str]) -> Callable[..., Type]:
    """Elementwise result of a Python operator: Python's own on numbers, the ufunc's otherwise."""
    array = of_ufunc(ufunc)

    def infer(*operands: Node, **attrs: Any) -> Type:
        if all(operand.type.kind == "number" for operand in operands):
            return types.number(number(*(operand.type.dtype for operand in operands)))
        return array(*operands, **attrs)

    return infer


def widest(*dtypes: str) -> str:
    """The number type of Python arithmetic: bool counts as int; "" where one is unknown."""
    if "" in dtypes:
        return ""
    return _RANKS[max(1, *map(_RANKS.index, dtypes))]


def at_least_float(*dtypes: str) -> str:
    if "" in dtypes:
        return ""
    return _RANKS[max(2, *map(_RANKS.index, dtypes))]


def always_bool(*_: str) -> str:
    return "bool"


def like(x: Node, *_: Node, **__: Any) -> Type:
    """The type of the first operand (as an array)."""
    return types.array(numpy_dtype(x), x.type.dims)


def numpy_dtype(x: Node) -> str:
    """The dtype that NumPy gives this value as an array."""
    return numpy_dtype_of(x.type)


def numpy_dtype_of(type: Type) -> str:
    """The dtype that NumPy gives values of a type as arrays."""
    if type.kind != "number":
        return type.dtype
    return {"bool": "bool", "int": "int64", "float": "float64", "complex": "complex128", "": ""}[type.dtype]


def normalized_axes(axis: Any, rank: int) -> tuple[int, ...]:
    """Axes as a sorted tuple of non-negative ints; None means all."""
    if axis is None:
        return tuple(range(rank))
    axes = axis if isinstance(axis, tuple) else (axis,)
    for one in axes:
        if not -rank <= one < rank:
            raise ShapeError(f"Axis {one} is out of range for an array of {rank} dimensions.")
    return tuple(sorted(one % rank for one in axes))


def reduced_dims(dims: Dims | None, axis: Any, keepdims: bool) -> Dims | None:
    if dims is None:
        return () if axis is None and not keepdims else None
    axes = normalized_axes(axis, len(dims))
    if keepdims:
        return tuple(1 if i in axes else dim for i, dim in enumerate(dims))
    return tuple(dim for i, dim in enumerate(dims) if i not in axes)


@lru_cache(maxsize=256)
def _reduced_dtype(function: Callable[..., Any], dtype: str) -> str:
    return str(np.asarray(function(np.ones(1, dtype))).dtype)


def of_reduction(function: Callable[..., Any]) -> Callable[..., Type]:
    """Result of a reduction with `axis`, `keepdims` and perhaps `dtype`; the dtype is asked of NumPy."""

    def infer(x: Node, axis: Any = None, dtype: str | None = None, keepdims: bool = False, **_: Any) -> Type:
        source = numpy_dtype(x)
        result = dtype or (_reduced_dtype(function, source) if source else "")
        return types.array(result, reduced_dims(x.type.dims, axis, keepdims))

    return infer


def product(dims: Dims) -> Dim:
    """The number of elements: an int where all lengths are known, the one symbol where all others are 1."""
    sizes = current().sizes
    known, symbols = 1, []
    for dim in dims:
        found = sizes.find(dim)
        if isinstance(found, int):
            known *= found
        else:
            symbols.append(found)
    if not symbols or known == 0:
        return known
    if known == 1 and len(symbols) == 1:
        return symbols[0]
    return sizes.fresh()


def size_of(node: Node) -> Dim:
    """The length that an integer node stands for."""
    if node.is_const and isinstance(node.value, int):
        return node.value if node.value >= 0 else current().sizes.fresh()
    if node.op.name == "length" and node.args[0].type.dims is not None:
        dim: Dim = node.args[0].type.dims[node.attr("axis")]
        return dim
    if node.op.name == "size" and node.args[0].type.dims is not None:
        return product(node.args[0].type.dims)
    return current().sizes.fresh()


def numpy_dtype_of_all(nodes: Iterable[Node]) -> str:
    """The dtype of an array filled from all of these; "" where one is unknown."""
    dtypes = [numpy_dtype(node) for node in nodes]
    return np.result_type(*map(np.dtype, dtypes)).name if all(dtypes) else ""
