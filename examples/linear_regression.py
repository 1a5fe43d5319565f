"""Fit a line through 80 noisy points: decorate the loss, read its gradient, descend."""

import numpy as np
from drawing import new_plot, save

from symdiff import differentiate, fit, optim, train_step

# --- data: y = 1 + 2 x and some noise, split 80 : 20 ---

true_b, true_w, n = 1, 2, 100
np.random.seed(42)
x = np.random.rand(n, 1)
y = true_b + true_w * x + 0.1 * np.random.randn(n, 1)

index = np.arange(n)
np.random.shuffle(index)
train, validation = index[:80], index[80:]
x_train, y_train = x[train], y[train]
x_val, y_val = x[validation], y[validation]

# --- the loss, in plain NumPy ---


@differentiate(wrt=("b", "w"))
def loss(b, w, x, y):
    error = b + w * x - y
    return np.mean(error**2)


# --- its gradient, as source; the tutorial shows its random start to four of these digits ---

b = np.array([0.194019])
w = np.array([0.139137])
print(f"start: b {b[0]:.4f}, w {w[0]:.4f}, loss {loss(b, w, x_train, y_train):.4f}")
print()
print(loss.grad.source_for(b, w, x_train, y_train))

b_grad, w_grad = loss.grad(b, w, x_train, y_train)
print(f"gradients: {b_grad[0]:.4f} {w_grad[0]:.4f}")

# A gradient is a value that is returned, not a state that fills up: who wants a sum writes one.
b_more, w_more = loss.grad(b, w, x_train, y_train)
print(f"accumulated twice: {(b_grad + b_more)[0]:.4f} {(w_grad + w_more)[0]:.4f}")

# --- gradient descent, by hand ---

learning_rate = 0.1
losses = []
print()
for epoch in range(1000):
    value, (b_grad, w_grad) = loss.value_and_grad(b, w, x_train, y_train)
    b -= learning_rate * b_grad
    w -= learning_rate * w_grad
    losses.append(value)
    if epoch + 1 in (1, 10, 100, 1000):
        print(f"epoch {epoch + 1:4d}  loss {value:.5f}")
print(f"by hand: b {b[0]:.4f}, w {w[0]:.4f}")

# --- loss, gradient and update in one generated function that writes into b and w ---

b = np.array([0.194019])
w = np.array([0.139137])
step = train_step(loss, optim.sgd(lr=0.1))
print()
print(step.source_for(b, w, x_train, y_train))
step_losses = [step(b, w, x_train, y_train) for epoch in range(1000)]
print(f"by step: b {b[0]:.4f}, w {w[0]:.4f}, the same losses: {np.allclose(step_losses, losses)}")

# --- the loop too; the parameters are now the entries of a dict ---


def line_loss(params, x, y):
    return loss(params["b"], params["w"], x, y)


start = {"b": np.array([0.194019]), "w": np.array([0.139137])}
history = fit(line_loss, start, (x_train, y_train), optim.sgd(lr=0.1), epochs=1000, validation=(x_val, y_val))
b, w = history.params["b"], history.params["w"]
print(f"by fit:  b {b[0]:.4f}, w {w[0]:.4f}, the same losses: {np.allclose(history.losses, losses)}")
print(f"validation loss: {history.validation[-1]:.5f}")

# --- the fit, drawn ---

axes = new_plot("A line fitted by gradient descent", "x", "y")
axes.scatter(x_train, y_train, s=12, label="training")
axes.scatter(x_val, y_val, s=12, label="validation")
ends = np.array([0.0, 1.0])
axes.plot(ends, b + w * ends, color="black", label=f"{b[0]:.4f} + {w[0]:.4f} x")
axes.legend()
save(axes, "linear_regression")

axes = new_plot("Mean squared error", "epoch", "loss")
axes.semilogy(losses, label="training")
axes.semilogy(history.validation, label="validation")
axes.legend()
save(axes, "linear_regression_loss")
