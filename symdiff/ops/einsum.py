"""`np.einsum`: its transpose is an einsum again."""

from __future__ import annotations

from typing import Any

import numpy as np

from symdiff.errors import ShapeError
from symdiff.ir import types
from symdiff.ir.build import current
from symdiff.ir.node import Node
from symdiff.ir.types import Dim, Type
from symdiff.ops import infer
from symdiff.ops.creation import eye
from symdiff.ops.lowering import known_rank, literal, to_node
from symdiff.ops.row import Row, multilinear
from symdiff.ops.shaping import broadcast_to, expand_dims, length, shape_of

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def explicit(subscripts: str) -> str:
    """The subscripts with their output written out: letters that occur once, in order, after the ellipsis."""
    subscripts = subscripts.replace(" ", "")
    if "->" in subscripts:
        return subscripts
    letters = subscripts.replace("...", "").replace(",", "")
    once = "".join(sorted(letter for letter in set(letters) if letters.count(letter) == 1))
    return f"{subscripts}->{'...' if '...' in subscripts else ''}{once}"


def _terms(subscripts: str, operands: tuple[Node, ...]) -> tuple[list[str], str]:
    """Subscripts of each operand and of the result, every ellipsis written as letters."""
    left, output = explicit(subscripts).split("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        raise ShapeError(f"np.einsum has subscripts for {len(terms)} arrays and is given {len(operands)}.")
    if "..." not in left:
        return terms, output
    spare = [letter for letter in _LETTERS if letter not in left][::-1]
    extra = [
        known_rank(x, "np.einsum with an ellipsis") - len(term.replace("...", "")) if "..." in term else 0
        for term, x in zip(terms, operands, strict=True)
    ]
    letters = "".join(spare[: max(extra)])
    expanded = [
        term.replace("...", letters[len(letters) - more :]) for term, more in zip(terms, extra, strict=True)
    ]
    return expanded, output.replace("...", letters)


def _infer(*operands: Node, subscripts: str, optimize: Any = False) -> Type:
    dtype = infer.numpy_dtype_of_all(operands)
    if any(x.type.rank is None for x in operands):
        return types.array(dtype)
    terms, output = _terms(subscripts, operands)
    sizes = current().sizes
    columns: dict[str, list[Dim]] = {}
    for term, x in zip(terms, operands, strict=True):
        if len(term) != x.type.rank:
            raise ShapeError(
                f"np.einsum has the subscripts {term!r} for an array of {x.type.rank} dimensions."
            )
        for letter, dim in zip(term, x.type.dims or (), strict=True):
            columns.setdefault(letter, []).append(dim)
    dims = {letter: sizes.broadcast([(dim,) for dim in column]) for letter, column in columns.items()}
    return types.array(dtype, tuple((dims[letter] or (1,))[0] for letter in output))


def _transposed(g: Node, i: int, *operands: Node, subscripts: str, optimize: Any = False) -> Node:
    """einsum of the cotangent with the other operands, into the subscripts of operand `i`.

    A letter that only operand `i` has returns as a broadcast; a repeated letter returns on the diagonal, by
    a product with the identity; an axis of length 1 that was stretched is summed.
    """
    terms, output = _terms(subscripts, operands)
    x, wanted = operands[i], terms[i]
    others = [k for k in range(len(operands)) if k != i]
    inputs, values = [output, *(terms[k] for k in others)], [g, *(operands[k] for k in others)]
    spare = [letter for letter in _LETTERS if letter not in "".join([*terms, output])]
    dims = current().sizes.resolve(x.type.dims)
    target = ""
    for axis, letter in enumerate(wanted):
        if letter in target:
            fresh = spare.pop()
            inputs.append(letter + fresh)
            values.append(eye(length(x, axis=axis)))
            letter = fresh
        target += letter
    available = set("".join(inputs))
    single = [dims is not None and dims[axis] == 1 for axis in range(len(target))]
    present = "".join(
        letter for letter, one in zip(target, single, strict=True) if letter in available and not one
    )
    result = einsum(*values, subscripts=f"{','.join(inputs)}->{present}")
    if inputs == [present]:
        result = g
    missing = tuple(axis for axis, letter in enumerate(target) if letter not in present)
    if missing:
        result = expand_dims(result, axis=missing)
    certain = all(letter in output for letter in wanted)
    return result if certain or x.type.rank is None else broadcast_to(result, shape_of(x))


def _lowered(row: Row, first: Any, *rest: Any, **options: Any) -> Node:
    """The subscripts first as a string, or arrays each followed by a list of numbers."""
    options.pop("optimize", None)
    if isinstance(first, str):
        subscripts, operands = first, rest
    else:
        items = [first, *rest]
        output = literal("subscripts", items.pop()) if len(items) % 2 else None
        lists = [literal("subscripts", item) for item in items[1::2]]
        subscripts = ",".join(map(_letters, lists)) + ("" if output is None else f"->{_letters(output)}")
        operands = tuple(items[::2])
    return row(*map(to_node, operands), subscripts=subscripts, **options)


def _letters(numbers: Any) -> str:
    return "".join("..." if number is ... else _LETTERS[number] for number in numbers)


einsum = multilinear(
    np.einsum,
    "*operands, subscripts=..., optimize=False",
    _infer,
    transpose=_transposed,
    lower=_lowered,
    view=True,  # of one operand: a diagonal or a transpose
)
