"""Mutants of every rule: the comparison with differences must notice each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from ops.samples import Sample, gradient_error
from ops.specs import RANDOM, specs_of

from symdiff.ops.row import REGISTRY, Row


def changed(rule: Callable[..., Any], change: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda *operands, **attrs: change(rule(*operands, **attrs))


def each(change: Callable[[Any], Any], index: int) -> Callable[[Any], Any]:
    """Apply a change to one of the cotangents of a custom rule."""
    return lambda parts: tuple(change(part) if i == index else part for i, part in enumerate(parts))


CHANGES: dict[str, Callable[[Any], Any]] = {
    "negated": lambda part: None if part is None else -1 * part,
    "doubled": lambda part: None if part is None else 2 * part,
    "dropped": lambda part: None,
}


def mutants(row: Row) -> Iterator[tuple[str, str, Any]]:
    """(mutation, field of the row, new value)."""
    for label, change in CHANGES.items():
        for name in ("partials", "transposes"):
            rules = getattr(row, name)
            for i, rule in enumerate(rules):
                if rule is not None and rule is not ZERO and not hasattr(rule, "refuses"):
                    made = (*rules[:i], changed(rule, change), *rules[i + 1 :])
                    yield f"{label}{i}", name, made
        if row.transpose is not None:
            yield label, "transpose", changed(row.transpose, change)
        if row.definition is not None and label != "dropped":
            yield label, "definition", changed(row.definition, change)
        if row.vjp is not None:
            for i in range(len(row.operands)):
                yield f"{label}{i}", "vjp", changed(row.vjp, each(change, i))


# The derivative of sign is zero wherever there is one.
ZERO = REGISTRY["sign"].partials[0]
UNSEEN = RANDOM | {
    "index", "scatter", "add_at", "fit_like", "matmul_left", "matmul_right",
    "astype",
    # Their mutants are in test_updates and test_stacks.
    "update", "push", "pop", "stack_item",
    # Lists that loops append to have tests of their own.
    "stacked", "as_array", "unstacked", "concatenated", "split_like", "add_to_item", "sum_of_stacks",
    "set_item", "repeated", "listed", "chained", "first_of", "rest_of",
    # Theirs are in test_linear.
    "linalg.eig", "scipy.linalg.eigh", "scipy.linalg.cho_factor",
    # The step's only derivative lives at the step: see the table of kinks.
    "heaviside",
}  # fmt: skip
MUTANTS = [
    pytest.param(row, field, made, id=f"{row.name}-{label}")
    for row in REGISTRY.values()
    if row.kind != "constant" and row.name not in UNSEEN
    for label, field, made in mutants(row)
]


@contextmanager
def patched(row: Row, field: str, value: Any) -> Iterator[None]:
    before = getattr(row, field)
    object.__setattr__(row, field, value)
    try:
        yield
    finally:
        object.__setattr__(row, field, before)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("row", "field", "made"), MUTANTS)
def test_mutant_is_caught(row: Row, field: str, made: Any) -> None:
    specs = specs_of(row)
    assert specs
    with patched(row, field, made):
        for spec in specs:
            try:
                if gradient_error(Sample(row, spec)) > 1e-6:
                    return
            except (AssertionError, TypeError):  # a shape that does not fit, or a part that is missing
                return
    pytest.fail(f"{row.name}: no sample notices the mutant")
