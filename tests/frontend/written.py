"""Functions that write into arrays, each with the arguments of a call.

In a module of its own because pytest rewrites the asserts of test modules.
"""
# Written as users write: odd statements and unused values are the point.
# ruff: noqa: B007, E731

from __future__ import annotations

import dataclasses
import typing

import numpy as np

CASES: list[tuple[typing.Any, tuple[typing.Any, ...]]] = []

rng = np.random.default_rng(11)
V = rng.standard_normal(5)
U = rng.standard_normal(5)
M = rng.standard_normal((4, 5))
N = rng.standard_normal((4, 5))
S = rng.standard_normal((4, 4))
T = rng.standard_normal((2, 3, 4))
F32 = V.astype(np.float32)
I5 = np.arange(5)
IDX = np.array([0, 2, 2, 4])
MASK = V > 0
C = V + 1j * U
W1 = rng.standard_normal(1)


def case(*args):
    def add(function):
        CASES.append((function, args))
        return function

    return add


# --- one of two arrays


@case(V)
def which_of_two_arrays(x):
    if x[0] > 0:  # noqa: SIM108
        y = x
    else:
        y = x.copy()
    y[0] = 3
    return x


@case(-V)
def the_other_of_two_arrays(x):
    y = x[::-1] if x[0] > 0 else x[:2] if x[1] > 0 else x * 2
    y[0] = 3
    y += x[0]


# --- items and slices


@case(V)
def item(x):
    y = x * 2
    y[0] = 1.0
    return y


@case(V)
def item_of_argument(x):
    x[1] = x[0] * 3
    return x


@case(V)
def nothing_returned(x):
    x[-1] = 7


@case(M)
def two_indices(A):
    A[1, 2] = A[0, 0]
    A[-1, -2] = 5
    return A.sum()


@case(M, V)
def row_of_matrix(A, x):
    A[2] = x
    return A @ x


@case(M, S[0])
def column_of_matrix(A, c):
    A[:, 1] = c
    return A


@case(V)
def slices(x):
    x[1:3] = 0.0
    x[::2] = x[::2] * 3
    x[::-1] = x * 1.0
    return x


@case(V)
def overlapping_slices(x):
    x[1:] = x[:-1]
    return x


@case(V)
def negative_step(x):
    x[3:0:-1] = [1, 2, 3]
    return x


@case(T)
def ellipsis(A):
    A[..., 1] = 2
    A[0, ...] *= 3
    A[...] = A + 1
    return A


@case(V)
def new_axis(x):
    x[None, 1:] = np.ones((1, 4))
    return x


@case(V, U)
def everything(x, y):
    x[:] = y
    y[...] = 0
    return x + y


@case(V)
def everything_by_scalar(x):
    x[:] = 3
    return x


@case(M)
def broadcast_row(A):
    A[1:] = A[0]
    A[:, 1:3] = A[:, :1]
    return A


@case(V)
def leading_axis_of_length_one(x):
    x[:2] = np.ones((1, 2))
    return x


@case(V, 2, 4)
def staged_bounds(x, i, j):
    x[i:j] = 1.5
    x[i] = x[j]
    return x


@case(V, I5)
def staged_index(x, index):
    k = index[2]
    x[k] = 9
    x[index[1]] += 1
    return x


@case(M)
def index_from_argmax(A):
    A[np.argmax(A[:, 0])] = 0
    return A


@case(V)
def empty_slice(x):
    x[3:3] = 1.0
    x[5:] = 2.0
    return x


@case(W1)
def one_element(x):
    x[0] = 2 * x[0]
    return x


@case(np.zeros((3, 0)))
def no_elements(x):
    x[1] = 4
    x += 1
    return x


@case(V)
def written_twice(x):
    y = np.zeros(5)
    y[1] = x[0]
    y[1] = y[1] + x[1]
    y[2] = y[1]
    return y


@case(V)
def list_as_value(x):
    y = np.zeros((2, 2))
    y[0] = [x[0], x[1]]
    y[1] = (1, x[2])
    return y


@case(V)
def list_of_arrays(x):
    y = np.empty((2, 5))
    y[:] = [x, 2 * x]
    return y


# --- masks and integer arrays


@case(V)
def mask(x):
    x[x > 0] = 0.0
    return x


@case(V, U)
def mask_from_array(x, y):
    chosen = x > 0
    x[chosen] = y[chosen]
    x[~chosen] *= -1
    return x


