"""Optimizers: how a parameter is updated, given its gradient.

Enters: hyperparameters.  Leaves: an `Optimizer` for `train_step` and `fit`.  Invariant: an update is a
plain function over NumPy arrays, compiled by the same front end as every other function; its
hyperparameters are inputs of the generated function, so that changing one compiles nothing.

    def adagrad_update(param, grad, state, lr, eps):
        squares = state["squares"] + grad**2
        return param - lr * grad / (np.sqrt(squares) + eps), {"squares": squares}

    def adagrad_init(param):
        return {"squares": np.zeros_like(param)}

    adagrad = Optimizer("Adagrad", adagrad_update, adagrad_init, {"lr": 0.1, "eps": 1e-8})
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symdiff.errors import SymdiffError

State = dict[str, Any]


def stateless(param: Any) -> State:
    """The state of an optimizer that keeps none."""
    return {}


@dataclass(frozen=True)
class Optimizer:
    """A rule that updates one array.

    name: as it stands in generated code and in errors.  update: `update(param, grad, state,
    **hyperparameters) -> (new_param, new_state)`: a plain function; param and grad are arrays of one shape
    and dtype, state is a dict of arrays, hyperparameters are Python floats.  init: `init(param) -> state`:
    the arrays (of any shape; usually that of param) before the first update.  hyperparameters: names and
    values of the update's further arguments.  Raises SymdiffError for a hyperparameter that is not a
    number.
    """

    name: str
    update: Callable[..., tuple[Any, State]]
    init: Callable[[Any], State] = stateless
    hyperparameters: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        numbers = {name: as_number(name, value) for name, value in self.hyperparameters.items()}
        object.__setattr__(self, "hyperparameters", numbers)


class Hyperparameters(dict[str, float]):
    """The values that a step uses from its next call on; only those that the optimizer has."""

    def __setitem__(self, name: str, value: float) -> None:
        if name not in self:
            raise SymdiffError(f"There is no hyperparameter {name!r}.", f"one of {', '.join(self)}")
        super().__setitem__(name, as_number(name, value))

    def update(self, *args: Any, **kwargs: float) -> None:
        for name, value in dict(*args, **kwargs).items():
            self[name] = value


def as_number(name: str, value: Any) -> float:
    """A hyperparameter as a Python float, which leaves the dtype of every parameter as it is."""
    if isinstance(value, bool | np.bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise SymdiffError(
            f"The hyperparameter {name} is {value!r}.",
            "a number; what is no number selects another update function",
        )
    return float(value)


def sgd(lr: float = 0.01, momentum: float = 0.0, nesterov: bool = False) -> Optimizer:
    """Stochastic gradient descent with a fixed learning rate.

    With momentum as in Sutskever et al., "On the importance of initialization and momentum in deep
    learning" (ICML 2013), in the form that PyTorch gives it: velocity = momentum * velocity + grad; the
    step is lr * velocity, or lr * (grad + momentum * velocity) with `nesterov`.

    Raises SymdiffError unless lr > 0, 0 <= momentum < 1, and momentum > 0 with `nesterov`.
    """
    lr, momentum = as_number("lr", lr), as_number("momentum", momentum)
    if not 0 < lr < math.inf:
        raise SymdiffError(f"sgd: lr is {lr}.", "a positive number, such as lr=0.01")
    if not 0 <= momentum < 1:
        raise SymdiffError(f"sgd: momentum is {momentum}.", "a number from 0 up to, not including, 1")
    if nesterov and not momentum:
        raise SymdiffError("sgd: nesterov needs a momentum.", "sgd(momentum=0.9, nesterov=True)")
    if not momentum:
        return Optimizer("SGD", _sgd, stateless, {"lr": lr})
    update, name = (_nesterov, "Nesterov SGD") if nesterov else (_momentum, "momentum SGD")
    return Optimizer(name, update, _at_rest, {"lr": lr, "momentum": momentum})


def _at_rest(param: Any) -> State:
    return {"velocity": np.zeros_like(param)}


def _sgd(param: Any, grad: Any, state: State, lr: float) -> tuple[Any, State]:
    param = param - lr * grad
    return param, state


def _momentum(param: Any, grad: Any, state: State, lr: float, momentum: float) -> tuple[Any, State]:
    velocity = momentum * state["velocity"] + grad
    param = param - lr * velocity
    return param, {"velocity": velocity}


def _nesterov(param: Any, grad: Any, state: State, lr: float, momentum: float) -> tuple[Any, State]:
    velocity = momentum * state["velocity"] + grad
    param = param - lr * (grad + momentum * velocity)
    return param, {"velocity": velocity}
