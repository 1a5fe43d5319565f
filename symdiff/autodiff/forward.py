"""Forward accumulation: a program to the program of its values and their tangents.

Enters: a `Function`, and the parameters that have tangents.  Leaves: a `Function` of the same parameters and
their tangents, which computes the results and the tangents of the results in one pass.  Invariant: the user's
own operations are those of the function, bit for bit; a tangent has the shape and dtype of its value and
stands right behind it, before anything is written over what it reads; what has no tangent costs nothing.

A tangent is zero (no entry) or a node.  That of a stack is a stack of its items' tangents, that of a tuple a
tuple.  How one operation pushes tangents is in `pushing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from symdiff.autodiff.activity import LOOPS, Activity, differentiable, is_control, result_types
from symdiff.autodiff.calls import with_callees
from symdiff.autodiff.pushing import Pushing, tangent_type
from symdiff.autodiff.rules import check_constant, operands, pushed
from symdiff.errors import NonScalarError, UnsupportedError
from symdiff.ir import types
from symdiff.ir.build import Builder, OpenRegion
from symdiff.ir.calls import CALL
from symdiff.ir.control import ITEM, RULE, carried_of, carried_params, values_of
from symdiff.ir.node import LEAF, Function, Node, Parameter, Region, Tree
from symdiff.ir.types import Type
from symdiff.ops.control import roots, sources
from symdiff.ops.row import row_for
from symdiff.ops.shaping import copy, full_like, to_float, zeros_like

SUFFIX = "_jvp"


def jvp(
    function: Function,
    wrt: Sequence[Node],
    names: Mapping[str, str],
    *,
    value: bool = True,
    part: int | None = None,
) -> Function:
    """The results and their tangents, for tangents of the parameters of `wrt`.

    names: by parameter of the function, that of its tangent.  value: return `(value, tangent)`, else the
    tangent alone.  part: which item of the value is pushed, None for all of it.  A result that has no
    derivative has the tangent None.
    """
    tree, pushed = part_of(function, part)
    builder = Builder(function.sizes, primal=False)
    with builder:
        dots = [builder.param(one.type, _dotted(one), **_tangent_place(one, names)) for one in wrt]
        walk = Forward(builder, function, zip(wrt, dots, strict=True))
        results = walk.function()
        tangents = walk.leaving(pushed)
    tree = _tangent_tree(tree, iter(pushed))
    used = dict.fromkeys(names[param.attr("parameter")] for param in wrt)
    made = replace(
        function,
        name=function.name + SUFFIX,
        body=Region((*function.params, *dots), builder.body, (*results, *tangents) if value else tangents),
        tree=Tree("tuple", (function.tree, tree)) if value else tree,
        parameters=(*function.parameters, *(Parameter(name, "capture") for name in used)),
    )
    return with_callees(made, function.functions, _callee, SUFFIX)


def part_of(function: Function, part: int | None) -> tuple[Tree, Sequence[Node]]:
    """The structure and the results that are pushed.  Raises NonScalarError where the value is no pair."""
    tree, results = function.tree, function.results
    if part is None:
        return tree, results
    if tree.kind not in ("tuple", "list") or len(tree.children) != 2:
        raise NonScalarError(
            f"With has_aux=True {function.name} must return a pair (value, aux).", "return value, aux"
        )
    first = sum(child.leaves() for child in tree.children[:part])
    return tree.children[part], results[first : first + tree.children[part].leaves()]


def _tangent_place(param: Node, names: Mapping[str, str]) -> dict[str, object]:
    """Where a tangent stands: at the place of its value, in the tangent of the argument."""
    return {**param.attributes, "parameter": names[param.attr("parameter")]}


def _dotted(value: Node) -> str:
    return f"{value.name}_dot" if value.name else ""


def _tangent_tree(tree: Tree, results: Iterable[Node]) -> Tree:
    """The structure of the results' tangents: None where there is no derivative."""
    if tree.kind == "leaf":
        return LEAF if differentiable(next(iter(results)).type) else Tree("static", value=None)
    return replace(tree, children=tuple(_tangent_tree(child, results) for child in tree.children))


def _callee(function: Function, name: str) -> Function:
    """What a call with tangents calls: the results of a function that is called, and the tangents of those
    that can have some, for the parameters and the tangents of those that can have some."""
    wrt = [param for param in function.params if differentiable(param.type)]
    names = {param.attr("parameter"): f"{param.attr('parameter')}_dot" for param in wrt}
    builder = Builder(function.sizes, primal=False)
    with builder:
        dots = [builder.param(one.type, _dotted(one), **_tangent_place(one, names)) for one in wrt]
        walk = Forward(builder, function, zip(wrt, dots, strict=True))
        results = [*walk.function(), *walk.leaving(function.results)]
    return replace(
        function,
        name=name,
        body=Region((*function.params, *dots), builder.body, tuple(results)),
        tree=LEAF if len(results) == 1 else Tree("tuple", (LEAF,) * len(results)),
        parameters=(*function.parameters, *map(Parameter, names.values())),
        summary=function.summary.replace("Value of", "Value and tangent of", 1),
    )


