"""Hostile inputs: each gives the right answer or a SymdiffError, and runs nothing the function itself does not.

Each case is a text that defines `f` and `args`, run under a file name.  `boom()` stands for what must never
be called: the texts plant it in annotations, defaults, decorators, properties and special methods.  The
generated module may hold only what `check_module` lists.
"""
# The texts are data: long lines and letters that look like others are what is tested.
# ruff: noqa: E501, RUF001

from __future__ import annotations

import ast
import builtins
import dataclasses
import itertools
import linecache
import sys
import textwrap
import types

import numpy as np
import pytest
from corpus import leaves, numerical

import symdiff
from symdiff.errors import SymdiffError

FIRED: list[str] = []


def boom(*args, **kwargs):
    FIRED.append("boom")
    return 1.0


@dataclasses.dataclass
class Hostile:
    """`outcome`: "right", "error" or "any" of the two.  `registered`: whether linecache knows the text."""

    name: str
    text: str
    outcome: str = "right"
    file: str = ""
    registered: bool = True
    wrt: object = 0
    numbers: bool = True


CASES: list[Hostile] = []
PROLOGUE = "import numpy as xp\nimport numpy\nX = xp.array([0.7, 1.3, 0.4])\nY = xp.array([1.1, 0.6, 0.9])\n"


def hostile(name, text, first="", **facts):
    CASES.append(Hostile(name, first + PROLOGUE + textwrap.dedent(text), **facts))


# --- names --------------------------------------------------------------------------------------------------

NAMES = [
    "np",
    "math",
    "copy",
    "dataclasses",
    "symdiff",
    "fit_like",
    "matmul_left",
    "numpy_",
    "_t0",
    "t",
    "g",
    "g1",
    "s",
    "scale",
    "value",
    "value_1",
    "self",
    "cls",
    "x_bar",
    "y_bar",
    "error_bar",
    "x_part",
    "exp_x",
    "pullback",
    "cotangents",
    "sum",
    "max",
    "min",
    "abs",
    "float",
    "int",
    "bool",
    "len",
    "print",
    "type",
    "tuple",
    "list",
    "dict",
    "leaf",
    "match",
    "case",
    "_",
    "__",
    "__x",
    "f_grad",
    "f_value_and_grad",
    "ñ",
    "π",
    "x_1",
    "l",
    "O",
    "__name__",
    "__builtins__",
    "object",
    "exec",
    "eval",
    "open",
    "ℌ",
    "ﬁx",
]
FORMS = {
    "parameter": """
        def f({0}, y):
            z = {0} * y
            return xp.sum(z ** 2 + xp.exp({0}) * xp.abs(z))
        args = (X, Y)
    """,
    "scalar": """
        def f(x, {0}):
            return xp.sum(xp.maximum(x, 0.0) ** 2) * {0} + abs({0}) * max({1}, 0.5)
        args = (X, 1.5)
        """,
    "keyword": """
        def f(x, *, {0}):
            z = x * {0}
            return xp.sum(z * xp.sin(z))
        args = (X,)
        kwargs = {{__import__("unicodedata").normalize("NFKC", "{0}"): Y}}
    """,
    "local": """
        def f(x, y):
            {0} = xp.exp(x * y)
            z = {0} ** 2
            return xp.sum(z * {0})
        args = (X, Y)
    """,
    "global": """
        {0} = xp.array([2.0, 3.0, 4.0])
        def f(x):
            z = x * {0}
            return xp.sum(z ** 2)
        args = (X,)
    """,
}
for _form, _name in itertools.product(FORMS, NAMES):
    if _form == "global" and _name in ("__builtins__", "__name__", "__x"):
        continue
    _shown = FORMS[_form].format(_name, 2 if _name in ("max", "abs", "xp") else _name)
    if _form == "scalar":
        _shown = _shown.replace("abs(", "xp.abs(").replace(" max(", " xp.maximum(")
    hostile(f"{_form}-{_name}", _shown, wrt=1 if _form == "scalar" else 0)
