"""Productions with lists, dicts, functions and comprehensions.

Enters: a program that is being written.  Leaves: it, with a statement or two more.  Invariant: as in
`composed`.
"""

from __future__ import annotations

import numpy as np
from fuzz.composed import Composed, statement
from fuzz.phrases import condition, damped, indexed, like, scalar, signature, spans, update
from fuzz.pieces import STAGED_HELPERS, Reject, is_array, rank, wrapped


@statement(6)
def appended(p: Composed) -> None:
    """A list that a loop fills."""
    parts, i = p.name("parts"), p.name("i")
    p.run(f"{parts} = [{damped(p, scalar(p)) if p.r.chance(0.1) else ''}]")
    started = len(p.w.env[parts])
    x = p.r.choice(p.arrays())
    row = p.name("row")
    header = p.r.choice([f"for {i} in {spans(p)}:", f"for {i} in range(len({x})):", f"for {row} in {x}:"])
    with p.block(header):
        if row in header:
            p.add(row, row, row)
        else:
            indexed(p, i)
        p.some(0, 1)
        e = scalar(p, 1) if started else p.w.expr(1, lambda v: np.size(v) <= 6)
        text = f"{parts}.append({damped(p, e)})"
        if p.r.chance(0.2):
            with p.block(f"if {condition(p)}:", "if True:") as node:
                p.run(text)
            node.forced = ""
        else:
            p.run(text if p.r.chance(0.9) else f"{parts} += [{e}]")
    values = p.w.env[parts]
    if not values:
        raise Reject
    name = p.name()
    forms = ["np.stack({0})", "np.array({0})", "sum({0})", "{0}[-1]", "{0}[0]", "np.sum({0})",
             "sum(v ** 2 for v in {0})", "np.mean([np.sum(v) for v in {0}])", "np.asarray({0}) * 0.5",
             "sum({0}) / len({0})"]  # fmt: skip
    forms += ["np.concatenate({0})", "np.hstack({0})", "np.vstack({0})"] if rank(values[0]) else []
    p.run(f"{name} = {p.r.choice(forms).format(parts)}")
    p.bind(name)


@statement(3)
def dictionary(p: Composed) -> None:
    """A dict of values that a loop changes."""
    state = p.name("state")
    e = p.w.expr(1, lambda v: is_array(v) and np.size(v) <= 12)
    p.run(f"{state} = {{'h': {damped(p, e)}, 's': {p.r.choice(['0.0', scalar(p)])}}}")
    h = p.w.value(f"{state}['h']")
    with p.block(f"for {p.name('it')} in {spans(p)}:"):
        p.add(f"{state}['h']", f"{state}['s']")
        p.some(0, 1)
        e = like(p, h)
        p.run(p.r.choice(["{0}['h'] = 0.5 * {0}['h'] + {1}", "{0}['h'] = np.tanh({0}['h'] * {1})",
                          "{0} = {{'h': np.sin({0}['h']), 's': {0}['s'] + {2}}}",
                          "{0}['h'] = {0}['h'] * 0.7\n{0}['s'] += {2}"]).format(
                              state, damped(p, e), f"0.3 * np.sum({state}['h'])"))  # fmt: skip
        if signature(p.w.value(f"{state}['h']")) != signature(h):
            raise Reject
    if p.r.chance(0.3):
        p.run(p.r.choice(["for key in {0}:\n    {0}[key] = 0.5 * {0}[key]",
                          "{0} = {{key: np.sin(v) for key, v in {0}.items()}}",
                          "{0}.update(s={0}['s'] * 0.5)"]).format(state))  # fmt: skip
    p.add(f"{state}['h']", f"{state}['s']", f"sum(np.sum(v) for v in {state}.values())")


