"""Operations with regions that derivatives produce."""

from __future__ import annotations

from typing import Any

from symdiff.ir.node import Op, Region
from symdiff.ir.types import Type, tuple_of


def _infer_closure(*, regions: tuple[Region, ...], **_: Any) -> Type:
    return tuple_of(result.type for result in regions[0].results)


# A function of the region's parameters, closing over outer values: the pullback of `vjp`.
closure = Op("closure", _infer_closure)
