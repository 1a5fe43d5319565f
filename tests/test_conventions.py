"""The API as documented: spellings, metadata, pickling, live values, threads, every way to run Python."""

from __future__ import annotations

import code
import copy
import functools
import inspect
import math
import operator
import os
import pickle
import subprocess
import sys
import textwrap
import threading

import corpus
import numpy as np
import pytest
from test_api import SOME, check_gradients

import symdiff
from symdiff import differentiate, grad, value_and_grad, vjp
from symdiff.errors import ShapeError, SymdiffError, UnsupportedError, WrtError

X = np.array([0.5, 1.5, 2.5])
SCALE = 2.0
WEIGHTS = np.array([1.0, 2.0, 3.0])


def f(x, y, *, k=2.0):
    """What f does."""
    return np.sum(x**2 * y) * k


@differentiate
def plain(x):
    return np.sum(x**3)


@differentiate(wrt=("w", "b"))
def line(w, b, x=X):
    return np.sum(w * x + b)


class Model:
    def __init__(self, w):
        self.w = w

    @differentiate(wrt="x")
    def loss(self, x):
        """The loss."""
        return np.sum(self.w * x**2)

    @differentiate(wrt="self")
    def whole(self, x):
        return np.sum(self.w * x**2)

    @staticmethod
    @differentiate
    def static(x):
        return np.sum(x**2)

    @differentiate(wrt="x")
    @classmethod
    def of_class(cls, x):
        return np.sum(x**2) * cls.factor()

    @differentiate
    @staticmethod
    def also_static(x):
        return np.sum(x**2)

    @classmethod
    def factor(cls):
        return 3.0

    def __call__(self, x):
        return np.sum(self.w * x)


class Child(Model):
    @differentiate(wrt="x")
    def loss(self, x):
        return super().loss(x) * 10.0

    @classmethod
    def factor(cls):
        return 5.0


# --- spellings ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrt", ["y", 1, -1, ("y",), ["y"], (1,), ("x", "y"), (0, "y"), (-2, -1)])
def test_wrt(wrt):
    def g(x, y):
        return np.sum(x**2 * y)

    wanted = {"x": 2 * X * WEIGHTS, "y": X**2}
    names = [n if isinstance(n, str) else "xy"[n] for n in (wrt if isinstance(wrt, tuple | list) else [wrt])]
    for found in (
        grad(g, wrt)(X, WEIGHTS),
        grad(g, argnums=wrt)(X, WEIGHTS),
        differentiate(wrt=wrt)(g).grad(X, WEIGHTS),
        differentiate(g, wrt=wrt).value_and_grad(X, WEIGHTS)[1],
        vjp(g, wrt=wrt)(X, WEIGHTS)[1](1.0),
    ):
        assert isinstance(found, tuple) == isinstance(wrt, tuple | list)
        for one, name in zip(found if isinstance(found, tuple) else (found,), names, strict=True):
            np.testing.assert_allclose(one, wanted[name], rtol=1e-14)


def test_calls_with_keywords_and_defaults():
    derivative = grad(f, wrt="y")
    for k, args, kwargs in (
        (2.0, (X, WEIGHTS), {}),
        (2.0, (X,), {"y": WEIGHTS}),
        (3.0, (X, WEIGHTS), {"k": 3.0}),
        (-1.0, (), {"y": WEIGHTS, "x": X, "k": -1.0}),
    ):
        np.testing.assert_allclose(derivative(*args, **kwargs), X**2 * k)
    dw, db = line.grad(1.0, 2.0)
    assert (dw, db) == (X.sum(), 3.0)
    assert (type(dw), type(db)) == (float, float)


def test_metadata_is_kept():
    made = differentiate(f)
    assert (made.__name__, made.__doc__, made.__wrapped__) == ("f", "What f does.", f)
    assert made.__module__ == __name__
    assert inspect.signature(made) == inspect.signature(f)
    assert inspect.signature(made.grad) == inspect.signature(f)
    assert inspect.signature(differentiate(Model.static)) == inspect.signature(Model.static)
    assert "f" in repr(made)
    assert "grad" in repr(made.grad)
    assert made.grad.__name__ == "f.grad"
    made.note = "attributes can be set"


