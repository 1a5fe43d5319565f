"""The rules of the IR, checked: what every pass may rely on.

Enters: a `Function`.  Leaves: nothing, or an `IRError` that lists every broken rule with the line it is in.
Invariant: checking changes nothing; types are inferred again with a copy of the sizes.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import replace
from keyword import iskeyword

from symdiff.errors import IRError, Problem, SymdiffError
from symdiff.ir import types
from symdiff.ir.build import NUMBER_NAMES, STRUCTURAL, Builder, number_key
from symdiff.ir.calls import CALLS, called
from symdiff.ir.control import CONTROL, RULE, symbols
from symdiff.ir.literals import is_literal
from symdiff.ir.node import Function, Node, Op, Region
from symdiff.ir.text import node_lines
from symdiff.ir.types import Dim, Size, Sizes, Type


def verify(function: Function, ops: Mapping[str, Op] | None = None, *, unique: bool = False) -> None:
    """Raise `IRError` where a function breaks a rule.

    ops: by name, the operations allowed beside the structural ones; any where None.
    unique: also require that no body computes a pure operation twice.
    """
    known = None if ops is None else {**ops, **STRUCTURAL, **CONTROL, **CALLS, RULE.name: RULE}
    problems: list[Problem] = []
    for one in (function, *function.functions.values()):
        check = _Structure(one, known, unique)
        found = [*check.signature(), *check.region(one.body, set())]
        missing = sorted(set(called(one.body)) - set(function.functions))
        found += [check.problem(f"There is no function `{name}` to be called.") for name in missing]
        problems += found or _Inference(one).region(one.body)
    if problems:
        raise IRError(problems)


class _Rules:
    """Knows how to name a node: by its line in the text form."""

    def __init__(self, function: Function):
        self.function = function
        self._lines: dict[int, str] | None = None

    def problem(self, what: str, node: Node | None = None) -> Problem:
        if node is None:
            return Problem(what)
        if self._lines is None:
            self._lines = node_lines(self.function)
        return Problem(f"{what}\n    {self._lines.get(id(node), repr(node))}", span=node.span)


class _Structure(_Rules):
    """Scopes, ownership, names, attributes and operations."""

    def __init__(self, function: Function, ops: Mapping[str, Op] | None, unique: bool):
        super().__init__(function)
        self.ops = ops
        self.unique = unique
        self.owned: set[int] = set()

    def signature(self) -> Iterator[Problem]:
        """What only a function has: leaf parameters, a signature and a packed result."""
        names = [self.function.name, *(parameter.name for parameter in self.function.parameters)]
        for name in names:
            if not _is_name(name):
                yield self.problem(f"{name!r} is not an identifier.")
        if len(set(names[1:])) < len(names) - 1:
            yield self.problem("Two parameters of the function have the same name.")
        leaves = self.function.tree.leaves()
        if leaves != len(self.function.results):
            count = len(self.function.results)
            yield self.problem(f"The tree has {leaves} leaves, the function {count} results.")
        seen: set[str] = set()
        for param in self.function.params:
            parameter, path = param.attr("parameter"), param.attr("path")
            if not isinstance(parameter, str) or not isinstance(path, tuple):
                yield self.problem("A leaf lacks its attributes `parameter` and `path`.", param)
            elif not all(isinstance(step, tuple) and len(step) == 2 for step in path):
                yield self.problem("A path is made of pairs (kind, key).", param)
            elif repr((parameter, path)) in seen:
                yield self.problem("Two params are the same leaf.", param)
            seen.add(repr((parameter, path)))

    def region(self, region: Region, scope: set[int]) -> Iterator[Problem]:
        """scope: the values in scope where the region stands, and again when this has ended."""
        numbered: dict[object, Node] = {}
        for param in region.params:
            yield from self.own(param)
            if param.op.name != "param" or param.args or param.regions:
                yield self.problem("A region's parameter is made by `param`.", param)
            scope.add(id(param))
        for node in region.body:
            yield from self.own(node)
            if node.op.name == "param":
                yield self.problem("A parameter stands in a body.", node)
            if any(id(arg) not in scope for arg in node.args):
                yield self.problem("An operand is not defined here.", node)
            for inner in node.regions:
                yield from self.region(inner, scope)
            key = number_key(node.op, node.args, node.attrs)
            pure = node.op.pure and not node.regions
            if self.unique and pure and numbered.setdefault(key, node) is not node:
                yield self.problem("The same value is computed twice in one body.", node)
            scope.add(id(node))
        for result in region.results:
            if id(result) not in scope:
                yield self.problem("A region's result is not defined in it.", result)
        scope.difference_update(map(id, (*region.params, *region.body)))

    def own(self, node: Node) -> Iterator[Problem]:
        """The rules for one node, wherever it stands."""
        if id(node) in self.owned:
            yield self.problem("A node belongs to two bodies.", node)
        self.owned.add(id(node))
        if node.name and not _is_name(node.name):
            yield self.problem(f"{node.name!r} is not an identifier.", node)
        if self.ops is not None and self.ops.get(node.op.name) is not node.op:
            yield self.problem(f"There is no operation `{node.op.name}` in the table.", node)
        if node.regions and "regions" not in inspect.signature(node.op.infer).parameters:
            yield self.problem(f"`{node.op.name}` owns regions.", node)
        if len({key for key, _ in node.attrs}) < len(node.attrs):
            yield self.problem("An attribute is given twice.", node)
        for key, value in node.attrs:
            if not _is_name(key) or not is_literal(value) or not _is_hashable(value):
                yield self.problem(f"Attribute `{key}` is not a hashable literal.", node)
        if not _is_well_formed(node.type):
            yield self.problem(f"{node.type!r} is not a type.", node)
        if node.is_const and not _is_constant(node):
            yield self.problem("A constant is not a number of its type.", node)


def _is_name(name: str) -> bool:
    return name.isidentifier() and not iskeyword(name)


def _is_hashable(value: object) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _is_constant(node: Node) -> bool:
    kind = NUMBER_NAMES.get(type(node.attr("value")))
    return kind is not None and node.type == types.number(kind) and not node.args


def _is_well_formed(type: Type) -> bool:
    if not all(map(_is_well_formed, type.items)) or any(not _is_dim(dim) for dim in type.dims or ()):
        return False
    if type.kind == "number":
        return type.dims == () and not type.items and type.dtype in ("", *NUMBER_NAMES.values())
    if type.kind == "shape":
        return not type.items and type.dtype == "int"
    if type.kind == "array":
        return not type.items
    if type.kind in ("undefined", "pullback"):
        return type in (types.UNDEFINED, types.PULLBACK)
    items = type.kind == "tuple" or len(type.items) == 1
    return items and not type.dtype and type.dims is None


def _is_dim(dim: Dim) -> bool:
    if isinstance(dim, Size):
        return bool(dim.name) and dim.less >= 0
    return type(dim) is int and dim >= 0


class _Inference(_Rules):
    """Types inferred again must be the types stored.

    A length of which inference knows nothing matches any (a later equality may have resolved it), and so does
    a stored one of which nothing is known.
    """

    def __init__(self, function: Function):
        super().__init__(function)
        self.sizes = Sizes(dict(function.sizes.equal), _first_fresh(function))
        self.sizes.demanded = dict(function.sizes.demanded)
        self.builder = Builder(self.sizes)
        self.builder.params = function.params

    def region(self, region: Region) -> Iterator[Problem]:
        for node in region.body:
            for inner in node.regions:
                with self.sizes.scope():
                    yield from self.region(inner)
            if node.op.name not in STRUCTURAL:
                yield from self.node(node)

    def node(self, node: Node) -> Iterator[Problem]:
        regions = {"regions": node.regions} if node.regions else {}
        try:
            with self.builder:
                inferred = node.op.infer(*node.args, **node.attributes, **regions)
        except (SymdiffError, TypeError, ValueError, LookupError) as error:
            reason = error.problems[0].what if isinstance(error, SymdiffError) else f"{error}."
            yield self.problem(f"The type cannot be inferred: {reason}", node)
            return
        if not self.same(node.type, inferred):
            yield self.problem(f"The type is inferred as {inferred}, stored is {node.type}.", node)

    def same(self, stored: Type, inferred: Type) -> bool:
        if replace(stored, dims=None, items=()) != replace(inferred, dims=None, items=()):
            return False
        if len(stored.items) != len(inferred.items):
            return False
        if not all(self.same(a, b) for a, b in zip(stored.items, inferred.items, strict=True)):
            return False
        if stored.dims is None or inferred.dims is None:
            return stored.dims is inferred.dims
        if len(stored.dims) != len(inferred.dims):
            return False
        return all(self.same_dim(a, b) for a, b in zip(stored.dims, inferred.dims, strict=True))

    def same_dim(self, stored: Dim, inferred: Dim) -> bool:
        stored, inferred = self.sizes.find(stored), self.sizes.find(inferred)
        if stored == inferred or _number_of(stored) >= 0:
            return True
        if not isinstance(inferred, Size) or _number_of(inferred) < 0:
            return False  # else a length that has no name outside, of which somebody knew more
        if not inferred.less:
            self.sizes.equal[inferred.name] = stored
        return True


def _number_of(dim: Dim | str) -> int:
    """The number of a size made by `Sizes.fresh`, -1 for others."""
    name = str(dim) if isinstance(dim, int | str) else dim.name
    return int(name[1:]) if name.startswith("?") and name[1:].isdigit() else -1


def _first_fresh(function: Function) -> int:
    """A number that no size of the function has."""
    names = [name for node in function.nodes() for name in symbols(function.sizes, node.type)]
    return max([function.sizes.count, *(_number_of(name) + 1 for name in names)])
