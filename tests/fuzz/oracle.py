"""The undecorated program, run beside itself: in complex or double numbers, watched where it decides.

Enters: the text of a module.  Leaves: results of its `f`, and a `Trace` of every decision that depended on
floats (comparisons, maxima, signs, orders, roundings).  Invariant: the copy computes what the program
computes; arrays that it allocates can hold complex numbers where a complex step passes through, and what
`np.empty` leaves undefined is NaN.  A kink is never mistaken for a slope: two runs that decided differently
have different traces.
"""

from __future__ import annotations

import ast
import builtins
import math
import operator
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

# Right for complex arguments only in part, or not at all, without raising.
NOT_ANALYTIC = re.compile(
    r"vdot|slogdet|\.real|\.imag|np\.real|np\.imag|conj|\dj|complex\(|cholesky|eigh|svd|qr\(|pinv|hypot"
    r"|norm\(.*(ord|axis)|nan_to_num"
)
_OPERATORS: dict[type[ast.cmpop], str] = {
    ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq", ast.NotEq: "ne",
}  # fmt: skip
_METHODS = ("max", "min", "sort", "argmax", "argmin", "argsort", "var", "std", "clip", "astype", "round")
_SAME_REAL = 1e-9


class Trace:
    """What was decided: `decisions` in order, the smallest distance from deciding otherwise, and whether a
    complex step stood at a kink."""

    def __init__(self) -> None:
        self.decisions: list[bytes] = []
        self.gap = math.inf
        self.kink = False

    def sign(self, difference: Any) -> None:
        """A decision by the sign of a difference."""
        parts = np.asarray(difference)
        real = np.real(parts)
        self.decisions.append(np.sign(real).astype(np.int8).tobytes())
        if real.size:
            self.gap = min(self.gap, float(np.nan_to_num(np.min(np.abs(real)), nan=0.0)))
        if np.iscomplexobj(parts):
            self.kink |= bool(np.any((np.abs(real) < _SAME_REAL) & (np.imag(parts) != 0)))

    def exact(self, value: Any) -> None:
        """A decision that is a value: a rounded number, an order."""
        self.decisions.append(np.asarray(value).tobytes())


class Oracle:
    """`kind` is the type of the floats: complex or float.  Raises what the program raises."""

    def __init__(self, text: str, kind: type):
        self.kind = kind
        self.trace = Trace()
        tree = _Watched().visit(ast.parse(text))
        self.scope: dict[str, Any] = {
            "np": _Numpy(self), "math": _Math(), **_builtins(self),
        }  # fmt: skip
        exec(compile(ast.fix_missing_locations(tree), "<oracle>", "exec"), self.scope)

    def __call__(self, args: list[Any]) -> Any:
        self.trace = Trace()
        return self.scope["f"](*args)

    def lifted(self, value: Any) -> Any:
        """Floats as the numbers of this oracle, the rest as it is."""
        if isinstance(value, np.ndarray):
            return value.astype(self.kind, copy=False) if value.dtype.kind == "f" else value
        if isinstance(value, np.floating) or (isinstance(value, float) and self.kind is complex):
            return np.dtype(self.kind).type(value)
        return value

    def dtype(self, dtype: Any) -> Any:
        if dtype is None or (isinstance(dtype, type) and issubclass(dtype, _Float)):
            return self.kind if dtype is not None else None
        return self.kind if np.dtype(dtype).kind == "f" else dtype


class _Watched(ast.NodeTransformer):
    """Comparisons and methods that decide go through the oracle; numpy and math are the oracle's."""

    def visit_Import(self, node: ast.Import) -> Any:
        return ast.Pass() if node.names[0].name in ("numpy", "math") else node

    def visit_Compare(self, node: ast.Compare) -> Any:
        self.generic_visit(node)
        if not all(type(op) in _OPERATORS for op in node.ops):
            return node
        names = ast.Constant(" ".join(_OPERATORS[type(op)] for op in node.ops))
        return _call("__compare__", names, node.left, *node.comparators)

    def visit_Call(self, node: ast.Call) -> Any:
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS:
            name = ast.Constant(node.func.attr)
            return ast.Call(
                ast.Name("__method__", ast.Load()), [name, node.func.value, *node.args], node.keywords
            )
        return node


