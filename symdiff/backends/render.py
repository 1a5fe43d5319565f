"""The one place that renders templates.

Enters: a template's name and finished pieces of text.  Leaves: the text of a module.  Invariant:
templates hold layout only (slots, no logic); every slot must be given.  Templates are found in the
installed package's data or beside the checkout.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from symdiff.errors import SymdiffError

if TYPE_CHECKING:
    import jinja2

_PACKAGE = Path(__file__).resolve().parent.parent
FOLDERS = (_PACKAGE / "templates", _PACKAGE.parent / "templates")


def template_path(name: str) -> Path:
    for folder in FOLDERS:
        if (folder / name).is_file():
            return folder / name
    raise SymdiffError(f"The template {name} is missing from this installation.", "reinstall symdiff")


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    import jinja2

    return jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True, autoescape=False)


def render(name: str, **slots: str) -> str:
    return _environment().from_string(template_path(name).read_text(encoding="utf-8")).render(**slots)
