"""Functions that call themselves as long as a condition holds that only run time knows.

Enters: calls of such a function.  Leaves: `call` nodes, and for each form of the arguments one function of
the program.  Invariant: such a function writes into nothing that was there before the call, and does nothing
besides computing; all that it reads is an operand.

A form is all that is known of arguments while compiling: structure, kinds, dtypes, ranks, and which lengths
are equal.  The body is evaluated once more whenever it gave other results than were assumed of the calls in
it; at first these are assumed not to come back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from symdiff.errors import UnsupportedError
from symdiff.frontend.compiled import FunctionNode
from symdiff.frontend.forms import Form, code_of, form_of, params_of, replaced
from symdiff.frontend.frame import Context, Frame
from symdiff.frontend.functions import (
    NEEDED,
    NOT_OUTLINED,
    OUTLINED,
    first_argument,
    has_yield,
    run,
)
from symdiff.frontend.regions import differing, nodes_of, storages
from symdiff.frontend.results import pack
from symdiff.frontend.state import restore, taken
from symdiff.frontend.values import NeedCalls, NeedUnrolled, Raised, Silent
from symdiff.ir.build import Builder, current, fresh_name
from symdiff.ir.calls import CALL, encoded
from symdiff.ir.control import ITEM, captures
from symdiff.ir.copying import Known, copied
from symdiff.ir.liveness import has_effect
from symdiff.ir.node import LEAF, Function, Node, Parameter, Region, Tree
from symdiff.ir.tidy import tidy
from symdiff.ir.types import Size
from symdiff.ops.control import roots
from symdiff.ops.shaping import copy
from symdiff.records import dataclass

_ROUNDS = 6
_MOST_FORMS = 12
_SHARED = ("param", "const", "stack_item")  # what others have as well


@dataclass(eq=False, slots=True, repr=False)
class Definition:
    """A function of the program; results, tree, alone and captured are assumptions while it is being made.

    results: the types of its results, None where no call is known to come back.  alone: by result, whether
    its memory is its own.  scalars: whether it is a number, which nobody can write into.  captured: what it
    reads from outside, operands after those that it is given.
    """

    name: str
    results: tuple[Any, ...] | None = None
    tree: Tree = LEAF
    alone: tuple[bool, ...] = ()
    scalars: tuple[bool, ...] = ()
    captured: tuple[Node, ...] = ()
    done: bool = False

    def assumed(self) -> Any:
        return self.results, self.tree, self.alone, self.scalars, set(self.captured)


def needed(frame: Frame, node: FunctionNode, level: int, error: UnsupportedError) -> None:
    """Ask for a lowering in which calls of this form are calls."""
    found = form_of(frame, node, level)
    recursive = frame.context.recursive
    if found is None or has_yield(node) or found[0] in recursive or len(recursive) >= _MOST_FORMS:
        raise error
    raise NeedCalls(found[0], error)


def outlined(frame: Frame, node: FunctionNode) -> Any:
    """The results of a call, if it is one of those that are kept as calls."""
    context = frame.context
    code = code_of(frame, node)
    levels = sorted({key[1] for key in context.recursive if key[0] == code})
    forms = [found for level in levels if (found := form_of(frame, node, level)) is not None]
    found = next((one for one in forms if one[0] in context.recursive), None)
    if found is None:
        return NOT_OUTLINED
    key, form = found
    exact = key, tuple(map(id, form.scopes))
    definition = context.definitions.get(exact)
    if definition is None or (definition.done and not _stands(context, definition, form)):
        definition = _defined(frame, node, exact, form, context.recursive[key])
    return _called(context, definition, form.leaves)


def _stands(context: Context, definition: Definition, form: Form) -> bool:
    """Whether a function that was made for another call reads the same from outside in this one."""
    outside = all(one.op.name == "param" and one.attr("parameter") for one in definition.captured)
    return not form.scopes and outside and all(context.heap.latest(one) is one for one in definition.captured)


def _called(context: Context, definition: Definition, leaves: Sequence[Node]) -> Any:
    if definition.results is None:
        raise Raised
    operands = [*leaves, *definition.captured]
    made = CALL(*operands, function=definition.name, results=definition.results)
    count = len(definition.results)
    values = [made] if count == 1 else [ITEM(made, index=k) for k in range(count)]
    arrays = [one for one in (*operands, *values) if one.type.kind == "array"]
    for value, alone, scalar in zip(values, definition.alone, definition.scalars, strict=True):
        if value.type.kind == "array":
            layout = context.heap.layout
            (layout.scalars if scalar else layout.arrays).add(value)
        if value.type.kind == "array" and not scalar and not alone:
            others = [one for other in arrays if other is not value for one in storages(context, other)]
            context.heap.doubt(value, others)
    return _unpacked(definition.tree, iter(values))


def _unpacked(tree: Tree, values: Iterator[Node]) -> Any:
    if tree.kind == "leaf":
        return next(values)
    if tree.kind == "static":
        return tree.value
    return tuple([_unpacked(child, values) for child in tree.children])


# Definitions


def _defined(frame: Frame, node: FunctionNode, exact: Any, form: Form, error: UnsupportedError) -> Definition:
    """The function for a form: evaluated until its results are what was assumed of them."""
    context = frame.context
    context.keep.append(form)  # whose scopes are known by their ids
    taken_names = {*context.names, *context.functions, *(one.name for one in context.definitions.values())}
    base = frame.name if frame.name.isidentifier() else "function"
    definition = Definition(fresh_name(f"_{base.strip('_') or 'f'}", taken_names))
    definitions, functions = dict(context.definitions), dict(context.functions)
    try:
        for _ in range(_ROUNDS):
            context.definitions = {**definitions, exact: definition}
            context.functions = dict(functions)
            given = definition.assumed()
            made = _evaluated(frame, node, form, definition, error)
            if given == definition.assumed():
                context.functions[definition.name] = made
                definition.done = True
                return definition
        raise error
    finally:
        if not definition.done:
            context.definitions, context.functions = definitions, functions


def _evaluated(
    frame: Frame, node: FunctionNode, form: Form, definition: Definition, error: Exception
) -> Function:
    """Evaluate the body on parameters, and take what it gives into the definition."""
    context, builder, heap = frame.context, frame.context.builder, frame.context.heap
    span = builder.span
    with builder.apart():
        params = params_of(frame, form)
        scope = frame.scope
        given = iter(params)
        names = {name: replaced(value, given, context, form.level) for name, value in scope.names.items()}
        inner = replace(frame, scope=replace(scope, names=names), returned=None)
        inner.first = first_argument(node, inner.scope)
        before, lengths = taken(context, inner), len(context.lengths)
        try:
            with heap.pinning(params):
                value = run(inner, node)
                if context.problems:
                    raise Silent
                results, tree = pack(value)
                after = taken(context, inner, before)
        except Raised:
            raise error from None
        except NeedUnrolled as need:
            raise (error if need.params & set(params) else need) from None
        finally:
            builder.span = span
            body = builder.body
            del context.lengths[lengths:]
        region = Region(tuple(params), body, tuple(results))
        inside = nodes_of(region) - set(params)
        alone = _alone(context, results, inside)
        scalars = tuple(heap.layout.scalar(heap.storage(one)) is True for one in results)
        changed = [
            place
            for place in differing([before, after], before, [after], inside)
            if place.owner is not inner.scope
        ]
        restore(context, before)
        outside = [one for one in captures(region) if not one.is_const]
        plain = all(one.type.kind in ("array", "number") for one in (*outside, *results))
        if changed or any(map(has_effect, body)) or not plain or not results or not _is_plain(tree):
            raise error
        if definition.results is not None and tree != definition.tree:
            raise error
        kept = [*definition.captured, *(one for one in outside if one not in definition.captured)]
        types = _result_types(results, [*params, *kept])
        definition.results, definition.tree, definition.alone = types, tree, alone
        definition.scalars, definition.captured = scalars, tuple(kept)
        summary = f"Value of {frame.name}, which calls itself."
        return function_of(definition.name, summary, region, kept, builder)


def _is_plain(tree: Tree) -> bool:
    if tree.kind == "static":
        return tree.value is None or isinstance(tree.value, str)
    return tree.kind == "leaf" or (
        tree.kind == "tuple" and tree.value is tuple and all(map(_is_plain, tree.children))
    )


def _alone(context: Context, results: Sequence[Node], inside: set[Node]) -> tuple[bool, ...]:
    """Which results have memory that the evaluation made, and that no other has."""
    found = [set(storages(context, result)) for result in results]
    return tuple(
        mine <= inside and not any(mine & other for j, other in enumerate(found) if j != k)
        for k, mine in enumerate(found)
    )


def _result_types(results: Sequence[Node], operands: Sequence[Node]) -> tuple[Any, ...]:
    """The types of results as a call knows them: lengths are known, or those of an operand, or nobody's."""
    sizes = current().sizes
    known: dict[Any, Any] = {}
    for i, operand in enumerate(operands):
        for axis, dim in enumerate(sizes.resolve(operand.type.dims) or ()):
            known.setdefault(dim, ("like", i, axis))
    found = []
    for result in results:
        kind, dtype, _ = encoded(result.type)
        dims = sizes.resolve(result.type.dims)
        lengths: Any = dims and tuple(known.get(dim) if isinstance(dim, Size) else dim for dim in dims)
        found.append((kind, dtype, lengths))
    return tuple(found)


