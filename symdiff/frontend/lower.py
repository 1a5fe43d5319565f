"""From a Python function to the IR: the front end's one entry.

Enters: a function and the arguments of a call (or none).  Leaves: a `Lowered`: the primal program, its live
inputs from outside, and the guards it rests on.  Invariant: every problem of the function is in the one error
that is raised; nothing of the user's was run.
"""

from __future__ import annotations

import ast
import inspect
import math
import sys
import types as python_types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from symdiff.errors import (
    Problem,
    SymdiffError,
    UnsupportedError,
    UnsupportedFunctionError,
    UserError,
    WrtError,
)
from symdiff.frontend import (
    augmented,
    branches,
    calls,
    comprehensions,
    effects,
    expressions,
    folds,
    generators,
    looped,
    matching,
    repeats,
    statements,
    subscripts,
)
from symdiff.frontend.arguments import Described, Identity, Leaf, Place, SizeCounter, describe
from symdiff.frontend.captures import Capture, Guard, staged
from symdiff.frontend.frame import Context, Frame, Scope
from symdiff.frontend.functions import NOT_OUTLINED, first_argument, has_yield, owner_of, run
from symdiff.frontend.recursion import outlined
from symdiff.frontend.results import pack, with_outputs
from symdiff.frontend.source import source_of
from symdiff.frontend.targets import names_of
from symdiff.frontend.values import POISON, Missing, NeedCalls, NeedStatic, Raised, Silent
from symdiff.ir import types
from symdiff.ir.build import Builder
from symdiff.ir.calls import reached
from symdiff.ir.node import LEAF, Function, Node, Parameter, Tree
from symdiff.ir.tidy import tidy
from symdiff.records import dataclass

_HANDLERS = (
    augmented,
    branches,
    calls,
    comprehensions,
    effects,
    expressions,
    folds,
    generators,
    looped,
    matching,
    repeats,
    statements,
    subscripts,
)  # imported for what they register
_DEEP = 20_000
_KINDS = {
    inspect.Parameter.POSITIONAL_ONLY: "positional_only",
    inspect.Parameter.POSITIONAL_OR_KEYWORD: "positional",
    inspect.Parameter.KEYWORD_ONLY: "keyword_only",
    inspect.Parameter.VAR_POSITIONAL: "var_positional",
    inspect.Parameter.VAR_KEYWORD: "var_keyword",
}


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Lowered:
    """A function in the IR.

    captures: what is read from outside at each call, in the order of the parameters of kind "capture".
    guards: the compile-time values from outside that the program rests on.
    static: the int arguments whose value the program is special to.
    trees: the structure of each argument.
    written: the leaves of arguments that the function writes into.  contiguous: those that have to be
    C-contiguous, because on that rests whether a reshape of them is a view.
    origin: the user's function.
    """

    function: Function
    captures: tuple[Capture, ...]
    guards: tuple[Guard, ...]
    static: frozenset[Place]
    trees: dict[str, Tree]
    origin: python_types.FunctionType
    written: frozenset[Place] = frozenset()
    contiguous: frozenset[Place] = frozenset()

    @property
    def leaves(self) -> dict[str, list[Node]]:
        """The leaves of each argument, in the order of its tree."""
        found: dict[str, list[Node]] = {name: [] for name in self.trees}
        for param in self.function.params:
            if param.attr("parameter") in found:
                found[param.attr("parameter")].append(param)
        return found


def lower(
    function: python_types.FunctionType,
    bound: inspect.BoundArguments | None = None,
    static: frozenset[Place] = frozenset(),
    outputs: tuple[str, ...] = (),
    keep: tuple[str, ...] = (),
) -> Lowered:
    """The program of `function` for arguments of this structure, these dtypes and ranks.

    bound: the arguments of a call; None means arrays of which nothing is known.  static: int arguments whose
    value may be used while compiling; it grows where one has to be.  outputs: the parameters whose final
    contents are results beside the return value.  keep: local variables whose last values are further
    results.
    Raises SymdiffError with all problems of the function.
    """
    signature = inspect.signature(function, follow_wrapped=False)
    recursive: dict[Any, Exception] = {}
    while True:
        try:
            return _deeply(partial(_attempt, function, signature, bound, static, outputs, keep, recursive))
        except NeedCalls as need:
            recursive = {**recursive, need.key: need.error}
        except NeedStatic as need:
            if need.places <= static:
                raise AssertionError("specialisation does not end") from None
            static |= need.places


