"""What must hold of the derivatives of one program.

Enters: the text of a module with `f`, `WRT` and `arguments()`.  Leaves: an `Outcome`.  The oracles are the
undecorated function itself (bit for bit, with what it does to its arguments), complex steps of it where it is
analytic, and else Richardson's extrapolation of central differences.  Invariant: a coordinate is left out
only where the oracle itself is unreliable: it decides otherwise nearby, or two step sizes disagree.
"""

from __future__ import annotations

import importlib.util
import itertools
import re
import signal
import threading
import traceback
import types
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from fuzz.generated import problems
from fuzz.reference import Reference
from fuzz.values import alike, arrays, identical, is_scalar, leaves, mapped, snapshot

from symdiff import SymdiffError, cache, differentiate, pipeline
from symdiff.errors import IRError, ShapeError

_NUMBERS = itertools.count()
MOST_COORDINATES = 32
MOST_SECONDS = 60.0
PATIENCE = 5.0


@dataclass(frozen=True)
class Outcome:
    """kind: "ok", "refused" (a SymdiffError) or what is wrong.  what: a refusal without its place.  skipped:
    coordinates without a reliable oracle.  helpers: whether generated code calls the runtime."""

    kind: str
    detail: str = ""
    what: str = ""
    coordinates: int = 0
    skipped: int = 0
    helpers: bool = False

    @property
    def failed(self) -> bool:
        return self.kind not in ("ok", "refused")


class Wrong(Exception):
    def __init__(self, kind: str, detail: str = ""):
        super().__init__(kind, detail)
        self.kind, self.detail = kind, detail


class TooSlow(BaseException):
    """Not an Exception: nothing on the way swallows it."""


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raises TooSlow after some seconds, where this thread can be interrupted."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGALRM"):
        yield
        return

    def interrupt(number: int, frame: types.FrameType | None) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def check(text: str, folder: Path, oracle_only: bool = False, patience: float = PATIENCE) -> Outcome:
    """Everything that must hold of the derivatives of `f`; or only of the program and its oracles.  A program
    that itself runs longer than `patience` seconds is not a valid one."""
    path = folder / f"program_{next(_NUMBERS)}.py"
    path.write_text(text, encoding="utf-8")
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            with deadline(patience):
                program = _Check(text, path)
                program.valid()
        except (Exception, TooSlow) as error:
            path.unlink()
            return Outcome("invalid", repr(error))
        try:
            with deadline(MOST_SECONDS):
                return _checked(program, oracle_only)
        except TooSlow:
            return Outcome("crash: too slow")
        finally:
            path.unlink()


def _checked(program: _Check, oracle_only: bool) -> Outcome:
    try:
        return program.oracles() if oracle_only else program.run()
    except Wrong as wrong:
        return Outcome(wrong.kind, wrong.detail)
    except (ShapeError, IRError) as error:  # the program runs: its shapes are right
        return Outcome(f"crash: {type(error).__name__} at {_place(error)}", str(error))
    except SymdiffError as error:
        if any(problem.span is None for problem in error.problems):
            return Outcome("refused without a place", str(error))
        return Outcome("refused", str(error), error.problems[0].what)
    except Exception as error:
        return Outcome(f"crash: {type(error).__name__}: {_said(error)} at {_place(error)}", repr(error))


def _said(error: Exception) -> str:
    """A message without what is particular to one program."""
    return re.sub(r"'[^']*'|\d+|<.*>", "..", str(error))[:60]


def _place(error: BaseException) -> str:
    """The last lines that ran; they say nothing where the recursion was too deep."""
    if isinstance(error, RecursionError):
        return "some depth"
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    names = (Path(frame.filename).name for frame in frames)
    return " ".join(
        f"{name}:{frame.lineno}" if name.endswith(".py") and not name.startswith("program_") else "<program>"
        for name, frame in zip(names, frames, strict=True)
    )


