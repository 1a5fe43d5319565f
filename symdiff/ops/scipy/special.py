"""scipy.special: error functions, gamma functions, entropies, logarithms and their kin.

`x, a, b` are the operands, `y` the result.  Formulas: NIST Digital Library of Mathematical Functions,
https://dlmf.nist.gov; where one is not the textbook's, the reason stands beside it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from symdiff.errors import DtypeError
from symdiff.ir.node import Node
from symdiff.ops import infer
from symdiff.ops.arithmetic import equal, greater, less, less_equal, power_base, power_exponent
from symdiff.ops.elementwise import (
    cos,
    cosh,
    exp,
    floor,
    is_complex,
    log,
    log1p,
    sin,
    sinh,
    sqrt,
    where,
)
from symdiff.ops.piecewise import absolute, maximum, sign, sinc
from symdiff.ops.scipy import bessel, polynomials, sums
from symdiff.ops.scipy.common import call, masked, over, refused, several, special

__all__ = ["bessel", "polynomials", "sums"]  # the rest of scipy.special

PER_ROOT_PI = 2 / math.sqrt(math.pi)
PER_ROOT_2PI = 1 / math.sqrt(2 * math.pi)
ROOT2, DEGREE = math.sqrt(2), math.pi / 180

psi, polygamma, gamma, gammaln, betaln = map(call, ("psi", "polygamma", "gamma", "gammaln", "betaln"))
expit, erf, erfcx, expn, xlogy, xlog1py = map(call, ("expit", "erf", "erfcx", "expn", "xlogy", "xlog1py"))

# The error function


def _tail(s: Node) -> Node:
    """s + 3 s^2 + 15 s^3 + ...: of functions that approach 1/x, with s = 1/(2 x^2) below 1/1250."""
    total: Any = 1 + 17 * s
    for k in (15, 13, 11, 9, 7, 5, 3):
        total = 1 + k * s * total
    tail: Node = s * total
    return tail


def _erfcx_slope(x: Node, y: Node) -> Node:
    beyond = greater(x, 25)
    s = -0.5 / where(beyond, x, 25) ** 2
    return where(beyond, PER_ROOT_PI * _tail(s), 2 * x * where(beyond, 0, y) - PER_ROOT_PI)


def _dawsn_slope(x: Node, y: Node) -> Node:
    beyond = greater(absolute(x), 25)
    s = 0.5 / where(beyond, x, 25) ** 2
    return where(beyond, -_tail(s), 1 - 2 * where(beyond, 0, x) * y)


special("erf", "x", lambda x, y: PER_ROOT_PI * exp(-(x**2)), domain=(-2, 2))
special("erfc", "x", lambda x, y: -PER_ROOT_PI * exp(-(x**2)), domain=(-2, 2))
special("erfcx", "x", _erfcx_slope, domain=(-2, 2))
special("erfi", "x", lambda x, y: PER_ROOT_PI * exp(x**2), domain=(-2, 2))
special("dawsn", "x", _dawsn_slope, domain=(-2, 2))
special("erfinv", "x", lambda x, y: 1 / PER_ROOT_PI * exp(y**2), domain=(-0.9, 0.9))
special("erfcinv", "x", lambda x, y: -1 / PER_ROOT_PI * exp(y**2), domain=(0.1, 1.9))
special("wofz", "x", lambda x, y: 1j * PER_ROOT_PI - 2 * x * y, domain=(-2, 2))
special("ndtr", "x", lambda x, y: PER_ROOT_2PI * exp(-0.5 * x**2), domain=(-2, 2))
# The density over y is 0 / 0 far left.
special("log_ndtr", "x", lambda x, y: 2 * PER_ROOT_2PI / erfcx(x / -ROOT2), domain=(-3, 3))
special("ndtri", "x", lambda x, y: 1 / PER_ROOT_2PI * exp(0.5 * y**2), domain=(0.1, 0.9))
special("ndtri_exp", "x", lambda x, y: 0.5 / PER_ROOT_2PI * erfcx(y / -ROOT2), domain=(-3, -0.2))
special(
    "owens_t",
    "a, b",
    lambda a, b, y: -0.5 * PER_ROOT_2PI * exp(-0.5 * a**2) * erf(a * b / ROOT2),
    lambda a, b, y: PER_ROOT_2PI**2 * exp(-0.5 * a**2 * (1 + b**2)) / (1 + b**2),
    domain=(-2, 2),
)

# The gamma function


def _rgamma_slope(x: Node, y: Node) -> Node:
    """At the poles of gamma, where 1 / gamma is 0 and psi infinite, (-1)^n n!."""
    pole = equal(y, 0)
    at = cos(math.pi * where(pole, x, 0)) * gamma(1 - where(pole, x, 0))
    return where(pole, at, -psi(where(pole, 1, x)) * y)


def _psi_slope(x: Node, y: Node) -> Node:
    if is_complex(x):
        raise DtypeError("scipy.special.psi of complex numbers has no derivative rule.", "real numbers")
    return polygamma(1, x)


special("gamma", "x", lambda x, y: y * psi(x), domain=(0.5, 4))
special("gammaln", "x", lambda x, y: psi(x), domain=(0.5, 4))
special("loggamma", "x", lambda x, y: psi(x), domain=(0.5, 4))
special("rgamma", "x", _rgamma_slope, domain=(-2, 4))
special("gammasgn", "x")
special("psi", "x", _psi_slope, also=("digamma",), domain=(0.5, 4))
special("polygamma", "n, x", refused("polygamma", "n"), lambda n, x, y: polygamma(n + 1, x), domain=(0.5, 4))
special(
    "zeta",
    "x, q",
    refused("zeta", "x"),
    lambda x, q, y: -x * call("zeta")(x + 1, q),
    infer=infer.of_ufunc(np.logaddexp),  # floats as they are
    domain=(1.5, 4),
)
special(
    "beta",
    "a, b",
    lambda a, b, y: y * (psi(a) - psi(a + b)),
    lambda a, b, y: y * (psi(b) - psi(a + b)),
    domain=(0.5, 4),
)
special(
    "betaln",
    "a, b",
    lambda a, b, y: psi(a) - psi(a + b),
    lambda a, b, y: psi(b) - psi(a + b),
    domain=(0.5, 4),
)
special(
    "binom",
    "a, b",
    lambda a, b, y: y * (psi(a + 1) - psi(a - b + 1)),
    lambda a, b, y: y * (psi(a - b + 1) - psi(b + 1)),
    domain=(0.5, 2),
)
special(
    "poch",
    "a, b",
    lambda a, b, y: y * (psi(a + b) - psi(a)),
    lambda a, b, y: y * psi(a + b),
    domain=(0.5, 4),
)


def _gamma_density(a: Node, x: Node) -> Node:
    return exp(xlogy(a - 1, x) - x - gammaln(a))


def _beta_density(a: Node, b: Node, x: Node) -> Node:
    return exp(xlogy(a - 1, x) + xlog1py(b - 1, -x) - betaln(a, b))


for _name, _slope in (
    ("gammainc", lambda a, x, y: _gamma_density(a, x)),
    ("gammaincc", lambda a, x, y: -_gamma_density(a, x)),
    ("gammaincinv", lambda a, x, y: 1 / _gamma_density(a, y)),
    ("gammainccinv", lambda a, x, y: -1 / _gamma_density(a, y)),
):
    special(_name, "a, x", refused(_name, "a"), _slope, domain=(0.3, 0.9))
for _name, _of_x in (
    ("betainc", lambda a, b, x, y: _beta_density(a, b, x)),
    ("betaincc", lambda a, b, x, y: -_beta_density(a, b, x)),
    ("betaincinv", lambda a, b, x, y: 1 / _beta_density(a, b, y)),
    ("betainccinv", lambda a, b, x, y: -1 / _beta_density(a, b, y)),
):
    special(_name, "a, b, x", refused(_name, "a"), refused(_name, "b"), _of_x, domain=(0.3, 0.9))


def _student(df: Node, t: Node) -> Node:
    scale = exp(gammaln(0.5 * df + 0.5) - gammaln(0.5 * df)) / sqrt(math.pi * df)
    return scale * exp(-0.5 * (df + 1) * log1p(t**2 / df))


special("stdtr", "df, x", refused("stdtr", "df"), lambda df, x, y: _student(df, x), domain=(0.5, 2))
special("chdtr", "v, x", refused("chdtr", "v"), lambda v, x, y: 0.5 * _gamma_density(0.5 * v, 0.5 * x))
special("chdtrc", "v, x", refused("chdtrc", "v"), lambda v, x, y: -0.5 * _gamma_density(0.5 * v, 0.5 * x))
# Steps in k.
special("pdtr", "k, m", None, lambda k, m, y: -_gamma_density(floor(k) + 1, m))
special("pdtrc", "k, m", None, lambda k, m, y: _gamma_density(floor(k) + 1, m))

# Exponentials and logarithms


def exprel_slope(x: Node) -> Node:
    """(e^x x - e^x + 1) / x^2, and its Taylor series near 0, where that cancels."""
    near = less(absolute(x), 0.03)
    s = where(near, x, 0)
    series: Any = 0.0
    for n in range(7, -1, -1):
        series = (n + 1) / math.factorial(n + 2) + s * series
    away = where(near, 1, x)
    return where(near, series, (exp(away) - call("exprel")(away)) / away)


# y * (1 - y) is 0 from x = 37 on.
special("expit", "x", lambda x, y: y * expit(-x), domain=(-3, 3))
special("log_expit", "x", lambda x, y: expit(-x), domain=(-3, 3))
special("softplus", "x", lambda x, y: expit(x), infer=infer.of_ufunc(np.exp), domain=(-3, 3))
special("logit", "x", lambda x, y: 1 / (x * (1 - x)), domain=(0.1, 0.9))
special("exprel", "x", lambda x, y: exprel_slope(x), domain=(-2, 2))
special("cosm1", "x", lambda x, y: -sin(x), domain=(-3, 3))
special("expm1", "x", lambda x, y: exp(x), domain=(-2, 2))
special("log1p", "x", lambda x, y: 1 / (1 + x))
special("exp2", "x", lambda x, y: math.log(2) * y, domain=(-2, 2))
special("exp10", "x", lambda x, y: math.log(10) * y, domain=(-2, 2))
special("cbrt", "x", lambda x, y: 1 / (3 * y**2))
special("expi", "x", lambda x, y: exp(x) / x)
special("exp1", "x", lambda x, y: -exp(-x) / x)
special("expn", "n, x", refused("expn", "n"), lambda n, x, y: -expn(n - 1, x))
special("spence", "x", lambda x, y: masked(equal(x, 1), -1, lambda x: log(x) / (1 - x), x), domain=(1.1, 3))
special("wrightomega", "x", lambda x, y: y / (1 + y), domain=(-2, 2))
special("sindg", "x", lambda x, y: DEGREE * call("cosdg")(x), domain=(-90, 90))
special("cosdg", "x", lambda x, y: -DEGREE * call("sindg")(x), domain=(-90, 90))
special("tandg", "x", lambda x, y: DEGREE * (1 + y**2), domain=(-70, 70))
special("cotdg", "x", lambda x, y: -DEGREE * (1 + y**2), domain=(20, 80))
special("round", "x")
special("powm1", "a, b", power_base, lambda a, b, y: power_exponent(a, b, y + 1))

# 0 log y is 0 for all y.
special("xlogy", "a, b", lambda a, b, y: log(b), lambda a, b, y: over(a, b))
special("xlog1py", "a, b", lambda a, b, y: log1p(b), lambda a, b, y: over(a, 1 + b))
special("entr", "x", lambda x, y: -1 - log(x))
special("rel_entr", "a, b", lambda a, b, y: 1 + log(a / b), lambda a, b, y: -over(a, b))
special(
    "kl_div",
    "a, b",
    lambda a, b, y: log(a / b),
    lambda a, b, y: masked(equal(a, 0), 1, lambda a, b: (b - a) / b, a, b),
)


def _boxcox_slope(logarithm: Node, b: Node) -> Node:
    """d/db of (e^(b log x) - 1) / b"""
    return logarithm**2 * exprel_slope(b * logarithm)


special(
    "boxcox",
    "a, b",
    lambda a, b, y: exp((b - 1) * log(a)),
    lambda a, b, y: _boxcox_slope(log(a), b),
)
special(
    "boxcox1p",
    "a, b",
    lambda a, b, y: exp((b - 1) * log1p(a)),
    lambda a, b, y: _boxcox_slope(log1p(a), b),
)
special(
    "inv_boxcox",
    "a, b",
    lambda a, b, y: exp((1 - b) * log(y)),
    lambda a, b, y: -_boxcox_slope(log(y), b) * exp((1 - b) * log(y)),
)
special(
    "inv_boxcox1p",
    "a, b",
    lambda a, b, y: exp((1 - b) * log1p(y)),
    lambda a, b, y: -_boxcox_slope(log1p(y), b) * exp((1 - b) * log1p(y)),
)


def _pseudo(delta: Node, r: Node) -> Node:
    return sqrt(1 + (r / delta) ** 2)


def _pseudo_delta(delta: Node, r: Node, y: Node) -> Node:
    """2 delta (s - 1) - r^2 / (delta s), which cancels for small r."""
    s = _pseudo(delta, r)
    return r * (r / delta) ** 3 / (s * (1 + s) ** 2)


special(
    "huber",
    "delta, r",
    lambda delta, r, y: maximum(absolute(r) - delta, 0),
    lambda delta, r, y: where(less_equal(absolute(r), delta), r, delta * sign(r)),
)
special("pseudo_huber", "delta, r", _pseudo_delta, lambda delta, r, y: r / _pseudo(delta, r))

# Integrals, several at once

several("sici", lambda x, *y: sinc(x / math.pi), lambda x, *y: cos(x) / x)
several(
    "shichi",
    lambda x, *y: masked(equal(x, 0), 1, lambda x: sinh(x) / x, x),
    lambda x, *y: cosh(x) / x,
)
several("fresnel", lambda x, *y: sin(0.5 * math.pi * x**2), lambda x, *y: cos(0.5 * math.pi * x**2))
several(
    "airy",
    lambda x, ai, aip, bi, bip: aip,
    lambda x, ai, aip, bi, bip: x * ai,
    lambda x, ai, aip, bi, bip: bip,
    lambda x, ai, aip, bi, bip: x * bi,
)
