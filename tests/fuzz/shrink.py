"""Makes a failing program small.

Enters: a program and whether it still fails.  Leaves: a program that fails alike, from which no statement
can be removed, whose loops and branches are not needed more than that, and in which no expression can be
replaced by one of its parts.  Invariant: every step makes the text shorter.
"""

from __future__ import annotations

import ast
import copy
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

Edit = Callable[[Sequence[Any]], None]
_LISTS = ("elts", "args", "keywords", "comparators", "values", "keys", "generators", "ifs")


def shrunk(text: str, fails: Callable[[str], bool], seconds: float = 60.0) -> str:
    """The smallest text that was found in the time given."""
    end = time.monotonic() + seconds
    best = ast.unparse(ast.parse(text))
    if not fails(best):
        return text
    size = len(best) + 1
    while len(best) < size and time.monotonic() < end:
        size = len(best)
        for edits in (_statements, _compounds, _synonyms, _parameters, _expressions, _items, _numbers):
            best = _pass(best, edits, fails, end)
    return best


def _pass(
    best: str, edits: Callable[[ast.Module], Iterator[Edit]], fails: Callable[[str], bool], end: float
) -> str:
    """Every edit of one kind is tried once; after one that is kept the next in order follows."""
    position, found = 0, list(edits(ast.parse(best)))
    while position < len(found) and time.monotonic() < end:
        candidate = _edited(best, found[position])
        if candidate and len(candidate) < len(best) and fails(candidate):
            best, found = candidate, list(edits(ast.parse(candidate)))
        else:
            position += 1
    return best


def _edited(text: str, edit: Edit) -> str:
    tree = ast.parse(text)
    try:
        edit(list(ast.walk(tree)))
        text = ast.unparse(ast.fix_missing_locations(tree)) + "\n"
        ast.parse(text)
    except (ValueError, AttributeError, TypeError, SyntaxError, IndexError):
        return ""
    return text


# Statements


def _bodies(tree: ast.Module) -> Iterator[tuple[int, str, list[ast.stmt]]]:
    for number, node in enumerate(ast.walk(tree)):
        for name in ("body", "orelse"):
            if isinstance(body := getattr(node, name, None), list) and body:
                yield number, name, body


