"""Python's operators, truth and comparisons on staged and compile-time values.

Enters: values.  Leaves: nodes where an operand is staged, else what Python computes.  Invariant: no operator
of a user's class runs; it is lowered like any function.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from symdiff.errors import SymdiffError, UnsupportedError, UserError
from symdiff.frontend import arrays
from symdiff.frontend.frame import EXPRESSIONS, Frame, call, evaluate_all
from symdiff.frontend.lists import extended, repeat
from symdiff.frontend.lookup import is_user_object, user_method
from symdiff.frontend.values import (
    POISON,
    ShapeTuple,
    Silent,
    StagedList,
    Text,
    children,
    has_staged,
    kind_name,
)
from symdiff.ir.build import current
from symdiff.ir.node import OPERATORS, Node
from symdiff.ir.types import Size, may_be_one
from symdiff.ops.row import REGISTRY

BINARY: dict[type[ast.operator], tuple[str, str, Callable[[Any, Any], Any], str]] = {
    ast.Add: ("add", "+", operator.add, "add"),
    ast.Sub: ("subtract", "-", operator.sub, "sub"),
    ast.Mult: ("multiply", "*", operator.mul, "mul"),
    ast.Div: ("divide", "/", operator.truediv, "truediv"),
    ast.FloorDiv: ("floor_divide", "//", operator.floordiv, "floordiv"),
    ast.Mod: ("remainder", "%", operator.mod, "mod"),
    ast.Pow: ("power", "**", operator.pow, "pow"),
    ast.MatMult: ("matmul", "@", operator.matmul, "matmul"),
    ast.BitAnd: ("bitwise_and", "&", operator.and_, "and"),
    ast.BitOr: ("bitwise_or", "|", operator.or_, "or"),
    ast.BitXor: ("bitwise_xor", "^", operator.xor, "xor"),
    ast.LShift: ("left_shift", "<<", operator.lshift, "lshift"),
    ast.RShift: ("right_shift", ">>", operator.rshift, "rshift"),
}
UNARY: dict[type[ast.unaryop], tuple[str, str, Callable[[Any], Any], str]] = {
    ast.USub: ("negative", "-", operator.neg, "neg"),
    ast.UAdd: ("positive", "+", operator.pos, "pos"),
    ast.Invert: ("invert", "~", operator.invert, "invert"),
}
COMPARE: dict[type[ast.cmpop], tuple[str, str, Callable[[Any, Any], Any], str, str]] = {
    ast.Eq: ("equal", "==", operator.eq, "eq", "eq"),
    ast.NotEq: ("not_equal", "!=", operator.ne, "ne", "ne"),
    ast.Lt: ("less", "<", operator.lt, "lt", "gt"),
    ast.LtE: ("less_equal", "<=", operator.le, "le", "ge"),
    ast.Gt: ("greater", ">", operator.gt, "gt", "lt"),
    ast.GtE: ("greater_equal", ">=", operator.ge, "ge", "le"),
}
_TABLES: tuple[dict[Any, Any], ...] = (BINARY, UNARY, COMPARE)
BY_FUNCTION: dict[Any, type[ast.AST]] = {facts[2]: kind for table in _TABLES for kind, facts in table.items()}
_LARGEST = 100_000  # elements or digits that an operator may make while compiling


def compute(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """A compile-time operation; what Python raises becomes a UserError."""
    try:
        return function(*args, **kwargs)
    except SymdiffError:
        raise
    except RecursionError:
        raise
    except Exception as error:
        message = str(error)
        raise UserError(f"{type(error).__name__}{': ' if message else ''}{message}") from None


def emit(name: str, *operands: Any) -> Node:
    """A node of an operator; what inference says becomes an error of the user's line."""
    op = OPERATORS.get(name) or REGISTRY.get(name)
    if op is None:
        raise UnsupportedError(f"The operator of np.{name} has no derivative rule.")
    return arrays.apply(op, operands)


def _dunder(frame: Frame, left: Any, right: Any, name: str, reflected: str) -> Any:
    """The result of a user's operator method, or NotImplemented."""
    for value, other, method in ((left, right, f"__{name}__"), (right, left, reflected)):
        if value is right and isinstance(left, Node) and left.type.kind == "array":
            break  # NumPy asks for `__radd__` and its kin only where arrays are no operands
        function = user_method(value, method)
        if function is not None:
            result = call(frame, function, [value, other], {})
            if result is not NotImplemented:
                return result
    return NotImplemented


