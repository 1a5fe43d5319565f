"""Loops, branches, writes and stacks as Python: what is printed, and that it computes what the IR says."""

from __future__ import annotations

import ast
import copy
import textwrap
from typing import Any

import numpy as np
import pytest
from backends.flows import LENGTH, arguments, flow
from backends.programs import compiled, same
from backends.regions import PROGRAMS, function
from fuzz.generated import problems
from ops.evaluate import evaluate

from symdiff.backends.numpy import source
from symdiff.ir.node import Function
from symdiff.ir.tidy import tidy

pytestmark = pytest.mark.filterwarnings("ignore")
CHUNKS, CHUNK = 8, 75


EXPECTED = {
    "total": """
s = 0.0
for i in range(n):
    s = s + v[i]
return s
""",
    "fibonacci": """
a = 0.0
b = 1.0
for _ in range(n):
    a, b = b, a + b
return a, b
""",
    "swapped": """
a = v
b = u
for _ in range(n):
    a, b = b, a
return a, b
""",
    "the_last_and_the_one_before": """
x = v * 2.0
now = x
before = x
for _ in range(n):
    before = now
    now = now * 0.5
return now, before, x
""",
    "counter_leaks": """
i = 0
s = 0.0
for i in range(n):
    s = s + v[i]
value = s * i
return value
""",
    "bounds": """
s = 0.0
for i in range(1, 4, 2):
    s = s + v[i]
t = 0.0
for i in reversed(range(1, 4)):
    t = t + v[i]
return s, t
""",
    "nested": """
s = 0.0
for i in range(n):
    M_part = M[i]
    for j in range(n):
        s = s + M_part[j]
return s
""",
    "until": """
x = 1.0
while np.abs(x * x - 2.0) > 1e-09:
    x = (x + 2.0 / x) * 0.5
return x
""",
    "tested_inside": """
x = 1.0
while True:
    y = np.sin(x)
    if not y * y > 0.01:
        break
    x = x * 0.5
return x
""",
    "stops": """
s = 0.0
for i in range(n):
    s = s + v[i]
    if s > 2.0:
        break
return s
""",
    "stops_in_a_branch": """
s = 0.0
for i in range(n):
    v_part = v[i]
    if v_part > 0.5:
        s = s + 1.0
        break
    s = s + v_part
return s
""",
    "choice": """
if c > 0.0:
    product = v * 2.0
else:
    product = v
return product
""",
    "chain": """
if c > 1.0:
    s = c * c
elif c < -1.0:
    s = c * 2.0
else:
    s = -c
return s
""",
    "only_otherwise": """
s = 0.0
for i in range(n):
    v_part = v[i]
    if not v_part > 0.0:
        s = s - v_part
return s
""",
    "set_in_one_branch": """
condition = c > 0.0
if condition:
    x = v * 2.0
if not condition:
    x = v
return x
""",
    "fills": """
out = np.zeros_like(v)
for i in range(n):
    out[i] = v[i] * 2.0
return out
""",
    "arguments_are_copied": """
v = v.copy()
for i in range(n):
    v[i] += 1.0
return v
""",
    "old_value_is_read": """
x = v * 2.0
y = x.copy()
y[0] = 0.0
return x, y
""",
    "view_is_read_later": """
A = M * 2.0
row = A[0].copy()
A[0] = 0.0
product = row * 2.0
return A, product
""",
    "augmented": """
A = M * 2.0
A[0] += v
A *= c
A.T[0] -= v
A[1] = v
return A
""",
    "whole": """
x = v * 2.0
x[:] = u
return x
""",
    "double_buffer": """
now = v.copy()
following = np.zeros_like(v)
for _ in range(n):
    following[1:-1] = now[2:] + now[:-2]
    now, following = following, now
return now, following
""",
    "zeros_of_their_own": """
a = np.zeros_like(v)
b = np.zeros_like(v)
for i in range(n):
    a[i] = v[i]
    b[i] = 1.0
return a, b
""",
    "saved_and_popped": """
h = v
hs = []
for _ in range(n):
    sin_h = np.sin(h)
    hs.append(h)
    h = sin_h
h_bar = h * 2.0
for _ in reversed(range(n)):
    h = hs.pop()
    h_bar = h_bar * np.cos(h)
return h_bar
""",
    "pushed_then_written": """
x = v.copy()
xs = []
for i in range(n):
    t = x.copy()
    t[i] = 0.0
    xs.append(x)
    x = t
return x, xs
""",
    "below_the_top": """
x = v * 2.0
saved = []
saved.append(x.copy())
saved.append(u)
saved.pop()
y = x
y[0] = 0.0
stack_item_1 = saved[0]
return y, stack_item_1
""",
    "effects_stay_in_place": """
x = v * 2.0
print(x[0])
x[0] = 0.0
if c > 0.0:
    print('positive', c)
assert x[1] > -9.0, 'no'
return x
""",
    "over_elements": """
s = 0.0
# for a, b in zip(v, u):
for a, b in zip(v, u, strict=True):
    s += a * b
return s
""",
    "enumerated": """
s = 0.0
for i, x in enumerate(v):
    s += x * i
return s
""",
    "commented": """
s = 0.0
# for i in count(n):
for i in range(n):
    # s = s + square(v[i])
    v_part = v[i]
    s = s + v_part * v_part
return s
""",
}


