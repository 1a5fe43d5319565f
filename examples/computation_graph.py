"""A computation graph, and the gradient as a sum over its paths."""

from itertools import pairwise

import numpy as np
from drawing import new_plot, save

from symdiff import differentiate


@differentiate(wrt=("a", "w1", "w2", "w3", "w4"))
def L(a, w1, w2, w3, w4):
    b = w1 * a
    c = w2 * a
    d = w3 * b + w4 * c
    return d**2


a, w1, w2, w3, w4 = 2.0, 0.5, -1.5, 3.0, 2.0
print(L.value_and_grad.source_for(a, w1, w2, w3, w4))

value, gradient = L.value_and_grad(a, w1, w2, w3, w4)
print(f"L = {value:g}")
for name, entry in zip(("a", "w1", "w2", "w3", "w4"), gradient, strict=True):
    print(f"dL/d{name} = {entry:g}")

# --- the derivative along each edge: local, without any chain rule ---

d = w3 * (w1 * a) + w4 * (w2 * a)
edges = {
    ("L", "d"): 2 * d,
    ("d", "b"): w3,
    ("d", "c"): w4,
    ("b", "a"): w1,
    ("c", "a"): w2,
}


def along(*path):
    """The product of the edges from node to node."""
    return np.prod([edges[edge] for edge in pairwise(path)])


through_b, through_c = along("L", "d", "b", "a"), along("L", "d", "c", "a")
print()
print(f"path L -> d -> b -> a: {through_b:g}")
print(f"path L -> d -> c -> a: {through_c:g}")
print(f"their sum:             {through_b + through_c:g}")
print(f"dL/da by symdiff:      {gradient[0]:g}")

# --- the graph, drawn: gradients flow against the arrows of the computation ---

axes = new_plot("d = w3 b + w4 c,  L = d²", "", "")
axes.set(xlim=(-0.5, 4.5), ylim=(-1.5, 1.5))
axes.axis("off")
places = {"a": (0, 0), "b": (1, 1), "c": (1, -1), "d": (2, 0), "L": (4, 0)}
for (end, start), slope in edges.items():
    axes.annotate(
        "",
        xy=places[start],
        xytext=places[end],
        arrowprops={"arrowstyle": "-|>", "shrinkA": 18, "shrinkB": 18, "color": "tab:blue"},
    )
    middle = np.add(places[start], places[end]) / 2
    axes.text(*middle, f"d{end}/d{start} = {slope:g}", ha="center", va="center", backgroundcolor="white")
for name, place in places.items():
    axes.text(*place, name, ha="center", va="center", bbox={"boxstyle": "circle,pad=0.5", "fc": "white"})
save(axes, "computation_graph")
