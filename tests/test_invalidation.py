"""The cache is never stale and the output never varies: edits between processes, hash seeds, second runs."""
# The edits are a table.
# ruff: noqa: E501

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import types
from typing import NamedTuple

import numpy as np
import pytest
from corpus import numerical

import symdiff
from symdiff import cache, pipeline

MODEL = '''\
"""A model."""
import numpy as np
import math
from helper import helper, Base, OFFSET
import helper as module

SCALE = 2.0
WEIGHTS = np.array([1.0, 2.0, 3.0])
SETTINGS = {"power": 2, "rate": 0.5, "names": ["a", "b"]}
MODE = "relu"
N = 3


def made(scale, power):
    def inner(x):
        return np.sum(x**power) * scale
    return inner


class Model(Base):
    factor = 3.0

    def __init__(self):
        self.w = np.array([1.0, 0.5, 2.0])
        self.power = 2

    def forward(self, x):
        return self.w * x**self.power * self.factor


MODEL = Model()
INNER = made(1.5, 2)


def f(x, k=2.0, axis=0):
    # the loss
    y = helper(x) * SCALE + module.other(x) * k
    if MODE == "relu":
        y = np.maximum(y, 0.1)
    for i in range(N):
        y = y + x * i
    y = y + WEIGHTS * x ** SETTINGS["power"] + MODEL.forward(x) + MODEL.base(x)
    z = np.sum(y, axis=axis) * SETTINGS["rate"] + INNER(x) + OFFSET
    return z * math.pi
'''
HELPER = '''\
"""Helpers in a file of their own."""
import numpy as np

OFFSET = 1.0
GAIN = 0.25


def deeper(x):
    return np.sin(x) * GAIN


def helper(x, power=3):
    return x**power + deeper(x)


def other(x):
    return np.exp(-x)


class Base:
    slope = 0.5

    def base(self, x):
        return x * self.slope
'''
EDITS = [
    ("body", "math.pi", "math.e"), ("operator", "* k", "- k"), ("constant", "0.1", "0.9"),
    ("global number", "SCALE = 2.0", "SCALE = -5.0"), ("global kind", "SCALE = 2.0", "SCALE = np.float32(4.0)"),
    ("global array", "[1.0, 2.0, 3.0]", "[4.0, 2.0, 3.0]"), ("global shape", "[1.0, 2.0, 3.0]", "[4.0]"),
    ("global string", '"relu"\nN', '"tanh"\nN'), ("global int", "N = 3", "N = 5"),
    ("dict int", '"power": 2', '"power": 3'), ("dict float", '"rate": 0.5', '"rate": -0.5'),
    ("dict kind", '"power": 2', '"power": 2.5'), ("closure scalar", "made(1.5, 2)", "made(2.5, 2)"),
    ("closure int", "made(1.5, 2)", "made(1.5, 4)"), ("closure body", "np.sum(x**power) * scale", "np.sum(x**power) - scale"),
    ("closure code", "np.sum(x**power) * scale", "np.mean(x**power) * scale"),
    ("default", "k=2.0", "k=7.0"), ("int default", "axis=0", "axis=-1"), ("method", "x**self.power", "x*self.power"),
    ("attribute array", "0.5, 2.0])", "9.5, 2.0])"), ("attribute int", "self.power = 2", "self.power = 3"),
    ("class attribute", "factor = 3.0", "factor = 4.0"), ("name of a local", "z = np.sum(y", "z = np.sum(y + 0"),
    ("comment", "# the loss", "# the loss, in other words"), ("comment {{", "# the loss", "# {{ x }} {% y %}"),
    ("docstring", '"""A model."""', '"""A model.\n\nOf things.\n"""'), ("shift", "SCALE = 2.0", "\n\n\nSCALE = 2.0"),
    ("blank lines", "    if MODE", "\n\n    if MODE"), ("spaces", "y = y + x * i", "y   =   y + x*i"),
    ("order", "helper(x) * SCALE", "SCALE * helper(x)"), ("else", "if MODE == \"relu\":", "if MODE != \"relu\":"),
    ("renamed parameter", "def f(x, k=2.0, axis=0):", "def f(x, kk=2.0, axis=0):\n    k = kk"), ("alias", "import numpy as np\nimport math", "import numpy as np\nimport cmath as cm, math"),
    ("function rebound", "def f(x", "helper = np.cos\n\n\ndef f(x"),
    ("module rebound", "def f(x", "class module:\n    other = staticmethod(np.sin)\n\n\ndef f(x"),
]  # fmt: skip
HELPER_EDITS = [
    ("callee", "x**power + deeper(x)", "x**power - deeper(x)"), ("callee default", "power=3", "power=2"),
    ("callee of callee", "np.sin(x)", "np.cos(x)"), ("its global", "GAIN = 0.25", "GAIN = 0.75"),
    ("imported value", "OFFSET = 1.0", "OFFSET = 9.0"), ("callee through module", "np.exp(-x)", "np.exp(-2 * x)"),
    ("base class", "slope = 0.5", "slope = -0.5"), ("base method", "x * self.slope", "x / self.slope"),
    ("helper comment", '"""Helpers', '"""Other helpers'), ("helper shift", "OFFSET = 1.0", "\n\n\nOFFSET = 1.0"),
]  # fmt: skip
X = np.array([0.7, 1.3, 0.4])


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Imports the two files afresh, as a new process would, from a folder that stays the same."""

    def load(model, helper):
        for name, text in (("helper", helper), ("model", model)):
            path = tmp_path / f"{name}.py"
            path.write_text(text)
            module = types.ModuleType(name)
            module.__file__ = str(path)
            monkeypatch.setitem(sys.modules, name, module)
            exec(compile(text, str(path), "exec"), vars(module))
        monkeypatch.setattr(pipeline, "STORE", cache.Store())
        return sys.modules["model"]

    return load


def check(module):
    derivative = symdiff.value_and_grad(module.f)
    value, gradient = derivative(X)
    np.testing.assert_equal(value, module.f(X))
    np.testing.assert_allclose(gradient, numerical(module.f, 0, (X,), {})[0][0], rtol=1e-7)
    return derivative.source_for(X)


@pytest.mark.parametrize(
    ("model", "helper"),
    [
        *((MODEL.replace(old, new), HELPER) for _, old, new in EDITS),
        *((MODEL, HELPER.replace(old, new)) for _, old, new in HELPER_EDITS),
    ],
    ids=[name for name, _, _ in [*EDITS, *HELPER_EDITS]],
)
def test_an_edit_is_never_missed(load, model, helper):
    """Before, after, and before again: each in a fresh process over one cache."""
    assert (model, helper) != (MODEL, HELPER)
    first = check(load(MODEL, HELPER))
    check(load(model, helper))
    assert check(load(MODEL, HELPER)) == first


def test_there_are_forty_edits():
    assert len(EDITS) + len(HELPER_EDITS) >= 40


def test_options_are_part_of_the_key(load):
    module = load(MODEL, HELPER)
    check(module)
    (_, aux), gradient = symdiff.value_and_grad(lambda x: (module.f(x), x), has_aux=True)(X)
    np.testing.assert_array_equal(aux, X)
    np.testing.assert_allclose(gradient, symdiff.grad(module.f)(X))
    paths = {
        symdiff.grad(module.f).path_for(X),
        symdiff.value_and_grad(module.f).path_for(X),
        symdiff.grad(module.f, wrt="k").path_for(X),
        symdiff.grad(module.f, wrt=("k",)).path_for(X),
        symdiff.grad(module.f, wrt=("x", "k")).path_for(X),
        symdiff.grad(module.f, wrt=("k", "x")).path_for(X),
        symdiff.vjp(module.f).path_for(X),
        symdiff.grad(module.f).path_for(X.astype(np.float32)),
        symdiff.grad(module.f).path_for(X, 3),
    }
    assert len(paths) == 9


@pytest.mark.parametrize("what", ["generator", "numpy", "python"])
def test_versions_are_part_of_the_key(load, monkeypatch, what):
    module = load(MODEL, HELPER)
    before = symdiff.grad(module.f).path_for(X)
    if what == "generator":
        monkeypatch.setattr(pipeline, "generator_version", lambda: "another")
    elif what == "numpy":
        monkeypatch.setattr(np, "__version__", "2.99.0")
    else:
        monkeypatch.setattr(sys, "version_info", Version(3, 99, 0, "final", 0))
    module = load(MODEL, HELPER)
    assert symdiff.grad(module.f).path_for(X) != before


class Version(NamedTuple):
    major: int
    minor: int
    micro: int
    releaselevel: str
    serial: int


def files(folder):
    return {
        path.name: (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_second_run_writes_nothing(load, cache_folder):
    check(load(MODEL, HELPER))
    before = files(cache_folder)
    assert before
    check(load(MODEL, HELPER))
    assert files(cache_folder) == before


def test_damaged_entries_are_replaced(load, cache_folder):
    check(load(MODEL, HELPER))
    for path in cache_folder.rglob("*.py"):
        path.write_text(path.read_text().replace("np.", "boom."))
    check(load(MODEL, HELPER))


# --- determinism --------------------------------------------------------------------------------------------

DUMP = """
import hashlib, sys
import symdiff
from corpus import CASES, FIELDS
from symdiff.errors import SymdiffError
for case in [*CASES, *FIELDS]:
    for transform in ("grad", "value_and_grad", "vjp"):
        if transform != "vjp" and case in FIELDS or case.options and transform == "vjp":
            continue
        args, kwargs = case.arguments()
        derivative = getattr(symdiff, transform)(case.function, wrt=case.wrt, **case.options)
        source = derivative.source_for(*args, **kwargs)
        path = derivative.path_for(*args, **kwargs).name
        try:
            unknown = derivative.source
        except SymdiffError as error:
            unknown = str(error)
        digest = hashlib.sha256((source + unknown).encode()).hexdigest()
        print(case, transform, path, digest)
"""


@pytest.mark.slow
def test_output_is_the_same_under_five_hash_seeds(tmp_path):
    """Every source of the corpus, known and unknown types, in five processes; the sixth writes nothing."""
    outputs = {}
    for seed in ("0", "1", "2", "12345", "4294967295"):
        outputs[seed] = dump(seed, tmp_path / seed)
    assert len(set(outputs.values())) == 1
    assert outputs["0"].count("\n") >= 150
    folders = [tmp_path / seed for seed in outputs]
    for one, other in itertools.pairwise(folders):
        assert {name: text for name, (_, text) in files(one).items()} == {
            name: text for name, (_, text) in files(other).items()
        }
    before = files(folders[0])
    assert dump("7", folders[0]) == outputs["0"]
    assert files(folders[0]) == before


def dump(seed, folder):
    paths = os.pathsep.join([os.path.dirname(__file__), os.path.dirname(os.path.dirname(symdiff.__file__))])
    environment = {
        **os.environ,
        "PYTHONHASHSEED": seed,
        "SYMDIFF_CACHE_DIR": str(folder),
        "PYTHONPATH": paths,
    }
    run = subprocess.run(
        [sys.executable, "-c", DUMP], env=environment, capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return run.stdout
