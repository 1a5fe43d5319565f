"""Productions of control flow: branches, loops, and how they end.

Enters: a program that is being written.  Leaves: it, with a compound statement more.  Invariant: as in
`composed`; what is bound in one branch only is read there only.
"""

from __future__ import annotations

from contextlib import ExitStack

import numpy as np
from fuzz.composed import Composed, statement
from fuzz.phrases import (
    comparison,
    condition,
    damped,
    indexed,
    level,
    like,
    scalar,
    signature,
    spans,
    update,
    wrapped,
)  # fmt: skip
from fuzz.pieces import Reject, rank
from fuzz.sketch import ERRORS, Node

# Stands for `while ...` until the loop has what ends it.
ONCE = "for _once_ in range(1):"


def carried(p: Composed, most: int = 2) -> list[str]:
    """Names that a loop will change: new ones, or ones that are there."""
    names = []
    for _ in range(p.r.integer(1, most)):
        old = [name for name in p.w.atoms if name in p.w.env and name not in (*p.outer, *names)]
        if old and p.r.chance(0.35):
            names.append(p.r.choice(old))
            continue
        name = p.name(p.r.choice(["acc", "s", "total", ""]))
        x = p.w.atom()
        start = p.r.weighted(
            [(4, "0.0"), (2, "0"), (2, scalar(p)), (2, "1.0"), (2, f"np.zeros_like({x})"), (3, damped(p, x)),
             (1, f"{wrapped(x)} + 0.0"), (1, "np.float64(0.5)")]
        )  # fmt: skip
        p.run(f"{name} = {start}")
        if not np.size(p.w.env[name]) <= 24:
            raise Reject
        names.append(name)
    for name in names:
        p.bind(name)
    return names


@statement(14)
def branch(p: Composed) -> None:
    names = [name for name in p.w.atoms if name in p.w.env and name not in p.outer][-3:]
    arms = p.r.weighted([(4, 1), (6, 2), (2, 3)])
    fresh = p.name() if arms > 1 and p.r.chance(0.6) else ""
    kinds: list[object] = []
    nodes: list[Node] = []
    for arm in range(arms):
        last = arm == arms - 1 and arms > 1
        header = "else:" if last else f"{'elif' if arm else 'if'} {condition(p)}:"
        forced = "" if last else f"{'elif' if arm else 'if'} True:"
        with p.block(header, forced) as node:
            p.some(0, 2)
            if names and p.r.chance(0.7):
                update(p, p.r.choice(names))
            elif not fresh:
                p.attempt()
            if fresh:
                _defined(p, fresh, kinds)
        if not node.lines or node.lines == ["pass"]:
            raise Reject
        nodes.append(node)
        node.forced = forced.replace("True", "False")
    for node in nodes:
        node.forced = ""
    p.look()
    if fresh:
        p.bind(fresh)


def _defined(p: Composed, name: str, kinds: list[object]) -> None:
    """A name that every branch binds, to values of one kind."""
    text = p.w.expr(2, lambda value: not kinds or signature(value) == kinds[0])
    p.run(f"{name} = {text}")
    kinds.append(signature(p.w.env[name]))


@statement(5)
def ternary(p: Composed) -> None:
    a = p.w.expr(1)
    b = p.w.expr(1, lambda value: signature(value) == signature(p.w.value(a)))
    test = condition(p)
    name = p.name()
    p.run(
        p.r.choice(
            [f"{name} = {a} if {test} else {b}", f"{name} = ({a} if {test} else {b}) * 0.5",
             f"{name} = {a} if {comparison(p)} else {b} if {test} else {damped(p, a)}"]
        )
    )  # fmt: skip
    p.bind(name)


@statement(16)
def counted(p: Composed) -> None:
    names = carried(p)
    i = p.name(p.r.choice("ijk"))
    span = spans(p)
    empty = p.r.choice(["range(0)", "range(2, 2)", "range(3, 0)", "range(1, 0, 2)"])
    header = f"for {i} in {empty if p.r.chance(0.04) else span}:"
    with p.block(header, f"for {i} in {span}:") as node:
        indexed(p, i)
        iteration(p, names, i)
    node.forced = ""
    otherwise(p, names)
    if p.r.chance(0.06) and "range(0)" not in header:
        p.add(f"0.1 * {i}", f"{p.r.choice(p.arrays())}[{i}]")


def iteration(p: Composed, names: list[str], i: str = "") -> None:
    """The body of a loop."""
    p.some(0, 2)
    if p.r.chance(0.25):
        stop(p, i)
    for name in names:
        update(p, name)
    if p.r.chance(0.15):
        stop(p, i)


def stop(p: Composed, i: str = "") -> None:
    """`break` or `continue`, under a condition, where there is room."""
    place = p.sketch.mark()
    try:
        _stop(p, i)
    except ERRORS:
        p.sketch.back(place)
        p.look()


