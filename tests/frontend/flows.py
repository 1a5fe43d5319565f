"""Programs whose control flow only run time decides on, each with the arguments of several calls.

Enters: nothing.  Leaves: `CASES`, and `REFUSED`, with the arguments of one call.  Invariant:
the calls of one case take every branch.
"""
# ruff: noqa: B905, F821, F841, SIM108, B007, B023, RUF005

from __future__ import annotations

import math
import types
import typing

import numpy as np

CASES: list[tuple[typing.Any, list[tuple[typing.Any, ...]]]] = []
REFUSED: list[tuple[typing.Any, tuple[typing.Any, ...]]] = []
rng = np.random.default_rng(7)
V = np.array([0.5, -1.5, 2.0, 3.5, -0.25])
M = rng.standard_normal((4, 3))
S = rng.standard_normal((3, 3))
VECTORS = [(V,), (-V,), (V * 10,), (np.abs(V),)]
EMPTY = np.zeros(0)


def case(*calls):
    def add(function):
        CASES.append((function, [call if isinstance(call, tuple) else (call,) for call in calls]))
        return function

    return add


def refused(*calls):
    def add(function):
        REFUSED.append((function, calls[0] if isinstance(calls[0], tuple) else (calls[0],)))
        return function

    return add


# Branches


@case(*VECTORS)
def if_else(x):
    if x.sum() > 0:
        y = x * 2
    else:
        y = x - 1
    return y


@case(*VECTORS)
def if_without_else(x):
    y = x
    if x[0] > 0:
        y = y + 1
    return y * x


@case(*VECTORS)
def elif_chain(x):
    if x[0] > 4:
        y = 1.0
    elif x[0] > 0.1:
        y = x[1]
    elif x[1] > 0:
        y = x[2] * 2
    else:
        y = -x[0]
    return y


@case(*VECTORS)
def return_in_branch(x):
    if x.sum() > 0:
        return x
    return -x


@case(*VECTORS)
def return_in_both(x):
    if x.sum() > 0:
        return x, 1.0
    else:
        return -x, 2.0


@case(*VECTORS)
def returns_in_nested_branches(x):
    if x[0] > 0:
        if x[1] > 0:
            return x
        y = x * 2
    else:
        y = x * 3
        if x[2] < -3:
            return y + 1
    return y - 1


@case(*VECTORS)
def conditional_expression(x):
    return x if x[0] > 0 else -x


@case(*VECTORS)
def conditional_in_call(x):
    return np.sin(x * (2 if x[0] > 0 else 3.5))


@case(*VECTORS)
def conjunction(x):
    if x[0] > 0 and x[1] > 0:
        return x
    return x + 1


@case(*VECTORS)
def disjunction(x):
    if x[0] > 1 or x[1] > 0 or x[2] > 100:
        return x
    return x + 1


@case(*VECTORS)
def value_of_or(x):
    y = x[0] > 4 or x[1]
    return y * 2.0


@case(*VECTORS)
def value_of_and(x):
    return (x[0] and x[1]) + 1.0


@case((V,), (EMPTY,))
def short_circuit_guards(x):
    if len(x) > 0 and x[0] > 0.1:
        return 1.0
    return 2.0


@case(*VECTORS)
def negation(x):
    if not x[0] > 0:
        return x
    return x * 2


@case(*VECTORS)
def negated_value(x):
    return not x.any(), not x[0] > 0


@case(*VECTORS)
def chained_comparison(x):
    if 0 < x[0] < 2:
        return x
    return x * 3


@case((1.0,), (-2.0,))
def python_numbers(a):
    if a > 0:
        b = 2
    else:
        b = 3
    return a**b


@case((3,), (-2,))
def python_ints(n):
    k = n if n > 0 else -n
    return k * 2


@case((np.array(True), V), (np.array(False), V))
def array_condition(c, x):
    if c:
        return x
    return x + 1


@case((np.array([2.0]), V), (np.array([0.0]), V))
def one_element_condition(c, x):
    if c:
        return x
    return x + 1


@case(*VECTORS)
def any_all_methods(x):
    if (x > 0).all():
        return x
    elif (x > 3).any():
        return x + 1
    return x - 1


@case(*VECTORS)
def any_all_builtins(x):
    flags = [x[0] > 0, x[1] > 0]
    return any(flags), all(flags)


@case(*VECTORS)
def defined_in_one_branch(x):
    if x[0] > 0:
        scale = 2.0
    y = x
    if x[0] > 0:
        y = y * scale
    return y


@case(*VECTORS)
def tuples_in_branches(x):
    if x[0] > 0:
        pair = (x, 1.0)
    else:
        pair = (x * 2, 3.0)
    a, b = pair
    return a * b


