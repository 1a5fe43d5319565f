"""Writing by every kind of index and through every kind of view: values, types and transposes against NumPy's
own assignment, and mutants of the transposes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
from ops.evaluate import evaluate
from ops.samples import Sample
from ops.test_indexing import GRID, INDEXES, INTS, MASK, MASK2, X, entries
from ops.test_mutation import CHANGES, changed, patched

from symdiff.ir import types
from symdiff.ir.build import Builder
from symdiff.ir.node import Node
from symdiff.ir.types import Size
from symdiff.ops.shaping import fit_like
from symdiff.ops.updates import update

s = np.s_
UNIQUE = np.array([2, 0])
# By name: the view of an array that is written into, its steps, and an index into it.
VIEWS: dict[str, tuple[Callable[[Any], Any], Any, Any]] = {
    "transpose": (lambda a: a.T, [("transpose", None)], s[1]),
    "axes": (lambda a: a.transpose(1, 2, 0), [("transpose", (1, 2, 0))], s[:, 2, 1:]),
    "reshape": (lambda a: a.reshape(12, 5), [("reshape", (12, 5))], s[1:7:2, -1]),
    "flat": (lambda a: a.reshape(-1), [("reshape", (-1,))], s[INTS]),
    "slice": (lambda a: a[1:], [("index", (("slice", 1, None, None),))], s[..., 0]),
    "row": (lambda a: a[1], [("index", (("int", 1),))], s[2]),
    "row of a row": (lambda a: a[1][2], [("index", (("int", 1),)), ("index", (("int", 2),))], s[::2]),
    "whole row": (lambda a: a[1], [("index", (("int", 1),))], s[...]),
    "mask of a row": (lambda a: a[1], [("index", (("int", 1),))], s[MASK2[0]]),
    "repeats in a row": (lambda a: a[1], [("index", (("int", 1),))], s[GRID]),
    "row of the transpose": (lambda a: a.T[2], [("transpose", None), ("index", (("int", 2),))], s[INTS]),
    "new axis": (lambda a: a[None, 1], [("index", (("new",), ("int", 1)))], s[0, :, INTS]),
    "real": (lambda a: a.real, [("real",)], s[0]),
    "imag": (lambda a: a.imag, [("imag",)], s[:, 1]),
    "imag of a row": (lambda a: a[2].imag, [("index", (("int", 2),)), ("imag",)], s[::2]),
    "repeats in real": (lambda a: a.real, [("real",)], s[INTS]),
    "repeats in imag": (lambda a: a[1].imag, [("index", (("int", 1),)), ("imag",)], s[INTS]),
}
CASES: dict[str, tuple[Callable[[Any], Any], Any, Any]] = {
    **{str(index): (lambda a: a, [], index) for index in INDEXES},
    "unique": (lambda a: a, [], s[UNIQUE, :, UNIQUE]),
    "one place twice": (lambda a: a, [], s[np.array([1, 1]), 0]),
    "a mask and an integer": (lambda a: a, [], s[MASK, 2:, 0]),
    **VIEWS,
}
COMPLEX = ("real", "imag")


def base_of(name: str, dtype: str = "") -> Any:
    rng = np.random.default_rng(2)
    if any(word in name for word in COMPLEX):
        return rng.normal(size=X.shape) + 1j * rng.normal(size=X.shape)
    return rng.normal(size=X.shape).astype(dtype or "float64")


def assigned(name: str, base: Any, value: Any) -> Any:
    """What NumPy's own assignment makes of the array."""
    view, _, index = CASES[name]
    made = base.copy()
    view(made)[index] = value
    return made


