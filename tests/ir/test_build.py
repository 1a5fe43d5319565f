"""The builder: one value, one node; only derived code is folded; regions own what is built in them."""

import pytest
from ir.programs import SCALAR, VECTOR, N, line, param

from symdiff.errors import IRError, ShapeError, Span
from symdiff.ir import control, types
from symdiff.ir.build import Builder, current
from symdiff.ir.control import captures
from symdiff.ir.node import LEAF, Tree
from symdiff.ir.text import from_text, to_text
from symdiff.ir.types import Size
from symdiff.ir.verify import verify
from symdiff.ops import folds  # noqa: F401 - registers the folds
from symdiff.ops.row import REGISTRY

GREATER, EXP, SUM, NEGATIVE = (REGISTRY[name] for name in ("greater", "exp", "sum", "negative"))


@pytest.fixture
def builder():
    with Builder() as made:
        yield made


def body(builder):
    """The nodes in the open scope."""
    return builder.finish("f", (), (), Tree("tuple")).body.body


def test_equal_operations_are_one_node(builder):
    x, y = param(builder, "x", VECTOR), param(builder, "y", VECTOR)
    assert x + y is x + y
    assert x + y is y + x
    assert x - y is not y - x
    assert SUM(x, axis=0) is SUM(x, axis=0)
    assert SUM(x, axis=0) is not SUM(x, axis=-1)
    assert len(body(builder)) == 5


def test_constants_are_numbered_by_value_and_type(builder):
    values = [1, 1.0, True, 1 + 0j, 0.0, -0.0, float("nan")]
    nodes = [builder.const(value) for value in values]
    assert len(set(map(id, nodes))) == len(values)
    assert builder.const(float("nan")) is nodes[-1]
    assert [node.type.dtype for node in nodes[:4]] == ["int", "float", "bool", "complex"]


def test_parameters_are_never_merged(builder):
    assert param(builder, "x", VECTOR) is not param(builder, "x", VECTOR)


def test_the_users_code_is_not_folded(builder):
    x = param(builder, "x", VECTOR)
    assert (x * 1).op.name == "multiply"
    assert NEGATIVE(NEGATIVE(x)).op.name == "negative"
    assert (builder.const(2) * builder.const(3)).op.name == "multiply"


def test_derived_code_is_folded(builder):
    x = param(builder, "x", VECTOR)
    builder.primal = False
    assert x * 1 is x
    assert NEGATIVE(NEGATIVE(x)) is x
    assert (builder.const(2) * builder.const(3)).value == 6
    assert not EXP(x).primal


def test_derived_code_reuses_the_users_values(builder):
    x = param(builder, "x", VECTOR)
    y = EXP(x)
    builder.primal = False
    assert EXP(x) is y
    assert y.primal


def test_types_and_places_are_recorded(builder):
    builder.span = Span("f.py", 7)
    y = EXP(param(builder, "x", VECTOR))
    assert y.type == VECTOR
    assert y.span == Span("f.py", 7)


def test_the_first_name_stays(builder):
    x = param(builder, "x", VECTOR)
    y = builder.named(EXP(x), "y")
    builder.named(y, "z")
    assert y.name == "y"
    assert builder.named(builder.const(1), "one").name == ""
    builder.primal = False
    builder.named(SUM(x), "derived")
    assert SUM(x).name == ""


def test_shapes_that_do_not_match_are_found_while_building(builder):
    with pytest.raises(ShapeError):
        param(builder, "x", types.array("float64", (2,))) + param(builder, "y", types.array("float64", (3,)))


def test_the_current_builder_is_the_innermost():
    with Builder() as outer:
        with Builder() as inner:
            assert current() is inner
        assert current() is outer


def test_a_continued_function_keeps_its_nodes():
    function = line()
    again = function.open()
    with again:
        assert function.params[1] * function.params[0] is function.body.body[0]
        more = EXP(function.params[0])
    made = again.finish("more", function.params, (*function.results, more), Tree("tuple", (LEAF,) * 3))
    assert made.body.body == (*function.body.body, more)
    assert not more.primal


def test_a_region_owns_what_is_built_in_it(builder):
    x = param(builder, "x", VECTOR)
    outside = EXP(x)
    with builder.region(SCALAR) as opened:
        inside = opened.params[0] * outside
        assert EXP(x) is outside  # outer values are used directly
        opened.results = (inside,)
    region = opened.closed()
    assert region.body == (inside,)
    assert region.results == (inside,)
    assert captures(region) == (outside,)
    assert inside not in body(builder)


