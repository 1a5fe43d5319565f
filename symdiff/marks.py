"""What a user marks in a function for its derivative; at run time each mark gives back what it was given.

Enters: values, functions and iterables of the user's.  Leaves: the same.  Invariant: with or without marks a
function computes the same value.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, Protocol, TypeVar

from symdiff.errors import WrtError

T = TypeVar("T")
P = ParamSpec("P")
R = TypeVar("R", covariant=True)
F = TypeVar("F", bound=Callable[..., Any])
MODES = ("vjp", "jvp")


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


class Ruled(Protocol[P, R]):
    """A function with a derivative of its own; calls as the function does."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...

    def vjp(self, function: F) -> F:
        """Give the rule for reverse mode: `function(cotangent, value, *arguments)`."""

    def jvp(self, function: F) -> F:
        """Give the rule for forward mode: `function(tangents, value, *arguments)`."""


def stable(function: Callable[P, R]) -> Callable[P, R]:
    """The function, whose formulas derivatives may rewrite: `differentiate(stable=True)`."""

    @functools.wraps(function)
    def licensed(*args: P.args, **kwargs: P.kwargs) -> R:
        return function(*args, **kwargs)

    return licensed


def rule(function: Callable[P, R]) -> Ruled[P, R]:
    """The function, differentiated by what is given under `@function.vjp` and `@function.jvp` alone.

    Both are plain functions that are written into the generated module where the derivative is needed, and
    are differentiated themselves for derivatives of higher order.  `vjp` is given the cotangent of the value
    (in its structure), the value and the arguments; it returns one cotangent for each argument in the order
    of the parameters: the cotangent itself for a function of one argument, otherwise a tuple.  `jvp` is given
    the tangents of the arguments in such a tuple (for one argument the tangent itself), the value and the
    arguments; it returns the tangent of the value.  None stands for no derivative.

    A cotangent has the shape of its argument; of a complex one it is d/dx + i d/dy, as all gradients are.
    The tangent of a number that is a constant is 0.0.  What the function reads from outside beside its
    arguments has to be constant.
    """
    made: Any = _delegating(function)
    made.rules = {}
    made.vjp = functools.partial(_given, made.rules, "vjp")
    made.jvp = functools.partial(_given, made.rules, "jvp")
    return made  # type: ignore[no-any-return]


def _delegating(function: Callable[P, R]) -> Callable[P, R]:
    @functools.wraps(function)
    def ruled(*args: P.args, **kwargs: P.kwargs) -> R:
        return function(*args, **kwargs)

    return ruled


def _given(rules: dict[str, Any], mode: str, function: F) -> F:
    rules[mode] = function
    return function