class Update:
    """`update` of a case as a function of the array, the value and the operands of the index."""

    def __init__(self, name: str, base: Any, value: Any, symbolic: bool = False):
        _, steps, index = CASES[name]
        spec, operands = entries(index)
        self.values = [base, value, *operands]
        self.builder = Builder()
        with self.builder:
            params = []
            for given in self.values:
                dims = tuple(Size(f"n{n}") if symbolic and n > 1 else n for n in np.shape(given))
                kind = types.array(given.dtype.name, dims) if isinstance(given, np.ndarray) else None
                params.append(self.builder.param(kind or types.number(type(given).__name__), "x"))
            self.params = params
            self.result = update(*params, index=spec, view=tuple(steps))
            self.function = Sample.finish(self.builder, params, [self.result])

    def transposed(self, h: Any) -> list[Any]:
        """The cotangents of the array and of the value."""
        with self.function.open() as builder:
            g = builder.param(self.result.type, "g")
            parts: list[Node] = []
            for i in range(2):
                part = update.transpose(g, i, *self.result.args, **self.result.attributes)  # type: ignore[misc]
                parts.append(fit_like(part, self.params[i]))
            back = Sample.finish(builder, [*self.params, g], parts)
        return evaluate(back, *self.values, h)


def places(name: str) -> tuple[int, ...]:
    view, _, index = CASES[name]
    return np.shape(view(np.zeros(X.shape, complex))[index])


def shapes(name: str) -> Iterable[tuple[int, ...]]:
    """Shapes that broadcast to the place: its own, a scalar, a row, a column."""
    shape = places(name)
    yield shape
    yield ()
    if shape:
        yield shape[-1:]
        yield (*shape[:-1], 1)
        yield (1, *shape)[-len(shape) - 1 :] if np.prod(shape) else shape


def units(like: Any) -> Iterable[tuple[Any, Any]]:
    """Every entry by itself, in the real and in the imaginary direction."""
    for at in np.ndindex(np.shape(like)):
        for direction in (1, 1j) if np.iscomplexobj(like) else (1,):
            unit = np.zeros(np.shape(like), np.asarray(like).dtype)
            unit[at] = direction
            yield (at, direction), unit


def differences(run: Callable[[Any], Any], like: Any, h: Any) -> Any:
    """The cotangent of a linear map by its definition: Re(part * t) is Re(h * run(t)) for every t."""
    part = np.zeros(np.shape(like), np.asarray(like).dtype)
    for (at, direction), unit in units(like):
        slope = np.sum(h * run(unit)).real
        part[at] += slope if direction == 1 else -1j * slope
    return part


def error(name: str, shape: tuple[int, ...], dtype: str = "float64") -> float:
    rng = np.random.default_rng(3)
    base = base_of(name, dtype)
    value = np.asarray(rng.normal(size=shape), dtype)
    one = Update(name, base, value)
    h = rng.normal(size=base.shape) + (1j * rng.normal(size=base.shape) if np.iscomplexobj(base) else 0)
    parts = one.transposed(h.astype(base.dtype))
    zero = np.zeros_like(base)
    wants = [
        differences(lambda unit: assigned(name, unit, 0 * value), base, h),
        differences(lambda unit: assigned(name, zero, unit), value, h),
    ]
    worst = 0.0
    for part, want, given in zip(parts, wants, (base, value), strict=True):
        assert np.shape(part) == np.shape(given)
        assert np.asarray(part).dtype == given.dtype
        worst = max(worst, float(np.max(np.abs(part - want), initial=0)))
    return worst


@pytest.mark.parametrize("symbolic", [False, True], ids=["exact", "symbolic"])
@pytest.mark.parametrize("name", CASES)
def test_values_and_types(name: str, symbolic: bool) -> None:
    for shape in shapes(name):
        base, value = base_of(name), np.random.default_rng(1).normal(size=shape)
        one = Update(name, base, value, symbolic)
        assert one.result.type == one.params[0].type
        before = base.copy()
        np.testing.assert_array_equal(evaluate(one.function, *one.values)[0], assigned(name, base, value))
        np.testing.assert_array_equal(base, before)


@pytest.mark.parametrize("name", CASES)
def test_transposes(name: str) -> None:
    for shape in shapes(name):
        assert error(name, shape) < 1e-12


