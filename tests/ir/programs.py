"""Small programs that the tests of the IR share, and when two programs are equal."""

from hypothesis import strategies as st

from symdiff.errors import Span, SymdiffError
from symdiff.ir import control, types
from symdiff.ir.build import Builder
from symdiff.ir.node import LEAF, Parameter, Tree
from symdiff.ir.types import Size
from symdiff.ops.row import REGISTRY

N = Size("n0")
VECTOR = types.array("float64", (N,))
SCALAR = types.array("float64", ())


def param(builder, name, type):
    return builder.param(type, name, parameter=name, path=())


def line():
    """mean of an error: two params, a user's name, derived code."""
    builder = Builder()
    with builder:
        x, w = param(builder, "x", VECTOR), param(builder, "w", SCALAR)
        builder.span = Span("model.py", 3, 4, 3, 21, "    error = w * x - 1.0")
        error = builder.named(w * x - 1.0, "error")
        builder.primal = False
        total = REGISTRY["sum"](error, axis=0)
        tree = Tree("dict", (LEAF, LEAF), keys=("error", "total"))
        parameters = (Parameter("x"), Parameter("w", "keyword_only", "1.0"))
        return builder.finish("line", (x, w), (error, total), tree, parameters, "An error.")


def branch():
    builder = Builder()
    with builder:
        x, w = param(builder, "x", VECTOR), param(builder, "w", SCALAR)
        with builder.region() as then:
            then.results = (x * w, w)
        with builder.region() as otherwise:
            otherwise.results = (x, REGISTRY["exp"](w))
        values = control.branch(REGISTRY["greater"](w, 0), then, otherwise)
        return builder.finish("branch", (x, w), values, Tree("tuple", (LEAF, LEAF)))


def loop():
    """A loop over elements in a loop over a range, values pushed on a stack, and a loop that pops them."""
    builder = Builder()
    with builder:
        x, w = param(builder, "x", VECTOR), param(builder, "w", SCALAR)
        with builder.region(types.number("int"), SCALAR, types.stack_of(SCALAR)) as outer:
            k, total, saved = outer.params
            with builder.region(types.number("int"), SCALAR) as inner:
                i, carried = inner.params
                inner.results = (carried + REGISTRY["index"](x, i, index=(("arg", 0),)) * w * k,)
            (swept,) = control.count(0, REGISTRY["length"](x, axis=0), 1, (total,), inner)
            outer.results = (swept, REGISTRY["push"](saved, REGISTRY["sin"](total)))
        final, kept = control.count(0, 10, 1, (w, REGISTRY["new_stack"]()), outer)
        with builder.region(types.stack_of(SCALAR), SCALAR) as condition:
            condition.results = (REGISTRY["greater"](REGISTRY["stack_length"](condition.params[0]), 0),)
        with builder.region(types.stack_of(SCALAR), SCALAR) as body:
            both = REGISTRY["pop"](body.params[0])
            left, last = control.ITEM(both, index=0), control.ITEM(both, index=1)
            body.results = (left, body.params[1] + last, REGISTRY["greater"](last, 3.0))
        _, result = control.repeat((kept, final), condition, body, breaks=True)
        return builder.finish("loop", (x, w), (result,), LEAF)


def block():
    """A stretch that is computed again, and a loop backwards with a variable that it sets."""
    builder = Builder()
    with builder:
        x, w = param(builder, "x", VECTOR), param(builder, "w", SCALAR)
        with builder.region() as inner:
            inner.results = (REGISTRY["exp"](x), REGISTRY["sin"](w))
        first, second = control.block(inner)
        with builder.region(types.number("int"), VECTOR, SCALAR) as body:
            i, total, _ = body.params
            element = REGISTRY["index"](x, i, index=(("arg", 0),))
            body.results = (total + first * element, element, REGISTRY["greater"](element, 3.0))
        total, last = control.count(
            0, REGISTRY["length"](x, axis=0), 1, (0, control.UNDEFINED()), body, reverse=True, breaks=True
        )
        return builder.finish("block", (x, w), (total, last * second), Tree("tuple", (LEAF, LEAF)))


PROGRAMS = {made.__name__: made for made in (line, branch, loop, block)}


def equal(a, b, sizes_a, sizes_b, paired=None):
    """Whether two regions are the same program: operations, operands, types, names, places."""
    paired = {} if paired is None else paired
    if len(a.params) != len(b.params) or len(a.body) != len(b.body) or len(a.results) != len(b.results):
        return False
    for x, y in zip(a.params + a.body, b.params + b.body, strict=True):
        facts = [
            (n.op.name, repr(n.attrs), resolved(n.type, s), n.name, n.primal, n.span, len(n.regions))
            for n, s in ((x, sizes_a), (y, sizes_b))
        ]
        if facts[0] != facts[1] or [paired[id(arg)] for arg in x.args] != [id(arg) for arg in y.args]:
            return False
        if not all(equal(p, q, sizes_a, sizes_b, paired) for p, q in zip(x.regions, y.regions, strict=True)):
            return False
        paired[id(x)] = id(y)
    return [paired[id(r)] for r in a.results] == [id(r) for r in b.results]


