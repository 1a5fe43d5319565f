"""Sample calls of rows of NumPy's main namespace: quantiles, NaN, polynomials, differences, selections."""

from __future__ import annotations

import numpy as np
from ops.samples import Draw, Spec, Staged, args


def holed(r: Draw, *shape: int) -> np.ndarray:
    """An array with NaN in every third place."""
    x = r(*shape)
    x.reshape(-1)[1::3] = np.nan
    return x


NANS: list[Spec] = [
    lambda r: args(r(4)),
    lambda r: args(holed(r, 5)),
    lambda r: args(holed(r, 3, 4)),
    lambda r: args(holed(r, 3, 4), axis=0),
    lambda r: args(holed(r, 3, 4), axis=1, keepdims=True),
    lambda r: args(holed(r, 2, 3, 4), axis=-2),
]
ALONG: list[Spec] = [
    lambda r: args(holed(r, 5)),
    lambda r: args(holed(r, 3, 4)),
    lambda r: args(holed(r, 3, 4), axis=0),
    lambda r: args(holed(r, 3, 4), axis=-1),
]
QUANTILES: list[Spec] = [
    lambda r: args(r(5), 0.3),
    lambda r: args(holed(r, 8), 0.3),
    lambda r: args(holed(r, 8), Staged(0.35)),
    lambda r: args(holed(r, 8), np.array([0.1, 0.6, 0.9], r.dtype)),
    lambda r: args(holed(r, 4, 5), 0.4, axis=1),
    lambda r: args(holed(r, 5, 4), np.array([0.3, 0.8], r.dtype), axis=0, keepdims=True),
    lambda r: args(holed(r, 4, 5), 0.4, axis=-1, keepdims=True),
    lambda r: args(holed(r, 5), 1.0),
]
METHODS = [
    "interpolated_inverted_cdf", "hazen", "weibull", "median_unbiased", "normal_unbiased", "lower", "higher",
    "nearest", "midpoint",
]  # fmt: skip


def methods(rank: int) -> list[Spec]:
    shape = (5, 6)[:rank]
    axis = {"axis": 0} if rank > 1 else {}
    return [
        lambda r, method=method, q=q: args(r(*shape), q, method=method, **axis)
        for method in METHODS
        for q in (0.02, 0.47, 0.99)
    ]


SPECS: dict[str, list[Spec]] = {
    **dict.fromkeys(("nanmax", "nanmin", "nanprod", "nanargmax", "nanargmin"), NANS),
    **dict.fromkeys(("nancumsum", "nancumprod"), ALONG),
    "nanvar": [*NANS, lambda r: args(holed(r, 5), ddof=1)],
    "nanstd": [*NANS, lambda r: args(holed(r, 3, 4), axis=1, ddof=1)],
    "nanmedian": [*NANS, lambda r: args(holed(r, 4, 4), axis=-1)],
    "nanquantile": QUANTILES + methods(1),
    "nanpercentile": [
        lambda r: args(holed(r, 8), 30),
        lambda r: args(holed(r, 4, 6), np.array([33.0, 71.0], r.dtype), axis=-1),
    ],
}

SPECS["median"] = [
    lambda r: args(r(2, 3, 5), axis=(0, -1)),
    lambda r: args(r(2, 3, 4), axis=(1, 2), keepdims=True),
]
SPECS["nanmedian"] = [*SPECS["nanmedian"], lambda r: args(holed(r, 2, 3, 5), axis=(0, -1))]
SPECS |= {
    "polyval": [
        lambda r: args(r(4), r(3)),
        lambda r: args(r(4), r(2, 3)),
        lambda r: args(r(3), r()),
        lambda r: args(r(3), r.number()),
        lambda r: args(r(1), r(3)),
        lambda r: args(r.complex(3), r.complex(2)),
    ],
    "polyder": [
        lambda r: args(r(4)),
        lambda r: args(r(5), 2),
        lambda r: args(r(3), m=0),
        lambda r: args(r(1)),
    ],
    "polyint": [
        lambda r: args(r(4)),
        lambda r: args(r(3), 2),
        lambda r: args(r(3), k=r.number()),
        lambda r: args(r(3), 2, r(2)),
        lambda r: args(r(3), 1, [r.number()]),
    ],
    "polyadd": [
        lambda r: args(r(4), r(2)),
        lambda r: args(r(2), r(4)),
        lambda r: args(r(3), r()),
        lambda r: args(r(3), r(3)),
    ],
    "polysub": [lambda r: args(r(4), r(2)), lambda r: args(r(2), r(4)), lambda r: args(2.0, r(3))],
    "polymul": [
        lambda r: args(r(4), r(2)),
        lambda r: args(r(2), r(4)),
        lambda r: args(np.array([0, 2, 1]), r(3)),
        lambda r: args(r.number(), r(3)),
        lambda r: args(r.complex(3), r(3)),
    ],
    "polyfit": [
        lambda r: args(r(6), r(6), 2),
        lambda r: args(r(6), r(6, 2), 1),
        lambda r: args(r(6), r(6), 2, w=r(6, low=0.5, high=1.5)),
        lambda r: args(r(5), r(5, 3), deg=1, w=r(5, low=0.5, high=1.5)),
        lambda r: args(r(4), r(4), 0),
    ],
}

