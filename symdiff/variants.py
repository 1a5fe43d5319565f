"""One generated function with what it rests on, and how it is called.

Enters: a lowered function with its cache entry and the loaded module.  Leaves: a callable of the user's
arguments.  Invariant: a variant that `holds` gives what the function would be generated anew for.
"""

from __future__ import annotations

import copy
import functools
import inspect
import sys
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import TYPE_CHECKING, Any

from numpy import ndarray

from symdiff.frontend import Lowered
from symdiff.origins import located
from symdiff.request import check_memory

if TYPE_CHECKING:
    from symdiff.cache import Entry
    from symdiff.ir.node import Function
    from symdiff.pipeline import Request

Bound = Callable[[], inspect.BoundArguments]


class Variant:
    """One generated function with what it rests on."""

    __slots__ = (
        "captures", "defaults", "entry", "function", "guards", "lowered", "plain", "request", "templates",
        "writes",
    )  # fmt: skip

    def __init__(
        self,
        lowered: Lowered,
        entry: Entry,
        function: Callable[..., Any],
        templates: dict[str, object] | None = None,
        request: Request | None = None,
    ):
        self.lowered, self.request = lowered, request
        self.templates = templates or {}
        self.entry = entry
        self.function = function
        self.guards = [guard.holds for guard in lowered.guards if not _is_library(guard.expected)]
        self.captures = [
            (capture.name, capture.read, capture.key, capture.current_key) for capture in lowered.captures
        ]
        # A default that is no literal is not in the generated signature: the call must fill it in.
        self.defaults = any(place.hidden_default for place in lowered.function.parameters)
        self.writes = bool(lowered.written or lowered.contiguous)
        self.plain = not (self.guards or self.captures or self.defaults or self.templates or self.writes)

    def guarded(self) -> bool:
        """Whether the objects that were compiled in are still the same."""
        return all(holds() for holds in self.guards)

    def holds(self) -> bool:
        return self.guarded() and all(now() == key for _, _, key, now in self.captures)

    def contiguous(self, pullback: bool) -> Variant:
        """The same for arguments that are not C-contiguous: NumPy's results follow their layout, gradients
        do not.  pullback: the result is `(value, pullback)`, and what the pullback returns counts too."""
        made, inner = copy.copy(self), self.function

        def packed(*args: Any, **kwargs: Any) -> Any:
            if not pullback:
                return _packed(inner(*args, **kwargs))
            value, back = inner(*args, **kwargs)
            return _packed(value), functools.wraps(back)(lambda cotangent: _packed(back(cotangent)))

        made.function = functools.wraps(inner)(packed)
        return made

    def captured(self) -> dict[str, Any]:
        return {**self.templates, **{name: read() for name, read, _, _ in self.captures}}

    def called(self, args: tuple[Any, ...], kwargs: dict[str, Any], bound: Bound) -> Any:
        """The result for these arguments.  bound: gives them by name, where the function writes into one."""
        captured = self.captured()
        if self.writes:
            with located(self.lowered.origin):
                check_memory(self.lowered, {**bound().arguments, **captured})
        return self.function(*args, **kwargs, **captured)


def has_strided(values: Iterable[Any]) -> bool:
    """Whether an array of two dimensions or more among the arguments is not C-contiguous."""
    seen: set[int] = set()
    pending = list(values)
    while pending:
        value = pending.pop()
        if isinstance(value, ndarray):
            if value.ndim > 1 and not value.flags.c_contiguous:
                return True
        elif isinstance(value, dict | list | tuple) or hasattr(value, "__dict__"):
            if id(value) in seen or callable(value) or isinstance(value, ModuleType):
                continue
            seen.add(id(value))
            inside = value if isinstance(value, dict | list | tuple) else vars(value)
            pending += inside.values() if isinstance(inside, dict) else inside
    return False


def _packed(result: Any) -> Any:
    """The same containers with C-contiguous arrays."""
    if isinstance(result, ndarray):
        return result if result.flags.c_contiguous else result.copy()
    if isinstance(result, dict):
        for key, value in result.items():
            dict.__setitem__(result, key, _packed(value))
        return result
    if isinstance(result, list):
        result[:] = [_packed(value) for value in result]
        return result
    if isinstance(result, tuple):
        return tuple.__new__(type(result), [_packed(value) for value in result])
    if hasattr(result, "__dict__") and not callable(result):
        for name, value in vars(result).items():
            object.__setattr__(result, name, _packed(value))
    return result


def _is_library(value: object) -> bool:
    """A module that nobody rebinds between two calls: `np`, `math` and their like."""
    if not isinstance(value, ModuleType):
        return False
    root = value.__name__.partition(".")[0]
    return root in ("numpy", "scipy") or root in sys.stdlib_module_names


def by_own_names(function: Callable[..., Any], made: Function) -> Callable[..., Any]:
    """A generated function under the user's keywords, where it had to rename one (such as `np`)."""
    code = function.__code__
    keywords = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    wanted = [p.name for p in made.parameters if p.kind in ("keyword_only", "capture")]
    pairs = zip(wanted, keywords, strict=False)  # a train step adds keywords of its own behind them
    spelled = {ours: theirs for ours, theirs in pairs if ours != theirs}
    if not spelled:
        return function
    return functools.wraps(function)(
        lambda *args, **kwargs: function(*args, **{spelled.get(k, k): v for k, v in kwargs.items()})
    )
