"""Sample calls of every row that is not plainly elementwise."""

from __future__ import annotations

from typing import Any

import numpy as np
from ops import fourier, linear_samples, sampled, scipy_samples
from ops.samples import Draw, Spec, Staged, args

from symdiff.ops.row import REGISTRY, Row, row_of

assert row_of(np.random.normal)  # loads the rows of numpy.random
assert row_of(np.fft.fft)
assert row_of(scipy_samples.scipy.special.erf)

UNARY: list[Spec] = [
    lambda r: args(r()),
    lambda r: args(r(1)),
    lambda r: args(r(3)),
    lambda r: args(r(2, 3)),
    lambda r: args(r(0)),
    lambda r: args(r.number()),
]
BINARY: list[Spec] = [
    lambda r: args(r(3), r(3)),
    lambda r: args(r(2, 3), r(3)),
    lambda r: args(r(2, 1), r(3)),
    lambda r: args(r(), r(1)),
    lambda r: args(r(2, 3), r.number()),
    lambda r: args(r.number(), r(4)),
    lambda r: args(r(1, 3), r(2, 1, 1)),
    lambda r: args(r(0), r(0)),
]
NUMBERS: list[Spec] = [lambda r: args(r.number())]
PAIRS: list[Spec] = [lambda r: args(r.number(), r.number())]
CONSTANT_SECOND: list[Spec] = [lambda r: args(r(3), 2.0), lambda r: args(2.0, r(3))]
REDUCED: list[Spec] = [
    lambda r: args(r(3)),
    lambda r: args(r(2, 3)),
    lambda r: args(r(2, 3), axis=0),
    lambda r: args(r(2, 3), axis=-1),
    lambda r: args(r(2, 3), axis=1, keepdims=True),
    lambda r: args(r(2, 3), keepdims=True),
    lambda r: args(r(1, 3), axis=0),
    lambda r: args(r(2, 3, 4), axis=-2),
]
MANY_AXES: list[Spec] = [
    lambda r: args(r(2, 3, 4), axis=(0, -1)),
    lambda r: args(r(2, 3, 4), axis=(1,), keepdims=True),
    lambda r: args(r(2, 3), axis=(0, 1)),
    lambda r: args(r()),
]
MATRIX: list[Spec] = [lambda r: args(r(2, 3)), lambda r: args(r(3, 3)), lambda r: args(r(2, 3, 4))]


def ints(*values: int) -> np.ndarray:
    return np.array(values)


def well(r: Draw, *shape: int) -> np.ndarray:
    """Matrices far from singular."""
    return (r(*shape) + 3 * np.eye(shape[-1])).astype(r.dtype)


def positive(r: Draw, n: int) -> np.ndarray:
    a = r(n, n)
    return (a @ a.T + 2 * np.eye(n)).astype(r.dtype)


def index_of(*entries: Any) -> Any:
    return lambda r: args(r(3, 4, 5), index=entries)