@case(M)
def mask_of_rows(A):
    A[A[:, 0] > 0] = 1
    A[A[:, 1] > 0, 2] = 7
    return A


@case(M, N)
def matrix_mask(A, B):
    A[A < B] += 10
    return A


@case(V, np.array([3, 1]), np.array([10.0, 20.0]))
def integer_array(x, index, v):
    x[index] = v
    x[[0, 2]] = 5
    return x


@case(V, IDX, np.arange(4.0))
def repeated_places(x, index, v):
    x[index] = v
    return x


@case(V, IDX, np.arange(4.0))
def repeated_places_augmented(x, index, v):
    x[index] += v
    return x


@case(V, IDX, np.arange(4.0))
def add_at(x, index, v):
    np.add.at(x, index, v)
    np.subtract.at(x, [1, 1], 0.5)
    return x


@case(M, IDX, np.arange(4.0))
def add_at_in_a_row(A, index, v):
    np.add.at(A[1], index, v)
    np.add.at(A, (0, slice(None)), 1.0)
    return A


@case(M)
def pairs_of_integers(A):
    rows = np.arange(4)
    A[rows, rows] = 0
    A[[0, 1], 1:3] *= 2
    return A


@case(T)
def separated_integers(A):
    A[[0, 1], :, [1, 2]] = 4.0
    return A


@case(I5, V)
def integers_of_integer_array(k, x):
    y = np.zeros(5)
    y[k[::-1]] = x
    return y


# --- augmented


@case(V, U)
def every_operator(x, y):
    x += y
    x -= 2
    x *= y
    x /= 3.0
    x //= 0.5
    x %= 0.7
    x **= 2
    return x


@case(V, U)
def every_operator_on_items(x, y):
    x[0] += y[1]
    x[1] -= 2
    x[1:3] *= y[:2]
    x[3] /= 3.0
    x[4:] //= 0.5
    x[::2] %= 0.7
    x[2] **= 2
    return x


@case(I5, I5 + 1)
def bits(a, b):
    a &= b
    a |= 8
    a ^= 3
    a <<= 1
    b >>= 1
    a[1:] &= 6
    a[0] |= 1
    return a, b


@case(S, S + 1)
def matrix_product(A, B):
    A @= B
    return A


@case(MASK, ~MASK)
def truth_values(a, b):
    a |= b
    a &= True
    a ^= b
    return a


@case(F32, V)
def narrow_array(s, x):
    s += x
    s *= 0.1
    s[1:] -= x[1:]
    return s


@case(I5)
def integer_array_whole(k):
    k += 2
    k *= k
    k //= 3
    k -= True
    return k


@case(I5)
def truncation(k):
    k[0] = 1.7
    k[1:3] = [2.9, -2.9]
    k[3] += 0.5
    return k


@case(I5, V)
def truncated_array(k, x):
    k[:] = 10 * x
    return k


@case(MASK, V)
def into_truth_values(m, x):
    m[:] = x
    m[0] = 0
    return m


@case(C, V)
def complex_array(z, x):
    z[0] = 1j
    z[1:] = x[1:]
    z *= 2j
    return z


@case(C, V)
def parts_of_complex(z, x):
    z.real = x
    z.imag[1:3] = 0
    z.imag = z.real * 2
    z.real[0] += 1
    return z


@case(V)
def real_of_real(x):
    x.real = 2 * x
    x.real[0] = 1
    np.real(x)[1] = 5
    return x


@case(V)
def scalar_is_rebound(x):
    s = x.sum()
    t = s
    s += 1
    return s, t


@case(2.5, V)
def number_is_rebound(a, x):
    b = a
    a *= 2
    a += x[0]
    return a, b


@case(np.float64(1.5), V)
def scalar_argument_is_rebound(a, x):
    b = a
    a += x[0]
    return a, b


@case(np.array(1.5), V)
def array_without_axes(a, x):
    b = a
    a += x[0]
    b[...] = b * 2
    a[()] -= 1
    return b


@case(V)
def arrays_without_axes_are_apart(x):
    a = np.zeros(())
    b = np.zeros(())
    c = np.array(1.0)
    d = np.array(1.0)
    a += x[0]
    c[...] = 4
    return a, b, c, d


@case(V)
def same_values_are_apart(x):
    a = x * 2
    b = x * 2
    a[0] = 1
    return a, b


@case(V)
def equal_scalars_of_an_array(x):
    z = np.array(2.0)
    w = z * x[0]
    z *= x[0]
    z += 1
    return w, z


