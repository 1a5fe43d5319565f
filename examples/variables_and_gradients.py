"""Arrays, their types and their gradients; then a line fitted in single precision."""

import numpy as np
from drawing import new_plot, save

from symdiff import differentiate

# --- arrays and their types ---

x = np.zeros((2, 3))
y = np.zeros((2, 3), dtype=np.float32)
z = x + y
print("x is", x.dtype, "- y is", y.dtype, "- x + y is", z.dtype)
print("cast back:", z.astype(np.float32).dtype)
print("broadcast:", np.array([3.0, 2.0]) * np.array([[0.0, 1.0], [4.0, 2.0]]), sep="\n")
print("shape", x.shape, "- mean along axis 0", x.mean(axis=0))

# --- the gradient of a sum of squares is 2 v ---


@differentiate
def sum_of_squares(v):
    return np.sum(v**2)


v = np.ones((1, 2))
print()
print(sum_of_squares.grad.source_for(v))
print("sum of squares:", sum_of_squares(v))
print("gradient:", sum_of_squares.grad(v))

# --- two arguments of different shapes: each gradient has the shape of its argument ---


@differentiate(wrt=("v1", "v2"))
def sum_of_products(v1, v2):
    return np.sum(v1 * v2)


v1, v2 = np.array([1.0, 2.0]), np.array([3.0])
v1_grad, v2_grad = sum_of_products.grad(v1, v2)
print()
print(sum_of_products.grad.source_for(v1, v2))
print("gradient of v1:", v1_grad)
print("gradient of v2:", v2_grad)

# --- linear regression in float32: what goes in as single precision comes out as single precision ---

rng = np.random.default_rng(0)
slope, intercept = rng.random(2)
X = rng.random((30, 1)) * 2
y = X * slope + intercept + rng.standard_normal((30, 1)) * 0.05
Xt, yt = X.astype(np.float32), y.astype(np.float32)

W = rng.random((1, 1), dtype=np.float32)
b = rng.random(1, dtype=np.float32)


def linear(x, W, b):
    return np.matmul(x, W) + b


@differentiate(wrt=("W", "b"))
def loss(W, b, x, y):
    return np.mean((linear(x, W, b) - y) ** 2)


print()
print(loss.grad.source_for(W, b, Xt, yt))
losses = []
for _ in range(2500):
    value, (W_grad, b_grad) = loss.value_and_grad(W, b, Xt, yt)
    W -= 0.005 * W_grad
    b -= 0.005 * b_grad
    losses.append(value)
print("types: data", Xt.dtype, "- loss", value.dtype, "- gradients", W_grad.dtype, b_grad.dtype)
print(f"loss: {losses[0]:.4f} at first, {losses[-1]:.4f} after 2500 epochs")
print(f"found: W {W[0, 0]:.4f}, b {b[0]:.4f}")
print(f"truth: W {slope:.4f}, b {intercept:.4f}")

axes = new_plot("The final model", "x", "y")
axes.scatter(X, y, s=12, label="data")
ends = np.array([[0.0], [2.0]])
axes.plot(ends, linear(ends, W, b), color="black", label=f"{W[0, 0]:.3f} x + {b[0]:.3f}")
axes.legend()
save(axes, "variables_and_gradients")
