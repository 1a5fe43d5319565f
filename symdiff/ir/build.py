"""The only constructor of nodes.

Enters: operations, operands and attributes.  Leaves: nodes in the open region, and finished regions.
Invariant: equal operations on equal operands are one node (value numbering) as far as regions allow; every
node's type is inferred here; only derived code is folded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from keyword import iskeyword
from typing import Any

from symdiff.errors import Span, UnsupportedError
from symdiff.ir import types
from symdiff.ir.node import FOLDS, LICENSED, Attrs, Function, Node, Number, Op, Parameter, Region, Tree
from symdiff.ir.types import Sizes, Type
from symdiff.records import dataclass, field

_LONG = 10**4000
_current: ContextVar[Builder] = ContextVar("symdiff_builder")


def current() -> Builder:
    """The builder that rules and operators on nodes write to."""
    return _current.get()


def _no_inference(*_: Any, **__: Any) -> Type:
    raise AssertionError("parameters and constants are made by their own methods")


PARAM = Op("param", _no_inference)
CONST = Op("const", _no_inference)
STRUCTURAL = {op.name: op for op in (PARAM, CONST)}

NUMBER_NAMES = {bool: "bool", int: "int", float: "float", complex: "complex"}


@dataclass(slots=True, eq=False, repr=False)
class _Scope:
    body: list[Node] = field(default_factory=list)
    numbered: dict[object, Node] = field(default_factory=dict)


class Builder:
    """Builds one function.  As a context manager it becomes `current()`.

    primal: whether nodes are the user's own (never folded) or derived.  span: the line being built.
    sharing: whether equal arrays are one node; the front end keeps them apart while they may be written into.
    resolve: what stands for an operand when an operation is applied to it; the front end's references.
    stable: whether the user's formulas may be rewritten into stable forms (`ops.stable`).
    immutable: whether nobody can write into a value; where not all are shared, these are.
    """

    def __init__(self, sizes: Sizes | None = None, *, primal: bool = True, sharing: bool = True):
        self.sizes = sizes if sizes is not None else Sizes()
        self.primal = primal
        self.sharing = sharing
        self.resolve: Callable[[Node], Node] | None = None
        self.immutable: Callable[[Node], bool] = _is_immutable
        self.stable = False
        self.span: Span | None = None
        self.params: tuple[Node, ...] = ()
        self._scopes = [_Scope()]
        self._tokens: list[Any] = []

    @property
    def body(self) -> tuple[Node, ...]:
        """What the open region holds so far."""
        return tuple(self._scopes[-1].body)

    @property
    def place(self) -> object:
        """The open region: equal as long as nodes go to the same body."""
        return self._scopes[-1]

    @property
    def nested(self) -> bool:
        """Whether the open region is a branch or a loop's body: what is emitted may never run."""
        return len(self._scopes) > 1

    @classmethod
    def resume(cls, function: Function) -> Builder:
        """Continue a function: its nodes are present and numbered; new nodes count as derived."""
        builder = cls(function.sizes, primal=False)
        builder.params = function.params
        for node in function.body.body:
            builder.adopt(node)
        return builder

    @classmethod
    def beside(cls, function: Function, tables: Iterable[dict[object, Node]]) -> Builder:
        """A builder of derived code that reuses the nodes of some tables, by `number_key` and the last table
        first; what it makes is in none of them."""
        builder = cls(function.sizes, primal=False)
        builder.params = function.params
        builder._scopes = [*(_Scope(numbered=table) for table in tables), _Scope()]
        return builder

    def __enter__(self) -> Builder:
        self._tokens.append(_current.set(self))
        return self

    def __exit__(self, *_: object) -> None:
        _current.reset(self._tokens.pop())

    def adopt(self, node: Node) -> None:
        """Append an existing node as it is."""
        scope = self._scopes[-1]
        scope.body.append(node)
        if node.op.pure and not node.regions:
            scope.numbered.setdefault(number_key(node.op, node.args, node.attrs), node)

    def recall(self, node: Node) -> None:
        """Find a node again that stands in a region which is closed: what equals it is this node."""
        if node.op.pure and not node.regions and not node.is_const:
            key = number_key(node.op, node.args, node.attrs)
            self._scopes[-1].numbered.setdefault(key, node)

    def param(self, type: Type, name: str = "", **attrs: Any) -> Node:
        """A parameter; belongs to the region that lists it, not to a body."""
        return Node(
            PARAM, (), tuple(sorted(attrs.items())), type, span=self.span, name=name, primal=self.primal
        )

    def const(self, value: Number) -> Node:
        if type(value) is int and abs(value) >= _LONG:
            raise UnsupportedError("An integer of more than 4,000 digits cannot be written.", "a float")
        attrs: Attrs = (("value", value),)
        return self._number(CONST, (), attrs, types.number(NUMBER_NAMES[type(value)]))

    def lift(self, value: Node | Number) -> Node:
        return value if isinstance(value, Node) else self.const(value)

    def emit(
        self, op: Op, args: Sequence[Node | Number], attrs: dict[str, Any], regions: tuple[Region, ...] = ()
    ) -> Node:
        """The node `op(*args, **attrs)`: an equal one that exists, a folded one, or a new one."""
        nodes = tuple(self.lift(arg) for arg in args)
        if self.resolve is not None:
            nodes = tuple(self.resolve(node) for node in nodes)
        items = tuple(sorted(attrs.items()))
        if self.stable and not attrs and op.name in LICENSED:
            stable = LICENSED[op.name](op.name, nodes)
            if stable is not None:
                return stable
        if not self.primal:
            existing = self._existing(number_key(op, nodes, items)) if op.pure and not regions else None
            if existing is not None:
                return existing
            fold = FOLDS.get(op.name)
            folded = None if fold is None else fold(*nodes, **attrs)
            if folded is not None:
                return folded
        if regions:
            node = Node(
                op,
                nodes,
                items,
                op.infer(*nodes, regions=regions, **attrs),
                regions,
                self.span,
                "",
                self.primal,
            )
            self._scopes[-1].body.append(node)
            return node
        return self._number(op, nodes, items, None)

    def existing(self, op: Op, args: tuple[Node, ...], attrs: Attrs = ()) -> Node | None:
        """The node in scope that computes this already."""
        return self._existing(number_key(op, args, attrs))

    def unfolded(self, op: Op, *args: Node, **attrs: Any) -> Node:
        """The node itself, for a fold that has done its part."""
        return self._number(op, args, tuple(sorted(attrs.items())), None)

    def typed(
        self,
        op: Op,
        args: Sequence[Node],
        attrs: dict[str, Any],
        type: Type,
        regions: tuple[Region, ...] = (),
    ) -> Node:
        """A new node whose type is known better than inference from the operands alone could tell."""
        node = Node(op, tuple(args), tuple(sorted(attrs.items())), type, regions, self.span, "", self.primal)
        self.adopt(node)
        return node

    def _existing(self, key: object) -> Node | None:
        for scope in reversed(self._scopes):
            node = scope.numbered.get(key)
            if node is not None:
                return node
        return None

    def _number(self, op: Op, args: tuple[Node, ...], attrs: Attrs, type: Type | None) -> Node:
        key = number_key(op, args, attrs)
        node = self._existing(key) if op.pure else None
        if node is None:
            inferred = type if type is not None else op.infer(*args, **dict(attrs))
            node = Node(op, args, attrs, inferred, (), self.span, "", self.primal)
            self._scopes[-1].body.append(node)
            if op.pure and (self.sharing or self.immutable(node)):
                self._scopes[-1].numbered[key] = node
        return node

    def named(self, node: Node, name: str) -> Node:
        """Remember the user's name for a value; the first name stays (the one write after construction)."""
        if self.primal and not node.name and not node.is_const:
            object.__setattr__(node, "name", name)
        return node

    def label(self, node: Node, name: str) -> None:
        """Suggest a name for a derived value; the first one stays."""
        if not node.primal and not node.name and not node.is_const:
            object.__setattr__(node, "name", name)

    @contextmanager
    def region(self, *param_types: Type) -> Iterator[OpenRegion]:
        """Open a region; nodes emitted inside belong to it until the block ends.

        Equalities of sizes that its operations demand end with it: it may never run.
        """
        opened = OpenRegion(tuple(self.param(type) for type in param_types))
        self._scopes.append(_Scope())
        try:
            with self.sizes.scope():
                yield opened
        finally:
            scope = self._scopes.pop()
        opened.region = Region(opened.params, tuple(scope.body), tuple(opened.results))

    def mark(self) -> tuple[int, int]:
        """How far the open region has come, to go back to."""
        scope = self._scopes[-1]
        return len(scope.body), len(scope.numbered)

    def rewind(self, mark: tuple[int, int]) -> None:
        """Forget what was emitted into the open region since."""
        scope = self._scopes[-1]
        del scope.body[mark[0] :]
        while len(scope.numbered) > mark[1]:
            scope.numbered.popitem()

    def forget(self, mark: tuple[int, int]) -> None:
        """Keep what was emitted into the open region since, and find none of it again."""
        scope = self._scopes[-1]
        while len(scope.numbered) > mark[1]:
            scope.numbered.popitem()

    @contextmanager
    def apart(self) -> Iterator[None]:
        """A body of its own, in which nothing that stands outside is found again; it belongs to nobody."""
        outer, self._scopes = self._scopes, [_Scope(), _Scope()]
        try:
            with self.sizes.scope():
                yield
        finally:
            self._scopes = outer

    @contextmanager
    def resumed(self, opened: OpenRegion) -> Iterator[None]:
        """Continue a region whose block has ended."""
        self._scopes.append(_Scope(list(opened.closed().body)))
        try:
            with self.sizes.scope():
                yield
        finally:
            scope = self._scopes.pop()
        opened.region = Region(opened.params, tuple(scope.body), tuple(opened.results))

    def finish(
        self,
        name: str,
        params: Sequence[Node],
        results: Sequence[Node],
        tree: Tree,
        parameters: Sequence[Parameter] = (),
        summary: str = "",
        **info: Any,
    ) -> Function:
        body = Region(tuple(params), tuple(self._scopes[0].body), tuple(results))
        if self.primal:
            _distinguish((*body.params, *body.body))
        return Function(name, body, tree, self.sizes, tuple(parameters), summary, info)


