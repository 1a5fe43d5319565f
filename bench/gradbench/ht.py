"""ht: the distance of measured points from a posed hand, and its Jacobian.

The hand is a tree of 22 bones that carry weighted vertices.  `theta` is 26 numbers: the rotation (angle
times axis), the translation, and four angles for each of five fingers.  Where `us` is given, a point
is measured against a place on a triangle with those two barycentric coordinates, otherwise against a vertex.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import symdiff
from bench.gradbench.case import Case, differences

BONES = 22


@dataclass
class Model:
    parents: Any
    base_relatives: Any
    inverse_base_absolutes: Any
    base_positions: Any
    weights: Any
    triangles: Any


def bone_angles(theta):
    """Row b is the angles of bone b about x, z and y; the first two bones stay as they are."""
    angles = np.zeros((BONES, 3))
    place = 6
    for finger in range(5):
        first = 2 + 4 * finger
        angles[first, :2] = theta[place : place + 2]
        angles[first + 1, 0] = theta[place + 2]
        angles[first + 2, 0] = theta[place + 3]
        place += 4
    return angles


def turned(angles):
    """The rotation about x, then y, then z, as a matrix of homogeneous coordinates."""
    cx, cz, cy = np.cos(angles)
    sx, sz, sy = np.sin(angles)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    matrix = np.eye(4)
    matrix[:3, :3] = about_z @ about_y @ about_x
    return matrix


def absolutes(angles, base_relatives, parents):
    found = []
    for bone in range(BONES):
        relative = base_relatives[bone] @ turned(angles[bone])
        if parents[bone] == -1:
            found.append(relative)
        else:
            found.append(found[parents[bone]] @ relative)
    return np.stack(found)


def rotation(vector):
    """Rodrigues' formula for the matrix of an angle times an axis."""
    angle = np.sqrt(np.sum(vector**2))
    if angle < 0.0001:
        return np.eye(3)
    axis = vector / angle
    x, y, z = axis[0], axis[1], axis[2]
    cosine, sine = np.cos(angle), np.sin(angle)
    across = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return cosine * np.eye(3) + sine * across + (1 - cosine) * np.outer(axis, axis)


def vertices(theta, model):
    transforms = absolutes(bone_angles(theta), model.base_relatives, model.parents)
    transforms = transforms @ model.inverse_base_absolutes
    homogeneous = np.einsum("bij,vj->vbi", transforms, model.base_positions)
    skinned = np.sum(homogeneous * model.weights[:, :, None], axis=1)[:, :3]
    return skinned @ rotation(theta[:3]).T + theta[3:6]


def simple(theta, model, points, correspondences):
    return (points - vertices(theta, model)[correspondences]).ravel()


def complicated(theta, us, model, points, correspondences):
    corners = vertices(theta, model)[model.triangles[correspondences]]
    u, v = us[:, 0, None], us[:, 1, None]
    placed = u * corners[:, 0] + v * corners[:, 1] + (1 - u - v) * corners[:, 2]
    return (points - placed).ravel()


by_theta = symdiff.jacobian(simple)
by_theta_complicated = symdiff.jacobian(complicated, wrt="theta")
along = symdiff.jvp(complicated)


def jacobian_complicated(theta, us, model, points, correspondences):
    """Two columns of `us`, of which each point has its own pair, then those of theta."""
    arguments = (theta, us, model, points, correspondences)
    columns = []
    for seed in ((1.0, 0.0), (0.0, 1.0)):
        _, column = along(arguments, (None, np.tile(seed, (len(us), 1)), None, None, None))
        columns.append(column)
    return np.column_stack([*columns, by_theta_complicated(*arguments)])


def expected_complicated(arguments):
    full = differences(complicated, arguments, 1)
    own = np.arange(len(full)) // 3
    blocks = full[np.arange(len(full)), own]
    return np.column_stack([blocks, differences(complicated, arguments, 0)])


def hand(rng: np.random.Generator, vertex_count: int) -> Model:
    parents = [-1, 0] + [0 if bone % 4 == 2 else bone - 1 for bone in range(2, BONES)]
    relatives = np.stack([turned(0.3 * rng.standard_normal(3)) for _ in range(BONES)])
    relatives[:, :3, 3] = rng.standard_normal((BONES, 3))
    inverses = np.linalg.inv(absolutes(np.zeros((BONES, 3)), relatives, parents))
    positions = np.column_stack([rng.standard_normal((vertex_count, 3)), np.ones(vertex_count)])
    weights = rng.random((vertex_count, BONES)) ** 4
    weights /= weights.sum(axis=1, keepdims=True)
    triangles = rng.integers(0, vertex_count, (vertex_count, 3))
    return Model(np.array(parents), relatives, inverses, positions, weights, triangles)


def case(rng: np.random.Generator, tiny: bool) -> Case:
    vertex_count, count = (8, 3) if tiny else (100, 40)
    model = hand(rng, vertex_count)
    theta = 0.5 * rng.standard_normal(26)
    points, us = rng.standard_normal((count, 3)), rng.random((count, 2)) / 2
    chosen = rng.integers(0, vertex_count, count)
    plain, placed = (theta, model, points, chosen), (theta, us, model, points, chosen)
    checks = {
        "simple": (lambda: by_theta(*plain), lambda: differences(simple, plain)),
        "complicated": (lambda: jacobian_complicated(*placed), lambda: expected_complicated(placed)),
    }
    return Case(lambda: simple(*plain), lambda: by_theta(*plain), checks)
