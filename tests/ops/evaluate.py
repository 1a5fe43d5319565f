"""An interpreter of the IR: the oracle that generated code and rules are compared with.

Enters: a `Function` with values of its parameters.  Leaves: NumPy values.  Invariant: every operation is the
NumPy function its row names, called with the operands by position and the attributes by name; nothing of the
printer is used.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import scipy.linalg

from symdiff.ir.node import Function, Node, Region
from symdiff.runtime import fit_like


def evaluate(function: Function, *values: Any) -> list[Any]:
    """The results of a function for values of its parameters."""
    return results_of(function.body.body, function.results, dict(zip(function.params, values, strict=True)))


def results_of(body: Iterable[Node], results: Iterable[Node], env: Mapping[Node, Any]) -> list[Any]:
    env = dict(env)
    with np.errstate(all="ignore"):
        run(body, env)
    return [env[result] for result in results]


def run(body: Iterable[Node], env: dict[Node, Any]) -> None:
    for node in body:
        args = [env[arg] for arg in node.args]
        env[node] = controlled(node, args, env) if node.regions else apply(node, args)


def controlled(node: Node, args: list[Any], env: dict[Node, Any]) -> Any:
    """The value of an operation with regions: one value, or the list of its results."""
    if node.op.name == "if":
        found = inside(node.regions[0 if args[0] else 1], [], env)
    elif node.op.name == "block":
        found = inside(node.regions[0], [], env)
    else:
        found = looped(node, args, env)
    return found if node.type.kind == "tuple" else found[0]


def inside(region: Region, args: list[Any], env: dict[Node, Any]) -> list[Any]:
    env.update(zip(region.params, args, strict=True))
    run(region.body, env)
    return [env[result] for result in region.results]


def looped(node: Node, args: list[Any], env: dict[Node, Any]) -> list[Any]:
    counted = node.op.name == "for"
    carried = args[3:] if counted else args
    rounds: Iterable[Any] = range(*args[:3]) if counted else itertools.repeat(None)
    for counter in reversed(rounds) if node.attr("reverse") else rounds:  # type: ignore[call-overload]
        if not counted and not inside(node.regions[0], carried, env)[0]:
            break
        found = inside(node.regions[-1], [counter, *carried] if counted else carried, env)
        carried = found[: len(carried)]
        if node.attr("breaks") and found[-1]:
            break
    return carried


def apply(node: Node, args: list[Any]) -> Any:
    special = SPECIAL.get(node.op.name)
    if special is not None:
        return special(args, node.attributes)
    if node.op.symbol and node.type.kind == "number":
        return node.op.targets[1](*args)  # Python's operator, whose result is weak in promotion
    attrs = {key: np.dtype(value) if key == "dtype" else value for key, value in node.attrs}
    names = attrs.pop("names", ())
    given = len(args) - len(names)
    return node.op.targets[0](*args[:given], **dict(zip(names, args[given:], strict=True)), **attrs)


def is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray)


def _indexed(entries: Any, operands: list[Any]) -> tuple[Any, ...]:
    def number(part: Any) -> Any:
        return operands[part[1]] if isinstance(part, tuple) else part

    def entry(spec: Any) -> Any:
        if spec[0] == "slice":
            return slice(*map(number, spec[1:]))
        if spec[0] in ("new", "ellipsis"):
            return None if spec[0] == "new" else ...
        return number(spec if spec[0] == "arg" else spec[1])

    return tuple(map(entry, entries))


def _scatter(args: list[Any], attrs: dict[str, Any]) -> Any:
    g, shape, *operands = args
    out = np.zeros(shape, np.asarray(g).dtype)
    np.add.at(out, _indexed(attrs["index"], operands), g)
    return out


def _add_at(args: list[Any], attrs: dict[str, Any]) -> Any:
    total, g, *operands = args
    out = np.array(total)
    np.add.at(out, _indexed(attrs["index"], operands), g)
    return out


def _update(args: list[Any], attrs: dict[str, Any]) -> Any:
    base, value, *operands = args
    out = np.array(base)
    target = out
    for kind, *data in attrs.get("view", ()):
        if kind == "index":
            target = target[_indexed(data[0], operands)]
        elif kind == "reshape":
            target = target.reshape([operands[n[1]] if isinstance(n, tuple) else n for n in data[0]])
        elif kind == "transpose":
            target = target.transpose(data[0])
        else:
            target = getattr(target, kind)
    target[_indexed(attrs["index"], operands)] = value
    return out


def _array(args: list[Any], attrs: dict[str, Any]) -> Any:
    shape = attrs.get("shape", ())
    return np.array(args, attrs.get("dtype")).reshape(shape + np.shape(args[0])) if args else np.array([])


def _matmul_left(args: list[Any], attrs: dict[str, Any]) -> Any:
    g, a, b = args
    if b.ndim == 1:
        return fit_like(g[..., None] * b, a)
    if a.ndim == 1:
        return fit_like((b @ g[..., None])[..., 0], a)
    return fit_like(g @ np.swapaxes(b, -1, -2), a)


def _matmul_right(args: list[Any], attrs: dict[str, Any]) -> Any:
    g, a, b = args
    if a.ndim == 1:
        return fit_like(g * a if b.ndim == 1 else a[:, None] * g[..., None, :], b)
    if b.ndim == 1:
        return fit_like(a * g[..., None], b)
    return fit_like(np.swapaxes(a, -1, -2) @ g, b)


def _listed(array: Any, depth: int) -> list[Any]:
    return list(array) if depth == 1 else [_listed(part, depth - 1) for part in array]


def _joined(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda args, attrs: function(args, **attrs)


SPECIAL: dict[str, Callable[[list[Any], dict[str, Any]], Any]] = {
    "const": lambda args, attrs: attrs["value"],
    "shape": lambda args, attrs: np.shape(args[0]),
    "size": lambda args, attrs: np.size(args[0]),
    "length": lambda args, attrs: np.shape(args[0])[attrs.get("axis", 0)],
    "make_shape": lambda args, attrs: tuple(map(int, args)),
    "fit_like": lambda args, attrs: fit_like(*args),
    "to_float": lambda args, attrs: float(np.real(args[0])),
    "item": lambda args, attrs: np.asarray(args[0]).item(),
    "astype": lambda args, attrs: np.asarray(args[0]).astype(attrs["dtype"])[()],
    "index": lambda args, attrs: args[0][_indexed(attrs["index"], args[1:])],
    "scatter": _scatter,
    "add_at": _add_at,
    "update": _update,
    "array": _array,
    "part": lambda args, attrs: args[0][attrs["index"]],
    "undefined": lambda args, attrs: None,
    "perform": lambda args, attrs: None,
    "new_stack": lambda args, attrs: [],
    "push": lambda args, attrs: [*args[0], np.copy(args[1])[()] if is_array(args[1]) else args[1]],
    "pop": lambda args, attrs: [args[0][:-1], args[0][-1]],
    "stack_item": lambda args, attrs: args[0][args[1]],
    "stack_of_zeros": lambda args, attrs: [np.zeros_like(item, float) for item in args[0]],
    "sum_of_stacks": lambda args, attrs: [a + b for a, b in zip(*args, strict=True)],
    "add_to_item": lambda args, attrs: [
        a + args[1] if k == args[2] % len(args[0]) else a for k, a in enumerate(args[0])
    ],
    "set_item": lambda args, attrs: [
        args[1] if k == args[2] % len(args[0]) else a for k, a in enumerate(args[0])
    ],
    "repeated": lambda args, attrs: [args[0]] * args[1],
    "listed": lambda args, attrs: list(args),
    "chained": lambda args, attrs: args[0] + args[1],
    "first_of": lambda args, attrs: args[0][: len(args[1])],
    "rest_of": lambda args, attrs: args[0][len(args[1]) :],
    "nonzero": lambda args, attrs: np.nonzero(args[0])[attrs.get("axis", 0)],
    "stack_length": lambda args, attrs: len(args[0]),
    "stacked": lambda args, attrs: np.stack(args[0], **attrs),
    "as_array": lambda args, attrs: np.array(args[0]),
    "concatenated": lambda args, attrs: np.concatenate(args[0], **attrs),
    "unstacked": lambda args, attrs: _listed(
        np.moveaxis(args[0], attrs.get("axis", 0), 0), attrs.get("depth", 1)
    ),
    "split_like": lambda args, attrs: np.split(
        args[0],
        np.cumsum([np.shape(one)[attrs.get("axis", 0)] for one in args[1]])[:-1],
        attrs.get("axis", 0),
    ),
    "matmul_left": _matmul_left,
    "matmul_right": _matmul_right,
    "choose": lambda args, attrs: np.choose(args[0], args[1:], **attrs),
    "einsum": lambda args, attrs: np.einsum(attrs["subscripts"], *args),
    "scipy.linalg.cho_factor": lambda args, attrs: scipy.linalg.cho_factor(args[0], **attrs)[0],
    "scipy.linalg.cho_solve": lambda args, attrs: scipy.linalg.cho_solve(
        (args[0], attrs.get("lower", False)), args[1]
    ),
    "linalg.multi_dot": _joined(np.linalg.multi_dot),
    **{
        name: _joined(getattr(np, name))
        for name in ("concatenate", "stack", "vstack", "hstack", "dstack", "column_stack")
    },
}