hostile("collision", """
    def f(x, x_bar, t, g, np, value):
        error = x * x_bar - t
        error_bar = error * g
        x_bar_1 = error_bar + np
        return xp.sum(x_bar_1 ** 2 * value)
    args = (X, Y, X + 1, Y + 1, X - 1, Y - 1)
""", wrt=(0, 1, 2, 3, 4, 5))  # fmt: skip
hostile("many-np", """
    def f(np, np_, np_1, math, float):
        return xp.sum(xp.exp(np * np_) * np_1) + math * float
    args = (X, Y, X, 2.0, 3.0)
""", wrt=(0, 1, 2, 3, 4))  # fmt: skip
hostile("keyword-and-capture", """
    np = xp.array([1.0, 2.0, 3.0])
    math = 2.0
    def f(x, *, copy, **float):
        return xp.sum(x * np * math) * copy * float["int"]
    args = (X,)
    kwargs = {"copy": 2.0, "int": 3.0}
""")  # fmt: skip

# --- strings ------------------------------------------------------------------------------------------------

STRINGS = [
    "{{ 7 * 7 }}", "{% raise %}", "{# gone #}", "{", "}", "{}", "%s %(a)s", "$x ${x}", "'", '"', "'''", '"""', "\\",
    "\\\\", "\n", "\r", "\r\n", "\t", "\x00", "\x0c", "\u2028", "\x85", "é∀", "\ud800", "a'b\"c", "'); boom(); ('",
    '"]; boom(); p["', "__import__('os')", "\\N{DIGIT ONE}", "\\x41", " ", "", "#", "# type: ignore", "\x1b[31m",
    "a\\", "}}\n{% endraw %}", "\u202e",
]  # fmt: skip
for _number, _string in enumerate(STRINGS):
    hostile(f"key-{_number}", f"""
        def f(p):
            return xp.sum(p[{_string!r}] ** 2) * 3.0
        args = ({{{_string!r}: X, "note": {_string!r}}},)
    """, outcome="any" if "\ud800" in _string else "right")  # fmt: skip
for _number, _string in enumerate(STRINGS):
    if not set(_string) & set("\x00\ud800"):
        hostile(f"text-{_number}", f"""
            def f(x):
                {_string!r}
                label = {_string!r} + "!"
                y = x * 2  # {" ".join(_string.split())}
                return xp.sum(y ** 2) * len({_string!r}), label
            args = (X,)
        """, outcome="right" if _string else "any")  # fmt: skip
hostile("docstring", '''
    def f(x):
        """Ends in a quote and a backslash: {{ x }} {% x %} \\"\\"\\" \\\\"""
        return xp.sum(x ** 2)
    args = (X,)
''')  # fmt: skip

# --- file names ---------------------------------------------------------------------------------------------

FILES = [
    "a\nb.py", 'a"b.py', 'a"""b.py', "a'b.py", "{{ 7*7 }}.py", "{% x %}.py", "a\\b.py", "a\\", 'ends"', "<string>", "",
    "a b.py", "\x00.py", "é∀.py", '"""\nboom()\n"""', "/nonexistent/dir/a.py", "#.py", "a\r.py", "\ud800.py", "<x>",
]  # fmt: skip
for (_number, _file), _registered in itertools.product(enumerate(FILES), (True, False)):
    hostile(
        f"file-{_number}-{_registered}",
        "def f(x):\n    y = x * 3\n    return xp.sum(y ** 2)\nargs = (X,)",
        file=_file or " ",
        registered=_registered,
        outcome="any" if _registered else "error",
    )

# --- planted side effects -----------------------------------------------------------------------------------

