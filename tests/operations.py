"""Counts the NumPy operations that a function executes, at run time.

Enters: a function and its arguments.  Leaves: how many operations touched an array, and how many only
values without axes.  Invariant: a view costs nothing, and everything that reads or writes elements costs
one: a ufunc call or reduction, a product, a function such as `np.where`, a copy, a write through an
index.  A function that NumPy itself composes of ufuncs, such as `np.mean`, counts as these.  Arithmetic
of plain Python numbers, and functions of `math`, are not counted.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

VIEWS = {
    np.broadcast_to, np.expand_dims, np.moveaxis, np.ndim, np.ravel, np.reshape, np.shape, np.size,
    np.squeeze, np.swapaxes, np.transpose,
}  # fmt: skip
WHOLE = {np.zeros_like, np.ones_like, np.full_like, np.copy}


@dataclass
class Count:
    arrays: int = 0
    scalars: int = 0


_count = Count()


def operations(function: Callable[..., Any], *args: Any) -> Count:
    """The operations of one call; every number and array among the arguments is watched."""
    global _count
    watched = [_watched(arg) for arg in args]
    _count = Count()
    function(*watched)
    return _count


def _record(*values: Any) -> None:
    if any(np.ndim(value) for value in values):
        _count.arrays += 1
    else:
        _count.scalars += 1


class Watched(np.ndarray):
    """An array whose operations are counted; it stays one when NumPy would return a scalar."""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        outs = kwargs.get("out", ())
        if outs:
            kwargs["out"] = tuple(map(_plain, outs))
        result = getattr(ufunc, method)(*map(_plain, inputs), **kwargs)
        _record(*inputs, result)
        return outs[0] if len(outs) == 1 and outs[0] is not None else _watched(result)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if func in WHOLE:
            _record(*args)
            return _watched(func(*map(_plain, args), **kwargs))
        before = _count.arrays, _count.scalars
        result = super().__array_function__(func, types, args, kwargs)
        if func not in VIEWS and before == (_count.arrays, _count.scalars):
            _record(*(args[0] if isinstance(args[0], list | tuple) else args), result)
        return _watched(result)

    def __getitem__(self, index: Any) -> Any:
        if any(
            isinstance(part, np.ndarray | list) for part in (index if isinstance(index, tuple) else (index,))
        ):
            _count.arrays += 1
        return _watched(_plain(self)[index])

    def __setitem__(self, index: Any, value: Any) -> None:
        if _plain(self)[index] is not value and not _is_same(_plain(self)[index], value):
            _count.arrays += 1
        _plain(self)[index] = _plain(value)

    def copy(self, order: Any = "C") -> Any:
        _record(self)
        return _watched(_plain(self).copy(order))

    def astype(self, dtype: Any, **kwargs: Any) -> Any:
        _record(self)
        return _watched(_plain(self).astype(dtype, **kwargs))

    def dot(self, other: Any, out: None = None) -> Any:
        _record(self, other)
        return _watched(_plain(self).dot(_plain(other)))


def _is_same(place: Any, value: Any) -> bool:
    """Whether an augmented assignment writes a view back onto itself."""
    return (
        isinstance(place, np.ndarray)
        and isinstance(value, np.ndarray)
        and place.__array_interface__["data"] == value.__array_interface__["data"]
        and place.shape == value.shape
    )


def _plain(value: Any) -> Any:
    return value.view(np.ndarray) if isinstance(value, Watched) else value


def _watched(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _watched(child) for key, child in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(map(_watched, value))
    if isinstance(value, Watched) or not isinstance(value, np.ndarray | np.generic | float):
        return value
    return np.asarray(value).view(Watched)


def gradient_alone(value_and_grad: Callable[..., Any]) -> Callable[..., Any]:
    """A hand derivation without what only its value needs: straight-line code ending in `return value,
    gradient`."""
    source = textwrap.dedent(inspect.getsource(value_and_grad))
    tree = ast.parse(source)
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    *body, last = function.body
    assert isinstance(last, ast.Return)
    assert isinstance(last.value, ast.Tuple)
    last.value = last.value.elts[1]
    needed, kept = _reads(last), [last]
    for statement in reversed(body):
        if needed & _writes(statement):
            kept.append(statement)
            needed |= _reads(statement)
    function.body = kept[::-1]
    namespace = dict(vars(inspect.getmodule(value_and_grad)))
    exec(compile(tree, "<gradient alone>", "exec"), namespace)
    return namespace[function.name]


def _reads(statement: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}


def _writes(statement: ast.stmt) -> set[str]:
    """The variables that a statement assigns, augments, or writes into."""
    if isinstance(statement, ast.Expr):  # np.divide(1, x, out=x)
        assert isinstance(statement.value, ast.Call)
        keywords = [keyword.value for keyword in statement.value.keywords]
        return set().union(*map(_reads, keywords or statement.value.args[:1]))  # np.add.at(x, index, values)
    assert isinstance(statement, ast.Assign | ast.AugAssign)
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return set().union(*map(_target, targets))


def _target(target: ast.expr) -> set[str]:
    return _target(target.value) if isinstance(target, ast.Subscript) else _reads(target)