@case(*VECTORS)
def dict_item_in_branch(x):
    state = {"w": x, "b": 1.0}
    if x[0] > 0:
        state["w"] = state["w"] * 2
    return state["w"] + state["b"]


@case(*VECTORS)
def dicts_in_branches(x):
    if x[0] > 0:
        state = {"w": x, "b": 1.0}
    else:
        state = {"w": -x, "b": 2.0}
    return state["w"] * state["b"]


class Pair:
    def __init__(self, a, b):
        self.a = a
        self.b = b

    def grown(self, x):
        if x > 0:
            self.a = self.a + x
        return self.a


@case(*VECTORS)
def object_attribute_in_branch(x):
    pair = Pair(x, 2.0)
    pair.grown(x[0])
    return pair.a * pair.b


@case(*VECTORS)
def none_in_the_unused_branch(x):
    y = None
    if x[0] > 0:
        y = x
    else:
        y = -x
    return y


def pick(a, b):
    if a > b:
        return a
    return b


@case(*VECTORS)
def branch_in_callee(x):
    return pick(x[0], x[1]) + pick(x[2], x[3])


@case(*VECTORS)
def closure_in_branch(x):
    def double(v):
        return v * 2

    if x[0] > 0:
        y = double(x)
    else:
        y = double(-x)
    return y


@case(*VECTORS)
def nonlocal_in_branch(x):
    total = 0.0

    def add(v):
        nonlocal total
        total = total + v

    if x[0] > 0:
        add(x[1])
    else:
        add(x[2])
    return total


@case(*VECTORS)
def write_in_branch(x):
    y = x * 1.0
    if x[0] > 0:
        y[0] = 7.0
    else:
        y[1:] *= 2.0
    return y


@case(*VECTORS)
def write_through_alias_in_branch(x):
    y = x * 1.0
    z = y[1:]
    if x[0] > 0:
        z[0] = 7.0
    return y + 1.0


@case(*VECTORS)
def different_lengths(x):
    if x[0] > 0:
        y = x[1:]
    else:
        y = x[:2]
    return y * 2


@case(*VECTORS)
def walrus_in_condition(x):
    if (s := x.sum()) > 0:
        return s
    return s * 2


@case(*VECTORS)
def math_in_branch(x):
    a = float(x[0])
    if a > 0:
        return math.sqrt(a)
    return math.exp(a)


# Loops over ranges


@case(V, EMPTY)
def sum_by_index(x):
    s = 0.0
    for i in range(len(x)):
        s = s + x[i] * i
    return s


@case(V)
def range_with_start_and_step(x):
    s = 0.0
    for i in range(1, len(x), 2):
        s += x[i]
    for i in range(len(x) - 1, -1, -1):
        s = s * 0.5 + x[i]
    return s


@case((V, 3), (V, 0), (V, -2))
def range_of_argument(x, n):
    for i in range(n):
        x = x * 0.5 + i
    return x


@case((V, 2, 5), (V, 5, 2))
def range_of_two_arguments(x, a, b):
    s = x
    for i in range(a, b):
        s = s + i
    return s


@case((V, -1), (V, 2))
def range_of_staged_step(x, step):
    s = 0.0
    for i in range(3, 0, step):
        s += x[i]
    for i in range(0, 4, step):
        s -= x[i]
    return s


@case(V)
def constant_range(x):
    for _ in range(10):
        x = x * 0.9 + 0.1
    return x


@case(V)
def empty_constant_range(x):
    for i in range(0):
        x = x * i
    return x


@case(V, EMPTY)
def loop_variable_afterwards(x):
    i = -1
    for i in range(len(x)):
        y = x * i
    return i


@case(V)
def body_variable_afterwards(x):
    for i in range(len(x)):
        y = x[i] * 2
    return y + i


@case(V)
def starts_as_int(x):
    s = 0
    for v in x:
        s = s + v
    return s


@case(M)
def starts_as_number_becomes_array(A):
    s = 0
    for row in A:
        s = s + row
    return s


@case(M)
def starts_as_none(A):
    last = None
    for row in A:
        last = row * 2
    return last


@case(V)
def uses_last_round(x):
    s = 0.0
    for i in range(len(x)):
        if i > 0:
            s += previous * x[i]
        previous = x[i]
    return s


@case(*VECTORS)
def breaks(x):
    s = 0.0
    for v in x:
        if v > 3:
            break
        s += v
    return s


@case(*VECTORS)
def continues(x):
    s = 0.0
    for v in x:
        if v < 0:
            continue
        s += v
    return s