hostile("annotations", """
    def f(x: boom(), y: (lambda: boom())() = 2.0) -> boom():
        z: boom() = x * y
        return xp.sum(z ** 2)
    args = (X,)
""", first="from __future__ import annotations\n")  # fmt: skip
hostile("evaluated-annotations", """
    def f(x: boom(), y: [boom()] = 2.0) -> boom():
        return xp.sum(x ** 2) * y
    args = (X,)
""")  # fmt: skip
hostile("defaults", """
    class Evil:
        def __repr__(self): boom(); return "boom()"
        __str__ = __format__ = __len__ = __bool__ = __eq__ = __float__ = __array__ = __iter__ = __repr__
        __hash__ = object.__hash__
    def f(x, evil=Evil(), k=boom()):
        return xp.sum(x ** 2) * k
    args = (X,)
""")  # fmt: skip
hostile("decorated", """
    def plant(g):
        boom()
        return g
    @plant
    def f(x):
        return xp.sum(x ** 2)
    args = (X,)
""")  # fmt: skip
hostile("dead-branch", """
    def f(x, debug=False):
        if debug:
            boom()
        y = x * 2 if not debug else boom()
        return xp.sum(y ** 2)
    args = (X,)
""")  # fmt: skip
hostile("calls-it", """
    def f(x):
        boom()
        return xp.sum(x ** 2)
    args = (X,)
""", outcome="any", numbers=False)  # fmt: skip
hostile("getattr", """
    class P:
        def __init__(self, w): self.__dict__["w"] = w
        def __getattr__(self, name): boom(); raise AttributeError(name)
        def __setattr__(self, name, value): boom()
        def __delattr__(self, name): boom()
    def f(p):
        return xp.sum(p.w ** 2)
    args = (P(X),)
""")  # fmt: skip
hostile("properties", """
    class P:
        def __init__(self, w): self.w = w
        @property
        def other(self): return boom()
        @other.setter
        def other(self, value): boom()
    def f(p):
        return xp.sum(p.w ** 2)
    args = (P(X),)
""")  # fmt: skip
hostile("special-methods", """
    class P:
        def __init__(self, w): self.w = w
        def __eq__(self, other): boom(); return True
        def __hash__(self): boom(); return 0
        def __repr__(self): boom(); return "boom()"
        def __len__(self): boom(); return 0
        def __iter__(self): boom(); return iter(())
        def __bool__(self): boom(); return False
        def __array__(self, *a, **k): boom()
        def __dir__(self): boom(); return []
        def __class_getitem__(cls, item): boom()
        def __init_subclass__(cls): boom()
    def f(p):
        return xp.sum(p.w ** 2)
    args = (P(X),)
""")  # fmt: skip
hostile("metaclass", """
    class Meta(type):
        def __instancecheck__(cls, one): boom(); return True
        def __subclasscheck__(cls, one): boom(); return True
        def __call__(cls, *args): boom(); return type.__call__(cls, *args)
        def __repr__(cls): boom(); return "boom()"
    class P(metaclass=Meta):
        def __init__(self, w): self.w = w
    made = P(X)
    def f(p):
        return xp.sum(p.w ** 2)
    args = (made,)
""")  # fmt: skip
hostile("dataclass", """
    import dataclasses
    @dataclasses.dataclass
    class P:
        w: object
        def __post_init__(self): boom()
    def f(p):
        return xp.sum(p.w ** 2)
    args = (P(X),)
""")  # fmt: skip
hostile("frozen-dataclass", """
    import dataclasses
    @dataclasses.dataclass(frozen=True)
    class P:
        w: object
        b: object = dataclasses.field(default=None, init=False)
        def __post_init__(self): boom()
    def f(p):
        return xp.sum(p.w ** 2)
    args = (P(X),)
""")  # fmt: skip
hostile("dict-with-own-access", """
    class P(dict):
        def __getitem__(self, key): return dict.__getitem__(self, key.lower()) * 2
    def f(p):
        return xp.sum(p["W"] ** 2)
    args = (P(w=X),)
""", outcome="error")  # fmt: skip
hostile("list-with-own-access", """
    class P(list):
        def __getitem__(self, key): return list.__getitem__(self, 1 - key)
    def f(p):
        return xp.sum(p[0] ** 2) + xp.sum(p[1])
    args = (P([X, Y]),)
""", outcome="error")  # fmt: skip
hostile("object-with-own-access", """
    class P:
        def __init__(self, w): self.w = w
        def __getattribute__(self, name):
            found = object.__getattribute__(self, name)
            return found * 2 if name == "w" else found
    def f(p):
        return xp.sum(p.w ** 2)
    args = (P(X),)
""", outcome="error")  # fmt: skip
hostile("hidden-attribute", """
    class P:
        def __init__(self, w): self.__dict__["w"] = w
        @property
        def w(self): return self.__dict__["w"] * 3
    def f(p):
        return xp.sum(p.w ** 2)
    args = (P(X),)
""", outcome="error")  # fmt: skip
hostile("attribute-dict", """
    class P(dict):
        __getattr__ = dict.__getitem__
        __setattr__ = dict.__setitem__
    def f(p):
        return xp.sum(p.w ** 2) + xp.sum(p["w"])
    args = (P(w=X),)
""", outcome="any")  # fmt: skip
hostile("dict-subclass", """
    class P(dict):
        def __getitem__(self, key): boom(); return dict.__getitem__(self, key)
        def __setitem__(self, key, value): boom(); dict.__setitem__(self, key, value)
        def __iter__(self): boom(); return dict.__iter__(self)
        def __missing__(self, key): boom()
    def f(p):
        return xp.sum(dict.__getitem__(p, "w") ** 2)
    args = (P(w=X),)
""", outcome="error", numbers=False)  # fmt: skip
hostile("list-subclass", """
    class P(list):
        def __getitem__(self, key): boom(); return list.__getitem__(self, key)
        def __iter__(self): boom(); return list.__iter__(self)
        def __len__(self): boom(); return 1
    def f(p):
        return xp.sum(list.__getitem__(p, 0) ** 2)
    args = (P([X]),)
""", outcome="error", numbers=False)  # fmt: skip
hostile("evil-keys", """
    class Key:
        def __repr__(self): boom(); return "boom()"
    key = Key()
    def f(p):
        return xp.sum(p[key] ** 2)
    args = ({key: X},)
""", outcome="error")  # fmt: skip
hostile("string-subclass-keys", """
    class Key(str):
        def __repr__(self): boom(); return "'w' + boom()"
    key = Key("w")
    def f(p):
        return xp.sum(p["w"] ** 2)
    args = ({key: X},)
""", outcome="any")  # fmt: skip
hostile("evil-result", """
    class Evil:
        def __repr__(self): boom(); return "boom()"
    evil = Evil()
    def f(x):
        return xp.sum(x ** 2), evil
    args = (X,)
""")  # fmt: skip
hostile("float-subclass", """
    class Evil(float):
        def __repr__(self): boom(); return "boom()"
        def __mul__(self, other): boom(); return 0.0
        __rmul__ = __mul__
    evil = Evil(3.0)
    def f(x):
        return xp.sum(x ** 2) + 0 * len("evil")
    args = (X,)
""")  # fmt: skip
hostile("evil-constant", """
    class Evil(float):
        def __repr__(self): boom(); return "boom()"
    evil = Evil(3.0)
    def f(x):
        return xp.sum(x * evil)
    args = (X,)
""", outcome="any")  # fmt: skip
hostile("evil-name", """
    def f(x):
        return xp.sum(x ** 2)
    f.__name__ = 'f(): boom()\\nboom()\\ndef g'
    f.__qualname__ = '\"\"\"; boom(); \"\"\"'
    args = (X,)
""", outcome="any")  # fmt: skip
hostile("evil-doc", """
    def f(x):
        return xp.sum(x ** 2)
    f.__doc__ = '\"\"\"\\nboom()\\n\"\"\"'
    f.__module__ = 'boom()'
    args = (X,)
""")  # fmt: skip
hostile("comprehension-scope", """
    def f(x):
        return sum(xp.sum(x * k) for k in [1.0, 2.0] if k or boom())
    args = (X,)
""")  # fmt: skip
hostile("lambda-default", """
    def f(x):
        later = lambda y=x: boom(y)
        return xp.sum(x ** 2)
    args = (X,)
""")  # fmt: skip
hostile("array-subclass", """
    class A(xp.ndarray):
        def __array_finalize__(self, other): boom()
        def __array_function__(self, *a, **k): boom()
        def __array_ufunc__(self, *a, **k): boom()
    made = X.view(A)
    def f(x):
        return (x ** 2).sum()
    args = (made,)
""", outcome="error", numbers=False)  # fmt: skip
hostile("context", """
    class C:
        def __enter__(self): boom()
        def __exit__(self, *a): boom()
    c = C()
    def f(x):
        with c:
            return xp.sum(x ** 2)
    args = (X,)
""", outcome="any", numbers=False)  # fmt: skip
hostile("exec-inside", """
    def f(x):
        exec("boom()")
        eval("boom()")
        return xp.sum(x ** 2)
    args = (X,)
""", outcome="error", numbers=False)  # fmt: skip
hostile("import-inside", """
    def f(x):
        import antigravity_that_does_not_exist
        return xp.sum(x ** 2)
    args = (X,)
""", outcome="error", numbers=False)  # fmt: skip