def _deeply(attempt: Callable[[], Lowered]) -> Lowered:
    """Once more with a deeper stack where the user's expressions are nested too deeply for Python's own."""
    try:
        return attempt()
    except RecursionError:
        limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _DEEP))
    try:
        return attempt()
    except RecursionError:
        raise UnsupportedError(
            "The function is nested too deeply.", "split its long expressions into statements"
        ) from None
    finally:
        sys.setrecursionlimit(limit)


def _attempt(
    function: python_types.FunctionType,
    signature: inspect.Signature,
    bound: inspect.BoundArguments | None,
    static: frozenset[Place],
    outputs: tuple[str, ...],
    keep: tuple[str, ...],
    recursive: Mapping[Any, Exception],
) -> Lowered:
    source = source_of(function)
    node = source.node
    if isinstance(node, ast.AsyncFunctionDef):
        raise UnsupportedError(
            "An `async` function cannot be differentiated.", "a plain `def`", span=source.span(node)
        )
    if has_yield(node):
        raise UnsupportedError(
            f"`{function.__name__}` is a generator function.", "return a list", span=source.span(node)
        )
    with Builder(sharing=False) as builder:
        names_ = set(signature.parameters)
        context = Context(builder, static, SizeCounter(), names=names_, recursive=recursive)
        builder.resolve, builder.immutable = context.heap.latest, context.heap.immutable
        names = names_of(node)
        scope = Scope({}, names.local, None, function, names.globals, names.nonlocals)
        params = _arguments(context, scope, signature, bound)
        frame = Frame(context, source, scope, function.__name__, owner_of(function))
        frame.first = first_argument(node, scope)
        try:
            value = outlined(frame, node) if recursive else NOT_OUTLINED
            value = run(frame, node) if value is NOT_OUTLINED else value
            results: list[Node] = []
            tree = LEAF
            if not context.problems and value is not POISON:
                arguments = dict(zip(signature.parameters, params, strict=True))
                value = with_outputs(value, outputs, arguments) if outputs else value
                kept = tuple(scope.names[name] for name in _kept(scope, keep))
                results, tree = pack((value, *kept) if keep else value)
        except SymdiffError as error:
            context.report(frame.locate(error, frame.returned or node))
        except Raised:
            context.report(UserError("The function raises an exception on every way.", "", source.span(node)))
        except Silent:
            pass
        if context.problems:
            raise _together(context, known=bound is not None)
        return _finished(function, signature, context, frame, params, results, tree)


def _kept(scope: Scope, keep: tuple[str, ...]) -> tuple[str, ...]:
    """The local variables to keep.  Raises WrtError for what is none at the end."""
    for name in keep:
        if name not in scope.names:
            raise WrtError(
                f"keep={name!r}: the function has no local variable of this name at its end.",
                f"one of {', '.join(scope.names)}",
            )
    return keep


def _together(context: Context, known: bool) -> SymdiffError:
    """One error for all problems, of the class that fits them all; known: the arguments of a call were."""
    kinds = [kind for _, kind in context.problems]
    shared = next(cls for cls in kinds[0].__mro__ if all(issubclass(kind, cls) for kind in kinds))
    order = sorted(
        (problem if known else _before_a_call(problem, kind) for problem, kind in context.problems),
        key=lambda p: (p.span.file, p.span.line, p.span.column) if p.span is not None else ("", 0, 0),
    )
    error: SymdiffError = shared(order)
    return error


def _before_a_call(problem: Problem, kind: type[SymdiffError]) -> Problem:
    """Where nothing is known of the arguments, knowing them may be all that is missing."""
    hint = "ask for the source with arguments: source_for(*args)"
    if issubclass(kind, UnsupportedFunctionError) or hint in problem.instead:
        return problem
    instead = f"{problem.instead}; or {hint}" if problem.instead else hint
    return replace(problem, instead=instead)


