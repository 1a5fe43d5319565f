"""Control flow: `if`, `for` and `while` as operations that own regions; `part` takes their results apart.

Enters: operands and closed regions (`with builder.region(*types) as opened`).  Leaves: nodes, one value for
each result.  Invariant: a region's symbols do not leave it: a length that differs between branches or changes
from one iteration to the next has a symbol of its own in the result.

    if(condition){then}{otherwise}          neither region has parameters; results are joined
    for(start, stop, step, *carried){body}  body(counter, *carried) -> *next
    while(*carried){condition}{body}        condition(*carried) -> bool; body(*carried) -> *next

Attributes of a loop: `breaks`: the body has one more result, a truth value; the loop ends after an iteration
where it is true, whose next values are the final ones.  Of `for`: `reverse`: the range runs from its end to
its start; `checkpoint`: 0, or after how many iterations the reverse sweep may start again from (-1: the
square root of their number).

The value is the final carried values.  A loop over an array is a loop over the range of its length that
reads `x[i]`; what an iteration saves for its reverse is pushed on a carried stack (`ops.stacks`).  A
parameter's type holds in every iteration: initial and next value are instances of it, and where they differ,
its length is a symbol named "?.." that nothing outside has, its dtype or rank unknown.  An initial value may
also be a constant number where the parameter is an array (`s = 0` before `s = s + x`), or `undefined`.  Such
a number broadcasts as an array does whose lengths may be 1: so are the lengths of the parameter, and those of
the final value unless the loop runs for certain.

`block(){body}` computes its body as it stands; the reverse sweep computes it again instead of saving it.
`rule` (see `ir.rules`) owns closed regions that no pass goes into: it hands its first operands on.
`undefined()` is the value of a variable that was not set on this way: nothing reads it.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from typing import Any

from symdiff.errors import IRError
from symdiff.ir import types
from symdiff.ir.build import OpenRegion, current
from symdiff.ir.node import Node, Number, Op, Region
from symdiff.ir.types import Dim, Dims, Size, Sizes, Type, may_be_one

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


def _infer_for(
    *args: Node,
    reverse: bool = False,
    breaks: bool = False,
    checkpoint: int = 0,
    regions: tuple[Region, ...] = (),
) -> Type:
    _require(len(regions) == 1, "`for` has one region.")
    _require(len(args) >= 3, "`for` lacks the bounds of its range.")
    bounds, carried = args[:3], args[3:]
    _require(all(is_integer(bound.type) for bound in bounds), "The bounds of a range are integers.")
    body = regions[0]
    scope = _Loop("for", args, regions)
    scope.check((types.number("int"),), body.params[:1], "The loop variable")
    return scope.result(carried, body, body.params[1:], breaks)


def _infer_while(*carried: Node, breaks: bool = False, regions: tuple[Region, ...] = ()) -> Type:
    _require(len(regions) == 2, "`while` has two regions.")
    condition, body = regions
    scope = _Loop("while", carried, regions)
    scope.check_initial(carried, condition.params)
    scope.check([node.type for node in body.results[: len(carried)]], condition.params, "The next value")
    _require(len(condition.results) == 1, "The condition of `while` has one result.")
    _require(condition.results[0].type.dims in ((), None), "The condition of `while` is not a scalar.")
    return scope.result(carried, body, body.params, breaks)


def _infer_block(*args: Node, regions: tuple[Region, ...] = ()) -> Type:
    _require(not args and len(regions) == 1 and not regions[0].params, "`block` has one region, no operands.")
    return _packed([result.type for result in regions[0].results])


def _infer_rule(*args: Node, values: int, regions: tuple[Region, ...] = (), **_: Any) -> Type:
    _require(0 < values <= len(args), "`rule` has at least one value.")
    return _packed([value.type for value in args[:values]])


def _infer_item(x: Node, index: int) -> Type:
    _require(x.type.kind == "tuple", "`part` takes a result out of a tuple.")
    _require(0 <= index < len(x.type.items), f"`part` {index} of {len(x.type.items)} results.")
    return x.type.items[index]


def is_integer(type: Type) -> bool:
    """Whether this may be used as a bound of a range: an integer scalar, or not known to be anything else."""
    integer = not type.dtype or type.dtype.startswith(("int", "uint"))
    return type.kind in ("number", "array") and type.dims in ((), None) and integer


class _Loop:
    """Types of one loop: which symbols belong to the outside, and what of the inside may leave."""

    def __init__(self, name: str, args: Sequence[Node], regions: Sequence[Region]):
        self.name = name
        self.sizes = current().sizes
        # A copy of a loop may know less of its lengths than the loop did when its types were found.
        self.strict = not current().sharing
        outer = (*args, *captures(*regions))
        self.outer: Container[str] = {symbol for node in outer for symbol in symbols(self.sizes, node.type)}
        self.runs = name == "for" and _surely_runs(*args[:3])

    def result(self, carried: Sequence[Node], body: Region, params: Sequence[Node], breaks: bool) -> Type:
        count = len(carried)
        expected = count + breaks
        _require(len(body.results) == expected, f"The body of `{self.name}` lacks a next carried value.")
        if breaks:
            _require(body.results[-1].type.dims in ((), None), "The last result of a loop that may break.")
        following = [node.type for node in body.results[:count]]
        self.check_initial(carried, params)
        self.check(following, params, "The next value")
        pairs = zip(carried, following, params, strict=True)
        return _packed([self.final(node, after, param) for node, after, param in pairs])

    def final(self, initial: Node, following: Type, param: Node) -> Type:
        """The type of a final value."""
        if _is_seed(initial, param.type):
            type = self.general(following)
            return type if self.runs else seeded(self.sizes, type)
        resolve = self.sizes.resolve_computed
        if resolve(initial.type.dims) == resolve(following.dims):  # after no round it is the initial value
            following = following.with_dims(initial.type.dims)
        return self.general(self.sizes.join(initial.type, following))

    def check_initial(self, carried: Sequence[Node], params: Sequence[Node]) -> None:
        _require(len(carried) == len(params), f"A region of `{self.name}` has {len(params)} parameters.")
        pairs = list(zip(carried, params, strict=True))
        initial = [param.type if _is_seed(node, param.type) else node.type for node, param in pairs]
        self.check(initial, params, "The initial value")

    def check(self, special: Sequence[Type], params: Sequence[Node], what: str) -> None:
        """Every type is an instance of its parameter's, under one meaning of the region's own symbols."""
        _require(len(special) == len(params), f"A region of `{self.name}` has {len(params)} parameters.")
        binding: Binding = {}
        for type, param in zip(special, params, strict=True):
            fits = self.instance(type, param.type, binding)
            _require(fits, f"{what} of `{self.name}` is {type}, its parameter {param.type}.")

    def instance(self, special: Type, general: Type, binding: Binding) -> bool:
        if special.kind == "undefined":
            return True
        if special.kind != general.kind and not (general.kind == "array" and special.kind == "number"):
            return False
        joined = self.sizes.join(special, general).dtype if special.dtype != general.dtype else special.dtype
        if general.dtype not in ("", joined) or len(special.items) != len(general.items):
            return False
        if general.kind == "stack":  # every item has lengths of its own where a type names none of outside
            return self.instance(special.items[0], _owned(self.sizes, general.items[0]), {})
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
                want = binding.setdefault(want.name, have)
                same = want == have or (not self.strict and self.sizes.computed_same(have, want))
            else:
                same = self.sizes.computed_same(have, want)
            if not same and (self.strict or not (may_be_one(have) or may_be_one(want))):
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
        return self.sizes.fresh(dim) if own else dim


class _Recent:
    """The symbols that were there before the symbol number `first`."""

    def __init__(self, first: int):
        self.first = first

    def __contains__(self, name: object) -> bool:
        return not (isinstance(name, str) and name.startswith("?") and int(name[1:]) >= self.first)


class Fitting(_Loop):
    """Whether types are instances of others, while a loop is built whose own symbols are those from the
    number `first` on."""

    def __init__(self, first: int):
        self.name = "loop"
        self.sizes = current().sizes
        self.strict = True
        self.runs = False
        self.outer: Container[str] = _Recent(first)

    def fit(self, special: Sequence[Type], general: Sequence[Type]) -> list[bool]:
        """For each pair, under one meaning of the loop's symbols."""
        binding: Binding = {}
        return [self.instance(one, other, binding) for one, other in zip(special, general, strict=True)]


