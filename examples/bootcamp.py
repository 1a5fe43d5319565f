"""From arrays to a fitted line: arithmetic, the chain rule, an optimizer, a model class."""

import numpy as np
from drawing import new_plot, save

from symdiff import differentiate, fit, optim

# --- arrays ---

scalar = np.array(42.0)
vector = np.array([1.0, 2.0, 3.0])
matrix = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
print("a =", scalar)
print("v =", vector)
print("M =", matrix, sep="\n")

print("v + v =", vector + vector)
print("v * v =", vector * vector)
print("a * v =", scalar * vector)
print("M * v =", matrix * vector, sep="\n")
print("v @ v =", vector @ vector)
print("M @ v =", matrix @ vector)

print("v^2 =", vector**2)
print("exp(v) =", np.exp(vector).round(4))
print("sin(v) =", np.sin(vector).round(4))

# --- the chain rule: dz/dw = dz/dy * dy/dx * dx/dw ---


@differentiate(wrt="w")
def chain(w):
    x = w + 1
    y = x**3
    z = np.sin(y)
    return z


print()
print(chain.grad.source_for(1.0))
print(f"z at w=1: {chain(1.0):.4f}")
print(f"dz/dw at w=1: {chain.grad(1.0):.4f}")

# --- a gradient has one entry for each entry of its argument ---


@differentiate(wrt=("M", "v"))
def total(M, v):
    return (M @ v).sum()


rng = np.random.default_rng(0)
M, v = rng.standard_normal((3, 3)), rng.standard_normal(3)
M_grad, v_grad = total.grad(M, v)
print()
print(total.grad.source_for(M, v))
print("d total / d M, every row is v =", M_grad.round(4), sep="\n")
print("d total / d v, the sums of the columns =", v_grad.round(4))

# --- gradient descent on a parabola whose minimum is at 3/2 ---


@differentiate
def parabola(x):
    return x**2 - 3 * x + 1


print()
print(parabola.grad.source_for(0.0))
x = 0.0
xs = []
for _ in range(500):
    xs.append(x)
    x -= 0.01 * parabola.grad(x)
print(f"minimum after 500 steps: {x:.5f}")

axes = new_plot("Gradient descent on x² - 3x + 1", "iteration", "estimate of x")
axes.plot(xs)
axes.set_ylim(-0.5, 2)
save(axes, "bootcamp_parabola")

# --- a model: an object with arrays in it ---


class LinearModel:
    """y = w x + b, from a random start in [-1, 1]."""

    def __init__(self, rng):
        self.w = rng.uniform(-1, 1, 1)
        self.b = rng.uniform(-1, 1, 1)

    def predict(self, x):
        return self.w * x + self.b

    @differentiate(wrt="self")
    def loss(self, x, y):
        return np.mean((self.predict(x) - y) ** 2)


x = rng.random(100)
y = 2 * x + 1 + 0.3 * rng.standard_normal(100)
model = LinearModel(rng)
print()
print(model.loss.grad.source_for(x, y))
print(f"start:  w = {model.w[0]:.4f}, b = {model.b[0]:.4f}, loss {model.loss(x, y):.4f}")

stages = {0: model}
history = None
for epochs in (200, 400, 1400):
    history = fit(LinearModel.loss, model, (x, y), optim.sgd(lr=0.01), epochs=epochs, history=history)
    stages[len(history.losses)] = history.params
model = history.params
print(f"fitted: w = {model.w[0]:.4f}, b = {model.b[0]:.4f}, loss {model.loss(x, y):.4f}")
slope, intercept = np.polyfit(x, y, 1)
print(f"least squares: w = {slope:.4f}, b = {intercept:.4f}")

axes = new_plot("The fitted line after some iterations", "x", "y")
axes.scatter(x, y, s=12)
ends = np.array([0.0, 1.0])
for iteration, stage in stages.items():
    axes.plot(ends, stage.predict(ends), label=f"{iteration} iterations")
axes.legend()
save(axes, "bootcamp_line")
