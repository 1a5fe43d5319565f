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
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from symdiff import cache
from symdiff.errors import UnsupportedError
from symdiff.frontend.derivatives import DERIVED
from symdiff.ir.literals import tree_text
from symdiff.ir.node import Function, Node, Tree
from symdiff.ir.text import to_text
from symdiff.records import dataclass

if TYPE_CHECKING:
    from symdiff.autodiff.update import Step

STORE = cache.Store()


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a function: the transform, the leaves it is taken with respect to and their packing.

    step: for the transform "step", how the leaves are updated.  inner: what is asked first, where a
    derivative is differentiated.  tangents: by parameter that has one in forward mode, that of its tangent.
    mode: of a Jacobian, "fwd" or "rev".  batched: the parameters that hold one item per example.  keep: the
    names of the further results, whose gradients are returned beside the gradient.
    """

    transform: str
    wrt: tuple[Node, ...]
    tree: Tree
    summary: str
    backend: str = "numpy"
    aux: bool = False
    step: Step | None = None
    inner: Request | None = None
    tangents: tuple[tuple[str, str], ...] = ()
    mode: str = ""
    batched: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()

    def named(self, function: str) -> str:
        """The name of the generated function."""
        before = self.inner
        if before is not None and self.transform in ("hvp", "hessian"):
            before = before.inner  # the gradient is part of it
        return f"{function if before is None else before.named(function)}_{self.transform}"

    def text(self) -> str:
        wrt = [(node.attr("parameter"), node.attr("path")) for node in self.wrt]
        step = "" if self.step is None else self.step.text()
        own = (self.transform, wrt, tree_text(self.tree), self.summary, self.backend, self.aux, step)
        return repr(
            (
                *own,
                self.tangents,
                self.mode,
                self.batched,
                self.keep,
                "" if self.inner is None else self.inner.text(),
            )
        )


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
        entry = STORE.save(key, cache.Entry(source=source, metadata={"name": request.named(function.name)}))
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
    from symdiff.autodiff.rules import erased
    from symdiff.simplify import simplify

    yield "primal", lambda function: replace(erased(derived(function, request)), summary=request.summary)
    yield "derived", simplify
    step = request.step
    if step is not None:
        from symdiff.autodiff.update import updated

        yield "gradient", lambda function: updated(function, step)


def derived(function: Function, request: Request) -> Function:
    """The derivative that is asked for; of a derivative, that of the program that computes it."""
    from symdiff.autodiff import elementwise, forward, jacobians, reverse
    from symdiff.ir.tidy import without_dead

    transform, wrt, tree = request.transform, request.wrt, request.tree
    name = function.name
    if request.inner is not None:
        made = without_dead(derived(function, request.inner))
        if not made.functions.keys() <= function.functions.keys():
            raise UnsupportedError(
                f"{function.name} calls a function that calls itself, and has no second derivative.", "a loop"
            )
        function = made
    if transform == "vjp":
        made = reverse.vjp(function, wrt, tree)
    elif transform == "jvp":
        made = forward.jvp(function, wrt, dict(request.tangents), part=0 if request.aux else None)
    elif transform == "hvp":
        part = 1 if request.aux else None
        made = forward.jvp(function, wrt, dict(request.tangents), value=False, part=part)
    elif transform == "elementwise_grad":
        made = reverse.gradient(elementwise.summed(function), wrt, tree, value=False)
    elif transform == "jacobian":
        part = 0 if request.aux else None
        made = jacobians.jacobian(function, wrt, tree, request.mode, part=part, value=request.aux)
    elif transform == "hessian":
        part = 1 if request.aux else None
        made = jacobians.jacobian(function, wrt, tree, "fwd", part=part, symmetric=True)
    elif transform == "per_example_grad":
        gradient = reverse.gradient(function, wrt, tree, value=False, aux=request.aux)
        made = jacobians.per_example(without_dead(gradient), request.batched)
    else:
        value = transform in ("value_and_grad", "step")
        made = reverse.gradient(function, wrt, tree, value=value, aux=request.aux, keep=request.keep)
    return made if transform == "step" else replace(made, name=request.named(name))


def _inside(function: Function, transform: str, wrt: tuple[Node, ...], tree: Tree, aux: bool) -> Function:
    """The derivative that the function takes itself."""
    from symdiff.ir.tidy import without_dead

    return without_dead(derived(function, Request(transform, wrt, tree, "", aux=aux)))


DERIVED.append(_inside)


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
