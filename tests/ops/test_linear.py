"""Factorizations through losses that do not depend on signs and phases, in both modes, real and complex."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg
from ops.samples import Sample, args, gradient_error
from ops.test_mutation import mutants, patched

import symdiff
from symdiff.ir import types
from symdiff.ir.node import Node
from symdiff.ops.axes import triu
from symdiff.ops.lowering import call, to_node
from symdiff.ops.piecewise import absolute
from symdiff.ops.reductions import add_reduce
from symdiff.ops.row import REGISTRY, Row

R = np.random.default_rng(0)
A = R.normal(size=(3, 3)) + 3 * np.eye(3)
W = R.normal(size=(3, 3))
B, C, V = R.normal(size=(5, 3)), R.normal(size=(5, 2)), R.normal(size=5)
Z = A + 1j * W


def eigh(a: Any) -> Any:
    w, v = np.linalg.eigh(a)
    return np.sum(np.abs(W @ v) ** 2 @ (w**2)) + w[0]


def scipy_eigh(a: Any) -> Any:
    w, v = scipy.linalg.eigh(a, lower=False)
    return np.sum(np.abs(W @ v) ** 2 @ (w**2)) + w[0]


def eig(a: Any) -> Any:
    w, v = np.linalg.eig(a)
    return np.sum(np.abs(W @ v) ** 2 @ (np.abs(w) ** 2)) + np.abs(w)[0]


def eigvals(a: Any) -> Any:
    return np.sum(np.abs(np.linalg.eigvals(a)) ** 3)


def svd(a: Any) -> Any:
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    left = np.sum(np.abs(W[:, : a.shape[0]] @ u) ** 2 @ (s**2))
    return left + s[0] + np.sum(np.abs(W[:, : a.shape[1]] @ np.conj(vh).T) ** 2) * np.abs(vh[0, 0] * u[0, 0])


def svd_in_a_loop(a: Any) -> Any:
    total = 0.0
    for i in range(3):
        _, s, vh = np.linalg.svd(a + i * np.ones((3, 3)), full_matrices=False)
        total = total + s[0] * np.abs(vh[0, 0])
    return total


def first_of_eigh_in_a_loop(a: Any) -> Any:
    total = 0.0
    for i in range(3):
        w = np.linalg.eigh(a * i + a.T).eigenvalues
        total += w[0] * w[1]
    return total


def qr(a: Any) -> Any:
    q, r = np.linalg.qr(a)
    return np.sum(np.abs(W[:, : a.shape[0]] @ q) ** 3) + np.sum(np.abs(r + 1) ** 3)


def slogdet(a: Any) -> Any:
    s, logarithm = np.linalg.slogdet(a)
    return logarithm * np.abs(s + 1) ** 2


def lstsq(a: Any, b: Any) -> Any:
    x, residuals, _, s = np.linalg.lstsq(a, b, rcond=None)
    return np.sum(np.abs(x) ** 3) + np.sum(residuals**2) + np.sum(s**3)


def cho_solve(a: Any, b: Any) -> Any:
    c = scipy.linalg.cho_factor(a @ a.T)
    return np.sum(scipy.linalg.cho_solve(c, b) ** 2)


def cho_solve_lower(a: Any, b: Any) -> Any:
    c, lower = scipy.linalg.cho_factor(a @ a.T, lower=True)
    return np.sum(scipy.linalg.cho_solve((c, lower), b) ** 2)


def matrix_functions(a: Any) -> Any:
    square = a @ a.T
    return np.real(np.sum(scipy.linalg.sqrtm(square) ** 3) + np.sum(W * scipy.linalg.logm(square)))


SHAPES: list[Any] = [A, A[:2], A[:, :2], Z, Z[:, :2], Z[:2]]
CASES: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
    *((f, (x,)) for f in (eigh, scipy_eigh, eig, slogdet) for x in (A, Z)),
    (eigvals, (A,)),
    *((f, (x,)) for f in (svd, qr) for x in SHAPES),
    (svd_in_a_loop, (A,)),
    (first_of_eigh_in_a_loop, (A,)),
    *((lstsq, pair) for pair in ((B, C), (B, V), (A[:2], C[:2]), (B + 1j * B[::-1], C + 0j))),
    *((f, (A, b)) for f in (cho_solve, cho_solve_lower) for b in (W, W[0])),
    (matrix_functions, (A,)),
]


@pytest.mark.parametrize(("f", "given"), CASES)
def test_both_modes(f: Callable[..., Any], given: tuple[Any, ...]) -> None:
    for wrt, x in enumerate(given):
        t = R.normal(size=x.shape) + (1j * R.normal(size=x.shape) if np.iscomplexobj(x) else 0)
        h = 1e-5
        moved = [f(*given[:wrt], x + step * t, *given[wrt + 1 :]) for step in (h, -h)]
        numeric = (moved[0] - moved[1]) / (2 * h)
        gradient = symdiff.grad(f, wrt=wrt)(*given)
        _, tangent = symdiff.jvp(f)(given, tuple(t if i == wrt else None for i in range(len(given))))
        np.testing.assert_allclose(np.sum((np.conj(gradient) * t).real), numeric, rtol=1e-7, atol=1e-7)
        np.testing.assert_allclose(tangent, numeric, rtol=1e-7, atol=1e-7)


def test_equal_eigenvalues() -> None:
    """What reads eigenvalues alone is right; what reads the vectors of equal ones is not a number."""
    equal = 2 * np.eye(3)
    cubes = symdiff.grad(lambda a: np.sum(np.linalg.eigh(a)[0] ** 3))(equal)
    np.testing.assert_allclose(cubes, 12 * np.eye(3))
    values = symdiff.grad(lambda a: np.sum(np.linalg.svd(a)[1] ** 3))(equal)
    np.testing.assert_allclose(values, 12 * np.eye(3))

    def exponential(a: Any) -> Any:
        w, v = np.linalg.eigh(a)
        return np.sum((v * np.exp(w)) @ v.T * W)

    with np.errstate(all="ignore"):
        assert not np.isfinite(symdiff.grad(exponential)(equal)[1, 0])
    whole = symdiff.grad(lambda a: np.sum(scipy.linalg.expm(a) * W))(equal)
    np.testing.assert_allclose(whole, np.exp(2) * W)


def test_a_factorization_is_computed_once() -> None:
    def loss(a: Any) -> Any:
        w, v = np.linalg.eigh(a)
        return np.sum(w**2 * v[0] ** 2)

    assert symdiff.grad(loss).source_for(A).count("eigh(a)") == 2  # once in a comment


def test_norms_at_kinks() -> None:
    zero = np.zeros((2, 3))
    for order in (None, "fro", 2):
        assert np.all(symdiff.grad(lambda x, order=order: np.linalg.norm(x, order))(zero) == 0) or order == 2
    np.testing.assert_array_equal(symdiff.grad(lambda x: np.linalg.norm(x, "nuc"))(zero), zero)
    ties = symdiff.grad(lambda x: np.linalg.norm(x, 2))(np.eye(2))
    np.testing.assert_allclose(ties, 0.5 * np.eye(2))


def test_results_by_name() -> None:
    gradient = symdiff.grad(lambda a: np.linalg.slogdet(a).logabsdet)(A)
    np.testing.assert_allclose(gradient, np.linalg.inv(A).T)


def of_vectors(name: str) -> Any:
    def lowered(row: Row, a: Any) -> Node:
        w, v = call(REGISTRY[name], a)
        return add_reduce(absolute(to_node(W.tolist()) @ v) ** 2 * absolute(w))

    return lowered


def of_pair(function: Any) -> Any:
    def loss(a: Any) -> Any:
        w, v = function(a)
        return np.sum(np.abs(W @ v) ** 2 * np.abs(w))

    return loss


LOSSES: dict[str, tuple[Any, Any]] = {
    "linalg.eig": (of_vectors("linalg.eig"), of_pair(np.linalg.eig)),
    "scipy.linalg.eigh": (of_vectors("scipy.linalg.eigh"), of_pair(scipy.linalg.eigh)),
    "scipy.linalg.cho_factor": (
        lambda row, a: add_reduce(triu(call(REGISTRY["scipy.linalg.cho_factor"], a)[0]) ** 3),
        lambda a: np.sum(np.triu(scipy.linalg.cho_factor(a)[0]) ** 3),
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_mutants_are_caught(name: str) -> None:
    lowered, target = LOSSES[name]
    loss = Row(name="loss", infer=lambda *_: types.array(), targets=(target,), lower=lowered)
    matrix = Z if name == "linalg.eig" else A @ A.T
    assert gradient_error(Sample(loss, lambda r: args(matrix))) < 1e-8
    for _, field, made in mutants(REGISTRY[name]):
        with patched(REGISTRY[name], field, made):
            try:
                assert gradient_error(Sample(loss, lambda r: args(matrix))) > 1e-6
            except TypeError:  # a part that is missing
                continue
