"""Which names a piece of code binds: Python's own rule for what is local.

Enters: `ast` nodes.  Leaves: sets of names.  Invariant: nested functions and classes keep theirs.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache

from symdiff.records import dataclass

_SCOPES = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef
_COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Names:
    local: frozenset[str]
    globals: frozenset[str]
    nonlocals: frozenset[str]


@lru_cache(maxsize=1024)
def names_of(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> Names:
    """The names that are local to a function, and those it declares global or nonlocal."""
    args = function.args
    bound = {arg.arg for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs)}
    bound |= {arg.arg for arg in (args.vararg, args.kwarg) if arg is not None}
    outer: dict[type[ast.AST], set[str]] = {ast.Global: set(), ast.Nonlocal: set()}
    for part in function.body if isinstance(function.body, list) else [function.body]:
        bound |= assigned_names(part)
        for node in _own_nodes(part):
            if isinstance(node, ast.Global | ast.Nonlocal):
                outer[type(node)].update(node.names)
    declared = outer[ast.Global] | outer[ast.Nonlocal]
    return Names(frozenset(bound - declared), frozenset(outer[ast.Global]), frozenset(outer[ast.Nonlocal]))


@lru_cache(maxsize=1024)
def assigned_names(part: ast.AST) -> frozenset[str]:
    """The names that running this code may bind in its own scope."""
    return frozenset(name for node in _own_nodes(part) for name in _bound_by(node))


@lru_cache(maxsize=1024)
def rebound_names(part: ast.AST) -> frozenset[str]:
    """The names that running this code may bind by anything but an augmented assignment."""
    augmented = {id(node.target) for node in _own_nodes(part) if isinstance(node, ast.AugAssign)}
    own = (node for node in _own_nodes(part) if id(node) not in augmented)
    return frozenset(name for node in own for name in _bound_by(node))


def target_names(target: ast.AST) -> frozenset[str]:
    """The names in an assignment's target."""
    return frozenset(
        n.id for n in ast.walk(target) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    )


def _own_nodes(part: ast.AST) -> Iterator[ast.AST]:
    pending: list[tuple[ast.AST, bool]] = [(part, False)]
    while pending:
        node, hidden = pending.pop()
        if isinstance(node, ast.Name) and hidden:
            continue
        yield node
        if isinstance(node, _SCOPES):
            continue
        # Of a comprehension only walrus targets reach the scope around it.
        hidden = hidden or isinstance(node, _COMPREHENSIONS)
        for child in ast.iter_child_nodes(node):
            pending.append((child, hidden and not isinstance(node, ast.NamedExpr)))


def _bound_by(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Name):
        return [node.id] if isinstance(node.ctx, ast.Store | ast.Del) else []
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name.partition(".")[0] for alias in node.names]
    if isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
        return [node.name] if node.name else []
    if isinstance(node, ast.MatchMapping):
        return [node.rest] if node.rest else []
    return []