@dataclass(slots=True, eq=False, repr=False)
class OpenRegion:
    """A region being built: its parameters, and where its block leaves the results (see `ir.control`)."""

    params: tuple[Node, ...]
    results: Sequence[Node] = ()
    region: Region | None = None

    def closed(self) -> Region:
        """The finished region, once its block has ended."""
        assert self.region is not None, "the region is still open"
        return self.region


def _is_immutable(node: Node) -> bool:
    """Whether nobody can write into a value: numbers, and what is computed of arrays without axes."""
    if node.type.kind != "array":
        return node.type.kind != "stack"
    return node.type.dims == () and bool(node.args)


def fresh_name(wish: str, taken: Container[str]) -> str:
    """`wish`, or the first of `x1`, `x2` (for one letter) or `wish_1`, `wish_2` that is not taken."""
    return numbered_name(wish, taken, 0)[0]


def numbered_name(wish: str, taken: Container[str], count: int) -> tuple[str, int]:
    """`fresh_name` where all numbers below `count` are known to be taken; the name and its number."""
    while True:
        name = wish if not count else f"{wish}{count}" if len(wish) == 1 else f"{wish}_{count}"
        if name not in taken:
            return name, count
        count += 1


def plural(name: str) -> str:
    """`hs` of `h`, `velocities` of `velocity`; `<name>_steps` where one would be misread."""
    if name.endswith("s") or iskeyword(f"{name}s"):
        return f"{name}_steps"
    if re.search(r"[a-z]{2}[bcdfghklmnprstvz]y$", name):
        return f"{name[:-1]}ies"
    return f"{name}es" if re.search(r"[a-z]{2}(x|ch|sh)$", name) else f"{name}s"


