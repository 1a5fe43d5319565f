"""The builder: one value, one node; only derived code is folded; regions own what is built in them."""

import numpy as np
import pytest
from ir.programs import SCALAR, VECTOR, N, line, param

from symdiff.errors import IRError, ShapeError, Span
from symdiff.ir import control, types
from symdiff.ir.build import Builder, current
from symdiff.ir.control import UNDEFINED, captures
from symdiff.ir.node import LEAF, Tree
from symdiff.ir.text import from_text, to_text
from symdiff.ir.tidy import tidy
from symdiff.ir.types import Size
from symdiff.ir.verify import verify
from symdiff.ops import (
    folds,  # noqa: F401 - registers the folds
    stacks,
)
from symdiff.ops.row import REGISTRY, row_of

GREATER, EXP, SUM, NEGATIVE = (REGISTRY[name] for name in ("greater", "exp", "sum", "negative"))
INDEX, PUSH = REGISTRY["index"], REGISTRY["push"]
INT = types.number("int")


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
        then.results = (x, x, builder.const(1.0), builder.const(1.0), UNDEFINED(), builder.const(1.0))
    with builder.region() as otherwise:
        otherwise.results = (EXP(x), SUM(x), builder.const(2), SUM(x), EXP(x), builder.const(True))
    same, rank, wide, weak, unset, unknown = control.branch(GREATER(SUM(x), 0), then, otherwise)
    assert same.type == unset.type == VECTOR
    assert rank.type == types.array("float64")
    assert wide.type == types.number("float")
    assert weak.type == SCALAR
    assert unknown.type == types.number("")


def test_a_loop_whose_carried_value_keeps_its_type(builder):
    x, w = param(builder, "x", VECTOR), param(builder, "w", SCALAR)
    with builder.region(INT, SCALAR, types.stack_of(SCALAR)) as opened:
        i, total, saved = opened.params
        element = INDEX(x, i, index=(("arg", 0),))
        opened.results = (total + element, PUSH(saved, element * total))
    length = REGISTRY["length"](x, axis=0)
    total, saved = control.count(0, length, 1, (w, REGISTRY["new_stack"]()), opened)
    assert total.type == SCALAR
    assert saved.type == types.stack_of(SCALAR)
    verify(builder.finish("f", (x, w), (total,), LEAF), REGISTRY)


@pytest.mark.parametrize(
    ("given", "stored"),
    [({"reverse": True}, (("reverse", True),)), ({"breaks": False, "checkpoint": -1}, (("checkpoint", -1),))],
)
def test_attributes_that_say_nothing_are_not_stored(builder, given, stored):
    w = param(builder, "w", SCALAR)
    with builder.region(INT, SCALAR) as body:
        body.results = (body.params[1] * w,)
    (final,) = control.count(0, 3, 1, (w,), body, **given)
    assert final.attrs == stored


def test_a_loop_that_breaks_has_a_flag_that_is_no_value(builder):
    w = param(builder, "w", SCALAR)
    with builder.region(INT, SCALAR) as body:
        body.results = (body.params[1] * w, GREATER(body.params[1], 3.0))
    values = control.count(0, 3, 1, (w,), body, breaks=True)
    assert [value.type for value in values] == [SCALAR]
    assert values[0].op is control.FOR


def test_a_constant_seeds_an_array(builder):
    x = param(builder, "x", VECTOR)
    with builder.region(INT, VECTOR) as body:
        body.results = (body.params[1] + x,)
    (total,) = control.count(0, 3, 1, (0,), body)
    assert total.type == VECTOR
    verify(builder.finish("f", (x,), (total,), LEAF), REGISTRY)


def test_a_constant_stands_for_an_array_of_axes_only(builder):
    x = param(builder, "x", SCALAR)
    with builder.region(INT, SCALAR) as body:
        body.results = (body.params[1] + x,)
    (total,) = control.count(0, 3, 1, (0,), body)  # weak in promotion: an instance, not a seed
    assert total.type == SCALAR
    with builder.region(INT, types.array("int64", ())) as body:
        body.results = (body.params[1],)
    with pytest.raises(IRError, match="The initial value"):
        control.count(0, 3, 1, (0.5,), body)


