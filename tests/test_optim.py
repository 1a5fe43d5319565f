"""Optimizers: their formulas against NumPy, step for step, and what a user may write instead."""

import math
import pickle

import numpy as np
import pytest

from symdiff import SymdiffError, fit, optim, train_step
from symdiff.optim import Optimizer, sgd

OPTIMIZERS = [sgd(0.05), sgd(0.02, momentum=0.9), sgd(0.02, momentum=0.9, nesterov=True)]


def loss(params, x, y):
    hidden = np.tanh(x @ params["W"] + params["b"])
    return np.mean((hidden @ params["v"] - y) ** 2)


def problem(dtype=float):
    rng = np.random.default_rng(0)
    params = {"W": rng.normal(size=(3, 4)), "b": rng.normal(size=4), "v": rng.normal(size=4)}
    x, y = rng.normal(size=(20, 3)), rng.normal(size=20)
    return {k: v.astype(dtype) for k, v in params.items()}, x.astype(dtype), y.astype(dtype)


def gradient(params, x, y):
    """By hand."""
    hidden = np.tanh(x @ params["W"] + params["b"])
    error = hidden @ params["v"] - y
    error_bar = 2 / len(y) * error
    before = np.outer(error_bar, params["v"]) * (1 - hidden**2)
    return np.mean(error**2), {"W": x.T @ before, "b": before.sum(axis=0), "v": hidden.T @ error_bar}


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda one: one.name)
def test_a_thousand_steps_of_sgd_are_those_of_its_formula(optimizer):
    params, x, y = problem()
    lr, momentum = optimizer.hyperparameters["lr"], optimizer.hyperparameters.get("momentum", 0.0)
    expected = {name: value.copy() for name, value in params.items()}
    velocity = {name: np.zeros_like(value) for name, value in params.items()}
    step = train_step(loss, optimizer)
    for _ in range(1000):
        value = step(params, x, y)
        reference, grads = gradient(expected, x, y)
        for name, g in grads.items():
            velocity[name] = momentum * velocity[name] + g
            nesterov = optimizer.name == "Nesterov SGD"
            expected[name] = expected[name] - lr * (
                g + momentum * velocity[name] if nesterov else velocity[name]
            )
            assert np.max(np.abs(params[name] - expected[name])) <= 1e-12
        assert abs(value - reference) <= 1e-12
    if momentum:
        for name, array in velocity.items():
            assert np.max(np.abs(step.state["velocity"][name] - array)) <= 1e-12
    else:
        assert step.state == {}


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda one: one.name)
def test_an_optimizer_can_be_pickled(optimizer):
    assert pickle.loads(pickle.dumps(optimizer)) == optimizer


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"lr": 0}, "lr is 0"),
        ({"lr": -1.0}, "lr is -1"),
        ({"lr": math.nan}, "lr is nan"),
        ({"lr": "0.1"}, "lr is '0.1'"),
        ({"lr": True}, "lr is True"),
        ({"momentum": 1.0}, "momentum is 1"),
        ({"momentum": -0.1}, "momentum is -0.1"),
        ({"nesterov": True}, "nesterov needs a momentum"),
    ],
)
def test_sgd_refuses(arguments, message):
    with pytest.raises(SymdiffError, match=message):
        sgd(**arguments)


def test_hyperparameters_are_those_of_the_optimizer():
    step = train_step(loss, sgd(0.1))
    step.hyperparameters.update(lr=np.float32(0.5))
    assert type(step.hyperparameters["lr"]) is float
    with pytest.raises(SymdiffError, match="no hyperparameter 'rate'"):
        step.hyperparameters["rate"] = 0.1
    with pytest.raises(SymdiffError, match="'fast'"):
        step.hyperparameters["lr"] = "fast"
    with pytest.raises(SymdiffError, match="eps"):
        Optimizer("x", lambda p, g, s, eps: (p, s), hyperparameters={"eps": None})


# --- optimizers of a user's own ---

EPSILON = 1e-8


def adagrad_update(param, grad, state, lr):
    squares = state["squares"] + grad**2
    return param - lr * grad / (np.sqrt(squares) + EPSILON), {"squares": squares}


