"""Every fold against the operation as written, on 2,000 points that include the special values.

Arithmetic is judged exactly: the error of the folded form is at most twice that of the unfolded one, or 4
ulp of the condition; where the unfolded one is NaN or infinite, so is the folded one, unless no operand
was and the exact value is finite.  What moves elements must be equal bit by bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from ops.evaluate import evaluate
from simplify import programs
from simplify.programs import COLUMN, MATRIX, SCALAR, VECTOR, operations, program, without_folds

from symdiff.ir.node import FOLDS, Function
from symdiff.ir.node import FOLDS as REGISTERED
from symdiff.ops.arithmetic import greater, negative
from symdiff.ops.creation import arange
from symdiff.ops.elementwise import where
from symdiff.ops.indexing import FULL, add_at, index, scatter
from symdiff.ops.linalg import inv
from symdiff.ops.reductions import add_reduce
from symdiff.ops.row import REGISTRY as ROWS
from symdiff.ops.shaping import (
    broadcast_to,
    copy,
    fit_like,
    length,
    reshape,
    shape_of,
    size,
    to_float,
    transpose,
    zeros_like,
)  # fmt: skip
from symdiff.ops.updates import update
from symdiff.simplify.probe import SPECIAL, _exact, magnitude

POINTS = 2000
Build = Callable[..., Any]

ARITHMETIC: dict[str, tuple[str, Build]] = {
    "a + 0": ("add", lambda a, b, s: a + 0),
    "a + -b": ("add", lambda a, b, s: a + -b),
    "a + -2b": ("add", lambda a, b, s: a + -2 * b),
    "a + a": ("add", lambda a, b, s: a + a),
    "a - 0": ("subtract", lambda a, b, s: a - 0),
    "0 - a": ("subtract", lambda a, b, s: 0 - a),
    "a - -b": ("subtract", lambda a, b, s: a - -b),
    "1 a": ("multiply", lambda a, b, s: 1 * a),
    "-1 a": ("multiply", lambda a, b, s: -1 * a),
    "(-a) b": ("multiply", lambda a, b, s: -a * b),
    "s (2 a)": ("multiply", lambda a, b, s: s * (2 * a)),
    "s (a / 3)": ("multiply", lambda a, b, s: s * (a / 3)),
    "s (a s)": ("multiply", lambda a, b, s: s * (a * s)),
    "(1 / a) b": ("multiply", lambda a, b, s: 1 / a * b),
    "a 2": ("multiply", lambda a, b, s: a * 2),
    "a (2 b)": ("multiply", lambda a, b, s: a * (2 * b)),
    "a / 1": ("divide", lambda a, b, s: a / 1),
    "-a / b": ("divide", lambda a, b, s: -a / b),
    "a / -b": ("divide", lambda a, b, s: a / -b),
    "(s a) / 3": ("divide", lambda a, b, s: s * a / 3),
    "a ** 1": ("power", lambda a, b, s: a**1),
    "--a": ("negative", lambda a, b, s: negative(negative(a))),
    "-(a - b)": ("negative", lambda a, b, s: -(a - b)),
    "-(2 a)": ("negative", lambda a, b, s: -(2 * a)),
    "-(2 / a)": ("negative", lambda a, b, s: -(2 / a)),
}


def points() -> tuple[np.ndarray, np.ndarray]:
    """All pairs of special values, and pairs of random ones of all magnitudes."""
    special = np.array([(x, y) for x in SPECIAL for y in SPECIAL]).T
    rng = np.random.default_rng(0)
    rest = rng.choice([-1, 1], (2, POINTS - special.shape[1])) * 10 ** rng.uniform(
        -8, 8, (2, POINTS - special.shape[1])
    )
    a, b = np.concatenate([special, rest], axis=1)
    return a, b


def both(build: Build, *dims: Any) -> tuple[Function, Function]:
    with without_folds():
        unfolded = program(build, *dims)
    return unfolded, program(build, *dims)


@pytest.mark.parametrize("s", [3.0, -0.25, 1e-3, 80.0])
@pytest.mark.parametrize("name", ARITHMETIC)
def test_arithmetic(name: str, s: float) -> None:
    unfolded, folded = both(ARITHMETIC[name][1], VECTOR, VECTOR, SCALAR)
    assert operations(folded) != operations(unfolded) or name in ("a + a", "a 2"), "the fold applies"
    a, b = points()
    old, new = evaluate(unfolded, a, b, np.float64(s))[0], evaluate(folded, a, b, np.float64(s))[0]
    root, params = unfolded.results[0], unfolded.params
    with np.errstate(all="ignore"):
        scale = magnitude(root, dict(zip(params, (a, b, s), strict=True)))
    used = [k for k in (0, 1) if any(params[k] in node.args for node in unfolded.body.body)]
    for k in np.flatnonzero(~((old == new) | (np.isnan(old) & np.isnan(new)))):
        point = dict(zip(params, (a[k], b[k], s), strict=True))
        assert not any(math.isnan((a, b)[i][k]) for i in used), (name, point)
        exact = None if any(math.isinf((a, b)[i][k]) for i in used) else _exact(root, point)
        if math.isnan(old[k]):
            continue
        assert exact is not None, (name, point, old[k], new[k])
        if math.isinf(old[k]):
            continue
        assert math.isfinite(new[k]), (name, point, old[k])
        allowed = max(2 * abs(Fraction(old[k]) - exact), Fraction(4 * 2.0**-52) * Fraction(float(scale[k])))
        assert abs(Fraction(new[k]) - exact) <= max(allowed, Fraction(1, 10**307)), (name, point)


def masks(a: Any, b: Any) -> Any:
    return where(greater(a, 0.5), a, 0)


ROW, PLACES = (("int", 1),), (("arg", 0),)


def repeats(v: Any) -> Any:
    """An index that names places several times."""
    return ROWS["remainder"](arange(length(v, axis=0)), 3)


MOVED: dict[str, tuple[str, Build, tuple[Any, ...]]] = {
    "what was written is read": (
        "index",
        lambda a, v: index(update(2 * a, -v, index=(FULL, ("int", 1))), index=(FULL, ("int", 1))),
        (MATRIX, VECTOR),
    ),
    "a number that was written is read": (
        "index",
        lambda v, w: index(update(2 * v, 3.0, index=ROW), index=ROW) * w,
        (VECTOR, VECTOR),
    ),
    "zeros are read": ("index", lambda v, w: index(zeros_like(v), index=ROW) + w, (VECTOR, VECTOR)),
    "a broadcast is read": (
        "index",
        lambda v, s: index(broadcast_to(2 * s, shape_of(v)), index=ROW) + v,
        (VECTOR, SCALAR),
    ),
    "zeros in zeros": ("update", lambda v, w: update(zeros_like(v), 0, index=ROW) + w, (VECTOR, VECTOR)),
    "written twice": (
        "update",
        lambda v, s: update(update(2 * v, 1.0, index=ROW), s, index=ROW),
        (VECTOR, SCALAR),
    ),
    "written after it was added to": (
        "update",
        lambda v, s: update(add_at(2 * v, s, index=ROW), 4.0, index=ROW),
        (VECTOR, SCALAR),
    ),
    "written back": (
        "update",
        lambda v, w: update(2 * v, index(2 * v, index=ROW), index=ROW),
        (VECTOR, VECTOR),
    ),
    "nothing is added": ("add_at", lambda v, w: add_at(2 * v, 0.0, index=ROW), (VECTOR, VECTOR)),
    "added where it was emptied": (
        "add_at",
        lambda v, s: add_at(update(2 * v, 0.0, index=ROW), s, index=ROW),
        (VECTOR, SCALAR),
    ),
    "what was there is added where it was emptied": (
        "add_at",
        lambda v, s: add_at(update(2 * v, 0.0, index=ROW), index(2 * v, index=ROW), index=ROW),
        (VECTOR, SCALAR),
    ),
    "a sum with what was there": (
        "add_at",
        lambda v, s: add_at(update(2 * v, 0.0, index=ROW), s * 2 + index(2 * v, index=ROW), index=ROW),
        (VECTOR, SCALAR),
    ),
    "several are added to one place that was emptied": (
        "add_at",
        lambda v, w: add_at(update(2 * v, 0.0, repeats(v), index=PLACES), -w, repeats(v), index=PLACES),
        (VECTOR, VECTOR),
    ),
    "the last that was written to one place is read": (
        "index",
        lambda v, w: index(update(2 * v, -w, repeats(v), index=PLACES), repeats(v), index=PLACES),
        (VECTOR, VECTOR),
    ),
    "where of a broadcast": (
        "where",
        lambda a, c: where(greater(a, 0), a, broadcast_to(c, shape_of(a))),
        (MATRIX, COLUMN),
    ),
    "broadcast to its own shape": ("broadcast_to", lambda a: broadcast_to(a, shape_of(a)), (MATRIX,)),
    "broadcast twice": (
        "broadcast_to",
        lambda a, c, s: broadcast_to(broadcast_to(s, shape_of(c)), shape_of(a)),
        (MATRIX, COLUMN, SCALAR),
    ),
    "broadcast absorbed": ("add", lambda a, c: a + broadcast_to(c, shape_of(a)), (MATRIX, COLUMN)),
    "reshape to its own shape": ("reshape", lambda a: reshape(a, shape_of(a)), (MATRIX,)),
    "transpose twice": ("transpose", lambda a: transpose(transpose(a)), (MATRIX,)),
    "transpose of a vector": ("transpose", lambda a: transpose(a), (VECTOR,)),
    "shape of a sum": ("shape", lambda a, b: broadcast_to(b, shape_of(a + a)), (MATRIX, COLUMN)),
    "size of a sum": ("size", lambda a: a / size(a + a), (MATRIX,)),
    "length of a sum": ("length", lambda a: a / length(a + a, axis=1), (MATRIX,)),
    "sum of a negative": ("sum", lambda a: add_reduce(-a, axis=0), (MATRIX,)),
    "scatter everywhere": (
        "scatter",
        lambda c, v: scatter(c, shape_of(v), index=(FULL, ("new",))),
        (COLUMN, VECTOR),
    ),
    "fit to a vector": ("fit_like", lambda a, v: fit_like(transpose(a), v), (MATRIX, VECTOR)),
    "fit to a column": ("fit_like", lambda a, c: fit_like(a, c), (MATRIX, COLUMN)),
    "fit to a scalar": ("fit_like", lambda a, s: fit_like(a, s), (VECTOR, SCALAR)),
    "fit to itself": ("fit_like", lambda a: fit_like(a, a), (MATRIX,)),
    "a float of a float": ("to_float", lambda a, x: to_float(to_float(x)), (VECTOR, "number")),
    "copy of a transposed inverse": ("copy", lambda q: copy(transpose(inv(q))), ((programs.N, programs.N),)),
    "masks of both signs": (
        "add",
        lambda a: where(greater(a, 0), a, 0) + where(greater(a, 0), 0, 2 * a),
        (MATRIX,),
    ),
    "masks of one sign": ("add", lambda a: masks(a, a) + where(greater(a, 0.5), 2 * a, 0), (MATRIX,)),
    "scatters": (
        "add",
        lambda v: scatter(-v, shape_of(v), index=(FULL,)) + scatter(v, shape_of(v), index=(FULL,)),
        (VECTOR,),
    ),
}


def values(dims: Any) -> Any:
    """Numbers of all magnitudes with special ones among them; a well-conditioned square matrix."""
    rng = np.random.default_rng(1)
    if dims == (programs.N, programs.N):
        return rng.standard_normal((5, 5)) + 5 * np.eye(5)
    shape = {VECTOR: (50,), MATRIX: (50, 40), COLUMN: (50, 1)}.get(dims, ())
    made = np.array(rng.standard_normal(shape) * 10 ** rng.uniform(-6, 6, shape))
    flat = made.reshape(-1)
    if flat.size > 100:
        flat[: len(SPECIAL)] = SPECIAL
    return float(made) if dims == "number" else made


@pytest.mark.parametrize("name", MOVED)
def test_what_only_moves_elements_is_equal(name: str) -> None:
    _, build, dims = MOVED[name]
    unfolded, folded = both(build, *dims)
    args = [values(one) for one in dims]
    old, new = evaluate(unfolded, *args)[0], evaluate(folded, *args)[0]
    assert np.shape(old) == np.shape(new)
    np.testing.assert_allclose(new, old, rtol=1e-13, equal_nan=True)


def test_every_fold_is_sampled() -> None:
    sampled = {fold for fold, _ in ARITHMETIC.values()} | {fold for fold, *_ in MOVED.values()}
    assert sampled == set(REGISTERED)
    assert REGISTERED is FOLDS


def products() -> Iterator[Build]:
    yield lambda a, b: where(greater(a, 0), a, 0) * b
    yield lambda a, b: b * where(greater(a, 0), a, 0)
    yield lambda a, b: where(greater(a, 0), a, 0) / b
    yield lambda a, b: -where(greater(a, 0), a, 0) * b
    yield lambda a, b: where(greater(a, 0), a, 0) * b * b
    yield lambda a, b: (where(greater(a, 0), a, 0) + where(greater(a, 0), b, 0)) * b


@pytest.mark.parametrize("build", [*products()])
def test_a_mask_is_last_so_that_nothing_leaks_from_the_branch_not_taken(build: Build) -> None:
    unfolded, folded = both(build, VECTOR, VECTOR)
    a, b = points()
    old, new = evaluate(unfolded, a, b)[0], evaluate(folded, a, b)[0]
    taken = a > 0
    np.testing.assert_array_equal(new[taken], old[taken])
    np.testing.assert_array_equal(new[~taken], 0)
