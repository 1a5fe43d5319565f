"""Built-in functions that go through an iterable, where that is a loop at run time: `sum`, `any`, `all`,
`max`, `min` and `list`.

Enters: evaluated arguments.  Leaves: results.  Invariant: the items are combined in Python's order, and no
further than Python would go.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from symdiff.frontend import arrays, builtin, operators
from symdiff.frontend.branches import run_if, staged_truth
from symdiff.frontend.comprehensions import loop_over
from symdiff.frontend.frame import BREAK, Flow, Frame, Scope
from symdiff.frontend.iterators import Handler
from symdiff.frontend.lists import append, rows_of
from symdiff.frontend.once import spend
from symdiff.frontend.rolled import is_rolled, item_of, length_of
from symdiff.frontend.unpacking import iterate
from symdiff.frontend.values import Lazily, Rolled, StagedList
from symdiff.ir.node import Node
from symdiff.ops.row import REGISTRY

Step = Callable[[Frame, Any], Flow]
_TOTAL = ".total"  # the name of what is accumulated; no variable of the user's has it


def runs(value: Any) -> bool:
    """Whether to go through this is a loop at run time."""
    return isinstance(value, Lazily | StagedList) or (is_rolled(value) and not isinstance(value, range))


def _folded(frame: Frame, value: Any, initial: Any, step: Step) -> Any:
    """What is left of `initial` when every item was taken in."""
    frame = value.frame if isinstance(value, Lazily) else frame
    scope = Scope(
        {_TOTAL: initial}, frozenset([_TOTAL]), frame.scope, frame.scope.function, comprehension=True
    )
    inner = frame.inner(scope)
    if isinstance(value, Lazily):
        value.within(inner, step)
    else:
        loop_over(inner, value, lambda one: step(inner, one), [])
    return inner.scope.names[_TOTAL]


def _owner(frame: Frame) -> Scope:
    """The scope that holds the total."""
    scope: Scope | None = frame.scope
    while scope is not None and _TOTAL not in scope.names:
        scope = scope.parent
    assert scope is not None
    return scope


def _sum(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if not runs(args[0]):
        return _PLAIN[sum](frame, args, kwargs)

    def step(inner: Frame, value: Any) -> None:
        names = _owner(inner).names
        names[_TOTAL] = operators.binary(inner, ast.Add, names[_TOTAL], value)

    return _folded(frame, args[0], kwargs.get("start", args[1] if len(args) > 1 else 0), step)


def _truths(function: Any) -> Handler:
    conjunction = function is all

    def handle(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if not runs(args[0]):
            return _over_known(frame, iterate(frame, args[0]), conjunction)

        def step(inner: Frame, value: Any) -> Flow:
            known = staged_truth(inner, value)
            if isinstance(known, bool):
                return found(inner) if known is not conjunction else None
            sides = (lambda: None), (lambda: found(inner))
            then, otherwise = sides if conjunction else reversed(sides)
            return run_if(inner, known, then, otherwise, (), lambda moved: None)[0]

        def found(inner: Frame) -> Flow:
            _owner(inner).names[_TOTAL] = not conjunction
            return BREAK

        return _folded(frame, args[0], conjunction, step)

    return handle


def _over_known(frame: Frame, values: list[Any], conjunction: bool) -> Any:
    """`all` or `any` of a known number of values."""
    result: Any = conjunction
    for value in values:
        known = staged_truth(frame, value)
        if isinstance(known, bool):
            if known is not conjunction:
                return known if isinstance(result, bool) else _combined(result, known, conjunction)
            continue
        known = arrays.apply(REGISTRY["bool"], [known])
        result = known if isinstance(result, bool) else _combined(result, known, conjunction)
    return result


def _combined(a: Any, b: Any, conjunction: bool) -> Any:
    return arrays.apply(REGISTRY["bitwise_and" if conjunction else "bitwise_or"], [a, arrays.operand(b)])


def _extremum(function: Any) -> Handler:
    row = REGISTRY[f"builtins.{function.__name__}"]

    def handle(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if len(args) != 1 or not runs(args[0]) or kwargs:
            return _PLAIN[function](frame, args, kwargs)
        values = args[0].listed() if isinstance(args[0], Lazily) else args[0]
        if not isinstance(values, StagedList | Rolled | Node) or isinstance(length_of(values), int):
            return _PLAIN[function](frame, [values], kwargs)
        spend(values)
        scope = Scope(
            {_TOTAL: item_of(frame, values, 0)}, frozenset([_TOTAL]), frame.scope, frame.scope.function,
            comprehension=True,
        )  # fmt: skip
        inner = frame.inner(scope)

        def step(i: Any) -> None:
            total = inner.scope.names[_TOTAL]
            operands = [arrays.operand(total), arrays.operand(item_of(inner, values, i))]
            inner.scope.names[_TOTAL] = arrays.apply(row, operands)

        loop_over(inner, Rolled("range", (1, length_of(values), 1)), step, [])
        return inner.scope.names[_TOTAL]

    return handle


def _list(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if not args or not runs(args[0]):
        return _PLAIN[list](frame, args, kwargs)
    value = args[0]
    if isinstance(value, StagedList):
        return StagedList(value.stack)
    if isinstance(value, Lazily):
        return value.listed()
    if isinstance(length_of(value), int):
        return _PLAIN[list](frame, args, kwargs)
    if isinstance(value, Node) and value.type.rank is None:
        raise arrays.unknown_rank(value)
    if isinstance(value, Node):
        return rows_of(frame.context, value)
    return collected(frame, value)


def collected(frame: Frame, value: Any) -> Any:
    """The list of all items, one after the other."""

    def step(inner: Frame, one: Any) -> None:
        found = _owner(inner).names[_TOTAL]
        if isinstance(found, StagedList):
            append(inner.context, found, one)
        else:
            found.append(one)

    return _folded(frame, value, [], step)


_PLAIN = {function: builtin.HANDLERS[id(function)] for function in (sum, max, min, list)}
builtin.HANDLERS.update(
    {
        id(sum): _sum, id(any): _truths(any), id(all): _truths(all), id(max): _extremum(max),
        id(min): _extremum(min), id(list): _list,
    }
)  # fmt: skip