def zeros(*names):
    return lambda param: {name: np.zeros_like(param) for name in names}


ADAGRAD = Optimizer("Adagrad", adagrad_update, zeros("squares"), {"lr": 0.1})


def test_adagrad_written_by_a_user(monkeypatch):
    params, x, y = problem()
    expected = {name: value.copy() for name, value in params.items()}
    squares = {name: np.zeros_like(value) for name, value in params.items()}
    step = train_step(loss, ADAGRAD)
    for k in range(100):
        if k == 50:  # a global that the update reads is an input
            monkeypatch.setitem(globals(), "EPSILON", 0.5)
        step(params, x, y)
        for name, g in gradient(expected, x, y)[1].items():
            squares[name] += g**2
            expected[name] -= 0.1 * g / (np.sqrt(squares[name]) + EPSILON)
            assert np.max(np.abs(params[name] - expected[name])) <= 1e-12
    source = step.source_for(params, x, y)
    assert "    W_squares += W_bar**2\n" in source
    assert "    W -= lr * W_bar / (np.sqrt(W_squares) + EPSILON)\n" in source


def adam_update(param, grad, state, lr, beta1, beta2, eps):
    t = state["t"] + 1
    m = beta1 * state["m"] + (1 - beta1) * grad
    v = beta2 * state["v"] + (1 - beta2) * grad**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return param - lr * m_hat / (np.sqrt(v_hat) + eps), {"t": t, "m": m, "v": v}


def adam_init(param):
    return {"t": np.zeros(()), "m": np.zeros_like(param), "v": np.zeros_like(param)}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_adam_written_by_a_user(dtype):
    params, x, y = problem(dtype)
    beta1, beta2, eps, lr = 0.9, 0.999, 1e-8, 0.01
    numbers = {"lr": lr, "beta1": beta1, "beta2": beta2, "eps": eps}
    step = train_step(loss, Optimizer("Adam", adam_update, adam_init, numbers))
    expected = {name: value.astype(float) for name, value in params.items()}
    m = {name: np.zeros_like(value) for name, value in expected.items()}
    v = {name: np.zeros_like(value) for name, value in expected.items()}
    for t in range(1, 101):
        step(params, x, y)
        for name, g in gradient(expected, x.astype(float), y.astype(float))[1].items():
            m[name] = beta1 * m[name] + (1 - beta1) * g
            v[name] = beta2 * v[name] + (1 - beta2) * g**2
            rate = lr / (np.sqrt(v[name] / (1 - beta2**t)) + eps)
            expected[name] -= rate * m[name] / (1 - beta1**t)
    for name in params:
        assert params[name].dtype == dtype
        assert np.max(np.abs(params[name] - expected[name])) < (1e-12 if dtype == "float64" else 2e-4)
    assert step.state["t"]["W"] == 100


# Updates whose writes get in each other's way: every new value is made of old ones.


def swap(param, grad, state, lr):
    return state["other"], {"other": param}


def chain(param, grad, state, lr):
    return state["a"] - lr * grad, {"a": state["b"], "b": state["c"], "c": param + grad}


def ring(param, grad, state, lr):
    a, b = state["a"], state["b"]
    return param - lr * (a - b), {"a": b, "b": a + grad}


def late(param, grad, state, lr):
    old = state["a"]
    new = 0.5 * old + grad
    return param - lr * (new + old), {"a": new}


def views(param, grad, state, lr):
    turned = state["a"].T
    new = 0.5 * state["a"] + grad
    return param - lr * turned.T * new, {"a": new}


def twice(param, grad, state, lr):
    new = param - lr * grad
    return new, {"a": new, "b": new * param}


def same(param, grad, state, lr):
    return param * param / 8 - lr * grad * param, {"a": grad, "b": state["b"]}


def reset(param, grad, state, lr):
    return (param - lr * grad) / 2.0 + state["a"], {"a": 0.0}


def reversed_difference(param, grad, state, lr):
    return grad * lr - param, state


CROSSING = {
    swap: ["other"], chain: ["a", "b", "c"], ring: ["a", "b"], late: ["a"], views: ["a"], twice: ["a", "b"],
    same: ["a", "b"], reset: ["a"], reversed_difference: [],
}  # fmt: skip