def test_what_a_region_computed_is_not_reused_outside(builder):
    x = param(builder, "x", VECTOR)
    with builder.region() as opened:
        inside = EXP(x)
    assert EXP(x) is not inside
    assert opened.closed().body == (inside,)


def test_a_region_that_failed_is_closed(builder):
    with pytest.raises(RuntimeError), builder.region():
        raise RuntimeError
    x = EXP(param(builder, "x", VECTOR))
    assert body(builder) == (x,)


def test_sizes_that_a_branch_demands_are_not_demanded_outside(builder):
    x, y = param(builder, "x", VECTOR), param(builder, "y", types.array("float64", (Size("n1"),)))
    with builder.region() as then:
        then.results = (x + y,)
        assert builder.sizes.same(N, Size("n1"))
    with builder.region() as otherwise:
        otherwise.results = (x,)
    assert not builder.sizes.same(N, Size("n1"))
    (result,) = control.branch(GREATER(SUM(x), 0), then, otherwise)
    assert result.type.dtype == "float64"
    assert result.type.rank == 1
    verify(builder.finish("f", (x, y), (result,), LEAF), REGISTRY)


def test_a_branch_joins_its_results(builder):
    x = param(builder, "x", VECTOR)
    with builder.region() as then:
        then.results = (x, x, builder.const(1.0))
    with builder.region() as otherwise:
        otherwise.results = (EXP(x), SUM(x), builder.const(2))
    same, rank, number = control.branch(GREATER(SUM(x), 0), then, otherwise)
    assert same.type == VECTOR
    assert rank.type == types.array("float64")
    assert number.type == types.number("")


def test_a_loop_whose_carried_value_keeps_its_type(builder):
    x, w = param(builder, "x", VECTOR), param(builder, "w", SCALAR)
    with builder.region(SCALAR, SCALAR) as opened:
        element, total = opened.params
        opened.results = (total + element, element * total)
    total, saved = control.iterate(x, (w,), opened)
    assert total.type == SCALAR
    assert saved.type == types.stack_of(SCALAR)
    verify(builder.finish("f", (x, w), (total,), LEAF), REGISTRY)


def grow(builder, x, length):
    """A loop that makes its carried vector longer."""
    with builder.region(types.number("int"), types.array("float64", (length,))) as opened:
        _, carried = opened.params
        longer = builder.param(types.array("float64", (builder.sizes.fresh(),)))
        opened.results = (longer, carried)
    return control.count(0, 3, 1, (x,), opened)


def test_a_length_that_changes_has_a_symbol_of_its_own(builder):
    x = param(builder, "x", VECTOR)
    own = builder.sizes.fresh()
    final, saved = grow(builder, x, own)
    (length,) = final.type.dims
    (each,) = saved.type.items[0].dims
    assert len({length, each, own, N}) == 4


def test_a_length_that_changes_cannot_be_a_symbol_of_the_outside(builder):
    x = param(builder, "x", VECTOR)
    with pytest.raises(
        IRError, match=r"The next value of `for` is float64\[\?0\], its parameter float64\[n0\]"
    ):
        grow(builder, x, N)


def test_a_while_loop(builder):
    x, w = param(builder, "x", VECTOR), param(builder, "w", SCALAR)
    with builder.region(VECTOR, SCALAR) as condition:
        condition.results = (GREATER(condition.params[1], 0),)
    with builder.region(VECTOR, SCALAR) as loop:
        loop.results = (loop.params[0] * w, loop.params[1] - 1.0)
    first, second = control.repeat((x, w), condition, loop)
    assert (first.type, second.type) == (VECTOR, SCALAR)
    function = builder.finish("f", (x, w), (first, second), Tree("tuple", (LEAF, LEAF)))
    verify(function, REGISTRY)
    assert to_text(from_text(to_text(function), REGISTRY)) == to_text(function)


def test_a_loop_over_rows_sees_rows(builder):
    rows = param(builder, "rows", types.array("float64", (N, 3)))
    assert control.element(rows.type) == types.array("float64", (3,))
    assert control.element(types.array("float64")) == types.array("float64")
    assert control.element(types.stack_of(VECTOR)) == VECTOR
    assert control.element(types.shape((N, 3))) == types.number("int")
    for refused in (SCALAR, types.number()):
        with pytest.raises(IRError):
            control.element(refused)
