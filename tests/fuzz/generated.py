"""What must hold of the text of every generated module.

Enters: source.  Leaves: sentences about what is wrong: values that are never read, names that shadow, lines
that do nothing.  Invariant: a value counts as read where some path of control reads it, so nothing that is
needed is reported; a write through a name that may be a view of something else is never reported.
"""

from __future__ import annotations

import ast
import builtins
import keyword
from collections.abc import Iterator, Sequence

_TAKEN = {*dir(builtins), *keyword.kwlist, "np", "math"}
_WRITES = {"at", "copyto", "put", "place", "putmask", "fill_diagonal", "put_along_axis"}
_FRESH = {"zeros", "zeros_like", "empty", "empty_like", "ones", "ones_like", "full", "full_like", "copy"}


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
    parameters = {argument.arg for argument in _arguments(function.args)}
    found = [f"{name} is a parameter within and a name without" for name in sorted(parameters & outer)]
    inner = [node for node in _own(function) if isinstance(node, ast.FunctionDef)]
    stored = {name for node in _own(function) if (name := _stored(node))}
    for one in inner:
        found += _in_function(one, parameters | stored)
    found += [f"{name} shadows" for name in sorted((stored - parameters) & _TAKEN)]
    return found + _Reads(function, inner).problems()


def _arguments(args: ast.arguments) -> Iterator[ast.arg]:
    yield from [*args.posonlyargs, *args.args, *args.kwonlyargs]
    yield from (one for one in (args.vararg, args.kwarg) if one is not None)