def binary(frame: Frame, kind: type[ast.operator], left: Any, right: Any) -> Any:
    name, symbol, function, dunder = BINARY[kind]
    _check(left, right)
    result = _dunder(frame, left, right, dunder, f"__r{dunder}__")
    if result is not NotImplemented:
        return result
    if isinstance(left, str) and kind is ast.Mod and has_staged(right):
        return PERCENT[0](frame, left, right)
    if isinstance(left, Node) or isinstance(right, Node):
        if isinstance(left, list | tuple) or isinstance(right, list | tuple):
            repeated = _repeated(kind, left, right)
            if repeated is not NotImplemented:
                return repeated
        return emit(name, *(_operand(value, symbol, left, right) for value in (left, right)))
    lists = isinstance(left, list | StagedList) and isinstance(right, list | StagedList)
    if kind is ast.Add and lists and not (isinstance(left, list) and isinstance(right, list)):
        return extended(frame, left, right)
    _check_size(kind, left, right)
    return compute(function, left, right)


PERCENT: list[Callable[[Frame, str, Any], Any]] = []
"""What `text % values` gives for staged values; `texts` says how."""


def _repeated(kind: type[ast.operator], left: Any, right: Any) -> Any:
    """A Python sequence times a staged int, or plus an array; NotImplemented where NumPy takes over."""
    sequence, other = (left, right) if isinstance(left, list | tuple) else (right, left)
    if other.type.kind == "number" and kind is ast.Mult:
        try:
            return sequence * arrays.static_int(other, "the number of repetitions")
        except UnsupportedError:
            if isinstance(sequence, list) and len(sequence) == 1 and other.type.dtype == "int":
                return repeat(sequence[0], other)
            raise
    if other.type.kind == "shape":
        raise arrays.unknown_rank(other)
    return NotImplemented


def _operand(value: Any, symbol: str, left: Any, right: Any) -> Any:
    if isinstance(value, Node) and value.type.kind == "shape":
        raise arrays.unknown_rank(value)
    numbers = all(not isinstance(v, Node) or v.type.kind == "number" for v in (left, right))
    if is_user_object(value):
        raise UnsupportedError(
            f"NumPy's {symbol} with an object of the class {kind_name(value)} is not supported.",
            "its arrays",
        )
    if not arrays.is_operand(value) or (numbers and isinstance(value, list | tuple)):
        raise UserError(
            f"TypeError: unsupported operand types for {symbol}: {kind_name(left)} and {kind_name(right)}"
        )
    return arrays.operand(value)


def _check(*values: Any) -> None:
    if any(value is POISON for value in values):
        raise Silent


def _check_size(kind: type[ast.operator], left: Any, right: Any) -> None:
    """No operator may take the compiler hours or all memory."""
    for a, b in ((left, right), (right, left)):
        if type(b) is not int:
            continue
        large = (
            (kind is ast.Mult and isinstance(a, list | tuple | str | bytes) and len(a) * b > _LARGEST)
            or (kind is ast.LShift and a is left and b > _LARGEST)
            or (kind is ast.Pow and a is left and type(a) is int and a.bit_length() * b > _LARGEST)
        )
        if large:
            raise UnsupportedError(
                "This value is too large to be computed while compiling.", "a smaller one, or an array"
            )


def unary(frame: Frame, kind: type[ast.unaryop], value: Any) -> Any:
    name, symbol, function, dunder = UNARY[kind]
    _check(value)
    if isinstance(value, Node):
        return emit(name, _operand(value, symbol, value, value))
    method = user_method(value, f"__{dunder}__")
    if method is not None:
        return call(frame, method, [value], {})
    return compute(function, value)


# Truth


def truth(
    frame: Frame, value: Any, what: str = "A condition", instead: str = "np.where(condition, a, b)"
) -> bool:
    """Whether a compile-time value counts as true; of a staged one it is not known yet."""
    if value is POISON:
        raise Silent
    if isinstance(value, Node):
        raise UnsupportedError(f"{what} depends on a value that is known only at run time.", instead)
    for name in ("__bool__", "__len__"):
        method = user_method(value, name)
        if method is not None:
            return truth(frame, call(frame, method, [value], {}), what, instead)
    return bool(compute(bool, value))


def _bin_op(frame: Frame, node: ast.BinOp) -> Any:
    """Chains of operators to the left are walked in a loop: they may be thousands long."""
    chain = [node]
    while isinstance(chain[-1].left, ast.BinOp):
        chain.append(chain[-1].left)
    left, *others = evaluate_all(frame, [chain[-1].left, *(one.right for one in reversed(chain))])
    for one, right in zip(reversed(chain), others, strict=True):
        try:
            left = binary(frame, type(one.op), left, right)
        except SymdiffError as error:
            raise frame.locate(error, one) from None
    return left


# Comparisons


