"""Values in the text form: literals that are read back exactly, and tokens for everything else.

Enters: compile-time values, or their text.  Leaves: the other of the two.  Invariant: the text of a value is
the same in every process; neither writing nor reading runs code of the user's, such as a `__repr__`.
"""

from __future__ import annotations

import ast
import enum
import hashlib
import types
from collections.abc import Callable
from typing import Any

from symdiff.errors import IRError
from symdiff.ir.node import Tree

_ATOMS = (str, bool, type(None), bytes, type(...), float)
_SETS = (set, frozenset)
_LONG = 1 << 4096  # Python refuses to print much longer integers in decimal
_TRUSTED = {
    "numpy",
    "datetime",
    "decimal",
    "fractions",
    "pathlib",
    "uuid",
}  # their repr runs their own code only
_NAMES = {"inf": float("inf"), "nan": float("nan"), "Ellipsis": ...}
_CALLS: dict[str, Callable[..., Any]] = {
    "complex": complex,
    "set": set,
    "frozenset": frozenset,
    "slice": slice,
    "range": range,
}
_TYPES: tuple[type, ...] = (bool, int, float, complex, str, bytes, tuple, list, dict, *_SETS)
_BUILTIN = {kind.__name__: kind for kind in _TYPES}
_TREES = {"tuple", "list", "dict", "namedtuple", "dataclass", "object", "static"}


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
    if kind in _SETS:
        return f"{kind.__name__}([{', '.join(sorted(map(literal, value)))}])"
    if kind in (slice, range):
        return f"{kind.__name__}({', '.join(map(literal, (value.start, value.stop, value.step)))})"
    if kind is Tree:
        return f"Tree({tree_text(value)})"
    if kind is type and value in _BUILTIN.values():
        return f"type({value.__name__})"
    return _token(value)


def tree_text(tree: Tree) -> str:
    """A tree as a call: `dict(leaf, leaf, keys=('w', 'b'))`."""
    if tree.kind == "leaf":
        return "leaf"
    parts = [tree_text(child) for child in tree.children]
    if tree.keys:
        parts.append(f"keys={literal(tree.keys)}")
    if tree.value is not None:
        parts.append(f"value={literal(tree.value)}")
    if tree.like is not None:
        parts.append(f"like={literal(tree.like)}")
    return f"{tree.kind}({', '.join(parts)})"


def _token(value: Any) -> str:
    """`<type digest>`: tells values apart by what is the same in every process; instances of the user's own
    classes look alike, for what they hold is read when the function runs."""
    kind = type(value)
    digest = hashlib.sha256(_content(value)).hexdigest()[:16]
    return f"<{kind.__module__}.{kind.__qualname__} {digest}>"


def _content(value: Any) -> bytes:
    if isinstance(value, type):
        name = type.__getattribute__(value, "__module__"), type.__getattribute__(value, "__qualname__")
        return repr(name).encode()
    if type(value) is types.FunctionType:
        code = value.__code__
        place = code.co_firstlineno, code.co_names, code.co_code
        return repr((value.__module__, value.__qualname__, *place)).encode()
    if type(value) in (types.BuiltinFunctionType, types.ModuleType):
        return repr((value.__name__, getattr(value, "__module__", None))).encode()
    if isinstance(value, enum.Enum):
        return repr(object.__getattribute__(value, "_name_")).encode()
    if type(value).__module__.partition(".")[0] not in _TRUSTED:
        return b""
    try:
        view = memoryview(value)
    except (TypeError, ValueError, BufferError):
        return repr(value).encode()
    return repr((view.format, view.shape)).encode() + (b"" if "O" in view.format else view.tobytes())


def is_literal(value: Any) -> bool:
    """Whether the text of this value is read back as it was."""
    kind = type(value)
    if kind in (tuple, list, *_SETS):
        return all(map(is_literal, value))
    if kind is dict:
        return all(is_literal(part) for pair in value.items() for part in pair)
    if kind is slice:
        return all(map(is_literal, (value.start, value.stop, value.step)))
    if kind is Tree:
        return all(map(is_literal, (*value.children, value.keys, value.value, value.like)))
    if kind is type:
        return value in _BUILTIN.values()
    return kind in (*_ATOMS, int, complex, range)


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
        case ast.Call(func=ast.Name(id="type"), args=[ast.Name(id=name)], keywords=[]) if name in _BUILTIN:
            return _BUILTIN[name]
        case ast.Call(func=ast.Name(id="Tree"), args=[tree], keywords=[]):
            return read_tree(tree)
    raise IRError(f"The text holds a value that is not a literal: {ast.unparse(node)}")


def read_tree(node: ast.expr) -> Tree:
    """The tree whose text this is."""
    match node:
        case ast.Name(id="leaf"):
            return Tree("leaf")
        case ast.Call(func=ast.Name(id=kind)) if kind in _TREES:
            facts = {word.arg or "": read_expression(word.value) for word in node.keywords}
            return Tree(kind, tuple(map(read_tree, node.args)), **facts)
    raise IRError(f"A tree is made of leaves and containers: {ast.unparse(node)}")