@case(*VECTORS)
def breaks_and_continues(x):
    s = 0.0
    for v in x:
        if v < 0:
            s -= 1.0
            continue
        if v > 3:
            s = s * 2
            break
        s += v
    return s


@case(*VECTORS)
def for_else(x):
    for v in x:
        if v > 3:
            s = v
            break
    else:
        s = -1.0
    return s


@case(*VECTORS)
def returns_in_loop(x):
    for i in range(len(x)):
        if x[i] > 2.5:
            return x[i] * 10
    return 0.0


@case(*VECTORS)
def returns_and_breaks_in_loop(x):
    s = 0.0
    for v in x:
        if v > 5:
            return s - 100.0
        if v > 3:
            break
        s += v
    else:
        s = s + 1000.0
    return s


@case(*VECTORS)
def nested_break(x):
    s = 0.0
    for i in range(len(x)):
        for j in range(len(x)):
            if x[i] * x[j] > 4:
                break
            s += x[i] * x[j]
        s *= 0.5
    return s


@case(*VECTORS)
def return_from_nested_loops(x):
    for i in range(len(x)):
        for j in range(i):
            if x[i] + x[j] > 3:
                return x[i] - x[j]
    return -1.0


@case(*VECTORS)
def jump_deep_in_branches(x):
    s = 0.0
    for v in x:
        if v > 0:
            if v > 3:
                break
            s += 1.0
        s += v
    return s


@case((V, 4), (V, 0))
def nested_ranges(x, n):
    s = 0.0
    for i in range(n):
        for j in range(i):
            s += x[i] * x[j]
    return s


@case(V)
def four_nested_loops(x):
    s = 0.0
    for i in range(2):
        for j in range(2):
            for k in range(2):
                for m in range(2):
                    s = s + x[i] * x[j] - x[k] * x[m] * i
    return s


# Arrays


@case(M)
def rows_and_elements(A):
    s = 0.0
    for row in A:
        for v in row:
            s = s + v * v
    return s


@case(M)
def rows_are_views(A):
    B = A * 1.0
    for row in B:
        row *= 2
    return B


@case(V)
def slices_of_arrays(x):
    s = 0.0
    for v in x[1:-1]:
        s += v
    return s


@case((V, V * 2), (V, EMPTY))
def zipped(x, y):
    s = 0.0
    for a, b in zip(x, y):
        s += a * b
    return s


@case((M, V))
def enumerated(A, x):
    s = 0.0
    for i, row in enumerate(A):
        s += row.sum() * x[i]
    for k, v in enumerate(x, 2):
        s += k * v
    return s


@case((V, M))
def reversed_things(x, A):
    s = 0.0
    for i in reversed(range(len(x))):
        s = s * 0.5 + x[i]
    for v in reversed(x):
        s = s * 0.5 + v
    for row in A[::-1]:
        s = s * 0.25 + row.sum()
    for i in reversed(range(1, 7, 2)):
        s = s * 0.5 + i
    return s


@case((M, M + 1))
def zip_of_enumerates(A, B):
    s = 0.0
    for i, (a, b) in enumerate(zip(A, B)):
        s += i * (a @ b)
    return s


@case((V, M))
def zip_of_ranges(x, A):
    s = 0.0
    for i, row in zip(range(1, 10, 2), A):
        s += i * row[0]
    for i, v in zip(range(len(x)), x):
        s += i * v
    return s


# While


@case(V, -V, V * 100)
def while_loop(x):
    while x.sum() > 1:
        x = x / 2
    return x


@case((2.0,), (10.0,))
def newton(a):
    x = a
    while abs(x * x - a) > 1e-9:
        x = 0.5 * (x + a / x)
    return x


@case((V, 3), (V, 0))
def while_counter(x, n):
    i = 0
    while i < n:
        x = x * 0.5
        i += 1
    return x, i


@case(V)
def while_static_counter(x):
    i = 0
    while i < 10:
        x = x * 0.9
        i += 1
    return x


@case(*VECTORS)
def while_true(x):
    n = 0
    while True:
        x = x / 2
        n += 1
        if abs(x).max() < 0.5:
            break
    return x, n


@case(*VECTORS)
def while_else(x):
    n = 0
    while n < 5:
        if x[n] > 3:
            break
        n += 1
    else:
        n = 100
    return n


@case(*VECTORS)
def while_with_two_conditions(x):
    i = 0
    while i < len(x) and x[i] < 3:
        i += 1
    return i


@case((1e-3,), (1.0,))
def while_walrus(a):
    x = 1.0
    n = 0
    while (error := abs(x * x - 2)) > a:
        x = 0.5 * (x + 2 / x)
        n += 1
    return x, error, n