# --- where the source is ------------------------------------------------------------------------------------

hostile("two-lambdas", "g, f = lambda x: xp.sum(x ** 3), lambda x: xp.sum(x ** 2)\nargs = (X,)")
hostile("equal-lambdas", "f, g = (lambda x: xp.sum(x ** 2)), (lambda x: xp.sum(x ** 2))\nargs = (X,)")
hostile("lambda-in-lambda", "f = (lambda k: lambda x: xp.sum(x ** k))(2)\nargs = (X,)")
hostile("lambda-in-call", "f = max([lambda x: xp.sum(x ** 2)], key=id)\nargs = (X,)")
hostile("lambda-lines", "f = (lambda x:\n  xp.sum(\n x ** 2\n)   )\nargs = (X,)")
hostile("inner-exec", """
    made = {"xp": xp}
    exec("def f(x):\\n    return xp.sum(x ** 2)", made)
    f = made["f"]
    args = (X,)
""", outcome="error")  # fmt: skip
hostile("replaced-code", """
    def g(x):
        return xp.sum(x ** 3)
    def f(x):
        return xp.sum(x ** 2)
    f.__code__ = g.__code__
    args = (X,)
""")  # fmt: skip
hostile("made-code", """
    def f(x):
        return xp.sum(x ** 2)
    f.__code__ = f.__code__.replace(co_consts=(None, 3))
    args = (X,)
""", outcome="error")  # fmt: skip
hostile("semicolons", "def f(x): y = x * 2; z = y ** 2; return xp.sum(z)\nargs = (X,)")
hostile("continued", "def f(x):\n    y = x \\\n        * 2\n    return xp.sum(y ** 2)\nargs = (X,)")
hostile("tabs", "def f(x):\n\ty = x * 2\n\treturn xp.sum(y ** 2)\nargs = (X,)")
hostile("form-feed", "\x0c\ndef f(x):\n\x0c    return xp.sum(x ** 2)\nargs = (X,)", outcome="any")
hostile("generator", "def f(x):\n    yield xp.sum(x ** 2)\nargs = (X,)", outcome="error", numbers=False)
hostile(
    "coroutine", "async def f(x):\n    return xp.sum(x ** 2)\nargs = (X,)", outcome="error", numbers=False
)
hostile("class-body", """
    class A:
        __k = 2.0
        def f(x, _A__k=3.0):
            __y = x * 2
            return xp.sum(__y ** 2) * _A__k
    f = A.f
    args = (X,)
""")  # fmt: skip