SPECS |= {
    "ediff1d": [
        lambda r: args(r(4)),
        lambda r: args(r(2, 3)),
        lambda r: args(r(4), to_end=r(2)),
        lambda r: args(r(4), r.number(), 0.5),
        lambda r: args(r(4), to_begin=[0.5, r.number()]),
    ],
    "unwrap": [
        lambda r: args(r(6)),
        lambda r: args(r(3, 4), axis=0),
        lambda r: args(r(6), 4.0),
        lambda r: args(r(6), period=5.0),
    ],
    "choose": [
        lambda r: args(np.array([0, 2, 1, 2]), [r(4), r(4), r(4)]),
        lambda r: args(np.array([[0, 1], [1, 0]]), [r(2), r.number()]),
        lambda r: args(np.array([0, -1, 5]), [r(3), r(3)], mode="clip"),
        lambda r: args(np.array([0, -1, 5]), (r(3), r(3)), mode="wrap"),
    ],
    "compress": [
        lambda r: args(np.array([True, False, True]), r(3)),
        lambda r: args(np.array([1, 0]), r(3)),
        lambda r: args(np.array([True, False, True]), r(2, 3)),
        lambda r: args(np.array([True, False, True]), r(2, 3), axis=1),
        lambda r: args(np.array([False, True]), r(3, 2), 0),
        lambda r: args(np.array([False, True]), r(2, 3, 2), axis=-1),
    ],
    "extract": [
        lambda r: args(np.array([True, False, True]), r(3)),
        lambda r: args(np.array([[1, 0, 2], [0, 0, 1]]), r(2, 3)),
        lambda r: args(np.array([True, False, True, False]), r(2, 2)),
    ],
    "delete": [
        lambda r: args(r(4), 1),
        lambda r: args(r(4), -1),
        lambda r: args(r(3, 4), 1, axis=0),
        lambda r: args(r(3, 4), [0, 2], 1),
        lambda r: args(r(3, 4), np.array([1, 1, 7])),
        lambda r: args(r(4), np.array([True, False, False, True])),
        lambda r: args(r(5), slice(1, None, 2)),
        lambda r: args(r(2, 5), slice(-2, None), axis=-1),
        lambda r: args(r(5), Staged(2)),
    ],
    "insert": [
        lambda r: args(r(4), 1, r.number()),
        lambda r: args(r(4), -1, r(2)),
        lambda r: args(r(2, 3), 1, r(2), axis=1),
        lambda r: args(r(2, 3), 0, r(3), axis=0),
        lambda r: args(r(2, 3), 2, r.number(), axis=-1),
        lambda r: args(r(2, 3), 4, r()),
        lambda r: args(r(4), [3, 0, 0], r(3)),
        lambda r: args(r(2, 3), [1, 2], r(2, 2), axis=1),
        lambda r: args(r(2, 3), [1, 2], r(2, 1), axis=1),
        lambda r: args(r(2, 3), [1], r(2, 2), axis=1),
        lambda r: args(r(3), np.array([0, 2]), 5.0),
        lambda r: args(r(4), Staged(2), r.number()),
    ],
    "partition": [
        lambda r: args(r(7), 3),
        lambda r: args(r(3, 5), 2),
        lambda r: args(r(5, 3), (1, 3), axis=0),
        lambda r: args(r(2, 3), 2, axis=None),
    ],
}