@case(*VECTORS)
def while_continue(x):
    i, s = 0, 0.0
    while i < len(x):
        i += 1
        if x[i - 1] < 0:
            continue
        s += x[i - 1]
    return s


@case(*VECTORS)
def while_return(x):
    i = 0
    while True:
        if x[i] > 1.9:
            return x[i], i
        i += 1
        if i == len(x):
            return -1.0, i


@case(V)
def while_over_known_list(x):
    waiting = [x, x * 2, x * 3]
    s = 0.0
    while waiting:
        s = s + waiting.pop().sum()
    return s


# Functions in loops


def step(x, k):
    if k % 2 == 0:
        return x * 0.5
    return x + 1.0


@case((V, 5))
def callee_in_loop(x, n):
    for i in range(n):
        x = step(x, i)
    return x


def first_above(x, limit):
    for v in x:
        if v > limit:
            return v
    return limit


@case(*VECTORS)
def loop_in_callee(x):
    s = 0.0
    for limit in range(3):
        s += first_above(x, float(limit))
    return s


# Writes in loops


@case((V, 3))
def writes_elements(x, n):
    y = np.zeros(len(x))
    for i in range(n):
        y[i] = x[i] * 2
    return y


@case((V, 3))
def stencil(x, n):
    a = x.copy()
    for _ in range(n):
        a[1:-1] = 0.5 * (a[:-2] + a[2:])
    return a


@case((M,))
def writes_in_four_loops(A):
    B = np.zeros_like(A)
    C = np.zeros_like(A)
    for i in range(A.shape[0]):
        for j in range(A.shape[1]):
            for k in range(A.shape[1]):
                for m in range(2):
                    B[i, j] += A[i, k] * m
                    C[i, j] -= B[i, j]
    return B, C


@case((V, 4), (V, 0))
def swaps_buffers(x, n):
    a = x.copy()
    b = np.zeros_like(x)
    for _ in range(n):
        b[1:] = a[:-1] * 0.5
        a, b = b, a
    return a


@case((V, 4))
def swaps_values(x, n):
    a, b = x, x * 2
    for _ in range(n):
        a, b = b, a + b
    return a, b


@case((V, 4))
def rebinds_reference(x, n):
    u = x.copy()
    for _ in range(n):
        un = u.copy()
        u[1:-1] = un[1:-1] + 0.1 * (un[2:] - un[:-2])
    return u


def relax(a, b):
    a[1:] += b[:-1]
    return a


@case((V, 3))
def callee_writes(x, n):
    a = x.copy()
    for _ in range(n):
        a = relax(a, x)
    return a


@case((V, 3))
def write_in_while(x, n):
    a = x.copy()
    i = 0
    while i < n:
        a[i] = a[i + 1] * 2
        i += 1
    return a


@case(*VECTORS)
def write_in_branch_in_loop(x):
    y = np.zeros_like(x)
    for i in range(len(x)):
        if x[i] > 0:
            y[i] = x[i]
        else:
            y[i] = -x[i]
    return y


@case((S,))
def triangular_solve(L):
    n = L.shape[0]
    x = np.zeros(n)
    for i in range(n):
        s = 1.0
        for j in range(i):
            s -= L[i, j] * x[j]
        x[i] = s / L[i, i]
    return x


# Containers in loops


@case((V, 3))
def dict_in_loop(x, n):
    state = {"w": x, "count": 0}
    for _ in range(n):
        state["w"] = state["w"] * 0.5
        state["count"] += 1
    return state["w"], state["count"]


@case((V, 3))
def new_dict_each_round(x, n):
    state = {"w": x, "v": x * 0}
    for _ in range(n):
        state = {"w": state["w"] - state["v"], "v": state["v"] * 0.9 + state["w"]}
    return state["w"]


@case((V, 3))
def tuple_in_loop(x, n):
    pair = (x, 1.0)
    for i in range(n):
        pair = (pair[0] * pair[1], pair[1] + i)
    return pair


@case((V, 3))
def list_of_fixed_length(x, n):
    values = [x, x * 2]
    for _ in range(n):
        values[0] = values[0] + values[1]
        values[1] = values[0] * 0.5
    return values[0], values[1]


@case((V, 3))
def object_in_loop(x, n):
    pair = Pair(x, 1.0)
    for i in range(n):
        pair.grown(x[i])
        pair.b = pair.b * 2
    return pair.a * pair.b


@case((V, 3))
def namespace_in_loop(x, n):
    state = types.SimpleNamespace(x=x, k=0)
    for _ in range(n):
        state.x = state.x * 0.5
        state.k += 1
    return state.x, state.k


PARAMS = [rng.standard_normal(3) for _ in range(3)]


