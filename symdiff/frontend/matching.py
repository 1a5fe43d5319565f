"""`match` on values whose structure is known while compiling.

Enters: a `match` statement.  Leaves: where control goes next.  Invariant: patterns are tried in order, and
names are bound as Python binds them, also of a pattern that fails later.
"""

from __future__ import annotations

import ast
from typing import Any

from symdiff.errors import SymdiffError, UnsupportedError, UserError
from symdiff.frontend.attributes import attribute, has_attribute, of_class
from symdiff.frontend.frame import STATEMENTS, Flow, Frame, bind, call, evaluate, execute
from symdiff.frontend.lookup import is_user_object, user_method
from symdiff.frontend.operators import compare, truth
from symdiff.frontend.values import Text
from symdiff.ir.node import Node

_WHAT = "Whether a `case` matches"
_INSTEAD = "`if` and `elif` with comparisons"
_ITSELF = (bool, bytearray, bytes, dict, float, frozenset, int, list, set, str, tuple)


def _match(frame: Frame, node: ast.Match) -> Flow:
    subject = evaluate(frame, node.subject)
    for case in node.cases:
        try:
            matches = _matches(frame, case.pattern, subject)
        except SymdiffError as error:
            raise frame.locate(error, case.pattern) from None
        if matches and (case.guard is None or _guard(frame, case.guard)):
            return execute(frame, case.body)
    return None


def _guard(frame: Frame, node: ast.expr) -> bool:
    try:
        return truth(frame, evaluate(frame, node), "The guard of a `case`", _INSTEAD)
    except SymdiffError as error:
        raise frame.locate(error, node) from None


def _matches(frame: Frame, pattern: ast.pattern, value: Any) -> bool:
    if isinstance(pattern, ast.MatchValue):
        wanted = evaluate(frame, pattern.value)
        if isinstance(wanted, str) and not isinstance(value, str | Node | Text):
            method = user_method(value, "__eq__")
            if method is None or method.__code__.co_filename == "<string>":  # of a dataclass
                return False
        return truth(frame, compare(frame, ast.Eq, value, wanted), _WHAT, _INSTEAD)
    if isinstance(pattern, ast.MatchSingleton):
        return value is pattern.value
    if isinstance(pattern, ast.MatchOr):
        return any(_matches(frame, one, value) for one in pattern.patterns)
    if isinstance(pattern, ast.MatchAs):
        if pattern.pattern is not None and not _matches(frame, pattern.pattern, value):
            return False
        if pattern.name is not None:
            bind(frame.scope, frame.mangle(pattern.name), value)
        return True
    if isinstance(pattern, ast.MatchSequence):
        return _sequence(frame, pattern, value)
    if isinstance(pattern, ast.MatchMapping):
        return _mapping(frame, pattern, value)
    if isinstance(pattern, ast.MatchClass):
        return _class(frame, pattern, value)
    raise UnsupportedError("This kind of `case` is not supported.", _INSTEAD)


def _sequence(frame: Frame, pattern: ast.MatchSequence, value: Any) -> bool:
    if isinstance(value, Node) and value.type.kind == "shape":
        raise UnsupportedError("The length of this tuple is known only at run time.", _INSTEAD)
    if not isinstance(value, list | tuple):  # neither a string nor an array is a sequence to `match`
        return False
    parts = pattern.patterns
    star = next((k for k, part in enumerate(parts) if isinstance(part, ast.MatchStar)), None)
    if star is None:
        return len(value) == len(parts) and all(map(_each(frame), parts, value))
    after = len(parts) - star - 1
    if len(value) < len(parts) - 1:
        return False
    end = len(value) - after
    if not all(map(_each(frame), [*parts[:star], *parts[star + 1 :]], [*value[:star], *value[end:]])):
        return False
    name = getattr(parts[star], "name", None)
    if name is not None:
        bind(frame.scope, frame.mangle(name), list(value[star:end]))
    return True


def _each(frame: Frame) -> Any:
    return lambda pattern, value: _matches(frame, pattern, value)


def _mapping(frame: Frame, pattern: ast.MatchMapping, value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    keys = [evaluate(frame, key) for key in pattern.keys]
    if any(key not in value for key in keys):
        return False
    if not all(map(_each(frame), pattern.patterns, [value[key] for key in keys])):
        return False
    if pattern.rest is not None:
        rest = {key: item for key, item in value.items() if key not in keys}
        bind(frame.scope, frame.mangle(pattern.rest), rest)
    return True


def _class(frame: Frame, pattern: ast.MatchClass, value: Any) -> bool:
    cls = evaluate(frame, pattern.cls)
    if not isinstance(cls, type):
        raise UserError("TypeError: called match pattern must be a class")
    if isinstance(value, Text):
        raise UnsupportedError("Text of a value that is known only at run time.", _INSTEAD)
    if not call(frame, isinstance, [value, cls], {}):
        return False
    names = list(pattern.kwd_attrs)
    if pattern.patterns and cls in _ITSELF and not is_user_object(value):
        if len(pattern.patterns) > 1:
            raise UserError(f"TypeError: {cls.__name__}() accepts 1 positional sub-pattern")
        if not _matches(frame, pattern.patterns[0], value):
            return False
    elif pattern.patterns:
        known = of_class(frame, cls, "__match_args__") if has_attribute(frame, cls, "__match_args__") else ()
        if len(pattern.patterns) > len(known):
            raise UserError(f"TypeError: {cls.__name__}() accepts {len(known)} positional sub-patterns")
        names = [*known[: len(pattern.patterns)], *names]
    parts = [*(pattern.patterns if names != pattern.kwd_attrs else []), *pattern.kwd_patterns]
    for name, part in zip(names, parts, strict=True):
        if not has_attribute(frame, value, name):
            return False
        if not _matches(frame, part, attribute(frame, value, name)):
            return False
    return True


STATEMENTS[ast.Match] = _match
