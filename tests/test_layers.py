"""The layers: api -> dispatch -> pipeline, cache -> frontend | autodiff | simplify | backends -> ops -> ir
-> errors -> records.

A module imports its own folder and the layers below.  Large or optional libraries are imported in one place
each, and only inside functions.  `runtime`, which generated code may import, needs NumPy and nothing else.
"""

import ast
import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch

import pytest

import symdiff.errors

PACKAGE = pathlib.Path(symdiff.errors.__file__).parent
LAYERS = (
    {"records"},
    {"errors", "runtime"},
    {"ir", "marks"},
    {"ops"},
    {"frontend", "autodiff", "simplify", "backends"},
    {"cache"},
    {
        "pipeline",
        "request",
        "results",
        "callables",
        "cost",
    },  # the last stage is the cache, which knows nothing of the others
    {"origins"},
    {"variants"},
    {"dispatch"},
    {"tangents", "modes"},
    {"__init__", "api", "fitting", "optim", "train", "testing"},  # these may import each other
)
RANK = {part: rank for rank, layer in enumerate(LAYERS) for part in layer}
HOMES = {
    "sympy": "simplify/*",
    "jinja2": "backends/render.py",
    "cupy": "backends/cupy*.py",
    "cupyx": "backends/cupy*.py",
}


