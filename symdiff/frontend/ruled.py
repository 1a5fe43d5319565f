"""Calls of functions whose derivative the user wrote: `symdiff.rule`.

Enters: the function, its rules and the arguments of a call.  Leaves: its value, whose arrays and numbers are
results of one `rule` node (see `ir.rules`).  Invariant: the function and its rules change nothing outside;
what a rule gives has the structure, the shapes and the kinds of numbers of what it is a derivative of, or the
error names the line of the rule.

A rule is evaluated at the place of the call, in a region of its own, as any function is.  One that calls its
own function is written out `_NESTED` times, one in the other: derivatives up to that order are there.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from symdiff import marks
from symdiff.errors import ShapeError, SymdiffError, UnsupportedError
from symdiff.frontend import arrays, builtin
from symdiff.frontend.arguments import fields_of
from symdiff.frontend.beside import Beside, has_derivative, leaves
from symdiff.frontend.captures import capture
from symdiff.frontend.frame import Context, Frame, call
from symdiff.frontend.functions import opened, run
from symdiff.frontend.library import shallow
from symdiff.frontend.regions import differing, doubt, nodes_of, storages
from symdiff.frontend.state import State, restore, taken
from symdiff.frontend.values import POISON, Ruled, Silent, has_staged
from symdiff.ir.build import OpenRegion
from symdiff.ir.calls import CALLS
from symdiff.ir.control import values_of
from symdiff.ir.node import Node
from symdiff.ir.rules import ruled
from symdiff.ops.effects import stop_gradient

_NESTED = 3
_KEYWORD = "keyword"


def _defined(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Ruled:
    """`symdiff.rule(function)`."""
    (function,) = args or kwargs.values()
    return Ruled(function)


builtin.HANDLERS[id(marks.rule)] = _defined
builtin.HANDLERS[id(Ruled.give)] = lambda frame, args, kwargs: Ruled.give(*args)


def call_decorated(frame: Frame, function: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """A call of what `symdiff.rule` made when the module was loaded."""
    found = {}
    for mode in marks.MODES:
        read: Callable[[], Any] = partial(function.rules.get, mode)
        found[mode] = capture(frame.context, (id(function), "rules", mode), mode, read)
    rules = {mode: one for mode, one in found.items() if one is not None}
    return call_ruled(frame, function.__wrapped__, rules, args, kwargs)


def call_ruled(
    frame: Frame, function: Any, rules: Mapping[str, Any], args: list[Any], kwargs: dict[str, Any]
) -> Any:
    """The value of a call, differentiated by rules alone."""
    context = frame.context
    span = context.builder.span
    one = _Call(frame, function, args, kwargs)
    value = one.value()
    kept = [leaf for leaf in dict.fromkeys(leaves(value)) if has_derivative(leaf)]
    operands = [leaf for leaf in leaves(one.arguments) if has_derivative(leaf)]
    if not kept or not operands:
        return value
    nested = any(_depth(context, rule) >= _NESTED for rule in rules.values())
    regions = {}
    for mode, rule in rules.items() if not nested else ():
        regions[mode] = _Rule(frame, mode, rule, one, value, kept).region()
    latest, inside = context.heap.latest, one.inside
    values, given = [*map(latest, kept)], [*map(latest, operands)]
    context.builder.span = span
    made = values_of(ruled(_name(function), values, given, regions, nested))
    layout = context.heap.layout
    layout.scalars.update(new for old, new in zip(kept, made, strict=True) if layout.scalar(old) is True)
    memory = [storages(context, leaf) for leaf in kept]
    doubt(context, made, [
        [shared for shared in mine if shared not in inside]
        + [k for k, others in enumerate(memory) if others is not mine and set(mine) & set(others)]
        for mine in memory
    ])  # fmt: skip
    return _with(value, dict(zip(kept, made, strict=True)))


def _name(function: Any) -> str:
    return str(getattr(function, "name", None) or getattr(function, "__name__", "function"))


def _depth(context: Context, function: Any) -> int:
    """In how many calls of a function this place is."""
    code = getattr(function, "__code__", None)
    return sum(
        1
        for frame in context.frames
        if (frame.scope.function.__code__ is code if code is not None else frame.source.node is function.node)
    )


class _Call:
    """A call with its arguments in the order of the parameters."""

    def __init__(self, frame: Frame, function: Any, args: list[Any], kwargs: dict[str, Any]):
        self.frame, self.function = frame, function
        inner, node = opened(frame, function, args, kwargs)
        self.parameters = _parameters(node.args)
        self.arguments = [inner.scope.names[inner.mangle(name)] for name, _ in self.parameters]
        self.inside: set[Node] = set()

    def value(self) -> Any:
        """What the function gives for arguments that are constants to derivatives."""
        builder = self.frame.context.builder
        before, first = taken(self.frame.context, self.frame), len(builder.body)
        args, kwargs = self.passed([_held(self.frame.context, one) for one in self.arguments])
        value = call(self.frame, self.function, args, kwargs)
        for node in builder.body[first:]:
            self.inside |= {node, *nodes_of(*node.regions)}
        _check_unchanged(self.frame, before, self.inside, _name(self.function))
        return value

    def passed(self, values: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
        """Values of the parameters as a call takes them."""
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        for (name, kind), value in zip(self.parameters, values, strict=True):
            if kind == "*":
                args += value
            elif kind == "**":
                kwargs |= value
            elif kind == _KEYWORD:
                kwargs[name] = value
            else:
                args.append(value)
        return args, kwargs


def _parameters(spec: ast.arguments) -> list[tuple[str, str]]:
    found = [(one.arg, "") for one in (*spec.posonlyargs, *spec.args)]
    found += [(spec.vararg.arg, "*")] if spec.vararg is not None else []
    found += [(one.arg, _KEYWORD) for one in spec.kwonlyargs]
    return found + ([(spec.kwarg.arg, "**")] if spec.kwarg is not None else [])


def _held(context: Context, value: Any) -> Any:
    """A value as a constant to derivatives; what it is a part of cannot be changed."""
    if isinstance(value, Node):
        return arrays.apply(stop_gradient, [value]) if has_derivative(value) else value
    if not has_staged(value):
        return value
    made = shallow(value, lambda one: _held(context, one))
    if isinstance(made, list | dict) or fields_of(made) is not None:
        context.own(made)
    return made


def _check_unchanged(frame: Frame, before: State, inside: set[Node], name: str) -> None:
    states = [before, taken(frame.context, frame, before)]
    if any(True for _ in differing(states, states[0], states[1:], inside)):
        raise UnsupportedError(
            f"`{name}`, which has a rule or is one, changes something outside it.",
            "a function that returns new values",
        )


class _Rule:
    """One rule, evaluated for one call."""

    def __init__(self, frame: Frame, mode: str, function: Any, call: _Call, value: Any, kept: Sequence[Node]):
        self.frame, self.mode, self.function = frame, mode, function
        self.call, self.value, self.kept = call, value, kept
        self.inputs = kept if mode == "vjp" else [x for x in leaves(call.arguments) if has_derivative(x)]

    def region(self) -> tuple[OpenRegion, tuple[int, ...]]:
        """The region, and of which operands (values) it gives a derivative."""
        context, builder = self.frame.context, self.frame.context.builder
        before, span = taken(context, self.frame), builder.span
        types = [leaf.type for leaf in (*self.inputs, *self.kept)]
        with builder.region(*types) as region:
            context.heap.layout.scalars.update(one for one in region.params if one.type.dims == ())
            given, values = region.params[: len(self.inputs)], region.params[len(self.inputs) :]
            found = self.given(given, values)
            region.results = [context.heap.latest(one) for one in found.values()]
        builder.span = span
        inside = nodes_of(region.closed())
        _check_unchanged(self.frame, before, inside, _name(self.function))
        restore(context, before)
        if any(node.op.effect or not (node.op.pure or node.op.name in CALLS) for node in inside):
            raise UnsupportedError(
                f"The rule `{_name(self.function)}` draws random numbers, prints or raises.",
                "a rule that only computes",
            )
        return region, tuple(found)

    def given(self, given: Sequence[Node], values: Sequence[Node]) -> dict[int, Node]:
        """What the rule gives, by number of the operand (of the value)."""
        value = _with(self.value, dict(zip(self.kept, values, strict=True)))
        if self.mode == "vjp":
            first = _derivative(self.value, iter(given), dict(zip(self.kept, given, strict=True)))
        else:
            rest = iter(given)
            first = tuple([_derivative(one, rest) for one in self.call.arguments])
            first = first[0] if len(first) == 1 else first
        args, kwargs = self.call.passed(self.call.arguments)
        inner, node = opened(self.frame, self.function, [first, value, *args], kwargs)
        found = run(inner, node)
        if found is POISON:
            raise Silent
        try:
            return self.checked(found)
        except SymdiffError as error:
            body = node.body if isinstance(node, ast.Lambda) else None
            raise inner.locate(error, inner.returned or body or node) from None

    def checked(self, found: Any) -> dict[int, Node]:
        """What was returned, beside what it belongs to."""
        check = Beside(_name(self.function))
        if self.mode == "jvp":
            check.visit(self.value, found, "the value")
            whole = {leaf: check.parts[k] for k, leaf in enumerate(check.leaves)}
            return {k: whole[leaf] for k, leaf in enumerate(self.kept) if whole.get(leaf) is not None}  # type: ignore[misc]
        names = [name for name, _ in self.call.parameters]
        if len(names) == 1 and not (isinstance(found, tuple) and len(found) == 1):
            found = (found,)
        if found is None:
            found = (None,) * len(names)
        if not isinstance(found, tuple | list) or len(found) != len(names):
            shown = f"{len(found)} values" if isinstance(found, tuple | list) else "one value"
            raise ShapeError(
                f"The rule `{check.name}` returns {shown} for {len(names)} arguments: {', '.join(names)}.",
                "one cotangent for each argument, None where there is no derivative",
            )
        for name, argument, part in zip(names, self.call.arguments, found, strict=True):
            check.visit(argument, part, f"`{name}`")
        return {k: part for k, part in enumerate(check.parts) if part is not None}


def _with(value: Any, known: Mapping[Node, Node]) -> Any:
    """A value with other leaves, in containers of its own."""
    if isinstance(value, Node):
        return known.get(value, value)
    return shallow(value, lambda one: _with(one, known)) if has_staged(value) else value


def _derivative(value: Any, leaves: Iterator[Node], known: Mapping[Node, Node] | None = None) -> Any:
    """Cotangents or tangents in the structure of a value: None where there is no derivative, and a zero
    tangent of a number that is a constant."""
    if isinstance(value, Node):
        if not has_derivative(value):
            return None
        return known[value] if known is not None else next(leaves)
    if has_staged(value):
        return shallow(value, lambda one: _derivative(one, leaves, known))
    return 0.0 if known is None and type(value) in (int, float, complex) else None
