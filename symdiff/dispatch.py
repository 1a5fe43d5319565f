"""From a call to the generated function that serves it.

Enters: the arguments of a call of `f.grad` and its kin.  Leaves: the result.  Invariant: a generated
function runs only for the signature it was made for: structure, kinds, dtypes, ranks and which sizes are
1 of every argument and of every value read from outside, and the very objects that were compiled in.

The first lookup is by exact types (dtype and shape of every argument); behind it stands the canonical
signature.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from types import FunctionType
from typing import TYPE_CHECKING, Any

from numpy import ndarray

from symdiff.callables import as_function
from symdiff.frontend import Lowered, lower  # at once: `import symdiff` has more time than a first gradient
from symdiff.frontend.arguments import SizeCounter, describe, signature_key
from symdiff.origins import located, place, signature_of
from symdiff.request import check_results, check_sizes, names_of, outputs_of, requested
from symdiff.variants import Variant, by_own_names, has_strided

if TYPE_CHECKING:
    from pathlib import Path

    from symdiff.cost import Cost
    from symdiff.ir.node import Node, Tree
    from symdiff.pipeline import Request

REMEMBERED = 1024
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
        keep: tuple[str, ...] = (),
    ):
        self.keep = keep
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
        if has_strided(bound.arguments.values()):
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
            self._signature = signature_of(self.__wrapped__)
        return self._signature

    def _bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> inspect.BoundArguments:
        bound = self.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return bound

    def _find(self, bound: inspect.BoundArguments) -> Variant:
        """The variant for these arguments, generated if there is none."""
        with self._lock, located(self.__wrapped__):
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
            lowered = lower(function, bound, self._static, outputs, self.keep)
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
        return Request(
            self.transform, wrt, tree, summary, self.backend, self.aux, inner=inner, keep=self.keep
        )

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
            return place(self.__wrapped__)
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
        function = by_own_names(function, made)
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
        with located(self.__wrapped__):
            return self._compile(None)[0].entry.source

    def __repr__(self) -> str:
        return f"<{self.__name__} with respect to {self.wrt!r}>"
