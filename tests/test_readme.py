"""The README's commands are the ones that CI runs, and its sources those that are generated."""

import importlib.util
import pathlib
import re
import sys

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parent.parent
INSTALL = r"python3 -m venv \.venv && \.venv/bin/pip install -q -e \"\.\[[a-z,]+\]\" && \.venv/bin/python "


def test_the_test_command_of_the_readme_is_the_one_of_ci() -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    (command,) = re.findall(r"^readme_tests='(.*)'$", script, re.MULTILINE)
    assert re.fullmatch(INSTALL + r"-m pytest\b.*", command)
    readme = (ROOT / "README.md").read_text("utf-8")
    assert command in readme.splitlines()


def test_the_readme_shows_two_commands() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    commands = [line for line in readme.splitlines() if re.match(INSTALL, line)]
    assert [line.partition("/python ")[2].split()[0] for line in commands] == ["examples/digits.py", "-m"]


COLUMN = np.ones((8, 1))
SHOWN = {
    "linear": ("loss", (np.zeros(1), np.zeros(1), COLUMN, COLUMN)),
    "transport": ("transported", (np.ones(5), 0.1, 3)),
}


@pytest.mark.parametrize("name", SHOWN)
def test_the_readme_shows_what_is_generated(
    name: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    function, arguments = SHOWN[name]
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    shown = next(k for k, block in enumerate(blocks) if f"def {function}(" in block)
    path = tmp_path / "examples" / f"{name}.py"
    path.parent.mkdir()
    path.write_text(blocks[shown].partition("\n\nvalue, ")[0], encoding="utf-8")
    spec = importlib.util.spec_from_file_location(f"readme_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    assert getattr(module, function).grad.source_for(*arguments) == blocks[shown + 1]
