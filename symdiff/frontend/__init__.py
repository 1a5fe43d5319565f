"""Python source to IR: a partial evaluator over the `ast` of the user's function."""

from symdiff.frontend.arguments import (
    Described,
    Place,
    SizeCounter,
    describe,
    flatten,
    key_of,
    rebuilt,
    signature_key,
    stage,
    step_into,
)
from symdiff.frontend.captures import Capture, Guard
from symdiff.frontend.lower import Lowered, lower

__all__ = [
    "Capture",
    "Described",
    "Guard",
    "Lowered",
    "Place",
    "SizeCounter",
    "describe",
    "flatten",
    "key_of",
    "lower",
    "rebuilt",
    "signature_key",
    "stage",
    "step_into",
]
