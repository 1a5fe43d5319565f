"""IR to cheaper equal IR: factors through sums, SymPy islands, dead code.

Enters: a derived program.  Leaves: an equal one that costs no more.  Invariant: the user's own nodes stay as they
are, and so does every value, up to rounding of the derived ones.
"""

from __future__ import annotations

from symdiff.ir.liveness import without_dead
from symdiff.ir.node import Function


def simplify(function: Function) -> Function:
    """All passes: islands with and without factors moved out of sums, whichever is cheaper."""
    from symdiff.simplify.cost import cost
    from symdiff.simplify.islands import simplify_islands
    from symdiff.simplify.linear import pulled, with_dots

    function = without_dead(function)
    variants = [function]
    moved = pulled(function)
    if moved is not function:
        variants.append(moved)
    return min((with_dots(simplify_islands(variant)) for variant in variants), key=cost)


__all__ = ["simplify"]
