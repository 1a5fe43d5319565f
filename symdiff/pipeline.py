"""The way through the house: a lowered function to the text of its derivative.

    python function --frontend--> Function --autodiff--> Function --simplify--> Function --backend-->
    source --cache-->

Enters: a `Lowered` function and a `Request`.  Leaves: a cache entry with the generated source.
Invariant: the key of an entry is everything that code generation reads: the program's text form, the
request, and the versions of symdiff's own sources, Python and NumPy.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from symdiff import cache
from symdiff.ir.literals import tree_text
from symdiff.ir.node import Function, Node, Tree
from symdiff.ir.text import to_text

if TYPE_CHECKING:
    from symdiff.autodiff.update import Step

STORE = cache.Store()


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a function: the transform, the leaves it is taken with respect to and their packing.

    step: for the transform "step", how the leaves are updated.
    """

    transform: str
    wrt: tuple[Node, ...]
    tree: Tree
    summary: str
    backend: str = "numpy"
    aux: bool = False
    step: Step | None = None

    def text(self) -> str:
        wrt = [(node.attr("parameter"), node.attr("path")) for node in self.wrt]
        step = "" if self.step is None else self.step.text()
        return repr((self.transform, wrt, tree_text(self.tree), self.summary, self.backend, self.aux, step))


def compiled(function: Function, request: Request) -> cache.Entry:
    """The entry for a request, from the cache or generated now."""
    key = cache.key_of(
        {
            "program": to_text(function),
            "request": request.text(),
            "generator": generator_version(),
            "python": f"{sys.version_info.major}.{sys.version_info.minor}",
            "numpy": np.__version__,
        }
    )
    entry = STORE.load(key)
    if entry is None:
        source = generated(function, request)
        entry = STORE.save(
            key, cache.Entry(source=source, metadata={"name": f"{function.name}_{request.transform}"})
        )
    return entry


def generated(function: Function, request: Request) -> str:
    """The source of the module for a request."""
    from symdiff.backends.numpy import source

    with without_collection():
        for name, stage in stages(request):
            dump(function, name)
            function = stage(function)
        dump(function, "simplified")
        return source(function)


@contextmanager
def without_collection() -> Iterator[None]:
    """Programs hold no cycles: looking for some takes a third of the time for 3,000 lines, and ever more."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def plan_of(function: Function, request: Request | None) -> Mapping[str, Any]:
    """What the derivative saves and computes again: "saved" and "recomputed", as (name, line, type)."""
    if request is None:
        return {}
    _, derive = next(stages(request))
    return derive(function).info


def stages(request: Request) -> Iterator[tuple[str, Callable[[Function], Function]]]:
    """Every stage with the name of what enters it."""
    from symdiff.autodiff import reverse
    from symdiff.simplify import simplify

    def derive(function: Function) -> Function:
        if request.transform == "vjp":
            made = reverse.vjp(function, request.wrt, request.tree)
        else:
            value = request.transform in ("value_and_grad", "step")
            made = reverse.gradient(function, request.wrt, request.tree, value=value, aux=request.aux)
        return replace(made, summary=request.summary)

    yield "primal", derive
    yield "derived", simplify
    step = request.step
    if step is not None:
        from symdiff.autodiff.update import updated

        yield "gradient", lambda function: updated(function, step)


def dump(function: Function, stage: str) -> None:
    """With SYMDIFF_DUMP=dir, write the program as it stands."""
    folder = os.environ.get("SYMDIFF_DUMP")
    if folder:
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, f"{function.name}.{stage}.txt"), "w", encoding="utf-8") as file:
            file.write(to_text(function))


@lru_cache(maxsize=1)
def generator_version() -> str:
    """A hash of all that shapes the output: symdiff's own sources and templates."""
    import hashlib

    package = os.path.dirname(os.path.abspath(__file__))
    found = [
        path
        for folder in (package, os.path.join(os.path.dirname(package), "templates"))
        for path in _files(folder)
    ]
    digest = hashlib.sha256()
    for path in sorted(found):
        with open(path, "rb") as file:
            digest.update(os.path.basename(path).encode())
            digest.update(file.read())
    return digest.hexdigest()


def _files(folder: str) -> Iterator[str]:
    for root, _, names in os.walk(folder):
        yield from (os.path.join(root, name) for name in names if name.endswith((".py", ".jinja")))


def load(entry: cache.Entry, name: str) -> Callable[..., object]:
    """The generated function itself."""
    function: Callable[..., object] = cache.execute(entry)[name]
    return function
