"""What a program is: frozen nodes in ordered bodies of regions, under a function.

Enters: nothing, these are data.  Leaves: `Node`, `Region`, `Function`, `Tree`.  Invariant: a node never
changes; every node of a body comes after its arguments; regions use outer values directly and own their
bodies.  Only `ir.build.Builder` makes nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from symdiff.errors import Span
from symdiff.ir.types import Sizes, Type
from symdiff.records import dataclass, field

if TYPE_CHECKING:
    from symdiff.ir.build import Builder

Attrs = tuple[tuple[str, Any], ...]
Number = bool | int | float | complex
Path = tuple[tuple[str, Any], ...]


@dataclass(frozen=True, eq=False, repr=False)
class Op:
    """An operation as the IR sees it; `ops.row.Row` adds derivative and spelling.

    infer: types of the operands and the attributes to the result's type.
    pure: the same operands give the same value.  effect: kept although nothing reads the value.
    """

    name: str
    infer: Callable[..., Type]
    commutative: bool = False
    pure: bool = True
    effect: bool = False

    def __call__(self, *args: Node | Number, **attrs: Any) -> Node:
        from symdiff.ir.build import current

        return current().emit(self, args, attrs)

    def __hash__(self) -> int:
        return hash(self.name)


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Region:
    """An ordered body with parameters and results; owned by one node or by the function."""

    params: tuple[Node, ...]
    body: tuple[Node, ...]
    results: tuple[Node, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Node:
    """One operation applied to values.

    name: the user's variable that first held this value, "" where there is none.
    primal: written by the user, as opposed to derived by symdiff.
    """

    op: Op
    args: tuple[Node, ...]
    attrs: Attrs
    type: Type
    regions: tuple[Region, ...] = ()
    span: Span | None = None
    name: str = ""
    primal: bool = True

    def attr(self, key: str, default: Any = None) -> Any:
        for name, value in self.attrs:
            if name == key:
                return value
        return default

    @property
    def attributes(self) -> dict[str, Any]:
        return dict(self.attrs)

    @property
    def is_const(self) -> bool:
        return self.op.name == "const"

    @property
    def value(self) -> Number:
        """The number of a constant."""
        number: Number = self.attr("value")
        return number

    def __repr__(self) -> str:
        inner = ", ".join(
            [*(arg.name or arg.op.name for arg in self.args), *(f"{k}={v!r}" for k, v in self.attrs)]
        )
        return f"<{self.name or '_'} = {self.op.name}({inner}) : {self.type}>"

    def __bool__(self) -> bool:
        raise TypeError("a node has no truth value: rules decide on types and attributes only")

    def __iter__(self) -> Iterator[Node]:
        raise TypeError("a node cannot be iterated")

    def __add__(self, other: Node | Number) -> Node:
        return OPERATORS["add"](self, other)

    def __radd__(self, other: Number) -> Node:
        return OPERATORS["add"](other, self)

    def __sub__(self, other: Node | Number) -> Node:
        return OPERATORS["subtract"](self, other)

    def __rsub__(self, other: Number) -> Node:
        return OPERATORS["subtract"](other, self)

    def __mul__(self, other: Node | Number) -> Node:
        return OPERATORS["multiply"](self, other)

    def __rmul__(self, other: Number) -> Node:
        return OPERATORS["multiply"](other, self)

    def __truediv__(self, other: Node | Number) -> Node:
        return OPERATORS["divide"](self, other)

    def __rtruediv__(self, other: Number) -> Node:
        return OPERATORS["divide"](other, self)

    def __pow__(self, other: Node | Number) -> Node:
        return OPERATORS["power"](self, other)

    def __rpow__(self, other: Number) -> Node:
        return OPERATORS["power"](other, self)

    def __matmul__(self, other: Node) -> Node:
        return OPERATORS["matmul"](self, other)

    def __neg__(self) -> Node:
        return OPERATORS["negative"](self)


OPERATORS: dict[str, Op] = {}
"""The operations behind Python's operators on nodes; `ops` fills it in."""

FOLDS: dict[str, Callable[..., Node | None]] = {}
"""By operation: a cheaper equal node for operands and attributes of derived code, or None; `ops.folds` fills
it in."""

LICENSED: dict[str, Callable[[str, tuple[Node, ...]], Node | None]] = {}
"""By operation: a stabler equal node for operands of the user's code, or None; `ops.stable` fills it in."""


@dataclass(frozen=True, slots=True)
class Tree:
    """The structure of an argument or a result: containers around leaves.

    kind: "leaf" (children empty), "static" (`value` is a compile-time object), "tuple", "list", "dict" (its
    keys are `keys`), "namedtuple", "dataclass" or "object" (`keys` are field names; `like` is the access path
    of the argument whose type is rebuilt: (parameter, path)).
    """

    kind: str
    children: tuple[Tree, ...] = ()
    keys: tuple[Any, ...] = ()
    value: Any = None
    like: tuple[str, Path] | None = None

    def leaves(self) -> int:
        return 1 if self.kind == "leaf" else sum(child.leaves() for child in self.children)


LEAF = Tree("leaf")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of the generated function: name, kind as in `inspect`, default as source or None."""

    name: str
    kind: str = "positional"
    default: str | None = None
    hidden_default: bool = False


@dataclass(frozen=True, eq=False, repr=False)
class Function:
    """A program: the body's params are leaves of the user's arguments, `tree` tells how results are packed.

    parameters: of the generated function, in order.  Leaf params carry attributes `parameter` and `path`.
    captures: names of globals and closure cells that the function reads, passed after the parameters.
    summary: one line that says what this function computes.
    functions: by name, those that it calls because they call themselves (see `ir.calls`).
    """

    name: str
    body: Region
    tree: Tree
    sizes: Sizes
    parameters: tuple[Parameter, ...] = ()
    summary: str = ""
    info: Mapping[str, Any] = field(default_factory=dict)
    functions: Mapping[str, Function] = field(default_factory=dict)

    @property
    def params(self) -> tuple[Node, ...]:
        return self.body.params

    @property
    def results(self) -> tuple[Node, ...]:
        return self.body.results

    def nodes(self) -> Iterator[Node]:
        """All nodes in program order, region bodies before their owner."""
        yield from self.body.params
        yield from _walk(self.body)

    def open(self) -> Builder:
        """A builder that continues this function: its nodes are already there and are reused."""
        from symdiff.ir.build import Builder

        return Builder.resume(self)


def _walk(region: Region) -> Iterator[Node]:
    for node in region.body:
        for inner in node.regions:
            yield from inner.params
            yield from _walk(inner)
        yield node
