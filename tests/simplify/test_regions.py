"""Simplification of programs with control flow: inside bodies too, and only with what is visible there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ir.flows import flow, values
from ops.evaluate import evaluate
from simplify.programs import SCALAR, VECTOR, N, program, users

from symdiff.ir import control, types
from symdiff.ir.build import Builder, current
from symdiff.ir.control import CONTROL
from symdiff.ir.node import Function, Node
from symdiff.ir.text import to_text
from symdiff.ir.verify import verify
from symdiff.ops import stacks
from symdiff.ops.arithmetic import greater
from symdiff.ops.control import closure, is_permuted, roots, store
from symdiff.ops.elementwise import exp
from symdiff.ops.reductions import add_reduce
from symdiff.ops.row import REGISTRY, row_of
from symdiff.ops.shaping import copy, reshape, shape_of, transpose, zeros_like
from symdiff.ops.updates import update
from symdiff.simplify import simplify
from symdiff.simplify.cost import cost
from symdiff.simplify.linear import pulled, with_dots, with_signs
from symdiff.simplify.rebuild import replaced

INT = types.number("int")
ARRAY = types.array("float64", (N,))
DRAW = row_of(np.random.random)
OPS = {**REGISTRY, "store": store, "closure": closure}


def same(a: Function, b: Function, *given: Any) -> None:
    for one, other in zip(evaluate(a, *given), evaluate(b, *given), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


PASSES: dict[str, Callable[[Function], Function]] = {
    "simplify": simplify,
    "sums": lambda function: pulled(function, products=False),
    "products": lambda function: pulled(function, products=True),
    "dots": with_dots,
    "signs": with_signs,
}


@pytest.mark.parametrize("primal", [True, False])
@pytest.mark.parametrize("seed", range(80))
def test_every_pass_keeps_every_value(seed: int, primal: bool) -> None:
    function = flow(seed, primal=primal, size=12)
    verify(function, OPS)
    for make in PASSES.values():
        made = make(function)
        verify(made, OPS)
        assert cost(made) <= cost(function) * (1 + 1e-9) or make is not simplify
        for k in range(2):
            same(function, made, *values(1000 * k + seed))


def rounds(body: Callable[..., Any], *initial: Node, count: Any = 4, reverse: bool = False) -> Any:
    """The values of a loop whose body is a function of the counter and the carried values."""
    with current().region(INT, *(node.type for node in initial)) as opened:
        made = body(*opened.params)
        opened.results = made if isinstance(made, tuple) else (made,)
    found = control.count(0, count, 1, initial, opened, reverse=reverse)
    return found[0] if len(found) == 1 else found


def inside(function: Function, name: str = "for") -> list[str]:
    """Names of the operations in the bodies of loops."""
    loops = [node for node in function.nodes() if node.op.name == name]
    return [node.op.name for loop in loops for region in loop.regions for node in region.body]


def checked(function: Function, *dims: Any) -> Function:
    verify(function, OPS)
    made = simplify(function)
    verify(made, OPS, unique=True)
    rng = np.random.default_rng(0)
    given = [rng.uniform(0.5, 1.5, {VECTOR: (4,)}.get(one, ())) for one in dims]
    same(function, made, *given)
    return made


def test_a_body_is_simplified() -> None:
    def build(a: Any, b: Any, c: Any) -> Any:
        return rounds(lambda i, x: x * b + x * c, a)

    made = checked(program(build, VECTOR, VECTOR, VECTOR), VECTOR, VECTOR, VECTOR)
    assert Counter(inside(made)) == Counter(["add", "multiply"])


def test_the_body_of_a_body_is_simplified() -> None:
    def build(a: Any, b: Any, c: Any) -> Any:
        return rounds(lambda i, x: rounds(lambda k, y: -(y * b) - y * c, x), a, reverse=True)

    made = checked(program(build, VECTOR, VECTOR, VECTOR), VECTOR, VECTOR, VECTOR)
    assert inside(made).count("multiply") == 1


def test_branches_and_blocks_are_simplified() -> None:
    def build(a: Any, b: Any, c: Any) -> Any:
        with current().region() as then:
            then.results = (a * b + a * c,)
        with current().region() as otherwise:
            otherwise.results = (a / c - b / c,)
        (chosen,) = control.branch(greater(add_reduce(a), 0), then, otherwise)
        with current().region() as again:
            again.results = (chosen * b - chosen * c,)
        return control.block(again)[0]

    made = checked(program(build, VECTOR, VECTOR, VECTOR), VECTOR, VECTOR, VECTOR)
    arithmetic = [node.op.name for node in made.nodes() if node.op.name in ("add", "subtract", "multiply")]
    assert len(arithmetic) == 5


def test_the_users_body_stays() -> None:
    function = program(lambda a, b: rounds(lambda i, x: x * b + x * b, a), VECTOR, VECTOR, primal=True)
    assert to_text(simplify(function)) == to_text(function)


def test_a_value_of_one_branch_is_not_read_in_the_other() -> None:
    def build(a: Any, b: Any, c: Any) -> Any:
        with current().region() as then:
            then.results = (a / b, a * c)
        with current().region() as otherwise:
            otherwise.results = (a * c / b, a)
        return control.branch(greater(add_reduce(a), 0), then, otherwise)

    checked(program(build, VECTOR, VECTOR, VECTOR), VECTOR, VECTOR, VECTOR)


def test_a_value_that_comes_after_a_loop_is_not_read_in_it() -> None:
    def build(a: Any, b: Any, c: Any) -> Any:
        swept = rounds(lambda i, x: x + a * c / b, a)
        return swept, a / b

    checked(program(build, VECTOR, VECTOR, VECTOR), VECTOR, VECTOR, VECTOR)


def test_what_is_computed_before_a_loop_is_used_in_it() -> None:
    def build(a: Any, b: Any, c: Any) -> Any:
        quotient = users(lambda: a / b, current())
        return quotient, rounds(lambda i, x: x + exp(a * c / b), a)

    made = checked(program(build, VECTOR, VECTOR, VECTOR), VECTOR, VECTOR, VECTOR)
    assert "divide" not in inside(made)


def test_work_in_a_loop_weighs_ten_times() -> None:
    flat = program(lambda a, b: a * b, VECTOR, VECTOR)
    looped = program(lambda a, b: rounds(lambda i, x: x * b, a), VECTOR, VECTOR)
    nested = program(lambda a, b: rounds(lambda i, x: rounds(lambda k, y: y * b, x), a), VECTOR, VECTOR)
    assert cost(looped) == pytest.approx(10 * cost(flat))
    assert cost(nested) == pytest.approx(100 * cost(flat))


def test_a_factor_leaves_a_sum_in_a_body() -> None:
    def build(a: Any, s: Any) -> Any:
        return rounds(lambda i, total: total + add_reduce(s * (a * a)), s)

    made = checked(program(build, VECTOR, SCALAR), VECTOR, SCALAR)
    assert inside(made).count("matmul") == 1
    assert "sum" not in inside(made)


def test_draws_stay_in_order_and_in_their_loops() -> None:
    draw = DRAW
    assert draw is not None

    def build(a: Any, b: Any, c: Any) -> Any:
        first = draw()
        swept = rounds(lambda i, x: x * b + x * draw() - x * c * draw(), a * first)
        second = draw()
        return a * b * second + a * c * second, swept, a * first * b + a * first * c

    function = program(build, VECTOR, VECTOR, VECTOR)
    made = simplify(function)
    verify(made, OPS)
    assert [n.op.name for n in made.nodes() if not n.op.pure] == ["random.random"] * 4
    given = [np.linspace(0.5, 1, 4) + k for k in range(3)]
    found = []
    for one in (function, made):
        np.random.seed(1)
        found.append(evaluate(one, *given))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9)


def test_writes_into_parameters_stay_in_order() -> None:
    def build(a: Any, b: Any, c: Any) -> Any:
        def body(i: Any, x: Any) -> Any:
            store(c, x * a + x * b)
            return x * a

        swept = rounds(body, b)
        store(a, swept)
        return swept

    made = simplify(program(build, VECTOR, VECTOR, VECTOR))
    verify(made, OPS)
    assert [node.op.name for node in made.nodes() if node.op.name in ("store", "for")] == [
        "store",
        "for",
        "store",
    ]
    assert Counter(inside(made))["multiply"] == 2


def test_stacks_are_threaded() -> None:
    def build(a: Any, b: Any) -> Any:
        def forward(i: Any, x: Any, saved: Any) -> Any:
            return x * b, stacks.push(saved, x)

        with current().region(INT, ARRAY, types.stack_of(ARRAY)) as body:
            body.results = forward(*body.params)
        final, saved = control.count(0, 5, 1, (a, stacks.new_stack()), body)

        def backward(i: Any, total: Any, stack: Any) -> Any:
            rest, x = stacks.popped(stack)
            return total * x + total * b, rest

        total, _ = rounds(backward, final, saved, count=5, reverse=True)
        return total

    made = checked(program(build, VECTOR, VECTOR), VECTOR, VECTOR)
    assert inside(made).count("multiply") == 2
    assert inside(made).count("push") == inside(made).count("pop") == 1


def test_a_replacement_in_one_region_leaves_the_others() -> None:
    function = program(lambda a, b: (rounds(lambda i, x: x * b, a), a * b), VECTOR, VECTOR)
    product = function.results[1]
    with Builder.beside(function, []):
        new = function.params[0] + function.params[1]
    made = replaced(function, {product: new})
    verify(made, OPS)
    assert inside(made) == ["multiply"]
    assert made.results[1] is new


def returned(build: Callable[..., Any]) -> tuple[Function, Function]:
    function = program(build, VECTOR, VECTOR)
    return function, simplify(function)


COPIES: dict[str, tuple[Callable[..., Any], bool]] = {
    "a final value made inside": (lambda a, b: copy(rounds(lambda i, x: x * b, a + b)), False),
    "a final value that may be an argument": (lambda a, b: copy(rounds(lambda i, x: x * b, a)), True),
    "a branch that is an argument": (lambda a, b: copy(chosen(a, a * b)), True),
    "two branches that are made": (lambda a, b: copy(chosen(a + b, a * b)), False),
    "a value that leaves beside it": (lambda a, b: pair(rounds(lambda i, x: x * b, a + b)), True),
    "an initial value that leaves": (lambda a, b: initial(a + b, b), True),
    "an item of a stack": (lambda a, b: copy(stacks.popped(stacks.push(stacks.new_stack(), a * b))[1]), True),
    "a view of what a loop made": (
        lambda a, b: copy(reshape(rounds(lambda i, x: x * b, a + b), shape_of(a))),
        False,  # to its own shape: no view
    ),
}


def chosen(one: Any, other: Any) -> Any:
    with current().region() as then:
        then.results = (one,)
    with current().region() as otherwise:
        otherwise.results = (other,)
    return control.branch(greater(add_reduce(one), 0), then, otherwise)[0]


def pair(value: Any) -> Any:
    return value, copy(value)


def initial(value: Any, b: Any) -> Any:
    return value, copy(rounds(lambda i, x: x * b, value))


@pytest.mark.parametrize("name", COPIES)
def test_copies_that_are_needed(name: str) -> None:
    build, needed = COPIES[name]
    function = program(build, VECTOR, VECTOR)
    assert ("copy" in [node.op.name for node in simplify(function).nodes()]) is needed


def test_roots_of_what_control_flow_hands_on() -> None:
    def build(a: Any, b: Any) -> Any:
        made = zeros_like(a)

        def body(i: Any, x: Any, y: Any, kept: Any) -> Any:
            return y, update(x, 1.0, index=(("int", 0),)), kept

        return (*rounds(body, a, made, b), chosen(a, chosen(made, b)))

    function = program(build, VECTOR, VECTOR)
    a, b = function.params
    names = [{root.op.name for root in roots(result)} for result in function.results]
    made = {"zeros_like", "update"}
    assert names == [{*made, "param"}, made, {"param"}, {"param", "zeros_like"}]
    assert roots(function.results[2]) == {b}
    assert a in roots(function.results[0])
    assert b not in roots(function.results[0])


def test_permuted_memory_comes_out_of_loops() -> None:
    def build(a: Any) -> Any:
        saved = stacks.push(stacks.new_stack(), transpose(a) * 2)
        turned = rounds(lambda i, x: transpose(x) + 1, a * 2)
        straight = rounds(lambda i, x: x + 1, a * 2)
        later = rounds(lambda i, x, y: (transpose(y) * 2, x), a + 1, a + 2)
        return turned, straight, *later, stacks.popped(saved)[1], chosen(a + 1, transpose(a) + 1)

    function = program(build, (N, N))
    assert [is_permuted(result) for result in function.results] == [True, False, True, True, True, True]


def test_a_pullback_with_a_loop_is_simplified_and_keeps_its_result_fresh() -> None:
    def build(a: Any, b: Any) -> Any:
        with current().region(ARRAY) as back:
            (g,) = back.params
            swept = rounds(lambda i, total: total * a + total * b, g)
            back.results = (copy(swept), g * a / a)
        return current().emit(closure, (), {}, (back.closed(),))

    function = program(build, VECTOR, VECTOR)
    made = simplify(function)
    verify(made, OPS)
    assert Counter(inside(made)) == Counter(["add", "multiply"])
    region = made.results[0].regions[0]
    assert region.results[0].op is copy
    assert all(root.op.name != "param" for root in roots(region.results[1]))
    assert set(CONTROL) >= {"for", "part"}
