"""Productions that write the loops that people write: recurrences, stencils, solvers.

Enters: a program that is being written.  Leaves: it, with a kernel more, in which parts are random.
Invariant: as in `composed`.
"""

from __future__ import annotations

from fuzz.composed import Composed, statement
from fuzz.phrases import damped, scalar
from fuzz.pieces import Reject, wrapped

# {x}, {y}: vectors of one length; {a}: a matrix of as many rows; {s}: a scalar; {q}: a square matrix of that
# length; {o}, {p}, {i}, {j}, {t}: new names.
VECTOR = (
    "{o} = np.zeros(len({x}))\n{o}[0] = {s}\nfor {i} in range(1, len({x})):\n"
    "    {o}[{i}] = np.tanh({o}[{i} - 1] * {x}[{i}] + {y}[{i}])",
    "{o} = {x}.copy()\nfor {t} in range(3):\n"
    "    {o}[1:-1] = 0.25 * {o}[:-2] + 0.5 * {o}[1:-1] + 0.25 * {o}[2:]",
    "{o} = {x}.copy()\nfor {i} in range(1, len({o})):\n    {o}[{i}] += 0.5 * {o}[{i} - 1]",
    "{o} = np.zeros_like({x})\nfor {i} in range(len({x}) - 1, -1, -1):\n"
    "    {o}[{i}] = {x}[{i}] * 0.5 + ({o}[{i} + 1] if {i} + 1 < len({x}) else {s})",
    "{o} = 0.0\nfor {i} in range(len({x})):\n    {o} = {o} * 0.7 + {x}[{i}] * {y}[-{i} - 1]",
    "{o} = {x}[0]\nfor {p} in {x}[1:]:\n    if {p} > {o}:\n        {o} = {p}",
    "{o} = np.zeros((len({x}), len({y})))\nfor {i} in range(len({x})):\n    for {j} in range(len({y})):\n"
    "        {o}[{i}, {j}] = np.sin({x}[{i}] - {y}[{j}])",
    "{o} = np.zeros(2)\nfor {i}, {p} in enumerate({x}):\n    {o}[{i} % 2] += {p} * {s}",
    "{o} = 1.0\nfor {t} in range(4):\n    {o} = {o} - ({o} ** 3 - 2.0 - 0.1 * {s}) / (3 * {o} ** 2 + 1)",
    "{o}, {p} = {x}, {y}\nfor {t} in range(3):\n    {o}, {p} = {p}, 0.5 * ({o} - {p}) + 0.1 * {s}",
    "{o} = []\n{p} = {s}\nfor {t} in {x}:\n    {p} = np.tanh(0.5 * {p} + {t})\n    {o}.append({p})\n"
    "{o} = np.stack({o})",
    "{o} = np.zeros(len({x}) + 1)\n{o}[1:] = {x}\n{o}[:-1] -= {y}\n{o}[-1] *= {s}",
    "{o} = {x} * 1.0\n{p} = 0\nwhile np.sum({o} ** 2) > 0.311 and {p} < 6:\n    {o} *= 0.6\n    {p} += 1",
    "{o} = {x}.copy()\n{p} = {o}[1:]\n{p} -= {o}[:-1].copy()\n{p} *= {s}",
    "{o} = np.empty(len({x}))\n{o}[0], {o}[1:] = {s}, np.sin({x}[1:])",
    "{o} = np.zeros_like({x})\nnp.add.at({o}, np.arange(len({x})) // 2, {y})\n{o} *= {x}",
)  # fmt: skip
MATRIX = (
    "{o} = np.zeros({a}.shape[0])\nfor {i} in range({a}.shape[0]):\n    for {j} in range({a}.shape[1]):\n"
    "        {o}[{i}] += {a}[{i}, {j}] * np.sin({a}[{i}, {j}])",
    "{o} = {a}.copy()\nfor {p} in {o}:\n    {p} -= {p}.mean()\n    {p} /= np.sqrt({p} @ {p} + 1.0)",
    "{o} = np.zeros({a}.shape[1])\nfor {p} in {a}:\n    {o} = np.tanh({o} * 0.5 + {p})",
    "{o} = {a}.copy()\n{o}.T[0] = {s}\n{o}[-1][1:] *= 0.5",
    "{o} = {a}.copy()\n{o}[{o} > 0.137] *= {s}\n{o}[0][{o}[0] < 0] = 0.5",
    "{o} = {a}.copy()\nwith np.errstate(all='ignore'):\n    {p} = {o}[0]\n    {p}[:] = np.cos({p})\n"
    "    {o}[:, 0] += {s}",
    "{o} = np.zeros(({a}.shape[0], {a}.shape[0]))\nfor {i} in range({a}.shape[0]):\n"
    "    for {j} in range({i} + 1):\n"
    "        {o}[{i}, {j}] = {a}[{i}] @ {a}[{j}]\n        {o}[{j}, {i}] = {o}[{i}, {j}] * 0.5",
    "{o} = {a}.copy()\nfor {i} in range(1, len({o})):\n    for {j} in range({o}.shape[1]):\n"
    "        {o}[{i}, {j}] += 0.5 * {o}[{i} - 1, {j}] if {j} > 0 else {s}",
    "{o} = {a}.copy()\nfor {t} in range(2):\n    {o}[1:-1, 1:-1] = 0.25 * ({o}[:-2, 1:-1] + {o}[2:, 1:-1] + "
    "{o}[1:-1, :-2] + {o}[1:-1, 2:])\n    {o}[0] = {o}[1] * 0.5",
    "{o} = {a}[0] * 1.0\nfor {i} in range(1, {a}.shape[0]):\n    if {a}[{i}].sum() > {o}.sum():\n"
    "        {o} = {a}[{i}] * 0.5\n"
    "    else:\n        {o} += 0.1 * {a}[{i}]",
    "{o} = np.zeros({a}.shape)\n{o}.reshape(-1)[:] = {a}.ravel()\n{o}.reshape(-1)[::2] *= {s}",
)  # fmt: skip
SQUARE = (
    "{o} = np.zeros(len({q}))\nfor {i} in range(len({q})):\n"
    "    {o}[{i}] = ({s} - {q}[{i}, :{i}] @ {o}[:{i}]) / (2.0 + {q}[{i}, {i}] ** 2)",
    "{o} = np.ones(len({q}))\nfor {t} in range(3):\n    {o} = {q} @ {o}\n"
    "    {o} = {o} / np.sqrt(1.0 + {o} @ {o})",
    "{o} = {q} * 0.3 + 3.0 * np.eye(len({q}))\nfor {i} in range(len({q})):\n"
    "    for {j} in range({i} + 1, len({q})):\n"
    "        {o}[{j}, {i}:] -= {o}[{j}, {i}] / {o}[{i}, {i}] * {o}[{i}, {i}:]",
    "{o} = np.zeros_like({q})\nfor {i} in range(len({q})):\n    {o}[{i}, {i}:] = {q}[{i}, {i}:] * 0.5\n"
    "    {o}[{i}:, {i}] += {s}",
    "{o} = {q}.copy()\n{o} += {o}.T\n{o}[...] = np.tanh({o})",
)  # fmt: skip


@statement(6)
def kernel(p: Composed) -> None:
    vectors = [n for n in p.arrays(1) if p.w.env[n].ndim == 1 and p.w.env[n].size > 1]
    matrices = [n for n in p.arrays(2) if p.w.env[n].ndim == 2 and min(p.w.env[n].shape) > 1]
    square = [n for n in matrices if len(set(p.w.env[n].shape)) == 1]
    forms = [*VECTOR * bool(vectors), *MATRIX * bool(matrices), *SQUARE * (2 * bool(square))]
    if not forms:
        raise Reject
    form = p.r.choice(forms)
    x = p.r.choice(vectors) if vectors else ""
    y = p.r.choice([n for n in vectors if p.w.env[n].size == p.w.env[x].size]) if x else ""
    names = {k: p.name(h) for k, h in {"o": "out", "p": "part", "i": "i", "j": "j", "t": "it"}.items()}
    if p.r.chance(0.25) and x:
        p.run(f"{(fresh := p.name())} = {damped(p, x)}")
        x = fresh
    p.run(form.format(
        x=x, y=y, a=p.r.choice(matrices) if matrices else "", q=p.r.choice(square) if square else "",
        s=wrapped(scalar(p)), **names))  # fmt: skip
    p.bind(names["o"])
