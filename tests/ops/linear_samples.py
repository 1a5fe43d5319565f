"""Sample calls of the rows of numpy.linalg: factorizations, norms, least squares."""

from __future__ import annotations

from typing import Any

import numpy as np
from ops.samples import Draw, Spec, args


def well(r: Draw, *shape: int) -> np.ndarray:
    """Matrices far from singular."""
    return (r(*shape) + 3 * np.eye(shape[-2], shape[-1])).astype(r.dtype)


def spread(r: Draw, *shape: int) -> np.ndarray:
    """Matrices with eigenvalues far apart."""
    return (0.4 * r(*shape) + np.diag(np.arange(1.0, shape[-1] + 1))).astype(r.dtype)


def definite(r: Draw, *shape: int) -> np.ndarray:
    a = r(*shape)
    return (a @ np.swapaxes(a, -1, -2) + 2 * np.eye(shape[-1])).astype(r.dtype)


def complex_of(make: Any, r: Draw, *shape: int) -> np.ndarray:
    return np.asarray(make(r, *shape) + 0.3j * r(*shape))


SQUARE: list[Spec] = [
    lambda r: args(well(r, 3, 3)),
    lambda r: args(well(r, 2, 3, 3)),
    lambda r: args(well(r, 1, 1)),
    lambda r: args(complex_of(well, r, 2, 2)),
]
TALL_AND_WIDE: list[Spec] = [
    lambda r: args(well(r, 3, 3)),
    lambda r: args(well(r, 4, 3)),
    lambda r: args(well(r, 2, 4)),
    lambda r: args(well(r, 2, 4, 3)),
    lambda r: args(complex_of(well, r, 3, 2)),
    lambda r: args(complex_of(well, r, 2, 3)),
]
HERMITIAN: list[Spec] = [
    lambda r: args(spread(r, 3, 3)),
    lambda r: args(spread(r, 2, 3, 3)),
    lambda r: args(spread(r, 3, 3), UPLO="U"),
    lambda r: args(complex_of(spread, r, 3, 3)),
]
MATRIX_ORDERS = (1, -1, 2, -2, np.inf, -np.inf, "nuc", "fro")
VECTOR_ORDERS = (0, 1, -1, 2, 3, -2, 0.5, np.inf, -np.inf)


def normed(order: Any, *shape: int, **attrs: Any) -> Spec:
    return lambda r: args(r(*shape), ord=order, **attrs)


SPECS: dict[str, list[Spec]] = {
    "linalg.slogdet": SQUARE,
    "linalg.cholesky": [
        lambda r: args(definite(r, 3, 3)),
        lambda r: args(definite(r, 2, 3, 3)),
        lambda r: args(definite(r, 3, 3), upper=True),
        lambda r: args(complex_of(definite, r, 2, 2)),
    ],
    "linalg.eigvalsh": HERMITIAN,
    "linalg.eigvals": [
        lambda r: args(complex_of(spread, r, 3, 3)),
        lambda r: args(complex_of(spread, r, 2, 3, 3)),
    ],
    "linalg.svdvals": TALL_AND_WIDE,
    # Phases are LAPACK's choice, signs hold still: test_linear compares what does not depend on them.
    "linalg.eig": [],
    "linalg.eigh": HERMITIAN[:3],
    "linalg.svd": [
        lambda r: args(spread(r, 3, 3)),
        lambda r: args(spread(r, 2, 3, 3), full_matrices=False),
        lambda r: args(spread(r, 4, 4)[:, :3], full_matrices=False),
        lambda r: args(spread(r, 4, 4)[:2], full_matrices=False),
        lambda r: args(well(r, 4, 3), compute_uv=False),
    ],
    "linalg.qr": [*TALL_AND_WIDE, lambda r: args(well(r, 4, 3), mode="r")],
    "linalg.pinv": TALL_AND_WIDE,
    "linalg.matrix_rank": SQUARE,
    "linalg.lstsq": [
        lambda r: args(well(r, 5, 3), r(5, 2), rcond=None),
        lambda r: args(well(r, 5, 3), r(5)),
        lambda r: args(well(r, 2, 3), r(2)),
    ],
    "linalg.cond": [
        lambda r: args(well(r, 3, 3)),
        lambda r: args(well(r, 4, 3)),
        lambda r: args(well(r, 2, 3, 3)),
        *(lambda r, p=p: args(well(r, 3, 3), p) for p in (1, -1, 2, -2, np.inf, -np.inf, "fro", "nuc")),
    ],
    "linalg.tensorsolve": [
        lambda r: args(well(r, 6, 6).reshape(2, 3, 2, 3), r(2, 3)),
        lambda r: args(well(r, 6, 6).reshape(6, 2, 3), r(6)),
        lambda r: args(np.moveaxis(well(r, 6, 6).reshape(6, 2, 3), 2, 0), r(6), axes=(2, 0)),
    ],
    "linalg.tensorinv": [
        lambda r: args(well(r, 6, 6).reshape(2, 3, 6)),
        lambda r: args(well(r, 6, 6).reshape(6, 2, 3), ind=1),
    ],
    "linalg.norm": [
        lambda r: args(r(3)),
        lambda r: args(r(2, 3)),
        lambda r: args(r(2, 3), axis=1),
        lambda r: args(r(2, 3), axis=0, keepdims=True),
        lambda r: args(r(4, 2, 3), axis=(1, 2)),
        lambda r: args(r.complex(2, 3)),
        *(normed(order, 3) for order in VECTOR_ORDERS),
        *(normed(order, 2, 3, axis=1) for order in VECTOR_ORDERS),
        *(normed(order, 2, 3) for order in MATRIX_ORDERS),
        *(normed(order, 4, 2, 3, axis=(1, 2)) for order in MATRIX_ORDERS),
        *(normed(order, 3, 4, 2, axis=(2, 0), keepdims=True) for order in MATRIX_ORDERS),
        *(lambda r, order=order: args(r.complex(2, 3), order) for order in (2, "nuc")),
    ],
    "linalg.vector_norm": [
        lambda r: args(r(3)),
        lambda r: args(r(2, 3)),
        lambda r: args(r(2, 3), ord=3),
        lambda r: args(r(2, 3), axis=1),
        lambda r: args(r(3), ord=1),
    ],
    "linalg.matrix_norm": [normed(order, 2, 3) for order in MATRIX_ORDERS],
}
