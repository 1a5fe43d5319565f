"""ba: bundle adjustment, the reprojection error of points seen by cameras and its Jacobian, block by block.

A camera is eleven numbers: rotation (3, angle times axis), centre (3), focal length, principal point (2) and
radial distortion (2).
"""

from __future__ import annotations

import numpy as np

import symdiff
from bench.gradbench.case import Case, differences


def rotated(rotation, point):
    """Rodrigues' formula; to first order where the angle is zero, so that its derivative is right there."""
    square = np.sum(rotation**2)
    if square != 0:
        angle = np.sqrt(square)
        cosine, sine = np.cos(angle), np.sin(angle)
        axis = rotation / angle
        along = (axis @ point) * (1 - cosine)
        return point * cosine + np.cross(axis, point) * sine + axis * along
    return point + np.cross(rotation, point)


def projected(camera, point):
    seen = rotated(camera[:3], point - camera[3:6])
    flat = seen[:2] / seen[2]
    square = np.sum(flat**2)
    distortion = 1 + camera[9] * square + camera[10] * square**2
    return flat * distortion * camera[6] + camera[7:9]


def reprojection(camera, point, weight, feature):
    return weight * (projected(camera, point) - feature)


def penalty(weight):
    return 1 - weight**2


def residuals(cameras, points, weights, features, observations):
    reprojections = [
        reprojection(cameras[c], points[p], w, f)
        for (c, p), w, f in zip(observations, weights, features, strict=True)
    ]
    return np.concatenate([*reprojections, penalty(weights)])


blocks_of = symdiff.jacobian(reprojection, wrt=("camera", "point", "weight"))
slope_of = symdiff.grad(penalty)


def jacobian(cameras, points, weights, features, observations):
    """Triples of (row, column, value) of all blocks; columns are cameras, then points, then weights."""
    rows, columns, values = [], [], []
    after_cameras = cameras.size
    after_points = after_cameras + points.size
    for i, (c, p) in enumerate(observations):
        blocks = blocks_of(cameras[c], points[p], float(weights[i]), features[i])
        places = (11 * c + np.arange(11), after_cameras + 3 * p + np.arange(3), after_points + np.array([i]))
        for row in range(2):
            for block, place in zip(blocks, places, strict=True):
                rows.append(np.full(len(place), 2 * i + row))
                columns.append(place)
                values.append(np.atleast_1d(block[row]))
    for i, weight in enumerate(weights):
        rows.append([2 * len(weights) + i])
        columns.append([after_points + i])
        values.append([slope_of(float(weight))])
    return np.concatenate(rows), np.concatenate(columns), np.concatenate(values)


def dense(triples, shape):
    rows, columns, values = triples
    full = np.zeros(shape)
    full[rows, columns] = values
    return full


def turned_projection(rotation, camera, point):
    return 1.2 * projected(np.concatenate([rotation, camera[3:]]), point)


def expected(arguments):
    count = 3 * len(arguments[2])
    return np.concatenate([differences(residuals, arguments, i).reshape(count, -1) for i in range(3)], axis=1)


def case(rng: np.random.Generator, tiny: bool) -> Case:
    n, m, p = (2, 2, 3) if tiny else (5, 10, 40)
    cameras = np.tile([0.1, -0.2, 0.3, 0.5, -0.3, -4.0, 1.5, 0.2, 0.1, 0.02, -0.01], (n, 1))
    cameras = cameras * (1 + 0.1 * rng.standard_normal(cameras.shape))
    points = rng.standard_normal((m, 3))
    observations = [(i % n, i % m) for i in range(p)]
    arguments = (cameras, points, 1 + 0.3 * rng.random(p), rng.standard_normal((p, 2)), observations)
    shape = (3 * p, cameras.size + points.size + p)
    at_rest = np.concatenate([np.zeros(3), cameras[0, 3:]])
    checks = {
        "jacobian": (lambda: dense(jacobian(*arguments), shape), lambda: expected(arguments)),
        "no rotation": (
            lambda: blocks_of(at_rest, points[0], 1.2, np.ones(2))[0][:, :3],
            lambda: differences(turned_projection, (np.zeros(3), at_rest, points[0])),
        ),
    }
    return Case(lambda: residuals(*arguments), lambda: jacobian(*arguments), checks)