@pytest.mark.parametrize("label", CHANGES)
def test_mutant_is_caught(label: str) -> None:
    """In either transpose, by plain indices, by repeats and by views."""
    groups = [["0", "slice(1, None, None)"], ["one place twice"], ["transpose"], ["real"], ["imag"]]
    rule = update.transpose
    assert rule is not None
    for which in range(2):

        def mutant(h: Node, i: int, *args: Any, which: int = which, **attrs: Any) -> Any:
            return (changed(rule, CHANGES[label]) if i == which else rule)(h, i, *args, **attrs)

        with patched(update, "transpose", mutant):
            for names in groups:
                assert all(map(noticed, names)), (which, names)


def noticed(name: str) -> bool:
    try:
        return error(name, places(name)) > 1e-3
    except (AssertionError, TypeError, AttributeError, KeyError):  # a shape that does not fit, or no part
        return True


def test_the_last_of_several_writes_has_the_cotangent() -> None:
    def mutant(h: Node, i: int, *args: Any, **attrs: Any) -> Any:
        attrs["index"], wrong = (), attrs["index"]
        made = rule(h, i, *args, index=wrong, view=attrs["view"])  # type: ignore[misc]
        return made.args[1] if i == 1 and made.op.name == "where" else made

    rule = update.transpose
    assert error("one place twice", (2, 5)) == 0
    with patched(update, "transpose", mutant):
        assert error("one place twice", (2, 5)) > 1e-3
        assert error("unique", places("unique")) == 0


@pytest.mark.parametrize(
    ("base", "value", "result"),
    [
        ("float32", "float64", "float32"),
        ("float64", "float32", "float64"),
        ("float64", "int64", "float64"),
        ("int64", "float64", "int64"),
        ("complex128", "float64", "complex128"),
        ("bool", "int64", "bool"),
    ],
)
def test_the_value_is_cast_to_the_arrays_dtype(base: str, value: str, result: str) -> None:
    array, written = np.arange(6).reshape(2, 3).astype(base), np.array([1.75, 2.5, 0]).astype(value)
    CASES["dtype"] = (lambda a: a, [], s[1])
    try:
        one = Update("dtype", array, written)
        made = evaluate(one.function, *one.values)[0]
        assert one.result.type.dtype == made.dtype.name == result
        np.testing.assert_array_equal(made, assigned("dtype", array, written))
        h = np.ones((2, 3)).astype(base)
        of_base, of_value = one.transposed(h)
        assert of_base.dtype == array.dtype
        if np.issubdtype(written.dtype, np.inexact) and np.issubdtype(array.dtype, np.inexact):
            assert of_value.dtype == written.dtype
    finally:
        del CASES["dtype"]


@pytest.mark.parametrize("value", [2.0, 3, True])
def test_a_number_is_written(value: Any) -> None:
    one = Update("slice(1, None, None)", base_of(""), value)
    np.testing.assert_array_equal(
        evaluate(one.function, *one.values)[0], assigned("slice(1, None, None)", base_of(""), value)
    )
    if isinstance(value, float):
        assert one.transposed(np.ones(X.shape))[1] == np.ones(X.shape)[1:].sum()


def test_a_scalar_array() -> None:
    CASES["scalar"] = (lambda a: a, [], s[...])
    try:
        one = Update("scalar", np.array(1.5), np.array(2.5))
        assert evaluate(one.function, *one.values)[0] == 2.5
        assert one.transposed(np.array(4.0)) == [0.0, 4.0]
    finally:
        del CASES["scalar"]


def test_staged_entries_in_index_and_view_share_the_operands() -> None:
    builder = Builder()
    with builder:
        x = builder.param(types.array("float64", (Size("n"), Size("m"))), "x")
        i, k = builder.param(types.number("int"), "i"), builder.param(types.number("int"), "k")
        steps = (("index", (("arg", 1),)), ("reshape", (("arg", 0), -1)))
        y = update(x, 7.0, i, k, index=(("slice", ("arg", 1), None, None),), view=steps)
        function = Sample.finish(builder, [x, i, k], [y])
    want = X[0].copy()
    want[1].reshape(5, -1)[1:] = 7
    np.testing.assert_array_equal(evaluate(function, X[0], 5, 1)[0], want)
