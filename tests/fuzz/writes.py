"""Productions that write into arrays: by subscript, through views and masks, by functions.

Enters: a program that is being written.  Leaves: it, with a write more.  Invariant: as in `composed`; an
argument is written into only where the program means to change its arguments.
"""

from __future__ import annotations

import re

import numpy as np
from fuzz.composed import Composed, statement
from fuzz.phrases import DAMPED, condition, damped, indexed, like, mask, scalar
from fuzz.pieces import Reject, rank, wrapped

OPERATORS = ("=", "=", "=", "+=", "+=", "-=", "*=", "*=", "/=", "**=")


def allocated(p: Composed, least: int = 1) -> str:
    """A new array of the function's own, C-contiguous."""
    sources = p.arrays(least)
    if not sources:
        raise Reject
    x = p.r.choice(sources)
    name = p.name(p.r.choice(["table", "out", "h", ""]))
    form = p.r.weighted(
        [(4, "{1} = {0}.copy()"), (3, "{1} = np.zeros({0}.shape)"), (3, "{1} = np.zeros_like({0})"),
         (2, "{1} = np.array({0})"), (2, "{1} = np.ones({0}.shape) * 0.5"), (2,
         "{1} = np.full({0}.shape, 0.25)"),
         (2, "{1} = np.empty({0}.shape)\n{1}[...] = {2}"), (2, "{1} = np.empty_like({0})\n{1}[:] = {2}"),
         (1, "{1} = np.zeros({0}.shape, dtype={0}.dtype)"), (2, "{1} = {0} + 0"), (2, "{1} = {2} * 1.0")]
    )  # fmt: skip
    p.run(form.format(x, name, like(p, p.w.env[x]) if "{2}" in form else ""))
    if not isinstance(p.w.env[name], np.ndarray) or rank(p.w.env[name]) < least:
        raise Reject
    p.bind(name)
    return name


def writable(p: Composed, least: int = 1) -> str:
    found = p.owned(least)
    return p.r.choice(found[-4:]) if found and p.r.chance(0.75) else allocated(p, least)


def counters(p: Composed) -> list[str]:
    """Names of integers that the loops around this place count."""
    headers = " ".join(node.header for node in p.sketch.open)
    words = re.findall(r"\w+", headers)
    return [n for n, v in p.w.env.items() if type(v) is int and n in words and n not in p.outer]


def place(p: Composed, name: str) -> str:
    """What stands in the brackets of a write."""
    value = p.w.env[name]
    n = len(value)
    texts = ["0", "-1", "1:", ":-1", "::2", "::-1", ":", "...", "0:1", f"{n - 1}", f"-{n}", "[0, -1]",
             "[0, 0, -1]",
             "np.array([0, -1])", "np.arange(len({0}))", "None", "-2:", "1::2", "len({0}) - 1",
             "[True] + [False] * (len({0}) - 1)"]  # fmt: skip
    texts += p.w.indices * 3
    for i in counters(p)[-2:]:
        texts += [i, i, i, i, f"{i} - 1", f"-{i} - 1", f"{i} % 2", f":{i} + 1", f"{i}:", f"[{i}]"] * 2
        texts += [f"{i}, {j}" for j in counters(p)[-2:] if rank(value) > 1] * 3
    if rank(value) > 1:
        texts += ["0, 0", ":, 0", "..., -1", "0, 1:", "1:, :-1", ":, None, 0", "-1, ::2", "[0, 1], [1, 0]",
                  "[[0], [1]], [0, 1]",
                  "np.ix_([0], [0, 1])", "np.arange(2), np.arange(2)", "[0, 0], -1"] * 2  # fmt: skip
        texts += [f"{i}, :" for i in counters(p)[-2:]] + [f":, {i}" for i in counters(p)[-2:]]
    return p.r.choice(texts).format(name)


