"""A tiny interpreter of the IR: what a lowered function must compute, to the bit.

Enters: a `Lowered` and the arguments of a call.  Leaves: what the function would return.  Every node runs as
NumPy's own function or Python's own operator; captures are read as at a call.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from ops import evaluate as oracle

from symdiff.frontend import Lowered, lower, rebuilt, step_into
from symdiff.frontend.operators import BINARY, COMPARE, UNARY
from symdiff.ir.control import CONTROL
from symdiff.ir.node import Node, Tree
from symdiff.ops.row import Row

OPERATORS = {facts[0]: facts[2] for table in (BINARY, UNARY, COMPARE) for facts in table.values()}


def index_of(spec: tuple[tuple[Any, ...], ...], operands: list[Any]) -> Any:
    def part(value: Any) -> Any:
        return operands[value[1]] if isinstance(value, tuple) else value

    made: list[Any] = []
    for kind, *rest in spec:
        if kind == "int":
            made.append(part(rest[0]))
        elif kind == "slice":
            made.append(slice(*map(part, rest)))
        elif kind == "new":
            made.append(None)
        elif kind == "ellipsis":
            made.append(Ellipsis)
        else:
            made.append(operands[rest[0]])
    return tuple(made)


def joined(name: str, *items: Any, **attrs: Any) -> Any:
    return getattr(np, name)(items, **attrs)


SPECIAL: dict[str, Callable[..., Any]] = {
    "length": lambda x, axis=0: np.shape(x)[axis],
    "shape": np.shape,
    "size": np.size,
    "make_shape": lambda *sizes: sizes,
    "astype": lambda x, dtype: x.astype(dtype),
    "index": lambda x, *operands, index: x[index_of(index, list(operands))],
    "array": lambda *items, shape=(), dtype=None: np.array(nest(list(items), shape), dtype),
    "to_float": float,
    "item": lambda x: x.item(),
    "einsum": lambda *operands, subscripts, **attrs: np.einsum(subscripts, *operands, **attrs),
    "copy": lambda x: x.copy(),
    "absolute": abs,
    **{
        name: partial(joined, name)
        for name in ("concatenate", "stack", "vstack", "hstack", "dstack", "column_stack")
    },
}


def nest(items: list[Any], shape: tuple[int, ...]) -> Any:
    if not shape:
        return items[0]
    step = len(items) // shape[0] if shape[0] else 0
    return [nest(items[i * step : (i + 1) * step], shape[1:]) for i in range(shape[0])]


def compute(node: Node, values: dict[int, Any]) -> Any:
    if node.is_const:
        return node.value
    args = [values[id(arg)] for arg in node.args]
    function = SPECIAL.get(node.op.name) or OPERATORS.get(node.op.name)
    if function is None:
        assert isinstance(node.op, Row), node
        function = node.op.targets[0]
    return function(*args, **node.attributes)


def build(tree: Tree, leaves: list[Any]) -> Any:
    if tree.kind == "leaf":
        return leaves.pop(0)
    if tree.kind == "static":
        return tree.value
    return rebuilt(tree, [build(child, leaves) for child in tree.children])


def run(lowered: Lowered, bound: inspect.BoundArguments) -> Any:
    """The result of the lowered function for these arguments."""
    function = lowered.function
    inputs = {**bound.arguments, **{capture.name: capture.read() for capture in lowered.captures}}
    values: dict[int, Any] = {}
    env: dict[Node, Any] = {}
    for param in function.params:
        value = inputs[param.attr("parameter")]
        for step in param.attr("path"):
            value = step_into(value, step)
        env[param] = values[id(param)] = value
    for node in function.body.body:
        assert all(id(arg) in values for arg in node.args), f"{node} uses a value before it exists"
        if node.op.name in CONTROL:
            oracle.run([node], env)
        else:
            env[node] = compute(node, values)
        values[id(node)] = env[node]
    return build(function.tree, [values[id(result)] for result in function.results])


def bind(function: Callable[..., Any], *args: Any, **kwargs: Any) -> inspect.BoundArguments:
    bound = inspect.signature(function).bind(*args, **kwargs)
    bound.apply_defaults()
    return bound


def lowered_for(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Lowered:
    return lower(function, bind(function, *args, **kwargs))  # type: ignore[arg-type]


def same(a: Any, b: Any) -> bool:
    """Equal to the bit, in type, dtype, shape and structure."""
    if isinstance(a, np.ndarray | np.generic) or isinstance(b, np.ndarray | np.generic):
        if isinstance(a, np.ndarray) is not isinstance(b, np.ndarray):
            return False
        a, b = np.asarray(a), np.asarray(b)
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if hasattr(a, "__dict__"):
        return same(vars(a), vars(b))
    return repr(a) == repr(b)


def check(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Lowered:
    """Lowering must give a program that computes what the function computes."""
    lowered = lowered_for(function, *args, **kwargs)
    result = run(lowered, bind(function, *args, **kwargs))
    expected = function(*args, **kwargs)
    assert same(result, expected), (result, expected)
    assert all(guard.holds() for guard in lowered.guards)
    assert all(capture.current_key() == capture.key for capture in lowered.captures)
    return lowered
