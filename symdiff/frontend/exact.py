"""Which values certainly are of the class and dtype that their type says.

Enters: a node.  Leaves: an answer.  Invariant: "exact" is certain.  A type may say more than run time keeps:
a number that is an int or a float, as a branch decides, is typed as a float, and so is `s = 0` before a loop
that adds floats to it but may have no round.  For arithmetic that is right, for such a number is weak; where
the class itself decides (`isinstance`, the dtype of what is made of it, and so what a write into that cuts
off) it has to be asked for here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symdiff.errors import SymdiffError
from symdiff.ir import types
from symdiff.ir.build import PARAM
from symdiff.ir.control import handed, owner_of
from symdiff.ir.node import Node
from symdiff.ir.types import Type


class Exactness:
    """inexact: parameters of loops that may be of another class or dtype in some round; loose: those that are
    a number in the first one and an array then, perhaps; assumed: the parameters that were taken to be exact,
    which holds if what a round hands on is.  running: loops that certainly have a round."""

    def __init__(self) -> None:
        self.running: set[Node] = set()
        self.inexact: set[Node] = set()
        self.loose: set[Node] = set()
        self.assumed: set[Node] = set()
        self._known: dict[tuple[Node, bool], bool] = {}

    def __call__(self, node: Node) -> bool:
        """Whether a value is of the class and dtype that its type says."""
        return self._answer(node, False)

    def as_array(self, node: Node) -> bool:
        """Whether a value has the dtype that its type says wherever it is an array."""
        return self._answer(node, True)

    def stands_for(self, param: Node, type: Type, initial: Node | None) -> None:
        """A parameter of a loop has a value of this type in the first round, or this value."""
        if initial is not None and not self._answer(initial, type.kind == "array"):
            self.inexact.add(param)
        elif type.kind != "undefined" and not _is_special(type, param.type):
            (self.loose if type.kind == "number" else self.inexact).add(param)

    def keeps(self, param: Node, after: Node) -> bool:
        """Whether a round hands on what the parameter was taken to be."""
        return param not in self.assumed or (_form(after.type) == _form(param.type) and self(after))

    def _answer(self, node: Node, array: bool) -> bool:
        pending = [(node, array)]
        while pending:
            one = pending[-1]
            missing = [] if one in self._known else self._needs(*one)
            missing = [other for other in missing if other not in self._known]
            if missing:
                pending += missing
            else:
                if one not in self._known:
                    self._known[one] = self._decide(*one)
                pending.pop()
        return self._known[node, array]

    def _sources(self, node: Node, array: bool) -> list[Node]:
        """The values that a result of a branch or a loop may be."""
        owner = owner_of(node)
        if owner is None or not owner[0].regions:
            return []
        found = [value for value in handed(*owner) if value.type.kind != "undefined"]
        if owner[0] in self.running:
            found = found[-1:]
        arrays = [value for value in found if value.type.kind == "array"]
        return arrays if array and arrays else found

    def _needs(self, node: Node, array: bool) -> list[tuple[Node, bool]]:
        if node.op is PARAM or node.is_const or node.type.dtype == "bool":
            return []
        if self._sources(node, array):
            return [(value, array and value.type.kind == "array") for value in self._sources(node, array)]
        return [(arg, False) for arg in node.args]

    def _decide(self, node: Node, array: bool) -> bool:
        if node.is_const or node.type.dtype == "bool":
            return True
        if node.op is PARAM:
            return self._of_param(node, array)
        sources = self._sources(node, array)
        if sources:
            return all(
                _is_special(value.type, node.type)
                and self._known[value, array and value.type.kind == "array"]
                for value in sources
            )
        if node.op.name == "power" and _may_be_fraction(node):
            return False
        if node.op.name in _JOINING and not _is_uniform(node):
            return False
        if node.op.name == "as_array" and node.type.dtype != "float64":
            return False  # `np.array([])` is of this dtype
        return node.attr("dtype") is not None or self._follows(node)

    def _of_param(self, node: Node, array: bool) -> bool:
        if node in self.inexact or (node in self.loose and not array):
            return False
        if node.attr("parameter") is None:
            self.assumed.add(node)
        return True

    def _follows(self, node: Node) -> bool:
        """Whether the result is what its type says whatever those operands are that may be something else."""
        exact = [self._known[arg, False] for arg in node.args]
        if all(exact):
            return True
        doubtful = [arg for arg, known in zip(node.args, exact, strict=True) if not known]
        if node.regions or any(arg.type.kind not in ("array", "number") for arg in doubtful):
            return False
        return all(self._infers(node, exact, kind) for kind in {_other(arg.type) for arg in doubtful})

    def _infers(self, node: Node, exact: Sequence[bool], other: str) -> bool:
        args = [
            arg if known else Node(PARAM, (), (), types.number(other))
            for arg, known in zip(node.args, exact, strict=True)
        ]
        try:
            return _form(node.op.infer(*args, **node.attributes)) == _form(node.type)
        except (SymdiffError, TypeError, ValueError, LookupError):
            return False


def _form(type: Type) -> Type:
    """A type without lengths."""
    return replace(type, dims=None, items=tuple(map(_form, type.items)))


def _is_special(type: Type, general: Type) -> bool:
    """Whether a value of this type is what the other one says: so is a list without items."""
    if type.kind == general.kind == "stack" and type.items[0].kind == "undefined":
        return True
    return _form(type) == _form(general)


def _other(type: Type) -> str:
    """What an operand may be instead: an int where it is said to be a float, and the other way round."""
    return "float" if type.dtype in ("", "bool") or type.dtype.startswith(("int", "uint")) else "int"


def _may_be_fraction(node: Node) -> bool:
    """Whether this is a power of ints whose exponent may be negative."""
    base, exponent = node.args
    if any(arg.type.kind != "number" or arg.type.dtype not in ("int", "bool") for arg in (base, exponent)):
        return False
    return not (exponent.is_const and exponent.value.real >= 0)


_JOINING = frozenset(["push", "set_item", "chained", "listed"])


def _is_uniform(node: Node) -> bool:
    """Whether all that an operation puts into one stack is of one class and dtype."""
    args = node.args[:2] if node.op.name == "set_item" else node.args
    found = [arg.type for arg in args]
    if node.op.name != "listed":
        found[0] = found[0].items[0]
    if node.op.name == "chained":
        found[1] = found[1].items[0]
    return len({_form(type) for type in found if type.kind != "undefined"}) <= 1
