"""Fit a linear model to real diabetes data by gradient descent, and compare with least squares."""

import numpy as np
from drawing import new_plot, save
from sklearn.datasets import load_diabetes

from symdiff import differentiate, fit, optim


def predict(params, features):
    return features @ params["weights"] + params["bias"]


@differentiate(wrt="params")
def loss(params, features, progression):
    error = predict(params, features) - progression
    return np.mean(error**2)


# --- data: ten measurements of 442 patients, each of mean 0 and variance 1; the disease a year later ---

data = load_diabetes()
features, progression = data.data * np.sqrt(len(data.data)), data.target
params = {"weights": np.zeros(10), "bias": np.array(0.0)}

# --- the gradient, as source ---

print(loss.grad.source_for(params, features, progression))

# --- training ---

history = fit(loss, params, (features, progression), optim.sgd(lr=0.1, momentum=0.9), epochs=1000)
params = history.params
for epoch in (0, 9, 99, 999):
    print(f"epoch {epoch + 1:4d}  loss {history.losses[epoch]:.3f}")

# --- the closed form, for comparison ---

columns = np.column_stack([features, np.ones(len(features))])
*weights, bias = np.linalg.lstsq(columns, progression)[0]
print()
print(f"{'':6s}  descent  least squares")
for name, ours, exact in zip(data.feature_names, params["weights"], weights, strict=True):
    print(f"{name:6s} {ours:8.3f} {exact:14.3f}")
print(f"{'bias':6s} {params['bias']:8.3f} {bias:14.3f}")

difference = max(np.max(np.abs(params["weights"] - weights)), abs(params["bias"] - bias))
print(f"largest difference: {difference:.1e}")
print(f"R²: {1 - history.losses[-1] / np.var(progression):.4f}")

axes = new_plot("Progression of diabetes, predicted and measured", "measured", "predicted")
axes.scatter(progression, predict(params, features), s=10)
axes.axline((150, 150), slope=1, color="black", linewidth=1)
save(axes, "diabetes")
