"""Discrete Fourier transforms: linear, and each its own transpose but for lengths that it cuts or fills.

The matrix of a transform is symmetric, so the transpose of `fft` is `fft`, under every norm.  Real transforms
are half of a complex one: of a real operand the rest is the conjugate, and the transpose takes the real part.
Several axes are one after the other.

Imported by `row_of` when a function of numpy.fft is looked up: NumPy loads that module only when it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from symdiff.errors import DtypeError, ShapeError
from symdiff.ir import types
from symdiff.ir.build import current
from symdiff.ir.node import Node
from symdiff.ir.types import Dim, Dims, Type
from symdiff.ops import infer
from symdiff.ops.arithmetic import floor_divide, greater, less
from symdiff.ops.creation import arange
from symdiff.ops.elementwise import logical_and, where
from symdiff.ops.indexing import FULL, along, scatter
from symdiff.ops.lowering import known_rank, literal, to_node
from symdiff.ops.reductions import given
from symdiff.ops.row import Row, composite, constant, linear
from symdiff.ops.shaping import conjugate, expand_dims, length, real, shape_of


@lru_cache(maxsize=256)
def _dtype(function: Callable[..., Any], dtype: str) -> str:
    return str(function(np.ones(2, dtype)).dtype)


def _result_dtype(function: Callable[..., Any], x: Node) -> str:
    dtype = infer.numpy_dtype(x)
    if dtype.startswith("complex") and function in (np.fft.rfft, np.fft.ihfft):
        raise DtypeError(f"np.fft.{function.__name__} takes real numbers.", "np.fft.fft or np.fft.ifft")
    return _dtype(function, dtype) if dtype else ""


def _half(n: Dim) -> Dim:
    n = current().sizes.find(n)
    return n // 2 + 1 if isinstance(n, int) else current().sizes.fresh()


def _doubled(m: Dim) -> Dim:
    m = current().sizes.find(m)
    return 2 * (m - 1) if isinstance(m, int) else current().sizes.fresh()


def _replaced(dims: Dims, axis: int, dim: Dim) -> Dims:
    (place,) = infer.normalized_axes(axis, len(dims))
    return (*dims[:place], dim, *dims[place + 1 :])


# One axis

_ONE = "x, *options, axis=-1, norm=None, names=()"


def _one(function: Callable[..., Any], before: Callable[[Dim], Dim], after: Callable[[Dim], Dim]) -> Any:
    """Inference for one axis: the length, or what `before` makes of the operand's, through `after`."""

    def infer_one(
        x: Node, *n: Node, axis: int = -1, norm: str | None = None, names: tuple[str, ...] = ()
    ) -> Type:
        dims = x.type.dims
        if dims is not None:
            count = infer.size_of(n[0]) if n else before(dims[infer.normalized_axes(axis, len(dims))[0]])
            dims = _replaced(dims, axis, after(count))
        return types.array(_result_dtype(function, x), dims)

    return infer_one


