"""Arguments: what describes them, what tells them apart, and how their leaves are named."""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
from collections import OrderedDict, namedtuple

import numpy as np
import pytest
from frontend.interpret import check, lowered_for

from symdiff.errors import DtypeError, SymdiffError
from symdiff.frontend import describe, flatten, key_of, lower, signature_key
from symdiff.ir.types import Size, array, number

V = np.arange(5.0)
Pair = namedtuple("Pair", "w b")


class Plain:
    __slots__ = ("__dict__", "slot")

    def __init__(self, **values):
        self.__dict__.update(values)


@dataclasses.dataclass
class Data:
    w: np.ndarray
    name: str = "x"


class Mode(enum.Enum):
    A = 1


def types_of(value):
    return [leaf.type for leaf in describe(value, ("x", ())).leaves]


def test_leaf_types():
    assert types_of(np.ones((3, 1, 4))) == [array("float64", (Size("n0"), 1, Size("n1")))]
    assert types_of(np.float32(1)) == [array("float32", ())]
    assert types_of([1, 2.0, 1j]) == [number("int"), number("float"), number("complex")]


@pytest.mark.parametrize(
    "value",
    [
        [V, 1.0],
        (V, (V, V)),
        {"a": V, 1: 2.0},
        OrderedDict(b=V, a=1.0),
        Pair(V, 2.0),
        Data(V),
        Plain(w=V, deep=Plain(b=1.0)),
        types.SimpleNamespace(w=V),
        {"layers": [{"w": V}, Pair(V, Data(V))]},
        [],
        None,
    ],
    ids=lambda value: type(value).__name__,
)
def test_structures_round_trip(value):
    described = describe(value, ("x", ()))
    leaves = flatten(value, described.tree)
    assert len(leaves) == len(described.leaves) == described.tree.leaves()
    assert hash(described.key) == hash(describe(value, ("x", ())).key)


DIFFERENT = [
    V,
    V.astype(np.float32),
    np.ones((5, 1)),
    np.ones((1, 5)),
    np.ones((5, 5)),
    np.array(1.0),
    np.float64(1.0),
    1.0,
    1,
    True,
    False,
    None,
    "a",
    "b",
    [V],
    (V,),
    [V, V],
    {"a": V},
    {"b": V},
    {1: V},
    {True: V},
    Pair(V, 1.0),
    Pair(V, 1),
    Data(V),
    Data(V, "y"),
    Plain(w=V),
    Plain(v=V),
    np.sin,
    np.cos,
    Mode.A,
    np.dtype(float),
]


def test_different_arguments_have_different_keys():
    canonical = [describe(value, ("x", ())).key for value in DIFFERENT]
    exact = [signature_key((value,)) for value in DIFFERENT]
    assert len(set(canonical)) == len(DIFFERENT)
    assert len(set(exact)) == len(DIFFERENT)


def test_sizes_are_not_part_of_the_canonical_key():
    assert describe(np.ones(3), ("x", ())).key == describe(np.ones(4), ("x", ())).key
    assert signature_key((np.ones(3),)) != signature_key((np.ones(4),))


def test_ints_count_where_they_are_static():
    static = frozenset([("x", (("item", 0),))])
    keys = {key_of([n, 7], static, ("x", ())) for n in (1, 2)}
    assert len(keys) == 2
    assert key_of([1, 7], static, ("x", ())) == key_of([1, 8], static, ("x", ()))
    assert signature_key(([1, 7],), static, ("x",)) == signature_key(([1, 8],), static, ("x",))
    assert describe([1, 7], ("x", ()), static).key != describe([2, 7], ("x", ()), static).key


def test_cycles_end():
    loop = Plain(w=V)
    loop.me = loop
    hash(describe(loop, ("x", ())).key)
    hash(key_of(loop))

    def uses(model):
        return model.w * 2

    lowered_for(uses, loop)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (np.ma.masked_array([1.0]), "`x` is a masked array"),
        (np.ones((1, 1)).view(np.matrix), "`x` is an np.matrix"),
        ({"w": [np.array(["a"])]}, r"`x\['w'\]\[0\]` is an array of strings"),
        (np.array([None]), "array of objects"),
        (np.array(["2020-01-01"], dtype="datetime64[D]"), "array of dates"),
        (np.zeros(2, dtype=[("a", float)]), "array of records"),
        (Data(np.array([b"x"])), r"`x\.w` is an array of bytes"),
    ],
    ids=["masked", "matrix", "strings", "objects", "dates", "records", "bytes"],
)
def test_refused_arrays_are_named(value, said):
    with pytest.raises(DtypeError, match=said):
        describe(value, ("x", ()))