def values_of(function: Function, seed: int) -> list[Any]:
    """Values for the parameters of a program, by name."""
    v, u, matrix, c, _ = arguments(seed)
    known = {"v": v, "u": u, "M": matrix, "c": c, "n": seed % (LENGTH + 1)}
    return [known[param.name] for param in function.params]


def alike(a: Any, b: Any) -> bool:
    if isinstance(a, list) or isinstance(b, list):
        return type(a) is type(b) and len(a) == len(b) and all(map(alike, a, b))
    return same(a, b)


def agrees(function: Function, values: list[Any]) -> str:
    """Generated code computes what the interpreter computes, twice, and leaves its arguments alone."""
    run, text = compiled(function)
    wanted = evaluate(function, *copy.deepcopy(values))
    given = copy.deepcopy(values)
    for _ in range(2):
        found = run(*given)
        found = found if len(wanted) > 1 or isinstance(found, tuple) else [found]
        assert all(map(alike, found, wanted)), text
        assert all(map(alike, given, values)), text
    return text


@pytest.mark.parametrize("name", PROGRAMS)
def test_text(name: str) -> None:
    text = source(function(PROGRAMS[name]))
    body = text.partition('"""A program."""\n')[2]
    assert textwrap.dedent(body).strip() == EXPECTED[name].strip()


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("seed", range(5))
def test_value(name: str, seed: int) -> None:
    made = function(PROGRAMS[name])
    text = agrees(made, values_of(made, seed + 1))
    assert not [problem for problem in problems(text) if "not read" not in problem]


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_random_programs(chunk: int) -> None:
    """The net for wrong writes: views, swaps, stacks and aliases in loops and branches."""
    augmented = written = copied = 0
    for seed in range(chunk * CHUNK, (chunk + 1) * CHUNK):
        made = flow(seed, 4 + seed % 9)
        text = agrees(tidy(made) if seed % 2 else made, arguments(seed))
        nodes = list(ast.walk(ast.parse(text)))
        augmented += any(isinstance(node, ast.AugAssign) for node in nodes)
        written += any(
            isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript) for node in nodes
        )
        copied += ".copy()" in text
        assert "pass" not in text.split()
    assert min(augmented, written, copied) > CHUNK / 5


@pytest.mark.parametrize("chunk", range(4))
def test_random_inner_functions(chunk: int) -> None:
    """An inner function may be called again: what it closes over stays as it is."""
    for seed in range(chunk * CHUNK, (chunk + 1) * CHUNK):
        size = 2 + seed % 5
        run, text = compiled(flow(seed, size, inner=True))
        values = arguments(seed)
        given = copy.deepcopy(values)
        value, back = run(*given)
        wanted = evaluate(flow(seed, size), *copy.deepcopy(values))
        assert all(map(alike, value, wanted)), text
        generator = np.random.default_rng(seed)
        seeds = [generator.uniform(-1, 1, LENGTH) for _ in range(2)]
        kept = copy.deepcopy(seeds)
        found = [back(one) for one in seeds]
        inlined = flow(seed, size, given=True)
        for one, results in zip(kept, found, strict=True):
            assert all(map(alike, results, evaluate(inlined, *copy.deepcopy(values), one))), text
        assert all(map(alike, [*seeds, *given, *value], [*kept, *values, *wanted])), text


def test_the_same_text_again() -> None:
    for seed in range(40):
        assert source(flow(seed)) == source(flow(seed))
