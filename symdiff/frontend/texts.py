"""Text: strings that the compiler knows, and strings with staged values in them.

Enters: f-strings, and values that become text.  Leaves: strings, or a `Text` where a staged value is inside,
which only `print`, `assert` and `raise` take.  Invariant: a user's string enters a program as an escaped
literal and in no other way; no `__str__` or `__format__` of the user's runs, they are lowered.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Iterable
from typing import Any

from symdiff.errors import UnsupportedError, UserError
from symdiff.frontend.frame import EXPRESSIONS, Frame, call, evaluate
from symdiff.frontend.lookup import is_user_object, user_method
from symdiff.frontend.operators import PERCENT, compute
from symdiff.frontend.values import Field, Generator, ShapeTuple, Text, children, has_staged, kind_name
from symdiff.ir.node import Node

Piece = str | Field
_CONVERSIONS = {-1: "", 97: "a", 114: "r", 115: "s"}
_PYTHON: dict[str, Callable[[Any], Any]] = {"": lambda value: value, "a": ascii, "r": repr, "s": str}
_PERCENT = re.compile(r"%(?P<flags>[-+ 0#]*)(?P<width>\d*)(?P<precision>(?:\.\d+)?)(?P<kind>[a-zA-Z%])")


def formatted(frame: Frame, value: Any, conversion: str = "", spec: str = "") -> Any:
    """`f"{value!conversion:spec}"`."""
    if isinstance(value, Text) and not conversion and not spec:
        return value
    if isinstance(value, ShapeTuple):
        value = tuple(value)
    if isinstance(value, Node):
        if not spec.isprintable() or set(spec) & set("\"'\\{}"):
            raise UnsupportedError("This format of a value that is known only at run time.", "such as :.3f")
        return Text((Field(value, conversion, spec),))
    if has_staged(value):
        if spec:
            raise UserError(f"TypeError: unsupported format string passed to {kind_name(value)}.__format__")
        return _of_container(frame, value, conversion)
    if is_user_object(value):
        return _of_object(frame, value, conversion, spec)
    check_plain(value)
    return compute(lambda: format(_PYTHON[conversion](value), spec))


def _of_container(frame: Frame, value: Any, conversion: str) -> Any:
    if is_user_object(value):
        return _of_object(frame, value, conversion, "")
    if not isinstance(value, list | tuple | dict):
        raise UnsupportedError(f"Text of a {kind_name(value)} of run-time values.", "text of its items")
    pieces: list[Any] = []
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        before = f"{key!r}: " if isinstance(value, dict) else ""
        pieces += [", " if pieces else "", before, formatted(frame, item, "r")]
    if isinstance(value, tuple) and len(value) == 1:
        pieces.append(",")
    ends = "{}" if isinstance(value, dict) else "[]" if isinstance(value, list) else "()"
    return joined([ends[0], *pieces, ends[1]])


def _of_object(frame: Frame, value: Any, conversion: str, spec: str) -> Any:
    """The text that a class of the user's gives: its own methods, lowered."""
    names = ["__repr__"] if conversion in ("r", "a") else ["__str__", "__repr__"]
    method = user_method(value, "__format__") if not conversion else None
    if method is not None:
        return call(frame, method, [value, spec], {})
    found = next((m for m in (user_method(value, name) for name in names) if m is not None), None)
    if found is None or spec or getattr(found, "__wrapped__", None) is not None:
        raise UnsupportedError(f"Text of an object of the class {kind_name(value)}.", "its attributes")
    return call(frame, found, [value], {})


def check_plain(values: Any) -> None:
    """Only builtin values are turned into text while compiling."""
    if has_staged(values):
        raise UnsupportedError(
            "Text of a value that is known only at run time.", "text in print, assert or raise only"
        )
    pending = [values]
    while pending:
        value = pending.pop()
        if is_user_object(value) or isinstance(value, Generator):
            raise UnsupportedError(f"Text of an object of the class {kind_name(value)}.", "its attributes")
        if isinstance(value, list | tuple | dict | set):
            pending += children(value)


def joined(pieces: Iterable[Any]) -> Any:
    """Strings and texts, one after the other."""
    total: Any = ""
    for piece in pieces:
        total = total + piece
    return total


# As source


def literal(text: str) -> str:
    """A string literal in double quotes."""
    return f'"{_escaped(text)}"'


