"""Small programs built by hand, and what tests ask of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from symdiff.ir import types
from symdiff.ir.build import Builder
from symdiff.ir.node import FOLDS, LEAF, Function, Node, Tree
from symdiff.ir.types import Size
from symdiff.ops import folds  # noqa: F401 - registers the folds

N, M = Size("n"), Size("m")
VECTOR, MATRIX, COLUMN, SCALAR = (N,), (N, M), (N, 1), ()


def program(build: Callable[..., Any], *dims: Any, primal: bool = False) -> Function:
    """A function of float64 arrays of the given dims; "number" stands for a Python float."""
    builder = Builder()
    types_of = [types.number() if one == "number" else types.array("float64", one) for one in dims]
    params = [
        builder.param(type, name, parameter=name, path=())
        for type, name in zip(types_of, "abcdefgh", strict=False)
    ]
    builder.params = tuple(params)
    builder.primal = primal
    with builder:
        made = build(*params)
    results = made if isinstance(made, tuple) else (made,)
    lifted = [builder.lift(result) for result in results]
    tree = LEAF if len(lifted) == 1 else Tree("tuple", (LEAF,) * len(lifted))
    return builder.finish("f", params, lifted, tree)


@contextmanager
def without_folds() -> Iterator[None]:
    saved = dict(FOLDS)
    FOLDS.clear()
    try:
        yield
    finally:
        FOLDS.update(saved)


def operations(function: Function) -> list[str]:
    """Names of the operations that compute, in order."""
    return [node.op.name for node in function.body.body if node.args]


def users(build: Callable[[], Node], builder: Builder) -> Node:
    """A node that counts as the user's own."""
    builder.primal = True
    made = build()
    builder.primal = False
    return made
