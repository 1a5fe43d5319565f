"""Functions of scipy.special and their derivatives against mpmath, and at places of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.special
import scipy.stats
from ops.evaluate import evaluate
from ops.samples import Sample, args
from ops.specs import specs_of

import symdiff
from symdiff.errors import UnsupportedError
from symdiff.ops.row import REGISTRY

m = mpmath
ROOT2 = m.sqrt(2)
FUNCTIONS: dict[str, tuple[Callable[..., Any], list[tuple[float, ...]]]] = {
    "erf": (m.erf, [(-3.0,), (0.0,), (1.5,)]),
    "erfc": (m.erfc, [(-3.0,), (0.5,), (5.0,)]),
    "erfcx": (lambda x: m.exp(x**2) * m.erfc(x), [(-1.0,), (0.5,), (8.0,), (24.0,), (26.0,), (300.0,)]),
    "erfi": (m.erfi, [(-1.0,), (0.5,)]),
    "dawsn": (
        lambda x: m.sqrt(m.pi) / 2 * m.exp(-(x**2)) * m.erfi(x), [(-2.0,), (0.5,), (12.0,), (26.0,)]
    ),
    "erfinv": (m.erfinv, [(-0.9,), (0.3,)]),
    "ndtr": (m.ncdf, [(-5.0,), (1.0,)]),
    "log_ndtr": (lambda x: m.log(m.erfc(-x / ROOT2) / 2), [(-50.0,), (-1.0,), (3.0,)]),
    "gamma": (m.gamma, [(-1.5,), (0.3,), (5.0,)]),
    "gammaln": (m.loggamma, [(0.3,), (50.0,)]),
    "rgamma": (m.rgamma, [(-2.0,), (-1.0,), (0.0,), (0.5,), (3.0,)]),
    "psi": (m.digamma, [(-1.5,), (0.3,), (5.0,)]),
    "beta": (m.beta, [(0.5, 1.5), (3.0, 2.0)]),
    "poch": (m.rf, [(0.5, 1.5), (3.0, 2.5)]),
    "binom": (m.binomial, [(2.5, 1.5)]),
    "expit": (lambda x: 1 / (1 + m.exp(-x)), [(-40.0,), (0.0,), (40.0,)]),
    "log_expit": (lambda x: -m.log(1 + m.exp(-x)), [(-40.0,), (0.5,), (40.0,)]),
    "logit": (lambda x: m.log(x / (1 - x)), [(0.1,), (0.9,)]),
    "exprel": (lambda x: m.expm1(x) / x, [(-2.0,), (1e-9,), (0.02,), (0.04,), (3.0,)]),
    "cosm1": (lambda x: m.cos(x) - 1, [(0.1,), (2.0,)]),
    "expi": (m.ei, [(0.5,), (2.0,)]),
    "exp1": (m.e1, [(0.5,), (2.0,)]),
    "spence": (lambda x: m.polylog(2, 1 - x), [(0.3,), (1.0,), (1.9,)]),
    "xlogy": (lambda a, b: a * m.log(b), [(2.0, 0.5)]),
    "entr": (lambda x: -x * m.log(x), [(0.3,)]),
    "rel_entr": (lambda a, b: a * m.log(a / b), [(0.3, 0.7)]),
    "kl_div": (lambda a, b: a * m.log(a / b) - a + b, [(0.3, 0.7), (0.5, 0.6)]),
    "boxcox": (lambda x, b: (x**b - 1) / b, [(2.0, 0.5), (2.0, 1e-7), (0.3, -1.5)]),
    "pseudo_huber": (lambda d, r: d**2 * (m.sqrt(1 + (r / d) ** 2) - 1), [(1.5, 0.01), (0.5, 3.0)]),
    "ellipk": (m.ellipk, [(-0.5,), (1e-6,), (0.009,), (0.011,), (0.9,)]),
    "ellipe": (m.ellipe, [(-0.5,), (1e-6,), (0.009,), (0.011,), (0.9,)]),
    "owens_t": (
        lambda h, a: m.quad(lambda t: m.exp(-(h**2) * (1 + t**2) / 2) / (1 + t**2), [0, a]) / (2 * m.pi),
        [(0.5, 0.7)],
    ),
    **{
        name: (lambda x, f=f, v=v: f(v, x), [(0.5,), (2.5,)])
        for name, f, v in (
            ("j0", m.besselj, 0), ("j1", m.besselj, 1), ("y0", m.bessely, 0), ("y1", m.bessely, 1),
            ("i0", m.besseli, 0), ("i1", m.besseli, 1), ("k0", m.besselk, 0), ("k1", m.besselk, 1),
        )
    },
    **{
        name: (lambda x, f=f, v=v, s=s: m.exp(s * x) * f(v, x), [(0.5,), (2.5,)])
        for name, f, v, s in (
            ("i0e", m.besseli, 0, -1), ("i1e", m.besseli, 1, -1), ("k0e", m.besselk, 0, 1),
            ("k1e", m.besselk, 1, 1),
        )
    },
}  # fmt: skip


def derivatives(name: str, point: tuple[float, ...]) -> list[float]:
    one = Sample(REGISTRY[f"special.{name}"], lambda r: args(*map(np.asarray, point)))
    parts = iter(evaluate(one.pulled_back(one.function, [0]), *one.values, np.float64(1)))
    return [float(next(parts)) if reached else 0.0 for reached in one.reached]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_and_partials(name: str) -> None:
    function, points = FUNCTIONS[name]
    with m.workdps(40):
        for point in points:
            exact = [m.mpf(x) for x in point]
            value = getattr(scipy.special, name)(*point)
            if name != "spence" or point != (1.0,):
                np.testing.assert_allclose(value, float(function(*exact)), rtol=1e-11, atol=1e-300)
            orders = np.eye(len(point), dtype=int).tolist()
            want = [float(m.re(m.diff(function, tuple(exact), tuple(order)))) for order in orders]
            np.testing.assert_allclose(derivatives(name, point), want, rtol=1e-11, atol=1e-300)


@pytest.mark.parametrize(
    ("name", "point", "want"),
    [
        ("xlogy", (0.0, 0.0), [-np.inf, 0.0]),
        ("xlogy", (0.0, 2.0), [np.log(2.0), 0.0]),
        ("xlog1py", (0.0, -1.0), [-np.inf, 0.0]),
        ("rel_entr", (0.0, 2.0), [-np.inf, 0.0]),
        ("kl_div", (0.0, 2.0), [-np.inf, 1.0]),
        ("expit", (800.0,), [0.0]),
        ("log_ndtr", (1e5,), [0.0]),
        ("log_ndtr", (-1e8,), [1e8]),
        ("huber", (1.0, 3.0), [2.0, 1.0]),
        ("huber", (1.0, -0.5), [0.0, -0.5]),
    ],
)
def test_special_places(name: str, point: tuple[float, ...], want: list[float]) -> None:
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(derivatives(name, point), want, rtol=1e-12)


def test_logsumexp_far_out() -> None:
    x = np.array([1000.0, 999.0, -np.inf])
    want = np.array([1, np.exp(-1), 0]) / (1 + np.exp(-1))
    np.testing.assert_allclose(symdiff.grad(lambda x: scipy.special.logsumexp(x))(x), want)


@pytest.mark.parametrize(
    ("function", "point"),
    [
        (lambda v: scipy.special.jv(v, 1.0), 2.0),
        (lambda a: scipy.special.gammainc(a, 1.0), 2.0),
        (lambda a: scipy.special.betainc(a, 1.0, 0.5), 2.0),
        (lambda n: scipy.special.eval_legendre(n, 0.5), 2.0),
    ],
)
def test_parameters_without_a_rule_are_refused(function: Any, point: float) -> None:
    with pytest.raises(UnsupportedError, match="no derivative rule for its argument"):
        symdiff.grad(function)(point)


def test_modules_import_scipy() -> None:
    def loss(x: Any) -> Any:
        return np.sum(scipy.special.erf(x))

    def likelihood(x: Any, scale: Any) -> Any:
        return np.sum(scipy.stats.norm.logpdf(x, scale=scale) + scipy.special.gammaln(scale))

    x = np.array([0.5, 1.0])
    gradient = symdiff.grad(likelihood, wrt=1)
    assert "import scipy\n" in gradient.source_for(x, 2.0)
    assert "import scipy" not in symdiff.grad(loss).source_for(x)
    np.testing.assert_allclose(symdiff.grad(loss)(x), 2 / np.sqrt(np.pi) * np.exp(-(x**2)))


def test_a_distribution_without_rows_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="no derivative rule"):
        symdiff.grad(lambda x: scipy.stats.levy_stable.logpdf(x, 1.8, 0.5))(0.5)


def test_samples_name_rows() -> None:
    from ops import scipy_samples

    unknown = [n for n in scipy_samples.SPECS if n not in REGISTRY and not n.startswith("stats.")]
    assert unknown == []
    assert all(specs_of(row) is not None for row in REGISTRY.values())