@statement(4)
def helper(p: Composed) -> None:
    """Calls of functions with control flow and writes of their own."""
    found = [h for h in STAGED_HELPERS if h.name in p.w.env]
    if not found:
        raise Reject
    call = p.r.choice(p.r.choice(found).calls)
    x = p.w.array(1) if "{0}" in call else ""
    name = p.name()
    p.run(f"{name} = {call.format(x, wrapped(x), scalar(p))}")
    value = p.w.env[name]
    if isinstance(value, tuple) or not np.size(value):
        raise Reject
    p.bind(name)


@statement(2)
def changed_by_helper(p: Composed) -> None:
    """A function that writes into an array that it is given."""
    name = p.r.choice(p.owned(1))
    inner = p.name("change")
    e = scalar(p)
    body = p.r.choice(
        ["u[0] = u[-1] * 0.5", "u[1:] *= w", "u += w", "u[::2] = np.sin(u[::2]) + w",
         "for i in range(len(u)):\n        u[i] = 0.5 * u[i] + w",
         "if w > 0.011:\n        u[0] = w\n    u *= 0.5"]
    )  # fmt: skip
    p.run(f"def {inner}(u, w):\n    {body}{p.r.choice(['', chr(10) + '    return None'])}")
    p.run(f"{inner}({p.r.choice([name, name, f'{name}[1:]', f'{name}[::-1]'])}, {e})")
    p.bind(name)


@statement(4)
def closure(p: Composed) -> None:
    """A function that reads what a loop changes."""
    inner = p.name("step")
    s, i = p.name("acc"), p.name("i")
    form = p.r.choice(
        ["def {0}(v):\n    return np.sin(v) * {1} + 0.1 * {2}",
        "{0} = lambda v: np.tanh(v + {1}) / ({2} + 1)",
         "def {0}(v, k={2}):\n    if k > 1:\n        return np.cos(v) * {1}\n    return v * 0.5 + {1}",
         "def {0}(v):\n    total = 0.0\n    for q in range({2} + 1):\n"
         "        total = total + np.sin(v * q) * 0.3\n"
         "    return total + {1}"]
    )  # fmt: skip
    p.run(f"{s} = {scalar(p)}")
    p.bind(s)
    with p.block(f"for {i} in range({p.r.choice(['2', '3', *p.counts])}):"):
        p.some(0, 1)
        p.run(form.format(inner, s, i))
        p.run(f"{s} = 0.5 * {s} + {damped(p, f'{inner}({scalar(p)})')}")
        if np.size(p.w.env[s]) != 1:
            raise Reject


@statement(5)
def comprehension(p: Composed) -> None:
    x = p.r.choice(p.arrays())
    other = p.r.choice([y for y in p.arrays() if len(p.w.env[y]) == len(p.w.env[x])])
    n = p.r.choice([f"len({x})", f"{x}.shape[0]"])
    name = p.name()
    f = p.r.choice(["np.tanh", "np.sin", "(lambda u: u * u)", "np.cos"])
    forms = ["sum({0}[i] * {1}[i] for i in range({2}))", "np.array([{3}(v) for v in {0}])",
             "sum([{3}({0}[i]) for i in range({2})])", "np.array([{0}[i] * 0.5 + {4} for i in range({2})])",
             "np.stack([{3}(row) for row in {0}])", "sum(a * b for a, b in zip({0}, {1}))",
             "np.array([np.sum({0}[: i + 1]) for i in range({2})])",
             "sum(v * i for i, v in enumerate({0}))",
             "np.sum([np.sum(v) for v in {0} if np.sum(v) > 0.21])", "[v * 2 for v in {0}][-1]",
             "{{'a': [{3}(v) for v in {0}]}}['a'][0]", "max(np.sum(v) for v in {0})",
             "np.array([[a * b for a in {0}] for b in {0}])" if rank(p.w.env[x]) == 1 else "{0} * 1",
             "sum(sum({0}[i] * {1}[j] for j in range(i)) for i in range({2}))"]  # fmt: skip
    p.run(f"{name} = {p.r.choice(forms).format(x, other, n, f, scalar(p))}")
    if not is_array(p.w.env[name]) or p.w.env[name].size > 40:
        raise Reject
    p.bind(name)


