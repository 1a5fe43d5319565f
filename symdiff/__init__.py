"""symdiff: derivatives of plain NumPy functions, as source an expert would have written."""

from typing import TYPE_CHECKING, Any

from symdiff.api import (
    Differentiable,
    differentiate,
    elementwise_grad,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    per_example_grad,
    value_and_grad,
    vjp,
)
from symdiff.errors import SymdiffError
from symdiff.marks import checkpoint, rule, stop_gradient

if TYPE_CHECKING:
    from symdiff import optim
    from symdiff.fitting import History, fit
    from symdiff.testing import check_grads
    from symdiff.train import TrainStep, train_step

__version__ = "0.1.0"
__all__ = [
    "Differentiable",
    "History",
    "SymdiffError",
    "TrainStep",
    "__version__",
    "check_grads",
    "checkpoint",
    "differentiate",
    "elementwise_grad",
    "fit",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "optim",
    "per_example_grad",
    "rule",
    "stop_gradient",
    "train_step",
    "value_and_grad",
    "vjp",
]
_LATER = {
    "History": "fitting",
    "TrainStep": "train",
    "check_grads": "testing",
    "fit": "fitting",
    "optim": "optim",
    "train_step": "train",
}


def __getattr__(name: str) -> Any:
    """What only training needs is imported where it is first asked for."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module = import_module(f"{__name__}.{_LATER[name]}")
    return module if name == _LATER[name] else getattr(module, name)
