"""At which sizes each NPBench program is checked and timed, and how its data are moved off special points.

Enters: nothing.  Leaves: `PLANS` by program, all settings of the harness.  Invariant: sizes only ever
shrink preset S; the data stay those of the program's own initialiser but for what is said here.

The initialisers fill arrays with `i * j % n / n` and the like: columns that are exact multiples of each
other, ties, zeros and saturated exponentials.  There a derivative is zero or undefined and a check says
nothing, so every entry is moved by seeded normal noise of `noise` times the root mean square of its array.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# Single precision: the finite differences are taken of the same program in double precision.
SINGLE_TOLERANCE = 1e-4
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Plan:
    """check, timed: replacements in preset S.  centred: arrays drawn from [0, 1) are moved to [-0.5, 0.5).

    diagonal: added to the diagonal of square matrices that the initialiser made all but singular.
    step: the first step of the finite differences.  why: what a reader of the table should know.
    """

    check: dict[str, int | float] = field(default_factory=dict)
    timed: dict[str, int | float] = field(default_factory=dict)
    noise: float = 0.05
    centred: bool = False
    diagonal: float = 0.0
    step: float = 2.0**-6
    why: str = ""


PLANS: dict[str, Plan] = {
    "adi": Plan({"TSTEPS": 3, "N": 30}),
    "arc_distance": Plan({"N": 20_000}),
    "atax": Plan({"M": 400, "N": 500}),
    "azimint_hist": Plan(
        {"N": 300, "npt": 20},
        step=2.0**-18,  # no point crosses the edge of a bin
        why="piecewise constant in `radius`: the gradient is zero almost everywhere",
    ),
    "azimint_naive": Plan(
        {"N": 5_000, "npt": 50},
        {"N": 20_000, "npt": 200},
        why="piecewise constant in `radius`: the gradient is zero almost everywhere",
    ),
    "bicg": Plan({"M": 400, "N": 500}),
    "cavity_flow": Plan({"ny": 21, "nx": 23, "nt": 8, "nit": 5}),
    "channel_flow": Plan(
        {"ny": 7, "nx": 8, "nu": 1.0},
        {"ny": 9, "nx": 9, "nu": 1.0},
        why="jumps where the number of steps does",
    ),
    "cholesky": Plan({"N": 30}, diagonal=50.0),
    "cholesky2": Plan({"N": 60}, diagonal=50.0, step=2.0**-14),
    "contour_integral": Plan({"NR": 12, "NM": 15, "num_int_pts": 12}),
    "conv2d_bias": Plan({"N": 3, "H": 12, "W": 11, "C_out": 6}, centred=True),
    "correlation": Plan({"M": 40, "N": 50}),
    "covariance": Plan({"M": 40, "N": 50}),
    "covariance2": Plan({"M": 60, "N": 70}),
    "deriche": Plan({"W": 60, "H": 50}),
    "doitgen": Plan({"NR": 12, "NQ": 14, "NP": 32}),
    "durbin": Plan({"N": 120}, noise=0.02),
    "fdtd_2d": Plan({"TMAX": 10, "NX": 50, "NY": 60}),
    "gemm": Plan({"NI": 60, "NJ": 70, "NK": 80}),
    "gemver": Plan({"N": 150}),
    "gesummv": Plan({"N": 300}),
    "go_fast": Plan({"N": 300}),
    "gramschmidt": Plan({"M": 30, "N": 24}),
    "hdiff": Plan({"I": 14, "J": 15, "K": 6}, why="jumps where the limiter switches"),
    "heat_3d": Plan({"TSTEPS": 6, "N": 12}),
    "jacobi_1d": Plan({"TSTEPS": 60, "N": 400}),
    "jacobi_2d": Plan({"TSTEPS": 15, "N": 40}),
    "k2mm": Plan({"NI": 50, "NJ": 55, "NK": 60, "NL": 65}),
    "k3mm": Plan({"NI": 50, "NJ": 55, "NK": 60, "NL": 65, "NM": 70}),
    "lenet": Plan({"N": 2}, centred=True),
    "lu": Plan({"N": 24}, diagonal=50.0),
    "ludcmp": Plan({"N": 24}, diagonal=50.0),
    "mlp": Plan({"S0": 60, "S1": 40, "S2": 20}, centred=True),
    "mvt": Plan({"N": 400}),
    "nbody": Plan({"N": 10, "tEnd": 0.25}),
    "resnet": Plan({"N": 4, "W": 7, "H": 6, "C1": 8, "C2": 4}, centred=True),
    "scattering_self_energies": Plan({"NE": 3, "NA": 4}),
    "seidel_2d": Plan({"TSTEPS": 5, "N": 16}),
    "softmax": Plan({"N": 4, "H": 4, "SM": 24}),
    "spmv": Plan({"M": 300, "N": 320, "nnz": 900}),
    "stockham_fft": Plan({"K": 8}),
    "symm": Plan({"M": 14, "N": 17}),
    "syr2k": Plan({"M": 12, "N": 18}),
    "syrk": Plan({"M": 14, "N": 20}),
    "trisolv": Plan({"N": 120}),
    "trmm": Plan({"M": 18, "N": 22}),
    "vadv": Plan({"I": 10, "J": 11, "K": 14}),
}
