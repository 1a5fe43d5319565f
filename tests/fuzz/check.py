"""What must hold of the derivatives of one program.

Enters: the text of a module with `f`, `WRT` and `arguments()`.  Leaves: an `Outcome`.  The oracles are the
undecorated function itself (bit for bit), complex steps of it where it is analytic, and else Richardson's
extrapolation of central differences, which a coordinate is held to only where its own error estimate is
small.
"""

from __future__ import annotations

import importlib.util
import itertools
import re
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from fuzz.generated import problems

from symdiff import SymdiffError, cache, differentiate, pipeline
from symdiff.errors import ShapeError

_NUMBERS = itertools.count()
# Right for complex arguments only in part, or not at all, without raising.
_NOT_ANALYTIC = re.compile(
    r"abs\(|\bvar\(|\bstd\(|norm\(|sign\(|astype|float64|float32|vdot|slogdet|\.real|full_like|fabs"
)
MOST_COORDINATES = 48


@dataclass(frozen=True)
class Outcome:
    """kind: "ok", "refused" (a SymdiffError) or what is wrong.  skipped: coordinates without a reliable
    oracle. helpers: whether generated code calls the runtime."""

    kind: str
    detail: str = ""
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


def check(text: str, folder: Path) -> Outcome:
    """Everything that must hold of the derivatives of `f`."""
    path = folder / f"program_{next(_NUMBERS)}.py"
    path.write_text(text, encoding="utf-8")
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            module = imported(path)
            expected = module.f(*module.arguments())
        except Exception as error:
            return Outcome("invalid", repr(error))
        floats = [leaf for leaf in leaves(expected) if np.asarray(leaf).dtype.kind == "f"]
        if not floats or not all(np.all(np.isfinite(leaf)) for leaf in floats):
            return Outcome("invalid", repr(expected))
        try:
            return _Check(module, path, expected).run()
        except Wrong as wrong:
            return Outcome(wrong.kind, wrong.detail)
        except ShapeError as error:  # the program runs: its shapes are right
            return Outcome(f"ShapeError at {_place(error)}", str(error))
        except SymdiffError as error:
            return Outcome("refused", str(error))
        except Exception as error:
            return Outcome(f"{type(error).__name__} at {_place(error)}", repr(error))
        finally:
            path.unlink()


def _place(error: BaseException) -> str:
    """The last lines that ran; they say nothing where the recursion was too deep."""
    if isinstance(error, RecursionError):
        return "some depth"
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    return " ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames)


