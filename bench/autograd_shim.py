"""The modules `autograd`, `autograd.numpy`, ... with symdiff behind them: what autograd's tests import.

Enters: nothing.  Leaves: `install()` has put the modules into `sys.modules`.  Invariant: NumPy and SciPy are
the plain ones, so that functions of the tests mean what they say, and every derivative is symdiff's.

`check_grads` compares with finite differences as autograd's does: first order in the modes asked for, then
the gradient of `<cotangent, f(x)>` as a function of `x` and the cotangent, in both modes.  Forward over
forward is left out: symdiff has no derivative of `f.jvp`.
"""

from __future__ import annotations

import builtins
import inspect
import linecache
import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import product
from types import ModuleType
from typing import Any

import numpy as np

import symdiff

Fn = Callable[..., Any]
TOLERANCE = 1e-6


# Derivatives under autograd's names


def wrt_of(argnum: Any) -> Any:
    return builtins.tuple(argnum) if builtins.isinstance(argnum, builtins.list) else argnum


@lru_cache(maxsize=4096)
def _text(arity: int, keywords: Sequence[str], cotangent: bool) -> str:
    """`def call(a0, a1, *, axis): return function(a0, a1, axis=axis)`, or its product with a cotangent."""
    names = [f"a{i}" for i in range(arity)]
    passed = ", ".join([*names, *(f"{k}={k}" for k in keywords)])
    header = ", ".join([*names, *["cotangent"] * cotangent, *["*"] * bool(keywords), *keywords])
    body = f"inner(function({passed}), cotangent)" if cotangent else f"function({passed})"
    return f"def call({header}):\n    return {body}\n"


def spelled(function: Fn, arity: int, keywords: Sequence[str], cotangent: bool = False) -> Fn:
    """The function with its parameters by name: `wrt` cannot point into `*args`."""
    text = _text(arity, builtins.tuple(keywords), cotangent)
    file = f"<call of {arity}: {', '.join(keywords)} {cotangent}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    namespace = {"__name__": "bench.autograd_shim.made", "function": function, "inner": inner}
    exec(compile(text, file, "exec", dont_inherit=True), namespace)
    return namespace["call"]


def inner(y: Any, v: Any) -> Any:
    """The real inner product over containers; symdiff reads it as part of the function."""
    if builtins.isinstance(y, builtins.tuple | builtins.list):
        return sum([inner(a, b) for a, b in zip(y, v, strict=True)])
    if builtins.isinstance(y, builtins.dict):
        return sum([inner(y[k], v[k]) for k in y])
    return np.sum(np.real(np.conj(v) * y))


def grad(fun, argnum=0):  # unannotated: functions under test call it, and symdiff reads it
    if builtins.isinstance(argnum, builtins.list):
        argnum = builtins.tuple(argnum)
    return symdiff.grad(fun, wrt=argnum)


def value_and_grad(fun, argnum=0):
    if builtins.isinstance(argnum, builtins.list):
        argnum = builtins.tuple(argnum)
    return symdiff.value_and_grad(fun, wrt=argnum)


def elementwise_grad(fun, argnum=0):
    return symdiff.elementwise_grad(fun, wrt=argnum)


def grad_and_aux(fun: Fn, argnum: Any = 0) -> Fn:
    both = symdiff.value_and_grad(fun, wrt=wrt_of(argnum), has_aux=True)

    def with_aux(*args: Any, **kwargs: Any) -> Any:
        (_, aux), gradient = both(*args, **kwargs)
        return gradient, aux

    return with_aux


def make_vjp(fun: Fn, argnum: Any = 0) -> Fn:
    def at(*args: Any, **kwargs: Any) -> Any:
        value, pullback = symdiff.vjp(fun, wrt=wrt_of(argnum))(*args, **kwargs)
        return pullback, value

    return at


def make_jvp(fun: Fn, argnum: int = 0) -> Fn:
    def at(*args: Any) -> Fn:
        return lambda v: symdiff.jvp(fun)(args, one_tangent(args, argnum, v))

    return at


def one_tangent(args: Sequence[Any], argnum: int, v: Any) -> tuple[Any, ...]:
    return builtins.tuple([v if i == argnum else None for i in range(len(args))])