def write(p: Composed, target: str) -> None:
    """One write: the target is a text that stands for the elements."""
    try:
        old = p.w.value(target)
    except IndexError as error:
        raise Reject from error
    if not np.size(old):
        raise Reject
    operator = p.r.choice(OPERATORS)
    e = like(p, old, p.r.choice([0, 1, 1, 2]))
    if operator == "**=":
        if not np.min(old) > 0.2:
            raise Reject
        e = p.r.choice(["2", "0.5", "1.5", "3"])
    elif operator == "/=":
        e = f"1.5 + {wrapped(e)} ** 2"
    elif operator == "*=":
        e = p.r.choice(["0.5", "-1", f"np.cos({e})", f"np.tanh({e})", f"0.8 * np.sin({e})"])
    else:
        e = damped(p, e) if p.r.chance(0.7) else e
    p.run(f"{target} {operator} {e}")


def used(p: Composed, *names: str) -> None:
    for name in names:
        p.bind(name)


@statement(12)
def element(p: Composed) -> None:
    name = writable(p)
    write(p, f"{name}[{place(p, name)}]")
    used(p, name)


@statement(4)
def whole(p: Composed) -> None:
    """`x *= 2` on a name: everything that shares its memory changes."""
    name = writable(p)
    alias = p.name()
    if p.r.chance(0.4):
        p.run(f"{alias} = {name}")
        p.bind(alias)
    write(p, name)
    if not isinstance(p.w.env[name], np.ndarray):
        raise Reject
    used(p, name)


@statement(7, "masks")
def masked(p: Composed) -> None:
    name = writable(p)
    m = mask(p, name)
    if p.r.chance(0.3):
        found = p.name("chosen")
        p.run(f"{found} = {m}")
        m = found
    form = p.r.choice(
        ["{0}[{1}] = {2}", "{0}[{1}] *= {2}", "{0}[{1}] += {2}", "{0}[{1}] -= 0.3 * {2}",
        "{0}[{1}] = {3}[{1}]",
         "{0}[{1}] *= {3}[{1}]", "{0}[{1}] = np.sin({0}[{1}])", "np.copyto({0}, {3}, where={1})",
         "{0}[~({1})] = {2}", "np.putmask({0}, {1}, {3})", "{0}[np.nonzero({1})] = {2}",
         "{0}[np.where({1})] += {2}", "{0}[{1}] /= 2", "np.tanh({0}, out={0}, where={1})",
         "np.multiply({0}, {2}, out={0}, where={1})"]
    )  # fmt: skip
    other = f"({like(p, p.w.env[name], 0)} + 0 * {name})"
    p.run(form.format(name, m, damped(p, scalar(p)), other))
    used(p, name)


@statement(2, "masks")
def masked_rows(p: Composed) -> None:
    """A mask of the first axis, or one with a row in it."""
    name = writable(p, 2)
    column = mask(p, f"{name}[:, 0]")
    row = mask(p, f"{name}[0]")
    form = p.r.choice(["{0}[{1}] *= 0.5", "{0}[{1}, 0] = {3}", "{0}[:, {2}] = {3}", "{0}[0, {2}] += {3}",
                       "{0}[{1}] = {0}[{1}] * {3}", "{0}[0][{2}] = {3}", "{0}[-1, {2}] *= {0}[0, {2}]"]
    )  # fmt: skip
    p.run(form.format(name, column, row, damped(p, scalar(p))))
    used(p, name)


def view_of(p: Composed, name: str) -> str:
    """A text of a view of an array that is C-contiguous and the function's own."""
    texts = ["{0}[1:]", "{0}[:-1]", "{0}[::-1]", "{0}[::2]", "{0}[:]", "{0}[...]", "{0}[None]"]
    if p.w.env[name].flags.c_contiguous and name in contiguous(p):
        texts += ["{0}.reshape(-1)", "{0}.ravel()", "{0}.reshape(-1, 1)"]
    texts += [f"{{0}}[{i}:]" for i in counters(p)[-1:]]
    if rank(p.w.env[name]) > 1:
        texts += ["{0}[0]", "{0}[-1]", "{0}.T", "{0}[:, 0]", "{0}[:, 1:]", "{0}[0, 1:]", "np.transpose({0})",
                  "{0}.swapaxes(0, 1)",
                  "{0}.T[0]", "{0}[1:, :-1]", "{0}[..., -1]"] * 2  # fmt: skip
        texts += [f"{{0}}[{i}]" for i in counters(p)[-2:]] * 4
    return p.r.choice(texts).format(name)


