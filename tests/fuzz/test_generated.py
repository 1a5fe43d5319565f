"""The checks of generated text: what they report, and what they leave alone."""

from __future__ import annotations

import pytest
from fuzz.generated import problems

TIDY = [
    "def f(x):\n    s = 0.0\n    for v in x:\n        s = s + v\n    return s",
    "def f(x):\n    s = x\n    while s > 1:\n        t = s\n        s = s / 2\n"
    "        if t < 3:\n            break\n    return s",
    "def f(x):\n    if x > 0:\n        y = x\n    else:\n        y = -x\n    return y",
    "def f(x):\n    last = 0.0\n    for v in x:\n        last = v\n"
    "        if v > 1:\n            continue\n    return last",
    "def f(x):\n    out = np.zeros(3)\n    row = out[1:]\n    row[0] = x\n    return out",
    "def f(x):\n    saved = []\n    for v in x:\n        saved.append(v)\n    return saved",
    "def f(x):\n    y = x * 2\n\n    def pullback(g):\n        return g * y\n\n    return x, pullback",
    "def f(x):\n    a = np.zeros(2)\n    np.add.at(a, [0], x)\n    return a",
    "def f(x):\n    t = x * 2\n    y = t + 1\n    del t\n    return y",
    "def f(x):\n    prev = 0.0\n    for v in x:\n        y = prev + v\n        prev = v\n    return y",
]
UNTIDY = [
    ("def f(x):\n    y = x\n    return x", "y is not read"),
    ("def f(x):\n    y = x\n    y = 2\n    return y", "y is not read"),
    ("def f(x):\n    for v in x:\n        y = v\n    return x", "y is not read"),
    ("def f(x):\n    if x > 0:\n        y = x\n    return x", "y is not read"),
    (
        "def f(x):\n    y = x\n    if x > 0:\n        y = 1\n    else:\n        y = 2\n    return y",
        "y is not read",
    ),
    (
        "def f(x):\n    s = 0\n    while x > 0:\n        s = 1\n        x = x - 1\n    return x",
        "s is not read",
    ),
    ("def f(x):\n    a = np.zeros(2)\n    a[0] = 1\n    return x", "a is written and not read"),
    ("def f(x):\n    np.sin(x)\n    return x", "does nothing"),
    ("def f(x):\n    x + 1\n    return x", "does nothing"),
    ("def f(x):\n    sum = x + 1\n    return sum", "shadows"),
    ("import math\ndef f(x):\n    return x", "not used"),
    ("def f(x):\n    return x ", "line 2"),
]


@pytest.mark.parametrize("text", TIDY)
def test_tidy_text_is_left_alone(text: str) -> None:
    assert problems(text) == []


@pytest.mark.parametrize(("text", "what"), UNTIDY)
def test_what_is_wrong_is_said(text: str, what: str) -> None:
    assert any(what in line for line in problems(text)), problems(text)