def test_decorators_under_it():
    def doubled(function):
        @functools.wraps(function)
        def inner(*args, **kwargs):
            return 2 * function(*args, **kwargs)

        return inner

    @differentiate(wrt="x")
    @doubled
    def loss(x, k=3.0):
        return np.sum(k * x**2)

    np.testing.assert_allclose(loss.grad(X), 12 * X)
    np.testing.assert_allclose(loss.grad(X, k=1.0), 4 * X)
    assert loss(X) == 6 * np.sum(X**2)


def test_methods():
    model, x = Model(WEIGHTS), X
    for found in (
        model.loss.grad(x), Model.loss.grad(model, x), grad(model.loss)(x), model.loss.value_and_grad(x)[1],
        model.loss.vjp(x)[1](1.0),
    ):  # fmt: skip
        np.testing.assert_allclose(found, 2 * WEIGHTS * x)
    assert model.loss(x) == Model.loss(model, x) == np.sum(WEIGHTS * x**2)
    gradient = model.whole.grad(x)
    assert type(gradient) is Model
    np.testing.assert_allclose(gradient.w, x**2)
    np.testing.assert_array_equal(model.w, WEIGHTS)
    model.w = 5 * WEIGHTS
    np.testing.assert_allclose(model.loss.grad(x), 10 * WEIGHTS * x)
    assert (model.loss.__name__, model.loss.__doc__) == ("loss", "The loss.")
    assert list(inspect.signature(model.loss).parameters) == ["x"]
    assert "loss_grad" in model.loss.grad.source_for(x)
    assert model.loss.grad.path_for(x).exists()
    assert model.loss.grad.compiled_for(x)(x) == pytest.approx(10 * WEIGHTS * x)


def test_static_and_class_methods_and_inheritance():
    np.testing.assert_allclose(Model.static.grad(X), 2 * X)
    np.testing.assert_allclose(Model(X).static.grad(X), 2 * X)
    np.testing.assert_allclose(Model(X).also_static.grad(X), 2 * X)
    np.testing.assert_allclose(grad(lambda x: Child.of_class(x) + Model(X).of_class(x))(X), 16 * X)
    np.testing.assert_allclose(grad(lambda x: Model(X).also_static(x) + Model.also_static(x))(X), 4 * X)
    assert Child.of_class(X) == 5 * np.sum(X**2)
    np.testing.assert_allclose(Child(WEIGHTS).loss.grad(X), 20 * WEIGHTS * X)
    np.testing.assert_allclose(Model(WEIGHTS).of_class.grad(X), 6 * X)
    np.testing.assert_allclose(Child.of_class.grad(X), 10 * X)


def test_callables_that_are_no_functions():
    model = Model(WEIGHTS)
    np.testing.assert_allclose(grad(model)(X), WEIGHTS)
    np.testing.assert_allclose(grad(functools.partial(f, X))(WEIGHTS), 2 * X**2)
    np.testing.assert_allclose(grad(functools.partial(f, y=WEIGHTS))(X), 4 * X * WEIGHTS)
    model.w = X
    np.testing.assert_allclose(grad(model)(X), X)
    assert grad(differentiate(plain))(X) == pytest.approx(3 * X**2)


@pytest.mark.parametrize(
    ("function", "args", "wanted"),
    [
        (np.sin, (0.5,), math.cos(0.5)), (math.sin, (0.5,), math.cos(0.5)), (operator.mul, (2.0, 5.0), 5.0),
        (operator.pow, (2.0, 3.0), 12.0), (np.multiply, (2.0, 5.0), 5.0), (np.hypot, (3.0, 4.0), 0.6),
        (abs, (-2.0,), -1.0), (np.square, (3.0,), 6.0), (operator.neg, (3.0,), -1.0), (max, (3.0, 1.0), 1.0),
        (math.log, (2.0,), 0.5), (np.float64, (2.0,), None), (print, (2.0,), None), (object(), (2.0,), None),
    ],
)  # fmt: skip
def test_builtins_and_ufuncs(function, args, wanted):
    if wanted is None:
        with pytest.raises(SymdiffError):
            grad(function)(*args)
        return
    found = grad(function)(*args)
    assert found == pytest.approx(wanted, rel=1e-15)
    assert type(found) is float
    assert value_and_grad(function)(*args)[0] == function(*args)