# --- modules under other names ------------------------------------------------------------------------------

hostile("np-is-math", "import math as np\ndef f(x):\n    return np.sin(x) ** 2\nargs = (0.7,)")
hostile(
    "numpy-as-math", "import numpy as math\ndef f(x):\n    return math.sum(math.sin(x) ** 2)\nargs = (X,)"
)
hostile("np-is-a-class", """
    class np:
        @staticmethod
        def sum(x): return xp.sum(x) * 2
    def f(x):
        return np.sum(x ** 2)
    args = (X,)
""")  # fmt: skip
hostile("own-sum", "def sum(x):\n    return xp.sum(x) * 3\ndef f(x):\n    return sum(x ** 2)\nargs = (X,)")
hostile("own-len", "len = lambda x: 5.0\ndef f(x):\n    return xp.sum(x) * len(x)\nargs = (X,)")
hostile(
    "own-range",
    "range = lambda n: [4.0]\ndef f(x):\n    return sum(xp.sum(x) * k for k in range(3))\nargs = (X,)",
)
hostile("sin-is-cos", "from numpy import sin as cos\ndef f(x):\n    return xp.sum(cos(x))\nargs = (X,)")
hostile("local-np-array", "def f(x):\n    np = x * 2\n    return xp.sum(np ** 2)\nargs = (X,)")
hostile(
    "local-module", "def f(x):\n    import numpy as q\n    return q.sum(x ** 2)\nargs = (X,)", outcome="any"
)
hostile("patched-function", """
    class xp2: pass
    xp2.sum = staticmethod(lambda x: xp.sum(x) * 7)
    def f(x):
        return xp2.sum(x)
    args = (X,)
""", outcome="any")  # fmt: skip

# --- sizes --------------------------------------------------------------------------------------------------

