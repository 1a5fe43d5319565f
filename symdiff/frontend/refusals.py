"""Calls that no derivative can have, each with what to write instead.

Enters: a callee.  Leaves: an error, or nothing where it may be something else.  Invariant: nothing is called.
"""

from __future__ import annotations

import builtins
from typing import Any

from symdiff.errors import SymdiffError, UnsupportedError, UnsupportedFunctionError

_ARGUMENT = "its result as an argument of the function"
_ONE_BY_ONE = "a loop: the calls one after the other"
_MODULES = {
    "_asyncio": _ONE_BY_ONE, "_datetime": _ARGUMENT, "_io": _ARGUMENT, "_json": _ARGUMENT,
    "_pickle": _ARGUMENT, "_random": "numbers of np.random.default_rng(seed), or an argument",
    "_socket": _ARGUMENT, "_thread": _ONE_BY_ONE, "_warnings": "print, or an assert",
    "asyncio": _ONE_BY_ONE, "concurrent": _ONE_BY_ONE, "csv": _ARGUMENT, "datetime": _ARGUMENT,
    "gc": "leave it out", "importlib": "an `import` statement", "inspect": "leave it out", "io": _ARGUMENT,
    "json": _ARGUMENT, "logging": "print", "multiprocessing": _ONE_BY_ONE, "nt": _ARGUMENT, "os": _ARGUMENT,
    "pathlib": _ARGUMENT, "pickle": _ARGUMENT, "posix": _ARGUMENT, "queue": "a list",
    "random": "numbers of np.random.default_rng(seed), or an argument", "secrets": _ARGUMENT,
    "shelve": _ARGUMENT, "shutil": _ARGUMENT, "signal": "leave it out", "socket": _ARGUMENT,
    "sqlite3": _ARGUMENT, "subprocess": _ARGUMENT, "sys": "leave it out", "tempfile": _ARGUMENT,
    "threading": _ONE_BY_ONE, "time": "the time, measured outside", "traceback": "leave it out",
    "urllib": _ARGUMENT, "uuid": _ARGUMENT, "warnings": "print, or an assert", "weakref": "the object itself",
}  # fmt: skip
_BUILTINS: dict[str, str] = {
    "__build_class__": "a class defined outside the function", "__import__": "an `import` statement",
    "breakpoint": "leave it out", "compile": "the code itself", "delattr": "a new object",
    "eval": "the expression itself", "exec": "the statements themselves", "exit": "raise SystemExit outside",
    "globals": "the names themselves", "hash": "the value itself", "help": "leave it out",
    "id": "`is`, on values that are no arrays", "input": _ARGUMENT, "locals": "the names themselves",
    "memoryview": "the array itself", "open": "the contents of the file as an argument",
    "quit": "raise SystemExit outside",
}  # fmt: skip


def refused(function: Any) -> SymdiffError | None:
    """The error for a function that acts on the world around it; None for any other."""
    name = getattr(function, "__name__", "")
    if isinstance(name, str) and name in _BUILTINS and getattr(builtins, name, None) is function:
        return UnsupportedError(f"`{name}` is not supported.", _BUILTINS[name])
    module = _module_of(function)
    instead = _MODULES.get(module.partition(".")[0])
    if instead is None:
        return None
    qualname = getattr(function, "__qualname__", type(function).__name__)
    shown = f"{module.lstrip('_')}.{qualname.removesuffix('.__getitem__')}"
    return UnsupportedFunctionError(f"`{shown}` is no part of a computation.", instead)


def _module_of(function: Any) -> str:
    """The module of a function; of a method of an object, that of its class."""
    module = getattr(function, "__module__", None)
    owner = getattr(function, "__self__", None)
    if not isinstance(module, str) and owner is not None:
        module = (owner if isinstance(owner, type) else type(owner)).__module__
    return module if isinstance(module, str) else ""
