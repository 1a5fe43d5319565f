"""The README's commands are the ones that CI runs."""

import pathlib
import re

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