@statement(3)
def listed(p: Composed) -> None:
    """A list of a known length whose items a loop replaces."""
    x = p.r.choice(p.arrays())
    values, i, name = p.name("vals"), p.name("i"), p.name()
    p.run(f"{values} = {p.r.choice([f'[0.0] * len({x})', f'[{scalar(p)}, 0.5, 1.0]', f'list({x})'])}")
    n = len(p.w.env[values])
    with p.block(f"for {i} in range({p.r.choice([str(n), f'len({values})'])}):"):
        p.some(0, 1)
        indexed(p, i)
        e = like(p, p.w.env[values][0])
        form = p.r.choice(["{0}[{1}] = {2}", "{0}[{1}] = 0.5 * {0}[{1}] + {2}", "{0}[{1} - 1] += {2}",
                           "{0}[0], {0}[-1] = {0}[-1], {2}"])  # fmt: skip
        p.run(form.format(values, i, damped(p, e)))
    form = p.r.choice(["sum({0})", "np.array({0})", "{0}[-1] + {0}[0]", "np.sum({0})"])
    p.run(f"{name} = {form.format(values)}")
    p.bind(name)


@statement(2)
def starred_in_loop(p: Composed) -> None:
    """Tuples that are taken apart in every iteration."""
    x = p.w.expr(0, lambda v: is_array(v) and rank(v) >= 1)
    state = p.name("state")
    a, rest, s = p.name(), p.name(), p.name()
    p.run(f"{state} = ({damped(p, x)}, {scalar(p)}, {scalar(p)} * 0.5)")
    with p.block(f"for {p.name('it')} in {spans(p)}:"):
        p.run(f"{a}, *{rest} = {state}")
        p.run(f"{state} = (0.5 * {a} + {damped(p, f'{rest}[0]')}, {rest}[1] * 0.5, np.sin({rest}[0]))")
    p.run(f"{s} = {p.r.choice([f'np.sum({state}[0])', f'{state}[0]', f'{state}[1] + {state}[2]'])}")
    p.bind(s)


@statement(2)
def complex_values(p: Composed) -> None:
    x, y = p.w.array(1, 0), scalar(p)
    name = p.name()
    forms = ["np.abs({0} + 1j * {1}) ** 2", "np.real(({0} + 1j * {1}) * ({0} - 0.5j))",
    "np.exp(1j * {0}).imag",
             "(({0} + 2j) / ({1} + 3j)).real", "np.real(np.conj({0} + 1j) * np.exp(0.3j * {1}))"]  # fmt: skip
    p.run(f"{name} = {p.r.choice(forms).format(wrapped(x), wrapped(y))}")
    p.bind(name)


@statement(2)
def cast(p: Composed) -> None:
    x = p.r.choice(p.arrays())
    name = p.name()
    forms = ["{0}.astype(np.float32)", "({0} > 0.117).astype(float) * {0}", "{0}[np.argsort({0}, axis=0)[0]]",
             "{0}[np.array([0, -1, 0], dtype=np.int32)]", "np.float64({0}.sum())",
             "{0}.astype(np.float64) * 0.5",
             "{0}[np.argmax({0}.ravel()) % len({0})]", "float({0}.sum())"]  # fmt: skip
    p.run(f"{name} = {p.r.choice(forms).format(x)}")
    p.bind(name)


@statement(14)
def straight(p: Composed) -> None:
    """A plain assignment."""
    name = p.name()
    text = p.w.expr(p.r.choice([1, 2, 2]))
    p.run(f"{name} = {text}")
    p.bind(name)


@statement(8)
def rebound(p: Composed) -> None:
    names = [name for name in p.w.atoms if name in p.w.env and name not in p.outer]
    update(p, p.r.choice(names[-4:]), 2)