@case(V)
def augmented_list_item(x):
    parts = [x * 1.0, x * 2.0]
    first = parts[0]
    parts[0] += 1
    parts[1] = parts[1] + 1
    return first, parts[0], parts[1]


@case({"w": V, "b": U})
def array_in_dict(params):
    params["w"] -= 0.1 * params["b"]
    params["b"][0] = 3
    return params["w"].sum()


@dataclasses.dataclass
class Box:
    w: np.ndarray
    n: int = 3


@case(Box(V))
def array_in_object(box):
    box.w *= 2
    box.w[0] += box.n
    return box.w


@case(V, U)
def aliases(x, y):
    a = b = x
    a += y
    c = b
    c[0] = 100
    return a, b


@case(V)
def aliases_in_containers(x):
    y = x * 2
    pair = (y, [y])
    named = {"y": y}
    y[0] = 5
    named["y"][1] = 6
    pair[1][0] += 1
    return pair[0]


@case(V)
def old_value_of_elements(x):
    a = x[0]
    x[0] = 10
    b = x[0]
    x[0] += 1
    return a, b, x[0]


@case(V)
def old_value_of_copies(x):
    a = x.copy()
    b = x * 1
    c = x[[0, 1]]
    d = x[x > 0]
    e = np.array(x)
    f = x.astype(float)
    x[:] = 0
    return a, b, c, d, e, f


@case(V)
def old_value_of_diagonal_matrix(x):
    D = np.diag(x)
    x[0] = 0
    D[1, 1] = 5
    return D, x


@case(M)
def swap_through_views(A):
    row = A[0]
    A[0] = A[1]
    A[1] = row
    return A


@case(M)
def swap_through_copies(A):
    row = A[0].copy()
    A[0] = A[1]
    A[1] = row
    return A


@case(M)
def swap_by_arrays(A):
    A[[0, 1]] = A[[1, 0]]
    return A


# --- views


@case(M)
def view_of_row(A):
    row = A[1]
    row[2] = 5
    row *= 2
    A[1, 0] = 9
    return row


@case(M)
def view_of_view(A):
    block = A[1:3]
    line = block[:, 2]
    line[0] = 5
    block[1][3] = 6
    block[:, ::2][0, 1] += 1
    return block, line


@case(M)
def transposed(A):
    B = A.T
    B[0] = 1
    B[1, 2] = 4
    np.transpose(A)[2] *= 2
    B += 1
    return B


@case(T)
def order_of_axes(A):
    np.swapaxes(A, 0, 2)[1] = 2
    A.swapaxes(0, 1)[1, 0] = 3
    np.moveaxis(A, 0, -1)[..., 1] = 4
    np.transpose(A, (1, 2, 0))[2, 3, 1] = 5
    A.transpose(2, 0, 1)[0, 0] += 1
    np.rollaxis(A, 2)[1] += 1
    return A


@case(T)
def matrix_transposed(A):
    A.mT[0, 1] = 5
    np.matrix_transpose(A)[1] *= 2
    return A


@case(V)
def added_axes(x):
    np.expand_dims(x, 0)[0, 1] = 3
    x[:, None][2] = 4
    x[None, :] += 1
    np.expand_dims(x, (0, 2))[0, 3, 0] = 8
    return x


@case(M[:1])
def squeezed(A):
    np.squeeze(A)[1] = 3
    A.squeeze(0)[2:] = 4
    return A


@case(W1)
def squeezed_to_no_axes(x):
    s = x.squeeze()
    s[...] = 4
    s += 1
    return x, s


@case(M)
def flipped(A):
    np.flip(A)[0, 0] = 1
    np.flip(A, 1)[1] = A[0]
    np.flipud(A)[0] += 3
    np.fliplr(A)[:, 0] *= 2
    return A


@case(V)
def at_least(x):
    np.atleast_1d(x)[0] = 1
    np.atleast_2d(x)[0, 1] = 2
    np.atleast_3d(x)[0, 2, 0] = 3
    return x


@case(V)
def same_array(x):
    np.asarray(x)[0] = 1
    np.asarray(x, dtype=float)[1] = 2
    x.view()[2] = 3
    x[:][3] = 4
    x[...][4] = 5
    y = np.array(x, copy=False) if np.__version__ < "2" else np.asarray(x)
    y += 1
    return x


