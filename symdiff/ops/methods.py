"""Methods of arrays: `METHODS[name](x, *args, **kwargs)` is the node for `x.name(*args, **kwargs)`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from symdiff.errors import UnsupportedError
from symdiff.ir.node import Node
from symdiff.ops import axes, indexing, piecewise, products, reductions, rounding, shaping
from symdiff.ops.lowering import call, literal
from symdiff.ops.row import Row

Method = Callable[..., Any]


def _one_or_many(items: tuple[Any, ...]) -> Any:
    """`x.reshape(2, 3)` and `x.reshape((2, 3))` are the same."""
    return items[0] if len(items) == 1 else items


def _reshape(x: Node, *sizes: Any, **options: Any) -> Node:
    made: Node = call(shaping.reshape, x, _one_or_many(sizes), **options)
    return made


def _transpose(x: Node, *order: Any) -> Node:
    made: Node = call(shaping.transpose, x, _one_or_many(order) if order else None)
    return made


def _astype(x: Node, dtype: Any, copy: bool = True) -> Node:
    return shaping.astype(x, dtype=literal("dtype", dtype))


def _item(x: Node, *place: Any) -> Node:
    if place:
        x = indexing.index(x, index=tuple(("int", int(literal("index", one))) for one in place))
    return shaping.to_float(x)


def _refused(name: str, instead: str) -> Method:
    def refuse(*_: Any, **__: Any) -> Node:
        raise UnsupportedError(f"The array method {name} is not supported.", instead)

    return refuse


_ROWS: dict[str, Row] = {
    "sum": reductions.add_reduce, "mean": reductions.mean, "prod": reductions.prod,
    "max": reductions.max_reduce, "min": reductions.min_reduce, "var": reductions.var, "std": reductions.std,
    "cumsum": reductions.cumsum, "cumprod": reductions.cumprod, "any": reductions.any_reduce,
    "all": reductions.all_reduce, "argmax": reductions.argmax, "argmin": reductions.argmin,
    "dot": products.dot, "trace": products.trace, "ravel": axes.ravel, "flatten": axes.flatten,
    "swapaxes": shaping.swapaxes, "squeeze": shaping.squeeze, "repeat": axes.repeat,
    "diagonal": axes.diagonal, "copy": shaping.copy, "conj": shaping.conjugate, "conjugate": shaping.conjugate,
    "clip": piecewise.clip, "round": rounding.round_row, "argsort": rounding.argsort,
}  # fmt: skip

METHODS: dict[str, Method] = {
    **{name: partial(call, row) for name, row in _ROWS.items()},
    "take": partial(call, indexing.take_row),
    "reshape": _reshape,
    "transpose": _transpose,
    "astype": _astype,
    "item": _item,
    "tolist": _refused("tolist", "the array itself"),
    "fill": _refused("fill", "np.full_like(x, value)"),
    "sort": _refused("sort", "np.sort(x)"),
    "resize": _refused("resize", "x.reshape(...)"),
}
