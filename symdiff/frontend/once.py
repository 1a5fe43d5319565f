"""Iterators are gone through once.

Enters: what a loop, a comprehension or a function is about to go through.  Leaves: nothing.  Invariant: where
a second time would find nothing in Python, it is refused; so is going through an iterator in a region other
than that it was made in, which runs as often as only run time knows.
"""

from __future__ import annotations

from typing import Any

from symdiff.errors import UnsupportedError
from symdiff.frontend.values import Items, Lazily, Once, Rolled, kind_name
from symdiff.ir.build import current


def fresh() -> Once:
    """The state of an iterator that is made here."""
    return Once(current().place)


def spend(value: Any) -> None:
    """Say that this is gone through now, be it an iterator."""
    if _state(value) is not None:
        check_here(value)
        value.once.spent = True


def check_here(value: Any) -> None:
    """Refuse an iterator that was gone through, or that was made outside of what runs now."""
    once, name = _state(value), kind_name(value)
    if once is not None and once.spent:
        raise UnsupportedError(
            f"This {name} was gone through before; Python finds nothing left in it.",
            f"a list: list({'...' if name == 'generator' else name + '(...)'})",
        )
    if once is not None and once.place is not current().place:
        raise UnsupportedError(
            f"This {name} was made outside of the loop or branch, decided at run time, that goes through it.",
            "a list: list(...) of it before",
        )


def _state(value: Any) -> Once | None:
    return value.once if isinstance(value, Rolled | Lazily | Items) else None


def rolled(kind: str, parts: tuple[Any, ...], start: Any = 0, function: Any = None) -> Rolled:
    """An iterator over what a loop is kept for; iterators among its parts are its own from now on."""
    for part in parts:
        spend(part)
    return Rolled(kind, parts, start, function, fresh())