@case(M)
def split_parts(A):
    left, right = np.split(A, 2)
    left[0] = 1
    right += 2
    b = np.array_split(A, [2], axis=1)[1]
    b[:, 0] = 3
    np.hsplit(A, [1])[0][:] = 7
    return left, b


@case(np.ones((2, 3)))
def unpacked_rows(A):
    r0, r1 = A
    r0[1] = 5
    r1 += r0
    return A, r0


@case(V)
def rows_of_known_array(x):
    A = np.zeros((3, 5))
    for i, row in enumerate(A):
        row[:] = x * i
        row[0] += 1
    return A


@case(V)
def rows_in_a_list(x):
    A = np.zeros((2, 5))
    rows = list(A)
    rows[1][2] = x[0]
    rows[0] += x
    return A, rows[1]


@case(V)
def reshaped(x):
    y = x[:4] * 1.0
    B = y.reshape(2, 2)
    B[0, 1] = 5
    y[3] = 7
    y.reshape(-1)[0] = 8
    np.reshape(y, (4, 1))[2] = 9
    B += 1
    return y, B


@case(V)
def line_of_a_matrix(x):
    A = np.zeros((2, 3))
    line = A.reshape(-1)
    line[4] = x[0]
    A.ravel()[0] = x[1]
    A[0, 1] = 3
    np.ravel(A)[2] += 4
    return line


@case(M)
def reshaped_argument(A):
    line = A.reshape(-1)
    line[3] = 5
    A[0] = 1
    return line


@case(M)
def reshape_of_copy(A):
    B = A.T.copy()
    B.reshape(-1)[1] = 3
    B[0, 0] = 7
    return B, A


@case(M)
def flattened_is_a_copy(A):
    line = A.flatten()
    line[0] = 1
    A[0, 1] = 2
    return line


@case(M)
def take_is_a_copy(A):
    row = np.take(A, 1, axis=0)
    other = A.take(2, axis=0)
    A[1] = 0
    row[0] = 9
    other[1] = 8
    return row, other, A


@case(V)
def meshgrid_is_a_copy(x):
    a, b = np.meshgrid(x, x[:2], sparse=True)
    a[0, 1] = 9
    x[0] = 0
    return a, b


@case(M)
def diagonal_sees_writes(A):
    d = np.diagonal(A)
    A[1, 1] = 9
    return d


@case(M, V)
def broadcast_sees_writes(A, x):
    B = np.broadcast_to(x, (3, 5))
    x[0] = 9
    return B


@case(np.ones((2, 2, 2)))
def views_in_turn(A):
    B = A[0].T
    c = B[1]
    c[0] = 5
    A[0] *= 2
    d = c[None]
    d[0, 1] = 7
    return B, d


@case(M)
def view_written_whole(A):
    row = A[0]
    row[...] = A[1]
    row[:] = row * 2
    A[2][...] = 1
    A[3][:] = A[0]
    return A


@case(M)
def index_array_changed_later(A):
    i = np.array([0, 1])
    B = A[i]
    k = i[1]
    row = A[k:]
    i[1] = 3
    row[0] = 5
    A[i] = 7
    return B, row, i


# --- flat


@case(M)
def flat(A):
    A.flat[3] = 5
    A.flat[1:4] = 1
    A.flat[[0, 7]] += 1
    return A.flat[2:4], A.flat[6]


@case(V)
def flat_of_a_line(x):
    x.flat[1] = 4
    x.flat[:2] = 2
    x.flat = 3
    return x


@case(M)
def flat_of_a_view(A):
    A[1:3].T.flat[2] = 50
    return A


# --- out and functions that write


@case(V, U)
def out(x, y):
    z = np.zeros(5)
    w = np.add(x, y, out=z)
    np.multiply(x, 2, out=x)
    np.exp(y, y)
    np.sin(w, out=(w,))
    return z, w


@case(M, V)
def out_broadcast(A, x):
    np.add(x, 1, out=A)
    np.negative(x, out=A[1])
    return A


@case(V, U)
def out_where(x, y):
    q = np.divide(x, y, out=np.zeros_like(x), where=y > 0)
    np.sqrt(x, out=x, where=x > 0)
    return q


@case(M, N)
def out_of_functions(A, B):
    s = np.zeros(5)
    np.sum(A, axis=0, out=s)
    t = np.empty(4)
    A.mean(axis=1, out=t)
    P = np.empty((4, 4))
    np.matmul(A, B.T, out=P)
    np.dot(A, B.T, out=P[:4])
    np.clip(A, -0.5, 0.5, out=A)
    B.clip(0, 1, out=B)
    np.cumsum(s, out=s)
    return s, t, P


