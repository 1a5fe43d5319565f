"""Sizes and types: what inference says must be true of every run."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symdiff.errors import ShapeError
from symdiff.ir import types
from symdiff.ir.types import Size, Sizes, may_be_one

N, M, K = Size("n0"), Size("n1"), Size("n2")
FREE = (Size("?0"), Size("?1"))


def length(dim, values):
    """What a dim is in a run: `values` gives the lengths of the symbols."""
    return dim if isinstance(dim, int) else max(values[dim.name] - dim.less, 0)


def runs(names, lengths=(0, 1, 2, 3, 4)):
    """All assignments of lengths: a size of an argument is never 1."""
    choices = [[v for v in lengths if name.startswith("?") or v != 1] for name in names]
    return (dict(zip(names, values, strict=True)) for values in itertools.product(*choices))


def consistent(sizes, dims, shape, values):
    """Whether inferred dims describe a shape; a symbol that inference invented may have any length."""
    values = dict(values)
    if dims is None:
        return True
    if len(dims) != len(shape):
        return False
    for dim, size in zip(sizes.resolve(dims), shape, strict=True):
        if isinstance(dim, Size):
            values.setdefault(dim.name, size + dim.less)
        if length(dim, values) != size:
            return False
    return True


DIMS = st.one_of(
    st.integers(0, 3),
    st.builds(Size, st.sampled_from(["n0", "n1", "?0", "?1"]), st.integers(0, 2)),
)
SHAPES = st.lists(st.lists(DIMS, max_size=2).map(tuple), min_size=1, max_size=3)


@settings(deadline=None, max_examples=150)
@given(SHAPES)
def test_broadcast_is_true_of_every_run(shapes):
    sizes = Sizes(count=2)
    try:
        inferred = sizes.broadcast(shapes)
    except ShapeError:
        inferred = None
        failed = True
    else:
        failed = False
    for values in runs(("n0", "n1", "?0", "?1")):
        concrete = [tuple(length(dim, values) for dim in dims) for dims in shapes]
        try:
            shape = np.broadcast_shapes(*concrete)
        except ValueError:
            continue
        assert not failed, (shapes, concrete)
        assert consistent(sizes, inferred, shape, values), (inferred, shape, values)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(DIMS, DIMS), max_size=4), DIMS)
def test_equalities_are_true_of_every_run_in_which_they_were_demanded(pairs, asked):
    sizes = Sizes(count=2)
    held = []
    for a, b in pairs:
        try:
            result = sizes.unify(a, b)
        except ShapeError:
            return
        held.append((a, b, result))
    found = sizes.find(asked)
    for values in runs(("n0", "n1", "?0", "?1")):
        if all(length(a, values) == length(b, values) for a, b, _ in held):
            assert length(found, values) == length(asked, values)
            assert all(length(r, values) == length(a, values) for a, _, r in held)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(DIMS, DIMS), max_size=4))
def test_sizes_that_do_not_match_match_in_no_run_with_elements(pairs):
    sizes = Sizes(count=2)
    for at, (a, b) in enumerate(pairs):
        try:
            sizes.unify(a, b)
        except ShapeError:
            for values in runs(("n0", "n1", "?0", "?1"), (0, 1, 2, 3, 4, 5, 6)):
                lengths = [(length(x, values), length(y, values)) for x, y in pairs[: at + 1]]
                assert any(x != y for x, y in lengths) or 0 in itertools.chain(*lengths, values.values())
            return


def test_find_follows_chains_and_subtracts():
    sizes = Sizes()
    a, b = sizes.fresh(), sizes.fresh()
    sizes.unify(a, b)
    sizes.unify(b, N)
    assert sizes.find(Size(a.name, 2)) == Size("n0", 2)
    sizes.unify(N, 5)
    assert sizes.find(Size(a.name, 2)) == 3
    assert sizes.find(Size(a.name, 7)) == 0
    assert sizes.same(a, 5)


def test_the_size_of_an_argument_is_not_one():
    sizes = Sizes()
    with pytest.raises(ShapeError):
        sizes.unify(N, 1)
    assert sizes.unify(Size("?9"), 1) == 1
    assert not may_be_one(N)
    assert may_be_one(Size("n0", 1))


def test_a_firm_size_wins_over_one_that_may_be_one():
    sizes = Sizes()
    free = sizes.fresh()
    for a, b in ((free, N), (M, free)):
        sizes.unify(a, b)
    assert sizes.find(free) == sizes.find(N) == sizes.find(M)
    assert not may_be_one(sizes.find(free))


def test_a_slice_never_equals_its_whole():
    """This once made `find` run in circles: the whole was recorded as itself less one."""
    for whole in (Size("?0"), N):
        sizes = Sizes(count=1)
        with pytest.raises(ShapeError):
            sizes.unify(whole, sizes.less(whole, 1))
        with pytest.raises(ShapeError):
            sizes.unify(sizes.less(whole, 1), whole)
        assert sizes.find(whole) == whole


def test_a_known_length_of_a_slice_gives_the_length_of_the_whole():
    sizes = Sizes()
    assert sizes.unify(sizes.less(N, 2), 3) == 3
    assert sizes.find(N) == 5


def test_an_empty_slice_says_little_of_the_whole():
    sizes = Sizes()
    sizes.unify(sizes.less(N, 2), 0)
    assert sizes.find(N) == N


def test_a_slice_is_taken_from_an_unknown_size():
    sizes = Sizes(count=1)
    sizes.unify(sizes.less(N, 1), Size("?0"))
    assert sizes.find(Size("?0")) == Size("n0", 1)


def test_zero_broadcasts_only_with_one_and_zero():
    sizes = Sizes()
    assert sizes.broadcast([(0,), (1,)]) == (0,)
    assert sizes.broadcast([(0,), (N,)]) == (0,)
    assert sizes.find(N) == 0  # not 1, so 0
    with pytest.raises(ShapeError):
        sizes.broadcast([(0,), (3,)])


def test_two_lengths_that_may_be_one_broadcast_to_a_new_one():
    sizes = Sizes(count=2)
    (result,) = sizes.broadcast([(FREE[0],), (FREE[1],)])
    assert result not in FREE
    assert sizes.broadcast([(FREE[0],), (1,), (FREE[0],)]) == (FREE[0],)
    assert sizes.broadcast([None, (N,)]) is None
    assert sizes.broadcast([]) == ()


def test_equalities_of_a_scope_end_with_it():
    sizes = Sizes()
    outer = sizes.fresh()
    with sizes.scope():
        inner = sizes.fresh()
        sizes.unify(inner, N)
        sizes.unify(N, M)
        sizes.unify(outer, 7)
        assert sizes.same(inner, M)
    assert not sizes.same(N, M)
    assert sizes.find(outer) == outer
    assert sizes.find(inner) == N
    assert sizes.fresh() not in (outer, inner)


def test_join_forgets_what_differs():
    sizes = Sizes()
    double, single = types.array("float64", (N, 3)), types.array("float32", (N, 3))
    assert sizes.join(double, double) == double
    assert sizes.join(double, single) == types.array("", (N, 3))
    assert sizes.join(double, types.array("float64", (N,))) == types.array("float64")
    rows, three = sizes.join(double, types.array("float64", (M, 3))).dims
    assert rows not in (N, M)
    assert may_be_one(rows)
    assert three == 3
    assert sizes.join(types.number("bool"), types.number("float")) == types.number("")
    assert sizes.join(types.number("bool"), types.array("float64", ())) == types.array("", ())
    assert sizes.join(types.stack_of(double), types.stack_of(single)) == types.stack_of(
        types.array("", (N, 3))
    )
    assert sizes.join(types.tuple_of([double]), types.tuple_of([single])).items[0].dtype == ""
    assert sizes.join(types.shape((N, 3)), types.shape((N, M))).dims[0] == N


NUMBERS = ("int", "float", "complex")


@pytest.mark.parametrize("a", NUMBERS)
@pytest.mark.parametrize("b", NUMBERS)
def test_numbers_join_to_the_wider(a, b):
    wider = max(a, b, key=NUMBERS.index)
    assert Sizes().join(types.number(a), types.number(b)) == types.number(wider)


@pytest.mark.parametrize(
    ("number", "dtype", "joined"),
    [
        ("int", "float32", "float32"),
        ("float", "float32", "float32"),
        ("float", "complex64", "complex64"),
        ("float", "longdouble", "longdouble"),
        ("int", "int8", "int8"),
        ("int", "uint16", "uint16"),
        ("float", "int64", ""),
        ("complex", "complex128", ""),  # may be wider than what it is joined with
        ("complex", "float64", ""),
        ("bool", "float64", ""),
        ("int", "bool", ""),
    ],
)
def test_a_number_is_weak_beside_an_array(number, dtype, joined):
    one, other = types.number(number), types.array(dtype, (N,))
    for a, b in ((one, other), (other, one)):
        assert Sizes().join(a, b) == types.array(joined)
    assert Sizes().join(one, types.array(dtype, ())) == types.array(joined, ())


@pytest.mark.parametrize("type", [types.shape(()), types.number(), types.stack_of(types.UNKNOWN)], ids=str)
def test_what_is_undefined_joins_with_everything(type):
    sizes = Sizes()
    assert sizes.join(types.UNDEFINED, type) == sizes.join(type, types.UNDEFINED) == type
    assert sizes.join(types.UNDEFINED, types.UNDEFINED) == types.UNDEFINED


@pytest.mark.parametrize(
    ("a", "b"),
    [(types.shape(()), types.array()), (types.tuple_of([]), types.tuple_of([types.UNKNOWN]))],
)
def test_kinds_that_have_no_join(a, b):
    with pytest.raises(ShapeError):
        Sizes().join(a, b)


@settings(deadline=None, max_examples=100)
@given(st.lists(DIMS, max_size=3), st.lists(DIMS, max_size=3))
def test_a_join_holds_for_both(left, right):
    sizes = Sizes(count=2)
    a, b = types.array("float64", tuple(left)), types.array("float64", tuple(right))
    joined = sizes.join(a, b).dims
    for values in runs(("n0", "n1", "?0", "?1"), (0, 1, 3)):
        for one in (a, b):
            shape = tuple(length(dim, values) for dim in one.dims)
            assert consistent(sizes, joined, shape, values)
