"""Source recovery: the right node for every function or an error, and nothing is run.

Functions under test live in files and texts of their own, because pytest rewrites what stands in this one.
"""

from __future__ import annotations

import ast
import code
import doctest
import functools
import importlib
import importlib.util
import itertools
import json
import linecache
import os
import pathlib
import re
import subprocess
import sys
import textwrap
import threading
import time
import types
import warnings
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import symdiff.frontend.source as source_module
from symdiff.errors import SourceError, StaleSourceError
from symdiff.frontend import compiled
from symdiff.frontend.source import Source, source_of

ROOT = pathlib.Path(source_module.__file__).parents[2]
_numbers = itertools.count()

CACHES = compiled.parsed, compiled.codes_in, compiled.codes_apart

Load = Callable[..., types.ModuleType]


@pytest.fixture
def load(tmp_path: pathlib.Path) -> Load:
    """Write a text (or bytes) into a file of its own and import it."""

    def loader(text: str | bytes, file: str | None = None) -> types.ModuleType:
        name = f"sample_{next(_numbers)}"
        path = tmp_path / (file or f"{name}.py")
        path.write_bytes(text if isinstance(text, bytes) else textwrap.dedent(text).encode())
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return loader


@pytest.fixture
def shown() -> Iterator[Callable[..., dict[str, Any]]]:
    """Run one text and register another as its source."""
    files = []

    def run(running: str, registered: str | None = None, mode: str = "exec") -> dict[str, Any]:
        file = f"<text {next(_numbers)}>"
        files.append(file)
        text = running if registered is None else registered
        linecache.cache[file] = (len(text), None, text.splitlines(True), file)
        namespace: dict[str, Any] = {"__name__": "shown"}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile(running, file, mode, dont_inherit=True), namespace)
        return namespace

    yield run
    for file in files:
        linecache.cache.pop(file, None)


def clear_caches() -> None:
    for cache in CACHES:
        cache.cache_clear()


def text_of(function: Any) -> str:
    source = source_of(function)
    return source.segment(source.node)


def answer(function: Any) -> str:
    """The text found, or the error's report."""
    try:
        return text_of(function)
    except SourceError as error:
        return str(error)


def python(*arguments: str, cwd: pathlib.Path, **options: Any) -> str:
    """The output of a Python process that can import symdiff."""
    options |= {"env": os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}}
    command = [sys.executable, *arguments]
    result = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False, **options
    )
    return f"{result.stdout}{result.stderr}"


# For each case an expression for the function in a module, and the module with its node marked.

