"""Random programs with loops, branches, writes, views, swaps, stacks and aliases.

Arithmetic is exact in any order of memory (sums and products of elements), so that generated code and the
interpreter must agree bit for bit.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from symdiff.ir import control, types
from symdiff.ir.build import Builder
from symdiff.ir.node import LEAF, Function, Node, Parameter, Tree
from symdiff.ir.types import Size, Type
from symdiff.ops.control import closure
from symdiff.ops.row import REGISTRY

N = Size("n")
VECTOR, MATRIX = types.array("float64", (N,)), types.array("float64", (N, N))
ELEMENT, NUMBER, COUNT = types.array("float64", ()), types.number("float"), types.number("int")
KINDS: dict[str, Type] = {"v": VECTOR, "m": MATRIX, "e": ELEMENT, "S": types.stack_of(VECTOR)}
FULL = ("slice", None, None, None)
BACKWARDS = ("slice", None, None, -1)
WORDS = ("x", "h", "s", "A", "row", "total", "", "", "", "")
LENGTH = 4


def operation(name: str, *args: Any, **attrs: Any) -> Node:
    node = REGISTRY[name](*args, **attrs)
    assert isinstance(node, Node)
    return node


class Scope:
    """What a block may read: values by kind."""

    def __init__(self, values: dict[str, list[Node]], counters: list[Node]):
        self.values = {kind: list(found) for kind, found in values.items()}
        self.counters = list(counters)

    def inner(self) -> Scope:
        return Scope(self.values, self.counters)


class Flows:
    """One random program."""

    def __init__(self, seed: int, size: int = 12):
        self.r = random.Random(seed)
        self.size = size
        self.builder = Builder(primal=True)
        self.primal = seed % 3 != 0

    def function(self, inner: bool = False, given: bool = False) -> Function:
        """inner: the second result is a function of one vector, made by more random code. given: the same
        code follows where that function stands, with the vector as one more argument."""
        with self.builder as builder:
            params = [
                builder.param(KINDS[kind], name, parameter=name, path=())
                for kind, name in (("v", "v"), ("v", "u"), ("m", "M"), ("e", "c"))
            ]
            many = builder.param(COUNT, "n", parameter="n", path=())
            self.many = many
            builder.primal = self.primal
            scope = Scope({"v": params[:2], "m": params[2:3], "e": params[3:], "S": []}, [])
            self.block(scope, self.size, 0)
            results = [self.pick(scope, self.r.choice("vvme")) for _ in range(self.r.randint(1, 4))]
            results += [self.pick(scope, "S")] if scope.values["S"] and self.r.random() < 0.5 else []
            tree = Tree("tuple", (LEAF,) * len(results))
            params.append(many)
            if inner:
                with builder.region(VECTOR) as region:
                    region.results = self.back(scope, region.params[0])
                back = Tree("tuple", (LEAF,) * len(region.results))
                results.append(
                    builder.emit(closure, (), {"cotangents": LEAF, "tree": back}, (region.closed(),))
                )
                tree = Tree("tuple", (tree, LEAF))
            if given:
                params.append(builder.param(VECTOR, "g", parameter="g", path=()))
                results = self.back(scope, params[-1])
                tree = Tree("tuple", (LEAF,) * len(results))
            parameters = tuple(Parameter(param.name) for param in params)
            return builder.finish("f", params, results, tree, parameters, "A random program.")

    def back(self, scope: Scope, given: Node) -> list[Node]:
        inside = scope.inner()
        inside.values["v"].append(given)
        self.block(inside, self.size, 0)
        return [self.pick(inside, kind) for kind in "vme"]

    def pick(self, scope: Scope, kind: str) -> Node:
        found = scope.values[kind]
        return self.r.choice(found[-4:]) if self.r.random() < 0.75 else self.r.choice(found)

    def add(self, scope: Scope, kind: str, node: Node) -> None:
        if self.r.random() < 0.4:
            (self.builder.named if self.builder.primal else self.builder.label)(node, self.r.choice(WORDS))
        scope.values[kind].append(node)

    def block(self, scope: Scope, size: int, depth: int) -> None:
        steps = [self.arithmetic, self.arithmetic, self.view, self.view, self.write, self.write, self.write,
                 self.augment, self.augment, self.fresh, self.stack, self.stack, self.element,
                 self.shared, self.shared, self.shared, self.shared]  # fmt: skip
        if depth < 3:
            steps += [self.branch, self.loop, self.loop, self.repeat, self.saving, self.unset, self.late]
            steps += [self.chased, self.chased, self.rotated, self.rotated]
        for _ in range(size):
            step = self.r.choice(steps)
            if step in (
                self.branch,
                self.loop,
                self.repeat,
                self.saving,
                self.unset,
                self.late,
                self.chased,
                self.rotated,
            ):
                step(scope, depth)  # type: ignore[call-arg]
            else:
                step(scope)  # type: ignore[call-arg]

    # Single operations

    def arithmetic(self, scope: Scope) -> None:
        kind = self.r.choice("vvme")
        name = self.r.choice(["add", "subtract", "multiply"])
        a, b = self.pick(scope, kind), self.pick(scope, self.r.choice([kind, kind, "e"]))
        self.add(scope, kind, operation(name, a, b * 0.5))

    def element(self, scope: Scope) -> None:
        x = self.pick(scope, "v")
        self.add(scope, "e", operation("index", x, *self.place(scope)[0], index=self.place_))

    def place(self, scope: Scope) -> tuple[list[Node], Any]:
        """An index of one element: operands, and the entries."""
        if scope.counters and self.r.random() < 0.6:
            self.place_: Any = (("arg", 0),)
            return [self.r.choice(scope.counters)], self.place_
        self.place_ = (("int", self.r.choice([0, 1, -1])),)
        return [], self.place_

    def view(self, scope: Scope) -> None:
        kind = self.r.random()
        if kind < 0.3:
            self.add(scope, "m", operation("transpose", self.pick(scope, "m")))
        elif kind < 0.5:
            which = self.r.choice("vm")
            self.add(scope, which, operation("index", self.pick(scope, which), index=(BACKWARDS,)))
        else:
            operands, entries = self.place(scope)
            self.add(scope, "v", operation("index", self.pick(scope, "m"), *operands, index=entries))

    def fresh(self, scope: Scope) -> None:
        kind = self.r.choice("vm")
        x = self.pick(scope, kind)
        self.add(scope, kind, operation(self.r.choice(["zeros_like", "copy"]), x))

    def write(self, scope: Scope) -> None:
        kind = self.r.choice("vvm")
        base, chosen = self.pick(scope, kind), self.r.random()
        operands, entries = self.place(scope)
        if kind == "v" and chosen < 0.4:
            made = operation("update", base, self.pick(scope, "e"), *operands, index=entries)
        elif kind == "v" and chosen < 0.6:
            part = operation("index", self.pick(scope, "v"), index=(("slice", 1, None, None),))
            made = operation("update", base, part, index=(("slice", None, -1, None),))
        elif kind == "v" and chosen < 0.7:
            mask = operation("greater", self.pick(scope, "v"), self.pick(scope, "e"))
            made = operation("update", base, self.pick(scope, "e"), mask, index=(("arg", 0),))
        elif kind == "v":
            made = operation(
                "update", base, self.pick(scope, "v"), index=(self.r.choice([("ellipsis",), FULL]),)
            )
        elif chosen < 0.4:
            made = operation("update", base, self.pick(scope, "v"), *operands, index=entries)
        elif chosen < 0.6:
            value, view = self.pick(scope, "v"), (("transpose", None),)
            made = operation("update", base, value, *operands, index=entries, view=view)
        elif chosen < 0.8:
            view = (("index", entries),)
            value = self.pick(scope, self.r.choice("ve"))
            made = operation("update", base, value, *operands, index=(("ellipsis",),), view=view)
        else:
            made = operation("update", base, self.pick(scope, "m"), index=(("ellipsis",),))
        self.add(scope, kind, made)

    def augment(self, scope: Scope) -> None:
        kind, name = self.r.choice("vvm"), self.r.choice(["add", "subtract", "multiply"])
        base = self.pick(scope, kind)
        operands, entries = self.place(scope)
        if self.r.random() < 0.3:
            part = operation("index", base, index=(("slice", 1, None, None),))
            self.add(scope, kind, operation("add_at", base, part, index=(("slice", None, -1, None),)))
        elif self.r.random() < 0.3:
            value = operation(name, base, self.pick(scope, self.r.choice([kind, "e"])))
            self.add(scope, kind, operation("update", base, value, index=(("ellipsis",),)))
        else:
            place = operation("index", base, *operands, index=entries)
            value = operation(name, place, self.pick(scope, "e" if kind == "v" else "v"))
            self.add(scope, kind, operation("update", base, value, *operands, index=entries))

    def stack(self, scope: Scope) -> None:
        stacks = scope.values["S"]
        if not stacks or self.r.random() < 0.2:
            stacks.append(operation("new_stack"))
        pushed = operation("push", self.pick(scope, "S"), self.pick(scope, "v"))
        chosen = self.r.random()
        if chosen < 0.3:
            rest, item = REGISTRY["pop"](pushed), None
            rest, item = control.ITEM(rest, index=0), control.ITEM(rest, index=1)
            self.add(scope, "v", item)
            if self.r.random() < 0.5:
                stacks.append(rest)
        elif chosen < 0.5:
            self.add(scope, "v", operation("stack_item", pushed, -1))
            stacks.append(pushed)
        else:
            stacks.append(pushed)

    def written(self, scope: Scope, base: Node) -> Node:
        """A write into a vector or a matrix."""
        operands, entries = self.place(scope)
        value = self.pick(scope, "e")
        if self.r.random() < 0.3:
            value = operation("index", base, *operands, index=entries) * 2.0
        return operation("update", base, value, *operands, index=entries)

    def shared(self, scope: Scope) -> None:
        """An array of our own that is kept in several ways, written into, and read again by all of them."""
        kind = self.r.choice("vvm")
        own = operation("copy", self.pick(scope, kind))
        if self.r.random() < 0.3:
            own = self.written(scope, own)
        kept: dict[str, list[Node]] = {"v": [], "m": [], "S": []}
        targets = [own]
        for _ in range(self.r.randint(1, 2)):
            chosen = self.r.random()
            if kind == "v" and chosen < 0.5:
                stack = operation(
                    "push", self.r.choice([operation("new_stack"), *scope.values["S"][-1:]]), own
                )
                kept["S"].append(stack)
                if self.r.random() < 0.5:
                    item = operation("stack_item", stack, -1)
                    kept["v"].append(item)
                    targets.append(item)
                if self.r.random() < 0.4:
                    above = (
                        operation("push", stack, self.pick(scope, "v")) if self.r.random() < 0.5 else stack
                    )
                    both = REGISTRY["pop"](above)
                    kept["S"].append(control.ITEM(both, index=0))
                    targets.append(control.ITEM(both, index=1))
            elif chosen < 0.7:
                other = self.pick(scope, kind)
                with self.builder.region() as then:
                    then.results = [own]
                with self.builder.region() as otherwise:
                    otherwise.results = [other]
                opened = [then, otherwise] if self.r.random() < 0.5 else [otherwise, then]
                condition = operation("greater", self.pick(scope, "e"), 0.0)
                (either,) = control.branch(condition, *opened)
                kept[kind].append(either)
                targets.append(either)
            elif kind == "m":
                view = [operation("transpose", own), operation("index", own, index=(("int", 0),))]
                kept["m"].append(view[0])
                kept["v"].append(view[1])
            else:
                kept["v"].append(operation("index", own, index=(BACKWARDS,)))
        made = self.written(scope, self.r.choice(targets))
        if self.r.random() < 0.3:
            made = self.written(scope, made)
        if self.r.random() < 0.5:
            kept[kind].append(self.r.choice(targets))
        if self.r.random() < 0.5 and kept["v"] and kind == "v":
            made = made + self.r.choice(kept["v"])
        for which, values in kept.items():
            for value in values:
                self.add(scope, which, value)
        self.add(scope, kind, made)

    # Regions

    def rotated(self, scope: Scope, depth: int) -> None:
        """A loop where arrays take each other's places, written into on the way."""
        own = [operation("copy", self.pick(scope, "v")) for _ in range(4)]
        if self.r.random() < 0.2:
            own[self.r.randrange(3)] = self.pick(scope, "v")
        if self.r.random() < 0.2:
            own[1] = own[0]
        stacked = self.r.random() < 0.3
        kinds = [VECTOR] * 3 + [KINDS["S"]] * stacked
        with self.builder.region(COUNT, *kinds) as body:
            counter, *params = body.params
            values, stack = list(params[:3]), params[3:]
            inner = self.inside(scope, ["v"] * 3, params[:3], [counter])
            for _ in range(self.r.randint(1, 3)):
                k = self.r.randrange(3)
                values[k] = self.written(inner, values[k])
                if stack and self.r.random() < 0.4:
                    stack = [operation("push", stack[0], self.r.choice([*values, *params[:3]]))]
            inner.values["v"] += values
            if depth < 2 and self.r.random() < 0.3:
                self.rotated(inner, depth + 1)
                values[0] = inner.values["v"][-1]
            if self.r.random() < 0.3:
                values[self.r.randrange(3)] = self.r.choice([*values, *params[:3], own[3]])
            self.r.shuffle(values)
            body.results = [*values, *stack]
        initial = [*own[:3], *([operation("new_stack")] if stacked else [])]
        many = self.r.choice([3, 3, self.many])
        *values, last = control.count(0, many, 1, initial, body)
        scope.values["S" if stacked else "v"].append(last)
        for value in self.r.sample([*values[:2], *own], 2):
            self.add(scope, "v", value)
        written = self.written(scope, self.r.choice([*values[:2], last] if not stacked else values))
        self.add(scope, "v", written + values[0])

    def chased(self, scope: Scope, depth: int) -> None:
        """A loop where a value and those before it are carried, written into and pushed."""
        first = operation("copy", self.pick(scope, "v")) if self.r.random() < 0.6 else self.pick(scope, "v")
        second = first if self.r.random() < 0.5 else self.pick(scope, "v")
        third = operation("copy", first)
        with self.builder.region(COUNT, VECTOR, VECTOR, KINDS["S"]) as body:
            counter, now, before, stack = body.params
            inner = self.inside(scope, ["v", "v"], [now, before], [counter])
            if self.r.random() < 0.3:
                self.filled(inner, depth)
            target = self.r.choice([now, now, before])
            if self.r.random() < 0.4:
                stack = operation("push", stack, self.r.choice([now, before]))
            made = self.written(inner, target)
            if self.r.random() < 0.4:
                stack = operation("push", stack, self.r.choice([now, made]))
            if self.r.random() < 0.4:
                made = self.written(inner, made)
            if self.r.random() < 0.3:
                made = made + self.r.choice([now, before])
            following = self.r.choice([now, made, before, third])
            body.results = [made, following, stack]
            if self.r.random() < 0.3:
                body.results = [following, made, stack]
            breaks = self.r.random() < 0.3
            if breaks:
                late = operation("index", self.r.choice([now, before, made]), index=(("int", 1),))
                body.results = [*body.results, operation("greater", late, 0.2)]
        initial = [first, second, operation("new_stack")]
        many = 3 if self.r.random() < 0.7 else self.r.choice([0, self.many])
        one, other, stack = control.count(0, many, 1, initial, body, breaks=breaks)
        if self.r.random() < 0.4:
            self.add(scope, "v", self.written(scope, self.r.choice([one, other])))
        for value in self.r.sample([one, other, first, second, third], 3):
            self.add(scope, "v", value)
        scope.values["S"].append(stack)

    def kinds(self, scope: Scope) -> list[str]:
        chosen = self.r.choices("vvmmeS", k=self.r.randint(1, 4))
        return [kind for kind in chosen if scope.values[kind]] or ["v"]

    def filled(self, scope: Scope, depth: int) -> None:
        self.block(scope, self.r.randint(1, 5), depth + 1)

    def branch(self, scope: Scope, depth: int) -> None:
        kinds = self.kinds(scope)
        condition = operation("greater", self.pick(scope, "e"), 0.5)
        opened = []
        for _ in range(2):
            with self.builder.region() as region:
                inner = scope.inner()
                if self.r.random() < 0.8:
                    self.filled(inner, depth)
                region.results = [self.pick(inner, kind) for kind in kinds]
            opened.append(region)
        for kind, value in zip(kinds, control.branch(condition, *opened), strict=True):
            self.add(scope, kind, value)

    def unset(self, scope: Scope, depth: int) -> None:
        """A variable that only one branch sets, read where that branch was taken."""
        condition = operation("greater", self.pick(scope, "e"), 0.1)
        with self.builder.region() as then:
            inner = scope.inner()
            self.filled(inner, depth)
            then.results = [self.pick(inner, "v"), self.pick(inner, "m")]
        with self.builder.region() as otherwise:
            inner = scope.inner()
            self.filled(inner, depth)
            otherwise.results = [control.UNDEFINED(), self.pick(inner, "m")]
        value, other = control.branch(condition, then, otherwise)
        self.add(scope, "m", other)
        if self.r.random() < 0.6:
            with self.builder.region(COUNT, VECTOR) as body:
                inner = self.inside(scope, [], [], [body.params[0]])
                self.filled(inner, depth)
                body.results = [self.pick(inner, "v") if self.r.random() < 0.3 else body.params[1]]
            (value,) = control.count(0, 0 if self.r.random() < 0.5 else self.many, 1, [value], body)
        else:
            self.filled(scope, depth)
        with self.builder.region() as then:
            inner = scope.inner()
            inner.values["v"].append(value)
            self.filled(inner, depth)
            then.results = [self.pick(inner, "v")]
        with self.builder.region() as otherwise:
            otherwise.results = [self.pick(scope, "v")]
        (result,) = control.branch(condition, then, otherwise)
        self.add(scope, "v", result)

    def late(self, scope: Scope, depth: int) -> None:
        """Variables that a loop sets first."""
        kinds = self.kinds(scope)
        carried = [control.UNDEFINED() for _ in kinds]
        with self.builder.region(COUNT, *(KINDS[kind] for kind in kinds)) as body:
            inner = self.inside(scope, [], [], [body.params[0]])
            self.filled(inner, depth)
            body.results = [self.pick(inner, kind) for kind in kinds]
        for kind, value in zip(kinds, control.count(0, 3, 1, carried, body), strict=True):
            self.add(scope, kind, value)

    def entered(self, scope: Scope, kinds: list[str]) -> list[Node]:
        return [self.pick(scope, kind) for kind in kinds]

    def inside(self, scope: Scope, kinds: list[str], params: list[Node], counters: list[Node]) -> Scope:
        inner = scope.inner()
        inner.counters += counters
        for kind, param in zip(kinds, params, strict=True):
            if self.r.random() < 0.3:
                object.__setattr__(param, "name", self.r.choice(WORDS))
            inner.values[kind].append(param)
        return inner

    def stop(self, inner: Scope) -> Node:
        flag = operation("greater", self.pick(inner, "e"), 0.9)
        if self.r.random() < 0.5:
            return flag
        with self.builder.region() as then:
            then.results = [self.builder.const(self.r.random() < 0.7)]
        with self.builder.region() as otherwise:
            otherwise.results = [self.builder.const(self.r.random() < 0.4)]
        return control.branch(flag, then, otherwise)[0]

    def loop(self, scope: Scope, depth: int) -> None:
        kinds = self.kinds(scope)
        initial = self.entered(scope, kinds)
        breaks = self.r.random() < 0.25
        bounds = self.r.choice([(0, 3, 1), (1, 4, 1), (0, 4, 2), (0, self.many, 1), (3, -1, -1)])
        with self.builder.region(COUNT, *(KINDS[kind] for kind in kinds)) as body:
            counter, *params = body.params
            inner = self.inside(scope, kinds, params, [counter])
            self.filled(inner, depth)
            results = [self.pick(inner, kind) for kind in kinds]
            body.results = [*results, self.stop(inner)] if breaks else results
        values = control.count(*bounds, initial, body, reverse=self.r.random() < 0.3, breaks=breaks)
        for kind, value in zip(kinds, values, strict=True):
            self.add(scope, kind, value)

    def repeat(self, scope: Scope, depth: int) -> None:
        kinds = self.kinds(scope)
        initial = self.entered(scope, kinds)
        breaks = self.r.random() < 0.25
        with self.builder.region(COUNT, *(KINDS[kind] for kind in kinds)) as condition:
            inner = self.inside(scope, kinds, list(condition.params[1:]), [])
            if self.r.random() < 0.3:
                self.filled(inner, 3)
            enough = operation("less", condition.params[0], 3)
            other = operation("less", self.pick(inner, "e"), 4.0)
            condition.results = [self.r.choice([enough, operation("logical_and", enough, other)])]
        with self.builder.region(COUNT, *(KINDS[kind] for kind in kinds)) as body:
            k, *params = body.params
            inner = self.inside(scope, kinds, params, [k])
            self.filled(inner, depth)
            results = [k + 1, *(self.pick(inner, kind) for kind in kinds)]
            body.results = [*results, self.stop(inner)] if breaks else results
        _, *values = control.repeat([0, *initial], condition, body, breaks=breaks)
        for kind, value in zip(kinds, values, strict=True):
            self.add(scope, kind, value)

    def saving(self, scope: Scope, depth: int) -> None:
        """A loop that pushes, and one in reverse that pops."""
        many: Any = self.r.choice([3, self.many])
        first = self.pick(scope, "v")
        with self.builder.region(COUNT, VECTOR, KINDS["S"]) as body:
            i, x, saved = body.params
            inner = self.inside(scope, ["v"], [x], [i])
            before = self.pick(inner, "v")
            early = operation("push", saved, before) if self.r.random() < 0.5 else None
            self.filled(inner, depth)
            pushed = early if early is not None else operation("push", saved, self.pick(inner, "v"))
            body.results = [self.pick(inner, "v"), pushed]
        last, saved = control.count(0, many, 1, [first, operation("new_stack")], body)
        self.add(scope, "v", last)
        with self.builder.region(COUNT, VECTOR, KINDS["S"]) as back:
            i, g, kept = back.params
            both = REGISTRY["pop"](kept)
            rest, item = control.ITEM(both, index=0), control.ITEM(both, index=1)
            inner = self.inside(scope, ["v", "v"], [g, item], [i])
            self.filled(inner, depth)
            back.results = [self.pick(inner, "v") + item, rest]
        total, _ = control.count(0, many, 1, [self.pick(scope, "v"), saved], back, reverse=True)
        self.add(scope, "v", total)


def arguments(seed: int) -> list[Any]:
    generator = np.random.default_rng(seed)
    shapes = [(LENGTH,), (LENGTH,), (LENGTH, LENGTH), ()]
    return [*(np.asarray(generator.uniform(-1, 1, shape)) for shape in shapes), int(generator.integers(0, 4))]


def flow(seed: int, size: int = 12, **parts: bool) -> Function:
    return Flows(seed, size).function(**parts)
