"""scipy.special: hypergeometric functions, elliptic integrals and orthogonal polynomials.

Formulas: DLMF 13.3, 15.5, 18.9 and 19.4.  A degree, and a parameter of a polynomial, have no derivative rule.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from symdiff.ir.node import Node
from symdiff.ops.arithmetic import equal, less
from symdiff.ops.elementwise import where
from symdiff.ops.piecewise import absolute
from symdiff.ops.scipy.common import call, refused, special

hyp0f1, hyp1f1, hyp2f1, hyperu = map(call, ("hyp0f1", "hyp1f1", "hyp2f1", "hyperu"))

special("hyp0f1", "v, x", refused("hyp0f1", "v"), lambda v, x, y: hyp0f1(v + 1, x) / v, domain=(0.5, 2))
special(
    "hyp1f1",
    "a, b, x",
    refused("hyp1f1", "a"),
    refused("hyp1f1", "b"),
    lambda a, b, x, y: a / b * hyp1f1(a + 1, b + 1, x),
    domain=(0.5, 2),
)
special(
    "hyp2f1",
    "a, b, c, x",
    refused("hyp2f1", "a"),
    refused("hyp2f1", "b"),
    refused("hyp2f1", "c"),
    lambda a, b, c, x, y: a * b / c * hyp2f1(a + 1, b + 1, c + 1, x),
    domain=(0.3, 0.7),
)
special(
    "hyperu",
    "a, b, x",
    refused("hyperu", "a"),
    refused("hyperu", "b"),
    lambda a, b, x, y: -a * hyperu(a + 1, b + 1, x),
    domain=(0.5, 2),
)


def _series(first: float, ratio: Callable[[int], float], x: Node) -> Any:
    """sum of n c_n x^(n - 1), where c_n = c_{n-1} ratio(n): the slope of a power series."""
    coefficients = [first]
    for n in range(1, 9):
        coefficients.append(coefficients[-1] * ratio(n))
    total: Any = 0.0
    for n in range(8, 0, -1):
        total = n * coefficients[n] + x * total
    return total


def _elliptic(x: Node, away: Callable[[Node], Node], ratio: Callable[[int], float]) -> Node:
    """Near 0, where the integrals cancel, their series."""
    near = less(absolute(x), 0.01)
    series = _series(math.pi / 2, ratio, where(near, x, 0))
    return where(near, series, away(where(near, 0.5, x)))


ellipk, ellipe = call("ellipk"), call("ellipe")
special(
    "ellipk",
    "x",
    lambda x, y: _elliptic(
        x, lambda x: (ellipe(x) / (1 - x) - ellipk(x)) / (2 * x), lambda n: ((2 * n - 1) / (2 * n)) ** 2
    ),
    domain=(-0.5, 0.8),
)
special(
    "ellipe",
    "x",
    lambda x, y: _elliptic(
        x,
        lambda x: (ellipe(x) - ellipk(x)) / (2 * x),
        lambda n: ((2 * n - 1) / (2 * n)) ** 2 * (-1 if n == 1 else (2 * n - 3) / (2 * n - 1)),
    ),
    domain=(-0.5, 0.8),
)


def _lower(n: Node, factor: Any, name: str, *operands: Any) -> Any:
    """`factor` times a polynomial of degree n - 1; 0 where n is 0."""
    constant = equal(n, 0)
    if n.is_const:
        return 0 * operands[-1] if n.value == 0 else factor * call(name)(n - 1, *operands)
    return where(constant, 0, factor * call(name)(where(constant, 0, n - 1), *operands))


def _polynomial(name: str, parameters: str, slope: Callable[..., Node]) -> None:
    names = [one for one in parameters.split(", ") if one]
    special(
        name, ", ".join(["n", *names, "x"]), *(refused(name, one) for one in ("n", *names)),
        lambda *operands: slope(*operands[:-1]), domain=(0.2, 0.8),
    )  # fmt: skip


_polynomial(
    "eval_jacobi", "a, b", lambda n, a, b, x: _lower(n, 0.5 * (n + a + b + 1), "eval_jacobi", a + 1, b + 1, x)
)
_polynomial("eval_legendre", "", lambda n, x: _lower(n, 0.5 * (n + 1), "eval_jacobi", 1.0, 1.0, x))
_polynomial("eval_gegenbauer", "a", lambda n, a, x: _lower(n, 2 * a, "eval_gegenbauer", a + 1, x))
_polynomial("eval_chebyt", "", lambda n, x: _lower(n, n, "eval_chebyu", x))
_polynomial("eval_chebyu", "", lambda n, x: _lower(n, 2, "eval_gegenbauer", 2.0, x))
_polynomial("eval_hermite", "", lambda n, x: _lower(n, 2 * n, "eval_hermite", x))
_polynomial("eval_hermitenorm", "", lambda n, x: _lower(n, n, "eval_hermitenorm", x))
_polynomial("eval_laguerre", "", lambda n, x: _lower(n, -1, "eval_genlaguerre", 1.0, x))
_polynomial("eval_genlaguerre", "a", lambda n, a, x: _lower(n, -1, "eval_genlaguerre", a + 1, x))
