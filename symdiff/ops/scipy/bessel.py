"""scipy.special: Bessel functions and their kin, of real and complex arguments.

The order has no derivative rule: its derivative has no closed form.  Formulas: DLMF 10.6 and 10.29.
"""

from __future__ import annotations

from symdiff.ir.node import Node
from symdiff.ops.piecewise import sign
from symdiff.ops.scipy.common import call, refused, special

_ORDER = "the order as a constant: the derivative with respect to it has no closed form"


def _of_order(name: str, down: float, up: float, scale: str = "") -> None:
    """A family with f_v' = down f_{v-1} + up f_{v+1}.

    scale: "growing" for families that are multiplied by exp(-|x|), "decaying" for those by exp(x).
    """
    function = call(name)

    def slope(v: Node, x: Node, y: Node) -> Node:
        plain: Node = down * function(v - 1, x) + up * function(v + 1, x)
        return plain - sign(x) * y if scale == "growing" else plain + y if scale == "decaying" else plain

    special(name, "v, x", refused(name, "v", _ORDER), slope, domain=(0.5, 3))


for _name in ("jv", "yv", "yn", "hankel1", "hankel2"):
    _of_order(_name, 0.5, -0.5)
_of_order("iv", 0.5, 0.5)
_of_order("ive", 0.5, 0.5, "growing")
_of_order("kv", -0.5, -0.5)
_of_order("kn", -0.5, -0.5)
_of_order("kve", -0.5, -0.5, "decaying")

jv, yn, iv, ive, kn, kve = map(call, ("jv", "yn", "iv", "ive", "kn", "kve"))
j0, j1, y0, y1, i0, i1 = map(call, ("j0", "j1", "y0", "y1", "i0", "i1"))
i0e, i1e, k0, k1, k0e, k1e = map(call, ("i0e", "i1e", "k0", "k1", "k0e", "k1e"))

special("j0", "x", lambda x, y: -j1(x), domain=(-3, 3))
special("j1", "x", lambda x, y: 0.5 * (j0(x) - jv(2, x)), domain=(-3, 3))
special("y0", "x", lambda x, y: -y1(x), domain=(0.5, 3))
special("y1", "x", lambda x, y: 0.5 * (y0(x) - yn(2, x)), domain=(0.5, 3))
special("i0", "x", lambda x, y: i1(x), domain=(-2, 2))
special("i1", "x", lambda x, y: 0.5 * (i0(x) + iv(2, x)), domain=(-2, 2))
special("i0e", "x", lambda x, y: i1e(x) - sign(x) * y, domain=(-2, 2))
special("i1e", "x", lambda x, y: 0.5 * (i0e(x) + ive(2, x)) - sign(x) * y, domain=(-2, 2))
special("k0", "x", lambda x, y: -k1(x), domain=(0.5, 3))
special("k1", "x", lambda x, y: -0.5 * (k0(x) + kn(2, x)), domain=(0.5, 3))
special("k0e", "x", lambda x, y: y - k1e(x), domain=(0.5, 3))
special("k1e", "x", lambda x, y: y - 0.5 * (k0e(x) + kve(2, x)), domain=(0.5, 3))
