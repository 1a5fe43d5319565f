"""The text form of a program: what people read, what the cache hashes, what tests compare.

Enters: a `Function`, or its text with the operations it uses.  Leaves: the other of the two.  Invariant:
`to_text(from_text(t)) == t`; the text holds everything that later stages read and nothing else (no
identities, no unresolved sizes), so that equal texts mean equal generated code in every process.

    function loss_grad(b, w, scale: keyword_only = '1.0') 'Gradient of loss.'
      %0 b = param(parameter='b', path=()) : float64[1]
      %1 error = add(%0, %0) : float64[1] @0
      %2 := if(%1) : float64[] @0 {
        yield %1
      } {
        yield %0
      }
      return %2 as tuple(leaf)
    @0 'model.py' 5:4-5:17 'error = b + b'

`=` defines a value of the user's, `:=` a derived one; `as` shows how the results are packed.  A value that is
no literal prints as `<type digest>`, which tells it from others and cannot be read back.  The functions that
are called follow, each after a line `with`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from symdiff.errors import IRError, Span
from symdiff.ir import types
from symdiff.ir.build import STRUCTURAL
from symdiff.ir.calls import CALLS
from symdiff.ir.control import CONTROL, RULE
from symdiff.ir.literals import expression, literal, read_expression, read_literal, read_tree, tree_text
from symdiff.ir.node import Attrs, Function, Node, Op, Parameter, Region
from symdiff.ir.types import Dim, Dims, Size, Sizes, Type

_PLAIN = re.compile(r"\w+").fullmatch
_WITH = "with"  # the line before each function that is called

# --- writing ------------------------------------------------------------------------------------------------


def to_text(function: Function, spans: bool = True) -> str:
    """The text of a function; spans=False leaves out where in the user's source it comes from."""
    writer = _Writer(function.sizes, spans)
    writer.region(function.body, "  ")
    head = f"function {_name(function.name)}({', '.join(map(_parameter, function.parameters))})"
    if function.summary:
        head += f" {function.summary!r}"
    lines = [head, *writer.lines]
    lines.append(f"  return{writer.values(function.results)} as {tree_text(function.tree)}")
    if function.info:
        lines.append(f"  info {_attrs(sorted(function.info.items()))}")
    lines += [f"@{number} {_place(span)}" for span, number in writer.spans.items()]
    inner = [f"{_WITH}\n{to_text(one, spans)}" for one in function.functions.values()]
    return "\n".join(lines) + "\n" + "".join(inner)


def node_lines(function: Function) -> dict[int, str]:
    """By `id` of every node: its line, for messages."""
    writer = _Writer(function.sizes, False)
    writer.region(function.body, "")
    return {key: writer.lines[at].strip().removesuffix(" {") for key, at in writer.at.items()}


class _Writer:
    """Numbers values and spans in the order in which they appear."""

    def __init__(self, sizes: Sizes, spans: bool):
        self.sizes = sizes
        self.with_spans = spans
        self.lines: list[str] = []
        self.numbers: dict[int, str] = {}
        self.at: dict[int, int] = {}
        self.types: dict[Type, str] = {}
        self.spans: dict[Span, int] = {}
        self.seen: dict[int, str] = {}

    def region(self, region: Region, indent: str) -> None:
        for param in region.params:
            self.node(param, indent)
        for node in region.body:
            self.node(node, indent)

    def node(self, node: Node, indent: str) -> None:
        number = f"%{len(self.numbers)}"
        operands = [self.numbers.get(id(arg), "%?") for arg in node.args]
        self.numbers[id(node)] = number
        self.at[id(node)] = len(self.lines)
        name = f" {_name(node.name)}" if node.name else ""
        if node.attrs:
            operands.append(_attrs(node.attrs))
        equals = "=" if node.primal else ":="
        place = self.place(node.span) if self.with_spans and node.span is not None else ""
        inner = " {" if node.regions else ""
        self.lines.append(
            f"{indent}{number}{name} {equals} {node.op.name}({', '.join(operands)})"
            f" : {self.type(node.type)}{place}{inner}"
        )
        for k, region in enumerate(node.regions, start=1):
            self.region(region, indent + "  ")
            self.lines.append(f"{indent}  yield{self.values(region.results)}")
            self.lines.append(f"{indent}}}" if k == len(node.regions) else f"{indent}}} {{")

    def values(self, nodes: Iterable[Node]) -> str:
        text = ", ".join([self.numbers.get(id(node), "%?") for node in nodes])
        return f" {text}" if text else ""

    def type(self, type: Type) -> str:
        text = self.types.get(type)
        if text is None:
            text = self.types[type] = str(self.resolved(type))
        return text

    def resolved(self, type: Type) -> Type:
        items = tuple(self.resolved(item) for item in type.items)
        return Type(type.kind, type.dtype, self.sizes.resolve(type.dims), items)

    def place(self, span: Span) -> str:
        text = self.seen.get(id(span))
        if text is None:
            text = self.seen[id(span)] = f" @{self.spans.setdefault(span, len(self.spans))}"
        return text