def compare(frame: Frame, kind: type[ast.cmpop], left: Any, right: Any) -> Any:
    _check(left, right)
    if kind is ast.Is or kind is ast.IsNot:
        return _same(left, right) is (kind is ast.Is)
    if kind is ast.In or kind is ast.NotIn:
        return _contains(frame, right, left) is (kind is ast.In)
    if isinstance(left, Text) or isinstance(right, Text):
        raise UnsupportedError(
            "A text with a run-time value in it is compared.", "a comparison of the values themselves"
        )
    name, symbol, function, dunder, reflected = COMPARE[kind]
    result = _dunder(frame, left, right, dunder, f"__{reflected}__")
    if result is not NotImplemented:
        return result
    if kind in (ast.Eq, ast.NotEq):
        equal = equality(left, right)
        if equal is not None:
            return equal is (kind is ast.Eq)
    if isinstance(left, Node) or isinstance(right, Node):
        if not (arrays.is_operand(left) and arrays.is_operand(right)) and kind in (ast.Eq, ast.NotEq):
            return _unlike(kind, left, right)
        return emit(name, *(_operand(value, symbol, left, right) for value in (left, right)))
    if isinstance(left, ShapeTuple) or isinstance(right, ShapeTuple):
        raise UnsupportedError(
            "Whether these sizes are equal is known only at run time.",
            "no check: NumPy itself refuses shapes that do not fit",
        )
    if has_staged(left) or has_staged(right):
        raise UnsupportedError(
            "Containers of run-time values cannot be compared while compiling.",
            "compare the arrays themselves",
        )
    return compute(function, left, right)


def _unlike(kind: type[ast.cmpop], left: Any, right: Any) -> bool:
    """`==` with something that is no number and no array."""
    for value, other in ((left, right), (right, left)):
        if isinstance(value, Node) and value.type.kind == "array":
            instead = (
                "`is None`" if other is None else "isinstance(...), or an argument that tells the cases apart"
            )
            raise UnsupportedError(f"An array is compared with a {kind_name(other)}.", instead)
    return kind is ast.NotEq


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, Node) and isinstance(right, Node):
        if left is right and left.op.name == "param":
            return True
        raise UnsupportedError("Whether two arrays are one object is known only at run time.", "`==`")
    return left is right


def _contains(frame: Frame, container: Any, item: Any) -> bool:
    if isinstance(container, Node):
        raise UnsupportedError(
            "`in` looks into an array at run time.", "np.any(array == item), used elementwise"
        )
    method = user_method(container, "__contains__")
    if method is not None:
        return truth(frame, call(frame, method, [container, item], {}))
    if isinstance(container, dict | set | frozenset | range | str | bytes) and not isinstance(item, Node):
        return bool(compute(operator.contains, container, item))
    if isinstance(container, list | tuple):
        for one in container:
            if one is item:
                return True
            equal = equality(one, item)
            if equal is None:
                equal = truth(
                    frame,
                    compare(frame, ast.Eq, one, item),
                    "A comparison inside `in`",
                    "compare elementwise",
                )
            if equal:
                return True
        return False
    return bool(compute(operator.contains, container, item))


def equality(left: Any, right: Any) -> bool | None:
    """Whether two values are equal as far as sizes and structure tell; None where that is not known."""
    if isinstance(left, Node) or isinstance(right, Node):
        return _equal_lengths(left, right)
    if not (isinstance(left, list | tuple) and isinstance(right, list | tuple)):
        return None
    if isinstance(left, list) is not isinstance(right, list) or len(left) != len(right):
        return False
    if not (has_staged(left) or has_staged(right)):
        return None
    results = []
    for a, b in zip(children(left), children(right), strict=True):
        known = equality(a, b)
        results.append(a == b if known is None and not (has_staged(a) or has_staged(b)) else known)
    if all(results):
        return True
    return False if any(one is False for one in results) else None


def _equal_lengths(left: Any, right: Any) -> bool | None:
    """Whether two lengths are equal: by the symbols for them, which are sizes other than 1 unless said so."""
    a, b = _length(left), _length(right)
    if a is None or b is None:
        return None
    sizes = current().sizes
    a, b = sizes.find(a), sizes.find(b)
    if a == b:
        return True
    if isinstance(a, int) and isinstance(b, int):
        return False
    firm = a if isinstance(a, Size) else b
    other = b if firm is a else a
    return False if other == 1 and not may_be_one(firm) else None


def _length(value: Any) -> int | Size | None:
    if type(value) is int:
        return value
    if isinstance(value, Node) and value.op.name == "length":
        dims = value.args[0].type.dims
        return None if dims is None else dims[value.attr("axis")]
    return None


EXPRESSIONS[ast.BinOp] = _bin_op
