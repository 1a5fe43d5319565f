"""kmeans: the step of Newton's method for the cost of k-means, whose Hessian is diagonal."""

from __future__ import annotations

import numpy as np

import symdiff
from bench.gradbench.case import Case


def cost(points, centroids):
    apart = points[:, None, :] - centroids[None, :, :]
    squares = np.sum(apart**2, axis=2)
    return np.sum(np.min(squares, axis=1))


gradient = symdiff.grad(cost, wrt="centroids")
hessian = symdiff.hessian(cost, wrt="centroids")
product = symdiff.hvp(cost, wrt="centroids")


def direction(points, centroids):
    """The gradient over the diagonal, which is the Hessian times ones where nothing else is in it."""
    return gradient(points, centroids) / product((points, centroids), np.ones_like(centroids))


def derived(points, centroids):
    """The gradient is 2 sum(c - p), the second derivative 2 for each point that is nearest to c."""
    nearest = np.argmin(((points[:, None] - centroids) ** 2).sum(axis=2), axis=1)
    counts = np.bincount(nearest, minlength=len(centroids))
    sums = np.zeros_like(centroids)
    np.add.at(sums, nearest, points)
    slopes = 2 * (counts[:, None] * centroids - sums)
    curvatures = np.repeat(2.0 * counts, centroids.shape[1])
    full = np.diag(curvatures).reshape(centroids.shape + centroids.shape)
    return slopes, full, slopes / curvatures.reshape(centroids.shape)


def case(rng: np.random.Generator, tiny: bool) -> Case:
    n, k, d = (15, 3, 2) if tiny else (500, 5, 4)
    points = rng.random((n, d))
    # As the eval does: some points are centroids, moved a little here, so that none stays where it is.
    centroids = points[-k:] + 0.01
    checks = {
        "gradient": (lambda: gradient(points, centroids), lambda: derived(points, centroids)[0]),
        "hessian": (lambda: hessian(points, centroids), lambda: derived(points, centroids)[1]),
        "direction": (lambda: direction(points, centroids), lambda: derived(points, centroids)[2]),
    }
    return Case(lambda: cost(points, centroids), lambda: direction(points, centroids), checks)