def _attrs(items: Iterable[tuple[str, Any]]) -> str:
    return ", ".join([f"{key}={literal(value)}" for key, value in items])


def _name(name: str) -> str:
    return name if _PLAIN(name) else repr(name)


def _parameter(parameter: Parameter) -> str:
    kind = "" if parameter.kind == "positional" else f": {_name(parameter.kind)}"
    default = "" if parameter.default is None else f" = {parameter.default!r}"
    return f"{_name(parameter.name)}{kind}{default}"


def _place(span: Span) -> str:
    return f"{span.file!r} {span.line}:{span.column}-{span.end_line}:{span.end_column} {span.text!r}"


# --- reading ------------------------------------------------------------------------------------------------

_STRING = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_WORD = rf"\w+|{_STRING}"
_HEAD = re.compile(rf"function ({_WORD})\((.*)\)(?: ({_STRING}))?")
_PARAMETER = re.compile(rf"({_WORD})(?:: ({_WORD}))?(?: = ({_STRING}))?(?:, |$)")
_NODE = re.compile(rf"%(\d+)(?: ({_WORD}))? (:?=) (\w+)\((.*)\) : ([^'\"]+?)(?: @(\d+))?( \{{)?")
_ARG = re.compile(r"(%\d+)(?:, |$)")
_PLACE = re.compile(rf"@(\d+) ({_STRING}) (\d+):(\d+)-(\d+):(\d+) ({_STRING})")
_SIZE = re.compile(r"(\??\w+)(?:-(\d+))?")
_END = re.compile(r"(?:(%.*?) )?as (.*)")


def from_text(text: str, ops: Mapping[str, Op]) -> Function:
    """The function of a text.  ops: by name, the operations that it may use beside the structural ones."""
    main, *others = re.split(rf"^{_WITH}\n", text, flags=re.MULTILINE)
    functions = [_Reader(other, ops).function() for other in others]
    return replace(_Reader(main, ops).function(), functions={one.name: one for one in functions})


