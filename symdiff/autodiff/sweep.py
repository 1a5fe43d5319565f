"""The sweep: cotangents carried from the end of a body to its beginning.

Enters: a function in an open builder, cotangents of its results.  Leaves: derived code that computes the
cotangents of chosen values, and in which it reads values of the regions of the forward code although they are
out of scope there: `mirrors` tells which region of the derived code goes back through which region of the
forward code.  Invariant: every operation is transposed by its row alone, and every contribution is fitted
(summed over broadcast axes, cast to the dtype) to the operand it belongs to.

A cotangent is zero (no entry), a node, `scatter(g, ...)` (it lives at an index: adding it to another is
O(size of the index), see `ops.folds`) or `where(c, g, 0)` (it lives where a branch was taken: products
keep the mask last).  That of a stack is a stack of its items' cotangents.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from symdiff.autodiff.activity import (
    LOOPS,
    Activity,
    Reach,
    differentiable,
    is_control,
    item_of,
    result_types,
)
from symdiff.autodiff.costs import MOST, Costs
from symdiff.autodiff.likes import Likes
from symdiff.autodiff.memory import WRITES, Homes
from symdiff.autodiff.rules import check_constant, pulled, seeded
from symdiff.autodiff.zeros import solid, zero_of
from symdiff.errors import UnsupportedError
from symdiff.ir import types
from symdiff.ir.build import Builder, OpenRegion
from symdiff.ir.calls import CALL_VJP, PULL, encoded
from symdiff.ir.control import ITEM, RULE, carried_of, carried_params, values_of
from symdiff.ir.node import Function, Node, Region
from symdiff.ir.types import Type
from symdiff.ops import infer
from symdiff.ops.row import Row, Rule, row_for
from symdiff.ops.shaping import conjugate, fit_like
from symdiff.ops.stacks import add_stacks, pushed, stack_of_zeros
from symdiff.ops.sums import vanishes
from symdiff.ops.updates import at, update

# Partials by the result alone, for loops: where the operand would have to be saved beside the result.
_BY_RESULT = {"tanh": lambda y: 1 - y * y}

Cotangents = dict[Node, Node]
Parts = dict[int, Node]


class Straight:
    """One sweep over a function; what it does at control nodes is in `regions`.

    mirrors: by region of the derived code, the region of the forward code that it goes back through; a
    region of a loop reads the forward counter as its own, where `counted` has the forward region.
    resolved: by value of a region, its type with the equalities of sizes that hold in its region.
    trips, finals: by loop, parameters that stand for how often it ran and for its final values: what the
    weaving makes beside it.
    """

    def __init__(self, builder: Builder, function: Function, wrt: Sequence[Node]):
        self.builder = builder
        self.function = function
        self.wrt = wrt
        self.active = Activity(wrt)
        self.active.read(function.body.body)
        self.reach = Reach(self.active)
        self.mirrors: dict[Region, Region] = {}
        self.counted: set[Region] = set()
        self.trips: dict[Node, Node] = {}
        self.finals: dict[tuple[Node, int], Node] = {}
        self.resolved: dict[Node, Type] = {}
        self.items: dict[Node, list[Node]] = {}  # by call, its results and its pullback
        self.ruled: set[Node] = set()  # what the user's own rules compute on the way back
        self.note(function.body.body)
        self.homes = Homes(function.body)
        self.costs = Costs(self.homes, self.counted)
        self.likes = Likes(self.homes, builder.sizes)

    def note(self, body: Sequence[Node]) -> None:
        """Find the results of calls in forward code."""
        for node in body:
            if node.op is ITEM and node.args[0].op is CALL_VJP:
                self.items.setdefault(node.args[0], []).append(node)
            for region in node.regions:
                self.note(region.body)

    def pulled(self, seeds: Cotangents) -> list[Node | None]:
        """Cotangents of `wrt` for given cotangents of the results; None where nothing depends on it."""
        cotangents = {output: seed for output, seed in seeds.items() if output in self.active}
        self.body(self.function.body.body, cotangents)
        for node in self.wrt:
            if node in cotangents:
                self.label(cotangents[node], node)
        return [cotangents.get(node) for node in self.wrt]

    def body(self, body: Sequence[Node], cotangents: Cotangents, active: Activity | None = None) -> None:
        """Carry cotangents from the end of `body` to its beginning."""
        active = self.active if active is None else active
        results: dict[Node, Parts] = {}
        for node in reversed(body):
            if node not in active.nodes:
                continue
            cotangent = cotangents.get(node)
            if cotangent is not None:
                self.label(cotangent, node)
                if node.op is ITEM or is_control(node):
                    owner, k = item_of(node)
                    collect(results.setdefault(owner, {}), k, cotangent)
            if node.primal:
                self.builder.span = node.span
            if is_control(node):
                if results.get(node):
                    self.control(node, results[node], cotangents)
            elif node.op.name == "pop":
                if results.get(node):
                    self._pop(node, results[node], cotangents)
            elif node.op is CALL_VJP:
                if results.get(node):
                    self._pull(node, results[node], cotangents)
            elif node.op is RULE:
                parts = results.get(node, {} if cotangent is None else {0: cotangent})
                if parts:
                    self._by_rule(node, parts, cotangents, active)
            elif node.type.kind == "tuple":
                if results.get(node):
                    self._several(node, results[node], cotangents, active)
            elif cotangent is not None and node.op is not ITEM and any(one in active for one in node.args):
                self._operation(node, cotangent, cotangents, active)

    def trips_of(self, loop: Node) -> Node:
        """How often a loop ran."""
        if loop not in self.trips:
            self.trips[loop] = self._behind(loop, types.number("int"), "trips")
        return self.trips[loop]

    def final_of(self, loop: Node, k: int) -> Node:
        """What the `k`-th carried value of a loop is in the end."""
        if (loop, k) not in self.finals:
            param = carried_params(loop, loop.regions[-1])[k]
            self.finals[loop, k] = self._behind(loop, result_types(loop)[k], param.name)
        return self.finals[loop, k]

    def finals_of(self, loop: Node) -> list[tuple[int, Node]]:
        """The final values of a loop that something stands for."""
        return [(k, final) for (owner, k), final in self.finals.items() if owner is loop]

    def _behind(self, loop: Node, type: Type, name: str) -> Node:
        value = self.builder.param(type)
        object.__setattr__(value, "name", name)
        if loop in self.homes.region:
            self.homes.region[value] = self.homes.region[loop]
        return value

    def control(self, node: Node, parts: Parts, cotangents: Cotangents) -> None:
        """Carry the cotangents of its results through a control node."""
        raise NotImplementedError

    def _pop(self, node: Node, parts: Parts, cotangents: Cotangents) -> None:
        rest = parts[0] if 0 in parts else stack_of_zeros(ITEM(node, index=0))
        accumulate(cotangents, node.args[0], pushed(rest, parts.get(1, self.builder.const(0.0))))

    def _pull(self, node: Node, parts: Parts, cotangents: Cotangents) -> None:
        """Go back through a call: with a cotangent for each of its results that can have one."""
        *results, pullback = self.items[node]
        given = []
        for k, result in enumerate(results):
            if differentiable(result.type):
                g = fitted(parts[k], result) if k in parts else zero_of(self.builder, self.homes, result)
                given.append(conjugated(solid(self.builder, self.homes, g, result), result))
        operands = [arg for arg in node.args if differentiable(arg.type)]
        found = [self._resolved(arg.type) for arg in operands]
        type = found[0] if len(found) == 1 else types.tuple_of(found)
        attrs = {"results": tuple(map(encoded, found))}
        made = self.builder.typed(PULL, (pullback, *given), attrs, type)
        for k, operand in enumerate(operands):
            part = made if len(found) == 1 else self.builder.typed(ITEM, (made,), {"index": k}, found[k])
            if operand in self.active:
                accumulate(cotangents, operand, fitted(conjugated(part, operand), operand))

    def _by_rule(self, node: Node, parts: Parts, cotangents: Cotangents, active: Activity) -> None:
        """Go back through a call with a rule of the user's: with a cotangent for each of its results."""
        values, given = values_of(node), []
        check_constant(node, active.nodes)
        for k in seeded(node):
            value = values[k]
            g = fitted(parts[k], value) if k in parts else zero_of(self.builder, self.homes, value)
            given.append(conjugated(solid(self.builder, self.homes, g, value), value))
        before = len(self.builder.body)
        by_operand = pulled(node, values, given)
        self.ruled.update(self.builder.body[before:])
        for operand, found in by_operand.items():
            for part in found if operand in active else ():
                accumulate(cotangents, operand, fitted(conjugated(part, operand), operand))

    def _several(self, node: Node, parts: Parts, cotangents: Cotangents, active: Activity) -> None:
        """Go back through an operation of several results: its rule is given a cotangent or None for each."""
        row = row_for(node)
        if row is None or row.vjp is None:
            raise UnsupportedError(f"{node.op.name} has no derivative rule.", span=node.span)
        given = [fitted(parts[k], y) if k in parts else None for k, y in enumerate(values_of(node))]
        found = row.vjp(given, values_of(node), *node.args, **node.attributes)
        for operand, part in zip(node.args, found, strict=True):
            if part is not None and operand in active:
                accumulate(cotangents, operand, fitted(part, self._shaped(operand)))

    def _operation(self, node: Node, g: Node, cotangents: Cotangents, active: Activity) -> None:
        if node.op.name in WRITES:
            g = solid(self.builder, self.homes, g, node)
        k = self.homes.augmented(node)
        if k is not None:
            self._augmented(node, k, g, cotangents, active)
            return
        for operand, part in zip(node.args, self.transposed(node, g, active), strict=True):
            if part is not None:
                accumulate(cotangents, operand, fitted(part, self._shaped(operand)))

    def _augmented(self, node: Node, k: int, g: Node, cotangents: Cotangents, active: Activity) -> None:
        """Go back through `base[place] *= c` at once: what is read and what is written are one place, whose
        cotangent is replaced."""
        base, value, *operands = node.args
        place = at(g, operands, node.attr("index"))
        parts = self.transposed(value, place, active)
        for i, (operand, part) in enumerate(zip(value.args, parts, strict=True)):
            if part is not None and i != k:
                accumulate(cotangents, operand, fitted(part, self._shaped(operand)))
        if base in active:
            part = parts[k]
            kept = 0.0 if part is None else fitted(part, value.args[k])
            accumulate(cotangents, base, update(g, kept, *operands, index=node.attr("index")))

    def _shaped(self, operand: Node) -> Node:
        """A value of the shape of an operand's cotangent: for what begins as a number and is an array from
        the first iteration on, which has no cotangent before it, the next value."""
        loop, k = self.homes.carried.get(operand, (None, -1))
        if loop is None or k < 0 or operand.type.kind != "array" or not carried_of(loop)[k].is_const:
            return operand
        return loop.regions[-1].results[k]

    def label(self, cotangent: Node, node: Node) -> None:
        """Name a cotangent after its value; the first name stays."""
        if node.name:
            self.builder.label(cotangent, f"{node.name}_bar")

    @contextmanager
    def mirror(self, region: Region, *params: Type, counted: bool = False) -> Iterator[OpenRegion]:
        """Open the region that goes back through a region of the forward code: values that are computed there
        are found again, and sizes that its operations require to be equal are."""
        with self.builder.region(*params) as opened:
            for node in region.body:
                row = row_for(node)
                if node.op is ITEM and row_for(node.args[0]) is not None:
                    self.builder.recall(node)
                if row is None or node.regions:
                    continue
                row.infer(*node.args, **node.attributes)
                if row.kind != "constant" or not node.type.dims:
                    self.builder.recall(node)
            for node in (*region.params, *region.body):
                self.resolved[node] = self._resolved(node.type)
            if counted:
                self.counted.add(region)
            yield opened
        self.mirrors[opened.closed()] = region

    def _resolved(self, type: Type) -> Type:
        return type.with_dims(self.builder.sizes.resolve(type.dims))

    def transposed(self, node: Node, g: Node, active: Activity) -> list[Node | None]:
        """The contribution of `g` to each operand of `node`."""
        row = row_for(node)
        assert row is not None
        wanted = [arg in active for arg in node.args]
        if node.op.name in _BY_RESULT and self._is_kept(node):
            return [g * _BY_RESULT[node.op.name](node)]
        if row.kind == "elementwise":
            return [_scaled(row, i, node, g) if want else None for i, want in enumerate(wanted)]
        if row.transpose is not None:
            return [
                row.transpose(g, i, *node.args, **node.attributes) if want else None
                for i, want in enumerate(wanted)
            ]
        if row.kind in ("linear", "multilinear"):
            rules = zip(row.transposes, wanted, strict=True)
            return [rule(g, *node.args, **node.attributes) if want and rule else None for rule, want in rules]
        if row.definition is not None:
            return self._through_definition(row.definition, node, g, active)
        if row.vjp is not None:
            parts = row.vjp(g, node, *node.args, **node.attributes)
            return [part if want else None for part, want in zip(parts, wanted, strict=True)]
        raise UnsupportedError(f"{row.spelling} has no derivative rule.", span=node.span)

    def _is_kept(self, node: Node) -> bool:
        """Whether a value stands in a loop and its operand is not cheap to have again."""
        around = self.homes.around(self.homes.region.get(node))
        return any(owner.op.name in LOOPS for owner in around) and self.costs.of(node.args[0]) > MOST

    def _through_definition(
        self, definition: Rule, node: Node, g: Node, active: Activity
    ) -> list[Node | None]:
        """The pullback of a composite: its definition, written out and swept."""
        output = self.builder.lift(definition(*node.args, **node.attributes))
        body = _between(node.args, output)
        operands = [arg for arg in node.args if arg in active]
        cotangents = {output: fit_like(g, output)}
        if output not in operands:  # otherwise the definition is the operand itself
            inner = Activity(operands)
            inner.read(body)
            self.body(body, cotangents, inner)
        # One that stands in several places has its whole cotangent in the first.
        found: list[Node | None] = []
        for i, arg in enumerate(node.args):
            found.append(cotangents.get(arg) if arg in active and arg not in node.args[:i] else None)
        return found


