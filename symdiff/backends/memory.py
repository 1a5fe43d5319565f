"""Which values share memory, and where writing in place is safe.

Enters: a `Schedule` and its `Lifetimes`. Leaves: a `Memory`: the writes that copy first, the loops that copy
what they are given, the views that are copied where they are made, the pushes that copy their item, and the
dead arrays that are overwritten.

THE INVARIANT: when the generated code writes into an array or a list, this function has made that array or
list, and nothing that is still read shares memory with it, other than what the write makes.

*Sites* stand for memory: everything that makes an array or a list is one, a pair (who made it, 0). Inside of
a loop the site is what this iteration made; what an earlier one made, wherever it was kept, is the site (who,
1): other memory. Arguments, and all that was made before an inner function that may be called again, are
nobody's to write into. By cell, an `Alias` holds the sites that it may be (`own`) and that can be reached
through it (`inner`: the items of a list), always too many rather than too few:

- a view has the sites of what it views, and is not written into itself (`whole` is false);
- a write that happens in place has the sites of what it writes into, one that copies first a site of its own;
- what a loop carries has those of its initial and of its next value, found by going through the loop until
  nothing changes; the result of an `if` those of both branches;
- an array that a loop carries *alone* has one site: its memory is our own, nobody else can reach it, and each
  of these is handed on to the next iteration once, if need be in another's place (`now, after = after, now`);
- an item that is read from a list, or popped, may be anything that was pushed.

`conflict` tests the invariant at one write, for the last time when all sites are known; each conflict is
settled by the copy that costs least, and if nothing else helps, by copying what is written into, which always
does.
"""

from __future__ import annotations

from bisect import bisect_right

from symdiff.backends.carried import Carried
from symdiff.backends.choice import FRESH, LOOPS, WRITES
from symdiff.backends.fitting import fits, is_computed, is_writable, reads_well
from symdiff.backends.lifetimes import Lifetimes, alive
from symdiff.backends.schedule import Block, Cell, Schedule, Statement
from symdiff.backends.sites import NO_SITES, NOTHING, Alias, Made, Site, shares
from symdiff.ir.calls import CALL_VJP, CALLS
from symdiff.ir.control import IF, carried_of
from symdiff.ir.node import Node
from symdiff.ops.control import is_permuted, is_view, store

_AUGMENTED = {"add", "subtract", "multiply", "divide"}
# What makes an array whose items lie in C's order, and that is one even if it has no axes.
_PLAIN = {"zeros", "ones", "empty", "full", "array", "scatter"}
_RESTARTS = 200
# What makes a list of views of an array, or of the items of lists.
ITEMS = {
    "unstacked", "split_like", "sum_of_stacks", "repeated", "listed", "chained", "first_of", "rest_of"
}  # fmt: skip


class _Again(Exception):
    """A copy was decided on that stands before the write in question: go on from there."""

    def __init__(self, position: int):
        self.position = position


