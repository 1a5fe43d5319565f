"""Loops over the elements of arrays, where the user wrote so.

Enters: a `for` over a range. Leaves: the statements at the start of its body that read the elements, which
the head of the loop makes instead: `for v in x:`. Invariant: the counter has no other use, unless the user
enumerates; the arrays are read as long as the loop runs, so that nobody writes into them meanwhile.
"""

from __future__ import annotations

from symdiff.backends.memory import Memory
from symdiff.backends.schedule import Schedule, Statement
from symdiff.ir.node import Node
from symdiff.ir.types import Dim


def elements_of(schedule: Schedule, memory: Memory, loop: Statement) -> list[Statement]:
    """The statements that read elements; none where the loop is better written over its range."""
    node, counter = loop.node, loop.counter
    start, stop, step = map(schedule.resolved, node.args[:3])
    if counter is None or not (_is(start, 0) and _is(step, 1)):
        return []
    written = node.span.text if node.span is not None else ""
    enumerated = "enumerate(" in written and not node.attr("reverse")
    if counter.name and not enumerated:
        return []
    found: list[Statement] = []
    for statement in loop.blocks[-1].statements:
        if not _reads_element(schedule, memory, loop, statement, stop):
            break
        found.append(statement)
    uses = schedule.uses(counter)
    if not found or (uses > len(found) and not enumerated) or (len(found) > 1 and node.attr("reverse")):
        return []
    return found


def _reads_element(
    schedule: Schedule, memory: Memory, loop: Statement, statement: Statement, stop: Node
) -> bool:
    """Whether a statement is `v = x[i]`, of a value from outside of the loop, as long as the loop is."""
    node = statement.node
    if node.op.name not in ("index", "stack_item") or node in memory.views or len(node.args) != 2:
        return False
    if node.op.name == "index" and node.attr("index") != (("arg", 0),):
        return False
    array, counter = map(schedule.resolved, node.args)
    cell = schedule.cells.get(array)
    if cell is None or schedule.cells.get(counter) is not loop.counter or cell.statement is loop:
        return False
    if cell.given[0][0] >= 4 * loop.position:
        return False
    if node.op.name == "stack_item":
        return stop.op.name == "stack_length" and schedule.resolved(stop.args[0]) is array
    length = _length(schedule, stop)
    dims = schedule.function.sizes.resolve(array.type.dims)
    return bool(dims) and length is not None and dims is not None and dims[0] == length


def _length(schedule: Schedule, stop: Node) -> Dim | None:
    """What is known of the number of rounds."""
    if stop.is_const:
        return stop.value if type(stop.value) is int else None
    if stop.op.name != "length" or stop.attr("axis", 0) != 0:
        return None
    dims = schedule.function.sizes.resolve(stop.args[0].type.dims)
    return dims[0] if dims else None


def _is(node: Node, value: int) -> bool:
    return node.is_const and type(node.value) is int and node.value == value
