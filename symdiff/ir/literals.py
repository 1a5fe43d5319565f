"""Values in the text form: literals that are read back exactly, and tokens for everything else.

Enters: compile-time values, or their text.  Leaves: the other of the two.  Invariant: the text of a value is
the same in every process, and reading executes nothing.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Callable
from typing import Any

from symdiff.errors import IRError

_ATOMS = (str, bool, type(None), bytes, type(...), float)
_LONG = 1 << 4096  # Python refuses to print much longer integers in decimal
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]+")
_NAMES = {"inf": float("inf"), "nan": float("nan"), "Ellipsis": ...}
_CALLS: dict[str, Callable[..., Any]] = {"complex": complex, "set": set, "frozenset": frozenset}


def literal(value: Any) -> str:
    """A Python literal of exactly this value and type, or a token that cannot be read back."""
    kind = type(value)
    if kind in _ATOMS:
        return repr(value)
    if kind is int:
        return hex(value) if abs(value) >= _LONG else repr(value)
    if kind is tuple:
        return f"({literal(value[0])},)" if len(value) == 1 else f"({', '.join(map(literal, value))})"
    if kind is complex:
        return f"complex({value.real!r}, {value.imag!r})"
    if kind is list:
        return f"[{', '.join(map(literal, value))}]"
    if kind is dict:
        return f"{{{', '.join(f'{literal(key)}: {literal(item)}' for key, item in value.items())}}}"
    if kind in (set, frozenset):
        return f"{kind.__name__}([{', '.join(sorted(map(literal, value)))}])"
    return f"<{kind.__module__}.{kind.__qualname__} {hashlib.sha256(_content(value)).hexdigest()[:16]}>"


def _content(value: Any) -> bytes:
    """What tells an opaque value from others of its type, without anything that changes between processes."""
    code = getattr(value, "__code__", None)
    if isinstance(getattr(value, "__qualname__", None), str):
        shown = f"{getattr(value, '__module__', '')}.{value.__qualname__}"
        if code is not None:
            shown += f" {code.co_firstlineno} {code.co_code.hex()} {code.co_consts!r} {code.co_names!r}"
    else:
        try:
            view = memoryview(value)
            return repr((view.format, view.shape)).encode() + view.tobytes()
        except (TypeError, ValueError, BufferError):
            shown = repr(value)
    return _ADDRESS.sub("", shown).encode(errors="backslashreplace")


def is_literal(value: Any) -> bool:
    """Whether the text of this value is read back as it was."""
    if type(value) in (tuple, list, set, frozenset):
        return all(map(is_literal, value))
    if type(value) is dict:
        return all(is_literal(part) for pair in value.items() for part in pair)
    return type(value) in (*_ATOMS, int, complex)


def read_literal(text: str) -> Any:
    return read_expression(expression(text))


def expression(text: str) -> ast.expr:
    """The syntax tree of a literal or of a call of literals."""
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError):
        raise IRError(f"The text holds a value that is not a literal: {text}") from None


def read_expression(node: ast.expr) -> Any:
    """What the syntax tree of a literal means."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant() | ast.Name() as operand):
            return -read_expression(operand)
        case ast.Name(id=name) if name in _NAMES:
            return _NAMES[name]
        case ast.Tuple(elts=items):
            return tuple(map(read_expression, items))
        case ast.List(elts=items):
            return list(map(read_expression, items))
        case ast.Dict(keys=keys, values=values):
            pairs = [(key, item) for key, item in zip(keys, values, strict=True) if key is not None]
            return {read_expression(key): read_expression(item) for key, item in pairs}
        case ast.Call(func=ast.Name(id=name), args=items, keywords=[]) if name in _CALLS:
            return _CALLS[name](*map(read_expression, items))
    raise IRError(f"The text holds a value that is not a literal: {ast.unparse(node)}")
