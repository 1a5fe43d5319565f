"""scipy.linalg: what it shares with numpy.linalg, triangular systems, and functions of matrices.

The derivative of a function of a matrix is a block of the function of a block matrix (Higham 2008, "Functions
of matrices", theorem 3.6), which needs no eigenvalues: they may be equal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import scipy.linalg as functions

from symdiff.errors import UnsupportedError
from symdiff.ir import types
from symdiff.ir.node import Node
from symdiff.ir.types import Type
from symdiff.ops import factorizations, infer, least_squares, linalg, norms
from symdiff.ops.axes import tril, triu
from symdiff.ops.elementwise import is_complex
from symdiff.ops.factorizations import adjoint, wider
from symdiff.ops.indexing import along
from symdiff.ops.joining import concatenate
from symdiff.ops.linalg import floating, infer_square, several, square_dims
from symdiff.ops.lowering import bind, known_rank, literal, to_node
from symdiff.ops.products import swapped
from symdiff.ops.row import Row, composite, custom
from symdiff.ops.shaping import expand_dims, length, reshape, shape_of, zeros_like

_CHECK = "overwrite_a=False, check_finite=True"


def _spelled(name: str) -> dict[str, Any]:
    return {"name": f"scipy.linalg.{name}", "spelling": f"scipy.linalg.{name}"}


# As in NumPy


def _as_numpy(name: str, text: str, definition: Callable[..., Node]) -> Row:
    return composite(
        getattr(functions, name), text, infer.of_definition(definition), definition, **_spelled(name)
    )


def _wide(x: Node) -> str:
    """In double precision, whatever it is given."""
    dtype = infer.numpy_dtype(x)
    return "complex128" if dtype.startswith("complex") else dtype and "float64"


def _solve(a: Node, b: Node, assume_a: Any = None, transposed: bool = False, **_: Any) -> Node:
    if assume_a not in (None, "gen", "general"):
        raise UnsupportedError(
            f"scipy.linalg.solve with assume_a={assume_a!r} has no derivative rule.", "assume_a='gen'"
        )
    return linalg.solve(swapped(a) if transposed else a, b)


_as_numpy("inv", f"x, {_CHECK}, assume_a=None", lambda x, **_: linalg.inv(x))
composite(
    functions.det,
    f"x, {_CHECK}",
    lambda x, **_: types.array(_wide(x), linalg.det.infer(x).dims),
    lambda x, **_: linalg.det(x),
    **_spelled("det"),
)
_as_numpy("pinv", "x, check_finite=True", lambda x, **_: least_squares.pinv(x))
_as_numpy("svdvals", f"x, {_CHECK}", lambda x, **_: factorizations.svdvals(x))
_as_numpy(
    "eigvalsh",
    "x, lower=True, check_finite=True",
    lambda x, lower=True, **_: factorizations.eigvalsh(x, **({} if lower else {"UPLO": "U"})),
)
_as_numpy("norm", "x, ord=None, axis=None, keepdims=False", lambda x, **attrs: norms.norm(x, **attrs))
_as_numpy(
    "solve",
    f"a, b, lower=False, overwrite_b=False, {_CHECK}, assume_a=None, transposed=False",
    _solve,
)


def _cholesky(x: Node, lower: bool = False, **_: Any) -> Node:
    return factorizations.cholesky(x, **({} if lower else {"upper": True}))


_as_numpy("cholesky", f"x, lower=False, {_CHECK}", _cholesky)
_SVD = "x, full_matrices=True, compute_uv=True, overwrite_a=False, check_finite=True"
custom(
    functions.svd,
    _SVD,
    lambda x, full_matrices=True, compute_uv=True, **_: factorizations.svd.infer(
        x, full_matrices=full_matrices, compute_uv=compute_uv
    ),
    factorizations.svd.vjp,  # type: ignore[arg-type]
    factorizations.svd.jvp,
    lower=several(""),
    **_spelled("svd"),
)


def _side(lower: bool) -> str:
    return "L" if lower else "U"


custom(
    functions.eigh,
    "x, lower=True, check_finite=True",
    lambda x, **_: factorizations.eigh.infer(x),
    lambda g, y, x, lower=True, **_: factorizations.eigh.vjp(g, y, x, _side(lower)),  # type: ignore[misc]
    lambda t, y, x, lower=True, **_: factorizations.eigh.jvp(t, y, x, _side(lower)),  # type: ignore[misc]
    lower=several(""),
    **_spelled("eigh"),
)

# Triangular systems


def _triangle(x: Node, lower: bool, unit: bool) -> Node:
    """The part that is read, its diagonal left out where it is taken for ones."""
    cut = {"k": -1 if lower else 1} if unit else {}
    return tril(x, **cut) if lower else triu(x, **cut)


def _is_transposed(trans: Any, x: Node) -> bool:
    if trans in (2, "C") and is_complex(x):
        raise UnsupportedError(
            "scipy.linalg.solve_triangular with trans='C' of complex matrices has no derivative rule.",
            "np.conj(a) with trans='T'",
        )
    return trans not in (0, "N")


def _options(trans: bool, lower: bool, unit_diagonal: bool) -> dict[str, Any]:
    return {
        **({"trans": 1} if trans else {}),
        **({"lower": True} if lower else {}),
        **({"unit_diagonal": True} if unit_diagonal else {}),
    }


def _outer(a: Node, b: Node) -> Node:
    """a b^T of vectors or of columns."""
    if known_rank(a, "scipy.linalg.solve_triangular") == 1:
        return expand_dims(a, axis=-1) * expand_dims(b, axis=-2)
    return a @ swapped(b)


def _triangular_vjp(
    g: Node,
    y: Node,
    a: Node,
    b: Node,
    trans: Any = 0,
    lower: bool = False,
    unit_diagonal: bool = False,
    **_: Any,
) -> tuple[Node, Node]:
    turned = _is_transposed(trans, a)
    back = solve_triangular(a, g, **_options(not turned, lower, unit_diagonal))
    product = _outer(y, back) if turned else _outer(back, y)
    return -_triangle(product, lower, unit_diagonal), back


def _triangular_jvp(
    tangents: tuple[Node | None, Node | None],
    y: Node,
    a: Node,
    b: Node,
    trans: Any = 0,
    lower: bool = False,
    unit_diagonal: bool = False,
    **_: Any,
) -> Node:
    ta, change = tangents
    turned = _is_transposed(trans, a)
    if ta is not None:
        moved = _triangle(ta, lower, unit_diagonal)
        product = (swapped(moved) if turned else moved) @ y
        change = -product if change is None else change - product
    assert change is not None
    return solve_triangular(a, change, **_options(turned, lower, unit_diagonal))


solve_triangular: Row = custom(
    functions.solve_triangular,
    "a, b, trans=0, lower=False, unit_diagonal=False, overwrite_b=False, check_finite=True",
    lambda a, b, **_: linalg.solve.infer(a, b),
    _triangular_vjp,
    _triangular_jvp,
    **_spelled("solve_triangular"),
)


def _real_factor(c: Node) -> None:
    if is_complex(c):
        raise UnsupportedError("scipy.linalg.cho_solve is supported for real matrices.", "scipy.linalg.solve")


def _cho_solve(c: Node, b: Node, lower: bool = False) -> Node:
    _real_factor(c)
    first = solve_triangular(c, b, **_options(not lower, lower, False))
    return solve_triangular(c, first, **_options(lower, lower, False))


def _cho_factor(row: Row, a: Any, lower: Any = False, **options: Any) -> tuple[Node, bool]:
    """The factor, and which triangle it is in; nobody may read the other one."""
    flag = bool(literal("lower", lower))
    return bind(row, a, lower=flag, **options), flag


def _cho_solve_call(row: Row, c_and_lower: Any, b: Any, **_: Any) -> Node:
    c, lower = c_and_lower
    return row(to_node(c), to_node(b), **({"lower": True} if literal("lower", lower) else {}))


cho_factor = composite(
    functions.cho_factor, f"x, lower=False, {_CHECK}", lambda x, **_: infer_square(x), _cholesky,
    lower=_cho_factor, **_spelled("cho_factor"),
)  # fmt: skip
cho_solve = composite(
    functions.cho_solve, "c, b, lower=False", lambda c, b, lower=False: linalg.solve.infer(c, b), _cho_solve,
    lower=_cho_solve_call, **_spelled("cho_solve"),
)  # fmt: skip

# Functions of matrices


def _beside(row: Row, x: Node, change: Node) -> Node:
    """The derivative in the direction `change`: f([[x, change], [0, x]]) holds it beside f(x)."""
    rank = known_rank(x, row.spelling)
    top = concatenate(x, change, axis=rank - 1)
    bottom = concatenate(zeros_like(x), x, axis=rank - 1)
    n = length(x, axis=rank - 1)
    whole = row(concatenate(top, bottom, axis=rank - 2))
    return reshape(along(along(whole, rank - 2, None, n), rank - 1, n, None), shape_of(x))


def _infer_of_matrix(name: str, keeps: bool) -> Callable[..., Type]:
    """Where real matrices may have complex values, these count as such, as eigenvalues do."""

    def inferred(x: Node, **_: Any) -> Type:
        dtype = _wide(x) if name == "logm" else floating(infer.numpy_dtype(x))
        return types.array(dtype if keeps or not dtype else wider(dtype), square_dims(x))

    return inferred


def _of_matrix(name: str, keeps: bool) -> None:
    """keeps: whether real matrices have real values."""
    made: list[Row] = []
    made.append(
        custom(
            getattr(functions, name),
            "x",
            _infer_of_matrix(name, keeps),
            lambda g, y, x: (_beside(made[0], swapped(x), g),),
            lambda tangents, y, x: _beside(made[0], x, tangents[0]),
            **_spelled(name),
        )
    )


for _name in ("expm", "cosm", "sinm", "tanm", "coshm", "sinhm", "tanhm"):
    _of_matrix(_name, True)
_of_matrix("logm", False)

# Sylvester's equation, a x + x b = q


def _infer_sylvester(a: Node, b: Node, q: Node) -> Type:
    return types.array(floating(infer.numpy_dtype_of_all((a, b, q))), q.type.dims)


def _sylvester_vjp(g: Node, y: Node, a: Node, b: Node, q: Node) -> tuple[Node, Node, Node]:
    back = solve_sylvester(swapped(a), swapped(b), g)
    return -(back @ swapped(y)), -(swapped(y) @ back), back


def _sylvester_jvp(tangents: tuple[Node | None, ...], y: Node, a: Node, b: Node, q: Node) -> Node:
    ta, tb, change = tangents
    for part in (None if ta is None else ta @ y, None if tb is None else y @ tb):
        if part is not None:
            change = -part if change is None else change - part
    assert change is not None
    return solve_sylvester(a, b, change)


solve_sylvester: Row = custom(
    functions.solve_sylvester,
    "a, b, q",
    _infer_sylvester,
    _sylvester_vjp,
    _sylvester_jvp,
    **_spelled("solve_sylvester"),
)
_as_numpy("solve_continuous_lyapunov", "a, q", lambda a, q: solve_sylvester(a, adjoint(a), q))

# y y = x.  In the block matrix every eigenvalue is there twice; a negative one then is two beside the cut.
sqrtm: Row = custom(
    functions.sqrtm,
    "x",
    _infer_of_matrix("sqrtm", False),
    lambda g, y, x: (solve_sylvester(swapped(y), swapped(y), g),),
    lambda tangents, y, x: solve_sylvester(y, y, tangents[0]),
    **_spelled("sqrtm"),
)