class Memory:
    """copies: writes that copy first.  entries: initial values (loop, index) that are copied.  views: values
    that are copied where they are made.  pushes: statements that push a copy.  reuses: by statement the dead
    value whose array it overwrites."""

    def __init__(self, schedule: Schedule, lifetimes: Lifetimes):
        self.schedule = schedule
        self.sizes = schedule.function.sizes
        self.lifetimes = lifetimes
        self.copies: set[Statement] = set()
        self.entries: set[tuple[Statement, int]] = set()
        self.views: set[Node] = set()
        self.pushes: set[Statement] = set()
        self.reuses: dict[Statement, Node] = {}
        self.numbers: dict[Statement, Node] = {}
        self.alias: dict[Cell, Alias] = {}
        self._made: dict[tuple[object, int], Made] = {}
        self.sharing: dict[Site, dict[Cell, None]] = {}  # by site, the cells that may be it
        self._dropped: list[tuple[int, Site, Cell]] = []  # what was dead at a point, in order
        self.places: dict[object, int] = {}  # by maker of a site, the position
        self._numbers: dict[object, int] = {}  # by maker of a site, an order that is always the same
        self.entered: dict[tuple[Statement, int], Alias] = {}
        self._carried = Carried(self)
        self._pushed: dict[Site, dict[Statement, None]] = {}
        self.since = 0  # what was made before is not this function's own
        self._restarts = 0
        self._function()

    def _function(self) -> None:
        top = self.schedule.top
        self._arguments(top)
        starts = [statement.position for statement in top.statements]
        place = 0
        while place < len(starts):
            try:
                while place < len(starts):
                    self._visit(top.statements[place])
                    place += 1
            except _Again as again:
                self._restarts += 1
                self.since = 0
                self._carried = Carried(self)
                place = max(bisect_right(starts, again.position) - 1, 0)
                while self._dropped and self._dropped[-1][0] > 4 * again.position:
                    _, site, cell = self._dropped.pop()
                    self.sharing.setdefault(site, {})[cell] = None

    def _arguments(self, block: Block) -> None:
        for param in block.region.params:
            self.places[param] = -1
            self._numbers.setdefault(param, len(self._numbers))
            site = (param, 0)
            nested = frozenset([site]) if param.type.kind in ("stack", "tuple") else NO_SITES
            self.hold(self.schedule.cells[param], Alias(frozenset([site]), nested, False))

    def hold(self, cell: Cell | None, alias: Alias) -> None:
        if cell is not None:
            self.alias[cell] = alias
            self._share(cell, alias)

    def _share(self, cell: Cell, alias: Alias) -> None:
        for site in alias.own | alias.inner:
            self.sharing.setdefault(site, {})[cell] = None

    def of(self, node: Node, where: object, k: int, position: int) -> Alias:
        """The alias of an expression that is evaluated at a place: by the statement or block `where`."""
        node = self.schedule.resolved(node)
        cell = self.schedule.cells.get(node)
        if cell is not None:
            return self.alias.get(cell, NOTHING)
        return self._expression(node, where, k, position)

    def _expression(self, node: Node, where: object, k: int, position: int) -> Alias:
        """The alias of what an operation makes, of the operation itself."""
        if node.type.kind in ("number", "shape", "undefined") or node.is_const:
            return NOTHING
        if shares(node):
            viewed = self.of(node.args[0], where, k, position)
            own = viewed.inner if node.op.name == "stack_item" else viewed.own
            return Alias(own, viewed.inner, False)
        if node.op.name in ITEMS:  # a list of its own, of what is there already
            parts = [self.of(arg, where, k, position) for arg in node.args]
            inner = NO_SITES.union(*(part.own | part.inner for part in parts))
            return Alias(self.fresh(where, k, position).own, inner)
        return self.fresh(where, k, position, node.op.name in _PLAIN)

    def fresh(self, where: object, k: int, position: int, plain: bool = True) -> Alias:
        made = self._made.setdefault((where, k), Made(where))
        made.plain = plain
        self.places[made] = position
        self._numbers.setdefault(made, len(self._numbers))
        return Alias(frozenset([(made, 0)]))

    def _visit(self, statement: Statement) -> None:
        node = statement.node
        cells = self.schedule.cells
        if node.op in LOOPS:
            self._carried.loop(statement)
        elif node.op is IF:
            for block in statement.blocks:
                self.block(block)
            for k, cell in enumerate(statement.cells):
                if cell is not None:
                    parts = [self.of(b.region.results[k], b, k, b.end) for b in statement.blocks]
                    self.hold(cell, parts[0] | parts[1])
        elif node.regions:
            before, self.since = self.since, statement.position
            self._arguments(statement.blocks[0])
            self.block(statement.blocks[0])
            self.since = before
        elif node.op.name in WRITES:
            self._write(statement)
        elif node.op.name in CALLS or node.type.kind == "tuple":
            self._call(statement)
        elif node in cells and node.op is not store:
            self._plain(statement)

    def block(self, block: Block) -> None:
        for statement in block.statements:
            self._visit(statement)

    def _call(self, statement: Statement) -> None:
        """Results are arrays of their own, of which no one else knows, except where there is a pullback: that
        may read them and the operands as long as it lives."""
        node, position = statement.node, statement.position
        several = node.type.kind == "tuple"
        kinds = node.type.items if several else (node.type,)
        cells = statement.cells if several else [self.schedule.cells[node]]
        keeps = node.op is CALL_VJP
        made = [self.fresh(statement, k, position, False) for k in range(len(kinds))]
        scalars = [self.of(arg, statement, 0, position).own for arg in node.args if arg.type.dims == ()]
        for k, (cell, type) in enumerate(zip(cells, kinds, strict=True)):
            if type.kind == "pullback":
                read = [self.of(arg, statement, k, position) for arg in node.args]
                inner = NO_SITES.union(*(one.own | one.inner for one in (*read, *made[:k])))
                self.hold(cell, Alias(made[k].own, inner, False))
            elif type.kind == "array":
                own = made[k].own.union(*scalars if type.dims == () else ())
                self.hold(cell, Alias(own, NO_SITES, not keeps and type.dims != ()))
            else:
                self.hold(cell, NOTHING)

    def _plain(self, statement: Statement) -> None:
        node, cell = statement.node, self.schedule.cells[statement.node]
        self.reuses.pop(statement, None)
        if node.op.name in _AUGMENTED:
            for candidate in node.args if node.op.commutative else node.args[:1]:
                if self._is_reusable(statement, candidate) and reads_well(candidate, node):
                    self.reuses[statement] = candidate
                    self.hold(cell, self.of(candidate, statement, 0, 0))
                    return
        if self._is_needless_copy(statement):
            self.reuses[statement] = node.args[0]
            self.hold(cell, self.of(node.args[0], statement, 0, 0))
        elif node in self.views:
            self.hold(cell, self.fresh(statement, 0, statement.position))
        elif self._takes_place(statement):
            old = self.of(self.numbers[statement], statement, 0, 0)
            self.hold(cell, old | self._expression(node, statement, 0, statement.position))
        else:
            self.hold(cell, self._expression(node, statement, 0, statement.position))

    def _write(self, statement: Statement) -> None:
        """An operation that writes into its first operand, or into a copy of it."""
        node, cells = statement.node, self.schedule.cells
        base = self.of(node.args[0], statement, 0, statement.position)
        if node.op.name == "pop" and statement.cells[0] is None:  # only read
            self.hold(statement.cells[1], Alias(base.inner, base.inner, False))
            return
        if node.op.name == "add_at":
            copies = not self._is_reusable(statement, node.args[0])
            if copies and statement.block.depth:  # better before the loop than in it
                self._is_settled_by_copying(statement, base)
        else:
            copies = statement in self.copies or not is_writable(statement.node, base)
            copies = copies or self._is_settled_by_copying(statement, base)
        (self.copies.add if copies else self.copies.discard)(statement)
        whole = self.fresh(statement, 1, statement.position) if copies else base
        if node.op.name in ("push", "set_item"):
            item = self.of(node.args[1], statement, 2, statement.position)
            if statement in self.pushes:
                item = self.fresh(statement, 2, statement.position)
            for site in item.own:
                self._pushed.setdefault(site, {})[statement] = None
            inner = base.inner | item.own | item.inner
            self.hold(cells[node], Alias(whole.own, inner, whole.whole))
        elif node.op.name == "pop":
            rest, last = statement.cells
            self.hold(rest, Alias(whole.own, base.inner, whole.whole))
            self.hold(last, Alias(base.inner, base.inner, False))
        elif node.op.name == "add_to_item":
            sum_ = self.fresh(statement, 2, statement.position)
            self.hold(cells[node], Alias(whole.own, base.inner | sum_.own, whole.whole))
        else:
            self.hold(cells[node], whole)

    def _is_settled_by_copying(self, statement: Statement, base: Alias) -> bool:
        """Whether this write has to copy first; a copy elsewhere that makes it needless is decided on
        here."""
        found = self._conflict(statement, base)
        if found is None:
            return False
        bad, reader = found
        if self._restarts > _RESTARTS or (not base.whole and not bad):
            return True
        if (
            reader is not None
            and reader.kind == "value"
            and is_view(reader.node)
            and reader.node not in self.views
        ):
            assert reader.statement is not None
            self.views.add(reader.node)
            raise _Again(reader.statement.position)
        entry = self._entry(statement, bad)
        if entry is not None:
            self.entries.add(entry)
            raise _Again(entry[0].position)
        if reader is not None and reader.node.type.kind == "stack" and statement.node.type.kind == "array":
            pushes = [one for site in bad for one in self._pushed.get(site, ()) if one not in self.pushes]
            if pushes:
                self.pushes.update(pushes)
                raise _Again(min(one.position for one in pushes))
        return True

    def _conflict(self, statement: Statement, base: Alias) -> tuple[set[Site], Cell | None] | None:
        """The sites that may not be written into, and who reads them later, None if they are not our own;
        None if all is well."""
        foreign = {site for site in base.own if self.places[site[0]] <= self.since}
        if foreign:
            return foreign, None
        if not base.whole:
            return set(), None
        point = 4 * statement.position + 3
        made = {self.schedule.cells.get(statement.node), *statement.cells}
        for site in sorted(base.own, key=lambda site: (self._numbers[site[0]], site[1])):
            sharing = self.sharing.get(site, {})
            for cell in list(sharing):
                if self.lifetimes.last(cell) < point and not self.since:
                    del sharing[cell]
                    self._dropped.append((point, site, cell))
                elif cell not in made and alive(self.lifetimes.memory[cell], point):
                    alias = self.alias[cell]
                    common = base.own & (alias.own | alias.inner)
                    if common:
                        return set(common), cell
        return None

    def _entry(self, statement: Statement, bad: set[Site]) -> tuple[Statement, int] | None:
        """The outermost loop around a write whose initial value is the memory in question."""
        found: tuple[Statement, int] | None = None
        pending, seen = [statement.node.args[0]], set()
        while pending:
            cell = self.schedule.cell(pending.pop())
            if cell is None or cell in seen:
                continue
            seen.add(cell)
            owner = cell.statement
            if owner is None or not self.alias.get(cell, NOTHING).own & bad:
                continue
            if cell.kind == "carried":
                if not owner.head < statement.position < owner.end:
                    continue
                key = (owner, cell.index)
                if key not in self.entries and self.entered[key].own & bad:
                    if found is None or owner.position < found[0].position:
                        found = key
                    pending.append(carried_of(owner.node)[cell.index])
                pending.append(owner.node.regions[-1].results[cell.index])
            elif cell.kind == "branch":
                pending += [region.results[cell.index] for region in owner.node.regions]
            elif owner.node.op.name in WRITES and owner not in self.copies:
                pending.append(owner.node.args[0])
            elif owner in self.reuses:
                pending.append(self.reuses[owner])
        return found

    def _is_reusable(self, statement: Statement, candidate: Node) -> bool:
        """Whether the result may overwrite the array of an operand."""
        cell = self.schedule.cell(candidate)
        if cell is None:
            made = candidate.op.name in FRESH or is_computed(self.sizes, candidate, statement.node)
            return made and statement.node.op.name == "add_at"
        alias = self.alias.get(cell, NOTHING)
        if not alias.own or not fits(self.sizes, candidate, statement.node):
            return False
        if self._conflict(statement, alias) is not None:
            return False
        read = [self.alias.get(one, NOTHING) for one, _ in self.schedule.leaves(statement.node.args)]
        return sum(bool(alias.own & (one.own | one.inner)) for one in read) == 1

    def _is_needless_copy(self, statement: Statement) -> bool:
        """Whether what the derivative copies is an array of our own, in C's order, that is not read again."""
        node = statement.node
        if node.op.name != "copy" or node.primal or node.attr("order", "C") != "C":
            return False
        return self._is_reusable(statement, node.args[0]) and not is_permuted(node.args[0])

    def _takes_place(self, statement: Statement) -> bool:
        """Whether a number may be augmented: also if it is an array without axes."""
        node = statement.node
        self.numbers.pop(statement, None)
        if node.op.name not in _AUGMENTED or node.type.dims != ():
            return False
        for candidate in node.args if node.op.commutative else node.args[:1]:
            cell = self.schedule.cell(candidate)
            if cell is None or candidate.type.dims != () or self.lifetimes_cover(cell, statement):
                continue
            if self._conflict(statement, self.alias.get(cell, NOTHING)) is None:
                self.numbers[statement] = candidate
                return True
        return False

    def lifetimes_cover(self, cell: Cell, statement: Statement) -> bool:
        """Whether a cell is still read after a statement."""
        return alive(self.lifetimes.names[cell], 4 * statement.position + 3)
