"""Reading by every kind of index: inferred dims, values and gradients against NumPy's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ops.evaluate import evaluate
from ops.samples import Sample

from symdiff.autodiff.reverse import pullback
from symdiff.ir import types
from symdiff.ir.build import Builder
from symdiff.ir.node import LEAF
from symdiff.ir.types import Size
from symdiff.ops.indexing import index as index_row

X = np.arange(3 * 4 * 5, dtype=float).reshape(3, 4, 5)
INTS, PAIR, GRID = np.array([0, 2, 0]), np.array([1, 0]), np.array([[0, 1], [2, 2]])
MASK, MASK2 = np.array([True, False, True]), np.arange(12).reshape(3, 4) % 3 == 0
s = np.s_
INDEXES: list[Any] = [
    0,
    -1,
    s[1:],
    s[:-1],
    s[1:-1],
    s[::2],
    s[::-1],
    s[-1:0:-1],
    s[:, 1:3],
    s[..., 0],
    s[0, ..., -1],
    s[None],
    s[:, None, 1],
    s[..., None],
    s[0, 0, 0],
    s[...],
    s[:, :, ::-2],
    s[1:1],
    s[0:10],
    s[:, -3:-1],
    s[INTS],
    s[:, INTS],
    s[..., INTS],
    s[INTS, INTS],
    s[INTS, :, INTS],
    s[0, :, INTS],
    s[:, 0, INTS],
    s[GRID],
    s[:, GRID, 0],
    s[MASK],
    s[MASK2],
    s[:, :, None, INTS],
    s[MASK, 1],
    s[MASK2, 0],
    s[INTS[:, None], PAIR],
    s[INTS[:, None], :, PAIR],
    s[INTS, None, INTS],
    s[..., INTS, INTS],
    s[MASK2, ..., 1:],
    s[np.array(1)],
    s[np.array(1), INTS],
    s[:, np.array(1)],
]


def entries(index: Any) -> tuple[Any, list[Any]]:
    """An index as the attribute of the row, and its array operands."""
    operands: list[Any] = []
    spec: list[Any] = []
    for part in index if isinstance(index, tuple) else (index,):
        if isinstance(part, np.ndarray):
            spec.append(("arg", len(operands)))
            operands.append(part)
        elif isinstance(part, slice):
            spec.append(("slice", part.start, part.stop, part.step))
        elif part is None or part is ...:
            spec.append(("new",) if part is None else ("ellipsis",))
        else:
            spec.append(("int", part))
    return tuple(spec), operands


@pytest.mark.parametrize("symbolic", [False, True], ids=["exact", "symbolic"])
@pytest.mark.parametrize("index", INDEXES, ids=str)
def test_index(index: Any, symbolic: bool) -> None:
    spec, operands = entries(index)
    values = [X, *operands]
    builder = Builder()
    with builder:
        params = []
        for value in values:
            dims = tuple(Size(f"n{n}") if symbolic and n > 1 else n for n in value.shape)
            params.append(builder.param(types.array(value.dtype.name, dims), "x"))
        y = index_row(*params, index=spec)
        function = Sample.finish(builder, params, [y])
    expected = X[index]
    np.testing.assert_array_equal(evaluate(function, *values)[0], expected)
    dims = function.sizes.resolve(y.type.dims)
    assert dims is not None
    assert len(dims) == expected.ndim
    for dim, n in zip(dims, expected.shape, strict=True):
        fresh = isinstance(dim, Size) and dim.name.startswith("?")
        assert fresh or (max(int(dim.name[1:]) - dim.less, 0) if isinstance(dim, Size) else dim) == n
        assert symbolic or not fresh or any(value.dtype == bool for value in operands)
    with function.open() as builder:
        g = builder.param(y.type, "g")
        (part,) = pullback(builder, function, {y: g}, params[:1])
        assert part is not None
        back = builder.finish("back", [*params, g], [part], LEAF)
    weights = np.random.default_rng(0).normal(size=expected.shape)
    total = np.zeros_like(X)
    np.add.at(total, index, weights)
    np.testing.assert_allclose(evaluate(back, *values, weights)[0], total)


def test_staged_integers_in_slices() -> None:
    builder = Builder()
    with builder:
        x = builder.param(types.array("float64", (Size("n"), Size("m"))), "x")
        i, k = builder.param(types.number("int"), "i"), builder.param(types.number("int"), "k")
        y = index_row(x, i, k, index=(("arg", 0), ("slice", ("arg", 0), ("arg", 1), None)))
        function = Sample.finish(builder, [x, i, k], [y])
    assert y.type.rank == 1
    np.testing.assert_array_equal(evaluate(function, X[0], 1, 3)[0], X[0][1, 1:3])
