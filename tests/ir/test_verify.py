"""The verifier: every program of the builder passes, every broken rule is caught by its own message."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from ir.programs import PROGRAMS, SCALAR, VECTOR, block, branch, line, loop, programs

from symdiff.errors import IRError
from symdiff.ir import types
from symdiff.ir.build import PARAM
from symdiff.ir.control import UNDEFINED
from symdiff.ir.node import LEAF, Node, Op, Parameter, Region, Tree
from symdiff.ir.text import from_text, to_text
from symdiff.ir.types import Size
from symdiff.ir.verify import verify
from symdiff.ops.row import REGISTRY

ADD, EXP = REGISTRY["add"], REGISTRY["exp"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_good_programs_pass(name):
    function = PROGRAMS[name]()
    before = to_text(function)
    verify(function, REGISTRY, unique=True)
    verify(from_text(before, REGISTRY), REGISTRY, unique=True)
    assert to_text(function) == before
    assert function.sizes.equal == PROGRAMS[name]().sizes.equal


def reasons(function):
    try:
        verify(function, REGISTRY, unique=True)
    except IRError as error:
        return [problem.what.split("\n")[0] for problem in error.problems]
    return []


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(programs())
def test_programs_of_the_builder_break_rules_of_naming_only(function):
    for one in (function, from_text(to_text(function), REGISTRY)):
        allowed = ("is not an identifier.", "same name.", "are the same leaf.")
        assert [reason for reason in reasons(one) if not reason.endswith(allowed)] == []


def nodes():
    x = Node(PARAM, (), (("parameter", "x"), ("path", ())), VECTOR, name="x")
    return x, Node(EXP, (x,), (), VECTOR)


def with_body(function, *body, results=None, params=None):
    region = Region(
        function.params if params is None else params,
        body,
        function.results if results is None else results,
    )
    return replace(function, body=region)


def appended(*more):
    function = line()
    return with_body(function, *function.body.body, *more)


def changed(number, **changes):
    """`line` with one node of its body replaced, and the users of that node too."""
    function = line()
    new = {}
    for k, node in enumerate(function.body.body):
        made = replace(node, args=tuple(new.get(id(arg), arg) for arg in node.args))
        new[id(node)] = replace(made, **changes) if k == number else made
    return with_body(function, *new.values(), results=tuple(new[id(r)] for r in function.results))


def with_params(**changes):
    function = line()
    x = replace(function.params[0], **changes)
    return with_body(function, Node(EXP, (x,), (), VECTOR), params=(x,), results=(x, x))


def with_region(made, op, **changes):
    """A program with the first node of this operation replaced; what follows it is cut off."""
    function = made()
    at, node = next((k, n) for k, n in enumerate(function.body.body) if n.op.name == op)
    changes = {key: value(node) for key, value in changes.items()}
    broken = with_body(function, *function.body.body[:at], replace(node, **changes), results=())
    return replace(broken, tree=Tree("tuple"))


def first(node):
    return node.regions[0]


def shared_node():
    function = branch()
    node = function.body.body[-3]
    (inner,) = node.regions[0].body
    return with_body(function, inner, *function.body.body)


def leaked():
    function = branch()
    node = next(n for n in function.body.body if n.regions)
    return with_body(function, *function.body.body, results=(node.regions[0].body[0], function.params[1]))


def used_later():
    function = line()
    return with_body(function, *reversed(function.body.body))


X, Y = nodes()
STRANGER = replace(Y, op=Op("stranger", lambda x: x.type))
LOST = Node(EXP, (Y,), (), VECTOR)
UNTYPED = types.array()

BROKEN = {
    "an operand that is nowhere": (lambda: appended(LOST), "operand is not defined"),
    "an operand that comes later": (used_later, "operand is not defined"),
    "a value that leaves its region": (leaked, "result is not defined"),
    "a result that is nowhere": (lambda: with_body(line(), results=(X, X)), "result is not defined"),
    "a node in two bodies": (shared_node, "belongs to two bodies"),
    "a node twice in a body": (lambda: with_body(line(), *line().body.body[:1] * 2), "belongs to two bodies"),
    "a parameter in a body": (lambda: appended(replace(X)), "stands in a body"),
    "another node as parameter": (lambda: with_params(op=EXP), "is made by `param`"),
    "a leaf without a path": (lambda: with_params(attrs=(("parameter", "x"),)), "lacks its attributes"),
    "a path of something else": (
        lambda: with_params(attrs=(("parameter", "x"), ("path", ("w",)))),
        "made of pairs",
    ),
    "a leaf that is twice there": (
        lambda: with_body(line(), params=(X, replace(X)), results=(X, X)),
        "the same leaf",
    ),
    "a wrong type": (lambda: changed(0, type=SCALAR), "inferred as float64[n0], stored is float64[]"),
    "a wrong dtype": (lambda: changed(0, type=VECTOR.with_dtype("float32")), "stored is float32[n0]"),
    "a wrong size": (lambda: changed(0, type=types.array("float64", (Size("n7"),))), "stored is float64[n7]"),
    "a type that forgets": (lambda: changed(0, type=UNTYPED), "stored is ?[...]"),
    "a number that is no scalar": (lambda: changed(1, type=types.Type("number", "float")), "not a type"),
    "a negative length": (lambda: changed(0, type=types.array("float64", (-1,))), "not a type"),
    "a type that cannot be inferred": (
        lambda: changed(3, attrs=(("axis", 5),)),
        "cannot be inferred: Axis 5",
    ),
    "an attribute that is no literal": (
        lambda: changed(3, attrs=(("axis", np.int64(0)),)),
        "not a hashable literal",
    ),
    "an attribute without hash": (lambda: changed(3, attrs=(("axis", [0]),)), "not a hashable literal"),
    "an attribute given twice": (lambda: changed(3, attrs=(("axis", 0), ("axis", 0))), "given twice"),
    "an operation of another table": (lambda: appended(replace(STRANGER, args=())), "There is no operation"),
    "a constant of another type": (lambda: changed(1, type=types.number("int")), "a number of its type"),
    "a constant that is no number": (
        lambda: changed(1, attrs=(("value", "1"),)),
        "a number of its type",
    ),
    "a name that cannot be written": (lambda: changed(2, name="a b"), "'a b' is not an identifier"),
    "a name that is a keyword": (lambda: changed(2, name="lambda"), "'lambda' is not an identifier"),
    "a function that cannot be called": (lambda: replace(line(), name="<lambda>"), "not an identifier"),
    "parameters of one name": (
        lambda: replace(line(), parameters=(Parameter("x"), Parameter("x"))),
        "the same name",
    ),
    "too few results": (lambda: replace(line(), tree=LEAF), "1 leaves, the function 2 results"),
    "regions where none belong": (
        lambda: changed(0, regions=(Region((), (), ()),)),
        "owns regions",
    ),
    "an `if` of one branch": (
        lambda: with_region(branch, "if", regions=lambda n: n.regions[:1]),
        "`if` has two regions",
    ),
    "branches of different length": (
        lambda: with_region(
            branch, "if", regions=lambda n: (n.regions[0], replace(n.regions[1], results=n.args))
        ),
        "branches of `if` give 2 and 1",
    ),
    "branches with parameters": (
        lambda: with_region(
            branch, "if", regions=lambda n: (replace(n.regions[0], params=(replace(X),)), n.regions[1])
        ),
        "have no parameters",
    ),
    "a condition that is an array": (
        lambda: with_region(branch, "if", args=lambda n: (n.regions[1].results[0],)),
        "not a scalar",
    ),
    "a join of another type": (
        lambda: with_region(branch, "if", type=lambda n: types.tuple_of([VECTOR, VECTOR])),
        "inferred as tuple(float64[n0], float64[])",
    ),
    "a range without bounds": (
        lambda: with_region(loop, "for", args=lambda n: n.args[:2]),
        "lacks the bounds of its range",
    ),
    "a loop that runs over two bodies": (
        lambda: with_region(loop, "for", regions=lambda n: n.regions * 2),
        "belongs to two bodies",
    ),
    "an undefined value of a type": (
        lambda: appended(Node(UNDEFINED, (), (), VECTOR)),
        "inferred as undefined, stored is float64[n0]",
    ),
    "a stack without an item's type": (
        lambda: changed(0, type=types.Type("stack")),
        "not a type",
    ),
    "a range of floats": (
        lambda: with_region(loop, "for", args=lambda n: (n.args[-1], *n.args[1:])),
        "bounds of a range are integers",
    ),
    "a loop without its carried value": (
        lambda: with_region(loop, "for", args=lambda n: n.args[:4]),
        "lacks a next carried value",
    ),
    "a body without its next value": (
        lambda: with_region(loop, "for", regions=lambda n: (replace(first(n), results=()),)),
        "lacks a next carried value",
    ),
    "a carried value that changes its type": (
        lambda: with_region(
            loop,
            "for",
            regions=lambda n: (replace(first(n), results=(first(n).results[1], *first(n).results[1:])),),
        ),
        "The next value of `for` is stack(float64[]), its parameter float64[]",
    ),
    "a condition of two results": (
        lambda: with_region(
            loop,
            "while",
            regions=lambda n: (replace(first(n), results=first(n).results * 2), n.regions[1]),
        ),
        "condition of `while` has one result",
    ),
    "an item that is not there": (
        lambda: with_region(loop, "part", attrs=lambda n: (("index", 2),)),
        "`part` 2 of 2",
    ),
}


# By name: the program, what is replaced in its text, by what, and the message.
BROKEN_TEXT = {
    "a flag that is an array": (loop, "yield %32, %34, %36", "yield %32, %34, %0", "may break"),
    "a loop that breaks without a flag": (
        loop,
        "yield %32, %34, %36",
        "yield %32, %34",
        "lacks a next carried value",
    ),
    "a flag where nothing breaks": (loop, "%22, breaks=True", "%22", "lacks a next carried value"),
    "a counter that is a truth value": (
        loop,
        "%14 = param() : number int",
        "%14 = param() : bool[]",
        "The loop variable of `for` is number int, its parameter bool[]",
    ),
    "a body with too many parameters": (
        loop,
        "      %16 =",
        "      %99 = param() : number int\n      %16 =",
        "has 2 parameters",
    ),
    "a while whose condition has other parameters": (
        loop,
        "    %26 = param() : float64[]\n",
        "",
        "has 1 parameters",
    ),
    "a condition that is a vector": (loop, "yield %28", "yield %0", "condition of `while` is not a scalar"),
    "an initial value of another type": (
        loop,
        "for(%11, %10, %12, %8)",
        "for(%11, %10, %12, %0)",
        "The initial value of `for` is float64[n0], its parameter float64[]",
    ),
    "a constant that does not fit": (
        loop,
        "while(%23, %22,",
        "while(%3, %22,",
        "The initial value of `while` is number int, its parameter stack(float64[])",
    ),
    "an iteration that makes something longer": (
        block,
        "yield %17, %15, %19",
        "yield %15, %15, %19",
        "The next value of `for` is float64[], its parameter float64[n0]",
    ),
    "another final type": (
        loop,
        "breaks=True) : tuple(stack(float64[]), float64[])",
        "breaks=True) : tuple(stack(float64[]), float32[])",
        "inferred as tuple(stack(float64[]), float64[])",
    ),
    "a block with an operand": (block, "block() :", "block(%0) :", "`block` has one region, no operands"),
    "a block with a parameter": (
        block,
        "    %3 = exp",
        "    %99 = param() : float64[]\n    %3 = exp",
        "`block` has one region, no operands",
    ),
    "an item of something else": (loop, "part(%6, index=0)", "part(%1, index=0)", "takes a result out of"),
    "a pop of an array": (loop, "pop(%29)", "pop(%30)", "float64[] is no stack"),
    "an attribute that no loop has": (loop, "%8) : float64[] {", "%8, over='moon') : float64[] {", "'over'"),
}


@pytest.mark.parametrize("name", BROKEN_TEXT)
def test_a_broken_loop_is_caught(name):
    made, old, new, message = BROKEN_TEXT[name]
    text = to_text(made())
    assert text.count(old) == 1
    with pytest.raises(IRError) as caught:
        verify(from_text(text.replace(old, new), REGISTRY), REGISTRY)
    assert message in str(caught.value)


def test_an_iteration_cannot_read_what_another_region_made():
    function = loop()
    loops = [node for node in function.body.body if node.regions]
    inside = loops[0].regions[0].body[-1]
    broken = replace(loops[1], args=(inside, loops[1].args[1]))
    before = function.body.body[: function.body.body.index(loops[1])]
    with pytest.raises(IRError, match="operand is not defined"):
        verify(replace(with_body(function, *before, broken, results=()), tree=Tree("tuple")), REGISTRY)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_is_caught(name):
    make, message = BROKEN[name]
    with pytest.raises(IRError) as caught:
        verify(make(), REGISTRY)
    assert message in str(caught.value)


def test_the_report_shows_the_line():
    with pytest.raises(IRError) as caught:
        verify(changed(0, type=SCALAR), REGISTRY)
    assert "    %2 = multiply(%1, %0) : float64[]" in str(caught.value)
    assert 'File "model.py", line 3' in str(caught.value)


def test_values_computed_twice_are_found_on_request():
    function = line()
    twice = with_body(function, *function.body.body, replace(function.body.body[0]))
    verify(twice, REGISTRY)
    with pytest.raises(IRError, match="computed twice"):
        verify(twice, REGISTRY, unique=True)


def test_without_a_table_any_operation_passes():
    function = line()
    more = Node(Op("stranger", lambda x: x.type), function.params[:1], (), VECTOR)
    verify(with_body(function, *function.body.body, more))


def test_a_later_equality_does_not_break_an_earlier_type():
    function = line()
    (n,) = function.params[0].type.dims
    function.sizes.unify(n, 5)
    verify(function, REGISTRY)
    verify(from_text(to_text(function), REGISTRY), REGISTRY)
