"""What is read from outside: live inputs, and guards for what was baked in."""

from __future__ import annotations

import inspect
import types

import numpy as np
import pytest
from frontend.interpret import bind, check, lowered_for, run, same

from symdiff.frontend import lower

V = np.arange(5.0)
weight = np.ones(5)
rate = 0.5
count = 2
mode = "up"
table = {"w": np.ones(5), "deep": [1.0]}
settings = types.SimpleNamespace(k=2.0, name="s")


def helper(x):
    return x + 1


class Model:
    GAIN = 2.0

    def __init__(self, w):
        self.w = w

    def f(self, x):
        return x * self.w * self.GAIN


def names(lowered):
    return [capture.name for capture in lowered.captures]


def broken(lowered):
    return [guard.name for guard in lowered.guards if not guard.holds()]


def test_a_global_is_read_at_each_call(monkeypatch):
    def f(x):
        return x * weight + rate

    lowered = check(f, V)
    assert names(lowered) == ["weight", "rate"]
    monkeypatch.setitem(globals(), "weight", np.full(5, 3.0))
    monkeypatch.setitem(globals(), "rate", 7.0)
    assert same(run(lowered, bind(f, V)), V * 3.0 + 7.0)


def test_a_capture_tells_when_its_structure_changes(monkeypatch):
    def f(x):
        return x * weight

    (capture,) = lowered_for(f, V).captures
    assert capture.current_key() == capture.key
    monkeypatch.setitem(globals(), "weight", np.ones(7))
    assert capture.current_key() == capture.key
    monkeypatch.setitem(globals(), "weight", 2.0)
    assert capture.current_key() != capture.key


def test_captures_come_last_in_the_order_of_parameters():
    def f(x):
        return table["deep"][0] * x + weight + table["w"]

    function = lowered_for(f, V).function
    assert [(p.name, p.kind) for p in function.parameters] == [
        ("x", "positional"),
        ("table", "capture"),
        ("weight", "capture"),
    ]
    assert [(p.attr("parameter"), p.attr("path")) for p in function.params] == [
        ("x", ()),
        ("table", (("item", "w"),)),
        ("table", (("item", "deep"), ("item", 0))),
        ("weight", ()),
    ]


def test_one_global_is_one_input():
    def f(x):
        return x * rate + rate * helper_with_rate(x)

    assert names(check(f, V)) == ["rate"]


def helper_with_rate(x):
    return x * rate


def test_a_closure_cell_is_live():
    k = 2.0

    def f(x):
        return x * k

    lowered = check(f, V)
    assert names(lowered) == ["k"]
    k = 5.0
    assert same(run(lowered, bind(f, V)), V * 5.0)


def test_a_capture_never_takes_the_name_of_a_parameter():
    def f(rate):
        return rate * helper_with_rate(rate)

    assert names(check(f, V)) == ["rate_2"]


@pytest.mark.parametrize(
    ("name", "new"), [("mode", "down"), ("helper", lambda x: x), ("np", np.linalg), ("Model", int)]
)
def test_a_changed_compile_time_value_breaks_its_guard(monkeypatch, name, new):
    def f(x):
        y = helper(x) if mode == "up" else x
        return np.sin(y) if not isinstance(x, Model) else y

    lowered = check(f, V)
    assert broken(lowered) == []
    monkeypatch.setitem(globals(), name, new)
    assert broken(lowered) == [name]


def test_a_deleted_global_breaks_its_guard(monkeypatch):
    def f(x):
        return helper(x)

    lowered = check(f, V)
    monkeypatch.delitem(globals(), "helper")
    assert broken(lowered) == ["helper"]


def test_a_captured_int_is_live_unless_it_is_needed_while_compiling(monkeypatch):
    def live(x):
        return x * count

    def static(x):
        scales = [2.0, 3.0, 4.0, 5.0]
        for i in range(count):
            x = x * scales[i]
        return x

    assert names(check(live, V)) == ["count"]
    lowered = check(static, V)
    assert names(lowered) == []
    assert lowered.static == frozenset()
    monkeypatch.setitem(globals(), "count", 3)
    assert broken(lowered) == ["count"]


def test_an_object_is_captured_by_its_parts(monkeypatch):
    def f(x):
        return x * settings.k if settings.name == "s" else x

    lowered = check(f, V)
    assert names(lowered) == ["settings"]
    monkeypatch.setattr(settings, "k", 9.0)
    assert same(run(lowered, bind(f, V)), V * 9.0)
    monkeypatch.setattr(settings, "name", "t")
    (capture,) = lowered.captures
    assert capture.current_key() != capture.key


def test_attributes_of_a_users_module(monkeypatch):
    module = types.ModuleType("users")
    module.w, module.kind, module.f = V, "a", helper

    def f(x):
        return module.f(x) * module.w if module.kind == "a" else x

    lowered = check(f, V)
    assert names(lowered) == ["w"]
    module.w = V * 2
    assert same(run(lowered, bind(f, V)), (V + 1) * (V * 2))
    module.kind = "b"
    assert broken(lowered) == ["kind"]


def test_class_attributes_and_methods(monkeypatch):
    def f(model, x):
        return model.f(x)

    lowered = check(f, Model(V), V)
    assert names(lowered) == ["GAIN"]
    monkeypatch.setattr(Model, "GAIN", 4.0)
    assert same(run(lowered, bind(f, Model(V), V)), V * V * 4.0)
    monkeypatch.setattr(Model, "f", lambda self, x: x)
    assert broken(lowered) == ["f"]


def test_defaults_of_helpers_are_live():
    def inner(x, w=V, *, k=2.0):
        return x * w * k

    def f(x):
        return inner(x)

    lowered = check(f, V)
    inner.__defaults__ = (V * 3,)
    inner.__kwdefaults__ = {"k": 1.0}
    assert same(run(lowered, bind(f, V)), V * (V * 3) * 1.0)


def test_builtins_and_numpy_need_no_guards_of_their_own():
    def f(x):
        return sum([np.sin(x), np.cos(x)]) + len([x])

    assert [guard.name for guard in check(f, V).guards] == ["np"]


def test_differentiable_objects_and_wrappers_are_looked_through():
    class Differentiable:
        def __init__(self, function):
            self.__wrapped__ = function

        def __call__(self, *args):
            return self.__wrapped__(*args)

    Differentiable.__module__ = "symdiff.api"
    wrapped = Differentiable(helper)

    def f(x):
        return wrapped(x) * 2

    check(f, V)


def test_bound_methods_and_static_methods():
    model = Model(V)

    def f(x):
        return model.f(x)

    assert names(check(f, V)) == ["model", "GAIN"]
    method = model.f

    def g(x):
        return method(x)

    lowered = lower(g, inspect.signature(g).bind(V))
    assert same(run(lowered, bind(g, V)), g(V))
