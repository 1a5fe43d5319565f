"""Training: one generated function that computes a loss and updates its parameters.

Enters: a scalar function and an optimizer.  Leaves: a `TrainStep`, and from `fit` a `History`.  Invariant:
a step writes into the arrays of `wrt` and of its own state, and into nothing else; `fit` works on copies.
"""

from __future__ import annotations

import inspect
import operator
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from symdiff.api import Bound, Differentiable, differentiate
from symdiff.dispatch import Derivative
from symdiff.errors import SymdiffError, WrtError
from symdiff.optim import Hyperparameters, Optimizer, State
from symdiff.variants import Variant

if TYPE_CHECKING:
    from symdiff.autodiff.update import Step
    from symdiff.frontend import Lowered
    from symdiff.ir.node import Node, Path, Tree
    from symdiff.pipeline import Request

__all__ = ["TrainStep", "train_step"]


def train_step(loss: Callable[..., Any], optimizer: Optimizer, wrt: Any = None) -> TrainStep:
    """A function that takes the arguments of `loss`, updates those in `wrt` in place, and returns the loss.

    loss: returns one scalar; a function or a `Differentiable` (whose `has_aux` is kept).  wrt: as for
    `differentiate`; by default what the `Differentiable` says, otherwise the first argument.  The arrays in
    `wrt` are the caller's own and hold the new parameters after the call; the value is that of the old
    ones.

    Raises SymdiffError at the call for parameters that cannot be updated in place: Python floats, NumPy
    scalars, read-only arrays, and arrays that share memory.
    """
    if not isinstance(optimizer, Optimizer):
        raise SymdiffError(
            f"{optimizer!r} is no optimizer.", "symdiff.optim.sgd(lr=0.01), or an Optimizer(...)"
        )
    made = as_differentiable(loss)
    if wrt is not None:
        made = differentiate(made.__wrapped__, wrt=wrt, backend=made.backend, has_aux=made.has_aux)
    return TrainStep(made.__wrapped__, optimizer, made.wrt, made.has_aux, made.backend)


def as_differentiable(loss: Any) -> Differentiable:
    if isinstance(loss, Bound):
        raise WrtError(
            f"{loss.__name__} is bound to its instance, which holds the parameters.",
            f"pass {type(loss.__self__).__name__}.{loss.__name__}, and the instance as its first argument",
        )
    return loss if isinstance(loss, Differentiable) else differentiate(loss)