def imports(tree: ast.AST, package: str, lazy: bool = False) -> Iterator[tuple[str, bool, int]]:
    """Every import below `tree`: the absolute name, whether it is lazy, its line."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, lazy, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = (
                ".".join(package.split(".")[: len(package.split(".")) + 1 - node.level]) if node.level else ""
            )
            module = ".".join(filter(None, [base, node.module]))
            yield from ((f"{module}.{alias.name}", lazy, node.lineno) for alias in node.names)
        else:
            function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            typing = (
                isinstance(node, ast.If) and not node.orelse and ast.unparse(node.test) == "TYPE_CHECKING"
            )
            yield from imports(node, package, lazy or function or typing)


def allowed(file: pathlib.PurePath, name: str, lazy: bool) -> bool:
    part = file.parts[0].removesuffix(".py")
    top, *rest = name.split(".")
    if top == "symdiff":
        other = rest[0] if rest and rest[0] in RANK else "__init__"
        below = RANK[other] < RANK[part] or RANK[part] == len(LAYERS) - 1
        return other == part or (below and part != "runtime")
    if part == "runtime":
        return top == "numpy" or top in sys.stdlib_module_names
    return top not in HOMES or (lazy and fnmatch(file.as_posix(), HOMES[top]))


def violations(package: pathlib.Path) -> list[str]:
    found = []
    for path in sorted(package.rglob("*.py")):
        file = path.relative_to(package)
        if file.parts[0].removesuffix(".py") not in RANK:
            found.append(f"{file.as_posix()}: in no layer")
            continue
        names = imports(ast.parse(path.read_bytes()), ".".join(["symdiff", *file.parts[:-1]]))
        found += [
            f"{file.as_posix()}:{line}: {name}" for name, lazy, line in names if not allowed(file, name, lazy)
        ]
    return found


def test_the_package_keeps_its_layers() -> None:
    assert len(list(PACKAGE.rglob("*.py"))) > 5
    assert violations(PACKAGE) == []


GENERATION = ("sympy", "jinja2", "symdiff.autodiff", "symdiff.simplify", "symdiff.backends")


def loaded(code: str, folder: pathlib.Path) -> set[str]:
    """The modules in a new process after some code, which finds `program.cube` and a cache in the folder."""
    environment = {**os.environ, "SYMDIFF_CACHE": "disk", "SYMDIFF_CACHE_DIR": str(folder / "cache")}
    environment["PYTHONPATH"] = os.pathsep.join([str(folder), str(PACKAGE.parent)])
    code = f"import sys\nimport numpy as np\n{code}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_what_a_start_imports(tmp_path: pathlib.Path) -> None:
    """The front end is loaded with the package, which has more time than a first gradient; what generates
    code, and what stores it, is not, and generation stays out where the code is in the cache."""
    (tmp_path / "cache").mkdir(mode=0o700)
    (tmp_path / "program.py").write_text("def cube(x):\n    return (x * x * x).sum()\n")
    imported = loaded("import symdiff", tmp_path)
    late = {*GENERATION, "hashlib", "logging", "pathlib", "symdiff.pipeline", "symdiff.cache", "symdiff.cost"}
    before = loaded("", tmp_path)
    assert not (late & imported) - before
    code = "import symdiff, program\nsymdiff.grad(program.cube)(np.ones(3))"
    assert {"sympy", "jinja2", "symdiff.backends"} & loaded(code, tmp_path), "a cold start generates"
    assert not set(GENERATION) & loaded(code, tmp_path)


GOOD = [
    ("api.py", "from symdiff.pipeline import run\nfrom symdiff import cache, train"),
    ("train.py", "import symdiff.api\nfrom .optim import sgd"),
    ("__init__.py", "from symdiff.api import differentiate"),
    ("pipeline.py", "from . import frontend, autodiff, simplify, backends, cache"),
    ("ops/row.py", "from ..ir.node import Node\nfrom .other import x\nfrom symdiff.ops import y"),
    (
        "autodiff/reverse.py",
        "from __future__ import annotations\nimport symdiff.ir, symdiff.ops, symdiff.errors",
    ),
    ("simplify/deep/islands.py", "def f():\n    import sympy.core\n    from sympy import Symbol"),
    ("simplify/islands.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import sympy"),
    ("backends/render.py", "class A:\n    def f(self):\n        import jinja2"),
    ("backends/cupy_kernels.py", "def f():\n    if True:\n        import cupy, cupyx.jit"),
    (
        "runtime.py",
        "import copy\nimport numpy as np\nfrom numpy.typing import NDArray",
    ),
    ("backends/numpy.py", "import symdiff.runtime"),
]
BAD = [
    ("extra.py", "", "extra.py: in no layer"),
    ("extra/inner.py", "", "extra/inner.py: in no layer"),
    ("errors.py", "from symdiff import ir", "errors.py:1: symdiff.ir"),
    ("errors.py", "import symdiff.runtime", "errors.py:1: symdiff.runtime"),
    ("ir/node.py", "x = 1\nfrom symdiff.ops.row import Row", "ir/node.py:2: symdiff.ops.row.Row"),
    ("ops/row.py", "from .. import api", "ops/row.py:1: symdiff.api"),
    ("ops/row.py", "from ..frontend.source import x", "ops/row.py:1: symdiff.frontend.source.x"),
    ("ops/row.py", "def f():\n    from symdiff import differentiate", "ops/row.py:2: symdiff.differentiate"),
    ("ops/row.py", "import symdiff", "ops/row.py:1: symdiff"),
    ("autodiff/reverse.py", "import symdiff.simplify", "autodiff/reverse.py:1: symdiff.simplify"),
    ("backends/numpy.py", "from symdiff.frontend import x", "backends/numpy.py:1: symdiff.frontend.x"),
    ("simplify/__init__.py", "from ..cache import x", "simplify/__init__.py:1: symdiff.cache.x"),
    ("cache.py", "from .pipeline import Stage", "cache.py:1: symdiff.pipeline.Stage"),
    ("cache.py", "from .api import x", "cache.py:1: symdiff.api.x"),
    ("runtime.py", "import scipy.special", "runtime.py:1: scipy.special"),
    ("runtime.py", "def f():\n    from symdiff.errors import x", "runtime.py:2: symdiff.errors.x"),
    ("simplify/islands.py", "import sympy", "simplify/islands.py:1: sympy"),
    ("simplify/islands.py", "try:\n    import sympy\nexcept E: ...", "simplify/islands.py:2: sympy"),
    ("simplify/islands.py", "class A:\n    import sympy", "simplify/islands.py:2: sympy"),
    ("frontend/trace.py", "def f():\n    from sympy import S", "frontend/trace.py:2: sympy.S"),
    ("backends/numpy.py", "def f():\n    import jinja2", "backends/numpy.py:2: jinja2"),
    ("backends/native.py", "def f():\n    import cupy", "backends/native.py:2: cupy"),
    ("train.py", "async def f():\n    import cupyx.x", "train.py:2: cupyx.x"),
]


@pytest.mark.parametrize(("file", "text"), GOOD)
def test_what_is_allowed(file: str, text: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(text)
    assert violations(tmp_path) == []


@pytest.mark.parametrize(("file", "text", "expected"), BAD)
def test_a_planted_violation_is_caught(file: str, text: str, expected: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(text)
    assert violations(tmp_path) == [expected]
