"""A text compiled once more, to find the code of each function in it.

Enters: a text and the future features of the running code.  Leaves: its tree, the code of each function, and
whether two codes are the same function.  Invariant: nothing is executed, trees that are shared are never
changed, and codes that `is_same` takes for one another do the same at run time.
"""

from __future__ import annotations
import __future__

import ast
import collections
import contextlib
import functools
import itertools
import threading
import types
import warnings
from collections.abc import Hashable, Iterator
from typing import NamedTuple, TypeAlias

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

_FUTURES = set(__future__.all_feature_names) - {"nested_scopes"}  # whose flag marks all nested functions
FUTURE_FLAGS = sum({getattr(__future__, name).compiler_flag for name in _FUTURES})
_PLAIN = (bool, int, str, bytes, types.NoneType, types.EllipsisType)
_SET_AFTER_COMPILATION = 0x100  # inspect.CO_ITERABLE_COROUTINE, set by `types.coroutine`
_FILE = "<symdiff>"
_LAMBDA = "<lambda>"
_filters = threading.Lock()


class Text(NamedTuple):
    """A text, and the future features it is compiled with besides its own."""

    text: str
    flags: int


def functions_in(tree: ast.Module, name: str, line: int | None) -> Iterator[FunctionNode]:
    """The function nodes of that name that start on `line` (None: anywhere)."""
    for statement in tree.body:
        if line is not None and not first_line(statement) <= line <= (statement.end_lineno or line):
            continue
        for node in ast.walk(statement):
            if not isinstance(node, FunctionNode) or getattr(node, "name", _LAMBDA) != name:
                continue
            if line is None or first_line(node) == line:
                yield node


@functools.lru_cache(maxsize=8)
def parsed(text: Text) -> tuple[ast.Module, tuple[str, ...]]:
    """The tree and the lines of a text; shared by all who ask for them, so the tree is never changed."""
    return _parse(text), tuple(text.text.removesuffix("\n").split("\n"))


@functools.lru_cache(maxsize=8)
def codes_in(text: Text, alone: bool) -> dict[tuple[str, int], types.CodeType]:
    """Code by name and first line; of a `finally`, which is compiled twice, either code will do."""
    codes = _compile(parsed(text)[0], text.flags, alone)
    return {(code.co_name, code.co_firstlineno): code for code in codes}


@functools.lru_cache(maxsize=8)
def codes_apart(text: Text, alone: bool, line: int | None) -> list[types.CodeType | None]:
    """The code of each lambda that starts on `line` (None: anywhere), in the order of `functions_in`.

    The tree is one of our own, to move lambdas in.  Those inside others get a turn of their own, because a
    lambda's code is what it would be in place only while all its parts are moved alike.
    """
    tree = _parse(text)
    nodes = list(functions_in(tree, _LAMBDA, line))
    codes: dict[FunctionNode, types.CodeType] = {}
    depths = collections.Counter(part for node in nodes for part in ast.walk(node))
    far = text.text.count("\n") + 2
    starts = itertools.count(far, far)
    for depth in sorted({depths[node] for node in nodes}):
        moved = {next(starts): node for node in nodes if depths[node] == depth}
        for start, node in moved.items():
            _move(node, start - node.lineno)
        for code in _compile(tree, text.flags, alone):  # outer ones first: the first is the lambda itself
            if code.co_name == _LAMBDA and code.co_firstlineno in moved:
                codes.setdefault(moved[code.co_firstlineno], code)
    return [codes.get(node) for node in nodes]


def _move(node: ast.AST, distance: int) -> None:
    """Move a node with all its parts down by so many lines."""
    for part in ast.walk(node):
        if isinstance(part, (ast.expr, ast.arg, ast.keyword)):
            part.lineno += distance
            part.end_lineno = (part.end_lineno or 0) + distance


def _parse(text: Text) -> ast.Module:
    with _quietly():
        tree: ast.Module = compile(
            text.text, _FILE, "exec", text.flags | ast.PyCF_ONLY_AST, dont_inherit=True
        )
        return tree


def _compile(tree: ast.Module, flags: int, alone: bool) -> list[types.CodeType]:
    """All code objects of a tree, or of its statements each for itself; each after those around it."""
    modules = [ast.Module([statement], []) for statement in tree.body] if alone else [tree]
    flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT  # as notebooks do; it changes only the outermost code
    with _quietly():
        outer = [compile(module, _FILE, "exec", flags, dont_inherit=True) for module in modules]
    return [code for module in outer for code in nested(module)]


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Without the warnings that the user saw when the code was first compiled.

    Their filters belong to the whole process: two threads must not save and restore them crosswise.
    """
    with _filters, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def nested(code: types.CodeType) -> Iterator[types.CodeType]:
    pending = [code]
    while pending:
        code = pending.pop()
        yield code
        pending += [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]


def is_same(a: types.CodeType, b: types.CodeType) -> bool:
    """The same function; nested qualified names may differ, for 3.12 merges lambdas that differ in them."""
    return a.co_qualname == b.co_qualname and a.co_code == b.co_code and _fingerprint(a) == _fingerprint(b)


def _fingerprint(value: object) -> Hashable:
    """A key that is equal for constants, code among them, exactly where they mean the same at run time.

    `==` will not do: it takes 1, 1.0 and True for one another, likewise 0.0 and -0.0, and no NaN for itself.
    """
    if isinstance(value, types.CodeType):
        flags = value.co_flags & ~_SET_AFTER_COMPILATION
        counts = (value.co_argcount, value.co_posonlyargcount, value.co_kwonlyargcount, flags)
        names = (value.co_name, value.co_names, value.co_varnames, value.co_freevars, value.co_cellvars)
        constants = tuple(map(_fingerprint, value.co_consts))
        # co_code is the code as compiled, whatever the interpreter or a tracer has since put in its place.
        return value.co_code, value.co_exceptiontable, counts, names, constants
    if type(value) is tuple:
        return tuple, tuple(map(_fingerprint, value))
    if type(value) is frozenset:
        return frozenset, frozenset(map(_fingerprint, value))
    if type(value) is slice:
        return slice, tuple(map(_fingerprint, (value.start, value.stop, value.step)))
    if type(value) is complex:
        return complex, repr(value.real), repr(value.imag)
    if type(value) is float:
        return float, repr(value)
    # A constant of another type was put there by hand: it equals nothing, and its `__eq__` is not called.
    return type(value), value if type(value) in _PLAIN else id(value)


def first_line(node: ast.stmt | ast.Lambda) -> int:
    """The line a code object calls its first: that of the first decorator, where there is one."""
    return next(iter(getattr(node, "decorator_list", [])), node).lineno