def contiguous(p: Composed) -> set[str]:
    """Names that were allocated as C-contiguous arrays, and still are."""
    lines = p.sketch.body(final=True).split("\n")
    made = {line.split(" = ")[0].strip() for line in lines
            if " = np.zeros(" in line or line.rstrip().endswith(".copy()") or " = np.empty(" in line
    }  # fmt: skip
    return {n for n in made if sum(line.strip().startswith(f"{n} = ") for line in lines) == 1}


@statement(7, "views")
def viewed(p: Composed) -> None:
    """A view gets a name; then either is written, and both are read."""
    name = writable(p)
    text = view_of(p, name)
    row = p.name(p.r.choice(["row", "part", ""]))
    p.run(f"{row} = {text}")
    if not p.w.env[row].size:
        raise Reject
    for _ in range(p.r.integer(1, 2)):
        target = p.r.choice([name, row, row])
        write(p, p.r.choice([target, f"{target}[{place(p, target)}]"]))
    used(p, name, row)


@statement(4, "views")
def through(p: Composed) -> None:
    """A write through a view that has no name."""
    name = writable(p)
    text = view_of(p, name)
    p.w.env["_view"] = p.w.value(text)
    target = f"{text}[{place(p, '_view')}]"
    if "_view" in target:
        raise Reject
    write(p, target)
    used(p, name)


@statement(4, "views")
def rows_changed(p: Composed) -> None:
    """`for row in A: row *= 2`"""
    name = writable(p, 2)
    row = p.name("row")
    x = p.r.choice([x for x in p.arrays() if len(p.w.env[x]) == len(p.w.env[name])])
    v, i = p.name("v"), p.name("i")
    header, bound = p.r.choice(
        [(f"for {row} in {name}:", []), (f"for {row} in {name}.T:", []),
         (f"for {row}, {v} in zip({name}, {x}):", [v]), (f"for {i}, {row} in enumerate({name}):", []),
         (f"for {row} in {name}[1:]:", []), (f"for {row} in {name}[::-1]:", [])]
    )  # fmt: skip
    with p.block(header):
        p.add(*bound)
        write(p, p.r.choice([f"{row}[{place(p, row)}]", row, f"{row}[:]"]))
        p.add(row)
        p.some(0, 1)
    used(p, name)


@statement(3, "views")
def alias(p: Composed) -> None:
    """Another name of the same array, and one of a copy."""
    name = writable(p)
    other, apart = p.name(), p.name()
    p.run(f"{other} = {name}")
    form = p.r.choice(["{0}.copy()", "{0} + 0", "np.array({0})", "1.0 * {0}", "{0}[:].copy()"])
    p.run(f"{apart} = {form.format(name)}")
    write(p, f"{p.r.choice([name, other])}[{place(p, name)}]")
    if p.r.chance(0.5):
        write(p, f"{apart}[{place(p, apart)}]")
    used(p, name, other, apart)


@statement(5, "views")
def overlapping(p: Composed) -> None:
    """What is written and what is read share memory."""
    name = writable(p)
    forms = ["{0}[1:] = {0}[:-1]", "{0}[:-1] = {0}[1:]", "{0}[1:] += {0}[:-1]", "{0}[:-1] -= 0.5 * {0}[1:]",
             "{0}[::-1] = {0}",
             "{0} += {0}[::-1]", "{0}[1:] *= {0}[:-1]", "{0}[:] = {0}[::-1] * 0.5",
             "{0}[[0, -1]] = {0}[[-1, 0]]",
             "{0}[0], {0}[-1] = {0}[-1], {0}[0]", "{0}[1:-1] = 0.5 * ({0}[:-2] + {0}[2:])",
             "{0}[0] = {0}[0] * {0}[-1]",
             "last = {0}[-1]\n{0}[-1] = 0.5\n{0}[0] += last"]  # fmt: skip
    if rank(p.w.env[name]) == 2:
        forms += ["{0}[:, 1:] += {0}[:, :-1]", "{0}[0], {0}[1] = {0}[1].copy(), {0}[0].copy()",
                  "first = {0}[0]\n{0}[1:] += first\n{0}[0] *= 0.5", "{0} += {0}[0]", "{0} *= {0}[:, :1]"
    ]  # fmt: skip
        if len(set(p.w.env[name].shape)) == 1:
            forms += ["{0}[...] = {0}.T", "{0} += {0}.T", "{0}[:] = {0} @ {0}.T * 0.1"]
    p.run(p.r.choice(forms).format(name))
    used(p, name)