class _Reader:
    def __init__(self, text: str, ops: Mapping[str, Op]):
        self.ops = {**ops, **STRUCTURAL, **CONTROL, **CALLS, RULE.name: RULE}
        self.nodes: dict[str, Node] = {}
        self.fresh = 0
        self.types: dict[str, Type] = {}
        lines = text.removesuffix("\n").split("\n")
        self.lines = [line for line in lines if not line.startswith("@")]
        self.spans = dict(_read_place(line) for line in lines if line.startswith("@"))
        self.next = 0

    def line(self) -> str:
        if self.next == len(self.lines):
            raise IRError("The text ends within a program.")
        self.next += 1
        return self.lines[self.next - 1].strip(" ")

    def function(self) -> Function:
        head = _match(_HEAD, self.line())
        parameters = _read_parameters(head[2])
        body, end = self.region("return")
        results, tree = _match(_END, end).groups()
        info = dict(_read_attrs(self.line().removeprefix("info "))) if self.next < len(self.lines) else {}
        if self.next < len(self.lines):
            raise IRError(f"The program has ended before this line: {self.line()}")
        region = Region(body.params, body.body, self.values(results))
        summary = read_literal(head[3]) if head[3] else ""
        sizes = Sizes(count=self.fresh)
        return Function(
            _unquoted(head[1]), region, read_tree(expression(tree)), sizes, parameters, summary, info
        )

    def region(self, end: str) -> tuple[Region, str]:
        """The nodes up to the line that begins with `end`, and the rest of that line."""
        params: list[Node] = []
        body: list[Node] = []
        while True:
            line = self.line()
            if line == end or line.startswith(end + " "):
                return Region(tuple(params), tuple(body), ()), line.removeprefix(end).strip(" ")
            node = self.node(line)
            (params if node.op.name == "param" else body).append(node)

    def node(self, line: str) -> Node:
        number, name, equals, op, inner, type, place, opens = _match(_NODE, line).groups()
        args = []
        at = 0
        while (arg := _ARG.match(inner, at)) is not None:
            args.append(self.value(arg[1]))
            at = arg.end()
        attrs = _read_attrs(inner[at:])
        regions = tuple(self.regions()) if opens else ()
        if op not in self.ops:
            raise IRError(f"There is no operation `{op}`: {line}")
        span = self.spans.get(place) if place else None
        named = _unquoted(name) if name else ""
        made = Node(self.ops[op], tuple(args), attrs, self.type(type), regions, span, named, equals == "=")
        self.nodes[f"%{number}"] = made
        return made

    def regions(self) -> Iterator[Region]:
        while True:
            region, results = self.region("yield")
            yield Region(region.params, region.body, self.values(results))
            line = self.line()
            if line == "}":
                return
            if line != "} {":
                raise IRError(f"A region ends here: {line}")

    def value(self, name: str) -> Node:
        if name not in self.nodes:
            raise IRError(f"{name} is used before it is defined.")
        return self.nodes[name]

    def values(self, text: str | None) -> tuple[Node, ...]:
        return tuple(self.value(name) for name in text.split(", ")) if text else ()

    def type(self, text: str) -> Type:
        found = self.types.get(text)
        if found is None:
            found = self.types[text] = self.read_type(text)
        return found

    def read_type(self, text: str) -> Type:
        if text.startswith("tuple(") and text.endswith(")"):
            return types.tuple_of(self.type(item) for item in _split(text[6:-1]))
        if text in ("undefined", "pullback"):
            return types.UNDEFINED if text == "undefined" else types.PULLBACK
        if text.startswith("stack(") and text.endswith(")"):
            return types.stack_of(self.type(text[6:-1]))
        if text.startswith("number "):
            return types.number(text.removeprefix("number ").replace("?", ""))
        dtype, bracket, dims = text.rpartition("[")
        if not bracket or not dims.endswith("]"):
            raise IRError(f"This is not a type: {text}")
        if dtype == "shape":
            return types.shape(self.dims(dims[:-1]))
        return types.array("" if dtype == "?" else dtype, self.dims(dims[:-1]))

    def dims(self, text: str) -> Dims | None:
        return None if text == "..." else tuple(self.dim(part) for part in text.split(", ") if part)

    def dim(self, text: str) -> Dim:
        if text.isdigit():
            return int(text)
        name, less = _match(_SIZE, text).groups()
        if name[1:].isdigit() and name[0] == "?":
            self.fresh = max(self.fresh, int(name[1:]) + 1)
        return Size(name, int(less or 0))


def _read_attrs(text: str) -> Attrs:
    if not text:
        return ()
    call = expression(f"f({text})")
    if not isinstance(call, ast.Call) or call.args:
        raise IRError(f"Attributes are written key=literal: {text}")
    return tuple((word.arg or "", read_expression(word.value)) for word in call.keywords)


def _match(pattern: re.Pattern[str], line: str) -> re.Match[str]:
    found = pattern.fullmatch(line)
    if found is None:
        raise IRError(f"This line is not understood: {line}")
    return found


def _unquoted(name: str) -> str:
    return str(read_literal(name)) if name[0] in "'\"" else name


def _read_place(line: str) -> tuple[str, Span]:
    number, file, line_, column, end_line, end_column, text = _match(_PLACE, line).groups()
    start, end = (int(line_), int(column)), (int(end_line), int(end_column))
    return number, Span(read_literal(file), *start, *end, read_literal(text))


def _read_parameters(text: str) -> tuple[Parameter, ...]:
    result, at = [], 0
    while at < len(text):
        found = _PARAMETER.match(text, at)
        if found is None:
            raise IRError(f"Parameters are written `name: kind = 'default'`: {text}")
        name, kind, default = found.groups()
        value = None if default is None else read_literal(default)
        result.append(Parameter(_unquoted(name), _unquoted(kind) if kind else "positional", value))
        at = found.end()
    return tuple(result)


def _split(text: str) -> Iterator[str]:
    """The parts between commas that stand outside of brackets."""
    depth, start = 0, 0
    for at, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth == 0:
            yield text[start:at]
            start = at + 2
    if text:
        yield text[start:]
