"""The public functions: `differentiate` and its functional spellings.

Enters: a plain Python function over NumPy arrays.  Leaves: `Differentiable` objects and their derivatives.
Invariant: decorating runs nothing and reads no source; a `Differentiable` calls exactly the user's function.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import FunctionType
from typing import Any, overload

from symdiff.callables import as_function
from symdiff.cost import Cost
from symdiff.dispatch import Derivative
from symdiff.errors import UnsupportedError, WrtError
from symdiff.request import check_outputs

BACKENDS = ("auto", "numpy")


class Differentiable:
    """A function together with its derivatives; calls as the function does.

    Attributes `grad`, `value_and_grad` and `vjp` are callables over the same arguments; each has `.source`,
    `.source_for(*args)`, `.path_for(*args)`, `.compiled_for(*args)` and `.cost(*args)`.
    """

    grad: Derivative
    value_and_grad: Derivative
    vjp: Derivative

    def __init__(
        self, function: Any, wrt: Any = 0, backend: str = "auto", has_aux: bool = False, outputs: Any = ()
    ):
        self.binding = "instance"
        if isinstance(function, staticmethod | classmethod):
            self.binding = "class" if isinstance(function, classmethod) else "nothing"
            function = function.__func__
        named = function if hasattr(function, "__name__") else as_function(function)
        functools.update_wrapper(self, named, updated=("__dict__",) * isinstance(function, FunctionType))
        self.__wrapped__ = function
        self.wrt, self.backend, self.has_aux, self.outputs = wrt, backend, has_aux, outputs
        for transform in ("grad", "value_and_grad", "vjp"):
            setattr(self, transform, Derivative(function, transform, wrt, has_aux, backend, outputs))

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return self.__wrapped__(*args, **kwargs)

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        if self.binding == "class":
            return Bound(self, owner)
        return self if instance is None or self.binding == "nothing" else Bound(self, instance)

    def __reduce__(self) -> str:
        return str(self.__wrapped__.__qualname__)

    def __repr__(self) -> str:
        return f"<differentiable {self.__wrapped__.__qualname__}>"


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


@overload
def differentiate(
    fn: Callable[..., Any],
    *,
    wrt: Any = 0,
    argnums: Any = None,
    backend: str = "auto",
    has_aux: bool = False,
    outputs: Any = (),
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
) -> Callable[[Callable[..., Any]], Differentiable]: ...


def differentiate(
    fn: Callable[..., Any] | None = None,
    *,
    wrt: Any = 0,
    argnums: Any = None,
    backend: str = "auto",
    has_aux: bool = False,
    outputs: Any = (),
) -> Any:
    """Make a function differentiable: `@differentiate` or `@differentiate(wrt=("w", "b"))`.

    wrt: the argument(s) to differentiate with respect to: a name, an index or a tuple of them; `argnums`
    is an alias.  has_aux: the function returns `(value, aux)` and only `value` is differentiated.
    outputs: names of arguments that the function writes into; the value is then a tuple of what it returns,
    if that is not None, and of their final contents, or the one itself where there is only one.
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
    if fn is None:
        return functools.partial(differentiate, wrt=wrt, backend=backend, has_aux=has_aux, outputs=outputs)
    function = fn.__wrapped__ if isinstance(fn, Differentiable | Bound) else fn
    if isinstance(function, Derivative | BoundDerivative):
        raise UnsupportedError(
            f"`{getattr(function, '__name__', 'this')}` is itself a derivative: "
            "second derivatives are not supported yet.",
            "the function itself",
        )
    return Differentiable(function, wrt, backend, has_aux, outputs)


def grad(fn: Callable[..., Any], wrt: Any = 0, **options: Any) -> Derivative:
    """The gradient of a scalar function, as a function of the same arguments: `grad(f)(x)`."""
    return differentiate(fn, wrt=wrt, **options).grad


def value_and_grad(fn: Callable[..., Any], wrt: Any = 0, **options: Any) -> Derivative:
    """`(value, gradient)` of a scalar function, as a function of the same arguments."""
    return differentiate(fn, wrt=wrt, **options).value_and_grad


def vjp(fn: Callable[..., Any], wrt: Any = 0, **options: Any) -> Derivative:
    """`(value, pullback)`: `pullback(cotangent)` takes a cotangent like the value to gradients like `wrt`."""
    return differentiate(fn, wrt=wrt, **options).vjp