def test_numpy_functions():
    m = np.arange(6.0).reshape(2, 3) + 1
    np.testing.assert_allclose(grad(np.sum)(m), np.ones((2, 3)))
    np.testing.assert_allclose(grad(np.linalg.norm)(X), X / np.linalg.norm(X))
    np.testing.assert_allclose(vjp(np.sum)(m, axis=0)[1](X), np.broadcast_to(X, (2, 3)))
    np.testing.assert_allclose(vjp(np.sin)(X)[1](X), X * np.cos(X))


def test_second_derivatives():
    assert grad(grad(np.sin))(0.5) == pytest.approx(-np.sin(0.5), rel=1e-15)
    with pytest.raises(UnsupportedError, match="cannot be differentiated itself"):
        grad(value_and_grad(np.sin))


# --- copies -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle_by_reference(protocol):
    assert pickle.loads(pickle.dumps(plain, protocol)) is plain
    if protocol >= 4:
        assert pickle.loads(pickle.dumps(Model.loss, protocol)) is Model.loss


def test_copies():
    assert copy.copy(plain) is plain
    assert copy.deepcopy({"f": plain})["f"] is plain


# --- sources ------------------------------------------------------------------------------------------------


def test_source_before_any_call():
    """For arrays of unknown rank: the module runs on its own and is right for all shapes."""
    served = 0
    for case in SOME:
        if case.options or str(case) == "complex_argument":
            continue
        derivative = grad(case.function, wrt=case.wrt)
        try:
            source = derivative.source
        except SymdiffError:
            continue
        namespace = {}
        exec(source, namespace)
        generated = namespace[f"{derivative.__wrapped__.__name__}_grad".replace("<lambda>", "function")]
        if inspect.getfullargspec(generated).kwonlyargs:
            continue
        for size in case.sizes:
            args, kwargs = case.arguments(size)
            check_gradients(case, generated(*args, **kwargs), args, kwargs)
        served += 1
    assert served >= 25


def test_sources_and_paths():
    derivative = differentiate(f).grad
    source = derivative.source_for(X, X)
    path = derivative.path_for(X, X)
    assert path.read_text().startswith(source.rstrip("\n"))
    assert path.name.startswith("f_grad_")
    assert derivative.source_for(X, 2.0) != source
    assert derivative.source == derivative.source_for(X, 2.0)
    function = derivative.compiled_for(X, X)
    assert inspect.getsource(function).strip() in source
    assert function.__code__.co_filename == str(path)
    assert function(X, X) == pytest.approx(derivative(X, X))


def test_memory_only(monkeypatch):
    monkeypatch.setenv("SYMDIFF_CACHE", "memory")
    derivative = grad(f)
    assert derivative.path_for(X, X) is None
    assert "def f_grad" in inspect.getsource(derivative.compiled_for(X, X))


def test_errors_in_generated_code_show_its_lines():
    derivative = grad(lambda x, y: np.sum(x @ y))
    derivative(np.ones((2, 3)), np.ones(3))
    with pytest.raises((ValueError, ShapeError)):
        derivative(np.ones((2, 3)), np.ones(4))


# --- live values --------------------------------------------------------------------------------------------


def test_globals_are_live(monkeypatch):
    namespace = globals()

    def g(x):
        return np.sum(WEIGHTS * x**2) * SCALE

    derivative = grad(g)
    np.testing.assert_allclose(derivative(X), 4 * WEIGHTS * X)
    monkeypatch.setitem(namespace, "SCALE", 3.0)
    np.testing.assert_allclose(derivative(X), 6 * WEIGHTS * X)
    monkeypatch.setitem(namespace, "WEIGHTS", np.ones(3))
    np.testing.assert_allclose(derivative(X), 6 * X)
    monkeypatch.setitem(namespace, "WEIGHTS", 5.0)
    np.testing.assert_allclose(derivative(X), 30 * X)
    monkeypatch.setitem(namespace, "SCALE", np.float32(1.0))
    np.testing.assert_allclose(derivative(X), 10 * X)


