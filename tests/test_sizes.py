"""Arguments that the function itself would refuse are refused, although a derivative may not meet the
operation."""

import numpy as np
import pytest

from symdiff import grad
from symdiff.errors import ShapeError


def product(x, y):
    return np.sum(x * y)


def reshaped(x):
    return np.sum(x.reshape(2, 4))


def in_rows_of_four(x):
    return np.sum(x.reshape(-1, 4))


def joined(x, y):
    return np.sum(np.concatenate([x, y], axis=1))


@pytest.mark.parametrize(
    ("function", "right", "wrong"),
    [
        (product, [(3,), (3,)], [(3,), (4,)]),
        (product, [(2, 3), (3,)], [(2, 3), (2,)]),
        (reshaped, [(2, 4)], [(2, 3)]),
        (reshaped, [(8,)], [(9,)]),
        (in_rows_of_four, [(3, 4)], [(3, 3)]),
        (joined, [(2, 3), (2, 5)], [(2, 3), (4, 3)]),
    ],
    ids=["product", "broadcast", "reshape", "flat", "free", "concatenate"],
)
@pytest.mark.parametrize("first", ["right", "wrong"])
def test_sizes_that_do_not_fit(function, right, wrong, first):
    derivative = grad(function, wrt=0)
    if first == "right":
        derivative(*map(np.ones, right))
    with pytest.raises((ValueError, ShapeError)):
        function(*map(np.ones, wrong))
    with pytest.raises(ShapeError):
        derivative(*map(np.ones, wrong))
    assert derivative(*map(np.ones, right)).shape == right[0]