@statement(6)
def function(p: Composed) -> None:
    """NumPy's functions that write."""
    name = writable(p)
    value = p.w.env[name]
    e = like(p, value)
    n = len(value)
    forms = ["np.copyto({0}, {1})", "np.tanh({2}, out={0})", "np.add({0}, {1}, out={0})",
             "np.multiply({0}, {3}, out={0})",
             "np.subtract({1}, {0}, out={0})", "{0}.fill({4})", "np.put({0}, [0, -1], {4})",
             "np.sin({0}, out={0})",
             "np.add.at({0}, [0, 0, -1], {4})", "np.put({0}, [0, 1], [{4}, 0.5])", "np.add.at({0}, 0, {4})",
             "np.maximum({0}, 0.123, out={0})", "np.exp({0}, out={0}, where={5})",
             "np.add({0}, {4}, out={0}, where={5})",
             "np.sqrt(1.0 + {0} ** 2, out={0})", "np.cumsum({0}, axis=0, out={0})",
             "{0} = np.add({0}, {1}, out={0})"]  # fmt: skip
    if rank(value) == 1:
        forms += ["{0}.sort()", "np.add.at({0}, np.arange({6}) % 2, {1})", "np.subtract.at({0}, [0, 0], {4})",
                  "np.multiply(1.5, {0}[1:], out={0}[1:])"] * 2  # fmt: skip
    elif len(set(value.shape)) == 1:
        forms += ["np.fill_diagonal({0}, {4})"] * 2
    form = p.r.choice(forms)
    full = f"{wrapped(e)} + 0 * {name}"
    text = form.format(name, e, full, p.r.choice(["0.5", "-1.0"]), damped(p, scalar(p)),
                       mask(p, name) if "{5}" in form else "", n)  # fmt: skip
    p.run(text)
    used(p, name)


@statement(5)
def filled(p: Composed) -> None:
    """An array that a loop fills, element by element."""
    x = p.r.choice(p.arrays())
    name, i = p.name(p.r.choice(["out", "h", "table"])), p.name("i")
    made = p.r.choice(["np.zeros(len({0}))", "np.empty(len({0}))", "np.zeros_like({0})", "np.empty_like({0})",
                       "np.zeros({0}.shape)"])  # fmt: skip
    p.run(f"{name} = {made.format(x)}")
    empty = "empty" in made
    with p.block(f"for {i} in range(len({x})):"):
        indexed(p, i)
        p.some(0, 1)
        e = like(p, p.w.value(f"{name}[{i}]"), 2)
        if p.r.chance(0.25) and not empty:
            with p.block(f"if {condition(p)}:", "if True:") as node:
                p.run(f"{name}[{i}] = {damped(p, e)}")
            node.forced = ""
        else:
            p.run(f"{name}[{i}] = {p.r.choice(DAMPED).format(e, wrapped(e))}")
        if p.r.chance(0.4):
            p.run(p.r.choice([f"{name}[{i}] *= 0.5", f"{name}[{i}] += 0.3 * {name}[{i}]",
                              f"{name}[{i}] += {damped(p, scalar(p))}"]))  # fmt: skip
        elif not empty and p.r.chance(0.6):
            p.run(f"{name}[{i}] += 0.5 * {name}[{i} - 1]")
    p.look()
    used(p, name)


@statement(3, "arguments")
def argument(p: Composed) -> None:
    """A write into an argument: the function changes it, its derivative must not."""
    if not p.changes_arguments:
        raise Reject
    names = [name for name in p.arguments.names if name in p.arrays()]
    name = p.r.choice(names)
    write(p, p.r.choice([name, f"{name}[{place(p, name)}]", f"{name}[{place(p, name)}]"]))
    used(p, name)