def _stop(p: Composed, i: str) -> None:
    word = p.r.choice(["break", "continue"])
    texts = [f"{i} == {n}" for n in (1, 2)] + [f"{i} % 2 == 1"] if i else []
    text = p.r.choice(texts) if texts and p.r.chance(0.4) else condition(p, p.r.chance(0.25))
    with p.block(f"if {text}:", "if True:") as node:
        if p.r.chance(0.4):
            p.some(1, 1)
        node.lines.append(word)
        node.forced = ""


def otherwise(p: Composed, names: list[str]) -> None:
    if p.r.chance(0.1):
        place = p.sketch.mark()
        try:
            with p.block("else:"):
                update(p, p.r.choice(names))
        except ERRORS:
            p.sketch.back(place)
            p.look()


@statement(10)
def rows(p: Composed) -> None:
    """Loops over arrays themselves."""
    names = carried(p)
    x = p.r.choice(p.arrays())
    same = [y for y in p.arrays() if len(p.w.env[y]) == len(p.w.env[x])]
    y = p.r.choice(same)
    a, b, i = p.name("row"), p.name("v"), p.name("i")
    header, bound = p.r.choice(
        [(f"for {a} in {x}:", [a]), (f"for {a} in {x}:", [a]), (f"for {a}, {b} in zip({x}, {y}):", [a, b]),
         (f"for {i}, {a} in enumerate({x}):", [a]), (f"for {a} in {x}[1:]:", [a]),
         (f"for {a} in reversed({x}):", [a]),
         (f"for {a} in {x}[::-1]:", [a]), (f"for {a} in {x}.T:", [a]), (f"for {a} in {x}[::2]:", [a]),
         (f"for {i}, ({a}, {b}) in enumerate(zip({x}, {y})):", [a, b]), (f"for {a} in {x}.ravel():", [a]),
         (f"for {i}, {a} in enumerate({x}, 1):", [a]), (f"for {a}, {b} in zip({x}[:-1], {y}[1:]):", [a, b]),
         (f"for {i}, {a} in zip(range(len({x})), {x}):", [a])]
    )  # fmt: skip
    with p.block(header):
        for name in bound:
            p.bind(name)
        p.w.atoms += bound
        iteration(p, names, i if i in header else "")
    otherwise(p, names)


@statement(6)
def triangle(p: Composed) -> None:
    """Two loops, the inner one with bounds that depend on the outer one."""
    x = p.r.choice(p.arrays(1))
    n = p.r.choice([f"len({x})", f"{x}.shape[0]"])
    i, j = p.name("i"), p.name("j")
    names = carried(p, 1)
    inner = p.r.choice(
        [f"range({i} + 1, {n})", f"range({i})", f"range({i} + 1)", f"range({n})", f"range({i}, -1, -1)"]
    )
    with ExitStack() as stack:
        stack.enter_context(p.block(f"for {i} in range({n}):"))
        outer_names = carried(p, 1) if p.r.chance(0.4) else names
        first = stack.enter_context(
            p.block(f"for {j} in {inner}:", f"for {j} in range({n}):" if inner == f"range({i})" else "")
        )
        indexed(p, i, j)
        for name in dict.fromkeys([*outer_names, *names]):
            update(p, name)
        if p.r.chance(0.2):
            stop(p, j)
        stack.callback(lambda: setattr(first, "forced", ""))
    p.look()


@statement(5)
def ragged(p: Composed) -> None:
    """Slices whose lengths differ from one iteration to the next."""
    x = p.r.choice(p.arrays(1))
    i, name = p.name("i"), p.name("acc")
    n = f"len({x})"
    p.run(f"{name} = {p.r.choice(['0.0', '0', scalar(p)])}")
    form = p.r.choice(
        ["{1} = 0.5 * {1} + np.sum({0}[:{2} + 1])", "{1} += np.mean({0}[{2}:]) * 0.5",
         "{1} = np.tanh({1} + np.sum({0}[{2}:] ** 2))", "{1} += np.sum({0}[{2}:] * {0}[:{3} - {2}])",
         "part = {0}[{2}:]\n{1} += np.sum(part * 0.3)", "{1} += np.sum({0}[: {2}]) * 0.2",
         "{1} += ({0}[:{2} + 1] @ {0}[:{2} + 1]).sum() * 0.1"]
    )  # fmt: skip
    with p.block(f"for {i} in range({n}):"):
        p.some(0, 1)
        p.run(form.format(x, name, i, n))
    p.bind(name)


@statement(8)
def repeated(p: Composed) -> None:
    """`while`, as often as the data say."""
    names = carried(p, 1)
    s, count = p.name("s"), p.name("step")
    start, factor = p.r.choice([(f"1.5 + np.tanh({scalar(p)})", "0.6"), (f"2.0 + 0.3 * {scalar(p)}", "0.55"),
                                (f"1.0 + np.abs({scalar(p)})", "0.5")])  # fmt: skip
    p.run(f"{s} = {start}")
    if not p.w.value(s) > 0.7:
        raise Reject
    p.run(f"{count} = 0")
    test = p.r.choice(["{0} > 0.2 and {1} < 8", "{1} < 6 and {0} > 0.3", "{0} > 0.15", "{1} < 3",
                       "0.12 < {0} < 20 and {1} < 9", "not ({0} < 0.25 or {1} > 7)"])  # fmt: skip
    with p.block(f"while {test.format(s, count)}:", ONCE) as node:
        p.run(f"{count} += 1")
        p.run(p.r.choice(["{0} = {0} * {1}", "{0} *= {1}", "{0} = {1} * {0} + 0.01 * np.sin({0})"]).format(
            s, factor))  # fmt: skip
        node.forced = ""
        p.add(s)
        iteration(p, names, count)
    otherwise(p, names)
    p.bind(s)
    if p.r.chance(0.2):
        p.add(f"0.1 * {count}")


