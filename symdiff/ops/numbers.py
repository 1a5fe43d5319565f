"""Which values of array type may be Python numbers when the code runs.

Enters: a function.  Leaves: the nodes that need functions where others have methods: `np.sum(s)` for
`s.sum()`.  Invariant: what is not among them has an array's attributes.

A loop may begin with a number where it carries an array (`s = 0.0` before `s = s + x`), and one branch may
give a number where the other gives an array; operators make numbers of numbers.
"""

from __future__ import annotations

from collections.abc import Iterator

from symdiff.ir.calls import CALLS
from symdiff.ir.control import CONTROL, ITEM, LOOPS, carried_of, carried_params, owner_of
from symdiff.ir.node import Function, Node, Region
from symdiff.ir.types import Type
from symdiff.ops.row import Row

_PASSING = ("real", "imag", "stop_gradient")  # of a Python number, a Python number
_HOLDING = ("push", "listed", "repeated", "set_item")


def maybe_numbers(function: Function) -> set[Node]:
    """The values of array type that may be Python numbers, and the stacks that may hold such."""
    found: set[Node] = set()
    if function.info.get("called"):  # whoever calls it may have one
        found.update(one for one in function.params if one.type.kind == "array" and one.type.dims == ())
    several = (*(op.name for op in LOOPS), "if", *CALLS)
    if found or any(node.op.name in several for node in function.nodes()):
        before = -1
        while before != len(found):
            before = len(found)
            _read(function.body, found, set())
            if any(_may_be(result, found) for result in function.results):
                found.update(_cotangents(function))
    return found


def _cotangents(function: Function) -> Iterator[Node]:
    """The arguments of a pullback that are like a value which may be a number."""
    for node in function.body.body:
        if node.op.name == "closure":
            params = node.regions[0].params
            yield from (one for one in params if one.type.kind == "array" and one.type.dims in ((), None))


def _read(region: Region, found: set[Node], results: set[tuple[Node, int]]) -> None:
    for node in region.body:
        if node.op.name in CONTROL and node.regions:
            _control(node, found, results)
        for inner in node.regions if node.op.name not in CONTROL else ():
            _read(inner, found, results)
        if _is_one(node, found, results):
            found.add(node)


def _control(node: Node, found: set[Node], results: set[tuple[Node, int]]) -> None:
    if node.op in LOOPS:
        for k, value in enumerate(carried_of(node)):
            if _may_be(value, found) or _may_be(node.regions[-1].results[k], found):
                params = [carried_params(node, region)[k] for region in node.regions]
                found.update(param for param in params if param.type.kind in ("array", "stack"))
    for region in node.regions:
        _read(region, found, results)
    count = len(node.type.items) if node.type.kind == "tuple" else 1
    for k in range(count):
        given = [region.results[k] for region in (node.regions[-1:] if node.op in LOOPS else node.regions)]
        if node.op in LOOPS:
            given.append(carried_of(node)[k])
        if any(_may_be(value, found) for value in given):
            results.add((node, k))


def _is_of_numbers(type: Type) -> bool:
    return type.kind == "number" or (type.kind == "stack" and type.items[0].kind == "number")


def _may_be(value: Node, found: set[Node]) -> bool:
    return _is_of_numbers(value.type) or value in found


def _is_one(node: Node, found: set[Node], results: set[tuple[Node, int]]) -> bool:
    if node.type.kind not in ("array", "stack"):
        return False
    owner = owner_of(node)
    if owner is not None and owner[0].op.name in CONTROL:
        return owner in results
    name, args = node.op.name, node.args
    if name in CALLS or (node.op is ITEM and args[0].op.name in CALLS):
        return node.type.dims == ()
    if node.op is ITEM or name == "stack_item":  # of what was pushed
        return (args[0].args[0] if node.op is ITEM else args[0]) in found
    if node.type.kind == "stack":
        items = args[:1] if name == "repeated" else args
        numbers = node.type.items[0].kind == "array" and name in _HOLDING
        return any(arg in found or (numbers and _is_of_numbers(arg.type)) for arg in items)
    if name == "fit_like":
        return _may_be(args[1], found)
    if not isinstance(node.op, Row) or not args:
        return False
    if name in ("builtins.max", "builtins.min"):
        return any(_may_be(arg, found) for arg in args)
    plain = bool(node.op.symbol) or name.startswith("builtins.") or name in _PASSING
    return plain and all(_may_be(arg, found) for arg in args)
