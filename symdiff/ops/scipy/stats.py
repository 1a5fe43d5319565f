"""scipy.stats: densities and distribution functions that are elementary.

Outside the support a density is 0 and its logarithm -inf: the derivative is 0 there.  A parameter outside its
domain, where SciPy gives NaN, has a derivative without meaning.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import scipy.stats as functions

from symdiff.errors import UnsupportedError
from symdiff.ir import types
from symdiff.ir.build import current
from symdiff.ir.control import values_of
from symdiff.ir.node import Node
from symdiff.ir.types import Type
from symdiff.ops import infer
from symdiff.ops.arithmetic import greater, greater_equal, less, less_equal
from symdiff.ops.axes import tril
from symdiff.ops.elementwise import exp, log, log1p, logical_and, where
from symdiff.ops.linalg import slogdet, solve
from symdiff.ops.lowering import known_rank, sugar, to_node, with_options
from symdiff.ops.piecewise import absolute, arctan2, maximum, minimum
from symdiff.ops.products import swapped
from symdiff.ops.reductions import add_reduce
from symdiff.ops.row import REGISTRY, Row, composite
from symdiff.ops.scipy import special
from symdiff.ops.scipy.common import call
from symdiff.ops.shaping import length

gammaln, betaln, xlogy, xlog1py = map(call, ("gammaln", "betaln", "xlogy", "xlog1py"))
ndtr, log_ndtr, expit, log_expit = map(call, ("ndtr", "log_ndtr", "expit", "log_expit"))
__all__ = ["special"]  # whose rows the formulas are made of
Formula = Callable[..., Node]
_FUNCTIONS = ("logpdf", "pdf", "logpmf", "pmf", "cdf", "logcdf", "sf", "logsf")


def _standard(x: Node, operands: tuple[Node, ...], names: tuple[str, ...]) -> tuple[Node, list[Node], Any]:
    """(x - loc) / scale, the shape parameters, and the scale."""
    given = dict(zip(names, operands[len(operands) - len(names) :], strict=True))
    if "loc" in given:
        x = x - given["loc"]
    scale = given.get("scale")
    return x if scale is None else x / scale, list(operands[: len(operands) - len(names)]), scale


def _inferred(x: Node, *operands: Node, names: tuple[str, ...] = ()) -> Type:
    return types.array("float64", infer.broadcast(x, *operands))


def _row(name: str, method: str, count: int, definition: Formula) -> None:
    """The row of one method of a distribution with `count` shape parameters."""
    distribution = getattr(functions, name)

    def lower(row: Row, x: Any, *args: Any, **options: Any) -> Node:
        values = list(args)
        shapes = [values.pop(0) if values else options.pop(one) for one in _shapes(distribution)]
        named = dict(zip(("loc", "scale"), values, strict=False)) | options
        return with_options(row, to_node(x), *map(to_node, shapes), **named)

    composite(
        getattr(distribution, method), "x, *operands, names=()", _inferred, definition,
        name=f"stats.{name}.{method}", spelling=f"scipy.stats.{name}.{method}", lower=lower,
    )  # fmt: skip


def _shapes(distribution: Any) -> list[str]:
    return [one.strip() for one in (distribution.shapes or "").split(",") if one.strip()]


def _density(name: str, count: int, logarithm: Formula, support: Formula | None = None) -> None:
    """`logpdf` and `pdf` from the logarithm of the standard density, and where it is not 0."""

    def logpdf(x: Node, *operands: Node, names: tuple[str, ...] = ()) -> Node:
        z, shapes, scale = _standard(x, operands, names)
        inside = None if support is None else support(z, *shapes)
        value = logarithm(z if inside is None else where(inside, z, 0.5), *shapes)
        value = value if scale is None else value - log(scale)
        return value if inside is None else where(inside, value, -math.inf)

    def pdf(*operands: Node, **attrs: Any) -> Node:
        return exp(logpdf(*operands, **attrs))

    _row(name, "logpdf", count, logpdf)
    _row(name, "pdf", count, pdf)


def _mass(name: str, count: int, logarithm: Formula) -> None:
    """`logpmf` and `pmf`, whose argument is a whole number."""

    def logpmf(x: Node, *operands: Node, names: tuple[str, ...] = ()) -> Node:
        z, shapes, _ = _standard(x, operands, names)
        inside = greater_equal(z, 0)
        return where(inside, logarithm(where(inside, z, 0), *shapes), -math.inf)

    _row(name, "logpmf", count, logpmf)
    _row(name, "pmf", count, lambda *operands, **attrs: exp(logpmf(*operands, **attrs)))


def _distribution(name: str, count: int, **formulas: Formula) -> None:
    """Distribution functions of the standard variable."""

    def definition(formula: Formula) -> Formula:
        def found(x: Node, *operands: Node, names: tuple[str, ...] = ()) -> Node:
            z, shapes, _ = _standard(x, operands, names)
            return formula(z, *shapes)

        return found

    for method, formula in formulas.items():
        _row(name, method, count, definition(formula))


def _positive(z: Node, *_: Node) -> Node:
    return greater_equal(z, 0)


def _unit(z: Node, *_: Node) -> Node:
    return logical_and(greater_equal(z, 0), less_equal(z, 1))


HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)

_density("norm", 0, lambda z: -0.5 * z**2 - HALF_LOG_2PI)
_distribution("norm", 0, cdf=ndtr, logcdf=log_ndtr, sf=lambda z: ndtr(-z), logsf=lambda z: log_ndtr(-z))
_density("expon", 0, lambda z: -z, _positive)
_distribution("expon", 0, cdf=lambda z: -call("expm1")(-maximum(z, 0)), sf=lambda z: exp(-maximum(z, 0)))
_density("laplace", 0, lambda z: -absolute(z) - math.log(2))
_distribution("laplace", 0, cdf=lambda z: _laplace_cdf(z), sf=lambda z: _laplace_cdf(-z))
_density("logistic", 0, lambda z: log_expit(z) + log_expit(-z))
_distribution(
    "logistic", 0, cdf=expit, logcdf=log_expit, sf=lambda z: expit(-z), logsf=lambda z: log_expit(-z)
)
_density("cauchy", 0, lambda z: -log1p(z**2) - math.log(math.pi))
_distribution("cauchy", 0, cdf=lambda z: arctan2(1, -z) / math.pi, sf=lambda z: arctan2(1, z) / math.pi)
_density("uniform", 0, lambda z: 0 * z, _unit)
_distribution("uniform", 0, cdf=lambda z: minimum(maximum(z, 0), 1))
_density("gumbel_r", 0, lambda z: -z - exp(-z))
_distribution("gumbel_r", 0, cdf=lambda z: exp(-exp(-z)), logcdf=lambda z: -exp(-z))
_density("halfnorm", 0, lambda z: -0.5 * z**2 + 0.5 * math.log(2 / math.pi), _positive)
_density("rayleigh", 0, lambda z: log(z) - 0.5 * z**2, _positive)
_density("gamma", 1, lambda z, a: xlogy(a - 1, z) - z - gammaln(a), _positive)
_density("beta", 2, lambda z, a, b: xlogy(a - 1, z) + xlog1py(b - 1, -z) - betaln(a, b), _unit)
_density(
    "chi2",
    1,
    lambda z, df: xlogy(0.5 * df - 1, z) - 0.5 * z - gammaln(0.5 * df) - 0.5 * math.log(2) * df,
    _positive,
)
_density(
    "t",
    1,
    lambda z, df: (
        gammaln(0.5 * df + 0.5)
        - gammaln(0.5 * df)
        - 0.5 * log(math.pi * df)
        - 0.5 * (df + 1) * log1p(z**2 / df)
    ),
)


def _from(inside: Formula, formula: Formula, below: float = 0.0) -> Formula:
    """A function of the standard variable that is constant before its support."""
    return lambda z, *shapes: where(
        inside(z, *shapes), formula(where(inside(z, *shapes), z, 0.5), *shapes), below
    )


stdtr, gammainc, gammaincc = map(call, ("stdtr", "gammainc", "gammaincc"))
_distribution(
    "t",
    1,
    cdf=lambda z, df: stdtr(df, z),
    sf=lambda z, df: stdtr(df, -z),
    logcdf=lambda z, df: log(stdtr(df, z)),
    logsf=lambda z, df: log(stdtr(df, -z)),
)
_distribution(
    "chi2",
    1,
    cdf=_from(_positive, lambda z, df: call("chdtr")(df, z)),
    sf=_from(_positive, lambda z, df: call("chdtrc")(df, z), 1.0),
)
_distribution(
    "gamma",
    1,
    cdf=_from(_positive, lambda z, a: gammainc(a, z)),
    sf=_from(_positive, lambda z, a: gammaincc(a, z), 1.0),
)
_distribution(
    "beta",
    2,
    cdf=_from(_unit, lambda z, a, b: call("betainc")(a, b, z)),
    sf=_from(_unit, lambda z, a, b: call("betaincc")(a, b, z)),
)
_distribution("poisson", 1, cdf=_from(_positive, lambda k, mu: call("pdtr")(k, mu)))
_distribution("poisson", 1, sf=_from(_positive, lambda k, mu: call("pdtrc")(k, mu), 1.0))
_density(
    "lognorm",
    1,
    lambda z, s: -0.5 * (log(z) / s) ** 2 - log(s * z) - HALF_LOG_2PI,
    lambda z, *_: greater(z, 0),
)
_density("invgamma", 1, lambda z, a: -(a + 1) * log(z) - gammaln(a) - 1 / z, lambda z, *_: greater(z, 0))
_density("weibull_min", 1, lambda z, c: log(c) + xlogy(c - 1, z) - z**c, _positive)
_density("pareto", 1, lambda z, b: log(b) - (b + 1) * log(z), lambda z, *_: greater_equal(z, 1))
_mass("poisson", 1, lambda k, mu: xlogy(k, mu) - gammaln(k + 1) - mu)
_mass("bernoulli", 1, lambda k, p: xlogy(k, p) + xlog1py(1 - k, -p))
_mass("geom", 1, lambda k, p: xlog1py(k - 1, -p) + log(p))
_mass(
    "binom",
    2,
    lambda k, n, p: gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1) + xlogy(k, p) + xlog1py(n - k, -p),
)


def _laplace_cdf(z: Node) -> Node:
    tail = 0.5 * exp(-absolute(z))
    return where(less(z, 0), tail, 1 - tail)


# Of vectors


def _symmetric(cov: Node) -> Node:
    """As SciPy has it, which reads the lower triangle."""
    return tril(cov) + swapped(tril(cov, k=-1))


def _normal(x: Node, mean: Node, cov: Node) -> Node:
    """The logarithm of the density of vectors along the last axis."""
    rank = known_rank(x, "scipy.stats.multivariate_normal.logpdf")
    if rank == 0 or known_rank(cov, "scipy.stats.multivariate_normal.logpdf") != 2:
        raise UnsupportedError(
            "scipy.stats.multivariate_normal is supported for vectors and a matrix.", "np.atleast_2d(cov)"
        )
    cov = _symmetric(cov)
    apart = x - mean
    white = solve(cov, apart) if rank == 1 else swapped(solve(cov, swapped(apart)))
    distance = add_reduce(apart * white, axis=-1)
    return -0.5 * (distance + values_of(slogdet(cov))[1]) - HALF_LOG_2PI * length(cov, axis=0)


def _normal_call(row: Row, x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Node:
    if mean is None or allow_singular:
        raise UnsupportedError(
            "scipy.stats.multivariate_normal is supported with a mean and a regular covariance."
        )
    return row(to_node(x), to_node(mean), to_node(cov))


def _infer_normal(x: Node, mean: Node, cov: Node) -> Type:
    dims = infer.broadcast(x, mean)
    if dims:
        current().sizes.unify(dims[-1], cov.type.dims[-1] if cov.type.dims else dims[-1])
    return types.array("float64", None if dims is None else dims[:-1])


def _entropy(mean: Node, cov: Node) -> Node:
    cov, rank = _symmetric(cov), length(cov, axis=0)
    return rank * (HALF_LOG_2PI + 0.5) + 0.5 * values_of(slogdet(cov))[1]


def _entropy_call(row: Row, mean: Any = None, cov: Any = 1) -> Node:
    mean, cov = to_node(0.0 if mean is None else mean), to_node(cov)
    if known_rank(cov, "scipy.stats.multivariate_normal.entropy") != 2:
        raise UnsupportedError("The entropy is supported for a matrix of covariances.", "np.atleast_2d(cov)")
    return row(mean, cov)


composite(
    functions.multivariate_normal.entropy,
    "mean, cov",
    lambda mean, cov: types.array("float64", ()),
    _entropy,
    name="stats.multivariate_normal.entropy",
    spelling="scipy.stats.multivariate_normal.entropy",
    lower=_entropy_call,
)


def _dirichlet(x: Node, alpha: Node) -> Node:
    if known_rank(x, "scipy.stats.dirichlet.logpdf") != 1:
        raise UnsupportedError("scipy.stats.dirichlet is supported for one vector.", "a loop over columns")
    return gammaln(add_reduce(alpha)) - add_reduce(gammaln(alpha)) + add_reduce(xlogy(alpha - 1, x))


def _vectors(name: str, text: str, inferred: Callable[..., Type], definition: Formula, **facts: Any) -> None:
    for method, formula in (
        ("logpdf", definition),
        ("pdf", lambda *operands: exp(definition(*operands))),
    ):
        composite(
            getattr(getattr(functions, name), method), text, inferred, formula, name=f"stats.{name}.{method}",
            spelling=f"scipy.stats.{name}.{method}", **facts,
        )  # fmt: skip


_vectors("multivariate_normal", "x, mean, cov", _infer_normal, _normal, lower=_normal_call)
_vectors("dirichlet", "x, alpha", lambda x, alpha: types.array("float64", ()), _dirichlet)


def _method(name: str) -> Callable[..., Any]:
    """The method as the class has it, called with its distribution."""

    def lower(distribution: Any, *args: Any, **kwargs: Any) -> Any:
        key = f"stats.{getattr(distribution, 'name', type(distribution).__name__)}.{name}"
        row = REGISTRY.get(key)
        if row is None or row.targets[0].__self__ is not distribution:
            shown = getattr(distribution, "name", type(distribution).__name__)
            raise UnsupportedError(f"scipy.stats.{shown}.{name} has no derivative rule.", "its formula")
        assert row.lower is not None
        return row.lower(row, *args, **kwargs)

    return lower


for _class in (functions.rv_continuous, functions.rv_discrete):
    for _name in _FUNCTIONS:
        if hasattr(_class, _name):
            sugar(
                getattr(_class, _name), _method(_name), name=f"stats.{_class.__name__}.{_name}",
                spelling=f"scipy.stats.{_class.__name__}.{_name}",
            )  # fmt: skip
