"""Train a two-layer softmax network on 1,797 real handwritten digits."""

import time

import numpy as np
from drawing import new_plot, save
from sklearn.datasets import load_digits

from symdiff import differentiate, fit, optim


def scores(params, images):
    hidden = np.maximum(images @ params["W1"] + params["b1"], 0)
    return hidden @ params["W2"] + params["b2"]


@differentiate(wrt="params")
def loss(params, images, labels):
    """Mean cross-entropy between one-hot labels and the softmax of the scores."""
    logits = scores(params, images)
    shifted = logits - np.max(logits, axis=1, keepdims=True)
    log_p = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    return -np.mean(np.sum(labels * log_p, axis=1))


def accuracy(params, images, digits):
    return np.mean(np.argmax(scores(params, images), axis=1) == digits)


# --- data: 8 x 8 pixels in [0, 1], split into 1257 for training, 180 for validation, 360 for the test ---

images, digits = load_digits(return_X_y=True)
images = images / 16
labels = np.eye(10)[digits]
rng = np.random.default_rng(0)
train, validation, test = np.split(rng.permutation(len(images)), [1257, 1437])

# --- a random start ---

params = {
    "W1": rng.standard_normal((64, 128)) * np.sqrt(2 / 64),
    "b1": np.zeros(128),
    "W2": rng.standard_normal((128, 10)) * np.sqrt(1 / 128),
    "b2": np.zeros(10),
}

# --- the gradient, as source ---

print(loss.grad.source_for(params, images[train], labels[train]))

# --- training ---

began = time.perf_counter()
history = fit(
    loss,
    params,
    (images[train], labels[train]),
    optim.sgd(lr=0.1, momentum=0.9),
    epochs=40,
    batch_size=32,
    seed=0,
    validation=(images[validation], labels[validation]),
)
seconds = time.perf_counter() - began

for epoch in range(4, 40, 5):
    training, held_out = history.losses[epoch], history.validation[epoch]
    print(f"epoch {epoch + 1:2d}  loss {training:.4f}  validation {held_out:.4f}")
params = history.params
print(f"trained in {seconds:.1f} s")
print(f"training accuracy: {accuracy(params, images[train], digits[train]):.4f}")
print(f"test accuracy: {accuracy(params, images[test], digits[test]):.4f}")

# --- plots: the losses, and some test images with what the network reads in them ---

axes = new_plot("Cross-entropy on the digits", "epoch", "loss")
axes.semilogy(history.losses, label="training")
axes.semilogy(history.validation, label="validation")
axes.legend()
save(axes, "digits_loss")

axes = new_plot("Digits of the test set, and what the network reads in them", "", "")
shown = test[:40].reshape(4, 10)
read = np.argmax(scores(params, images[test[:40]]), axis=1).reshape(4, 10)
axes.imshow(np.block([[np.pad(images[k].reshape(8, 8), 2) for k in row] for row in shown]), cmap="gray_r")
for row, column in np.ndindex(shown.shape):
    right = read[row, column] == digits[shown[row, column]]
    color = "tab:green" if right else "tab:red"
    axes.text(12 * column + 1, 12 * row + 2, read[row, column], color=color, ha="center", va="center")
axes.axis("off")
save(axes, "digits_read")
