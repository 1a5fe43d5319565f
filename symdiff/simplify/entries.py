"""Arrays that are made of all their entries.

Enters: a derived program.  Leaves: an equal one in which numbers that are added to every entry of a short
vector, one after the other, are one array: `np.array([x_bar, y_bar, z_bar])`.  Invariant: nothing reads the
vector in between, and every entry is named once.
"""

from __future__ import annotations

from collections import Counter

from symdiff.ir.node import Function, Node
from symdiff.ops.arithmetic import add
from symdiff.ops.creation import array
from symdiff.ops.folds.common import same_type
from symdiff.ops.indexing import add_at, scatter
from symdiff.simplify.rebuild import replaced
from symdiff.simplify.scopes import Scopes

_LONGEST = 8


def with_entries_at_once(function: Function) -> Function:
    """See the module's own text."""
    found = {node: chain for node in function.nodes() if (chain := _chain(function, node))}
    if not found:
        return function
    scopes, instead = Scopes(function), dict[Node, Node]()
    uses: Counter[Node] = Counter(arg for node in function.nodes() for arg in node.args)
    uses.update(result for node in function.nodes() for region in node.regions for result in region.results)
    for node, chain in found.items():
        home = scopes.home.get(node)
        if home is None or any(uses[one] != 1 or scopes.home[one] is not home for one in chain[1:]):
            continue
        with scopes.builder(home) as builder:
            builder.span = node.span
            new = _written(chain)
            if same_type(new.type, node.type) and scopes.fits(new, node):
                instead[node] = new
    return replaced(function, instead) if instead else function


def _chain(function: Function, last: Node) -> list[Node]:
    """The sums into the entries of a vector up to one, the last first, if there is one for each."""
    dims = function.sizes.resolve(last.type.dims)
    if not dims or len(dims) != 1 or not isinstance(dims[0], int) or dims[0] > _LONGEST:
        return []
    length, places, chain = dims[0], set[int](), list[Node]()
    while len(chain) < length:
        if last.primal or last.op not in (add_at, scatter):
            return []
        spec, value = last.attr("index"), last.args[1 if last.op is add_at else 0]
        if len(spec) != 1 or spec[0][0] != "int" or value.type.dims != () or not value.type.dtype:
            return []
        places.add(spec[0][1] % length)
        chain.append(last)
        if last.op is scatter:
            break
        last = last.args[0]
    return chain if len(places) == len(chain) == length else []


def _written(chain: list[Node]) -> Node:
    """The array of the entries, added to what was there before."""
    length = len(chain)
    values = {node.attr("index")[0][1] % length: node.args[1 if node.op is add_at else 0] for node in chain}
    made = array(*(values[k] for k in range(length)), shape=(length,))
    first = chain[-1]
    return made if first.op is scatter else add(first.args[0], made)
