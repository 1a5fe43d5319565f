"""Sample calls of the rows of SciPy whose operands are not all alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg
import scipy.signal
import scipy.special
import scipy.stats  # noqa: F401
from ops.linear_samples import complex_of, definite, spread, well
from ops.samples import Draw, Spec, args


def of_parameters(*values: float, staged: int = 1) -> list[Spec]:
    """Constant parameters, then `staged` arrays."""

    def points(*shape: int) -> Spec:
        return lambda r: args(*values, *(r(*shape) for _ in range(staged)))

    columns = [np.reshape(np.asarray([value, value + 1]), (2, 1)) for value in values]
    stretched: Spec = lambda r: args(*map(_whole, columns), *(r(3) for _ in range(staged)))  # noqa: E731
    return [points(3), points(2, 3), points(), points(0), *([stretched] if values else [])]


def _whole(column: np.ndarray) -> Any:
    """Constants of the program are literals."""
    return column.tolist()


UNARY: list[Spec] = of_parameters()
SPECS: dict[str, list[Spec]] = {
    **{
        f"special.{name}": of_parameters(1.5)
        for name in (
            "gammainc",
            "gammaincc",
            "gammaincinv",
            "gammainccinv",
            "stdtr",
            "chdtr",
            "chdtrc",
            "hyp0f1",
            "zeta",
            "jv",
            "iv",
            "ive",
            "kv",
            "kve",
            "yv",
            "hankel1",
            "hankel2",
        )
    },
    **{f"special.{name}": of_parameters(2) for name in ("yn", "kn", "expn", "pdtr", "pdtrc", "polygamma")},
    **{
        f"special.{name}": of_parameters(1.5, 0.7)
        for name in ("betainc", "betaincc", "betaincinv", "betainccinv", "hyp1f1", "hyperu")
    },
    "special.hyp2f1": of_parameters(0.5, 0.7, 1.5),
    **{
        f"special.eval_{name}": [*of_parameters(3), *of_parameters(0)]
        for name in ("legendre", "chebyt", "chebyu", "hermite", "hermitenorm", "laguerre")
    },
    **{f"special.eval_{name}": of_parameters(3, 0.7) for name in ("gegenbauer", "genlaguerre")},
    "special.eval_jacobi": of_parameters(3, 0.7, 1.2),
    "special.huber": [
        lambda r: args(1.0, r(3)),
        lambda r: args(r(3), 2 * r(2, 3)),
        lambda r: args(r(3), 0.3 * r(3)),
    ],
    **{
        f"special.{name}": [lambda r: args(r(3)), lambda r: args(r(2, 3))]
        for name in ("sici", "shichi", "fresnel", "airy")
    },
    "special.logsumexp": [
        lambda r: args(r(3)),
        lambda r: args(r(2, 3)),
        lambda r: args(r(2, 3), axis=1),
        lambda r: args(r(2, 3), axis=0, keepdims=True),
        lambda r: args(r(2, 3), axis=(0, 1)),
        lambda r: args(r(2, 3), 1, r(2, 3)),
        lambda r: args(r(2, 3), b=r(3)),
    ],
    "special.softmax": [lambda r: args(r(3)), lambda r: args(r(2, 3), axis=1), lambda r: args(r(2, 3))],
    "special.log_softmax": [lambda r: args(r(3)), lambda r: args(r(2, 3), axis=0), lambda r: args(r(2, 3))],
    "special.multigammaln": [lambda r: args(r(3), 2), lambda r: args(r(2, 3), 3), lambda r: args(r(), 1)],
    "special.gammasgn": UNARY,
    "special.round": UNARY,
    "special.wofz": [lambda r: args(r.complex(3)), lambda r: args(r.complex(2, 3))],
}
for _name in ("erf", "expi", "exp1"):
    SPECS[f"special.{_name}"] = [*UNARY, lambda r: args(r.complex(2, 3))]


_MATRICES: list[Spec] = [
    lambda r: args(0.5 * well(r, 3, 3)),
    lambda r: args(spread(r, 2, 2)),
    lambda r: args(0.5 * complex_of(well, r, 2, 2)),
]
SPECS |= {
    **{f"scipy.linalg.{name}": _MATRICES for name in ("expm", "cosm", "sinm", "coshm", "sinhm", "tanhm")},
    "scipy.linalg.tanm": [lambda r: args(0.4 * r(3, 3))],
    **{f"scipy.linalg.{name}": _MATRICES[2:] for name in ("sqrtm", "logm")},
    **{
        f"scipy.linalg.{name}": [lambda r: args(well(r, 3, 3)), lambda r: args(well(r, 2, 2))]
        for name in ("inv", "det", "pinv", "svdvals", "norm")
    },
    "scipy.linalg.eigvalsh": [lambda r: args(spread(r, 3, 3)), lambda r: args(spread(r, 3, 3), lower=False)],
    "scipy.linalg.eigh": [],  # signs change with the matrix: test_linear
    "scipy.linalg.svd": [
        lambda r: args(spread(r, 3, 3)),
        lambda r: args(spread(r, 4, 4)[:2], full_matrices=False),
    ],
    "scipy.linalg.cholesky": [
        lambda r: args(definite(r, 3, 3)),
        lambda r: args(definite(r, 3, 3), lower=True),
    ],
    "scipy.linalg.solve": [
        lambda r: args(well(r, 3, 3), r(3)),
        lambda r: args(well(r, 3, 3), r(3, 2), transposed=True),
    ],
    "scipy.linalg.solve_triangular": [
        lambda r: args(well(r, 3, 3), r(3)),
        lambda r: args(well(r, 3, 3), r(3, 2)),
        lambda r: args(well(r, 3, 3), r(3), lower=True),
        lambda r: args(well(r, 3, 3), r(3, 2), trans=1),
        lambda r: args(well(r, 3, 3), r(3), trans="T", lower=True, unit_diagonal=True),
        lambda r: args(well(r, 3, 3), r(3, 2), lower=True, unit_diagonal=True),
    ],
    "scipy.linalg.cho_factor": [],
    "scipy.linalg.cho_solve": [
        lambda r: args((np.tril(well(r, 3, 3)), True), r(3)),
        lambda r: args((np.triu(well(r, 3, 3)), False), r(3, 2)),
    ],
    "scipy.linalg.solve_sylvester": [
        lambda r: args(well(r, 3, 3), well(r, 2, 2), r(3, 2)),
        lambda r: args(complex_of(well, r, 2, 2), well(r, 2, 2), r(2, 2)),
    ],
    "scipy.linalg.solve_continuous_lyapunov": [lambda r: args(well(r, 3, 3), r(3, 3))],
    **{
        f"signal.{name}": [
            lambda r: args(r(5), r(3)),
            lambda r: args(r(2), r(4)),
            lambda r: args(r(5), r(3), "same"),
            lambda r: args(r(5), r(4), mode="same"),
            lambda r: args(r(2), r(5), mode="same"),
            lambda r: args(r(5), r(3), mode="valid"),
        ]
        for name in ("convolve", "fftconvolve", "oaconvolve", "correlate")
    },
}

_DENSITIES = {
    "norm": (), "expon": (), "laplace": (), "logistic": (), "cauchy": (), "uniform": (), "gumbel_r": (),
    "halfnorm": (), "rayleigh": (), "gamma": (2.5,), "beta": (2.5, 1.5), "chi2": (3.5,), "t": (3.5,),
    "lognorm": (0.7,), "invgamma": (2.5,), "weibull_min": (1.5,), "pareto": (1.5,),
}  # fmt: skip


def standard(r: Draw, name: str, *shape: int) -> np.ndarray:
    """Points inside the support of all of them."""
    return r(*shape, low=1.1, high=2) if name == "pareto" else r(*shape, low=0.2, high=0.8)


def densities(name: str, shapes: tuple[float, ...], method: str) -> list[Spec]:
    outside: Spec = lambda r: args(np.asarray([-3.0, 0.5, 9.0], r.dtype), *shapes)  # noqa: E731
    return [
        *([] if method.startswith("log") else [outside]),  # which are -inf there
        lambda r: args(standard(r, name, 3), *(np.asarray(one, r.dtype) for one in shapes)),
        lambda r: args(
            standard(r, name, 2, 3) * 1.5 + 0.1, *shapes, loc=np.asarray(0.1, r.dtype), scale=np.asarray(1.5)
        ),
        lambda r: args(standard(r, name, 3), *(r(3, low=one, high=one + 1) for one in shapes)),
    ]


for _name, _shapes in _DENSITIES.items():
    for _method in ("logpdf", "pdf"):
        SPECS[f"stats.{_name}.{_method}"] = densities(_name, _shapes, _method)
    for _method in ("cdf", "sf", "logcdf", "logsf"):  # no closed form in shape parameters
        found = densities(_name, _shapes, _method)
        SPECS[f"stats.{_name}.{_method}"] = [*found[:-3], found[-2]] if _shapes else found
for _method in ("cdf", "sf"):
    SPECS[f"stats.poisson.{_method}"] = [lambda r: args([0, 1, 4, -2], r(4, low=0.5, high=2))]
SPECS["stats.multivariate_normal.entropy"] = [lambda r: args(r(3), definite(r, 3, 3))]
for _method in ("logpmf", "pmf"):
    SPECS |= {
        f"stats.poisson.{_method}": [
            lambda r: args([0, 1, 4], r(3, low=0.5, high=2)),
            lambda r: args(2, r()),
        ],
        f"stats.bernoulli.{_method}": [lambda r: args([0, 1, 1], r(3, low=0.2, high=0.8))],
        f"stats.geom.{_method}": [lambda r: args([1, 2, 5], r(3, low=0.2, high=0.8))],
        f"stats.binom.{_method}": [lambda r: args([0, 1, 4], 4, r(3, low=0.2, high=0.8))],
    }
for _method in ("logpdf", "pdf"):
    SPECS |= {
        f"stats.multivariate_normal.{_method}": [
            lambda r: args(r(3), r(3), definite(r, 3, 3)),
            lambda r: args(r(4, 3), r(3), definite(r, 3, 3)),
        ],
        # Its argument has to add up to 1.
        f"stats.dirichlet.{_method}": [lambda r: args([0.2, 0.3, 0.5], r(3, low=0.5, high=2))],
    }
for _class in ("rv_continuous", "rv_discrete"):
    for _method in ("logpdf", "pdf", "logpmf", "pmf", "cdf", "logcdf", "sf", "logsf"):
        SPECS[f"stats.{_class}.{_method}"] = []
