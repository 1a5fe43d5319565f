"""IR to cheaper equal IR: rewrites, SymPy islands, dead code."""

from __future__ import annotations

from symdiff.ir.node import Function


def simplify(function: Function) -> Function:
    """All passes, in order."""
    from symdiff.simplify.islands import simplify_islands

    return simplify_islands(function)


__all__ = ["simplify"]
