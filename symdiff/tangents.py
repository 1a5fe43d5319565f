"""Forward mode as it is called: `f.jvp(args, tangents)` and `f.hvp(args, v)`.

Enters: arguments, and tangents in their structure, of which any part may be None.  Leaves: what the generated
function gives for the parts that have tangents.  Invariant: every set of parts with tangents has a generated
function of its own, in which the others cost nothing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from symdiff.dispatch import Derivative
from symdiff.errors import ShapeError, WrtError
from symdiff.frontend import Lowered
from symdiff.frontend.arguments import describe, signature_key, step_into
from symdiff.ir.build import fresh_name
from symdiff.ir.node import LEAF
from symdiff.request import names_of, requested
from symdiff.variants import Variant

if TYPE_CHECKING:
    from pathlib import Path

    from symdiff.ir.node import Node
    from symdiff.ir.node import Path as Steps
    from symdiff.pipeline import Request

Places = frozenset[tuple[str, "Steps"]]
_WHOLE = ("bool", "int", "uint")


class Pushforward:
    """A callable of `(args, tangents)` that compiles itself for the arguments it meets.

    `args` is a tuple of positional arguments; `tangents` a tuple with one tangent for each, like it or None.
    The transform "hvp" takes one like the argument(s) of `wrt`.  Raises SymdiffError where the function
    cannot be differentiated or a tangent is not like its argument.
    """

    def __init__(self, callable_: Any, transform: str, wrt: Any, aux: bool, backend: str, outputs: Any = ()):
        self._given = (callable_, transform, wrt, aux, backend, outputs)
        self._pushes: dict[Places | None, Push] = {}
        self.transform, self.wrt = transform, wrt
        whole = self._push(None)
        self.__wrapped__, self.__name__, self.__doc__ = whole.__wrapped__, whole.__name__, whole.__doc__

    def __call__(self, /, args: Any, tangents: Any, **kwargs: Any) -> Any:
        push, bound, given = self._prepared(args, tangents, kwargs)
        return push.pushed(bound, given)

    def compiled_for(self, /, args: Any, tangents: Any, **kwargs: Any) -> Callable[..., Any]:
        """The generated function that serves these arguments, as a plain Python function."""
        return self._variant(args, tangents, kwargs).function

    def source_for(self, /, args: Any, tangents: Any, **kwargs: Any) -> str:
        """The generated source for arguments and tangents of these types."""
        return self._variant(args, tangents, kwargs).entry.source

    def path_for(self, /, args: Any, tangents: Any, **kwargs: Any) -> Path | None:
        """The file of the generated module; None where the cache keeps nothing on disk."""
        return self._variant(args, tangents, kwargs).entry.path

    @property
    def source(self) -> str:
        """The generated source: of the latest kind of call, or for arrays of unknown rank before any."""
        return next(reversed(self._pushes.values())).source

    def __repr__(self) -> str:
        return f"<{self.__name__}>"

    def _variant(self, args: Any, tangents: Any, kwargs: dict[str, Any]) -> Variant:
        push, bound, _ = self._prepared(args, tangents, kwargs)
        return push.found(bound)

    def _push(self, places: Places | None) -> Push:
        if places not in self._pushes:
            self._pushes[places] = Push(*self._given, places)
        return self._pushes[places]

    def _prepared(
        self, args: Any, tangents: Any, kwargs: dict[str, Any]
    ) -> tuple[Push, inspect.BoundArguments, dict[str, Any]]:
        """What serves a call, its arguments, and the tangents of parameters that have one."""
        from symdiff.results import tangent_like

        if not isinstance(args, tuple | list):
            raise WrtError(
                f"The arguments of {self.__name__} are a {type(args).__name__}.",
                "a tuple: f.jvp((x,), (x_dot,))" if self.transform == "jvp" else "a tuple: f.hvp((x,), v)",
            )
        bound = self._push(None).bound(tuple(args), kwargs)
        by_name = self._by_name(tangents, len(args), bound)
        made = {name: tangent_like(one, bound.arguments[name], name) for name, one in by_name.items()}
        given = {name: one for name, one in made.items() if one is not None}
        return self._push(_places(given, bound)), bound, given

    def _by_name(self, tangents: Any, count: int, bound: inspect.BoundArguments) -> dict[str, Any]:
        """Tangents by parameter; those of `*args` are together."""
        signature = self._push(None).signature
        if self.transform == "hvp":
            names = names_of(self.wrt, signature, self.__wrapped__.__name__)
            many = isinstance(self.wrt, tuple | list)
            if many and (not isinstance(tangents, tuple | list) or len(tangents) != len(names)):
                raise ShapeError(
                    f"v must be a tuple of {len(names)}, as wrt is.", f"one for {', '.join(names)}"
                )
            return dict(zip(names, tangents if many else [tangents], strict=True))
        if not isinstance(tangents, tuple | list) or len(tangents) != count:
            found = (
                f"{len(tangents)}" if isinstance(tangents, tuple | list) else f"a {type(tangents).__name__}"
            )
            raise ShapeError(
                f"There are {count} arguments and {found} tangents.", "one for each argument; None is zero"
            )
        known = inspect.BoundArguments(signature, signature.bind_partial(*tangents).arguments)
        return dict(known.arguments)


class Push(Derivative):
    """Forward mode for tangents at certain places; None: wherever there can be some."""

    def __init__(
        self,
        callable_: Any,
        transform: str,
        wrt: Any,
        aux: bool,
        backend: str,
        outputs: Any,
        places: Places | None,
    ):
        super().__init__(callable_, transform, wrt, aux, backend, outputs)
        self.places = places

    def bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> inspect.BoundArguments:
        return self._bound(args, kwargs)

    def pushed(self, bound: inspect.BoundArguments, tangents: dict[str, Any]) -> Any:
        """The result for arguments and tangents by parameter."""
        function = self.__wrapped__
        if function.__code__ is not self._code or function.__defaults__ is not self._defaults:
            self._renew()
        variant = self.found(bound)
        assert variant.request is not None
        names = dict(variant.request.tangents)
        dots = {names[name]: tangent for name, tangent in tangents.items() if name in names}
        return variant.called(bound.args, {**bound.kwargs, **dots}, lambda: bound)

    def found(self, bound: inspect.BoundArguments) -> Variant:
        """The variant for these arguments."""
        values, names = tuple(bound.arguments.values()), list(bound.arguments)
        key = ("bound", signature_key(values, self._static, names))
        variant = self._exact.get(key)
        return self._remember(key, bound) if variant is None or not variant.holds() else variant

    def request(self, lowered: Lowered) -> Request:
        from symdiff.pipeline import Request

        inner = None if self.base is None else self.base.request(lowered)
        wrt = self._pushed(lowered)
        parameters = list(dict.fromkeys(node.attr("parameter") for node in wrt))
        taken = {parameter.name for parameter in lowered.function.parameters}
        tangents: dict[str, str] = {}
        for parameter in parameters:
            tangents[parameter] = fresh_name(f"{parameter}_dot", {*taken, *tangents.values()})
        summary = self.summary(", ".join(parameters) or "nothing")
        return Request(
            self.transform, wrt, LEAF, summary, self.backend, self.aux, None, inner, tuple(tangents.items())
        )

    def described(self) -> str:
        """The gradient in a Hessian is not named."""
        if self.transform == "hvp" and self.base is not None:
            inner = self.base.base
            return self.base.described() if inner is None else inner.described()
        return super().described()

    def _pushed(self, lowered: Lowered) -> tuple[Node, ...]:
        """The leaves that have tangents."""
        if self.transform == "hvp":
            names = names_of(self.wrt, self.signature, self.__wrapped__.__name__)
            chosen, _ = requested(names, lowered.trees, lowered.leaves, True)
        else:
            leaves = [leaf for one in lowered.leaves.values() for leaf in one]
            chosen = tuple(leaf for leaf in leaves if not leaf.type.dtype.startswith(_WHOLE))
        if self.places is None:
            return chosen
        return tuple(leaf for leaf in chosen if (leaf.attr("parameter"), leaf.attr("path")) in self.places)


def _places(tangents: dict[str, Any], bound: inspect.BoundArguments) -> Places:
    """Where arrays and numbers have tangents."""
    found = set()
    for name, tangent in tangents.items():
        for leaf in describe(bound.arguments[name], (name, ())).leaves:
            one = tangent
            for step in leaf.path:
                one = None if one is None else step_into(one, step)
            if one is not None:
                found.add((name, leaf.path))
    return frozenset(found)
