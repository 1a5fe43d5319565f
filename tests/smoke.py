"""What a user does first: decorate a function, ask for value and gradient, read the generated source.

Run as a script by .ci/run from a wheel, an editable installation and a bare checkout; the argument is the
folder that symdiff must have come from.  It needs symdiff and NumPy only.
"""

import pathlib
import sys

import numpy as np

import symdiff
from symdiff import differentiate


@differentiate(wrt=("b", "w"))
def loss(b, w, x, y):
    error = b + w * x - y
    return np.mean(error**2)


def main() -> None:
    origin = pathlib.Path(symdiff.__file__).resolve()
    assert origin.is_relative_to(pathlib.Path(sys.argv[1]).resolve()), origin
    assert not {"sympy", "jinja2"} & sys.modules.keys(), (
        "import symdiff must not import what only generation needs"
    )

    x = np.linspace(-1.0, 2.0, 50)
    b, w, y = np.array([0.5]), np.array([-1.5]), 1.0 + 2.0 * x
    value, (db, dw) = loss.value_and_grad(b, w, x, y)
    error = b + w * x - y
    np.testing.assert_allclose(value, np.mean(error**2), rtol=1e-14)
    np.testing.assert_allclose(db, [np.mean(2 * error)], rtol=1e-14)
    np.testing.assert_allclose(dw, [np.mean(2 * error * x)], rtol=1e-14)
    assert (db.shape, dw.shape) == (b.shape, w.shape)
    np.testing.assert_array_equal(loss(b, w, x, y), value)

    source = loss.grad.source_for(b, w, x, y)
    assert "def loss_grad(b, w, x, y):" in source
    assert "import symdiff" not in source, "a gradient of known ranks needs NumPy alone"
    assert "from symdiff" not in source, "a gradient of known ranks needs NumPy alone"
    sys.stdout.write(source)


if __name__ == "__main__":
    main()