def conjugated(cotangent: Node, value: Node) -> Node:
    """Into the convention of a function's own cotangents, and out of it."""
    return conjugate(cotangent) if infer.numpy_dtype(value).startswith("complex") else cotangent


def fitted(part: Node, operand: Node) -> Node:
    return part if operand.type.kind == "stack" else fit_like(part, operand)


def accumulate(cotangents: Cotangents, operand: Node, part: Node) -> None:
    """Add a contribution; one that is zero by algebra is no entry."""
    before = cotangents.get(operand)
    if operand.type.kind == "stack":
        cotangents[operand] = part if before is None else add_stacks(before, part)
        return
    total = part if before is None else before + part
    if (total.is_const and total.value == 0) or (before is not None and vanishes(total)):
        cotangents.pop(operand, None)
    else:
        cotangents[operand] = total


def collect(parts: Parts, k: int, part: Node) -> None:
    parts[k] = parts[k] + part if k in parts else part


def _between(operands: Sequence[Node], output: Node) -> list[Node]:
    """The nodes that compute `output` from `operands`, in order."""
    order: dict[Node, None] = {}
    stops = set(operands)

    def visit(node: Node) -> None:
        if node not in order and node not in stops:
            for arg in node.args:
                visit(arg)
            order[node] = None

    visit(output)
    return list(order)


def _scaled(row: Row, index: int, node: Node, g: Node) -> Node | None:
    rule = row.partials[index]
    partial = None if rule is None else rule(*node.args, node)
    if partial is None or (not isinstance(partial, Node) and partial == 0):
        return None
    if isinstance(partial, Node) and partial.is_const and partial.value == 0:
        return None
    scaled: Node = g * partial
    return scaled