def test_parameters_and_their_places():
    def f(params, /, x, *rest, k=2.0, flag=False, **options):
        return params["W1"] @ x + params["layers"][0].b + rest[1] * k + options["o"]

    params = {"W1": np.ones((2, 5)), "unused": V, "layers": [Pair(V, 1.0)]}
    function = lowered_for(f, params, V, 1.0, 2.0, o=3.0).function
    assert [(p.name, p.kind, p.default) for p in function.parameters] == [
        ("params", "positional_only", None),
        ("x", "positional", None),
        ("rest", "var_positional", None),
        ("k", "keyword_only", "2.0"),
        ("flag", "keyword_only", "False"),
        ("options", "var_keyword", None),
    ]
    assert [(p.name, p.attr("parameter"), p.attr("path")) for p in function.params] == [
        ("W1", "params", (("item", "W1"),)),
        ("unused", "params", (("item", "unused"),)),
        ("w", "params", (("item", "layers"), ("item", 0), ("attr", "w"))),
        ("b", "params", (("item", "layers"), ("item", 0), ("attr", "b"))),
        ("x", "x", ()),
        ("rest_5", "rest", (("item", 0),)),
        ("rest_6", "rest", (("item", 1),)),
        ("k", "k", ()),
        ("o", "options", (("item", "o"),)),
    ]


def test_names_are_those_of_the_user():
    def f(params, x):
        (w, b), scale = params
        error = w * x + b
        return error * scale

    function = lowered_for(f, ((V, V), 2.0), V).function
    assert [p.name for p in function.params] == ["w", "b", "scale", "x"]
    assert [node.name for node in function.body.body] == ["", "error", ""]


def test_a_bound_method_is_its_function_and_the_leaves_of_its_object():
    class Model:
        def __init__(self, w):
            self.w = w

        def predict(self, x):
            return x * self.w

    def f(predict, half, x):
        return predict(x) + half(x)

    def scaled(x, k):
        return x * k

    model = Model(V)
    lowered = check(f, model.predict, functools.partial(scaled, k=2.0), V)
    assert [p.attr("path") for p in lowered.function.params] == [
        (("attr", "__self__"), ("attr", "w")),
        (("attr", "keywords"), ("item", "k")),
        (),
    ]
    assert key_of(model.predict) == key_of(Model(V).predict)


def test_spans_hold_the_text_of_the_statement():
    def f(x):
        y = (
            x  # a comment
            + 1
        )
        return np.sin(y)

    texts = [node.span.text for node in lowered_for(f, V).function.body.body]
    assert texts == ["y = ( x + 1 )"] * 2 + ["return np.sin(y)"]


def test_static_places_grow():
    def f(x, axis, n):
        return np.sum(x, axis=axis) * n

    lowered = check(f, np.ones((2, 3)), 1, 3)
    assert lowered.static == {("axis", ())}
    assert lowered.function.params[-1].name == "n"


def test_static_places_are_kept_by_the_caller():
    def f(x, n):
        return x * n

    import inspect

    bound = inspect.signature(f).bind(V, 3)
    assert lower(f, bound, frozenset([("n", ())])).static == {("n", ())}
    assert [p.name for p in lower(f, bound, frozenset([("n", ())])).function.params] == ["x"]


def test_lengths_that_unpacking_demands():
    def f(p):
        a, b = p["w"]
        return a * b

    function = lowered_for(f, {"w": np.ones(2)}).function
    assert function.info["lengths"] == (("p", (("item", "w"),), 2),)


def test_before_a_call_arguments_are_unknown_and_plain_defaults_hold():
    def f(x, y=2.0, mode="a", flag=True, bias=None):
        return x * y if flag and mode == "a" and bias is None else x

    function = lower(f, None).function
    assert [(p.name, str(p.type)) for p in function.params] == [("x", "?[...]"), ("y", "?[...]")]


def test_a_property_with_side_effects_does_not_run():
    class Bomb:
        def __init__(self):
            self.w = V

        @property
        def armed(self):
            raise SystemExit

        def __getattr__(self, name):
            raise SystemExit

        def __eq__(self, other):
            raise SystemExit

        def __len__(self):
            raise SystemExit

        __hash__ = None

    def f(bomb):
        return bomb.w * 2

    bomb = Bomb()
    hash(signature_key((bomb,)))
    lowered_for(f, bomb)


def test_too_deep_is_an_error():
    deep = V
    for _ in range(500):
        deep = [deep]
    with pytest.raises(SymdiffError, match="deep"):
        key_of(deep)
