"""Rewrites of the user's own formulas into forms that do not overflow or cancel: `stable=True`.

Enters: an operation that is about to be applied.  Leaves: an equal one that is right further out, or None.
Invariant: applied only inside a function that is licensed (`Builder.stable`); equal as real functions,
wherever the formula as written is finite; every rewrite is one row of the table, with its formula.

`docs/stability.md` lists the errors of each before and after; `python -m bench.stability` writes it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symdiff.ir.build import current
from symdiff.ir.node import LICENSED, Node, Number
from symdiff.ops.row import REGISTRY
from symdiff.records import dataclass

Rule = Callable[..., Node | None]


@dataclass(frozen=True, eq=False, slots=True)
class Rewrite:
    """One rewrite: of `operation`, where its operands have the form; `formula` shows both."""

    name: str
    operation: str
    formula: str
    rule: Rule


def _apply(name: str, *args: Node | Number, **attrs: Any) -> Node:
    return REGISTRY[name](*args, **attrs)


def _is(node: Node, name: str) -> bool:
    return node.op.name == name and node.op is REGISTRY.get(name)


def _is_number(node: Node, value: float) -> bool:
    return node.is_const and node.value == value


def _real(node: Node) -> bool:
    return node.type.dtype.startswith(("float", "longdouble"))


def _softplus(a: Node, b: Node | None = None) -> Node | None:
    if not _is(a, "exp") or not _real(a):
        return None
    return _apply("logaddexp", 0.0, a.args[0])


def _log_of_a_sum(y: Node) -> Node | None:
    one = _beside_one(y)
    if one is None:
        return None
    found = _softplus(one)
    return _apply("log1p", one) if found is None else found


def _beside_one(y: Node) -> Node | None:
    """`x` of `1 + x`."""
    if not _is(y, "add") or not _real(y):
        return None
    a, b = y.args
    return b if _is_number(a, 1) else a if _is_number(b, 1) else None


def _exp_minus_one(a: Node, b: Node) -> Node | None:
    return _apply("expm1", a.args[0]) if _is(a, "exp") and _is_number(b, 1) and _real(a) else None


def _squared(node: Node) -> Node | None:
    """`x` of `x ** 2`, `x * x` or `np.square(x)`."""
    if _is(node, "square") or (_is(node, "power") and _is_number(node.args[1], 2)):
        return node.args[0]
    return node.args[0] if _is(node, "multiply") and node.args[0] is node.args[1] else None


_MOST = {"float16": 11.0, "float32": 88.0}


def _without_tanh(a: Node, b: Node) -> Node | None:
    y = _squared(b)
    if y is None or not _is_number(a, 1) or not _is(y, "tanh") or not _real(y):
        return None
    # Where `cosh` would overflow, the square of its inverse is 0 long since, and so is the derivative.
    most = _MOST.get(b.type.dtype, 710.0)
    inside = _apply("minimum", _apply("maximum", y.args[0], -most), most)
    inverse = 1.0 / _apply("cosh", inside)
    return inverse * inverse


def _length(y: Node) -> Node | None:
    if not _is(y, "add") or not _real(y):
        return None
    a, b = map(_squared, y.args)
    return None if a is None or b is None else _apply("hypot", a, b)


def _highest(total: Node) -> tuple[Node, dict[str, Any]]:
    """The largest exponent of a sum of exponentials, with the axes kept; 0 where that is infinite."""
    x = total.args[0].args[0]
    given = {key: value for key, value in total.attrs if key == "axis"}
    top = _apply("stop_gradient", _apply("max", x, **given, keepdims=True))
    return _apply("where", _apply("isfinite", top), top, 0.0), given


def _is_sum_of_exp(y: Node) -> bool:
    known = {key for key, _ in y.attrs} <= {"axis", "keepdims"}
    return _is(y, "sum") and known and _is(y.args[0], "exp") and _real(y) and bool(y.args[0].type.dims)


def _logsumexp(y: Node) -> Node | None:
    if not _is_sum_of_exp(y):
        return None
    x = y.args[0].args[0]
    top, given = _highest(y)
    rest = _apply("log", _apply("sum", _apply("exp", x - top), **given, keepdims=True)) + top
    if y.attr("keepdims", False):
        return rest
    return _apply("sum", rest, **given)  # over axes of length 1


def _softmax(a: Node, b: Node) -> Node | None:
    if not _is(a, "exp") or not _is_sum_of_exp(b) or b.args[0] is not a:
        return None
    if not b.attr("keepdims", False) and b.type.dims != ():
        return None
    top, _ = _highest(b)
    shifted = _apply("exp", a.args[0] - top)
    return shifted / _apply("sum", shifted, **b.attributes)


def _log_softmax(y: Node) -> Node | None:
    if not _is(y, "divide"):
        return None
    a, b = y.args
    above = _exponent_of_softmax(a, b)
    return None if above is None else above


def _exponent_of_softmax(a: Node, b: Node) -> Node | None:
    """`x - top - log(sum(exp(x - top)))` of a softmax that was rewritten."""
    if not _is(a, "exp") or not _is_sum_of_exp(b) or b.args[0] is not a:
        return None
    return a.args[0] - _apply("log", b)


TABLE = (
    Rewrite("softplus", "log1p", "log1p(exp(x)) -> logaddexp(0, x)", _softplus),
    Rewrite("log_softmax", "log", "log(exp(x) / sum(exp(x))) -> x - logsumexp(x)", _log_softmax),
    Rewrite("logsumexp", "log", "log(sum(exp(x))) -> log(sum(exp(x - max(x)))) + max(x)", _logsumexp),
    Rewrite("log1p", "log", "log(1 + x) -> log1p(x); log(1 + exp(x)) -> logaddexp(0, x)", _log_of_a_sum),
    Rewrite("expm1", "subtract", "exp(x) - 1 -> expm1(x)", _exp_minus_one),
    Rewrite("sech2", "subtract", "1 - tanh(x)**2 -> 1 / cosh(x)**2", _without_tanh),
    Rewrite("hypot", "sqrt", "sqrt(x**2 + y**2) -> hypot(x, y)", _length),
    Rewrite("softmax", "divide", "exp(x) / sum(exp(x)) -> the same of x - max(x)", _softmax),
)


def rewritten(operation: str, args: tuple[Node, ...]) -> Node | None:
    """The first form of the table that fits; operands are values, whatever is written since."""
    builder = current()
    before, builder.stable = (builder.resolve, builder.stable), False
    builder.resolve = None
    try:
        for one in TABLE:
            if one.operation == operation and (made := one.rule(*args)) is not None:
                return made
        return None
    finally:
        builder.resolve, builder.stable = before


for _one in TABLE:
    LICENSED[_one.operation] = rewritten