def _call(name: str, *args: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(args), [])


class _Float:
    """Stands for `float` as a type."""


def _builtins(oracle: Oracle) -> dict[str, Any]:
    shadow = _Numpy(oracle)

    def compare(names: str, *values: Any) -> Any:
        result: Any = True
        for name, a, b in zip(names.split(), values, values[1:], strict=False):
            result = _compared(oracle, name, a, b)
            if len(values) > 2 and not result:
                return result
        return result

    def method(name: str, value: Any, *args: Any, **options: Any) -> Any:
        if not isinstance(value, np.ndarray | np.generic):
            return getattr(value, name)(*args, **options)
        if name == "astype":
            return value.astype(oracle.dtype(args[0]), *args[1:], **options)
        if name == "sort":
            shadow.sort(value, *args, **options)
            return value.sort(*args, **options)
        return getattr(shadow, name)(value, *args, **options)

    class Float(_Float):
        def __new__(cls, value: Any = 0.0) -> Any:
            return value if np.iscomplexobj(value) else oracle.lifted(builtins.float(value))

    def whole(value: Any = 0) -> int:
        result = int(np.real(value))
        oracle.trace.exact(result)
        return result

    def extreme(name: str) -> Callable[..., Any]:
        def chosen(*items: Any, **options: Any) -> Any:
            values = list(items[0]) if len(items) == 1 else list(items)
            real = [np.real(options.get("key", lambda v: v)(value)) for value in values]
            best = int(getattr(np, f"arg{name}")(real))
            for position, value in enumerate(values):
                if position != best and _floating(value):
                    oracle.trace.sign(value - values[best])
            return values[best]

        return chosen

    return {
        "__compare__": compare, "__method__": method, "float": Float, "int": whole, "abs": shadow.abs,
        "max": extreme("max"), "min": extreme("min"), "round": shadow.round,
    }  # fmt: skip


def _floating(value: Any) -> bool:
    return np.asarray(value).dtype.kind in "fc"


def _compared(oracle: Oracle, name: str, a: Any, b: Any) -> Any:
    if isinstance(a, str) or not (_floating(a) or _floating(b)):
        return getattr(operator, name)(a, b)
    oracle.trace.sign(np.subtract(a, b))
    return getattr(operator, name)(np.real(a), np.real(b))


class _Math:
    """`math` that takes complex numbers."""

    def __getattr__(self, name: str) -> Any:
        plain = getattr(math, name)
        if not callable(plain):
            return plain
        names = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh", "pow": "power"}

        def either(*args: Any) -> Any:
            if any(map(np.iscomplexobj, args)):
                return getattr(np, names.get(name, name))(*args)
            return plain(*args)

        return either


