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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

VIEWS = {
    np.broadcast_to, np.expand_dims, np.moveaxis, np.ndim, np.ravel, np.reshape, np.shape, np.size,
    np.squeeze, np.swapaxes, np.transpose,
}  # fmt: skip
CREATING = ("array", "empty", "eye", "full", "ones", "zeros")
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
    with _watched_from_the_start():
        function(*watched)
    return _count


@contextmanager
def _watched_from_the_start() -> Iterator[None]:
    """Arrays that the function makes of nothing are watched, too; `np.array` is an operation."""
    before = {name: getattr(np, name) for name in CREATING}

    def watching(name: str) -> Callable[..., Any]:
        def create(*args: Any, **kwargs: Any) -> Any:
            made = before[name](*args, **kwargs)
            if name == "array" and any(isinstance(part, Watched) for part in _parts(args[0])):
                _record(made)
            return _watched(made)

        return create

    try:
        for name in CREATING:
            setattr(np, name, watching(name))
        yield
    finally:
        for name, function in before.items():
            setattr(np, name, function)


def _parts(value: Any) -> list[Any]:
    return [part for one in value for part in _parts(one)] if isinstance(value, list | tuple) else [value]


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
    """A hand derivation without what only its value needs; it ends in `return value, gradient`."""
    source = textwrap.dedent(inspect.getsource(value_and_grad))
    tree = ast.parse(source)
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    *body, last = function.body
    assert isinstance(last, ast.Return)
    assert isinstance(last.value, ast.Tuple)
    last.value = last.value.elts[1]
    kept, _ = _needed(body, _reads(last))
    function.body = [*kept, last]
    namespace = dict(vars(inspect.getmodule(value_and_grad)))
    exec(compile(tree, "<gradient alone>", "exec"), namespace)
    return namespace[function.name]


def _needed(body: list[ast.stmt], needed: set[str]) -> tuple[list[ast.stmt], set[str]]:
    """The statements that compute what is needed behind them, and what is needed before them."""
    kept: list[ast.stmt] = []
    for statement in reversed(body):
        if isinstance(statement, ast.For | ast.While):
            found, before = _needed_of_loop(statement, needed)
        elif isinstance(statement, ast.If):
            found, before = _needed_of_branches(statement, needed)
        elif isinstance(statement, ast.Break) or needed & _writes(statement):
            found, before = statement, needed | _reads(statement)
        else:
            continue
        needed = before
        kept += [] if found is None else [found]
    return kept[::-1], needed


def _needed_of_loop(loop: ast.For | ast.While, needed: set[str]) -> tuple[ast.stmt | None, set[str]]:
    """The loop with what is needed behind it, or in the next iteration."""
    head = _reads(loop.iter) if isinstance(loop, ast.For) else _reads(loop.test)
    if not any(needed & _writes(inner) for inner in ast.walk(loop) if _is_simple(inner)):
        return None, needed
    while True:
        body, before = _needed(loop.body, needed | head)
        if before <= needed | head:
            break
        needed = needed | before
    fields = {name: value for name, value in ast.iter_fields(loop) if name != "body"}
    return ast.copy_location(type(loop)(**fields, body=body), loop), needed | head


def _needed_of_branches(branch: ast.If, needed: set[str]) -> tuple[ast.stmt | None, set[str]]:
    then, before_then = _needed(branch.body, needed)
    otherwise, before_otherwise = _needed(branch.orelse, needed)
    if not then and not otherwise:
        return None, needed
    made = ast.If(branch.test, then or [ast.Pass()], otherwise)
    ast.fix_missing_locations(ast.copy_location(made, branch))
    return made, before_then | before_otherwise | _reads(branch.test)


def _is_simple(node: ast.AST) -> bool:
    return isinstance(node, ast.Assign | ast.AugAssign | ast.Expr)


def _reads(statement: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}


def _writes(statement: ast.stmt) -> set[str]:
    """The variables that a statement assigns, augments, or writes into."""
    popped = _changed_lists(statement)
    if isinstance(statement, ast.Expr):
        assert isinstance(statement.value, ast.Call)
        if popped:
            return popped
        keywords = [keyword.value for keyword in statement.value.keywords]  # np.divide(1, x, out=x)
        return set().union(*map(_reads, keywords or statement.value.args[:1]))  # np.add.at(x, index, values)
    assert isinstance(statement, ast.Assign | ast.AugAssign)
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return popped.union(*map(_target, targets))


def _changed_lists(statement: ast.stmt) -> set[str]:
    """The lists that are appended to or popped from."""
    return {
        node.value.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Attribute)
        and node.attr in ("append", "pop")
        and isinstance(node.value, ast.Name)
    }


def _target(target: ast.expr) -> set[str]:
    return _target(target.value) if isinstance(target, ast.Subscript) else _reads(target)
