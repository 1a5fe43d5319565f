"""From a call to the generated function that serves it.

Enters: the arguments of a call of `f.grad` and its kin.  Leaves: the result.  Invariant: a generated
function runs only for the signature it was made for: structure, kinds, dtypes, ranks and which sizes are
1 of every argument and of every value read from outside, and the very objects that were compiled in.

The first lookup is by exact types (dtype and shape of every argument); behind it stands the canonical
signature.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import inspect
import linecache
import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from numpy import ndarray

from symdiff.callables import as_function
from symdiff.errors import Problem, Span, SymdiffError, WrtError
from symdiff.frontend import Lowered, lower  # at once: `import symdiff` has more time than a first gradient
from symdiff.frontend.arguments import SizeCounter, describe, signature_key
from symdiff.request import check_memory, check_results, check_sizes, names_of, outputs_of, requested

if TYPE_CHECKING:
    from pathlib import Path

    from symdiff.cache import Entry
    from symdiff.cost import Cost
    from symdiff.ir.node import Function, Node, Tree
    from symdiff.pipeline import Request

REMEMBERED = 1024
Bound = Callable[[], inspect.BoundArguments]
_SUMMARIES = {
    "grad": "Gradient of {0} with respect to {1}.",
    "value_and_grad": "Value and gradient of {0} with respect to {1}.",
    "vjp": "Value of {0} and its pullback to {1}.",
    "jvp": "Value and tangent of {0} for tangents of {1}.",
    "hvp": "Hessian of {0} with respect to {1}, times a vector.",
    "jacobian": "Jacobian of {0} with respect to {1}.",
    "hessian": "Hessian of {0} with respect to {1}.",
    "per_example_grad": "Gradient of {0} with respect to {1}, for every example.",
    "elementwise_grad": "Derivative of every element of {0} with respect to {1}.",
}


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
            check_memory(self.lowered, {**bound().arguments, **captured})
        return self.function(*args, **kwargs, **captured)


class Derivative:
    """`f.grad` and its kin: a callable that compiles itself for the arguments it meets.

    Raises SymdiffError where the function cannot be differentiated.
    """

    base: Derivative | None
    outputs: Any

    def __init__(
        self,
        callable_: Callable[..., Any],
        transform: str,
        wrt: Any,
        aux: bool,
        backend: str,
        outputs: Any = (),
    ):
        self.base = callable_ if isinstance(callable_, Derivative) else None
        inner: Any = self.base
        function: FunctionType = as_function(callable_) if inner is None else inner.__wrapped__
        self.__wrapped__ = function
        self.__name__ = f"{getattr(self.base or function, '__name__', 'function')}.{transform}"
        self.__doc__ = (
            f"{transform} of {getattr(function, '__qualname__', function)}; see `symdiff.differentiate`."
        )
        self.transform, self.wrt, self.aux, self.backend = transform, wrt, aux, backend
        self.outputs = outputs if self.base is None else self.base.outputs
        self._summary = _SUMMARIES.get(transform, "")
        self._exact: dict[Any, Variant] = {}
        self._variants: dict[Any, list[Variant]] = {}
        self._static: frozenset[Any] = frozenset()
        self._lock = threading.RLock()
        self._signature: inspect.Signature | None = None
        self._code, self._defaults = function.__code__, function.__defaults__

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        function = self.__wrapped__
        if function.__code__ is not self._code or function.__defaults__ is not self._defaults:
            self._renew()
        if kwargs:
            return self._bound_call(args, kwargs)
        key: list[Any] = []
        for arg in args:  # the shape of a call that nearly all calls have, at the least cost
            if type(arg) is ndarray:
                shape = arg.shape
                key.append(arg.dtype)
                key.append(shape)
                if len(shape) > 1 and not arg.flags.c_contiguous:
                    key.append("strided")
            elif type(arg) is float:
                key.append(float)
            else:
                return self._structured(args)
        variant = self._exact.get(tuple(key))
        if variant is not None and variant.plain:
            return variant.function(*args)
        return self._remembered(tuple(key), args, variant)

    def _structured(self, args: tuple[Any, ...]) -> Any:
        """A call with containers, numbers or objects among its arguments."""
        names = list(self.signature.parameters) if self._static else []
        if self._static and len(names) != len(args):
            return self._bound_call(args, {})
        key = ("structured", signature_key(args, self._static, names))
        return self._remembered(key, args, self._exact.get(key))

    def _bound_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A call with keywords."""
        bound = self._bound(args, kwargs)
        values, names = tuple(bound.arguments.values()), list(bound.arguments)
        key = ("bound", signature_key(values, self._static, names))
        variant = self._exact.get(key)
        if variant is None or not variant.holds():
            variant = self._remember(key, bound)
        return variant.called(bound.args, bound.kwargs, lambda: bound)

    def _remembered(self, key: Any, args: tuple[Any, ...], variant: Variant | None) -> Any:
        if variant is None or not variant.holds():
            variant = self._remember(key, self._bound(args, {}))
        if variant.defaults:
            bound = self._bound(args, {})
            return variant.called(bound.args, bound.kwargs, lambda: bound)
        return variant.called(args, {}, lambda: self._bound(args, {}))

    def _remember(self, key: Any, bound: inspect.BoundArguments) -> Variant:
        """The variant for these arguments, found now and remembered for their exact types."""
        static = self._static
        variant = self._find(bound)
        if len(self._exact) >= REMEMBERED:
            self._exact.clear()
        if _has_strided(bound.arguments.values()):
            variant = variant.contiguous(self.transform == "vjp")
        if static == self._static:
            self._exact[key] = variant
        return variant

    def _renew(self) -> None:
        """Forget all: the function was given other code or defaults, as a notebook's autoreload does."""
        with self._lock:
            self._exact.clear()
            self._variants.clear()
            self._static, self._signature = frozenset(), None
            self._code, self._defaults = self.__wrapped__.__code__, self.__wrapped__.__defaults__

    @property
    def signature(self) -> inspect.Signature:
        if self._signature is None:
            self._signature = _signature_of(self.__wrapped__)
        return self._signature

    def _bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> inspect.BoundArguments:
        bound = self.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return bound

    def _find(self, bound: inspect.BoundArguments) -> Variant:
        """The variant for these arguments, generated if there is none."""
        with self._lock, _located(self.__wrapped__):
            while True:
                key = self._key(bound)
                for variant in self._variants.get(key, ()):
                    if variant.holds():
                        check_sizes(variant.lowered, bound)
                        return variant
                variant, static = self._compile(bound)
                if static <= self._static:
                    check_sizes(variant.lowered, bound)
                    found = [old for old in self._variants.get(key, ()) if old.guarded()]
                    self._variants[key] = [variant, *found][:8]
                    return variant
                self._static |= static
                self._exact.clear()
                self._variants.clear()

    def _key(self, bound: inspect.BoundArguments) -> Any:
        """The canonical signature of arguments."""
        sizes = SizeCounter()
        return tuple(describe(v, (n, ()), self._static, sizes).key for n, v in bound.arguments.items())

    def _compile(self, bound: inspect.BoundArguments | None) -> tuple[Variant, frozenset[Any]]:
        from symdiff import pipeline
        from symdiff.results import check_keys, check_path

        function = self.__wrapped__
        names_of(self.wrt, self.signature, function.__name__)  # first: its errors need no program
        for name, value in bound.arguments.items() if bound is not None else ():
            check_keys(describe(value, (name, ()), self._static).tree, name)
        outputs = outputs_of(self.outputs, self.signature, function.__name__)
        with pipeline.without_collection():
            lowered = lower(function, bound, self._static, outputs)
            for param in lowered.function.params:
                check_path(param.attr("path"), param.attr("parameter"))
            if not outputs:
                check_results(lowered, function.__name__)
            return self._variant(lowered, self.request(lowered), bound), lowered.static

    def request(self, lowered: Lowered) -> Request:
        """What is asked of a lowered function: of a derivative, first what that asks for."""
        from symdiff.pipeline import Request

        inner = None if self.base is None else self.base.request(lowered)
        names = names_of(self.wrt, self.signature, self.__wrapped__.__name__)
        wrt, tree = self.leaves(lowered)
        summary = self.summary(", ".join(names))
        return Request(self.transform, wrt, tree, summary, self.backend, self.aux, inner=inner)

    def leaves(self, lowered: Lowered) -> tuple[tuple[Node, ...], Tree]:
        """What is differentiated with respect to, and the structure of its gradient."""
        names = names_of(self.wrt, self.signature, self.__wrapped__.__name__)
        return requested(names, lowered.trees, lowered.leaves, isinstance(self.wrt, tuple | list))

    def summary(self, names: str) -> str:
        """What is computed, in one line."""
        order, inner = 1, self
        while inner.base is not None and inner.transform == inner.base.transform == "grad":
            order, inner = order + 1, inner.base
            if inner.wrt != self.wrt:
                return self._summary.format(self.described(), names)
        if order > 1:
            return f"Derivative of order {order} of {inner.described()} with respect to {names}."
        return self._summary.format(self.described(), names)

    def described(self) -> str:
        """The function that is differentiated, in words."""
        if self.base is None:
            return _place(self.__wrapped__)
        before = self.base
        names = ", ".join(names_of(before.wrt, before.signature, before.__wrapped__.__name__))
        text = before.summary(names).rstrip(".")
        return f"the {text[0].lower()}{text[1:]}"

    def _variant(self, lowered: Lowered, request: Request, bound: inspect.BoundArguments | None) -> Variant:
        from symdiff import pipeline
        from symdiff.results import checked_pullback, given

        made, templates = given(lowered.function)
        entry = pipeline.compiled(made, request)
        function = pipeline.load(entry, request.named(made.name))
        function = _by_own_names(function, made)
        variant = Variant(lowered, entry, function, templates, request)
        if self.transform == "vjp":
            variant.function = functools.wraps(function)(
                lambda *args, **kwargs: checked_pullback(function(*args, **kwargs))
            )
        return variant

    def compiled_for(self, /, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        """The generated function that serves these arguments, as a plain Python function."""
        return self._find(self._bound(args, kwargs)).function

    def source_for(self, /, *args: Any, **kwargs: Any) -> str:
        """The generated source for arguments of these types."""
        return self._find(self._bound(args, kwargs)).entry.source

    def path_for(self, /, *args: Any, **kwargs: Any) -> Path | None:
        """The file of the generated module; None where the cache keeps nothing on disk."""
        return self._find(self._bound(args, kwargs)).entry.path

    def cost(self, /, *args: Any, **kwargs: Any) -> Cost:
        """What is kept for the way back at a call with these arguments, and what is computed again.

        The function is run once, with all that it prints.
        """
        from symdiff import pipeline
        from symdiff.cost import measured
        from symdiff.results import given

        both = Derivative(self.base or self.__wrapped__, "vjp", self.wrt, False, self.backend, self.outputs)
        bound = both._bound(args, kwargs)
        variant = both._find(bound)
        _, pullback = variant.called(bound.args, bound.kwargs, lambda: bound)
        captured = variant.captured()
        plan = pipeline.plan_of(given(variant.lowered.function)[0], variant.request)
        return measured(pullback, [*bound.arguments.values(), *captured.values()], plan)

    @property
    def source(self) -> str:
        """The generated source: of the latest call, or for arrays of unknown rank before any."""
        latest = next(reversed(self._variants.values()), None)
        if latest:
            return latest[0].entry.source
        with _located(self.__wrapped__):
            return self._compile(None)[0].entry.source

    def __repr__(self) -> str:
        return f"<{self.__name__} with respect to {self.wrt!r}>"


def _has_strided(values: Iterable[Any]) -> bool:
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


def _by_own_names(function: Callable[..., Any], made: Function) -> Callable[..., Any]:
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


@contextlib.contextmanager
def _located(function: Callable[..., Any]) -> Iterator[None]:
    """Gives problems that have no place that of the function's first line, and there of what they name."""
    try:
        yield
    except SymdiffError as error:
        if all(problem.span is not None for problem in error.problems):
            raise
        code = function.__code__
        text = ""
        with contextlib.suppress(Exception):  # a loader is foreign code
            text = linecache.getline(code.co_filename, code.co_firstlineno, function.__globals__).rstrip("\n")
        problems = [
            p if p.span is not None else replace(p, span=_span(p, code, text)) for p in error.problems
        ]
        raise type(error)(problems) from None


def _span(problem: Problem, code: CodeType, text: str) -> Span:
    """The first line of the function: what the problem quotes if it stands there, or else the whole line."""
    start, end = len(text) - len(text.lstrip()), len(text)
    for quoted in re.findall(r"`([^\W\d]\w*)|(wrt=(?:'[^']*'|[-\w.]+))", problem.what):
        found = re.search(rf"(?<![\w.]){re.escape(quoted[0] or quoted[1].replace(chr(39), chr(34)))}\b", text)
        if found:
            start, end = found.span()
            break
    return Span(code.co_filename, code.co_firstlineno, start, code.co_firstlineno, end, text)


def _signature_of(function: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(function, follow_wrapped=False)
    except (TypeError, ValueError):
        raise WrtError(
            f"{function!r} has no signature.", "wrap it in a function or lambda of its arguments"
        ) from None


def _place(function: Callable[..., Any]) -> str:
    """`loss (examples/linear.py:5)`: the last two parts of the path say enough and are the same on every
    machine."""
    code = getattr(function, "__code__", None)
    if code is None:
        return getattr(function, "__name__", "function")
    name = function.__name__ if function.__name__ != "<lambda>" else "lambda"
    if code.co_filename.startswith("<symdiff: "):
        return name
    file = "/".join(code.co_filename.replace("\\", "/").split("/")[-2:])
    return f"{name} ({file}:{code.co_firstlineno})"
