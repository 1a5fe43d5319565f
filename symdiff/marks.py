"""What a user marks in a function for its derivative; at run time each mark gives back what it was given.

Enters: values, functions and iterables of the user's.  Leaves: the same.  Invariant: with or without marks a
function computes the same value.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from symdiff.errors import WrtError

T = TypeVar("T")


def stop_gradient(x: T) -> T:
    """`x` itself, as a constant to the derivative: no gradient flows through it.

    x: an array, a number, or a container of them.
    """
    return x


def checkpoint(what: T, every: int | None = None) -> T:
    """`what` itself; its intermediate values are computed again on the way back instead of being stored.

    what: a function, also as a decorator: each call of it is computed again from its arguments.  Or what a
    `for` loop runs over: the loop is stored once every `every` rounds, and computed again from there.
    every: a number of rounds, at least 1; None stands for the square root of the number of rounds, with which
    memory grows like that root and the loop is computed about twice.

    Raises WrtError for `every` that is not positive, or that is given with a function.
    """
    if every is not None and (callable(what) or every < 1):
        raise WrtError(
            f"checkpoint with every={every!r}", "every=10 with the iterable of a loop, for example"
        )
    if not callable(what):
        return what
    function: Callable[..., Any] = what

    @functools.wraps(function)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    made: Any = checkpointed
    return made  # type: ignore[no-any-return]