def _own(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """The nodes of a function without those of functions in it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))


def _stored(node: ast.AST) -> str:
    if isinstance(node, ast.FunctionDef):
        return node.name
    return node.id if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else ""


def _loaded(*nodes: ast.AST | None) -> set[str]:
    names = [n for node in nodes if node is not None for n in ast.walk(node) if isinstance(n, ast.Name)]
    return {name.id for name in names if isinstance(name.ctx, ast.Load)}


def _root(node: ast.AST) -> str:
    """The name that a subscript, an attribute or a method call starts from."""
    while isinstance(node, ast.Subscript | ast.Attribute | ast.Starred | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


class _Reads:
    """Which names are read later, from the last statement to the first."""

    def __init__(self, function: ast.FunctionDef, inner: Sequence[ast.FunctionDef]):
        self.function = function
        self.late = set().union(*(_loaded(one) for one in inner))
        self.found: dict[str, None] = {}
        self.quiet = 0
        self.leaving: list[tuple[set[str], set[str]]] = []
        own = [node for node in _own(function) if isinstance(node, ast.Assign)]
        made = {t.id: n.value for n in own for t in n.targets if isinstance(t, ast.Name)}
        views = {t.id for n in own for t in n.targets if isinstance(t, ast.Name) and not _is_fresh(n.value)}
        aliased = {name for n in own for name in _loaded(n.value) if not _is_fresh(n.value)}
        self.private = set(made) - views - aliased

    def problems(self) -> list[str]:
        body = self.function.body
        if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
            body = body[1:]
        self.block(body, set())
        return list(self.found)

    def report(self, line: int, what: str) -> None:
        if not self.quiet:
            self.found[f"line {line}: {what}"] = None

    def block(self, body: Sequence[ast.stmt], live: set[str]) -> set[str]:
        """The names that are read from here on, given those that are read after."""
        for statement in reversed(body):
            live = self.statement(statement, set(live))
        return live

    def statement(self, node: ast.stmt, live: set[str]) -> set[str]:
        method = getattr(self, f"on_{type(node).__name__}", None)
        return method(node, live) if method else live | _loaded(node)

    def store(self, target: ast.AST, live: set[str]) -> set[str]:
        for item in target.elts if isinstance(target, ast.Tuple | ast.List) else [target]:
            if isinstance(item, ast.Tuple | ast.List):
                live = self.store(item, live)
            elif isinstance(item, ast.Name):
                if item.id not in live and item.id.strip("_"):
                    self.report(item.lineno, f"{item.id} is not read")
                live = live - {item.id}
            else:
                live = self.written(item, live)
        return live

    def written(self, item: ast.AST, live: set[str]) -> set[str]:
        """A write into something: it matters where that is read later, by whatever name."""
        root = _root(item)
        if root in self.private and root not in live:
            self.report(item.lineno, f"{root} is written and not read")  # type: ignore[attr-defined]
        return live | _loaded(item) | ({root} - {""})

    def on_Assign(self, node: ast.Assign, live: set[str]) -> set[str]:
        for target in node.targets:
            live = self.store(target, live)
        return live | _loaded(node.value)

    def on_AugAssign(self, node: ast.AugAssign, live: set[str]) -> set[str]:
        return self.written(node.target, live) | _loaded(node.value)

    def on_AnnAssign(self, node: ast.AnnAssign, live: set[str]) -> set[str]:
        return self.store(node.target, live) | _loaded(node.value)

    def on_Delete(self, node: ast.Delete, live: set[str]) -> set[str]:
        return live - {t.id for t in node.targets if isinstance(t, ast.Name)} | _loaded(node)

    def on_Return(self, node: ast.Return, live: set[str]) -> set[str]:
        return _loaded(node.value) | self.late

    def on_Raise(self, node: ast.Raise, live: set[str]) -> set[str]:
        return _loaded(node.exc)

    def on_Break(self, node: ast.Break, live: set[str]) -> set[str]:
        return set(self.leaving[-1][0])

    def on_Continue(self, node: ast.Continue, live: set[str]) -> set[str]:
        return set(self.leaving[-1][1])

    def on_FunctionDef(self, node: ast.FunctionDef, live: set[str]) -> set[str]:
        if node.name not in live:
            self.report(node.lineno, f"{node.name} is not read")
        return live - {node.name} | _loaded(node)

    def on_If(self, node: ast.If, live: set[str]) -> set[str]:
        return self.block(node.body, live) | self.block(node.orelse, live) | _loaded(node.test)

    def on_With(self, node: ast.With, live: set[str]) -> set[str]:
        return self.block(node.body, live) | _loaded(*(item.context_expr for item in node.items))

    def on_Try(self, node: ast.Try, live: set[str]) -> set[str]:
        live = self.block(node.finalbody, live)
        after = live.union(*(self.block(handler.body, live) for handler in node.handlers))
        return self.block(node.body, self.block(node.orelse, live)) | after

    def on_While(self, node: ast.While, live: set[str]) -> set[str]:
        return self.loop(node, live, _loaded(node.test), set())

    def on_For(self, node: ast.For, live: set[str]) -> set[str]:
        stored = {n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)}
        return self.loop(node, live, set(), stored) | _loaded(node.iter)

    def loop(self, node: ast.For | ast.While, live: set[str], test: set[str], stored: set[str]) -> set[str]:
        """Until nothing changes: what an iteration reads, the one before must keep."""
        after = self.block(node.orelse, live)
        head = after | test
        self.quiet += 1
        while True:
            again = head | (self.body(node, live, head) - stored)
            if again == head:
                break
            head = again
        self.quiet -= 1
        self.body(node, live, head)
        return head

    def body(self, node: ast.For | ast.While, live: set[str], head: set[str]) -> set[str]:
        self.leaving.append((live, head))
        result = self.block(node.body, head)
        self.leaving.pop()
        return result

    def on_Expr(self, node: ast.Expr, live: set[str]) -> set[str]:
        call = node.value
        if not isinstance(call, ast.Call):
            self.report(node.lineno, f"{ast.unparse(call)} does nothing")
            return live
        function = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if _root(call.func) == "np" and call.args:
            if function not in _WRITES and not any(option.arg == "out" for option in call.keywords):
                self.report(node.lineno, f"{ast.unparse(call)} does nothing")
            return self.written(call.args[0], live) | _loaded(call)
        return live | _loaded(call)


def _is_fresh(value: ast.AST) -> bool:
    """Whether an expression makes an array that nothing else refers to."""
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
        return value.func.attr in _FRESH
    return isinstance(value, ast.BinOp | ast.UnaryOp | ast.Constant | ast.List)
