"""Functions that the front end must refuse, each with the arguments of a call; the reports are golden."""
# ruff: noqa: F821, F841

from __future__ import annotations

import dataclasses
import math
import typing

import numpy as np

CASES: list[tuple[typing.Any, tuple[typing.Any, ...], dict[str, typing.Any]]] = []
V = np.arange(5.0)
M = np.ones((5, 3))


def case(*args, **kwargs):
    def add(function):
        CASES.append((function, args, kwargs))
        return function

    return add


@case(V)
def staged_and(x):
    return np.where(x > 0 and x < 1, x, 0)


@case(V)
def staged_chain(x):
    return np.where(0 < x < 1, x, 0)


@case(V)
def write_outside(x):
    V[1:] += x[0]
    return x


@case(M)
def write_through_a_reshape(x):
    line = (2 * x).T.reshape(-1)
    line[0] = 1.0
    return line


@case(M)
def write_below_a_reshape(x):
    y = 2 * x
    line = y.T.reshape(-1)
    y[0] = 1.0
    return line


@case(V.astype(np.int64))
def integer_update(x):
    y = x * 2
    y /= 3
    return y


@case(V)
def growing_update(x):
    y = x[:1] * 1.0
    z = x[None] * 2
    y += z
    return y


@case({"w": V})
def argument_dict(params):
    params["w"] = params["w"] * 2
    return params["w"]


@case([V])
def argument_list(values):
    values.append(1.0)
    return values[0]


@dataclasses.dataclass
class Box:
    w: np.ndarray


@case(Box(V))
def argument_object(box):
    box.w = box.w * 2
    return box.w


@case(V)
def several_problems(x):
    y = np.einsum_path(x)
    z = y + 1
    x[0, 0] = z
    w = x + undefined_name
    return w * z


@case(V)
def unknown_function(x):
    return np.einsum_path(x) + np.sinn(x)


@case(V, np.ones(1))
def shape_mismatch(x, y):
    a = x.reshape(2, 3) + np.ones((4, 3))
    return a @ y


@case(V)
def index_out_of_range(x):
    values = [x, x]
    return values[5]


@case(V)
def type_error(x):
    return x + "a"


@case(V)
def zero_division(x):
    return x * (1 / 0)


@case(V)
def user_raise(x):
    raise ValueError("not for you", 3)


@case(V)
def failed_assert(x):
    assert x.ndim == 2, "two dimensions"
    return x


def broken(y):
    z = y * 2
    return np.einsum_path(z)


@case(V)
def broken_helper(x):
    a = broken(x)
    return a + 1


def outer(y):
    return broken(y) + 1


@case(V)
def broken_helper_of_helper(x):
    return outer(x) * 2


@case(V)
def wrong_call(x):
    return broken(x, 2, z=3)


@case(V)
def try_statement(x):
    try:
        y = np.log(x)
    except ValueError:
        y = x
    return y


def forever(x):
    return forever(x + 1)


@case(V)
def endless_recursion(x):
    return forever(x)


@case(V)
def out_argument(x):
    y = np.zeros(5)
    return np.add(x, 1.0, out=y) + np.exp(x, where=x > 0)


@case(V)
def unpack_too_many(x):
    a, b = x, x, x
    return a


@case(V)
def text_of_array(x):
    return {str(x): x}


@case(V)
def unbound_local(x):
    y = z + x
    z = 1
    return y


@case(V)
def attribute_missing(x):
    return x.nothing + x.tolist()


@case(V)
def iterator_twice(x, squares=None):
    return sum(squares := map(np.square, x)) + max(squares)


@case(2.0, V)
def float_axis(a, x):
    return np.sum(x, axis=a)


@case(V)
def math_of_array(x):
    return math.sin(x)


@case(V)
def sets_global(x):
    global V
    V = x
    return x


@case(np.array(["a"]))
def strings(x):
    return x


@case(np.ma.masked_array([1.0, 2.0], [0, 1]))
def masked(x):
    return x


@case({"deep": [np.array([object()])]})
def objects(params):
    return params["deep"][0]


@case(V)
def multi_line(x):
    y = x + np.einsum_path(
        x,
    )
    return y


@case(V)
def too_many_indices(x):
    return x[0, 1]


@case(V)
def generator(x):
    yield x


@case(V)
def unicode_columns(x):
    é = "ééé"; return é and np.einsum_path(x)  # fmt: skip  # noqa: E702


@case(V)
def inner_class(x):
    class A:
        pass

    return x


@case(V, V + 1)
def compared_shapes(x, y):
    assert x.shape == y.shape
    return x


@case(V)
def compared_with_text(x):
    return x == "a"


@case(V)
def returns_function(x):
    return lambda: x
