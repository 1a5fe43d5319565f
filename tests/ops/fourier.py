"""Sample calls of the rows of numpy.fft."""

from __future__ import annotations

import numpy as np
from ops.samples import Spec, Staged, args

SPECS: dict[str, list[Spec]] = {
    **{
        f"fft.{name}": [
            lambda r: args(r(5)),
            lambda r: args(r.complex(4)),
            lambda r: args(r(2, 3), axis=0),
            lambda r: args(r(5), 3),
            lambda r: args(r(3), 5),
            lambda r: args(r(2, 5), Staged(3)),
            lambda r: args(r(2, 3), n=Staged(4), axis=-2),
            lambda r: args(r(5), norm="ortho"),
            lambda r: args(r.complex(4), norm="forward"),
        ]
        for name in ("fft", "ifft")
    },
    **{
        f"fft.{name}": [
            lambda r: args(r(5)),
            lambda r: args(r(4)),
            lambda r: args(r(2, 3), axis=0),
            lambda r: args(r(5), 4),
            lambda r: args(r(3), 6),
            lambda r: args(r(2, 5), Staged(3)),
            lambda r: args(r(2, 3), n=Staged(5), axis=-2),
            lambda r: args(r(6), norm="ortho"),
            lambda r: args(r(5), norm="forward"),
        ]
        for name in ("rfft", "ihfft")
    },
    **{
        f"fft.{name}": [
            lambda r: args(r.complex(4)),
            lambda r: args(r.complex(4), 7),
            lambda r: args(r(4)),
            lambda r: args(r.complex(4, 3), axis=0),
            lambda r: args(r.complex(4), 4),
            lambda r: args(r.complex(3), 9),
            lambda r: args(r.complex(2, 4), Staged(5)),
            lambda r: args(r.complex(2, 4), 7, -1, "ortho"),
            lambda r: args(r.complex(4), norm="forward"),
        ]
        for name in ("irfft", "hfft")
    },
    **{
        f"fft.{name}": [
            lambda r: args(r(3, 4)),
            lambda r: args(r.complex(2, 3, 4)),
            lambda r: args(r.complex(2, 3, 4), axes=(0, 1)),
            lambda r: args(r(3, 4), (2, 5)),
            lambda r: args(r(3, 4, 2), s=(4, 3), axes=(-2, 0), norm="ortho"),
        ]
        for name in ("fft2", "ifft2", "fftn", "ifftn")
    },
    **{
        f"fft.{name}": [
            lambda r: args(r(3, 4)),
            lambda r: args(r(2, 3, 5)),
            lambda r: args(r(2, 3, 4), axes=(0, 1)),
            lambda r: args(r(3, 4), (2, 5)),
            lambda r: args(r(3, 4, 2), s=(4, 3), axes=(-2, 0), norm="ortho"),
        ]
        for name in ("rfft2", "rfftn")
    },
    **{
        f"fft.{name}": [
            lambda r: args(r.complex(3, 4)),
            lambda r: args(r.complex(2, 3, 3)),
            lambda r: args(r.complex(2, 3, 4), axes=(0, 1)),
            lambda r: args(r.complex(3, 4), (2, 5)),
            lambda r: args(r(3, 4, 2), s=(4, 3), axes=(-2, 0), norm="ortho"),
        ]
        for name in ("irfft2", "irfftn")
    },
    "fft.fftshift": [
        lambda r: args(r(5)),
        lambda r: args(r(4, 3)),
        lambda r: args(r.complex(4, 3), axes=1),
        lambda r: args(r(4, 3, 2), axes=(0, 1)),
    ],
    "fft.ifftshift": [lambda r: args(r(5)), lambda r: args(r(4, 3)), lambda r: args(r(4, 3), 0)],
    "fft.fftfreq": [
        lambda r: args(5),
        lambda r: args(4, 0.5),
        lambda r: args(Staged(6), Staged(0.3)),
        lambda r: args(4, d=np.asarray(0.7)),
    ],
    "fft.rfftfreq": [lambda r: args(5), lambda r: args(4, 0.5), lambda r: args(Staged(6), Staged(0.3))],
    "fft.fftfreq.unit": [lambda r: args(5)],
    "fft.rfftfreq.unit": [lambda r: args(Staged(4))],
}