def _distinguish(nodes: Iterable[Node]) -> None:
    """Give values that the user called by one name names of their own, so that their cotangents have them
    too."""
    taken: set[str] = set()
    last: dict[str, int] = {}  # by wish: the number that it had last; all below are taken
    called: dict[Node, str] = {}
    for node in nodes:
        if not node.name:
            continue
        called[node] = node.name
        before = next((one for one in _versions(node) if called.get(one) == node.name), None)
        if before is not None:
            name = before.name
        else:
            name, last[node.name] = numbered_name(node.name, taken, last.get(node.name, 0))
        object.__setattr__(node, "name", name)
        taken.add(name)


def _versions(node: Node) -> list[Node]:
    """The values that one is the next version of, in the same variable: what it is a write into, or what it
    was before a loop or a branch."""
    if node.op.name in ("update", "add_at"):
        return [node.args[0]]
    owner, k = (node.args[0], node.attr("index")) if node.op.name == "item" else (node, 0)
    if owner.op.name in ("for", "while"):
        return [owner.args[(3 if owner.op.name == "for" else 0) + k]]
    return [region.results[k] for region in owner.regions] if owner.op.name == "if" else []


def number_key(op: Op, args: tuple[Node, ...], attrs: Attrs) -> object:
    """What value numbering compares: equal keys, equal values."""
    ids = [id(arg) for arg in args]
    if op.commutative:
        ids.sort()
    return op.name, tuple(ids), repr(attrs)
