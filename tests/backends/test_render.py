"""Templates hold layout and nothing else; they are found wherever symdiff is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
import pytest
from jinja2 import nodes

from symdiff import SymdiffError
from symdiff.backends import render

TEMPLATES = sorted((Path(__file__).resolve().parents[2] / "templates").glob("*"))


def beyond_layout(text: str) -> list[str]:
    """What a template holds besides text and plain slots."""
    found = []
    pending: list[Any] = list(jinja2.Environment().parse(text).body)
    while pending:
        node = pending.pop()
        if isinstance(node, nodes.Output):
            pending += node.nodes
        elif not isinstance(node, nodes.TemplateData | nodes.Name):
            found.append(type(node).__name__)
    return found


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_logic(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert beyond_layout(text) == []
    assert "{#" not in text


def test_there_are_templates() -> None:
    assert [path.name for path in TEMPLATES if path.suffix == ".jinja"]


@pytest.mark.parametrize(
    "text",
    ["{% if a %}{% endif %}", "{% for a in b %}{% endfor %}", "{{ a | upper }}", "{% set a = 1 %}",
    "{{ a() }}", "{{ a.b }}",
     "{{ a['b'] }}", "{{ a + b }}", "{% include 'a' %}", "{% macro a() %}{% endmacro %}", "{{ 'a' }}",
     "{{ a if b }}",
     "{% extends 'a' %}", "{% block a %}{% endblock %}", "{% raw %}{{ a }}{% endraw %}{{ a ~ b }}"],
)  # fmt: skip
def test_logic_is_seen(text: str) -> None:
    assert beyond_layout(text)


def test_every_slot_must_be_given() -> None:
    with pytest.raises(jinja2.UndefinedError):
        render.render("numpy_module.py.jinja", header="")


def test_slots_are_not_templates() -> None:
    """What stands in a slot is text, whatever it looks like."""
    names = ("header", "imports", "functions", "signature", "summary", "body")
    slots = dict.fromkeys(names, "{{ 1 + 1 }} {% if x %} <&>")
    assert render.render("numpy_module.py.jinja", **slots).count("{{ 1 + 1 }} {% if x %} <&>") == 6


def test_found_in_the_package_first_then_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package, checkout = tmp_path / "package" / "templates", tmp_path / "templates"
    assert [folder.name for folder in render.FOLDERS] == ["templates", "templates"]
    assert render.FOLDERS[0].parent.parent == render.FOLDERS[1].parent
    monkeypatch.setattr(render, "FOLDERS", (package, checkout))
    with pytest.raises(SymdiffError, match="missing from this installation"):
        render.template_path("a.jinja")
    checkout.mkdir()
    (checkout / "a.jinja").write_text("{{ word }} beside")
    assert render.render("a.jinja", word="found") == "found beside"
    package.mkdir(parents=True)
    (package / "a.jinja").write_text("{{ word }} inside")
    assert render.render("a.jinja", word="found") == "found inside"
