"""What `wrt` asks for: the leaves to differentiate with respect to, and how their gradients are packed.

Enters: a lowered function's arguments and `wrt`.  Leaves: leaf nodes and a `Tree`, or an error that names the
argument.  Invariant: the gradient has the structure and types of its argument; no integer is differentiated.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from numpy import may_share_memory, ndarray, shares_memory
from numpy.exceptions import TooHardError

from symdiff.errors import DtypeError, NonScalarError, ShapeError, UnsupportedError, WrtError
from symdiff.ir.node import LEAF, Node, Path, Tree
from symdiff.ir.types import Dims, Size, Sizes

if TYPE_CHECKING:
    from symdiff.frontend import Lowered

Wrt = str | int | tuple["str | int", ...]


def names_of(wrt: Wrt, signature: inspect.Signature, function: str) -> tuple[str, ...]:
    """The parameter names that `wrt` means.  Raises WrtError for anything else."""
    names = list(signature.parameters)
    chosen = []
    for one in wrt if isinstance(wrt, tuple | list) else (wrt,):
        if isinstance(one, bool) or not isinstance(one, int | str):
            raise WrtError(
                f"wrt must be a name, an index or a tuple of them, not {one!r}.", f"one of {', '.join(names)}"
            )
        if isinstance(one, int) and not -len(names) <= one < len(names):
            count = f"{len(names)} parameter{'s' * (len(names) != 1)}"
            raise WrtError(
                f"wrt={one} is out of range: {function} has {count}.", f"one of {', '.join(names)}"
            )
        name = names[one] if isinstance(one, int) else one
        if name not in names:
            raise WrtError(f"wrt={name!r}: {function} has no such parameter.", f"one of {', '.join(names)}")
        if name in chosen:
            raise WrtError(f"wrt names {name!r} twice.", "name each argument once")
        chosen.append(name)
    if not chosen:
        raise WrtError("wrt is empty.", f"one of {', '.join(names)}")
    return tuple(chosen)


def outputs_of(outputs: Any, signature: inspect.Signature, function: str) -> tuple[str, ...]:
    """The parameters whose final contents are outputs.  Raises WrtError for anything else."""
    names = (outputs,) if isinstance(outputs, str) else tuple(outputs)
    for i, name in enumerate(names):
        if name not in signature.parameters:
            shown = ", ".join(signature.parameters)
            raise WrtError(f"outputs={name!r}: {function} has no such parameter.", f"one of {shown}")
        if name in names[:i]:
            raise WrtError(f"outputs names {name!r} twice.", "name each argument once")
    return names


def check_outputs(outputs: Any) -> None:
    """Raises WrtError unless `outputs` is a name or a sequence of names."""
    if isinstance(outputs, str):
        return
    if not isinstance(outputs, tuple | list) or not all(isinstance(name, str) for name in outputs):
        raise WrtError(
            f"outputs must be the names of arguments, not {outputs!r}.", "outputs=('A', 'B'), for example"
        )


def requested(
    names: Sequence[str], trees: Mapping[str, Tree], leaves: Mapping[str, Sequence[Node]], many: bool
) -> tuple[tuple[Node, ...], Tree]:
    """The leaves to differentiate and the structure of the gradient.

    trees and leaves: by parameter, the structure of its argument and one node per leaf in order.
    """
    chosen: list[Node] = []
    packed: list[Tree] = []
    for name in names:
        nodes = Leaves(leaves[name])
        tree = _gradient_tree(trees[name], name, (), nodes, chosen)
        if not tree.leaves():
            raise _nothing_in(trees[name], name)
        packed.append(tree)
    return tuple(chosen), Tree("tuple", tuple(packed)) if many else packed[0]


def _nothing_in(tree: Tree, name: str) -> WrtError:
    if tree.kind != "static":
        return WrtError(f"`{name}` holds no array and no float.", "name an argument that does")
    what = "None" if tree.value is None else f"a Python {type(tree.value).__name__}"
    if tree.value is True or tree.value is False:
        return DtypeError(f"`{name}` is {what}, which has no gradient.", f"pass float({name})")
    return WrtError(
        f"`{name}` is {what}, which has no gradient.", "name an argument that holds arrays or floats"
    )


def _gradient_tree(tree: Tree, parameter: str, path: Path, nodes: Any, chosen: list[Node]) -> Tree:
    if tree.kind == "leaf":
        node = next(nodes)
        if node.type.dtype.startswith(("int", "uint", "bool")):
            _refuse(node, parameter, path)
        chosen.append(node)
        return LEAF
    if tree.kind == "static":
        return Tree("static", value=tree.value, like=(parameter, path))
    step = "item" if tree.kind in ("list", "tuple", "dict") else "attr"
    keys = tree.keys or tuple(range(len(tree.children)))
    children, kept = [], []
    for key, child in zip(keys, tree.children, strict=True):
        below = (*path, (step, key))
        if tree.kind in ("dataclass", "object") and _is_setting(tree, key, child, nodes):
            continue
        made = _gradient_tree(child, parameter, below, nodes, chosen)
        if step == "attr" and not made.leaves():
            continue  # copied with the object
        children.append(made)
        kept.append(key)
    return Tree(tree.kind, tuple(children), tuple(kept) if tree.keys else (), tree.value, (parameter, path))


def _is_setting(tree: Tree, key: Any, child: Tree, nodes: Any) -> bool:
    """Whether a field of an object is an integer that configures it; consumes its leaf if so."""
    if child.kind != "leaf":
        return False
    node = nodes.peek()
    if node.type.kind != "number" or node.type.dtype != "int":
        return False
    if tree.kind == "dataclass":
        annotation = getattr(tree.value, "__annotations__", {}).get(key)
        if annotation not in (int, "int"):
            return False
    next(nodes)
    return True


class Leaves:
    """An iterator over leaf nodes that can look one ahead."""

    def __init__(self, nodes: Sequence[Node]):
        self.nodes = nodes
        self.position = 0

    def __iter__(self) -> Leaves:
        return self

    def __next__(self) -> Node:
        self.position += 1
        return self.nodes[self.position - 1]

    def peek(self) -> Node:
        return self.nodes[self.position]


def _refuse(node: Node, parameter: str, path: Path) -> None:
    where = parameter + "".join(f".{k}" if kind == "attr" else f"[{k!r}]" for kind, k in path)
    what = "a Python int" if node.type.kind == "number" else f"an array of {node.type.dtype}"
    if node.type.kind == "number":
        what = f"a Python {node.type.dtype}"
    cast = f"float({where})" if node.type.kind == "number" else f"{where}.astype(float)"
    raise DtypeError(f"`{where}` is {what}, which has no gradient.", f"pass {cast}")


_SHAPES = "arrays whose shapes the function can combine"


def check_results(lowered: Lowered, function: str) -> None:
    """Raises NonScalarError for a function that returns nothing and writes into its arguments."""
    tree = lowered.function.tree
    if lowered.written and tree.kind == "static" and tree.value is None:
        written = sorted({name for name, _ in lowered.written})
        shown = ", ".join(f"`{name}`" for name in written)
        raise NonScalarError(
            f"{function} returns nothing; it writes into {shown}.",
            f"outputs={tuple(written)!r}, which makes their final contents results, or a `return`",
        )


def check_memory(lowered: Lowered, values: Mapping[str, Any]) -> None:
    """Whether the arrays that the function writes into are arrays of their own, laid out as it needs them.

    values: arguments and captured values by name.  Raises UnsupportedError.
    """
    from symdiff.frontend.arguments import shown, step_into

    leaves: list[tuple[tuple[str, Path], ndarray]] = []
    for node in lowered.function.params:
        place = node.attr("parameter"), node.attr("path")
        if node.type.kind == "array" and place[0] in values:
            value = values[place[0]]
            for step in place[1]:
                value = step_into(value, step)
            if isinstance(value, ndarray):
                leaves.append((place, value))
    for place, value in leaves:
        if place in lowered.contiguous and not value.flags.c_contiguous:
            raise UnsupportedError(
                f"`{shown(place)}` is not C-contiguous, and on that depends whether the function writes into "
                "it or into a copy of it.",
                f"np.ascontiguousarray({shown(place)})",
            )
        if place not in lowered.written:
            continue
        for other, array in leaves:
            if other != place and _share(value, array):
                raise UnsupportedError(
                    f"`{shown(place)}` and `{shown(other)}` share memory, and the function writes into "
                    f"`{shown(place)}`.",
                    f"pass {shown(other)}.copy()",
                )


def _share(a: ndarray, b: ndarray) -> bool:
    """Whether two arrays share memory; where that is hard to tell, whether they may."""
    if not may_share_memory(a, b):
        return False
    try:
        return bool(shares_memory(a, b, max_work=10_000))  # type: ignore[arg-type]
    except TooHardError:
        return True


def check_sizes(lowered: Lowered, bound: inspect.BoundArguments) -> None:
    """Whether the arguments' sizes are equal where the program needs them to be.  Raises ShapeError.

    A derivative may not compute the operation that would have complained: the gradient of `np.sum(x * y)`
    with respect to `y` is `x`, whatever `y` is.
    """
    from symdiff.frontend.arguments import shown

    value_at = _reader(bound)
    sizes = lowered.function.sizes
    seen: dict[str, tuple[int, str]] = {}
    for node in lowered.function.params:
        name, path = node.attr("parameter"), node.attr("path")
        if name not in bound.arguments or node.type.kind != "array" or not node.type.dims:
            continue
        for axis, (dim, length) in enumerate(zip(node.type.dims, value_at(name, path).shape, strict=True)):
            found, place = sizes.find(dim), f"axis {axis} of `{shown((name, path))}`"
            if isinstance(found, int) and found != length:
                raise ShapeError(f"Sizes do not match: {place} is {length} and must be {found}.", _SHAPES)
            if isinstance(found, Size):
                expected, other = seen.setdefault(found.name, (length + found.less, place))
                if expected != length + found.less:
                    raise ShapeError(
                        f"Sizes do not match: {other} is {expected - found.less}, {place} is {length}.",
                        _SHAPES,
                    )
    _check_reshapes(sizes, {name: length for name, (length, _) in seen.items()})
    for name, path, length in lowered.function.info.get("lengths", ()):
        if len(value_at(name, path)) != length:
            raise ShapeError(
                f"`{shown((name, path))}` has {len(value_at(name, path))} items where {length} are unpacked."
            )


def size_values(lowered: Lowered, bound: inspect.BoundArguments) -> dict[str, int]:
    """By name, the sizes of the arguments."""
    value_at, sizes = _reader(bound), lowered.function.sizes
    found: dict[str, int] = {}
    for node in lowered.function.params:
        name, path = node.attr("parameter"), node.attr("path")
        if name in bound.arguments and node.type.kind == "array":
            for dim, length in zip(node.type.dims or (), value_at(name, path).shape, strict=False):
                dim = sizes.find(dim)
                if isinstance(dim, Size):
                    found[dim.name] = length + dim.less
    return found


def _reader(bound: inspect.BoundArguments) -> Callable[[str, Path], Any]:
    """Arguments and what is in them, by path."""
    from symdiff.frontend.arguments import step_into

    values: dict[tuple[str, Path], Any] = {}

    def value_at(name: str, path: Path) -> Any:
        if (name, path) not in values:
            found = bound.arguments[name] if not path else step_into(value_at(name, path[:-1]), path[-1])
            values[name, path] = found
        return values[name, path]

    return value_at


def _check_reshapes(sizes: Sizes, lengths: Mapping[str, int]) -> None:
    """Whether the user's reshapes keep the number of elements, as far as sizes are known."""

    def elements(dims: Dims) -> int | None:
        total = 1
        for dim in sizes.resolve(dims) or ():
            if isinstance(dim, Size):
                if dim.name not in lengths:
                    return None
                dim = max(lengths[dim.name] - dim.less, 0)
            total *= dim
        return total

    for source, fixed, free in sizes.reshapes:
        have, want = elements(source), elements(fixed)
        if have is None or want is None:
            continue
        wrong = want > 0 and have % want > 0 if free else have != want
        if wrong:
            multiple = "a multiple of " if free else ""
            raise ShapeError(f"{have} elements cannot be reshaped to {multiple}{want}.", _SHAPES)
