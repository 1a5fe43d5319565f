"""scipy.special: functions of a whole axis: logsumexp, softmax, log_softmax, and multigammaln."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special as functions

from symdiff.errors import UnsupportedError
from symdiff.ir import types
from symdiff.ir.node import Node
from symdiff.ir.types import Type
from symdiff.ops import infer
from symdiff.ops.arithmetic import equal
from symdiff.ops.elementwise import exp, where
from symdiff.ops.lowering import literal, to_node, with_options
from symdiff.ops.reductions import add_reduce, given, kept
from symdiff.ops.row import Row, composite, custom
from symdiff.ops.scipy.common import call


def _floating(x: Node) -> str:
    dtype = infer.numpy_dtype(x)
    return dtype if not dtype or dtype.startswith(("float", "complex")) else "float64"


def _infer_logsumexp(
    a: Node, *weights: Node, axis: Any = None, keepdims: bool = False, names: tuple[str, ...] = ()
) -> Type:
    dtypes = [_floating(one) for one in (a, *weights)]
    dtype = np.result_type(*dtypes).name if all(dtypes) else ""
    return types.array(dtype, infer.reduced_dims(infer.broadcast(a, *weights), axis, keepdims))


def _shares(a: Node, y: Node, axis: Any, keepdims: bool) -> Node:
    """exp(a - y): how much each element, of weight 1, has in the sum; 0 where all are -inf."""
    whole = kept(y, axis, keepdims)
    return exp(a - where(equal(whole, -math.inf), 0, whole))


def _logsumexp_vjp(
    g: Node, y: Node, a: Node, *weights: Node, axis: Any = None, keepdims: bool = False, names: Any = ()
) -> tuple[Node, ...]:
    back = kept(g, axis, keepdims) * _shares(a, y, axis, keepdims)
    return (back * weights[0], back) if weights else (back,)


def _logsumexp_jvp(
    tangents: tuple[Node | None, ...],
    y: Node,
    a: Node,
    *weights: Node,
    axis: Any = None,
    keepdims: bool = False,
    names: Any = (),
) -> Node:
    parts = [tangents[0] if not weights or tangents[0] is None else weights[0] * tangents[0], *tangents[1:]]
    found = [part for part in parts if part is not None]
    change = _shares(a, y, axis, keepdims) * sum(found[1:], found[0])
    return add_reduce(change, **given(axis=axis, keepdims=keepdims))


def _logsumexp(
    row: Row, a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False
) -> Node:
    if return_sign:
        raise UnsupportedError("logsumexp with return_sign is not supported.", "return_sign=False")
    return with_options(row, to_node(a), b=b, **given(axis=literal("axis", axis), keepdims=keepdims))


logsumexp: Row = custom(
    functions.logsumexp,
    "a, *weights, axis=None, keepdims=False, names=()",
    _infer_logsumexp,
    _logsumexp_vjp,
    _logsumexp_jvp,
    name="special.logsumexp",
    spelling="scipy.special.logsumexp",
    lower=_logsumexp,
)


def _infer_softmax(x: Node, axis: Any = None) -> Type:
    return types.array(_floating(x), x.type.dims)


def _centred(t: Node, y: Node, axis: Any) -> Node:
    return y * (t - add_reduce(y * t, **given(axis=axis, keepdims=axis is not None)))


def _log_softmax_vjp(g: Node, y: Node, x: Node, axis: Any = None) -> tuple[Node]:
    return (g - exp(y) * add_reduce(g, **given(axis=axis, keepdims=axis is not None)),)


def _log_softmax_jvp(tangents: tuple[Node], y: Node, x: Node, axis: Any = None) -> Node:
    (t,) = tangents
    return t - add_reduce(exp(y) * t, **given(axis=axis, keepdims=axis is not None))


softmax = custom(
    functions.softmax,
    "x, axis=None",
    _infer_softmax,
    lambda g, y, x, axis=None: (_centred(g, y, axis),),
    lambda tangents, y, x, axis=None: _centred(tangents[0], y, axis),
    name="special.softmax",
    spelling="scipy.special.softmax",
)
log_softmax = custom(
    functions.log_softmax,
    "x, axis=None",
    _infer_softmax,
    _log_softmax_vjp,
    _log_softmax_jvp,
    name="special.log_softmax",
    spelling="scipy.special.log_softmax",
)


def _multigammaln(a: Node, d: int) -> Node:
    terms = [call("gammaln")(a - 0.5 * k) if k else call("gammaln")(a) for k in range(d)]
    return sum(terms[1:], terms[0]) + 0.25 * d * (d - 1) * math.log(math.pi)


multigammaln = composite(
    functions.multigammaln,
    "a, d=...",
    lambda a, d: types.array("float64", a.type.dims),
    _multigammaln,
    name="special.multigammaln",
    spelling="scipy.special.multigammaln",
    domain=(2.5, 4),
)