def _call_one(row: Row, a: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> Node:
    return _applied(row, to_node(a), n, literal("axis", axis), literal("norm", norm))


def _applied(row: Row, x: Node, n: Any, axis: int, norm: str | None) -> Node:
    operands = (x,) if n is None else (x, to_node(n))
    names = {} if n is None else {"names": ("n",)}
    made: Node = row(*operands, **({} if axis == -1 else {"axis": axis}), **given(norm=norm), **names)
    return made


def _fitted(g: Node, x: Node, *lengths: tuple[int, Node | None]) -> Node:
    """`g` of these lengths by axis, cut to those of `x` or filled with zeros: the transpose of doing so to
    `x`."""
    rank, dims = known_rank(x, "np.fft"), current().sizes.resolve(x.type.dims)
    entries: list[Any] = [FULL] * rank
    operands: list[Node] = []
    for axis, n in lengths:
        have = None if dims is None else dims[axis]
        number = int(n.value.real) if n is not None and n.is_const else None
        if n is None or have == number:
            continue
        g = along(g, axis, None, length(x, axis=axis % rank))  # all of it, where x was filled
        if number is None:
            operands.append(n)
        if number is None or not isinstance(have, int) or have > number:
            stop = ("arg", len(operands) - 1) if number is None else number
            entries[axis] = ("slice", None, stop, None)
    while entries and entries[-1] == FULL:
        entries.pop()
    return scatter(g, shape_of(x), *operands, index=tuple(entries)) if entries else g


def _symmetric(name: str) -> Row:
    """A transform with a symmetric matrix."""

    def transpose(
        g: Node, i: int, x: Node, *n: Node, axis: int = -1, norm: str | None = None, names: Any = ()
    ) -> Node | None:
        if i:
            return None
        return _fitted(_applied(made, g, None, axis, norm), x, (axis, n[0] if n else None))

    function = getattr(np.fft, name)
    made = linear(
        function, _ONE, _one(function, lambda n: n, lambda n: n), transpose=transpose, lower=_call_one,
        name=f"fft.{name}",
    )  # fmt: skip
    return made


fft, ifft = _symmetric("fft"), _symmetric("ifft")


def _rfft_transpose(
    g: Node, i: int, x: Node, *n: Node, axis: int = -1, norm: str | None = None, names: Any = ()
) -> Node | None:
    """The real part of the complex transform of `g`, which has no second half."""
    if i:
        return None
    size = n[0] if n else length(x, axis=axis % known_rank(x, "np.fft.rfft"))
    whole = real(_applied(fft, g, size, axis, norm))
    return _fitted(whole, x, (axis, n[0] if n else None))


rfft: Row = linear(
    np.fft.rfft, _ONE, _one(np.fft.rfft, lambda n: n, _half), transpose=_rfft_transpose, lower=_call_one,
    name="fft.rfft",
)  # fmt: skip


def _irfft_transpose(
    g: Node, i: int, x: Node, *n: Node, axis: int = -1, norm: str | None = None, names: Any = ()
) -> Node | None:
    """Every place but the first, and the last of an even number, stands for its conjugate too."""
    if i:
        return None
    rank = known_rank(x, "np.fft.irfft")
    size = length(g, axis=axis % rank)
    half = floor_divide(size, 2) + 1
    places = arange(half)
    twice = where(logical_and(greater(places, 0), less(places, size - places)), 2, 1)
    others = tuple(k for k in range(rank) if k != axis % rank)
    found = _applied(ihfft, g, None, axis, norm) * (expand_dims(twice, axis=others) if others else twice)
    return _fitted(found, x, (axis, half if n else None))


irfft: Row = linear(
    np.fft.irfft, _ONE, _one(np.fft.irfft, _doubled, lambda n: n), transpose=_irfft_transpose,
    lower=_call_one, name="fft.irfft",
)  # fmt: skip

_SWAPPED = {None: "forward", "backward": "forward", "ortho": "ortho", "forward": None}


def _hfft(x: Node, *n: Node, axis: int = -1, norm: str | None = None, names: Any = ()) -> Node:
    return _applied(irfft, conjugate(x), n[0] if n else None, axis, _SWAPPED[norm])


def _ihfft(x: Node, *n: Node, axis: int = -1, norm: str | None = None, names: Any = ()) -> Node:
    return conjugate(_applied(rfft, x, n[0] if n else None, axis, _SWAPPED[norm]))


hfft = composite(
    np.fft.hfft, _ONE, _one(np.fft.hfft, _doubled, lambda n: n), _hfft, lower=_call_one, name="fft.hfft"
)
ihfft = composite(
    np.fft.ihfft, _ONE, _one(np.fft.ihfft, lambda n: n, _half), _ihfft, lower=_call_one, name="fft.ihfft"
)

# Several axes

_MANY = "x, s=None, axes=None, norm=None"


def _chosen(x: Node, s: Any, axes: Any, what: str) -> list[tuple[int, int | None]]:
    """The axes in order, each with its length where one is given."""
    rank = known_rank(x, what)
    places = tuple(range(rank - len(s) if s else 0, rank)) if axes is None else axes
    if s is None:
        return [(axis, None) for axis in places]
    if len(s) != len(places):
        raise ShapeError(f"{what} is given {len(s)} lengths for {len(places)} axes.")
    return [(axis, None if size == -1 else size) for axis, size in zip(places, s, strict=True)]


def _each(row: Row, x: Node, chosen: list[tuple[int, int | None]], norm: str | None) -> Node:
    """From the last axis to the first, as NumPy does."""
    for axis, size in reversed(chosen):
        x = _applied(row, x, None if size is None else current().const(size), axis, norm)
    return x


def _call_many(row: Row, a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Node:
    axes = literal("axes", axes)
    found = {"axes": None if axes == row.defaults["axes"] else axes, "s": literal("s", s)}
    made: Node = row(to_node(a), **given(**found, norm=literal("norm", norm)))
    return made


def _both(name: str, make: Callable[[str, str, Any], Row]) -> tuple[Row, Row]:
    """A transform of all axes and that of the last two: `make(name, signature, default of axes)`."""
    return (
        make(f"{name}n", _MANY, None),
        make(f"{name}2", _MANY.replace("axes=None", "axes=(-2, -1)"), (-2, -1)),
    )


def _complex(row: Row) -> Callable[[str, str, Any], Row]:
    def make(name: str, text: str, default: Any) -> Row:
        def one_by_one(x: Node, s: Any = None, axes: Any = default, norm: str | None = None) -> Node:
            return _each(row, x, _chosen(x, s, axes, made.spelling), norm)

        def transpose(g: Node, x: Node, s: Any = None, axes: Any = default, norm: Any = None) -> Node:
            chosen = _chosen(x, s, axes, made.spelling)
            same = axes if s is None or axes is not None else tuple(axis for axis, _ in chosen)
            g = made(g, **({} if same == default else {"axes": same}), **given(norm=norm))
            lengths = [(axis, None if size is None else current().const(size)) for axis, size in chosen]
            return _fitted(g, x, *lengths)

        function = getattr(np.fft, name)
        made = linear(
            function, text, infer.of_definition(one_by_one), transpose, lower=_call_many, name=f"fft.{name}"
        )
        return made

    return make


def _real(first: bool) -> Callable[[str, str, Any], Row]:
    """A real transform of the last of the axes, before or after complex ones of the others."""

    def make(name: str, text: str, default: Any) -> Row:
        def one_by_one(x: Node, s: Any = None, axes: Any = default, norm: str | None = None) -> Node:
            *rest, last = _chosen(x, s, axes, made.spelling)
            if first:
                return _each(fft, _each(rfft, x, [last], norm), rest, norm)
            return _each(irfft, _each(ifft, x, rest, norm), [last], norm)

        function = getattr(np.fft, name)
        made = composite(
            function, text, infer.of_definition(one_by_one), one_by_one, lower=_call_many, name=f"fft.{name}"
        )
        return made

    return make


fftn, fft2 = _both("fft", _complex(fft))
ifftn, ifft2 = _both("ifft", _complex(ifft))
rfftn, rfft2 = _both("rfft", _real(first=True))
irfftn, irfft2 = _both("irfft", _real(first=False))

# Order and places


def _shift(row: Row, x: Any, axes: Any = None) -> Node:
    return row(to_node(x), **({} if axes is None else {"axes": literal("axes", axes)}))


fftshift: Row = linear(
    np.fft.fftshift, "x, axes=None", infer.like, lambda g, x, **attrs: ifftshift(g, **attrs), lower=_shift,
    name="fft.fftshift",
)  # fmt: skip
ifftshift: Row = linear(
    np.fft.ifftshift, "x, axes=None", infer.like, lambda g, x, **attrs: fftshift(g, **attrs), lower=_shift,
    name="fft.ifftshift",
)  # fmt: skip


def _frequencies(name: str, after: Callable[[Dim], Dim]) -> Row:
    """The frequencies of a transform: proportional to the inverse of the spacing."""
    function = getattr(np.fft, name)

    def infer_frequencies(n: Node, *d: Node) -> Type:
        return types.array("float64", (after(infer.size_of(n)),))

    def lower(row: Row, n: Any, d: Any = 1.0) -> Node:
        plain = isinstance(d, int | float) and d == 1
        return row(to_node(n), *([] if plain else [to_node(d)]))

    unit = constant(function, "n", infer_frequencies, name=f"fft.{name}.unit", spelling=f"np.fft.{name}")
    return composite(
        function, "n, *d", infer_frequencies, lambda n, *d: unit(n) / d[0] if d else unit(n), lower=lower,
        name=f"fft.{name}",
    )  # fmt: skip


fftfreq, rfftfreq = _frequencies("fftfreq", lambda n: n), _frequencies("rfftfreq", _half)