CASES: dict[str, tuple[str, str]] = {
    "plain": ("f", "«def f(x):\n    return x + 1»\n"),
    "async": ("f", "«async def f(x):\n    return await x»\n"),
    "generator": ("f", "«def f(x):\n    yield x»\n"),
    "one line": ("f", "«def f(x): return x; y = 1»\n"),
    "not the first": ("f", "def g(): return 1\n\n\n«def f(): return 2»\n"),
    "redefined": ("f", "def f(): return 1\n«def f(): return 1»\n"),
    "method": ("C.f", "class C:\n    «def f(self): return self»\n"),
    "mangled names": ("C.f", "class C:\n    «def f(self, __a): return self.__b + __a + __c»\n"),
    "mangled method": ("C._C__f", "class C:\n    «def __f(self): return self.__f»\n"),
    "same method in two classes": (
        "B.f",
        "class A:\n    def f(self): return 1\nclass B:\n    «def f(self): return 1»\n",
    ),
    "class in a class": ("A.B.f", "class A:\n    class B:\n        «def f(self): return self.__x»\n"),
    "super": ("C.f", "class C:\n    «def f(self): return super().f(__class__)»\n"),
    "property": ("C.f.fget", "class C:\n    @property\n    «def f(self): return 1»\n"),
    "static method": ("C.f", "class C:\n    @staticmethod\n    «def f(): return 1»\n"),
    "nested": ("g(2)", "def g(a):\n    «def f(x): return x * a»\n    return f\n"),
    "nested twice": (
        "g(1)(2)",
        "def g(a):\n    def h(b):\n        «def f(): return a, b»\n        return f\n    return h\n",
    ),
    "global function of a function": ("f", "def g():\n    global f\n    «def f(): return 1»\ng()\n"),
    "nonlocal": ("g()", "def g():\n    n = 0\n    «def f():\n        nonlocal n; n += 1»\n    return f\n"),
    "recursive inner function": ("g()", "def g():\n    «def f(n): return n and f(n - 1)»\n    return f\n"),
    "decorated": ("f", "def d(f): return f\n@d\n@d\n«def f(): return 1»\n"),
    "decorator on several lines": (
        "f",
        "def d(*a): return lambda f: f\n@d(\n    1,\n)\n@(\n    d()\n)\n«def f(): return 1»\n",
    ),
    "decorator that is a lambda": ("f[0]", "@lambda f: (f, 1)\n@lambda f: f\n«def f(): return 2»\n"),
    "lambda that decorates": (
        "kept[0]",
        "kept = []\n@lambda f: f\n@kept.append\n@lambda f: («lambda: f»)\ndef f(): return 2\n",
    ),
    "comment above": ("f.__func__", "@staticmethod\n# why\n\n«def f(): return 1»\n"),
    "if and else": ("f", "if 1 > 2:\n    def f(): return 1\nelse:\n    «def f(): return 2»\n"),
    "finally": (
        "g()",
        "def g():\n    try:\n        pass\n    finally:\n        «def f(): return 1»\n    return f\n",
    ),
    "with": ("f", "import contextlib\nwith contextlib.suppress():\n    «def f(): return 1»\n"),
    "annotations": ("f", "«def f(x: int = 1) -> 'y': return x»\n"),
    "future annotations": (
        "f",
        "from __future__ import annotations\n«def f(x: nowhere) -> nowhere:\n    y: no = x\n    return y»\n",
    ),
    "old future": ("f", "from __future__ import division\n«def f(): return 1 / 2»\n"),
    "call through an import": (
        "f",
        "try:\n    import math\nexcept ImportError: pass\n«def f(x): return math.sin(x)»\n",
    ),
    "docstring": ("f", '«def f():\n    """Says\n    something."""»\n'),
    "comprehensions": (
        "f",
        "«def f(x): return [i for i in x], {i for i in x}, {i: i for i in x}, (i for i in x)»\n",
    ),
    "lambda in a comprehension": ("fs[1]", "fs = [«lambda: i» for i in range(3)]\n"),
    "lambda in a generator": ("fs[1]", "fs = list((«lambda x: i * x») for i in range(3))\n"),
    "class variable": ("C.f", "class C:\n    f = «lambda self: self.__x»\n"),
    "lambda": ("f", "f = «lambda x: x + 1»\n"),
    "lambda in a default": ("g()", "def g(f=«lambda x: x + 1»): return f\n"),
    "function with a lambda default": ("g", "«def g(f=lambda x: x + 1): return f»\n"),
    "lambda in a keyword": ("f", "f = sorted([1], key=lambda x: -x) and («lambda x: -x»)\n"),
    "lambda in a subscript": ("f", "f = {1: «lambda x: x»}[1]\n"),
    "lambda that yields": ("f", "f = «lambda: (yield)»\n"),
    "lambda on several lines": ("f", "f = («lambda x:\n     x +\n     1»)\n"),
    "lambda with a continuation": ("f", "f = «lambda x: \\\n    x + \\\n    1»\n"),
    "lambda with comments inside": (
        "f",
        "f = («lambda x:  # the first '#'\n     x +  # the second\n     '#'»)\n",
    ),
    "lambda that starts on a later line": ("f", "f = [\n    0,\n    «lambda: 1»][1]\n"),
    "two lambdas": ("g", "f, g = lambda x: x + 1, «lambda x: x + 2»\n"),
    "two equal lambdas, the first": ("f", "f, g = «lambda x: x», (lambda x: x)\n"),
    "two lambdas told apart by a sign": ("f", "f, g = «lambda: -0.0», lambda: 0.0\n"),
    "two lambdas told apart by a type": ("g", "f, g, h = lambda: True, «lambda: 1», lambda: 1.0\n"),
    "equal code, different defaults": ("g", "f, g = lambda x, a=1: x * a, «lambda x, a=2: x * a»\n"),
    "equal code, different text": ("g", "f, g = lambda x: x + 6, «lambda x: x + 2 * 3»\n"),
    "statements on one line": ("g", "f = lambda x: x; g = «lambda x: x» ; h = lambda x : x\n"),
    "if on one line": ("g", "if 1: f = lambda x: x; g = «lambda x: (x)»\n"),
    "lambda in a lambda": ("f(1)", "f = lambda x: «lambda y: x + y»\n"),
    "lambda around a lambda": ("f", "f = «lambda x: lambda y: x + y»\n"),
    "equal lambdas in lambdas": (
        "f[1]()[1]",
        "f = lambda: (lambda: f, lambda: f), lambda: (lambda: f, «lambda : f»)\n",
    ),
    "lambda in the default of a lambda": ("f()", "f = lambda g=«lambda: 1»: g\n"),
    "the word lambda in a string": ("f", "f = ('lambda: 1', «lambda: 1»)[1]  # lambda: 1\n"),
    "lambda in a conditional": ("f", "f = («lambda: 1») if 1 else (lambda: 1)\n"),
    "lambda as an argument of a lambda": ("f", "f = (lambda g: g)(«lambda: 1»)\n"),
    "lambda in an f-string": (
        "kept[1]",
        "kept = []\nf'{kept.append(lambda: 1)} {kept.append(«lambda: 2»)}'\n",
    ),
    "strings": (
        "f",
        "«def f(): return '# {x} {{%s}}' + \"'\" + '''\"\"\"''' + r'\\d;' + f'{1}{{' + b'}'.decode()»\n",
    ),
    "unicode": ("größe", "«def größe(ñ): return 'é😀' + ñ»\n"),
    "unicode normalised": ("fine", "«def ﬁne(): return 1»\n"),
    "unicode before": ("g", "a = 'é😀'; f = lambda x: x; g = «lambda x: x»  # ß\n"),
    "a line separator in a string": ("f", "a = '\u2028\x0b'; f = «lambda: '\u2029'»\n"),
    "names like ours": ("f", "«def f(np, self, _t0): return np(self, _t0)»\n"),
    "tabs": ("f", "if 1:\n\t«def f():\n\t\treturn 1»\n"),
    "form feeds": ("f", "a = 1\n\x0c\n«def f():\n\x0c    return 1»\n"),
    "no line end": ("f", "f = «lambda: 1»"),
    "windows line ends": ("f", "«def f():\r\n    return '''a\r\nb'''»\r\n"),
    "old mac line ends": ("f", "a = 1\r«def f():\r    return 1»\r"),
    "constants": (
        "f",
        "«def f(): return 0.0, -0.0, 1, 1.0, True, 1j, -0j, None, ..., b'', 1e999 - 1e999, {2, 1.5}»\n",
    ),
    "membership and slices": ("f", "«def f(x): return x in {1, 2.0, ()}, x[1:2]»\n"),
    "match": ("f", "«def f(x):\n    match x:\n        case {'a': [1, *_]}: return 1»\n"),
    "exceptions": (
        "f",
        "«def f(x):\n    try: return x\n    except* ValueError as e: pass\n    finally: x = 1»\n",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_function_is_found_in_its_place(load: Load, case: str) -> None:
    expression, marked = CASES[case]
    module = load(marked.replace("«", "").replace("»", "").encode())
    source = source_of(eval(expression, module.__dict__))
    span = source.span(source.node)
    assert source.file == span.file == module.__file__
    assert source.lines[span.line - 1] == span.text
    lines = [*source.lines, ""]
    for line, column, mark in (span.end_line, span.end_column, "»"), (span.line, span.column, "«"):
        lines[line - 1] = lines[line - 1][:column] + mark + lines[line - 1][column:]
    assert "\n".join(lines).rstrip("\n") == re.sub("\r\n?", "\n", marked).rstrip("\n")


@pytest.mark.parametrize(
    ("text", "segment"),
    [
        ("f = lambda  x :  x+ 'a  #'  ;  g = 1", "lambda  x :  x+ 'a  #'"),
        ("f = (lambda x:\n     x +\n\n     1)", "lambda x: x + 1"),
        ("f = lambda x: \\\n    x + \\\n    1\n", "lambda x: x + 1"),
        ("f = (lambda x:  # the first '#'\n     x +  # the second\n     '#')\n", "lambda x: x + '#'"),
        (
            'f = (lambda x: """# a\n  # b""" +  # c\n f"{x!r:>9}#")\n',
            'lambda x: """# a # b""" + f"{x!r:>9}#"',
        ),
        ("def f(x):  # why\n    return x\n", "def f(x): return x"),
        ("def f():\r\n\treturn 'é#' # ü\r\n", "def f(): return 'é#'"),
    ],
)
def test_segment(load: Load, text: str, segment: str) -> None:
    assert text_of(load(text.encode()).f) == segment


def test_equal_lambdas_are_told_apart_by_column(load: Load) -> None:
    line = "fs = [lambda x: x, lambda x: x, lambda x: x]"
    module = load(line)
    assert [source_of(f).span(source_of(f).node).column for f in module.fs] == [6, 19, 32]


def test_equal_lambdas_with_different_closures(load: Load) -> None:
    line = "def g(a, b): return [lambda: a, lambda: b, lambda: a]"
    fs = load(line).g(1, 2)
    assert [source_of(f).node.col_offset for f in fs] == [21, 32, 43]


def test_columns_are_characters(load: Load) -> None:
    line = "é, f, ß = '😀ñ', lambda x: x * 'ü', lambda x: x * 'ü'"
    module = load(line)
    for function, column in (module.f, line.index("lambda")), (module.ß, line.rindex("lambda")):
        source = source_of(function)
        body = source.node.body
        assert isinstance(body, ast.BinOp)
        assert source.span(source.node).column == column
        assert source.span(body.right).column == column + len("lambda x: x * ")
        assert source.span(body.right).end_column == column + len("lambda x: x * 'ü'")
        assert source.segment(body.right) == "'ü'"


def test_nodes_without_a_position(load: Load) -> None:
    source = source_of(load("f = lambda x, *, y=1: [i for i in x if i]").f)
    node = source.node
    assert isinstance(node.body, ast.ListComp)
    assert source.segment(node.args) == "x, *, y=1"
    assert source.segment(node.body.generators[0]) == "i in x if i"
    assert source.segment(ast.Load()) == ""
    assert source.span(ast.Load()) == source.span(node)


def test_segment_of_a_part_on_several_lines(load: Load) -> None:
    text = """
    def f(x):
        y = (x +   # one '
             "#" +  # two
             x  *  2)
        return y
    """
    source = source_of(load(text).f)
    assert isinstance(source.node, ast.FunctionDef)
    assert source.segment(source.node.body[0]) == 'y = (x + "#" + x  *  2)'
    assert source.span(source.node.body[0]).end_line == 5


def test_wrapper_and_wrapped_are_each_themselves(load: Load) -> None:
    text = """
    import functools
    def twice(f):
        @functools.wraps(f)
        def wrapper(x): return 2 * f(x)
        return wrapper
    @twice
    def f(x): return x
    """
    module = load(text)
    assert text_of(module.f) == "def wrapper(x): return 2 * f(x)"
    assert text_of(module.f.__wrapped__) == "def f(x): return x"


def test_attributes_set_by_hand_do_not_matter(load: Load) -> None:
    f = load("def f(): return 1").f
    f.__name__, f.__qualname__, f.__module__, f.__doc__ = "g", "a.b", "nowhere", "text"
    assert text_of(f) == "def f(): return 1"


def test_specialised_and_traced_code_is_the_same_code(load: Load) -> None:
    f = load("def f(x):\n    for i in range(3): x = x + i\n    return x").f
    previous = sys.gettrace()
    try:
        for _ in range(2000):
            f(1)
        sys.settrace(lambda *_: None)
        f(1.0)
        assert source_of(f).node.lineno == 1
    finally:
        sys.settrace(previous)


def test_types_coroutine_changes_a_flag_only(load: Load) -> None:
    assert text_of(load("import types\n@types.coroutine\ndef f(): yield\n").f) == "def f(): yield"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type parameters came with 3.12")
def test_type_parameters(load: Load) -> None:
    module = load("def f[T: int](x: T) -> T: return x\nclass C[T]:\n    def f(self, x: T) -> T: return T\n")
    assert text_of(module.f) == "def f[T: int](x: T) -> T: return x"
    assert text_of(module.C.f) == "def f(self, x: T) -> T: return T"


# Files

HOSTILE = [
    "quo'te\".py",
    "new\nline.py",
    "{braces}{{%s}}.py",
    "{% x %}.py",
    "spa ce.py",
    "ünï😀.py",
    "#hash;.py",
]


@pytest.mark.parametrize("file", HOSTILE)
def test_odd_file_names(load: Load, file: str) -> None:
    module = load("def f(x): return x + 1", file)
    source = source_of(module.f)
    assert source.file.endswith(file)
    assert source.segment(source.node) == "def f(x): return x + 1"


@pytest.mark.parametrize(
    ("head", "encoding"),
    [("", "utf-8-sig"), ("# coding: latin-1\n", "latin-1"), ("#!x\n# -*- coding: cp1252 -*-\n", "cp1252")],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_encodings(load: Load, tmp_path: pathlib.Path, head: str, encoding: str, zipped: bool) -> None:
    text = head + "a = 'é'; f = lambda: 'ü'; g = lambda: 'ö'\n"
    data = text.encode(encoding)
    module = import_zipped(tmp_path, data) if zipped else load(data)
    source = source_of(module.g)
    assert source.segment(source.node) == "lambda: 'ö'"
    assert source.span(source.node).column == 30


def import_zipped(tmp_path: pathlib.Path, data: bytes) -> types.ModuleType:
    name = f"zipped_{next(_numbers)}"
    path = tmp_path / f"{name}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", data)
    sys.path.insert(0, str(path))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(path))


@pytest.mark.parametrize(
    "text",
    [
        "def f(): return 1\n",
        "a = 1\n\x0c\ndef f():\r\n    return '\x0c\u2028'\r\n",
        "a = '\x0b'\ndef f(): return 1",
    ],
)
def test_zip_files(tmp_path: pathlib.Path, text: str) -> None:
    module = import_zipped(tmp_path, text.encode())
    source = source_of(module.f)
    assert isinstance(source.node, ast.FunctionDef)
    assert source.node.name == "f"
    assert source.segment(source.node).startswith("def f(): return")


def test_loader_with_text_only(load: Load) -> None:
    class Loader:
        def get_source(self, name: str) -> str:
            return "def f(): return 1\n" if name == "made" else ""

    for file in "<made>", f"/nowhere/made_{next(_numbers)}.py":
        namespace: dict[str, Any] = {"__name__": "made", "__loader__": Loader()}
        exec(compile("def f(): return 1\n", file, "exec", dont_inherit=True), namespace)
        assert text_of(namespace["f"]) == "def f(): return 1"


@pytest.mark.parametrize("error", [ImportError, OSError, UnicodeError, RecursionError, TypeError, KeyError])
def test_loader_that_fails(error: type[Exception]) -> None:
    class Loader:
        def get_source(self, name: str) -> str:
            raise error("no")

        get_data = get_source

    namespace: dict[str, Any] = {"__name__": "made", "__loader__": Loader()}
    file = f"/nowhere/made_{next(_numbers)}.py"
    exec(compile("def f(): return 1\n", file, "exec", dont_inherit=True), namespace)
    with pytest.raises(SourceError, match="cannot be found"):
        source_of(namespace["f"])


# Edited files


def edit(module: types.ModuleType, text: str) -> None:
    assert module.__file__ is not None
    path = pathlib.Path(module.__file__)
    path.write_text(textwrap.dedent(text))
    os.utime(path, ns=(0, next(_numbers) * 10**9))


def test_shifted_lines_are_followed(load: Load) -> None:
    module = load("def f(x): return x\ng = lambda x: x + 1\n")
    assert source_of(module.f).node.lineno == 1
    edit(module, "import os\n# new\n\ndef f(x): return x\ndef h(x): return x\n\ng = lambda x: x + 1\n")
    assert (source_of(module.f).node.lineno, source_of(module.g).node.lineno) == (4, 7)
    assert source_of(module.f).lines[3] == "def f(x): return x"


def test_shifted_lines_with_lambdas_that_share_one(load: Load) -> None:
    module = load("fs = lambda: 1, lambda: 2, lambda: (lambda: 2)\n")
    edit(module, "\n\nfs = lambda: 1, lambda: 2, lambda: (lambda: 2)\n")
    assert [source_of(f).node.col_offset for f in (*module.fs, module.fs[2]())] == [5, 16, 27, 36]
    assert source_of(module.fs[0]).node.lineno == 3


def test_another_function_at_the_old_place(load: Load) -> None:
    module = load("def f(x): return x\n\ndef g(x): return x\n")
    edit(module, "def g(x): return x\n\ndef f(x): return x\n")
    assert (source_of(module.f).node.lineno, source_of(module.g).node.lineno) == (3, 1)


def test_same_name_in_another_class_is_not_taken(load: Load) -> None:
    module = load("class A:\n    def f(self): return 1\n")
    edit(module, "class B:\n    def f(self): return 1\n")
    with pytest.raises(StaleSourceError):
        source_of(module.A.f)


@pytest.mark.parametrize(
    "text",
    [
        "def f(x): return x + 2\n",
        "def f(x): return x - 1\n",
        "def f(y): return y + 1\n",
        "def f(x, y=0): return x + 1\n",
        "def f(x, /): return x + 1\n",
        "def g(x): return x + 1\n",
        "f = lambda x: x + 1\n",
        "async def f(x): return x + 1\n",
        "def f(x): return x +\n",
        "def f(x): return x + 1\n  wrong\n",
        "return 1\ndef f(x): return x + 1\n",
        "x = 1\x00\n",
        "\n",
        "# nothing\n",
    ],
)
def test_edited_function_is_refused(load: Load, text: str) -> None:
    module = load("def f(x): return x + 1\n")
    edit(module, text)
    with pytest.raises(StaleSourceError, match="changed since it was imported") as caught:
        source_of(module.f)
    (problem,) = caught.value.problems
    assert problem.span is not None
    assert (problem.span.file, problem.span.line) == (module.__file__, 1)


def test_comments_and_layout_may_change(load: Load) -> None:
    module = load("def f(x): return x + 1\n")
    edit(module, "def f(x):\n    # a reason\n    return (x +\n            1)\n")
    assert text_of(module.f) == "def f(x): return (x + 1)"


def test_two_places_after_an_edit_are_refused(load: Load) -> None:
    module = load("f = lambda x: x\n")
    edit(module, "\nf = lambda x: x\ng = lambda x: x\n")
    with pytest.raises(StaleSourceError, match="several places"):
        source_of(module.f)


def test_deleted_file(load: Load) -> None:
    module = load("def f(x): return x + 1\n")
    assert module.__file__ is not None
    os.remove(module.__file__)
    with pytest.raises(SourceError, match="cannot be found"):
        source_of(module.f)


def test_reloaded_module(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    path = tmp_path / "reloaded_sample.py"
    path.write_text("def f(): return 1\n")
    module = importlib.import_module("reloaded_sample")
    old = module.f
    edit(module, "def f(): return 1 + len('new')\n")
    importlib.invalidate_caches()
    importlib.reload(module)
    assert text_of(module.f) == "def f(): return 1 + len('new')"
    with pytest.raises(StaleSourceError):
        source_of(old)


CHANGED = [
    ("0.0", "-0.0"),
    ("0.0", "0"),
    ("1", "1.0"),
    ("1", "True"),
    ("1.0", "True"),
    ("0", "False"),
    ("1", "2"),
    ("1e999-1e999", "0.5"),
    ("0j", "-0j"),
    ("'a'", "b'a'"),
    ("'a'", "'b'"),
    ("(1, 2)", "(1, 2.0)"),
    ("((0.0,),)", "((-0.0,),)"),
    ("x in {1, 2}", "x in {1, 2.0}"),
    ("None", "..."),
    ("x.a", "x.b"),
    ("[y for y in x]", "[y for y in x if y]"),
    ("lambda: 1", "lambda: 1.0"),
    ("lambda: lambda: 0", "lambda: lambda: -0.0"),
    ("math.sin(x)", "maths.sin(x)"),
    ("x[1:2]", "x[1:3]"),
    ("x[1:2]", "x[1:2.0]"),
    ("f'{x}'", "f'{x!r}'"),
    ("g(a=1)", "g(b=1)"),
    ("x < 1", "x <= 1"),
    ("[*x]", "(*x,)"),
    ("5e-324", "0.0"),
    ("10**20", "10**20 + 1"),
]


@pytest.mark.parametrize(("a", "b"), CHANGED)
def test_small_differences_are_seen_both_ways(shown: Any, a: str, b: str) -> None:
    for running, registered in (a, b), (b, a):
        function = shown(f"f = lambda x: {running}\n", f"f = lambda x: {registered}\n")["f"]
        with pytest.raises(StaleSourceError):
            source_of(function)
    assert text_of(shown(f"f = lambda x: {a}\n")["f"]) == f"lambda x: {a}"


def test_changed_scope_is_seen(shown: Any) -> None:
    free = "def g():\n    a = 1\n    def f(): return a\n    return f\n"
    function = shown(free, free.replace("    a = 1\n", "    pass\n"))["g"]()
    with pytest.raises(StaleSourceError):
        source_of(function)
    imported = "import math\ndef f(x): return math.sin(x)\n"
    assert text_of(shown(imported)["f"]) == "def f(x): return math.sin(x)"


# Texts that are not files


def test_text_that_was_executed_and_registered(shown: Any) -> None:
    assert text_of(shown("def f(x):\n    return x\n")["f"]) == "def f(x): return x"
    assert text_of(shown("def f(x): return x\n\n", mode="single")["f"]) == "def f(x): return x"


def test_text_that_was_executed_only() -> None:
    namespace: dict[str, Any] = {}
    exec(compile("def f(x): return x\ng = lambda: 1", "<nowhere>", "exec"), namespace)
    for name in "f", "g":
        with pytest.raises(SourceError, match=r"cannot be found(.|\n)*linecache") as caught:
            source_of(namespace[name])
        assert not isinstance(caught.value, StaleSourceError)


def bound() -> Any:
    class C:
        def f(self) -> None: ...

    return C().f


@pytest.mark.parametrize(
    "thing", [len, int, functools.partial(sorted), bound(), [].append, type, None, "f", abs]
)
def test_what_is_no_python_function(thing: Any) -> None:
    with pytest.raises(SourceError, match="has no Python source"):
        source_of(thing)


def test_generated_method_has_no_source(load: Load) -> None:
    module = load("import dataclasses\n@dataclasses.dataclass\nclass C:\n    x: int\n")
    with pytest.raises(SourceError):
        source_of(module.C.__init__)


def test_interactive_console() -> None:
    namespace: dict[str, Any] = {}
    console = code.InteractiveConsole(namespace)
    for text in "def f(x): return x + 1\n", "fs = lambda x: x, lambda x: x\n":
        file = f"<input {next(_numbers)}>"
        linecache.cache[file] = (len(text), None, [text], file)
        console.runsource(text, file)
    assert text_of(namespace["f"]) == "def f(x): return x + 1"
    assert [source_of(f).node.col_offset for f in namespace["fs"]] == [5, 18]


@pytest.mark.parametrize(
    ("feature", "text"),
    [("annotations", "def f(x: nowhere): return x"), ("barry_as_FLUFL", "f = lambda x: x <> 1")],
)
def test_future_import_of_an_earlier_cell(feature: str, text: str) -> None:
    console = code.InteractiveInterpreter({})
    console.runsource(f"from __future__ import {feature}", "<first>")
    linecache.cache["<second>"] = (len(text), None, [text + "\n"], "<second>")
    console.runsource(text + "\n", "<second>")
    assert text_of(console.locals["f"]) == text.removeprefix("f = ")
    del linecache.cache["<second>"]


def test_statements_compiled_one_by_one() -> None:
    """As notebooks do: then a method call does not know that the cell imports the module."""
    text = "import math\ndef f(x): return math.sin(x)\nfs = lambda x: math.sin(x), lambda x: math.sin(x)\n"
    file = f"<cell {next(_numbers)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    namespace: dict[str, Any] = {}
    for statement in ast.parse(text).body:
        exec(compile(ast.Module([statement], []), file, "exec", dont_inherit=True), namespace)
    assert text_of(namespace["f"]) == "def f(x): return math.sin(x)"
    assert [source_of(f).node.col_offset for f in namespace["fs"]] == [5, 28]
    del linecache.cache[file]


def test_lines_kept_for_a_code_object(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "def f(x): return x\n"
    namespace: dict[str, Any] = {}
    exec(compile(text, "<string>", "exec"), namespace)
    monkeypatch.setattr(linecache, "_getlines_from_code", lambda code: [text], raising=False)
    assert text_of(namespace["f"]) == "def f(x): return x"


def test_doctest() -> None:
    example_text = """
    >>> def f(x):
    ...     return x + 1
    >>> (f, g) = f, lambda: 2
    >>> text_of(f), text_of(g)
    ('def f(x): return x + 1', 'lambda: 2')
    """
    test = doctest.DocTestParser().get_doctest(example_text, {"text_of": text_of}, "sample", None, None)
    assert doctest.DocTestRunner().run(test).failed == 0


REPORT = """
import json
from symdiff.errors import SymdiffError
from symdiff.frontend.source import source_of
def report(*functions):
    for function in functions:
        try:
            source = source_of(function)
            print(json.dumps([source.segment(source.node), source.node.col_offset]))
        except SymdiffError as error:
            print(json.dumps([type(error).__name__, str(error)]))
"""


def reports(output: str) -> list[list[Any]]:
    try:
        return [json.loads(line) for line in output.splitlines()]
    except json.JSONDecodeError:
        raise AssertionError(output) from None


@pytest.mark.parametrize("options", [[], ["-O"], ["-OO"]])
def test_script_with_optimisation(tmp_path: pathlib.Path, options: list[str]) -> None:
    text = 'def f(x):\n    "doc"\n    assert x, "no"\n    return x if __debug__ else 0\n'
    (tmp_path / "script.py").write_text(REPORT + text + "report(f, lambda: __debug__)\n")
    expected = 'def f(x): "doc" assert x, "no" return x if __debug__ else 0'
    assert [line[0] for line in reports(python(*options, "script.py", cwd=tmp_path))] == [
        expected,
        "lambda: __debug__",
    ]


def test_without_column_information(tmp_path: pathlib.Path) -> None:
    """What differs is told apart by its code, what reads the same is one, the rest is refused."""
    text = (
        "report(lambda x: x, lambda y: y, lambda: 1, lambda: 1.0, lambda: (lambda: 1))\n"
        "report(lambda x: x, lambda x: x)\n"
        "report(*[lambda x, a=1: x, lambda x, a=2: x])\n"
        "report((lambda: (lambda: 1))())\n"
    )
    (tmp_path / "script.py").write_text(REPORT + text)
    output = reports(python("-X", "no_debug_ranges", "script.py", cwd=tmp_path))
    texts = ["lambda x: x", "lambda y: y", "lambda: 1", "lambda: 1.0", "lambda: (lambda: 1)"]
    assert [line[0] for line in output[:7]] == [*texts, "lambda x: x", "lambda x: x"]
    assert [line[0] for line in output[7:9]] == ["StaleSourceError"] * 2
    assert "line of its own" in output[7][1]
    assert output[9][0] == "lambda: 1"


def test_command_line_text(tmp_path: pathlib.Path) -> None:
    ((kind, text),) = reports(python("-c", REPORT + "def f(x): return x\nreport(f)", cwd=tmp_path))
    if sys.version_info >= (3, 13):
        assert kind == "def f(x): return x"
    else:
        assert kind == "SourceError"
        assert "notebook cell" in text


def test_standard_input(tmp_path: pathlib.Path) -> None:
    output = reports(python("-", cwd=tmp_path, input=REPORT + "def f(x): return x\nreport(f)\n"))
    assert output[0][0] in ("def f(x): return x", "SourceError")


def test_zipped_application(tmp_path: pathlib.Path) -> None:
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
        archive.writestr("__main__.py", REPORT + "report(lambda: 1)")
    assert reports(python("app.zip", cwd=tmp_path)) == [["lambda: 1", 7]]


def test_notebook_cells(tmp_path: pathlib.Path) -> None:
    text = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.user_ns["report"] = report
def cell(text):
    shell.run_cell(text, store_history=True).raise_error()
cell("from __future__ import annotations")
cell("def f(x: nowhere):\\n    return x + 1\\nreport(f)")
cell("f = lambda x: x; g = lambda x: x\\nreport(f, g)\\nold = f")
cell("f = lambda x: x; g = lambda x: x\\nreport(f, g)\\nold = f")
cell("import math\\ndef f(x): return math.sin(x)\\nreport(f)")
cell("f = lambda x: x + 2\\nreport(f, old)")
cell("%matplotlib --list\\ndef f(x): return x\\nreport(f)")
cell("import asyncio\\nawait asyncio.sleep(0)\\ndef f(x): return asyncio.sleep(x)\\nreport(f)")
"""
    (tmp_path / "script.py").write_text(REPORT + text)
    environment = {"IPYTHONDIR": str(tmp_path), "MPLCONFIGDIR": str(tmp_path)}
    start = f"import os, runpy; os.environ.update({environment}); runpy.run_path('script.py')"
    output = python("-c", start, cwd=tmp_path)
    found = reports("\n".join(line for line in output.splitlines() if line.startswith("[")))
    f = "def f(x): return x"
    assert found == [
        ["def f(x: nowhere): return x + 1", 0],
        ["lambda x: x", 4],
        ["lambda x: x", 21],
        ["lambda x: x", 4],
        ["lambda x: x", 21],
        ["def f(x): return math.sin(x)", 0],
        ["lambda x: x + 2", 4],
        ["lambda x: x", 4],
        [f, 0],
        ["def f(x): return asyncio.sleep(x)", 0],
    ], output


def test_rewritten_asserts_are_named(tmp_path: pathlib.Path) -> None:
    text = """
    import pytest
    from symdiff.errors import StaleSourceError
    from symdiff.frontend.source import source_of

    def checked(x):
        assert x.ndim == 1
        return x

    def unchecked(x):
        return x

    def test_it():
        with pytest.raises(StaleSourceError, match="pytest rewrote"):
            source_of(checked)
        assert source_of(unchecked).node.name == "unchecked"
    """
    (tmp_path / "test_inner.py").write_text(textwrap.dedent(text))
    arguments = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), "test_inner.py"]
    assert "1 passed" in python(*arguments, cwd=tmp_path)


# Hostile and large texts


def test_nothing_is_executed(tmp_path: pathlib.Path, shown: Any) -> None:
    planted = tmp_path / "planted"
    touch = f"open({str(planted)!r}, 'w')"
    hostile = (
        f"{touch}\n@({touch})\nclass C({touch}):\n    {touch}\ndef f(x={touch}) -> {touch}: return {touch}\n"
    )
    benign = f"def f(x=None): return {touch}\n"
    assert text_of(shown(benign, "\n\n\n\n" + hostile)["f"]).startswith("def f(x=open(")
    with pytest.raises(StaleSourceError):
        source_of(shown("def f(): return 1\n", hostile)["f"])
    assert not planted.exists()


def test_constants_put_in_by_hand_are_not_compared_by_their_own_methods(load: Load) -> None:
    class Hostile:
        def __eq__(self, other: object) -> bool:
            raise AssertionError

        __hash__ = None  # type: ignore[assignment]

    f = load("def f(): return 'x'").f
    f.__code__ = f.__code__.replace(
        co_consts=tuple(Hostile() if c == "x" else c for c in f.__code__.co_consts)
    )
    with pytest.raises(StaleSourceError):
        source_of(f)


@pytest.mark.parametrize("depth", [500, 5_000, 100_000])
@pytest.mark.parametrize(
    "make",
    [
        lambda n: "+".join("a" * n),
        lambda n: "-" * n + "a",
        lambda n: "a" + ".b" * n,
        lambda n: "(" * n + ")" * n,
        lambda n: "lambda: " * n + "1",
        lambda n: "**".join("a" * n),
        lambda n: "\nif a: 0\n" + "elif a: 0\n" * n,
    ],
    ids=["sum", "negation", "attribute", "parentheses", "lambda", "power", "elif"],
)
def test_deep_texts_are_answered_or_refused(shown: Any, make: Callable[[int], str], depth: int) -> None:
    text = "def f(x): return x\n"
    function = shown(text, f"{text}y = 0;{make(depth)}\n")["f"]
    expected = "def f(x): return x", "too deeply nested", "does not compile"
    assert any(part in answer(function) for part in expected)


def test_deep_stack_is_an_error_not_a_crash(load: Load) -> None:
    f = load("def f(x): return " + "+".join(["x"] * 400)).f

    def descend(n: int) -> str:
        return descend(n - 1) if n else answer(f)

    clear_caches()
    for depth in range(0, sys.getrecursionlimit(), 10):
        try:
            found = descend(depth)
        except RecursionError:  # the test itself came too deep
            break
        assert found.startswith("def f(x): return x+x") or "too deeply nested" in found
        clear_caches()


def test_many_lambdas_in_lambdas(load: Load) -> None:
    f = load("f = " + "lambda: " * 60 + "1").f
    for level in range(60):
        assert source_of(f).node.col_offset == 4 + 8 * level
        f = f()


def test_warnings_are_not_repeated(shown: Any) -> None:
    function = shown("def f(x): return x is 1, '\\d'\n")["f"]
    before = list(warnings.filters)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert text_of(function) == "def f(x): return x is 1, '\\d'"
    assert warnings.filters == before


def test_threads(load: Load) -> None:
    lines = [f"f{i} = lambda x: x, lambda x: x, lambda x: (lambda: x)" for i in range(20)]
    module = load("\n".join(lines))
    before = list(warnings.filters)
    failures: list[object] = []

    def work(offset: int) -> None:
        for i in range(20):
            fs = getattr(module, f"f{(i + offset) % 20}")
            sources: list[Source] = [source_of(f) for f in (*fs, fs[2](1))]
            width = 6 if (i + offset) % 20 > 9 else 5
            columns = [s.node.col_offset - width for s in sources]
            if columns != [0, 13, 26, 37] or {s.node.lineno for s in sources} != {(i + offset) % 20 + 1}:
                failures.append((i, columns))

    clear_caches()
    threads = [threading.Thread(target=work, args=(3 * n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert warnings.filters == before


def test_cache_is_bounded(load: Load) -> None:
    for i in range(20):
        source_of(load(f"f = lambda: {i}, lambda: {i}").f[1])
    for cache in CACHES:
        assert cache.cache_info().currsize <= 8


def test_nodes_are_left_as_they_were(load: Load) -> None:
    text = "f = lambda: (lambda: f, lambda: f), lambda: 2\n"
    module = load(text)
    sources = [source_of(f) for f in (*module.f, *module.f[0]())]
    plain = sorted(
        ast.dump(n, include_attributes=True) for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Lambda)
    )
    assert sorted(ast.dump(s.node, include_attributes=True) for s in sources) == plain


def test_time_for_a_file_of_300_lines(load: Load) -> None:
    """Measured: 2.1 (3.11) to 2.8 ms (3.13), then 0.1 ms; the limits leave room for a busy machine."""
    block = "def f{i}(b, w, x, y):\n    error = b + w * x - y\n    return np.mean(error ** 2)\n\n\n"
    module = load("import math as np\n" + "".join(block.format(i=i) for i in range(60)))

    def seconds(function: Any) -> float:
        start = time.perf_counter()
        source_of(function)
        return time.perf_counter() - start

    first = []
    for _ in range(10):
        clear_caches()
        first.append(seconds(module.f30))
    assert min(first) < 9e-3
    assert min(seconds(module.f31) for _ in range(10)) < 2e-3


# Many functions


def functions_of(outer: types.CodeType) -> Iterator[types.FunctionType]:
    """All functions of a module's code, made without running it."""
    for constant in outer.co_consts:
        if isinstance(constant, types.CodeType):
            yield from functions_of(constant)
            if constant.co_flags & 3 == 3 and (constant.co_name[0] != "<" or constant.co_name == "<lambda>"):
                cells = tuple(types.CellType() for _ in constant.co_freevars)
                yield types.FunctionType(constant, {"__name__": "sample"}, closure=cells)


@pytest.mark.parametrize("name", ["json.decoder", "functools", "dataclasses", "contextlib", "fractions"])
def test_all_functions_of_a_real_module(name: str) -> None:
    path = importlib.import_module(name).__file__
    assert path is not None
    outer = compile(pathlib.Path(path).read_bytes(), path, "exec", dont_inherit=True)
    count = 0
    for function in functions_of(outer):
        source, inner = source_of(function), function.__code__
        lines = {line for _, _, line in inner.co_lines() if line}
        assert compiled.first_line(source.node) == inner.co_firstlineno
        assert getattr(source.node, "name", "<lambda>") == inner.co_name
        assert max(lines) <= (source.node.end_lineno or 0)
        count += 1
    assert count > 5


BODIES = [
    *("x", "x + 1", "1", "1.0", "-0.0", "'é'", "'lambda: #'", "None", "(x if x else 2)", "[x for x in x]"),
    *("x.a(x)", "f'{x}{{'", "(lambda: 1)", "(lambda: x)", "(lambda y: (lambda: 1), lambda y: (lambda: 1))"),
]
lambdas = st.builds(
    "lambda {}:{}{}".format,
    st.sampled_from(["x", "x, a=1", "x, a=2", "*x", "x, b=(lambda: 1)"]),
    st.sampled_from([" ", "  ", "\t"]),
    st.sampled_from(BODIES),
)
FRAMES = [
    "fs = [{}]",
    "if 1: a = 'é'; fs = {},; b = 1",
    "def g(x):\n    return [{}]\nfs = g(1)",
    "fs = [ü for ü in [{}]]",
    "class C:\n    fs = [{}]\nfs = C.fs",
    "fs = (lambda ñ: [{}])(1)",
]


def shares_code(function: Any, functions: list[Any]) -> bool:
    return sum(f.__code__ is function.__code__ for f in functions) > 1


def columns_agree(function: types.FunctionType) -> bool:
    """Does everything that the code says of its columns lie within the node found?"""
    node = source_of(function).node
    start, end = (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)
    for line, end_line, column, end_column in function.__code__.co_positions():
        known = line and end_line and column is not None and end_column is not None
        if known and (line, column) != (end_line, end_column):
            inside = start <= (line, column) and (end_line, end_column) <= end
            if not inside:
                return False
    return True


@settings(max_examples=60, deadline=None)
@given(
    st.lists(lambdas, min_size=1, max_size=6),
    st.sampled_from(FRAMES),
    st.sampled_from([",", " ,  ", ",\n  "]),
)
@example(["lambda x: x"] * 5, FRAMES[0], ",")
def test_each_of_many_lambdas_is_itself(texts: list[str], frame: str, comma: str) -> None:
    if "if 1" in frame:
        comma = comma.strip()
    module = frame.format(comma.join(texts)) + "\n"
    file = f"<lambdas {next(_numbers)}>"
    linecache.cache[file] = (len(module), None, module.splitlines(True), file)
    namespace: dict[str, Any] = {}
    exec(compile(module, file, "exec", dont_inherit=True), namespace)
    start = frame.index("{}")
    for function, text in zip(namespace["fs"], texts, strict=True):
        twins = {t for f, t in zip(namespace["fs"], texts, strict=True) if f.__code__ is function.__code__}
        if len(twins) > 1:  # 3.12 makes one code object of lambdas on one line that return the same constant
            assert answer(function) in twins or "several places" in answer(function)
        elif not shares_code(function, namespace["fs"]):
            source = source_of(function)
            span = source.span(source.node)
            before = sum(len(line) + 1 for line in source.lines[: span.line - 1])
            assert (before + span.column, source.segment(source.node)) == (start, text), module
        start += len(text) + len(comma)
    for made in functions_of(compile(module, file, "exec", dont_inherit=True)):
        assert "several places" in answer(made) or columns_agree(made), module
    del linecache.cache[file]