def _statements(tree: ast.Module) -> Iterator[Edit]:
    """Runs of statements removed, long ones first."""
    bodies = list(_bodies(tree))
    for length in (16, 8, 4, 2, 1):
        for number, name, body in bodies:
            if length <= len(body):
                for first in range(0, len(body) - length + 1, max(length // 2, 1)):
                    yield _without(number, name, first, length)


def _without(number: int, name: str, first: int, length: int) -> Edit:
    def edit(nodes: Sequence[Any]) -> None:
        body = getattr(nodes[number], name)
        del body[first : first + length]
        if not body and name == "body":
            body.append(ast.Pass())

    return edit


def _compounds(tree: ast.Module) -> Iterator[Edit]:
    """Compound statements replaced by what they would do: a loop by one iteration, a branch by its body."""
    for number, name, body in _bodies(tree):
        for position, statement in enumerate(body):
            if isinstance(statement, ast.For | ast.While | ast.If | ast.With):
                yield _replaced_by(number, name, position, "body")
                yield _replaced_by(number, name, position, "orelse")
            if isinstance(statement, ast.AugAssign):
                yield _plain_assignment(number, name, position)


def _replaced_by(number: int, name: str, position: int, part: str) -> Edit:
    def edit(nodes: Sequence[Any]) -> None:
        body = getattr(nodes[number], name)
        old = body[position]
        inside = list(getattr(old, part))
        if isinstance(old, ast.For) and part == "body":
            first = ast.Subscript(old.iter, ast.Constant(0), ast.Load())
            if isinstance(old.iter, ast.Call) and ast.unparse(old.iter.func) == "range":
                first = ast.Constant(0) if len(old.iter.args) == 1 else old.iter.args[0]  # type: ignore[assignment]
            inside.insert(0, ast.Assign([old.target], first))
        body[position : position + 1] = inside

    return edit


def _plain_assignment(number: int, name: str, position: int) -> Edit:
    def edit(nodes: Sequence[Any]) -> None:
        body = getattr(nodes[number], name)
        body[position] = ast.Assign([body[position].target], body[position].value)

    return edit


def _synonyms(tree: ast.Module) -> Iterator[Edit]:
    """`a = b` removed, and `a` called `b`."""
    for number, name, body in _bodies(tree):
        for position, statement in enumerate(body):
            match statement:
                case ast.Assign([ast.Name(old)], ast.Name(new)):
                    yield _renamed(number, name, position, old, new)


def _renamed(number: int, name: str, position: int, old: str, new: str) -> Edit:
    def edit(nodes: Sequence[Any]) -> None:
        _without(number, name, position, 1)(nodes)
        for node in nodes:
            if isinstance(node, ast.Name) and node.id == old:
                node.id = new

    return edit


def _parameters(tree: ast.Module) -> Iterator[Edit]:
    """A parameter of `f` less; one name of `WRT` alone."""
    function = next((n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "f"), None)
    for position in range(len(function.args.args) if function else 0):
        yield _without_parameter(position)
    for number, node in enumerate(ast.walk(tree)):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "WRT":
            for item in getattr(node.value, "elts", ()):
                yield _set(number, "value", item)


def _without_parameter(position: int) -> Edit:
    def edit(nodes: Sequence[Any]) -> None:
        functions = {node.name: node for node in nodes if isinstance(node, ast.FunctionDef)}
        name = functions["f"].args.args.pop(position).arg
        functions["arguments"].body[-1].value.elts.pop(position)
        for node in nodes:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "WRT":
                items = getattr(node.value, "elts", [])
                items[:] = [item for item in items if item.value != name]

    return edit


def _set(number: int, name: str, value: ast.AST) -> Edit:
    def edit(nodes: Sequence[Any]) -> None:
        setattr(nodes[number], name, copy.deepcopy(value))

    return edit


# Expressions


def _read(tree: ast.Module) -> Iterator[tuple[int, str, int | None, ast.expr]]:
    """Every expression that is read, with where it stands."""
    for number, parent in enumerate(ast.walk(tree)):
        for name, value in ast.iter_fields(parent):
            for position, item in enumerate(value if isinstance(value, list) else [value]):
                if isinstance(item, ast.expr) and not isinstance(getattr(item, "ctx", None), ast.Store):
                    yield number, name, position if isinstance(value, list) else None, item


def _expressions(tree: ast.Module) -> Iterator[Edit]:
    """Every expression replaced by each of its parts, or by a number."""
    for number, name, position, node in _read(tree):
        if isinstance(node, ast.Name | ast.Constant):
            continue
        parts = [child for child in ast.walk(node) if isinstance(child, ast.expr) and child is not node]
        for part in [*parts[:12], ast.Constant(1.0), ast.Constant(True)]:
            if not isinstance(part, ast.Slice):
                yield _put(number, name, position, part)


def _put(number: int, name: str, position: int | None, part: ast.expr) -> Edit:
    def edit(nodes: Sequence[Any]) -> None:
        if position is None:
            setattr(nodes[number], name, copy.deepcopy(part))
        else:
            getattr(nodes[number], name)[position] = copy.deepcopy(part)

    return edit


def _items(tree: ast.Module) -> Iterator[Edit]:
    """An item less in every call, container and comparison."""
    for number, node in enumerate(ast.walk(tree)):
        for name in _LISTS:
            items = getattr(node, name, None)
            for position in range(len(items) if isinstance(items, list) else 0):
                yield _without_item(number, name, position)
        for name in ("lower", "upper", "step", "value"):
            if isinstance(node, ast.Slice | ast.Return) and getattr(node, name, None) is not None:
                yield _set(number, name, ast.Constant(None)) if name == "value" else _cleared(number, name)


def _without_item(number: int, name: str, position: int) -> Edit:
    def edit(nodes: Sequence[Any]) -> None:
        getattr(nodes[number], name).pop(position)
        if isinstance(nodes[number], ast.Compare):
            nodes[number].ops.pop(position)
        if isinstance(nodes[number], ast.Dict):
            nodes[number].values.pop(position)

    return edit


def _cleared(number: int, name: str) -> Edit:
    def edit(nodes: Sequence[Any]) -> None:
        setattr(nodes[number], name, None)

    return edit


def _numbers(tree: ast.Module) -> Iterator[Edit]:
    """Smaller arrays, fewer iterations, shorter numbers."""
    for number, node in enumerate(ast.walk(tree)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "r.uniform":
            for text in ("np.array([0.3, 0.7])", "np.ones(2)", "np.ones((2, 2))", "0.5"):
                yield _become(number, text)
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, float | int)
            and node.value not in (0, 1)
        ):
            for value in (1, 2, 0.5):
                yield _set(number, "value", value)  # type: ignore[arg-type]


def _become(number: int, text: str) -> Edit:
    def edit(nodes: Sequence[Any]) -> None:
        value = ast.parse(text, mode="eval").body
        old = nodes[number]
        if isinstance(value, ast.Call):
            old.func, old.args, old.keywords = value.func, value.args, []
        else:
            old.func, old.args, old.keywords = ast.Name("float", ast.Load()), [value], []

    return edit
