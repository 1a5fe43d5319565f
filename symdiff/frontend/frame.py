"""The state of the evaluator, and how one step of it is taken.

Enters: `ast` nodes.  Leaves: values (staged or compile-time) and, of statements, where control goes next.
Invariant: every error that leaves `evaluate` has a span; every statement of a function is visited, so that
one report lists all problems.  The handlers of node classes register themselves in the two tables.
"""

from __future__ import annotations

import ast
import types as python_types
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal, TypeAlias

from symdiff.errors import Problem, Span, SymdiffError, UnsupportedError
from symdiff.frontend.arguments import Place, SizeCounter
from symdiff.frontend.heap import Heap
from symdiff.frontend.source import Source
from symdiff.frontend.targets import assigned_names
from symdiff.frontend.values import POISON, Missing, Raised, Silent
from symdiff.ir.build import Builder
from symdiff.ir.node import Function, Node, Tree
from symdiff.records import dataclass, field


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Return:
    value: Any


class Jump:
    """`break`, `continue`, or `raise`, from which control does not come back."""


BREAK, CONTINUE, RAISED = Jump(), Jump(), Jump()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Maybe:
    """Jumps that only run time decides on: of each kind False, or the node of a flag; at most one is set.

    value: what is returned where `returns` is set.
    """

    breaks: Node | Literal[False]
    continues: Node | Literal[False]
    returns: Node | Literal[False]
    value: Any


Flow: TypeAlias = Return | Jump | Maybe | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Consumed:
    """What a statement leaves that has run the rest of its block too."""

    flow: Flow


EXPRESSIONS: dict[type[ast.AST], Callable[[Frame, Any], Any]] = {}
STATEMENTS: dict[type[ast.AST], Callable[[Frame, Any], Flow | Consumed]] = {}


@dataclass(eq=False, slots=True, repr=False)
class Scope:
    """The names of one function call, or of one comprehension inside it."""

    names: dict[str, Any]
    local: frozenset[str]
    parent: Scope | None
    function: python_types.FunctionType  # whose globals and closure cells the outermost scope sees
    globals: frozenset[str] = frozenset()
    nonlocals: frozenset[str] = frozenset()
    comprehension: bool = False


@dataclass(eq=False, slots=True, repr=False)
class Context:
    """What one lowering shares: the program so far, the problems found, what was read from outside."""

    builder: Builder
    static: frozenset[Place]
    sizes: SizeCounter
    problems: list[tuple[Problem, type[SymdiffError]]] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    heap: Heap = field(default_factory=Heap)
    calls: int = 0
    sources: dict[python_types.CodeType, Source] = field(default_factory=dict)
    foreign: dict[int, Any] = field(default_factory=dict)  # containers of the user's that exist outside
    scalars: set[int] = field(default_factory=set)  # ids of parameters that are immutable scalars
    lengths: list[tuple[Node, int]] = field(default_factory=list)  # first axes that unpacking demands
    captures: dict[Any, Any] = field(default_factory=dict)
    inputs: list[Any] = field(default_factory=list)
    guards: list[Any] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    trees: dict[str, Tree] = field(default_factory=dict)  # of the arguments
    params: list[Node] = field(default_factory=list)  # the leaves of arguments and captures
    spans: dict[int, Span] = field(default_factory=dict)
    unclear: dict[int, Any] = field(default_factory=dict)  # containers that may be one of several
    recursive: Mapping[Any, Any] = field(default_factory=dict)  # by form of a call that is kept, its error
    definitions: dict[Any, Any] = field(default_factory=dict)  # what is called, see `recursion`
    functions: dict[str, Function] = field(default_factory=dict)
    keep: list[Any] = field(default_factory=list)
    splits: int = 0  # how often what follows a branch was put into both sides
    least: dict[Node, int] = field(default_factory=dict)  # what the counters of loops are at least

    def own(self, container: Any) -> None:
        """Remember that this container stands for one outside: it must not be changed."""
        self.foreign[id(container)] = container

    def check_own(self, container: Any) -> None:
        """Only containers made inside the function may be changed."""
        if id(container) in self.foreign:
            kind = type(container).__name__ if isinstance(container, list | dict | set) else "container"
            raise UnsupportedError(
                f"The function changes a {kind} that exists outside it.",
                "return the new values, or change a copy made inside the function",
            )
        if id(container) in self.unclear:
            raise UnsupportedError(
                "Only at run time is it known which container this is, and another name refers to it too.",
                "a copy of it before the branch or loop",
            )

    def report(self, error: SymdiffError) -> None:
        for problem in error.problems:
            if all(problem != known for known, _ in self.problems):
                self.problems.append((problem, type(error)))


