"""Iterators, and the functions of `itertools`: their items are evaluated when they are asked for.

Enters: evaluated iterables.  Leaves: a `Generator`.  Invariant: what an iterator calls is lowered, in the
order in which Python would call it; an iterator without end is only asked for as many items as are used.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from symdiff.errors import UnsupportedError, UserError
from symdiff.frontend import arrays, operators
from symdiff.frontend.frame import Frame, Scope, call
from symdiff.frontend.targets import target_names
from symdiff.frontend.unpacking import MOST, iterate, iterated
from symdiff.frontend.values import Generator

Handler = Callable[[Frame, list[Any], dict[str, Any]], Any]


def lazily(frame: Frame, items: Iterator[Any]) -> Generator:
    """A generator of items that are evaluated when they are asked for."""
    builder = frame.context.builder
    place = builder.place

    def advanced() -> Iterator[Any]:
        for _ in range(MOST):
            if builder.place is not place:
                raise UnsupportedError(
                    "An iterator goes on inside a loop or branch that is decided at run time.",
                    "a list: list(...) of it before",
                )
            try:
                item = next(items)
            except StopIteration:
                return
            yield item
        raise UnsupportedError(f"An iterator gives more than {MOST} items.", "itertools.islice, or a range")

    return Generator(advanced())


def prepared(frame: Frame, items: list[Any], start: int, node: ast.expr) -> Generator:
    """A generator of items that were evaluated all at once.

    start: how many nodes there were before.  node: the expression, for the names that it reads.  Taking turns
    with the one who asks makes no difference unless that sets a name or writes into an array which the items
    were computed from, or both act on the world outside.
    """
    builder, heap = frame.context.builder, frame.context.heap
    made = builder.body[start:]
    read = {heap.storage(arg): None for node in made for arg in node.args}
    held = {storage: heap.values.get(storage) for storage in read}
    names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)} - target_names(node)
    values = _values(frame.scope, names)
    acts, end = any(not node.op.pure for node in made), start + len(made)

    def advanced() -> Iterator[Any]:
        for k, item in enumerate(items):
            if not k:
                yield item
                continue
            changed = any(heap.values.get(storage) is not value for storage, value in held.items())
            now = _values(frame.scope, names)
            changed = changed or any(a is not b for a, b in zip(values, now, strict=True))
            if changed or (acts and any(not node.op.pure for node in builder.body[end:])):
                raise UnsupportedError(
                    "The loop changes what its generator expression reads.", "a list: [...]"
                )
            yield item

    return lazily(frame, advanced())


def _values(scope: Scope | None, names: Iterable[str]) -> list[Any]:
    """What names stand for, in scopes of the function."""
    scopes = []
    while scope is not None:
        scopes.append(scope.names)
        scope = scope.parent
    return [next((one[name] for one in scopes if name in one), None) for name in names]


def _of_items(function: Callable[..., Any]) -> Handler:
    """A function of `itertools` whose arguments are iterables and plain numbers."""

    def handle(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
        values = [
            value if isinstance(value, int) or value is None else iterated(frame, value) for value in args
        ]
        return lazily(frame, operators.compute(function, *values, **kwargs))

    return handle


def _counted(function: Callable[..., Any]) -> Handler:
    """A function whose counts must be known while compiling; its items are values as they are."""

    def handle(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
        first = 1 if function is itertools.repeat else 0
        counts = [arrays.static_int(arg, "a count") for arg in args[first:]]
        return lazily(frame, operators.compute(function, *args[:first], *counts, **kwargs))

    return handle


def _count(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    def items() -> Iterator[Any]:
        value, step = (*args, *kwargs.values(), 0, 1)[:2] if not args else (*args, kwargs.get("step", 1))[:2]
        while True:
            yield value
            value = operators.binary(frame, ast.Add, value, step)

    if not args and kwargs:
        args = [kwargs.get("start", 0), kwargs.get("step", 1)]
        kwargs = {}
    return lazily(frame, items())


def _by_function(function: Callable[..., Any], predicate: bool = False) -> Handler:
    """A function of `itertools` whose first argument is a function, which is lowered."""

    def handle(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
        called, *values = args

        def apply(*items: Any) -> Any:
            result = items[0] if called is None else call(frame, called, list(items), {})
            return operators.truth(frame, result, "What selects items") if predicate else result

        return lazily(frame, function(apply, *(iterated(frame, value) for value in values)))

    return handle


def _accumulate(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    function = kwargs.pop("func", args[1] if len(args) > 1 else None)

    def apply(a: Any, b: Any) -> Any:
        return (
            operators.binary(frame, ast.Add, a, b) if function is None else call(frame, function, [a, b], {})
        )

    return lazily(frame, operators.compute(itertools.accumulate, iterated(frame, args[0]), apply, **kwargs))


def _chained(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return lazily(frame, (item for part in args for item in iterated(frame, part)))


def chained_from(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """`itertools.chain.from_iterable`."""
    return lazily(frame, (item for part in iterated(frame, args[0]) for item in iterated(frame, part)))


def _starmap(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    function, rows = args
    return lazily(frame, (call(frame, function, iterate(frame, row), {}) for row in iterated(frame, rows)))


def _map(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if len(args) < 2:
        raise UserError("TypeError: map() must have at least two arguments.")
    return _by_function(map)(frame, args, kwargs)


def _refused(name: str, instead: str) -> Handler:
    def handle(frame: Frame, args: list[Any], kwargs: dict[str, Any]) -> Any:
        raise UnsupportedError(f"`itertools.{name}` is not supported.", instead)

    return handle


HANDLERS: dict[Any, Handler] = {
    map: _map, filter: _by_function(filter, predicate=True),
    itertools.chain: _chained, itertools.accumulate: _accumulate, itertools.starmap: _starmap,
    itertools.count: _count, itertools.repeat: _counted(itertools.repeat),
    itertools.takewhile: _by_function(itertools.takewhile, predicate=True),
    itertools.dropwhile: _by_function(itertools.dropwhile, predicate=True),
    itertools.filterfalse: _by_function(itertools.filterfalse, predicate=True),
    **{one: _of_items(one) for one in (
        itertools.product, itertools.combinations, itertools.permutations, itertools.islice, itertools.cycle,
        itertools.combinations_with_replacement, itertools.zip_longest, itertools.pairwise,
    )},
    itertools.groupby: _refused("groupby", "a dict of lists"),
    itertools.tee: _refused("tee", "a list: list(...) of the iterator"),
    itertools.compress: _refused("compress", "a comprehension with `if`"),
}  # fmt: skip