def deriv(fun: Fn, argnum: int = 0) -> Fn:
    return lambda *args: make_jvp(fun, argnum)(*args)(np.ones_like(args[argnum]))[1]


def jacobian(fun, argnum=0):
    if hasattr(symdiff, "jacobian"):
        return symdiff.jacobian(fun, wrt=argnum)
    return lambda *args: _rows(fun, argnum, args)


def _rows(fun: Fn, argnum: int, args: tuple[Any, ...]) -> Any:
    value, pullback = symdiff.vjp(fun, wrt=argnum)(*args)
    shape = np.shape(value)
    basis = np.eye(int(np.prod(shape, dtype=int))).reshape(-1, *shape)
    rows = [pullback(row) for row in basis]
    return np.reshape(rows, shape + np.shape(args[argnum]))


def hessian(fun, argnum=0):
    if hasattr(symdiff, "hessian"):
        return symdiff.hessian(fun, wrt=argnum)
    return jacobian(symdiff.grad(fun, wrt=argnum), argnum)


def hessian_tensor_product(fun: Fn, argnum: int = 0) -> Fn:
    return lambda *args: symdiff.hvp(fun, wrt=argnum)(args[:-1], args[-1])


def make_hvp(fun: Fn, argnum: int = 0) -> Fn:
    def at(*args: Any) -> Any:
        return (lambda v: symdiff.hvp(fun, wrt=argnum)(args, v)), grad(fun, argnum)(*args)

    return at


def tensor_jacobian_product(fun: Fn, argnum: int = 0) -> Fn:
    def product_of(*args: Any) -> Any:
        *points, v = args
        return jacobian(lambda *x: np.tensordot(v, fun(*x), axes=np.ndim(v)), argnum)(*points)

    return product_of if argnum else lambda x, v: jacobian(lambda x: np.tensordot(v, fun(x), np.ndim(v)))(x)


def make_ggnvp(f: Fn, g: Fn = lambda x: 1.0 / 2 * np.dot(x, x), argnum: int = 0) -> Fn:
    def at(*args: Any) -> Fn:
        def ggnvp(v: Any) -> Any:
            y, pushed = make_jvp(f, argnum)(*args)(v)
            return symdiff.vjp(f, wrt=argnum)(*args)[1](symdiff.hvp(g)((y,), pushed))

        return ggnvp

    return at


# Checks


def mapped(function: Fn, *trees: Any) -> Any:
    """The function of the leaves of containers of the same form."""
    first = trees[0]
    if builtins.isinstance(first, builtins.dict):
        return {key: mapped(function, *(tree[key] for tree in trees)) for key in first}
    if builtins.isinstance(first, builtins.tuple | builtins.list):
        return type(first)([mapped(function, *leaves) for leaves in zip(*trees, strict=True)])
    return function(*trees)


def leaves(tree: Any) -> list[Any]:
    found: list[Any] = []
    mapped(found.append, tree)
    return found


def random_like(tree: Any) -> Any:
    def one(leaf: Any) -> Any:
        drawn = np.random.randn(*np.shape(leaf))
        if np.iscomplexobj(leaf):
            drawn = drawn + 1j * np.random.randn(*np.shape(leaf))
        drawn = np.asarray(drawn, dtype=np.result_type(leaf, np.float16))
        return drawn if builtins.isinstance(leaf, np.ndarray) else drawn.item()

    return mapped(one, tree)


def product_of(a: Any, b: Any) -> float:
    return float(sum(np.real(np.vdot(x, y)) for x, y in zip(leaves(a), leaves(b), strict=True)))


def form(tree: Any) -> Any:
    return mapped(lambda leaf: f"{np.shape(leaf)} {'complex' if np.iscomplexobj(leaf) else 'real'}", tree)


def is_close(a: float, b: float) -> bool:
    return abs(a - b) < TOLERANCE or abs(a - b) / abs(a + b) < TOLERANCE


def slopes(function: Fn, x: Any, v: Any, w: Any) -> list[float]:
    """`<w, derivative along v>` by differences of second order at a short step, of fourth at longer ones."""

    def along(step: float) -> float:
        up, down = (function(mapped(lambda a, b, s=sign: a + s * step * b, x, v)) for sign in (1, -1))
        return product_of(w, mapped(lambda a, b: (a - b) / (2 * step), up, down))

    return [along(5e-7), *((4 * along(h / 2) - along(h)) / 3 for h in (1e-3, 1e-4, 1e-5))]