class Forward(Pushing):
    """One pass over a function.

    known: by value of the function, what it is in the new program.  values: by control node or call, its
    results there.
    """

    def __init__(self, builder: Builder, function: Function, tangents: Iterable[tuple[Node, Node]]):
        super().__init__(builder, dict(tangents))
        self.source = function
        self.active = Activity(self.tangents)
        self.active.read(function.body.body)
        self.known: dict[Node, Node] = {}
        self.values: dict[Node, list[Node]] = {}
        builder.params = function.params

    def function(self) -> list[Node]:
        """Write the whole program; its results."""
        self.body(self.source.body.body)
        return [*map(self.now, self.source.results)]

    def leaving(self, results: Sequence[Node]) -> tuple[Node, ...]:
        """The tangents of results, as they leave: arrays of their own."""
        made: list[Node] = []
        held = {memory for result in results for memory in _memory(self.now(result))}
        for result in results:
            if differentiable(result.type):
                made.append(self._leaving(self.now(result), held))
                held |= _memory(made[-1])
        return tuple(made)

    def _leaving(self, value: Node, held: set[Node]) -> Node:
        tangent = self.tangents.get(value)
        if value.type.kind == "number" and value.type.dtype != "complex":
            return to_float(0.0 if tangent is None else tangent)
        if tangent is None:
            return zeros_like(value)
        tangent = self.solid(tangent, value)
        numbers = any(source.type.kind == "number" for source in sources(tangent))
        if value.type.kind == "array" and numbers and value.type.dtype not in ("", "float64", "complex128"):
            return full_like(value, tangent)  # a Python number is wider
        while any(one in held or one.op.name in ("param", "stack_item") for one in _memory(tangent)):
            tangent = copy(tangent)
        self.label(tangent, value)
        return tangent

    def now(self, node: Node) -> Node:
        return self.known.get(node, node)

    def body(self, nodes: Iterable[Node]) -> None:
        for node in nodes:
            if node.primal or node.span is not None:
                self.builder.span = node.span
            if is_control(node):
                self._control(node)
            elif node.op is ITEM and node.args[0] in self.values:
                self._item(node, self.values[node.args[0]][node.attr("index")])
            elif node.op is CALL and any(self.now(arg) in self.tangents for arg in node.args):
                self._call(node)
            elif node.op is RULE:
                self._rule(node)
            else:
                self._operation(node)

    def _item(self, node: Node, value: Node) -> None:
        """A result of a control node by the name that the user gave it."""
        if node.name and not value.name:
            object.__setattr__(value, "name", node.name)
            if value in self.tangents:
                self.label(self.tangents[value], value)
        self.known[node] = value

    def _operation(self, node: Node) -> None:
        if node in self.active and row_for(node) is None and node.op not in (ITEM, CALL):
            raise UnsupportedError(
                "A pullback has no derivative itself.",
                "the gradient of a function that does not call itself",
                node.span,
            )
        args = tuple(map(self.now, node.args))
        twin = self.builder.existing(node.op, args, node.attrs) if node.op.pure and not node.regions else None
        if twin is not None:
            self.known[node] = self._become(twin, node)
            if twin in self.done:
                if twin in self.tangents:
                    self.label(self.tangents[twin], twin)
                return
        else:
            same = all(new is old for new, old in zip(args, node.args, strict=True))
            self.known[node] = node if same else replace(node, args=args)
            self.builder.adopt(self.known[node])
            if self.builder.nested and row_for(node) is not None and not node.regions:
                node.op.infer(*args, **node.attributes)  # for the equalities of sizes that it demands
        self.push(self.known[node])

    def _become(self, twin: Node, node: Node) -> Node:
        """What a tangent was computed from is also what the user computes: it is then the user's."""
        if node.primal and not twin.is_const:
            if not twin.primal:
                object.__setattr__(twin, "primal", True)
                object.__setattr__(twin, "span", node.span)
            if node.name and not twin.name:
                object.__setattr__(twin, "name", node.name)
        return twin

    # Control flow

    def _control(self, node: Node) -> None:
        if node.op.name in LOOPS:
            self._loop(node)
        else:
            self._branches(node)

    def _loop(self, loop: Node) -> None:
        """A loop that carries the tangents of active values behind the values."""
        body = loop.regions[-1]
        params = carried_params(loop, body)
        chosen = [k for k, param in enumerate(params) if param in self.active]
        initial = [self.whole(self.now(carried_of(loop)[k])) for k in chosen]
        regions = [self._round(loop, region, chosen) for region in loop.regions]
        self._finish(loop, (*map(self.now, loop.args), *initial), regions, chosen)

    def _round(self, loop: Node, region: Region, chosen: Sequence[int]) -> Region:
        params = carried_params(loop, region)
        with self.builder.region(*(tangent_type(params[k].type) for k in chosen)) as opened:
            for k, dot in zip(chosen, opened.params, strict=True):
                object.__setattr__(dot, "name", _dotted(params[k]))
                self.tangents[params[k]] = dot
            pushing, self.pushing = self.pushing, self.pushing and region is loop.regions[-1]
            self.body(region.body)
            self.pushing = pushing
            results = [*map(self.now, region.results)]
            if region is loop.regions[-1]:
                following = [self.whole(results[k]) for k in chosen]
                results[len(params) : len(params)] = following
            opened.results = results
        return replace(opened.closed(), params=(*region.params, *opened.params))

    def _branches(self, node: Node) -> None:
        """A choice, or a stretch of code, that gives the tangents of its results behind them."""
        opened = [self._branch(region) for region in node.regions]
        chosen = [
            k
            for k, type in enumerate(result_types(node))
            if differentiable(type) and any(one.results[k] in self.tangents for one in opened)
        ]
        for one in opened:
            with self.builder.resumed(one):
                one.results = [*one.results, *(self.whole(one.results[k]) for k in chosen)]
        regions = [one.closed() for one in opened]
        self._finish(node, tuple(map(self.now, node.args)), regions, chosen)

    def _branch(self, region: Region) -> OpenRegion:
        with self.builder.region() as opened:
            self.body(region.body)
            opened.results = [*map(self.now, region.results)]
        return opened

    def _finish(
        self, node: Node, args: tuple[Node, ...], regions: Sequence[Region], chosen: Sequence[int]
    ) -> None:
        """The control node with the tangents of its chosen results."""
        found = result_types(node)
        tangents = [tangent_type(found[k]) for k in chosen]
        type = types.tuple_of((*found, *tangents)) if chosen else node.type
        name = "" if chosen else node.name
        made = replace(node, args=args, regions=tuple(regions), type=type, name=name)
        self.builder.adopt(made)
        self._results(node, made, [*zip(chosen, range(len(found), len(found) + len(chosen)), strict=True)])

    def _results(self, node: Node, made: Node, tangents: Iterable[tuple[int, int]]) -> None:
        """Take results apart; tangents: which results have one, and which results these are."""
        if made.type.kind != "tuple":
            self.values[node] = [made]
            self.known[node] = made
            return
        self.values[node] = values = [self._part(made, k, type) for k, type in enumerate(made.type.items)]
        for value in values[: len(result_types(node))]:
            object.__setattr__(value, "primal", node.primal)
        for k, place in tangents:
            self.tangents[values[k]] = values[place]
        if node.type.kind == "tuple":
            self.known[node] = made
        else:
            self._item(node, values[0])

    def _part(self, made: Node, k: int, type: Type) -> Node:
        return self.builder.typed(ITEM, (made,), {"index": k}, type)

    def _rule(self, node: Node) -> None:
        """A call with a rule of the user's."""
        made = replace(node, args=tuple(map(self.now, node.args)))
        self.builder.adopt(made)
        values = values_of(made)
        self.values[node] = [*values]
        self.known[node] = made
        if self.pushing:
            check_constant(made, self.tangents)
            if any(arg in self.tangents for arg in operands(made)):
                given = [self.whole(arg) for arg in operands(made)]
                for k, part in pushed(made, values, given).items():
                    if not (part.is_const and part.value == 0):
                        self.tangents[values[k]] = self._fitted(part, values[k])
                        self.label(self.tangents[values[k]], values[k])
        self.done.update(values)

    def _call(self, node: Node) -> None:
        """A call of the function that takes and gives tangents too."""
        args = tuple(map(self.now, node.args))
        dots = [self.whole(arg) for arg in args if differentiable(arg.type)]
        found = result_types(node)
        chosen = [k for k, type in enumerate(found) if differentiable(type)]
        given = node.attr("results")
        attrs = {
            "function": node.attr("function") + SUFFIX,
            "results": (*given, *(given[k] for k in chosen)),
        }
        type = types.tuple_of((*found, *(tangent_type(found[k]) for k in chosen)))
        if not chosen:
            self._operation(node)
            return
        made = self.builder.typed(CALL, (*args, *dots), attrs, type)
        self._results(node, made, [(k, len(found) + i) for i, k in enumerate(chosen)])


def _memory(value: Node) -> set[Node]:
    """The arrays whose memory a value may share."""
    return {one for one in roots(value) if one.type.kind == "array" and (one.type.dims != () or not one.args)}