@dataclass(eq=False, slots=True, repr=False)
class Frame:
    """One call that is being evaluated: of the function itself or of one it calls."""

    context: Context
    source: Source
    scope: Scope
    name: str
    owner: str = ""  # the class whose body the function stands in, for names like __this
    caller: Frame | None = None
    call: Span | None = None
    first: Any = None  # the first argument, for super()
    returned: ast.AST | None = None  # the `return` that was reached
    rest: Sequence[ast.stmt] = ()  # what follows the statement in its block
    form: Any = None  # of a recursive call: the structure of its arguments
    jumps: frozenset[str] = frozenset()  # the names that may be read where `break` and `continue` go

    def inner(self, scope: Scope) -> Frame:
        """The same call, in a scope inside."""
        return Frame(
            self.context, self.source, scope, self.name, self.owner, self.caller, self.call, self.first
        )

    def mangle(self, name: str) -> str:
        if self.owner and name.startswith("__") and not name.endswith("__"):
            return f"_{self.owner.lstrip('_')}{name}"
        return name

    def locate(self, error: SymdiffError, node: ast.AST) -> SymdiffError:
        """The error with a place for each problem that has none yet."""
        if all(problem.span is not None for problem in error.problems):
            return error
        span, trail = self.source.span(node), self.trail()
        return type(error)(
            [p if p.span is not None else Problem(p.what + trail, p.instead, span) for p in error.problems]
        )

    def trail(self) -> str:
        """How the evaluator came here, where it is not in the function itself."""
        if self.caller is None or self.call is None:
            return ""
        calls, frame = [], self
        while frame.caller is not None and frame.call is not None:
            called = f"`{frame.name}`, called in line {frame.call.line} of {frame.call.file}"
            if called not in calls:
                calls.append(called)
            frame = frame.caller
        shown = calls if len(calls) <= 6 else [*calls[:3], "...", *calls[-2:]]
        return f" (In {', '.join(shown)}.)"


def evaluate(frame: Frame, node: ast.expr) -> Any:
    """The value of an expression.  Raises SymdiffError with a span, or Silent."""
    try:
        handler = EXPRESSIONS.get(type(node))
        if handler is None:
            raise UnsupportedError(f"{_described(node)} cannot be differentiated.", _instead(node))
        value = handler(frame, node)
    except SymdiffError as error:
        raise frame.locate(error, node) from None
    if value is POISON:
        raise Silent
    if isinstance(value, Missing):
        raise frame.locate(UnsupportedError(value.what, value.instead), node)
    return value


def evaluate_all(frame: Frame, nodes: Sequence[ast.expr]) -> list[Any]:
    """The values of expressions that are all evaluated: the problems of each are reported."""
    values, failed = [], False
    for node in nodes:
        try:
            values.append(evaluate(frame, node))
        except SymdiffError as error:
            frame.context.report(error)
            failed = True
        except Silent:
            failed = True
    if failed:
        raise Silent
    return values


def execute(frame: Frame, body: Sequence[ast.stmt]) -> Flow:
    """Run statements; problems are reported and the names they should have set are poisoned."""
    for i, statement in enumerate(body):
        rest = body[i + 1 :]
        flow = _step(frame, statement, rest)
        if isinstance(flow, Consumed):
            return flow.flow
        if isinstance(flow, Maybe) and rest:
            return GUARDED[0](frame, flow, rest)
        if flow is not None:
            return flow
    return None


