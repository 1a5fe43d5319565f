"""`check_grads`: whether derivatives agree with differences of the function, to any order and in both modes.

Enters: a function and arguments.  Leaves: nothing, or a GradientError that names the entries which disagree.
Invariant: no tolerance is guessed: every number is compared with an extrapolated difference quotient and the
error that the extrapolation itself estimates; where that is too large to tell anything, this is an error too.

The derivative of order k is checked as a first derivative: of a scalar function made of the one before by
weights that are drawn once.  The scalar function of order 1 is the user's function with its results weighted,
of order k + 1 the gradient of that of order k.

References: C. J. F. Ridders, "Accurate computation of F'(x) and F'(x)F''(x)", Advances in Engineering
Software 4 (1982).
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from types import FunctionType
from typing import Any

import numpy as np

from symdiff import api
from symdiff.errors import DtypeError, SymdiffError, WrtError
from symdiff.frontend.arguments import Described, describe, flatten, shown, stage, step_into
from symdiff.records import dataclass

MODES = {"rev": "reverse", "fwd": "forward"}
Where = tuple[int, Any]
"""Where a leaf stands: the number of the argument and the steps from there."""
Direction = dict[Where, Any]
"""By leaf, an array like it; nothing where the direction does not go."""
_SHRINK = 1.6  # from one step to the next
_STEPS = 14
_SAFE = 8  # times the estimated error
_USELESS = 1e-2  # of the derivative: an estimated error that is larger tells nothing
_SHOWN = 5


class GradientError(SymdiffError, AssertionError):
    """A derivative that differences of the function contradict."""


def check_grads(
    f: Callable[..., Any],
    args: Sequence[Any],
    wrt: Any = 0,
    order: int = 2,
    modes: Sequence[str] = ("rev", "fwd"),
    *,
    entries: int = 40,
    seed: int = 0,
) -> None:
    """Compare the derivatives of a function with differences of it, for arguments where it is smooth.

    f: a function of arrays, numbers and containers of them, complex ones too; it may give such values as
    well.  args: its positional arguments.  wrt: the index or the name of the argument to differentiate by, or
    a tuple of them.  order: derivatives of the orders 1 to this.  modes: "rev", "fwd" or both: in which mode
    the last derivative of each order is taken; those before it are taken in reverse.  entries: by so many
    numbers at most the derivative is compared, drawn at random with `seed`, and in one direction of all.

    Raises GradientError with the entry, the mode, both numbers and the estimated error of the difference;
    also where differences do not converge, as at a jump.  Raises what differentiating `f` raises.
    """
    for mode in modes:
        if mode not in MODES:
            raise WrtError(f"modes={tuple(modes)!r}", 'modes=("rev", "fwd")')
    args = tuple(args)
    names = _named(f, wrt, len(args))
    chosen = tuple(args[place] for place in names)
    others = tuple(None if place in names else one for place, one in enumerate(args))
    for place, name in names.items():
        for leaf in describe(args[place], (name, ())).leaves:
            if not leaf.type.dtype.startswith(("float", "complex", "longdouble")):
                raise DtypeError(
                    f"`{shown((name, leaf.path))}` is of {leaf.type.dtype}: no derivative.", "floats"
                )
    rng = np.random.default_rng(seed)
    function: Callable[..., Any] = _of_two(f, tuple(names))
    for level in range(1, order + 1):
        scalar = _weighted(f, function, (chosen, others), rng)
        found = _Check(scalar, chosen, others, [*names.values()], level).findings(modes, entries, rng)
        if found:
            raise _error(f, found)
        function = api.grad(scalar)


def _of_two(f: Any, places: tuple[int, ...]) -> Callable[..., Any]:
    """The function of the arguments that it is differentiated by, and of all others."""

    def function(chosen: Any, others: Any) -> Any:
        args = list(others)
        for place, one in zip(places, chosen):  # noqa: B905
            args[place] = one
        return f(*args)

    return function


def _named(f: Any, wrt: Any, count: int) -> dict[int, str]:
    """The places of the arguments of `wrt` and their names."""
    try:
        parameters = [*inspect.signature(f).parameters.values()]
    except ValueError:
        parameters = []
    known = [one.name for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    found = {}
    for one in wrt if isinstance(wrt, list | tuple) else (wrt,):
        place = known.index(one) if one in known else one
        if not isinstance(place, int) or not -count <= place < count:
            raise WrtError(
                f"wrt={one!r}: there are {count} arguments.", "an index of an argument, or its name"
            )
        place %= count
        found[place] = known[place] if place < len(known) else f"args[{place}]"
    return found


# The scalar function of each order


def _weighted(f: Any, function: Any, args: tuple[Any, ...], rng: np.random.Generator) -> Callable[..., Any]:
    """A scalar function of the same arguments: what `function` gives, weighted."""
    value = function(*args)
    weights = []
    for path, leaf in _leaves(describe(value, ("value", ())), value):
        if np.issubdtype(np.asarray(leaf).dtype, np.inexact):
            weights.append((path, np.iscomplexobj(leaf), _random(leaf, rng)))
    if not weights:
        raise WrtError(f"{getattr(f, '__name__', 'The function')} returns no float.", "a function of floats")
    items = tuple(weights)

    def scalar(chosen: Any, others: Any) -> Any:
        return _contracted(function(chosen, others), items)

    code = scalar.__code__.replace()  # of its own: the next order calls this one, which is no recursion
    return FunctionType(code, scalar.__globals__, scalar.__name__, None, scalar.__closure__)


def _contracted(value: Any, weights: Any) -> Any:
    """The sum of the leaves of a value with their weights: real, of complex ones as gradients count them."""
    total = 0.0
    for path, complex_, weight in weights:
        leaf = value
        for kind, key in path:
            leaf = leaf[key] if kind == "item" else getattr(leaf, key)
        total = total + (np.sum(np.real(np.conj(weight) * leaf)) if complex_ else np.sum(weight * leaf))
    return total


def _random(leaf: Any, rng: np.random.Generator) -> Any:
    """Numbers around one in the shape and dtype of a leaf: none is so small that it hides an error."""
    array = np.asarray(leaf)
    signs = rng.choice([-1.0, 1.0], array.shape)
    drawn = signs * rng.uniform(0.5, 1.5, array.shape)
    if np.iscomplexobj(array):
        drawn = drawn + 1j * rng.uniform(0.5, 1.5, array.shape)
    return _like(leaf, np.asarray(drawn).astype(array.dtype))


def _leaves(described: Described, value: Any) -> Iterator[tuple[Any, Any]]:
    found = flatten(value, described.tree)
    yield from ((leaf.path, one) for leaf, one in zip(described.leaves, found, strict=True))


# One order


@dataclass(eq=False, slots=True, repr=False)
class Finding:
    """A derivative in one direction that disagrees, or that differences tell nothing of."""

    level: int
    mode: str
    where: str
    given: float
    expected: float
    error: float

    def text(self) -> str:
        mode = f"{MODES[self.mode]} mode"
        head = f"order {self.level}, {mode}, {self.where}: {self.given:.15g}"
        if self.is_useless():
            estimate = f"{self.expected:.3g} with an estimated error of {self.error:.1g}"
            return f"{head}; differences do not converge: {estimate}"
        return f"{head}, differences give {self.expected:.15g} (estimated error {self.error:.1g})"

    def is_useless(self) -> bool:
        return not self.error <= _USELESS * max(abs(self.expected), 1e-3)


class _Check:
    """The first derivative of a scalar function."""

    def __init__(
        self, scalar: Callable[..., Any], args: tuple[Any, ...], others: Any, names: list[str], level: int
    ):
        self.scalar, self.args, self.others, self.names, self.level = scalar, args, others, names, level
        self.described = [describe(one, (name, ())) for one, name in zip(args, names, strict=True)]

    def findings(self, modes: Sequence[str], entries: int, rng: np.random.Generator) -> list[Finding]:
        gradient = api.grad(self.scalar)(self.args, self.others) if "rev" in modes else None
        push = api.jvp(self.scalar) if "fwd" in modes else None
        found = []
        for where, direction in self.directions(entries, rng):
            expected, error = self.slope(direction)
            given = {}
            if gradient is not None:
                given["rev"] = self.inner(gradient, direction)
            if push is not None:
                given["fwd"] = float(push((self.args, self.others), (self.tangents(direction), None))[1])
            for mode, one in given.items():
                finding = Finding(self.level, mode, where, one, expected, error)
                if finding.is_useless() or not abs(one - expected) <= self.tolerance(one, expected, error):
                    found.append(finding)
        return found

    def tolerance(self, given: float, expected: float, error: float) -> float:
        """The estimated error with a margin, and what rounding leaves of a derivative and of the estimate."""
        precision = self.precision()
        return _SAFE * error + 0.1 * math.sqrt(precision) * max(abs(given), abs(expected)) + precision

    def precision(self) -> float:
        """How exact the numbers are."""
        dtypes = [np.asarray(leaf).dtype for _, leaf in self.leaves()]
        return max([float(np.finfo(dtype).eps) for dtype in dtypes if dtype.kind in "fc"], default=0.0)

    def leaves(self) -> Iterator[tuple[Where, Any]]:
        for k, one in enumerate(self.args):
            yield from (((k, path), leaf) for path, leaf in _leaves(self.described[k], one))

    # A direction: by leaf, an array like it, or nothing.

    def directions(self, entries: int, rng: np.random.Generator) -> Iterator[tuple[str, Direction]]:
        """Single entries, and one direction of all."""
        single = []
        for place, leaf in self.leaves():
            array = np.asarray(leaf)
            if array.dtype.kind in "fc":
                units = (1.0, 1j) if array.dtype.kind == "c" else (1.0,)
                single += [(place, leaf, i, unit) for i in np.ndindex(array.shape) for unit in units]
        chosen = range(len(single))
        if len(single) > entries:
            chosen = sorted(rng.choice(len(single), entries, replace=False))  # type: ignore[assignment]
        for place, leaf, i, unit in (single[k] for k in chosen):
            direction = np.zeros_like(np.asarray(leaf))
            direction[i] = unit
            yield self.shown(place, i, unit), {place: direction}
        if len(single) > 1:
            every = {place: _relative(leaf, rng) for place, leaf in self.leaves()}
            yield "along a direction of all entries", every

    def shown(self, place: Where, i: tuple[int, ...], unit: Any) -> str:
        at = f"[{', '.join(map(str, i))}]" if i else ""
        return shown((self.names[place[0]], place[1])) + at + (", imaginary part" if unit == 1j else "")

    def inner(self, gradient: Any, direction: Direction) -> float:
        total = 0.0
        for (k, path), one in direction.items():
            part = gradient[k]
            for step in path:
                part = step_into(part, step)
            total += float(np.sum(np.real(np.conj(one) * part)))
        return total

    def tangents(self, direction: Direction) -> tuple[Any, ...]:
        def like(place: Where, leaf: Any) -> Any:
            one = direction.get(place)
            return _like(leaf, np.zeros_like(np.asarray(leaf)) if one is None else one)

        return tuple(self.changed(k, like) for k in range(len(self.args)))

    def changed(self, k: int, change: Callable[[Where, Any], Any]) -> Any:
        """An argument with other leaves."""
        found = [change((k, path), leaf) for path, leaf in _leaves(self.described[k], self.args[k])]
        return stage(self.described[k].tree, iter(found))

    # Differences

    def slope(self, direction: Direction) -> tuple[float, float]:
        """The derivative of the scalar function in a direction, and the estimated error."""
        found = math.nan, math.inf
        for step in self.steps(direction):
            first = step
            while step > 1e-9 * first and not self.is_inside(direction, step):
                step /= 4
            estimate = ridders(partial(self.quotient, direction), step if step == first else step / 2)
            if estimate[1] < found[1]:
                found = estimate
            if found[1] <= 1e-2 * _USELESS * abs(found[0]):
                break
        return found

    def steps(self, direction: Direction) -> Sequence[float]:
        """Steps to begin with, the next where one tells nothing: parts of the entry that moves, and one that
        does not hang on it."""
        moving = [
            np.abs(np.asarray(leaf)[direction[place] != 0])
            for place, leaf in self.leaves()
            if place in direction
        ]
        if len(moving) != 1 or moving[0].size != 1:
            return (0.1, 1e-3)  # all move in parts of themselves
        size = float(moving[0][0])
        return (0.1 * size, 0.1 * max(size, 0.1), 1e-3 * size) if size else (0.01, 1e-5)

    def is_inside(self, direction: Direction, step: float) -> bool:
        """Whether the function is defined on both sides."""
        return all(math.isfinite(self.at(direction, sign * step)[0]) for sign in (-1, 1))

    def quotient(self, direction: Direction, h: float) -> tuple[float, float]:
        """The difference quotient, and what the rounding of the function's values may make of it."""
        (up, above), (down, below) = self.at(direction, h), self.at(direction, -h)
        width = above - below
        if not width > 0:
            return math.nan, math.inf
        return (up - down) / width, self.precision() * (abs(up) + abs(down)) / width

    def at(self, direction: Direction, h: float) -> tuple[float, float]:
        """The function, one step from the arguments, and how far the step went after rounding."""
        squared = sum(float(np.sum(np.abs(one) ** 2)) for one in direction.values())
        went = 0.0

        def moved(place: Where, leaf: Any) -> Any:
            nonlocal went
            array = np.asarray(leaf)
            if place not in direction:
                return _like(leaf, array.copy())
            new = (array + h * direction[place]).astype(array.dtype)
            wide = np.complex128 if array.dtype.kind == "c" else np.float64
            change = new.astype(wide) - array.astype(wide)
            went += float(np.sum(np.real(np.conj(direction[place]) * change))) / squared
            return _like(leaf, new)

        args = tuple(self.changed(k, moved) for k in range(len(self.args)))
        with np.errstate(all="ignore"):
            return float(self.scalar(args, self.others)), went


