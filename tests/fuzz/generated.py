"""What must hold of the text of every generated module.

Enters: source.  Leaves: sentences about what is wrong.  Generated functions are straight-line code with at
most one function inside, so one walk in the order of execution tells which values are never read.
"""

from __future__ import annotations

import ast
import builtins
import keyword
from collections.abc import Iterator

_TAKEN = {*dir(builtins), *keyword.kwlist, "np", "math"}
Event = tuple[str, str, int]


def problems(text: str) -> list[str]:
    tree = ast.parse(text)
    found = [f"line {i}: {line!r}" for i, line in enumerate(text.split("\n"), 1) if line != line.rstrip()]
    for function in tree.body:
        if isinstance(function, ast.FunctionDef):
            found += _in_function(function, set())
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [(alias.asname or alias.name).partition(".")[0] for alias in node.names]
            found += [f"{name} is imported and not used" for name in names if name not in used]
    return found


def _in_function(function: ast.FunctionDef, outer: set[str]) -> list[str]:
    found: list[str] = []
    parameters = {argument.arg for argument in _arguments(function.args)}
    found += [f"{name} is a parameter within and a name without" for name in parameters & outer]
    body = function.body
    if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    events: list[Event] = []
    late: list[Event] = []
    for statement in body:
        if isinstance(statement, ast.FunctionDef):
            events.append(("store", statement.name, statement.lineno))
            stored = {name for kind, name, _ in events if kind == "store"}
            found += _in_function(statement, parameters | stored)
            late += [("load", n.id, n.lineno) for n in ast.walk(statement) if isinstance(n, ast.Name)]
        else:
            events += _events(statement, found)
    events += late
    for position, (kind, name, line) in enumerate(events):
        if kind != "store":
            continue
        following = next((e[0] for e in events[position + 1 :] if e[1] == name), "nothing")
        if following != "load":
            found.append(f"line {line}: {name} is not read before {following}")
        if name in _TAKEN:
            found.append(f"line {line}: {name} shadows")
    return found


def _arguments(args: ast.arguments) -> Iterator[ast.arg]:
    yield from [*args.posonlyargs, *args.args, *args.kwonlyargs]
    yield from (one for one in (args.vararg, args.kwarg) if one is not None)


def _events(statement: ast.stmt, found: list[str]) -> Iterator[Event]:
    line = statement.lineno
    loads = [n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
    yield from (("load", name, line) for name in loads)
    if isinstance(statement, ast.Assign | ast.AugAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        for target in targets:
            for item in target.elts if isinstance(target, ast.Tuple) else [target]:
                if isinstance(item, ast.Name) and isinstance(statement, ast.AugAssign):
                    yield "load", item.id, line
                while isinstance(item, ast.Subscript | ast.Attribute):
                    item = item.value
                assert isinstance(item, ast.Name)
                yield "store", item.id, line
    elif isinstance(statement, ast.Delete):
        yield from (("del", target.id, line) for target in statement.targets if isinstance(target, ast.Name))
    elif isinstance(statement, ast.Expr):
        call = ast.unparse(statement.value)
        if call.startswith("np.add.at("):
            yield "store", ast.unparse(statement.value.args[0]), line
        else:
            found.append(f"line {line}: {call} does nothing")
    elif not isinstance(statement, ast.Return):
        found.append(f"line {line}: a {type(statement).__name__}")
