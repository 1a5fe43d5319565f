"""Rewriting: nothing changes but what a walk changes, and what reads it."""

from dataclasses import replace

import pytest
from ir.programs import PROGRAMS

from symdiff.ir.build import Builder
from symdiff.ir.node import Node
from symdiff.ir.rewriting import Rewriting
from symdiff.ir.text import to_text
from symdiff.ir.verify import verify
from symdiff.ops.row import REGISTRY


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_does_not_change_is_taken_over_as_it_is(name):
    function = PROGRAMS[name]()
    made = Rewriting(Builder(function.sizes)).function(function)
    for old, new in ((function.body.body, made.body.body), (function.results, made.results)):
        assert len(old) == len(new)
        assert all(a is b for a, b in zip(old, new, strict=True))


class _Other(Rewriting):
    """`cos` in the place of `sin`."""

    def renewed(self, node: Node) -> Node:
        made = super().renewed(node)
        return replace(made, op=REGISTRY["cos"]) if made.op.name == "sin" else made


def changes(name):
    return any(node.op.name == "sin" for node in PROGRAMS[name]().nodes())


@pytest.mark.parametrize("name", [name for name in PROGRAMS if changes(name)])
def test_a_change_reaches_all_that_reads_it(name):
    function = PROGRAMS[name]()
    before = to_text(function)
    made = _Other(Builder(function.sizes)).function(function)
    assert to_text(made) == before.replace("sin(", "cos(") != before
    verify(made, REGISTRY, unique=True)
    assert to_text(function) == before
