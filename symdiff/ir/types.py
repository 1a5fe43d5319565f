"""What is known of a value before it exists: kind, dtype and dims, each of which may be unknown.

Enters: argument signatures and inference rules.  Leaves: `Type` objects.  Invariant: a type only says what
holds in every run of its signature, so that types can delete code but never change a meaning.

Sizes are symbols: `Size("n0")` is the length of some axis.  Symbols of arguments are known to be at least
2 (sizes of 0 and 1 are part of the signature); a symbol whose name starts with "?" or that has `less > 0`
may be 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Literal

from symdiff.errors import ShapeError
from symdiff.records import dataclass, field

Kind = Literal["array", "number", "shape", "tuple", "stack", "undefined", "pullback"]


@dataclass(frozen=True, slots=True)
class Size:
    """A symbolic axis length: the size named `name` less a constant, never below zero."""

    name: str
    less: int = 0

    def __str__(self) -> str:
        return f"{self.name}-{self.less}" if self.less else self.name


Dim = int | Size
Dims = tuple[Dim, ...]


@dataclass(frozen=True, slots=True)
class Type:
    """The type of a value.

    kind: "array" (ndarray or NumPy scalar), "number" (a Python number: weak in dtype promotion), "shape"
    (a tuple of ints), "tuple" (several values of a region), "stack" (a Python list whose length is known at
    run time alone; `items` holds the type of its items), "undefined" (a variable that was not set on the way
    here: an instance of every type), "pullback" (a function that takes cotangents back through a call).
    dtype: NumPy's name for an array; "bool", "int", "float" or "complex" for a number; "" where unknown.
    dims: axis lengths, None where the rank is unknown; for a shape the lengths that it holds.
    """

    kind: Kind
    dtype: str = ""
    dims: Dims | None = None
    items: tuple[Type, ...] = ()

    @property
    def rank(self) -> int | None:
        return None if self.dims is None else len(self.dims)

    @property
    def is_scalar(self) -> bool:
        """Known to hold exactly one value in zero dimensions."""
        return self.kind in ("array", "number") and self.dims == ()

    def with_dims(self, dims: Dims | None) -> Type:
        return replace(self, dims=dims)

    def with_dtype(self, dtype: str) -> Type:
        return replace(self, dtype=dtype)

    def __str__(self) -> str:
        if self.kind == "tuple":
            return f"tuple({', '.join(map(str, self.items))})"
        if self.kind == "stack":
            return f"stack({', '.join(map(str, self.items))})"
        if self.kind in ("undefined", "pullback"):
            return self.kind
        if self.kind == "number":
            return f"number {self.dtype or '?'}"
        dims = "..." if self.dims is None else ", ".join(map(str, self.dims))
        return f"shape[{dims}]" if self.kind == "shape" else f"{self.dtype or '?'}[{dims}]"


def array(dtype: str = "", dims: Dims | None = None) -> Type:
    return Type("array", dtype, dims)


def number(dtype: str = "float") -> Type:
    return Type("number", dtype, ())


def shape(dims: Dims | None = None) -> Type:
    return Type("shape", "int", dims)


def tuple_of(items: Iterable[Type]) -> Type:
    return Type("tuple", items=tuple(items))


def stack_of(item: Type) -> Type:
    return Type("stack", items=(item,))


UNKNOWN = array()
UNDEFINED = Type("undefined")
PULLBACK = Type("pullback", "", ())


_WIDTH = ("int", "float", "complex")


def _joined_dtype(a: Type, b: Type) -> str:
    """The dtype of a value that is a number or an array; "" where neither speaks for both."""
    if a.kind == b.kind == "number":
        known = a.dtype in _WIDTH and b.dtype in _WIDTH
        return max(a.dtype, b.dtype, key=_WIDTH.index) if known else ""
    number, other = (a, b) if a.kind == "number" else (b, a)
    if number.kind != "number" or other.kind == "number":
        return ""
    floats = ("float", "longdouble", "complex")
    if number.dtype == other.dtype == "bool":
        return "bool"
    weak = number.dtype in ("int", "float") and other.dtype.startswith(floats)
    return other.dtype if weak or (number.dtype == "int" and other.dtype.startswith(("int", "uint"))) else ""


def may_be_one(dim: Dim) -> bool:
    """Whether this axis may turn out to be of length 1 and then broadcast."""
    return isinstance(dim, Size) and (dim.less > 0 or dim.name.startswith("?"))


@dataclass(slots=True, eq=False, repr=False)
class Sizes:
    """Which size symbols are known to be equal: a union-find, shared by all passes over one function."""

    equal: dict[str, Dim] = field(default_factory=dict)
    count: int = 0
    # What the user's reshapes demand: source, fixed lengths, and whether one more length is free.
    reshapes: list[tuple[Dims, Dims, bool]] = field(default_factory=list)
    # By what a length is computed from: its symbol, the same whenever it is computed again.
    computed: dict[object, Size] = field(default_factory=dict)

    # By the length of what was stretched over axes that may be 1: their lengths.
    stretched: dict[str, tuple[Dim, ...]] = field(default_factory=dict)
    # Firm sizes that some operation, in whatever region, demands to be equal: where a value was computed,
    # they are; and if not, NumPy raises, since none of them broadcasts.
    demanded: dict[Dim, Dim] = field(default_factory=dict)
    # Names of lengths of what is a number in some round of a loop, an array in others (`ir.control`).
    seeds: set[str] = field(default_factory=set)
    # How often an operation was refused because a value may be a number.
    refusals: int = 0

    def may_be_number(self, type: Type) -> bool:
        """Whether a value may have no axes at all, although its type has some."""
        dims = self.resolve(type.dims)
        return bool(dims) and all(map(self._is_seed, dims or ()))

    def _is_seed(self, dim: Dim) -> bool:
        return isinstance(dim, Size) and dim.name in self.seeds

    def computed_same(self, a: Dim, b: Dim) -> bool:
        """Whether two lengths of values that were both computed are equal."""
        return self._demand(self.find(a)) == self._demand(self.find(b))

    def resolve_computed(self, dims: Dims | None) -> Dims | None:
        """The lengths of a value that was computed."""
        return None if dims is None else tuple(self._demand(self.find(dim)) for dim in dims)

    def _demand(self, dim: Dim) -> Dim:
        while dim in self.demanded:
            dim = self.demanded[dim]
        return dim

    def length_of(self, key: object) -> Size:
        """The size that is computed from `key`: how many places a mask chooses, the length of a slice."""
        if key not in self.computed:
            self.computed[key] = self.fresh()
        return self.computed[key]

    def fresh(self, *like: Dim) -> Size:
        """A new size of which nothing is known, but where one of these is of a number, it is one too."""
        self.count += 1
        made = Size(f"?{self.count - 1}")
        if any(map(self._is_seed, like)):
            self.seeds.add(made.name)
        return made

    def seed(self) -> Size:
        """A length of what is a number in some round."""
        made = self.fresh()
        self.seeds.add(made.name)
        return made

    def find(self, dim: Dim) -> Dim:
        while isinstance(dim, Size) and dim.name in self.equal:
            base = self.equal[dim.name]
            dim = max(base - dim.less, 0) if isinstance(base, int) else Size(base.name, base.less + dim.less)
        return dim

    def resolve(self, dims: Dims | None) -> Dims | None:
        return None if dims is None else tuple(self.find(dim) for dim in dims)

    def same(self, a: Dim, b: Dim) -> bool:
        return self.find(a) == self.find(b)

    def less(self, dim: Dim, amount: int) -> Dim:
        dim = self.find(dim)
        return max(dim - amount, 0) if isinstance(dim, int) else Size(dim.name, dim.less + amount)

    def unify(self, a: Dim, b: Dim) -> Dim:
        """Record that two lengths are equal (an operation demands it) and return the one to use."""
        a, b = self.find(a), self.find(b)
        if a == b:
            return a
        if isinstance(a, int) and isinstance(b, int):
            raise ShapeError(f"Sizes {a} and {b} do not match.", "arrays whose shapes broadcast together")
        if isinstance(a, int) or (isinstance(b, Size) and may_be_one(b) and not may_be_one(a)):
            a, b = b, a
        assert isinstance(a, Size)
        if not may_be_one(a) and not may_be_one(b) and self._demand(a) != self._demand(b):
            self.demanded[self._demand(a)] = self._demand(b)
        if isinstance(b, Size) and a.name == b.name:
            raise ShapeError(f"Sizes {a} and {b} do not match.", "slices of equal length")
        if b == 1 and not may_be_one(a):
            raise ShapeError(f"Size 1 does not match size {a}.", "arrays whose shapes broadcast together")
        if not a.less:
            self.equal[a.name] = b
        elif isinstance(b, int) and b > 0:  # above zero the subtraction was exact
            self.equal[a.name] = b + a.less
        elif isinstance(b, Size) and not b.less and may_be_one(b):
            self.equal[b.name] = a
        return self.find(b)

    def _stretch(self, lengths: tuple[Dim, ...]) -> Dim:
        """The length of an axis that all of these are stretched to."""
        made = self.fresh()
        if all(map(self._is_seed, lengths)):
            self.seeds.add(made.name)
        self.stretched[made.name] = lengths
        return made

    def is_stretched_from(self, dim: Dim, length: Dim) -> bool:
        """Whether an axis is the result of broadcasting one of this length."""
        dim, length = self.find(dim), self.find(length)
        if dim == length:
            return True
        parts = self.stretched.get(dim.name, ()) if isinstance(dim, Size) and not dim.less else ()
        return any(self.is_stretched_from(part, length) for part in parts)

    @contextmanager
    def scope(self) -> Iterator[None]:
        """What is recorded inside holds inside only, except of the sizes that are new there."""
        before, first = len(self.equal), self.count
        try:
            yield
        finally:  # a symbol is equated once, so that what was added stands at the end
            added = [self.equal.popitem() for _ in range(len(self.equal) - before)]
            new = {f"?{k}" for k in range(first, self.count)} if added else set()
            self.equal.update((name, dim) for name, dim in reversed(added) if name in new)

    def join(self, a: Type, b: Type) -> Type:
        """The type of a value that is of either type: what differs becomes unknown.

        A Python int or float joined with a float array has the array's dtype: it is weak in promotion, and
        what is made of it is at most that wide.
        """
        if "undefined" in (a.kind, b.kind):
            return a if b.kind == "undefined" else b
        if a.kind != b.kind and not {a.kind, b.kind} <= {"number", "array"}:
            raise ShapeError(f"A {a.kind} and a {b.kind} cannot be the same value.")
        if len(a.items) != len(b.items):
            raise ShapeError(f"Tuples of {len(a.items)} and {len(b.items)} cannot be the same value.")
        same = a.kind == b.kind
        items = tuple(self.join(x, y) for x, y in zip(a.items, b.items, strict=True))
        dtype = a.dtype if same and a.dtype == b.dtype else _joined_dtype(a, b)
        return Type(a.kind if same else "array", dtype, self._join_dims(a.dims, b.dims), items)

    def _join_dims(self, a: Dims | None, b: Dims | None) -> Dims | None:
        if a is None or b is None or len(a) != len(b):
            return None
        return tuple(self.find(x) if self.same(x, y) else self.fresh(x, y) for x, y in zip(a, b, strict=True))

    def broadcast(self, shapes: Iterable[Dims | None]) -> Dims | None:
        """The dims of an elementwise result; records the equalities that broadcasting demands."""
        shapes = list(shapes)
        known = [dims for dims in shapes if dims is not None]
        if len(known) < len(shapes):
            return None
        rank = max(map(len, known), default=0)
        columns = [
            [dims[axis - rank + len(dims)] for dims in known if axis >= rank - len(dims)]
            for axis in range(rank)
        ]
        return tuple(self._broadcast_axis(column) for column in columns)

    def _broadcast_axis(self, column: list[Dim]) -> Dim:
        lengths = list(dict.fromkeys(self.find(dim) for dim in column))
        stretched = [dim for dim in lengths if dim != 1]
        if not stretched:
            return 1
        firm = [dim for dim in stretched if not may_be_one(dim)]
        if not firm and len(stretched) == 1:
            return stretched[0] if 1 not in lengths or not self._is_seed(stretched[0]) else self.fresh()
        if not firm:
            return self._stretch(tuple(stretched))
        result = firm[0]
        for dim in firm[1:]:
            result = self.unify(result, dim)
        return result
