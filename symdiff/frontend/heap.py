"""Which memory holds what, while a function is lowered: every array that the function may write into.

Enters: nodes, as the evaluator passes them around.  Leaves: the same nodes, or the values that their memory
holds now.  Invariant: a node in the hands of the evaluator is a *reference*, as in Python; `latest` gives the
value of what it refers to, and the builder asks for it whenever an operation is applied, so that every
operation reads what is there at that moment, whatever alias or view it was reached by.

A storage is the node that made an array.  Writing into it (`A[i] = v`, `row *= 2`) makes a new value
(`ops.updates.update`), which becomes the storage's; names and containers keep their reference.  A view
(`A[i]`, `A.T`) refers to the storage it was taken from, through the same steps.  Where only run time knows
whether memory is shared (a reshape of a strided array, one of two arrays), what was read before a write can
be used, and use after the write is an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from symdiff.errors import SymdiffError, UnsupportedError
from symdiff.frontend.exact import Exactness
from symdiff.frontend.memory import COPY, UNCLEAR, Layout, Sharing
from symdiff.ir.build import current
from symdiff.ir.node import Node
from symdiff.ops.stacks import unstacked
from symdiff.records import dataclass, field

Values = Mapping[Node, Node]


@dataclass(eq=False, slots=True, repr=False)
class Heap:
    """values: by storage, what it holds, where that is not what it was made with.  homes: by value that a
    storage held at some time, the storage.  uncertain: by node that may be one of several arrays (see
    `doubt`), what these held then.  frozen: by storage that may not be written into any more, the error that
    says why.  pinned: references that no name holds: what a loop goes over.  written: the storages that were
    ever written into.  refused: the nodes that were asked for while only run time knew which array they are.
    assumed: the arguments that must be C-contiguous for the program to mean what NumPy does."""

    values: dict[Node, Node] = field(default_factory=dict)
    homes: dict[Node, Node] = field(default_factory=dict)
    uncertain: dict[Node, Values] = field(default_factory=dict)
    frozen: dict[Node, SymdiffError] = field(default_factory=dict)
    pinned: list[Node] = field(default_factory=list)
    written: set[Node] = field(default_factory=set)
    refused: list[Node] = field(default_factory=list)
    assumed: set[Node] = field(default_factory=set)
    exact: Exactness = field(default_factory=Exactness)
    layout: Layout = field(init=False)

    def __post_init__(self) -> None:
        self.layout = Layout(lambda node: self.homes.get(node, node))

    def sharing(self, node: Node) -> Sharing:
        """How a value shares memory, where that has to be known."""
        assumed: set[Node] = set()
        answer = self.layout.sharing(node, assumed)
        if answer is not UNCLEAR and assumed:
            self.assumed |= assumed
        return answer

    def immutable(self, node: Node) -> bool:
        """Whether nobody can write into a value, so that equal ones may be one node."""
        if node.type.kind != "array":
            return node.type.kind != "stack"
        return node.type.dims == () and bool(node.args) and self.layout.scalar(node) is True

    def path(self, node: Node) -> list[Node]:
        """The views from a reference back to its storage, the last one taken first."""
        views = []
        while self.layout.sharing(node) is not COPY:
            views.append(node)
            node = node.args[0]
        return views

    def storage(self, node: Node) -> Node:
        """The array whose memory a reference shares, or may share: the node that made it."""
        views = self.path(node)
        base = views[-1].args[0] if views else node
        return self.homes.get(base, base)

    def latest(self, node: Node) -> Node:
        """The value of what a node refers to, now.  Raises UnsupportedError where only run time knows."""
        if not self.values:
            return node
        if shows_rows(node):
            source = self.latest(node.args[0])
            return node if source is node.args[0] else current().unfolded(unstacked, source)
        if node in self.uncertain:
            self._check_doubt(node)
        if not getattr(node.op, "view", False) or self.layout.sharing(node) is COPY:
            return self.values.get(self.homes.get(node, node), node)
        viewed = self.latest(node.args[0])
        if viewed is node.args[0]:
            return node
        if self.sharing(node) is UNCLEAR:
            raise UnsupportedError(
                f"Only at run time does NumPy know whether {_shown(node)} shares memory with the array that "
                "was written into since.",
                "`.copy()` of it, or np.ascontiguousarray(...) of the array before",
            )
        # The other operands were read when the view was taken.
        made = current().unfolded(node.op, viewed, *node.args[1:], **node.attributes)
        if node in self.layout.scalars:
            self.layout.scalars.add(made)
        return current().named(made, node.name) if node.name else made

    def hold(self, storage: Node, value: Node) -> None:
        """From now on this storage holds this value."""
        self.values[storage] = value
        self.homes[value] = storage
        self.written.add(storage)

    # Arrays of which only run time knows which they are

    def doubt(self, node: Node, references: Iterable[Node]) -> None:
        """A node may from now on be any of these arrays: after a write into one of them it is not read, and
        it is not written into."""
        storages = {self.storage(reference) for reference in references}
        self.uncertain[node] = {storage: self.values.get(storage, storage) for storage in storages}

    def _check_doubt(self, node: Node) -> None:
        for storage, value in self.uncertain[node].items():
            if self.values.get(storage, storage) is not value:
                self.refused.append(node)
                raise UnsupportedError(
                    f"Only at run time is it known whether {_shown(node)} is the array that was written into "
                    "since.",
                    "`.copy()` where it gets its value",
                )

    # Branches and loops

    @contextmanager
    def pinning(self, references: Iterable[Node]) -> Iterator[None]:
        """Inside, these references count as names do."""
        before = self.pinned
        self.pinned = [*before, *references]
        try:
            yield
        finally:
            self.pinned = before

    def snapshot(self) -> Values:
        """What all storages hold, to go back to."""
        return dict(self.values)

    def restore(self, values: Values) -> None:
        self.values = dict(values)

    def changed(self, before: Values) -> dict[Node, Node]:
        """By storage whose value is another than before: its value now."""
        return {storage: value for storage, value in self.values.items() if before.get(storage) is not value}


def shows_rows(stack: Node) -> bool:
    """Whether a list is `list(array)` of an array whose rows are arrays, and so views of it."""
    return stack.op is unstacked and bool(stack.type.items[0].dims)


def _shown(node: Node) -> str:
    return f"`{node.name}`" if node.name else "this array"
