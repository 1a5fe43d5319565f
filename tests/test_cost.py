"""The report of what a derivative keeps for the way back, and the marks that change it."""

from __future__ import annotations

import numpy as np
import pytest

import symdiff
from symdiff.errors import WrtError

W = np.full((3, 3), 0.1)
X = np.array([0.5, 1.5, 2.5])


def chain(x, w, n):
    for _ in range(n):
        x = np.tanh(w @ x)
    return np.sum(x**2)


def test_what_a_loop_saves():
    cost = symdiff.grad(chain).cost(X, W, 4)
    (stack,) = [one for one in cost.saved if one.items == 4]
    assert (stack.kind, stack.line) == ("float64[3]", 17)
    assert cost.total == sum(one.bytes for one in cost.saved) == 4 * 24  # the last item has two names
    assert symdiff.grad(chain).cost(X, W, 8).total == cost.total + 4 * 24


def test_the_report_reads_as_a_table():
    text = str(symdiff.grad(chain).cost(X, W, 4))
    lines = text.splitlines()
    assert lines[0].split() == ["saved", "line", "type", "items", "bytes"]
    assert any(line.startswith("total") for line in lines)
    assert len({len(line.rstrip()) for line in lines[:2]}) == 1


def test_arguments_and_shared_memory_do_not_count():
    def loss(x, y):
        return np.sum(x * y) + np.sum(x[1:] * y[1:])

    assert symdiff.grad(loss, wrt=(0, 1)).cost(X, X + 1).total == 0


def test_a_linear_function_saves_nothing():
    cost = symdiff.grad(lambda x, a: 2 * np.sum(x) * a).cost(X, 3.0)
    assert cost.saved == ()
    assert cost.total == 0


def test_cost_of_a_method():
    class Model:
        @symdiff.differentiate(wrt="x")
        def loss(self, x):
            return np.sum(np.exp(x))

    assert Model().loss.grad.cost(X).total == 24


# Marks


def test_marks_are_identities():
    assert symdiff.stop_gradient(X) is X
    assert symdiff.checkpoint([1, 2]) == [1, 2]
    assert symdiff.checkpoint(range(3), every=2) == range(3)

    @symdiff.checkpoint
    def doubled(x):
        """Twice."""
        return x * 2

    assert doubled(3.0) == 6.0
    assert (doubled.__name__, doubled.__doc__) == ("doubled", "Twice.")


@pytest.mark.parametrize(("what", "every"), [(np.sin, 3), (range(3), 0), (range(3), -2)])
def test_wrong_marks(what, every):
    with pytest.raises(WrtError, match=r"every"):
        symdiff.checkpoint(what, every=every)


def test_no_gradient_flows_through_stop_gradient():
    def loss(x, params):
        fixed = symdiff.stop_gradient(params)
        return np.sum(symdiff.stop_gradient(x) * x) + np.sum(fixed["w"] * x)

    gradient, inner = symdiff.grad(loss, wrt=("x", "params"))(X, {"w": X * 2})
    np.testing.assert_array_equal(gradient, X * 3)
    np.testing.assert_array_equal(inner["w"], np.zeros(3))


def test_stop_gradient_is_not_seen_in_the_source():
    source = symdiff.grad(lambda x: np.sum(symdiff.stop_gradient(x) * x)).source_for(X)
    assert "import symdiff" not in source
    assert "stop_gradient(" not in "\n".join(
        line for line in source.splitlines() if not line.lstrip().startswith("#")
    )


def test_a_checkpointed_function_has_the_same_gradient():
    def block(x):
        y = np.tanh(x)
        return np.exp(y) * y

    marked = symdiff.checkpoint(block)
    plain = symdiff.grad(lambda x: np.sum(block(block(x))))(X)
    np.testing.assert_allclose(symdiff.grad(lambda x: np.sum(marked(marked(x))))(X), plain, rtol=1e-14)
