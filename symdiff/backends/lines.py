"""Lines of generated code, and what can be told from their text alone.

Enters: lines.  Leaves: the same lines further in, or whether they hold code, are one `if`, or are the user's
own.  Invariant: a line goes on with the node that it computes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from symdiff.ir.node import Node, Region

Line = tuple[str, Node | Region | None]
"""A line of code, and the statement's node or the region whose results it returns."""


def indented(lines: Iterable[Line]) -> Iterator[Line]:
    return (("    " + line if line else line, origin) for line, origin in lines)


def has_code(lines: Iterable[Line]) -> bool:
    return any(not line.lstrip().startswith("#") for line, _ in lines)


def is_one_if(lines: list[Line]) -> bool:
    code = [line for line, _ in lines if not line.startswith("#")]
    if not code[0].startswith("if ") or lines[-1][0].startswith("#"):
        return False
    return all(line.startswith(("    ", "elif ", "else:")) for line in code[1:])


def printable(text: str) -> str:
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def same_code(line: str, text: str) -> bool:
    """Whether a generated line is the user's own, spaces and a leading `return` apart."""
    if line.startswith(("if ", "for ", "while ")):
        return "".join(line.split()) == "".join(text.split())
    return "".join(line.partition("= ")[2].split()) in (
        "".join(text.partition("=")[2].split()),
        "".join(text.removeprefix("return").split()),
    )