GUARDED: list[Callable[[Frame, Maybe, Sequence[ast.stmt]], Flow]] = []
"""Runs statements where no jump was made; `branches` says how."""


def _step(frame: Frame, statement: ast.stmt, rest: Sequence[ast.stmt]) -> Flow | Consumed:
    context = frame.context
    frame.rest = rest
    context.builder.span = statement_span(frame, statement)
    try:
        handler = STATEMENTS.get(type(statement))
        if handler is None:
            raise UnsupportedError(f"{_described(statement)} cannot be differentiated.", _instead(statement))
        return handler(frame, statement)
    except SymdiffError as error:
        context.report(frame.locate(error, statement))
    except Raised:
        return RAISED
    except Silent:
        pass
    if isinstance(statement, ast.Return):
        return Return(POISON)
    for name in assigned_names(statement):
        with suppress(SymdiffError):
            bind(frame.scope, frame.mangle(name), POISON)
    return None


def returned(flow: Flow) -> Any:
    """What a call gives whose body ended in this way."""
    if isinstance(flow, Return):
        return flow.value
    if isinstance(flow, Maybe) and flow.returns is not False and flow.value is not None:
        return Missing(
            "Only at run time is it known whether the function returns a value or comes to its end.",
            "a `return` with a value of the same kind at its end",
        )
    return None


def call(frame: Frame, function: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """Call any value; `calls` says how."""
    return CALL[0](frame, function, args, kwargs)


CALL: list[Callable[[Frame, Any, list[Any], dict[str, Any]], Any]] = []


def statement_span(frame: Frame, statement: ast.stmt) -> Span:
    """The place of a statement, with its text on one line; of a compound one the text of its head."""
    spans = frame.context.spans
    found = spans.get(id(statement))
    if found is None:
        head: ast.AST = statement
        for name in ("iter", "test", "subject"):
            head = getattr(statement, name, None) or head
        if isinstance(statement, ast.FunctionDef):
            head = statement.args
        found = spans[id(statement)] = span_with_text(frame, statement, head)
    return found


def span_with_text(frame: Frame, node: ast.AST, head: ast.AST) -> Span:
    place = frame.source.span(node)
    text = " ".join(frame.source.segment(head).split())
    return Span(place.file, place.line, place.column, place.end_line, place.end_column, text)


def bind(scope: Scope, name: str, value: Any) -> None:
    """Set a name where Python would."""
    while scope.comprehension and name not in scope.local and scope.parent is not None:
        scope = scope.parent
    if name in scope.globals:
        raise UnsupportedError(
            f"The function sets the global `{name}`.", "return the value instead and assign it outside"
        )
    if name in scope.nonlocals:
        owner = scope.parent
        while owner is not None and name not in owner.local:
            owner = owner.parent
        if owner is None:
            raise UnsupportedError(
                f"The function sets `{name}` of a function around it.", "return the value instead"
            )
        scope = owner
    scope.names[name] = value


def _instead(node: ast.AST) -> str:
    if isinstance(node, ast.Yield | ast.YieldFrom):
        return "`return` of all the values, in a list or a tuple"
    if isinstance(node, ast.ClassDef):
        return "a class defined outside the function"
    return "assignments, calls and expressions in a plain `def`"


def _described(node: ast.AST) -> str:
    named: dict[type[ast.AST], str] = {
        ast.Await: "`await`",
        ast.Yield: "`yield`",
        ast.YieldFrom: "`yield from`",
        ast.ClassDef: "A class defined inside the function",
        ast.Try: "`try`",
        ast.AsyncFor: "`async for`",
        ast.AsyncWith: "`async with`",
        ast.AsyncFunctionDef: "An `async` function",
    }
    return named.get(type(node), f"`{type(node).__name__}`")