hostile(
    "long-name", f"def f(x):\n    {'n' * 5000} = x * 2\n    return xp.sum({'n' * 5000} ** 2)\nargs = (X,)"
)
hostile("long-parameter", f"def f({'n' * 3000}):\n    return xp.sum({'n' * 3000} ** 2)\nargs = (X,)")
hostile("long-function", f"def {'n' * 3000}(x):\n    return xp.sum(x ** 2)\nf = {'n' * 3000}\nargs = (X,)")
hostile("long-line", f"def f(x):\n    return xp.sum({' + '.join(['x * x'] * 400)})\nargs = (X,)")
hostile("parentheses", f"def f(x):\n    return xp.sum({'(' * 80}x{')' * 80} ** 2)\nargs = (X,)")
hostile(
    "deep-calls", f"def f(x):\n    return xp.sum({'xp.sin(' * 60}x{')' * 60})\nargs = (X,)", outcome="any"
)
hostile("deep-minus", f"def f(x):\n    return xp.sum({'-' * 1000}x)\nargs = (X,)", outcome="any")
hostile("deep-sum", f"def f(x):\n    return xp.sum({' + '.join(['x'] * 1000)})\nargs = (X,)", outcome="any")
hostile("deep-attribute", "def f(x):\n    return xp.sum(x" + ".T" * 500 + ")\nargs = (X,)", outcome="any")
hostile("deep-if", """
    def f(x):
        y = x
        return xp.sum(y {0} ** 2)
    args = (X,)
""".replace("{0}", " if True else 0".join([""] * 2)), outcome="any")  # fmt: skip
hostile(
    "statements", "def f(x):\n" + "    x = x * 1.0001\n" * 2000 + "    return xp.sum(x ** 2)\nargs = (X,)"
)
hostile("names-2000", "def f(x):\n" + "".join(f"    a{i} = xp.sin(x) * {i}\n" for i in range(300))
        + f"    return xp.sum({' + '.join(f'a{i}' for i in range(300))})\nargs = (X,)")  # fmt: skip
hostile(
    "arguments",
    f"def f({', '.join(f'a{i}' for i in range(300))}):\n    return xp.sum(a0 * a299)\nargs = (X,) * 300",
)
hostile("nested-list", f"def f(p):\n    return xp.sum(p{'[0]' * 80} ** 2)\nargs = ({'[' * 80}X{']' * 80},)")  # fmt: skip
hostile("nested-far", "def f(p):\n    return 1.0\nargs = [X]\nfor _ in range(3000): args = [args]\nargs = (args,)",
        outcome="error", numbers=False)  # fmt: skip
hostile("cycle", "p = {'w': X}\np['self'] = p\ndef f(p):\n    return xp.sum(p['w'] ** 2)\nargs = (p,)",
        outcome="any", numbers=False)  # fmt: skip
hostile("recursion", "def f(x):\n    return f(x)\nargs = (X,)", outcome="error", numbers=False)
hostile("mutual-recursion", "def g(x):\n    return f(x)\ndef f(x):\n    return g(x) + 1\nargs = (X,)",
        outcome="error", numbers=False)  # fmt: skip
hostile("endless", "def f(x):\n    while True:\n        x = x + 1\n    return xp.sum(x)\nargs = (X,)",
        outcome="error", numbers=False)  # fmt: skip

# --- constants ----------------------------------------------------------------------------------------------

for _number, _constant in enumerate((
    "10**30", "-(10**30)", "1 << 200", "2**63", "2**64", "1e308", "-1e-320", "1e400", "-1e400", "0.1 + 0.2", "1_000.5",
    "0x1F", "True", "-0.0", "5e-324", "1/3", "10**400 // 10**399",
)):  # fmt: skip
    hostile(
        f"constant-{_number}",
        f"def f(x):\n    return xp.sum(x * float({_constant}))\nargs = (X,)",
        numbers=False,
    )
for _number, _constant in enumerate(
    ("1j", "-1j", "complex(0, -0.0)", "complex(1, float('inf'))", "-0.0 - 2j")
):
    hostile(f"complex-{_number}", f"def f(x):\n    return xp.sum(xp.abs(x * ({_constant}) + 1.0))\nargs = (X,)",
            numbers=_number != 3)  # fmt: skip
hostile("nan", "nan = float('nan')\ndef f(x):\n    return xp.sum(x * nan)\nargs = (X,)", numbers=False)
hostile("huge-int", "def f(x):\n    return xp.sum(x) + (10**5000 % 7)\nargs = (X,)")
hostile("huge-factor", "def f(x):\n    return x * 10**5000\nargs = (2.0,)", outcome="error", numbers=False)
hostile("long-literal", f"def f(x):\n    return x * 0.{'3' * 5000}\nargs = (2.0,)")


# --- what a generated module may hold -----------------------------------------------------------------------

