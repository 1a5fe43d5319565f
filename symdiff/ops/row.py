"""The table mechanism: one row holds every fact about one operation.

Enters: a NumPy callable with its derivative in one of six kinds.  Leaves: a `Row` in `REGISTRY`, found by the
front end through `row_of(callable)`.  Invariant: broadcasting, dtypes and modes are the drivers' business; a
rule sees operands `x, a, b`, the result `y` and the cotangent `g` only, and never looks at a type.

kinds:
- elementwise: one partial per operand, `partial(*operands, y)`; None where the derivative is zero;
- linear: jointly linear in its operands; one transpose per operand, `transpose(g, *operands, **attrs)`;
- multilinear: linear in each operand separately; transposes as above;
- composite: `definition(*operands, **attrs)` in terms of other rows;
- constant: no derivative (integer-valued, piecewise constant, or fresh arrays);
- custom: `vjp(g, y, *operands, **attrs)` gives a cotangent or None per operand,
  `jvp(tangents, y, *operands, **attrs)` the tangent; where the type is a tuple, `y` is the tuple of results,
  and so are `g`, with None for results that have no cotangent, and what `jvp` gives.
A variadic row (`np.concatenate`) takes any number of operands and a transpose `transpose(g, index, *operands,
**attrs)`.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterable
from functools import cached_property
from importlib import import_module
from typing import Any, Literal

from symdiff.ir.node import Node, Op
from symdiff.ir.types import Type
from symdiff.records import dataclass

RowKind = Literal["elementwise", "linear", "multilinear", "composite", "constant", "custom"]
Rule = Callable[..., Any]


@dataclass(frozen=True, eq=False, repr=False)
class Row(Op):
    """One operation: what calls it, how it is typed, differentiated and spelled.

    text: the signature: operands are parameters without default, attributes those with one, `...` marking an
    attribute that must be given; an attribute equal to its default is not printed.  spelling: dotted name of
    the call ("np.tanh").  symbol: infix or prefix operator.  method: name of the equivalent array method.
    view: the result may share memory with the first operand.  lower: turns the user's arguments into operands
    and attributes where binding the signature is not enough; called as `lower(row, *args, **kwargs)`, returns
    a node or a tree of nodes.  domain: an interval in which the function is smooth, for tests.  ranked: the
    result is another one for an operand without axes, not what broadcasting makes of it.
    """

    kind: RowKind = "constant"
    text: str = ""
    targets: tuple[Any, ...] = ()
    partials: tuple[Rule | None, ...] = ()
    transposes: tuple[Rule | None, ...] = ()
    transpose: Rule | None = None
    definition: Rule | None = None
    vjp: Rule | None = None
    jvp: Rule | None = None
    spelling: str = ""
    symbol: str = ""
    method: str = ""
    view: bool = False
    lower: Rule | None = None
    domain: tuple[float, float] = (0.1, 2.0)
    ranked: bool = False

    @cached_property
    def signature(self) -> inspect.Signature:
        return signature(self.text)

    @cached_property
    def operands(self) -> tuple[str, ...]:
        parameters = self.signature.parameters.values()
        return tuple(p.name for p in parameters if p.default is p.empty)

    @cached_property
    def defaults(self) -> dict[str, Any]:
        parameters = self.signature.parameters.values()
        return {p.name: p.default for p in parameters if p.default is not p.empty}

    @cached_property
    def variadic(self) -> bool:
        return any(p.kind is p.VAR_POSITIONAL for p in self.signature.parameters.values())

    __hash__ = Op.__hash__


REGISTRY: dict[str, Row] = {}
_TARGETS: dict[Any, Row] = {}
_KEEP: list[Any] = []


# The modules with the rows of libraries that users may have imported, or not: see `_import_rows`.
_LIBRARIES = {
    "numpy.fft": "symdiff.ops.fourier",
    "numpy.random": "symdiff.ops.drawing",
    "scipy.special": "symdiff.ops.scipy.special",
    "scipy.linalg": "symdiff.ops.scipy.linalg",
    "scipy.signal": "symdiff.ops.scipy.signal",
    "scipy.stats": "symdiff.ops.scipy.stats",
}


def row_of(function: object) -> Row | None:
    """The row of a callable, by identity under whatever name the user imported it."""
    row = _TARGETS.get(_key(function))
    if row is None and _LIBRARIES and _import_rows():
        row = _TARGETS.get(_key(function))
    return row


def _key(function: object) -> Any:
    """What identifies a callable: a method of an object (`np.add.reduce`) is made anew at every look."""
    owner = getattr(function, "__self__", None)
    return id(function) if owner is None else (id(owner), getattr(function, "__name__", ""))


def _import_rows() -> bool:
    """Import the rows of the libraries that are there by now; whether there were any.

    Not before: nobody who does not use SciPy waits for it, and NumPy too loads numpy.random when it is used.
    """
    found = [library for library in _LIBRARIES if library in sys.modules]
    for library in found:
        import_module(_LIBRARIES.pop(library))
    return bool(found)


def register(row: Row) -> Row:
    assert row.name not in REGISTRY, row.name
    REGISTRY[row.name] = row
    for target in row.targets:
        _TARGETS[_key(target)] = row
        _KEEP.append(target)
    return row


def signature(text: str) -> inspect.Signature:
    """A signature from its text: `signature("x, axis=None, keepdims=False")`; defaults are literals."""
    parameters = []
    after_star = False
    for star, name, default in _PARAMETER.findall(text):
        if star:
            kind, after_star = _KINDS.VAR_POSITIONAL, True
        else:
            kind = _KINDS.KEYWORD_ONLY if after_star else _KINDS.POSITIONAL_OR_KEYWORD
        value = ast.literal_eval(default) if default else inspect.Parameter.empty
        parameters.append(inspect.Parameter(name, kind, default=value))
    return inspect.Signature(parameters)


_KINDS: Any = inspect.Parameter
_PARAMETER = re.compile(r"(\*?)(\w+)(?:=(\([^)]*\)|[^,]*))?")


def _targets(function: Any, also: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys([*([function] if function is not None else []), *also]))


def row(
    kind: RowKind,
    function: Any,
    text: str,
    infer: Callable[..., Type],
    *,
    name: str = "",
    also: Iterable[Any] = (),
    spelling: str = "",
    **facts: Any,
) -> Row:
    """Register a row of any kind; the functions below are its short forms.

    text: the signature.  name: defaults to the function's own.  also: further callables with this meaning.
    """
    name = name or function.__name__
    return register(
        Row(
            name=name,
            infer=infer,
            kind=kind,
            text=text,
            targets=_targets(function, also),
            spelling=spelling or f"np.{name}",
            **facts,
        )
    )


def linear(
    function: Any, text: str, infer: Callable[..., Type], *transposes: Rule | None, **facts: Any
) -> Row:
    return row("linear", function, text, infer, transposes=transposes, **facts)


def multilinear(
    function: Any, text: str, infer: Callable[..., Type], *transposes: Rule | None, **facts: Any
) -> Row:
    return row("multilinear", function, text, infer, transposes=transposes, **facts)


def composite(function: Any, text: str, infer: Callable[..., Type], definition: Rule, **facts: Any) -> Row:
    return row("composite", function, text, infer, definition=definition, **facts)


def constant(function: Any, text: str, infer: Callable[..., Type], **facts: Any) -> Row:
    return row("constant", function, text, infer, **facts)


def custom(
    function: Any, text: str, infer: Callable[..., Type], vjp: Rule, jvp: Rule | None = None, **facts: Any
) -> Row:
    return row("custom", function, text, infer, vjp=vjp, jvp=jvp, **facts)


def row_for(node: Node) -> Row | None:
    """The row of a node's operation; None for parameters and constants."""
    return node.op if isinstance(node.op, Row) else None
