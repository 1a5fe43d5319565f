"""Makes a failing program small.

Enters: a program and whether it still fails.  Leaves: a program that fails alike, from which no statement
can be removed and in which no expression can be replaced by one of its parts.
"""

from __future__ import annotations

import ast
import copy
import time
from collections.abc import Callable, Iterator


def shrunk(text: str, fails: Callable[[str], bool], seconds: float = 60.0) -> str:
    """The smallest text that was found in the time given."""
    end = time.monotonic() + seconds
    best = ast.unparse(ast.parse(text))
    if not fails(best):
        return text
    changed = True
    while changed and time.monotonic() < end:
        changed = False
        for candidate in _smaller(best):
            if time.monotonic() > end:
                break
            if len(candidate) < len(best) and fails(candidate):
                best, changed = candidate, True
                break
    return best


def _smaller(text: str) -> Iterator[str]:
    """The program with one thing less: large things first."""
    tree = ast.parse(text)
    yield from _without_statements(tree)
    yield from _with_parts(tree)


def _without_statements(tree: ast.Module) -> Iterator[str]:
    bodies = [node for node in ast.walk(tree) if isinstance(getattr(node, "body", None), list)]
    for number, node in enumerate(bodies):
        for position in range(len(node.body)):
            changed = copy.deepcopy(tree)
            body = [n for n in ast.walk(changed) if isinstance(getattr(n, "body", None), list)][number].body
            removed = body.pop(position)
            inner = getattr(removed, "body", None)
            if isinstance(inner, list) and isinstance(removed, ast.For | ast.If):
                yield _text(changed)
                body[position:position] = inner
            if body:
                yield _text(changed)


def _with_parts(tree: ast.Module) -> Iterator[str]:
    """Every expression replaced by each of its parts, every call and container with an item less."""
    total = sum(1 for _ in _expressions(tree))
    for number in range(total):
        node = _nth(tree, number)
        if isinstance(node, ast.Name | ast.Constant):
            continue
        parts = [child for child in ast.walk(node) if isinstance(child, ast.expr) and child is not node]
        for part in parts[:12]:
            yield _replaced(tree, number, part)
        yield _replaced(tree, number, ast.Constant(1.0))
        for name in ("elts", "args", "keywords"):
            for position in range(len(items) if isinstance(items := getattr(node, name, None), list) else 0):
                changed = copy.deepcopy(tree)
                getattr(_nth(changed, number), name).pop(position)
                yield _text(changed)


def _expressions(tree: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.expr]]:
    """Every expression that is read, with where it stands."""
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if isinstance(value, ast.expr) and not isinstance(getattr(value, "ctx", None), ast.Store):
                yield parent, name, None, value
            elif isinstance(value, list):
                for position, item in enumerate(value):
                    if isinstance(item, ast.expr) and not isinstance(getattr(item, "ctx", None), ast.Store):
                        yield parent, name, position, item


def _nth(tree: ast.AST, number: int) -> ast.expr:
    return next(found[3] for i, found in enumerate(_expressions(tree)) if i == number)


def _replaced(tree: ast.Module, number: int, part: ast.expr) -> str:
    changed = copy.deepcopy(tree)
    parent, name, position, _ = next(found for i, found in enumerate(_expressions(changed)) if i == number)
    if position is None:
        setattr(parent, name, copy.deepcopy(part))
    else:
        getattr(parent, name)[position] = copy.deepcopy(part)
    return _text(changed)


def _text(tree: ast.Module) -> str:
    try:
        return ast.unparse(ast.fix_missing_locations(tree)) + "\n"
    except (ValueError, AttributeError, TypeError):
        return "("