FOLDED: list[Spec] = [
    lambda r: args(r(4)),
    lambda r: args(r(2, 3)),
    lambda r: args(r(2, 3), 1),
    lambda r: args(r(2, 3), axis=-1, keepdims=True),
]
SPECS |= {
    **{
        f"{name}.reduce": [*FOLDED, lambda r: args(r(2, 3), axis=None)]
        for name in ("add", "multiply", "maximum", "minimum", "logical_and", "logical_or")
    },
    **{f"{name}.reduce": FOLDED for name in ("logaddexp", "logaddexp2", "hypot")},
    **{f"{name}.accumulate": FOLDED[:3] for name in ("add", "multiply")},
    **{
        f"{name}.outer": [
            lambda r: args(r(2), r(3)),
            lambda r: args(r(2, 1), r(2)),
            lambda r: args(r(3), r()),
        ]
        for name in (
            "add",
            "subtract",
            "multiply",
            "divide",
            "maximum",
            "minimum",
            "hypot",
            "arctan2",
            "logaddexp",
            "equal",
            "not_equal",
            "less",
            "less_equal",
            "greater",
            "greater_equal",
            "floor_divide",
            "fmax",
            "fmin",
            "copysign",
        )
    },
    "power.outer": [lambda r: args(r(2, low=0.5, high=2), r(3))],
    "remainder.outer": [lambda r: args(np.array([5.3, -4.4], r.dtype), np.array([2.0, 1.7, -1.3], r.dtype))],
    # The rank and the dtype are known while compiling: test_calls.
    **{name: [] for name in ("ndim", "iscomplexobj", "isrealobj")},
    # Tuples of integer arrays: test_calls.
    **{f"{name}_indices{of}": [] for name in ("tril", "triu", "diag") for of in ("", "_from")},
    "broadcast_arrays": [
        lambda r: args(r(2, 1), r(3)),
        lambda r: args(r(3), r(3), r()),
        lambda r: args(r(1, 3), 2.0),
    ],
    "block": [
        lambda r: args([r(2), r(3)]),
        lambda r: args([[r(2, 2), r(2, 3)], [r(1, 2), r(1, 3)]]),
        lambda r: args([[r(2, 2), r(2, 1)], [r(3)]]),
        lambda r: args([r(2, 3, 1), r(2, 3, 2)]),
        lambda r: args(r(3)),
    ],
    "row_stack": [lambda r: args([r(3), r(3)]), lambda r: args((r(2, 3), r(3)))],
    "resize": [lambda r: args(r(3), (2, 4)), lambda r: args(r(2, 3), (2, 2)), lambda r: args(r(2, 3), 7)],
    "logspace": [
        lambda r: args(r(), r(), 5),
        lambda r: args(0.0, r.number(), num=4, endpoint=False),
        lambda r: args(r(2), r(2), 4, base=2.0),
    ],
    "geomspace": [
        lambda r: args(r(low=0.5, high=1), r(low=2, high=3), 5),
        lambda r: args(1.0, Staged(20.0), num=4, endpoint=False),
        lambda r: args(r(2, low=0.5, high=1), r(2, low=2, high=3), 4),
    ],
    **{
        name: [lambda r: args(5), lambda r: args(Staged(4))]
        for name in ("bartlett", "blackman", "hamming", "hanning")
    },
    "kaiser": [lambda r: args(5, 8.6), lambda r: args(6, r.number())],
    "frexp": [lambda r: args(5 * r(3)), lambda r: args(r(2, 2))],
    "nan_to_num": [
        lambda r: args(holed(r, 5)),
        lambda r: args(r(2, 3), nan=1.0),
        lambda r: args(holed(r, 4), True, 3.0, posinf=9.0),
        lambda r: args(np.array([np.inf, -np.inf, np.nan, 0.5], r.dtype), posinf=9.0, neginf=1.0),
        lambda r: args(r.number()),
    ],
    "isposinf": [lambda r: args(r(3))],
    "isneginf": [lambda r: args(r(3))],
    "gcd": [lambda r: args(np.array([4, 6]), 2)],
    "lcm": [lambda r: args(np.array([4, 6]), 5)],
    "bitwise_count": [lambda r: args(np.array([4, 7]))],
    "isin": [lambda r: args(np.array([4, 7]), [7, 8])],
    "array_equiv": [lambda r: args(r(3), r(2, 3))],
    "argpartition": [lambda r: args(r(5), 2), lambda r: args(r(5, 3), (1, 2), axis=0)],
    "argwhere": [
        lambda r: args(np.array([1, 0, 2])),
        lambda r: args(np.array([[True, False], [True, True]])),
    ],
}