NODES = (
    ast.Module, ast.Import, ast.ImportFrom, ast.alias, ast.FunctionDef, ast.arguments, ast.arg, ast.Expr, ast.Assign,
    ast.AugAssign, ast.Return, ast.Name, ast.Load, ast.Store, ast.Constant, ast.Attribute, ast.Subscript, ast.Slice,
    ast.Tuple, ast.List, ast.Delete, ast.Del, ast.Dict, ast.Call, ast.keyword, ast.BinOp, ast.UnaryOp, ast.Compare, ast.operator,
    ast.unaryop, ast.cmpop,
)  # fmt: skip
MODULES = {"numpy", "math", "copy", "dataclasses", "symdiff.runtime"}
BUILTINS = {
    "float",
    "complex",
    "abs",
    "max",
    "min",
    "vars",
    "int",
    "bool",
    "str",
    "tuple",
    "type",
    "dict",
    "list",
    "object",
}


def check_module(source: str) -> None:
    """Only arithmetic, indexing and calls of NumPy, of allowed builtins and of functions defined there."""
    tree = ast.parse(source)
    defined = {"np", "math", "copy", "dataclasses"}
    for node in ast.walk(tree):
        assert isinstance(node, NODES), ast.dump(node)
        if isinstance(node, ast.Import):
            assert {alias.name for alias in node.names} <= MODULES
        elif isinstance(node, ast.ImportFrom):
            assert node.module in MODULES
            defined |= {alias.name for alias in node.names}
        elif isinstance(node, ast.FunctionDef):
            assert not node.decorator_list
            assert node.returns is None
            defined.add(node.name)
        elif isinstance(node, ast.arg):
            assert node.annotation is None
            defined.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            defined.add(node.id)
        elif isinstance(node, ast.Attribute):
            allowed = ("__new__", "__setattr__", "__setitem__")
            assert not node.attr.startswith("__") or node.attr in allowed or node.attr in NAMES, node.attr
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            assert node.id in defined | BUILTINS, node.id
            assert node.id != "boom"
        elif isinstance(node, ast.Expr):
            assert isinstance(node.value, ast.Call) or isinstance(node.value.value, str)
        elif isinstance(node, ast.Call):
            assert isinstance(node.func, ast.Name | ast.Attribute)


# --- the tests ----------------------------------------------------------------------------------------------


def define(case: Hostile, folder):
    file = case.file or str(folder / "hostile.py")
    if case.registered:
        lines = case.text.splitlines(keepends=True)
        linecache.cache[file] = (len(case.text), None, lines, file)
    sys.modules["hostile"] = types.ModuleType("hostile")
    namespace = {"__name__": "hostile", "boom": boom}
    exec(compile(case.text, "x" if "\x00" in file else file, "exec"), namespace)
    return namespace["f"], tuple(namespace["args"]), namespace.get("kwargs", {})


@pytest.fixture
def quiet():
    """Forgets what the texts planted, whatever happens."""
    known, names = dict(linecache.cache), set(vars(builtins))
    yield
    linecache.cache.clear()
    linecache.cache.update(known)
    sys.modules.pop("hostile", None)
    assert set(vars(builtins)) == names


def test_there_are_enough():
    assert len(CASES) >= 200
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_hostile(case, tmp_path):
    f, args, kwargs = define(case, tmp_path)
    FIRED.clear()
    aux = "result" in case.name or case.name.startswith("text-")
    with np.errstate(all="ignore"):
        derivative = symdiff.value_and_grad(f, wrt=case.wrt, has_aux=aux)
        assert not FIRED, "decoration"
        try:
            value, gradient = derivative(*args, **kwargs)
        except SymdiffError:
            assert not FIRED
            if case.outcome == "right":
                raise
            return
        assert case.outcome != "error"
        check_module(derivative.source_for(*args, **kwargs))
        assert not FIRED
        if not case.numbers:
            return
        first = (lambda result: result[0]) if aux else (lambda result: result)
        np.testing.assert_equal(first(value), first(f(*args, **kwargs)))
        wanted = numerical(f, case.wrt, args, kwargs, first)
    found = gradient if isinstance(case.wrt, tuple) else (gradient,)
    for one, numbers in zip(found, wanted, strict=True):
        for leaf, expected in zip(leaves(one), numbers, strict=True):
            np.testing.assert_allclose(leaf, expected, rtol=1e-7, atol=1e-9)
