"""IR to cheaper equal IR: factors through sums, SymPy islands, dead code.

Enters: a derived program.  Leaves: an equal one that costs no more.  Invariant: the user's own nodes stay
as they are, and so does every value, up to rounding of the derived ones.
"""

from __future__ import annotations

from dataclasses import replace

from symdiff.ir.node import Function
from symdiff.ir.text import to_text
from symdiff.ir.tidy import without_dead


def simplify(function: Function) -> Function:
    """All passes, over a function and over those that it calls."""
    called = {name: _simplified(one) for name, one in function.functions.items()}
    return replace(_simplified(function), functions=called)


def _simplified(function: Function) -> Function:
    """All passes: islands with and without factors moved out of sums, whichever is cheaper."""
    from symdiff.simplify.cost import cost
    from symdiff.simplify.entries import with_entries_at_once
    from symdiff.simplify.islands import simplify_islands
    from symdiff.simplify.linear import pulled, with_dots, with_signs
    from symdiff.simplify.outer import without_outer_products
    from symdiff.simplify.places import with_places_written_once
    from symdiff.simplify.rebuild import without_copies

    function = without_dead(function)
    variants = [function]
    for products in (False, True):
        moved = pulled(function, products=products)
        if moved is not function and to_text(moved) not in map(to_text, variants[1:]):
            variants.append(moved)
    made = [with_dots(simplify_islands(variant)) for variant in variants]
    best = min(made, key=cost) if len(made) > 1 else made[0]
    return with_places_written_once(
        with_entries_at_once(without_copies(without_outer_products(with_signs(best))))
    )


__all__ = ["simplify"]
