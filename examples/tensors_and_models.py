"""Arrays, a gradient that is all ones, and a linear model trained twice: by hand and by SGD."""

import numpy as np
from drawing import new_plot, save

from symdiff import differentiate, fit, optim

rng = np.random.default_rng(0)

# --- making arrays and adding them ---

print(np.array([3.2, 4.3, 5.5]))
print(np.array([[3.2], [4.3], [5.5]]))
some, other = rng.random((4, 6)), rng.random((4, 6))
added = some + other
print("np.add is the same:", np.array_equal(np.add(some, other), added))
some += other
print("so is adding in place:", np.array_equal(some, added))

# --- broadcasting, products, shapes and slices ---

x, y = rng.integers(10, size=3), rng.integers(10, size=(5, 3))
print("x + y, row by row:", x + y, sep="\n")

x, y = rng.integers(10, size=(4, 6)), rng.integers(10, size=(6, 4))
print("x @ y (matrix product):", x @ y, sep="\n")

x = rng.integers(10, size=(4, 4))
print("as 2 x 8:", x.reshape(2, 8), sep="\n")
print("as 8 x ?:", x.reshape(8, -1).shape, "- flat:", x.reshape(-1).shape)

x = rng.integers(10, size=(3, 5))
print(x)
print("first row:", x[0], "- last row:", x[-1])
print("third column:", x[:, 2], "- last column:", x[:, -1])

# --- the gradient of a sum is ones ---


@differentiate(wrt="x")
def sum_of_sum(x, y):
    z = x + y
    return np.sum(z)


x, y = np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0])
print()
print(sum_of_sum.grad.source_for(x, y))
print("z =", x + y, "- its sum:", sum_of_sum(x, y))
print("gradient:", sum_of_sum.grad(x, y))
print("and again, nothing accumulates:", sum_of_sum.grad(x, y))

# --- a model: a class with arrays and a loss ---


class Linear:
    """y = x A + b with learnable A and b."""

    def __init__(self, inputs, outputs, rng):
        bound = 1 / np.sqrt(inputs)
        self.A = rng.uniform(-bound, bound, (inputs, outputs))
        self.b = rng.uniform(-bound, bound, outputs)

    def __call__(self, x):
        return x @ self.A + self.b

    @differentiate(wrt="self")
    def loss(self, x, y):
        return np.mean((self(x) - y) ** 2)


model = Linear(1, 1, rng)
print()
print(f"A = {model.A[0, 0]:.4f}, b = {model.b[0]:.4f}")
print("three points:", model(np.array([[0.0], [1.0], [2.0]])).round(4).tolist())

# --- data: ten points along pi x + 42, with noise between 0 and 1 ---

N = 10
x = rng.random((N, 1)) * 5
y = np.pi * x + 42 + rng.random((N, 1))
print()
print(model.loss.grad.source_for(x, y))


def draw(model, name):
    xs = np.linspace(0, 5, 500).reshape(-1, 1)
    axes = new_plot("Linear model and its data", "x", "y")
    axes.plot(xs, model(xs), color="tab:orange", label=f"{model.A[0, 0]:.3f} x + {model.b[0]:.3f}")
    axes.scatter(x, y, s=16, label="data")
    axes.legend()
    save(axes, name)


# --- training, by hand ---

learning_rate = 0.05
for epoch in range(500):
    value, gradient = model.loss.value_and_grad(x, y)
    model.A -= learning_rate * gradient.A
    model.b -= learning_rate * gradient.b
    if epoch % 50 == 0:
        print(f"{epoch:3d} {value:.4f}")
print(f"by hand: A = {model.A[0, 0]:.4f}, b = {model.b[0]:.4f}")
draw(model, "tensors_and_models_by_hand")

# --- training, with an optimizer ---

history = fit(Linear.loss, Linear(1, 1, rng), (x, y), optim.sgd(lr=0.05), epochs=500)
for epoch in range(0, 500, 50):
    print(f"{epoch:3d} {history.losses[epoch]:.4f}")
model = history.params
print(f"by SGD:  A = {model.A[0, 0]:.4f}, b = {model.b[0]:.4f}")
draw(model, "tensors_and_models_sgd")