@statement(4)
def endless(p: Composed) -> None:
    """`while True` that is left by `break`."""
    names = carried(p, 1)
    s = p.name("s")
    p.run(f"{s} = 1.0 + {scalar(p)} ** 2")
    with p.block("while True:", ONCE) as node:
        limit = p.r.choice(["0.2", "0.35", "0.1"])
        p.sketch.open[-1].lines.append(f"{s} = 0.6 * {s}\nif {s} < {limit}:\n    break")
        node.forced = ""
        p.look()
        iteration(p, names)
    p.bind(s)


@statement(3)
def stepped(p: Composed) -> None:
    """`while` that counts."""
    x = p.r.choice(p.arrays(1))
    i = p.name("i")
    names = carried(p, 1)
    p.run(f"{i} = {p.r.choice(['0', '0', '1'])}")
    with p.block(f"while {i} < len({x}):", ONCE) as node:
        p.add(f"{x}[{i}]")
        before = [damped(p, scalar(p)) for _ in range(1)]
        p.run(f"{names[0]} = {names[0]} * 0.5 + {before[0]}")
        p.run(f"{i} += {p.r.choice(['1', '1', '2'])}")
        node.forced = ""
        for name in names:
            update(p, name)
    p.look()


@statement(2)
def walrus(p: Composed) -> None:
    name = p.name("t")
    x = scalar(p, 1)
    if p.r.chance(0.5):
        p.run(f"{(other := p.name())} = ({name} := {x}) * 2 + {name} ** 2")
        p.bind(other)
    else:
        names = carried(p, 1)
        with p.block(f"if ({name} := {x}) > {level(p, x)}:", f"if ({name} := {x}) < 1e9:") as node:
            p.bind(name)
            update(p, names[0])
        node.forced = ""
        p.look()
    p.bind(name)


@statement(5)
def early(p: Composed) -> None:
    """A return before the end: it is not taken until the rest is written."""
    taken, left = condition(p, True), condition(p, False)
    with p.block(f"if {taken}:", "if True:") as node:
        p.some(0, 1)
        text = " + ".join(p.total(p.w.atom()) for _ in range(p.r.integer(1, 2)))
        p.w.accept(text)
        node.lines.append(f"return {text}")
        node.forced = "if False:"
    p.look()
    p.stops.append((node, [f"if {left}:", f"if {taken}:"]))


@statement(6, "contexts")
def context(p: Composed) -> None:
    """Statements in `with`."""
    manager = p.r.choice(
        ["np.errstate(divide='ignore')", "np.errstate(all='ignore')", "np.errstate(invalid='ignore')",
         "np.errstate(over='ignore'), np.errstate(under='ignore')"]
    )  # fmt: skip
    names = [name for name in p.w.atoms if name in p.w.env and name not in p.outer][-3:]
    fresh = p.name()
    with p.block(f"with {manager}:"):
        p.some(1, 2)
        if names:
            update(p, p.r.choice(names))
        p.run(f"{fresh} = {p.w.expr(2)}")
    p.bind(fresh)


@statement(2)
def asserted(p: Composed) -> None:
    x = p.r.choice(p.arrays(0))
    p.run(
        p.r.choice(
            ["assert {0}.ndim == {1}", "assert np.all(np.isfinite({0}))", "assert {2}, 'too large'",
             "assert {0}.size, {0}.shape", "assert len({0}) > 0 and {2}"]
        ).format(x, rank(p.w.env[x]), condition(p, True))
    )  # fmt: skip


@statement(3)
def swapped(p: Composed) -> None:
    """Two values that change places, or move on together, in a loop."""
    a, b = p.name("prev"), p.name("cur")
    x = p.w.atom()
    p.run(f"{a}, {b} = {wrapped(x)} * 1.0, {damped(p, x)}")
    p.bind(a)
    p.bind(b)
    i = p.name("it")
    with p.block(f"for {i} in {spans(p)}:"):
        p.some(0, 1)
        e = like(p, p.w.env[a])
        p.run(
            p.r.choice(
                ["{0}, {1} = {1}, {0}", "{0}, {1} = {1}, 0.5 * {0} + {2}",
                "{0}, {1} = np.sin({1}), {0} - {1}",
                 "pair = ({1}, 0.3 * {0})\n{0}, {1} = pair", "{1}, {0} = {0} * 0.5, {1} + {2}"]
            ).format(a, b, damped(p, e))
        )  # fmt: skip