FULL = ("slice", None, None, None)
SPECS: dict[str, list[Spec]] = {
    **fourier.SPECS,
    **linear_samples.SPECS,
    **sampled.SPECS,
    **scipy_samples.SPECS,
    "where": [
        lambda r: args(np.array([True, False, True]), r(3), r(3)),
        lambda r: args(np.array([True, False, True]), r(2, 3), r()),
        lambda r: args(np.array([[True], [False]]), 0.0, r(3)),
        lambda r: args(np.array([True, False]), r.number(), r(2)),
    ],
    "clip": [
        lambda r: args(r(5), -0.5, 0.5),
        lambda r: args(r(2, 3), r(3) - 1, r(3) + 1),
        lambda r: args(r(4), None, 0.5),
        lambda r: args(r(4), 0.1, None),
        lambda r: args(r(4), a_min=-0.3, a_max=0.2),
        lambda r: args(r(3), 0, r(3)),
        lambda r: args(r(3) - 3, r(3), r(3) + 4),
        lambda r: args(r(3) + 9, r(3), r(3) + 4),
    ],
    "ldexp": [lambda r: args(r(3), ints(1, 2, 3)), lambda r: args(r(2, 3), 2)],
    "left_shift": [lambda r: args(ints(1, 2), 2)],
    "right_shift": [lambda r: args(ints(8, 16), 2)],
    "bitwise_and": [lambda r: args(ints(1, 2), ints(3, 1))],
    "bitwise_or": [lambda r: args(ints(1, 2), ints(3, 1))],
    "bitwise_xor": [lambda r: args(ints(1, 2), ints(3, 1))],
    "invert": [lambda r: args(ints(1, 2)), lambda r: args(np.array([True, False]))],
    **{
        name: [
            lambda r: args(np.array([5.3, -4.4, 3.7], r.dtype), np.array([2.0, 1.7, -1.3], r.dtype)),
            lambda r: args(np.array([5.3, -4.4, 3.7], r.dtype), Staged(1.3)),
            lambda r: args(Staged(7.5), Staged(2.0)),
        ]
        for name in ("floor_divide", "remainder", "fmod")
    },
    "divmod": [lambda r: args(r(3), r(3))],
    "modf": [lambda r: args(5 * r(3)), lambda r: args(9 * r(2, 3))],
    "math.log": [lambda r: args(r.number()), lambda r: args(r.number(), 2)],
    "math.fmod": [lambda r: args(Staged(7.5), Staged(2.0))],
    "builtins.max": [
        lambda r: args(Staged(1.0), Staged(2.0)),
        lambda r: args(Staged(2.0), Staged(1.0)),
        lambda r: args(r.number(), 0.5, r.number()),
    ],
    "builtins.min": [lambda r: args(Staged(1.0), Staged(2.0)), lambda r: args(Staged(2.0), Staged(1.0))],
    "max": REDUCED + MANY_AXES,
    "min": REDUCED + MANY_AXES,
    "prod": REDUCED + MANY_AXES,
    "sum": [
        *REDUCED,
        *MANY_AXES,
        lambda r: args(r(2, 3), dtype=np.float64),
        lambda r: args(r(0, 3), axis=0),
        lambda r: args(r(2, 3), 0),
    ],
    "mean": [*REDUCED, *MANY_AXES, lambda r: args(r(2, 3), dtype="float64")],
    "var": [*REDUCED, *MANY_AXES[:3], lambda r: args(r(4), ddof=1), lambda r: args(r(3, 4), axis=1, ddof=1)],
    "std": [*REDUCED[:6], lambda r: args(r(2, 3, 4), axis=(0, 2)), lambda r: args(r(4), correction=1)],
    "ptp": REDUCED,
    "nansum": REDUCED,
    "nanmean": REDUCED,
    "average": [
        lambda r: args(r(2, 3)),
        lambda r: args(r(2, 3), axis=0),
        lambda r: args(r(3), weights=r(3)),
        lambda r: args(r(2, 3), axis=1, weights=r(3)),
        lambda r: args(r(2, 3), 1, r(3), returned=True),
        lambda r: args(r(2, 3), axis=0, returned=True),
    ],
    "median": [
        lambda r: args(r(5)),
        lambda r: args(r(4)),
        lambda r: args(r(3, 4)),
        lambda r: args(r(3, 4), axis=0),
        lambda r: args(r(3, 4), axis=-1, keepdims=True),
        *sampled.SPECS["median"],
    ],
    "quantile": [
        lambda r: args(r(5), 0.3),
        lambda r: args(r(5), Staged(0.35)),
        lambda r: args(r(5), np.array([0.1, 0.6, 0.9], r.dtype)),
        lambda r: args(r(3, 4), 0.4, axis=1),
        lambda r: args(r(3, 4), np.array([0.3, 0.8], r.dtype), axis=0, keepdims=True),
        lambda r: args(r(4), 1.0),
        *sampled.methods(2),
    ],
    "percentile": [
        lambda r: args(r(5), 30),
        lambda r: args(r(3, 4), np.array([33.0, 71.0], r.dtype), axis=-1),
    ],
    "cov": [
        lambda r: args(r(5)),
        lambda r: args(r(3, 5)),
        lambda r: args(r(4), r(4)),
        lambda r: args(r(3, 4), r(4)),
        lambda r: args(r(5, 3), rowvar=False),
        lambda r: args(r(5, 2), r(5, 3), False),
        lambda r: args(r(3, 5), bias=True),
        lambda r: args(r(3, 5), ddof=2),
    ],
    "corrcoef": [
        lambda r: args(r(3, 5)),
        lambda r: args(r(4), r(4)),
        lambda r: args(r(5, 3), rowvar=False),
    ],
    "bincount": [
        lambda r: args(ints(0, 2, 2)),
        lambda r: args(ints(0, 2, 2), r(3)),
        lambda r: args(ints(0, 2, 2), r(3), 5),
        lambda r: args(ints(0, 2, 2), minlength=Staged(4)),
        lambda r: args(ints(1, 1), weights=r(2), minlength=4),
    ],
    "digitize": [
        lambda r: args(r(3), np.array([-0.5, 0.0, 0.5])),
        lambda r: args(r(2, 3), np.array([0.0, 0.5]), right=True),
    ],
    "histogram_bin_edges": [
        lambda r: args(r(5), 3),
        lambda r: args(r(5), Staged(3)),
        lambda r: args(r(2, 3), 4, range=(-1.0, 1.0)),
    ],
    "histogram": [
        lambda r: args(r(6), 3),
        lambda r: args(r(6), 3, weights=r(6)),
        lambda r: args(r(2, 3), bins=4, range=(-0.7, 0.8), weights=r(2, 3)),
        lambda r: args(r(6), np.array([-0.6, -0.1, 0.2, 0.7], r.dtype), weights=r(6)),
        lambda r: args(r(6), 3, weights=r(6, low=0.5, high=1), density=True),
        lambda r: args(ints(0, 1, 2, 3, 1, -1), [0.0, 1.0, 2.0], weights=r(6)),
        lambda r: args(r(6), Staged(3), weights=r(6)),
    ],
    "histogram.counts": [
        lambda r: args(r(6), 3, range=(-0.7, 0.8)),
        lambda r: args(r(6), np.array([-0.6, 0.2, 0.7]), r(6)),
    ],
    "interp": [
        lambda r: args(r(4), np.array([-0.8, -0.2, 0.3, 0.7], r.dtype), r(4)),
        lambda r: args(r(2, 3), np.array([-0.8, 0.1, 0.7], r.dtype), r(3)),
        lambda r: args(r.number(), np.array([-1.0, 0.1, 1.0], r.dtype), r(3)),
        lambda r: args(3 * r(5), np.array([-0.8, 0.1, 0.7], r.dtype), r(3), left=0.5, right=r.number()),
        lambda r: args(r(3), np.array([-1.0, 0.1, 1.0], r.dtype), r.complex(3)),
        lambda r: args(9 * r(5), np.array([0.8, 2.7, 1.1], r.dtype), r(3), period=1.5),
        lambda r: args(9 * r(5), np.array([0.8, 2.7, 1.1], r.dtype), r(3), period=Staged(-1.45)),
    ],
    "gradient": [
        lambda r: args(r(5)),
        lambda r: args(r(5), 0.5),
        lambda r: args(r(5), r.number()),
        lambda r: args(r(3, 4)),
        lambda r: args(r(3, 4), 0.5, axis=1),
        lambda r: args(r(5), np.array([0.0, 0.3, 0.7, 1.2, 2.0], r.dtype)),
        lambda r: args(r(4, 3), np.array([0.0, 0.3, 0.7, 1.2], r.dtype), 0.5, edge_order=2),
        lambda r: args(r(4), 0.5, edge_order=2),
        lambda r: args(r(2, 3), axis=(1, 0)),
    ],
    "trapezoid": [
        lambda r: args(r(4)),
        lambda r: args(r(2, 4), dx=0.5),
        lambda r: args(r(4), dx=r.number()),
        lambda r: args(r(4), r(4)),
        lambda r: args(r(3, 2), x=r(3), axis=0),
        lambda r: args(r(2, 3), r(2, 3)),
    ],
    "convolve": [
        lambda r: args(r(5), r(3)),
        lambda r: args(r(2), r(4)),
        lambda r: args(r(5), r(3), "same"),
        lambda r: args(r(5), r(4), mode="same"),
        lambda r: args(r(2), r(5), mode="same"),
        lambda r: args(r(5), r(3), mode="valid"),
        lambda r: args(r(3), r(6), mode="valid"),
        lambda r: args(r(1), r(3)),
        lambda r: args(r.complex(4), r.complex(3)),
    ],
    "correlate": [
        lambda r: args(r(5), r(3)),
        lambda r: args(r(3), r(5)),
        lambda r: args(r(5), r(3), "full"),
        lambda r: args(r(5), r(4), mode="same"),
        lambda r: args(r(4), r(5), mode="same"),
        lambda r: args(r(4), r(6), mode="same"),
        lambda r: args(r(3), r(6), mode="same"),
        lambda r: args(r(4), r(4), mode="same"),
        lambda r: args(r.complex(4), r.complex(3)),
    ],
    "any": REDUCED,
    "all": REDUCED,
    "argmax": REDUCED[:4],
    "argmin": REDUCED[:4],
    "count_nonzero": REDUCED,
    "cumsum": [
        lambda r: args(r(3)),
        lambda r: args(r(2, 3)),
        lambda r: args(r(2, 3), axis=0),
        lambda r: args(r(2, 3), axis=-1),
    ],
    "cumprod": [lambda r: args(r(3)), lambda r: args(r(2, 3)), lambda r: args(r(2, 3), axis=1)],
    "cumulative_sum": [lambda r: args(r(3)), lambda r: args(r(2, 3), axis=1)],
    "cumulative_prod": [lambda r: args(r(3)), lambda r: args(r(2, 3), axis=1)],
    "matmul": [
        lambda r: args(r(3), r(3)),
        lambda r: args(r(2, 3), r(3)),
        lambda r: args(r(3), r(3, 4)),
        lambda r: args(r(2, 3), r(3, 4)),
        lambda r: args(r(5, 2, 3), r(3, 4)),
        lambda r: args(r(2, 3), r(5, 3, 4)),
        lambda r: args(r(5, 2, 3), r(5, 3, 4)),
        lambda r: args(r(5, 1, 2, 3), r(1, 6, 3, 4)),
        lambda r: args(r(3), r(5, 3, 4)),
        lambda r: args(r(5, 2, 3), r(3)),
        lambda r: args(r(1, 1), r(1, 1)),
    ],
    "matmul_left": [],
    "matmul_right": [],
    "dot": [
        lambda r: args(r(), r(3)),
        lambda r: args(r(2, 3), r()),
        lambda r: args(r(3), r(3)),
        lambda r: args(r(2, 3), r(3)),
        lambda r: args(r(3), r(3, 4)),
        lambda r: args(r(2, 3), r(3, 4)),
        lambda r: args(r(2, 3), r(5, 3, 4)),
        lambda r: args(r(5, 2, 3), r(6, 3, 4)),
        lambda r: args(r(3), r(5, 3, 4)),
        lambda r: args(r(5, 2, 3), r(3)),
        lambda r: args(r(5, 2, 3), r(3, 4)),
        lambda r: args(2.0, r(3)),
    ],
    "einsum": [
        lambda r: args("ij,jk->ik", r(2, 3), r(3, 4)),
        lambda r: args("ij,jk", r(2, 3), r(3, 4)),
        lambda r: args("i,i", r(3), r(3)),
        lambda r: args("ii->i", r(3, 3)),
        lambda r: args("ii", r(3, 3)),
        lambda r: args("ij->", r(2, 3)),
        lambda r: args("ij->ji", r(2, 3)),
        lambda r: args("...ij,...jk->...ik", r(5, 2, 3), r(3, 4)),
        lambda r: args("bi,bi->b", r(2, 3), r(1, 3)),
        lambda r: args("ij,j->i", r(2, 3), r(1)),
        lambda r: args("ij,kj,k->i", r(2, 3), r(4, 3), r(4)),
        lambda r: args("i,j->ij", r(2), r(3)),
        lambda r: args("iij->j", r(3, 3, 2)),
        lambda r: args(r(2, 3), [0, 1], r(3), [1], [0]),
        lambda r: args("i...->...", r(2, 3)),
        lambda r: args("ij,ij->", r(2, 3), r(2, 3)),
    ],
    "tensordot": [
        lambda r: args(r(2, 3, 4), r(3, 4, 5)),
        lambda r: args(r(2, 3), r(3, 4), axes=1),
        lambda r: args(r(2, 3), r(4), axes=0),
        lambda r: args(r(2, 3, 4), r(4, 5, 2), axes=([0, 2], [2, 0])),
        lambda r: args(r(2, 3), r(4, 3), axes=(1, -1)),
        lambda r: args(r(2, 3, 4), r(5, 4, 3), axes=((1, 2), (2, 1))),
    ],
    "outer": [lambda r: args(r(2), r(3)), lambda r: args(r(2, 2), r(3))],
    "inner": [
        lambda r: args(r(3), r(3)),
        lambda r: args(r(2, 3), r(4, 3)),
        lambda r: args(r(2, 3), r(3)),
        lambda r: args(r(), r(3)),
    ],
    "vdot": [lambda r: args(r(3), r(3)), lambda r: args(r(2, 3), r(2, 3))],
    "vecdot": [lambda r: args(r(2, 3), r(3)), lambda r: args(r(2, 3), r(2, 3), axis=0)],
    "matvec": [lambda r: args(r(2, 3), r(3)), lambda r: args(r(5, 2, 3), r(3))],
    "vecmat": [lambda r: args(r(2), r(2, 3)), lambda r: args(r(5, 2), r(2, 3))],
    "kron": [lambda r: args(r(2), r(3)), lambda r: args(r(2, 3), r(3, 2)), lambda r: args(r(2), r(2, 3))],
    "cross": [
        lambda r: args(r(3), r(3)),
        lambda r: args(r(2, 3), r(3)),
        lambda r: args(r(3, 2), r(3, 2), axis=0),
        lambda r: args(r(3, 2), r(2, 3), axisa=0, axisc=0),
        lambda r: args(r(2, 3), r(4, 3, 2), axisb=1, axisc=-2),
    ],
    "trace": [
        lambda r: args(r(3, 3)),
        lambda r: args(r(2, 3), offset=1),
        lambda r: args(r(2, 3, 4), axis1=1, axis2=2),
        lambda r: args(r(3, 2), axis1=1, axis2=0),
        lambda r: args(r(3, 4, 3), -1, 0, 2),
    ],
    "linalg.trace": [lambda r: args(r(3, 3)), lambda r: args(r(2, 3, 3))],
    "linalg.multi_dot": [lambda r: args([r(2, 3), r(3, 4), r(4, 2)])],
    "linalg.matrix_power": [
        lambda r: args(r(3, 3), 3),
        lambda r: args(r(3, 3), 1),
        lambda r: args(well(r, 3, 3), -2),
        lambda r: args(r(3, 3), 6),
    ],
    "linalg.diagonal": [lambda r: args(r(2, 3, 3))],
    "shape": [lambda r: args(r(2, 3))],
    "size": [lambda r: args(r(2, 3))],
    "length": [],
    "make_shape": [],
    "broadcast_to": [
        lambda r: args(r(3), (2, 3)),
        lambda r: args(r(2, 1), (4, 2, 3)),
        lambda r: args(r(), (3,)),
    ],
    "reshape": [
        lambda r: args(r(2, 3), (3, 2)),
        lambda r: args(r(2, 3), -1),
        lambda r: args(r(2, 3), (3, -1), order="F"),
        lambda r: args(r(6), (2, 3)),
    ],
    "transpose": [lambda r: args(r(2, 3)), lambda r: args(r(2, 3, 4), (1, -1, 0)), lambda r: args(r(3))],
    "expand_dims": [lambda r: args(r(3), 0), lambda r: args(r(2, 3), -1), lambda r: args(r(2, 3), (0, 2))],
    "swapaxes": [lambda r: args(r(2, 3), 0, 1), lambda r: args(r(2, 3, 4), -1, 0)],
    "squeeze": [
        lambda r: args(r(1, 3)),
        lambda r: args(r(2, 1, 3), axis=1),
        lambda r: args(r(1, 3, 1), (0, -1)),
    ],
    "moveaxis": [lambda r: args(r(2, 3, 4), 0, -1), lambda r: args(r(2, 3, 4), (0, 1), (-1, 0))],
    "rollaxis": [
        lambda r: args(r(2, 3, 4), 2),
        lambda r: args(r(2, 3, 4), 0, 3),
        lambda r: args(r(2, 3, 4), -1, 1),
    ],
    "matrix_transpose": MATRIX,
    "flip": [lambda r: args(r(3)), lambda r: args(r(2, 3), axis=0), lambda r: args(r(2, 3), axis=(0, 1))],
    "fliplr": MATRIX,
    "flipud": MATRIX,
    "rot90": [*MATRIX, lambda r: args(r(2, 3), k=2), lambda r: args(r(2, 3, 4), -1, (1, 2))],
    "roll": [
        lambda r: args(r(3), 1),
        lambda r: args(r(2, 3), -1, axis=1),
        lambda r: args(r(2, 3), (1, 2), axis=(0, 1)),
        lambda r: args(r(5), Staged(2)),
    ],
    "tril": [*MATRIX, lambda r: args(r(3, 3), k=-1)],
    "triu": [*MATRIX, lambda r: args(r(3, 3), 1)],
    "diagonal": [
        lambda r: args(r(3, 3)),
        lambda r: args(r(2, 3)),
        lambda r: args(r(3, 4), offset=-1),
        lambda r: args(r(2, 3, 3), 1, 1, 2),
        lambda r: args(r(3, 2, 4), axis1=2, axis2=0),
    ],
    "diag": [
        lambda r: args(r(3)),
        lambda r: args(r(3), k=1),
        lambda r: args(r(3, 3)),
        lambda r: args(r(3, 4), -1),
    ],
    "diagflat": [lambda r: args(r(2, 2)), lambda r: args(r(2), 1)],
    "tile": [
        lambda r: args(r(3), 2),
        lambda r: args(r(2, 3), (2, 1)),
        lambda r: args(r(3), (2, 2)),
        lambda r: args(r(2, 3), 2),
    ],
    "repeat": [
        lambda r: args(r(3), 2),
        lambda r: args(r(2, 3), 2, axis=1),
        lambda r: args(r(2, 3), 3, axis=-2),
        lambda r: args(r(2, 3), 2),
        lambda r: args(r(3), [1, 2, 0]),
        lambda r: args(r(2, 3), [1, 2], axis=0),
        lambda r: args(r(2, 3), Staged(2), axis=1),
        lambda r: args(r(3), ints(1, 2, 0)),
        lambda r: args(r(2, 3), ints(2, 1), axis=0),
    ],
    "pad": [
        lambda r: args(r(3), 1),
        lambda r: args(r(2, 3), ((1, 0), (0, 2))),
        lambda r: args(r(3), (1, 2), constant_values=3.0),
        lambda r: args(r(3), 2, mode="edge"),
        lambda r: args(r(4), (1, 2), mode="reflect"),
        lambda r: args(r(2, 3), 1, mode="wrap"),
        lambda r: args(r(3), 1, mode="symmetric"),
    ],
    "atleast_1d": [lambda r: args(r()), lambda r: args(r(3)), lambda r: args(r(), r(2))],
    "atleast_2d": [lambda r: args(r()), lambda r: args(r(3)), lambda r: args(r(2, 3))],
    "atleast_3d": [
        lambda r: args(r()),
        lambda r: args(r(3)),
        lambda r: args(r(2, 3)),
        lambda r: args(r(2, 3, 4)),
    ],
    "diff": [lambda r: args(r(4)), lambda r: args(r(4), n=2), lambda r: args(r(3, 4), axis=0)],
    "ravel": [lambda r: args(r(2, 3)), lambda r: args(r(2, 3), order="F"), lambda r: args(r(3))],
    "item": [lambda r: args(r()), lambda r: args(r(1, 1))],
    "astype": [lambda r: args(r(3), "float64"), lambda r: args(r(3), "float32")],
    "real": UNARY,
    "imag": [*UNARY[:5], lambda r: args(r.complex(3))],
    "conjugate": UNARY,
    "copy": UNARY,
    "stop_gradient": [],  # whose derivative is not that of its value
    "to_float": [lambda r: args(r()), lambda r: args(r.number())],
    "angle": [*UNARY[:5], lambda r: args(r.complex(3)), lambda r: args(r.complex(3), deg=True)],
    "fit_like": [],
    "concatenate": [
        lambda r: args([r(3), r(2)]),
        lambda r: args((r(2, 3), r(4, 3))),
        lambda r: args([r(2, 3), r(2, 1)], axis=-1),
        lambda r: args([r(2, 3), r(2)], axis=None),
        lambda r: args([r(2), r(3), r(4)]),
    ],
    "stack": [
        lambda r: args([r(3), r(3)]),
        lambda r: args([r(2, 3), r(2, 3)], axis=-1),
        lambda r: args([r(3), r(3)], axis=1),
        lambda r: args([r(), r()]),
    ],
    "vstack": [lambda r: args([r(3), r(3)]), lambda r: args([r(2, 3), r(3)])],
    "hstack": [lambda r: args([r(3), r(2)]), lambda r: args([r(2, 3), r(2, 1)]), lambda r: args([r(), r()])],
    "dstack": [lambda r: args([r(3), r(3)]), lambda r: args([r(2, 3), r(2, 3)])],
    "column_stack": [lambda r: args([r(3), r(3)]), lambda r: args([r(3), r(3, 2)])],
    "append": [lambda r: args(r(3), r(2)), lambda r: args(r(2, 3), r(1, 3), axis=0)],
    "split": [lambda r: args(r(6), 3), lambda r: args(r(6), [2, 5]), lambda r: args(r(3, 4), 2, axis=1)],
    "array_split": [lambda r: args(r(6), [2, 5]), lambda r: args(r(7, 2), 4)],
    "phase": [lambda r: args(r(3) + 1j * r(3)), lambda r: args(r(2, 2) - 0.3j)],
    "hsplit": [lambda r: args(r(3, 4), 2), lambda r: args(r(4), 2)],
    "vsplit": [lambda r: args(r(4, 3), 2)],
    "dsplit": [lambda r: args(r(2, 3, 4), 2)],
    "unstack": [],
    "array": [
        lambda r: args([r(), r()]),
        lambda r: args([[r.number(), 2.0], [r(), r.number()]]),
        lambda r: args([r(3), r(3)]),
        lambda r: args(r(3)),
        lambda r: args([1, 2, 3]),
        lambda r: args([[r.number()]], dtype="float32"),
    ],
    "asarray": [lambda r: args([r(), r()]), lambda r: args(r(3)), lambda r: args(r(3), dtype="float64")],
    "asanyarray": [lambda r: args(r(3))],
    "ascontiguousarray": [lambda r: args(r(3))],
    "asfortranarray": [lambda r: args(r(3))],
    "full": [
        lambda r: args((2, 3), r()),
        lambda r: args(3, r.number()),
        lambda r: args((2, 3), r(3)),
        lambda r: args((2,), 1.5, dtype="float32"),
    ],
    "zeros": [lambda r: args((2, 3)), lambda r: args(3, dtype=int)],
    "ones": [lambda r: args((2, 3)), lambda r: args(3, np.float32)],
    "empty": [lambda r: args((2, 3))],
    "zeros_like": UNARY[:5],
    "ones_like": UNARY[:5],
    "empty_like": UNARY[:5],
    "full_like": [lambda r: args(r(2, 3), r()), lambda r: args(r(3), 2.0)],
    "arange": [
        lambda r: args(3),
        lambda r: args(1, 4),
        lambda r: args(0, 6, 2),
        lambda r: args(Staged(4)),
        lambda r: args(Staged(0.1), 1.9, Staged(0.5)),
    ],
    "linspace": [
        lambda r: args(r(), r(), 5),
        lambda r: args(0.0, r.number(), 5),
        lambda r: args(r(2), r(2), 4),
        lambda r: args(r(), 3.0, num=4, endpoint=False),
    ],
    "eye": [
        lambda r: args(3),
        lambda r: args(2, 3, 1),
        lambda r: args(2, M=4),
        lambda r: args(3, dtype="float32"),
    ],
    "identity": [lambda r: args(3)],
    "tri": [lambda r: args(3), lambda r: args(2, 4, 1), lambda r: args(3, k=-1, dtype=int)],
    "ndarray": [lambda r: args((2, 3)), lambda r: args(3, float), lambda r: args([2], dtype="float32")],
    "vander": [
        lambda r: args(r(3)),
        lambda r: args(r(3), 4),
        lambda r: args(r(2), N=3, increasing=True),
    ],
    "indices": [
        lambda r: args((2, 3)),
        lambda r: args((2, 3), dtype=float),
        lambda r: args((2, 3), sparse=True),
    ],
    "mgrid": [
        lambda r: args((slice(0, 3), slice(None, 4))),
        lambda r: args((slice(1, 3), slice(0, 8, 2))),
        lambda r: args((slice(0, 1, 0.25), slice(0, 3))),
        lambda r: args((slice(-1, 1, 5j), slice(0, 1, 3j))),
        lambda r: args(slice(2, 7, 2)),
        lambda r: args(slice(-1, 2, 4j)),
        lambda r: args((slice(0, 4),)),
    ],
    "ogrid": [
        lambda r: args((slice(0, 3), slice(None, 4))),
        lambda r: args((slice(0, 1, 0.25), slice(0, 3))),
        lambda r: args((slice(0, 3), slice(2, 4), slice(-1, 1, 5j))),
        lambda r: args(slice(0, 3)),
    ],
    "r_": [
        lambda r: args((r(3), r(2))),
        lambda r: args((r(3), 0.5, r.number(), r(), slice(0, 3))),
        lambda r: args((slice(0, 1, 5j), [1.0, 2.0])),
        lambda r: args((r(2, 3), r(1, 3))),
        lambda r: args(r(3)),
    ],
    "c_": [
        lambda r: args((r(3), r(3))),
        lambda r: args((r(3), r(3, 2), slice(0, 3))),
        lambda r: args((1, r.number())),
    ],
    "nditer": [],
    "meshgrid": [
        lambda r: args(r(2), r(3)),
        lambda r: args(r(2), r(3), indexing="ij"),
        lambda r: args(r(2), r(3), r(4)),
    ],
    "index": [],
    "scatter": [],
    "add_at": [],
    # No functions of NumPy: test_updates and test_stacks sample them and their mutants.
    "update": [],
    **{name: [] for name in ("new_stack", "push", "pop", "stack_item", "stack_length")},
    # Of lists that loops append to: autodiff/test_lists.
    **{name: [] for name in ("stack_of_zeros", "add_to_item", "sum_of_stacks")},
    **{name: [] for name in ("stacked", "as_array", "unstacked", "concatenated", "split_like")},
    **{name: [] for name in ("set_item", "repeated", "listed", "chained", "first_of", "rest_of")},
    # Tuples of integer arrays: frontend/flows.
    **{name: [] for name in ("nonzero", "flatnonzero", "ix_")},
    "take": [
        lambda r: args(r(3), ints(0, 2, 0)),
        lambda r: args(r(2, 3), ints(1, 0), axis=1),
        lambda r: args(r(2, 3), ints(5, 0)),
        lambda r: args(r(2, 3), 1, axis=0),
        lambda r: args(r(2, 3), ints(-4, 1, 5), axis=1, mode="wrap"),
        lambda r: args(r(2, 3), ints(-4, 1, 9), mode="clip"),
    ],
    "take_along_axis": [
        lambda r: args(r(3), ints(0, 2, 0), axis=0),
        lambda r: args(r(2, 3), np.array([[0], [2]]), axis=1),
    ],
    "round": [lambda r: args(r(3)), lambda r: args(r(3), 1)],
    "fix": [lambda r: args(3 * r(3))],
    "isclose": [lambda r: args(r(3), r(3))],
    "allclose": [lambda r: args(r(3), r(3))],
    "array_equal": [lambda r: args(r(3), r(3))],
    "iscomplex": UNARY[:5],
    "isreal": UNARY[:5],
    "argsort": [lambda r: args(r(3)), lambda r: args(r(2, 3), axis=0)],
    "sort": [lambda r: args(r(4)), lambda r: args(r(2, 3), axis=0), lambda r: args(r(2, 3), axis=None)],
    "searchsorted": [lambda r: args(ints(1, 2, 3), r(2))],
    "select": [
        lambda r: args([np.array([True, False, False]), np.array([True, True, False])], [r(3), r(3)]),
        lambda r: args([np.array([True, False])], [r(2)], r.number()),
    ],
    "linalg.inv": [lambda r: args(well(r, 3, 3)), lambda r: args(well(r, 2, 3, 3))],
    "linalg.det": [lambda r: args(well(r, 3, 3)), lambda r: args(well(r, 2, 3, 3))],
    "linalg.solve": [
        lambda r: args(well(r, 3, 3), r(3)),
        lambda r: args(well(r, 3, 3), r(3, 2)),
        lambda r: args(well(r, 2, 3, 3), r(3, 2)),
        lambda r: args(well(r, 2, 3, 3), r(3)),
        lambda r: args(well(r, 3, 3), r(2, 3, 4)),
    ],
    "random.rand": [lambda r: args(2, 3)],
    "random.randn": [lambda r: args(2, 3)],
    "random.random": [lambda r: args((2, 3)), lambda r: args()],
    "random.random_sample": [lambda r: args((2, 3))],
    "random.standard_normal": [lambda r: args((2, 3))],
    "random.normal": [lambda r: args(0.0, 1.0, (2, 3)), lambda r: args(size=3), lambda r: args(r(3), 1.0)],
    "random.uniform": [lambda r: args(-1, 1, 3), lambda r: args(size=(2, 3))],
    "int": [lambda r: args(r.number())],
    "not": [lambda r: args(r.number())],
    "bool": [lambda r: args(r.number())],
    **{
        name: [lambda r: args(r(3)), lambda r: args(r())]
        for name in (
            "float16",
            "float32",
            "float64",
            "longdouble",
            "int8",
            "int16",
            "int32",
            "int64",
            "uint8",
            "uint16",
            "uint32",
            "uint64",
            "bool_",
        )
    },
    "complex64": [lambda r: args(r(3))],
    "complex128": [lambda r: args(r(3)), lambda r: args(r.complex(3))],
}

