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
    return tree.value if tree.kind == "static" else rebuilt(tree, [built(one, leaves) for one in tree.children])


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