@case(F32, V)
def out_of_narrower_dtype(s, x):
    np.add(x, 1, out=s)
    return s


@case(V, U)
def copyto(x, y):
    np.copyto(x, y)
    np.copyto(y, 0.0, where=y > 0)
    np.copyto(x[1:3], [1, 2])
    return x


@case(V, U)
def put_and_masks(x, y):
    np.put(x, [0, 1], [5, 6])
    x.put(2, 7)
    np.place(x, x > 5, 1)
    np.putmask(y, y > 0, -y)
    np.putmask(x, x < 0, 0)
    return x


@case(S)
def put_into_matrix(A):
    np.put(A, [1, 5], 9)
    return A


@case(S, M, V)
def fill_diagonal(A, B, x):
    np.fill_diagonal(A, 1)
    np.fill_diagonal(B, x[1])
    np.fill_diagonal(B.T, 3)
    return A


@case(V, M)
def fill_and_sort(x, A):
    y = x.copy()
    y.sort()
    A.sort(axis=0)
    A[0].sort()
    x.fill(2)
    A[1].fill(x[0])
    return y


@case(V)
def written_by_a_helper(x):
    def scale(a, k):
        a *= k
        a[0] = k

    scale(x, 3)
    scale(x[2:], 2)
    return x


def outer_helper(a, b):
    a[:] = b
    b[0] += 1
    return a


@case(V, U)
def written_by_a_function(x, y):
    z = outer_helper(x, y)
    z[1] = 4
    return z


@case(V)
def written_by_a_lambda(x):
    add = lambda a: np.add(a, 1, out=a)
    add(x)
    return add(x[1:])


class Accumulator:
    def __init__(self, size):
        self.total = np.zeros(size)

    def add(self, x):
        self.total += x
        return self

    def __setitem__(self, key, value):
        self.total[key] = value


@case(V)
def written_by_a_method(x):
    acc = Accumulator(5)
    total = acc.total
    acc.add(x).add(x)
    acc[0] = 3
    return total, acc.total


@case(V)
def walrus(x):
    (y := x * 2)[0] = 1
    return y


@case(V)
def targets_in_a_tuple(x):
    x[0], x[1] = x[1], x[0]
    a, x[2] = 1, 2
    x[3] = x[4] = a
    return x


@case(V)
def starred_target(x):
    y = np.zeros(3)
    y[0], *rest = x[0], x[1], x[2]
    y[1:] = rest
    return y


@case(V)
def unrolled_loop(x):
    y = np.zeros(4)
    for i in [0, 1, 3]:
        y[i] = x[i] * i
        y[i] += 1
    return y


@case(V, U)
def argument_that_is_not_written(x, y):
    return x * 2


@case(V)
def deleted(x):
    y = x * 2
    z = y
    del y
    z[0] = 1
    return z


@case(V)
def never_read_again(x):
    y = x * 2
    y[0] = 5
    return x.sum()


@case(V)
def fresh_arrays(x):
    a, b, c = np.zeros_like(x), np.ones(5), np.full(5, 2.0)
    d, e = np.empty_like(x), np.eye(5)
    a[0], b[1], c[2] = x[0], x[1], x[2]
    d[:] = a + b + c
    e[0] = d
    e[np.arange(5), np.arange(5)] += 1
    return a, b, c, d, e


@case(V)
def value_is_the_array(x):
    x[1:4] = x[0:3] + x[2:5]
    x[x > 0] = x[x > 0] * 2
    return x


@case(M)
def stencil(u):
    v = u.copy()
    v[1:-1, 1:-1] = 0.25 * (u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:])
    u[:] = v
    return u


@case(S, S[0])
def substitution(L, b):
    x = np.zeros_like(b)
    for i in (0, 1, 2, 3):
        x[i] = (b[i] - L[i, :i] @ x[:i]) / (L[i, i] + 5)
    return x


@case(V)
def concatenation_is_a_copy(x):
    y = np.concatenate([x, x])
    z = np.stack([x, x])
    x[0] = 9
    y[1], z[1, 1] = 4, 5
    return y, z


@case(V)
def element_of_a_list_of_rows(x):
    rows = [x[:2], x[2:4]]
    rows[0][0] = 5
    (a, b) = rows
    b += a
    return x


@case(V, U)
def conditional_on_shape(x, y):
    if x.ndim == 1 and len(x) == len(y):
        x[0] = 1
    return x


