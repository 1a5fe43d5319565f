"""Programs with control flow, built by hand, and what their derivatives are compared with."""

from __future__ import annotations

import numpy as np
from ops.evaluate import evaluate, inside, run

from symdiff.autodiff import reverse
from symdiff.ir import control, types
from symdiff.ir.build import Builder
from symdiff.ir.node import LEAF, Function, Node, Tree
from symdiff.ir.types import Size
from symdiff.ir.verify import verify
from symdiff.ops.row import REGISTRY

N, M = Size("n0"), Size("n1")
SCALAR, VECTOR, MATRIX = (types.array("float64", dims) for dims in ((), (N,), (N, N)))
TABLE = types.array("float64", (M, N))
INT, FLOAT = types.number("int"), types.number("float")
AT = (("arg", 0),)


def op(name, *args, **attrs):
    return REGISTRY[name](*args, **attrs)


def at(x, *places, index=None):
    """`x[places]`."""
    spec = index if index is not None else tuple(("arg", k) for k in range(len(places)))
    return op("index", x, *places, index=spec)


def put(x, value, *places, index=None):
    """`x` with `value` written at places."""
    spec = index if index is not None else tuple(("arg", k) for k in range(len(places)))
    return op("update", x, value, *places, index=spec)


def length(x, axis=0):
    return op("length", x, axis=axis)


def named(node, name):
    object.__setattr__(node, "name", name)
    return node


def loop(stop, initial, body, *, start=0, step=1, names=(), carried=None, **options):
    """`body(i, *carried) -> next values` as a `for`."""
    return _looped(initial, body, names, carried, (start, stop, step), **options)


def _looped(initial, body, names, carried, bounds, **options):
    builder = control.current()
    initial = [builder.lift(value) for value in initial]
    given = carried or [
        SCALAR if value.is_const and value.type.dtype == "float" else value.type for value in initial
    ]
    with builder.region(INT, *given) as opened:
        for param, name in zip(opened.params, ("i", *names), strict=False):
            named(param, name)
        opened.results = [builder.lift(value) for value in body(*opened.params)]
    return control.count(*bounds, initial, opened, **options)


def repeat(initial, condition, body, *, names=(), carried=None, **options):
    builder = control.current()
    initial = [builder.lift(value) for value in initial]
    given = carried or [
        SCALAR if value.is_const and value.type.dtype == "float" else value.type for value in initial
    ]
    with builder.region(*given) as tested:
        tested.results = [builder.lift(condition(*tested.params))]
    with builder.region(*given) as opened:
        for param, name in zip(opened.params, names, strict=False):
            named(param, name)
        opened.results = [builder.lift(value) for value in body(*opened.params)]
    return control.repeat(initial, tested, opened, **options)


def branch(condition, then, otherwise):
    builder, opened = control.current(), []
    for code in (then, otherwise):
        with builder.region() as region:
            region.results = [builder.lift(value) for value in code()]
        opened.append(region)
    return control.branch(condition, *opened)


def block(code):
    with control.current().region() as region:
        region.results = list(code())
    return control.block(region)


def program(code, *params) -> Function:
    """A function of params, each (name, type), that returns one value."""
    builder = Builder()
    with builder:
        nodes = [builder.param(type, name, parameter=name, path=()) for name, type in params]
        found = code(*nodes)
        several = isinstance(found, tuple)
        results = found if several else (found,)
        tree = Tree("tuple", (LEAF,) * len(results)) if several else LEAF
        made = builder.finish("f", nodes, [builder.lift(value) for value in results], tree)
    verify(made, REGISTRY)
    return made


def wrt_of(function: Function) -> list[Node]:
    return [param for param in function.params if param.type.dtype.startswith("float")]


def derived(function: Function, wrt=None, value=True) -> Function:
    wrt = wrt_of(function) if wrt is None else wrt
    made = reverse.gradient(function, wrt, Tree("tuple", (LEAF,) * len(wrt)), value=value)
    verify(made)
    return made


def differences(function: Function, values, k, h=1e-6):
    """The gradient with respect to the `k`-th value, by central differences."""

    def value(x):
        given = [*values[:k], x if np.ndim(values[k]) else float(x), *values[k + 1 :]]
        return float(evaluate(function, *given)[0])

    x = np.asarray(values[k], float)
    out = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = h
        out[place] = (value(x + step) - value(x - step)) / (2 * h)
    return out


def check(function: Function, *values, rtol=1e-6) -> Function:
    """The gradient is that of central differences, the value that of the function; the derivative."""
    made = derived(function)
    derived(function, value=False)
    wrt = [k for k, param in enumerate(function.params) if param.type.dtype.startswith("float")]
    before = [np.copy(value) for value in values]
    value, *gradients = evaluate(made, *values)
    assert np.array_equal(value, evaluate(function, *values)[0], equal_nan=True)
    for k, found in zip(wrt, gradients, strict=True):
        wanted = differences(function, values, k)
        np.testing.assert_allclose(found, wanted, rtol=rtol, atol=1e-7)
    for one, other in zip(before, values, strict=True):
        assert np.array_equal(one, other)
    return made


def count(function: Function, name: str) -> int:
    """How many nodes of an operation a function has."""
    return sum(node.op.name == name for node in function.nodes())


def saved(function: Function) -> list[str]:
    """The names of the values that are pushed."""
    return [node.args[1].name for node in function.nodes() if node.op.name == "push"]


def pulled(function: Function, values, *cotangents):
    """The cotangents that the pullback of a function gives, for each of several cotangents of its result."""
    wrt = wrt_of(function)
    made = reverse.vjp(function, wrt, Tree("tuple", (LEAF,) * len(wrt)))
    verify(made)
    env = dict(zip(made.params, values, strict=True))
    back = made.results[-1]
    run([node for node in made.body.body if node is not back], env)
    found = []
    for cotangent in cotangents:
        (region,) = back.regions
        found.append(inside(region, [cotangent], dict(env)))
    return found