def test_closures_and_containers_are_live():
    scale, table = 2.0, {"w": X.copy(), "k": [1.0, 2.0]}

    def square(x):
        return x**2

    def cube(x):
        return x**3

    helper = square

    def g(x):
        return np.sum(table["w"] * helper(x)) * scale + table["k"][1] * x[0]

    derivative = grad(g)

    def wanted(power=2):
        value = power * table["w"] * X ** (power - 1) * scale
        value[0] += table["k"][1]
        return value

    np.testing.assert_allclose(derivative(X), wanted())
    scale = 7.0
    np.testing.assert_allclose(derivative(X), wanted())
    table["w"][:] = 1.0
    table["k"][1] = -1.0
    np.testing.assert_allclose(derivative(X), wanted())
    table["w"] = np.ones(3, np.float32)
    np.testing.assert_allclose(derivative(X), wanted())

    helper = cube
    np.testing.assert_allclose(derivative(X), wanted(3))


def test_defaults_and_code_are_live():
    def g(x, k=2.0, w=X):
        return np.sum(k * w * x)

    derivative = grad(g)
    np.testing.assert_allclose(derivative(X), 2 * X)
    g.__defaults__ = (3.0, WEIGHTS)
    np.testing.assert_allclose(derivative(X), 3 * WEIGHTS)

    def other(x, k=2.0, w=X):
        return np.sum(k * w * x**2)

    g.__code__ = other.__code__
    np.testing.assert_allclose(derivative(X), 6 * WEIGHTS * X)


def test_settings_are_part_of_the_signature():
    def g(x, mode, n, flag=False):
        y = np.sin(x) if mode == "sin" else x**n
        return np.sum(y) * (2.0 if flag else 1.0)

    derivative = grad(g)
    np.testing.assert_allclose(derivative(X, "sin", 2), np.cos(X))
    np.testing.assert_allclose(derivative(X, "power", 2), 2 * X)
    np.testing.assert_allclose(derivative(X, "power", 3), 3 * X**2)
    np.testing.assert_allclose(derivative(X, "power", 3, True), 6 * X**2)
    np.testing.assert_allclose(derivative(X, "power", 3, flag=True), 6 * X**2)
    np.testing.assert_allclose(derivative(X, mode="sin", n=3), np.cos(X))


# --- values, kinds of arguments -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "x", [2.0, np.float64(2.0), np.float32(2.0), np.array(2.0), np.array(2.0, np.float32), np.float16(2.0)]
)
def test_scalars(x):
    for function, wanted in (
        (lambda x: x * x * 3, 12.0),
        (lambda x: 3 * x, 3.0),
        (lambda x: np.sum(x**2) * 2, 8.0),
    ):
        value, gradient = value_and_grad(function)(x)
        assert value == function(x)
        assert type(value) is type(function(x))
        assert gradient == wanted
        assert np.shape(gradient) == ()
        if isinstance(x, float) and not isinstance(x, np.generic):
            assert type(gradient) is float
        else:
            assert gradient.dtype == x.dtype


def test_complex_arguments():
    z = np.array([1 + 2j, -0.5 + 1j, 3 - 1j])
    for function, wanted in (
        (lambda z: np.sum(np.abs(z) ** 2), 2 * z),
        (lambda z: np.sum(np.real(z)), np.ones(3) + 0j),
        (lambda z: np.sum(np.imag(z)), 1j * np.ones(3)),
        (lambda z: np.sum(np.real(z * z)), 2 * np.conj(z)),
    ):
        gradient = grad(function)(z)
        assert gradient.dtype == np.complex128
        np.testing.assert_allclose(gradient, wanted, atol=1e-15)
        np.testing.assert_allclose(vjp(function)(z)[1](1.0), wanted, atol=1e-15)
    assert grad(lambda z: abs(z) ** 2)(1 + 2j) == pytest.approx(2 + 4j)
    with pytest.raises(SymdiffError, match="complex"):
        grad(lambda z: np.sum(z**2))(z)


def test_none_leaves_and_results():
    gradient = grad(lambda p: np.sum(p["w"] ** 2))({"w": X, "b": None, "name": "layer"})
    assert gradient["b"] is None
    assert gradient["name"] == "layer"
    np.testing.assert_allclose(gradient["w"], 2 * X)