def compare(exact: float, numeric: Sequence[float], what: str) -> None:
    near = min(numeric, key=lambda one: abs(one - exact))
    assert any(is_close(exact, one) for one in numeric), f"{what}: {exact} against {near}"


def check_order(
    function: Any, fun: Fn, args: tuple[Any, ...], wrt: tuple[int, ...], modes: Any, what: str, **kwargs: Any
) -> None:
    """One order in the modes: `function` is what symdiff differentiates, `fun` what it computes."""
    x = builtins.tuple([args[i] for i in wrt])

    def at(x: Any) -> Any:
        filled = builtins.list(args)
        for i, one in zip(wrt, x, strict=True):
            filled[i] = one
        return fun(*filled, **kwargs)

    v, w = random_like(x), random_like(at(x))
    numeric = slopes(at, x, v, w)
    if "rev" in modes:
        gradient = symdiff.vjp(function, wrt=wrt)(*args, **kwargs)[1](w)
        assert form(gradient) == form(x), f"{what}, reverse: {form(gradient)} for {form(x)}"
        compare(product_of(v, gradient), numeric, f"{what}, reverse")
    if "fwd" in modes:
        tangents: list[Any] = [None] * len(args)
        for i, one in zip(wrt, v, strict=True):
            tangents[i] = one
        value, pushed = symdiff.jvp(function)(args, builtins.tuple(tangents), **kwargs)
        assert form(value) == form(w), f"{what}, forward: {form(value)} for {form(w)}"
        compare(product_of(w, pushed), numeric, f"{what}, forward")


def check_grads(fun: Fn, argnum: Any = 0, modes: Any = None, order: int = 2) -> Fn:
    modes = modes or ["fwd", "rev"]
    wrt = (argnum,) if builtins.isinstance(argnum, int) else builtins.tuple(argnum)

    def check(*args: Any, **kwargs: Any) -> None:
        args = builtins.tuple([one.copy() if builtins.isinstance(one, np.ndarray) else one for one in args])
        direct = fun if _has_parameters(fun, len(args)) else spelled(fun, len(args), builtins.list(kwargs))
        check_order(direct, fun, args, wrt, modes, "first order", **kwargs)
        function, inputs, every = fun, args, wrt
        for one in range(2, order + 1):
            inputs = (*inputs, random_like(function(*inputs, **kwargs)))
            paired = spelled(function, len(inputs) - 1, builtins.list(kwargs), cotangent=True)
            function = symdiff.grad(paired, wrt=every)
            every = (*every, len(inputs) - 1)
            both = ["rev", "fwd"] if "fwd" in modes else ["rev"]
            check_order(function, function, inputs, every, both, f"order {one}", **kwargs)

    return check


def _has_parameters(fun: Any, count: int) -> bool:
    """Whether it can be differentiated as it is: `wrt` points to parameters that have names."""
    if builtins.isinstance(fun, symdiff.api.Derivative):
        return True
    if not inspect.isfunction(fun) or getattr(fun, "__module__", "").startswith(("numpy", "scipy")):
        return False
    kinds = [p.kind for p in inspect.signature(fun).parameters.values()]
    return len(kinds) >= count and inspect.Parameter.VAR_POSITIONAL not in kinds


def combo_check(fun: Fn, *args: Any, **kwargs: Any) -> Fn:
    def check(*choices: Any, **named: Any) -> None:
        for one in product(*choices):
            for values in product(*named.values()):
                check_grads(fun, *args, **kwargs)(*one, **dict(zip(named, values, strict=True)))

    return check


def check_equivalent(x: Any, y: Any) -> None:
    assert form(x) == form(y), f"{form(x)} against {form(y)}"
    v = random_like(x)
    a, b = product_of(v, x), product_of(v, y)
    assert is_close(a, b), f"{a} against {b}"


# NumPy and SciPy, with the few functions that autograd adds


def make_diagonal(D, offset=0, axis1=0, axis2=1):  # autograd's own: only the last two axes
    if offset != 0 or axis1 != -1 or axis2 != -2:
        raise NotImplementedError("make_diagonal of other axes")
    return D[..., :, None] * np.eye(D.shape[-1])


