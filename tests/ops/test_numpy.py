"""NumPy's main namespace: what has a row, and calls that samples of rows cannot say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symdiff
from symdiff.errors import SymdiffError
from symdiff.frontend.builtin import HANDLERS
from symdiff.ops.row import row_of

DRAW = np.random.default_rng(11)
X, A = DRAW.uniform(-1, 1, 8), DRAW.uniform(-1, 1, (3, 4))
HOLED = np.where(X > 0.6, np.nan, X)

# Differentiable in principle, and without a rule; every other name below only inspects, prints or stores.
WITHOUT = {
    "apply_along_axis", "apply_over_axes", "asarray_chkfinite", "bmat", "histogram2d", "histogramdd", "poly",
    "polydiv", "real_if_close", "require", "roots", "sort_complex", "trim_zeros",
    "union1d", "unique", "unique_all", "unique_counts", "unique_inverse", "unique_values",
}  # fmt: skip
INSPECTING = {
    "array2string", "array_repr", "array_str", "asmatrix", "base_repr", "binary_repr", "broadcast_shapes",
    "busday_count", "busday_offset", "can_cast", "common_type", "datetime_as_string", "datetime_data",
    "einsum_path", "format_float_positional", "format_float_scientific", "from_dlpack", "frombuffer",
    "fromfile", "fromiter", "frompyfunc", "fromregex", "fromstring", "genfromtxt", "get_include",
    "get_printoptions", "getbufsize", "geterr", "geterrcall", "in1d", "info", "intersect1d", "is_busday",
    "isdtype", "isfortran", "isnat", "isscalar", "issubdtype", "iterable", "lexsort", "load", "loadtxt",
    "mask_indices", "may_share_memory", "min_scalar_type", "mintypecode", "nested_iters", "packbits",
    "printoptions", "promote_types", "ravel_multi_index", "result_type", "save", "savetxt", "savez",
    "savez_compressed", "set_printoptions", "setbufsize", "setdiff1d", "seterr", "seterrcall", "setxor1d",
    "shares_memory", "show_config", "show_runtime", "test", "typename", "unpackbits", "unravel_index",
}  # fmt: skip


def names(module: Any) -> list[str]:
    public = [name for name in dir(module) if not name.startswith("_")]
    found = [(name, getattr(module, name)) for name in public]
    return [name for name, value in found if callable(value) and not isinstance(value, type)]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", names(np))
def test_every_function_is_accounted_for(name: str) -> None:
    function = getattr(np, name)
    handled = row_of(function) is not None or id(function) in HANDLERS
    assert handled or name in WITHOUT | INSPECTING


@pytest.mark.parametrize("name", names(np.fft))
def test_every_transform_has_a_row(name: str) -> None:
    assert row_of(getattr(np.fft, name)) is not None or name == "test"


def pieces(x):
    return np.sum(np.piecewise(x, [x < 0, x >= 0.3], [lambda t: np.sqrt(-t), lambda t, k=3: t**k, 7.0]) ** 2)


def pieces_with_arguments(x):
    return np.sum(np.piecewise(x, x < 0, [lambda t, a: -a * t, lambda t, a: a * t**2], 3.0) ** 2)


def pieces_of_a_number(x):
    return np.piecewise(x[0], [x[0] < 0], [lambda t: -t, lambda t: t**2]) * 3


def later_pieces_win(x):
    return np.sum(np.piecewise(x, [x < 0.5, x < 0], [lambda t: t**2, np.exp]))


def put_along_an_axis(a):
    b = a.copy()
    np.put_along_axis(b, np.array([[1], [0], [2]]), a[:, :1] ** 2, axis=1)
    np.put_along_axis(b, np.array([0, 5]), 2.5, axis=None)
    return np.sum(b**2)


def triangles(a):
    i, j = np.tril_indices(3)
    upper = np.triu_indices(3, 1)
    return np.sum(a[i, j] ** 2) + np.sum(a[upper] ** 3) + np.sum(a[np.diag_indices(3)]) * np.ndim(a)


def triangles_of(a):
    square = a @ a.T
    return np.sum(square[np.tril_indices_from(square, -1)]) + np.sum(
        square[np.triu_indices_from(square)] ** 2
    )


def parts(x):
    (m, e), (f, w) = np.frexp(x), np.modf(5 * x)
    return np.sum(m * e) + np.sum(f * w)


def known_while_compiling(x):
    return x[0] ** 2 if np.iscomplexobj(x) or np.ndim(x) == 2 else np.sum(x) ** 3 * np.isrealobj(x)


def fitted_line(x):
    found = np.polyfit(np.arange(8.0), x, 1)
    return np.polyval(found, 2.5) ** 2 + np.sum(np.polyint(found) ** 2)


def folded(x):
    return np.add.reduce(x) ** 2 + np.logaddexp.reduce(x) + np.sum(np.subtract.outer(x, x) ** 2)


def sorted_in_part(x):
    return np.sum(np.partition(x, 3) * np.arange(8.0)) + np.sum(np.sort(x)[:2] ** 2)


def methods(x):
    kept = x.compress(x > 0) + np.sum(x[:, None].compress([True], axis=1) ** 3)
    return np.sum(kept**2) + np.sum((x > 0).choose([x, x**2])) + np.sum(x.take([1, 9], mode="wrap") ** 2)


def inserted_and_deleted(x):
    return np.sum(np.insert(x, [1, 3], x[:2]) * np.arange(10)) + np.sum(np.delete(x, [0, 2]) ** 3)


def array_api(x):
    joined = np.concat([np.asinh(x), np.atan2(x, 2.0), np.acos(x), np.pow(x, 2)])
    return np.sum(joined**2) + np.vecdot(x, x) + np.sum(np.matrix_transpose(np.permute_dims(x[:, None])))


def without_nan(x):
    return (
        np.nanmean(x) ** 2 + np.nanstd(x) + np.nanmax(x) + np.nanmedian(x) ** 3 + np.nanquantile(x, 0.3) ** 2
    )


def filtered(x, n):
    spectrum = np.fft.rfft(x) * np.exp(-np.fft.rfftfreq(8, 0.5))
    return np.sum(np.fft.irfft(spectrum, 8) ** 2) + np.sum(np.abs(np.fft.rfft(x, n)) ** 2)


PROGRAMS: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
    (pieces, (X,)), (pieces_with_arguments, (X,)), (pieces_of_a_number, (X,)), (later_pieces_win, (X,)),
    (put_along_an_axis, (A,)), (triangles, (A,)), (triangles_of, (A,)), (parts, (X,)),
    (known_while_compiling, (X,)), (fitted_line, (X,)), (folded, (X,)), (sorted_in_part, (X,)),
    (inserted_and_deleted, (X,)), (methods, (X,)), (array_api, (X,)), (without_nan, (HOLED,)),
    (filtered, (X, 5)),
]  # fmt: skip


@pytest.mark.parametrize(("function", "args"), PROGRAMS, ids=lambda part: getattr(part, "__name__", ""))
def test_program(function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    x, *rest = args
    value, gradient = symdiff.value_and_grad(function)(*args)
    assert value == function(*args)
    direction = DRAW.uniform(0.5, 1, x.shape)
    numeric = (function(x + 1e-6 * direction, *rest) - function(x - 1e-6 * direction, *rest)) / 2e-6
    np.testing.assert_allclose(np.nansum(gradient * direction), numeric, rtol=1e-6)


def test_whole_and_fraction_are_those_of_numpy() -> None:
    """Bit for bit, also where there is nothing to differentiate."""

    def both(x):
        fraction, whole = np.modf(x)
        return np.sum(1 / fraction) + np.sum(1 / whole)

    x = np.array([-2.0, 2.0, np.inf, -np.inf, 0.0, -0.0])
    for one in x:
        with np.errstate(all="ignore"):
            value = symdiff.value_and_grad(both)(np.array([one]))[0]
            np.testing.assert_array_equal(value, both(np.array([one])))


def test_nothing_leaks_from_a_piece_not_taken() -> None:
    gradient = symdiff.grad(lambda x: np.sum(np.piecewise(x, [x > 0], [np.sqrt, 0.0])))(np.array([-1.0, 4.0]))
    np.testing.assert_array_equal(gradient, [0.0, 0.25])


def test_leading_zeros_of_a_product_of_polynomials() -> None:
    """NumPy leaves them out of the product."""
    p, q = np.array([0.0, 2.0, 1.0]), np.array([3.0, 4.0])
    parts = symdiff.grad(lambda p, q: np.sum(np.polymul(p, q) * np.array([1.0, 2.0, 4.0])), (0, 1))(p, q)
    np.testing.assert_array_equal(parts[1], [1 * 2 + 2 * 1, 2 * 2 + 4 * 1])
    np.testing.assert_array_equal(parts[0][1:], [1 * 3 + 2 * 4, 2 * 3 + 4 * 4])


REFUSED: list[tuple[Callable[..., Any], str]] = [
    (lambda x: np.sum(np.polyval(x.reshape(2, 4), x)), "vectors of coefficients"),
    (lambda x: np.polyfit(x, x, 2, full=True)[0][0], "full"),
    (lambda x: np.sum(np.insert(x, slice(1, 3), 0.0)), "list of its places"),
    (lambda x: np.sum(np.insert(x, x > 0, 0.0)), "np.flatnonzero"),
    (lambda x: np.sum(np.nan_to_num(x, copy=False)), "writes"),
    (lambda x: np.add.reduce(x, initial=2.0), "initial"),
    (lambda x: np.sum(x.compress(x > 0, out=np.zeros(4))), "out"),
    (lambda x: np.sum(np.take(x, [9], mode="other")), "clip"),
    (lambda x: np.sum(np.abs(np.fft.rfft(x + 1j))), "np.fft.fft"),
    (lambda x: np.sum(np.abs(np.fft.fftn(x, s=(3, 3), axes=(0,)))), "2 lengths for 1 axes"),
    (lambda x: np.sum(np.unwrap(x * 1j)), "np.angle"),
    (lambda x: np.sum(np.piecewise(x, [x > 0], [1.0, 2.0, 3.0])), "functions are expected"),
    (lambda x: np.sum(np.geomspace(x[0] + 1j, 2.0)), "complex"),
]


@pytest.mark.parametrize(("function", "text"), REFUSED, ids=[text for _, text in REFUSED])
def test_refused(function: Callable[..., Any], text: str) -> None:
    with pytest.raises(SymdiffError, match=text):
        symdiff.grad(function)(X)
