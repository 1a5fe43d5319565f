"""Programs that write into arrays compute what their functions compute: results and final contents, to the
bit; and what cannot be written is refused with a reason."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import numpy as np
import pytest
from frontend.written import CASES, M, V
from ops.evaluate import evaluate

import symdiff
from symdiff.errors import SymdiffError
from symdiff.frontend import Lowered, flatten, lower, rebuilt, step_into
from symdiff.frontend.arguments import describe
from symdiff.ir.node import Tree
from symdiff.ir.verify import verify


def has_array(value: Any) -> bool:
    return any(isinstance(leaf, np.ndarray) for leaf in flatten(value, describe(value, ("", ())).tree))


def built(tree: Tree, leaves: list[Any]) -> Any:
    if tree.kind == "leaf":
        return leaves.pop(0)
    if tree.kind == "static":
        return tree.value
    return rebuilt(tree, [built(child, leaves) for child in tree.children])


def lowered(function: Any, *args: Any) -> tuple[Lowered, list[str]]:
    bound = inspect.signature(function).bind(*args)
    names = [name for name, value in bound.arguments.items() if has_array(value)]
    return lower(function, bound, outputs=tuple(names)), names


def computed(made: Lowered, names: dict[str, Any]) -> Any:
    values = []
    for param in made.function.params:
        value = names[param.attr("parameter")]
        for step in param.attr("path"):
            value = step_into(value, step)
        values.append(value)
    return built(made.function.tree, evaluate(made.function, *values))


def assert_same(got: Any, wanted: Any, place: str = "result") -> None:
    if isinstance(wanted, np.ndarray | np.generic | float | int | complex):
        got, wanted = np.asarray(got), np.asarray(wanted)
        assert (got.dtype, got.shape) == (wanted.dtype, wanted.shape), place
        assert got.tobytes() == wanted.tobytes(), (place, got, wanted)
    elif isinstance(wanted, list | tuple):
        assert len(got) == len(wanted), place
        for i, pair in enumerate(zip(got, wanted, strict=True)):
            assert_same(*pair, f"{place}[{i}]")
    elif isinstance(wanted, dict):
        assert list(got) == list(wanted), place
        for key in wanted:
            assert_same(got[key], wanted[key], f"{place}[{key!r}]")
    elif hasattr(wanted, "__dict__"):
        assert_same(vars(got), vars(wanted), place)
    else:
        assert got == wanted, place


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("function", "args"), CASES, ids=[function.__name__ for function, _ in CASES])
def test_same_results_and_contents(function: Any, args: Any) -> None:
    given, kept, own = copy.deepcopy(args), copy.deepcopy(args), copy.deepcopy(args)
    made, names = lowered(function, *args)
    verify(made.function)
    parameters = list(inspect.signature(function).parameters)
    with np.errstate(all="ignore"):
        result = function(*own)
    parts = [] if result is None else [result]
    parts += [value for name, value in zip(parameters, own, strict=True) if name in names]
    wanted = parts[0] if len(parts) == 1 else tuple(parts)
    assert_same(computed(made, dict(zip(parameters, given, strict=True))), wanted)
    assert_same(given, kept, "arguments")


def test_there_are_enough_programs() -> None:
    assert len(CASES) >= 120


# What is refused


def refusal(function: Any, *args: Any) -> str:
    with pytest.raises(SymdiffError) as raised:
        lower(function, inspect.signature(function).bind(*args))
    assert all(problem.span is not None for problem in raised.value.problems)
    return f"{type(raised.value).__name__}: {raised.value}"


OUTSIDE = np.zeros(3)


def captured(x):
    OUTSIDE[0] = x[0]
    return x


def captured_through_a_view(x):
    view = OUTSIDE[1:]
    view += x[0]
    return x


def maybe_view(x):
    line = (x[:4] * 1.0).reshape(2, 2).T.reshape(-1)
    line[0] = 1
    return line


def write_below_a_maybe_view(A):
    line = A.T.reshape(-1)
    A[0] = 1
    return line


def strided_line(A):
    A[:, 1:].ravel()[0] = 1
    return A


def broadcast(x):
    np.broadcast_to(x, (2, 5))[0] = 1
    return x


def diagonal(A):
    np.diagonal(A)[0] = 1
    return A


def diagonal_augmented(A):
    d = A.diagonal()
    d += 1
    return A


def numpy_scalar(x):
    s = x.sum()
    s[...] = 1
    return s


def python_number(x):
    a = 2.0
    a[0] = 1
    return x


def complex_into_real(x):
    x[0] = 1j
    return x


def complex_array_into_real(x):
    x[:] = x * 1j
    return x


def imaginary_part_of_real(x):
    x.imag = 1
    return x


def float_into_integers(k):
    k += 0.5
    return k


def divided_integers(k):
    k /= 2
    return k


def part_of_integers(k):
    k[1:] *= 0.5
    return k


def selected_integers(k):
    k[[0, 1]] -= 0.5
    return k


def integers_as_out(k):
    np.multiply(k, 0.5, out=k)
    return k


def copied_into_integers(k):
    np.copyto(k, 0.5)
    return k


def sum_into_other_dtype(A):
    s = np.zeros(5, dtype=np.float32)
    np.sum(A, axis=0, out=s)
    return s


def too_many_dimensions(x):
    x += np.ones((2, 5))
    return x


def stretched(x):
    y = x[None, 0] * 2
    y += x
    return y


def stretched_place(x):
    y = x[None, 0] * 2
    y[:] = x
    return y


def array_into_element(x):
    x[0] = np.ones(1)
    return x


def value_of_other_length(x):
    y = np.zeros(3)
    y[:2] = [1, 2, 3]
    return y


def too_many_indices(x):
    x[0, 1] = 2
    return x


def out_of_bounds(x):
    y = np.zeros(3)
    y[3] = x[0]
    return y


def float_index(x):
    x[x] = 1
    return x


def two_ellipses(x):
    x[..., ...] = 1
    return x


def set_shape(A):
    A.shape = (20,)
    return A


def tuple_item(x):
    pair = (x, x)
    pair[0] = x
    return x


def tuple_item_augmented(x):
    pair = (x * 1.0, x)
    pair[0] += 1
    return x


def other_ufunc_at(x):
    np.multiply.at(x, [0, 0], 2.0)
    return x


def integers_added_at(k):
    np.add.at(k, [0], 0.5)
    return k


def repeated_values(x):
    np.put(x, [0, 1, 2], [1.0, 2.0])
    return x


def resized(x):
    x.resize(3)
    return x


def several_outs(x):
    a, b = np.zeros(5), np.zeros(5)
    np.divmod(x, 2.0, out=(a, b))
    return a


def out_of_no_array(x):
    return np.add(x, 1, out=3.0)


def rotated(A):
    np.rot90(A)[0] = 1
    return A


def appended_and_written(x):
    hs = []
    h = np.zeros(2)
    for i in range(len(x)):
        h += x[i]
        hs.append(h)
    return hs[0], h


def which_view(A):
    B = A
    while B[0, 0] < 100:
        B[0, 0] += 50
        B = B.T
    return A


def written_after_append(x):
    hs = []
    for i in range(len(x)):
        h = np.zeros(2)
        hs.append(h)
        h[0] = x[i]
    return np.stack(hs)


def argument_written_after_append(x):
    hs = []
    for _ in range(len(x)):
        hs.append(x)
    x[0] = 3
    return hs[0]


def list_of_array_that_grows_in_place(x):
    h = np.zeros(5)
    hs = [h]
    for _ in range(len(x)):
        h = h + x
        hs.append(h)
        h *= 2
    return np.stack(hs)


COMPILED = [
    (captured, V, "an array that exists outside it.*OUTSIDE.copy()"),
    (captured_through_a_view, V, "an array that exists outside it"),
    (maybe_view, V, "np.reshape gave a view or a copy.*`.copy()` before the write"),
    (write_below_a_maybe_view, M, "whether `line` shares memory with the array.*`.copy()` of it"),
    (strided_line, M, "np.ravel gave a view or a copy"),
    (broadcast, V, "ValueError: assignment destination is read-only"),
    (diagonal, M, "ValueError: assignment destination is read-only"),
    (diagonal_augmented, M, "ValueError: assignment destination is read-only"),
    (numpy_scalar, V, "TypeError: 'numpy.float64' object does not support item assignment"),
    (python_number, V, "TypeError: 'float' object does not support item assignment"),
    (complex_into_real, V, "complex value cannot be written into an array of float64"),
    (complex_array_into_real, V, "complex value cannot be written into an array of float64"),
    (imaginary_part_of_real, V, "TypeError: array does not have imaginary part to set"),
    (float_into_integers, np.arange(5), "float64 cannot be written into an array of int64.*`k = k + 0.5`"),
    (divided_integers, np.arange(5), "float64 cannot be written into an array of int64"),
    (part_of_integers, np.arange(5), "float64 cannot be written into an array of int64"),
    (selected_integers, np.arange(5), "float64 cannot be written into an array of int64"),
    (integers_as_out, np.arange(5), "float64 cannot be written into an array of int64"),
    (copied_into_integers, np.arange(5), "float64 cannot be written into an array of int64"),
    (sum_into_other_dtype, M, "The result of np.sum is float64, the array for it float32"),
    (too_many_dimensions, V, "more dimensions than the array"),
    (stretched, V, "does not fit into 1"),
    (stretched_place, V, "is written into a place of 1"),
    (array_into_element, V, "An array is written into a single element"),
    (value_of_other_length, V, "Sizes 2 and 3 do not match"),
    (too_many_indices, V, "The index has 2 entries"),
    (out_of_bounds, V, "index 3 is out of bounds"),
    (float_index, V, "IndexError: only integers"),
    (two_ellipses, V, "a single ellipsis"),
    (set_shape, M, "The attribute `.shape` of an array is set"),
    (tuple_item, V, "'tuple' object does not support item assignment"),
    (tuple_item_augmented, V, "'tuple' object does not support item assignment"),
    (other_ufunc_at, V, "np.multiply.at is not supported"),
    (integers_added_at, np.arange(5), "float64 cannot be written into an array of int64"),
    (repeated_values, V, "whose length may differ"),
    (resized, V, "The method `.resize` writes into its array"),
    (several_outs, V, "`out` of several results"),
    (out_of_no_array, V, "TypeError: return arrays must be of ArrayType"),
    (which_view, M, "which array `B` is, and so which one is written into"),
    (appended_and_written, V, "A list holds an array that the loop writes into.*`.append(array.copy())`"),
    (written_after_append, V, "is the array that was written into since"),
    (argument_written_after_append, V, "is the array that was written into since"),
    (list_of_array_that_grows_in_place, V, "is the array that was written into since"),
    (rotated, M, "A write through np.rot90 is not supported"),
]


@pytest.mark.parametrize(("function", "arg", "what"), COMPILED, ids=[one[0].__name__ for one in COMPILED])
def test_refused(function: Any, arg: Any, what: str) -> None:
    report = " ".join(refusal(function, arg.copy()).split())
    for part in what.split(".*"):
        assert part in report, report


# Outputs and memory


def both(A, x):
    A[0] = x
    A[1:] *= 2
    return A.sum()


def returns_nothing(A, x):
    A[1:] *= x


def test_outputs_are_results() -> None:
    A, x = np.ones((3, 2)), np.array([2.0, 3.0])
    value, pullback = symdiff.vjp(returns_nothing, wrt=("A", "x"), outputs="A")(A, x)
    wanted = A.copy()
    returns_nothing(wanted, x)
    assert_same(value, wanted)
    A_bar, x_bar = pullback(np.ones((3, 2)))
    assert_same(A_bar, np.array([[1.0, 1.0], [2.0, 3.0], [2.0, 3.0]]))
    assert_same(x_bar, np.array([2.0, 2.0]))
    assert_same(A, np.ones((3, 2)))


def test_outputs_beside_the_return_value() -> None:
    A, x = np.ones((3, 2)), np.array([2.0, 3.0])
    value, pullback = symdiff.vjp(both, wrt="x", outputs=("x", "A"))(A, x)
    assert_same(value, (np.float64(13.0), x, np.array([[2.0, 3.0], [2.0, 2.0], [2.0, 2.0]])))
    assert value[1] is not x
    assert_same(pullback((1.0, np.ones(2), np.zeros((3, 2)))), np.array([2.0, 2.0]))


def test_gradient_of_a_function_that_writes_into_its_argument() -> None:
    A, x = np.ones((3, 2)), np.array([2.0, 3.0])
    value, (A_bar, x_bar) = symdiff.value_and_grad(both, wrt=("A", "x"))(A, x)
    assert value == 13
    assert_same(A_bar, np.array([[0.0, 0.0], [2.0, 2.0], [2.0, 2.0]]))
    assert_same(x_bar, np.ones(2))
    assert_same(A, np.ones((3, 2)))


def test_read_only_arguments_are_not_written() -> None:
    A = np.ones((3, 2))
    A.flags.writeable = False
    assert_same(symdiff.grad(both, wrt="x")(A, np.ones(2)), np.ones(2))
    with pytest.raises(ValueError, match="read-only"):
        symdiff.differentiate(both)(A, np.ones(2))


WRONG_OUTPUTS = [
    (both, {"outputs": "B"}, "outputs='B': both has no such parameter"),
    (both, {"outputs": ("A", "A")}, "outputs names 'A' twice"),
    (both, {"outputs": 3}, "outputs must be the names of arguments"),
    (both, {"outputs": ("A", 0)}, "outputs must be the names of arguments"),
    (both, {"outputs": "A", "has_aux": True}, "has_aux and outputs cannot be combined"),
    (both, {"outputs": "A"}, "its gradient needs one scalar"),
    (returns_nothing, {}, r"returns nothing; it writes into `A`"),
    (returns_nothing, {}, r"outputs=\('A',\)"),
]


@pytest.mark.parametrize(("function", "options", "what"), WRONG_OUTPUTS)
def test_wrong_outputs(function: Any, options: Any, what: str) -> None:
    with pytest.raises(SymdiffError, match=what):
        symdiff.grad(function, **options)(np.ones((3, 2)), np.ones(2))


def scaled(x, k):
    x *= k
    return x.sum()


def test_outputs_without_an_array() -> None:
    with pytest.raises(SymdiffError, match="outputs='k': the argument holds no array"):
        symdiff.vjp(scaled, outputs="k")(np.ones(2), 2.0)


def test_shared_memory_is_refused_where_it_is_written() -> None:
    A, derivative = np.ones((3, 2)), symdiff.grad(both, wrt="x")
    derivative(A, np.ones(2))
    for x in (A[0], A[1]):
        with pytest.raises(SymdiffError, match="`A` and `x` share memory"):
            derivative(A, x)
        with pytest.raises(SymdiffError, match="`A` and `x` share memory"):
            derivative(A=A, x=x)
    wide = np.ones((3, 4))
    derivative(wide[:, ::2], np.ascontiguousarray(wide[0, 1::2]))
    derivative(wide[:, ::2], wide[0, 1::2])  # interleaved: they share no element


def nothing_written(x, y):
    return np.sum(x * y)


def test_shared_memory_does_not_matter_where_nothing_is_written() -> None:
    x = np.ones(3)
    assert_same(symdiff.grad(nothing_written)(x, x), x)


def tree_written(params):
    params["a"][0] = 1
    return params["a"] @ params["b"]


def test_shared_memory_inside_a_container() -> None:
    x = np.arange(3.0)
    symdiff.grad(tree_written)({"a": x, "b": x.copy()})
    with pytest.raises(SymdiffError, match="share memory"):
        symdiff.grad(tree_written)({"a": x, "b": x})


def line_written(A):
    A.reshape(-1)[1] = 0
    return np.sum(A**2)


def test_layout_that_decides_what_is_written() -> None:
    A = np.arange(1.0, 7.0).reshape(2, 3)
    assert_same(symdiff.grad(line_written)(A), 2 * A * (A != 2))
    with pytest.raises(SymdiffError, match="`A` is not C-contiguous") as raised:
        symdiff.grad(line_written)(np.asfortranarray(A))
    span = raised.value.problems[0].span
    assert span is not None
    assert span.line == line_written.__code__.co_firstlineno


def test_before_a_call() -> None:
    """Of arrays of unknown rank the source can be read as well."""
    assert "def scaled_grad(x, k)" in symdiff.grad(scaled).source


def test_names_are_the_users() -> None:
    made = lower(both, inspect.signature(both).bind(np.ones((3, 2)), np.ones(2)))
    names = [node.name for node in made.function.body.body if node.op.name == "update"]
    assert names == ["A", "A"]
    assert made.written == {("A", ())}
