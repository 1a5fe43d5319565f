"""Derivatives of many directions or examples as they are called: `f.jacobian`, `f.hessian`,
`f.per_example_grad`.

Enters: the arguments of a call.  Leaves: what the generated function gives.  Invariant: which mode a Jacobian
is computed in depends on the shapes alone; what a batch's generated function rests on was found for one
example of it.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from symdiff.dispatch import Derivative
from symdiff.errors import ShapeError, WrtError
from symdiff.frontend import Lowered, lower
from symdiff.frontend.arguments import field_of, fields_of
from symdiff.ir.types import Dims, Size
from symdiff.request import names_of, outputs_of, size_values
from symdiff.variants import Variant

if TYPE_CHECKING:
    from symdiff.pipeline import Request

MODES = (None, "fwd", "rev")


class Jacobian(Derivative):
    """`jacobian(*args)`: output shape + input shape, forward or reverse, whichever has fewer directions.

    mode: "fwd" or "rev" to have that one.
    """

    def __init__(
        self, callable_: Any, wrt: Any, aux: bool, backend: str, outputs: Any = (), mode: str | None = None
    ):
        if mode not in MODES:
            raise WrtError(f"There is no mode {mode!r} of a Jacobian.", "mode='fwd', mode='rev' or None")
        super().__init__(callable_, "jacobian", wrt, aux, backend, outputs)
        self.mode = mode
        self._given = (callable_, wrt, aux, backend, outputs)
        self._modes: dict[str, Jacobian] = {}

    def __call__(self, /, *args: Any, mode: str | None = None, **kwargs: Any) -> Any:
        if mode is not None and "mode" not in self.signature.parameters:
            return self.of(mode)(*args, **kwargs)
        if mode is not None:
            kwargs["mode"] = mode
        return super().__call__(*args, **kwargs)

    def of(self, mode: str) -> Jacobian:
        """The same in one mode."""
        if mode not in self._modes:
            self._modes[mode] = Jacobian(*self._given, mode)
        return self._modes[mode]

    def request(self, lowered: Lowered) -> Request:
        return replace(super().request(lowered), mode=self.mode or "rev")

    def _find(self, bound: inspect.BoundArguments) -> Variant:
        if self.mode is not None:
            return super()._find(bound)
        chosen = self.of(self._chosen(bound))
        variant = chosen._find(bound)
        if not chosen._static <= self._static:
            self._static |= chosen._static
            self._exact.clear()
        self._variants[None] = [variant]
        return variant

    def _renew(self) -> None:
        super()._renew()
        for one in self._modes.values():
            one._renew()

    def _chosen(self, bound: inspect.BoundArguments) -> str:
        """The mode with fewer directions."""
        if self.base is not None:
            return "fwd"
        outputs = outputs_of(self.outputs, self.signature, self.__wrapped__.__name__)
        lowered = lower(self.__wrapped__, bound, self._static, outputs)
        function = lowered.function
        wrt, _ = self.leaves(lowered)
        results = function.results
        if self.aux and function.tree.children:
            results = results[: function.tree.children[0].leaves()]
        sizes = size_values(lowered, bound)

        def total(types: Sequence[Dims | None]) -> int | None:
            count = 0
            for dims in types:
                found = function.sizes.resolve(dims)
                if found is None or any(isinstance(dim, Size) and dim.name not in sizes for dim in found):
                    return None
                lengths = [max(sizes[d.name] - d.less, 0) if isinstance(d, Size) else d for d in found]
                count += int(np.prod(lengths, dtype=int))
            return count

        into = total([one.type.dims for one in wrt])
        out = total([one.type.dims for one in results if one.type.dtype.startswith(("float", "longdouble"))])
        if into is None or out is None or into == out:
            # Forward mode saves nothing; without control flow there is nothing to save, and no transposition.
            return (
                "rev"
                if into == out is not None and not any(one.regions for one in function.nodes())
                else "fwd"
            )
        return "rev" if out < into else "fwd"


class Hessian(Derivative):
    """`hessian(*args)` of a scalar function: forward over reverse, all directions at once."""

    def __init__(self, gradient: Derivative, wrt: Any, aux: bool, backend: str, outputs: Any = ()):
        super().__init__(gradient, "hessian", wrt, aux, backend, outputs)

    def described(self) -> str:
        """The gradient in it is not named."""
        assert self.base is not None
        inner = self.base.base
        return self.base.described() if inner is None else inner.described()


class PerExample(Derivative):
    """`per_example_grad(*args)`: the gradient for every example of a batch, in one batched program.

    in_axes: the arguments that hold one item per example along their first axis: names, or 0 and None for
    each parameter; by default all arrays that `wrt` does not name.
    """

    def __init__(
        self, callable_: Any, wrt: Any, aux: bool, backend: str, outputs: Any = (), in_axes: Any = None
    ):
        super().__init__(callable_, "per_example_grad", wrt, aux, backend, outputs)
        self.in_axes = in_axes
        self._batched: tuple[str, ...] = ()

    def request(self, lowered: Lowered) -> Request:
        return replace(super().request(lowered), batched=self._batched)

    @property
    def source(self) -> str:
        latest = next(reversed(self._variants.values()), None)
        if latest:
            return latest[0].entry.source
        raise WrtError(
            f"{self.__name__} has no source before the first call.",
            "source_for(*args) with example arguments",
        )

    def _find(self, bound: inspect.BoundArguments) -> Variant:
        with self._lock:
            self._batched = self.batched(bound)
            single = inspect.BoundArguments(self.signature, dict(bound.arguments))
            lengths: dict[str, int] = {}
            for name in self._batched:
                single.arguments[name] = _first(bound.arguments[name], name, lengths)
            if len(set(lengths.values())) > 1:
                shown = ", ".join(f"`{place}` has {count}" for place, count in lengths.items())
                raise ShapeError(
                    f"The numbers of examples differ: {shown}.",
                    "in_axes=('x', 'y'), the names of the arguments that hold one item per example",
                )
            return super()._find(single)

    def _key(self, bound: inspect.BoundArguments) -> Any:
        return (self._batched, super()._key(bound))

    def batched(self, bound: inspect.BoundArguments) -> tuple[str, ...]:
        """The parameters that hold one item per example.  Raises WrtError where there is none."""
        names = list(self.signature.parameters)
        function = self.__wrapped__.__name__
        axes = self.in_axes
        if axes is None:
            shared = names_of(self.wrt, self.signature, function)
            found = tuple(
                name
                for name in names
                if name not in shared and name in bound.arguments and _has_axes(bound.arguments[name])
            )
        elif isinstance(axes, str) or all(isinstance(one, str) for one in axes):
            found = names_of(axes, self.signature, function)
        else:
            if len(axes) != len(names) or any(one not in (0, None) or one is False for one in axes):
                raise WrtError(
                    f"in_axes={axes!r} does not fit the parameters {', '.join(names)}.",
                    "names of arguments, or 0 and None for each parameter",
                )
            found = tuple(name for name, one in zip(names, axes, strict=True) if one == 0 and one is not None)
        if not found:
            raise WrtError(
                f"No argument of {function} holds one item per example.",
                "in_axes=('x',), the names of those that do",
            )
        return found


def _has_axes(value: Any) -> bool:
    """Whether all arrays in a value, of which there is one at least, have an axis."""
    arrays = [leaf for leaf in _leaves(value) if isinstance(leaf, np.ndarray)]
    return bool(arrays) and all(leaf.ndim for leaf in arrays)


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for one in value.values() for leaf in _leaves(one)]
    if isinstance(value, list | tuple):
        return [leaf for one in value for leaf in _leaves(one)]
    names = None if isinstance(value, np.ndarray) else fields_of(value)
    return [value] if names is None else [leaf for one in names for leaf in _leaves(field_of(value, one))]


def _first(value: Any, place: str, lengths: dict[str, int]) -> Any:
    """The first example of a batch.  lengths: by place, how many there are."""
    if isinstance(value, np.ndarray):
        if not value.ndim:
            raise ShapeError(f"`{place}` has no axis of examples.", "an array with one item per example")
        lengths[place] = len(value)
        return value[0] if len(value) else np.zeros(value.shape[1:], value.dtype)[()]
    if isinstance(value, dict):
        return {key: _first(one, f"{place}[{key!r}]", lengths) for key, one in value.items()}
    if isinstance(value, list | tuple):
        made = [_first(one, f"{place}[{i}]", lengths) for i, one in enumerate(value)]
        if isinstance(value, list):
            return made
        return tuple.__new__(type(value), made) if hasattr(value, "_fields") else tuple(made)
    raise ShapeError(
        f"`{place}` is a {type(value).__name__}, which holds no examples.",
        "arrays with one item per example, or in_axes, which names the arguments that hold them",
    )
