"""`symdiff.records` makes the data classes that the standard library would make."""

import dataclasses
import pickle
from dataclasses import FrozenInstanceError, field
from typing import Any

import pytest

from symdiff import records

NAN = float("nan")


def made(decorator: Any) -> dict[str, Any]:
    @decorator(frozen=True, slots=True)
    class Point:
        x: int
        y: int = 2
        tags: list[str] = field(default_factory=list, compare=False)

    @decorator(slots=True, eq=False)
    class Cell:
        left: int
        total: int = field(init=False, default=7)
        seen: dict[str, int] = field(init=False, default_factory=dict)
        after: int = field(init=False)

        def __post_init__(self) -> None:
            self.after = self.left + 1

    @decorator
    class Named:
        """Its own text."""

        name: str = "a"

        def __repr__(self) -> str:
            return self.name

    return {"Point": Point, "Cell": Cell, "Named": Named}


OURS, THEIRS = made(records.dataclass), made(dataclasses.dataclass)
Point = OURS["Point"]
Point.__qualname__ = "Point"  # for pickle, which looks it up here


@pytest.mark.parametrize(
    "seen",
    [
        lambda m: repr(m["Point"](1)).rpartition(".")[2],
        lambda m: m["Point"](1) == m["Point"](1, tags=["b"]),
        lambda m: m["Point"](1) == m["Point"](1, 3),
        lambda m: m["Point"](1) == 1,
        lambda m: hash(m["Point"](1)) == hash(m["Point"](1, 2)),
        lambda m: dataclasses.replace(m["Point"](1), y=5).y,
        lambda m: m["Point"](1).tags is m["Point"](1).tags,
        lambda m: [f.name for f in dataclasses.fields(m["Point"])],
        lambda m: m["Point"].__match_args__,
        lambda m: hasattr(m["Point"](1), "__dict__"),
        lambda m: (m["Cell"](1).total, m["Cell"](1).seen, m["Cell"](1).after),
        lambda m: m["Cell"](1) == m["Cell"](1),
        lambda m: isinstance(hash(m["Cell"](1)), int),
        lambda m: (repr(m["Named"]()), m["Named"].__doc__, m["Named"].__hash__),
        lambda m: m["Named"]() == m["Named"]("a"),
        lambda m: m["Named"](NAN) == m["Named"](NAN),
    ],
)
def test_as_the_standard_library(seen: Any) -> None:
    expected = seen(THEIRS)
    assert seen(OURS) == expected


@pytest.mark.parametrize("wrong", [lambda m: m["Point"](), lambda m: m["Point"](1, 2, [], 4)])
def test_wrong_arguments(wrong: Any) -> None:
    for classes in (OURS, THEIRS):
        with pytest.raises(TypeError):
            wrong(classes)


def test_frozen() -> None:
    for classes in (OURS, THEIRS):
        point = classes["Point"](1)
        with pytest.raises(FrozenInstanceError):
            point.x = 2
        with pytest.raises(FrozenInstanceError):
            del point.x


def test_pickle() -> None:
    assert pickle.loads(pickle.dumps(Point(1, 3))) == Point(1, 3)
