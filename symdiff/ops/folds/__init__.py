"""Folds: cheaper equal nodes, applied while derived code is built and never to the user's own.

Enters: an operation with its operands.  Leaves: an equal cheaper node, or None.  Constants are computed,
identities removed, signs float outwards, broadcasts are absorbed by operands of full shape, and masks
move to the end of a product (`where(c, g, 0) * p` becomes `where(c, g * p, 0)`), so that a partial that
is NaN or infinite where the branch was not taken never meets a zero.  Sizes are taken from a parameter
that has them, so that no value is computed only to be measured.
"""

from symdiff.ops.folds import arithmetic, fitting, masks, shapes, updates

__all__ = ["arithmetic", "fitting", "masks", "shapes", "updates"]