@pytest.mark.parametrize("update", CROSSING, ids=lambda one: one.__name__)
def test_nothing_is_read_after_it_was_overwritten(update):
    names = CROSSING[update]

    def init(param):
        return {name: np.full_like(param, k + 1.5) for k, name in enumerate(names)}

    params, x, y = problem()
    step = train_step(loss, Optimizer("own", update, init, {"lr": 0.01}))
    expected = {name: value.copy() for name, value in params.items()}
    states = {name: init(value) for name, value in params.items()}
    for _ in range(4):
        value = step(params, x, y)
        reference, grads = gradient(expected, x, y)
        assert value == pytest.approx(reference, rel=1e-12)
        for name, g in grads.items():
            expected[name], states[name] = update(expected[name], g, states[name], 0.01)
            np.testing.assert_allclose(params[name], expected[name], rtol=1e-11, atol=1e-12)
            for key in names:
                found = step.state[key][name]
                np.testing.assert_allclose(
                    found, np.broadcast_to(states[name][key], found.shape), rtol=1e-11, atol=1e-12
                )


def test_a_state_of_another_shape():
    """One mean square per row, whatever the number of rows."""

    def rows(param, grad, state, lr):
        squares = state["squares"] + np.mean(grad**2, axis=1)
        return param - lr * grad / np.sqrt(squares)[:, None], {"squares": squares}

    optimizer = Optimizer("per row", rows, lambda param: {"squares": np.ones(param.shape[0])}, {"lr": 0.1})
    step = train_step(lambda w, x: np.sum((w - x) ** 2), optimizer)
    for shape in ((3, 3), (2, 5), (5, 2)):
        step.reset()
        w, x = np.zeros(shape), np.arange(1.0, shape[0] * shape[1] + 1).reshape(shape)
        step(w, x)
        np.testing.assert_allclose(w, 0.2 * x / np.sqrt(1 + np.mean(4 * x**2, axis=1))[:, None])
    assert "W_squares" not in step.source


def test_a_float_state_and_a_complex_parameter():
    def energy(z):
        return np.sum(np.abs(z) ** 2)

    z = np.array([1 + 2j, -3j])
    step = train_step(energy, sgd(0.25, momentum=0.5))
    assert step(z) == pytest.approx(14)
    np.testing.assert_allclose(z, np.array([1 + 2j, -3j]) / 2)


BAD = [
    (lambda p, g, s: p - g, {}, "does not return a pair"),
    (lambda p, g, s: (p - g, [g]), {}, "does not return a pair"),
    (lambda p, g, s: (p - g, {"other": g}), {"a": 1}, r"returns the state \['other'\]; `init` makes \['a'\]"),
    (lambda p, g, s: (np.sum(p), s), {}, "has shape"),
    (lambda p, g, s: (p * 1j, s), {}, "complex128"),
    (lambda p, g: (p, {}), {}, "cannot be called"),
]


@pytest.mark.parametrize(("update", "state", "message"), BAD)
def test_an_update_that_is_none(update, state, message):
    init = zeros(*state)
    step = train_step(lambda w: np.sum(w**2), Optimizer("own", update, init))
    with pytest.raises(SymdiffError, match=message):
        step(np.ones(3))


@pytest.mark.parametrize(
    ("init", "message"),
    [
        (lambda p: {"a": 0.0}, "dict of arrays"),
        (lambda p: p, "dict of arrays"),
        (lambda p: {"a": p}, "is the parameter"),
    ],
)
def test_an_init_that_is_none(init, message):
    step = train_step(lambda w: np.sum(w**2), Optimizer("own", lambda p, g, s: (p, s), init))
    with pytest.raises(SymdiffError, match=message):
        step(np.ones(3))


def test_an_optimizer_is_asked_for():
    with pytest.raises(SymdiffError, match="no optimizer"):
        train_step(loss, 0.1)
    assert optim.sgd is sgd
    with pytest.raises(SymdiffError, match="no optimizer"):
        fit(loss, {}, np.ones(3), None)
