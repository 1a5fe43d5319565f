"""Calls as users write them, turned into nodes.

Enters: a row with staged nodes and compile-time values (numbers, strings, dtypes, None, lists and tuples of
these and of nodes).  Leaves: a node, or a tuple of nodes.  Invariant: attributes are literals (dtypes their
NumPy names), and an attribute equal to its default is absent, so that equal calls become one node.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symdiff.errors import ShapeError, UnsupportedError
from symdiff.ir import types
from symdiff.ir.build import current
from symdiff.ir.node import Node
from symdiff.ops.row import REGISTRY, Row, register


def call(row: Row, *args: Any, **kwargs: Any) -> Any:
    """What the call `row(*args, **kwargs)` in the user's program computes."""
    return (row.lower or bind)(row, *args, **kwargs)


def bind(row: Row, *args: Any, **kwargs: Any) -> Node:
    """Arguments by the row's signature."""
    try:
        bound = row.signature.bind(*args, **kwargs).arguments
    except TypeError as error:
        raise UnsupportedError(
            f"{row.spelling} is called with arguments symdiff does not handle: {error}.",
            f"{row.spelling}{row.signature}",
        ) from None
    operands: list[Node] = []
    attrs: dict[str, Any] = {}
    for name, parameter in row.signature.parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            operands += map(to_node, bound.get(name, ()))
        elif parameter.default is parameter.empty:
            operands.append(to_shape(bound[name]) if name == "shape" else to_node(bound[name]))
        elif name in bound and repr(value := literal(name, bound[name])) != repr(parameter.default):
            attrs[name] = value
        elif parameter.default is ...:
            raise UnsupportedError(f"{row.spelling} needs the argument {name}.")
    return row(*operands, **attrs)


def with_options(row: Row, *operands: Node, **options: Any) -> Node:
    """A call with operands that may be absent (None), which the attribute `names` names."""
    nodes = {
        name: to_node(value)
        for name, value in options.items()
        if value is not None and name not in row.defaults
    }
    attrs = {name: value for name, value in options.items() if name in row.defaults}
    return row(*operands, *nodes.values(), **attrs, **({"names": tuple(nodes)} if nodes else {}))


def literal(name: str, value: Any) -> Any:
    """The compile-time value of an attribute in its canonical form."""
    if isinstance(value, Node):
        if not value.is_const:
            raise UnsupportedError(
                f"The argument {name} is only known when the program runs.",
                f"a literal for {name}, or an argument of the function that symdiff can specialise on",
            )
        return value.value
    if value is None or value is ... or isinstance(value, str | bool | int | float | complex):
        return np.dtype(value).name if name == "dtype" and isinstance(value, str) else value
    if name == "dtype":
        return np.dtype(value).name
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list | tuple | range):
        return tuple(literal(name, item) for item in value)
    if isinstance(value, bool | int | float | complex):
        return value
    raise UnsupportedError(f"The argument {name} is a {type(value).__name__}, which symdiff does not handle.")


def to_node(value: Any) -> Node:
    """An operand: nodes as they are, numbers as constants, nested lists as one array."""
    if isinstance(value, np.ndarray | np.generic) and value.ndim == 0:
        value = value.item()
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return nested(value)
    if value is None or isinstance(value, str):
        raise UnsupportedError(f"{value!r} is given where an array or a number is needed.", "numbers")
    return current().lift(value)


def nested(value: Any, **attrs: Any) -> Node:
    """`np.array` of a nested list whose leaves are nodes or numbers."""
    shape = list_shape(value)
    leaves = [value]
    for _ in shape:
        leaves = [item for part in leaves for item in part]
    return REGISTRY["array"](*map(to_node, leaves), shape=shape, **attrs)


def list_shape(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list | tuple):
        return ()
    inner = {list_shape(item) for item in value}
    if len(inner) > 1:
        raise ShapeError("A nested list whose rows have different lengths is not an array.")
    return (len(value), *(inner.pop() if inner else ()))


def to_shape(value: Any) -> Node:
    """A tuple of ints as a node: from a shape, an int or a sequence of ints, each of which may be staged."""
    if isinstance(value, Node) and value.type.kind == "shape":
        return value
    sizes = value if isinstance(value, list | tuple) else (value,)
    return REGISTRY["make_shape"](*(size if isinstance(size, Node) else int(size) for size in sizes))


def arrays(value: Any) -> list[Node]:
    """The operands of a function that takes a sequence of arrays."""
    if isinstance(value, Node):
        dims = value.type.dims
        if not dims or not isinstance(dims[0], int):
            raise UnsupportedError(
                "An array is given where a list of arrays is needed.", "a list or tuple of arrays"
            )
        return [REGISTRY["index"](value, index=(("int", i),)) for i in range(dims[0])]
    return [to_node(item) for item in value]


def sugar(
    function: Any, lower: Callable[..., Any], name: str = "", also: Sequence[Any] = (), spelling: str = ""
) -> Row | None:
    """A function that is written in terms of other rows while it is lowered; absent from older NumPys."""
    if function is None:
        return None
    name = name or function.__name__

    def unreachable(*_: Node, **__: Any) -> types.Type:
        raise AssertionError(f"{name} is lowered to other operations")

    return register(
        Row(
            name,
            unreachable,
            kind="composite",
            text="*args",
            targets=(function, *also),
            spelling=spelling or f"np.{name}",
            lower=lambda row, *args, **kwargs: lower(*args, **kwargs),
        )
    )


def known_rank(x: Node, what: str) -> int:
    """The number of dimensions of `x`, or an error that says how to make it known."""
    if x.type.rank is None:
        raise UnsupportedError(
            f"{what} needs to know how many dimensions its operand has.",
            "call source_for(*args) with example arguments, or call the function once",
        )
    return x.type.rank


def as_array(x: Any) -> Node:
    """`np.asarray`."""
    x = to_node(x)
    return x if x.type.kind == "array" else REGISTRY["array"](x)