class TrainStep(Derivative):
    """`step(*args)`: see `train_step`.

    state: by name, arrays in the structure of the parameters (objects become dicts of their attributes);
    made at the first call.  hyperparameters: a dict that takes effect at the next call.  Both are inputs of
    the generated function, which `.source`, `.source_for(*args)`, `.path_for(*args)` and
    `.compiled_for(*args)` show.
    """

    def __init__(self, function: Callable[..., Any], optimizer: Optimizer, wrt: Any, aux: bool, backend: str):
        super().__init__(function, "step", wrt, aux, backend)
        self.optimizer = optimizer
        self.hyperparameters = Hyperparameters(optimizer.hyperparameters)
        self._summary = f"One {_plain(optimizer.name)} step on {{0}} for {{1}}."
        self._positions: list[int] | None = None
        self._state: State = {}
        self._made = False
        self._seen: list[ndarray] = []

    @property
    def state(self) -> State:
        return self._state

    @state.setter
    def state(self, state: State) -> None:
        self._state, self._made, self._seen = state, True, []

    def reset(self) -> None:
        """Forget the state; the next call starts from the optimizer's initial one."""
        self._state, self._made, self._seen = {}, False, []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.admit(args, kwargs)
        return super().__call__(*args, **kwargs)

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters that are updated."""
        from symdiff.request import names_of

        return names_of(self.wrt, self.signature, self.__name__)

    def admit(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Check the parameters of a call, and make their state where there is none.

        The arrays of the latest call are known to be good; any other goes through every check.
        """
        positions = self._positions
        if positions is None:
            positions = self._positions = _positions(self.signature, self.names)
        found: list[Any] = []
        if kwargs or len(args) <= max(positions):
            arguments = self._bound(args, kwargs).arguments
            for name in self.names:
                _collect(arguments[name], found)
        else:
            for position in positions:
                _collect(args[position], found)
        seen = self._seen
        known = len(found) == len(seen) and all(map(operator.is_, found, seen))
        if not known or not all([leaf.flags.writeable for leaf in seen]):
            self._check(self._bound(args, kwargs).arguments)
            self._seen = found

    def _check(self, arguments: dict[str, Any]) -> None:
        from symdiff.frontend.arguments import describe, flatten

        described = {name: describe(value, (name, ())) for name, value in arguments.items()}
        chosen: list[tuple[str, ndarray]] = []
        others: list[ndarray] = []
        for name, value in arguments.items():
            leaves = flatten(value, described[name].tree)
            if name in self.names:
                for leaf, one in zip(described[name].leaves, leaves, strict=True):
                    if type(one) is not int:
                        chosen.append((shown(name, leaf.path), _updatable(shown(name, leaf.path), one)))
            else:
                others += [one for one in leaves if isinstance(one, ndarray)]
        require_apart(chosen, others)
        fresh = self._initial(arguments, {name: one.tree for name, one in described.items()})
        if not self._made:
            self._state, self._made = fresh, True
        elif _shapes(fresh) != _shapes(self._state):
            raise SymdiffError(
                "The optimizer's state belongs to parameters of another structure or of other shapes.",
                "step.reset(), or a train_step of its own for these parameters",
            )

    def _initial(self, arguments: dict[str, Any], trees: dict[str, Tree]) -> State:
        from symdiff.frontend.arguments import flatten

        state: State = {}
        many = isinstance(self.wrt, tuple | list)
        for name in self.names:
            made = [_state_of(self.optimizer, leaf) for leaf in flatten(arguments[name], trees[name])]
            for key in next((one for one in made if one is not None), {}):
                mirrored = _mirror(trees[name], iter([None if one is None else one[key] for one in made]))
                if many:
                    state.setdefault(key, {})[name] = mirrored
                else:
                    state[key] = mirrored
        return state

    # Compiling

    def _variant(self, lowered: Lowered, request: Request, bound: inspect.BoundArguments | None) -> Variant:
        names: dict[str, str] = {}
        step, outside, guards = self._step(lowered, request.wrt, bound, names)
        further = [replace(capture, name=names[name]) for name, capture in outside.items()]
        lowered = replace(lowered, captures=(*lowered.captures, *further), guards=(*lowered.guards, *guards))
        variant = super()._variant(lowered, replace(request, step=step), bound)
        own = [name for name in names if name not in outside]  # read at each call, and never of another kind
        variant.captures += [(names[name], self._reader(name), None, _no_key) for name in own]
        variant.plain = False
        return variant

    def _reader(self, name: str) -> Callable[[], object]:
        if name == "":
            return lambda: self._state
        return lambda: self.hyperparameters[name]

    def _step(
        self,
        lowered: Lowered,
        wrt: tuple[Node, ...],
        bound: inspect.BoundArguments | None,
        names: dict[str, str],
    ) -> tuple[Step, dict[str, Any], list[Any]]:
        """The updates of all leaves; fills `names`."""
        from symdiff.autodiff.update import Step, Update

        taken = {parameter.name for parameter in lowered.function.parameters}
        updates, programs = [], {}
        many = isinstance(self.wrt, tuple | list)
        for node in wrt:
            leaf = _sample(_value_of(node, bound))
            state = _state_of(self.optimizer, leaf) or {}
            key = (leaf.dtype, tuple(n == 1 for n in leaf.shape))
            if key not in programs:
                programs[key] = self._lowered_update(leaf, state)
            path = tuple(("item", k) for _, k in node.attr("path"))
            if many:
                path = (("item", node.attr("parameter")), *path)
            alike = frozenset(k for k, v in state.items() if (v.dtype, v.shape) == (leaf.dtype, leaf.shape))
            updates.append(Update(node, programs[key].function, path, tuple(state), alike))
        if any(update.state for update in updates):
            names[""] = _fresh("state", taken)
        names.update((name, _fresh(name, taken)) for name in self.optimizer.hyperparameters)
        outside = {capture.name: capture for made in programs.values() for capture in made.captures}
        names.update((name, _fresh(name, taken)) for name in outside)
        guards = [guard for made in programs.values() for guard in made.guards]
        return Step(self.optimizer.name, tuple(updates), names, tuple(outside)), outside, guards

    def _lowered_update(self, leaf: ndarray, state: State) -> Lowered:
        from symdiff.frontend import lower

        update = self.optimizer.update
        try:
            bound = inspect.signature(update).bind(leaf, leaf, state, **self.optimizer.hyperparameters)
        except TypeError as error:
            raise SymdiffError(
                f"The update of {self.optimizer.name} cannot be called: {error}.",
                f"def update(param, grad, state, {', '.join(self.optimizer.hyperparameters)}): ...",
            ) from None
        made = lower(update, bound)  # type: ignore[arg-type]
        if made.static:
            raise SymdiffError(f"The update of {self.optimizer.name} depends on the value of an integer.")
        return made