@case((PARAMS, M))
def counter_is_index_of_list(params, A):
    s = 0.0
    for i in range(len(params)):
        s += (A @ params[i]).sum() * i
    return s


@case((PARAMS, M))
def list_of_parameters(params, A):
    s = 0.0
    for p in params:
        s += (A @ p).sum()
        if s > 1:
            break
    return s


@case((PARAMS, M))
def nested_with_list(params, A):
    s = 0.0
    for i in range(2):
        for j, p in enumerate(params):
            for row in A:
                s += row @ p * (i + j)
    return s


# Lists that grow


@case(V, EMPTY)
def appended(x):
    out = []
    for v in x:
        out.append(v * 2)
    return np.array(out)


@case((M,))
def appended_rows(A):
    out = []
    for row in A:
        out.append(np.tanh(row))
    return np.stack(out), np.stack(out, axis=1), np.vstack(out), np.concatenate(out), len(out)


@case((V, 4))
def appended_states(x, n):
    states = [x]
    for _ in range(n):
        states.append(states[-1] * 0.5)
    return np.array(states), states[1], states[-1]


@case(*VECTORS)
def appended_in_branch(x):
    out = []
    for v in x:
        if v > 0:
            out.append(v)
    return len(out), sum(out)


@case(*VECTORS)
def appended_in_branch_alone(x):
    out = [x[0]]
    if x[1] > 0:
        out.append(x[1])
    return sum(out), len(out)


@case((V, 4))
def read_while_growing(x, n):
    out = [x[0], x[1]]
    for i in range(n):
        out.append(out[-1] + out[-2] * 0.5)
    return sum(out)


@case(*VECTORS)
def popped(x):
    out = []
    for v in x:
        if v > 0:
            out.append(v)
        elif len(out) > 0:
            out.pop()
    return sum(out)


@case((V, 4))
def loop_over_grown(x, n):
    out = []
    for i in range(n):
        out.append(x * i)
    s = 0.0
    for v in out:
        s += v.sum()
    for i, v in enumerate(out):
        s -= v[0] * i
    return s


# Comprehensions


@case(V)
def list_comprehension(x):
    return np.array([v * v for v in x])


@case((V, 4))
def comprehension_over_range(x, n):
    return np.array([x[i] * i for i in range(n)])


@case(*VECTORS)
def comprehension_with_condition(x):
    return sum([v for v in x if v > 0])


@case((V, 4), (V, 0))
def sum_of_generator(x, n):
    return sum(x[i] * i for i in range(n))


@case((M,))
def sum_of_nested_generator(A):
    return sum(v * v for row in A for v in row)


@case(*VECTORS)
def any_all_of_generators(x):
    return any(v > 3 for v in x), all(v > -1 for v in x)


@case(*VECTORS)
def extrema_of_generators(x):
    return max(v * v for v in x), min(v - 1 for v in x)


@case((M,))
def nested_comprehension(A):
    return np.array([[v * 2 for v in row] for row in A])


@case((PARAMS,))
def comprehension_over_list(params):
    return sum([p * 2 for p in params])


# Lists whose length only run time knows


@case((V, 3), (V, 0))
def repeated_numbers(x, n):
    vals = [0.0] * n
    for i in range(n):
        vals[i] = x[i] * 2
        vals[i - 1] += x[i]
    return sum(vals), np.array(vals), vals


@case((V, 3), (V, 1))
def repeated_value(x, n):
    return np.array([x[0] * 2] * n), np.array([x[1]] * len(x))


@case((V,), (M,))
def mask_made_of_lists(x):
    y = x * 1.0
    y[[True] + [False] * (len(x) - 1)] *= 3
    return y, x[[True] * (len(x) - 1) + [False]]


@case((V, 3), (V, 0))
def chained_lists(x, n):
    some = []
    for i in range(n):
        some += [x[i], x[i] * 2]
    more = [x[0]] + some + [1.5]
    more.extend(some)
    some += more
    return np.array(more), np.array(some), len(some)


@case((M,), (V,), (S,))
def list_of_rows(x):
    rows = list(x)
    rows[0], rows[-1] = rows[-1], rows[0] * 2
    return np.stack(rows), rows[1], sum(rows)


@case((M, 2), (M, 0))
def replaced_rows(A, n):
    rows = list(A)
    for i in range(n):
        rows[i] = np.tanh(rows[i - 1])
        rows[-1] = rows[-1] + rows[i]
    return np.stack(rows)


@case((M, 2), (M, 0))
def row_of_a_list_changed_in_place(A, n):
    rows = list(A)
    rows[n] += 1
    return A


