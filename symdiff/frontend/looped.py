"""`map`, `filter`, `enumerate` and the functions of `itertools` over what a loop is kept for.

Enters: evaluated arguments.  Leaves: `Rolled`, where an item can be found from its number, otherwise a
`Lazily`, whose items come from loops.  Invariant: an item is evaluated when it is asked for, as in Python;
what is not looped over at run time is left to `iterators`.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Sequence
from typing import Any

from symdiff.errors import UnsupportedError, UserError
from symdiff.frontend import arrays, builtin, folds, operators, sequences
from symdiff.frontend.branches import choose, run_if, staged_truth, unless
from symdiff.frontend.comprehensions import Step, loop_over
from symdiff.frontend.effects import effect
from symdiff.frontend.frame import BREAK, RAISED, Flow, Frame, Maybe, Scope, call
from symdiff.frontend.iterators import Handler
from symdiff.frontend.once import fresh, rolled, spend
from symdiff.frontend.rolled import is_rolled, item_of, length_of, same_length
from symdiff.frontend.unpacking import iterate
from symdiff.frontend.values import Items, Lazily, Rolled
from symdiff.ir.node import Node

_RUNNING = ".running"  # the name of what goes from round to round; no variable of the user's has it
Loops = Callable[[Frame, Step], Flow]


def _lazily(frame: Frame, parts: Sequence[Any], loops: Loops) -> Lazily:
    """An iterator over what `loops` hands to its step; iterators among the parts are its own from now on."""
    for part in parts:
        if not isinstance(part, Lazily):
            spend(part)

    def within(outer: Frame, step: Step) -> Flow:
        spend(found)
        scope = Scope({}, frozenset(), outer.scope, outer.scope.function, comprehension=True)
        return loops(outer.inner(scope), step)

    def listed() -> Any:
        return folds.collected(frame, found)

    found = Lazily(frame, within, listed, fresh())
    return found


def _through(frame: Frame, value: Any, step: Step) -> Flow:
    """Hand each item to a step, which may leave the loop by `BREAK`."""
    if isinstance(value, Lazily):
        return value.within(frame, step)
    if isinstance(value, Rolled | Items) and value.once is not None and value.once.spent:
        value = _again(value)
    return loop_over(frame, value, lambda one: step(frame, one), [])


def _again(value: Rolled | Items) -> Any:
    """A part of an iterator, which alone goes through it."""
    if isinstance(value, Items):
        return value.items
    return Rolled(value.kind, value.parts, value.start, value.function)


def _nested(frame: Frame, depth: int, part: Callable[[list[Any]], Any], step: Step) -> Flow:
    """Loops in loops; `part` is what the next one goes over, after the items of those around it."""

    def inside(outer: Frame, chosen: list[Any]) -> Flow:
        if len(chosen) == depth:
            return step(outer, tuple(chosen))
        return _through(outer, part(chosen), lambda inner, one: inside(inner, [*chosen, one]))

    return inside(frame, [])


def _looped(value: Any) -> bool:
    return is_rolled(value) or isinstance(value, Lazily)


def _product(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if not any(map(_looped, args)):
        return _PLAIN[itertools.product](frame, args, kwargs)
    repeat = arrays.static_int(kwargs.get("repeat", 1), "how often")
    parts = [_kept(frame, arg) for arg in args] * repeat
    return _lazily(frame, [], lambda outer, step: _nested(outer, len(parts), lambda at: parts[len(at)], step))


def _kept(frame: Frame, value: Any) -> Any:
    """The items of an iterable as they are now."""
    if isinstance(value, range) or (isinstance(value, Rolled) and value.kind == "range"):
        return value
    return call(frame, list, [value], {})


def _combinations(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    pool, count = args[0], arrays.static_int(kwargs.get("r", args[-1]), "how many")
    if not _looped(pool):
        return _PLAIN[itertools.combinations](frame, args, kwargs)
    pool = _kept(frame, pool)
    length = length_of(pool) if is_rolled(pool) else len(pool)

    def part(chosen: list[Any]) -> Any:
        first = operators.binary(frame, ast.Add, chosen[-1], 1) if chosen else 0
        return call(frame, range, [first, length], {})

    def loops(outer: Frame, step: Step) -> Flow:
        return _nested(
            outer,
            count,
            part,
            lambda inner, places: step(inner, tuple([item_of(inner, pool, one) for one in places])),
        )

    return _lazily(frame, [], loops)


def _chain(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if not any(map(_looped, args)):
        return _PLAIN[itertools.chain](frame, args, kwargs)

    def loops(outer: Frame, step: Step, parts: Sequence[Any] = tuple(args)) -> Flow:
        if not parts:
            return None
        flow = _through(outer, parts[0], step)
        if isinstance(flow, Maybe) and flow.breaks is not False:
            return unless(outer, flow, lambda: loops(outer, step, parts[1:]), None)
        return loops(outer, step, parts[1:]) if flow is None else flow

    return _lazily(frame, args, loops)


def _running(
    frame: Frame, initial: Any, loops: Callable[[Frame, Callable[[], Any], Callable[[Any], Any]], Flow]
) -> Flow:
    """Loops with a value that goes from round to round: `loops(inner, read, write)`."""
    scope = Scope(
        {_RUNNING: initial}, frozenset([_RUNNING]), frame.scope, frame.scope.function, comprehension=True
    )

    def write(value: Any) -> Any:
        scope.names[_RUNNING] = value
        return value

    return loops(frame.inner(scope), lambda: scope.names[_RUNNING], write)


def _accumulate(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    values = args[0]
    if not _looped(values):
        return _PLAIN[itertools.accumulate](frame, args, kwargs)
    function = kwargs.get("func", args[1] if len(args) > 1 else None)
    initial = kwargs.get("initial")

    def joined(inner: Frame, a: Any, b: Any) -> Any:
        if function is None:
            return operators.binary(inner, ast.Add, a, b)
        return call(inner, function, [a, b], {})

    def from_initial(outer: Frame, step: Step) -> Flow:
        flow = step(outer, initial)
        if flow is not None:
            raise UnsupportedError("The first item of `accumulate` may end the loop.", "a loop with a total")
        return _running(
            outer,
            initial,
            lambda frame, read, write: _through(
                frame, values, lambda inner, one: step(inner, write(joined(inner, read(), one)))
            ),
        )

    def from_first(outer: Frame, step: Step) -> Flow:
        counted = values.listed() if isinstance(values, Lazily) else values

        def one(inner: Frame, i: Any, read: Callable[[], Any], write: Callable[[Any], Any]) -> Flow:
            item = item_of(inner, counted, i)
            first = operators.compare(inner, ast.Eq, i, 0)
            total = _first_or(inner, first, item, lambda: joined(inner, read(), item))
            return step(inner, write(total))

        return _running(
            outer,
            0,
            lambda frame, read, write: loop_over(
                frame, Rolled("range", (0, length_of(counted), 1)), lambda i: one(frame, i, read, write), []
            ),
        )

    return _lazily(frame, [values], from_first if initial is None else from_initial)


def _first_or(frame: Frame, first: Any, item: Any, joined: Callable[[], Any]) -> Any:
    if isinstance(first, bool):
        return item if first else joined()
    return choose(frame, first, lambda: item, joined)


def _enumerate(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if not isinstance(args[0], Lazily):
        return _PLAIN[enumerate](frame, args, kwargs)
    first = kwargs.get("start", args[1] if len(args) > 1 else 0)

    def one(inner: Frame, value: Any, step: Step, read: Any, write: Any) -> Flow:
        i = read()
        write(operators.binary(inner, ast.Add, i, 1))
        return step(inner, (i, value))

    return _lazily(
        frame,
        [],
        lambda outer, step: _running(
            outer,
            first,
            lambda frame, read, write: _through(
                frame, args[0], lambda inner, value: one(inner, value, step, read, write)
            ),
        ),
    )


def _zip(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if kwargs.get("strict") is not True or not sequences.all_rolled(args):
        return _PLAIN[zip](frame, args, kwargs)
    lengths = list(map(length_of, args))
    for k, length in enumerate(lengths[1:], 1):
        if not same_length(lengths[0], length):
            differ = staged_truth(frame, operators.compare(frame, ast.NotEq, lengths[0], length))
            _fail_where(frame, differ, f"zip() argument {k + 1} has another length than argument 1")
    return rolled("zip", tuple(args))


def _fail_where(frame: Frame, differ: bool | Node, message: str) -> None:
    """`raise ValueError(message)` where the lengths differ."""
    if differ is True:
        raise UserError(f"ValueError: {message}")
    if differ is not False:

        def fail() -> Flow:
            effect(frame, f'raise ValueError("{message}")')
            return RAISED

        run_if(frame, differ, fail, lambda: None, (), lambda moved: None)


def _map(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    function, *values = args
    if len(values) == 1 and isinstance(values[0], Lazily):
        return _lazily(
            frame,
            [],
            lambda outer, step: _through(
                outer, values[0], lambda inner, one: step(inner, call(inner, function, [one], {}))
            ),
        )
    if not values or not all(map(folds.runs, values)) or any(isinstance(one, Lazily) for one in values):
        return _PLAIN[map](frame, args, kwargs)
    return rolled("map", tuple(values), function=function)


def _starmap(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    function, rows = args
    if not folds.runs(rows):
        return _PLAIN[itertools.starmap](frame, args, kwargs)

    def one(inner: Frame, row: Any, step: Step) -> Flow:
        flow: Flow = step(inner, call(inner, function, list(iterate(inner, row)), {}))
        return flow

    return _lazily(
        frame, [rows], lambda outer, step: _through(outer, rows, lambda inner, row: one(inner, row, step))
    )


def _selecting(function: Any, keeps: bool, otherwise: Flow) -> Handler:
    """`filter` and its like: what happens with an item that is not wanted."""

    def handle(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
        predicate, values = args
        if not folds.runs(values):
            return _PLAIN[function](frame, args, kwargs)

        def one(inner: Frame, item: Any, step: Step) -> Flow:
            found = item if predicate is None else call(inner, predicate, [item], {})
            known = staged_truth(inner, found)
            if isinstance(known, bool):
                return step(inner, item) if known is keeps else otherwise
            sides = (lambda: step(inner, item)), (lambda: otherwise)
            then, other = sides if keeps else reversed(sides)
            return run_if(inner, known, then, other, (), lambda moved: None)[0]

        return _lazily(
            frame,
            [values],
            lambda outer, step: _through(outer, values, lambda inner, item: one(inner, item, step)),
        )

    return handle


def _islice(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    value, *bounds = args
    if not folds.runs(value) or isinstance(value, Lazily):
        return _PLAIN[itertools.islice](frame, args, kwargs)
    if any(isinstance(bound, Node) for bound in bounds):
        return rolled("islice", (value,), _slice_of(bounds))
    known = [None if bound is None else arrays.static_int(bound, "a bound") for bound in bounds]
    return rolled("islice", (value,), _slice_of(known))


def _slice_of(bounds: list[Any]) -> tuple[Any, Any, Any]:
    start, stop, step = (0, bounds[0], 1) if len(bounds) == 1 else (*bounds, None)[:3]
    return (start or 0 if not isinstance(start, Node) else start), stop, 1 if step is None else step


def _pairwise(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    value = args[0]
    if not folds.runs(value):
        return _PLAIN[itertools.pairwise](frame, args, kwargs)
    if isinstance(value, Lazily) or (isinstance(value, Rolled) and value.once is not None):
        value = call(frame, list, [value], {})
    return rolled("zip", (value, rolled("islice", (value,), (1, None, 1))))


_LOOPED: dict[Any, Handler] = {
    zip: _zip, enumerate: _enumerate, map: _map, filter: _selecting(filter, True, None),
    itertools.product: _product, itertools.combinations: _combinations, itertools.chain: _chain,
    itertools.accumulate: _accumulate, itertools.starmap: _starmap, itertools.islice: _islice,
    itertools.pairwise: _pairwise, itertools.takewhile: _selecting(itertools.takewhile, True, BREAK),
    itertools.filterfalse: _selecting(itertools.filterfalse, False, None),
}  # fmt: skip
_PLAIN = {function: builtin.HANDLERS[id(function)] for function in _LOOPED}
builtin.HANDLERS.update({id(function): handler for function, handler in _LOOPED.items()})