def test_aux_of_any_kind():
    class Kept:
        def __repr__(self):
            raise AssertionError("never printed")

    kept = Kept()

    @differentiate(has_aux=True)
    def g(x):
        return np.sum(x**2), (
            corpus.Point(x, 1.0),
            kept,
            np.float32,
            {"s": {1, 2}},
            corpus.Layer(x * 2, x, 5),
        )

    (value, aux), gradient = g.value_and_grad(X)
    assert value == np.sum(X**2)
    np.testing.assert_allclose(gradient, 2 * X)
    point, same, dtype, table, layer = aux
    assert type(point) is corpus.Point
    assert type(same) is Kept
    assert (dtype, table) == (np.float32, {"s": {1, 2}})
    assert type(layer) is corpus.Layer
    assert layer.size == 5
    np.testing.assert_array_equal(layer.weight, X * 2)


def test_cotangents_are_checked():
    _, pullback = vjp(lambda x: x**2)(X)
    np.testing.assert_allclose(pullback([1, 2, 3]), 2 * X * [1, 2, 3])
    np.testing.assert_allclose(pullback(np.ones(3, np.float32)), 2 * X)
    for wrong in (1.0, np.ones(2), np.ones((3, 1)), None, "a", np.ones(3) * 1j, {"a": 1}):
        with pytest.raises(ShapeError):
            pullback(wrong)
    _, pullback = vjp(lambda x: {"a": x, "b": (x[0], x.sum())})(X)
    np.testing.assert_allclose(pullback({"b": (1.0, 0.0), "a": np.zeros(3)}), [1, 0, 0])
    for wrong in ({"a": X}, (X, (1.0, 2.0)), {"a": X, "b": 1.0}, {"a": X, "b": (1.0,)}):
        with pytest.raises(ShapeError):
            pullback(wrong)


def test_wrong_calls_are_type_errors():
    derivative = grad(f)
    for args, kwargs in (((), {}), ((X,), {}), ((X, X, X), {}), ((X, X), {"z": 1}), ((X, X), {"x": X})):
        with pytest.raises(TypeError, match="argument"):
            derivative(*args, **kwargs)


def test_scipy_minimize():
    from scipy import optimize

    @differentiate
    def rosenbrock(x):
        return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    result = optimize.minimize(rosenbrock.value_and_grad, np.zeros(5), jac=True, method="BFGS")
    np.testing.assert_allclose(result.x, np.ones(5), atol=1e-4)


# --- threads and processes ----------------------------------------------------------------------------------


def test_threads():
    """Eight threads, the first call of each at the same moment, then calls of mixed shapes."""
    shapes = [(3,), (1,), (2, 3), (4, 3)]
    for _ in range(5):
        derivative = value_and_grad(lambda x, k: np.sum(np.tanh(x) * k), wrt=(0, 1))
        barrier, wrong = threading.Barrier(8), []

        def work(number, derivative=derivative, barrier=barrier, wrong=wrong):
            barrier.wait()
            for step in range(30):
                x = np.full(shapes[(number + step) % 4], 0.1 * number)
                _, (dx, dk) = derivative(x, float(number))
                fine = np.allclose(dx, number * (1 - np.tanh(x) ** 2)) and np.isclose(dk, np.tanh(x).sum())
                if not (fine and dx.shape == x.shape):
                    wrong.append((number, step))

        threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong


SCRIPT = """
import numpy as np
from symdiff import differentiate

@differentiate
def loss(x):
    return np.sum(x ** 2)

if __name__ == "__main__":
    print(loss.grad(np.arange(3.0)).tolist())
"""