@case((M, 2), (M, 0))
def row_of_a_list_read_after_a_write(A, n):
    B = A * 1.0
    rows = list(B)
    B[0] = 5
    return rows[n]


@case((M, 2), (M, 0))
def row_taken_before_a_write(A, n):
    B = A * 1.0
    rows = list(B)
    row = rows[n]
    B[0] = 5
    return row * 2


@case((M, 2), (M, 0))
def rows_of_a_list_written_and_joined(A, n):
    rows = list(A * 1.0)
    for i in range(len(rows)):
        rows[i - 1] += rows[i] * n
    return np.array(rows), rows[n]


@refused((M, 2), (M, 0))
def row_of_a_list_with_one_more(A, n):
    B = A * 1.0
    rows = list(B)
    rows.append(B[0] * 2)
    rows[n] += 1
    return B


@refused((V, 2), (V, 0))
def numbers_of_a_list_after_a_write(x, n):
    y = x * 1.0
    found = list(y)
    y[0] = 5.0
    return found[n], y


@case((V,), (-V,))
def alias_after_a_short_loop(x):
    a, b = x * 1.0, x * 1.0
    for _ in range(3):
        a, b = b, 0.5 * (a - b)
    a += 1.0
    a[0] *= 2.0
    return a, b


@refused((V, 1), (V, 2))
def alias_in_a_short_loop_with_a_break(x, k):
    a = y = x * 1.0
    for i in range(2):
        if i == k:
            break
        a = a * 0.5
    y[0] = 7.0
    return a, y


@case((V, 3), (V, 1), (V, 0))
def alias_after_a_loop_of_unknown_length(x, n):
    a, b = x * 1.0, x * 1.0
    y = a
    for _ in range(n):
        a, b = b, 0.5 * (a - b)
    a += 1.0
    return a, b, y


@case(M)
def array_or_nothing_written(A):
    total = sum(sum(A[i] * A[j] for j in range(i)) for i in range(len(A)))
    total[::-1] = np.sin(total) - 0.5
    return total


@case(M)
def like_an_array_or_nothing(A):
    rows = []
    for row in A:
        rows.append(row * 2)
    found = np.zeros_like(sum(v**2 for v in rows) / 2)
    found[0] = 0.5
    return found


@case((V, 3), (V, 1))
def largest_of_one(x, n):
    return max([np.sum(v) for v in x[:1]]), max(x[i] for i in range(1))


# Places that a condition chooses


@case((M,), (-np.abs(M),))
def places_of_a_mask(A):
    B = A * 1.0
    B[np.where(B > 0.1)] *= 2
    B[np.nonzero(np.sin(A) < 0.2)] += 1
    (i,) = np.nonzero(A[0] > 0)
    rows, columns = (A < 0.3).nonzero()
    return B, B[0][i], i.size, A[rows, columns], A[columns[:1], rows[:1] % 3], np.flatnonzero(A > 0)


@case((M,), (S,))
def places_of_one_axis(A):
    i, j = np.where(A > 0)
    return A[i], A[:, j], A[i, :1], A[np.where(A[:, 0] > 0)[0], 1]


@case((M,), (S,))
def open_grid(A):
    B = A * 1.0
    B[np.ix_([0, 2], [1, 0])] *= 2
    B[np.ix_(A[:, 0] > 0, [True, False, True])] += 1
    return B, A[np.ix_(range(2), np.arange(3))], A[np.ix_([1, 1])]


# Loops whose first round stands apart, for there a name is an array from before


@case((V, 3), (V, 1), (V, 0))
def backwards_with_an_else(x, n):
    a = x * 1.0
    b = a[::-1]
    for i in reversed(range(1, n)):
        a[0] += i
        a = a * 2 + b
        if a[1] > 3:
            break
    else:
        b[1] = 7
    a[2] *= 3
    return a, b


@case((V, 3), (V, 1), (V, 0))
def by_steps_down(x, n):
    a = x * 1.0
    b = a
    for i in range(n, 0, -2):
        a[i] *= 2
        a = np.sin(a)
    return a, b


@case((V, 3), (V, 4), (V, 1), (V, 0))
def left_in_any_round(x, n):
    a = x * 1.0
    b = a
    for i in range(n):
        a[i] += b[i + 1]
        if i == 2:
            return a, b
        a = a + 1
        if a[i] < 0:
            continue
        a[i + 1] -= 1
    b[0] = 3
    return a, b


@case((V, 3), (V, 1), (V, 0))
def while_with_a_first_round(x, n):
    a = x * 1.0
    b = a
    i = 0
    while i < n:
        i += 1
        a[i] *= 2
        a = a + b
        if a[i] < -2:
            break
    a[0] = 0.5
    return a, b


