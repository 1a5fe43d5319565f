"""Control flow: `if`, `for` and `while` as operations that own regions; `item` takes their results apart.

Enters: operands and closed regions (`with builder.region(*types) as opened`).  Leaves: nodes, one value for
each result.  Invariant: a region's symbols do not leave it: a length that differs between branches or changes
from one iteration to the next has a symbol of its own in the result.

    if(condition){then}{otherwise}            neither region has parameters; results are joined
    for(sequence, *carried){body}             over="sequence": body(element, *carried) -> *next, *saved
    for(start, stop, step, *carried){body}    over="range": body(counter, *carried) -> *next, *saved
    while(*carried){condition}{body}          condition(*carried) -> bool; body(*carried) -> *next, *saved

The value is the final carried values, then one stack for each `saved`: the value itself where it is one, else
a tuple.  A parameter's type holds in every iteration: initial and next value are instances of it, and where
they differ, its length is a symbol named "?.." that nothing outside has, its dtype or rank unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symdiff.errors import IRError
from symdiff.ir import types
from symdiff.ir.build import OpenRegion, current
from symdiff.ir.node import Node, Number, Op, Region
from symdiff.ir.types import Dim, Dims, Size, Sizes, Type

Binding = dict[str, Dim]


def captures(*regions: Region) -> tuple[Node, ...]:
    """The outer values that regions use, each once, in order of first use."""
    inside: set[int] = set()
    outer: dict[int, Node] = {}

    def visit(region: Region) -> None:
        inside.update(map(id, region.params))
        for node in region.body:
            use(node.args)
            for inner in node.regions:
                visit(inner)
            inside.add(id(node))
        use(region.results)

    def use(values: Sequence[Node]) -> None:
        outer.update({id(value): value for value in values if id(value) not in inside})

    for region in regions:
        visit(region)
    return tuple(outer.values())


def symbols(sizes: Sizes, type: Type) -> Iterator[str]:
    """The names of the size symbols in a type."""
    for dim in sizes.resolve(type.dims) or ():
        if isinstance(dim, Size):
            yield dim.name
    for item in type.items:
        yield from symbols(sizes, item)


def _packed(result: Sequence[Type]) -> Type:
    return result[0] if len(result) == 1 else types.tuple_of(result)


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise IRError(what)


def _infer_if(condition: Node, *rest: Node, regions: tuple[Region, ...] = ()) -> Type:
    _require(not rest, "`if` has one operand, its condition.")
    _require(len(regions) == 2, "`if` has two regions.")
    then, otherwise = regions
    _require(not then.params and not otherwise.params, "The regions of `if` have no parameters.")
    _require(condition.type.dims in ((), None), "The condition of `if` is not a scalar.")
    counts = len(then.results), len(otherwise.results)
    _require(counts[0] == counts[1], f"The branches of `if` give {counts[0]} and {counts[1]} results.")
    join = current().sizes.join
    pairs = zip(then.results, otherwise.results, strict=True)
    return _packed([join(a.type, b.type) for a, b in pairs])


def _infer_for(*args: Node, over: str, regions: tuple[Region, ...] = ()) -> Type:
    _require(over in ("range", "sequence"), f"`for` runs over a range or a sequence, not {over!r}.")
    _require(len(regions) == 1, "`for` has one region.")
    bounds, carried = (args[:3], args[3:]) if over == "range" else (args[:1], args[1:])
    _require(len(bounds) == (3 if over == "range" else 1), f"`for` over a {over} lacks operands.")
    if over == "range":
        _require(all(is_integer(bound.type) for bound in bounds), "The bounds of a range are integers.")
    body = regions[0]
    variable = types.number("int") if over == "range" else element(bounds[0].type)
    scope = _Loop("for", args, regions)
    scope.check((variable,), body.params[:1], "The loop variable")
    return scope.result(carried, body, body.params[1:])


def _infer_while(*carried: Node, regions: tuple[Region, ...] = ()) -> Type:
    _require(len(regions) == 2, "`while` has two regions.")
    condition, body = regions
    scope = _Loop("while", carried, regions)
    scope.check([node.type for node in carried], condition.params, "The initial value")
    scope.check([node.type for node in body.results[: len(carried)]], condition.params, "The next value")
    _require(len(condition.results) == 1, "The condition of `while` has one result.")
    _require(condition.results[0].type.dims in ((), None), "The condition of `while` is not a scalar.")
    return scope.result(carried, body, body.params)


def _infer_item(x: Node, index: int) -> Type:
    _require(x.type.kind == "tuple", "`item` takes a result out of a tuple.")
    _require(0 <= index < len(x.type.items), f"`item` {index} of {len(x.type.items)} results.")
    return x.type.items[index]


def is_integer(type: Type) -> bool:
    """Whether this may be used as a bound of a range: an integer scalar, or not known to be anything else."""
    integer = not type.dtype or type.dtype.startswith(("int", "uint"))
    return type.kind in ("number", "array") and type.dims in ((), None) and integer


def element(sequence: Type) -> Type:
    """The type of the elements that a loop over a sequence sees."""
    if sequence.kind == "stack":
        return sequence.items[0]
    if sequence.kind == "shape":
        return types.number("int")
    _require(sequence.kind == "array" and sequence.dims != (), f"`for` cannot run over {sequence}.")
    return sequence.with_dims(None if sequence.dims is None else sequence.dims[1:])


class _Loop:
    """Types of one loop: which symbols belong to the outside, and what of the inside may leave."""

    def __init__(self, name: str, args: Sequence[Node], regions: Sequence[Region]):
        self.name = name
        self.sizes = current().sizes
        outer = (*args, *captures(*regions))
        self.outer = {symbol for node in outer for symbol in symbols(self.sizes, node.type)}

    def result(self, carried: Sequence[Node], body: Region, params: Sequence[Node]) -> Type:
        count = len(carried)
        _require(len(body.results) >= count, f"The body of `{self.name}` lacks a next carried value.")
        following = [node.type for node in body.results[:count]]
        self.check([node.type for node in carried], params, "The initial value")
        self.check(following, params, "The next value")
        final = [self.sizes.join(node.type, after) for node, after in zip(carried, following, strict=True)]
        return _packed([*final, *(types.stack_of(self.general(node.type)) for node in body.results[count:])])

    def check(self, special: Sequence[Type], params: Sequence[Node], what: str) -> None:
        """Every type is an instance of its parameter's, under one meaning of the region's own symbols."""
        _require(len(special) == len(params), f"A region of `{self.name}` has {len(params)} parameters.")
        binding: Binding = {}
        for type, param in zip(special, params, strict=True):
            fits = self.instance(type, param.type, binding)
            _require(fits, f"{what} of `{self.name}` is {type}, its parameter {param.type}.")

    def instance(self, special: Type, general: Type, binding: Binding) -> bool:
        either = general.kind == "array" and not general.dtype and special.kind == "number"
        if special.kind != general.kind and not either:
            return False
        if general.dtype not in ("", special.dtype) or len(special.items) != len(general.items):
            return False
        inner = zip(special.items, general.items, strict=True)
        if not all(self.instance(one, other, binding) for one, other in inner):
            return False
        return general.dims is None or self._same(special.dims, general.dims, binding)

    def _same(self, special: Dims | None, general: Dims, binding: Binding) -> bool:
        if special is None or len(special) != len(general):
            return False
        for have, want in zip(map(self.sizes.find, special), map(self.sizes.find, general), strict=True):
            own = isinstance(want, Size) and want.name.startswith("?") and want.name not in self.outer
            if own and isinstance(want, Size) and not want.less:
                if binding.setdefault(want.name, have) != have:
                    return False
            elif have != want:
                return False
        return True

    def general(self, type: Type) -> Type:
        """A type as seen from outside: a symbol of the region stands for each element's own length."""
        items = tuple(self.general(item) for item in type.items)
        resolved = self.sizes.resolve(type.dims)
        dims = None if resolved is None else tuple(self._leave(dim) for dim in resolved)
        return Type(type.kind, type.dtype, dims, items)

    def _leave(self, dim: Dim) -> Dim:
        own = isinstance(dim, Size) and dim.name.startswith("?") and dim.name not in self.outer
        return self.sizes.fresh() if own else dim


