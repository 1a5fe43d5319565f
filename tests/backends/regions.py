"""Programs with loops, branches and writes, built by hand; the text of each is the body that is printed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from backends.flows import COUNT, ELEMENT, FULL, MATRIX, NUMBER, VECTOR, operation

from symdiff.errors import Span
from symdiff.ir import control, types
from symdiff.ir.build import Builder, current
from symdiff.ir.node import LEAF, Function, Node, Parameter, Tree
from symdiff.ops.effects import perform
from symdiff.ops.row import REGISTRY

Values = Sequence[Any]
Make = Callable[..., Values]
PARAMS = {"v": VECTOR, "u": VECTOR, "M": MATRIX, "c": ELEMENT, "n": COUNT}
STACK = types.stack_of(VECTOR)
PROGRAMS: dict[str, Make] = {}
ALL = (("ellipsis",),)


def program(make: Make) -> Make:
    PROGRAMS[make.__name__] = make
    return make


def function(make: Make) -> Function:
    """The function of a program: its parameters are those that it names."""
    builder = Builder()
    with builder:
        names = make.__code__.co_varnames[: make.__code__.co_argcount]
        params = [builder.param(PARAMS[name], name, parameter=name, path=()) for name in names]
        results = make(*params)
        tree = Tree("tuple", (LEAF,) * len(results)) if len(results) > 1 else LEAF
        parameters = tuple(Parameter(name) for name in names)
        return builder.finish(make.__name__, params, list(results), tree, parameters, "A program.")


def region(types_: Sequence[types.Type], body: Callable[..., Values], names: str = "") -> Any:
    with current().region(*types_) as opened:
        for param, name in zip(opened.params, names.split(), strict=False):
            object.__setattr__(param, "name", name if name != "-" else "")
        opened.results = list(body(*opened.params))
    return opened


def loop(
    carried: Values,
    kinds: Sequence[types.Type],
    body: Callable[..., Values],
    bounds: Values = (),
    names: str = "",
    **facts: Any,
) -> tuple[Node, ...]:
    start, stop, step = (0, *bounds, 1) if len(bounds) == 1 else bounds
    span, opened = current().span, region([COUNT, *kinds], body, names)
    current().span = span
    return control.count(start, stop, step, carried, opened, **facts)


def either(condition: Node, then: Callable[[], Values], otherwise: Callable[[], Values]) -> tuple[Node, ...]:
    return control.branch(condition, region([], then), region([], otherwise))


def named(node: Node, name: str) -> Node:
    return current().named(node, name)


def at(x: Any, i: Any) -> Node:
    return operation("index", x, i, index=(("arg", 0),))


def put(x: Any, i: Any, value: Any) -> Node:
    return operation("update", x, value, i, index=(("arg", 0),))


def popped(stack: Node) -> tuple[Node, Node]:
    both = REGISTRY["pop"](stack)
    return control.ITEM(both, index=0), control.ITEM(both, index=1)


def do(text: str, *operands: Node) -> None:
    current().emit(perform, operands, {"text": text})


def line(text: str) -> None:
    current().span = Span("f.py", 1, 0, 1, 1, text)


# Loops


@program
def total(v: Any, n: Any) -> Values:
    return loop([0.0], [ELEMENT], lambda i, s: [s + at(v, i)], [n], "i s")


@program
def fibonacci(n: Any) -> Values:
    return loop([0.0, 1.0], [NUMBER, NUMBER], lambda i, a, b: [b, a + b], [n], "- a b")


@program
def swapped(v: Any, u: Any, n: Any) -> Values:
    return loop([v, u], [VECTOR, VECTOR], lambda i, a, b: [b, a], [n], "- a b")


@program
def the_last_and_the_one_before(v: Any, n: Any) -> Values:
    """The initial value is read after the loop."""
    x = named(v * 2.0, "x")
    return [*loop([x, x], [VECTOR, VECTOR], lambda i, now, before: [now * 0.5, now], [n], "- now before"), x]


@program
def counter_leaks(v: Any, n: Any) -> Values:
    i, s = loop([0, 0.0], [COUNT, ELEMENT], lambda i, last, s: [i, s + at(v, i)], [n], "i i s")
    return [s * i]


@program
def bounds(v: Any) -> Values:
    (s,) = loop([0.0], [ELEMENT], lambda i, s: [s + at(v, i)], [1, 4, 2], "i s")
    (t,) = loop([0.0], [ELEMENT], lambda i, t: [t + at(v, i)], [1, 4, 1], "i t", reverse=True)
    return [s, t]


@program
def nested(M: Any, n: Any) -> Values:
    def row(i: Node, s: Node) -> Values:
        x = at(M, i)
        return loop([s], [ELEMENT], lambda j, s: [s + at(x, j)], [n], "j s")

    return loop([0.0], [ELEMENT], row, [n], "i s")


@program
def until() -> Values:
    condition = region(
        [ELEMENT], lambda x: [operation("greater", operation("absolute", x * x - 2.0), 1e-9)], "x"
    )
    body = region([ELEMENT], lambda x: [(x + 2.0 / x) * 0.5], "x")
    return control.repeat([1.0], condition, body)


@program
def tested_inside() -> Values:
    """The condition takes more than one expression."""

    def test(x: Node) -> Values:
        y = named(operation("sin", x), "y")
        return [operation("greater", y * y, 0.01)]

    condition = region([NUMBER], test, "x")
    return control.repeat([1.0], condition, region([NUMBER], lambda x: [x * 0.5], "x"))


@program
def stops(v: Any, n: Any) -> Values:
    def body(i: Node, s: Node) -> Values:
        s = s + at(v, i)
        return [s, operation("greater", s, 2.0)]

    return loop([0.0], [ELEMENT], body, [n], "i s", breaks=True)


@program
def stops_in_a_branch(v: Any, n: Any) -> Values:
    def body(i: Node, s: Node) -> Values:
        x = at(v, i)
        return either(operation("greater", x, 0.5), lambda: [s + 1.0, yes()], lambda: [s + x, no()])

    return loop([0.0], [ELEMENT], body, [n], "i s", breaks=True)


def yes() -> Node:
    return current().const(True)


def no() -> Node:
    return current().const(False)


# Branches


@program
def choice(c: Any, v: Any) -> Values:
    return either(operation("greater", c, 0.0), lambda: [v * 2.0], lambda: [v])


@program
def chain(c: Any) -> Values:
    return either(
        operation("greater", c, 1.0),
        lambda: [c * c],
        lambda: either(operation("less", c, -1.0), lambda: [c * 2.0], lambda: [operation("negative", c)]),
    )


@program
def only_otherwise(v: Any, n: Any) -> Values:
    def body(i: Node, s: Node) -> Values:
        x = at(v, i)
        return either(operation("greater", x, 0.0), lambda: [s], lambda: [s - x])

    return loop([0.0], [ELEMENT], body, [n], "i s")


@program
def set_in_one_branch(c: Any, v: Any) -> Values:
    (x,) = either(operation("greater", c, 0.0), lambda: [named(v * 2.0, "x")], lambda: [control.UNDEFINED()])
    return either(operation("greater", c, 0.0), lambda: [x], lambda: [v])


# Writes


@program
def fills(v: Any, n: Any) -> Values:
    made = named(operation("zeros_like", v), "out")
    return loop([made], [VECTOR], lambda i, out: [put(out, i, at(v, i) * 2.0)], [n], "i out")


@program
def arguments_are_copied(v: Any, n: Any) -> Values:
    return loop([v], [VECTOR], lambda i, v: [put(v, i, at(v, i) + 1.0)], [n], "i v")


@program
def old_value_is_read(v: Any) -> Values:
    x = named(v * 2.0, "x")
    y = named(operation("update", x, 0.0, index=(("int", 0),)), "y")
    return [x, y]


@program
def view_is_read_later(M: Any) -> Values:
    A = named(M * 2.0, "A")
    row = named(operation("index", A, index=(("int", 0),)), "row")
    A = operation("update", A, 0.0, index=(("int", 0),))
    return [A, row * 2.0]


@program
def augmented(M: Any, v: Any, c: Any) -> Values:
    A = named(M * 2.0, "A")
    place: dict[str, Any] = {"index": (("int", 0),)}
    A = operation("update", A, operation("index", A, **place) + v, **place)
    A = operation("update", A, A * c, index=ALL)
    view = (("transpose", None),)
    A = operation("update", A, operation("index", operation("transpose", A), **place) - v, **place, view=view)
    return [operation("update", A, v, index=ALL, view=(("index", (("int", 1),)),))]


@program
def whole(v: Any, u: Any) -> Values:
    x = named(v * 2.0, "x")
    return [operation("update", x, u, index=(FULL,))]


@program
def double_buffer(v: Any, n: Any) -> Values:
    def body(i: Node, now: Node, following: Node) -> Values:
        inner = (("slice", 1, -1, None),)
        mean = operation("index", now, index=(("slice", 2, None, None),))
        mean = mean + operation("index", now, index=(("slice", None, -2, None),))
        return [operation("update", following, mean, index=inner), now]

    return loop([v, operation("zeros_like", v)], [VECTOR, VECTOR], body, [n], "- now following")


@program
def zeros_of_their_own(v: Any, n: Any) -> Values:
    zeros = operation("zeros_like", v)

    def body(i: Node, a: Node, b: Node) -> Values:
        return [put(a, i, at(v, i)), put(b, i, 1.0)]

    return loop([zeros, zeros], [VECTOR, VECTOR], body, [n], "i a b")


# Stacks


@program
def saved_and_popped(v: Any, n: Any) -> Values:
    def forth(i: Node, h: Node, hs: Node) -> Values:
        return [operation("sin", h), operation("push", hs, h)]

    def back(i: Node, h_bar: Node, hs: Node) -> Values:
        rest, h = popped(hs)
        return [h_bar * operation("cos", named(h, "h")), rest]

    h, hs = loop([v, operation("new_stack")], [VECTOR, STACK], forth, [n], "- h hs")
    h_bar, _ = loop([h * 2.0, hs], [VECTOR, STACK], back, [n], "- h_bar hs", reverse=True)
    return [h_bar]


@program
def pushed_then_written(v: Any, n: Any) -> Values:
    """What is on the list stays as it was."""

    def body(i: Node, x: Node, xs: Node) -> Values:
        return [put(x, i, 0.0), operation("push", xs, x)]

    return loop([v, operation("new_stack")], [VECTOR, STACK], body, [n], "i x xs")


@program
def below_the_top(v: Any, u: Any) -> Values:
    """A popped item is not all that the list holds."""
    x = named(v * 2.0, "x")
    stack = operation("push", operation("push", operation("new_stack"), x), u)
    rest, _ = popped(stack)
    y = named(operation("update", x, 0.0, index=(("int", 0),)), "y")
    return [y, operation("stack_item", rest, 0)]


# Effects


@program
def effects_stay_in_place(v: Any, c: Any) -> Values:
    x = named(v * 2.0, "x")
    do("print({0})", at(x, 0))
    x = operation("update", x, 0.0, index=(("int", 0),))
    either(operation("greater", c, 0.0), lambda: do("print('positive', {0})", c) or [], lambda: [])
    do("assert {0}, 'no'", operation("greater", at(x, 1), -9.0))
    return [x]


# The user's lines


@program
def over_elements(v: Any, u: Any) -> Values:
    def body(i: Node, s: Node) -> Values:
        line("s += a * b")
        return [s + named(at(v, i), "a") * named(at(u, i), "b")]

    line("for a, b in zip(v, u):")
    return loop([0.0], [ELEMENT], body, [operation("length", v, axis=0)], "- s")


@program
def enumerated(v: Any) -> Values:
    def body(i: Node, s: Node) -> Values:
        line("s += x * i")
        return [s + named(at(v, i), "x") * i]

    line("for i, x in enumerate(v):")
    return loop([0.0], [ELEMENT], body, [operation("length", v, axis=0)], "i s")


@program
def commented(v: Any, n: Any) -> Values:
    def body(i: Node, s: Node) -> Values:
        line("    s = s + square(v[i])")
        return [s + at(v, i) * at(v, i)]

    line("for i in count(n):")
    return loop([0.0], [ELEMENT], body, [n], "i s")
