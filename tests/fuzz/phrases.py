"""Expressions that statements of the composed language are made of.

Enters: a program that is being written.  Leaves: texts of scalars, conditions, updates, ranges.  Invariant:
each has been evaluated in the scope where it is to stand.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from fuzz.composed import Composed
from fuzz.pieces import Reject, is_array, rank, wrapped

DAMPED = (
    "np.tanh({0})", "np.sin({0})", "0.5 * {1}", "np.cos({0})", "0.3 * {1}", "{1} / 3", "np.arctan({0})",
    "{1} / (1 + {1} ** 2)",
)  # fmt: skip


def damped(p: Composed, text: str) -> str:
    return p.r.choice(DAMPED).format(text, wrapped(text))


def signature(value: Any) -> Any:
    """What must not change where a name is bound again."""
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype.str
    return "scalar" if isinstance(value, float | np.floating) else type(value).__name__


def scalar(p: Composed, depth: int = 0) -> str:
    """The text of a float without axes."""
    if depth == 0:
        found = [atom for atom in p.w.atoms if _is_scalar(p.w.value(atom))]
        if found and p.r.chance(0.6):
            return p.r.choice(found[-6:])
    x = p.w.expr(depth)
    if _is_scalar(p.w.value(x)):
        return x
    form = p.r.choice(
        ["{1}.sum()", "np.sum({0})", "np.mean({0})", "{1}.mean()", "np.sum({1} ** 2)", "np.sum({1} * 0.2)"]
    )
    return form.format(x, wrapped(x))


def _is_scalar(value: Any) -> bool:
    return isinstance(value, float | np.floating) or (isinstance(value, np.ndarray) and value.shape == ())


def like(p: Composed, value: Any, depth: int = 1) -> str:
    """The text of a value that can be written over `value`."""
    shape = np.shape(value)

    def fits(other: Any) -> bool:
        return np.shape(other) in (shape, ()) or _broadcasts(np.shape(other), shape)

    return p.w.expr(depth, fits) if p.r.chance(0.85) else p.r.choice(["0.25", "1", "-0.5", "0.0", "SHIFT"])


def _broadcasts(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(shape, to) == to
    except ValueError:
        return False


def condition(p: Composed, truth: bool | None = None) -> str:
    """A truth value that depends on floats, true or false here; none of its comparisons is a close one."""
    if truth is None:
        truth = p.r.chance(0.6)
    for _ in range(8):
        text = _condition(p)
        value = p.w.value(text)
        if bool(value) != truth:
            text = f"not ({text})" if p.r.chance(0.4) or " and " in text else _opposite(text)
        if bool(p.w.value(text)) == truth:
            return text
    raise Reject


def _opposite(text: str) -> str:
    for a, b in ((" > ", " <= "), (" < ", " >= "), (" >= ", " < ")):
        if text.count(a) == 1:
            return text.replace(a, b)
    return f"not {wrapped(text)}"


def _condition(p: Composed) -> str:
    kind = p.r.weighted(
        [(12, "one"), (3, "and"), (3, "or"), (3, "chain"), (4, "any"), (2, "not"), (2, "two"), (1, "static"),
         (2, "integer")]
    )  # fmt: skip
    if kind == "and":
        return f"{comparison(p)} and {comparison(p)}"
    if kind == "or":
        return f"{comparison(p)} or {comparison(p)}"
    if kind == "not":
        return f"not {comparison(p)}"
    if kind == "static":
        return f"FLAG or {comparison(p)}" if p.r.chance(0.5) else f"MODE != 'gelu' and {comparison(p)}"
    if kind == "integer" and p.counts:
        n = p.r.choice(p.counts)
        return p.r.choice([f"{n} > 2", f"{n} % 2 == 0", f"{n} > 1 and {comparison(p)}"])
    if kind == "chain":
        x = scalar(p)
        value = float(p.w.value(x))
        low, high = value - p.r.choice([0.3, 0.8, -0.2]), value + p.r.choice([0.4, 1.1])
        return f"{low:.2f} < {x} < {high:.2f}" if p.r.chance(0.6) else f"{low:.2f} <= {x} <= {high:.2f}"
    if kind == "any":
        return _quantified(p)
    if kind == "two":
        a, b = scalar(p), scalar(p)
        p.w.apart(a, b, 0.02)
        return f"{a} {p.r.choice('<>')} {b}"
    return comparison(p)


def comparison(p: Composed) -> str:
    x = scalar(p, p.r.choice([0, 0, 1]))
    return f"{x} {p.r.choice(['>', '<', '>=', '<='])} {level(p, x)}"


def level(p: Composed, x: str) -> str:
    """A number near a scalar, but not too near."""
    value = float(p.w.value(x))
    number = value + p.r.choice([-0.9, -0.4, -0.15, 0.2, 0.5, 1.0])
    if abs(value) > 0.1 and p.r.chance(0.3):
        return "0"
    return f"{number:.1f}" if abs(float(f"{number:.1f}") - value) > 0.05 else f"{number:.2f}"


def _quantified(p: Composed) -> str:
    names = p.arrays()
    if not names:
        return comparison(p)
    x = p.r.choice(names)
    form = p.r.choice(
        ["({0} > {1}).any()", "np.any({0} < {1})", "np.all({0} > {1})", "({0} < {1}).all()",
        "any(v > {1} for v in {0}.ravel())"]
    )  # fmt: skip
    limit = p.r.choice(["0.35", "-0.45", "1.15", "-2.0", "0.05"])
    p.w.apart(x, limit, 0.01)
    return form.format(x, limit)


def mask(p: Composed, x: str) -> str:
    """A boolean array of the shape of `x`."""
    limit = p.r.choice(["0", "0.25", "-0.35", "0.6"])
    p.w.apart(x, limit, 0.01)
    form = p.r.choice(["{0} > {1}", "{0} < {1}", "np.abs({0}) > 0.53", "({0} > {1}) & ({0} < 1.37)",
                       "~({0} > {1})", "np.sin({0}) < 0.41"])  # fmt: skip
    return form.format(x, limit)


def update(p: Composed, name: str, depth: int = 1) -> None:
    """`name` gets a new value of the same kind, which stays of moderate size over iterations."""
    old = p.w.env[name]
    number = not is_array(old) and isinstance(old, int)
    e = p.w.expr(depth, lambda value: np.shape(value) == np.shape(old) or np.shape(value) == ())
    forms = ["{0} = 0.5 * {0} + {2}", "{0} = {2} - 0.4 * {0}", "{0} = {0} + 0.3 * {2}",
             "{0} = np.tanh({0} + {1})",
             "{0} = np.sin({0}) * {2}", "{0} = {0} * 0.7 + {2}", "{0} = ({0} + {2}) / 2",
             "{0} = np.where({0} > {2}, {0}, {2})" if is_array(old) else "{0} = {2}"]  # fmt: skip
    if not isinstance(old, np.ndarray) or name in p.owned():
        forms += ["{0} += {2}", "{0} -= 0.5 * {2}", "{0} *= 0.9 * np.cos({1})", "{0} /= 1.5 + {3} ** 2"] * 2
    text = p.r.choice(forms).format(name, e, damped(p, e), wrapped(e))
    if number and "{0} *=" not in text:
        p.run(text)
        return
    p.run(text)
    if signature(p.w.env[name]) != signature(old):
        raise Reject


def trips(p: Composed) -> list[str]:
    """Texts of lengths that the program knows."""
    texts = ["3", "2", *p.counts]
    for name in p.arrays():
        texts += [f"len({name})", f"{name}.shape[0]", f"{name}.shape[-1]", f"(len({name}) // 2 + 1)"]
        texts += [f"{name}.size"] if p.w.env[name].size < 7 else []
    return texts


def spans(p: Composed) -> str:
    """What follows `in`: a range that is not empty."""
    n = p.r.choice(trips(p)[-8:] if p.r.chance(0.8) else trips(p))
    text = p.r.weighted(
        [(10, f"range({n})"), (3, f"range(1, {n})"), (3, f"range({n} - 1, -1, -1)"), (2, f"range(0, {n}, 2)"),
         (2, f"range({n} - 1)"), (1, f"reversed(range({n}))"), (1, f"range(1, {n} + 1)"),
         (1, f"range({n}, 0, -1)"), (1, f"range({n} - 2, -1, -1)"), (1, f"range(-1, {n}, 2)")]
    )  # fmt: skip
    return text


def indexed(p: Composed, *counters: str) -> None:
    """Elements at the counters of loops become likely atoms."""
    found = []
    i = counters[-1]
    for name in p.arrays():
        ranks = rank(p.w.env[name])
        found += [f"{name}[{i}]", f"{name}[{i}]", f"{name}[-{i} - 1]", f"{name}[{i} - 1]"]
        if ranks > 1:
            found += [f"{name}[:, {i}]", f"{name}[{i}, 0]"]
            found += [f"{name}[{j}, {i}]" for j in counters[:-1] * 2]
    good = [text for text in found if _valid(p, text)]
    p.add(*p.r.sample(good, 6))
    if p.r.chance(0.4):
        p.add(p.r.choice([f"0.1 * {i}", f"(1.0 / ({i} + 2))", f"float({i})", f"({i} + 1) * 0.5"]))


def _valid(p: Composed, text: str) -> bool:
    try:
        p.w.value(text)
    except IndexError:
        return False
    return True