def test_what_is_undefined_before_a_loop_is_an_instance_of_everything(builder):
    x = param(builder, "x", VECTOR)
    with builder.region(INT, VECTOR, types.stack_of(VECTOR)) as body:
        body.results = (x, body.params[2])
    last, stack = control.count(0, 3, 1, (UNDEFINED(), UNDEFINED()), body)
    assert last.type == VECTOR
    assert stack.type == types.stack_of(VECTOR)
    with builder.region() as then:
        then.results = (UNDEFINED(),)
    with builder.region() as otherwise:
        otherwise.results = (UNDEFINED(),)
    (never,) = control.branch(GREATER(SUM(x), 0), then, otherwise)
    assert never.type == types.UNDEFINED


def test_a_block_gives_what_its_body_gives(builder):
    x = param(builder, "x", VECTOR)
    with builder.region() as body:
        body.results = (EXP(x), SUM(x))
    first, second = control.block(body)
    assert (first.type, second.type) == (VECTOR, SCALAR)
    assert control.owner_of(second) == (first.args[0], 1)
    assert control.owner_of(x) is None


def test_stacks(builder):
    x = param(builder, "x", VECTOR)
    empty = REGISTRY["new_stack"]()
    assert empty.type == types.stack_of(types.UNDEFINED)
    one = PUSH(empty, x)
    assert one.type == types.stack_of(VECTOR)
    assert PUSH(one, SUM(x)).type == types.stack_of(types.array("float64"))
    rest, item = stacks.popped(one)
    assert (rest.type, item.type) == (one.type, VECTOR)
    with pytest.raises(IRError, match="is no stack"):
        PUSH(x, x)


def grow(builder, x, length):
    """A loop that makes its carried vector longer and keeps what it was."""
    own = types.array("float64", (length,))
    with builder.region(INT, own, types.stack_of(types.array("float64", None))) as opened:
        _, carried, kept = opened.params
        longer = REGISTRY["concatenate"](carried, x, axis=0)
        opened.results = (longer, PUSH(kept, carried))
    return control.count(0, 3, 1, (x, REGISTRY["new_stack"]()), opened)


def test_a_length_that_changes_has_a_symbol_of_its_own(builder):
    x = param(builder, "x", VECTOR)
    own = builder.sizes.fresh()
    final, kept = grow(builder, x, own)
    (length,) = final.type.dims
    assert len({length, own, N}) == 3
    assert kept.type == types.stack_of(types.array("float64"))


def test_a_length_that_changes_cannot_be_a_symbol_of_the_outside(builder):
    x = param(builder, "x", VECTOR)
    builder.sharing = False  # as in the front end, where types are found
    with pytest.raises(
        IRError, match=r"The next value of `for` is float64\[\?\d\], its parameter float64\[n0\]"
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


def test_arrays_that_may_be_written_into_are_not_merged():
    with Builder(sharing=False) as builder:
        x, w = param(builder, "x", VECTOR), param(builder, "w", SCALAR)
        assert EXP(x) is not EXP(x)
        assert REGISTRY["zeros_like"](w) is REGISTRY["zeros_like"](w)
        assert EXP(w) is EXP(w)
        assert builder.const(1) is builder.const(1)
        assert REGISTRY["new_stack"]() is not REGISTRY["new_stack"]()
        first = EXP(x)
        function = builder.finish("f", (x, w), (first, EXP(x)), Tree("tuple", (LEAF, LEAF)))
    merged = tidy(function)
    assert merged.results[0] is merged.results[1]


def test_operands_are_resolved_when_an_operation_is_applied(builder):
    x, y = param(builder, "x", VECTOR), param(builder, "y", VECTOR)
    builder.resolve = lambda node: y if node is x else node
    assert EXP(x).args == (y,)


def test_drawings_are_never_merged(builder):
    draw = row_of(np.random.random)
    assert draw() is not draw()
    assert builder.existing(draw, ()) is None
    builder.primal = False
    assert draw() is not draw()


def test_values_of_one_name_get_names_of_their_own(builder):
    x = param(builder, "x", VECTOR)
    value = x
    for _ in range(3):
        value = builder.named(EXP(value), "x")
    function = builder.finish("f", (x,), (value,), LEAF)
    assert [node.name for node in function.body.body] == ["x1", "x2", "x3"]
