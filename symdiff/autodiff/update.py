"""The update of parameters in place, behind the gradient that it is made from.

Enters: the program of a value and its gradient, and for every leaf the program of the optimizer's update.
Leaves: one program that computes the value, writes new parameters and new state into their arrays, and
returns the value.  Invariant: all gradients are computed before the first write; what an update writes into
is read by that leaf's update alone, and never after the write except as the new value.

The updates of all leaves advance in step with each other, so that one line of the optimizer is one stretch
of the generated function.  They are the user's own code: nothing in them is folded or rewritten.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from symdiff.errors import DtypeError, ShapeError, SymdiffError, UnsupportedError
from symdiff.ir.build import Builder
from symdiff.ir.liveness import live
from symdiff.ir.node import Function, Node, Parameter, Path
from symdiff.ir.text import to_text
from symdiff.ir.types import Type
from symdiff.ops import infer
from symdiff.ops.control import root, store
from symdiff.ops.row import Row
from symdiff.ops.shaping import copy
from symdiff.records import dataclass, field


@dataclass(frozen=True, eq=False, slots=True)
class Update:
    """The update of one leaf.

    target: the leaf.  program: `(param, grad, state, **hyperparameters) -> (new param, new state)`.  path:
    where this leaf's arrays are below the name of a state.  state: the names of the state; alike: those
    whose arrays have the shape and dtype of the leaf.
    """

    target: Node
    program: Function
    path: Path
    state: tuple[str, ...] = ()
    alike: frozenset[str] = frozenset()


@dataclass(frozen=True, eq=False, slots=True)
class Step:
    """All updates of a step, the optimizer's name, and the generated function's further parameters in order.

    names: by the update's parameter ("" for its state), the generated function's; captures: those that the
    update reads from outside.
    """

    optimizer: str
    updates: tuple[Update, ...]
    names: Mapping[str, str]
    captures: tuple[str, ...] = ()

    def text(self) -> str:
        """Everything that code generation reads."""
        programs = {id(update.program): to_text(update.program) for update in self.updates}
        order = {key: k for k, key in enumerate(programs)}
        leaves = []
        for one in self.updates:
            place = one.target.attr("parameter"), one.target.attr("path")
            leaves.append((order[id(one.program)], place, one.path, one.state, sorted(one.alike)))
        texts, names = list(programs.values()), list(self.names.items())
        return repr((self.optimizer, texts, leaves, names, self.captures))


def updated(function: Function, step: Step) -> Function:
    """`(value, gradients)` to the value alone, with the gradients used up; see the module's own text."""
    tree = function.tree.children[0]
    values, gradients = function.results[: tree.leaves()], function.results[tree.leaves() :]
    targets = {update.target for update in step.updates}
    with function.open() as builder:
        kept = [_apart(value, targets) for value in values]
        owned = [_uncopied(gradient, targets) for gradient in gradients]
        splices = [
            _Splice(builder, step, update, gradient)
            for update, gradient in zip(step.updates, owned, strict=True)
            if gradient.primal or gradient.op.name != "zeros_like"  # the value does not depend on this leaf
        ]
        params: dict[tuple[str, Path], Node] = {}
        for splice in splices:
            splice.bind(params)
        builder.primal = True
        for position in range(max((len(splice.body) for splice in splices), default=0) + 1):
            for splice in splices:
                splice.advance(position)
        made = builder.finish(
            function.name.removesuffix("_value_and_grad") + "_step",
            [*function.params, *params.values()],
            kept,
            tree,
            list(_parameters(function.parameters, step)),
            function.summary,
            **function.info,
        )
    return replace(made, functions=function.functions)


def _apart(value: Node, targets: set[Node]) -> Node:
    """A result that no write reaches."""
    return copy(value) if root(value) in targets and value.type.kind == "array" else value


def _uncopied(gradient: Node, targets: set[Node]) -> Node:
    """A gradient that does not leave the function: copied only where it may be memory that is written."""
    if gradient.op is not copy or gradient.primal:
        return gradient
    source = root(gradient.args[0])
    safe = source not in targets and (isinstance(source.op, Row) or source.op.name == "param")
    return gradient.args[0] if safe else gradient