@case((V, 3), (-V, 3), (np.abs(V), 1), (V, 0))
def while_with_an_else_and_jumps(x, n):
    a = x * 1.0
    b = a
    while a[1] > -2 and a.sum() < n:
        a[0] += 1
        a = a + np.abs(a)
        if a[2] > 6:
            a[1] = 6
            break
    else:
        b[3] = 2
    a *= 2
    return a, b


@case((M, 3), (M, 0), (np.zeros((0, 3)), 1))
def rows_of_what_is_rebound_and_written(A, n):
    a = A * 1.0
    t = np.zeros(3)
    for i, (row, other) in enumerate(zip(a, A)):
        a[n // 2] += other
        t = t + row
        a = a * 0.5
    a[:, 0] = t.sum()
    return a, t


@case((V, 3), (V, 1), (V, 0))
def inner_loop_with_a_first_round(x, n):
    total = 0.0
    for k in range(n):
        a = x * 1.0
        b = a
        for i in range(k):
            a[i] += 1
            a = a * 2
        total += a[0] + b[0]
    return total


@case((V, 3), (V, 0))
def view_of_what_is_written_later(x, n):
    a = x * 1.0
    v = a[1:]
    for i in range(n):
        v = np.where(v > 0, v, i)
    a[2] = 8
    i = 0
    while i < len(v):
        a[0] += v[i]
        i += 2
    return a, v


# References that only run time tells apart: right, or refused


@case((V, 3), (-V, 0))
def one_of_two_for_the_rest(x, n):
    y = x * 1.0
    if x[0] > 0:
        z = y
    elif n > 1:
        z = x * 2
    else:
        z = y[::-1]
    z[0] = 1
    y[1] *= 2
    if z[1] > 0:
        return z
    z = z + y
    return y * z


@case((V, 3), (V, 0))
def one_of_two_views_in_a_loop(x, n):
    y = x * 1.0
    for i in range(n):
        z = y[::-1] if y[i] > 0 else y
        z[i] = np.sin(y[0])
    return y


@case((M, 2), (S, 0))
def rebound_in_rounds_that_certainly_run(A, n):
    a = A[0]
    for i in range(len(A)):
        a = a + A[i]
    a[0] = 9
    b = A[1:]
    for i in range(len(A)):
        for j in range(i + 1):
            b = b * 2
    b += 1
    return a, b, A


@case((M, 3), (M, 0))
def written_by_out_and_bound_again(A, n):
    B = A[None] * 1.0
    c = B[0]
    for i in range(n):
        c = np.add(c, 1, out=c)
    return B, c


@case((V, 3), (-V, 0))
def other_name_gone_in_one_branch(x, n):
    out = x * 0.0
    a = out
    if x[0] > 0:
        a = a * 0.7
    else:
        out[1:] += 2
        out = out + 1
    out /= 2
    return out, a


@case((M, 3), (S, 0))
def loop_over_what_is_rebound(A, n):
    r = A * 0.3
    t = 0.0
    for row in r:
        r = np.sin(r)
        t += np.sum(row)
    r -= t
    return r


@case((V, 3), (V, 0))
def functions_in_loops(x, n):
    s = x[0]
    for i in range(n):

        def step(v, k=i):
            return np.sin(v) * s + k

        s = step(x[i])
        while s > 0.2:

            def half(u, x):
                u[:1] *= x

            half(x[1:], s)
            s = s * 0.5
    return s, x


@refused((V, 3), (V, 0))
def alias_read_after_write(x, n):
    y = x * 1.0
    z = y if x[0] > 0 else x * 2
    y[0] = 5
    return z


@case((V, 3), (-V, 0))
def write_through_one_of_two(x, n):
    y = x * 1.0
    w = x * 2
    z = y if x[0] > 0 else w
    z[0] = 1
    return y + w


@case((V, 3), (V, 0))
def rebound_then_written(x, n):
    a = x.copy()
    b = a
    for i in range(n):
        a = a + 1
        a[0] = i
    return a, b


@case((V, 3), (V, 1), (V, 0))
def written_then_rebound(x, n):
    a = x.copy()
    b = a
    for i in range(n):
        a[0] = i
        a = a * 2
    return a, b


@refused((V, 3), (V, 0))
def appended_then_written(x, n):
    out = []
    h = x.copy()
    for i in range(n):
        out.append(h)
        h += 1
    return sum(out)


@case((V, 3), (V, 0))
def appended_then_rebound(x, n):
    out = []
    h = x.copy()
    for i in range(n):
        out.append(h)
        h = h + 1
    return sum(out)


@refused((V, 3), (V, 0))
def dict_gets_a_key(x, n):
    d = {"w": x}
    e = d
    for i in range(n):
        d = {"w": d["w"] * 2}
        d["v"] = d["w"]
    return d["w"], e["w"]


@refused((V, 3), (V, 0))
def dict_with_two_names(x, n):
    d = {"w": x}
    e = d
    for i in range(n):
        d["w"] = d["w"] + 1
        d = {"w": d["w"] * 2}
    return d["w"], e["w"]


@case((V, 3), (V, 1), (V, 0))
def argument_or_copy(x, n):
    for i in range(n):
        x[0] = 1
        x = x * 2
    return x


@case((M, 3), (M, 1))
def view_of_the_row_before(A, n):
    A = A.copy()
    prev = A[0]
    for i in range(1, n + 1):
        A[i] = A[i] + prev
        prev = A[i]
    return A


@refused((M, 3), (M, 0))
def view_of_a_written_row(A, n):
    A = A.copy()
    prev = A[0]
    for i in range(1, n + 1):
        A[i - 1] = A[i] * 2
        A[i] = A[i] + prev
        prev = A[i]
    return A


@case((V, 3), (V, 0))
def swapped_and_written(x, n):
    a = x.copy()
    b = x * 2
    for i in range(n):
        a[0] += 1
        a, b = b, a
    return a, b


@case((V, 3), (V, 0))
def swapped_with_itself(x, n):
    a = x.copy()
    b = a
    for i in range(n):
        a[0] += 1
        a, b = b, a
    return a, b


@case((V, 3), (V, 0))
def handed_on_and_written(x, n):
    a = x.copy()
    b = x * 2
    for i in range(n):
        a = b
        b = b + 1
        a[0] = 7
    return a, b


@case((V, 3), (V, 0))
def one_of_two_after_the_loop(x, n):
    a = x.copy()
    b = x * 2
    for i in range(n):
        b[1] = i
        a = b
    a[0] = 9
    return a, b


@case((V, 3), (V, 0))
def alias_only_read(x, n):
    y = x * 1.0
    if x[0] > 0:
        z = y
    else:
        z = x * 3
    return z + y


@refused((V, 3), (V, 0))
def item_of_staged_list_written(x, n):
    lst = [x * 1.0]
    if x[0] > 0:
        lst.append(x * 2)
    lst[0][0] = 5
    return sum(lst)


@refused((V, 3), (V, 0))
def item_of_list_written_elsewhere(x, n):
    y = x * 1.0
    lst = [y]
    if x[0] > 0:
        lst.append(x * 2)
    y[0] = 5
    return sum(lst)


@case((V, 3), (V, 0))
def swapped_items_of_a_dict(x, n):
    st = {"a": x * 1.0, "b": x * 2.0}
    for i in range(n):
        st["a"], st["b"] = st["b"], st["a"]
        st["a"][0] += 1
    return st["a"], st["b"]


@case((V, 3), (V, 1))
def buffers_in_a_list(x, n):
    buf = [x * 1.0, x * 2.0]
    for i in range(n):
        cur, nxt = buf[i % 2], buf[(i + 1) % 2]
        nxt[1:] = cur[:-1]
    return buf[0]


@case((V, 3), (V, 0))
def closure_writes(x, n):
    a = x * 1.0

    def f():
        a[0] += 1

    for i in range(n):
        f()
        if a[0] > 3:
            f()
    return a


@refused((V, 3), (V, 0))
def none_or_value(x, n):
    best = None
    for v in x:
        if best is None or v > best:
            best = v
    return best


@case((V, 3), (V, 1), (V, 0))
def view_of_rebound(x, n):
    y = x * 1.0
    view = y[1:]
    for i in range(n):
        view[0] += y[0]
        y = y * 2
    return y, view


@case((V, 3), (V, 1))
def view_after_the_loop(x, n):
    y = x * 1.0
    for i in range(n):
        w = y[i:]
        w[0] = i
        y = y + 1
    return y, w


@case((V, 3), (V, 1))
def list_and_writes(x, n):
    y = x * 1.0
    out = []
    for i in range(n):
        out.append(y[i])
        y[i + 1] = out[-1] * 2
    return np.array(out), y


@refused((V, 3), (V, 0))
def while_rebinds_and_writes(x, n):
    y = x * 1.0
    z = y
    while y.sum() > 3:
        y = y / 2
        y[0] = 0.1
    z[0] = 4
    return y, z


@refused((V, 3), (V, 0))
def while_rebinds_then_writes(x, n):
    y = x * 1.0
    z = y
    while y.sum() > 3:
        y = y / 2
    z[0] = 4
    return y, z
