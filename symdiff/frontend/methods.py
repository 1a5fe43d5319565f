"""Methods of staged arrays: each is a NumPy function on its array.

Enters: an array node, a method's name and evaluated arguments.  Leaves: nodes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symdiff.errors import UnsupportedError, UserError
from symdiff.frontend import arrays
from symdiff.frontend.rows import call_row
from symdiff.frontend.values import Method
from symdiff.ir.node import Node
from symdiff.ops.row import REGISTRY, row_of

_SAME = [
    "all",
    "any",
    "argmax",
    "argmin",
    "argsort",
    "choose",
    "clip",
    "conj",
    "conjugate",
    "cumprod",
    "cumsum",
    "diagonal",
    "dot",
    "max",
    "mean",
    "min",
    "nonzero",
    "partition",
    "prod",
    "ptp",
    "ravel",
    "repeat",
    "round",
    "searchsorted",
    "squeeze",
    "std",
    "sum",
    "swapaxes",
    "take",
    "trace",
    "var",
]
_WRITING = ("itemset", "resize", "partition", "setfield", "setflags", "byteswap")


def call_method(method: Method, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """`x.name(*args, **kwargs)`."""
    handler = METHODS.get(method.name)
    if method.node.type.kind == "number":
        return method.node  # `conjugate` of a real number is the only one
    if method.name in _WRITING:
        raise UnsupportedError(
            f"The method `.{method.name}` writes into its array.", "build a new array, e.g. with np.where"
        )
    if handler is None:
        raise UnsupportedError(f"The array method `.{method.name}` is not supported.", "a NumPy function")
    return handler(method.node, args, kwargs)


def _function(name: str) -> Callable[[Node, list[Any], dict[str, Any]], Any]:
    def apply(node: Node, args: list[Any], kwargs: dict[str, Any]) -> Any:
        function = getattr(np, name)
        row = row_of(function)
        if row is None:
            raise UnsupportedError(f"The array method `.{name}` has no derivative rule.")
        return call_row(row, function, [node, *args], kwargs)

    return apply


def _spread(args: list[Any]) -> Any:
    """`f(2, 3)` and `f((2, 3))` mean the same."""
    return args[0] if len(args) == 1 else tuple(args)


def _reshape(node: Node, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if not args and "shape" not in kwargs:
        raise UserError("TypeError: reshape() takes a shape")
    shape = _spread(args) if args else kwargs.pop("shape")
    return _function("reshape")(node, [shape], kwargs)


def _transpose(node: Node, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return _function("transpose")(node, [_spread(args)] if args else [], kwargs)


def _astype(node: Node, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if not args and "dtype" not in kwargs:
        raise UserError("TypeError: astype() takes a dtype")
    unknown = set(kwargs) - {"dtype", "copy"}
    if unknown or len(args) > 1:
        raise UnsupportedError("Only the dtype of `.astype` is supported.", "`.astype(dtype)`")
    dtype = arrays.dtype_name(args[0] if args else kwargs["dtype"])
    if kwargs.get("copy") is False and (not node.type.dtype or node.type.dtype == dtype):
        if not node.type.dtype:
            raise UnsupportedError("Whether `.astype(copy=False)` copies is not known.", "`.astype(dtype)`")
        return node
    return arrays.apply(REGISTRY["astype"], [node], dtype=dtype or "float64")


def _compress(node: Node, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """The function takes the condition first."""
    condition, *rest = args or [kwargs.pop("condition")]
    return call_row(REGISTRY["compress"], np.compress, [condition, node, *rest], kwargs)


def _copy(node: Node, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return arrays.apply(REGISTRY["copy"], [node])


def _flatten(node: Node, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return _copy(_function("reshape")(node, [-1], {}), [], {})


def _item(node: Node, args: list[Any], kwargs: dict[str, Any]) -> Any:
    row = REGISTRY.get("item")
    if row is None or args:
        raise UnsupportedError("The array method `.item` is not supported.", "use the array itself")
    return call_row(row, np.ndarray.item, [node], {})


def _tolist(node: Node, args: list[Any], kwargs: dict[str, Any]) -> Any:
    raise UnsupportedError("The array method `.tolist` is not supported.", "use the array itself")


METHODS: dict[str, Callable[[Node, list[Any], dict[str, Any]], Any]] = {
    **{name: _function(name) for name in _SAME},
    "reshape": _reshape,
    "transpose": _transpose,
    "astype": _astype,
    "compress": _compress,
    "copy": _copy,
    "__copy__": _copy,
    "flatten": _flatten,
    "item": _item,
    "tolist": _tolist,
}
