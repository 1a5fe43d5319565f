"""Batching: a program to the program that computes it for many inputs at once.

Enters: a `Function`, and by parameter the value that takes its place; those of `batched` have one more axis
in front, of a common length.  Leaves: nodes in the current builder; what depends on a batched value has that
axis in front too, and everything else is computed once.  Invariant: item i of a result is what the program
computes for item i of every input; an operation without a rule is computed in a loop over the items.

How one operation takes the axis is in `batching_rows` and its kin.  Raises `Refused` where a program cannot
be batched as it stands: a loop whose length depends on the item, lists of different items.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from symdiff.autodiff.activity import LOOPS, is_control, result_types
from symdiff.autodiff.batching_flow import Flow
from symdiff.autodiff.batching_operands import Call, Operand, Refused, aligned, whole
from symdiff.autodiff.batching_rows import rule_for
from symdiff.autodiff.batching_where import selected
from symdiff.errors import UnsupportedError
from symdiff.ir import types
from symdiff.ir.build import Builder, OpenRegion
from symdiff.ir.calls import CALL, CALL_VJP, PULL
from symdiff.ir.control import FOR, ITEM, captures, carried_params, values_of
from symdiff.ir.copying import copied, made_like, renamed
from symdiff.ir.node import Function, Node, Region
from symdiff.ir.types import Size, Type
from symdiff.ops import infer
from symdiff.ops.control import is_view
from symdiff.ops.indexing import index
from symdiff.ops.row import row_for
from symdiff.ops.shaping import astype, copy, length
from symdiff.ops.stacks import new_stack, push, stacked

CALLED = (CALL, CALL_VJP, PULL)


class Batching:
    """One pass over a function.

    known: by value of the function, what it is in the new program.  parts: the same for operations of several
    results.  batched: the values that have the axis in front.  length: how many items there are.
    """

    def __init__(
        self, builder: Builder, function: Function, known: Mapping[Node, Node], batched: Iterable[Node]
    ):
        self.builder = builder
        self.source = function
        self.known = dict(known)
        self.batched = set(batched)
        self.parts: dict[Node, list[tuple[Node, bool]]] = {}
        self.flow = Flow(self.batched)
        self.flow.read(function.body.body)
        first = next(iter(one for one in function.params if one in self.batched), None)
        self.length = builder.const(1) if first is None else length(self.known[first], axis=0)

    def results(self) -> list[Operand]:
        """Write the whole program; its results."""
        self.body(self.source.body.body)
        return [self.operand(result) for result in self.source.results]

    def now(self, node: Node) -> Node:
        return self.known.get(node, node)

    def operand(self, node: Node) -> Operand:
        return Operand(self.now(node), node in self.batched, node.type)

    def body(self, nodes: Iterable[Node]) -> None:
        for node in nodes:
            if node.primal or node.span is not None:
                self.builder.span = node.span
            self.node(node)

    def node(self, node: Node) -> None:
        if node in self.known:
            return  # it is there already
        if is_control(node):
            if self._is_same(node):
                self.builder.adopt(node)
            else:
                self._control(node)
        elif node.op is ITEM and node.args[0] in self.parts:
            made, axis = self.parts[node.args[0]][node.attr("index")]
            self._becomes(node, made, axis)
        elif not any(arg in self.batched for arg in node.args):
            self._once(node)
        else:
            self._operation(node)

    def _becomes(self, node: Node, made: Node, axis: bool) -> None:
        if made is node:
            return
        self.known[node] = made
        if axis:
            self.batched.add(node)
            self._equate(made, node)
        if node.name and not made.name and not made.is_const:
            object.__setattr__(made, "name", node.name)

    def _once(self, node: Node) -> None:
        """What no item changes stays as it is."""
        args = tuple(map(self.now, node.args))
        if all(new is old for new, old in zip(args, node.args, strict=True)):
            existing = self.builder.existing(node.op, args, node.attrs) if node.op.pure else None
            if existing is not None:
                self.known[node] = renamed(existing, node)
            else:
                self.builder.adopt(node)
            return
        self.known[node] = made_like(self.builder, node, args)

    # Operations

    def _operation(self, node: Node) -> None:
        row = row_for(node)
        if node.op.effect or node.op is CALL_VJP or not (node.op.pure or node.op in CALLED):
            raise Refused
        call = Call(self.builder, node, tuple(map(self.operand, node.args)), self.length)
        rule = rule_for(node)
        made = None
        if rule is not None:
            made = rule(call)
        elif row is not None and row.definition is not None:
            self._through(node)
            return
        if isinstance(made, Operand):
            self._becomes(node, made.node, made.batched)
        elif made is None:
            self._looped(node, call)
        elif node.type.kind == "tuple":
            self.parts[node] = [(part, True) for part in values_of(made)]
        else:
            self._becomes(node, self._typed(made, node), True)

    def _through(self, node: Node) -> None:
        """A composite: its definition, written out for one item, and that for all."""
        row = row_for(node)
        assert row is not None
        assert row.definition is not None
        params, self.builder.params = self.builder.params, self.source.params  # which lengths are taken from
        with self.builder.apart():
            output = self.builder.lift(row.definition(*node.args, **node.attributes))
        self.builder.params = params
        pending: dict[Node, None] = {}
        outside = {*node.args, *self.known, *self.batched, *self.source.params}

        def visit(one: Node) -> None:
            if one not in outside and one not in pending:
                for arg in one.args:
                    visit(arg)
                pending[one] = None

        visit(output)
        for one in pending:
            self.node(one)
        self._becomes(node, self.now(output), output in self.batched)

    def _typed(self, made: Node, node: Node) -> Node:
        """A batched value in the dtype of its items: Python numbers that became an array are not weak."""
        if node.type.kind not in ("array", "number"):
            return made
        have, want = infer.numpy_dtype(made), infer.numpy_dtype(node)
        return astype(made, dtype=want) if have and want and have != want else made

    def _equate(self, made: Node, node: Node) -> None:
        """The lengths of a batched value are those of its items."""
        sizes = self.builder.sizes
        if made.type.kind != "array" or node.type.dims is None or made.type.dims is None:
            return
        if len(made.type.dims) != len(node.type.dims) + 1:
            raise AssertionError(f"{node!r} became {made!r}")
        wanted = (infer.size_of(self.length), *node.type.dims)
        for dim, want in zip(sizes.resolve(made.type.dims) or (), sizes.resolve(wanted) or (), strict=True):
            if dim != want and isinstance(dim, Size) and dim.name.startswith("?") and not dim.less:
                sizes.unify(dim, want)

    def _looped(self, node: Node, call: Call) -> None:
        """An operation without a rule: item by item."""
        given = [one for one in call.args if one.batched]
        if any(one.node.type.kind != "array" for one in given) or node.type.kind not in (
            "array",
            "number",
            "tuple",
        ):
            raise Refused

        def compute(items: Sequence[Node]) -> Sequence[Node]:
            left = iter(items)
            args = [next(left) if one.batched else one.node for one in call.args]
            return values_of(self.builder.emit(node.op, args, node.attributes))

        made = over_items(self.builder, self.length, [one.node for one in given], result_types(node), compute)
        if node.type.kind == "tuple":
            self.parts[node] = [(part, True) for part in made]
        else:
            self._becomes(node, self._typed(made[0], node), True)

    # Control flow

    def _control(self, node: Node) -> None:
        if node.op.name in LOOPS:
            self._loop(node)
        elif node.op.name == "if" and node.args[0] in self.batched:
            self._selected(node)
        else:
            opened = [self._region(region, {}) for region in node.regions]
            chosen = {
                k
                for k in range(len(result_types(node)))
                if any(region.results[k] in self.batched for region in node.regions)
            }
            for one, region in zip(opened, node.regions, strict=True):
                with self.builder.resumed(one):
                    one.results = [
                        self._handed(result, k in chosen) for k, result in enumerate(region.results)
                    ]
            self._finish(node, tuple(map(self.now, node.args)), [one.closed() for one in opened], chosen)

    def _is_same(self, node: Node) -> bool:
        """Whether nothing in or before a control node has changed."""
        read = (*node.args, *captures(*node.regions))
        return all(self.now(one) is one and one not in self.batched for one in read)

    def _selected(self, node: Node) -> None:
        """A choice by the item: both branches, and `where`."""
        for region in node.regions:
            self.body(region.body)
        condition = self.operand(node.args[0])
        made = []
        for k, type in enumerate(result_types(node)):
            ways = [self.operand(region.results[k]) for region in node.regions]
            made.append((selected(self.builder, node, condition, ways, type, self.length), True))
        if node.type.kind == "tuple":
            self.parts[node] = made
        else:
            self._becomes(node, *made[0])

    def _loop(self, loop: Node) -> None:
        first = 3 if loop.op is FOR else 0
        if any(bound in self.batched for bound in loop.args[:first]):
            raise Refused
        chosen = self.flow.carried(loop)
        carried = loop.args[first:]
        params = carried_params(loop, loop.regions[-1])
        initial = [
            self._initial(value, params[k].type) if k in chosen else self.now(value)
            for k, value in enumerate(carried)
        ]
        if _writes(loop.regions[-1]):  # else every round would write into a copy
            initial = [copy(one) if is_view(one) and k in chosen else one for k, one in enumerate(initial)]
        regions = []
        for region in loop.regions:
            params = carried_params(loop, region)
            batched = {params[k]: self._type(params[k].type) for k in chosen}
            opened = self._region(region, batched)
            last = region is loop.regions[-1]
            if any(result in self.batched for result in region.results[len(params) if last else 0 :]):
                raise Refused  # how often it runs depends on the item
            with self.builder.resumed(opened):
                opened.results = [
                    self._handed(result, last and k in chosen) for k, result in enumerate(region.results)
                ]
            regions.append(opened.closed())
        args = (*map(self.now, loop.args[:first]), *initial)
        self._finish(loop, args, regions, chosen)

    def _region(self, region: Region, batched: Mapping[Node, Type]) -> OpenRegion:
        """A region with new parameters; its results are still to be handed on."""
        with self.builder.region() as opened:
            params = []
            for param in region.params:
                new = self.builder.param(batched.get(param, param.type), param.name)
                self.known[param] = new
                if param in batched:
                    self.batched.add(param)
                params.append(new)
            self.body(region.body)
        opened.params = tuple(params)
        object.__setattr__(opened.closed(), "params", opened.params)
        return opened

    def _initial(self, value: Node, type: Type) -> Node:
        """The initial value of a batched parameter; a number may begin what becomes an array."""
        one = self.operand(value)
        if value.type.dims == () and type.dims:
            return aligned(one, len(type.dims))
        return self._handed(value, True, own=True)

    def _handed(self, value: Node, axis: bool, own: bool = False) -> Node:
        """A value as control flow hands it on.  own: in memory that may be written into."""
        one = self.operand(value)
        if not axis or one.batched:
            return one.node
        if value.type.kind == "undefined":
            return one.node
        if value.type.kind == "stack":
            if value.type.items[0].kind == "undefined":
                return one.node
            raise Refused
        return whole(one, self.length, own=own)

    def _finish(self, node: Node, args: Sequence[Node], regions: Sequence[Region], chosen: set[int]) -> None:
        found = result_types(node)
        kinds = [self._type(one) if k in chosen else one for k, one in enumerate(found)]
        type = kinds[0] if node.type.kind != "tuple" else types.tuple_of(kinds)
        made = self.builder.typed(node.op, args, node.attributes, type, tuple(regions))
        object.__setattr__(made, "primal", node.primal)
        if node.type.kind == "tuple":
            items = [self.builder.typed(ITEM, (made,), {"index": k}, kind) for k, kind in enumerate(kinds)]
            self.parts[node] = [(item, k in chosen) for k, item in enumerate(items)]
        else:
            self._becomes(node, made, bool(chosen))

    def _type(self, type: Type) -> Type:
        """The type of a batched value."""
        if type.kind == "stack":
            return types.stack_of(self._type(type.items[0]))
        if type.kind == "undefined":
            return type
        if type.dims is None or type.kind not in ("array", "number"):
            raise Refused
        return types.array(infer.numpy_dtype_of(type), (infer.size_of(self.length), *type.dims))


def _writes(region: Region) -> bool:
    return any(
        node.op.name in ("update", "add_at") or any(map(_writes, node.regions)) for node in region.body
    )


def over_items(
    builder: Builder,
    count: Node,
    given: Sequence[Node],
    found: Sequence[Type],
    compute: Callable[[Sequence[Node]], Sequence[Node]],
) -> list[Node]:
    """A loop over the items of arrays; what it computes for each, stacked.  found: the types of results."""
    found = [types.array(infer.numpy_dtype_of(one), ()) if one.kind == "number" else one for one in found]
    stacks = [builder.typed(new_stack, (), {}, types.stack_of(types.UNDEFINED)) for _ in found]
    with builder.region(types.number("int"), *map(types.stack_of, found)) as opened:
        counter, *before = opened.params
        items = [index(one, counter, index=(("arg", 0),)) for one in given]
        made = compute(items)
        opened.results = [push(one, value) for one, value in zip(before, made, strict=True)]
    kinds = [types.stack_of(one) for one in found]
    type = kinds[0] if len(kinds) == 1 else types.tuple_of(kinds)
    args = (builder.const(0), count, builder.const(1), *stacks)
    loop = builder.typed(FOR, args, {}, type, (opened.closed(),))
    finals = values_of(loop)
    results = []
    for final, one in zip(finals, found, strict=True):
        if one.dims is None:
            raise UnsupportedError(
                "Values of unknown rank have no batched form.", "source_for(*args) with example arguments"
            )
        kind = types.array(infer.numpy_dtype_of(one), (infer.size_of(count), *one.dims))
        results.append(builder.typed(stacked, (final,), {}, kind))
    return results


def by_items(
    builder: Builder, function: Function, known: Mapping[Node, Node], batched: Sequence[Node]
) -> list[Operand]:
    """The whole program in a loop over the items: where it cannot be batched.

    Raises UnsupportedError where running it again would do something again.
    """
    check_repeatable(function)
    count = length(known[batched[0]], axis=0)

    def compute(items: Sequence[Node]) -> Sequence[Node]:
        inside = {**known, **dict(zip(batched, items, strict=True))}
        copied(function.body.body, inside)
        return [inside.get(result, result) for result in function.results]

    kinds = [result.type for result in function.results]
    made = over_items(builder, count, [known[one] for one in batched], kinds, compute)
    return [Operand(one, True, result.type) for one, result in zip(made, function.results, strict=True)]


def check_repeatable(function: Function) -> None:
    """Raises UnsupportedError where running a program for each item would do or draw something each time."""
    for node in function.nodes():
        if node.op.effect or not (node.op.pure or node.op in CALLED or node.op.name == "param"):
            raise UnsupportedError(
                "This cannot be computed for many items at once, nor again for each of them.",
                "a loop over the items, which calls the derivative",
                node.span,
            )


def batch(
    builder: Builder, function: Function, known: Mapping[Node, Node], batched: Sequence[Node]
) -> list[Operand]:
    """The results of a function for inputs of which some are batched; `builder` is empty or holds inputs."""
    mark = builder.mark()
    try:
        return Batching(builder, function, known, batched).results()
    except Refused:
        builder.rewind(mark)
        return by_items(builder, function, known, batched)
