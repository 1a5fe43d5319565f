"""The way through the house: a lowered function to the text of its derivative.

    python function --frontend--> Function --autodiff--> Function --simplify--> Function --backend--> source --cache-->

Enters: a `Lowered` function and a `Request`.  Leaves: a cache entry with the generated source.  Invariant: the
key of an entry is everything that code generation reads: the program's text form, the request, and the versions
of symdiff's own sources, Python and NumPy.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from symdiff import cache
from symdiff.ir.node import Function, Node, Tree
from symdiff.ir.text import to_text

if TYPE_CHECKING:
    from collections.abc import Sequence

STORE = cache.Store()


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a function: the transform, the leaves it is taken with respect to and their packing."""

    transform: str
    wrt: tuple[Node, ...]
    tree: Tree
    summary: str
    backend: str = "numpy"
    aux: bool = False

    def text(self) -> str:
        wrt = [(node.attr("parameter"), node.attr("path")) for node in self.wrt]
        return repr((self.transform, wrt, tree_text(self.tree), self.summary, self.backend, self.aux))


def tree_text(tree: Tree) -> str:
    """A structure as stable text: classes by name, never by address."""
    if tree.kind == "leaf":
        return "*"
    children = [tree_text(child) for child in tree.children]
    return f"{tree.kind}({', '.join(children)}; {tree.keys!r}; {tree.like!r})"


def compiled(function: Function, request: Request) -> cache.Entry:
    """The entry for a request, from the cache or generated now."""
    key = cache.key_of(
        {
            "program": to_text(function),
            "request": request.text(),
            "generator": generator_version(),
            "python": "%d.%d" % sys.version_info[:2],
            "numpy": np.__version__,
        }
    )
    entry = STORE.load(key)
    if entry is None:
        source = generated(function, request)
        entry = STORE.save(key, cache.Entry(source=source, metadata={"function": function.name}))
    return entry


def generated(function: Function, request: Request) -> str:
    """The source of the module for a request."""
    from symdiff.backends.numpy import source

    for name, stage in stages(request):
        dump(function, name)
        function = stage(function)
    dump(function, "simplified")
    return source(function)


def stages(request: Request) -> Iterator[tuple[str, Callable[[Function], Function]]]:
    """Every stage with the name of what enters it."""
    from symdiff.autodiff import reverse
    from symdiff.simplify import simplify

    def derive(function: Function) -> Function:
        if request.transform == "vjp":
            made = reverse.vjp(function, request.wrt, request.tree)
        else:
            value = request.transform == "value_and_grad"
            made = reverse.gradient(function, request.wrt, request.tree, value=value, aux=request.aux)
        return replace(made, summary=request.summary)

    yield "primal", derive
    yield "derived", simplify


def dump(function: Function, stage: str) -> None:
    """With SYMDIFF_DUMP=dir, write the program as it stands."""
    folder = os.environ.get("SYMDIFF_DUMP")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        Path(folder, f"{function.name}.{stage}.txt").write_text(to_text(function), encoding="utf-8")


@lru_cache(maxsize=1)
def generator_version() -> str:
    """A hash of all that shapes the output: symdiff's own sources and templates."""
    import hashlib

    package = Path(__file__).resolve().parent
    digest = hashlib.sha256()
    folders = [package, package / "templates", package.parent / "templates"]
    for folder in folders:
        pattern = "**/*.py" if folder == package else "*.jinja"
        for path in sorted(folder.glob(pattern)):
            digest.update(path.name.encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def load(entry: cache.Entry, name: str) -> Callable[..., object]:
    """The generated function itself."""
    function: Callable[..., object] = cache.execute(entry)[name]
    return function


def names_of(request: Sequence[str]) -> str:
    return ", ".join(request)
