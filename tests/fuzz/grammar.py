"""Random programs in the language of straight-line model functions.

Enters: a seed.  Leaves: the text of a module with `f`, the names `WRT` to differentiate it with respect
to, and `arguments()`.  Invariant: the text is a function of the seed alone.  Every piece of a program is
evaluated while it is written: values are finite and of moderate size, and away from the kinks of what has
kinks, so that differences can tell whether a derivative is right.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
from fuzz.pieces import CONSTANTS, HELPERS, Reject, Source, is_array, is_float, rank, size, wrapped

LARGEST, MOST, DEEPEST = 20.0, 120, 4
Production = Callable[["Writer", int], str]
PRODUCTIONS: list[tuple[int, Production]] = []


def production(weight: int) -> Callable[[Production], Production]:
    def add(function: Production) -> Production:
        PRODUCTIONS.append((weight, function))
        return function

    return add


class Writer:
    """Writes expressions; `env` holds every value that is in scope, `atoms` the texts that stand for
    floats."""

    def __init__(self, seed: int):
        self.r = Source(seed)
        self.env: dict[str, Any] = {"np": np}
        self.atoms: list[str] = []
        self.indices: list[str] = []
        self.masks: list[str] = []

    def value(self, text: str) -> Any:
        with np.errstate(all="ignore"):
            return eval(text, self.env)

    def accept(self, text: str) -> Any:
        """The value of a text that may stand in a program.  Raises Reject."""
        try:
            value = self.value(text)
        except (ValueError, TypeError, IndexError, ArithmeticError, AttributeError, NameError) as error:
            raise Reject from error
        if not is_float(value) or not size(value) or size(value) > MOST or rank(value) > DEEPEST:
            raise Reject
        if not np.all(np.isfinite(value)) or np.max(np.abs(value)) > LARGEST:
            raise Reject
        return value

    def expr(self, depth: int, test: Callable[[Any], bool] = lambda value: True) -> str:
        """The text of a float value for which `test` holds.  Raises Reject where none is found."""
        for _ in range(12):
            try:
                text = self.r.weighted(PRODUCTIONS)(self, depth - 1) if depth > 0 else self.atom()
                if test(self.accept(text)):
                    return text
            except Reject:
                continue
        found = [text for text in self.atoms if test(self.value(text))]
        if not found:
            raise Reject
        return self.r.choice(found)

    def atom(self) -> str:
        """A name, more often one that was bound lately."""
        if self.r.chance(0.5) and len(self.atoms) > 4:
            return self.r.choice(self.atoms[-4:])
        return self.r.choice(self.atoms)

    def array(self, depth: int, least: int = 1) -> str:
        """The text of an array of at least so many axes, in parentheses where a method follows."""
        return self.expr(depth, lambda value: is_array(value) and rank(value) >= least)

    def operand(self, depth: int) -> str:
        if self.r.chance(0.2):
            return self.r.choice(CONSTANTS)
        if self.r.chance(0.06):
            x = self.array(0, 1)
            return self.r.choice([f"{x}.shape[0]", f"len({x})", f"{x}.ndim", f"{x}.size"])
        return self.expr(depth)

    def beside(self, text: str, depth: int) -> str:
        """An operand that broadcasts with `text`."""
        other = self.operand(depth)
        try:
            np.broadcast_shapes(np.shape(self.value(text)), np.shape(self.value(other)))
        except ValueError:
            return f"np.{self.r.choice(['mean', 'sum'])}({other})"
        return other

    def apart(self, a: str, b: str, gap: float = 0.01) -> None:
        """Raises Reject where two values come close: there `maximum` and its like have a kink."""
        with np.errstate(all="ignore"):
            if not np.min(np.abs(np.subtract(self.value(a), self.value(b), dtype=float))) > gap:
                raise Reject

    def axis(self, text: str) -> int:
        return self.r.integer(-rank(self.value(text)), rank(self.value(text)) - 1)

    def axes(self, text: str) -> str:
        """`axis=...` and `keepdims=...` for a reduction, or nothing."""
        count = rank(self.value(text))
        parts = []
        if count and self.r.chance(0.7):
            if count > 1 and self.r.chance(0.25):
                parts.append(f"axis={tuple(self.r.sample(range(count), 2))}")
            else:
                parts.append(f"axis={self.axis(text)}")
        if self.r.chance(0.35):
            parts.append("keepdims=True")
        return ", ".join(parts)


UNARY = (
    "np.tanh({0})", "np.sin({0})", "np.cos({0})", "np.exp(0.3 * {1})", "np.exp(np.tanh({0}))",
    "np.arctan({0})",
    "np.log(1.5 + {1} ** 2)", "np.sqrt(1.0 + {1} * {1})", "1 / (1 + np.exp(-{1}))", "np.log1p(np.exp({0}))",
    "{1} ** 2", "{1} ** 3", "-{1}", "+{1}", "np.square({0})", "np.expm1(0.2 * {1})", "np.sinh(np.sin({0}))",
    "np.cosh(0.5 * {1})", "np.arcsinh({0})", "np.positive({0})", "np.negative({0})", "0 * {1}", "{1} ** 1",
    "{1} ** 0", "1.0 * {1}", "{1} - {1}", "{1} * {1}", "{1} / (1 + {1} ** 2)", "np.exp(-({1} ** 2))",
    "np.reciprocal(3.0 + np.cos({0}))", "np.sinc({0})", "2 ** {1}", "np.exp2({0})",
    "np.log2(2.0 + np.sin({0}))",
    "np.arctanh(0.5 * np.tanh({0}))", "np.arcsin(0.7 * np.sin({0}))", "np.tan(0.4 * np.tanh({0}))",
    "np.deg2rad({0})", "np.log10(3 + {1} ** 2)", "(-{1}) ** 2", "-({1} ** 2)", "np.copy({0})", "{1} ** 2.0",
    "np.logaddexp({0}, 0.5)", "np.arccosh(2 + {1} ** 2)", "np.arccos(0.5 * np.sin({0}))",
)  # fmt: skip


@production(14)
def unary(w: Writer, depth: int) -> str:
    x = w.expr(depth)
    return w.r.choice(UNARY).format(x, wrapped(x))


@production(16)
def binary(w: Writer, depth: int) -> str:
    a = w.expr(depth)
    b = w.beside(a, depth)
    if w.r.chance(0.3):
        a, b = b, a
    return f"{wrapped(a)} {w.r.choice('++--***')} {wrapped(b)}"


@production(5)
def quotient(w: Writer, depth: int) -> str:
    a = w.expr(depth)
    b = w.beside(a, depth)
    if np.min(np.abs(w.value(b))) < 0.3:
        b = w.r.choice(["1.5 + np.cos({0})", "1 + {1} ** 2", "np.exp(0.1 * {1})"]).format(b, wrapped(b))
    return f"{wrapped(a)} / {wrapped(b)}" if w.r.chance(0.8) else f"np.divide({a}, {b})"


@production(3)
def raised(w: Writer, depth: int) -> str:
    a = w.expr(depth)
    value = w.value(a)
    if np.min(value) < 0.2:
        if w.r.chance(0.4) and np.min(np.abs(value)) > 0.3:
            return f"{wrapped(a)} ** {w.r.choice(['-1', '-2', '-3.0'])}"
        a = f"1.2 + np.sin({a})"
    if w.r.chance(0.4):
        return f"{wrapped(a)} ** {w.r.choice(['0.5', '-0.5', '1.5', '(1 / 3)', '2.5'])}"
    b = w.beside(a, depth)
    return f"{wrapped(a)} ** {wrapped(b)}" if w.r.chance(0.7) else f"np.power({a}, {b})"


@production(5)
def extremum(w: Writer, depth: int) -> str:
    a = w.expr(depth)
    b = w.beside(a, depth) if w.r.chance(0.6) else w.r.choice(["0", "0.0", "0.3", "-0.25"])
    w.apart(a, b)
    return f"np.{w.r.choice(['maximum', 'minimum', 'fmax', 'fmin'])}({a}, {b})"


@production(3)
def clipped(w: Writer, depth: int) -> str:
    a = w.expr(depth)
    low, high = w.r.choice([("-0.5", "0.5"), ("0.1", "None"), ("None", "0.7"), ("-1", "1"), ("0", "2.0")])
    for bound in (low, high):
        if bound != "None":
            w.apart(a, bound)
    return (
        f"np.clip({a}, {low}, {high})" if w.r.chance(0.7) else f"np.maximum(np.minimum({a}, 0.913), -0.613)"
    )


@production(5)
def chosen(w: Writer, depth: int) -> str:
    c = w.expr(depth)
    level = w.r.choice(["0", "0.2", "-0.3"])
    w.apart(c, level)
    condition = f"{wrapped(c)} {w.r.choice(['>', '<', '>=', '<='])} {level}"
    if w.masks and w.r.chance(0.2):
        condition = w.r.choice(w.masks)
    if w.r.chance(0.25):
        return f"np.where({wrapped(c)} > {level}, np.log(np.abs({c})), {w.beside(c, depth)})"
    if w.r.chance(0.2):
        other = w.r.choice(["0.0", "0", "-1", f"{wrapped(c)} ** 2"])
        return f"np.where({wrapped(c)} > 0, np.sqrt({c}), {other})"
    if w.r.chance(0.2):
        return f"{wrapped(w.beside(condition, depth))} * ({condition})"
    a = w.beside(condition, depth)
    return f"np.where({condition}, {a}, {w.beside(a, depth)})"


@production(3)
def kinked(w: Writer, depth: int) -> str:
    a = w.expr(depth)
    w.apart(a, "0")
    return w.r.choice(
        ["np.abs({0})", "abs({0})", "np.sign({0}) * {1}", "np.fabs({0})", "np.absolute({0}) ** 1.5"]
    ).format(a, wrapped(a))


@production(1)
def rounded(w: Writer, depth: int) -> str:
    a = w.expr(depth)
    w.apart(f"({a}) % 0.5", "0.25", 0.0)
    fraction = np.mod(w.value(a), 0.5)
    if np.min(fraction) < 0.01 or np.max(fraction) > 0.49:
        raise Reject
    return f"np.{w.r.choice(['floor', 'ceil', 'rint', 'trunc'])}({a}) * {wrapped(w.beside(a, depth))}"


@production(2)
def pair(w: Writer, depth: int) -> str:
    a = w.expr(depth)
    b = w.beside(a, depth)
    return w.r.choice(
        ["np.hypot(2.0 + np.sin({0}), {1})", "np.arctan2({0}, 2.5 + np.cos({1}))", "np.logaddexp({0}, {1})",
         "np.multiply({0}, {1})", "np.subtract({0}, {1})", "np.add({0}, {1})",
         "np.float_power(2 + np.sin({0}), {1})"]
    ).format(a, b)  # fmt: skip


@production(12)
def reduction(w: Writer, depth: int) -> str:
    x = w.array(depth, 0)
    name = w.r.choice(["sum", "sum", "sum", "mean", "mean", "max", "min", "prod", "var", "std"])
    options = w.axes(x)
    if name in ("max", "min"):
        distinct(w, x, options)
    if name == "std" and not np.min(w.value(f"np.std({x}, {options})")) > 0.05:
        raise Reject
    if w.r.chance(0.5):
        return f"{wrapped(x)}.{name}({options})"
    return f"np.{name}({', '.join(filter(None, [x, options]))})"


def distinct(w: Writer, x: str, options: str) -> None:
    """Raises Reject where an extreme value of `x` is not alone."""
    values = np.sort(np.asarray(w.value(x)), axis=None)
    if not np.all(np.diff(values) > 0.004):
        raise Reject


@production(4)
def folded(w: Writer, depth: int) -> str:
    x = w.array(depth)
    axis = w.axis(x)
    choices = ["np.cumsum({0}, axis={1})", "np.linalg.norm({0})", "np.log(np.sum(np.exp({0}), axis={1}))",
               "np.exp({0} - {2}.max()) / np.exp({0} - {2}.max()).sum()", "np.average({0}, axis={1})",
               "{2} - {2}.mean(axis={1}, keepdims=True)",
               "{2} / np.sqrt(1 + np.sum({2} ** 2, axis={1}, keepdims=True))",
               "np.exp({0} - {2}.max(axis={1}, keepdims=True))", "np.diff({0}, axis={1})", "np.nansum({0})",
               "np.sum({0}, axis={1}, keepdims=True) * {2}", "np.cumprod(np.cos({0}), axis={1})"]  # fmt: skip
    text = w.r.choice(choices)
    if ".max(" in text:
        distinct(w, x, "")
    if "norm" in text and not w.value(f"np.linalg.norm({x})") > 0.1:
        raise Reject
    return text.format(x, axis, wrapped(x))


@production(8)
def product(w: Writer, depth: int) -> str:
    a = w.array(depth)
    last = w.value(a).shape[-1]

    def fits(value: Any) -> bool:
        return is_array(value) and 1 <= rank(value) <= 3 and value.shape[max(rank(value) - 2, 0)] == last

    def fits_transposed(value: Any) -> bool:
        return is_array(value) and rank(value) == 2 and value.shape[1] == last

    turned = w.r.chance(0.3)
    b = w.expr(0, fits_transposed) + ".T" if turned else wrapped(w.expr(w.r.integer(0, depth), fits))
    if w.r.chance(0.25):
        return f"np.{w.r.choice(['matmul', 'dot'])}({a}, {b})"
    return f"{wrapped(a)} @ {b}" if w.r.chance(0.9) else f"{wrapped(a)}.dot({b})"


@production(3)
def contracted(w: Writer, depth: int) -> str:
    a = w.expr(depth, lambda value: is_array(value) and rank(value) == 2)
    shape = w.value(a).shape
    same = w.expr(depth, lambda value: is_array(value) and value.shape == shape)
    return w.r.choice(
        ["np.einsum('ij,ij->i', {0}, {1})", "np.einsum('ij,kj->ik', {0}, {1})", "np.einsum('ij->ji', {0})",
         "np.einsum('ij,ij', {0}, {1})", "np.tensordot({0}, {1}, axes=([0], [0]))", "np.inner({0}, {1})",
         "np.tensordot({0}, {1}, axes=2)", "np.outer({0}[0], {1}[:, 0])", "np.trace({0} @ {1}.T)",
         "np.linalg.det(2 * np.eye({2}) + 0.1 * ({0} @ {1}.T))", "np.trace({0})", "np.diag({0} @ {1}.T)",
         "np.linalg.inv(4 * np.eye({2}) + 0.1 * ({0} @ {1}.T))", "np.sum({0} * {1}, axis=0)",
         "np.linalg.solve(4 * np.eye({2}) + 0.1 * ({0} @ {1}.T), {0})", "np.triu({0}) @ {1}.T",
         "np.linalg.slogdet(3 * np.eye({2}) + 0.1 * ({0} @ {1}.T))[1]", "np.tril({0})"]
    ).format(wrapped(a), wrapped(same), shape[0])  # fmt: skip


@production(9)
def shaped(w: Writer, depth: int) -> str:
    x = w.array(depth)
    shape = w.value(x).shape
    axis = w.axis(x)
    choices = [
        "{1}.T", "np.transpose({0})", "{1}.ravel()", "{1}.reshape(-1)", "{1}.flatten()", "np.ravel({0})",
        "np.expand_dims({0}, {2})", "np.flip({0}, axis={2})", "np.roll({0}, 1, axis={2})",
        "np.repeat({0}, 2, axis={2})",
        "{1}[::-1]", "np.moveaxis({0}, 0, -1)", "np.swapaxes({0}, 0, -1)", "{1}.reshape({3})",
        "np.squeeze({0})",
        "np.broadcast_to({0}, (2, *{1}.shape))", "np.tile({0}, 2)", "np.pad({0}, 1)",
        "{1}.reshape({3}, order='F')",
        "{1}[None]", "{1}[..., None]", "{1}[:, None]", "np.reshape({0}, (-1, 1))", "np.flip({0})",
        "{1}.copy()",
        "np.roll({0}, -1)", "np.atleast_2d({0})", "{1}.reshape({1}.shape[0], -1)",
        "np.ascontiguousarray({0})",
        "np.broadcast_to({0}, {4})", "{1}.reshape({1}.T.shape)", "np.asarray({0})",
        "np.zeros_like({0}) + {0}",
        "np.ones_like({0}) * {1}", "np.full_like({0}, 0.5) - {1}", "{1}.squeeze()", "{1}.astype(np.float64)",
    ]  # fmt: skip
    total = int(np.prod(shape))
    target = w.r.choice(
        [f"({d}, {total // d})" for d in range(1, total + 1) if total % d == 0] + [f"(1, {total})", "(-1,)"]
    )
    return w.r.choice(choices).format(x, wrapped(x), axis, target, (2, *shape))


@production(9)
def read(w: Writer, depth: int) -> str:
    x = w.array(depth)
    value = w.value(x)
    first = value.shape[0]
    if w.indices and w.r.chance(0.2):
        return f"{wrapped(x)}[{w.r.choice(w.indices)}]"
    if w.masks and w.r.chance(0.1):
        return f"{wrapped(x)}[{w.r.choice(w.masks)}]"
    entries = [
        "0",
        "-1",
        "1:",
        ":-1",
        "::2",
        "::-1",
        "0:1",
        ":2",
        f"{first - 1}",
        "[0, -1, 0]",
        "-2:",
        "1:None",
        "...",
    ]
    parts = [w.r.choice(entries)]
    if rank(value) > 1 and w.r.chance(0.5):
        parts.append(w.r.choice([":", "0", "-1", "1:", "::-1", "None", "..., 0", "::2"]))
        if w.r.chance(0.4):
            parts[0] = ":"
    return f"{wrapped(x)}[{', '.join(parts)}]"


@production(4)
def joined(w: Writer, depth: int) -> str:
    a = w.array(depth)
    shape = w.value(a).shape
    b = w.expr(depth, lambda value: is_array(value) and value.shape == shape)
    axis = w.axis(a)
    return w.r.choice(
        ["np.concatenate([{0}, {1}], axis={2})", "np.stack([{0}, {1}], axis={2})",
        "np.concatenate(({0}, {1}))",
         "np.vstack([{0}, {1}])", "np.hstack([{0}, {1}])", "np.stack([{0}, {1}, {0}])",
         "np.array([{0}, {1}])",
         "np.concatenate([{0}, np.zeros_like({1})])", "np.split({0}, {3}, axis=0)[0] * {1}[:1]",
         "np.array([np.sum({0}), 1.0, np.mean({1})])"]
    ).format(a, b, axis, shape[0])  # fmt: skip


@production(8)
def helped(w: Writer, depth: int) -> str:
    """A call of one of the functions that the module defines."""
    calls = [call for helper in HELPERS for call in helper.calls if helper.name in w.env]
    if not calls:
        raise Reject
    text = w.r.choice(calls)
    x = w.array(depth) if ".shape" in text or "[" in text or "axis" in text else w.expr(depth)
    y = w.beside(x, depth) if "{1}" in text else ""
    return text.format(x, y)


@production(2)
def conditional(w: Writer, depth: int) -> str:
    """A choice that is made while compiling."""
    a, b = w.expr(depth), w.expr(depth)
    test = w.r.choice(["FLAG", "not FLAG", "MODE == 'relu'", "MODE in ('tanh', 'sin')", "FLAG and MODE"])
    return f"({a} if {test} else {b})"


@production(3)
def scalar(w: Writer, depth: int) -> str:
    """Arithmetic of Python numbers."""
    s = w.expr(0, lambda value: isinstance(value, float) and not isinstance(value, np.generic))
    text = w.r.choice(
        ["math.sin({0})", "math.exp(-({0} ** 2))", "{0} ** 2", "abs({0} - 5)", "min({0}, 7.5)",
        "max({0}, -9)", "-{0}",
         "math.sqrt(1 + {0} * {0})", "{0} / 3", "math.tanh({0})", "{0} - {0} ** 3", "float({0}) * 2",
         "math.pi * {0}",
         "2 ** {0}", "math.log(2 + math.cos({0}))", "np.float64({0})", "np.sin({0})", "(1 + {0}) * (1 - {0})"]
    )  # fmt: skip
    return text.format(s)


def is_fresh(text: str) -> bool:
    """Whether a text makes a new value whatever its operands are: arithmetic, outermost."""
    return re.match(r"^(\w+|\w+\(.*\)) [-+*/] ", text) is not None