def _positions(signature: inspect.Signature, names: tuple[str, ...]) -> list[int]:
    """Where the parameters stand in a call; beyond every call for those without a position of their own."""
    order = list(signature.parameters)
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [order.index(n) if signature.parameters[n].kind in plain else sys.maxsize for n in names]


def _plain(name: str) -> str:
    return name.replace("{", "{{").replace("}", "}}")


def _no_key() -> None:
    """The key of an input that every generated function takes as it is."""


def _sample(leaf: ndarray) -> ndarray:
    """An array of the same type, of lengths that are equal only where they are 1."""
    return np.zeros([1 if length == 1 else axis + 2 for axis, length in enumerate(leaf.shape)], leaf.dtype)


def _fresh(name: str, taken: set[str]) -> str:
    new, count = name, 0
    while new in taken or new in ("np", "math", "copy", "dataclasses", "fit_like", "float"):
        count += 1
        new = f"{name}_{count}"
    taken.add(new)
    return new


def _value_of(node: Node, bound: inspect.BoundArguments | None) -> ndarray:
    """The array behind a leaf; a vector stands for it where there is no call."""
    from symdiff.frontend.arguments import step_into

    if bound is None:
        return np.zeros(2)
    value = bound.arguments[node.attr("parameter")]
    for step in node.attr("path"):
        value = step_into(value, step)
    return _updatable(shown(node.attr("parameter"), node.attr("path")), value)


def _collect(value: Any, found: list[Any]) -> None:
    """The arrays and floats of an argument, in order."""
    kind = type(value)
    if kind is ndarray or kind is float:
        found.append(value)
    elif kind is dict:
        for item in value.values():
            _collect(item, found)
    elif kind is list or kind is tuple:
        for item in value:
            _collect(item, found)
    elif kind is not int and kind is not str and value is not None:
        from symdiff.frontend.arguments import describe, flatten

        found += [leaf for leaf in flatten(value, describe(value, ("", ())).tree) if type(leaf) is not int]


def shown(name: str, path: Path) -> str:
    """A place as the user writes it."""
    from symdiff.frontend import arguments

    return arguments.shown((name, path))


def _updatable(place: str, leaf: Any) -> ndarray:
    if not isinstance(leaf, ndarray):
        raise SymdiffError(
            f"`{place}` is a {type(leaf).__name__}, which cannot be updated in place.", "pass np.array(x)"
        )
    if not leaf.flags.writeable:
        raise SymdiffError(f"`{place}` is read-only and cannot be updated in place.", "pass a copy")
    return leaf


def require_apart(chosen: list[tuple[str, ndarray]], others: list[ndarray]) -> None:
    """Two arrays that share memory would be updated twice, or one with the other's new value."""
    for k, (place, leaf) in enumerate(chosen):
        for other_place, other in chosen[:k]:
            if _overlap(leaf, other):
                raise SymdiffError(
                    f"`{other_place}` and `{place}` share memory.",
                    "pass a copy of one, or one array that the function uses twice",
                )
        if any(_overlap(leaf, other) for other in others):
            raise SymdiffError(
                f"`{place}` shares memory with an argument that is not updated.", "pass a copy"
            )


def _overlap(a: ndarray, b: ndarray) -> bool:
    if not np.may_share_memory(a, b):
        return False
    try:
        return np.shares_memory(a, b, max_work=10_000)  # type: ignore[arg-type]  # any number, says its manual
    except np.exceptions.TooHardError:
        return True


def _state_of(optimizer: Optimizer, leaf: Any) -> State | None:
    """The initial state of one leaf; None for what is not updated."""
    if not isinstance(leaf, ndarray):
        return None
    state: Any = optimizer.init(leaf)
    if not isinstance(state, dict) or not all(isinstance(one, ndarray) for one in state.values()):
        raise SymdiffError(
            f"`init` of {optimizer.name} does not return a dict of arrays.",
            'return {"velocity": np.zeros_like(param)}',
        )
    if any(np.may_share_memory(one, leaf) for one in state.values()):
        raise SymdiffError(
            f"The state that `init` of {optimizer.name} makes is the parameter.", "param.copy()"
        )
    return state


def _mirror(tree: Tree, leaves: Iterator[Any]) -> Any:
    """Arrays in the structure of a parameter, in dicts and lists; None where the parameter holds no array."""
    if tree.kind == "leaf":
        return next(leaves)
    if tree.kind == "static":
        return None
    children = [_mirror(child, leaves) for child in tree.children]
    return children if tree.kind in ("list", "tuple") else dict(zip(tree.keys, children, strict=True))


def _shapes(state: Any) -> Any:
    if isinstance(state, dict):
        return {key: _shapes(item) for key, item in state.items()}
    if isinstance(state, list):
        return [_shapes(item) for item in state]
    return None if state is None else (state.shape, state.dtype)