class _Numpy:
    """`np` of the oracle."""

    def __init__(self, oracle: Oracle):
        self._oracle = oracle
        kind = np.dtype(oracle.kind).type
        self.float64 = self.float32 = self.float16 = self.double = kind
        self.linalg = _Linalg(oracle)
        for name in _CREATION:
            setattr(self, name, self._creation(name))
        for name in ("maximum", "minimum", "fmax", "fmin"):
            setattr(self, name, self._pairwise(name))
        for name in ("max", "min", "argmax", "argmin", "amax", "amin"):
            setattr(self, name, self._reduction(name))
        for name in ("floor", "ceil", "rint", "trunc", "round"):
            setattr(self, name, self._rounding(name))
        for name in ("sort", "argsort", "median"):
            setattr(self, name, self._ordering(name))

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def _creation(self, name: str) -> Callable[..., Any]:
        def made(*args: Any, **options: Any) -> Any:
            if "dtype" in options:
                options["dtype"] = self._oracle.dtype(options["dtype"])
            args = tuple(
                self._oracle.dtype(arg) if isinstance(arg, type) and issubclass(arg, _Float) else arg
                for arg in args
            )
            value = self._oracle.lifted(getattr(np, name)(*args, **options))
            if name.startswith("empty") and value.dtype.kind in "fc":
                value[...] = np.nan
            return value

        return made

    def _pairwise(self, name: str) -> Callable[..., Any]:
        def chosen(a: Any, b: Any, *args: Any, **options: Any) -> Any:
            if _floating(a) or _floating(b):
                self._oracle.trace.sign(np.subtract(a, b))
            return getattr(np, name)(a, b, *args, **options)

        return chosen

    def _reduction(self, name: str) -> Callable[..., Any]:
        def reduced(x: Any, axis: Any = None, **options: Any) -> Any:
            if _floating(x):
                extreme = np.min if "min" in name else np.max
                difference = np.subtract(x, extreme(x, axis=axis, keepdims=True))
                # The chosen elements themselves are at 0; where there are several, there is a kink.
                chosen = np.real(difference) == 0
                self._oracle.trace.exact(chosen)
                if np.any(np.sum(chosen, axis=axis) > 1):
                    self._oracle.trace.sign(_spread(x, chosen))
                self._oracle.trace.sign(difference[~chosen])
            return getattr(np, name)(x, axis=axis, **options)

        return reduced

    def _rounding(self, name: str) -> Callable[..., Any]:
        def rounded(x: Any, *args: Any, **options: Any) -> Any:
            value = getattr(np, name)(np.real(x), *args, **options)
            self._oracle.trace.exact(value)
            return value

        return rounded

    def _ordering(self, name: str) -> Callable[..., Any]:
        def ordered(x: Any, axis: int = -1, **options: Any) -> Any:
            if _floating(x):
                self._oracle.trace.exact(np.argsort(np.real(x), axis=axis, kind="stable"))
                self._oracle.trace.sign(np.diff(np.sort(x, axis=axis), axis=axis))
            return getattr(np, name)(x, axis=axis, **options)

        return ordered

    def abs(self, x: Any, *args: Any, **options: Any) -> Any:
        if not _floating(x):
            return np.abs(x, *args, **options)
        if self._oracle.kind is float and np.iscomplexobj(x):
            return np.abs(x, *args, **options)
        self._oracle.trace.sign(x)
        if not np.iscomplexobj(x):
            return np.abs(x, *args, **options)
        return np.multiply(x, np.sign(np.real(x)), *args, **options)

    absolute = fabs = abs

    def sign(self, x: Any, **options: Any) -> Any:
        if _floating(x):
            self._oracle.trace.sign(x)
        return np.sign(np.real(x), **options)

    def clip(self, x: Any, low: Any = None, high: Any = None, **options: Any) -> Any:
        for bound in (low, high):
            if bound is not None and _floating(x):
                self._oracle.trace.sign(np.subtract(x, bound))
        return np.clip(x, low, high, **options)

    def var(self, x: Any, axis: Any = None, keepdims: bool = False, ddof: int = 0) -> Any:
        if self._oracle.kind is float:
            return np.var(x, axis=axis, keepdims=keepdims, ddof=ddof)
        apart = x - np.mean(x, axis=axis, keepdims=True)
        count = np.size(x) // max(np.size(np.sum(apart, axis=axis)), 1)
        return np.sum(apart * apart, axis=axis, keepdims=keepdims) / (count - ddof)

    def std(self, x: Any, **options: Any) -> Any:
        return np.sqrt(self.var(x, **options))


class _Linalg(SimpleNamespace):
    def __init__(self, oracle: Oracle):
        super().__init__(**{name: getattr(np.linalg, name) for name in dir(np.linalg) if name[0] != "_"})
        self._oracle = oracle
        self.norm = self._norm

    def _norm(self, x: Any, *args: Any, **options: Any) -> Any:
        if args or options:
            return np.linalg.norm(x, *args, **options)
        length = np.sqrt(np.sum(np.multiply(x, x)))
        self._oracle.trace.sign(length)
        return length


def _spread(x: Any, chosen: Any) -> Any:
    """Differences among elements that are equal in their real parts."""
    same = np.asarray(x)[chosen]
    return same - same[0]


_CREATION = (
    "zeros", "ones", "empty", "full", "zeros_like", "ones_like", "empty_like", "full_like", "array", "eye",
    "asarray", "identity", "arange", "linspace", "ascontiguousarray", "copy", "asfortranarray",
)  # fmt: skip
