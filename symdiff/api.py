"""The public functions: `differentiate` and its functional spellings.

Enters: a plain Python function over NumPy arrays.  Leaves: `Differentiable` objects and their derivatives.
Invariant: decorating runs nothing and reads no source; a `Differentiable` calls exactly the user's function.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import FunctionType
from typing import TYPE_CHECKING, Any, overload

from symdiff import marks
from symdiff.callables import as_function
from symdiff.dispatch import Derivative
from symdiff.errors import UnsupportedError, WrtError
from symdiff.request import check_outputs

if TYPE_CHECKING:
    from symdiff.cost import Cost
    from symdiff.modes import Hessian, Jacobian, PerExample
    from symdiff.tangents import Pushforward

BACKENDS = ("auto", "numpy")


class Differentiable:
    """A function together with its derivatives; calls as the function does.

    Attributes `grad`, `value_and_grad`, `vjp` and `elementwise_grad` are callables over the same arguments,
    `jvp` and `hvp` take these as a tuple and tangents beside them; each has `.source`,
    `.source_for(*args)`, `.path_for(*args)`, `.compiled_for(*args)` and `.cost(*args)`.
    """

    grad: Derivative
    value_and_grad: Derivative
    vjp: Derivative
    elementwise_grad: Derivative

    def __init__(
        self,
        function: Any,
        wrt: Any = 0,
        backend: str = "auto",
        has_aux: bool = False,
        outputs: Any = (),
        keep: tuple[str, ...] = (),
    ):
        self.binding = "instance"
        if isinstance(function, staticmethod | classmethod):
            self.binding = "class" if isinstance(function, classmethod) else "nothing"
            function = function.__func__
        named = function if hasattr(function, "__name__") else as_function(function)
        functools.update_wrapper(self, named, updated=("__dict__",) * isinstance(function, FunctionType))
        self.__wrapped__ = function
        self.wrt, self.backend, self.has_aux, self.outputs = wrt, backend, has_aux, outputs
        self.keep = keep
        for transform in ("grad", "value_and_grad", "vjp", "elementwise_grad"):
            kept = keep if transform.endswith("grad") and transform != "elementwise_grad" else ()
            setattr(self, transform, Derivative(function, transform, wrt, has_aux, backend, outputs, kept))

    @functools.cached_property
    def jacobian(self) -> Jacobian:
        """`jacobian(*args, mode=None)`: all derivatives of all results, output shape + input shape."""
        from symdiff.modes import Jacobian

        return Jacobian(self.__wrapped__, self.wrt, self.has_aux, self.backend, self.outputs)

    @functools.cached_property
    def hessian(self) -> Hessian:
        """`hessian(*args)`: the second derivatives of a scalar function with respect to `wrt`."""
        from symdiff.modes import Hessian

        return Hessian(self._gradient, self.wrt, self.has_aux, self.backend, self.outputs)

    @functools.cached_property
    def per_example_grad(self) -> PerExample:
        """`per_example_grad(*args)`: the gradient for every example.

        All arrays among the arguments that `wrt` does not name hold one item per example."""
        from symdiff.modes import PerExample

        return PerExample(self.__wrapped__, self.wrt, self.has_aux, self.backend, self.outputs)

    @functools.cached_property
    def jvp(self) -> Pushforward:
        """`jvp(args, tangents)` is `(value, tangent)`: forward mode, for a tangent or None per argument."""
        return self._pushforward(self.__wrapped__, "jvp")

    @functools.cached_property
    def hvp(self) -> Pushforward:
        """`hvp(args, v)` is the Hessian with respect to `wrt` times `v`; the Hessian is never formed."""
        return self._pushforward(self._gradient, "hvp")

    @functools.cached_property
    def _gradient(self) -> Derivative:
        """The gradient alone."""
        if not self.keep:
            return self.grad
        return Derivative(self.__wrapped__, "grad", self.wrt, self.has_aux, self.backend, self.outputs)

    def _pushforward(self, function: Any, transform: str) -> Pushforward:
        from symdiff.tangents import Pushforward

        return Pushforward(function, transform, self.wrt, self.has_aux, self.backend, self.outputs)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return self.__wrapped__(*args, **kwargs)

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        if self.binding == "class":
            return Bound(self, owner)
        return self if instance is None or self.binding == "nothing" else Bound(self, instance)

    def __reduce__(self) -> str:
        return str(self.__wrapped__.__qualname__)

    def __repr__(self) -> str:
        function = self.__wrapped__
        return f"<differentiable {getattr(function, '__qualname__', None) or function.__name__}>"


class Bound:
    """A differentiable method of one instance; `wrt` counts `self` as parameter 0."""

    def __init__(self, method: Differentiable, instance: object):
        self.__func__, self.__self__ = method, instance
        self.__name__, self.__doc__ = method.__wrapped__.__name__, method.__doc__
        self.__wrapped__ = method.__wrapped__.__get__(instance)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return self.__func__.__wrapped__(self.__self__, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.__func__, name)
        if name in ("jvp", "hvp"):
            return BoundPushforward(value, self.__self__)
        return BoundDerivative(value, self.__self__) if isinstance(value, Derivative) else value


class BoundDerivative:
    """A derivative of a method with its instance filled in."""

    def __init__(self, derivative: Derivative, instance: object):
        self._derivative, self._instance = derivative, instance

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return self._derivative(self._instance, *args, **kwargs)

    def source_for(self, /, *args: Any, **kwargs: Any) -> str:
        return self._derivative.source_for(self._instance, *args, **kwargs)

    def path_for(self, /, *args: Any, **kwargs: Any) -> Any:
        return self._derivative.path_for(self._instance, *args, **kwargs)

    def cost(self, /, *args: Any, **kwargs: Any) -> Cost:
        return self._derivative.cost(self._instance, *args, **kwargs)

    def compiled_for(self, /, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        return functools.partial(
            self._derivative.compiled_for(self._instance, *args, **kwargs), self._instance
        )

    @property
    def source(self) -> str:
        return self._derivative.source


class BoundPushforward:
    """Forward mode of a method with its instance filled in, which is a constant."""

    def __init__(self, pushforward: Pushforward, instance: object):
        self._pushforward, self._instance = pushforward, instance

    def __call__(self, /, args: Any, tangents: Any, **kwargs: Any) -> Any:
        return self._pushforward(*self._with_instance(args, tangents), **kwargs)

    def source_for(self, /, args: Any, tangents: Any, **kwargs: Any) -> str:
        return self._pushforward.source_for(*self._with_instance(args, tangents), **kwargs)

    def path_for(self, /, args: Any, tangents: Any, **kwargs: Any) -> Any:
        return self._pushforward.path_for(*self._with_instance(args, tangents), **kwargs)

    @property
    def source(self) -> str:
        return self._pushforward.source

    def _with_instance(self, args: Any, tangents: Any) -> tuple[Any, Any]:
        before = () if self._pushforward.transform == "hvp" else (None,)
        return (self._instance, *args), (*before, *tangents) if before else tangents


@overload
def differentiate(
    fn: Callable[..., Any],
    *,
    wrt: Any = 0,
    argnums: Any = None,
    backend: str = "auto",
    has_aux: bool = False,
    outputs: Any = (),
    keep: Any = (),
    stable: bool = False,
) -> Differentiable: ...


@overload
def differentiate(
    fn: None = None,
    *,
    wrt: Any = 0,
    argnums: Any = None,
    backend: str = "auto",
    has_aux: bool = False,
    outputs: Any = (),
    keep: Any = (),
    stable: bool = False,
) -> Callable[[Callable[..., Any]], Differentiable]: ...


def differentiate(
    fn: Callable[..., Any] | None = None,
    *,
    wrt: Any = 0,
    argnums: Any = None,
    backend: str = "auto",
    has_aux: bool = False,
    outputs: Any = (),
    keep: Any = (),
    stable: bool = False,
) -> Any:
    """Make a function differentiable: `@differentiate` or `@differentiate(wrt=("w", "b"))`.

    wrt: the argument(s) to differentiate with respect to: a name, an index or a tuple of them; `argnums`
    is an alias.  has_aux: the function returns `(value, aux)` and only `value` is differentiated.
    outputs: names of arguments that the function writes into; the value is then a tuple of what it returns,
    if that is not None, and of their final contents, or the one itself where there is only one.
    keep: names of local variables of the function: `grad` gives `(gradient, {name: gradient})`, where the
    latter are with respect to the last value of each variable, in its shape; `value_and_grad` gives `(value,
    (gradient, {name: gradient}))`.  The other derivatives do not change.
    stable: the derivatives, and the values that they compute, rewrite the formulas of the function into forms
    that do not overflow or cancel, such as `log(1 + exp(x))`; docs/stability.md lists them all.
    backend: "auto" or "numpy".  Nothing is compiled before the first call of a derivative.

    Raises WrtError for a `wrt` of the wrong kind; what the function's body does is checked at the first call.
    """
    if argnums is not None:
        wrt = argnums
    if isinstance(wrt, list):
        wrt = tuple(wrt)
    if not isinstance(wrt, str | int | tuple) or isinstance(wrt, bool):
        raise WrtError(
            f"wrt must be a name, an index or a tuple of them, not {wrt!r}.",
            "wrt=0 or wrt=('w', 'b'), for example",
        )
    if backend not in BACKENDS:
        raise WrtError(f"There is no backend {backend!r}.", f"one of {', '.join(map(repr, BACKENDS))}")
    check_outputs(outputs)
    if outputs and has_aux:
        raise WrtError("has_aux and outputs cannot be combined.", "vjp with outputs, or return the contents")
    keep = (keep,) if isinstance(keep, str) else tuple(keep)
    if not all(isinstance(name, str) for name in keep) or len(set(keep)) < len(keep):
        raise WrtError(f"keep must be the names of local variables, not {keep!r}.", "keep=('y', 'z')")
    if keep and outputs:
        raise WrtError("keep and outputs cannot be combined.", "vjp with outputs")
    if fn is None:
        return functools.partial(
            differentiate,
            wrt=wrt,
            backend=backend,
            has_aux=has_aux,
            outputs=outputs,
            keep=keep,
            stable=stable,
        )
    function = fn.__wrapped__ if isinstance(fn, Differentiable | Bound) else fn
    refused = isinstance(function, Derivative) and function.transform not in ("grad", "elementwise_grad")
    if refused or isinstance(function, BoundDerivative | BoundPushforward) or _is_pushforward(function):
        raise UnsupportedError(
            f"`{getattr(function, '__name__', 'this')}` cannot be differentiated itself.",
            "the gradient of the function itself: differentiate(f.grad)",
        )
    if keep and isinstance(function, Derivative):
        raise WrtError("A derivative has no local variables to keep.", "keep where the function is named")
    if stable and keep:
        raise WrtError("stable and keep cannot be combined.", "vjp of a function that returns the values")
    function = marks.stable(function) if stable else function
    return Differentiable(function, wrt, backend, has_aux, outputs, keep)


def _is_pushforward(function: object) -> bool:
    return type(function).__module__ == "symdiff.tangents"


def grad(fn: Callable[..., Any], wrt: Any = 0, **options: Any) -> Derivative:
    """The gradient of a scalar function, as a function of the same arguments: `grad(f)(x)`."""
    return differentiate(fn, wrt=wrt, **options).grad


def value_and_grad(fn: Callable[..., Any], wrt: Any = 0, **options: Any) -> Derivative:
    """`(value, gradient)` of a scalar function, as a function of the same arguments."""
    return differentiate(fn, wrt=wrt, **options).value_and_grad


def vjp(fn: Callable[..., Any], wrt: Any = 0, **options: Any) -> Derivative:
    """`(value, pullback)`: `pullback(cotangent)` takes a cotangent like the value to gradients like `wrt`."""
    return differentiate(fn, wrt=wrt, **options).vjp


def jvp(fn: Callable[..., Any], **options: Any) -> Pushforward:
    """Forward mode: `jvp(f)(args, tangents)` is `(value, tangent)`; a tangent of None is zero."""
    return differentiate(fn, **options).jvp


def hvp(fn: Callable[..., Any], wrt: Any = 0, **options: Any) -> Pushforward:
    """The Hessian of a scalar function times a vector: `hvp(f)(args, v)`, `v` like what `wrt` names."""
    return differentiate(fn, wrt=wrt, **options).hvp


def elementwise_grad(fn: Callable[..., Any], wrt: Any = 0, **options: Any) -> Derivative:
    """The derivative of every element of a function that computes elements from one place each; of any other
    function of arrays, the gradient of the sum of its result."""
    return differentiate(fn, wrt=wrt, **options).elementwise_grad


def jacobian(fn: Callable[..., Any], wrt: Any = 0, mode: str | None = None, **options: Any) -> Jacobian:
    """All derivatives of all results, as a function of the same arguments: output shape + input shape.

    Containers give nested structures: for every leaf of the result one like what `wrt` names.  mode: "fwd",
    "rev", or None for the one with fewer directions.
    """
    made = differentiate(fn, wrt=wrt, **options).jacobian
    return made if mode is None else made.of(mode)


def hessian(fn: Callable[..., Any], wrt: Any = 0, **options: Any) -> Hessian:
    """The second derivatives of a scalar function: for every leaf of `wrt` one like what `wrt` names."""
    return differentiate(fn, wrt=wrt, **options).hessian


def per_example_grad(fn: Callable[..., Any], wrt: Any = 0, in_axes: Any = None, **options: Any) -> PerExample:
    """The gradient for every example of a batch, along the first axis of what it returns.

    in_axes: the arguments that hold one item per example along their first axis: names, or 0 and None for
    each parameter.  By default all arrays that `wrt` does not name.
    """
    from symdiff.modes import PerExample

    made = differentiate(fn, wrt=wrt, **options)
    return PerExample(made.__wrapped__, made.wrt, made.has_aux, made.backend, made.outputs, in_axes)
