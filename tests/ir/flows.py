"""Random programs with control flow, writes and stacks that run: every operation fits its operands.

Enters: a seed.  Leaves: a function of a scalar, a vector of LENGTH entries and a count; every loop ends after
a few rounds.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from symdiff.ir import control, types
from symdiff.ir.build import Builder
from symdiff.ir.node import LEAF, Function, Node, Tree
from symdiff.ops import stacks
from symdiff.ops.row import REGISTRY

LENGTH = 3
INT, SCALAR, VECTOR = types.number("int"), types.array("float64", ()), types.array("float64", (LENGTH,))
STACK = types.stack_of(SCALAR)
Pools = dict[Any, list[Node]]
ADD, MULTIPLY, SIN, GREATER = (REGISTRY[name] for name in ("add", "multiply", "sin", "greater"))
INDEX, UPDATE, SUM = (REGISTRY[name] for name in ("index", "update", "sum"))


def values(seed: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(seed)
    return np.asarray(rng.uniform(-1, 1)), rng.uniform(-1, 1, LENGTH), int(rng.integers(0, 4))


def flow(seed: int, *, sharing: bool = True, primal: bool = True, size: int = 8) -> Function:
    return _Flow(seed, sharing, primal).function(size)


class _Flow:
    def __init__(self, seed: int, sharing: bool, primal: bool):
        self.draw = random.Random(seed)
        self.builder = Builder(sharing=sharing, primal=primal)

    def function(self, size: int) -> Function:
        with self.builder as builder:
            params = [
                builder.param(type, name, parameter=name, path=())
                for name, type in (("a", SCALAR), ("x", VECTOR), ("n", INT))
            ]
            builder.params = tuple(params)
            pools: Pools = {SCALAR: [params[0]], VECTOR: [params[1]], STACK: [], INT: [params[2]]}
            self.fill(pools, size, 2)
            results = [self.pick(pools, type) for type in (SCALAR, VECTOR, SCALAR)]
            results[2] = self.drained(self.pick(pools, STACK))
            return builder.finish("flow", params, results, Tree("tuple", (LEAF,) * 3))

    def pick(self, pools: Pools, type: Any) -> Node:
        """A value of a type: often one of the last."""
        if type == STACK and (not pools[STACK] or self.draw.random() < 0.2):
            return stacks.push(stacks.new_stack(), self.pick(pools, SCALAR))
        pool = pools[type]
        return self.draw.choice(pool[-3:] if self.draw.random() < 0.7 else pool)

    def fill(self, pools: Pools, size: int, depth: int) -> None:
        """Emit some nodes into the open region."""
        plain = [self.scalar, self.vector, self.written, self.stacked]
        regions = [self.branch, self.counted, self.repeated, self.block] if depth else []
        for _ in range(self.draw.randint(1, size)):
            make = self.draw.choice([*plain, *regions])
            (make(pools, depth) if make in regions else make(pools))

    def scalar(self, pools: Pools) -> None:
        a, b = self.pick(pools, SCALAR), self.pick(pools, SCALAR)
        at = (("int", self.draw.randrange(LENGTH)),)
        made = self.draw.choice(
            [
                lambda: ADD(a, b),
                lambda: MULTIPLY(a, b),
                lambda: SIN(a),
                lambda: MULTIPLY(a, self.draw.choice([1.0, 0.5, -2.0])),
                lambda: SUM(self.pick(pools, VECTOR)),
                lambda: INDEX(self.pick(pools, VECTOR), index=at),
                lambda: ADD(a, self.pick(pools, INT)),
            ]
        )()
        self.keep(pools, made)

    def vector(self, pools: Pools) -> None:
        x, y, a = self.pick(pools, VECTOR), self.pick(pools, VECTOR), self.pick(pools, SCALAR)
        make = self.draw.choice([lambda: ADD(x, y), lambda: MULTIPLY(a, x), lambda: SIN(x)])
        self.keep(pools, make())

    def written(self, pools: Pools) -> None:
        base = self.pick(pools, VECTOR)
        value = self.pick(pools, SCALAR)
        if self.draw.random() < 0.5:
            self.keep(pools, UPDATE(base, value, index=(("slice", None, None, 2),)))
        else:
            entry = REGISTRY["remainder"](self.pick(pools, INT), LENGTH)
            self.keep(pools, UPDATE(base, value, entry, index=(("arg", 0),)))

    def stacked(self, pools: Pools) -> None:
        rest, item = stacks.popped(stacks.push(self.pick(pools, STACK), self.pick(pools, SCALAR)))
        pools[STACK].append(self.draw.choice([rest, stacks.push(rest, item), rest]))
        pools[SCALAR].append(item)

    def keep(self, pools: Pools, node: Node) -> None:
        node = self.builder.named(node, self.draw.choice(["", "", "t", "s"]))
        pools[node.type].append(node)

    def body(self, pools: Pools, kinds: list[Any], depth: int, params: Any = ()) -> list[Node]:
        """What a region computes: one value of each kind, now and then one from outside."""
        inner = {type: list(pool) for type, pool in pools.items()}
        for param in params:
            inner[param.type].append(param)
        self.fill(inner, 4, depth - 1)
        return [self.pick(inner, kind) for kind in kinds]

    def condition(self, pools: Pools) -> Node:
        return GREATER(self.pick(pools, SCALAR), self.draw.choice([-0.5, 0.0, 0.5]))

    def kinds(self) -> list[Any]:
        return [self.draw.choice([SCALAR, VECTOR, STACK]) for _ in range(self.draw.randint(1, 3))]

    def add(self, pools: Pools, nodes: Any) -> None:
        for node in nodes:
            pools[node.type].append(node)

    def branch(self, pools: Pools, depth: int) -> None:
        kinds, condition = self.kinds(), self.condition(pools)
        outside = [self.pick(pools, kind) if self.draw.random() < 0.3 else None for kind in kinds]
        opened = []
        for _ in range(2):
            with self.builder.region() as region:
                found = self.body(pools, kinds, depth)
                region.results = [
                    new if old is None else old for new, old in zip(found, outside, strict=True)
                ]
            opened.append(region)
        self.add(pools, control.branch(condition, *opened))

    def block(self, pools: Pools, depth: int) -> None:
        with self.builder.region() as region:
            region.results = self.body(pools, self.kinds(), depth)
        self.add(pools, control.block(region))

    def counted(self, pools: Pools, depth: int) -> None:
        kinds, breaks = self.kinds(), self.draw.random() < 0.3
        initial = [self.pick(pools, kind) for kind in kinds]
        with self.builder.region(INT, *kinds) as region:
            region.results = self.following(pools, kinds, depth, region.params)
            if breaks:
                region.results.append(self.condition(pools))
        bounds = (0, self.draw.choice([2, self.pick(pools, INT)]), 1)
        made = control.count(*bounds, initial, region, reverse=self.draw.random() < 0.3, breaks=breaks)
        self.add(pools, made)

    def following(self, pools: Pools, kinds: list[Any], depth: int, params: Any) -> list[Node]:
        """The next values of a loop: some as they were."""
        found = self.body(pools, kinds, depth, params)
        same = [self.draw.random() < 0.25 for _ in kinds]
        carried = params[len(params) - len(kinds) :]
        return [old if keep else new for new, old, keep in zip(found, carried, same, strict=True)]

    def repeated(self, pools: Pools, depth: int) -> None:
        kinds = self.kinds()
        initial = [self.pick(pools, kind) for kind in kinds]
        with self.builder.region(*kinds, INT) as condition:
            more = GREATER(self.pick(pools, INT), condition.params[-1])
            condition.results = (REGISTRY["logical_and"](more, GREATER(3, condition.params[-1])),)
        with self.builder.region(*kinds, INT) as body:
            nexts = self.following(pools, kinds, depth, body.params[:-1])
            body.results = [*nexts, ADD(body.params[-1], 1)]
        self.add(pools, control.repeat((*initial, 0), condition, body))

    def drained(self, stack: Node) -> Node:
        """A number that depends on every item of a stack and their order."""
        with self.builder.region(INT, STACK, SCALAR) as body:
            rest, item = stacks.popped(body.params[1])
            body.results = (rest, ADD(MULTIPLY(0.5, body.params[2]), item))
        zero = SUM(REGISTRY["zeros_like"](SIN(item_of(stack))))
        return control.count(0, stacks.stack_length(stack), 1, (stack, zero), body)[1]


def item_of(stack: Node) -> Node:
    return stacks.stack_item(stack, 0)
