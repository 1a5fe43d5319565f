"""Comprehensions and generator expressions.

Enters: their `ast`.  Leaves: lists, sets and dicts; of a generator expression over what is looped over at run
time a `Lazily`, which runs when its items are asked for.  Invariant: the first iterable is evaluated outside,
all else in a scope of its own; what a kept loop collects is a staged list.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from symdiff.errors import UnsupportedError
from symdiff.frontend.branches import run_if, test_of
from symdiff.frontend.carried import Loop
from symdiff.frontend.expressions import check_keys
from symdiff.frontend.frame import EXPRESSIONS, Flow, Frame, Maybe, Scope, evaluate
from symdiff.frontend.iterators import prepared
from symdiff.frontend.lists import append
from symdiff.frontend.once import fresh, spend
from symdiff.frontend.operators import compute
from symdiff.frontend.repeats import kept, written_out
from symdiff.frontend.rolled import counted, is_rolled
from symdiff.frontend.state import ABSENT
from symdiff.frontend.statements import assign
from symdiff.frontend.targets import assigned_names, target_names
from symdiff.frontend.unpacking import MOST, iterate, iterated
from symdiff.frontend.values import Lazily, StagedList
from symdiff.ir.node import Node

Step = Callable[[Frame, Any], Flow]
_FOUND = ".found"  # the name of what a comprehension collects; no variable of the user's has it
_FEW = 100  # items that a list has one by one where their number is known
_Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp


def _listed(frame: Frame, node: _Comprehension, first: Any) -> Any:
    """All items, in a list."""

    def add(inner: Frame, value: Any) -> None:
        found = inner.scope.names[_FOUND]
        if isinstance(found, StagedList):
            append(inner.context, found, value)
        else:
            found.append(value)

    inner = _inside(frame, node.generators)
    inner.scope.names[_FOUND] = []
    most = MOST if isinstance(node, ast.SetComp) else _FEW
    _rounds(inner, node.generators, first, lambda one: add(one, evaluate(one, node.elt)), most)
    return inner.scope.names[_FOUND]


def _list(frame: Frame, node: ast.ListComp) -> Any:
    return _listed(frame, node, evaluate(frame, node.generators[0].iter))


def _set(frame: Frame, node: ast.SetComp) -> Any:
    found = _listed(frame, node, evaluate(frame, node.generators[0].iter))
    if isinstance(found, StagedList):
        raise UnsupportedError("A set of values that are known only at run time.", "a list")
    check_keys(found)
    return compute(set, found)


def _generator(frame: Frame, node: ast.GeneratorExp) -> Any:
    first = evaluate(frame, node.generators[0].iter)
    if not is_rolled(first) and not isinstance(first, Lazily):
        start = len(frame.context.builder.body)
        items = _listed(frame, node, first)
        return prepared(frame, items, start, node) if isinstance(items, list) else items

    def within(outer: Frame, step: Step) -> Flow:
        spend(found)
        inner = _inside(outer, node.generators)
        return _rounds(inner, node.generators, first, lambda one: step(one, evaluate(one, node.elt)), 0)

    def listed() -> Any:
        spend(found)
        return _listed(frame, node, first)

    found = Lazily(frame, within, listed, fresh())
    return found


def _dict(frame: Frame, node: ast.DictComp) -> dict[Any, Any]:
    def add(inner: Frame) -> None:
        key = evaluate(inner, node.key)
        check_keys([key])
        compute(inner.scope.names[_FOUND].__setitem__, key, evaluate(inner, node.value))

    inner = _inside(frame, node.generators)
    inner.scope.names[_FOUND] = {}
    _rounds(inner, node.generators, evaluate(frame, node.generators[0].iter), add, MOST)
    found: dict[Any, Any] = inner.scope.names[_FOUND]
    return found


def _inside(frame: Frame, generators: list[ast.comprehension]) -> Frame:
    """The scope of a comprehension."""
    names = frozenset[str]().union(*(target_names(generator.target) for generator in generators))
    scope = Scope({}, names | {_FOUND}, frame.scope, frame.scope.function, comprehension=True)
    return frame.inner(scope)


def _rounds(
    inner: Frame,
    generators: list[ast.comprehension],
    first: Any,
    emit: Callable[[Frame], Flow],
    most: int,
    depth: int = 0,
) -> Flow:
    """Run `emit` for every round; it may leave all loops by `BREAK`.

    most: up to how many rounds whose number is known are written out, so that the items stay apart.
    """
    if depth == len(generators):
        return emit(inner)
    generator = generators[depth]
    if generator.is_async:
        raise UnsupportedError("`async for` cannot be differentiated.")
    iterable = evaluate(inner, generator.iter) if depth else first

    def one(value: Any) -> Flow:
        assign(inner, generator.target, value)
        return _tested(inner, generator.ifs, lambda: _rounds(inner, generators, None, emit, most, depth + 1))

    if isinstance(iterable, Lazily):
        return iterable.within(inner, lambda _, value: one(value))
    if is_rolled(iterable):
        known = counted(inner, iterable).known
        if known is not None and len(known) <= most:
            return written_out(inner, iterate(inner, iterable), one)
    return loop_over(inner, iterable, one, [generator.target, *generator.ifs])


def _tested(inner: Frame, tests: list[ast.expr], run: Callable[[], Flow]) -> Flow:
    if not tests:
        return run()
    known = test_of(inner, tests[0])
    if isinstance(known, bool):
        return _tested(inner, tests[1:], run) if known else None
    return run_if(inner, known, lambda: _tested(inner, tests[1:], run), lambda: None, (), lambda moved: None)[
        0
    ]


def loop_over(frame: Frame, iterable: Any, one: Callable[[Any], Flow], parts: list[ast.expr]) -> Flow:
    """Evaluate something for every item; `parts` are the expressions in it that set names.

    A round may leave the loop, and the ones around it, by `BREAK`.
    """
    if not is_rolled(iterable):
        return written_out(frame, iterated(frame, iterable), one)
    spend(iterable)
    rounds = counted(frame, iterable)
    if rounds.known is not None and not rounds.known:
        return None

    def body(counter: Node | None) -> Flow:
        assert counter is not None
        return one(rounds.item(counter))

    names = frozenset[str]().union(*map(assigned_names, parts))
    loop = Loop(
        (rounds.start, rounds.stop, rounds.step),
        body,
        None,
        None,
        assigned=names,
        attrs={"reverse": True} if rounds.reverse else {},
        private=frame.scope,
        stops=True,
    )
    flow: Flow
    flow, jumped = kept(frame, loop, rounds, lambda values: (written_out(frame, values, one), None))
    if jumped is None:
        return flow
    return None if jumped is False else Maybe(jumped, False, False, ABSENT)


EXPRESSIONS.update(
    {ast.ListComp: _list, ast.SetComp: _set, ast.GeneratorExp: _generator, ast.DictComp: _dict}
)