# Arguments


def _arguments(
    context: Context, scope: Scope, signature: inspect.Signature, bound: inspect.BoundArguments | None
) -> list[Any]:
    """Bind the parameters; the values in order of the signature."""
    if bound is not None:
        bound = inspect.BoundArguments(signature, bound.arguments.copy())
        bound.apply_defaults()
    values = []
    for name, parameter in signature.parameters.items():
        if bound is None:
            value, context.trees[name] = _unknown(context, parameter)
        else:
            described = describe(bound.arguments[name], (name, ()), context.static, context.sizes)
            value, context.trees[name] = staged(context, name, described), described.tree
            if parameter.kind is parameter.VAR_KEYWORD:
                context.foreign.pop(id(value), None)
                context.names.update(bound.arguments[name])  # what is read from outside goes by other names
        scope.names[name] = value
        values.append(value)
    return values


def _unknown(context: Context, parameter: inspect.Parameter) -> tuple[Any, Tree]:
    """A parameter before any call: an array, or its default where that is no array and no number."""
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        return Missing(f"The arguments in `{parameter.name}` are not known before a call."), Tree("static")
    default = parameter.default
    if default is not parameter.empty:
        described = describe(default, (parameter.name, ()), context.static)
        if not described.leaves and not isinstance(described.key, Identity):
            return staged(context, parameter.name, described), described.tree
    leaf = Leaf((), types.UNKNOWN, False)
    return staged(context, parameter.name, Described(None, LEAF, [leaf])), LEAF


# The finished program


def _finished(
    function: python_types.FunctionType,
    signature: inspect.Signature,
    context: Context,
    frame: Frame,
    values: list[Any],
    results: list[Node],
    tree: Any,
) -> Lowered:
    builder = context.builder
    captured = [capture.name for capture in context.inputs]
    params = list(context.params)
    order = {name: i for i, name in enumerate([*signature.parameters, *captured])}
    params.sort(key=lambda p: order[p.attr("parameter")])  # stable: the leaves of one keep their order
    for i, param in enumerate(params):
        builder.named(param, f"{param.attr('parameter')}_{i}")
    parameters = [
        *(
            Parameter(name, _KINDS[p.kind], _default(p), p.default is not p.empty and _default(p) is None)
            for name, p in signature.parameters.items()
        ),
        *(Parameter(name, "capture") for name in captured),
    ]
    place = frame.source.span(frame.source.node)
    lengths = tuple(
        (node.attr("parameter"), node.attr("path"), length)
        for node, length in context.lengths
        if node in params
    )
    finished = tidy(builder.finish(
        _name(function), params, results, tree, parameters, _summary(function),
        file=place.file, line=place.line, qualname=function.__qualname__, lengths=lengths,
    ))  # fmt: skip
    finished = replace(finished, functions=reached(finished, context.functions))
    own = frozenset(place for place in context.static if place[0] in signature.parameters)
    heap = context.heap
    return Lowered(
        finished,
        tuple(context.inputs),
        tuple(context.guards),
        own,
        context.trees,
        function,
        _places(heap.written),
        _places(heap.assumed),
    )


def _places(nodes: Iterable[Node]) -> frozenset[Place]:
    """The leaves of arguments among these nodes."""
    leaves = [node for node in nodes if node.op.name == "param" and node.attr("parameter") is not None]
    return frozenset((node.attr("parameter"), node.attr("path")) for node in leaves)


def _name(function: python_types.FunctionType) -> str:
    """The function's name as an identifier; lambdas have none."""
    return function.__name__ if function.__name__.isidentifier() else "function"


def _default(parameter: inspect.Parameter) -> str | None:
    """The source of a default that is a plain literal."""
    value = parameter.default
    if isinstance(value, str | bool | int) or value is None:
        return repr(value)
    return repr(value) if type(value) is float and math.isfinite(value) else None


def _summary(function: python_types.FunctionType) -> str:
    lines = (inspect.cleandoc(function.__doc__) if function.__doc__ else "").splitlines()
    return lines[0].strip() if lines else ""
