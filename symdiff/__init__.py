"""symdiff: derivatives of plain NumPy functions, as source an expert would have written."""

from symdiff.api import Differentiable, differentiate, grad, value_and_grad, vjp
from symdiff.errors import SymdiffError

__version__ = "0.1.0"
__all__ = ["Differentiable", "SymdiffError", "__version__", "differentiate", "grad", "value_and_grad", "vjp"]