def imported(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class _Check:
    def __init__(self, text: str, path: Path):
        self.text, self.path = text, path
        self.module = imported(path)
        self.args = list(self.module.arguments())
        self.before = snapshot(self.args)
        given = list(self.module.arguments())
        self.expected = self.module.f(*given)
        self.after = snapshot(given)
        self.wrt = self.module.WRT if isinstance(self.module.WRT, tuple) else (self.module.WRT,)
        names = self.module.f.__code__.co_varnames[: self.module.f.__code__.co_argcount]
        self.places = [names.index(name) for name in self.wrt]
        self.scalar = is_scalar(self.expected)
        self.single = "float32" in text
        self.helpers = False

    def valid(self) -> None:
        """Raises where the program itself is not one to be checked."""
        floats = [leaf for leaf in leaves(self.expected) if np.asarray(leaf).dtype.kind == "f"]
        if not floats or not all(np.all(np.isfinite(leaf)) for leaf in floats):
            raise ValueError(repr(self.expected))
        given = [leaf for place in self.places for leaf in leaves(self.args[place])]
        if not given or any(np.asarray(leaf).dtype.kind != "f" for leaf in given):
            raise ValueError("not differentiable")
        if not identical(self.module.f(*self.module.arguments()), self.expected):
            raise ValueError("the value depends on more than the arguments")

    def need(self, what: str, holds: bool, detail: str) -> None:
        if not holds:
            raise Wrong(what, detail)

    # Derivatives

    def run(self) -> Outcome:
        made = differentiate(self.module.f, wrt=self.module.WRT)
        given = list(self.module.arguments())
        self.need("primal", identical(made(*given), self.expected), "")
        self.need("arguments after the primal", snapshot(given) == self.after, "")
        transforms = ["value_and_grad", "grad", "vjp"] if self.scalar else ["vjp"]
        gradients = [self.gradient_of(made, transform) for transform in transforms]
        for transform in transforms:
            self.text_of(made, transform)
        flat = [list(leaves(gradient)) for gradient in gradients]
        for transform, other in zip(transforms[1:], flat[1:], strict=True):
            self.same(f"{transform} differs", flat[0], other)
        return self.against_oracle(flat[0], made)

    def same(self, what: str, ours: list[Any], others: list[Any]) -> None:
        tolerance = 1e-5 if self.single else 1e-10
        for a, b in zip(ours, others, strict=True):
            close = np.allclose(a, b, rtol=tolerance, atol=tolerance * scale(ours), equal_nan=True)
            self.need(what, close, f"{a!r} {b!r}")

    def gradient_of(self, made: Any, transform: str) -> Any:
        """The gradient by one transform, with all that must hold of it."""
        if transform == "grad":
            gradient = made.grad(*self.args)
        elif transform == "value_and_grad":
            value, gradient = made.value_and_grad(*self.args)
            self.need("value", identical(value, self.expected), f"{value!r} {self.expected!r}")
        else:
            gradient = self.pulled_back(made)
        self.structure(transform, gradient, [])
        self.need(f"arguments changed by {transform}", snapshot(self.args) == self.before, "")
        if transform == "value_and_grad":
            again = made.value_and_grad(*self.args)
            self.need("second call", identical(again, (value, gradient)), f"{again!r} {(value, gradient)!r}")
        return gradient

    def pulled_back(self, made: Any) -> Any:
        value, pullback = made.vjp(*self.args)
        self.need("value of vjp", identical(value, self.expected), f"{value!r} {self.expected!r}")
        seed = self.seed()
        kept, given = snapshot(value), snapshot(seed)
        gradient = pullback(seed)
        again = pullback(seed)
        self.need("second pullback", identical(again, gradient), f"{again!r} {gradient!r}")
        self.need("value changed", snapshot(value) == kept, "")
        self.need("cotangent changed", snapshot(seed) == given, "")
        self.structure("vjp again", again, [*arrays(gradient), *arrays(value), *arrays(seed)])
        return gradient

    def seed(self) -> Any:
        """A cotangent for the result: 1 for a scalar, else fixed random numbers."""
        if self.scalar:
            return 1.0
        generator = np.random.default_rng(5)
        return mapped(
            lambda leaf: (
                generator.uniform(0.5, 1.5, leaf.shape).astype(leaf.dtype)
                if isinstance(leaf, np.ndarray | np.generic)
                else float(generator.uniform(0.5, 1.5))
            ),
            self.expected,
        )

    def structure(self, what: str, gradient: Any, others: list[Any]) -> None:
        """The gradient is like the arguments, in fresh C-contiguous arrays."""
        parts = gradient if isinstance(self.module.WRT, tuple) else (gradient,)
        self.need(f"structure of {what}", len(parts) == len(self.places), repr(gradient))
        for part, place in zip(parts, self.places, strict=True):
            self.need(
                f"structure of {what}", alike(part, self.args[place]), f"{part!r} for {self.args[place]!r}"
            )
        own = list(arrays(gradient))
        for array in own:
            self.need(
                f"contiguity of {what}", array.flags.c_contiguous and array.flags.writeable, repr(array)
            )
        inputs = [*arrays(self.args), *others, *arrays(getattr(self.module, "TABLE", 0))]
        shared = any(np.shares_memory(a, b) for a in own for b in inputs)
        shared = shared or any(np.shares_memory(a, b) for a, b in itertools.combinations(own, 2))
        self.need(f"aliasing of {what}", not shared, repr(gradient))

    def text_of(self, made: Any, transform: str) -> None:
        """The generated module is tidy, and the same when it is made again."""
        text = getattr(made, transform).source_for(*self.args)
        self.helpers |= "symdiff.runtime" in text
        found = problems(text)
        self.need(f"text of {transform}", not found, f"{found}\n{text}")
        pipeline.STORE = cache.Store()
        module = imported(self.path)
        again = getattr(differentiate(module.f, wrt=module.WRT), transform).source_for(*module.arguments())
        self.need(f"second text of {transform}", again == text, f"{text}\n{again}")

    # The gradient against its oracle

    def reference(self) -> Reference:
        return Reference(self.text, self.args, self.places, self.seed(), self.single)

    def coordinates(self, reference: Reference) -> list[tuple[int, tuple[int, ...]]]:
        found = reference.coordinates()
        if len(found) > MOST_COORDINATES:
            chosen = np.random.default_rng(1).permutation(len(found))[:MOST_COORDINATES]
            found = [found[i] for i in sorted(chosen)]
        return found

    def against_oracle(self, gradient: list[Any], made: Any) -> Outcome:
        reference, skipped = self.reference(), 0
        size = scale(gradient)
        tolerance = (2e-3 if self.single else 1e-8) * size
        places = self.coordinates(reference)
        for leaf, index in places:
            have = float(np.asarray(gradient[leaf])[index])
            exact = reference.complex_step(leaf, index)
            if exact is not None and abs(have - exact) <= tolerance:
                continue
            slope, error = reference.slope(leaf, index)
            # Of its own size, too: a chaotic function has slopes that no difference sees.
            unreliable = not error <= (1e-3 if self.single else 1e-5) * min(size, 1e4 * (1 + abs(slope)))
            if unreliable or (not np.isfinite(have) and self.is_singular(made)):
                skipped += 1
            elif not abs(have - slope) <= max(tolerance, 0 if self.single else 1e-6 * size, 10 * error):
                raise Wrong("gradient", f"leaf {leaf} {index}: {have!r}, not {slope!r} ± {error:.1e}")
        return Outcome("ok", "", "", len(places), skipped, self.helpers)

    def is_singular(self, made: Any) -> bool:
        """Whether something on the way is infinite or NaN: a value, or the slope of one, as of a root at 0.
        Where the function forgets it, as in `0 / inf`, the chain rule has `0 * inf`, by hand as well."""
        try:
            with np.errstate(over="raise", invalid="raise", divide="raise"):
                self.module.f(*self.module.arguments())
                (made.grad if self.scalar else made.vjp)(*self.args)
        except FloatingPointError:
            return True
        return False

    def oracles(self) -> Outcome:
        """The oracles among themselves."""
        reference, skipped = self.reference(), 0
        places = self.coordinates(reference)
        exact = [reference.complex_step(*place) for place in places]
        slopes = [reference.slope(*place) for place in places]
        size = scale([slope for slope, _ in slopes])
        if not self.single:
            self.same("invalid", list(leaves(self.expected)), list(leaves(reference.plain())))
        for place, complex_one, (slope, error) in zip(places, exact, slopes, strict=True):
            if complex_one is None:
                skipped += not error <= 1e-5 * size
            elif error <= 1e-5 * size and not abs(complex_one - slope) <= max(1e-6 * size, 10 * error):
                raise Wrong("oracles", f"{place}: {complex_one!r}, {slope!r} ± {error:.1e}")
        return Outcome("ok", "", "", len(places), skipped)


def scale(flat: list[Any]) -> float:
    finite = [np.abs(leaf)[np.isfinite(leaf)] for leaf in flat]
    return 1 + max((float(np.max(sizes)) for sizes in finite if np.size(sizes)), default=0.0)