def flatten(value):
    """autograd.misc.flatten: every number of a container in one vector, and the way back."""
    parts = _parts(value)
    flat = np.concatenate([np.ravel(part) for part in parts]) if parts else np.zeros(0)
    return flat, lambda vector: _unflattened(value, vector, 0)[0]


def _parts(value):
    if builtins.isinstance(value, builtins.dict):
        return [part for key in sorted(value) for part in _parts(value[key])]
    if builtins.isinstance(value, builtins.tuple | builtins.list):
        return [part for one in value for part in _parts(one)]
    return [value]


def _unflattened(like: Any, vector: Any, start: int) -> tuple[Any, int]:
    if builtins.isinstance(like, builtins.dict):
        made = {}
        for key in sorted(like):
            made[key], start = _unflattened(like[key], vector, start)
        return made, start
    if builtins.isinstance(like, builtins.tuple | builtins.list):
        items = []
        for one in like:
            item, start = _unflattened(one, vector, start)
            items.append(item)
        return type(like)(items), start
    end = start + np.size(like)
    part = np.reshape(vector[start:end], np.shape(like))
    return (part if np.ndim(like) else part.item()), end


class Missing(NotImplementedError):
    """Autograd's machinery, which symdiff has none of."""


def absent(*_: Any, **__: Any) -> Any:
    raise Missing("a part of autograd's own machinery")


def copied(original: ModuleType, name: str, **more: Any) -> ModuleType:
    module = ModuleType(name)
    module.__dict__.update({key: value for key, value in vars(original).items() if key[:2] != "__"}, **more)
    module.__version__ = getattr(original, "__version__", "")
    return module


def install() -> None:
    """Put the modules into `sys.modules`, each also an attribute of its parent."""
    import scipy
    import scipy.integrate
    import scipy.linalg
    import scipy.signal
    import scipy.special
    import scipy.stats

    here = globals()
    public = (
        "grad value_and_grad elementwise_grad grad_and_aux make_vjp make_jvp deriv jacobian hessian "
        "hessian_tensor_product make_hvp tensor_jacobian_product make_ggnvp"
    )
    own = {name: here[name] for name in public.split()}
    kinds = {"tuple": tuple, "list": list, "dict": dict, "isinstance": isinstance}
    linalg = copied(np.linalg, "autograd.numpy.linalg", T=_transposed, _dot=_stacked_dot)
    numpy = copied(np, "autograd.numpy", make_diagonal=make_diagonal, linalg=linalg)
    stats = copied(scipy.stats, "autograd.scipy.stats")
    add("autograd", ModuleType("autograd"), **own, **kinds, checkpoint=symdiff.checkpoint)
    add("autograd.builtins", ModuleType("autograd.builtins"), **kinds)
    add("autograd.numpy", numpy)
    add("autograd.numpy.random", np.random)
    add("autograd.numpy.linalg", linalg)
    add("autograd.scipy", ModuleType("autograd.scipy"))
    for name in ("special", "linalg", "signal", "integrate"):
        add(f"autograd.scipy.{name}", getattr(scipy, name))
    add("autograd.scipy.stats", stats)
    mvn = scipy.stats.multivariate_normal
    normal = ModuleType("autograd.scipy.stats.multivariate_normal")
    add(normal.__name__, normal, pdf=mvn.pdf, logpdf=mvn.logpdf, entropy=mvn.entropy)
    checks = {"check_grads": check_grads, "combo_check": combo_check, "check_equivalent": check_equivalent}
    add("autograd.test_util", ModuleType("autograd.test_util"), **checks, scalar_close=is_close)
    machinery = {"primitive": absent, "primitive_vjps": {}}
    add("autograd.tracer", ModuleType("autograd.tracer"), isbox=lambda value: False, **machinery)
    add("autograd.core", ModuleType("autograd.core"), **machinery)
    add("autograd.extend", ModuleType("autograd.extend"), **machinery)
    add("autograd.misc", ModuleType("autograd.misc"), const_graph=absent, flatten=flatten)


def add(name: str, module: ModuleType, **contents: Any) -> None:
    vars(module).update(contents)
    sys.modules[name] = module
    parent, _, last = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], last, module)


def _transposed(x):
    return np.swapaxes(x, -1, -2)


def _stacked_dot(x, y):
    return np.einsum("...ij,...jk->...ik", x, y)