def _parameters(parameters: Sequence[Parameter], step: Step) -> Iterator[Parameter]:
    """State and hyperparameters stand last, by keyword where a position would not be safe."""
    own = [parameter for parameter in parameters if parameter.kind != "capture"]
    plain = all(p.kind in ("positional", "positional_only") and p.default is None for p in own)
    yield from own
    for name, new in step.names.items():
        if name not in step.captures:
            yield Parameter(new, "positional" if plain else "capture")
    yield from (parameter for parameter in parameters if parameter.kind == "capture")
    yield from (Parameter(step.names[name], "capture") for name in step.captures)


@dataclass(slots=True)
class _Splice:
    """One leaf's update on its way into the function."""

    builder: Builder
    step: Step
    update: Update
    gradient: Node
    body: tuple[Node, ...] = ()
    known: dict[Node, Node] = field(default_factory=dict)
    own: set[Node] = field(default_factory=set)  # what depends on this leaf
    states: dict[str, Node] = field(default_factory=dict)  # the arrays in the function
    inner: dict[str, Node] = field(default_factory=dict)  # the params of the update for them
    writes: dict[int, list[str]] = field(default_factory=dict)  # by position: the states written after it
    values: dict[str, Node] = field(default_factory=dict)  # by state, and "" for the leaf: the new value
    copies: dict[str, Node] = field(default_factory=dict)  # of new values that are another state's old array

    def bind(self, params: dict[tuple[str, Path], Node]) -> None:
        """Give every parameter of the update its value; `params` holds those that are new to the function."""
        program = self.update.program
        self.body = tuple(live(program.body))
        first, second, third = (parameter.name for parameter in program.parameters[:3])
        given: dict[str, Node] = {first: self.update.target, second: self.gradient}
        self.values = self._values()
        for param in program.params:
            name, path = param.attr("parameter"), param.attr("path")
            if name in given:
                self.known[param] = given[name]
                self.own.add(param)
            elif name == third:
                key = path[0][1]
                self.inner[key] = param
                self.own.add(param)
            else:
                place = self.step.names[name], path
                if place not in params:
                    params[place] = self._param(param.type, param.name, *place)
                self.known[param] = params[place]
        self._bind_states(params)
        for key, made in self.states.items():
            if key in self.inner:
                self.known[self.inner[key]] = made
        for node in self.body:
            if any(arg in self.own for arg in node.args):
                self.own.add(node)
        self._place_writes()
        for param in program.params:
            self._copy_crossing(param)

    def _values(self) -> dict[str, Node]:
        """The new value of every state, and under "" of the leaf."""
        tree, results = self.update.program.tree, self.update.program.results
        shaped = tree.kind == "tuple" and len(tree.children) == 2
        if not shaped or tree.children[0].kind != "leaf" or tree.children[1].kind != "dict":
            raise SymdiffError(
                f"The update of {self.step.optimizer} does not return a pair (new parameter, new state).",
                'return param - lr * grad, {"velocity": velocity}; with no state, return ..., {}',
            )
        keys = tree.children[1].keys
        if set(keys) != set(self.update.state) or tree.children[1].leaves() != len(keys):
            have, want = sorted(map(str, keys)), sorted(self.update.state)
            raise SymdiffError(
                f"The update of {self.step.optimizer} returns the state {have}; `init` makes {want}.",
                "return one array for every name that `init` makes",
            )
        return {"": results[0], **dict(zip(keys, results[1:], strict=True))}

    def _bind_states(self, params: dict[tuple[str, Path], Node]) -> None:
        for key in self.update.state:
            inner = self.inner.get(key)
            if inner is self.values[key] and not any(inner in node.args for node in self.body):
                continue  # returned as it came
            place = self.step.names[""], (("item", key), *self.update.path)
            target = self.update.target
            wish = f"{target.name or 'leaf'}_{key}" if str(key).isidentifier() else ""
            if key in self.update.alike:
                made = self.builder.param(target.type, wish, parameter=place[0], path=place[1])
            else:
                type = inner.type if inner is not None else Type("array")
                made = self._param(type, wish, *place, ones=False)
            self.states[key] = params[place] = made

    def _param(self, type: Type, name: str, parameter: str, path: Path, ones: bool = True) -> Node:
        """A parameter of the whole function; lengths of the update's own program mean nothing in it.

        ones: whether a length of 1 is one in every call.
        """
        fresh = self.builder.sizes.fresh
        if type.dims is not None:
            type = type.with_dims(tuple(1 if dim == 1 and ones else fresh() for dim in type.dims))
        return self.builder.param(type, name, parameter=parameter, path=path)

    def _place_writes(self) -> None:
        """A state is written once its new value is there and its old one has been read for the last time."""
        order = {node: position for position, node in enumerate(self.body)}
        for key, value in self.values.items():
            inner = self.inner.get(key)
            if key == "" or value is inner:
                continue
            position = order.get(value, -1)
            for node in self.body:
                if inner is not None and any(root(arg) is inner for arg in node.args):
                    position = max(position, order[node])
            self.writes.setdefault(max(position, 0), []).append(key)
        self.writes.setdefault(len(self.body), []).append("")

    def _copy_crossing(self, node: Node) -> None:
        """A new value that is the old array of another state is copied before either is written."""
        crossed = next((key for key, inner in self.inner.items() if root(node) is inner), None)
        for key, value in self.values.items():
            if value is node and crossed not in (None, key):
                self.copies[key] = copy(self.known[node])

    def advance(self, position: int) -> None:
        """Emit the update's operation at this position, and the writes that follow it."""
        if position < len(self.body):
            self._emit(position, self.body[position])
        for key in self.writes.get(position, ()):
            self._write(key)

    def _emit(self, position: int, node: Node) -> None:
        if node.regions:
            raise UnsupportedError("An optimizer cannot branch or loop on arrays.", "use np.where", node.span)
        self.builder.span = node.span
        args = [self.known[arg] for arg in node.args]
        if node.is_const:
            made = self.builder.const(node.value)
        else:
            made = self.builder.emit(node.op, args, node.attributes)
        self.known[node] = made
        written = any(self.values[key] is node for key in self.writes.get(position, ()))
        last = position == len(self.body) - 1 and self.values[""] is node
        if node.name and not written and not last:
            prefix = f"{self.update.target.name or 'leaf'}_" if node in self.own else ""
            self.builder.named(made, prefix + node.name)
        self._copy_crossing(node)

    def _write(self, key: str) -> None:
        target = self.states[key] if key else self.update.target
        value = self.values[key]
        new = self.copies.get(key, self.known[value])
        self.builder.span = value.span
        if new is target:
            return
        self._check(key, target, new)
        stored = self.builder.emit(store, (target, new), {})
        sizes = self.builder.sizes
        same = new.type.kind == "array" and new.type.dtype == target.type.dtype
        if same and sizes.resolve(new.type.dims) == sizes.resolve(target.type.dims) and value in self.body:
            self.known[value] = stored  # from here on the value is in the array

    def _check(self, key: str, target: Node, new: Node) -> None:
        """Only what the array can hold is written into it."""
        what = f"The state {key!r}" if key else "The new parameter"
        have, want = infer.numpy_dtype(new), infer.numpy_dtype(target)
        if have and want and not np.can_cast(have, want, "same_kind"):
            raise DtypeError(
                f"{what} of {self.step.optimizer} is {have}, its array holds {want}.",
                "cast it in the update",
                self.builder.span,
            )
        sizes = self.builder.sizes
        dims, room = sizes.resolve(new.type.dims), sizes.resolve(target.type.dims)
        if dims is None or room is None or (key and dims == ()):
            return
        known = not key or key in self.update.alike  # else lengths are known at the call alone
        if dims != room if known else len(dims) != len(room):
            shown, wanted = (f"({', '.join(map(str, one))})" for one in (dims, room))
            raise ShapeError(
                f"{what} of {self.step.optimizer} has shape {shown}, its array {wanted}.",
                "return an array of the parameter's shape",
                self.builder.span,
            )