def _relative(leaf: Any, rng: np.random.Generator) -> Any:
    """A direction in which every entry moves by a part of itself: none leaves its scale."""
    array = np.asarray(leaf)
    sizes = np.where(array != 0, np.abs(array), 1).astype(array.dtype)
    return np.asarray(_random(leaf, rng)) * sizes


def _like(leaf: Any, array: Any) -> Any:
    """An array as what a leaf is: an array, a NumPy scalar or a number."""
    if isinstance(leaf, np.ndarray):
        return array
    return array[()] if isinstance(leaf, np.generic) else array.item()


def ridders(quotient: Callable[[float], tuple[float, float]], step: float) -> tuple[float, float]:
    """The limit of a central difference quotient for small steps, and an estimate of its error.

    quotient: for a step, the quotient and its rounding error.  The quotients for ever smaller steps are
    extrapolated to zero as a polynomial in the square of the step; the error of an entry of the table is how
    far it is from its neighbours of the order below and of the larger step, and never less than rounding.
    """
    table: list[list[float]] = []
    best, error = math.nan, math.inf
    for k in range(_STEPS):
        first, rounding = quotient(step / _SHRINK**k)
        row = [first]
        for j in range(1, k + 1):
            factor = _SHRINK ** (2 * j)
            row.append((row[j - 1] * factor - table[k - 1][j - 1]) / (factor - 1))
            before = [row[j - 1], table[k - 1][j - 1], *table[k - 1][j : j + 1]]
            change = max(abs(row[j] - one) for one in before) + rounding
            if change <= error:
                best, error = row[j], change
        table.append(row)
    return best, error


def _error(f: Any, found: Sequence[Finding]) -> GradientError:
    name = getattr(f, "__name__", "the function")
    lines = [finding.text() for finding in found[:_SHOWN]]
    more = f"\n    and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    what = f"Derivatives of {name} disagree with differences of it:\n    " + "\n    ".join(lines) + more
    return GradientError(what, "arguments at which the function is smooth, if these are at a kink or a jump")