def imported(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class _Check:
    def __init__(self, module: ModuleType, path: Path, expected: Any):
        self.module, self.path, self.expected = module, path, expected
        self.args = module.arguments()
        self.before = snapshot(self.args)
        self.wrt = module.WRT if isinstance(module.WRT, tuple) else (module.WRT,)
        names = module.f.__code__.co_varnames[: module.f.__code__.co_argcount]
        self.places = [names.index(name) for name in self.wrt]
        self.scalar = is_scalar(expected)
        self.helpers = False

    def run(self) -> Outcome:
        made = differentiate(self.module.f, wrt=self.module.WRT)
        self.need("primal", identical(made(*self.args), self.expected), "")
        transforms = ["value_and_grad", "grad", "vjp"] if self.scalar else ["vjp"]
        gradients = [self.gradient_of(made, transform) for transform in transforms]
        for transform in transforms:
            self.text_of(made, transform)
        flat = [list(leaves(gradient)) for gradient in gradients]
        for transform, other in zip(transforms[1:], flat[1:], strict=True):
            for a, b in zip(flat[0], other, strict=True):
                tolerance = 1e-5 if self.single() else 1e-10
                close = np.allclose(
                    a, b, rtol=tolerance, atol=tolerance * self.scale(flat[0]), equal_nan=True
                )
                self.need(f"{transform} differs", close, f"{a!r} {b!r}")
        return self.against_oracle(flat[0])

    def need(self, what: str, holds: bool, detail: str) -> None:
        if not holds:
            raise Wrong(what, detail)

    def scale(self, flat: list[Any]) -> float:
        finite = [np.abs(leaf)[np.isfinite(leaf)] for leaf in flat]
        return 1 + max((float(np.max(sizes)) for sizes in finite if np.size(sizes)), default=0.0)

    def single(self) -> bool:
        return "float32" in self.path.read_text(encoding="utf-8")

    def gradient_of(self, made: Any, transform: str) -> Any:
        """The gradient by one transform, with all that must hold of it."""
        if transform == "grad":
            gradient = made.grad(*self.args)
        elif transform == "value_and_grad":
            value, gradient = made.value_and_grad(*self.args)
            self.need("value", identical(value, self.expected), f"{value!r} {self.expected!r}")
        else:
            value, pullback = made.vjp(*self.args)
            self.need("value of vjp", identical(value, self.expected), f"{value!r} {self.expected!r}")
            seed = self.seed()
            kept, given = snapshot(value), snapshot(seed)
            gradient = pullback(seed)
            again = pullback(seed)
            self.need("second pullback", identical(again, gradient), f"{again!r} {gradient!r}")
            self.need("value changed", snapshot(value) == kept, "")
            self.need("cotangent changed", snapshot(seed) == given, "")
            self.structure(f"{transform} again", again, [*arrays(gradient), *arrays(value), *arrays(seed)])
        self.structure(transform, gradient, [])
        self.need(f"arguments changed by {transform}", snapshot(self.args) == self.before, "")
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
        inputs = [*arrays(self.args), *others, *arrays(self.module.TABLE)]
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

    def against_oracle(self, gradient: list[Any]) -> Outcome:
        text = self.path.read_text(encoding="utf-8")
        body = text[max(text.find("Pair ="), 0) : text.index("def arguments")]
        analytic = not _NOT_ANALYTIC.search(body)
        single = self.single()
        scale = self.scale(gradient)
        coordinates = [
            (leaf, index) for leaf, value in enumerate(gradient) for index in np.ndindex(np.shape(value))
        ]
        if len(coordinates) > MOST_COORDINATES:
            chosen = np.random.default_rng(1).permutation(len(coordinates))[:MOST_COORDINATES]
            coordinates = [coordinates[i] for i in sorted(chosen)]
        skipped = 0
        for leaf, index in coordinates:
            have = float(np.asarray(gradient[leaf])[index])
            tolerance = (2e-3 if single else 1e-8) * scale
            if analytic:
                try:
                    exact = self.complex_step(leaf, index)
                except (TypeError, np.exceptions.ComplexWarning):
                    analytic = False
                else:
                    if abs(have - exact) <= tolerance:
                        continue
            slope, error = self.slope(leaf, index)
            if not error <= (1e-3 if single else 1e-5) * scale:
                skipped += 1
            elif not abs(have - slope) <= max(tolerance, 1e-6 * scale if not single else 0, 10 * error):
                raise Wrong("gradient", f"leaf {leaf} {index}: {have!r}, not {slope!r} ± {error:.1e}")
        return Outcome("ok", "", len(coordinates), skipped, self.helpers)

    def moved(self, leaf: int, index: tuple[int, ...], step: Any) -> Any:
        """The objective with one coordinate of a leaf of `wrt` moved, in double precision."""
        count = itertools.count()

        def move(value: Any) -> Any:
            here = next(count) == leaf
            kind = np.result_type(float, type(step))
            array = np.array(value, dtype=kind)
            if here:
                array[index] += step
            return (
                array
                if isinstance(value, np.ndarray)
                else array[()]
                if isinstance(value, np.generic)
                else array.item()
            )

        args = list(self.args)
        for place in self.places:
            args[place] = mapped(move, self.args[place])
        result = self.module.f(*args)
        if self.scalar:
            return result
        seeds = leaves(self.seed())
        return sum(np.sum(np.asarray(part) * seed) for part, seed in zip(leaves(result), seeds, strict=True))

    def complex_step(self, leaf: int, index: tuple[int, ...]) -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            return float(np.imag(self.moved(leaf, index, 1e-30j)) / 1e-30)

    def slope(self, leaf: int, index: tuple[int, ...]) -> tuple[float, float]:
        """Richardson's extrapolation with the estimate of its error."""

        def difference(h: float) -> float:
            return float(self.moved(leaf, index, h) - self.moved(leaf, index, -h)) / (2 * h)

        a, b, c = (difference(h) for h in (1e-3, 5e-4, 2.5e-4))
        first, second = (4 * b - a) / 3, (4 * c - b) / 3
        return (16 * second - first) / 15, abs(second - first)


# Values in containers


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item)
    elif hasattr(value, "__dataclass_fields__"):
        yield from leaves([item for item in vars(value).values() if not isinstance(item, str)])
    else:
        yield value


def arrays(value: Any) -> Iterator[np.ndarray]:
    return (leaf for leaf in leaves(value) if isinstance(leaf, np.ndarray))


def mapped(function: Callable[[Any], Any], value: Any) -> Any:
    if isinstance(value, dict):
        return {key: mapped(function, item) for key, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(mapped(function, item) for item in value))
    if isinstance(value, list | tuple):
        return type(value)(mapped(function, item) for item in value)
    if hasattr(value, "__dataclass_fields__"):
        fields = {k: v if isinstance(v, str) else mapped(function, v) for k, v in vars(value).items()}
        return type(value)(**fields)
    return function(value)


def snapshot(value: Any) -> Any:
    return [
        (type(leaf), leaf.dtype, leaf.shape, leaf.strides, leaf.tobytes())
        if isinstance(leaf, np.ndarray | np.generic)
        else repr(leaf)
        for leaf in leaves(value)
    ]


def identical(a: Any, b: Any) -> bool:
    """Equal bit for bit, in types and structure."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray | np.generic):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, dict):
        return list(a) == list(b) and all(identical(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(identical, a, b))
    if hasattr(a, "__dataclass_fields__"):
        return identical(vars(a), vars(b))
    return repr(a) == repr(b)


def alike(gradient: Any, argument: Any) -> bool:
    """Whether a gradient has the structure, shapes and dtypes of its argument."""
    if isinstance(argument, np.ndarray | np.generic):
        kinds = np.ndarray if isinstance(argument, np.ndarray) and argument.ndim else np.ndarray | np.generic
        return (
            isinstance(gradient, kinds)
            and gradient.shape == argument.shape
            and gradient.dtype == argument.dtype
        )
    if type(gradient) is not type(argument):
        return False
    if isinstance(argument, dict):
        return list(gradient) == list(argument) and all(
            alike(gradient[key], argument[key]) for key in argument
        )
    if isinstance(argument, list | tuple):
        return len(gradient) == len(argument) and all(map(alike, gradient, argument))
    if hasattr(argument, "__dataclass_fields__"):
        return alike(vars(gradient), vars(argument))
    return isinstance(argument, float) or gradient == argument


def is_scalar(value: Any) -> bool:
    return isinstance(value, float | np.floating) or (isinstance(value, np.ndarray) and value.shape == ())
