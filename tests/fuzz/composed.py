"""Whole programs in the language with control flow and writes.

Enters: a seed.  Leaves: the text of a module, and how often each production took part.  Invariants: the text
is a function of the seed alone; the program runs, twice alike; its values are finite and of moderate size; no
decision that depends on a float is a close one; arguments are changed only where the program means to.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from fuzz.oracle import Oracle
from fuzz.pieces import HELPERS, NAMES, PARAMETERS, STAGED_HELPERS, Reject, rank
from fuzz.programs import HEADER, KINDS, Program, has_floats
from fuzz.sketch import ERRORS, Defined, Node, Sketch, copied
from fuzz.values import leaves, mapped

Statement = Callable[["Composed"], None]
# Filled by the modules of productions.
PRODUCTIONS: list[tuple[int, Statement]] = []
FAMILIES: dict[str, list[Statement]] = {"views": [], "masks": [], "contexts": [], "arguments": []}
SMALLEST_GAP = 3e-3
DEEPEST = 3


def statement(weight: int, family: str = "") -> Callable[[Statement], Statement]:
    """Registers a production of statements; some families are seeded often."""

    def add(function: Statement) -> Statement:
        PRODUCTIONS.append((weight, function))
        if family:
            FAMILIES[family].append(function)
        return function

    return add


@dataclass(frozen=True)
class Written:
    """A program and what went into it."""

    text: str
    productions: collections.Counter[str]


class Composed(Program):
    def __init__(self, seed: int):
        super().__init__(seed)
        self.dims = [self.r.choice([2, 3, 3, 4, 5]) for _ in range(3)]
        self.dtype = self.r.choice(["float64"] * 11 + ["float32"])
        self.changes_arguments = self.r.chance(0.15)
        self.productions: collections.Counter[str] = collections.Counter()
        self.counts: list[str] = []
        self.used: set[str] = set()
        self.made_names = 0
        self.wrt: str | tuple[str, ...] = ""
        # Early returns: not taken while the rest is written; the header, and the one that would be taken.
        self.stops: list[tuple[Node, list[str]]] = []

    # The text

    def written(self) -> Written:
        header = HEADER.format(
            shift=self.r.choice(["0.7", "-0.2", "1"]), table="array([0.5, -1.0])",
            flag=self.r.choice([True, False]), mode=self.r.choice(["relu", "tanh", ""]),
        )  # fmt: skip
        helpers = [*self.r.sample(STAGED_HELPERS, self.r.integer(0, 3)), *self.r.sample(HELPERS, 1)]
        header += "".join(f"\n\n{helper.text}\n" for helper in helpers)
        exec(header, self.w.env)
        self.w.env["np"] = Defined()
        self._arguments()
        self.header = header
        made = "\n".join([f"r = np.random.default_rng({self.seed})", *self.arguments.made])
        self.sketch = Sketch(self.w.env, self.arguments.names, made)
        self.outer = dict(self.w.env)
        self._top_level()
        self._finish()
        return Written(self.module(), self.productions)

    def module(self) -> str:
        made = "\n".join(f"    {line}" for line in self._made())
        signature = ", ".join(self.arguments.names)
        body = self.sketch.body(final=True)
        head = f"{self.header}\n\nWRT = {self.wrt!r}\n\n\n"
        return f"{head}def f({signature}):\n{body}\n\n\ndef arguments():\n{made}\n"

    def _arguments(self) -> None:
        """One array at least; more arrays and a count are likelier than containers."""
        free = self.r.sample(PARAMETERS, len(PARAMETERS))
        scope: dict[str, Any] = {**self.w.env, "r": np.random.default_rng(self.seed)}
        for position in range(self.r.integer(1, 4)):
            name = free[position]
            kinds = [*KINDS, *[_small] * 4]
            self.arguments.names.append(name)
            self.arguments.made.append(self.r.choice(kinds)(self, name) if position else KINDS[0](self, name))
            exec(self.arguments.made[-1], scope)
            self.w.env[name] = scope[name]
        self.arguments.defaults.clear()

    # Statements

    def _top_level(self) -> None:
        wanted = [
            self.r.choice(FAMILIES[family]) for family in ("contexts", "masks", "views") if self.r.chance(0.2)
        ]
        if self.changes_arguments:
            wanted += FAMILIES["arguments"]
        count = self.r.integer(2, 6)
        for position in range(count + len(wanted)):
            place = self.sketch.mark()
            atoms = list(self.w.atoms)
            chosen = wanted.pop() if wanted and self.r.chance(0.5 if position < count else 1.0) else None
            if self.attempt(chosen) and not self.settled():
                self.sketch.back(place)
                self.w.atoms = atoms
                self.stops = [stop for stop in self.stops if self._holds(stop[0])]
                self.look()

    def _holds(self, wanted: Any) -> bool:
        waiting = list(self.sketch.root.lines)
        while waiting:
            line = waiting.pop()
            if line is wanted:
                return True
            waiting.extend(getattr(line, "lines", ()))
        return False

    def attempt(self, chosen: Statement | None = None) -> bool:
        """A random statement at the open place; False where nothing fitted."""
        for _ in range(4):
            place, atoms = self.sketch.mark(), list(self.w.atoms)
            production = chosen or self.r.weighted(PRODUCTIONS)
            try:
                production(self)
            except ERRORS:
                self.sketch.back(place)
                self.w.atoms = atoms
                continue
            self.productions[production.__name__.strip("_")] += 1
            return True
        self.look()
        return False

    def some(self, least: int, most: int) -> None:
        for _ in range(self.r.integer(least, most)):
            self.attempt()

    def settled(self) -> bool:
        """Whether the program up to here keeps the invariants."""
        before = [copied(value) for value in self.fresh_arguments()]
        args = self.fresh_arguments()
        try:
            oracle = Oracle(self.module(), float)
            with np.errstate(all="ignore"):
                oracle(args)
        except ERRORS:
            return False
        changed = any(not _same(a, b) for a, b in zip(before, args, strict=True))
        return oracle.trace.gap > SMALLEST_GAP and (self.changes_arguments or not changed)

    def fresh_arguments(self) -> list[Any]:
        scope = dict(self.outer)
        exec(self.sketch.made, scope)
        return [scope[name] for name in self.arguments.names]

    def run(self, text: str) -> None:
        """Writes a statement that runs.  Raises Reject."""
        self.sketch.open[-1].lines.append(text)
        try:
            self.look()
        except ERRORS as error:
            self.sketch.open[-1].lines.pop()
            raise Reject from error

    def look(self) -> None:
        """The values in scope at the open place."""
        values = self.sketch.scope_here()
        for name in [name for name in self.w.env if name not in self.outer]:
            del self.w.env[name]
        self.w.env.update(values)

    # Names and blocks

    def name(self, hint: str = "") -> str:
        """A name that nothing has yet."""
        taken = {*self.arguments.names, *self.w.env}
        free = [name for name in NAMES if name not in taken | self.used and name in self.free]
        if hint and hint not in taken | self.used:
            self.used.add(hint)
            return hint
        if free:
            name = self.r.choice(free)
            self.free.remove(name)
            return name
        self.made_names += 1
        return f"{hint or 'v'}{self.made_names}"

    def target(self) -> str:
        return self.name()

    @contextmanager
    def block(self, header: str, forced: str = "") -> Iterator[Node]:
        """A compound statement; what is bound in it is forgotten after it."""
        if self.sketch.depth >= DEEPEST:
            raise Reject
        atoms = list(self.w.atoms)
        with self.sketch.block(header, forced) as node:
            self.look()
            yield node
        self.w.atoms = atoms
        self.look()

    def add(self, *texts: str) -> None:
        """More texts that stand for floats, where they do."""
        for text in texts:
            try:
                self.w.accept(text)
            except ERRORS:
                continue
            self.w.atoms.append(text)

    def names_of(self, test: Callable[[Any], bool]) -> list[str]:
        """The plain names in scope whose values pass a test."""
        names = [name for name in self.w.atoms if name.isidentifier() and name in self.w.env]
        return [name for name in dict.fromkeys(names) if test(self.w.env[name])]

    def arrays(self, least: int = 1) -> list[str]:
        return self.names_of(lambda v: isinstance(v, np.ndarray) and rank(v) >= least and v.dtype.kind == "f")

    def owned(self, least: int = 1) -> list[str]:
        """Arrays that may be written into."""
        arguments = () if self.changes_arguments else {*self.arguments.names}
        return [name for name in self.arrays(least) if name not in arguments]

    # The end

    def _finish(self) -> None:
        for node, headers in self.stops:
            node.forced = ""
            node.header = self.r.choice(headers) if self.r.chance(0.3) else headers[0]
        place = self.sketch.mark()
        for _ in range(6):
            returned = self._returned()
            self.sketch.open[-1].lines += returned
            if self.settled() and self._moderate():
                return
            self.sketch.back(place)
            for node, headers in self.stops:
                node.header = headers[0]
            self.look()
        raise Reject

    def _value(self, changed: str = "") -> list[Any]:
        """The leaves of the result, with one argument a little larger."""
        args = self.fresh_arguments()
        if changed:
            place = self.arguments.names.index(changed)
            args[place] = mapped(lambda leaf: leaf * 1.00001, args[place])
        scope = dict(self.outer)
        exec(self.module(), scope)
        with np.errstate(all="ignore"):
            return list(leaves(scope["f"](*args)))

    def _moderate(self) -> bool:
        """Whether the result is of moderate size, and depends on arguments; `wrt` becomes some of those."""
        value = self._value()
        if not all(np.asarray(part).dtype.kind == "f" and np.all(np.abs(part) < 1e4) for part in value):
            return False
        floats = [name for name in self.arguments.names if has_floats(self.w.env.get(name))]
        matter = [name for name in floats if not _same(self._value(name), value)]
        if not matter and not self.r.chance(0.03):
            return False
        wrt = self.r.sample(matter if self.r.chance(0.8) else floats, self.r.integer(1, 3))
        wrt = wrt if set(wrt) & {*matter} or not matter else matter
        self.wrt = tuple(wrt) if len(wrt) > 1 or self.r.chance(0.3) else wrt[0]
        return True

    def _result(self) -> list[str]:
        given = () if self.changes_arguments else self.arguments.names
        recent = [name for name in self.w.atoms if name in self.w.env and name not in given]
        terms = []
        for name in list(dict.fromkeys(recent[::-1]))[: self.r.integer(2, 4)]:
            terms.append(self.total(name))
        terms = terms or [self._scalar()]
        if self.stops or self.r.chance(0.9):
            return [f"return {' + '.join(terms)}"]
        return super()._result()

    def total(self, text: str) -> str:
        """A scalar of a value, whatever it is."""
        value = self.w.value(text)
        if not rank(value):
            return self.r.choice([text, text, f"{text} ** 2", f"np.sin({text})"])
        form = self.r.choice(
            ["np.sum({0})", "{0}.sum()", "np.mean({0} ** 2)", "np.sum(np.sin({0}))", "np.sum({0} * {0})"]
        )
        return form.format(text)


def _same(a: Any, b: Any) -> bool:
    return all(np.array_equal(x, y, equal_nan=True) for x, y in zip(leaves(a), leaves(b), strict=True))


def _small(p: Program, name: str) -> str:
    """A count, for the lengths of loops."""
    p.counts.append(name)  # type: ignore[attr-defined]
    return f"{name} = {p.r.integer(2, 4)}"


def generate(seed: int) -> Written:
    """The program of this seed: where a first attempt does not come out, the next one."""
    for attempt in range(20):
        try:
            return Composed(seed * 20 + attempt).written()
        except ERRORS:
            continue
    raise Reject
