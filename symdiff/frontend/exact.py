"""Which values certainly are of the class and dtype that their type says.

Enters: a node. Leaves: an answer: all that it may be at run time. Invariant: "exact" is certain. A type may
say more than run time keeps: a number that is an int or a float, as a branch decides, is typed as a float,
and so is `s = 0` before a loop that adds floats to it but may have no round. For arithmetic that is right,
for such a number is weak; where the class itself decides (`isinstance`, the dtype of what is made of it, and
so what a write into that cuts off) it has to be asked for here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from math import prod

from symdiff.errors import SymdiffError
from symdiff.ir import types
from symdiff.ir.build import PARAM
from symdiff.ir.control import handed, owner_of
from symdiff.ir.node import Node
from symdiff.ir.types import Type

Forms = frozenset[Type | None]
"""Types without lengths, of which a value has one at run time; None: another one, that is not known."""
_UNKNOWN: Forms = frozenset([None])
_MOST = 32
"""How many combinations of what the operands may be are looked at."""
_ARRAYS = [types.array(dtype, None) for dtype in ("int64", "float32", "float64")]
"""What an array of which nothing is known may be."""


class Exactness:
    """forms: of parameters of loops, what they are in some round besides what their type says; assumed: the
    parameters whose forms were asked for, which holds if what a round hands on is among them.  running: loops
    that certainly have a round."""

    def __init__(self) -> None:
        self.running: set[Node] = set()
        self.forms: dict[Node, Forms] = {}
        self.assumed: set[Node] = set()
        self._known: dict[Node, Forms] = {}

    def __call__(self, node: Node) -> bool:
        """Whether a value is of the class and dtype that its type says."""
        return self.of(node) == {_form(node.type)}

    def as_array(self, node: Node) -> bool:
        """Whether a value has the dtype that its type says wherever it is an array."""
        arrays = {form for form in self.of(node) if form is None or form.kind == "array"}
        return self(node) or arrays == {_form(node.type)}

    def stands_for(self, param: Node, type: Type, initial: Node | None, seen: Forms) -> None:
        """A parameter of a loop has a value of this type in the first round, or this value, and was seen to
        have one of these forms in others."""
        first = self.of(initial) if initial is not None else frozenset([_form(type)])
        self.forms[param] = seen | {form for form in first if form is None or not _is_seed(form, param.type)}

    def missing(self, param: Node, after: Node) -> Forms:
        """What a round hands on that the parameter was taken not to be."""
        if param not in self.assumed:
            return frozenset()
        return frozenset(
            form for form in self.of(after) - self.of(param) if form is None or not _is_seed(form, param.type)
        )

    def of(self, node: Node) -> Forms:
        """What a value may be at run time."""
        pending = [node]
        while pending:
            one = pending[-1]
            missing = (
                [] if one in self._known else [arg for arg in self._needs(one) if arg not in self._known]
            )
            if missing:
                pending += missing
            else:
                if one not in self._known:
                    self._known[one] = self._decide(one)
                pending.pop()
        return self._known[node]

    def _sources(self, node: Node) -> list[Node]:
        """The values that a result of a branch or a loop may be."""
        owner = owner_of(node)
        if owner is None or not owner[0].regions:
            return []
        found = [value for value in handed(*owner) if value.type.kind != "undefined"]
        return found[-1:] if owner[0] in self.running else found

    def _needs(self, node: Node) -> Sequence[Node]:
        if node.op is PARAM or node.is_const or node.type.dtype == "bool":
            return []
        return self._sources(node) or node.args[: 1 if node.op.name in _WRITING else None]

    def _decide(self, node: Node) -> Forms:
        own = frozenset([_form(node.type)])
        if node.is_const or node.type.dtype == "bool":
            return own
        if node.op is PARAM:
            if node.attr("parameter") is None:
                self.assumed.add(node)
            return own | self.forms.get(node, frozenset())
        sources = self._sources(node)
        if sources:
            found = frozenset[Type | None]().union(*(self._known[value] for value in sources))
            return frozenset(
                _form(node.type) if form is not None and _is_seed(form, node.type) else form for form in found
            )
        if node.op.name in _WRITING:
            return self._known[node.args[0]]
        if node.op.name == "power" and _may_be_fraction(node):
            return own | {_form(types.number("int")), _form(types.number("float"))}
        if node.op.name in _JOINING and not _is_uniform(node):
            return _UNKNOWN
        if node.op.name == "as_array" and node.type.dtype != "float64":
            if not all(map(self, node.args)):
                return _UNKNOWN
            # `np.array([])` is of this dtype.
            return own if self._is_filled(node.args[0]) else own | {types.array("float64", None)}
        return own if node.attr("dtype") is not None else self._following(node)

    def _is_filled(self, stack: Node) -> bool:
        """Whether a list certainly has an item: it got the last one, or the last round of a loop put one
        there."""
        while True:
            if stack.op.name == "push":
                return True
            owner = owner_of(stack)
            if owner is None or owner[0] not in self.running:
                return False
            stack = self._sources(stack)[-1]

    def _following(self, node: Node) -> Forms:
        """What the result may be where some operands may be something else than their types say."""
        if all(map(self, node.args)):
            return frozenset([_form(node.type)])
        choices = [self._choices(arg) for arg in node.args]
        if node.regions or not 0 < prod(map(len, choices)) <= _MOST:
            return _UNKNOWN
        return frozenset(_inferred(node, args) for args in product(*choices))

    def _choices(self, node: Node) -> list[Node]:
        """Values of all the types that this one may have; none where that is not known."""
        own = _form(node.type)
        if self(node):
            return [node]
        known = {form for form in self._known[node] if form is not None}
        if None in self._known[node]:
            known |= {own, _form(types.number(_other(node.type))), *(_ARRAYS if own.kind == "array" else ())}
        if any(form.kind not in ("array", "number") for form in known):
            return []
        dims = {own.kind: node.type.dims}
        return [
            node if form == own else Node(PARAM, (), (), replace(form, dims=dims.get(form.kind, ())))
            for form in known
        ]


def _inferred(node: Node, args: Sequence[Node]) -> Type | None:
    """What an operation makes of these operands."""
    try:
        return _form(node.op.infer(*args, **node.attributes))
    except (SymdiffError, TypeError, ValueError, LookupError, ArithmeticError):
        return None


def _form(type: Type) -> Type:
    """A type without lengths."""
    return replace(type, dims=None, items=tuple(map(_form, type.items)))


def _is_seed(type: Type, general: Type) -> bool:
    """Whether this is the type of a list without items, or of nothing, which is as good as the other one."""
    if type.kind == general.kind == "stack":
        return type.items[0].kind == "undefined"
    return type.kind == "undefined"


def _other(type: Type) -> str:
    """What an operand may be instead: an int where it is said to be a float, and the other way round."""
    return "float" if type.dtype in ("", "bool") or type.dtype.startswith(("int", "uint")) else "int"


def _may_be_fraction(node: Node) -> bool:
    """Whether this is a power of ints whose exponent may be negative."""
    base, exponent = node.args
    if any(arg.type.kind != "number" or arg.type.dtype not in ("int", "bool") for arg in (base, exponent)):
        return False
    return not (exponent.is_const and exponent.value.real >= 0)


_WRITING = frozenset(["update", "add_at"])
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