def source(value: Any) -> list[str | Node]:
    """The source of a value that is an argument of a call: pieces of text and operands."""
    if isinstance(value, Node):
        return [value]
    if isinstance(value, str):
        return [literal(value)]
    if isinstance(value, float) and not math.isfinite(value):
        return [f'float("{value}")']
    if not isinstance(value, Text):
        return [repr(value)]
    found: list[str | Node] = ['f"']
    for piece in value.pieces:
        if isinstance(piece, str):
            found.append(_escaped(piece).replace("{", "{{").replace("}", "}}"))
        else:
            end = (f"!{piece.conversion}" if piece.conversion else "") + (
                f":{piece.spec}" if piece.spec else ""
            )
            found += ["{", piece.value, end + "}"]
    return [*found, '"']


def template(pieces: Iterable[str | Node]) -> tuple[str, list[Node]]:
    """A text with numbered places, and the operands for them; see `ops.effects`."""
    operands: list[Node] = []
    text = ""
    for piece in pieces:
        if isinstance(piece, str):
            text += piece.replace("{", "{{").replace("}", "}}")
            continue
        known = next((k for k, one in enumerate(operands) if one is piece), len(operands))
        if known == len(operands):
            operands.append(piece)
        text += f"{{{known}}}"
    return text, operands


def _escaped(text: str) -> str:
    return "".join(
        f"\\{c}" if c in '\\"' else c if c.isprintable() else c.encode("unicode_escape").decode("ascii")
        for c in text
    )


# f-strings, `format` and `%`


def _f_string(frame: Frame, node: ast.JoinedStr) -> Any:
    return joined([evaluate(frame, part) for part in node.values])


def _field(frame: Frame, node: ast.FormattedValue) -> Any:
    value = evaluate(frame, node.value)
    spec = evaluate(frame, node.format_spec) if node.format_spec is not None else ""
    if not isinstance(spec, str):
        raise UnsupportedError("A format that depends on a run-time value.", "a literal such as :.3f")
    return formatted(frame, value, _CONVERSIONS[node.conversion], spec)


def text_method(frame: Frame, owner: str, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """`"...".format(...)` and `", ".join(...)` where staged values are among the arguments."""
    if name == "join" and len(args) == 1 and all(isinstance(item, str | Text) for item in args[0]):
        return joined([part for k, item in enumerate(args[0]) for part in ((owner if k else ""), item)])
    if name != "format":
        raise UnsupportedError(f"`.{name}` of a text with a run-time value in it.", "an f-string in print")
    import string  # 1 ms, which `import symdiff` does not have to pay

    pieces: list[Any] = []
    count = 0
    for before, field, spec, conversion in compute(lambda: list(string.Formatter().parse(owner))):
        pieces.append(before)
        if field is None:
            continue
        key: Any = field or count
        count += not field
        if str(key).isdigit() and int(key) < len(args):
            value = args[int(key)]
        elif key in kwargs:
            value = kwargs[key]
        else:
            raise UnsupportedError(f"The field {{{field}}} of `.format`.", "an f-string")
        pieces.append(formatted(frame, value, conversion or "", spec or ""))
    return joined(pieces)


def percent(frame: Frame, text: str, values: Any) -> Any:
    """`text % values` where a staged value is among the values."""
    items = list(values) if isinstance(values, tuple) else [values]
    pieces: list[Any] = []
    end = 0
    for found in _PERCENT.finditer(text):
        pieces.append(text[end : found.start()])
        end = found.end()
        kind, flags, width = found["kind"], found["flags"], found["width"]
        if kind == "%":
            pieces.append("%")
            continue
        if not items:
            raise UserError("TypeError: not enough arguments for format string")
        value, plain = items.pop(0), not (flags or width or found["precision"])
        if kind in "sra" and plain:
            pieces.append(formatted(frame, value, "" if kind == "s" else kind))
        elif kind in "eEfFgG" and isinstance(value, Node | float | int) and "-" not in flags:
            pieces.append(formatted(frame, value, "", f"{flags}{width}{found['precision']}{kind}"))
        else:
            raise UnsupportedError(f"The format `{found[0]}` of a run-time value.", "an f-string")
    if items:
        raise UserError("TypeError: not all arguments converted during string formatting")
    return joined([*pieces, text[end:]])


PERCENT.append(percent)
EXPRESSIONS[ast.JoinedStr] = _f_string
EXPRESSIONS[ast.FormattedValue] = _field