@case(np.ones((3, 3)), 1)
def index_from_argument(A, k):
    A[k, k:] -= A[k - 1, k:] * 0.5
    A[k, k] = k
    return A


@case(V)
def nan_rows(x):
    x[np.isnan(x)] = 0
    x[np.abs(x) > 1] **= 2
    return x


# --- loops and branches


@case(V)
def elements_read_round_by_round(x):
    y = np.zeros(3)
    s = 0.0
    for v in y:
        s = s + v
        y += 1
    return s, y


@case(V)
def elements_of_an_array_that_changes(x):
    y = x * 1.0
    s = 0.0
    for v in y:
        s += v
        y *= 2
    return s, y


@case(V)
def written_elements_are_read(x):
    s = 0.0
    for i in range(len(x)):
        x[i] += s
        s += x[i]
    return s


@case(M)
def rows_of_argument(A):
    for row in A:
        row[0] = 1
        row *= 2
    return A


@case(M)
def rows_and_a_branch(A):
    for i, row in enumerate(A):
        row += i
        if A[0, 0] > 3:
            row[0] = 0
    return A


@case(V)
def rebound_after_writes(x):
    y = x
    for i in range(3):
        y[i] = i
        y = y * 2
    return y


@case(V)
def views_in_a_loop(x):
    y = x.copy()
    for i in range(len(x) - 1):
        y[i + 1] += y[i]
        z = y[i:]
        z *= 0.5
    return y, z


@case(V)
def copies_in_a_list(x):
    hs = []
    h = np.zeros(2)
    for i in range(len(x)):
        h += x[i]
        hs.append(h.copy())
    return np.stack(hs)


@case(V)
def aliases_in_a_loop(x):
    a = np.zeros(3)
    b = a
    for i in range(3):
        a[i] = x[i]
        b[0] += 1
    return a, b


@case(V)
def array_without_axes_in_a_loop(x):
    t = np.where(x[0] > 0, x[0], 0.0)
    u = t
    for i in range(3):
        t += x[i]
    return t, u


@case(V)
def writes_in_branches(x):
    y = np.zeros(5)
    for i in range(5):
        if x[i] > 0:
            y[i] = x[i]
        elif x[i] < -1:
            y[:i] += 1
    return y


@case(M)
def line_of_argument_in_a_loop(A):
    line = A.reshape(-1)
    for i in range(len(line)):
        line[i] *= i
    return A


@case(V)
def scalars_in_a_loop(x):
    s = x[0]
    t = s
    for i in range(3):
        s += x[i]
    return s, t


@case(V)
def alias_without_axes_in_a_loop(x):
    z = np.zeros(())
    w = z
    for i in range(3):
        z += x[i]
    return z, w


@case(V, U)
def swapped_in_a_loop(x, y):
    for i in range(3):
        x, y = y, x
        x[i] += 1
    return x


@case(V)
def alias_in_a_branch(x):
    y = x
    if x[0] > 0:
        y += 2
    return x, y


@case(V)
def alias_of_array_changed_in_a_loop(x):
    y = x * 1.0
    w = y
    for i in range(len(x)):
        y *= 2
    return y, w


@case(V)
def argument_changed_in_a_loop(x):
    w = x
    for i in range(len(x)):
        x += w
        w[i] = 1
    return x


@case(V)
def total_without_axes(x):
    t = np.zeros(())
    u = t
    for i in range(len(x)):
        t += x[i]
    return t, u


@case(V)
def written_while(x):
    n = 0
    while x[0] < 50:
        x *= 2
        x += 1
        n += 1
    return n


@case(V)
def scalar_or_array(x):
    t = 0.0
    for i in range(len(x)):
        u = t
        t = np.where(x[i] > 0, x[i], 0.0)
        t += 1
    return t, u


@case(V)
def list_of_arrays_that_are_not_written_later(x):
    hs = []
    h = np.zeros(2)
    for i in range(len(x)):
        hs.append(h)
        h = h + x[i]
        h[0] += 1
    return np.stack(hs)


@case(V)
def list_of_fresh_arrays(x):
    hs = []
    for i in range(len(x)):
        h = np.zeros(2)
        h[0] = x[i]
        hs.append(h)
    return np.stack(hs)


@case(V)
def list_of_copies(x):
    h = np.zeros(5)
    hs = [h]
    for i in range(len(x)):
        h = h + x
        hs.append(h.copy())
        h *= 2
    return np.stack(hs)
