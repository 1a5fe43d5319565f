"""Which names may still be read: the liveness of a function's variables.

Enters: a function's `ast`.  Leaves: by statement the names that may be read after it, by loop those that may
be read when its next round begins.  Invariant: a name that is not in a set is set again before it is read, so
that what it holds there may be forgotten; where that is not certain (inside `try`, names of nested functions)
it is in the set.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from functools import lru_cache

from symdiff.frontend.targets import target_names
from symdiff.records import dataclass, field

Names = frozenset[str]
_NESTED = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef | ast.GeneratorExp
_OPAQUE = ast.Try | ast.TryStar | ast.ClassDef | ast.AsyncFor | ast.AsyncWith


@dataclass(eq=False, slots=True, repr=False)
class Live:
    """after: by id of a statement; None there means every name.  rounds: by id of a loop, the names that its
    body may read before setting them."""

    after: dict[int, Names] = field(default_factory=dict)
    rounds: dict[int, Names] = field(default_factory=dict)
    always: Names = frozenset()


@lru_cache(maxsize=256)
def live_names(function: ast.AST) -> Live:
    """The liveness of one function's own variables."""
    walk = _Walk(frozenset(_of_nested(function)))
    body = getattr(function, "body", None)
    if isinstance(body, list):
        walk.block(body, frozenset(), _Targets())
    return walk.live


def _of_nested(function: ast.AST) -> Iterator[str]:
    """The names that code which runs at another time may read or set."""
    for node in ast.walk(function):
        if isinstance(node, _NESTED) and node is not function:
            own = _parameters(node)
            names = (inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name))
            yield from (name for name in names if name not in own)
        if isinstance(node, ast.Global | ast.Nonlocal):
            yield from node.names


def _parameters(function: ast.AST) -> Names:
    """The names that mean a function's own arguments in it; its defaults are read where it is defined."""
    given = getattr(function, "args", None)
    if not isinstance(given, ast.arguments):
        return frozenset()
    several = [one for one in (given.vararg, given.kwarg) if one is not None]
    return frozenset(one.arg for one in [*given.posonlyargs, *given.args, *given.kwonlyargs, *several])


@dataclass(frozen=True, slots=True)
class _Targets:
    """The names live where `break` and `continue` go."""

    after: Names = frozenset()
    next: Names = frozenset()


def _read(*parts: ast.AST | None) -> Names:
    return frozenset(
        n.id for part in parts if part is not None for n in ast.walk(part) if isinstance(n, ast.Name)
        if not isinstance(n.ctx, ast.Store)
    )  # fmt: skip


def _set(*targets: ast.expr) -> Names:
    """The names that an assignment to these targets certainly sets."""
    found: Names = frozenset()
    for target in targets:
        if isinstance(target, ast.Name):
            found |= {target.id}
        elif isinstance(target, ast.Tuple | ast.List):
            found |= _set(*target.elts)
        elif isinstance(target, ast.Starred):
            found |= _set(target.value)
    return found


class _Walk:
    """Backwards through the statements."""

    def __init__(self, always: Names):
        self.live = Live(always=always)
        self.always = always

    def block(self, body: Sequence[ast.stmt], out: Names, targets: _Targets) -> Names:
        for statement in reversed(body):
            self.live.after[id(statement)] = out | self.always
            out = self.statement(statement, out, targets)
        return out

    def statement(self, node: ast.stmt, out: Names, targets: _Targets) -> Names:
        """The names live before a statement."""
        if isinstance(node, ast.Assign):
            return (out - _set(*node.targets)) | _read(node)
        if isinstance(node, ast.AnnAssign):
            return (out - _set(node.target) if node.value is not None else out) | _read(node)
        if isinstance(node, ast.FunctionDef):
            return (out - {node.name}) | _read(node)
        if isinstance(node, ast.AugAssign):
            return out | _read(node) | target_names(node.target)
        if isinstance(node, ast.Return | ast.Raise):
            return _read(node)
        if isinstance(node, ast.Break):
            return targets.after
        if isinstance(node, ast.Continue):
            return targets.next
        if isinstance(node, ast.If):
            branches = (self.block(body, out, targets) for body in (node.body, node.orelse))
            return _read(node.test).union(*branches)
        if isinstance(node, ast.For | ast.While):
            return self.loop(node, out, targets)
        if isinstance(node, ast.With):
            inside = self.block(node.body, out, targets)
            return out | inside | _read(*(item.context_expr for item in node.items))
        if isinstance(node, ast.Match):
            bodies = [self.block(case.body, out, targets) for case in node.cases]
            return (out | _read(node.subject)).union(*bodies, *(_read(case.pattern) for case in node.cases),
                                                     *(_read(case.guard) for case in node.cases))  # fmt: skip
        if isinstance(node, _OPAQUE):
            every = frozenset(inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name))
            return out | every | targets.after | targets.next
        return out | _read(node)

    def loop(self, node: ast.For | ast.While, out: Names, targets: _Targets) -> Names:
        """Round and round until nothing is added."""
        after = self.block(node.orelse, out, targets)
        head = after if isinstance(node, ast.For) else after | _read(node.test)
        bound = _set(node.target) if isinstance(node, ast.For) else frozenset()
        while True:
            inside = self.block(node.body, head, _Targets(out, head))
            if isinstance(node, ast.For):
                inside = (inside - bound) | _read(node.target)
            if inside <= head:
                break
            head |= inside
        read = inside if isinstance(node, ast.For) else inside | _read(node.test)
        self.live.rounds[id(node)] = read | self.always
        return head | _read(node.iter) if isinstance(node, ast.For) else head