def python(*args, cwd, text=None):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SYMDIFF_CACHE_DIR": str(cwd / "cache")}
    environment.pop("PYTHONWARNINGS", None)
    return subprocess.run(
        [sys.executable, *args],
        cwd=cwd,
        input=text,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


ROOT = os.path.dirname(os.path.dirname(os.path.abspath(symdiff.__file__)))


def test_as_script_module_and_import(tmp_path):
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("")
    (tmp_path / "package" / "model.py").write_text(SCRIPT)
    (tmp_path / "elsewhere").mkdir()
    wanted = "[0.0, 2.0, 4.0]\n"
    for run in (
        python("package/model.py", cwd=tmp_path),
        python("-m", "package.model", cwd=tmp_path),
        python("../package/model.py", cwd=tmp_path / "elsewhere"),
        python("-O", "package/model.py", cwd=tmp_path),
        python("-X", "no_debug_ranges", "package/model.py", cwd=tmp_path),
        python(
            "-c",
            "import numpy as np, package.model as m; print(m.loss.grad(np.arange(3.0)).tolist())",
            cwd=tmp_path,
        ),
    ):
        assert (run.stdout, run.returncode) == (wanted, 0), run.stderr


def test_source_that_no_file_holds(tmp_path):
    """`python -c` and standard input: the right answer, or an error that says what to do."""
    for run in (python("-c", SCRIPT, cwd=tmp_path), python("-", cwd=tmp_path, text=SCRIPT)):
        if run.returncode:
            assert "SourceError" in run.stderr
            assert "Instead:" in run.stderr
        else:
            assert run.stdout == "[0.0, 2.0, 4.0]\n"


def test_interactive_console(capsys):
    """A console that registers its lines, as IPython and the prompt of Python 3.13 do."""
    import linecache

    console = code.InteractiveConsole({"np": np, "grad": grad})
    text = "def g(x):\n    return np.sum(x ** 2)\n"
    linecache.cache["<prompt-1>"] = (len(text), None, text.splitlines(keepends=True), "<prompt-1>")
    console.runcode(compile(text, "<prompt-1>", "single"))
    console.runcode(compile("print(grad(g)(np.ones(2)).tolist())", "<prompt-2>", "single"))
    assert capsys.readouterr().out == "[2.0, 2.0]\n"


def test_reloaded_module(tmp_path, monkeypatch):
    import importlib

    file = tmp_path / "reloaded.py"
    file.write_text(SCRIPT)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    module = importlib.import_module("reloaded")
    np.testing.assert_allclose(module.loss.grad(X), 2 * X)
    old = module.loss
    file.write_text(SCRIPT.replace("x ** 2", "x ** 3"))
    with pytest.raises(SymdiffError, match="not what is running"):
        old.grad(np.ones((2, 2)))
    module = importlib.reload(module)
    np.testing.assert_allclose(module.loss.grad(X), 3 * X**2)
    np.testing.assert_allclose(old.grad(X), 2 * X)
    file.write_text("# a comment\n\n" + textwrap.dedent(SCRIPT.replace("x ** 2", "x ** 3")))
    np.testing.assert_allclose(module.loss.grad(np.ones((2, 2))), 3 * np.ones((2, 2)))


def test_wrong_options():
    for wrong in (
        lambda: differentiate(wrt=1.5), lambda: differentiate(wrt=None), lambda: differentiate(wrt=True),
        lambda: differentiate(f, backend="tpu"), lambda: differentiate(3), lambda: differentiate(int),
        lambda: differentiate(property(f)),
    ):  # fmt: skip
        with pytest.raises(WrtError):
            wrong()


def quotient_replaced(x):
    y = x * 6 / (x - 0.2)
    y[~np.isfinite(y)] = 0
    return (y[1:] ** 0.5).sum()


def logarithm_replaced(x):
    y = np.log(x - 0.2) * x
    y[x <= 0.2] = 0.0
    return y.sum()


def copied_over(x):
    y = x * np.log(x - 0.2)
    np.copyto(y, 0.0, where=x <= 0.2)
    z = np.where(np.isnan(y), 0, y)
    z[~(x > 0.2), ...] = 1.0
    return z.sum()


def in_two_axes(x):
    y = np.sqrt(np.outer(x - 0.2, x))
    y[y == 0] = 1.0
    return (y**2).sum()


@pytest.mark.parametrize("function", [quotient_replaced, logarithm_replaced, copied_over, in_two_axes])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_a_mask_wrote_over_leaks_nothing(function):
    x = np.array([0.2, 0.5, 0.9, 1.4])
    gradient = differentiate(function).grad(x)
    steps = 1e-6 * np.eye(x.size)
    numerical = [(function(x + step) - function(x - step)) / 2e-6 for step in steps[1:]]
    np.testing.assert_allclose(gradient[1:], numerical, rtol=1e-6)
    assert np.isfinite(gradient[0])