def _owned(sizes: Sizes, item: Type) -> Type:
    """The type of a stack's item with a new symbol for every length that is the item's own."""
    items = tuple(_owned(sizes, inner) for inner in item.items)
    dims = sizes.resolve(item.dims)
    if dims is not None:
        own = [isinstance(dim, Size) and dim.name.startswith("?") for dim in dims]
        dims = tuple(sizes.fresh() if k else dim for k, dim in zip(own, dims, strict=True))
    return Type(item.kind, item.dtype, dims, items)


def item_of(stack: Type) -> Type:
    """The type of an item taken from a stack: no two items are known to be of one length."""
    _require(stack.kind == "stack", f"{stack} is no stack.")
    return _owned(current().sizes, stack.items[0])


def _is_seed(initial: Node, type: Type) -> bool:
    """A constant number that the first iteration turns into an array: it has no derivative, it broadcasts."""
    return initial.is_const and type.kind == "array" and bool(type.dims)


def seeded(sizes: Sizes, type: Type) -> Type:
    """The type of a value that is an array or a number: its lengths may all be 1."""
    dims = sizes.resolve(type.dims)
    return type.with_dims(None if dims is None else tuple(sizes.seed() for _ in dims))


def _surely_runs(start: Node, stop: Node, step: Node) -> bool:
    """Whether a range is known not to be empty."""
    if not (start.is_const and step.is_const):
        return False
    if stop.is_const:
        return len(range(*(int(bound.value.real) for bound in (start, stop, step)))) > 0
    least = 0
    if stop.op.name == "length" and stop.args[0].type.dims is not None:
        dim = current().sizes.find(stop.args[0].type.dims[stop.attr("axis", 0)])
        least = dim if isinstance(dim, int) else 0 if may_be_one(dim) else 2
    return step.value.real > 0 and start.value.real < least


