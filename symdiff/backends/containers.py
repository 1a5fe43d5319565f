"""Arguments taken out of their containers, and results put into them.

Enters: the tree of an argument or a result.  Leaves: expressions and statements.  Invariant: no constructor,
setter or other code of the user's runs; a container of the user's class is a copy of an argument with other
items.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from symdiff.backends.expressions import Expressions
from symdiff.backends.naming import Names
from symdiff.ir.node import Node, Path, Tree

WIDTH = 100


class Containers:
    """Packs results; `spelled`: by parameter, the name that it bears where that is another."""

    def __init__(self, expressions: Expressions, names: Names, spelled: dict[str, str]):
        self.expressions = expressions
        self.names = names
        self.spelled = spelled

    def access(self, parameter: str, path: Path) -> str:
        return access(self.spelled.get(parameter, parameter), path)

    def packed(self, tree: Tree, leaves: Iterator[Node], before: list[str], top: bool = False) -> str:
        """A result in its containers; `before` receives the statements that make copies of objects."""
        if tree.kind == "leaf":
            return self.expressions.text(next(leaves))
        if tree.kind == "static":
            return repr(tree.value) if tree.like is None else self.access(*tree.like)
        items = [self.packed(child, leaves, before) for child in tree.children]
        if tree.kind == "tuple":
            inside = f"{items[0]}," if len(items) == 1 else ", ".join(items)
            return inside if top and len(items) > 1 else f"({inside})"
        if tree.kind == "list" and tree.value in (list, None):
            return f"[{', '.join(items)}]"
        if tree.kind == "dict" and tree.value in (dict, None):
            pairs = [f"{_quoted(key)}: {item}" for key, item in zip(tree.keys, items, strict=True)]
            return f"{{{', '.join(pairs)}}}"
        assert tree.like is not None
        return self._like(tree, items, before)

    def _like(self, tree: Tree, items: list[str], before: list[str]) -> str:
        """A container of the user's class with some fields replaced; no constructor or setter runs."""
        assert tree.like is not None
        original = self.access(*tree.like)
        pairs = list(zip(tree.keys or range(len(items)), items, strict=True))
        if tree.kind in ("namedtuple", "dataclass") and _replaceable(tree):
            fields = ", ".join(f"{key}={item}" for key, item in pairs)
            if tree.kind == "namedtuple":
                return f"{original}._replace({fields})"
            self.expressions.imports.add("import dataclasses")
            return f"dataclasses.replace({original}, {fields})"
        if tree.kind == "tuple":
            return f"tuple.__new__(type({original}), ({', '.join(items)},))"
        step = tree.like[1][-1][1] if tree.like[1] else tree.like[0]
        wish = f"{step}_bar" if tree.like[1] or not tree.like[0].endswith("_like") else tree.like[0][:-5]
        name = self.names.fresh(wish)
        if tree.kind in ("dataclass", "object") and _own(tree.value) & _HOOKS and _has_dict(tree.value):
            before.append(f"{name} = object.__new__(type({original}))")
            before.append(f"vars({name}).update(vars({original}))")
        else:
            self.expressions.imports.add("import copy")
            before.append(f"{name} = copy.copy({original})")
        before += [_set(tree, name, key, item) for key, item in pairs]
        return name


def likes(tree: Tree) -> Iterator[str]:
    """The parameters of which a result is made by replacing items."""
    if tree.like is not None:
        yield tree.like[0]
    for child in tree.children:
        yield from likes(child)


def _replaceable(tree: Tree) -> bool:
    """Whether the class's own way to replace fields runs no code of the user's."""
    if tree.kind == "namedtuple":
        return True
    parameters = getattr(tree.value, "__dataclass_params__", None)
    fields = getattr(tree.value, "__dataclass_fields__", {})
    return (
        parameters is not None
        and not _own(tree.value) & {"__post_init__", "__new__"}
        and ("__setattr__" not in _own(tree.value) or parameters.frozen)
        and all(field.init for field in fields.values())
        and getattr(getattr(tree.value.__init__, "__code__", None), "co_filename", "") == "<string>"
        and set(tree.value.__init__.__annotations__) - {"return"} == set(fields)
    )


def _own(cls: type) -> set[str]:
    """The names that the class and its bases define, without those of Python's own types."""
    return {name for base in cls.__mro__ if base.__flags__ & _HEAP_TYPE for name in base.__dict__}


_HEAP_TYPE = 1 << 9  # classes written in Python


# What `copy.copy` would run.
_HOOKS = {
    "__copy__", "__reduce__", "__reduce_ex__", "__getstate__", "__setstate__", "__new__", "__getnewargs__",
    "__getnewargs_ex__", "__getattr__",
}  # fmt: skip


def _has_dict(cls: type) -> bool:
    """Whether instances keep all their attributes in `__dict__`."""
    return not any("__slots__" in base.__dict__ for base in cls.__mro__)


def underlined(name: str) -> Iterator[str]:
    while True:
        name += "_"
        yield name


def _set(tree: Tree, name: str, key: Any, item: str) -> str:
    """The statement that puts an item into a copy."""
    if tree.kind in ("list", "dict"):
        if tree.value.__module__ == "collections" or "__setitem__" not in _own(tree.value):
            return f"{name}[{_quoted(key)}] = {item}"
        return f"{tree.kind}.__setitem__({name}, {_quoted(key)}, {item})"
    if "__setattr__" in _own(tree.value):
        return f"object.__setattr__({name}, {_quoted(key)}, {item})"
    return f"{name}.{key} = {item}"


def taken(tree: Tree, argument: str, targets: list[str]) -> list[str]:
    """The statements that take the cotangents out of their containers; those without a name are not read."""
    if tree.kind == "leaf":
        return []
    line = f"{', '.join(targets)}{',' if len(targets) == 1 else ''} = {argument}"
    if _is_flat(tree) and all(targets) and len(line) + 8 <= WIDTH:
        return [line]
    paths = [access(argument, path) for path in _paths(tree)]
    return [f"{target} = {path}" for target, path in zip(targets, paths, strict=True) if target]


def _is_flat(tree: Tree) -> bool:
    return tree.kind in ("tuple", "list", "namedtuple") and all(c.kind == "leaf" for c in tree.children)


def _paths(tree: Tree, path: Path = ()) -> Iterator[Path]:
    """The steps to each leaf; the items of named tuples are counted."""
    if tree.kind == "leaf":
        yield path
    step = "attr" if tree.kind in ("dataclass", "object") else "item"
    keys = range(len(tree.children)) if tree.kind in ("tuple", "list", "namedtuple") else tree.keys
    for key, child in zip(keys, tree.children, strict=True):
        yield from _paths(child, (*path, (step, key)))


def access(parameter: str, path: Path) -> str:
    """The expression that reaches a leaf: `params["layers"][0]`."""
    return parameter + "".join(f".{key}" if kind == "attr" else f"[{_quoted(key)}]" for kind, key in path)


def _quoted(key: Any) -> str:
    text = repr(key)
    if isinstance(key, str) and '"' not in key and "'" not in key and "\\" not in text:
        return f'"{key}"'
    return text