IF = Op("if", _infer_if)
FOR = Op("for", _infer_for)
WHILE = Op("while", _infer_while)
ITEM = Op("item", _infer_item)
CONTROL = {op.name: op for op in (IF, FOR, WHILE, ITEM)}


def branch(condition: Node, then: OpenRegion, otherwise: OpenRegion) -> tuple[Node, ...]:
    """The values of an `if`."""
    return _values(IF, (condition,), {}, then, otherwise)


def iterate(sequence: Node, carried: Sequence[Node | Number], body: OpenRegion) -> tuple[Node, ...]:
    """The values of a `for` over the first axis of an array, a stack or a shape."""
    return _values(FOR, (sequence, *carried), {"over": "sequence"}, body)


def count(
    start: Node | Number,
    stop: Node | Number,
    step: Node | Number,
    carried: Sequence[Node | Number],
    body: OpenRegion,
) -> tuple[Node, ...]:
    """The values of a `for` over a range."""
    return _values(FOR, (start, stop, step, *carried), {"over": "range"}, body)


def repeat(carried: Sequence[Node | Number], condition: OpenRegion, body: OpenRegion) -> tuple[Node, ...]:
    """The values of a `while`."""
    return _values(WHILE, carried, {}, condition, body)


def _values(
    op: Op, args: Sequence[Node | Number], attrs: dict[str, str], *opened: OpenRegion
) -> tuple[Node, ...]:
    regions = tuple(one.closed() for one in opened)
    node = current().emit(op, args, attrs, regions)
    results = len(regions[-1].results)
    return (node,) if results == 1 else tuple(ITEM(node, index=k) for k in range(results))