def resolved(type, sizes):
    items = tuple(resolved(item, sizes) for item in type.items)
    return types.Type(type.kind, type.dtype, sizes.resolve(type.dims), items)


BINARY = ("add", "subtract", "multiply", "divide", "power", "greater")
UNARY = ("exp", "sin", "negative", "sum", "shape")
NAMES = st.sampled_from(["", "x", "x", "größe", "_1", "lambda", "a b", "it's", '"', "}", "%0", "{{", "\n"])
TEXTS = st.one_of(
    st.text(max_size=12), st.sampled_from(["') : x[]", '"', "} {", "a\nb", "@0 'x'", "\\'", "="])
)
LITERALS = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.complex_numbers(),
        TEXTS,
        st.binary(max_size=4),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(TEXTS, inner, max_size=2),
    ),
    max_leaves=4,
)
SPANS = st.builds(Span, TEXTS, st.integers(1, 9), st.integers(0, 9), st.just(3), st.just(9), TEXTS)
TREES = st.recursive(
    st.one_of(st.just(LEAF), st.builds(lambda value: Tree("static", value=value), LITERALS)),
    lambda inner: st.lists(inner, max_size=3).flatmap(
        lambda children: st.sampled_from(
            [
                Tree("tuple", tuple(children)),
                Tree("dict", tuple(children), keys=tuple(f"k {i}'\"" for i in range(len(children)))),
                Tree("object", tuple(children), keys=("a", "b"), like=("x", (("attr", "y"), ("item", 0)))),
            ]
        )
    ),
    max_leaves=5,
)


@st.composite
def programs(draw):
    """Any function the builder makes, with names and places that users would not choose."""
    builder = Builder()
    with builder:
        dims = [(N,), (N, 1), (), None, (Size("n1", 1), 3)]
        leaves = [
            builder.param(types.array(draw(st.sampled_from(["float64", "float32", ""])), d), draw(NAMES),
                          parameter=draw(TEXTS), path=(("item", draw(TEXTS)), ("attr", str(k))))
            for k, d in enumerate(draw(st.lists(st.sampled_from(dims), min_size=1, max_size=3)))
        ]  # fmt: skip
        _fill(draw, builder, list(leaves), draw(st.integers(0, 2)))
        pool = [*leaves, *builder._scopes[0].body]
        tree = draw(TREES)
        results = [draw(st.sampled_from(pool)) for _ in range(tree.leaves())]
        info = draw(st.dictionaries(st.sampled_from(["a", "wrt"]), LITERALS, max_size=2))
        parameters = draw(
            st.lists(
                st.builds(
                    Parameter, NAMES.filter(bool), st.sampled_from(["positional", "*", "var_keyword"]),
                    st.one_of(st.none(), TEXTS),
                ),
                max_size=3,
            )
        )  # fmt: skip
        name = draw(st.sampled_from(["f", "<lambda>", "größe"]))
        return builder.finish(name, leaves, results, tree, parameters, draw(TEXTS), **info)


def _fill(draw, builder, pool, depth):
    """Emit some nodes into the open scope; what the types refuse is left out."""
    for _ in range(draw(st.integers(0, 6))):
        builder.span = draw(st.one_of(st.none(), SPANS))
        builder.primal = draw(st.booleans())
        kind = draw(st.sampled_from(["binary", "unary", "const", "if", "for"][: 5 if depth else 3]))
        # Operations on a number of unknown type (joined from two branches) have no inference yet.
        plain = [
            node
            for node in pool
            if node.type.kind == "array" or (node.type.kind == "number" and node.type.dtype)
        ]
        one, other = draw(st.sampled_from(plain)), draw(st.sampled_from(plain))
        try:
            if kind == "binary":
                made = [REGISTRY[draw(st.sampled_from(BINARY))](one, other)]
            elif kind == "unary":
                made = [REGISTRY[draw(st.sampled_from(UNARY))](one)]
            elif kind == "const":
                made = [builder.const(draw(st.sampled_from([0.0, -0.0, float("nan"), 1e300, 3, True, 2j])))]
            elif kind == "if":
                made = _branch(draw, builder, pool, depth, one)
            else:
                made = _loop(draw, builder, pool, depth)
        except SymdiffError:
            continue
        for node in made:
            builder.named(node, draw(NAMES))
        pool += made


def _branch(draw, builder, pool, depth, condition):
    opened = []
    for _ in range(2):
        with builder.region() as region:
            inner = list(pool)
            _fill(draw, builder, inner, depth - 1)
            region.results = inner[-1:]
        opened.append(region)
    return control.branch(REGISTRY["sum"](condition), *opened)


def _loop(draw, builder, pool, depth):
    with builder.region(types.number("int"), types.UNKNOWN) as body:
        inner = [*pool, *body.params]
        _fill(draw, builder, inner, depth - 1)
        body.results = (body.params[1] * 2, inner[-1])
    return control.count(0, 4, 1, (pool[0],), body)