# Functions that are drawn or left unset.
RANDOM = {name for name in REGISTRY if name.startswith("random.")} | {"empty", "empty_like", "ndarray"}


def specs_of(row: Row) -> list[Spec] | None:
    """The samples of a row; None where it needs some and has none."""
    if row.name in SPECS:
        return SPECS[row.name]
    if row.name.startswith("math."):
        return PAIRS if len(row.operands) == 2 else NUMBERS
    if row.kind == "elementwise" or (row.targets and isinstance(row.targets[0], np.ufunc)):
        return [*BINARY, *CONSTANT_SECOND] if len(row.operands) == 2 else UNARY
    return None


HOLOMORPHIC = [
    "exp",
    "log",
    "sqrt",
    "square",
    "reciprocal",
    "sin",
    "cos",
    "tan",
    "arcsin",
    "arctan",
    "sinh",
    "cosh",
    "tanh",
    "arcsinh",
    "negative",
    "absolute",
    "conjugate",
    "real",
    "sum",
    "mean",
    "prod",
    "cumsum",
    "cumprod",
    "ravel",
    "transpose",
    "linalg.norm",
    "flip",
    "copy",
]
for _name in HOLOMORPHIC:
    SPECS[_name] = [*(specs_of(REGISTRY[_name]) or ()), lambda r: args(r.complex(2, 3))]
for _name in (
    "add",
    "subtract",
    "multiply",
    "divide",
    "power",
    "outer",
    "inner",
    "vdot",
    "vecdot",
    "dot",
    "matmul",
):
    SPECS[_name] = [
        *(specs_of(REGISTRY[_name]) or ()),
        lambda r: args(r.complex(3), r.complex(3)),
        lambda r: args(r(3), r.complex(3)),
    ]
for _name in ("var", "std"):
    SPECS[_name].append(lambda r: args(r(4) + 1j * r(4)))
    SPECS[_name].append(lambda r: args(r(3, 2) + 1j * r(3, 2), axis=0, ddof=1))
SPECS["linalg.inv"].append(lambda r: args(well(r, 2, 2) + 1j * r(2, 2)))
SPECS["linalg.det"].append(lambda r: args(well(r, 2, 2) + 1j * r(2, 2)))
SPECS["linalg.solve"].append(lambda r: args(well(r, 2, 2) + 1j * r(2, 2), r(2)))

CASES: list[Any] = [(row.name, i) for row in REGISTRY.values() for i in range(len(specs_of(row) or ()))]
