"""Training steps: the generated function, what it writes and what it must not; `fit` and its histories."""

import dataclasses
import signal
import subprocess
import sys
from collections import namedtuple
from types import SimpleNamespace

import numpy as np
import pytest

from symdiff import History, SymdiffError, differentiate, fit, train_step
from symdiff.autodiff import update
from symdiff.ir.text import from_text, to_text
from symdiff.ir.verify import verify
from symdiff.ops.control import store
from symdiff.ops.row import REGISTRY
from symdiff.optim import Optimizer, sgd


@pytest.fixture(autouse=True)
def handler():
    """Python's own handler of Ctrl-C, which a background job does not start with."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


SGD, MOMENTUM, NESTEROV = sgd(0.1), sgd(0.1, momentum=0.9), sgd(0.1, momentum=0.9, nesterov=True)


def loss(params, x, y):
    hidden = np.tanh(x @ params["W"] + params["b"])
    return np.mean((hidden @ params["v"] - y) ** 2)


def problem(samples=20):
    rng = np.random.default_rng(0)
    params = {"W": rng.normal(size=(3, 4)), "b": rng.normal(size=4), "v": rng.normal(size=4)}
    return params, rng.normal(size=(samples, 3)), rng.normal(size=samples)


def copied(params):
    return {name: value.copy() for name, value in params.items()}


# --- the generated function ---


def after(source, line):
    """The statements behind a line of the source, without comments."""
    lines = source[source.index(line) :].splitlines()[1:]
    return [one.strip() for one in lines if not one.strip().startswith("#")]


def test_the_source_of_plain_sgd_reads_like_hand_written_code():
    params, x, y = problem()
    source = train_step(loss, SGD).source_for(params, x, y)
    assert "def loss_step(params, x, y, lr):\n" in source
    assert '    """One SGD step on loss (tests/test_train.py:' in source
    assert source.count("# param = param - lr * grad\n") == 1
    assert after(source, "# param = param") == [
        "W -= lr * W_bar",
        "b -= lr * b_bar",
        "v -= lr * v_bar",
        "return value",
    ]
    assert "copy" not in source
    assert "state" not in source
    assert "import numpy as np\n" in source
    assert source.count("import") == 1


def test_the_way_to_the_gradient_is_that_of_value_and_grad():
    params, x, y = problem()
    step = train_step(loss, SGD).source_for(params, x, y)
    gradient = differentiate(loss).value_and_grad.source_for(params, x, y)
    start, end = '    W = params["W"]\n', "    return"
    body = gradient[gradient.index(start) : gradient.index(end, gradient.index("v_bar"))]
    assert body in step


def test_the_source_of_momentum_and_nesterov():
    params, x, y = problem()
    source = train_step(loss, MOMENTUM).source_for(params, x, y)
    assert "def loss_step(params, x, y, state, lr, momentum):\n" in source
    assert '    W_velocity = state["velocity"]["W"]\n' in source
    lines = [f"{name}_velocity {step}" for name in "Wbv" for step in ("*= momentum", f"+= {name}_bar")]
    lines += [f"{name} -= lr * {name}_velocity" for name in "Wbv"]
    assert after(source, "# velocity =") == [*lines, "return value"]
    assert source.count("# velocity = ") == source.count("# param = ") == 1
    source = train_step(loss, NESTEROV).source_for(params, x, y)
    assert "    W -= lr * (W_bar + momentum * W_velocity)\n" in source
    assert "copy" not in source


def test_without_types():
    def line(w, x):
        return np.mean((w * x) ** 2)

    step = train_step(line, MOMENTUM)
    assert "    w_velocity *= momentum\n    w_velocity += w_bar\n" in step.source
    assert "    w -= lr * w_velocity\n" in step.source
    w = np.array([1.0, 2.0])
    step(w, np.array([1.0, 1.0]))
    np.testing.assert_allclose(w, [0.9, 1.8])
    assert 'w_velocity = state["velocity"]\n' in step.source


def test_the_program_is_well_formed_and_its_text_is_read_back():
    params, x, y = problem()
    seen = []
    original = update.updated

    def spy(function, step):
        seen.append(original(function, step))
        return seen[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(update, "updated", spy)
        train_step(loss, MOMENTUM).source_for(params, x, y)
    ops = {**REGISTRY, "store": store}
    assert len(seen) == 1
    verify(seen[0], ops)
    text = to_text(seen[0])
    assert text.count(" = store(") == 6
    assert to_text(from_text(text, ops)) == text


def test_hyperparameters_change_without_a_new_function():
    params, x, y = problem()
    step = train_step(loss, SGD)
    first = step.compiled_for(params, x, y)
    step(params, x, y)
    step.hyperparameters["lr"] = 0.0
    before = copied(params)
    step(params, x, y)
    assert all(np.array_equal(params[name], before[name]) for name in params)
    assert step.compiled_for(params, x, y) is first
    assert step.path_for(params, x, y).read_text().startswith(step.source_for(params, x, y))


def test_the_function_runs_by_itself():
    params, x, y = problem()
    other = copied(params)
    step = train_step(loss, MOMENTUM)
    step(params, x, y)
    state = {"velocity": {name: np.zeros_like(value) for name, value in other.items()}}
    function = step.compiled_for(other, x, y)
    assert function(other, x, y, state, 0.1, 0.9) == loss(problem()[0], x, y)
    assert all(np.array_equal(params[name], other[name]) for name in params)
    assert all(np.array_equal(step.state["velocity"][name], state["velocity"][name]) for name in params)


# --- what is written, and what is not ---


def test_the_value_is_the_loss_before_the_update_and_other_arguments_stay():
    params, x, y = problem()
    arrays, kept = dict(params), [x.copy(), y.copy()]
    expected = loss(params, x, y)
    assert train_step(loss, NESTEROV)(params, x, y) == pytest.approx(expected, rel=1e-14)
    assert all(params[name] is arrays[name] for name in params)
    assert np.array_equal(x, kept[0])
    assert np.array_equal(y, kept[1])


def tied(params, x):
    """An autoencoder with one matrix, used in both directions."""
    return np.mean((np.tanh(x @ params["W"]) @ params["W"].T + params["b"] - x) ** 2)


def bilinear(params, x):
    """The gradients are each other's parameter, as a view."""
    return np.sum(params["A"] * params["B"].T) + 0 * np.sum(x)


def products(params, x):
    return np.sum(x @ params["A"] @ params["B"] @ params["A"]) * np.sum(params["A"])


def plain_sum(params, x):
    return np.sum(params["A"]) + np.sum(params["A"] * x)


def returned(params, x):
    """The value is one of the parameters."""
    return params["scalar"]


def picked(params, x):
    return params["A"].T[0, 1]


SQUARE = {"A": (3, 3), "B": (3, 3)}
ALIASING = [
    (tied, {"W": (3, 2), "b": (3,)}), (bilinear, SQUARE), (products, SQUARE), (plain_sum, {"A": (3, 3)}),
    (returned, {"scalar": ()}), (picked, {"A": (2, 2)}),
]  # fmt: skip


@pytest.mark.parametrize("optimizer", [SGD, MOMENTUM], ids=["plain", "momentum"])
@pytest.mark.parametrize(("function", "shapes"), ALIASING, ids=lambda one: getattr(one, "__name__", ""))
def test_a_step_equals_the_gradient_followed_by_the_update(function, shapes, optimizer):
    rng = np.random.default_rng(0)
    params = {name: np.asarray(rng.normal(size=shape) / 4) for name, shape in shapes.items()}
    x = rng.normal(size=(3, 3))
    expected = copied(params)
    velocity = {name: 0.0 for name in params}
    derivative = differentiate(function)
    step = train_step(function, optimizer)
    for _ in range(3):
        reference, grads = derivative.value_and_grad(expected, x)
        reference = float(reference)
        value = step(params, x)
        assert value == pytest.approx(reference, rel=1e-13)
        for name, g in grads.items():
            velocity[name] = optimizer.hyperparameters.get("momentum", 0.0) * velocity[name] + g
            expected[name] = expected[name] - 0.1 * velocity[name]
            np.testing.assert_allclose(params[name], expected[name], rtol=1e-12, atol=1e-14)


def test_a_value_that_is_a_parameter_is_not_updated_behind_the_caller_s_back():
    params = {"scalar": np.array(2.0)}
    value = train_step(returned, SGD)(params, np.ones(2))
    assert value == 2.0
    assert params["scalar"] == 1.9


def test_aux_is_what_it_was_before_the_update():
    @differentiate(has_aux=True)
    def both(w, x):
        return np.sum(w * x), (w, 2 * w)

    w = np.ones(3)
    value, (old, double) = train_step(both, SGD)(w, np.ones(3))
    assert value == 3
    np.testing.assert_allclose(w, 0.9)
    np.testing.assert_allclose(old, 1.0)
    np.testing.assert_allclose(double, 2.0)


def test_a_parameter_that_the_loss_does_not_use_stays():
    def partial(params, x):
        return np.sum(params["a"] * x)

    params = {"a": np.ones(2), "b": np.ones(3)}
    step = train_step(partial, MOMENTUM)
    step(params, np.ones(2))
    step(params, np.ones(2))
    np.testing.assert_array_equal(params["b"], np.ones(3))
    np.testing.assert_allclose(params["a"], 1 - 0.1 - 0.19)


@pytest.mark.parametrize("optimizer", [SGD, MOMENTUM, NESTEROV], ids=lambda one: one.name)
def test_float32_stays_float32(optimizer):
    params, x, y = problem()
    params = {name: value.astype(np.float32) for name, value in params.items()}
    step = train_step(loss, optimizer)
    for data in ((x.astype(np.float32), y.astype(np.float32)), (x, y)):
        step(params, *data)
        assert all(value.dtype == np.float32 for value in params.values())
        assert "float64" not in step.source_for(params, *data)


# --- structures ---

Pair = namedtuple("Pair", "W b")


@dataclasses.dataclass
class Layer:
    W: np.ndarray
    b: np.ndarray
    width: int = 3


class Model:
    def __init__(self, W, b):
        self.layers = [(W, b)]
        self.name = "model"

    @differentiate(wrt="self")
    def loss(self, x):
        (W, b), = self.layers  # fmt: skip
        return np.mean((x @ W + b) ** 2)


STRUCTURES = {
    "dict": (lambda W, b: {"W": W, "b": b}, lambda p: (p["W"], p["b"]), lambda s: (s["W"], s["b"])),
    "list": (lambda W, b: [W, b], lambda p: (p[0], p[1]), lambda s: (s[0], s[1])),
    "tuple": (lambda W, b: (W, None, b), lambda p: (p[0], p[2]), lambda s: (s[0], s[2])),
    "namedtuple": (Pair, lambda p: (p.W, p.b), lambda s: (s["W"], s["b"])),
    "dataclass": (Layer, lambda p: (p.W, p.b), lambda s: (s["W"], s["b"])),
    "object": (
        lambda W, b: SimpleNamespace(W=W, b=b), lambda p: (p.W, p.b), lambda s: (s["W"], s["b"]),
    ),
    "method": (Model, lambda p: p.layers[0], lambda s: s["layers"][0]),
    "nested": (
        lambda W, b: {"l": [{"W": W}, b]}, lambda p: (p["l"][0]["W"], p["l"][1]),
        lambda s: (s["l"][0]["W"], s["l"][1]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("structure", STRUCTURES)
def test_parameters_in_any_structure(structure):
    make, read, read_state = STRUCTURES[structure]

    def mean_square(params, x):
        W, b = read(params)
        return np.mean((x @ W + b) ** 2)

    function = Model.loss if structure == "method" else mean_square
    W, b, x = np.arange(6.0).reshape(2, 3), np.ones(3), np.arange(8.0).reshape(4, 2)
    params = make(W, b)
    step = train_step(function, sgd(0.01, momentum=0.5))
    plain = train_step(lambda W, b, x: np.mean((x @ W + b) ** 2), sgd(0.01, momentum=0.5), wrt=("W", "b"))
    W_plain, b_plain = W.copy(), b.copy()
    for _ in range(3):
        assert step(params, x) == plain(W_plain, b_plain, x)
    found = read(params)
    assert found[0] is W
    assert found[1] is b
    np.testing.assert_array_equal(W, W_plain)
    np.testing.assert_array_equal(b, b_plain)
    velocity = read_state(step.state["velocity"])
    np.testing.assert_array_equal(velocity[0], plain.state["velocity"]["W"])
    np.testing.assert_array_equal(velocity[1], plain.state["velocity"]["b"])


def test_defaults_keywords_and_names_that_are_taken():
    def scaled(w, lr=2.0, *, state, scale=3.0):
        return lr * scale * state * np.sum(w)

    w = np.ones(2)
    step = train_step(scaled, sgd(0.5, momentum=0.5))
    assert step(w, state=1.0) == 12
    np.testing.assert_allclose(w, 1 - 0.5 * 6)
    assert step(w, 1.0, state=1.0) == -12
    np.testing.assert_allclose(w, -2 - 0.5 * (3 + 3))
    assert "state_1" in step.source
    assert "lr_1" in step.source


def test_a_differentiable_says_what_it_is_taken_with_respect_to():
    @differentiate(wrt=("b", "w"))
    def line(b, w, x, y):
        return np.mean((b + w * x - y) ** 2)

    b, w, x = np.zeros(1), np.zeros(1), np.arange(5.0)
    step = train_step(line, SGD)
    for _ in range(500):
        value = step(b, w, x, 2 * x + 1)
    assert value < 1e-10
    np.testing.assert_allclose([b[0], w[0]], [1, 2], atol=1e-4)
    train_step(line, SGD, wrt="w")(b, w, x, 2 * x + 2)
    assert b[0] == pytest.approx(1, abs=1e-4)
    assert w[0] > 2.1


# --- refusals ---


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"W": 1.0, "b": np.ones(3)}, r"`params\['W'\]` is a float, .*\n.*pass np.array\(x\)"),
        ({"W": np.float64(1.0), "b": np.ones(3)}, r"`params\['W'\]` is a float64"),
        ({"W": np.broadcast_to(1.0, 3), "b": np.ones(3)}, r"`params\['W'\]` is read-only"),
        ({"W": np.ones(3, int), "b": np.ones(3)}, r"`params\['W'\]` is an array of int64"),
    ],
)
@pytest.mark.parametrize("optimizer", [SGD, MOMENTUM], ids=["plain", "momentum"])
def test_parameters_that_cannot_be_updated(params, message, optimizer):
    def total(params, x):
        return np.sum(params["W"] * params["b"] * x)

    step = train_step(total, optimizer)
    with pytest.raises(SymdiffError, match=message):
        step(params, np.ones(3))
    with pytest.raises(SymdiffError, match=message):
        step.source_for(params, np.ones(3))


def test_memory_that_is_shared():
    def total(a, b, x):
        return np.sum(a * b * x)

    a = np.ones(6)
    step = train_step(total, SGD, wrt=("a", "b"))
    for other in (a, a[:], a[::-1]):
        with pytest.raises(SymdiffError, match="`a` and `b` share memory"):
            step(a, other, np.ones(6))
    with pytest.raises(SymdiffError, match="`a` shares memory with an argument"):
        step(a, np.ones(6), a)
    np.testing.assert_array_equal(a, 1.0)
    step(a[::2], a[1::2], np.ones(3))
    np.testing.assert_allclose(a, 0.9)


def test_read_only_from_the_second_call_on():
    w = np.ones(3)
    step = train_step(lambda w: np.sum(w), SGD)
    step(w)
    w.flags.writeable = False
    with pytest.raises(SymdiffError, match="read-only"):
        step(w)


def test_the_state_belongs_to_its_parameters():
    step = train_step(lambda w: np.sum(w**2), MOMENTUM)
    step(np.ones(3))
    with pytest.raises(SymdiffError, match="other shapes"):
        step(np.ones(4))
    state = step.state
    step.reset()
    assert step.state == {}
    step(np.ones(4))
    assert step.state["velocity"].shape == (4,)
    step.state = state
    w = np.ones(3)
    step(w)
    np.testing.assert_allclose(w, 1 - 0.1 * (0.9 * 2 + 2))


def test_a_bound_method_is_not_a_loss():
    model = Model(np.ones((2, 3)), np.ones(3))
    with pytest.raises(SymdiffError, match=r"pass Model\.loss"):
        fit(model.loss, model, np.ones((4, 2)), SGD)


def test_an_update_with_a_branch():
    def update(param, grad, state):
        if np.sum(grad) > 0:
            return param - grad, state
        return param, state

    with pytest.raises(SymdiffError):
        train_step(lambda w: np.sum(w), Optimizer("own", update))(np.ones(3))


# --- fit ---


def equal(a, b):
    return all(np.array_equal(a.params[name], b.params[name]) for name in a.params) and (
        (a.losses, a.validation, a.metrics, a.epoch) == (b.losses, b.validation, b.metrics, b.epoch)
    )


def run(optimizer=MOMENTUM, epochs=6, batch_size=7, **options):
    params, x, y = problem()
    options = {"validation": (x[:5], y[:5]), "metrics": {"size": lambda p, x, y: len(x)}, **options}
    return fit(loss, params, (x, y), optimizer, epochs, batch_size, **options)


def test_fit_leaves_the_caller_s_arrays_alone():
    params, x, y = problem()
    arrays, kept = dict(params), copied(params)
    history = fit(loss, params, (x, y), SGD, epochs=3)
    assert isinstance(history, History)
    assert all(params[name] is arrays[name] for name in params)
    assert all(np.array_equal(params[name], kept[name]) for name in params)
    assert not any(np.shares_memory(params[name], history.params[name]) for name in params)
    assert history.losses[0] == loss(kept, x, y)
    assert history.epoch == len(history.losses) == len(history.times) == 3
    assert history.validation == []
    assert all(seconds > 0 for seconds in history.times)
    assert "history of 3 epochs" in repr(history)


@pytest.mark.parametrize("shuffle", [True, False])
def test_fit_is_the_loop_one_would_write(shuffle):
    params, x, y = problem()
    history = fit(loss, params, (x, y), SGD, 3, 8, seed=5, validation=(x, y), shuffle=shuffle)
    rng, gradient = np.random.default_rng(5), differentiate(loss).value_and_grad
    for epoch in range(3):
        order = rng.permutation(20) if shuffle else np.arange(20)
        total = 0.0
        for rows in (order[:8], order[8:16], order[16:]):
            value, g = gradient(params, x[rows], y[rows])
            total += len(rows) * value
            params = {name: params[name] - 0.1 * g[name] for name in params}
        assert history.losses[epoch] == pytest.approx(total / 20, rel=1e-12)
        assert history.validation[epoch] == pytest.approx(loss(params, x, y), rel=1e-12)
    for name in params:
        np.testing.assert_allclose(history.params[name], params[name], rtol=1e-12)


def test_runs_are_reproducible():
    assert equal(run(), run())
    assert run().losses != run(seed=1).losses
    assert run(epochs=0).losses == []


@pytest.mark.parametrize("optimizer", [SGD, MOMENTUM, NESTEROV], ids=lambda one: one.name)
def test_continued_is_one_long_run(optimizer):
    first = run(optimizer, epochs=2)
    kept = copied(first.params)
    second = run(optimizer, epochs=4, history=first)
    assert equal(second, run(optimizer, epochs=6))
    assert first.epoch == len(first.losses) == 2
    assert all(np.array_equal(first.params[name], kept[name]) for name in kept)
    assert equal(run(optimizer, history=run(optimizer, epochs=0)), run(optimizer))


@pytest.mark.parametrize("batch", range(1, 8))
def test_interrupted_in_an_epoch_and_continued(batch, monkeypatch):
    """Ctrl-C during any batch: that batch is completed, and the continued run does not differ in a bit."""
    from symdiff.train import TrainStep

    calls = 0
    original = TrainStep.__call__

    def counting(self, *args, **kwargs):
        nonlocal calls
        calls += 1
        if calls == batch:
            signal.raise_signal(signal.SIGINT)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(TrainStep, "__call__", counting)
    history = run(epochs=4)
    assert history.interrupted
    assert calls == batch
    assert (history.epoch, history.batches) == divmod(batch, 3)
    assert "interrupted" in repr(history)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    continued = run(epochs=4 - history.epoch, history=history)
    assert not continued.interrupted
    assert equal(continued, run(epochs=4))


@pytest.mark.parametrize("where", ["callback", "metric"])
def test_interrupted_between_batches(where):
    calls = 0

    def interrupt(*_):
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyboardInterrupt
        return 1.0

    options = {"callback": interrupt} if where == "callback" else {"metrics": {"size": interrupt}}
    history = run(epochs=4, **options)
    assert history.interrupted
    assert history.epoch == (2 if where == "callback" else 1)
    fixed = {} if where == "callback" else {"metrics": {"size": lambda *_: 1.0}}
    assert equal(run(epochs=4 - history.epoch, history=history, **fixed), run(epochs=4, **fixed))


def test_a_second_interruption_does_not_wait(monkeypatch):
    from symdiff.train import TrainStep

    def impatient(self, *args):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(TrainStep, "__call__", impatient)
    with pytest.raises(KeyboardInterrupt):
        run()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_callback_can_end_the_run():
    seen = []
    history = run(epochs=10, callback=lambda h: seen.append(h.epoch) or h.epoch == 3)
    assert seen == [1, 2, 3]
    assert history.epoch == 3
    assert not history.interrupted


def test_metrics_and_single_arrays():
    def centre(params, x):
        return np.mean((x - params["c"]) ** 2)

    start = {"c": np.zeros(2)}
    x = np.random.default_rng(0).normal(size=(50, 2)) + 3
    metrics = {"distance": lambda p, x: np.max(np.abs(p["c"] - x.mean(axis=0)))}
    history = fit(centre, start, x, sgd(0.5), 100, validation=x, metrics=metrics)
    assert history.metrics["distance"][-1] < 1e-8
    assert len(history.metrics["distance"]) == len(history.validation) == 100
    assert fit(centre, start, x, sgd(0.5), 1, metrics=metrics).metrics["distance"][0] > 0


def test_a_last_batch_of_one_sample():
    params, x, y = problem(9)
    history = fit(loss, params, (x, y), SGD, 2, 4)
    assert len(history.losses) == 2
    assert fit(loss, params, (x, y), SGD, 2, 100).losses == fit(loss, params, (x, y), SGD, 2).losses


def test_losses_that_take_any_number_of_arrays():
    def star_batch(params, *batch):
        x, y = batch
        return np.mean((x @ params - y) ** 2)

    def star_params(x, *weights):
        return np.sum(weights[0] * x) + np.sum(weights[1] ** 2 * x)

    history = fit(star_batch, np.zeros(3), problem()[1:], SGD, 5)
    assert history.losses[-1] < history.losses[0]
    a, b = np.ones(2), np.ones(2)
    step = train_step(star_params, SGD, wrt="weights")
    step(np.ones(2), a, b)
    np.testing.assert_allclose([*a, *b], [0.9, 0.9, 0.8, 0.8])
    with pytest.raises(SymdiffError, match="share memory"):
        step(np.ones(2), a, a)


def test_a_value_as_a_python_float():
    w = np.array(2.0)
    assert train_step(lambda w: float(w), SGD)(w) == 2.0
    assert w == 1.9


def test_aux_in_fit():
    @differentiate(wrt=1, has_aux=True)
    def both(params, x):
        return np.mean((x - params) ** 2), x

    history = fit(both, np.zeros(2), np.ones((4, 2)), sgd(0.5), 3, validation=np.ones((1, 2)))
    assert history.losses[0] == 1.0
    assert history.validation[-1] < 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"data": (np.ones((3, 3)), np.ones(4))}, "lengths 3, 4"),
        ({"data": (np.ones((0, 3)), np.ones(0))}, "lengths 0, 0"),
        ({"data": 3.0}, "data is not made of arrays"),
        ({"data": ()}, "data is not made of arrays"),
        ({"validation": ([1.0], [2.0])}, "validation is not made of arrays"),
        ({"epochs": -1}, "epochs is -1"),
        ({"epochs": 1.5}, "epochs is 1.5"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"params": {"W": np.ones((3, 4)), "b": 0.0, "v": np.ones(4)}}, r"`params\['b'\]` is a float"),
    ],
)
def test_what_cannot_be_fitted(options, message):
    params, x, y = problem()
    given = {"params": params, "data": (x, y), "optimizer": SGD, **options}
    with pytest.raises(SymdiffError, match=message):
        fit(loss, **given)


def test_parameters_that_share_memory_are_not_torn_apart():
    w = np.ones(2)
    with pytest.raises(SymdiffError, match="share memory"):
        fit(lambda p, x: np.sum(p["a"] * p["b"] * x), {"a": w, "b": w}, np.ones((3, 2)), SGD)


def test_a_progress_bar(capsys, monkeypatch):
    run(epochs=2, progress=True)
    assert "6/6" in capsys.readouterr().err
    run(epochs=2)
    assert capsys.readouterr().err == ""
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with pytest.raises(SymdiffError, match="needs tqdm"):
        run(epochs=1, progress=True)
    run(epochs=1)


def test_training_is_imported_when_it_is_asked_for():
    code = (
        "import sys, symdiff\n"
        "assert not {'symdiff.train', 'symdiff.optim', 'symdiff.fitting'} & set(sys.modules)\n"
        "assert symdiff.optim.sgd and symdiff.train_step and symdiff.fit\n"
        "from symdiff import train_step, fit, optim\n"
        "try:\n    symdiff.nothing\nexcept AttributeError: pass\nelse: raise SystemExit(1)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