def after_round(loop: Node, k: int) -> Dims | None:
    """The lengths of a carried value behind a loop that ran; those that only the iteration knows are new."""
    return _Loop(loop.op.name, loop.args, loop.regions).general(loop.regions[-1].results[k].type).dims


IF = Op("if", _infer_if)
FOR = Op("for", _infer_for)
WHILE = Op("while", _infer_while)
BLOCK = Op("block", _infer_block)
RULE = Op("rule", _infer_rule)
ITEM = Op("part", _infer_item)
UNDEFINED = Op("undefined", lambda: types.UNDEFINED)
LOOPS = (FOR, WHILE)
CONTROL = {op.name: op for op in (IF, FOR, WHILE, BLOCK, ITEM, UNDEFINED)}


def branch(condition: Node, then: OpenRegion, otherwise: OpenRegion) -> tuple[Node, ...]:
    """The values of an `if`."""
    return _values(IF, (condition,), {}, then, otherwise)


def count(
    start: Node | Number,
    stop: Node | Number,
    step: Node | Number,
    carried: Sequence[Node | Number],
    body: OpenRegion,
    *,
    reverse: bool = False,
    breaks: bool = False,
    checkpoint: int = 0,
) -> tuple[Node, ...]:
    """The values of a `for` over a range."""
    given = {"reverse": reverse, "breaks": breaks, "checkpoint": checkpoint}
    return _values(FOR, (start, stop, step, *carried), {k: v for k, v in given.items() if v}, body)


def repeat(
    carried: Sequence[Node | Number], condition: OpenRegion, body: OpenRegion, *, breaks: bool = False
) -> tuple[Node, ...]:
    """The values of a `while`."""
    return _values(WHILE, carried, {"breaks": True} if breaks else {}, condition, body)


def block(body: OpenRegion) -> tuple[Node, ...]:
    """The values of a stretch of code that the reverse sweep computes again."""
    return _values(BLOCK, (), {}, body)


def values_of(node: Node) -> tuple[Node, ...]:
    """The results of a node with regions, each by itself: the node where there is one, else its items."""
    if node.type.kind != "tuple":
        return (node,)
    return tuple(ITEM(node, index=k) for k in range(len(node.type.items)))


def owner_of(value: Node) -> tuple[Node, int] | None:
    """The control node whose result a value is, and which of its results; None for other values."""
    if value.op is ITEM:
        return value.args[0], value.attr("index")
    return (value, 0) if value.op is RULE or (value.regions and value.op.name in CONTROL) else None


def carried_of(node: Node) -> tuple[Node, ...]:
    """The initial carried values of a loop."""
    return node.args[3:] if node.op is FOR else node.args


def carried_params(node: Node, region: Region) -> tuple[Node, ...]:
    """The parameters of a loop's region that stand for carried values."""
    return region.params[1:] if node.op is FOR else region.params


def handed(control: Node, index: int) -> list[Node]:
    """The values that a result of a control node may be: of an `if` one of each branch, of a loop the initial
    and the next one, of a rule the value itself."""
    if control.op is RULE:
        return [control.args[index]]
    if control.op in LOOPS:
        return [carried_of(control)[index], control.regions[-1].results[index]]
    return [region.results[index] for region in control.regions]


def _values(
    op: Op, args: Sequence[Node | Number], attrs: dict[str, Any], *opened: OpenRegion
) -> tuple[Node, ...]:
    return values_of(current().emit(op, args, attrs, tuple(one.closed() for one in opened)))