def function_of(
    name: str, summary: str, region: Region, captured: Sequence[Node], outer: Builder
) -> Function:
    """The region as a function: what it reads from outside are its last parameters."""
    with Builder(outer.sizes) as builder:
        known: Known = {}
        taken_names: set[str] = {name}
        params = []
        for old in (*region.params, *captured):
            wish = old.name if old.name and not old.name.startswith("_") else "value"
            called = fresh_name(wish, taken_names)
            taken_names.add(called)
            known[old] = builder.param(old.type, called, parameter=called, path=())
            params.append(known[old])
        builder.params = tuple(params)
        known.update({one: builder.const(one.value) for one in captures(region) if one.is_const})
        copied(region.body, known)
        results = [known.get(result, result) for result in region.results]
        results = _owned(results)
        tree = LEAF if len(results) == 1 else Tree("tuple", (LEAF,) * len(results))
        parameters = [Parameter(param.name) for param in params]
        return tidy(builder.finish(name, params, results, tree, parameters, summary, called=True))


def _owned(results: Sequence[Node]) -> list[Node]:
    """Results as they leave: arrays of the function's own."""
    found: list[Node] = []
    held: set[Node] = set()
    for result in results:
        mine = roots(result) if result.type.kind == "array" and result.type.dims != () else set()
        shared = any(
            one.op.name in _SHARED or (one.op is ITEM and one.args[0].op is not CALL) or one in held
            for one in mine
        )
        found.append(copy(result) if shared else result)
        held |= {found[-1]} | mine
    return found


OUTLINED.append(outlined)
NEEDED.append(needed)
